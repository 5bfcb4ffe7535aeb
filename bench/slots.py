"""Finding the earliest hours: how long a person waits for them, and what it depends on.

Measured in the domain function with all its queries, with the portal's role and the person's own secret: row security,
functions and all.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import cycle, islice
from pathlib import Path
from statistics import median, quantiles

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from bench.agendas import Agendas, Candidates, Seeking
from bench.plot import Axis, Points, svg
from bench.report import Measure
from casework import offers, slots
from casework.database import connect
from casework.offers import OFFERED, Search
from casework.slots import NOTICE, Wanted

TIMES = 200
CURVE_TIMES = 9
PEOPLE = 80
AIMS: dict[Candidates, float | None] = {"worker": None, "house": 5.0, "departement": 12.0}
WHO: dict[Candidates, str] = {"worker": "1 worker", "house": "11 workers", "departement": "100 workers"}

AGENTS = (10, 100, 1_000, 10_000)
WEEKS = (1, 2, 4, 8, 13, 26)
PAST = (0, 100_000, 1_000_000)


def measure(full: Agendas, size: str, times: int = TIMES) -> list[Measure]:
    """The hours offered, and the twenty earliest slots, to people with one, 11 and 100 workers."""
    portal = connect(full.here.urls[1])
    measures = []
    for candidates, aim in AIMS.items():
        people = full.seekers(PEOPLE, candidates)
        offered, found = times_of(portal, full, people, times)
        against = f"{size}: {full.departements * 100:,} agents, {full.past:,} past; {WHO[candidates]}"
        p95 = {"offered": aim, "earliest": aim}
        for name, milliseconds in (("offered", offered), ("earliest", found)):
            percentiles = quantiles(milliseconds, n=100, method="inclusive")
            for share in (50, 95, 99):
                measures.append(
                    Measure(
                        f"slots.{size}.{candidates}.{name}.p{share}", percentiles[share - 1], "ms",
                        p95[name] if share == 95 else None, "lower", against,
                    )
                )  # fmt: skip
    portal.dispose()
    return measures


def times_of(
    portal: Engine, full: Agendas, people: list[Seeking], times: int
) -> tuple[list[float], list[float]]:
    """Milliseconds of what is offered and of the twenty earliest slots, person after person, warm."""
    offered, found = [], []
    for turn, one in enumerate(islice(cycle(people), times + 10)):
        with Session(portal, info={"secret_hash": one.secret_hash}) as session:
            who = offers.seeker(session, one.request_id, full.now)
            shown = _timed(lambda: offers.offers(session, who, Search(), full.now))  # noqa: B023 - called at once
            wanted = offers.wanted_by(session, who, Search())
            earliest = _timed(lambda: slots.find(session, wanted, full.now + NOTICE, full.now))  # noqa: B023
        if turn >= 10:
            offered.append(shown)
            found.append(earliest)
    return offered, found


def by_agents(full: Agendas, sizes: tuple[int, ...] = AGENTS) -> Points:
    """(agents asked for, milliseconds) of the twenty earliest slots among more and more agents."""
    return [(size, _earliest(full, full.agents(size), full.now + timedelta(weeks=26))) for size in sizes]


def by_horizon(full: Agendas, weeks: tuple[int, ...] = WEEKS) -> Points:
    """(weeks, milliseconds) of a search that finds nothing so far ahead: the team's every hour is taken."""
    team = full.book_a_team_up(max(weeks))
    return [(week, _earliest(full, team, full.now + timedelta(weeks=week))) for week in weeks]


def by_past(full: Agendas, sizes: tuple[int, ...] = PAST, times: int = TIMES) -> dict[Candidates, Points]:
    """(past appointments, milliseconds) of what is offered with 11 workers and with 100; it begins with none."""
    portal = connect(full.here.urls[1])
    people: dict[Candidates, list[Seeking]] = {
        "house": full.seekers(PEOPLE, "house"), "departement": full.seekers(PEOPLE, "departement"),
    }  # fmt: skip
    curves: dict[Candidates, list[tuple[float, float]]] = {"house": [], "departement": []}
    for size in sizes:
        if size > full.past:
            full.add_past(size)
        for name, some in people.items():
            curves[name].append((size, median(times_of(portal, full, some, times)[0])))
    portal.dispose()
    return dict(curves)


def growth(curves: dict[str, Points], past: dict[Candidates, Points]) -> list[Measure]:
    """How steep the curves are: the power of agents and of weeks, how much a million past appointments cost."""
    measures = []
    for name, points in curves.items():
        first, last = points[0], points[-1]
        power = math.log(last[1] / first[1]) / math.log(last[0] / first[0])
        against = ", ".join(f"{x:,.0f}: {y:.1f} ms" for x, y in points)
        measures.append(Measure(f"slots.growth.{name}", power, "power", 1.0, "lower", against))
    for candidates, points in past.items():
        against = ", ".join(f"{x:,.0f}: {y:.1f} ms" for x, y in points)
        ratio = points[-1][1] / points[0][1]
        measures.append(Measure(f"slots.growth.past.{candidates}", ratio, "×", 1.2, "lower", against))
    return measures


def draw(folder: Path, curves: dict[str, Points], past: dict[Candidates, Points]) -> None:
    """The three curves as `bench-*.svg`."""
    milliseconds = Axis("milliseconds")
    drawings = {
        "agents": svg(
            "The 20 earliest slots, by number of agents",
            Axis("agents asked for", log=True), Axis("milliseconds", log=True), {"p50": curves["agents"]},
        ),
        "horizon": svg(
            "A search that finds nothing, by weeks looked through",
            Axis("weeks, 11 workers, every hour taken"), milliseconds, {"p50": curves["horizon"]},
        ),
        "past": svg(
            "What a person is offered, by past appointments",
            Axis("past appointments of 100 agents"), milliseconds,
            {WHO[name]: points for name, points in past.items()},
        ),
    }  # fmt: skip
    for name, drawing in drawings.items():
        (folder / f"bench-{name}.svg").write_text(drawing, encoding="utf-8")


def _earliest(full: Agendas, agents: list[int], until: datetime) -> float:
    """The median time of the twenty earliest slots of these agents."""
    portal = connect(full.here.urls[1])
    wanted = Wanted(agents, "first", OFFERED)
    with Session(portal) as session:

        def search() -> object:
            return slots.find(session, wanted, full.now + NOTICE, full.now, until=until)

        search()
        milliseconds = [_timed(search) for _ in range(CURVE_TIMES)]
    portal.dispose()
    return median(milliseconds)


def _timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1000
