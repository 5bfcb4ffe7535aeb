"""Opening ranges: the days a rule gives, as a walk through the calendar finds them; what stays when it is renewed."""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session

from casework import absences, agenda, appointments, counter, planning, rounds, slots
from casework.agenda import Audience, HoursError, Mode, Opening, OpeningRule, days_of, moments
from casework.agents import Absence, Agent
from casework.appointments import Appointment, Standing
from casework.database import transaction
from casework.requests import PARIS, Request
from tests.casework.asking import BY_TEXT, ask
from tests.conftest import Database
from tests.people import NADIA, PAUL

HOLIDAYS_2027 = {
    date(2027, 1, 1), date(2027, 3, 29), date(2027, 5, 1), date(2027, 5, 6), date(2027, 5, 8), date(2027, 5, 17),
    date(2027, 7, 14), date(2027, 8, 15), date(2027, 11, 1), date(2027, 11, 11), date(2027, 12, 25),
}  # fmt: skip
"""Public holidays of 2027, from the calendar on the wall: Easter Monday is 29 March, Whit Monday 17 May."""

SPRING, AUTUMN = date(2027, 3, 28), date(2027, 10, 31)
"""The Sundays on which the clocks of 2027 change."""


def rule(**changes: object) -> OpeningRule:
    """Paul's Tuesday mornings at the house, but for what the test changes."""
    values: dict[str, object] = {
        "agent_id": PAUL.id, "house_id": "poitiers", "place_id": "mds-poitiers", "mode": Mode.HERE, "kinds": ["first"],
        "audience": Audience.CITIZENS, "languages": [], "travel_minutes": 0, "first_day": date(2027, 1, 1),
        "last_day": None, "weekdays": [1], "every_weeks": 1, "nth_of_month": None, "starts_at": time(9),
        "ends_at": time(12), "made_until": None,
    }  # fmt: skip
    return OpeningRule(**(values | changes))


# --- the days of a rule ---------------------------------------------------------------------------------


def walked(one: OpeningRule, until: date) -> Iterator[date]:
    """Month sheets read day by day, holidays crossed out, weeks counted on the fingers from the first one."""
    counted = date.fromisocalendar(*one.first_day.isocalendar()[:2], 1)
    working_weeks = set()
    while counted <= until:
        working_weeks.add(counted.isocalendar()[:2])
        counted += timedelta(weeks=one.every_weeks)
    for month in range(1, 13):
        sheet = calendar.Calendar().monthdatescalendar(2027, month)
        for weekday in range(7):
            column = [week[weekday] for week in sheet if week[weekday].month == month]
            for place, day in enumerate(column, start=1):
                if weekday not in one.weekdays or day in HOLIDAYS_2027:
                    continue
                if one.nth_of_month == -1 and day != column[-1]:
                    continue
                if one.nth_of_month and one.nth_of_month > 0 and place != one.nth_of_month:
                    continue
                inside = one.first_day <= day <= min(until, one.last_day or until)
                if inside and day.isocalendar()[:2] in working_weeks:
                    yield day


days_of_2027 = st.dates(date(2027, 1, 1), date(2027, 12, 31))


@settings(max_examples=300, deadline=None)
@given(
    first=days_of_2027,
    last=st.none() | days_of_2027,
    until=days_of_2027,
    weekdays=st.sets(st.integers(0, 6), min_size=1).map(sorted),
    repeat=st.sampled_from([(1, None), (2, None), (3, None), (1, 1), (1, 2), (1, 4), (1, 5), (1, -1)]),
)
def test_a_rule_gives_the_days_that_a_walk_through_the_calendar_finds(
    first: date, last: date | None, until: date, weekdays: list[int], repeat: tuple[int, int | None]
) -> None:
    one = rule(
        first_day=first, last_day=last, weekdays=weekdays, every_weeks=repeat[0], nth_of_month=repeat[1]
    )
    assert list(days_of(one, until)) == sorted(walked(one, until))


@pytest.mark.parametrize(
    ("changes", "days"),
    [
        ({"nth_of_month": 1, "weekdays": [1]}, ["01-05", "02-02", "03-02", "04-06"]),
        ({"nth_of_month": -1, "weekdays": [4]}, ["01-29", "02-26", "03-26", "04-30"]),
        ({"nth_of_month": 5, "weekdays": [4]}, ["01-29", "04-30"]),
        (
            {"every_weeks": 2, "weekdays": [0], "first_day": date(2027, 3, 1)},
            ["03-01", "03-15", "04-12", "04-26"],
        ),
        (
            {"weekdays": [0], "first_day": date(2027, 3, 20), "last_day": date(2027, 4, 10)},
            ["03-22", "04-05"],
        ),
        ({"weekdays": [], "first_day": date(2027, 3, 29)}, ["03-29"]),
    ],
    ids=[
        "first Tuesday",
        "last Friday",
        "fifth Friday",
        "Easter Monday keeps the rhythm",
        "Easter Monday",
        "said",
    ],
)
def test_days_one_can_check_on_a_calendar(changes: dict[str, object], days: list[str]) -> None:
    found = days_of(rule(**changes), date(2027, 4, 30))
    assert [day.strftime("%m-%d") for day in found] == days


