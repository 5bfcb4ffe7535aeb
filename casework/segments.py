"""How long a text message is, as networks count: in segments, of GSM-7 letters or of UCS-2 units.

One letter outside GSM-7 (ç, ê, an Arabic letter) halves what a segment holds (3GPP TS 23.038): such letters
are written without their accent where that is enough to stay in GSM-7.
"""

from __future__ import annotations

import unicodedata

MOST_SEGMENTS = 2

_GSM7 = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM7_PAIRS = frozenset("^{}\\[~]|€")
"""Letters that take an escape and a second septet."""

_PLAINER = str.maketrans("’‘“”«»–—\u00a0\u202f", '\'\'""""--  ') | str.maketrans(
    {"…": "...", "œ": "oe", "Œ": "OE", "ı": "i"}
)


def plain(text: str) -> str:
    """The text with the letters GSM-7 lacks replaced by near ones, if that is enough; otherwise as it was."""
    plainer = "".join(letter if _is_gsm7(letter) else _bare(letter) for letter in text.translate(_PLAINER))
    return plainer if _is_gsm7(plainer) else text


def segments(text: str) -> int:
    """How many segments a text takes; 1 for an empty one."""
    if _is_gsm7(text):
        sizes, alone, joined = [2 if letter in _GSM7_PAIRS else 1 for letter in text], 160, 153
    else:
        sizes, alone, joined = [len(letter.encode("utf-16-be")) // 2 for letter in text], 70, 67
    if sum(sizes) <= alone:
        return 1
    count, used = 1, 0
    for size in sizes:  # a letter is never cut in two
        if used + size > joined:
            count, used = count + 1, 0
        used += size
    return count


def _is_gsm7(text: str) -> bool:
    return all(letter in _GSM7 or letter in _GSM7_PAIRS for letter in text)


def _bare(letter: str) -> str:
    return "".join(part for part in unicodedata.normalize("NFD", letter) if not unicodedata.combining(part))
