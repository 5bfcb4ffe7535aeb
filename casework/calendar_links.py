"""Agents' own calendars, linked by CalDAV: busy times come in, appointments go out.

The worker alone speaks with the server, a few minutes apart for each agent. Our side is the truth for our own
entries: each visit compares them with what stands there, so nothing else is kept and a visit cut short is made
good by the next. No row is locked while the server is waited for.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import partial
from time import monotonic
from urllib.parse import urlsplit

import pyrage
from icalendar import Event
from sqlalchemy import (
    Engine,
    ForeignKey,
    Index,
    LargeBinary,
    SmallInteger,
    delete,
    func,
    literal_column,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from casework import agent_calendar, busy_elsewhere, caldav, journal
from casework.agenda import BusyTime
from casework.agent_calendar import OUR_PREFIX, Shown, window
from casework.agents import Agent
from casework.busy_elsewhere import SOURCE, Busy, Found
from casework.caldav import CalendarServerError, Collection, LoginError, Trouble
from casework.database import Base, one_of, transaction
from casework.documents import seal, unseal
from casework.requests import PARIS
from casework.settings import Settings

logger = logging.getLogger(__name__)

EVERY = timedelta(minutes=5)
LONGEST_PAUSE = timedelta(hours=4)
FAREWELL_TRIES = 3
SAID = ("SUMMARY", "LOCATION", "STATUS", "DTSTART", "DTEND", "RRULE")
PASSING = {None, Trouble.UNREADABLE, Trouble.REFUSED}
"""The rest was read and written."""
HOPELESS = {Trouble.PASSWORD, Trouble.SEALED}
"""Trying again with the same password may lock the agent out of their own account."""
READING_SECONDS = 20.0
ROUND_SECONDS = 50.0
"""A round ends then, so that a worker asked to stop does; who is left comes first in the next."""


class CalendarLink(Base):
    """An agent's calendar. The password is sealed: only who has the private key of the document store opens it.

    `leaving`: the agent wants it no more; the row goes once our entries are taken out of the calendar.
    `next_at`: null when trying again would be of no use, as with a wrong password.
    """

    __tablename__ = "calendar_links"
    __table_args__ = (Index("calendar_links_login_idx", literal_column("lower(login)"), unique=True),)

    agent_id: Mapped[int] = mapped_column(ForeignKey("agents.id"), primary_key=True)
    login: Mapped[str]
    sealed_password: Mapped[bytes] = mapped_column(LargeBinary)
    linked_at: Mapped[datetime]
    leaving: Mapped[bool] = mapped_column(default=False)
    synced_at: Mapped[datetime | None]
    next_at: Mapped[datetime | None]
    error: Mapped[Trouble | None] = mapped_column(one_of(Trouble))
    failures: Mapped[int] = mapped_column(SmallInteger, default=0)


class AlreadyLinkedError(Exception):
    """That calendar is a colleague's, or the agent still has another one."""


def link(session: Session, agent: Agent, login: str, password: str, public_key: str, now: datetime) -> None:
    """Link an agent's calendar, or change the password of the one they have; the worker tries it within a minute.

    Raises:
        LoginError: no calendar's login looks like this.
        AlreadyLinkedError: a colleague has that one, or the agent has another.
    """
    caldav.address_of("{login}", login)
    session.execute(text("SELECT pg_advisory_xact_lock(hashtext('calendar links'))"))
    others = select(CalendarLink.agent_id).where(
        func.lower(CalendarLink.login) == login.lower(), CalendarLink.agent_id != agent.id
    )
    known = session.get(CalendarLink, agent.id, with_for_update=True)
    if session.scalar(others) or (known and known.login != login):
        raise AlreadyLinkedError
    row = known or CalendarLink(agent_id=agent.id, login=login)
    row.sealed_password = seal(password.encode(), public_key)
    row.linked_at = row.next_at = now
    row.leaving, row.error, row.failures = False, None, 0
    session.add(row)
    journal.write(session, journal.Action.CALENDAR_LINKED, now, agent=agent)


def unlink(session: Session, agent: Agent, now: datetime) -> None:
    """Forget the hours that came from the calendar at once; the worker takes our entries out of it."""
    row = session.get(CalendarLink, agent.id, with_for_update=True)
    if row is None or row.leaving:
        return
    _keep_busy(session, agent.id, {})
    row.leaving, row.next_at, row.error, row.failures = True, now, None, 0
    journal.write(session, journal.Action.CALENDAR_UNLINKED, now, agent=agent)


def of_agent(session: Session, agent_id: int) -> CalendarLink | None:
    """The link of an agent, one that is leaving included."""
    return session.get(CalendarLink, agent_id)


def sync_due(engine: Engine, settings: Settings, now: datetime) -> int:
    """Visit the calendars whose time has come, those that wait longest first; returns how many.

    One round at a time, whatever workers there are: a slow server keeps one of their hands, not all.
    """
    began, visited = monotonic(), 0
    with transaction(engine) as holding:
        if not holding.scalar(text("SELECT pg_try_advisory_xact_lock(hashtext('calendars: a round'))")):
            return 0
        for agent_id in _due(engine, settings, now):
            if monotonic() - began > ROUND_SECONDS:
                break
            visited += _sync(engine, settings, agent_id, now)
    return visited


def _due(engine: Engine, settings: Settings, now: datetime) -> Sequence[int]:
    with transaction(engine) as session:
        if not settings.caldav_url:
            session.execute(delete(CalendarLink).where(CalendarLink.leaving))
            return []
        return session.scalars(
            select(CalendarLink.agent_id)
            .join(Agent, Agent.id == CalendarLink.agent_id)
            .where(CalendarLink.next_at <= now, Agent.active | CalendarLink.leaving)
            .order_by(CalendarLink.next_at, CalendarLink.agent_id)
        ).all()


