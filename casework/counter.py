"""Appointments as agents make them: for somebody at the counter, moved, cancelled, squeezed in, and how they ended.

Each act writes the journal in the caller's transaction. Whoever reads a request may book for it in a free slot;
what changes an agent's own hours is for them, for secretaries and for managers.
"""

from __future__ import annotations

import enum
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

from psycopg.errors import ExclusionViolation
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from casework import appointments, journal, proposals, slots, waiting
from casework.agenda import Audience, Kind, Mode
from casework.agents import Agent
from casework.appointments import Appointment, SlotTakenError, Standing
from casework.journal import Action
from casework.proposals import Answer, SlotOffer
from casework.requests import PARIS, Request
from casework.slots import Slot, Wanted
from casework.spans import ends
from casework.territory import SectorWorker
from casework.translation import date_in_words
from casework.triage import ReasonMissingError
from casework.vocabulary import Role, State

EVERYONE = (Audience.CITIZENS, Audience.INVITED, Audience.AGENTS)
"""Agents book what citizens may book, and what they may not."""

OUTCOMES = (Standing.CAME, Standing.EXCUSED, Standing.MISSED)

MOVABLE = (Standing.BOOKED, Standing.EXCUSED, Standing.MISSED)
"""The last two once the hour has passed: it was said by a slip, or too soon."""

LENGTHS = (15, 30, 45, 60, 90)
"""How long it took, in minutes, by one tap."""


class Circle(enum.StrEnum):
    """Among whom a slot is looked for."""

    WORKER = "worker"
    SECTOR = "sector"
    HOUSE = "house"


class NotNowError(Exception):
    """Too early to say how it went, too late to change it, or an hour that is past."""


class UnknownKindError(ValueError):
    """No such kind of appointment."""


class NotYourAgendaError(Exception):
    """A worker changes their own agenda, and the appointments of their own requests."""


def may_edit(agent: Agent, whose: Agent) -> bool:
    """Secretaries and managers change any agenda of their house, a worker their own."""
    if agent.house_id != whose.house_id:
        return False
    return agent.id == whose.id or agent.keeps_the_house


def may_handle(session: Session, agent: Agent, appointment: Appointment) -> bool:
    """Who may move or cancel an appointment and say how it went: whose agenda it is, or whose request."""
    if may_edit(agent, session.get_one(Agent, appointment.agent_id)):
        return True
    request = session.get_one(Request, appointment.request_id)
    return request.house_id == agent.house_id and request.worker_id == agent.id


def receiving(session: Session, request: Request, circle: Circle) -> list[int]:
    """Ids of the agents of a circle, the request's worker first."""
    first = [request.worker_id] if request.worker_id else []
    if circle is Circle.WORKER:
        return first
    query = select(Agent.id).where(
        Agent.house_id == request.house_id, Agent.active, Agent.roles.contains([Role.WORKER.value])
    )
    if circle is Circle.SECTOR:
        query = query.join(SectorWorker, SectorWorker.agent_id == Agent.id).where(
            SectorWorker.sector_id == request.sector_id
        )
    found = session.scalars(query.order_by(Agent.id)).all()
    return first + [one for one in found if one not in first]


def wanted(agents: list[int], kind_id: str, modes: list[Mode] | None = None) -> Wanted:
    """What an agent looks for: any of the modes if none is named."""
    return Wanted(agents=agents, kind_id=kind_id, modes=modes or list(Mode), audiences=EVERYONE)


def plan_kind(session: Session, agent: Agent, request: Request, kind_id: str | None, now: datetime) -> None:
    """Say which kind of appointment a request needs: searches begin with it, the person's own too; None, no longer.

    Raises:
        NotNowError: the request is closed.
        UnknownKindError: there is no such kind.
    """
    if request.state is State.CLOSED:
        raise NotNowError
    kind = session.get(Kind, kind_id) if kind_id else None
    if kind_id and kind is None:
        raise UnknownKindError(kind_id)
    if request.kind_id == kind_id:
        return
    journal.write(
        session, Action.KIND_SET, now, request_id=request.id, agent=agent,
        before=request.kind_id, after=kind_id, sentence=kind.name if kind else "",
    )  # fmt: skip
    request.kind_id = kind_id


