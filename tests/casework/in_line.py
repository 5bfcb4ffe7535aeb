"""A virtual permanence of Poitiers put by the back office, and people who come in by the portal's role."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from casework import access, calling, permanences, waiting_room
from casework.agents import Agent
from casework.database import transaction
from casework.permanences import Plan, VirtualPermanence, Weekly
from casework.talks import Talk
from casework.vocabulary import LANGUAGES
from casework.waiting_room import Coming, MyVisit, Visit, Wanted
from tests.casework.asking import Asked
from tests.conftest import PARIS, Database
from tests.people import NADIA, Character

OPENS, CLOSES = time(9), time(12)


@dataclass(frozen=True)
class Guest:
    """Somebody's browser: what opens their visit."""

    secret: str
    secret_hash: str


def set_up(database: Database, now: datetime, name: str = "Permanence de Poitiers", **changes: Any) -> UUID:
    """Nadia makes a permanence that receives today from nine to twelve."""
    plan: dict[str, Any] = {
        "languages": ["ar", "fa"],
        "with_appointment": True,
        "walk_in": True,
        "active": True,
    } | changes
    with transaction(database.backoffice) as session:
        nadia = session.get_one(Agent, NADIA.id)
        one = permanences.set_up(session, nadia, uuid4(), Plan(name=name, **plan), now)
        today = now.astimezone(PARIS).date()
        weekly = Weekly(today, today, frozenset({today.weekday()}), OPENS, CLOSES)
        permanences.add_times(session, nadia, one, weekly, now - timedelta(days=1))
        return one.id


def open_desk(database: Database, permanence_id: UUID, who: Character | int, now: datetime) -> None:
    """Somebody of the house receives from now on."""
    with transaction(database.backoffice) as session:
        agent = session.get_one(Agent, who if isinstance(who, int) else who.id)
        permanences.open_desk(session, agent, session.get_one(VirtualPermanence, permanence_id), now)


@contextmanager
def as_guest(database: Database, guest: Guest) -> Iterator[Session]:
    """A transaction of the portal with somebody's secret."""
    with (
        Session(database.portal, info={"secret_hash": guest.secret_hash}, expire_on_commit=False) as session,
        session.begin(),
    ):
        yield session


def guest_of(database: Database, asked: Asked | None = None) -> Guest:
    """A browser: a new one, or one that follows a request."""
    secret = asked.secret if asked else access.new_secret()
    return Guest(secret, access.link_hash(database.access_key, secret))


def come(
    database: Database, permanence_id: UUID, now: datetime, name: str = "Amina", *, asked: Asked | None = None,
    appointment_id: UUID | None = None, language: str = "fa", channel: Wanted = Wanted.TEXT,
) -> Guest:  # fmt: skip
    """Somebody comes into the waiting room."""
    guest = guest_of(database, asked)
    pages = language if language in LANGUAGES else "fr"
    coming = Coming(
        permanence_id, name, language, "housing", [], channel, appointment_id, page_language=pages
    )
    with as_guest(database, guest) as session:
        waiting_room.arrive(session, coming, now)
    return guest


def visit_of(database: Database, guest: Guest) -> MyVisit:
    """A visit as its person reads it."""
    with as_guest(database, guest) as session:
        found = waiting_room.mine(session)
    assert found
    return found


def seen(database: Database, guest: Guest, now: datetime) -> MyVisit:
    """Somebody's page gives a sign of life."""
    with as_guest(database, guest) as session:
        waiting_room.seen(session, now)
    return visit_of(database, guest)


def call_next(database: Database, who: Character | int, now: datetime) -> str:
    """Somebody calls the next person: their name, or nothing."""
    with transaction(database.backoffice) as session:
        agent = session.get_one(Agent, who if isinstance(who, int) else who.id)
        talk = calling.call_next(session, agent, now)
        return session.get_one(Visit, talk.visit_id).called_name if talk else ""


def talk_of(database: Database, guest: Guest) -> Talk:
    """The last talk of somebody's visit."""
    visit = visit_of(database, guest)
    with transaction(database.backoffice) as session:
        return session.scalars(
            select(Talk).where(Talk.visit_id == visit.id).order_by(Talk.called_at.desc())
        ).all()[0]


def row_of(database: Database, guest: Guest) -> Visit:
    """Somebody's visit as the back office reads it."""
    visit = visit_of(database, guest)
    with transaction(database.backoffice) as session:
        return session.get_one(Visit, visit.id)
