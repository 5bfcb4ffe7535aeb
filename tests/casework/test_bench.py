"""The benchmarks' own bookkeeping: they share one file, and say of each figure what it is worth."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar
from xml.etree import ElementTree

import pytest
from sqlalchemy import text

from bench import booking, peers, routing_load, slots
from bench.agendas import Agendas, agendas
from bench.installation import Installation, installed
from bench.plot import Axis, svg
from bench.report import Measure, UnreadableReportError, merge, table
from bench.weight import Needs

Found = TypeVar("Found")

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


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """An installation of the benchmarks' own."""
    with installed(tmp_path_factory.mktemp("bench")) as made:
        yield made


@pytest.fixture(scope="module")
def full(here: Installation) -> Iterator[Agendas]:
    """The agendas of one département, with nothing past."""
    with agendas(here, "vienne", 1, datetime.now(UTC), _at_once) as made:
        yield made


@pytest.mark.slow
def test_the_search_is_measured_on_agendas_that_the_constraints_would_take(
    full: Agendas, tmp_path: Path
) -> None:
    past = slots.by_past(full, (0, 3_000), times=4)
    measures = slots.measure(full, "vienne", times=4)
    names = {measure.name for measure in measures}
    assert {"slots.vienne.house.offered.p95", "slots.vienne.departement.earliest.p50"} <= names
    curves = {"agents": slots.by_agents(full, (10, 100)), "horizon": slots.by_horizon(full, (1, 9))}
    assert [measure.unit for measure in slots.growth(curves, past)] == ["power", "power", "×", "×"]
    slots.draw(tmp_path, curves, past)
    assert {path.name for path in tmp_path.iterdir()} == {
        "bench-agents.svg", "bench-horizon.svg", "bench-past.svg"
    }  # fmt: skip
    with full.owner.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        # It looks at each row for another that it would exclude.
        connection.execute(text("REINDEX TABLE appointments"))
        counted = connection.execute(text("SELECT state, count(*) AS many FROM appointments GROUP BY state"))
        states = {row.state: row.many for row in counted}
    assert states["booked"] > 14_000
    assert states["came"] == 3_000


@pytest.mark.slow
def test_bookings_are_measured_over_http(full: Agendas) -> None:
    pages = booking.pages(full, "vienne", times=4, seconds=0.2)
    measures = booking.bookings(full, rounds=1, ready=24, holds=24)
    won = [measure.value for measure in measures if measure.name.startswith("race.won")]
    assert won == [1, 1, 1]
    rates = [measure.value for measure in measures if measure.unit in {"bookings/s", "posts/s"}]
    assert all(rate > 0 for rate in rates)
    assert "weight.slots.vienne" in {measure.name for measure in pages}


def test_each_peer_is_compared_with_and_the_best_of_each_has_the_aim() -> None:
    ours = [
        Measure(name, value, "", None, "lower", "")
        for name, value in (
            ("slots.vienne.worker.offered.p50", 2.0), ("page.vienne.worker.p50", 7.0), ("booking.confirm", 200.0),
            ("slots.vienne.departement.offered.p50", 31.0), ("page.vienne.departement.p50", 40.0),
            ("weight.slots.vienne", 10_000),
        )
    ]  # fmt: skip
    compared = {measure.name: measure for measure in peers.compare(ours)}
    assert compared["peers.slots.django_appointment_3_12_a_day"].met
    assert compared["peers.slots.django_appointment_3_12_a_week"].met is None
    assert compared["peers.all_slots.pretix_2026_8_one_slot"].met is False
    assert compared["peers.confirm.pretix_2026_8"].value == 10
    assert compared["peers.first_view.django_appointment_3_12"].met


def test_a_curve_is_a_drawing_with_its_words() -> None:
    drawn = svg("Times", Axis("agents", log=True), Axis("ms", log=True), {"p50": [(10, 1.5), (1_000, 40.0)]})
    root = ElementTree.fromstring(drawn)
    assert {"Times", "agents", "ms", "p50", "1,000"} <= {element.text for element in root.iter()}
    (line,) = root.iter("{http://www.w3.org/2000/svg}polyline")
    (left, low), (right, high) = (map(float, point.split(",")) for point in line.attrib["points"].split())
    assert left < right
    assert low > high


def _at_once(_part: str, work: Callable[[], Found], /) -> Found:
    return work()
