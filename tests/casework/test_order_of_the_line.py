"""The order of a waiting room, as a rule and as the database keeps it; the expected wait; twenty desks at once."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, select

from casework import calling
from casework.agents import Agent
from casework.database import transaction
from casework.expected_wait import ENOUGH_TALKS, Line, expected
from casework.journal import Action, Entry
from casework.requests import SendingKeys
from casework.talks import Talk, TalkOutcome
from casework.waiting_room import Visit, VisitState, Wanted, turn
from tests.casework.in_line import call_next, open_desk, set_up
from tests.conftest import Database
from tests.people import PAUL

pytestmark = pytest.mark.long

NOW = datetime(2026, 11, 3, 9, tzinfo=UTC)
PEOPLE, DESKS = 200, 20

MOMENTS = st.integers(-60, 60).map(lambda minutes: NOW + timedelta(minutes=minutes))


def somebody(arrived_at: datetime, due_at: datetime | None = None, *, urgent: bool = False) -> Visit:
    """A person who waits."""
    return Visit(
        id=uuid4(), called_name="", language="fr", theme=None, needs=[], channel=Wanted.TEXT, link_hash=uuid4().hex,
        arrived_at=arrived_at, due_at=due_at, urgent=urgent, urgency_reason="Danger." if urgent else "",
        state=VisitState.WAITING, last_seen_at=NOW,
    )  # fmt: skip


ROOMS = st.lists(st.builds(somebody, MOMENTS, st.none() | MOMENTS, urgent=st.booleans()), max_size=30)


@given(ROOMS)
def test_urgent_then_due_then_by_arrival_and_early_ones_last(room: list[Visit]) -> None:
    line = sorted(room, key=lambda one: turn(one, NOW))
    kinds = [
        "urgent"
        if one.urgent
        else "walked in"
        if one.due_at is None
        else "due"
        if one.due_at <= NOW
        else "early"
        for one in line
    ]
    order = ["urgent", "due", "walked in", "early"]
    assert kinds == sorted(kinds, key=order.index)
    for before, after in pairwise(line):
        if before.due_at is None and after.due_at is None and before.urgent == after.urgent:
            assert before.arrived_at <= after.arrived_at, "nobody is overtaken"


@given(ROOMS, MOMENTS)
def test_coming_later_never_pushes_anybody_back(room: list[Visit], later: datetime) -> None:
    newcomer = somebody(max([later, *(one.arrived_at for one in room)]) + timedelta(seconds=1))
    before = [one.id for one in sorted(room, key=lambda one: turn(one, NOW)) if not _early(one)]
    after = [one.id for one in sorted([*room, newcomer], key=lambda one: turn(one, NOW)) if not _early(one)]
    assert after == [*before, newcomer.id]


def _early(one: Visit) -> bool:
    return not one.urgent and one.due_at is not None and one.due_at > NOW


def test_the_database_calls_in_the_same_order(database: Database, now: datetime) -> None:
    here = set_up(database, now)
    room = [
        somebody(now - timedelta(minutes=9)), somebody(now - timedelta(minutes=8), now - timedelta(minutes=1)),
        somebody(now - timedelta(minutes=7), urgent=True), somebody(now - timedelta(minutes=6), now),
        somebody(now - timedelta(minutes=5), now + timedelta(minutes=5)), somebody(now - timedelta(minutes=4)),
        somebody(now - timedelta(minutes=3), now - timedelta(minutes=30), urgent=True),
    ]  # fmt: skip
    for number, one in enumerate(room):
        one.permanence_id, one.called_name, one.last_seen_at = here, str(number), now
    rule = [one.called_name for one in sorted(room, key=lambda one: turn(one, now))]
    with transaction(database.backoffice) as session:
        session.add_all(room)
    called = []
    for _ in room:
        open_desk(database, here, PAUL, now)
        called.append(call_next(database, PAUL, now))
        with transaction(database.backoffice) as session:
            paul = session.get_one(Agent, PAUL.id)
            talk = calling.leading(session, paul)
            assert talk
            calling.not_there(session, paul, talk.id, now)
    assert called == rule == ["2", "6", "1", "3", "0", "5", "4"]


def test_twenty_desks_and_two_hundred_people_each_once_in_order(database: Database, now: datetime) -> None:
    here = set_up(database, now)
    room = [somebody(now - timedelta(seconds=PEOPLE - number)) for number in range(PEOPLE)]
    for number, one in enumerate(room):
        one.permanence_id, one.called_name, one.last_seen_at = here, str(number), now
    agents = range(1000, 1000 + DESKS)
    with transaction(database.owner) as session:
        session.add_all(room)
        session.execute(
            insert(Agent),
            [
                {
                    "id": one,
                    "login": f"poste{one}",
                    "name": f"Poste {one}",
                    "house_id": "poitiers",
                    "roles": ["worker"],
                }
                for one in agents
            ],
        )
    for agent_id in agents:
        open_desk(database, here, agent_id, now)
    with ThreadPoolExecutor(DESKS) as desks:
        served = list(desks.map(lambda one: _receives(database, one, now), agents))
    assert Counter(name for names in served for name in names) == Counter(map(str, range(PEOPLE)))
    with transaction(database.backoffice) as session:
        calls = session.scalars(
            select(Entry.details["visit"].astext)
            .where(Entry.action == Action.VISIT_CALLED)
            .order_by(Entry.id)
        ).all()
        names = {one.id: one.called_name for one in session.scalars(select(Visit))}
    assert [names[UUID(one)] for one in calls] == [str(number) for number in range(PEOPLE)]


def _receives(database: Database, agent_id: int, now: datetime) -> list[str]:
    """One desk until nobody waits: whom it called. As it calls, the page of somebody else gives a sign of life."""
    served = []
    keys = SendingKeys(database.access_key, database.public_key)
    while name := call_next(database, agent_id, now):
        served.append(name)
        ending = calling.Ending(TalkOutcome.ANSWERED, "", "", uuid4())
        with transaction(database.backoffice) as session:
            agent = session.get_one(Agent, agent_id)
            talk = session.scalars(
                select(Talk).where(Talk.agent_id == agent_id, Talk.ended_at.is_(None))
            ).one()
            calling.end(session, agent, talk.id, ending, keys, now)
            waiting = select(Visit).where(Visit.state == VisitState.WAITING).limit(1)
            if (other := session.scalar(waiting.with_for_update(skip_locked=True))) is not None:
                other.last_seen_at = now
    return served


@given(
    st.integers(0, 40),
    st.integers(1, 20),
    st.lists(st.floats(0, 60), max_size=20),
    st.lists(st.floats(0, 90), max_size=30),
)
def test_the_wait_makes_sense(ahead: int, desks: int, ongoing: list[float], lately: list[float]) -> None:
    found = expected(Line(ahead, desks, ongoing, lately))
    more = expected(Line(ahead + desks, desks, ongoing, lately))
    helped = expected(Line(ahead, desks + 1, ongoing, lately))
    assert found
    assert more
    assert helped
    assert 0 <= found.low <= found.high
    assert found.sure is (len(lately) >= ENOUGH_TALKS)
    assert more.low + more.high >= found.low + found.high, "more people ahead, longer to wait"
    assert helped.low <= found.high, "one more desk never makes it longer"


@pytest.mark.parametrize(
    ("line", "wait"),
    [
        (Line(0, 0), None),
        (Line(0, 2, [3.0], []), (0, 0)),
        (Line(2, 1, [], [20.0] * 10), (40, 40)),
        (Line(2, 2, [10.0, 10.0], [20.0] * 10), (30, 30)),
        (Line(1, 1, [30.0], [20.0] * 10), (25, 25)),
        (Line(2, 1, [], [10.0, 20.0, 30.0] * 4), (25, 55)),
    ],
)
def test_a_wait_by_hand(line: Line, wait: tuple[int, int] | None) -> None:
    found = expected(line)
    assert (found and (found.low, found.high)) == wait
