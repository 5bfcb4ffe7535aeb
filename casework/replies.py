"""What a short answer by text message means: stop, start again, cancel, yes, no; or none of these. Pure, no database.

Accents, case, spaces, punctuation and one wrong letter of a long word are forgiven. What is not surely one of these
words is a message for a person to read: a sentence, a question, a negation.
"""

from __future__ import annotations

import enum
import re
import unicodedata
from dataclasses import dataclass


class Meaning(enum.StrEnum):
    """What one word asks for."""

    STOP = "stop"
    START = "start"
    CANCEL = "cancel"
    YES = "yes"
    NO = "no"


@dataclass(frozen=True)
class Reply:
    """`alone`: nothing else was said, so that no person needs to read it."""

    meaning: Meaning
    alone: bool


def plain_words(text: str) -> list[str]:
    """The words of a text without case, accents, punctuation, signs nobody sees, nor letters drawn out (`ouiii`)."""
    letters = []
    for letter in unicodedata.normalize("NFKD", text.casefold()):
        kind = unicodedata.category(letter)
        if unicodedata.combining(letter) or kind == "Cf" or letter in _UNSEEN:
            continue
        letters.append(_SAME.get(letter, letter) if kind[0] in "LM" or kind == "Nd" else " ")
    return re.sub(r"(.)\1{2,}", r"\1", "".join(letters)).split()


_UNSEEN = frozenset(chr(code) for code in range(0xFE00, 0xFE10)) | {"\u0640"}
"""Variants of signs, and the Arabic stroke that draws a word out."""

_SAME = {"ى": "ي", "ی": "ي", "ې": "ي", "ۍ": "ي", "ک": "ك", "ة": "ه", "ۀ": "ه", "ı": "i", "œ": "oe"}
"""Letters written one for the other."""

LISTED: dict[Meaning, tuple[str, ...]] = {
    Meaning.STOP: (
        "stop", "arrêt", "arrêter", "arrêtez", "unsubscribe", "désabonner", "توقف", "قف", "إيقاف", "أوقف", "стоп",
        "зупинити", "зупиніть", "припиніть", "остановить", "durdur", "বন্ধ", "توقف کن",
        "ودروه", "parar", "opriți", "oprește", "dezabonare",
    ),
    Meaning.START: ("start", "reprendre", "ابدأ", "استئناف", "старт", "başla", "شروع", "পুনরায়", "empezar", "începe"),
    Meaning.CANCEL: (
        "annuler", "annulation", "annulé", "annulez", "cancel", "cancelled", "canceled", "cancellation", "إلغاء",
        "الإلغاء", "ألغي", "ألغ", "ألغوا", "لغو", "لغوه", "скасувати", "скасуйте", "скасування", "скасую",
        "скасуй", "відмінити", "відміна", "відміняю", "відмініть", "отменить", "отмена", "отмените", "отменяю", "کنسل",
        "کینسل", "فسخ", "iptal", "gelemem", "gelemiyorum", "বাতিল", "ক্যানসেল", "cancelar", "cancelo", "anular", "anulo",
        "anulare", "anulează", "anulez", "anulați",
    ),
    Meaning.YES: (
        "oui", "yes", "yeah", "نعم", "أجل", "أيوه", "ايوا", "بله", "بلی", "بلې", "آره", "هو", "اوو", "так", "да",
        "evet", "tamam", "হ্যাঁ", "হ্যা", "হাঁ", "হা", "জি", "জ্বি",
        "sí", "sim", "da", "haa",
    ),
    Meaning.NO: ("non", "no", "لا", "كلا", "نه", "خیر", "نه خیر", "ні", "нет", "hayır", "না", "não", "nu", "maya"),
}  # fmt: skip
"""The words as people write them."""

_POLITE = (
    "svp stp merci please thanks thank you bonjour hello salut sms texto message messages me je mon ma mes le la les "
    "un du de my the appointment appointments rendez vous rdv من فضلك لو سمحت شكرا موعد الموعد موعدي المواعد لطفا "
    "пожалуйста прошу запись запис спасибо lütfen randevu randevuyu randevumu et cita la mi por favor gracias "
    "programarea vă rog অ্যাপয়েন্টমেন্ট আমার করুন وقت ملاقات کن کنید"
)
"""Words that may stand around without saying anything more."""

_CHANGING = (
    "ne n pas non jamais plus not dont don t never no لا لم ما لن مو не нет ні nu degil etme etmeyin না নয় no não sin "
    "est ete etait a was is has been been si if avez avait pourquoi comment quand why when how who qui لماذا متى هل "
    "كيف чому чи почему когда niye neden cine cand porque"
)
"""Words beside which "cancel" says something else: that it was, that it should not be, whether it is."""

_NO_MISTAKE = frozenset({"cancer"})
"""Words one letter away from ours that people do write."""

SHORTEST_MISTAKEN = 6
"""In a shorter word, one wrong letter too often makes another word."""


def _known(text: str) -> frozenset[str]:
    return frozenset(plain_words(text))


POLITE, CHANGING = _known(_POLITE), _known(_CHANGING)
PHRASES = {
    meaning: frozenset(" ".join(plain_words(word)) for word in said) for meaning, said in LISTED.items()
}
_JOINED = {phrase.replace(" ", ""): meaning for meaning, said in PHRASES.items() for phrase in said}


def understand(text: str) -> Reply | None:
    """What a text asks for; None when a person should read it."""
    words = plain_words(text)
    if not words or re.search("[?؟]", text):
        return None
    left = [word for word in words if word not in POLITE]
    if found := _JOINED.get("".join(words)) or _JOINED.get("".join(left)):
        return Reply(found, alone=True)
    if not left:
        return None
    if _said(left[0], Meaning.YES) and all(_is_cancel(word) for word in left[1:]):
        return Reply(Meaning.YES, alone=True)
    return _cancelling(left)


def _cancelling(left: list[str]) -> Reply | None:
    """A word for cancelling, alone or with one other word beside which it keeps its sense."""
    if len(left) == 1:
        return Reply(Meaning.CANCEL, alone=True) if _is_cancel(left[0]) else None
    others = [word for word in left if not _said(word, Meaning.CANCEL)]
    if len(others) == 1 and others[0] not in CHANGING:
        return Reply(Meaning.CANCEL, alone=False)
    return None


def _said(word: str, meaning: Meaning) -> bool:
    return word in PHRASES[meaning]


def _is_cancel(word: str) -> bool:
    """One of the words for cancelling, perhaps with one wrong letter."""
    if _said(word, Meaning.CANCEL):
        return True
    if len(word) < SHORTEST_MISTAKEN - 1 or word in _NO_MISTAKE:
        return False
    return any(
        len(known) >= SHORTEST_MISTAKEN and _one_letter_apart(word, known)
        for known in PHRASES[Meaning.CANCEL]
    )


def _one_letter_apart(typed: str, known: str) -> bool:
    """One letter wrong, missing, too many, or two neighbours swapped."""
    start = next(
        (i for i, (one, other) in enumerate(zip(typed, known, strict=False)) if one != other),
        min(len(typed), len(known)),
    )
    one, other = typed[start:], known[start:]
    swapped = one[:2] == other[:2][::-1] and one[2:] == other[2:]
    return one[1:] == other[1:] or one[1:] == other or one == other[1:] or swapped
