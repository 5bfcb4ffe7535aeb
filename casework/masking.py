"""Hiding from a translator what must come out as it went in, and putting it back. Pure.

Names, numbers, dates, hours, amounts, links, e-mail addresses, addresses and telephone numbers become marks that a
translator copies; a translation in which a mark is missing, doubled or grown is worth nothing, and says so. An
appointment at the wrong hour is worse than no translation.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from casework import sentences

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
_SMALL = (
    "de du des la le les da do dos das di del della el al abd abu abou ben bin bint ibn ould van von der den ter ten"
    " zu san santa saint sainte mac ap ur et y e"
)
PARTICLES = frozenset(_SMALL.split())
"""Words inside names that say nothing of who it is, and stand in any sentence."""
SHORTEST_WORD = 3
"""Letters of a word of a name that is hidden by itself."""


class LostError(Exception):
    """A translation lost, doubled or changed something that was hidden in it."""


@dataclass(frozen=True)
class Names:
    """Of people and places, which come out as they are. `people` are known by one word of their name too."""

    people: tuple[str, ...] = ()
    places: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.people or self.places)


NOBODY = Names()


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


def mask(text: str, names: Names = NOBODY, style: str = STYLES[0]) -> Masked:
    """Put a mark in the place of each piece of a sentence that must come out unchanged.

    Names are found whole and with a capital. A single word of somebody's longer name is hidden too, but where it could
    be any word: at the beginning of the sentence, without a capital, a particle, or of less than `SHORTEST_WORD`
    letters.
    """
    places = _spans(text, names)
    numbers = _numbers(len(places))
    parts: list[str] = []
    at = 0
    for (start, end), number in zip(places, numbers, strict=True):
        parts += [text[at:start], style.format(number)]
        at = end
    return Masked("".join([*parts, text[at:]]), tuple(text[start:end] for start, end in places), style)


def hiding(text: str, names: Names) -> Names:
    """Those of the names that hide something in one of the sentences of a text: what a translation of it depends on."""
    parts = [sentences.parted(sentence)[1] for sentence in sentences.split(text)]

    def among(several: tuple[str, ...], *, words_too: bool) -> tuple[str, ...]:
        return tuple(
            sorted(
                name
                for name in {*several}
                if any(next(_name_spans(part, name, words_too=words_too), None) for part in parts)
            )
        )

    return Names(among(names.people, words_too=True), among(names.places, words_too=False))


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


def _spans(text: str, names: Names) -> Sequence[tuple[int, int]]:
    """What is hidden, in order; of two that touch, one piece that holds both."""
    found = [_trimmed(text, *match.span()) for match in _KEPT.finditer(text)]
    for several, words_too in ((names.people, True), (names.places, False)):
        for name in several:
            found += _name_spans(text, name, words_too=words_too)
    merged: list[tuple[int, int]] = []
    for start, end in sorted(found):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _name_spans(text: str, name: str, *, words_too: bool) -> Iterator[tuple[int, int]]:
    """Where a name stands in a sentence, whole; with `words_too`, where one word of it does."""
    words = name.split()
    if not any(word.casefold() in text.casefold() for word in words):
        return
    if len(words) > 1 or not _is_small(name.strip()):
        for start, end in _found(text, r"\s+".join(re.escape(word) for word in words)):
            if not text[start].islower():
                yield start, end
    if not words_too or len(words) < 2:
        return
    for word in words:
        if len(word) < SHORTEST_WORD or _is_small(word):
            continue
        for start, end in _found(text, re.escape(word)):
            if text[start].isupper() and any(letter.isalnum() for letter in text[:start]):
                yield start, end


def _found(text: str, form: str) -> Iterator[tuple[int, int]]:
    return (match.span() for match in re.finditer(rf"(?<!\w){form}(?!\w)", text, re.IGNORECASE))


def _is_small(word: str) -> bool:
    plain = unicodedata.normalize("NFC", word).casefold().strip("'’.-")
    return plain in PARTICLES


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
