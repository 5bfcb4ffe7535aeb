"""Virtual permanences: a house receives from afar, at certain times, by the agents whose desks are open.

Times are rows, made ahead from days and hours of Paris. A desk is one agent who receives now: one an agent, and it
is closed by itself when its page shows no sign of life any more.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID, uuid4

from sqlalchemy import Boolean, CheckConstraint, ForeignKey, Index, delete, func, select, text
from sqlalchemy.dialects.postgresql import TSTZRANGE, ExcludeConstraint, Range, insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from casework import agenda, journal
from casework.agenda import HoursError
from casework.agents import Agent
from casework.database import Base
from casework.journal import Action

MOST_WEEKS = 26
DESK_LOST = timedelta(minutes=3)
"""A desk whose page gave no sign of life for so long is closed; `line_of` (migration 0012) says the same."""


class VirtualPermanence(Base):
    """Where a house receives from afar. `languages` are those the workers speak there, besides French.

    `with_appointment`: booked video appointments come in here. `walk_in`: so does anybody else while it is open.
    """

    __tablename__ = "virtual_permanences"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    house_id: Mapped[str] = mapped_column(ForeignKey("houses.id"), index=True)
    name: Mapped[str]
    languages: Mapped[list[str]]
    with_appointment: Mapped[bool] = mapped_column(Boolean)
    walk_in: Mapped[bool] = mapped_column(Boolean)
    active: Mapped[bool] = mapped_column(Boolean)


class PermanenceTime(Base):
    """One time a permanence receives. Two of one permanence never overlap."""

    __tablename__ = "permanence_times"
    __table_args__ = (
        ExcludeConstraint(
            ("permanence_id", "="), ("during", "&&"), name="permanence_times_apart", using="gist"
        ),
        CheckConstraint("NOT isempty(during)", name="during"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    permanence_id: Mapped[UUID] = mapped_column(ForeignKey("virtual_permanences.id"))
    during: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)


class PermanenceDesk(Base):
    """An agent who receives at a permanence, while `closed_at` is null; the page of the desk says it is still there."""

    __tablename__ = "permanence_desks"
    __table_args__ = (
        Index(
            "permanence_desks_one_open_idx",
            "agent_id",
            unique=True,
            postgresql_where=text("closed_at IS NULL"),
        ),
        Index("permanence_desks_open_idx", "permanence_id", postgresql_where=text("closed_at IS NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    permanence_id: Mapped[UUID] = mapped_column(ForeignKey("virtual_permanences.id"))
    agent_id: Mapped[int] = mapped_column(ForeignKey("agents.id"))
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    last_seen_at: Mapped[datetime]


@dataclass(frozen=True)
class Plan:
    """What an agent fills in to make or to change a permanence."""

    name: str
    languages: list[str]
    with_appointment: bool
    walk_in: bool
    active: bool


@dataclass(frozen=True)
class Weekly:
    """Times to add: the same hours of Paris on some weekdays (0 is Monday), both days included."""

    first_day: date
    last_day: date
    weekdays: frozenset[int]
    starts_at: time
    ends_at: time


class NotYourPermanenceError(Exception):
    """Secretaries and managers change the permanences of their house; a desk is opened in one's own house."""


class NoTimesError(ValueError):
    """The days or the hours leave nothing to add, or reach further than half a year."""


class TalkUnderWayError(Exception):
    """A desk is closed once its talks are over."""


def may_set(agent: Agent, house_id: str) -> bool:
    """Who may make or change the permanences of a house."""
    return agent.house_id == house_id and agent.keeps_the_house


def set_up(session: Session, by: Agent, key: UUID, plan: Plan, now: datetime) -> VirtualPermanence:
    """Make a permanence of one's house, or change it. `key` is the form's own number: the same form twice is one.

    Raises:
        NotYourPermanenceError: a worker's hands, or another house's permanence.
    """
    one = session.get(VirtualPermanence, key)
    if not may_set(by, one.house_id if one else by.house_id):
        raise NotYourPermanenceError
    if one is None:
        one = VirtualPermanence(id=key, house_id=by.house_id, **vars(plan))
        session.add(one)
    for name, value in vars(plan).items():
        setattr(one, name, value)
    journal.write(session, Action.PERMANENCE_SET, now, agent=by, permanence=str(key), **vars(plan))
    return one


def add_times(session: Session, by: Agent, one: VirtualPermanence, weekly: Weekly, now: datetime) -> int:
    """Add the times of some weeks; those that overlap one already there, and public holidays, are left out.

    Returns how many were added.

    Raises:
        NotYourPermanenceError: a worker's hands, or another house's permanence.
        NoTimesError: nothing to add.
    """
    if not may_set(by, one.house_id):
        raise NotYourPermanenceError
    spans = [span for span in _spans(weekly) if span.upper and span.upper > now]
    if not spans:
        raise NoTimesError
    rows = [{"id": uuid4(), "permanence_id": one.id, "during": span} for span in spans]
    added = session.execute(
        insert(PermanenceTime).values(rows).on_conflict_do_nothing().returning(PermanenceTime.id)
    )
    many = len(added.all())
    journal.write(session, Action.PERMANENCE_SET, now, agent=by, permanence=str(one.id), times_added=many)
    return many