def test_holidays_have_their_french_names() -> None:
    assert agenda.public_holiday(date(2027, 3, 29)) == "Lundi de Pâques"
    assert agenda.public_holiday(date(2027, 3, 30)) == ""


# --- the two nights when clocks change ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "starts", "ends", "minutes"),
    [
        (SPRING, time(9), time(12), 180),
        (SPRING, time(1), time(4), 120),
        (SPRING, time(2, 30), time(4), 30),
        (AUTUMN, time(9), time(12), 180),
        (AUTUMN, time(1), time(4), 240),
        (AUTUMN, time(2), time(3), 120),
        (date(2027, 6, 1), time(9), time(9, 30), 30),
    ],
)
def test_hours_are_those_of_the_clock_on_the_wall(day: date, starts: time, ends: time, minutes: int) -> None:
    during = moments(day, starts, ends)
    assert during.lower
    assert during.upper
    assert during.upper - during.lower == timedelta(minutes=minutes)
    assert planning.local_hours(during)[1] == ends


def test_a_range_that_a_clock_change_skips_is_left_out_and_stops_nothing(database: Database) -> None:
    """Every Sunday from 2 to 3: on 28 March 2027 there is no such hour."""
    with pytest.raises(HoursError):
        moments(SPRING, time(2), time(3))
    with Session(database.backoffice) as session:
        night = agenda.keep(
            session, rule(weekdays=[6], starts_at=time(2), ends_at=time(3), first_day=date(2027, 3, 21),
                          last_day=date(2027, 4, 4)), date(2027, 3, 20),
        )  # fmt: skip
        days = session.scalars(
            select(Opening.on_day).where(Opening.rule_id == night.id).order_by(Opening.on_day)
        )
        assert list(days) == [date(2027, 3, 21), date(2027, 4, 4)]
        session.rollback()


# --- renewal --------------------------------------------------------------------------------------------


def days_made(session: Session, one: OpeningRule) -> list[tuple[date, bool, bool]]:
    """The occurrences of a rule: day, dropped, changed."""
    session.flush()
    session.expire_all()
    query = select(Opening).where(Opening.rule_id == one.id).order_by(Opening.on_day)
    return [(row.on_day, row.dropped, row.changed) for row in session.scalars(query)]


def test_what_was_changed_or_dropped_stays_so_when_the_rule_is_renewed(database: Database) -> None:
    with Session(database.backoffice) as session:
        one = agenda.keep(session, rule(), date(2027, 1, 1))
        before = days_made(session, one)
        assert len(before) == 52
        first, second = session.scalars(
            select(Opening).where(Opening.rule_id == one.id).order_by(Opening.on_day).limit(2)
        )
        agenda.change_occurrence(session, first.id, time(14), time(16))
        agenda.drop_occurrence(session, second.id)
        assert agenda.renew(session, date(2027, 1, 1)) == 0
        assert agenda.renew(session, date(2027, 2, 1)) == 5
        after = days_made(session, one)
        assert after[:2] == [(date(2027, 1, 5), False, True), (date(2027, 1, 12), True, False)]
        assert [day for day, _, _ in after[: len(before)]] == [day for day, _, _ in before]
        assert set(after[2:]) == {(day, False, False) for day, _, _ in after[2:]}
        changed = session.get_one(Opening, first.id)
        assert planning.local_hours(changed.during) == (time(14), time(16))
        session.rollback()


def test_a_dropped_day_comes_back_by_giving_it_hours(database: Database) -> None:
    with Session(database.backoffice) as session:
        one = agenda.keep(session, rule(), date(2027, 1, 1))
        opening = session.scalars(select(Opening).where(Opening.rule_id == one.id).limit(1)).one()
        agenda.drop_occurrence(session, opening.id)
        agenda.change_occurrence(session, opening.id, time(9), time(10))
        assert (opening.dropped, opening.changed) == (False, True)
        with pytest.raises(HoursError):
            agenda.change_occurrence(session, opening.id, time(10), time(10))
        session.rollback()


