"""The search for free slots equals a slow, obvious one, minute by minute; what it offers can be had."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, text
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session

from casework import access, appointments, booking, offers, slots
from casework.agenda import Audience, BusyTime, Closure, Mode, Opening, OpeningRule, keep
from casework.agents import Absence
from casework.appointments import Appointment, Standing
from casework.offers import Choice, Search
from casework.slots import AFTERNOON, ALL_DAY, MORNING, NOTICE, Slot, Wanted
from tests.casework.asking import Asked, ask
from tests.conftest import PARIS, Database
from tests.people import LOUISE, PAUL, SARAH

FIRST_DAY = date(2026, 10, 24)
"""The clocks go back in the night of the 25th; another clock-change night is tested beside."""
SPRING_DAY = date(2027, 3, 27)
DAYS = 3
MINUTE = timedelta(minutes=1)
KINDS = {"first": (30, 0), "long": (60, 10)}
"""Minutes, and minutes free after it (`tests.people`)."""
HOUSE, TOWN_HALL = "mds-poitiers", "vouille-mairie"
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Span:
    """Hours of one of the days: `day` from 0, `start` and `length` in minutes."""

    day: int
    start: int
    length: int


@dataclass(frozen=True)
class Receiving:
    """An opening."""

    span: Span
    agent: int = PAUL.id
    place: str | None = None
    mode: Mode = Mode.PHONE
    kinds: tuple[str, ...] = ("first", "long")
    audience: Audience = Audience.CITIZENS
    languages: tuple[str, ...] = ()
    dropped: bool = False


@dataclass(frozen=True)
class Meeting:
    """An appointment. `around`: minutes blocked before and after it."""

    span: Span
    agent: int = PAUL.id
    place: str | None = None
    desk: int = 1
    standing: str = "booked"
    around: int = 0
    extra: bool = False


@dataclass(frozen=True)
class Agenda:
    """Some days of a house. `busy`, `absent` with the agent; `closed` with the house, or all of them. `desks`: of the
    house. `travel`: minutes, of the openings at home."""

    openings: list[Receiving]
    meetings: list[Meeting] = field(default_factory=list)
    busy: list[tuple[int, Span]] = field(default_factory=list)
    absent: list[tuple[int, int]] = field(default_factory=list)
    closed: list[tuple[str | None, Span]] = field(default_factory=list)
    desks: int = 1
    travel: int = 20


@dataclass(frozen=True)
class Asking:
    """What is looked for, from `start` minutes after the first midnight on."""

    kind: str = "first"
    agents: tuple[int, ...] = (PAUL.id, SARAH.id)
    modes: tuple[Mode, ...] = tuple(Mode)
    audiences: tuple[Audience, ...] = (Audience.CITIZENS,)
    place: str | None = None
    language: str = ""
    hours: tuple[time, time] = ALL_DAY
    start: int = 0


def spans(lengths: list[int]) -> st.SearchStrategy[Span]:
    """Hours at any minute; those of the night as well, when clocks change."""
    starts = st.one_of(st.integers(0, 23 * 60), st.integers(8 * 12, 17 * 12).map(lambda n: n * 5))
    return st.builds(Span, st.integers(0, DAYS - 1), starts, st.sampled_from(lengths))


someone = st.sampled_from([PAUL.id, PAUL.id, SARAH.id])
anyone = st.sampled_from([PAUL.id, SARAH.id, LOUISE.id])
ways = st.sampled_from(
    [(Mode.HERE, HOUSE), (Mode.HERE, HOUSE), (Mode.HERE, TOWN_HALL), (Mode.PHONE, None), (Mode.HOME, None)]
)
openings = st.builds(
    lambda way, **kept: Receiving(mode=way[0], place=way[1], **kept),
    ways,
    span=spans([45, 55, 60, 95, 135, 180, 240]),
    agent=someone,
    kinds=st.sampled_from([("first",), ("first", "long"), ("first", "long")]),
    audience=st.sampled_from([Audience.CITIZENS] * 4 + [Audience.INVITED, Audience.AGENTS]),
    languages=st.sampled_from([(), ("ar",), ("ar", "so")]),
    dropped=st.sampled_from([False] * 6 + [True]),
)
meetings = st.builds(
    Meeting,
    span=spans([15, 30, 45, 60, 95]),
    agent=anyone,
    place=st.sampled_from([None, HOUSE, HOUSE, TOWN_HALL]),
    desk=st.sampled_from([1, 1, 2]),
    standing=st.sampled_from(["booked", "booked", "came", "missed", "held", "expired", "cancelled", "moved"]),
    around=st.sampled_from([0, 0, 15]),
    extra=st.sampled_from([False] * 5 + [True]),
)
agendas = st.builds(
    Agenda,
    openings=st.lists(openings, min_size=1, max_size=5),
    meetings=st.lists(meetings, max_size=6),
    busy=st.lists(st.tuples(someone, spans([15, 60, 180])), max_size=2),
    absent=st.lists(st.tuples(someone, st.integers(0, DAYS - 1)), max_size=1),
    closed=st.lists(st.tuples(st.sampled_from([None, "poitiers", "loudun"]), spans([60, 180])), max_size=1),
    desks=st.sampled_from([1, 1, 2]),
)
askings = st.builds(
    Asking,
    kind=st.sampled_from(list(KINDS)),
    agents=st.sampled_from([(PAUL.id, SARAH.id), (SARAH.id, PAUL.id), (PAUL.id,)]),
    modes=st.sampled_from([tuple(Mode), tuple(Mode), (Mode.HERE,), (Mode.PHONE, Mode.HOME)]),
    audiences=st.sampled_from([(Audience.CITIZENS,), (Audience.CITIZENS,), tuple(Audience)]),
    place=st.sampled_from([None, None, None, HOUSE, TOWN_HALL]),
    language=st.sampled_from(["", "", "fr", "ar", "so"]),
    hours=st.sampled_from([ALL_DAY, ALL_DAY, MORNING, AFTERNOON, (time(9, 30), time(10, 0))]),
    start=st.sampled_from([0, 0, 9 * 60 + 10, 26 * 60]),
)

MORNINGS = Span(0, 9 * 60, 180)
TRAVELLING = Agenda([Receiving(MORNINGS, mode=Mode.HOME)])
GAPS = Agenda([Receiving(MORNINGS)], [Meeting(Span(0, 10 * 60 + 5, 30))])
"""The gap after the appointment before would reach into what is taken."""
AROUND = Agenda([Receiving(MORNINGS)], [Meeting(Span(0, 600, 30), around=15)])
"""The way there and back of a visit is taken as well."""
ABSENT = Agenda([Receiving(MORNINGS), Receiving(Span(1, 540, 60))], absent=[(PAUL.id, 0)])
BUSY = Agenda([Receiving(MORNINGS)], busy=[(PAUL.id, Span(0, 607, 20)), (SARAH.id, Span(0, 540, 60))])
SHUT = Agenda([Receiving(MORNINGS)], closed=[(None, Span(0, 600, 60)), ("loudun", Span(0, 540, 60))])
ONE_DESK = Agenda(
    [Receiving(MORNINGS, place=HOUSE, mode=Mode.HERE)], [Meeting(Span(0, 600, 30), LOUISE.id, HOUSE)]
)
FILTERED = Agenda(
    [
        Receiving(MORNINGS, kinds=("first",), place=HOUSE, mode=Mode.HERE),
        Receiving(Span(1, 540, 180), SARAH.id, TOWN_HALL, Mode.HERE, ("long",), Audience.AGENTS, ("ar",)),
        Receiving(Span(2, 690, 120), languages=("so",), dropped=True),
    ]
)
"""One opening each for what a search may leave out."""
EXTRA = replace(ONE_DESK, meetings=[Meeting(Span(0, 600, 30), LOUISE.id, HOUSE, extra=True)])
HELD = Agenda(
    [Receiving(MORNINGS)],
    [Meeting(Span(0, 540, 30), standing="held"), Meeting(Span(0, 600, 30), standing="expired")],
)
DESK_HELD = Agenda(
    [Receiving(MORNINGS, place=HOUSE, mode=Mode.HERE)],
    [
        Meeting(Span(0, 540, 30), LOUISE.id, HOUSE, standing="held"),
        Meeting(Span(0, 600, 30), LOUISE.id, HOUSE, standing="expired"),
    ],
)


@pytest.fixture
def asked(database: Database, now: datetime) -> Asked:
    """Marcel of Poitiers: Paul and Sarah receive him."""
    return ask(database, now)


@pytest.mark.slow
@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(agenda=agendas, asking=askings, spring=st.booleans())
@example(agenda=TRAVELLING, asking=Asking(), spring=False)
@example(agenda=GAPS, asking=Asking(kind="long"), spring=False)
@example(agenda=Agenda([Receiving(Span(0, 540, 240))]), asking=Asking(kind="long"), spring=False)
@example(agenda=AROUND, asking=Asking(), spring=False)
@example(agenda=ABSENT, asking=Asking(), spring=False)
@example(agenda=BUSY, asking=Asking(), spring=False)
@example(agenda=Agenda([Receiving(Span(0, 540, 60))]), asking=Asking(kind="long"), spring=False)
@example(agenda=Agenda([Receiving(Span(0, 540, 55))]), asking=Asking(kind="long"), spring=False)
@example(agenda=SHUT, asking=Asking(), spring=True)
@example(agenda=ONE_DESK, asking=Asking(), spring=False)
@example(agenda=replace(ONE_DESK, desks=2), asking=Asking(), spring=False)
@example(agenda=EXTRA, asking=Asking(), spring=False)
@example(agenda=FILTERED, asking=Asking(), spring=False)
@example(agenda=FILTERED, asking=Asking(kind="long"), spring=False)
@example(agenda=FILTERED, asking=Asking(kind="long", audiences=tuple(Audience), language="so"), spring=False)
@example(agenda=FILTERED, asking=Asking(kind="long", audiences=tuple(Audience), place=HOUSE), spring=False)
@example(agenda=FILTERED, asking=Asking(hours=MORNING, start=10 * 60 + 15), spring=False)
@example(agenda=HELD, asking=Asking(), spring=True)
@example(agenda=DESK_HELD, asking=Asking(), spring=True)
@example(agenda=Agenda([Receiving(Span(1, 60, 240))]), asking=Asking(), spring=False)
@example(agenda=Agenda([Receiving(Span(1, 60, 240))]), asking=Asking(), spring=True)
def test_the_search_equals_the_slow_one_and_what_it_offers_can_be_had(
    database: Database, asked: Asked, agenda: Agenda, asking: Asking, *, spring: bool
) -> None:
    midnight = datetime.combine(SPRING_DAY if spring else FIRST_DAY, time(0), PARIS).astimezone(UTC)
    start, finish = midnight + timedelta(minutes=asking.start), midnight + timedelta(days=DAYS)
    now = start - NOTICE
    agenda = replace(agenda, meetings=possible(agenda.meetings, midnight))
    with Session(database.owner) as session:
        put(session, agenda, asked.id, midnight, now)
        as_the_portal(session, database, asked)
        wanted = Wanted(
            asking.agents, asking.kind, asking.modes, asking.audiences, asking.place, asking.language, asking.hours
        )  # fmt: skip
        found = slots.find(session, wanted, start, now, most=1000, until=finish)
        expected = sorted(set(slow(agenda, asking, midnight, start, finish)))
        assert sorted({seen(slot) for slot in found}) == expected
        all_can_be_had(session, asked, start, now)
        session.rollback()


def seen(slot: Slot) -> tuple[datetime, int, str, str]:
    """A slot, to be compared."""
    return slot.start.astimezone(UTC), slot.agent_id, slot.mode.value, slot.place_id or ""


def slow(
    agenda: Agenda, asking: Asking, midnight: datetime, start: datetime, finish: datetime
) -> Iterator[tuple[datetime, int, str, str]]:
    """Each opening alone, minute by minute: may one begin now? Then on to after that one; else to the next minute.

    Appointments begin at whole five minutes. The way there and back lies in the opening; the gap may lie after it.
    """
    minutes, gap_minutes = KINDS[asking.kind]
    length, gap = timedelta(minutes=minutes), timedelta(minutes=gap_minutes)
    for one in agenda.openings:
        if not suits(one, asking):
            continue
        travel = timedelta(minutes=agenda.travel if one.mode is Mode.HOME else 0)
        opens, shuts = moments_of(one.span, midnight)
        taken = list(taken_of(agenda, one.agent, midnight))
        moment = opens + travel
        while moment + length + travel <= shuts:
            leaves, comes_back = moment - travel, moment + length + travel + gap
            if moment.minute % 5 or any(leaves < end and begin < comes_back for begin, end in taken):
                moment += MINUTE
                continue
            local = moment.astimezone(PARIS).time()
            in_time = start <= moment < finish and asking.hours[0] <= local <= asking.hours[1]
            if in_time and has_a_desk(agenda, one.place, moment, moment + length, midnight):
                yield moment, one.agent, one.mode.value, one.place or ""
            moment += length + travel + gap + travel


def suits(one: Receiving, asking: Asking) -> bool:
    """Whether one who looks for this may have an hour of that opening."""
    return (
        not one.dropped
        and one.agent in asking.agents
        and one.mode in asking.modes
        and one.audience in asking.audiences
        and asking.kind in one.kinds
        and (asking.language in {"", "fr"} or asking.language in one.languages)
        and (asking.place is None or asking.place == one.place)
    )


def taken_of(agenda: Agenda, agent: int, midnight: datetime) -> Iterator[tuple[datetime, datetime]]:
    """When an agent of Poitiers is not free."""
    for meeting in agenda.meetings:
        if meeting.agent == agent and counts(meeting):
            yield blocked_by(meeting, midnight)
    for whose, span in agenda.busy:
        if whose == agent:
            yield moments_of(span, midnight)
    for whose, day in agenda.absent:
        if whose == agent:
            yield moments_of(Span(day, 0, 0), midnight)[0], moments_of(Span(day + 1, 0, 0), midnight)[0]
    for house, span in agenda.closed:
        if house in {None, "poitiers"}:
            yield moments_of(span, midnight)


def has_a_desk(agenda: Agenda, place: str | None, begin: datetime, end: datetime, midnight: datetime) -> bool:
    """Whether some desk of the place is free all that time, whoever sits there."""
    if place is None:
        return True
    for desk in range(1, (agenda.desks if place == HOUSE else 1) + 1):
        there = [
            moments_of(meeting.span, midnight)
            for meeting in agenda.meetings
            if (meeting.place, meeting.desk) == (place, desk) and counts(meeting) and not meeting.extra
        ]
        if all(end <= lower or upper <= begin for lower, upper in there):
            return True
    return False


def counts(meeting: Meeting) -> bool:
    """What was given up, and what nobody confirmed in time, takes no place."""
    return meeting.standing in {"booked", "came", "missed", "held"}


def moments_of(span: Span, midnight: datetime) -> tuple[datetime, datetime]:
    """The moments of a span: it begins at an hour of Paris and lasts so many minutes, whatever the clocks do."""
    day = midnight.astimezone(PARIS).date() + timedelta(days=span.day)
    begin = datetime.combine(day, time(span.start // 60, span.start % 60), PARIS).astimezone(UTC)
    return begin, begin + timedelta(minutes=span.length)


def blocked_by(meeting: Meeting, midnight: datetime) -> tuple[datetime, datetime]:
    """The moments an appointment takes of its agent."""
    begin, end = moments_of(meeting.span, midnight)
    around = timedelta(minutes=meeting.around)
    return begin - around, end + around


def possible(wished: list[Meeting], midnight: datetime) -> list[Meeting]:
    """Those of the wished appointments that the database would take together, one after the other."""
    kept: list[Meeting] = []
    for one in wished:
        alike = [
            other for other in kept if not other.extra and (counts(other) or other.standing == "expired")
        ]
        strict = not one.extra and (counts(one) or one.standing == "expired")
        same_agent = any(
            other.agent == one.agent and meet(blocked_by(one, midnight), blocked_by(other, midnight))
            for other in alike
        )
        same_desk = any(
            one.place is not None
            and (other.place, other.desk) == (one.place, one.desk)
            and meet(moments_of(one.span, midnight), moments_of(other.span, midnight))
            for other in alike
        )
        if not strict or not (same_agent or same_desk):
            kept.append(one)
    return kept


def meet(first: tuple[datetime, datetime], second: tuple[datetime, datetime]) -> bool:
    """Whether two spans share a moment."""
    return first[0] < second[1] and second[0] < first[1]


def all_can_be_had(session: Session, asked: Asked, start: datetime, now: datetime) -> None:
    """Of what Marcel is offered, the first hours and the last can be held: nobody else acts."""
    wanted = offers.wanted_by(session, offers.seeker(session, asked.id, now), Search())
    found = slots.find(session, wanted, start, now, most=1000, until=start + timedelta(days=DAYS))
    for slot in [*found[:2], *found[2:][-1:]]:
        choice = Choice(slot.start, slot.mode, slot.place_id)
        with session.begin_nested() as tried:
            held = booking.hold(session, asked.id, Search(), choice, now)
            assert (held.start, held.mode, held.place_id) == (slot.start, slot.mode, slot.place_id)
            tried.rollback()


def as_the_portal(session: Session, database: Database, asked: Asked) -> None:
    """From now on in this transaction, only what the portal may do, with Marcel's link."""
    session.execute(text("SET LOCAL ROLE allervers_portal"))
    hashed = access.link_hash(database.access_key, asked.secret)
    session.execute(text("SELECT set_config('allervers.secret', :hash, true)"), {"hash": hashed})


