"""Hiding from a translator what must come out as it went in, and putting it back. Pure.

Names, numbers, dates, hours, amounts, links, e-mail addresses, addresses and telephone numbers become marks that a
translator copies; a translation in which a mark is missing, doubled or grown is worth nothing, and says so. An
appointment at the wrong hour is worse than no translation.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

STYLES = ("X{}X", "[{}]", "#{}", "{}")
"""How marks look, tried in this order: translators differ in what they copy."""

_SPACE = r"[\u0020\u00a0\u202f]"
_STREET = (
    r"(?:rue|avenue|av\.|boulevard|bd|place|pl\.|allée|allées|chemin|impasse|route|quai|square|cours|passage"
    r"|résidence|lotissement|faubourg|hameau|lieu-dit|sentier|villa|esplanade|rond-point)"
)
_LINK = rf"(?:{_SPACE}(?:de|du|des|la|le|les))"
_NAME = r"(?:[dl]['’])?[A-ZÀ-ÖØ-Þ][\w'’-]*"
_FORMS = {
    "link": r"(?:https?://|www\.)[^\s<>\"]*[^\s<>\".,;:!?)\]»]",
    "mail": r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+",
    # 12 bis, rue du Marché; 3 rue de l'église
    "street": rf"\d+(?:{_SPACE}?(?:bis|ter|quater)\b)?,?{_SPACE}{_STREET}(?:(?:{_LINK}*{_SPACE}{_NAME})+"
    rf"|{_LINK}*{_SPACE}[dl]['’]\w+|{_LINK}+{_SPACE}\w+)",
    "town": rf"\b\d{{5}}{_SPACE}[A-ZÀ-ÖØ-Þ][\w'’-]+(?:{_SPACE}[A-ZÀ-ÖØ-Þ][\w'’-]+)*",
    # 14h30, 9 h, 14 h 30
    "hour": rf"\b\d{{1,2}}{_SPACE}?[hH](?:{_SPACE}?\d{{2}})?\b",
    # 12/03/2026, 1 234,56 €, +33 6 12 34 56 78, 06.12.34.56.78, 14:30, AB-12, 86B
    "number": rf"[+(]?[A-Za-z]*\d(?:[\dA-Za-zÀ-ÿ.,:/'’°()+-]|{_SPACE}(?=\d))*(?:{_SPACE}?[€$£%])?",
    "money": rf"[€$£]{_SPACE}?\d[\d.,]*",
}
_KEPT = re.compile("|".join(_FORMS.values()))
_TRAILING = ".,;:!?'’()-/+"


class LostError(Exception):
    """A translation lost, doubled or changed something that was hidden in it."""


@dataclass(frozen=True)
class Masked:
    """A text whose `kept` pieces are marks, and how the marks look. `text` has no digit but in marks."""

    text: str
    kept: tuple[str, ...]
    style: str

    @property
    def marks(self) -> list[str]:
        """The mark of each piece."""
        return [self.style.format(number) for number in _numbers(len(self.kept))]


def mask(text: str, names: Iterable[str] = (), style: str = STYLES[0]) -> Masked:
    """Put a mark in the place of each piece that must come out unchanged.

    `names`: of people and places, found as whole words, with their capitals.
    """
    places = _spans(text, names)
    numbers = _numbers(len(places))
    parts: list[str] = []
    at = 0
    for (start, end), number in zip(places, numbers, strict=True):
        parts += [text[at:start], style.format(number)]
        at = end
    return Masked("".join([*parts, text[at:]]), tuple(text[start:end] for start, end in places), style)


def restore(masked: Masked, translated: str) -> str:
    """Put the pieces back in the place of their marks.

    Raises:
        LostError: a mark is missing, there twice, or has grown by a digit.
    """
    found = _marks(masked.style).findall(translated)
    numbers = [_western(number) for number in found]
    if sorted(numbers) != sorted(_numbers(len(masked.kept))):
        raise LostError(f"{len(found)} marks of {len(masked.kept)}")
    by_number = dict(zip(_numbers(len(masked.kept)), masked.kept, strict=True))
    return _marks(masked.style).sub(lambda mark: by_number[_western(mark[1])], translated)


def has_more_than_marks(masked: Masked) -> bool:
    """True when there is a letter to translate beside the marks."""
    return any(letter.isalpha() for letter in _marks(masked.style).sub("", masked.text))


def _spans(text: str, names: Iterable[str]) -> Sequence[tuple[int, int]]:
    """What is hidden, in order; of two that touch, one piece that holds both."""
    found = [_trimmed(text, *match.span()) for match in _KEPT.finditer(text)]
    for name in sorted({name.strip() for name in names if name.strip()}, key=len, reverse=True):
        found += [match.span() for match in re.finditer(rf"(?<!\w){re.escape(name)}(?!\w)", text)]
    merged: list[tuple[int, int]] = []
    for start, end in sorted(found):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """Without the stop or the bracket that belongs to the sentence."""
    while end - 1 > start and text[end - 1] in _TRAILING and not text[start:end].endswith("°"):
        if text[end - 1] == ")" and "(" in text[start:end]:
            break
        end -= 1
    return start, end


def _numbers(count: int) -> list[str]:
    """The numbers of marks: of as many digits each, so that none is the beginning of another, and no small number
    that a translator would write as a word."""
    first = 11 if count < 89 else 10 ** len(str(count + 10)) + 1
    return [str(number) for number in range(first, first + count)]


def _marks(style: str) -> re.Pattern[str]:
    """A mark as a translator may have changed it: with spaces inside, in small letters, in its own digits."""
    before, after = (re.escape(part) for part in style.split("{}"))
    opening, closing = before and rf"{before}\s?", after and rf"\s?{after}"
    return re.compile(rf"(?<!\d){opening}(\d+){closing}(?!\d)", re.IGNORECASE)


def _western(digits: str) -> str:
    return str(int(digits))
