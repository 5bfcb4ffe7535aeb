"""What an agent's other calendars show of their appointments, and the secret address where they read it.

An hour, a place, initials: no name, no number, no reason. The same entries leave by CalDAV (`calendar_links`). Each
keeps its `UID` when the appointment moves, so that a calendar changes its entry instead of adding one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from icalendar import Calendar, Event
from sqlalchemy import CTE, ColumnElement, ForeignKey, literal, select
from sqlalchemy.dialects.postgresql import Range, insert
from sqlalchemy.orm import Mapped, Session, aliased, mapped_column

from casework import access, journal
from casework.agenda import Mode
from casework.agents import Absence, Agent
from casework.appointments import Appointment, Standing
from casework.calendar_file import PRODUCT
from casework.database import Base
from casework.following import is_sensitive
from casework.requests import PARIS, Request
from casework.spans import ends
from casework.territory import Place
from casework.vocabulary import Theme

PAST, AHEAD = timedelta(weeks=2), timedelta(weeks=26)
OUR_PREFIX = "allervers-"
NOBODY = "?"
MOST_INITIALS = 3
STANDS = {Standing.BOOKED, Standing.CAME, Standing.MISSED}
READ_AGAIN = timedelta(hours=1)

HOW = {Mode.PHONE: "Au téléphone", Mode.VIDEO: "En vidéo", Mode.HOME: "À domicile"}
"""In French: an agent's own calendar has no language of ours."""


class CalendarFeed(Base):
    """The secret address of an agent's calendar. Only a keyed hash of it is kept."""

    __tablename__ = "calendar_feeds"

    agent_id: Mapped[int] = mapped_column(ForeignKey("agents.id"), primary_key=True)
    secret_hash: Mapped[str] = mapped_column(unique=True)
    made_at: Mapped[datetime]
    read_at: Mapped[datetime | None]
    """When a calendar last read it, to the hour."""


@dataclass(frozen=True)
class Shown:
    """One entry. `start` and `end` are moments, or days for what lasts whole days (`end` is the day after)."""

    uid: str
    version: int
    start: datetime | date
    end: datetime | date
    title: str
    where: str
    made_at: datetime
    stands: bool

    @property
    def file_name(self) -> str:
        """Its name in a calendar's folder."""
        return f"{self.uid.split('@')[0]}.ics"


def make_address(session: Session, agent: Agent, key: str, now: datetime) -> str:
    """A new secret for the agent's address; the one before opens nothing any more."""
    secret = access.new_secret()
    values = {"secret_hash": _hash(key, secret), "made_at": now, "read_at": None}
    known = session.get(CalendarFeed, agent.id)
    session.execute(
        insert(CalendarFeed)
        .values(agent_id=agent.id, **values)
        .on_conflict_do_update(index_elements=[CalendarFeed.agent_id], set_=values),
        execution_options={"synchronize_session": False},
    )
    session.expire_all()
    what = "renewed" if known else "made"
    journal.write(session, journal.Action.FEED_RENEWED, now, agent=agent, what=what)
    return secret


def stop_address(session: Session, agent: Agent, now: datetime) -> None:
    """The address opens nothing any more. Stopping it twice is no error."""
    if feed := session.get(CalendarFeed, agent.id, with_for_update=True):
        session.delete(feed)
        journal.write(session, journal.Action.FEED_RENEWED, now, agent=agent, what="stopped")


def opened_by(session: Session, key: str, secret: str, now: datetime) -> Agent | None:
    """Whose calendar a secret opens. Notes when it was read, once an hour."""
    feed = session.scalar(select(CalendarFeed).where(CalendarFeed.secret_hash == _hash(key, secret)))
    if feed is None:
        return None
    agent = session.get_one(Agent, feed.agent_id)
    if not agent.active:
        return None
    if feed.read_at is None or now - feed.read_at > READ_AGAIN:
        feed.read_at = now
    return agent


def window(now: datetime) -> tuple[datetime, datetime]:
    """What calendars are told of: from two weeks ago to twenty-six ahead."""
    return now - PAST, now + AHEAD


