"""The kiosks of the houses: touch screens that many people use, one after the other.

A kiosk is a browser that was opened once with a key of 128 bits. Only the keyed hash of the key is stored; removing
the row stops the kiosk at its next page. Somebody at a kiosk can call the reception: the house's queue shows it.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import ForeignKey, Index, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from casework import journal
from casework.agents import Agent
from casework.database import Base
from casework.territory import House

LONGEST_NAME = 60
CALL_LASTS = timedelta(minutes=15)
"""Nobody went: who called has left, or was helped otherwise."""


class Kiosk(Base):
    """A browser of a house that stands where people come in."""

    __tablename__ = "kiosks"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    house_id: Mapped[str] = mapped_column(ForeignKey("houses.id"), index=True)
    name: Mapped[str]
    """Where it stands, for agents: `Entrée`."""
    key_hash: Mapped[str] = mapped_column(unique=True)
    made_at: Mapped[datetime]


class KioskCall(Base):
    """Somebody at a kiosk who asks for help, until a secretary has seen it."""

    __tablename__ = "kiosk_calls"
    __table_args__ = (
        Index("kiosk_calls_waiting_idx", "kiosk_id", unique=True, postgresql_where=text("seen_at IS NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=text("gen_random_uuid()"))
    kiosk_id: Mapped[UUID] = mapped_column(ForeignKey("kiosks.id", ondelete="CASCADE"), index=True)
    at: Mapped[datetime]
    seen_at: Mapped[datetime | None]
    seen_by: Mapped[int | None] = mapped_column(ForeignKey("agents.id"))


class AlreadyMadeError(Exception):
    """That form made a kiosk before: its key is kept nowhere, and cannot be shown again."""


class NoHouseError(Exception):
    """No house has that id; `known` lists those that are."""

    def __init__(self, known: list[str]) -> None:
        super().__init__(", ".join(known))
        self.known = known


@dataclass(frozen=True)
class Standing:
    """What the portal may know of a kiosk: which one it is, and in whose house it stands."""

    id: UUID
    house_id: str


@dataclass(frozen=True)
class Waiting:
    """Somebody who waits at a kiosk, as the queue shows them."""

    id: UUID
    kiosk: str
    at: datetime


def key_hash(access_key: str, key: str) -> str:
    """The keyed hash under which a kiosk is stored."""
    return hmac.new(access_key.encode(), f"kiosk\0{key}".encode(), hashlib.sha256).hexdigest()


def make(
    session: Session,
    access_key: str,
    house_id: str,
    name: str,
    now: datetime,
    agent: Agent | None = None,
    submission: UUID | None = None,
) -> str:
    """Let a browser of a house become a kiosk; returns the key to open it with, which is kept nowhere.

    `submission`: the same form twice is one kiosk.

    Raises:
        NoHouseError: no house has that id.
        AlreadyMadeError: that form made one before.
    """
    if session.get(House, house_id) is None:
        raise NoHouseError(list(session.scalars(select(House.id).order_by(House.id))))
    key = secrets.token_urlsafe(16)
    one = {
        "id": submission or uuid4(),
        "house_id": house_id,
        "name": name[:LONGEST_NAME],
        "key_hash": key_hash(access_key, key),
        "made_at": now,
    }
    if session.scalar(insert(Kiosk).values(one).on_conflict_do_nothing().returning(Kiosk.id)) is None:
        raise AlreadyMadeError
    journal.write(session, journal.Action.KIOSK_SET, now, agent=agent, kiosk=name[:LONGEST_NAME])
    return key


def remove(session: Session, agent: Agent, kiosk_id: UUID, now: datetime) -> bool:
    """Stop a kiosk of the agent's house; False when the house has no such kiosk."""
    kiosk = session.get(Kiosk, kiosk_id)
    if kiosk is None or kiosk.house_id != agent.house_id:
        return False
    journal.write(session, journal.Action.KIOSK_REMOVED, now, agent=agent, kiosk=kiosk.name)
    session.delete(kiosk)
    session.flush()
    return True


def of_house(session: Session, house_id: str) -> list[Kiosk]:
    """The kiosks of a house, by name."""
    return list(
        session.scalars(select(Kiosk).where(Kiosk.house_id == house_id).order_by(Kiosk.name, Kiosk.id))
    )


def standing(session: Session, hashed: str) -> Standing | None:
    """The kiosk whose key has that keyed hash; None once it is removed. All that the portal may ask."""
    found = session.execute(select(text("id, house_id")).select_from(func.kiosk_of(hashed))).first()
    return Standing(found.id, found.house_id) if found else None


def call_reception(session: Session, hashed: str, now: datetime) -> bool:
    """Tell the house that somebody at the kiosk needs help; again, it is one call, as late as the last.

    False when there is no such kiosk.
    """
    called: bool = session.execute(select(func.call_reception(hashed, now))).scalar_one()
    return called


def end_call(session: Session, hashed: str) -> None:
    """Whoever called from the kiosk is not there any more."""
    session.execute(select(func.end_kiosk_call(hashed)))


def waiting(session: Session, house_id: str, now: datetime) -> list[Waiting]:
    """Who waits for help at the kiosks of a house, the first who asked first; a call is over after a while."""
    query = (
        select(KioskCall.id, Kiosk.name, KioskCall.at)
        .join(Kiosk, Kiosk.id == KioskCall.kiosk_id)
        .where(Kiosk.house_id == house_id, KioskCall.seen_at.is_(None), KioskCall.at > now - CALL_LASTS)
        .order_by(KioskCall.at, KioskCall.id)
    )
    return [Waiting(*row) for row in session.execute(query)]


def see(session: Session, agent: Agent, call_id: UUID, now: datetime) -> bool:
    """Somebody of the house goes to the kiosk; twice is once. False when it is no call of their house."""
    call = session.get(KioskCall, call_id, with_for_update=True)
    if call is None or session.get_one(Kiosk, call.kiosk_id).house_id != agent.house_id:
        return False
    if call.seen_at is None:
        call.seen_at, call.seen_by = now, agent.id
    return True
