"""The queue's pages, one after the other, show every request once, whatever their order in time."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert
from sqlalchemy.orm import Session

from casework import queue
from casework.queue import COUNTED, Filter, Row
from casework.requests import Request
from casework.vocabulary import Outcome, State, Theme, Urgency
from tests.conftest import Database


def row(number: int, now: datetime, **values: Any) -> dict[str, Any]:
    """A request of Poitiers, as the table holds it."""
    return {
        "id": UUID(int=number + 1), "number": f"{number:09d}", "language": "fr", "state": State.QUALIFIED,
        "received_at": now, "promised_by": now + timedelta(days=5), "themes": [Theme.MONEY], "urgency": Urgency.NONE,
        "urgent": False, "urgency_reason": "", "words": "", "place_typed": "", "house_id": "poitiers", "name": "",
        "name_folded": "", "spoken_language": "fr", "needs": [], "missing": "", "route_reason": "", "handler": "",
        "version": 1,
    } | values  # fmt: skip


def every_page(session: Session, wanted: Filter, size: int) -> list[Row]:
    """All the lines, page after page."""
    found: list[Row] = []
    while True:
        page = queue.page(session, "poitiers", wanted, found[-1].place if found else None, limit=size)
        found += page
        if len(page) < size:
            return found


ANY = st.lists(
    st.tuples(
        st.booleans(), st.integers(0, 3), st.integers(0, 2), st.sampled_from(["poitiers", "loudun"]),
        st.sampled_from([State.RECEIVED, State.QUALIFIED, State.WAITING]),
    ),
    max_size=30,
)  # fmt: skip


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ANY, st.integers(1, 7))
def test_pages_lose_and_repeat_nothing(
    database: Database, now: datetime, some: list[tuple[bool, int, int, str, State]], size: int
) -> None:
    rows = [
        row(
            number, now, urgent=urgent, promised_by=now + timedelta(days=day), house_id=house, state=state,
            received_at=now + timedelta(hours=hour),
        )
        for number, (urgent, day, hour, house, state) in enumerate(some)
    ]  # fmt: skip
    with Session(database.owner) as session:
        if rows:
            session.execute(insert(Request), rows)
        found = every_page(session, Filter("open"), size)
        here = [one for one in rows if one["house_id"] == "poitiers"]
        here.sort(key=lambda one: (not one["urgent"], one["promised_by"], one["received_at"], one["id"]))
        assert [line.id for line in found] == [one["id"] for one in here]
        assert queue.count(session, "poitiers", Filter("open")) == len(here)
        reception = {one["id"] for one in here if one["state"] != State.WAITING}
        assert {line.id for line in every_page(session, Filter(), size)} == reception
        session.rollback()


def test_what_arrives_between_two_pages_moves_nothing(database: Database, now: datetime) -> None:
    with Session(database.owner) as session:
        session.execute(insert(Request), [row(number, now) for number in range(10)])
        first = queue.page(session, "poitiers", Filter(), limit=5)
        session.execute(insert(Request), [row(100, now, urgent=True), row(101, now, promised_by=now)])
        second = queue.page(session, "poitiers", Filter(), first[-1].place, limit=5)
        assert [line.id for line in first + second] == [UUID(int=number + 1) for number in range(10)]


@pytest.mark.parametrize(
    ("values", "seen"),
    [
        ({"state": State.RECEIVED}, True),
        ({"state": State.ROUTED, "worker_id": 2}, False),
        ({"state": State.WAITING}, False),
        ({"state": State.WAITING, "citizen_wrote_at": "after"}, True),
        ({"state": State.WAITING, "citizen_wrote_at": "after", "worker_id": 2}, False),
        ({"state": State.CLOSED}, False),
        ({"state": State.CLOSED, "citizen_wrote_at": "after"}, True),
    ],
    ids=str,
)
def test_what_the_reception_has_to_do(
    database: Database, now: datetime, values: dict[str, Any], seen: bool
) -> None:
    after = now + timedelta(hours=2)
    if values["state"] is State.CLOSED:
        values = values | {"closed_at": now + timedelta(hours=1), "outcome": Outcome.ANSWERED}
    values = {name: after if value == "after" else value for name, value in values.items()}
    with Session(database.owner) as session:
        session.execute(insert(Request), [row(1, now, **values)])
        assert bool(queue.page(session, "poitiers", Filter())) is seen


def test_counting_stops_where_nobody_counts_any_more(database: Database, now: datetime) -> None:
    with Session(database.owner) as session:
        session.execute(insert(Request), [row(number, now) for number in range(COUNTED + 50)])
        assert queue.count(session, "poitiers", Filter()) == COUNTED + 1