def in_turn(
    session: Session, looked_for: Wanted, start: datetime, place_id: str | None, now: datetime
) -> Slot:
    """The slot that begins then at that place, once nobody else is taking hours of the same agent.

    Looked for twice: while one waited, a group session may have taken the hour, and no constraint would say so.

    Raises:
        SlotTakenError: it is not free, or no longer.
    """
    for waited in (False, True):
        found = [one for one in slots.exact(session, looked_for, start, now) if one.place_id == place_id]
        if not found:
            raise SlotTakenError
        if not waited:
            appointments.take_turns(session, found[:1])
    return found[0]


def book(session: Session, by: Agent, request: Request, slot: Slot, now: datetime) -> Appointment:
    """Book a free slot for somebody who is there or on the telephone.

    Raises:
        SlotTakenError: another was quicker.
    """
    proposals.decline(session, request.id, now, by)
    appointments.hold(session, request.id, slot, now)
    made = appointments.confirm(session, request.id, now)
    waiting.stop(session, request.id, waiting.Wish.SERVED)
    _write(session, Action.BOOKED, by, made, now)
    return made


def move(session: Session, by: Agent, former: Appointment, slot: Slot, now: datetime) -> Appointment:
    """Give a booked appointment another time, found with its own time counted as free.

    Once its hour has passed too: that it was moved is then how it ended.

    Raises:
        NotYourAgendaError: neither their agenda nor their request.
        NotNowError: the person came, or it was cancelled or moved already.
        SlotTakenError: another was quicker; the caller rolls back, and nothing has changed.
    """
    _check(session, by, former)
    proposals.decline(session, former.request_id, now, by)
    session.refresh(former, with_for_update=True)
    if former.state not in MOVABLE:
        raise NotNowError
    former.state = Standing.MOVED  # before the new one, which may overlap it
    session.flush()
    appointments.hold(session, former.request_id, slot, now, moving=former.id)
    made = appointments.confirm(session, former.request_id, now)
    _write(session, Action.MOVED, by, made, now, before=former.start.isoformat())
    return made


def cancel(session: Session, by: Agent, appointment: Appointment, now: datetime) -> None:
    """Free the time of an appointment that is not over. Twice is once.

    Raises:
        NotYourAgendaError: neither their agenda nor their request.
        NotNowError: it is over.
    """
    _check(session, by, appointment)
    if ends(appointment.during) <= now:
        raise NotNowError
    if appointments.cancel(appointment):
        _write(session, Action.CANCELLED, by, appointment, now)


def end(session: Session, by: Agent, appointment: Appointment, how: Standing, now: datetime) -> None:
    """Say how it went, once it has begun; a slip is set right by saying it again.

    Raises:
        NotYourAgendaError: neither their agenda nor their request.
        NotNowError: it has not begun, or it was cancelled or moved.
        SlotTakenError: the person came after all, but another was given that time.
    """
    _check(session, by, appointment)
    if appointment.start > now or appointment.state not in {Standing.BOOKED, *OUTCOMES}:
        raise NotNowError
    try:
        with session.begin_nested():
            appointments.end(appointment, how, now)
    except IntegrityError as error:
        if not isinstance(error.orig, ExclusionViolation):
            raise
        raise SlotTakenError from error
    journal.write(
        session, Action.ENDED, now, request_id=appointment.request_id, agent=by,
        appointment=str(appointment.id), how=how.value,
    )  # fmt: skip


def spent(session: Session, by: Agent, appointment: Appointment, minutes: int, now: datetime) -> None:
    """Say how long it took; a slip is set right by saying it again.

    Raises:
        NotYourAgendaError: neither their agenda nor their request.
        NotNowError: nobody said that the person came.
    """
    _check(session, by, appointment)
    if appointment.state is not Standing.CAME:
        raise NotNowError
    if appointment.minutes_spent == minutes:
        return
    appointment.minutes_spent = minutes
    journal.write(
        session, Action.ENDED, now, request_id=appointment.request_id, agent=by,
        appointment=str(appointment.id), how=appointment.state.value, minutes=minutes,
    )  # fmt: skip


