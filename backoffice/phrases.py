"""The phrasebook beside the field of a message: what was picked, what the person will read, what is remembered.

`templates/backoffice/phrases.html` says how a page offers it. Its form posts `phrase_do` when a sentence is looked for
or added without JavaScript, `phrase` for each sentence that is in the message.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from flask import Blueprint, abort, jsonify, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_babel import lazy_gettext as _l

from backoffice.agent import AGENT
from casework import translated_words
from casework.phrasebook import (
    Phrase,
    Slot,
    SlotError,
    UnknownPhraseError,
    Used,
    in_message,
    load_phrasebook,
    whole_message,
)
from casework.vocabulary import LANGUAGES
from web.doors import open_to
from web.transactions import db, now, settings

phrases = Blueprint("phrases", __name__, url_prefix="/<lang>/phrases")

MOST_USED = 60
"""Sentences of the book in one message."""

SLOT_WORDS = {
    Slot.DAY: _l("Jour"),
    Slot.HOUR: _l("Heure"),
    Slot.PLACE: _l("Lieu"),
    Slot.PAPER: _l("Papier"),
    Slot.NAME: _l("Nom"),
    Slot.AMOUNT: _l("Montant en euros"),
    Slot.PHONE: _l("Téléphone"),
    Slot.SERVICE: _l("Service"),
}
IN_FRENCH = {
    Slot.DAY: "jour", Slot.HOUR: "heure", Slot.PLACE: "lieu", Slot.PAPER: "papier", Slot.NAME: "nom",
    Slot.AMOUNT: "montant", Slot.PHONE: "numéro", Slot.SERVICE: "service",
}  # fmt: skip
"""How the list of sentences, which is French whatever the agent reads, shows a slot."""


@dataclass(frozen=True)
class Line:
    """A sentence of the book that stands in the message: how the form keeps it, and what the person reads."""

    used: Used
    french: str
    translated: str


@dataclass(frozen=True)
class Picked:
    """The picker as a form left it. `found`: the sentences looked for, None for all; `wrong`: the slot to fill in."""

    body: str
    lines: tuple[Line, ...] = ()
    looked_for: str = ""
    found: tuple[Phrase, ...] | None = None
    phrase_id: str = ""
    slots: Mapping[str, str] | None = None
    error: str = ""
    wrong: Slot | None = None
    is_open: bool = False


@phrases.post("/dire")
@open_to(AGENT)
def say() -> ResponseReturnValue:
    """One sentence filled in, in French and as the person will read it; nothing is kept."""
    used = _chosen()
    reader = request.form.get("phrase_reader", "fr")
    try:
        french, translated = load_phrasebook().say(used.phrase_id, used.slots, reader)
    except UnknownPhraseError:
        abort(404)
    except SlotError as error:
        return jsonify(wrong=error.slot.value, message=_expected(error.slot)), 422
    return jsonify(french=french, translated=translated, used=str(used))


def asked_of_picker() -> bool:
    """True when the form was sent by the picker's own buttons: nothing is to be sent to the person."""
    return request.form.get("phrase_do") in {"find", "add"}


def kept(body: str, reader: str) -> Picked:
    """The sentences of the book in a message that comes back to its page; nothing typed is lost."""
    return Picked(body, _lines(body, reader, _used()))


def picked(body: str, reader: str) -> Picked:
    """What the picker's buttons ask for: sentences found, or the message with one more at its end."""
    book, looked_for, used = load_phrasebook(), request.form.get("phrase_find", "").strip(), _chosen()
    found = tuple(book.search(looked_for)) if looked_for else ()
    shown = Picked(
        body, _lines(body, reader, _used()), found=found or None, looked_for=looked_for, slots=used.slots,
        is_open=True,
    )  # fmt: skip
    if request.form["phrase_do"] == "find":
        if looked_for and not found:
            return replace(shown, error=gettext("Aucune phrase n'a ces mots."))
        return replace(shown, phrase_id=found[0].id if found else "")
    try:
        french, _ = book.say(used.phrase_id, used.slots, reader)
    except UnknownPhraseError:
        return replace(shown, error=gettext("Choisissez une phrase."))
    except SlotError as error:
        return replace(shown, phrase_id=used.phrase_id, error=_expected(error.slot), wrong=error.slot)
    body = f"{body.rstrip()}\n{french}".lstrip()
    return Picked(body, _lines(body, reader, [*_used(), used]), is_open=True)


def remember_sent(body: str, reader: str) -> None:
    """Give the memory of translations the sentences of the book in a message that is sent; the caller commits."""
    if reader == "fr":
        return
    known = in_message(load_phrasebook(), body, _used(), reader)
    if whole := whole_message(body, known):
        known = known | {body: whole}
    for french, translated in known.items():
        translated_words.remember(
            db(), french, "fr", reader, translated, translated_words.PHRASEBOOK,
            key=settings().access_key, now=now(),
        )  # fmt: skip


@phrases.app_context_processor
def _for_the_picker() -> dict[str, object]:
    return {
        "phrasebook": load_phrasebook(),
        "slot_words": SLOT_WORDS,
        "phrase_shown": shown_in_list,
        "direction_of": lambda language: LANGUAGES[language].direction if language in LANGUAGES else "auto",
    }


def shown_in_list(phrase: Phrase) -> str:
    """A sentence with its slots in words: `Venez le (jour) à (heure).`"""
    words = phrase.french
    for slot in phrase.slots:
        words = words.replace(f"{{{slot}}}", f"({IN_FRENCH[slot]})")
    return words


def _used() -> list[Used]:
    return [Used.read(kept) for kept in request.form.getlist("phrase")[:MOST_USED]]


def _chosen() -> Used:
    """The sentence chosen in the list, with what its own slots were given."""
    phrase_id = request.form.get("phrase_id", "")
    try:
        slots = load_phrasebook().phrase(phrase_id).slots
    except UnknownPhraseError:
        slots = tuple(Slot)
    typed = {slot.value: request.form.get(f"slot_{slot}", "").strip() for slot in slots}
    return Used(phrase_id, {slot: value for slot, value in typed.items() if value})


def _lines(body: str, reader: str, used: list[Used]) -> tuple[Line, ...]:
    if reader == "fr" or reader not in LANGUAGES:
        return ()
    book = load_phrasebook()
    found = [(one, in_message(book, body, [one], reader)) for one in used]
    lines = {
        french: Line(one, french, translated) for one, said in found for french, translated in said.items()
    }
    return tuple(lines.values())


def _expected(slot: Slot) -> str:
    return str(
        {
            Slot.DAY: _l("Choisissez un jour."),
            Slot.HOUR: _l("Écrivez une heure."),
            Slot.PLACE: _l("Écrivez le lieu."),
            Slot.PAPER: _l("Choisissez un papier."),
            Slot.NAME: _l("Écrivez un nom."),
            Slot.AMOUNT: _l("Écrivez un montant en chiffres."),
            Slot.PHONE: _l("Écrivez un numéro de téléphone."),
            Slot.SERVICE: _l("Écrivez le nom du service."),
        }[slot]
    )
