"""Which words: to whom, one for a thing, of every day, in French (rules 8, 9, 10, 11, 16). Only warnings."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from casework.easyread.findings import Finding, Level
from casework.easyread.lexicon import better, frequency, is_rare
from casework.easyread.signs import Remark, is_acronym
from casework.easyread.texts import SLOT, Sentence

THIRD_PERSON = re.compile(
    r"\b(?:l'usag(?:er|ère)|les usagers|le demandeur|la demandeuse|les demandeurs|le requérant|l'intéressée?"
    r"|les intéressés|le bénéficiaire|la bénéficiaire|les bénéficiaires|l'allocataire|les allocataires|l'assurée?"
    r"|les assurés|le locataire|l'administrée?|les administrés|le public|toute personne"
    r"|tout (?:usager|demandeur|allocataire))\b",
    re.IGNORECASE,
)
TOO_CLOSE = re.compile(
    r"\b(?:tu|te|toi|ton|ta|tes)\b|(?<![\w-])t['’](?=[aeiouyhâàéèêëîïôœ])|(?<=\bva-)t['’]", re.IGNORECASE
)

SAME_THING = (
    ("papier", "document", "pièce", "justificatif"),
    ("demande", "requête", "sollicitation"),
    ("rendez-vous", "entretien", "rencontre"),
    ("aide", "prestation"),
    ("travailleur social", "assistante sociale", "assistant social", "intervenant social"),
    ("logement", "habitation", "domicile"),
    ("médecin", "docteur", "praticien"),
    ("travail", "emploi", "activité professionnelle"),
)
"""Words people take for different things when they mean the same one. A page keeps to one of each line."""

LETTERS = re.compile(r"[^\W\d_]+")


def to_the_reader(sentence: Sentence) -> Iterator[Remark]:
    """Rule 8."""
    for match in THIRD_PERSON.finditer(sentence.text):
        yield Remark(
            8, Level.WARNING, *match.span(), "La phrase parle d'une autre personne", "dites « vous »"
        )
    for match in TOO_CLOSE.finditer(sentence.text):
        yield Remark(8, Level.WARNING, *match.span(), "Une personne adulte se vouvoie", "dites « vous »")


def no_jargon(sentence: Sentence, explained: set[str]) -> Iterator[Remark]:
    """Rule 10: words of offices, each with what everybody says; not those the page explains."""
    yield from _instead(sentence, explained, "jargon", 10, "C'est un mot de bureau")


def in_french(sentence: Sentence, explained: set[str]) -> Iterator[Remark]:
    """Rule 16."""
    yield from _instead(sentence, explained, "foreign", 16, "C'est un mot étranger")


def _instead(
    sentence: Sentence, explained: set[str], family: str, rule: int, message: str
) -> Iterator[Remark]:
    pattern, said = better(family)
    for match in pattern.finditer(sentence.text):
        is_name = match[0][0].isupper() and match.start() > 0
        if is_name or explained.issuperset(re.findall(r"\w+", match[0].casefold())):
            continue
        word = said[int((match.lastgroup or "w0")[1:])]
        yield Remark(
            rule, Level.WARNING, *match.span(), message, f"dites « {word.replace('«', '').replace('»', '')} »"
        )


def rare_words(text: str, explained: set[str]) -> list[re.Match[str]]:
    """Words of a sentence that are seldom met: not names, not acronyms, not those the page explains."""
    return [
        match
        for match in LETTERS.finditer(text)
        if len(match[0]) > 2
        and not is_acronym(match[0])
        and (match[0][0].islower() or _starts(text, match.start()))
        and match[0].casefold() not in explained
        and is_rare(match[0].lower())
    ]


def _starts(text: str, at: int) -> bool:
    """True for the first word, whose capital says nothing, when what follows is not a name as well."""
    return not re.search(rf"[\w{SLOT}]", text[:at]) and frequency(text[at:].split(maxsplit=1)[0].lower()) > 0


def everyday_words(sentence: Sentence, explained: set[str]) -> Iterator[Remark]:
    """Rule 11."""
    for match in rare_words(sentence.text, explained):
        yield Remark(11, Level.WARNING, *match.span(), "Ce mot est rare",
                     "prenez un mot de tous les jours, ou expliquez-le avec un exemple")  # fmt: skip


def one_word_a_thing(sentences: Sequence[Sentence]) -> Iterator[Finding]:
    """Rule 9, over a whole text: the second word for a thing is the one found."""
    for things in SAME_THING:
        seen: dict[str, tuple[Sentence, re.Match[str]]] = {}
        for sentence in sentences:
            for thing in things:
                form = re.escape(thing).replace(r"\ ", "s? ") + "s?"
                if thing not in seen and (
                    match := re.search(rf"(?<![\w-]){form}(?![\w-])", sentence.text, re.I)
                ):
                    seen[thing] = (sentence, match)
        first, *others = seen or [""]
        for thing in others:
            sentence, match = seen[thing]
            yield Finding(
                sentence.line, sentence.columns[match.start()], 9, Level.WARNING, match[0],
                "Un autre mot dit déjà la même chose", f"gardez « {first} »",
            )  # fmt: skip


def words(sentence: Sentence, explained: set[str]) -> Iterator[Remark]:
    """All of these rules for one sentence of a page that explains some words."""
    for rule in (no_jargon, in_french, everyday_words):
        yield from rule(sentence, explained)
    yield from to_the_reader(sentence)