def _sync(engine: Engine, settings: Settings, agent_id: int, now: datetime) -> bool:
    """Visit the calendar of one agent; False when it is not due any more."""
    with transaction(engine) as session:
        link = session.get(CalendarLink, agent_id)
        if link is None or link.next_at is None or link.next_at > now:
            return False
        host = urlsplit(settings.portal_address).hostname or "localhost"
        shown = agent_calendar.appointments_shown(session, agent_id, host, now)
        entries = [entry for entry in shown if entry.stands]
    visit = _visit(settings, link, entries, now)
    with transaction(engine) as session:
        _note(session, link, visit, now)
    return True


@dataclass
class Visit:
    """What came of a visit. `busy` is None when the calendar could not be read."""

    busy: Busy | None = None
    trouble: Trouble | None = None


def _visit(settings: Settings, link: CalendarLink, entries: list[Shown], now: datetime) -> Visit:
    visit = Visit()
    try:
        password = unseal(link.sealed_password, settings.documents_private_key).decode()
        address = caldav.address_of(settings.caldav_url, link.login)
        with Collection(address, link.login, password) as collection:
            if link.leaving:
                _take_leave(collection)
                return visit
            collection.check()
            found = _read(collection, now)
            visit.busy = found.busy
            visit.trouble = None if found.all_read else Trouble.UNREADABLE
            visit.trouble = _write(collection, found, entries) or visit.trouble
    except CalendarServerError as error:
        visit.trouble = error.trouble
    except (pyrage.DecryptError, LoginError):
        visit.trouble = Trouble.SEALED
    except Exception as error:
        # Not its message: it may quote an event.
        logger.error("calendar of agent %s: %s", link.agent_id, type(error).__qualname__)
        visit.trouble = Trouble.UNEXPECTED
    return visit


def _read(collection: Collection, now: datetime) -> Found:
    """Our entries of the whole window; the busy hours from this morning on."""
    start, end = window(now)
    today = datetime.combine(now.astimezone(PARIS).date(), time(0), PARIS)
    found = Found()
    resources, began = collection.events(start, end), monotonic()
    for resource in resources:
        if monotonic() - began > READING_SECONDS:
            raise CalendarServerError(Trouble.TOO_LARGE)
        busy_elsewhere.read(found, resource.path, resource.content, today, end)
    return found


def _write(collection: Collection, found: Found, entries: Iterable[Shown]) -> Trouble | None:
    """Make our entries there those of our agenda. One that is refused does not keep the others."""
    wanted = {entry.uid: entry for entry in entries}
    acts = [partial(collection.remove, path) for uid, (path, _) in found.ours.items() if uid not in wanted]
    for uid, entry in wanted.items():
        path, event = found.ours.get(uid, (entry.file_name, None))
        if event is None or not _same(event, entry):
            acts.append(partial(collection.put, path, agent_calendar.as_resource(entry)))
    refused = None
    for act in acts:
        try:
            act()
        except CalendarServerError as error:
            if error.trouble is not Trouble.REFUSED:
                raise
            refused = error.trouble
    return refused


def _same(there: Event, entry: Shown) -> bool:
    """True when what stands there says the same: servers write the rest their own way."""
    ours = agent_calendar.as_event(entry)
    return all(_said(there, name) == _said(ours, name) for name in SAID)


def _said(event: Event, name: str) -> object:
    value = event.get(name)
    if isinstance(moment := getattr(value, "dt", None), datetime):
        return moment.astimezone(UTC)
    return str(value or "")


def _take_leave(collection: Collection) -> None:
    """Remove every entry of ours, whatever its date."""
    for path in collection.paths():
        if path.rsplit("/", 1)[-1].startswith(OUR_PREFIX):
            collection.remove(path)


def _note(session: Session, visited: CalendarLink, visit: Visit, now: datetime) -> None:
    """Write down what came of a visit, unless the agent changed their mind meanwhile."""
    row = session.get(CalendarLink, visited.agent_id, with_for_update=True)
    if row is None or (row.sealed_password, row.leaving) != (visited.sealed_password, visited.leaving):
        return
    failed = visit.trouble not in PASSING
    if row.leaving:
        if not failed or visit.trouble in HOPELESS or row.failures + 1 >= FAREWELL_TRIES:
            session.delete(row)
            return
    elif visit.busy is not None:
        _keep_busy(session, row.agent_id, visit.busy)
    row.error = visit.trouble
    row.failures = row.failures + 1 if failed else 0
    if not failed:
        row.synced_at = now
    pause = min(EVERY * 2 ** min(max(row.failures - 1, 0), 10), LONGEST_PAUSE)
    row.next_at = None if visit.trouble in HOPELESS else now + pause


def _keep_busy(session: Session, agent_id: int, busy: Busy) -> None:
    """Put these hours in the place of those the calendar gave before; hours of other origins stay."""
    theirs = (BusyTime.agent_id == agent_id) & BusyTime.source.startswith(SOURCE, autoescape=True)
    session.execute(delete(BusyTime).where(theirs, BusyTime.source.not_in(list(busy))))
    if not busy:
        return
    rows = insert(BusyTime).values(
        [{"agent_id": agent_id, "source": source, "during": during} for source, during in busy.items()]
    )
    session.execute(
        rows.on_conflict_do_update(
            index_elements=[BusyTime.agent_id, BusyTime.source],
            set_={"during": rows.excluded.during},
            where=BusyTime.during != rows.excluded.during,
        )
    )
