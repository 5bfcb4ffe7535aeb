"""The rights pages: read from files, checked whole, kept in memory.

`content/rights/<slug>/<language>.md` holds front matter and seven fixed parts, the same in every language; French
is the one the others are made from. Sums of money are never typed in prose: they come from `casework.amounts`.
Whoever edits a page needs no developer: what is wrong is said with its file and line (requirement E6).
"""

from __future__ import annotations

import enum
import hashlib
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token

from casework import french_names
from casework.amounts import Amount, read_amounts
from casework.settings import ROOT
from casework.signs import SignVideo, read_signs
from casework.territory import fold
from casework.translation import catalogue
from casework.vocabulary import LANGUAGES, N_, SENSITIVE_THEMES, Theme

CONTENT = ROOT / "content"
FRENCH = "fr"
PLACEHOLDER = re.compile(r"\{amount:([a-z0-9_]+)\}")
EXCEPTION = re.compile(r"<!-- easyread: .+? because .+? -->\n?")
_markdown = MarkdownIt("commonmark", {"html": False, "breaks": True})


class Part(enum.StrEnum):
    """The fixed parts of a page, in order."""

    WHAT = "what"
    WHO = "who"
    GET = "get"
    DO = "do"
    BRING = "bring"
    WHERE = "where"
    MORE = "more"


HEADINGS: dict[Part, str] = {
    Part.WHAT: N_("C'est quoi ?"),
    Part.WHO: N_("C'est pour qui ?"),
    Part.GET: N_("Qu'est-ce que je reçois ?"),
    Part.DO: N_("Qu'est-ce que je fais ?"),
    Part.BRING: N_("Qu'est-ce que j'apporte ?"),
    Part.WHERE: N_("Où aller ?"),
    Part.MORE: N_("Plus de détails"),
}
"""French titles of the parts; a translated page writes them as its language's catalogue does."""


class ContentError(Exception):
    """Pages are wrong; each of `problems` reads `file:line: what is expected`."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class Source:
    """A public page that facts were compared with."""

    name: str
    url: str


@dataclass(frozen=True)
class Reader:
    """Somebody with an intellectual disability who read a French page (FALC)."""

    name: str
    day: date
    version: int
    """Which version they read."""


@dataclass(frozen=True)
class Wording:
    """Which version of the French a text is, or says, and whether its words are those that somebody noted.

    The digest noted beside a French text is that of its version's words; beside a translation, that of the words a
    native speaker read over. So nothing changes unseen, whoever forgets to raise a version.
    """

    version: int
    words: str
    """Digest of the words as they are (`digest_of`)."""
    noted: str = ""
    """The digest written beside them; empty: none."""
    reviewer: str = ""
    """The native speaker who read a translation over; empty: nobody yet."""

    @property
    def is_as_noted(self) -> bool:
        """True when not one word changed since the digest was written."""
        return self.words == self.noted

    @property
    def reviewed(self) -> bool:
        """True when these very words were read over by a native speaker."""
        return bool(self.reviewer) and self.is_as_noted

    def is_behind(self, french: Wording) -> bool:
        """True when the French has changed since this translation was made, its version raised or not."""
        return self.version < french.version or not french.is_as_noted


@dataclass(frozen=True)
class Facts:
    """What is the same in every language of a page."""

    slug: str
    themes: tuple[Theme, ...]
    situations: tuple[str, ...]
    sensitive: bool
    pictogram: str
    source: Source
    checked: date | None
    """When the facts were last compared with the source; None: not yet."""
    reviewers: tuple[str, ...]
    """Social workers who read the French page over."""
    readers: tuple[Reader, ...]
    """All who read the French page, whichever version."""
    french: Wording
    """Its version is raised with each change of the French."""

    @property
    def readers_of_these_words(self) -> tuple[Reader, ...]:
        """Who read the page as it is now: without one at least, no easy-to-read logo."""
        if not self.french.is_as_noted:
            return ()
        return tuple(reader for reader in self.readers if reader.version == self.french.version)


@dataclass(frozen=True)
class RightsPage:
    """A page in one language. `parts`: Markdown as it is written, amounts not yet filled in."""

    facts: Facts
    language: str
    title: str
    summary: str
    parts: Mapping[Part, str]
    wording: Wording
    search: tuple[str, ...] = ()
    """What people may type to find it, over and above its own words: no page shows them."""

    @property
    def outdated(self) -> bool:
        """True for a translation when the French has changed since."""
        return self.language != FRENCH and self.wording.is_behind(self.facts.french)

    def text(self) -> str:
        """Everything one reads on it, for the search."""
        return "\n".join([self.title, self.summary, *self.parts.values()])


@dataclass(frozen=True)
class Library:
    """All the pages: by slug, then by language; French is always there."""

    pages: Mapping[str, Mapping[str, RightsPage]]
    situations: Mapping[str, Mapping[str, str]]
    """Language → id → the person's own words, in the order they are listed."""
    amounts: Mapping[str, Amount] = field(default_factory=dict)
    situation_wordings: Mapping[str, Wording] = field(default_factory=dict)
    """By language: a file of situations is one text."""
    signs: Mapping[str, SignVideo] = field(default_factory=dict)
    """The pages that have a video in sign language."""

    def page(self, slug: str, language: str) -> RightsPage | None:
        """A page in a language, else in French; None when there is none of that name."""
        found = self.pages.get(slug)
        return None if found is None else found.get(language, found[FRENCH])

    def of_theme(self, theme: Theme, language: str) -> list[RightsPage]:
        """The pages of a theme, those of which it is the first one first."""
        found = [
            found.get(language, found[FRENCH])
            for found in self.pages.values()
            if theme in found[FRENCH].facts.themes
        ]
        return sorted(found, key=lambda page: page.facts.themes.index(theme))

    def of_situation(self, situation: str, language: str) -> list[RightsPage]:
        """The pages that answer a situation, the most to the point first."""
        found = [
            found.get(language, found[FRENCH])
            for found in self.pages.values()
            if situation in found[FRENCH].facts.situations
        ]
        return sorted(found, key=lambda page: page.facts.situations.index(situation))

    def to_note(self) -> list[str]:
        """French texts whose words are not those of their version, as `file: what to write`."""
        french = {f"rights/{slug}/{FRENCH}.md": found[FRENCH].wording for slug, found in self.pages.items()}
        if FRENCH in self.situation_wordings:
            french["situations.yaml"] = self.situation_wordings[FRENCH]
        return [
            f"content/{file}: the words are not those of version {wording.version}. Write version: "
            f'{wording.version + 1} and words: "{wording.words}", and the translations are to be made again; '
            f"if only a comma or a spelling changed, keep the version and write the words alone."
            for file, wording in french.items()
            if not wording.is_as_noted
        ]

    def to_redo(self) -> list[str]:
        """Translations to be made again or to be begun, as `slug/language: why`."""
        told = [
            f"{slug}/{code}: {'not translated' if code not in found else 'made from an earlier version'}"
            for slug, found in self.pages.items()
            for code in LANGUAGES
            if code not in found or found[code].outdated
        ]
        french = self.situation_wordings.get(FRENCH)
        return told + [
            f"situations/{code}: made from an earlier version"
            for code, wording in self.situation_wordings.items()
            if french and code != FRENCH and wording.is_behind(french)
        ]


