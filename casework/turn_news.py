"""Telling people by text message that their turn comes near, once, while they are away from the page."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from casework import delivery, telling
from casework.calling import line_up
from casework.closing_time import call_instead, can_call
from casework.delivery import DeliveryError, PermanentFailureError
from casework.documents import unseal
from casework.expected_wait import Line, expected
from casework.notifications import Subject, Template
from casework.people import ContactWay, is_stopped
from casework.permanences import VirtualPermanence
from casework.requests import Request, SendingKeys
from casework.segments import plain
from casework.settings import Settings
from casework.territory import House
from casework.translation import environment, one_a_line
from casework.vocabulary import Channel
from casework.waiting_room import HERE, Visit, VisitState, line, written_language

NEAR_AHEAD = 2
NEAR_MINUTES = 10
"""The turn is near with so few people ahead, or so little to wait."""
PATIENCE = timedelta(minutes=5)
"""So long a text message without a request is tried again: later, the turn is there."""

logger = logging.getLogger(__name__)


def near(session: Session, now: datetime, most: int) -> list[UUID]:
    """Visits of people who asked to be told and whose turn comes near, at a permanence where somebody receives."""
    asked = select(Visit.permanence_id).where(
        Visit.state == VisitState.WAITING, Visit.text_number.is_not(None), Visit.text_told_at.is_(None)
    )
    found: list[UUID] = []
    for permanence_id in session.scalars(asked.distinct()).all():
        whole = line(session, permanence_id, now)
        for ahead, visit in enumerate(line_up(session, permanence_id, now)):
            if visit.text_number is None or visit.text_told_at is not None:
                continue
            wait = expected(Line(ahead, whole.desks, whole.ongoing, whole.lately))
            if wait and (ahead <= NEAR_AHEAD or wait.low <= NEAR_MINUTES):
                found.append(visit.id)
    return found[:most]


def tell(session: Session, visit_id: UUID, settings: Settings, keys: SendingKeys, now: datetime) -> None:
    """Tell one person that their turn comes near; once.

    Who follows a request gets a message like any other, kept and tried again; else the text leaves at once, by the
    link sealed with the visit, and is tried again each minute for `PATIENCE`. Whom no text reaches is called back by
    an agent; whose page is open is told nothing untrue there, and waits on.
    """
    visit = session.get(Visit, visit_id, with_for_update={"skip_locked": True}, populate_existing=True)
    if (
        visit is None
        or visit.text_number is None
        or visit.text_told_at
        or visit.state is not VisitState.WAITING
    ):
        return
    number = visit.text_number
    trial = not (settings.sms_url or settings.smtp_url)  # nothing leaves: their place is kept, agents see it
    if trial and visit.request_id is None:
        return
    if (not settings.sms_url and not trial) or is_stopped(session, number):
        _say_otherwise(session, visit, now)
    elif visit.request_id:
        _notify(session, visit, number, keys, now)
        _told(visit, now)
    elif visit.sealed_secret is None:
        _say_otherwise(session, visit, now)
    else:
        _try(session, visit, number, visit.sealed_secret, settings, now)


def _try(
    session: Session, visit: Visit, number: str, sealed: bytes, settings: Settings, now: datetime
) -> None:
    try:
        _send(session, visit, number, sealed, settings)
    except DeliveryError as failure:
        logger.warning("visit %s is not told yet: %s", visit.id, failure.cause)
        visit.text_tried_at = visit.text_tried_at or now
        if isinstance(failure, PermanentFailureError) or now - visit.text_tried_at >= PATIENCE:
            _say_otherwise(session, visit, now)
    else:
        _told(visit, now)


def _told(visit: Visit, now: datetime) -> None:
    visit.text_told_at, visit.sealed_secret = now, None


def _say_otherwise(session: Session, visit: Visit, now: datetime) -> None:
    """No text message reaches this person: their open page goes on saying their place; away, they are called back."""
    if visit.last_seen_at >= now - HERE or not can_call(session, visit):
        visit.text_number = visit.sealed_secret = None
    else:
        call_instead(session, visit, now)


def _notify(session: Session, visit: Visit, number: str, keys: SendingKeys, now: datetime) -> None:
    request = session.get_one(Request, visit.request_id)
    way = ContactWay(request_id=request.id, channel=Channel.SMS, value=number)
    subject = Subject(visit_id=visit.id)
    words = written_language(visit, request.language)
    telling.tell(session, request, Template.TURN_NEAR, [way], keys, now, subject, words)


def _send(session: Session, visit: Visit, number: str, sealed: bytes, settings: Settings) -> None:
    """The visit's own link, unsealed for the time of this message."""
    secret = unseal(sealed, settings.documents_private_key).decode()
    house = session.get_one(House, session.get_one(VirtualPermanence, visit.permanence_id).house_id)
    reads = written_language(visit, None)
    template = environment(reads).get_template("sms/turn_near.txt")
    link = f"{settings.portal_address}/{reads}/permanence/v/{secret}"
    words = plain(one_a_line(template.render(house=house, link=link, room=0).strip()))
    delivery.send_text(settings, number, words, str(visit.id))
