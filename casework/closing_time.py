"""Nobody is left behind: places that are lost, people still waiting when a permanence closes, calls back.

The worker looks each minute. Who still waits when the last desk is closed and the time is over is called back, if we
know where; the page asks the others for a number, or leads them to a request.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import exists, func, or_, select, text, update
from sqlalchemy.orm import Session

from casework import access, journal
from casework.access import AccessKey, KeyKind
from casework.agents import Agent
from casework.appointments import Appointment
from casework.calling import NotWaitingError
from casework.journal import Action
from casework.people import ContactWay
from casework.permanences import PermanenceDesk, PermanenceTime, VirtualPermanence
from casework.requests import Request, promise
from casework.territory import fold
from casework.vocabulary import CallTime, Channel, ContactRule, State, Theme, Urgency
from casework.waiting_room import Visit, VisitState, keeps_place, written_language

LEFT_A_KIOSK = (
    Visit.state == VisitState.GONE,
    Visit.left_kiosk_at.is_not(None),
    Visit.carried_at.is_(None),
)
"""They were called, their screen was wiped, and no other browser shows their visit."""


def note_gone(session: Session, now: datetime) -> None:
    """Who gave no sign of life for five minutes is gone; their page takes them back in, last in the line."""
    session.execute(
        update(Visit)
        .where(
            Visit.state == VisitState.WAITING,
            ~keeps_place(now),
        )
        .values(state=VisitState.GONE)
        .execution_options(synchronize_session=False)
    )


def left_over(session: Session, now: datetime, most: int) -> list[UUID]:
    """Visits of people who wait where nobody receives any more: the time is over, every desk is closed, and so is
    the hour of their appointment."""
    receiving = exists().where(
        PermanenceTime.permanence_id == Visit.permanence_id, PermanenceTime.during.contains(now)
    )
    at_desk = exists().where(
        PermanenceDesk.permanence_id == Visit.permanence_id,
        PermanenceDesk.closed_at.is_(None),
        or_(
            PermanenceDesk.agent_id == Visit.meant_for,
            ~func.desk_is_guest(PermanenceDesk.agent_id, Visit.permanence_id),
        ),
    )
    to_come = exists().where(Appointment.id == Visit.appointment_id, func.upper(Appointment.during) > now)
    return list(
        session.scalars(
            select(Visit.id)
            .where(Visit.state.in_([VisitState.WAITING, VisitState.GONE]), ~receiving, ~at_desk, ~to_come)
            .limit(most)
        )
    )


def see_off(session: Session, visit_id: UUID, now: datetime) -> None:
    """Have somebody who still waits at closing time called back, where we know a number; else leave it to their page.

    Who follows a request is called at what they gave with it; who asked for a text message, at that number.
    """
    visit = session.get(Visit, visit_id, with_for_update={"skip_locked": True}, populate_existing=True)
    if visit is None or visit.state not in {VisitState.WAITING, VisitState.GONE}:
        return
    _end(session, visit, now, call=can_call(session, visit), at_closing=True)


def call_instead(session: Session, visit: Visit, now: datetime) -> None:
    """Have somebody called back whom no text message reaches to say that their turn comes near."""
    _end(session, visit, now, call=True, no_text=True)


def can_call(session: Session, visit: Visit) -> bool:
    """A number is known at which the person may be called: the one for their text message, or their request's."""
    if visit.request_id:
        rule = session.scalar(select(Request.contact_rule).where(Request.id == visit.request_id))
        return rule is not ContactRule.NONE
    return visit.text_number is not None


def left_kiosks(session: Session, permanence_id: UUID) -> list[Visit]:
    """Who was called in vain while the kiosk where they waited was wiped, and has not come back, the first first."""
    return list(
        session.scalars(
            select(Visit)
            .where(Visit.permanence_id == permanence_id, *LEFT_A_KIOSK)
            .order_by(Visit.left_kiosk_at, Visit.id)
        )
    )


def settle(session: Session, agent: Agent, visit_id: UUID, now: datetime, *, call: bool) -> None:
    """Somebody who left the kiosk is called back, or was found otherwise: they are not looked for any more.

    Raises:
        NotWaitingError: a colleague was quicker, or they came back; or there is no number to call.
    """
    visit = session.scalar(
        select(Visit)
        .where(Visit.id == visit_id, *LEFT_A_KIOSK)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if visit is None or (call and not can_call(session, visit)):
        raise NotWaitingError
    _end(session, visit, now, call=call, agent=agent)


def _end(
    session: Session, visit: Visit, now: datetime, *, call: bool, agent: Agent | None = None, **details: bool
) -> None:
    visit.state = VisitState.CALLBACK if call else VisitState.LEFT
    visit.callback_number = visit.text_number if call else None
    visit.ended_at, visit.text_number, visit.sealed_secret = now, None, None
    action = Action.CALLBACK_ASKED if call else Action.VISIT_LEFT
    journal.write(
        session, action, now, request_id=visit.request_id, agent=agent, visit=str(visit.id), **details
    )


def without_request(session: Session, most: int) -> list[UUID]:
    """Visits of people who wait for a call and have no request yet, the first first."""
    return list(
        session.scalars(
            select(Visit.id)
            .where(Visit.state == VisitState.CALLBACK, Visit.request_id.is_(None))
            .order_by(Visit.ended_at)
            .limit(most)
        )
    )


def make_request(session: Session, visit_id: UUID, working_days: int, now: datetime) -> None:
    """Make the request of somebody who wants to be called back; the visit's own link opens it from now on."""
    visit = session.get(Visit, visit_id, with_for_update={"skip_locked": True}, populate_existing=True)
    if visit is None or visit.request_id or visit.callback_number is None or visit.link_hash is None:
        return
    house_id = session.get_one(VirtualPermanence, visit.permanence_id).house_id
    request = Request(
        id=visit.id, number=access.new_number(), language=written_language(visit, None), state=State.RECEIVED,
        received_at=now, promised_by=promise(now, working_days), themes=[visit.theme or Theme.OTHER],
        urgency=Urgency.NONE,
        urgent=visit.urgent, urgency_reason=visit.urgency_reason, words="", commune_code=None, place_typed="",
        house_id=house_id, sector_id=None, name=visit.called_name, name_folded=fold(visit.called_name),
        spoken_language=visit.language, needs=visit.needs, contact_rule=ContactRule.USUAL, missing="",
        route_reason="", handler="", version=1,
    )  # fmt: skip
    session.add(request)
    session.flush()
    session.add(
        ContactWay(
            request_id=request.id, channel=Channel.CALL, value=visit.callback_number, call_time=CallTime.ANY
        )
    )
    session.add(
        AccessKey(
            hash=visit.link_hash, request_id=request.id, kind=KeyKind.LINK, created_at=visit.ended_at or now
        )
    )
    visit.request_id = request.id
    journal.write(session, Action.SENT, now, request_id=request.id, origin="permanence")


TALKS_KEPT = timedelta(days=30)
"""So long a visit that led to no request is kept with what was written in it; the legal page says so."""


def forget_old(session: Session, now: datetime, most: int) -> int:
    """Forget old visits without a request, their talks and every line of them; returns how many."""
    gone: int = session.scalar(
        text("SELECT forget_visits(:before, :most)"), {"before": now - TALKS_KEPT, "most": most}
    )
    return gone