@lru_cache
def load_library(folder: Path = CONTENT) -> Library:
    """Read every page, once in the life of a process.

    Raises:
        ContentError: a part is missing, a theme or a situation is unknown, a link is broken, an amount is not in
            the table…; all problems at once.
    """
    problems: list[str] = []
    amounts = read_amounts(folder / "amounts.yaml", problems)
    situations, wordings = _situations(folder, problems)
    pages: dict[str, dict[str, RightsPage]] = {}
    for home in sorted(path for path in (folder / "rights").iterdir() if path.is_dir()):
        if found := _read_all(home, problems):
            pages[home.name] = found
    known = situations.get(FRENCH, {})
    for path, page in ((_path(folder, page), page) for found in pages.values() for page in found.values()):
        problems += _wrong_references(path, page, pages, known, amounts)
    signs = read_signs(folder / "signs", pages, f"{_said(folder)}/signs", problems)
    if problems:
        raise ContentError(problems)
    return Library(pages, situations, amounts, wordings, signs)


def digest_of(*texts: str) -> str:
    """Eight letters that change with any word or sign of these texts; spaces and ends of lines are nothing."""
    words = " ".join(unicodedata.normalize("NFC", "\n".join(texts)).split())
    return hashlib.sha256(words.encode()).hexdigest()[:8]


def markup(page: RightsPage, part: Part, address: str, money: Mapping[str, str]) -> str:
    """The HTML of a part. `address`: of a page, with `{slug}`; `money`: each amount as that language writes it."""
    words = PLACEHOLDER.sub(lambda found: money[found[1]], page.parts[part])
    tokens = _markdown.parse(words)
    for token in _links(tokens):
        target = str(token.attrs["href"])
        if target.startswith("rights:"):
            token.attrs["href"] = address.format(slug=target.removeprefix("rights:"))
    for token in tokens:
        token.children = token.children and list(french_names.set_apart(token.children, page.language))
    return str(_markdown.renderer.render(tokens, _markdown.options, {}))


