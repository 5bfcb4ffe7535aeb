"""What is said by the audio made ahead: the easy parts of each rights page, the fixed words of each question.

Never a word of a person: what they typed, and what they were told, only their own device may say.
`python -m portal.spoken` makes the files (`make audio`); docs/audio.md says how they reach people.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from casework import audio
from casework.amounts import in_words
from casework.audio import AudioError, Speech, sentences_of
from casework.rights import HEADINGS, PLACEHOLDER, Library, Part, RightsPage, load_library
from casework.settings import audio_folder, piper_models
from casework.translation import catalogue
from casework.vocabulary import CHANNELS, N_, NEEDS, NOTHING_SENT, THEMES, URGENCIES, Channel, Word
from portal.questions import QUESTIONS, Question

SAID_PARTS = tuple(part for part in Part if part is not Part.MORE)
"""The details are articles of law and abbreviations, for those who read: a voice would only tire with them."""


@dataclass(frozen=True)
class Heard:
    """One piece to listen to. `of`: the id of the section it says; `heading`: what it is called."""

    of: str
    heading: str
    speech: Speech


def of_rights(library: Library, page: RightsPage) -> tuple[Heard, ...]:
    """A page, a piece for each part: what one tap loads stays small."""
    money = {name: in_words(amount, page.language) for name, amount in library.amounts.items()}
    words = catalogue(page.language)
    pieces = []
    for part in SAID_PARTS:
        heading = words.gettext(HEADINGS[part])
        said = [heading, PLACEHOLDER.sub(lambda found: money[found[1]], page.parts[part])]
        if part is Part.WHAT:
            said = [page.title, page.summary, *said]
        pieces.append(Heard(part, heading, Speech(page.language, sentences_of("\n".join(said)))))
    return tuple(pieces)


def of_question(
    question: Question, language: str, *, channels: Collection[str] = (), sensitive: bool = False
) -> tuple[Heard, ...]:
    """A question: one piece, or one for each thing that this person is asked."""
    words = catalogue(language)
    pieces = []
    for said in _groups(question, channels, sensitive):
        sentences = sentences_of("\n".join(words.gettext(sentence) for sentence in said))
        pieces.append(Heard("question", words.gettext(said[0]), Speech(language, sentences)))
    return tuple(pieces)


def everything(library: Library, languages: Iterable[str]) -> Iterator[Speech]:
    """All there is to say."""
    spoken = set(languages)
    for found in library.pages.values():
        for page in found.values():
            if page.language in spoken:
                yield from (piece.speech for piece in of_rights(library, page))
    every_channel = [channel.value for channel in Channel]
    for language in sorted(spoken):
        for question in QUESTIONS:
            for sensitive in (False, True):
                pieces = of_question(question, language, channels=every_channel, sensitive=sensitive)
                yield from (piece.speech for piece in pieces)


def _groups(question: Question, channels: Collection[str], sensitive: bool) -> Iterator[list[str]]:
    if sensitive and question.asks in WARNINGS:
        yield [WARNINGS[question.asks]]
    if question.asks == "channels" and sensitive:
        yield [question.title, *LEADS["channels"], *_labels({**CHANNELS, Channel.VISIT: NOTHING_SENT})]
        return
    yield [question.title, *LEADS[question.asks], *_labels(TILES.get(question.asks, {}))]
    if question.asks == "contact":
        yield from ([said] for channel, said in CONTACTS.items() if channel in channels)
        yield [N_("Votre nom"), N_("Vous pouvez laisser vide.")]


def _labels(words: Mapping[Any, Word]) -> Iterator[str]:
    for word in words.values():
        yield word.label
        if word.hint:
            yield word.hint


TILES: dict[str, Mapping[Any, Word]] = {
    "theme": THEMES,
    "urgency": URGENCIES,
    "channels": CHANNELS,
    "needs": NEEDS,
}
"""The answers to choose from."""

LEADS: dict[str, list[str]] = {
    "theme": [N_("Choisissez le plus important pour vous.")],
    "urgency": [N_("En danger ? Appelez maintenant :"), "112"],
    "words": [N_("Écrivez avec vos mots, dans votre langue."), N_("Vous pouvez laisser vide.")],
    "place": [
        N_("Votre commune nous dit qui peut vous aider."),
        N_("Ville, village ou code postal"),
        N_("Exemple : Poitiers ou 86000"),
        N_("Je n'ai pas de lieu fixe"),
    ],
    "channels": [N_("Choisissez une réponse ou plusieurs.")],
    "contact": [],
    "needs": [
        N_("Quelle langue parlez-vous ?"),
        N_("De quoi avez-vous besoin ?"),
        N_("Vous pouvez laisser vide."),
    ],
    "papers": [
        N_("Une lettre, une facture, un papier : prenez une photo."),
        N_("Vous pouvez aussi envoyer vos papiers plus tard."),
        N_("10 Mo au plus pour un fichier."),
    ],
}
"""What each question's page says under its title."""

CONTACTS: dict[str, str] = {
    Channel.SMS: N_("Numéro de portable pour les SMS"),
    Channel.CALL: N_("Numéro de téléphone pour vous appeler"),
    Channel.EMAIL: N_("Adresse e-mail"),
    Channel.LETTER: N_("Votre nom et votre adresse postale"),
}
WARNINGS: dict[str, str] = {
    "channels": N_("Quelqu'un lit votre téléphone ? Choisissez la dernière réponse."),
    "contact": N_("Donnez un numéro ou une adresse que vous seul pouvez lire."),
}
"""What comes first where somebody else may read the telephone."""


def main() -> None:
    """Make the audio of every page and question that a voice can say; tell how far it is."""
    try:
        speaking = audio.voices(piper_models())
        made = audio.make(everything(load_library(), speaking), audio_folder(), speaking, _tell)
    except AudioError as error:
        sys.exit(str(error))
    weight = ", ".join(f"{size / 1e6:,.0f} MB of {kind}" for kind, size in made.bytes.items())
    print(f"{made.made} made, {made.kept} kept, {made.removed} removed: {weight}.")


def _tell(done: int, of: int) -> None:
    print(f"{done} of {of}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    os.nice(10)  # it takes every core for some minutes: whoever asks for help goes first
    main()
