"""Sending a lost link again, to the contact already known, so that a stranger learns nothing.

Whatever is found, the page that was asked says the same; only the worker looks, and what it sends goes to the
number or the address that the person gave with their request.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, or_, select, text
from sqlalchemy.orm import Session

from casework import journal
from casework.notifications import LostLink, Notification, Template
from casework.people import ContactWay, can_get_texts, may_reach
from casework.requests import Request, SendingKeys
from casework.telling import tell
from casework.vocabulary import Channel, State

MOST_REQUESTS = 3
MOST_RENEWALS_A_DAY = 3
STILL_FOLLOWED = timedelta(days=60)
"""How long after its end a request can still be opened again by its person."""


def renew(session: Session, lost_id: UUID, keys: SendingKeys, now: datetime) -> None:
    """See to one lost link: a fresh one for each of the contact's latest requests, or nothing.

    The contact is forgotten at once: it may be a stranger's.
    """
    lost = session.scalar(
        select(LostLink)
        .where(LostLink.id == lost_id, LostLink.done_at.is_(None))
        .with_for_update(skip_locked=True)
    )
    if lost is None:
        return
    session.execute(
        text("SELECT pg_advisory_xact_lock(hashtext('renew ' || :contact))"), {"contact": lost.contact}
    )
    if _renewals_today(session, lost.contact, now) < MOST_RENEWALS_A_DAY:
        for request in _requests_of(session, lost.contact, now):
            _send_again(session, request, lost, keys, now)
    lost.done_at = now
    lost.contact = ""


def _renewals_today(session: Session, contact: str, now: datetime) -> int:
    """How often links went to this contact in the last 24 hours; those of one renewal share their time."""
    return (
        session.scalar(
            select(func.count(func.distinct(Notification.created_at))).where(
                Notification.created_at > now - timedelta(days=1),
                Notification.template == Template.LINK,
                Notification.recipient == contact,
            )
        )
        or 0
    )


def _requests_of(session: Session, contact: str, now: datetime) -> list[Request]:
    """Open or lately closed requests whose person gave this contact, newest first."""
    of_contact = select(ContactWay.request_id).where(
        ContactWay.value == contact, ContactWay.channel.in_([Channel.SMS, Channel.EMAIL, Channel.CALL])
    )
    return list(
        session.scalars(
            select(Request)
            .where(
                Request.id.in_(of_contact),
                or_(Request.state != State.CLOSED, Request.closed_at > now - STILL_FOLLOWED),
            )
            .order_by(Request.received_at.desc(), Request.id)
            .limit(MOST_REQUESTS)
        )
    )


def _send_again(session: Session, request: Request, lost: LostLink, keys: SendingKeys, now: datetime) -> None:
    if not may_reach(session, request.id, lost.contact):
        return
    way = ContactWay(request_id=request.id, channel=_channel(lost.contact), value=lost.contact)
    tell(session, request, Template.LINK, [way], keys, now, language=lost.language)
    journal.write(
        session, journal.Action.LINK_RENEWED, now, request_id=request.id, channel=way.channel.value
    )  # fmt: skip


def _channel(contact: str) -> Channel:
    """By mail to an address, by text to a number; a fixed line gets a call from an agent."""
    if "@" in contact:
        return Channel.EMAIL
    return Channel.SMS if can_get_texts(contact) else Channel.CALL
