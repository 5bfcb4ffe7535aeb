"""Telling people by text message that their turn comes near, once, while they are away from the page."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from casework import delivery, telling
from casework.calling import line_up
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
from casework.waiting_room import Visit, VisitState, line

NEAR_AHEAD = 2
NEAR_MINUTES = 10
"""The turn is near with so few people ahead, or so little to wait."""


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
    link sealed with the visit, and a failure is tried again in a minute.

    Raises:
        DeliveryError: the provider did not take it.
    """
    visit = session.get(Visit, visit_id, with_for_update={"skip_locked": True}, populate_existing=True)
    if (
        visit is None
        or visit.text_number is None
        or visit.text_told_at
        or visit.state is not VisitState.WAITING
    ):
        return
    if visit.request_id:
        _notify(session, visit, visit.text_number, keys, now)
    elif settings.sms_url and not is_stopped(session, visit.text_number):
        _send(session, visit, visit.text_number, settings)
    visit.text_told_at = now
    visit.sealed_secret = None


def _notify(session: Session, visit: Visit, number: str, keys: SendingKeys, now: datetime) -> None:
    request = session.get_one(Request, visit.request_id)
    way = ContactWay(request_id=request.id, channel=Channel.SMS, value=number)
    subject = Subject(visit_id=visit.id)
    telling.tell(session, request, Template.TURN_NEAR, [way], keys, now, subject, visit.language)


def _send(session: Session, visit: Visit, number: str, settings: Settings) -> None:
    """The visit's own link, unsealed for the time of this message."""
    if visit.sealed_secret is None:
        return
    secret = unseal(visit.sealed_secret, settings.documents_private_key).decode()
    house = session.get_one(House, session.get_one(VirtualPermanence, visit.permanence_id).house_id)
    template = environment(visit.language).get_template("sms/turn_near.txt")
    link = f"{settings.portal_address}/{visit.language}/permanence/v/{secret}"
    words = plain(one_a_line(template.render(house=house, link=link, room=0).strip()))
    delivery.send_text(settings, number, words, str(visit.id))