def drop_time(session: Session, by: Agent, time_id: UUID, now: datetime) -> None:
    """Drop one time; twice is once.

    Raises:
        NotYourPermanenceError: a worker's hands, or another house's permanence.
    """
    found = session.get(PermanenceTime, time_id)
    if found is None:
        return
    if not may_set(by, session.get_one(VirtualPermanence, found.permanence_id).house_id):
        raise NotYourPermanenceError
    session.execute(delete(PermanenceTime).where(PermanenceTime.id == time_id))
    journal.write(
        session, Action.PERMANENCE_SET, now, agent=by, permanence=str(found.permanence_id), times_dropped=1
    )


def _spans(weekly: Weekly) -> Iterator[Range[datetime]]:
    """The moments of the days asked; a day whose clock change skips the whole time has none."""
    if weekly.last_day - weekly.first_day > timedelta(weeks=MOST_WEEKS):
        raise NoTimesError
    day = weekly.first_day
    while day <= weekly.last_day:
        if day.weekday() in weekly.weekdays and not agenda.public_holiday(day):
            try:
                yield agenda.moments(day, weekly.starts_at, weekly.ends_at)
            except HoursError as error:
                if weekly.starts_at >= weekly.ends_at:
                    raise NoTimesError from error
        day += timedelta(days=1)


def of_house(session: Session, house_id: str) -> list[VirtualPermanence]:
    """The permanences of a house, those in use first."""
    return list(
        session.scalars(
            select(VirtualPermanence)
            .where(VirtualPermanence.house_id == house_id)
            .order_by(VirtualPermanence.active.desc(), VirtualPermanence.name, VirtualPermanence.id)
        )
    )


def times_of(session: Session, permanence_id: UUID, now: datetime, most: int = 60) -> list[PermanenceTime]:
    """The times of a permanence that are not over, in order."""
    return list(
        session.scalars(
            select(PermanenceTime)
            .where(PermanenceTime.permanence_id == permanence_id, func.upper(PermanenceTime.during) > now)
            .order_by(func.lower(PermanenceTime.during))
            .limit(most)
        )
    )


def closes_at(session: Session, permanence_id: UUID, now: datetime) -> datetime | None:
    """When the present time of a permanence ends; None outside of its times."""
    return session.scalar(
        select(func.upper(PermanenceTime.during)).where(
            PermanenceTime.permanence_id == permanence_id, PermanenceTime.during.contains(now)
        )
    )


def opens_next(session: Session, now: datetime) -> datetime | None:
    """When somebody without an appointment can next come in, wherever that is; None when nothing is planned."""
    found: datetime | None = session.scalar(
        select(func.min(func.lower(PermanenceTime.during)))
        .join(VirtualPermanence, VirtualPermanence.id == PermanenceTime.permanence_id)
        .where(VirtualPermanence.active, VirtualPermanence.walk_in, func.lower(PermanenceTime.during) > now)
    )
    return found


def desk_of(session: Session, agent_id: int) -> PermanenceDesk | None:
    """Where an agent receives now."""
    return session.scalar(
        select(PermanenceDesk).where(PermanenceDesk.agent_id == agent_id, PermanenceDesk.closed_at.is_(None))
    )


def open_desks(session: Session, permanence_id: UUID) -> list[PermanenceDesk]:
    """The desks of a permanence that are open, the first opened first."""
    return list(
        session.scalars(
            select(PermanenceDesk)
            .where(PermanenceDesk.permanence_id == permanence_id, PermanenceDesk.closed_at.is_(None))
            .order_by(PermanenceDesk.opened_at, PermanenceDesk.id)
        )
    )


def open_desk(
    session: Session, agent: Agent, one: VirtualPermanence, now: datetime, *, guest: bool = False
) -> PermanenceDesk:
    """Receive at a permanence from now on; a desk that is open elsewhere is the same agent's, and moves.

    `guest`: somebody has an appointment with the agent there (`ways_in.as_guest`), whichever house it belongs to.

    Raises:
        NotYourPermanenceError: another house's, or not in use.
        TalkUnderWayError: the agent is in a talk at another permanence.
    """
    if not one.active or (one.house_id != agent.house_id and not guest):
        raise NotYourPermanenceError
    session.execute(select(Agent.id).where(Agent.id == agent.id).with_for_update(key_share=True))
    desk = desk_of(session, agent.id)
    if desk and desk.permanence_id == one.id:
        desk.last_seen_at = now
        return desk
    if desk:
        close_desk(session, agent, now)
    desk = PermanenceDesk(
        id=uuid4(), permanence_id=one.id, agent_id=agent.id, opened_at=now, closed_at=None, last_seen_at=now
    )
    session.add(desk)
    journal.write(session, Action.PERMANENCE_OPENED, now, agent=agent, permanence=str(one.id))
    return desk


def close_desk(session: Session, agent: Agent, now: datetime) -> None:
    """Receive no more; twice is once.

    Raises:
        TalkUnderWayError: a talk of this agent is not over.
    """
    desk = desk_of(session, agent.id)
    if desk is None:
        return
    under_way = text("SELECT EXISTS (SELECT FROM talks WHERE agent_id = :agent AND state <> 'ended')")
    if session.scalar(under_way, {"agent": agent.id}):
        raise TalkUnderWayError
    desk.closed_at = now
    journal.write(session, Action.PERMANENCE_CLOSED, now, agent=agent, permanence=str(desk.permanence_id))


def seen(session: Session, agent_id: int, now: datetime) -> None:
    """The page of the desk gives a sign of life; at most one write in 20 seconds."""
    desk = desk_of(session, agent_id)
    if desk and desk.last_seen_at < now - timedelta(seconds=20):
        desk.last_seen_at = now
