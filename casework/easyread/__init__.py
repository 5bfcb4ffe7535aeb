"""Is this French easy to read? A text in, what could be said better out, by the twenty rules of easy-to-read French.

`check` is a pure function: it reads neither clock nor network, never raises, and says the same of the same text.
An error is refused by the tests; a warning is for the writer to weigh. The rules and their sources:
[docs/easy-french.md](../../docs/easy-french.md). On the command line: `python -m casework.easyread FILE…`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from casework.easyread.clauses import CLAUSES
from casework.easyread.findings import RULES, Finding, Level
from casework.easyread.layout import layout
from casework.easyread.measure import Figures, figures
from casework.easyread.signs import SIGNS, Remark, acronyms_of, capitals, name_of
from casework.easyread.texts import SLOT, Excuse, Kind, Reading, Sentence, read
from casework.easyread.words import one_word_a_thing, words

__all__ = ["RULES", "Excused", "Figures", "Finding", "Kind", "Level", "Report", "check", "report"]

LONGEST_EXCERPT = 60
HARD_PAGE = 80.0
"""Kandel and Moles call a text below it not easy."""
ENOUGH_SENTENCES = 5


@dataclass(frozen=True)
class Excused:
    """A finding set aside by hand, and why."""

    finding: Finding
    reason: str


@dataclass(frozen=True)
class Report:
    """All there is to say of a text: what to change, what was excused with its reason, and its figures."""

    findings: tuple[Finding, ...]
    excused: tuple[Excused, ...]
    figures: Figures


def check(text: str, kind: Kind = Kind.STRING, acronyms: Mapping[str, str] | None = None) -> list[Finding]:
    """What could be said better in a French text, in the order of the text.

    `acronyms` are those one may use, each with its name; a page must explain each one it uses.
    """
    return list(report(text, kind, acronyms).findings)


def report(text: str, kind: Kind = Kind.STRING, acronyms: Mapping[str, str] | None = None) -> Report:
    """Like `check`, with the findings set aside by hand and the figures of the text."""
    reading = read(text, kind)
    measured = figures(reading.sentences, reading.explained)
    found = set(_of_sentences(reading, kind, acronyms or {})) | set(layout(reading, kind))
    if kind is not Kind.STRING:
        found |= set(one_word_a_thing([sentence for sentence in reading.sentences if sentence.easy]))
        found |= set(_of_the_whole(measured))
    kept, excused = _set_aside(found, reading.excuses)
    return Report(tuple(sorted(kept)), tuple(excused), measured)


def _of_sentences(reading: Reading, kind: Kind, acronyms: Mapping[str, str]) -> Iterator[Finding]:
    """In the details, which speak plain administrative French, what would be an error is a warning: no more."""
    known = {**acronyms, **_explained_here(reading)}
    missing = _unexplained(reading, acronyms) if kind is Kind.PAGE else {}
    for sentence in reading.sentences:
        remarks = [remark for rule in (*SIGNS, *CLAUSES) for remark in rule(sentence, kind)]
        remarks += words(sentence, reading.explained)
        remarks += capitals(sentence, known, missing)
        yield from (
            _finding(sentence, each) for each in remarks if sentence.easy or each.level is Level.ERROR
        )


def _explained_here(reading: Reading) -> dict[str, str]:
    """Acronyms that the page itself explains, on a line of its own: `**RIB** : le papier de la banque`."""
    return {word: word for word in acronyms_of(reading.sentences) if word.casefold() in reading.explained}


def _unexplained(reading: Reading, acronyms: Mapping[str, str]) -> dict[str, str]:
    """Acronyms of the list that this page uses without saying what they are, with their names."""
    said = " ".join(sentence.text for sentence in reading.sentences).casefold()
    return {
        word: name
        for word in acronyms_of(reading.sentences)
        if (name := name_of(word, acronyms))
        and name != word
        and name.casefold() not in said
        and not {word.casefold(), word.removesuffix("s").casefold()} & reading.explained
    }


def _finding(sentence: Sentence, remark: Remark) -> Finding:
    excerpt = sentence.text[remark.start : remark.end].strip().replace(SLOT, "…")
    if len(excerpt) > LONGEST_EXCERPT:
        excerpt = excerpt[: LONGEST_EXCERPT - 1] + "…"
    return Finding(
        line=sentence.line,
        column=sentence.columns[remark.start],
        rule=remark.rule,
        level=remark.level if sentence.easy else Level.WARNING,
        excerpt=excerpt,
        message=remark.message,
        better=remark.better,
    )


def _of_the_whole(measured: Figures) -> Iterator[Finding]:
    """Rule 11, by the measure of Kandel and Moles, once there is enough to measure."""
    if measured.sentences >= ENOUGH_SENTENCES and measured.kandel_moles < HARD_PAGE:
        yield Finding(1, 1, 11, Level.WARNING, "", f"La page est difficile : {measured.kandel_moles:.0f} sur 100",
                      "des mots plus courts, des phrases plus courtes")  # fmt: skip


def _set_aside(found: set[Finding], excuses: list[Excuse]) -> tuple[list[Finding], list[Excused]]:
    """Take out what is excused; an excuse without a reason, or of no use, is found in its turn."""
    kept, excused = set(found), []
    for excuse in excuses:
        for rule in sorted(excuse.rules or {10}):
            here = (
                sorted(f for f in found if f.line == excuse.line and f.rule == rule) if excuse.rules else []
            )
            if not excuse.reason:
                kept.add(Finding(excuse.said_at, 1, rule, Level.ERROR, "", "L'exception n'a pas de raison",
                                 "écrivez « because » et la raison"))  # fmt: skip
            elif not here:
                kept.add(Finding(excuse.said_at, 1, rule, Level.WARNING, "", "L'exception ne sert à rien",
                                 "enlevez-la"))  # fmt: skip
            else:
                kept -= set(here)
                excused += [Excused(finding, excuse.reason) for finding in here]
    return list(kept), excused
