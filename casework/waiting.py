"""The waiting list: who asked to be told when an appointment that suits them comes up, in order."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from datetime import datetime, time
from uuid import UUID, uuid4

from sqlalchemy import ForeignKey, Index, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from casework.agenda import Mode
from casework.database import Base, one_of
from casework.requests import Request
from casework.slots import ALL_DAY


class Wish(enum.StrEnum):
    """Where it stands. `SERVED`: the person has an appointment that they took from an offer, or by themselves.
    `UNANSWERED`: several offers lapsed, and somebody should call."""

    WAITING = "waiting"
    SERVED = "served"
    WITHDRAWN = "withdrawn"
    UNANSWERED = "unanswered"


class WaitingEntry(Base):
    """What one waits for; one at most for a request. `hour_from`, `hour_to`: local, both included.

    `place_id` null: any. `whole_house`: with anybody of the house, not only whom the request would be given to.
    """

    __tablename__ = "waiting_entries"
    __table_args__ = (
        Index(
            "waiting_entries_one_idx", "request_id", unique=True, postgresql_where=text("state = 'waiting'")
        ),
        Index("waiting_entries_asked_at_idx", "asked_at", postgresql_where=text("state = 'waiting'")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    request_id: Mapped[UUID] = mapped_column(ForeignKey("requests.id"), index=True)
    kind_id: Mapped[str] = mapped_column(ForeignKey("kinds.id"))
    modes: Mapped[list[str]]
    place_id: Mapped[str | None] = mapped_column(ForeignKey("places.id"))
    hour_from: Mapped[time]
    hour_to: Mapped[time]
    whole_house: Mapped[bool]
    asked_at: Mapped[datetime]
    state: Mapped[Wish] = mapped_column(one_of(Wish))
    sooner_than: Mapped[datetime | None]
    """What was free when they asked began then at the soonest, and did not suit: only earlier ones are news."""


IN_ORDER = (Request.urgent.desc(), WaitingEntry.asked_at, WaitingEntry.id)
"""The urgent first, then who asked first."""

LISTED = (Wish.WAITING, Wish.UNANSWERED)


def wait(
    session: Session,
    request_id: UUID,
    kind_id: str,
    modes: Sequence[Mode],
    now: datetime,
    *,
    place_id: str | None = None,
    hours: tuple[time, time] = ALL_DAY,
    whole_house: bool = False,
    sooner_than: datetime | None = None,
) -> None:
    """Put a request on the waiting list; who waits already keeps their turn, who did not answer has a new one."""
    session.execute(
        update(WaitingEntry)
        .where(WaitingEntry.request_id == request_id, WaitingEntry.state == Wish.UNANSWERED)
        .values(state=Wish.WITHDRAWN)
    )
    session.execute(
        insert(WaitingEntry)
        .values(
            id=uuid4(),
            request_id=request_id,
            kind_id=kind_id,
            modes=[mode.value for mode in modes],
            place_id=place_id,
            hour_from=hours[0],
            hour_to=hours[1],
            whole_house=whole_house,
            asked_at=now,
            state=Wish.WAITING,
            sooner_than=sooner_than,
        )
        .on_conflict_do_nothing()
    )


def waits(session: Session, request_id: UUID) -> bool:
    """True while a request is on the waiting list."""
    found = select(WaitingEntry.id).where(
        WaitingEntry.request_id == request_id, WaitingEntry.state == Wish.WAITING
    )
    return session.scalar(found) is not None


def is_listed(session: Session, request_id: UUID) -> bool:
    """True while the house sees a request on its list: it waits, or is to be called."""
    found = select(WaitingEntry.id).where(
        WaitingEntry.request_id == request_id, WaitingEntry.state.in_(LISTED)
    )
    return session.scalar(found) is not None


def of_house(session: Session, house_id: str) -> list[tuple[WaitingEntry, Request]]:
    """Who waits for a slot of a house, with their request, in order; those who are to be called among them."""
    rows = session.execute(
        select(WaitingEntry, Request)
        .join(Request, Request.id == WaitingEntry.request_id)
        .where(WaitingEntry.state.in_(LISTED), Request.house_id == house_id)
        .order_by(*IN_ORDER)
    )
    return [(entry, request) for entry, request in rows]


def stop(session: Session, request_id: UUID, state: Wish) -> bool:
    """Take a request off the waiting list; False when it was not on it."""
    gone = session.execute(
        update(WaitingEntry)
        .where(WaitingEntry.request_id == request_id, WaitingEntry.state.in_(LISTED))
        .values(state=state)
        .returning(WaitingEntry.id)
    )
    return gone.first() is not None
