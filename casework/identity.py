"""A département's identity: its name, how to reach it, its two colours, what it promises, its legal notices.

Settings, not code: `identity.yaml` in the territory's folder. Texts people read are in easy French, with
their translations beside them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from casework.people import UnreachableError, read_email, read_phone
from casework.vocabulary import LANGUAGES

FILE = "identity.yaml"
LEAST_CONTRAST = 7.0
"""WCAG AAA for text, measured on white; the portal's ground is a little warmer than white."""

TRANSLATED = frozenset({"hours", "silence_means", "remedies", "legal_notices"})
"""What is read in every language of the interface; names, addresses and numbers are the same in all."""


class IdentityError(Exception):
    """`identity.yaml` is missing or wrong; each of `problems` says which key and what is expected."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(f"{FILE}: {problem}" for problem in problems))
        self.problems = problems


@dataclass(frozen=True)
class Identity:
    """Who publishes the service. Long texts hold one sentence a line."""

    departement: str
    """The département's name, as in "le Département de la …": `Vienne`."""
    service: str
    """What the service calls itself."""
    publisher: str
    """The full legal name of who answers for it."""
    phone: str
    """E.164."""
    email: str
    postal_address: str
    """One line of the address a line."""
    web_address: str
    """The département's own site, https."""
    hours: str
    """When somebody answers the telephone."""
    action_colour: str
    """`#rrggbb`, at least 7:1 on white."""
    warning_colour: str
    """`#rrggbb`, at least 7:1 on white."""
    answer_working_days: int
    """Within how many working days a person is promised an answer."""
    urgent_working_days: int
    """The same, when it is urgent."""
    silence_months: int
    """After how many months silence has a meaning (CRPA L231-1, L231-4)."""
    silence_means: str
    """What that silence means."""
    remedies: str
    """What a person can do against a refusal."""
    legal_notices: str
    data_protection_contact: str
    """The data protection officer's e-mail address."""
    quick_exit_address: str
    """An https page that says nothing of its visitor: weather, a search engine."""
    cancel_until_hours: int = 2
    """How many hours before an appointment a person can still cancel it alone; later they call."""
    move_until_hours: int = 2
    """The same, for another day or hour."""
    source_address: str = ""
    """Where this very version's source can be had (AGPL, article 13); empty: on request, by e-mail."""
    logo: Path | None = None
    """An SVG or PNG file of the territory's folder; without it the name is written."""
    easy_to_read_logo: Path | None = None
    """The same, for the European easy-to-read logo as its owner gave it to the département; none comes with us. It is
    shown on a page only when people with an intellectual disability read that very version."""
    translations: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Language → name of a text → that text."""

    def in_language(self, language: str) -> Identity:
        """The same identity with its texts in that language, French where a translation is missing."""
        return replace(self, **self.translations.get(language, {}))  # type: ignore[arg-type]


def load_identity(folder: Path) -> Identity:
    """Read `identity.yaml` in a territory's folder.

    Raises:
        IdentityError: the file or a key is missing, unknown or not what is expected; all problems at once.
    """
    return _understood(folder, _read(folder / FILE))


@lru_cache(maxsize=4)
def _understood(folder: Path, written: str) -> Identity:
    """What a file says: the worker asks for each message it sends."""
    values = _parsed(written)
    problems = [
        f"{key}: no such key; the known ones are {', '.join(_KNOWN)}." for key in values.keys() - _KNOWN
    ]
    found: dict[str, Any] = {}
    for key, reader in _READERS.items():
        try:
            found[key] = reader(values.get(key))
        except ValueError as expected:
            problems.append(f"{key}: expected {expected}, {_told(values.get(key))}.")
    for key, reader in (
        ("logo", lambda value: _logo(folder, value)),
        ("easy_to_read_logo", lambda value: _logo(folder, value)),
        ("translations", _translations),
    ):
        try:
            found[key] = reader(values.get(key))
        except ValueError as expected:
            problems.append(f"{key}: expected {expected}.")
    if problems:
        raise IdentityError(sorted(problems))
    return Identity(**found)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise IdentityError([f"missing from {path.parent}; territory/vienne holds an example."]) from error
    except UnicodeDecodeError as error:
        raise IdentityError(["not UTF-8; save it again as UTF-8."]) from error


def _parsed(written: str) -> dict[str, Any]:
    try:
        values = yaml.safe_load(written)
    except yaml.YAMLError as error:
        raise IdentityError([f"not YAML: {' '.join(str(error).split())}."]) from error
    if not isinstance(values, dict):
        raise IdentityError(["expected lines of `key: value`."])
    return {str(key): value for key, value in values.items()}


def _told(value: object) -> str:
    return "but it is missing" if value in (None, "") else f"not “{value}”"


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("a text, between quotes if it looks like a number")
    return value.strip()


def _phone(value: object) -> str:
    try:
        return read_phone(value if isinstance(value, str) else "")
    except UnreachableError:
        raise ValueError('a telephone number between quotes, such as "+33536490000"') from None


def _email(value: object) -> str:
    try:
        return read_email(value if isinstance(value, str) else "")
    except UnreachableError:
        raise ValueError("an e-mail address, such as accueil@example.org") from None


def _https(value: object) -> str:
    parts = urlsplit(value) if isinstance(value, str) else urlsplit("")
    if parts.scheme != "https" or not parts.hostname:
        raise ValueError("an address that begins with https://")
    return parts.geturl()


def _colour(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch("#[0-9a-fA-F]{6}", value):
        raise ValueError('a colour between quotes, such as "#0b4f55"')
    contrast = contrast_on_white(value)
    if contrast < LEAST_CONTRAST:
        raise ValueError(
            f"a darker colour, at least {LEAST_CONTRAST:.0f} to 1 on white (this one is {contrast:.1f} to 1)"
        )
    return value.lower()


def contrast_on_white(colour: str) -> float:
    """WCAG contrast ratio, 1 to 21, of `#rrggbb` on white."""
    channels = (int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return 1.05 / (luminance + 0.05)


def _whole(lowest: int, highest: int) -> Callable[[object], int]:
    def read(value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not lowest <= value <= highest:
            raise ValueError(f"a whole number from {lowest} to {highest}")
        return value

    return read


def _whole_or(default: int, lowest: int, highest: int) -> Callable[[object], int]:
    """A key that may be left out."""
    read = _whole(lowest, highest)
    return lambda value: default if value is None else read(value)


def _logo(folder: Path, value: object) -> Path | None:
    if value in (None, ""):
        return None
    path = folder / str(value)
    inside = path.resolve().parent == folder.resolve()
    if not inside or path.suffix.lower() not in {".svg", ".png"} or not path.is_file():
        raise ValueError(f"the name of an SVG or PNG file of this folder, not “{value}”")
    return path


def _translations(value: object) -> dict[str, dict[str, str]]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ValueError("languages, and under each the texts")
    for language, texts in value.items():
        if language not in LANGUAGES or language == "fr":
            raise ValueError(
                f"languages among {', '.join(code for code in LANGUAGES if code != 'fr')}, not “{language}”"
            )
        if not isinstance(texts, dict) or not texts.keys() <= TRANSLATED:
            raise ValueError(f"under {language}, texts among {', '.join(sorted(TRANSLATED))}")
    return {language: {key: _text(text) for key, text in texts.items()} for language, texts in value.items()}


_READERS: dict[str, Callable[[object], Any]] = {
    "departement": _text,
    "service": _text,
    "publisher": _text,
    "phone": _phone,
    "email": _email,
    "postal_address": _text,
    "web_address": _https,
    "hours": _text,
    "action_colour": _colour,
    "warning_colour": _colour,
    "answer_working_days": _whole(1, 30),
    "urgent_working_days": _whole(1, 30),
    "silence_months": _whole(1, 12),
    "silence_means": _text,
    "remedies": _text,
    "legal_notices": _text,
    "data_protection_contact": _email,
    "quick_exit_address": _https,
    "cancel_until_hours": _whole_or(2, 0, 168),
    "move_until_hours": _whole_or(2, 0, 168),
    "source_address": lambda value: _https(value) if value else "",
}
_KNOWN = tuple(part.name for part in fields(Identity))
