"""Group sessions ("actions collectives", `seeds/004` fiches 8 and 9): made, changed and called off by agents.

A session's seats are rows made with it, so that the database itself cannot sell one twice (design rule 3). Who sits
on them and who waits is in `casework.sign_ups`. Whoever leads it is busy then, as agendas say it: a row of
`busy_times` named after the session.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    SmallInteger,
    delete,
    exists,
    func,
    insert,
    literal_column,
    or_,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import TSTZRANGE, Range
from sqlalchemy.orm import Mapped, Session, mapped_column

from casework import counter, journal
from casework.absences import closures_of
from casework.agenda import BusyTime
from casework.agents import Absence, Agent
from casework.appointments import Appointment, Standing
from casework.database import Base, one_of
from casework.journal import Action
from casework.requests import PARIS
from casework.spans import begins, ends
from casework.territory import Place

MOST_SEATS = 100
MOST_PEOPLE = 8
"""The most people of one request in one session; `take_seats` says the same."""
FURTHEST = timedelta(days=366)
LONGEST = timedelta(hours=12)


class SessionState(enum.StrEnum):
    """Whether it takes place. Who had a seat in a cancelled one keeps it: the list says whom it concerned."""

    PLANNED = "planned"
    CANCELLED = "cancelled"


class GroupSession(Base):
    """A group session. `title` and `words` are in easy French; `languages` are those spoken there.

    `version` grows when the hour or the place changes: who was told of an older one is told again.
    """

    __tablename__ = "group_sessions"
    __table_args__ = (
        Index("group_sessions_from_idx", literal_column("lower(during)")),
        CheckConstraint("NOT isempty(during)", name="during"),
        CheckConstraint("seats > 0", name="seats"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    house_id: Mapped[str] = mapped_column(ForeignKey("houses.id"))
    place_id: Mapped[str] = mapped_column(ForeignKey("places.id"))
    led_by: Mapped[int] = mapped_column(ForeignKey("agents.id"), index=True)
    title: Mapped[str]
    words: Mapped[str]
    during: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)
    seats: Mapped[int] = mapped_column(SmallInteger)
    languages: Mapped[list[str]]
    open_to_citizens: Mapped[bool]
    """Shown on the portal, where people sign up by themselves; else agents sign them up."""
    state: Mapped[SessionState] = mapped_column(one_of(SessionState))
    cancelled_because: Mapped[str]
    """For the house alone: no message and no page of the portal says it."""
    version: Mapped[int]
    made_at: Mapped[datetime]

    @property
    def start(self) -> datetime:
        """When it begins."""
        return begins(self.during)

    @property
    def end(self) -> datetime:
        """When it is over."""
        return ends(self.during)

    @property
    def is_on(self) -> bool:
        """It takes place, or did."""
        return self.state is SessionState.PLANNED


class SessionSeat(Base):
    """One seat of a session, counted from 1."""

    __tablename__ = "session_seats"

    session_id: Mapped[UUID] = mapped_column(ForeignKey("group_sessions.id"), primary_key=True)
    seat: Mapped[int] = mapped_column(SmallInteger, primary_key=True)


@dataclass(frozen=True)
class Plan:
    """What an agent fills in to make or to change a session."""

    place_id: str
    led_by: int
    title: str
    words: str
    during: Range[datetime]
    seats: int
    languages: list[str]
    open_to_citizens: bool


class NotYourSessionError(Exception):
    """Like an agenda: a worker's own, or anybody's of the house for secretaries and managers."""


class SessionDayError(ValueError):
    """It would begin in the past, in more than a year, or last more than a day."""


class LeaderAwayError(Exception):
    """Whoever leads it is away that day."""


class HouseShutError(Exception):
    """The house is closed then."""


class LeaderBusyError(Exception):
    """Whoever leads it already has an appointment or something else; `start` is its beginning."""

    def __init__(self, start: datetime) -> None:
        super().__init__(start.isoformat())
        self.start = start


class SeatsTakenError(Exception):
    """Fewer seats than are taken."""

    def __init__(self, taken: int) -> None:
        super().__init__(str(taken))
        self.taken = taken


class SessionOverError(Exception):
    """It has begun, or does not take place."""


def may_edit(session: Session, by: Agent, led_by: int) -> bool:
    """Who may make, change or cancel a session: who may edit its leader's agenda."""
    return counter.may_edit(by, session.get_one(Agent, led_by))