def put(session: Session, agenda: Agenda, request_id: UUID, midnight: datetime, now: datetime) -> None:
    """The agenda, as rows."""
    session.execute(
        text("UPDATE places SET desks = :desks WHERE id = :place"), {"desks": agenda.desks, "place": HOUSE}
    )
    rule = session.scalars(insert(OpeningRule).returning(OpeningRule.id), [a_rule(midnight)]).one()
    for number, one in enumerate(agenda.openings):
        travel = agenda.travel if one.mode is Mode.HOME else 0
        session.add(
            Opening(
                rule_id=rule, on_day=FIRST_DAY + timedelta(days=number), agent_id=one.agent, house_id="poitiers",
                place_id=one.place, mode=one.mode, kinds=list(one.kinds), audience=one.audience,
                languages=list(one.languages), travel_minutes=travel, during=as_range(moments_of(one.span, midnight)),
                dropped=one.dropped, changed=False,
            )
        )  # fmt: skip
    day = midnight.astimezone(PARIS).date()
    session.add_all(
        BusyTime(agent_id=agent, source=str(number), during=as_range(moments_of(span, midnight)))
        for number, (agent, span) in enumerate(agenda.busy)
    )
    session.add_all(
        Closure(house_id=house, during=as_range(moments_of(span, midnight)), reason="fête")
        for house, span in agenda.closed
    )
    session.add_all(
        Absence(agent_id=agent, first_day=day + timedelta(days=number), last_day=day + timedelta(days=number))
        for agent, number in agenda.absent
    )
    session.flush()
    if agenda.meetings:
        rows = [a_row(one, request_id, midnight, now) for one in agenda.meetings]
        for row in rows:
            if row["state"] is Standing.HELD:  # a request holds one hour at most
                row["request_id"] = another_request(session)
        session.execute(insert(Appointment), rows)