def _situations(folder: Path, problems: list[str]) -> tuple[dict[str, dict[str, str]], dict[str, Wording]]:
    """What people say, by language; what each of these files says of itself stands in `situations.yaml`."""
    situations: dict[str, dict[str, str]] = {}
    wordings: dict[str, Wording] = {}
    heads_path = folder / "situations.yaml"
    heads = _yaml(heads_path, problems)
    for path in sorted((folder / "situations").glob("*.yaml")):
        said = {str(key): str(words) for key, words in _yaml(path, problems).items()}
        situations[path.stem] = said
        words = digest_of(*(f"{key}: {text}" for key, text in said.items()))
        wordings[path.stem] = _wording(heads_path, path.stem, heads.get(path.stem), words, problems)
    return situations, wordings


def _wording(path: Path, language: str, head: object, words: str, problems: list[str]) -> Wording:
    """What a text says of its version and of who read it over."""
    key = "version" if language == FRENCH else "of_version"
    facts: Mapping[str, Any] = head if isinstance(head, dict) else {}
    version = facts.get(key)
    if not isinstance(version, int) or version < 1:
        problems.append(f"{_said(path)}:1: {language}: {key} should be a whole number from 1.")
        version = 1
    noted = facts.get("words" if language == FRENCH else "reviewed_words")
    return Wording(version, words, str(noted or ""), str(facts.get("reviewed_by") or ""))


def _path(folder: Path, page: RightsPage) -> Path:
    return folder / "rights" / page.facts.slug / f"{page.language}.md"


def _read_all(home: Path, problems: list[str]) -> dict[str, RightsPage]:
    """The languages of one page, French first."""
    french = home / f"{FRENCH}.md"
    if not french.is_file():
        problems.append(f"{_said(home)}: {FRENCH}.md is missing: the French page comes first.")
        return {}
    head, parts = _read(french, FRENCH, problems)
    facts = _facts(home.name, head, parts, french, problems)
    if facts is None:
        return {}
    found = {FRENCH: _page(facts, FRENCH, head, parts, facts.french)}
    for path in sorted(home.glob("*.md")):
        if path == french:
            continue
        if path.stem not in LANGUAGES:
            problems.append(f"{_said(path)}: “{path.stem}” is no language of the service.")
            continue
        head, parts = _read(path, path.stem, problems)
        wording = _wording(path, path.stem, head, _digest_of_page(head, parts), problems)
        if wording.version > facts.french.version:
            problems.append(
                f"{_said(path)}:1: of_version should be the version of the French, 1 to {facts.french.version}."
            )
            continue
        found[path.stem] = _page(facts, path.stem, head, parts, wording)
    return found


def _page(
    facts: Facts, language: str, head: Mapping[str, Any], parts: Mapping[Part, str], wording: Wording
) -> RightsPage:
    search = tuple(str(one) for one in head.get("search") or [])
    return RightsPage(
        facts, language, str(head.get("title", "")), str(head.get("summary", "")), parts, wording, search
    )


def _digest_of_page(head: Mapping[str, Any], parts: Mapping[Part, str]) -> str:
    return digest_of(str(head.get("title", "")), str(head.get("summary", "")), *parts.values())


def _read(path: Path, language: str, problems: list[str]) -> tuple[dict[str, Any], dict[Part, str]]:
    """Front matter and parts of a file."""
    text = path.read_text(encoding="utf-8")
    _, fence, rest = text.partition("---\n")
    head_text, second, body = rest.partition("\n---\n")
    if not (fence and second) or not text.startswith("---\n"):
        problems.append(f"{_said(path)}:1: the page should begin with its facts between two lines of ---.")
        return {}, dict.fromkeys(Part, "")
    head = _parsed(path, head_text, problems)
    problems += [f"{_said(path)}:1: {key} is missing." for key in ("title", "summary") if not head.get(key)]
    search = head.get("search", [])
    if not isinstance(search, list) or not all(isinstance(one, str) and fold(one) for one in search):
        problems.append(f"{_said(path)}:1: search should be a list of words, such as [pain, repas].")
    first_line = head_text.count("\n") + 4
    return head, _parts(path, language, body, first_line, problems)


def _parts(path: Path, language: str, body: str, first_line: int, problems: list[str]) -> dict[Part, str]:
    """The seven parts, in order and none empty."""
    words_of = catalogue(language).gettext
    expected = {fold(words_of(words)): part for part, words in HEADINGS.items()}
    titles = {part: HEADINGS[part] if language == FRENCH else words_of(HEADINGS[part]) for part in Part}
    found: dict[Part, list[str]] = {}
    current: list[str] = []
    for number, line in enumerate(body.splitlines(), start=first_line):
        if not line.startswith("#"):
            current.append(line)
            continue
        title = line.lstrip("#").strip()
        part = expected.get(fold(title))  # whatever apostrophes and spaces the writer's keyboard has
        if part is None or not line.startswith("## ") or part in found:
            problems.append(
                f"{_said(path)}:{number}: “{title}” is not one of the parts: {', '.join(titles.values())}."
            )
            continue
        current = found[part] = []
    words = {part: EXCEPTION.sub("", "\n".join(lines)).strip() for part, lines in found.items()}
    problems += [
        f"{_said(path)}: the part “{titles[part]}” is missing or empty."
        for part in Part
        if not words.get(part)
    ]
    if list(found) != [part for part in Part if part in found]:
        problems.append(f"{_said(path)}: the parts should come in this order: {', '.join(titles.values())}.")
    return {part: words.get(part, "") for part in Part}