def make(session: Session, by: Agent, key: UUID, plan: Plan, now: datetime) -> GroupSession:
    """Make a session with its seats. `key` is the form's own number: the same form twice is one session.

    Raises:
        NotYourSessionError: the leader's agenda is not theirs to change.
        SessionDayError: it is over, too far away or too long.
        LeaderAwayError: the leader is away that day.
        HouseShutError: the house is closed then.
        LeaderBusyError: the leader has something else.
    """
    # the same form at the same moment waits here, and then finds the session that the first one made
    session.execute(text("SELECT pg_advisory_xact_lock(hashtext(:name))"), {"name": f"session {key}"})
    if known := session.get(GroupSession, key):
        return known
    _check(session, by, plan, now, None)
    one = GroupSession(
        id=key, house_id=by.house_id, state=SessionState.PLANNED, cancelled_because="", version=1, made_at=now,
        **vars(plan),
    )  # fmt: skip
    session.add(one)
    session.flush()
    session.execute(
        insert(SessionSeat), [{"session_id": key, "seat": number + 1} for number in range(plan.seats)]
    )
    _occupy(session, one)
    _write(session, Action.SESSION_MADE, by, one, now)
    return one


def change(session: Session, by: Agent, one: GroupSession, plan: Plan, now: datetime) -> None:
    """Change a session that has not begun; seats added go to who waits. Who is on it is told of another hour or place.

    Raises:
        NotYourSessionError: its leader's agenda, or the new one's, is not theirs to change.
        SessionOverError: it has begun, or was cancelled.
        SeatsTakenError: fewer seats than are taken.
        SessionDayError, LeaderAwayError, HouseShutError, LeaderBusyError: as in `make`.
    """
    _hold(session, by, one, now)
    _check(session, by, plan, now, one)
    _resize(session, one, plan.seats)
    if (one.during, one.place_id) != (plan.during, plan.place_id):
        one.version += 1
    for name, value in vars(plan).items():
        setattr(one, name, value)
    session.flush()
    _release(session, one)
    _occupy(session, one)
    _write(session, Action.SESSION_CHANGED, by, one, now)
    give_free_seats(session, one.id, now)


def cancel(session: Session, by: Agent, one: GroupSession, reason: str, now: datetime) -> None:
    """Call a session off: its leader is free again, everybody on it is told, nobody is told why. Twice is once.

    Raises:
        NotYourSessionError: its leader's agenda is not theirs to change.
        SessionOverError: it has begun.
    """
    if not one.is_on:
        return
    _hold(session, by, one, now)
    one.state = SessionState.CANCELLED
    one.cancelled_because = reason
    _release(session, one)
    _write(session, Action.SESSION_CANCELLED, by, one, now)


def give_free_seats(session: Session, session_id: UUID, now: datetime) -> None:
    """Give the free seats to who waits, in order: the first group that fits whole, then the next."""
    session.flush()
    session.execute(text("SELECT give_free_seats(:id, :now)"), {"id": session_id, "now": now})


def of_house(
    session: Session, house_id: str, since: datetime, until: datetime | None = None
) -> list[GroupSession]:
    """The sessions of a house that end after a moment and begin before another, in order."""
    query = select(GroupSession).where(
        GroupSession.house_id == house_id, func.upper(GroupSession.during) > since
    )
    if until:
        query = query.where(func.lower(GroupSession.during) < until)
    return list(session.scalars(query.order_by(func.lower(GroupSession.during), GroupSession.id)))


def led_between(session: Session, whose: ColumnElement[bool], during: Range[datetime]) -> list[GroupSession]:
    """The sessions, cancelled ones left out, that touch a span of time, in order."""
    return list(
        session.scalars(
            select(GroupSession)
            .where(whose, GroupSession.state == SessionState.PLANNED, GroupSession.during.overlaps(during))
            .order_by(func.lower(GroupSession.during), GroupSession.id)
        )
    )


def source_of(session_id: UUID) -> str:
    """What a session's busy time is called."""
    return f"session:{session_id}"


