"""The search for free slots equals a slow, obvious one, minute by minute."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, text
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session

from casework import appointments, slots
from casework.agenda import Audience, BusyTime, Closure, Mode, Opening, OpeningRule, moments
from casework.agents import Absence
from casework.appointments import Appointment, Standing
from casework.slots import Slot, Wanted
from tests.conftest import PARIS, Database
from tests.people import PAUL, POITIERS, SARAH

FIRST_DAY = date(2026, 10, 24)
"""The clocks go back in the night of the 25th; another clock-change night is tested beside."""
SPRING_DAY = date(2027, 3, 27)
DAYS = 3
STEP = timedelta(minutes=5)


@dataclass(frozen=True)
class Span:
    """Hours of one of the days: `day` from 0, minutes of the day in steps of five."""

    day: int
    start: int
    length: int


@dataclass(frozen=True)
class Agenda:
    """One agent's days."""

    openings: list[Span]
    busy: list[Span] = field(default_factory=list)
    held: list[Span] = field(default_factory=list)
    expired: list[Span] = field(default_factory=list)
    dropped: list[Span] = field(default_factory=list)
    closed: list[Span] = field(default_factory=list)
    absent: list[int] = field(default_factory=list)
    travel: int = 0


spans = st.builds(
    Span,
    st.integers(0, DAYS - 1),
    st.integers(0, 23 * 12).map(lambda n: n * 5),
    st.sampled_from([15, 30, 45, 60, 95, 180]),
)
agendas = st.builds(
    Agenda,
    openings=st.lists(spans, min_size=1, max_size=4),
    busy=st.lists(spans, max_size=3),
    held=st.lists(spans, max_size=2),
    expired=st.lists(spans, max_size=1),
    dropped=st.lists(spans, max_size=1),
    closed=st.lists(spans, max_size=1),
    absent=st.lists(st.integers(0, DAYS - 1), max_size=1),
    travel=st.sampled_from([0, 0, 20]),
)


