"""From a text to its sentences, each with its place: strings of the interface, rendered messages, rights pages.

What people do not read as words (placeholders, addresses, telephone numbers) becomes one `SLOT`; marks of
Markdown disappear. Each character left knows its column, so that a finding points into the text as typed.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

SLOT = "\N{OBJECT REPLACEMENT CHARACTER}"
"""Stands for what is filled in, or copied rather than read. It counts as a word."""

LONGEST_LINE, LONGEST_SENTENCE = 4_000, 1_000
"""What is beyond is not read, so that no text takes minutes; such a sentence is an error by its length."""

DETAILS = "Plus de détails"
"""The last part of a page, in plain French for those who help."""

PHONE = r"(?<!\d)(?:(?:\+33[ ]?|0)[1-9](?:[ .]?\d){8}|11[68][ ]?\d{3})(?!\d)"
MARKUP = re.compile(
    rf"""(?P<slot>%\(\w+\)[sd]|%[sd]|\{{\{{.*?\}}\}}|\{{[\w:.]+\}}
      |https?://[^\s)]+|(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+|(?<![\w.-])(?:www\.)?[a-z][\w-]*(?:\.[a-z][\w-]*)*\.(?:fr|org|com|eu)\b(?:/\S*)?
      |{PHONE})
      |(?P<gone><!--.*?-->|\{{%.*?%\}}|\{{\#.*?\#\}}|\*\*)
      |\[(?P<dialled>[^\]\[]*)\]\(tel:[^()\s]*\)
      |\[(?P<words>[^\]\[]*)\]\([^()\s]+\)""",
    re.VERBOSE,
)
PAIRS = str.maketrans(
    {
        "\N{RIGHT SINGLE QUOTATION MARK}": "'",
        "\N{NO-BREAK SPACE}": " ",
        "\N{NARROW NO-BREAK SPACE}": " ",
        "\t": " ",
    }
)
ITEM = re.compile(r"\s*(?:[-*+]|\d+\.)\s+")
HEADING = re.compile(r"\s*#{1,6}\s+")
KEY = re.compile(r"(?P<key>title|summary)\s*:\s*(?P<quote>[\"']?)(?P<value>.*?)(?P=quote)\s*$")
STOP = re.compile(r"[.!?]+[»\" ]*(?P<gap>\s)")
SHORT_FORM = re.compile(r"(?:^|[\s('])(?:\w|Mme|Mlle|[Dd]r|art|[Aa]v|[Bb]d|St|Ste|cf|ex|[Tt]él|min|max|env)$")
EXCUSE = re.compile(r"(?P<mark><!--|\{#|^\s*#)\s*easyread\s*:\s*(?P<rules>[\d, ]*)(?P<why>.*?)(?:-->|#\}|$)")
REASON = re.compile(r"(?:because|parce que|parce qu'|car)\s+(?P<reason>\S.*)")


class Kind(enum.StrEnum):
    """What is read: a string of the interface, a message as it leaves, or a page in Markdown."""

    STRING = "string"
    MESSAGE = "message"
    PAGE = "page"


@dataclass(frozen=True)
class Sentence:
    """A sentence as read. `columns` gives the column (from 1) of each character; `easy` is false in the details."""

    text: str
    line: int
    columns: tuple[int, ...]
    easy: bool = True
    first: bool = True
    goes_on: bool = False


@dataclass(frozen=True)
class Excuse:
    """Why rules are set aside on the line `line`; `said_at` is where it is written."""

    line: int
    rules: frozenset[int]
    reason: str
    said_at: int


@dataclass
class Reading:
    """The sentences of a text, its excuses, its lines as typed, and the words it explains."""

    sentences: list[Sentence] = field(default_factory=list)
    excuses: list[Excuse] = field(default_factory=list)
    explained: set[str] = field(default_factory=set)
    lines: list[str] = field(default_factory=list)
    front_matter_ends: int = 0


def read(text: str, kind: Kind) -> Reading:
    """Find the sentences of a text. Whatever the text is, something is read and nothing is raised."""
    found = Reading(lines=[line[:LONGEST_LINE] for line in re.split(r"\r\n|\r|\n", text)])
    waiting: list[tuple[int, re.Match[str]]] = []
    previous = ""
    for number, raw, part in _parts(found, kind):
        excuse = EXCUSE.search(raw)
        if excuse and (part == "front") == excuse["mark"].strip().startswith("#"):
            waiting.append((number, excuse))
        bare, columns = _bare(*_words_of(raw, part))
        if not bare.strip():
            previous = "" if not raw.strip() else previous
            continue
        found.excuses += [_excuse(at, match, number) for at, match in waiting]
        waiting = []
        found.sentences += _sentences(bare, columns, number, part, previous)
        previous = bare.strip()
        if kind is Kind.PAGE and (term := re.match(r"\s*(?:- )?\*\*(.+?)\*\*\s*:", raw)):
            found.explained.update(re.findall(r"\w+", term[1].casefold()))
    found.excuses += [_excuse(at, match, at) for at, match in waiting]
    return found


def _parts(found: Reading, kind: Kind) -> Iterator[tuple[int, str, str]]:
    """Each line with its number and its part: `front`, `easy`, `details`, or `quiet` inside a comment."""
    part = "front" if kind is Kind.PAGE and found.lines[0].strip() == "---" else "easy"
    in_comment = False
    for number, raw in enumerate(found.lines, start=1):
        if part == "front":
            if number > 1 and raw.strip() == "---":
                part, found.front_matter_ends = "easy", number
                continue
            yield number, raw, "front"
            continue
        if kind is Kind.PAGE and HEADING.match(raw):
            part = "details" if raw.strip("# ").casefold() == DETAILS.casefold() else "easy"
        ends = "-->" in raw.rpartition("<!--")[2] if "<!--" in raw else "-->" in raw
        if in_comment:
            in_comment = not ends
            yield number, "", "quiet"
            continue
        in_comment = "<!--" in raw and not ends
        yield number, raw.partition("<!--")[0] if in_comment else raw, part


def _words_of(raw: str, part: str) -> tuple[str, int]:
    """What people read of a line, and how many characters stand before it."""
    if part == "front":
        key = KEY.match(raw)
        return (key["value"], key.start("value")) if key else ("", 0)
    start = 0
    for mark in (HEADING, ITEM):
        if match := mark.match(raw, start):
            start = match.end()
    return raw[start:], start


def _bare(value: str, offset: int) -> tuple[str, list[int]]:
    """A line without markup, and the column of each of its characters."""
    letters: list[str] = []
    columns: list[int] = []

    def keep(start: int, end: int) -> None:
        letters.extend(value[start:end].translate(PAIRS))
        columns.extend(range(offset + start + 1, offset + end + 1))

    at = 0
    for match in MARKUP.finditer(value):
        keep(at, match.start())
        if match["words"] is not None:
            inner, places = _bare(match["words"], offset + match.start("words"))
            letters.extend(inner)
            columns.extend(places)
        elif match["gone"] is None:
            letters.append(SLOT)
            columns.append(offset + match.start() + 1)
        at = match.end()
    keep(at, len(value))
    return "".join(letters), columns


def _sentences(bare: str, columns: list[int], line: int, part: str, previous: str) -> Iterator[Sentence]:
    """The sentences of one line; `first` is false for the second one, `goes_on` true when the line began above."""
    starts = [0]
    for stop in STOP.finditer(bare):
        after = bare[stop.end() :].lstrip()
        if (
            after
            and not after[0].islower()
            and not (bare[stop.start()] == "." and SHORT_FORM.search(bare[: stop.start()]))
        ):
            starts.append(stop.end())
    for index, (start, end) in enumerate(zip(starts, [*starts[1:], len(bare)], strict=True)):
        text = bare[start:end]
        lead = len(text) - len(text.lstrip())
        text = text.strip()[:LONGEST_SENTENCE]
        if text:
            begins_low = text[0].islower() and columns[0] == 1 and index == 0
            yield Sentence(
                text=text,
                line=line,
                columns=tuple(columns[start + lead : start + lead + len(text)]),
                easy=part != "details",
                first=index == 0,
                goes_on=begins_low and bool(previous) and previous[-1] not in ".!?:,",
            )


def _excuse(said_at: int, match: re.Match[str], line: int) -> Excuse:
    rules = frozenset(int(rule) for rule in re.findall(r"\d{1,3}", match["rules"]))
    reason = REASON.search(match["why"])
    return Excuse(line, rules, reason["reason"].strip() if reason else "", said_at)