def take_offered(session: Session, by: Agent, request: Request, offer_id: UUID, now: datetime) -> Appointment:
    """Book what is offered to somebody who says yes on the telephone or at the desk. Twice is once.

    Raises:
        NotNowError: the two hours are over, or they said no.
    """
    offered = session.get_one(SlotOffer, offer_id)
    session.execute(select(Request.id).where(Request.id == request.id).with_for_update(key_share=True))
    session.refresh(offered)
    if offered.state is Answer.ACCEPTED and offered.appointment_id:
        return session.get_one(Appointment, offered.appointment_id)
    if not offered.is_live(now):
        raise NotNowError
    former = appointments.coming(session, request.id, now)
    made = appointments.confirm(session, request.id, now)
    proposals.accepted(session, made)
    waiting.stop(session, request.id, waiting.Wish.SERVED)
    if former:
        _write(session, Action.MOVED, by, made, now, before=former.start.isoformat())
    else:
        _write(session, Action.BOOKED, by, made, now)
    return made


def waits_no_more(session: Session, by: Agent, request: Request, now: datetime) -> None:
    """Take somebody off the waiting list, as they say themselves. Twice is once."""
    if not proposals.decline(session, request.id, now, by) and waiting.is_listed(session, request.id):
        journal.write(
            session, Action.OFFER_DECLINED, now, request_id=request.id, agent=by, sentence="N'attend plus."
        )
    waiting.stop(session, request.id, waiting.Wish.WITHDRAWN)


def squeeze_in(
    session: Session,
    by: Agent,
    request: Request,
    slot: Slot,
    reason: str,
    now: datetime,
) -> Appointment:
    """Book over whatever is there, with a word of why: it alone may overlap, and it takes no desk.

    Raises:
        NotYourAgendaError: the agenda is a colleague's.
        ReasonMissingError: no word of why.
        NotNowError: that hour is past.
    """
    if not may_edit(by, session.get_one(Agent, slot.agent_id)):
        raise NotYourAgendaError
    if not reason.strip():
        raise ReasonMissingError
    if slot.start < now - timedelta(hours=1):
        raise NotNowError
    if made := booked_already(session, request, slot.agent_id, slot.start):
        return made
    proposals.decline(session, request.id, now, by)
    waiting.stop(session, request.id, waiting.Wish.SERVED)
    made = Appointment(
        id=uuid4(), request_id=request.id, agent_id=slot.agent_id, house_id=slot.house_id, place_id=slot.place_id,
        desk=None, kind_id=slot.kind_id, mode=slot.mode, during=slot.during, blocked=slot.blocked,
        state=Standing.BOOKED, held_until=None, extra=True, moved_from=None, made_at=now,
    )  # fmt: skip
    session.add(made)
    _write(session, Action.BOOKED, by, made, now, extra=True, reason=reason.strip())
    return made


def extra_slot(
    session: Session, agent: Agent, kind_id: str, mode: Mode, place_id: str | None, start: datetime
) -> Slot:
    """A time for `squeeze_in`, whatever else is there."""
    start = start.astimezone(UTC)
    minutes = session.get_one(Kind, kind_id).minutes
    during = Range(start, start + timedelta(minutes=minutes), bounds="[)")
    return Slot(agent.id, agent.house_id, place_id, mode, kind_id, during, during)


def booked_already(session: Session, request: Request, agent_id: int, start: datetime) -> Appointment | None:
    """What an earlier tap on the same button booked."""
    return session.scalar(
        select(Appointment).where(
            Appointment.request_id == request.id,
            Appointment.agent_id == agent_id,
            Appointment.state == Standing.BOOKED,
            func.lower(Appointment.during) == start,
        )
    )


def _check(session: Session, by: Agent, appointment: Appointment) -> None:
    if not may_handle(session, by, appointment):
        raise NotYourAgendaError


def _write(
    session: Session, action: Action, by: Agent, made: Appointment, now: datetime, **details: object
) -> None:
    """One line that says when and with whom, in French, as routing's sentences do."""
    session.flush()
    agent = session.get_one(Agent, made.agent_id)
    sentence = f"{date_in_words(made.start, 'fr')} à {made.start.astimezone(PARIS):%H:%M} avec {agent.name}"
    if reason := details.get("reason"):
        sentence = f"{sentence}, en plus : {reason}"
    journal.write(
        session, action, now, request_id=made.request_id, agent=by, appointment=str(made.id), sentence=sentence,
        **details,
    )  # fmt: skip
