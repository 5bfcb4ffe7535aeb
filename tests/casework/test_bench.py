"""The benchmarks' own bookkeeping: they share one file, and say of each figure what it is worth."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench import routing_load
from bench.report import Measure, UnreadableReportError, merge, table
from bench.weight import Needs

HOME = Measure("weight.home.fr", 5460, "bytes", 14600, "lower", "HTML and what blocks it")
RATIO = Measure("throughput.home.ratio", 0.41, "×", 0.5, "higher", "a bare Flask page")
MEMORY = Measure("memory.worker.rss", 101.5, "MB", None, "lower", "at rest")


def test_the_report_keeps_what_other_benchmarks_wrote(tmp_path: Path) -> None:
    report = tmp_path / "var" / "bench.json"
    merge(report, [HOME, MEMORY])
    merge(
        report, [RATIO, Measure("weight.home.fr", 5000, "bytes", 14600, "lower", "HTML and what blocks it")]
    )
    assert json.loads(report.read_text(encoding="utf-8")) == {
        "memory.worker.rss": {"value": 101.5, "unit": "MB", "aim": None, "better": "lower", "against": "at rest"},
        "throughput.home.ratio": {
            "value": 0.41, "unit": "×", "aim": 0.5, "better": "higher", "against": "a bare Flask page"
        },
        "weight.home.fr": {
            "value": 5000, "unit": "bytes", "aim": 14600, "better": "lower", "against": "HTML and what blocks it"
        },
    }  # fmt: skip
    assert [path.name for path in report.parent.iterdir()] == ["bench.json"]


@pytest.mark.parametrize("other", ["not JSON", "[1, 2]"])
def test_a_file_that_is_no_report_is_left_as_it_is(tmp_path: Path, other: str) -> None:
    report = tmp_path / "bench.json"
    report.write_text(other, encoding="utf-8")
    with pytest.raises(UnreadableReportError):
        merge(report, [HOME])
    assert report.read_text(encoding="utf-8") == other


def test_the_table_says_which_aims_are_missed() -> None:
    home, ratio, memory = table([HOME, RATIO, MEMORY]).splitlines()[1:]
    assert "5,460 bytes" in home
    assert "≤ 14,600  met" in home
    assert "≥ 0.500   MISSED" in ratio
    assert "met" not in memory
    assert "MISSED" not in memory


def test_a_page_needs_its_stylesheets_first_and_the_rest_later() -> None:
    needs = Needs()
    needs.feed(
        '<link rel="stylesheet" href="/a.css"><link rel="icon" href="/i.svg"><script defer src="/s.js"></script>'
        '<script src="/now.js"></script><svg><use href="/p.svg#one"/><use href="/p.svg#two"/></svg><a href="/fr/">x</a>'
    )
    assert needs.blocking == {"/a.css", "/now.js"}
    assert needs.later == {"/i.svg", "/s.js", "/p.svg"}


def test_routing_shares_the_load_by_full_time_share() -> None:
    seconds, spread = routing_load.measure(requests=300, workers=10)
    assert seconds.value > 0
    assert spread.met