def a_rule(midnight: datetime) -> dict[str, Any]:
    """A rule for the openings to belong to."""
    day = midnight.astimezone(PARIS).date()
    return {
        "agent_id": PAUL.id, "house_id": "poitiers", "mode": Mode.PHONE, "kinds": ["first"],
        "audience": Audience.CITIZENS, "languages": [], "travel_minutes": 0, "first_day": day, "last_day": day,
        "weekdays": [], "every_weeks": 1, "starts_at": time(0), "ends_at": time(1), "made_until": day,
    }  # fmt: skip


def a_row(one: Meeting, request_id: UUID, midnight: datetime, now: datetime) -> dict[str, Any]:
    """An appointment as the database keeps it; a hold ended long ago, or lasts for a minute more."""
    held = one.standing in {"held", "expired"}
    until = LONG_AGO if one.standing == "expired" else now + MINUTE
    return {
        "id": uuid4(), "request_id": request_id, "agent_id": one.agent, "house_id": "poitiers",
        "place_id": one.place, "desk": one.desk if one.place else None, "kind_id": "first", "mode": Mode.PHONE,
        "during": as_range(moments_of(one.span, midnight)), "blocked": as_range(blocked_by(one, midnight)),
        "state": Standing.HELD if held else Standing(one.standing), "held_until": until if held else None,
        "extra": one.extra, "made_at": now,
    }  # fmt: skip


