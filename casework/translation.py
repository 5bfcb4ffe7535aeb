"""Words in a person's language, outside the web: catalogues, dates in words, templates of mails and texts.

French is what the code and the templates say; a catalogue gives the other languages, and where it lacks a
sentence people read the French one.
"""

from __future__ import annotations

import re
from datetime import datetime
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_time
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from casework.settings import ROOT
from casework.vocabulary import LANGUAGES

PARIS = ZoneInfo("Europe/Paris")
CATALOGUES = ROOT / "translations"
TEMPLATES = ROOT / "templates"
SENTENCE_ENDS = re.compile(r"(?:(?<=[^\W_]{3}\.)|(?<=\d\d\.)|(?<=[!?؟।])) +(?=(\S))")
"""Three letters before a full stop, so that a street keeps its line (`12 av. Jean-Jaurès`); or the end of a number."""


class UnknownLanguageError(ValueError):
    """No such language among those of the interface."""


@lru_cache
def catalogue(language: str) -> Translations:
    """A language's sentences: its compiled catalogue, or its source compiled here when newer or alone.

    Raises:
        UnknownLanguageError: not a language of the interface.
    """
    if language not in LANGUAGES:
        raise UnknownLanguageError(language)
    source = CATALOGUES / language / "LC_MESSAGES" / "messages.po"
    compiled = source.with_suffix(".mo")
    if _age(compiled) >= _age(source) > 0:
        return Translations(BytesIO(compiled.read_bytes()))
    return Translations(_compiled(source, language)) if source.exists() else Translations()


def locale_of(language: str) -> str:
    """Whose months and hours a language reads: Dari ones in Persian."""
    return LANGUAGES[language].locale or language


def _age(path: Path) -> float:
    """When a file last changed, in seconds since 1970; 0 if there is none."""
    return path.stat().st_mtime if path.exists() else 0


def _compiled(source: Path, language: str) -> BytesIO:
    compiled = BytesIO()
    with source.open("rb") as file:
        write_mo(compiled, read_po(file, locale=language))
    compiled.seek(0)
    return compiled


@lru_cache
def environment(language: str) -> Environment:
    """Templates of plain text, with the filters for days, hours, digits and addresses of this module."""
    made = Environment(  # noqa: S701 - plain text, in which an escaped apostrophe would be a mistake
        loader=FileSystemLoader(TEMPLATES),
        extensions=["jinja2.ext.i18n"],
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.install_gettext_translations(catalogue(language), newstyle=True)  # type: ignore[attr-defined]
    made.filters["date_in_words"] = lambda moment: date_in_words(moment, language)
    made.filters["day_and_month"] = lambda moment: day_and_month(moment, language)
    made.filters["weekday_and_month"] = lambda moment: weekday_and_month(moment, language)
    made.filters["hour"] = lambda moment: hour(moment, language)
    made.filters["together"] = lambda digits: together(digits, language)
    made.filters["apart"] = lambda words: apart(words, language)
    return made


def date_in_words(moment: datetime, language: str) -> str:
    """The day in Paris, in words, with Latin digits: `mardi 10 novembre 2026`, `الثلاثاء 10 نوفمبر 2026`."""
    return _day(moment, "EEEE d MMMM y", language)


def day_and_month(moment: datetime, language: str) -> str:
    """The day in Paris, short: `10 novembre`, `10 نوفمبر`."""
    return _day(moment, "d MMMM", language)


def weekday_and_month(moment: datetime, language: str) -> str:
    """The day in Paris, without its year: `mardi 10 novembre`, `الثلاثاء 10 نوفمبر`."""
    return _day(moment, "EEEE d MMMM", language)


def hour(moment: datetime, language: str) -> str:
    """The hour in Paris, as the pages say it: `14:30`, `2:30 PM`."""
    return format_time(moment.astimezone(PARIS), clock(language), locale=locale_of(language))


def clock(language: str) -> str:
    """How hours are written: Bengali by the clock of France, since `2:05 PM` would have English letters."""
    return "HH:mm" if language == "bn" else "short"


def together(digits: str, language: str) -> str:
    """Groups of digits that stay in order and on one line among right-to-left words.

    A common space lets the bidirectional algorithm turn the groups around; a no-break space joins them into
    one number (UAX 9, W4). Elsewhere the common space stays: a text message has no other.
    """
    return digits.replace(" ", "\u00a0") if LANGUAGES[language].direction == "rtl" else digits


def apart(words: str, language: str) -> str:
    """A piece of French, such as an address, that keeps its own direction in a right-to-left letter (UAX 9)."""
    return f"\u2066{words}\u2069" if LANGUAGES[language].direction == "rtl" else words


def one_a_line(words: str) -> str:
    """Each sentence on a line of its own, as easy-to-read texts want it: a message has no other layout."""
    return SENTENCE_ENDS.sub(lambda end: end[0] if end[1].islower() else "\n", words)


def _day(moment: datetime, pattern: str, language: str) -> str:
    day = moment.astimezone(PARIS).date()
    if language == "fr" and day.day == 1:
        pattern = pattern.replace("d ", "d'er' ")
    return format_date(day, in_order(pattern, language), locale=locale_of(language))


def in_order(pattern: str, language: str) -> str:
    """A pattern of days as a language puts them: `17 de noviembre de 2026`, `17 Kasım 2026 Salı`."""
    if language == "es":
        return pattern.replace(" MMMM", " 'de' MMMM").replace(" y", " 'de' y")
    if language == "tr" and pattern.startswith("EEEE "):
        return pattern.removeprefix("EEEE ") + " EEEE"
    return pattern
