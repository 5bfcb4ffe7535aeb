"""The agenda's part of the benchmark: a département, then the whole country; the search, the pages, the bookings."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from bench import booking, peers, slots
from bench.agendas import agendas
from bench.installation import Installation
from bench.report import Measure, Told
from casework.settings import ROOT

PICTURES = ROOT / "docs" / "pictures"
FRANCE = 100
PAST = 1_000_000


def measure(here: Installation, told: Told, pictures: Path = PICTURES) -> list[Measure]:
    """Everything, in two databases one after the other."""
    now, measures = datetime.now(UTC), list[Measure]()
    with agendas(here, "vienne", 1, now, told) as full:
        past = told("a million past appointments", lambda: slots.by_past(full))
        measures += told("slots, Vienne", lambda: slots.measure(full, "vienne"))
        measures += told("pages, Vienne", lambda: booking.pages(full, "vienne"))
        measures += told("bookings", lambda: booking.bookings(full))
        horizon = told("a team booked up", lambda: slots.by_horizon(full))
    measures += peers.compare(measures)
    with agendas(here, "france", FRANCE, now, told, past=PAST) as full:
        measures += told("slots, France", lambda: slots.measure(full, "france"))
        measures += told("pages, France", lambda: booking.pages(full, "france"))
        agents = told("by agents", lambda: slots.by_agents(full))
    curves = {"agents": agents, "horizon": horizon}
    slots.draw(pictures, curves, past)
    return measures + slots.growth(curves, past)