@pytest.mark.parametrize(
    ("last", "left"), [(date(2027, 1, 12), 2), (date(2027, 1, 4), 0), (date(2026, 6, 1), 0)]
)
def test_a_rule_that_ends_gives_nothing_after_its_last_day_and_is_not_renewed(
    database: Database, last: date, left: int
) -> None:
    with Session(database.backoffice) as session:
        one = agenda.keep(session, rule(), date(2027, 1, 1))
        later = session.scalars(select(Opening).where(Opening.on_day == date(2027, 2, 2))).one()
        agenda.change_occurrence(session, later.id, time(14), time(16))
        agenda.end_rule(session, one, last)
        assert len(days_made(session, one)) == left
        assert agenda.renew(session, date(2027, 6, 1)) == 0
        assert len(days_made(session, one)) == left
        session.rollback()


@pytest.mark.parametrize(
    "changes", [{"ends_at": time(9)}, {"ends_at": time(8)}, {"last_day": date(2026, 12, 31)}]
)
def test_a_rule_that_ends_before_it_begins_is_refused(database: Database, changes: dict[str, object]) -> None:
    with Session(database.backoffice) as session, pytest.raises(HoursError):
        agenda.keep(session, rule(**changes), date(2027, 1, 1))


def test_each_night_the_worker_makes_one_more_day(database: Database) -> None:
    with transaction(database.owner) as session:
        agenda.keep(session, rule(weekdays=[0, 1, 2, 3, 4]), date(2027, 1, 4))
    night = datetime(2027, 1, 5, 1, 30, tzinfo=PARIS)
    for _ in range(2):
        rounds.renew_openings(database.backoffice, night)
    with transaction(database.owner) as session:
        assert max(session.scalars(select(Opening.on_day))) == date(2028, 1, 6)


def test_the_sweep_forgets_holds_nobody_confirmed(database: Database, now: datetime) -> None:
    asked = ask(database, now, BY_TEXT)
    with transaction(database.backoffice) as session:
        agenda.keep(session, rule(first_day=date(2026, 11, 10), weekdays=[]), now.date())
        slot = slots.find(session, counter.wanted([PAUL.id], "first"), now, now)[0]
        appointments.hold(session, asked.id, slot, now)
    for later, left in ((timedelta(minutes=9), 1), (timedelta(minutes=11), 0)):
        rounds.sweep(database.backoffice, now + later)
        with transaction(database.owner) as session:
            assert len(session.scalars(select(Appointment)).all()) == left


# --- absences, and what agents may do -------------------------------------------------------------------


def test_a_long_absence_is_a_slip_of_the_pen() -> None:
    for first, last in ((date(2027, 1, 2), date(2027, 1, 1)), (date(2027, 1, 1), date(2127, 1, 1))):
        with pytest.raises(absences.DaysError):
            absences.whole_days(first, last)
    night = absences.whole_days(SPRING, SPRING)
    assert night.lower
    assert night.upper
    assert night.upper - night.lower == timedelta(hours=23)


def test_an_absence_noted_twice_is_one(database: Database, now: datetime) -> None:
    with Session(database.backoffice) as session:
        nadia, paul = session.get_one(Agent, NADIA.id), session.get_one(Agent, PAUL.id)
        for _ in range(2):
            absences.accept(session, nadia, paul, date(2026, 11, 9), date(2026, 11, 10), now)
        assert len(session.scalars(select(Absence)).all()) == 1
        session.rollback()


def test_nothing_that_is_offered_for_a_move_is_refused(database: Database, now: datetime) -> None:
    """From 9:15, taken by hand, to each slot on offer in turn, those over its own time included."""
    asked = ask(database, now, BY_TEXT)
    with Session(database.backoffice) as session:
        agenda.keep(session, rule(first_day=date(2026, 11, 10), weekdays=[]), now.date())
        nadia, request = session.get_one(Agent, NADIA.id), session.get_one(Request, asked.id)
        wanted = counter.wanted([PAUL.id], "first")
        made = counter.book(session, nadia, request, slots.find(session, wanted, now, now)[0], now)
        start = datetime(2026, 11, 10, 8, 15, tzinfo=UTC)
        made.during = made.blocked = Range(start, start + timedelta(minutes=30), bounds="[)")
        session.flush()
        again = slots.Wanted(**(vars(wanted) | {"ignored": str(made.id)}))
        offered = slots.find(session, again, now, now)
        assert len(offered) == 6
        for slot in offered:
            point = session.begin_nested()
            moved = counter.move(session, nadia, made, slot, now)
            assert (moved.start, made.state) == (slot.start, Standing.MOVED)
            point.rollback()
            session.refresh(made)
        session.rollback()