def moments_of(span: Span, first: date) -> Range[datetime] | None:
    """The moments of a span, whatever the clocks do; None when nothing is left of it."""
    day = first + timedelta(days=span.day)
    start = datetime.combine(day, time(span.start // 60, span.start % 60), PARIS).astimezone(UTC)
    return Range(start, start + timedelta(minutes=span.length), bounds="[)")


@pytest.fixture
def request_id(database: Database) -> UUID:
    """A request for the appointments of the test."""
    made = uuid4()
    with database.owner.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO requests (id, number, language, state, received_at, promised_by, themes, urgency, urgent, "
                "urgency_reason, words, place_typed, house_id, name, name_folded, spoken_language, needs, missing, "
                "route_reason, handler, version) VALUES (:id, '100000008', 'fr', 'received', now(), now(), '{money}', "
                "'none', false, '', '', '', 'poitiers', '', '', 'fr', '{}', '', '', '', 1)"
            ),
            {"id": made},
        )
    return made


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(agenda=agendas, kind=st.sampled_from([("first", 30, 0), ("long", 60, 10)]), spring=st.booleans())
def test_the_search_equals_the_slow_one(
    database: Database, request_id: UUID, agenda: Agenda, kind: tuple[str, int, int], *, spring: bool
) -> None:
    first = SPRING_DAY if spring else FIRST_DAY
    start = datetime.combine(first, time(0), PARIS).astimezone(UTC)
    finish = start + timedelta(days=DAYS)
    now = start - timedelta(days=1)
    with Session(database.backoffice) as session:
        _put(session, agenda, request_id, first, now)
        wanted = Wanted([PAUL.id], kind[0], [Mode.PHONE, Mode.HOME])
        found = slots.find(session, wanted, start, now, most=1000, until=finish)
        expected = sorted(set(_slow(agenda, kind, first, start, finish)))
        assert sorted({slot.start.astimezone(UTC) for slot in found}) == expected
        if found:
            taken = appointments.hold(session, _other_request(session), found[0], now)
            assert taken.state is Standing.HELD
        session.rollback()


def _slow(
    agenda: Agenda, kind: tuple[str, int, int], first: date, start: datetime, finish: datetime
) -> Iterator[datetime]:
    """Each opening alone: walk it five minutes at a time; what is busy cuts it; after a slot, jump over it."""
    length, gap = timedelta(minutes=kind[1]), timedelta(minutes=kind[2])
    travel = timedelta(minutes=agenda.travel)
    blocked = [moments_of(span, first) for span in (*agenda.busy, *agenda.held, *agenda.closed)]
    for day in agenda.absent:
        blocked.append(moments(first + timedelta(days=day), time(0), time(23, 59, 59)))
    busy = [(span.lower, span.upper) for span in blocked if span and span.lower and span.upper]

    def free(a: datetime, b: datetime) -> bool:
        return all(b <= lower or upper <= a for lower, upper in busy)

    for span in agenda.openings:
        opening = moments_of(span, first)
        assert opening
        assert opening.lower
        assert opening.upper
        moment, end = opening.lower, opening.upper + gap
        while moment + travel * 2 + length + gap <= end:
            if free(moment, moment + travel * 2 + length + gap):
                begins = moment + travel
                if start <= begins < finish:
                    yield begins
                moment += travel * 2 + length + gap
            else:
                moment += STEP


def _put(session: Session, agenda: Agenda, request_id: UUID, first: date, now: datetime) -> None:
    mode = Mode.HOME if agenda.travel else Mode.PHONE
    rule = OpeningRule(
        agent_id=PAUL.id, house_id="poitiers", place_id=None, mode=mode, kinds=["first", "long"],
        audience=Audience.CITIZENS, languages=[], travel_minutes=agenda.travel, first_day=first, last_day=first,
        weekdays=[], every_weeks=1, nth_of_month=None, starts_at=time(0), ends_at=time(1), made_until=first,
    )  # fmt: skip
    session.add(rule)
    session.flush()
    for number, (span, dropped) in enumerate(
        [(span, False) for span in agenda.openings] + [(span, True) for span in agenda.dropped]
    ):
        session.add(
            Opening(
                rule_id=rule.id, on_day=first + timedelta(days=100 + number), agent_id=PAUL.id, house_id="poitiers",
                place_id=None, mode=mode, kinds=["first", "long"], audience=Audience.CITIZENS, languages=[],
                travel_minutes=agenda.travel, during=moments_of(span, first), dropped=dropped, changed=False,
            )
        )  # fmt: skip
    session.add_all(
        BusyTime(agent_id=PAUL.id, source=str(number), during=moments_of(span, first))
        for number, span in enumerate(agenda.busy)
    )
    session.add_all(
        Closure(house_id=None, during=moments_of(span, first), reason="fête") for span in agenda.closed
    )
    session.add_all(
        Absence(agent_id=PAUL.id, first_day=first + timedelta(days=day), last_day=first + timedelta(days=day))
        for day in agenda.absent
    )
    for span, until in [(span, now + timedelta(hours=1)) for span in agenda.held] + [
        (span, now - timedelta(minutes=1)) for span in agenda.expired
    ]:
        session.execute(
            insert(Appointment).values(
                id=uuid4(), request_id=_other_request(session), agent_id=PAUL.id, house_id="poitiers", place_id=None,
                desk=None, kind_id="first", mode=Mode.PHONE, during=moments_of(span, first),
                blocked=moments_of(span, first), state=Standing.HELD, held_until=until, extra=True, moved_from=None,
                made_at=now,
            )
        )  # fmt: skip
    session.flush()


def _other_request(session: Session) -> UUID:
    """One more request: each holds one slot at most."""
    made = uuid4()
    session.execute(
        text(
            "INSERT INTO requests SELECT (r).* FROM (SELECT jsonb_populate_record(r, jsonb_build_object('id', "
            "CAST(:id AS text), 'number', CAST(:id AS text))) AS r FROM requests r LIMIT 1) one"
        ),
        {"id": str(made)},
    )
    return made


def test_a_desk_holds_one_person(database: Database, request_id: UUID, now: datetime) -> None:
    """Vouillé's town hall has one desk: while Paul receives there, Sarah's slot at the same hour is not offered."""
    day = date(2026, 11, 5)
    with Session(database.backoffice) as session:
        for agent in (PAUL, SARAH):
            from casework.agenda import keep

            keep(
                session,
                OpeningRule(
                    agent_id=agent.id, house_id="poitiers", place_id="vouille-mairie", mode=Mode.HERE, kinds=["first"],
                    audience=Audience.CITIZENS, languages=[], travel_minutes=0, first_day=day, last_day=day,
                    weekdays=[], every_weeks=1, nth_of_month=None, starts_at=time(9), ends_at=time(10), made_until=None,
                ),
                now.date(),
            )  # fmt: skip
        wanted = Wanted([PAUL.id, SARAH.id], "first", [Mode.HERE])
        found = slots.find(session, wanted, now, now)
        assert [(slot.start.astimezone(PARIS).time(), slot.agent_id) for slot in found] == [
            (time(9), PAUL.id), (time(9), SARAH.id), (time(9, 30), PAUL.id), (time(9, 30), SARAH.id)
        ]  # fmt: skip
        appointments.hold(session, request_id, found[0], now)
        again = slots.find(session, wanted, now, now)
        assert [slot.start.astimezone(PARIS).time() for slot in again] == [time(9, 30), time(9, 30)]
        with pytest.raises(appointments.SlotTakenError):
            appointments.hold(session, _other_request(session), _at(found, SARAH.id), now)
        session.rollback()
    assert POITIERS


def _at(found: list[Slot], agent_id: int) -> Slot:
    return next(slot for slot in found if slot.agent_id == agent_id)
