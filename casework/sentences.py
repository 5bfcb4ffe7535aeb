"""Cutting a text into sentences, and telling by its letters which language it cannot be. Pure.

Our own, because a model for this would have to be downloaded, and because what is translated is remembered sentence by
sentence: both need the same cut, always.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise

ABBREVIATIONS = frozenset(
    word
    for words in (
        "mm mme mmes mlle mlles dr st ste av bd bld boul pl rte rés tél tel pp cf env nº éd vol num réf apt appt bât",
        "esc chap fig jr sr sra dra mr mrs ms prof dept e.g i.e a.m p.m s.v.p c.-à-d etc str nr bl jud vb örn sok mah",
        "гр ул кв стр обл тел руб коп т.е т.д т.п т.к им пр просп вул буд р-н грн див напр ст",
        "ص رقم هـ ق.م মোঃ ডা",
    )
    for word in words.split()
)
"""What ends with a full stop and no sentence, in the languages of the interface; in small letters."""

STOPS = ".!?…؟۔।॥‼⁇⁈⁉"
CLOSERS = "\"'”’»›)]}"
_END = re.compile(rf"[{re.escape(STOPS)}]+[{re.escape(CLOSERS)}]*(?:[ \u00a0\u202f]»)?(?=\s)|\n\s*\n|\n")
_LAST_WORD = re.compile(r"[^\s(«\"“'’]+$")
_GAP = re.compile(r"\s*")

_ARABIC, _CYRILLIC, _BENGALI, _LATIN = "ARABIC", "CYRILLIC", "BENGALI", "LATIN"
SCRIPTS = {"ar": _ARABIC, "fa": _ARABIC, "ps": _ARABIC, "uk": _CYRILLIC, "ru": _CYRILLIC, "bn": _BENGALI}
"""The script of a language; the others are written in Latin letters."""


def split(text: str) -> list[str]:
    """The sentences, each with the white space after it: joined together they are the text again, whatever it holds.

    A line break ends a sentence too: people write lists and addresses that way.
    """
    cuts = [0]
    for end in _END.finditer(text):
        if _is_end(text[max(0, end.start() - 40) : end.start()], end[0], text[end.end() : end.end() + 40]):
            cuts.append(_gap(text, end.end()))
    cuts.append(len(text))
    return [text[start:stop] for start, stop in pairwise(cuts) if stop > start]


def parted(sentence: str) -> tuple[str, str, str]:
    """The white space before a sentence, its words, the white space after."""
    words = sentence.strip()
    if not words:
        return sentence, "", ""
    start = sentence.index(words)
    return sentence[:start], words, sentence[start + len(words) :]


def has_words(text: str) -> bool:
    """True when there is a letter to translate."""
    return any(unicodedata.category(letter)[0] == "L" for letter in text)


def bare(text: str) -> str:
    """The letters of a text, their marks, its digits and symbols alone, in small letters: two texts that differ in
    nothing else look the same to a reader."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(letter for letter in folded if unicodedata.category(letter)[0] not in "ZPC")


def language_of(text: str, declared: str) -> str:
    """The language of a text, from the one its page was in: somebody on an Arabic page may well write in French.

    Only the script is looked at, and a few letters that one language of a script has alone. Latin letters on the page
    of another script are taken for French.
    """
    scripts = [script for letter in text if (script := _script(letter))]
    if not scripts:
        return declared
    most = max(sorted({*scripts}), key=scripts.count)
    if most == SCRIPTS.get(declared, _LATIN):
        return declared
    if most == _ARABIC:
        return "ps" if set(text) & set("ځڅډړښڼېۍ") else "fa" if set(text) & set("پچژگکی") else "ar"
    if most == _CYRILLIC:
        return "uk" if set(text) & set("іїєґІЇЄҐ") else "ru"
    return "bn" if most == _BENGALI else "fr"


def _script(letter: str) -> str:
    if unicodedata.category(letter)[0] != "L":
        return ""
    name = unicodedata.name(letter, "").split(" ", 1)[0]
    return name if name in {_ARABIC, _CYRILLIC, _BENGALI, _LATIN} else ""


def _is_end(before: str, stop: str, after: str) -> bool:
    """A line break, or a stop that is not the one of an abbreviation, of a number or of an initial."""
    stops, following = stop.rstrip(CLOSERS + " \u00a0\u202f"), after.lstrip()[:1]
    if "\n" in stop or stops not in {".", "...", "…"}:
        return True
    word = _LAST_WORD.search(before)
    last = word[0].lower() if word and stops == "." else ""
    if last in ABBREVIATIONS or (len(last) == 1 and last.isalpha()):
        return False
    return not (following.islower() or (last.isdigit() and len(last) < 3 and following.isdigit()))


def _gap(text: str, at: int) -> int:
    found = _GAP.match(text, at)
    return found.end() if found else at
