"""How far each language is: what native speakers read over, what was made from an earlier version of the French.

A review is of words, not of files: what was read is noted by a digest, so that a word changed later is one to read
again, whoever changed it. For the strings of the interface `translations/<language>/reviewed.csv` holds a line each;
a rights page and the situations say it of themselves (`casework.rights.Wording`).
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path

from babel.messages.catalog import Message
from babel.messages.pofile import read_po

from casework.rights import CONTENT, FRENCH, PLACEHOLDER, Library, RightsPage, digest_of
from casework.translation import CATALOGUES
from casework.vocabulary import LANGUAGES

COLUMNS = ("words", "day", "name")
LINK = re.compile(r"\]\(([^)\s]+)\)")


class NothingToSignError(Exception):
    """No such language, or no such page in it."""


@dataclass(frozen=True)
class State:
    """How far one language is."""

    language: str
    strings: int
    strings_read: int
    """How many of them a native speaker read over, as they are now."""
    pages: int
    """Rights pages, and the file of situations."""
    pages_read: int
    pages_behind: int
    """Made from an earlier version of the French."""


def state_of(language: str, library: Library, catalogues: Path = CATALOGUES) -> State:
    """Count what a language has, what was read over, what is to be made again."""
    strings = set(_strings(language, catalogues))
    french = {slug: found[FRENCH].wording for slug, found in library.pages.items()}
    texts = [
        (found[language].wording, french[slug]) for slug, found in library.pages.items() if language in found
    ]
    if language in library.situation_wordings:
        texts.append((library.situation_wordings[language], library.situation_wordings[FRENCH]))
    return State(
        language,
        strings=len(strings),
        strings_read=len(strings & set(_read_over(language, catalogues))),
        pages=len(texts),
        pages_read=sum(wording.reviewed for wording, _ in texts),
        pages_behind=sum(wording.is_behind(source) for wording, source in texts),
    )


def table(library: Library, catalogues: Path = CATALOGUES) -> str:
    """A line a language, for whoever shares out the work."""
    lines = [f"{'':9} {'strings':>8} {'read over':>10} {'pages':>6} {'read over':>10} {'outdated':>9}"]
    for language in LANGUAGES:
        if language != FRENCH:
            state = state_of(language, library, catalogues)
            lines.append(
                f"{language:9} {state.strings:8} {state.strings_read:10} {state.pages:6} {state.pages_read:10} "
                f"{state.pages_behind:9}"
            )
    return "\n".join(lines)


@lru_cache
def is_read_over(language: str, catalogues: Path = CATALOGUES) -> bool:
    """True when a native speaker read every string of the interface, as they are now; French is the source."""
    if language == FRENCH:
        return True
    read = set(_read_over(language, catalogues))
    return bool(read) and read >= set(_strings(language, catalogues))


def sign_strings(language: str, name: str, day: date, catalogues: Path = CATALOGUES) -> int:
    """Note that somebody read the whole catalogue over today; returns how many strings were not read before.

    Raises:
        NothingToSignError: no such language.
    """
    if language not in LANGUAGES or language == FRENCH:
        raise NothingToSignError(language)
    before = _read_over(language, catalogues)
    now = {words: before.get(words, (str(day), name)) for words in _strings(language, catalogues)}
    with _list(language, catalogues).open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(COLUMNS)
        rows.writerows((words, *who) for words, who in sorted(now.items()))
    return len(now.keys() - before.keys())


def sign_page(language: str, slug: str, name: str, library: Library, folder: Path = CONTENT) -> None:
    """Write in a translated page, or in the `situations`, who read it over and which words these were.

    Raises:
        NothingToSignError: no such page in that language.
    """
    if slug == "situations":
        path, wording = folder / "situations.yaml", library.situation_wordings.get(language)
    else:
        found = library.pages.get(slug, {}).get(language)
        path, wording = folder / "rights" / slug / f"{language}.md", found.wording if found else None
    if wording is None or language == FRENCH:
        raise NothingToSignError(f"{slug}/{language}")
    text = path.read_text(encoding="utf-8")
    quoted = '"' + name.replace("\\", "").replace('"', "") + '"'
    said = [f"of_version: {wording.version}", f"reviewed_by: {quoted}", f'reviewed_words: "{wording.words}"']
    if slug == "situations":
        line = f"{language}: {{{', '.join(said)}}}"
        signed = re.sub(rf"(?m)^{language}:.*$", lambda _: line, text, count=1)
    else:
        bare = re.sub(r"(?m)^reviewed_(by|words):.*\n", "", text)
        signed = re.sub(r"(?m)^of_version:.*$", lambda _: "\n".join(said), bare, count=1)
    path.write_text(signed, encoding="utf-8")


def lost(library: Library) -> list[str]:
    """What translations of the present French lack or have too much of: amounts, links, telephone numbers."""
    return [
        f"{slug}/{language}: {' '.join(sorted(((here - there) + (there - here)).elements()))}"
        for slug, found in library.pages.items()
        for there in [_fixed(found[FRENCH])]
        for language, page in found.items()
        if not page.outdated and (here := _fixed(page)) != there
    ]


def _fixed(page: RightsPage) -> Counter[str]:
    """What every language writes alike."""
    text = "\n".join(page.parts.values())
    return Counter([*(f"{{amount:{name}}}" for name in PLACEHOLDER.findall(text)), *LINK.findall(text)])


def _strings(language: str, catalogues: Path) -> Iterator[str]:
    """A digest of each string of a catalogue, the French and its translation together."""
    path = catalogues / language / "LC_MESSAGES" / "messages.po"
    if not path.exists():
        return
    with path.open("rb") as file:
        yield from (digest_of(*_said(message)) for message in read_po(file, locale=language) if message.id)


def _said(message: Message) -> list[str]:
    both = (message.id, message.string)
    return [str(text) for said in both for text in ([said] if isinstance(said, str) else said or [])]


def _list(language: str, catalogues: Path) -> Path:
    return catalogues / language / "reviewed.csv"


def _read_over(language: str, catalogues: Path) -> dict[str, tuple[str, str]]:
    """Digest → day and name."""
    path = _list(language, catalogues)
    if not path.exists():
        return {}
    with path.open(encoding="utf-8", newline="") as file:
        return {row["words"]: (row["day"], row["name"]) for row in csv.DictReader(file)}
