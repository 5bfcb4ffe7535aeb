"""People at risk: how one may be told things, decided by an agent in the request, with a reason.

`people.may_reach` keeps the rule wherever something leaves. Pages and agendas stay as they are.
"""

from __future__ import annotations

from datetime import datetime
from uuid import uuid4

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from casework import journal
from casework.agents import Agent
from casework.notifications import Delivery, Notification
from casework.people import ContactWay, UnreachableError, can_get_texts, may_reach, read_email, read_phone
from casework.requests import Request
from casework.triage import NotAllowedError, ReasonMissingError, may_see
from casework.vocabulary import Channel, ContactRule

NOT_LEFT = (Delivery.PENDING, Delivery.BY_HAND, Delivery.FAILED, Delivery.STOPPED)
"""What may still be sent, or said by telephone."""


def set_rule(
    session: Session,
    agent: Agent,
    request: Request,
    rule: ContactRule,
    contact: str,
    why: str,
    now: datetime,
) -> None:
    """Say how a person may be told things; what waits to leave and no longer may is dropped.

    `contact`, for another contact: a mobile number or an e-mail address, as typed. The request comes locked at the
    version the agent saw (`requests.locked`).

    Raises:
        NotAllowedError: another house's request.
        ReasonMissingError: no word of why.
        UnreachableError: the contact is neither a number that gets text messages nor an e-mail address.
    """
    if not may_see(agent, request):
        raise NotAllowedError
    if not why.strip():
        raise ReasonMissingError
    safe = _read(contact) if rule is ContactRule.OTHER else None
    session.execute(delete(ContactWay).where(ContactWay.request_id == request.id, ContactWay.safe))
    if safe:
        channel, value = safe
        session.add(
            ContactWay(
                id=uuid4(), request_id=request.id, channel=channel, value=value, call_time=None, safe=True
            )
        )
    before, request.contact_rule = request.contact_rule, rule
    session.flush()
    _drop_forbidden(session, request)
    journal.write(
        session, journal.Action.CONTACT_RULE_SET, now, request_id=request.id, agent=agent, before=before.value,
        rule=rule.value, reason=why.strip(),
    )  # fmt: skip


def safe_contact(session: Session, request: Request) -> ContactWay | None:
    """The only contact to be used, where there is one."""
    return session.scalar(
        select(ContactWay).where(ContactWay.request_id == request.id, ContactWay.safe).limit(1)
    )


def _read(typed: str) -> tuple[Channel, str]:
    """The channel and the value of a contact.

    Raises:
        UnreachableError: no mail nor text message could get there.
    """
    if "@" in typed:
        return Channel.EMAIL, read_email(typed)
    number = read_phone(typed)
    if not can_get_texts(number):
        raise UnreachableError
    return Channel.SMS, number


def _drop_forbidden(session: Session, request: Request) -> None:
    known = set(session.scalars(select(ContactWay.value).where(ContactWay.request_id == request.id)))
    waiting = select(Notification).where(
        Notification.request_id == request.id, Notification.state.in_(NOT_LEFT)
    )
    for notification in session.scalars(waiting.with_for_update()).all():
        recipient = notification.recipient
        if recipient not in known or not may_reach(session, request.id, recipient):
            session.delete(notification)
    session.flush()