def appointments_shown(session: Session, agent_id: int, host: str, now: datetime) -> list[Shown]:
    """The appointments of an agent as entries, in order; those that do not stand any more included.

    `host`: of our address, for the `UID`.
    """
    mine = (Appointment.agent_id == agent_id) & (Appointment.state != Standing.HELD)
    mine &= Appointment.during.overlaps(Range(*window(now), bounds="[)"))
    firsts = _firsts(mine)
    rows = session.execute(
        select(Appointment, Request.name, Request.themes, Request.urgency, Place.name, firsts)
        .join(firsts, firsts.c.id == Appointment.id)
        .join(Request, Request.id == Appointment.request_id)
        .outerjoin(Place, Place.id == Appointment.place_id)
        .where(firsts.c.former.is_(None))
        .order_by(firsts.c.moves)
    )
    shown: dict[UUID, Shown] = {}  # the last of each chain of moves, among mine
    for one, name, themes, urgency, place, _id, _former, first, moves in rows:
        stands = one.state in STANDS
        hidden = is_sensitive([Theme(value) for value in themes], urgency)
        shown[first] = Shown(
            uid=f"{OUR_PREFIX}{first}@{host}",
            version=moves + (not stands),
            start=one.start,
            end=ends(one.during),
            title=f"Rendez-vous {NOBODY if hidden else initials(name)}",
            where=place or HOW.get(one.mode, ""),
            made_at=one.made_at,
            stands=stands,
        )
    return sorted(shown.values(), key=lambda entry: (entry.start, entry.uid))


def absences_shown(session: Session, agent_id: int, host: str, now: datetime) -> list[Shown]:
    """The absences of an agent, as whole days."""
    first_day, last_day = (moment.astimezone(PARIS).date() for moment in window(now))
    found = session.scalars(
        select(Absence)
        .where(Absence.agent_id == agent_id, Absence.last_day >= first_day, Absence.first_day <= last_day)
        .order_by(Absence.first_day, Absence.id)
    )
    return [
        Shown(
            uid=f"{OUR_PREFIX}absence-{one.id}@{host}",
            version=0,
            start=one.first_day,
            end=one.last_day + timedelta(days=1),
            title="Absence",
            where="",
            made_at=datetime.combine(one.first_day, datetime.min.time(), UTC),
            stands=True,
        )
        for one in found
    ]


def initials(name: str) -> str:
    """Up to three letters of a name, a question mark for none: what a calendar read by others may show."""
    words = [word for word in name.replace("-", " ").split() if word[0].isalpha()]
    return " ".join(f"{word[0].upper()}." for word in words[:MOST_INITIALS]) or NOBODY


def as_file(entries: Iterable[Shown]) -> bytes:
    """A calendar that others read. The same entries give the same bytes: nothing in it tells when it was asked."""
    calendar = _calendar()
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", "Rendez-vous")
    calendar.add("refresh-interval", timedelta(minutes=15), parameters={"VALUE": "DURATION"})
    for entry in entries:
        calendar.add_component(as_event(entry))
    made: bytes = calendar.to_ical()
    return made


def as_resource(entry: Shown) -> bytes:
    """One entry, as CalDAV keeps it."""
    calendar = _calendar()
    calendar.add_component(as_event(entry))
    made: bytes = calendar.to_ical()
    return made


def as_event(entry: Shown) -> Event:
    """An entry, its moments in UTC: every calendar shows them at the hour of its own clock."""
    event = Event()
    event.add("uid", entry.uid)
    event.add("sequence", entry.version)
    event.add("dtstamp", entry.made_at.astimezone(UTC))
    event.add("dtstart", _as_said(entry.start))
    event.add("dtend", _as_said(entry.end))
    event.add("summary", entry.title)
    if entry.where:
        event.add("location", entry.where)
    event.add("status", "CONFIRMED" if entry.stands else "CANCELLED")
    event.add("class", "PRIVATE")
    return event


def _calendar() -> Calendar:
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    return calendar


def _as_said(moment: datetime | date) -> datetime | date:
    return moment.astimezone(UTC) if isinstance(moment, datetime) else moment


def _firsts(which: ColumnElement[bool]) -> CTE:
    """The first appointment of the chain of moves of each, and how many moves since: the row where `former` is null."""
    chain = select(
        Appointment.id.label("id"),
        Appointment.moved_from.label("former"),
        Appointment.id.label("first"),
        literal(0).label("moves"),
    ).where(which)
    steps = chain.cte("chain", recursive=True)
    before = aliased(Appointment)
    return steps.union_all(
        select(steps.c.id, before.moved_from, before.id, steps.c.moves + 1).join(
            before, before.id == steps.c.former
        )
    )


def _hash(key: str, secret: str) -> str:
    return access.link_hash(key, f"calendar {secret}")
