"""Absences: what they touch, and whether enough social workers stay. Closures of a house, for the same pages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session

from casework import journal
from casework.agenda import Closure
from casework.agents import Absence, Agent
from casework.appointments import Appointment, Standing
from casework.requests import PARIS, is_working_day
from casework.territory import House
from casework.vocabulary import Role

LONGEST = timedelta(days=3 * 366)
"""Beyond, it is a slip of the pen."""


class DaysError(ValueError):
    """The last day comes before the first, or years after it."""


@dataclass(frozen=True)
class ShortDay:
    """A working day on which too few social workers would be present."""

    day: date
    present: int


class UnderstaffedError(Exception):
    """Accepting this would leave too few social workers on some days, and nobody said that they know."""

    def __init__(self, days: list[ShortDay]) -> None:
        super().__init__(", ".join(f"{short.day}: {short.present}" for short in days))
        self.days = days


def whole_days(first_day: date, last_day: date) -> Range[datetime]:
    """From midnight to midnight in Paris, both days included.

    Raises:
        DaysError: the days are in the wrong order, or too far apart.
    """
    if not timedelta(0) <= last_day - first_day <= LONGEST:
        raise DaysError
    start, end = (
        datetime.combine(day, time(0), PARIS).astimezone(UTC) for day in (first_day, last_day + timedelta(1))
    )
    return Range(start, end, bounds="[)")


def touched(
    session: Session, agent_ids: list[int], during: Range[datetime], now: datetime
) -> list[Appointment]:
    """The booked appointments of some agents, not over yet, that a span of time touches, the earliest first."""
    return list(
        session.scalars(
            select(Appointment)
            .where(
                Appointment.agent_id.in_(agent_ids),
                Appointment.state == Standing.BOOKED,
                Appointment.during.overlaps(during),
                func.upper(Appointment.during) > now,
            )
            .order_by(func.lower(Appointment.during), Appointment.id)
        )
    )


def short_days(session: Session, away: Agent, first_day: date, last_day: date) -> list[ShortDay]:
    """The working days on which the house would fall under its minimum if that agent were away.

    Days on which the house is closed count nobody. Part-time workers count on each day: nothing says which days
    they do not work.
    """
    house = session.get_one(House, away.house_id)
    if not house.minimum_workers or not away.is_a(Role.WORKER):
        return []
    workers = set(
        session.scalars(
            select(Agent.id).where(
                Agent.house_id == house.id, Agent.active, Agent.roles.contains([Role.WORKER.value])
            )
        )
    )
    absences = session.scalars(
        select(Absence).where(
            Absence.agent_id.in_(workers), Absence.first_day <= last_day, Absence.last_day >= first_day
        )
    ).all()
    shut = [closure.during for closure in closures_of(session, house.id, whole_days(first_day, last_day))]
    short = []
    for day in _days(first_day, last_day):
        if not is_working_day(day) or any(whole_days(day, day) in span for span in shut):
            continue
        gone = {absence.agent_id for absence in absences if absence.first_day <= day <= absence.last_day}
        present = len(workers - gone - {away.id})
        if present < house.minimum_workers:
            short.append(ShortDay(day, present))
    return short


def accept(
    session: Session,
    by: Agent,
    away: Agent,
    first_day: date,
    last_day: date,
    now: datetime,
    *,
    knowing: bool = False,
) -> Absence:
    """Write an absence down, once. `knowing`: they read on which days too few would be present.

    Raises:
        DaysError: the days are in the wrong order, or too far apart.
        UnderstaffedError: too few would be present, and `knowing` is false.
    """
    whole_days(first_day, last_day)
    # Two absences accepted at the same moment count each other.
    session.get_one(House, away.house_id, with_for_update=True)
    same = select(Absence).where(
        Absence.agent_id == away.id, Absence.first_day == first_day, Absence.last_day == last_day
    )
    if known := session.scalars(same).first():
        return known
    short = short_days(session, away, first_day, last_day)
    if short and not knowing:
        raise UnderstaffedError(short)
    absence = Absence(agent_id=away.id, first_day=first_day, last_day=last_day)
    session.add(absence)
    journal.write(
        session, journal.Action.ABSENCE_SET, now, agent=by, of=away.name, first_day=first_day.isoformat(),
        last_day=last_day.isoformat(), understaffed=[one.day.isoformat() for one in short],
    )  # fmt: skip
    return absence


def remove(session: Session, by: Agent, absence: Absence, now: datetime) -> None:
    """Take an absence away: the openings of those days count again."""
    away = session.get_one(Agent, absence.agent_id)
    journal.write(
        session, journal.Action.ABSENCE_REMOVED, now, agent=by, of=away.name,
        first_day=absence.first_day.isoformat(), last_day=absence.last_day.isoformat(),
    )  # fmt: skip
    session.delete(absence)


def of_agent(session: Session, agent_id: int, since: date) -> list[Absence]:
    """The absences of an agent that are not over, the earliest first."""
    return list(
        session.scalars(
            select(Absence)
            .where(Absence.agent_id == agent_id, Absence.last_day >= since)
            .order_by(Absence.first_day, Absence.id)
        )
    )


def close_house(
    session: Session, by: Agent, first_day: date, last_day: date, reason: str, now: datetime
) -> Closure:
    """Close the agent's house for whole days; appointments already taken stay and must be seen to.

    Raises:
        DaysError: the days are in the wrong order, or too far apart.
    """
    closure = Closure(house_id=by.house_id, during=whole_days(first_day, last_day), reason=reason)
    session.add(closure)
    journal.write(
        session, journal.Action.AGENDA_CHANGED, now, agent=by, what="closure", first_day=first_day.isoformat(),
        last_day=last_day.isoformat(),
    )  # fmt: skip
    return closure


def reopen_house(session: Session, by: Agent, closure: Closure, now: datetime) -> None:
    """Take a closure away."""
    journal.write(session, journal.Action.AGENDA_CHANGED, now, agent=by, what="closure removed")
    session.delete(closure)


def closures_of(session: Session, house_id: str, during: Range[datetime]) -> list[Closure]:
    """The closures of a house, those of all houses included, that touch a span of time."""
    return list(
        session.scalars(
            select(Closure)
            .where(
                (Closure.house_id == house_id) | Closure.house_id.is_(None), Closure.during.overlaps(during)
            )
            .order_by(func.lower(Closure.during), Closure.id)
        )
    )


def _days(first_day: date, last_day: date) -> list[date]:
    return [first_day + timedelta(days=number) for number in range((last_day - first_day).days + 1)]