def is_session(busy: BusyTime) -> bool:
    """True when a busy time is one of our sessions', and not another calendar's."""
    return busy.source.startswith("session:")


def _hold(session: Session, by: Agent, one: GroupSession, now: datetime) -> None:
    """Lock a session that is still to come, as signing up does: both wait for each other."""
    if not may_edit(session, by, one.led_by):
        raise NotYourSessionError
    session.refresh(one, with_for_update={"key_share": True})
    if not one.is_on or one.start <= now:
        raise SessionOverError


def _check(session: Session, by: Agent, plan: Plan, now: datetime, former: GroupSession | None) -> None:
    """Whether somebody can lead that session then. A change of words alone looks at nothing else."""
    leader = session.get_one(Agent, plan.led_by)
    if not counter.may_edit(by, leader):
        raise NotYourSessionError
    place = session.get_one(Place, plan.place_id)
    if place.house_id != by.house_id or leader.house_id != by.house_id:
        raise NotYourSessionError
    if former and (former.during, former.led_by) == (plan.during, plan.led_by):
        return
    start, end = plan.during.lower, plan.during.upper
    if start is None or end is None or not now < start < now + FURTHEST or end - start > LONGEST:
        raise SessionDayError
    _check_leader(session, leader, plan.during, start.astimezone(PARIS).date(), now, former)


def _check_leader(
    session: Session,
    leader: Agent,
    during: Range[datetime],
    day: date,
    now: datetime,
    former: GroupSession | None,
) -> None:
    away = exists().where(Absence.agent_id == leader.id, Absence.first_day <= day, Absence.last_day >= day)
    if session.scalar(select(away)):
        raise LeaderAwayError
    if closures_of(session, leader.house_id, during):
        raise HouseShutError
    # who books with the same agent by the portal takes the same lock (`casework.booking`): one waits for the other
    session.execute(text("SELECT pg_advisory_xact_lock(hashtext(:name))"), {"name": f"agent {leader.id}"})
    taken = (
        select(func.lower(Appointment.during).label("start"))
        .where(
            Appointment.agent_id == leader.id,
            or_(
                Appointment.state == Standing.BOOKED,
                (Appointment.state == Standing.HELD) & (Appointment.held_until >= now),
            ),
            Appointment.blocked.overlaps(during),
        )
        .union_all(
            select(func.lower(BusyTime.during)).where(
                BusyTime.agent_id == leader.id,
                BusyTime.source != (source_of(former.id) if former else ""),
                BusyTime.during.overlaps(during),
            )
        )
        .subquery()
    )
    if start := session.scalar(select(func.min(taken.c.start))):
        raise LeaderBusyError(start)


def _resize(session: Session, one: GroupSession, seats: int) -> None:
    """Add seats after the last one, or drop free ones, the last first; the database keeps a taken one."""
    numbers = list(
        session.scalars(
            select(SessionSeat.seat).where(SessionSeat.session_id == one.id).order_by(SessionSeat.seat)
        )
    )
    if seats > len(numbers):
        last = numbers[-1]
        added = [{"session_id": one.id, "seat": last + 1 + more} for more in range(seats - len(numbers))]
        session.execute(insert(SessionSeat), added)
    elif seats < len(numbers):
        taken = set(
            session.scalars(
                text("SELECT seat FROM sign_ups WHERE session_id = :id AND seat IS NOT NULL"), {"id": one.id}
            )
        )
        if seats < len(taken):
            raise SeatsTakenError(len(taken))
        spare = [number for number in reversed(numbers) if number not in taken][: len(numbers) - seats]
        session.execute(
            delete(SessionSeat).where(SessionSeat.session_id == one.id, SessionSeat.seat.in_(spare))
        )


def _occupy(session: Session, one: GroupSession) -> None:
    session.add(BusyTime(agent_id=one.led_by, source=source_of(one.id), during=one.during))
    session.flush()


def _release(session: Session, one: GroupSession) -> None:
    session.execute(delete(BusyTime).where(BusyTime.source == source_of(one.id)))


def _write(session: Session, action: Action, by: Agent, one: GroupSession, now: datetime) -> None:
    details: dict[str, Any] = {"of_session": str(one.id), "start": one.start.isoformat(), "seats": one.seats}
    journal.write(session, action, now, agent=by, **details)
