"""The first hours of half-days, found without the others, are the first of them all."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import HealthCheck, example, given, settings
from sqlalchemy.orm import Session

from casework import slots
from casework.agenda import Mode
from casework.slots import (
    FIRST_OF_MANY,
    FIRST_OF_SOME,
    FIRST_WINDOW,
    MANY,
    MOST_SHOWN,
    SOME,
    Slot,
    Wanted,
    widths,
)
from tests.casework.asking import Asked, ask
from tests.casework.test_slots import (
    DAYS,
    FIRST_DAY,
    SPRING_DAY,
    Agenda,
    Asking,
    Meeting,
    Receiving,
    Span,
    agendas,
    as_the_portal,
    askings,
    possible,
    put,
)
from tests.conftest import PARIS, Database

ALL_DAY_LONG = Agenda([Receiving(Span(0, 540, 480))], [Meeting(Span(0, 540, 30)), Meeting(Span(0, 690, 60))])
"""One opening of two half-days; the first hour of each is taken."""


@pytest.fixture
def asked(database: Database, now: datetime) -> Asked:
    """Marcel of Poitiers: Paul and Sarah receive him."""
    return ask(database, now)


@pytest.mark.slow
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(agenda=agendas, asking=askings)
@example(agenda=ALL_DAY_LONG, asking=Asking())
def test_the_firsts_are_the_first_of_all(
    database: Database, asked: Asked, agenda: Agenda, asking: Asking
) -> None:
    for day in (FIRST_DAY, SPRING_DAY):
        midnight = datetime.combine(day, time(0), PARIS).astimezone(UTC)
        start, finish = midnight + timedelta(minutes=asking.start), midnight + timedelta(days=DAYS)
        whole = replace(agenda, meetings=possible(agenda.meetings, midnight))
        wanted = Wanted(
            asking.agents, asking.kind, asking.modes, asking.audiences, asking.place, asking.language, asking.hours
        )  # fmt: skip
        with Session(database.owner) as session:
            put(session, whole, asked.id, midnight, start)
            as_the_portal(session, database, asked)
            every = slots.find(session, wanted, start, start, most=1000, until=finish)
            found = slots.firsts(session, wanted, start, finish, start)
            session.rollback()
        assert sorted(found, key=_order) == sorted(_worth_showing(every), key=_order)


def test_the_more_agents_the_fewer_days_are_looked_through_first() -> None:
    assert widths(SOME)[0] == FIRST_WINDOW
    assert widths(SOME + 1)[:2] == (FIRST_OF_SOME, FIRST_WINDOW)
    assert widths(MANY + 1)[:3] == (FIRST_OF_MANY, FIRST_OF_MANY * 2, FIRST_OF_SOME)


def _worth_showing(every: list[Slot]) -> list[Slot]:
    """Of all slots, in order of time, the first of each half-day; where they make enough groups, the first of each."""
    halves: dict[object, Slot] = {}
    for slot in every:
        local = slot.start.astimezone(PARIS)
        halves.setdefault((slot.mode, slot.place_id, local.date(), local.hour < 12), slot)
    groups: dict[object, list[Slot]] = {}
    for slot in halves.values():
        groups.setdefault((slot.mode, slot.place_id if slot.mode is Mode.HERE else None), []).append(slot)
    most = 1 if len(groups) >= MOST_SHOWN else MOST_SHOWN
    return [slot for group in groups.values() for slot in group[:most]]


def _order(slot: Slot) -> tuple[datetime, int, str, str]:
    return slot.start, slot.agent_id, slot.mode, slot.place_id or ""
