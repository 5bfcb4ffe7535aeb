"""What the service tells people outside the portal: a row a message, with a state, sent by the worker.

A message never carries the reason of a request. The secret of a link is sealed to the back office's key: the
portal that wrote the row cannot read it back, and it is dropped once sent.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from casework.database import Base, defer, one_of
from casework.documents import seal
from casework.people import ContactWay, may_reach
from casework.vocabulary import N_, Channel

BACK_OFF = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 240))
"""How long to wait after each failed attempt; after the last one, an agent is told."""
MOST_ATTEMPTS = len(BACK_OFF) + 1


class Template(enum.StrEnum):
    """Which words: `templates/mail/<name>.txt`, `templates/sms/<name>.txt`."""

    RECEIPT = "receipt"
    NEW_MESSAGE = "new_message"
    LINK = "link"
    APPOINTMENT_BOOKED = "appointment_booked"
    APPOINTMENT_MOVED = "appointment_moved"
    APPOINTMENT_CANCELLED = "appointment_cancelled"
    APPOINTMENT_REMINDER = "appointment_reminder"
    SESSION_SIGNED = "session_signed"
    SESSION_SEAT = "session_seat"
    SESSION_MOVED = "session_moved"
    SESSION_REMINDER = "session_reminder"
    SESSION_CANCELLED = "session_cancelled"
    CANCEL_QUESTION = "cancel_question"
    TEXTS_STOPPED = "texts_stopped"
    APPOINTMENT_OFFERED = "appointment_offered"
    APPOINTMENT_MISSED = "appointment_missed"
    TURN_NEAR = "turn_near"
    TALK_SUMMARY = "talk_summary"


class Delivery(enum.StrEnum):
    """Where a message stands. `SHOWN`: the demonstration shows it to agents, nothing leaves.
    `BY_HAND`: a letter or a call, which an agent does. `STOPPED`: that number wants no text message any more."""

    PENDING = "pending"
    SENT = "sent"
    FAILED = "failed"
    SHOWN = "shown"
    BY_HAND = "by_hand"
    DONE = "done"
    STOPPED = "stopped"


DELIVERIES: dict[Delivery, str] = {
    Delivery.PENDING: N_("en attente"),
    Delivery.SENT: N_("envoyé"),
    Delivery.FAILED: N_("échoué"),
    Delivery.SHOWN: N_("montré ici, pas envoyé"),
    Delivery.BY_HAND: N_("à faire à la main"),
    Delivery.DONE: N_("fait à la main"),
    Delivery.STOPPED: N_("pas envoyé : la personne ne veut plus de SMS"),
}
"""What agents read of a message's state."""


class Notification(Base):
    """One message to one person by one channel."""

    __tablename__ = "notifications"
    __table_args__ = (
        Index("notifications_due_idx", "next_attempt_at", postgresql_where=text("state = 'pending'")),
        Index("notifications_created_at_idx", "created_at"),
        Index(
            "notifications_not_delivered_idx",
            "request_id",
            postgresql_where=text("state IN ('failed', 'stopped', 'by_hand')"),
        ),
        Index(
            "notifications_offer_id_idx",
            "offer_id",
            postgresql_where=text("state IN ('pending', 'by_hand') AND offer_id IS NOT NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    request_id: Mapped[UUID] = mapped_column(ForeignKey("requests.id"), index=True)
    appointment_id: Mapped[UUID | None] = mapped_column(ForeignKey("appointments.id"), index=True)
    """Which appointment it speaks of; null for the others."""
    sign_up_id: Mapped[UUID | None] = mapped_column(ForeignKey("sign_ups.id"), index=True)
    """Which sign-up to a group session it speaks of, the first of those made together; null for the others."""
    offer_id: Mapped[UUID | None] = mapped_column(ForeignKey("slot_offers.id"))
    """Which offer of a slot it speaks of; null for the others."""
    visit_id: Mapped[UUID | None] = mapped_column(ForeignKey("visits.id"), index=True)
    """Which visit of a virtual permanence it speaks of; null for the others."""
    template: Mapped[Template] = mapped_column(one_of(Template))
    channel: Mapped[Channel] = mapped_column(one_of(Channel))
    recipient: Mapped[str]
    language: Mapped[str]
    sealed_secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    """The secret of the link, encrypted to the back office's key; null once the message has left."""
    state: Mapped[Delivery] = mapped_column(one_of(Delivery), default=Delivery.PENDING)
    attempts: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    next_attempt_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    error: Mapped[str] = mapped_column(default="")


@dataclass(frozen=True)
class Subject:
    """What, in a request, a message speaks of: at most one of these, as `Notification` says."""

    appointment_id: UUID | None = None
    sign_up_id: UUID | None = None
    offer_id: UUID | None = None
    visit_id: UUID | None = None


NOTHING_ELSE = Subject()
"""The request itself."""


class LostLink(Base):
    """Somebody says they lost their link.

    The portal only writes it down; the worker looks for the request and sends the link to the known contact,
    so that the page cannot tell a stranger whether it exists. The contact is blanked once done.
    """

    __tablename__ = "lost_links"
    __table_args__ = (Index("lost_links_to_do_idx", "asked_at", postgresql_where=text("done_at IS NULL")),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    contact: Mapped[str]
    language: Mapped[str]
    asked_at: Mapped[datetime]
    done_at: Mapped[datetime | None]


def notify(
    session: Session,
    template: Template,
    request_id: UUID,
    language: str,
    way: ContactWay,
    secret: str,
    public_key: str,
    now: datetime,
    subject: Subject = NOTHING_ELSE,
) -> None:
    """Have the worker tell a person something, once this transaction is committed.

    A visit needs no message; a person at risk gets none but as the rule of their request allows.
    """
    if way.channel is Channel.VISIT or not may_reach(session, request_id, way.value):
        return
    notification = notification_for(template, request_id, language, way, secret, public_key, now, subject)
    session.add(notification)
    session.flush()
    defer_sending(session, notification)


def defer_sending(session: Session, notification: Notification) -> None:
    """Ask the worker to send a notification that was just put in, unless it waits for an agent's hand."""
    if notification.state is Delivery.PENDING:
        defer(session, "send_notification", notification.id)


def notification_for(
    template: Template,
    request_id: UUID,
    language: str,
    way: ContactWay,
    secret: str,
    public_key: str,
    now: datetime,
    subject: Subject = NOTHING_ELSE,
) -> Notification:
    """The row that tells a person something by one of their ways, a visit excepted.

    `secret` is the link's; it leaves this function sealed. Letters and calls wait for an agent's hand.
    """
    by_hand = way.channel in {Channel.LETTER, Channel.CALL}
    return Notification(
        id=uuid4(),
        request_id=request_id,
        appointment_id=subject.appointment_id,
        sign_up_id=subject.sign_up_id,
        offer_id=subject.offer_id,
        visit_id=subject.visit_id,
        template=template,
        channel=way.channel,
        recipient=way.value,
        language=language,
        sealed_secret=seal(secret.encode(), public_key),
        state=Delivery.BY_HAND if by_hand else Delivery.PENDING,
        attempts=0,
        created_at=now,
        next_attempt_at=now,
        error="",
    )


def lose_link(session: Session, contact: str, language: str, now: datetime) -> None:
    """Write down that somebody with this contact (E.164 or e-mail) lost their link; the worker sees to it."""
    lost = LostLink(id=uuid4(), contact=contact, language=language, asked_at=now, done_at=None)
    session.add(lost)
    session.flush()
    defer(session, "renew_link", lost.id)
