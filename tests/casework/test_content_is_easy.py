"""The rights pages and what leads to them are easy French: no error, short sentences. Prints the table (`-rP`)."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from casework.easyread import Kind, Level, report
from casework.easyread.__main__ import acronyms, read_file, table
from casework.settings import ROOT

pytestmark = pytest.mark.long

PAGES = sorted((ROOT / "content" / "rights").glob("*/fr.md"))
LONGEST, MEDIAN, EASY_ENOUGH = 15, 10, 80.0


def name(page: Path) -> str:
    return page.parent.name


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_a_rights_page_has_no_error_and_short_sentences(page: Path) -> None:
    told = read_file(page, acronyms())
    assert [str(finding) for finding in told.findings if finding.level is Level.ERROR] == []
    assert told.figures.longest <= LONGEST
    assert told.figures.median_words <= MEDIAN
    assert told.figures.kandel_moles >= EASY_ENOUGH
    assert told.figures.sentences > 10


def test_the_table_of_all_pages() -> None:
    rows = [(name(page), read_file(page, acronyms())) for page in PAGES]
    print(table(rows))
    assert len(rows) >= 24
    rare = sum(len(told.figures.rare_words) for _, told in rows)
    assert rare <= 2 * len(rows)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_each_exception_of_a_page_says_why(page: Path) -> None:
    assert all(len(excused.reason) > 10 for excused in read_file(page, acronyms()).excused)


def test_situations_are_easy_french() -> None:
    situations = yaml.safe_load((ROOT / "content" / "situations" / "fr.yaml").read_text(encoding="utf-8"))
    assert len(situations) > 10
    found = [
        f"{situation}: {finding}"
        for situation, text in situations.items()
        for finding in report(text, Kind.STRING, acronyms()).findings
        if finding.level is Level.ERROR
    ]
    assert found == []