def as_range(span: tuple[datetime, datetime]) -> Range[datetime]:
    """Two moments as PostgreSQL has them."""
    return Range(*span, bounds="[)")


def another_request(session: Session) -> UUID:
    """One more request, like the first."""
    made = uuid4()
    session.execute(
        text(
            "INSERT INTO requests SELECT (r).* FROM (SELECT jsonb_populate_record(r, jsonb_build_object('id', "
            "CAST(:id AS text), 'number', CAST(:id AS text))) AS r FROM requests r LIMIT 1) one"
        ),
        {"id": str(made)},
    )
    return made


def test_a_desk_holds_one_person(database: Database, asked: Asked, now: datetime) -> None:
    """Vouillé's town hall has one desk: while Paul receives there, Sarah's slot at the same hour is not offered."""
    day = date(2026, 11, 5)
    with Session(database.backoffice) as session:
        for agent in (PAUL, SARAH):
            keep(
                session,
                OpeningRule(
                    agent_id=agent.id, house_id="poitiers", place_id=TOWN_HALL, mode=Mode.HERE, kinds=["first"],
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
        appointments.hold(session, asked.id, found[0], now)
        again = slots.find(session, wanted, now, now)
        assert [slot.start.astimezone(PARIS).time() for slot in again] == [time(9, 30), time(9, 30)]
        sarahs = next(slot for slot in found if slot.agent_id == SARAH.id)
        with pytest.raises(appointments.SlotTakenError):
            appointments.hold(session, another_request(session), sarahs, now)
        session.rollback()
