"""Planning: what a week of an agent, or a day of a house or a place, looks like. Reads only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session, aliased

from casework import sessions
from casework.absences import closures_of, touched, whole_days
from casework.agenda import BusyTime, Closure, Kind, Mode, Opening, OpeningRule, public_holiday
from casework.agents import Absence, Agent
from casework.appointments import Appointment, Standing
from casework.requests import PARIS, Request
from casework.sessions import GroupSession
from casework.spans import begins, ends
from casework.territory import Place

SHOWN = (Standing.HELD, Standing.BOOKED, Standing.CAME, Standing.MISSED, Standing.EXCUSED)
"""What agendas show: what was cancelled or moved has freed its time."""


@dataclass(frozen=True)
class Meeting:
    """An appointment as agendas show it. `name` is empty when the person gave none."""

    id: UUID
    agent_id: int
    agent: str
    request_id: UUID
    number: str
    name: str
    kind: str
    mode: Mode
    place: str
    desk: int | None
    during: Range[datetime]
    state: Standing
    extra: bool
    minutes_spent: int | None = None

    @property
    def initials(self) -> str:
        """The name for a sheet that others may see."""
        return " ".join(f"{word[0].upper()}." for word in self.name.replace("-", " ").split())

    @property
    def start(self) -> datetime:
        """When it begins."""
        return begins(self.during)


@dataclass
class Receiving:
    """An opening with what was booked in it."""

    opening: Opening
    agent: str
    place: str
    kinds: list[str]
    meetings: list[Meeting] = field(default_factory=list)


@dataclass
class Day:
    """One day: why nobody receives, if so, then who receives, then what stands outside of any opening."""

    day: date
    holiday: str = ""
    absent: bool = False
    closures: list[Closure] = field(default_factory=list)
    receiving: list[Receiving] = field(default_factory=list)
    loose: list[Meeting] = field(default_factory=list)
    busy: list[BusyTime] = field(default_factory=list)
    sessions: list[GroupSession] = field(default_factory=list)

    @property
    def clashes(self) -> set[UUID]:
        """Booked appointments at an hour when the agent turned out to be busy elsewhere: nothing cancels them."""
        met = [*self.loose, *(meeting for block in self.receiving for meeting in block.meetings)]
        return {
            meeting.id
            for meeting in met
            if meeting.state is Standing.BOOKED and any(meeting.during.overlaps(b.during) for b in self.busy)
        }

    @property
    def is_empty(self) -> bool:
        """Nothing at all to show."""
        return not (self.holiday or self.absent or self.closures or self.is_used)

    @property
    def is_used(self) -> bool:
        """The agent has something to do."""
        return bool(self.receiving or self.loose or self.busy or self.sessions)


def week(session: Session, agent: Agent, monday: date, now: datetime) -> list[Day]:
    """Seven days of an agent, from that Monday on."""
    days = [Day(monday + timedelta(days=number)) for number in range(7)]
    span = whole_days(days[0].day, days[-1].day)
    absences = session.scalars(
        select(Absence).where(
            Absence.agent_id == agent.id,
            Absence.first_day <= days[-1].day,
            Absence.last_day >= days[0].day,
        )
    ).all()
    closures = closures_of(session, agent.house_id, span)
    received = receiving(session, Opening.agent_id == agent.id, span, with_dropped=True)
    met = meetings(session, Appointment.agent_id == agent.id, span, now)
    busy = session.scalars(
        select(BusyTime)
        .where(BusyTime.agent_id == agent.id, BusyTime.during.overlaps(span))
        .order_by(func.lower(BusyTime.during))
    ).all()
    led = sessions.led_between(session, GroupSession.led_by == agent.id, span)
    for one in days:
        during = whole_days(one.day, one.day)
        one.holiday = public_holiday(one.day)
        one.absent = any(absence.first_day <= one.day <= absence.last_day for absence in absences)
        one.closures = [closure for closure in closures if closure.during.overlaps(during)]
        one.receiving = [block for block in received if local_day(block.opening.during) == one.day]
        one.busy = [b for b in busy if b.during.overlaps(during) and not sessions.is_session(b)]
        one.sessions = [held for held in led if local_day(held.during) == one.day]
        one.loose = share_out(one.receiving, [m for m in met if local_day(m.during) == one.day])
    return days


def share_out(received: Sequence[Receiving], met: Iterable[Meeting]) -> list[Meeting]:
    """Put each appointment in the opening that holds it; returns those that stand in none."""
    loose: list[Meeting] = []
    for meeting in met:
        home = next(
            (
                block
                for block in received
                if not block.opening.dropped
                and block.opening.agent_id == meeting.agent_id
                and block.opening.mode is meeting.mode
                and meeting.during in block.opening.during
            ),
            None,
        )
        (home.meetings if home else loose).append(meeting)
    return loose


def receiving(
    session: Session, whose: ColumnElement[bool], span: Range[datetime], *, with_dropped: bool = False
) -> list[Receiving]:
    """The openings that touch a span of time, in order, with the names one reads."""
    names = {kind.id: kind.name for kind in session.scalars(select(Kind))}
    query = (
        select(Opening, Agent.name, Place.name)
        .join(Agent, Agent.id == Opening.agent_id)
        .outerjoin(Place, Place.id == Opening.place_id)
        .where(whose, Opening.during.overlaps(span))
        .order_by(func.lower(Opening.during), Agent.name, Opening.id)
    )
    rows = session.execute(query if with_dropped else query.where(~Opening.dropped))
    return [
        Receiving(opening, agent, place or "", [names.get(kind, kind) for kind in opening.kinds])
        for opening, agent, place in rows
    ]


def meetings(
    session: Session, whose: ColumnElement[bool], span: Range[datetime], now: datetime
) -> list[Meeting]:
    """The appointments that touch a span of time, in order; an expired hold is nothing."""
    return _meetings(
        session,
        whose,
        Appointment.during.overlaps(span),
        Appointment.state.in_(SHOWN),
        or_(Appointment.state != Standing.HELD, Appointment.held_until >= now),
    )


def of_request(session: Session, request_id: UUID) -> list[Meeting]:
    """Every appointment a request ever had, holds left out, the latest first."""
    return _meetings(session, Appointment.request_id == request_id, Appointment.state != Standing.HELD)[::-1]


def named(session: Session, found: Sequence[Appointment]) -> list[Meeting]:
    """Those appointments as agendas show them."""
    return _meetings(session, Appointment.id.in_([one.id for one in found]))


def _meetings(session: Session, *conditions: ColumnElement[bool]) -> list[Meeting]:
    rows = session.execute(
        select(Appointment, Agent.name, Request.number, Request.name, Kind.name, Place.name)
        .join(Agent, Agent.id == Appointment.agent_id)
        .join(Request, Request.id == Appointment.request_id)
        .join(Kind, Kind.id == Appointment.kind_id)
        .outerjoin(Place, Place.id == Appointment.place_id)
        .where(*conditions)
        .order_by(func.lower(Appointment.during), Agent.name, Appointment.id)
    )
    return [
        Meeting(
            id=one.id, agent_id=one.agent_id, agent=agent, request_id=one.request_id, number=number, name=name,
            kind=kind, mode=one.mode, place=place or "", desk=one.desk, during=one.during, state=one.state,
            extra=one.extra, minutes_spent=one.minutes_spent,
        )
        for one, agent, number, name, kind, place in rows
    ]  # fmt: skip


@dataclass
class HouseDay:
    """A day of a house, or of one of its places."""

    day: date
    holiday: str
    closures: list[Closure]
    absent: list[str]
    receiving: list[Receiving]
    meetings: list[Meeting]
    sessions: list[GroupSession]


def house_day(
    session: Session, house_id: str, day: date, now: datetime, place_id: str | None = None
) -> HouseDay:
    """Who receives and who comes on a day, in a house with all its places, or in one place."""
    span = whole_days(day, day)
    away = session.scalars(
        select(Agent.name)
        .where(
            Agent.house_id == house_id,
            Agent.active,
            Agent.id.in_(select(Absence.agent_id).where(Absence.first_day <= day, Absence.last_day >= day)),
        )
        .order_by(Agent.name)
    ).all()
    openings: ColumnElement[bool] = Opening.house_id == house_id
    booked: ColumnElement[bool] = Appointment.house_id == house_id
    led: ColumnElement[bool] = GroupSession.house_id == house_id
    if place_id:
        led &= GroupSession.place_id == place_id
        openings &= Opening.place_id == place_id
        booked &= Appointment.place_id == place_id
    return HouseDay(
        day=day,
        holiday=public_holiday(day),
        closures=closures_of(session, house_id, span),
        absent=list(away),
        receiving=receiving(session, openings, span),
        meetings=meetings(session, booked, span, now),
        sessions=sessions.led_between(session, led, span),
    )


def in_opening(session: Session, opening: Opening, now: datetime) -> list[Meeting]:
    """The appointments already taken in an opening, not over yet."""
    return [
        meeting
        for meeting in named(session, touched(session, [opening.agent_id], opening.during, now))
        if meeting.mode is opening.mode and meeting.during in opening.during
    ]


def after_rule(session: Session, rule: OpeningRule, last_day: date, now: datetime) -> list[Meeting]:
    """The appointments taken in what a rule would no longer give after a day."""
    later = session.scalars(
        select(Opening).where(Opening.rule_id == rule.id, Opening.on_day > last_day, ~Opening.dropped)
    ).all()
    if not later:
        return []
    span = Range(min(begins(one.during) for one in later), None)
    taken = named(session, touched(session, [rule.agent_id], span, now))
    return [meeting for meeting in taken if any(meeting.during in one.during for one in later)]


def overlapping(session: Session, rule: OpeningRule, limit: int = 5) -> list[Opening]:
    """Other openings of the agent at the same hours as some of this rule: allowed, and worth saying."""
    mine, other = aliased(Opening), aliased(Opening)
    return list(
        session.scalars(
            select(other)
            .join(mine, (mine.agent_id == other.agent_id) & mine.during.overlaps(other.during))
            .where(mine.rule_id == rule.id, other.rule_id != rule.id, ~mine.dropped, ~other.dropped)
            .order_by(func.lower(other.during))
            .limit(limit)
        )
    )


def local_day(during: Range[datetime]) -> date:
    """The day in Paris on which a span of time begins."""
    return begins(during).astimezone(PARIS).date()


def local_hours(during: Range[datetime]) -> tuple[time, time]:
    """The hours in Paris between which a span of time stands."""
    return begins(during).astimezone(PARIS).time(), ends(during).astimezone(PARIS).time()
