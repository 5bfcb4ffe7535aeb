"""The waiting room of a virtual permanence: coming in, one's place, the expected wait, leaving it.

A visit is one person, however many tabs. The portal writes it through database functions (migration 0012) that see
what the visit's own secret opens, or the secret of its request (design rule 4).
"""

from __future__ import annotations

import enum
from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from casework.database import Base, one_of
from casework.vocabulary import N_, Theme, Word


class Wanted(enum.StrEnum):
    """How the person wants to talk; each is as good as the others, and may be changed on the way."""

    VIDEO = "video"
    VOICE = "voice"
    TEXT = "text"


class VisitState(enum.StrEnum):
    """Where a person of the waiting room stands.

    `GONE`: no sign of life for too long, or called in vain; they may come back. The last three are over.
    """

    WAITING = "waiting"
    CALLED = "called"
    TALKING = "talking"
    ON_HOLD = "on_hold"
    GONE = "gone"
    ENDED = "ended"
    LEFT = "left"
    CALLBACK = "callback"


LIVE = "state IN ('waiting', 'called', 'talking', 'on_hold', 'gone')"


class Visit(Base):
    """One person who came into the waiting room. At least one of `link_hash` and `request_id` is there.

    `link_hash`: the keyed hash of the visit's own secret (`access.link_hash`), for who comes without a request.
    `due_at`: the hour of their appointment, or when a colleague handed them on. `meant_for`: the agent they wait for.
    """

    __tablename__ = "visits"
    __table_args__ = (
        Index(
            "visits_one_a_request_idx",
            "request_id",
            unique=True,
            postgresql_where=text(f"{LIVE} AND request_id IS NOT NULL"),
        ),
        Index("visits_live_idx", "permanence_id", postgresql_where=text(LIVE)),
        Index(
            "visits_callback_idx",
            "ended_at",
            postgresql_where=text("state = 'callback' AND request_id IS NULL"),
        ),
        CheckConstraint("link_hash IS NOT NULL OR request_id IS NOT NULL", name="opens"),
        CheckConstraint("NOT urgent OR urgency_reason <> ''", name="urgent"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    permanence_id: Mapped[UUID] = mapped_column(ForeignKey("virtual_permanences.id"))
    link_hash: Mapped[str | None] = mapped_column(unique=True)
    request_id: Mapped[UUID | None] = mapped_column(ForeignKey("requests.id"), index=True)
    appointment_id: Mapped[UUID | None] = mapped_column(ForeignKey("appointments.id"))
    called_name: Mapped[str]
    language: Mapped[str]
    theme: Mapped[Theme | None] = mapped_column(one_of(Theme))
    needs: Mapped[list[str]]
    channel: Mapped[Wanted] = mapped_column(one_of(Wanted))
    arrived_at: Mapped[datetime]
    due_at: Mapped[datetime | None]
    meant_for: Mapped[int | None] = mapped_column(ForeignKey("agents.id"))
    urgent: Mapped[bool]
    urgency_reason: Mapped[str]
    state: Mapped[VisitState] = mapped_column(one_of(VisitState))
    last_seen_at: Mapped[datetime]
    missed_at: Mapped[datetime | None]
    """When the person was called in vain; they are asked whether they are there."""
    promised_minutes: Mapped[int | None] = mapped_column(SmallInteger)
    """The wait the person was told when they came in, in minutes; null when nothing could be said."""
    text_number: Mapped[str | None]
    """E.164: where to say that the turn comes near. The place is kept without a sign of life then."""
    sealed_secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    """The visit's own secret for that message, sealed to the back office's key; null with a request."""
    text_told_at: Mapped[datetime | None]
    callback_number: Mapped[str | None]
    """E.164: where the person wants to be called back."""
    ended_at: Mapped[datetime | None]
    led_to: Mapped[UUID | None]
    """The draft that the person began after the talk; a request of that id once it is sent."""


CHANNELS_WANTED: dict[Wanted, Word] = {
    Wanted.VIDEO: Word(N_("Se voir et se parler"), "camera"),
    Wanted.VOICE: Word(N_("Se parler, sans image"), "phone"),
    Wanted.TEXT: Word(N_("S'écrire seulement"), "message"),
}