def _facts(
    slug: str, head: Mapping[str, Any], parts: Mapping[Part, str], path: Path, problems: list[str]
) -> Facts | None:
    before = len(problems)
    themes = [str(value) for value in head.get("themes") or []]
    unknown = [value for value in themes if value not in set(Theme)]
    if unknown or not themes:
        problems.append(
            f"{_said(path)}:1: themes should name some of {', '.join(Theme)}; “{', '.join(unknown)}” is none."
        )
    source = head.get("source") or {}
    if not isinstance(source, dict) or urlsplit(str(source.get("url"))).scheme != "https":
        problems.append(f"{_said(path)}:1: source should have a name and a url that begins with https://.")
    checked = head.get("checked")
    if checked is not None and not isinstance(checked, date):
        problems.append(f"{_said(path)}:1: checked should be a day such as 2026-11-21, or null.")
    french = _wording(path, FRENCH, head, _digest_of_page(head, parts), problems)
    readers = _readers(head.get("readers"), french.version, path, problems)
    if len(problems) > before:
        return None
    kinds = tuple(Theme(value) for value in themes)
    return Facts(
        slug=slug,
        themes=kinds,
        situations=tuple(str(value) for value in head.get("situations") or []),
        sensitive=bool(head.get("sensitive")) or bool(SENSITIVE_THEMES & set(kinds)),
        pictogram=str(head.get("pictogram") or "papers"),
        source=Source(str(source.get("name")), str(source.get("url"))),
        checked=checked,
        reviewers=tuple(str(one) for one in head.get("reviewers") or []),
        readers=readers,
        french=french,
    )


def _readers(values: object, version: int, path: Path, problems: list[str]) -> tuple[Reader, ...]:
    """Who read the French page over, each with a day and the version they read."""
    found = []
    for value in values if isinstance(values, list) else []:
        fields = value if isinstance(value, dict) else {}
        name, day, read = fields.get("name"), fields.get("day"), fields.get("version")
        if name and isinstance(day, date) and isinstance(read, int) and 1 <= read <= version:
            found.append(Reader(str(name), day, read))
        else:
            problems.append(
                f"{_said(path)}:1: each of readers should have a name, a day such as 2026-11-21, and the version "
                f"they read, 1 to {version}."
            )
    return tuple(found)


def _wrong_references(
    path: Path,
    page: RightsPage,
    pages: Mapping[str, object],
    situations: Mapping[str, str],
    amounts: Mapping[str, Amount],
) -> Iterator[str]:
    """Links to no page, amounts that the table does not have, situations nobody wrote."""
    lines = path.read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines, start=1):
        for name in PLACEHOLDER.findall(line):
            if name not in amounts:
                yield f"{_said(path)}:{number}: no amount “{name}” in amounts.yaml."
        for token in _links(_markdown.parse(line)):
            target = str(token.attrs["href"])
            kind, _, rest = target.partition(":")
            if kind == "rights" and rest not in pages:
                yield f"{_said(path)}:{number}: no page “{rest}” to link to."
            elif kind not in {"rights", "tel", "https"}:
                yield f"{_said(path)}:{number}: a link begins with rights:, tel: or https:, not “{target}”."
    if page.language == FRENCH:
        for situation in page.facts.situations:
            if situation not in situations:
                yield f"{_said(path)}:1: no situation “{situation}” in situations/fr.yaml."


def _links(tokens: list[Token]) -> Iterator[Token]:
    for token in tokens:
        if token.type == "link_open":
            yield token
        if token.children:
            yield from _links(token.children)


def _yaml(path: Path, problems: list[str]) -> dict[str, Any]:
    return _parsed(path, path.read_text(encoding="utf-8"), problems)


def _parsed(path: Path, text: str, problems: list[str]) -> dict[str, Any]:
    try:
        values = yaml.safe_load(text)
    except yaml.YAMLError as error:
        problems.append(f"{_said(path)}:1: not YAML: {' '.join(str(error).split())}.")
        return {}
    return values if isinstance(values, dict) else {}


def _said(path: Path) -> str:
    """A file as an editor of pages knows it."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)
