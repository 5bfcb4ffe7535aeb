"""Group sessions put by the back office, and who is in them: for the stories of several faces."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from uuid import UUID, uuid4

from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import Range

from casework import sessions
from casework.agents import Agent
from casework.database import transaction
from casework.sessions import GroupSession, Plan
from casework.sign_ups import SignUp
from tests.conftest import PARIS, Database
from tests.people import LOUISE, NADIA, Character

THURSDAY = date(2026, 11, 12)


def between(day: date, start: time, end: time) -> Range[datetime]:
    """Two hours of Paris on a day."""
    first, last = (datetime.combine(day, hour, PARIS).astimezone(UTC) for hour in (start, end))
    return Range(first, last, bounds="[)")


def plan(
    day: date = THURSDAY,
    *,
    seats: int = 20,
    start: time = time(14),
    end: time = time(16),
    who: Character = LOUISE,
    place: str = "mds-poitiers",
    title: str = "Comprendre mes factures",
    public: bool = True,
) -> Plan:
    """Two hours with Louise at the house, a Thursday of next week."""
    return Plan(
        place_id=place, led_by=who.id, title=title, words="Venez avec vos factures. Nous les lisons ensemble.",
        during=between(day, start, end), seats=seats, languages=["fr", "ar"], open_to_citizens=public,
    )  # fmt: skip


def gather(database: Database, now: datetime, wanted: Plan | None = None, by: Character = NADIA) -> UUID:
    """Somebody of the house makes a session; returns its id."""
    with transaction(database.backoffice) as session:
        return sessions.make(session, session.get_one(Agent, by.id), uuid4(), wanted or plan(), now).id


def held(database: Database, session_id: UUID) -> GroupSession:
    """A session as it stands."""
    with transaction(database.backoffice) as session:
        return session.get_one(GroupSession, session_id)


def everybody(database: Database, session_id: UUID) -> list[SignUp]:
    """Everybody of a session, those who cancelled included, in order."""
    with transaction(database.backoffice) as session:
        return list(
            session.scalars(select(SignUp).where(SignUp.session_id == session_id).order_by(SignUp.turn))
        )


def seats_of(database: Database, session_id: UUID) -> list[int]:
    """The seats that are taken, in order."""
    return sorted(one.seat for one in everybody(database, session_id) if one.seat)


def is_sound(database: Database, session_id: UUID) -> None:
    """No seat twice, as many seats as said, and nobody waits who fits in the free ones."""
    with transaction(database.owner) as session:
        one = session.get_one(GroupSession, session_id)
        rows = session.scalar(
            text("SELECT count(*) FROM session_seats WHERE session_id = :id"), {"id": session_id}
        )
        assert rows == one.seats
    people = everybody(database, session_id)
    taken = [person.seat for person in people if person.seat]
    assert len(set(taken)) == len(taken) <= one.seats
    waiting: dict[tuple[UUID, UUID], int] = {}
    for person in people:
        if person.state == "waiting":
            group = (person.request_id, person.group_id)
            waiting[group] = waiting.get(group, 0) + 1
    assert all(size > one.seats - len(taken) for size in waiting.values())
