"""The desk of a virtual permanence: calling the next person, holding, handing on, bringing others in, ending.

The order is `casework.waiting_room.turn`. Who calls takes the line's lock first, so that twenty desks calling at once
take twenty different people, in order: skipping locked rows would pass over whoever gives a sign of life at that
very moment (decision 0022).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, func, or_, select, text
from sqlalchemy.orm import Session

from casework import appointments, journal, messages, permanences, rooms
from casework.agents import Agent
from casework.appointments import Appointment, Standing
from casework.journal import Action
from casework.notifications import Subject, Template
from casework.people import ways_of
from casework.permanences import DESK_LOST, NotYourPermanenceError, PermanenceDesk, VirtualPermanence
from casework.requests import Request, SendingKeys
from casework.talks import Part, Talk, TalkOutcome, TalkPerson, TalkState
from casework.telling import tell
from casework.triage import ReasonMissingError
from casework.waiting_room import HERE, Visit, VisitState, keeps_place, turn

TRIES = 5
SPOKEN = frozenset(
    {TalkOutcome.ANSWERED, TalkOutcome.APPOINTMENT, TalkOutcome.FOLLOW_UP, TalkOutcome.ORIENTED}
)
"""Outcomes that an agent may choose: the person and the agent met."""


class NoDeskError(Exception):
    """The agent's desk is not open here."""


class NotWaitingError(Exception):
    """A colleague was quicker, or the person does not wait any more."""


class NotYourTalkError(Exception):
    """Another agent leads this talk, or it is over."""


class BusyError(Exception):
    """The agent is in another talk; it is to be put on hold or ended first."""


class NotThereError(Exception):
    """That colleague does not receive here."""


def line_up(session: Session, permanence_id: UUID, now: datetime) -> list[Visit]:
    """Who waits and keeps their place, the next one first."""
    waiting = session.scalars(
        select(Visit).where(
            Visit.permanence_id == permanence_id,
            Visit.state == VisitState.WAITING,
            keeps_place(now),
        )
    )
    return sorted(waiting, key=lambda one: turn(one, now))


def may_call(agent: Agent, permanence_id: UUID) -> ColumnElement[bool]:
    """Whom an agent receives there: everybody at a permanence of their house, elsewhere who waits for them."""
    # As a subquery it is asked once, not for each visit.
    is_guest = select(func.desk_is_guest(agent.id, permanence_id)).scalar_subquery()
    return or_(Visit.meant_for == agent.id, ~is_guest)


def call_next(session: Session, agent: Agent, now: datetime) -> Talk | None:
    """Call whose turn it is among those who are there; None when nobody is. An agent in a talk gets that one again.

    Who waits for a colleague whose desk is open here is left to that colleague.

    Raises:
        NoDeskError: the agent's desk is not open.
    """
    desk = _desk(session, agent, now)
    if current := leading(session, agent):
        return current
    session.execute(
        text("SELECT pg_advisory_xact_lock(hashtext(:line))"), {"line": f"line {desk.permanence_id}"}
    )
    for _ in range(TRIES):
        if _first(session, agent, desk, now, lock=False) is None:
            return None
        if found := _first(session, agent, desk, now, lock=True):
            return _call(session, agent, found, "", now)
    return None


def call(session: Session, agent: Agent, visit_id: UUID, reason: str, now: datetime) -> Talk:
    """Call one person of the line before their turn, with a reason; whose turn it is needs none.

    Raises:
        NoDeskError: the agent's desk is not open at this permanence.
        BusyError: the agent is in a talk.
        ReasonMissingError: others are before them, and no reason is given.
        NotWaitingError: somebody was quicker, or they left.
    """
    desk = _desk(session, agent, now)
    if leading(session, agent):
        raise BusyError
    session.execute(
        text("SELECT pg_advisory_xact_lock(hashtext(:line))"), {"line": f"line {desk.permanence_id}"}
    )
    first = _first(session, agent, desk, now, lock=False)
    if not reason.strip() and (first is None or first.id != visit_id):
        raise ReasonMissingError
    found = session.scalar(
        select(Visit)
        .where(
            Visit.id == visit_id,
            Visit.permanence_id == desk.permanence_id,
            Visit.state == VisitState.WAITING,
            may_call(agent, desk.permanence_id),
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if found is None:
        raise NotWaitingError
    return _call(session, agent, found, reason.strip(), now)


def leading(session: Session, agent: Agent) -> Talk | None:
    """The talk this agent leads and that is not on hold."""
    return session.scalar(
        select(Talk).where(Talk.agent_id == agent.id, Talk.state.in_([TalkState.CALLED, TalkState.OPEN]))
    )


def under_way(session: Session, agent: Agent) -> list[Talk]:
    """The talks this agent leads or is asked into, not over yet; the present one first, then as they were called."""
    takes_part = select(TalkPerson.talk_id).where(
        TalkPerson.agent_id == agent.id, TalkPerson.left_at.is_(None)
    )
    return list(
        session.scalars(
            select(Talk)
            .where(Talk.id.in_(takes_part), Talk.state != TalkState.ENDED)
            .order_by((Talk.agent_id != agent.id), (Talk.state == TalkState.ON_HOLD), Talk.called_at)
        )
    )


def mark_urgent(session: Session, agent: Agent, visit_id: UUID, reason: str, now: datetime) -> None:
    """Put somebody before the others, and say why; without a reason, back among them.

    Raises:
        NotWaitingError: they do not wait any more.
    """
    visit = session.get(Visit, visit_id, with_for_update=True, populate_existing=True)
    if visit is None or visit.state not in {VisitState.WAITING, VisitState.GONE}:
        raise NotWaitingError
    visit.urgency_reason = reason.strip()
    visit.urgent = bool(visit.urgency_reason)
    journal.write(
        session, Action.QUALIFIED, now, request_id=visit.request_id, agent=agent,
        visit=str(visit.id), urgent=visit.urgent, reason=visit.urgency_reason,
    )  # fmt: skip


def hold(session: Session, agent: Agent, talk_id: UUID, now: datetime) -> None:
    """Put a talk on hold: the person waits on their page, the agent may call another.

    Raises:
        NotYourTalkError: a colleague leads it, or it is over.
    """
    talk, visit = mine(session, agent, talk_id)
    if talk.state is TalkState.ON_HOLD:
        return
    talk.state, visit.state = TalkState.ON_HOLD, VisitState.ON_HOLD
    note(session, Action.VISIT_HELD, agent, talk, visit, now)


def resume(session: Session, agent: Agent, talk_id: UUID, now: datetime) -> None:
    """Go on with a talk that was on hold.

    Raises:
        NotYourTalkError: a colleague leads it, or it is over.
        BusyError: the agent is in another talk.
    """
    talk, visit = mine(session, agent, talk_id)
    if talk.state is not TalkState.ON_HOLD:
        return
    if leading(session, agent):
        raise BusyError
    came_in = talk.started_at is not None
    talk.state = TalkState.OPEN if came_in else TalkState.CALLED
    visit.state = VisitState.TALKING if came_in else VisitState.CALLED
    note(session, Action.VISIT_JOINED, agent, talk, visit, now)


def hand(session: Session, agent: Agent, talk_id: UUID, to: Agent, notes: str, now: datetime) -> None:
    """Hand the person to a colleague: they wait for that one, before all who came later.

    A colleague of the house without a desk gets one here: their menu says that somebody waits; if they never come to
    it, it falls silent, and the person is the next for anybody.

    Raises:
        NotYourTalkError: a colleague leads it, or it is over.
        NotThereError: that colleague receives elsewhere, or has no business here.
    """
    talk, visit = mine(session, agent, talk_id)
    desk = permanences.desk_of(session, to.id)
    if to.id == agent.id or (desk and desk.permanence_id != talk.permanence_id) or not to.active:
        raise NotThereError
    if desk is None:
        try:
            here = session.get_one(VirtualPermanence, talk.permanence_id)
            permanences.open_desk(session, to, here, now)
        except NotYourPermanenceError as error:
            raise NotThereError from error
    close(session, talk, TalkOutcome.HANDED, notes, now)
    visit.state, visit.meant_for, visit.due_at, visit.last_seen_at = VisitState.WAITING, to.id, now, now
    note(session, Action.VISIT_HANDED, agent, talk, visit, now, to=to.name)


def not_there(session: Session, agent: Agent, talk_id: UUID, now: datetime) -> None:
    """The person was called and did not come: they keep their place for when they say that they are there.

    Raises:
        NotYourTalkError: a colleague leads it, or it is over.
    """
    talk, visit = mine(session, agent, talk_id)
    close(session, talk, TalkOutcome.ABSENT, "", now)
    visit.state, visit.missed_at = VisitState.GONE, now
    note(session, Action.VISIT_ENDED, agent, talk, visit, now, outcome=TalkOutcome.ABSENT.value)


@dataclass(frozen=True)
class Ending:
    """How a talk ended: `notes` for the house, `summary` for the person; `submission`, the form's own number."""

    outcome: TalkOutcome
    notes: str
    summary: str
    submission: UUID


def end(
    session: Session, agent: Agent, talk_id: UUID, ending: Ending, keys: SendingKeys, now: datetime
) -> None:
    """End a talk: its outcome in the journal of the request, its summary as a message, of which the person is told.

    Raises:
        NotYourTalkError: a colleague leads it, or it is over.
        ValueError: that outcome is not an agent's to choose.
    """
    if ending.outcome not in SPOKEN:
        raise ValueError(ending.outcome)
    talk, visit = mine(session, agent, talk_id)
    close(session, talk, ending.outcome, ending.notes, now)
    talk.summary = ending.summary
    visit.state, visit.ended_at = VisitState.ENDED, now
    visit.text_number = visit.sealed_secret = None
    note(session, Action.VISIT_ENDED, agent, talk, visit, now, outcome=ending.outcome.value)
    if visit.appointment_id:
        met = session.get_one(Appointment, visit.appointment_id, with_for_update=True)
        if met.state is Standing.BOOKED:
            appointments.end(met, Standing.CAME, now)
    if visit.request_id and ending.summary:
        _tell(session, agent, visit, ending, keys, now)


def _tell(
    session: Session, agent: Agent, visit: Visit, ending: Ending, keys: SendingKeys, now: datetime
) -> None:
    """The summary is a message of the request; the person is told that it waits, with a fresh link."""
    request = session.get_one(Request, visit.request_id)
    if not messages.write_as_agent(session, request, agent, ending.summary, ending.submission, now):
        return
    ways = ways_of(session, request.id)
    tell(session, request, Template.TALK_SUMMARY, ways, keys, now, Subject(visit_id=visit.id))


def talks_of(session: Session, request_id: UUID) -> Sequence[tuple[Talk, Agent]]:
    """The talks about a request that are over, the last one first; those that led to it too."""
    rows = session.execute(
        select(Talk, Agent)
        .join(Visit, Visit.id == Talk.visit_id)
        .join(Agent, Agent.id == Talk.agent_id)
        .where(or_(Visit.request_id == request_id, Visit.led_to == request_id), Talk.state == TalkState.ENDED)
        .order_by(Talk.called_at.desc())
    )
    return [(talk, agent) for talk, agent in rows]


def _desk(session: Session, agent: Agent, now: datetime) -> PermanenceDesk:
    """The agent's open desk, locked: two tabs of one agent wait for each other."""
    desk = session.scalar(
        select(PermanenceDesk)
        .where(PermanenceDesk.agent_id == agent.id, PermanenceDesk.closed_at.is_(None))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if desk is None:
        raise NoDeskError
    desk.last_seen_at = now
    return desk


def _first(
    session: Session, agent: Agent, desk: PermanenceDesk, now: datetime, *, lock: bool
) -> Visit | None:
    """Whose turn it is for this agent, among those who are there. Locked, they may turn out to have left: None then."""
    others = select(PermanenceDesk.agent_id).where(
        PermanenceDesk.permanence_id == desk.permanence_id,
        PermanenceDesk.closed_at.is_(None),
        PermanenceDesk.last_seen_at >= now - DESK_LOST,
        PermanenceDesk.agent_id != agent.id,
    )
    query = (
        select(Visit)
        .where(
            Visit.permanence_id == desk.permanence_id,
            Visit.state == VisitState.WAITING,
            Visit.last_seen_at >= now - HERE,
            or_(Visit.meant_for.is_(None), Visit.meant_for.not_in(others)),
            may_call(agent, desk.permanence_id),
        )
        .order_by(
            func.turn_class(Visit.urgent, Visit.due_at, now),
            func.turn_moment(Visit.urgent, Visit.due_at, Visit.arrived_at),
            Visit.id,
        )
        .limit(1)
        .execution_options(populate_existing=True)
    )
    return session.scalar(query.with_for_update() if lock else query)


def _call(session: Session, agent: Agent, visit: Visit, reason: str, now: datetime) -> Talk:
    visit.state = VisitState.CALLED
    talk = Talk(
        id=uuid4(), visit_id=visit.id, permanence_id=visit.permanence_id, agent_id=agent.id, state=TalkState.CALLED,
        called_at=now, started_at=None, ended_at=None, reason=reason, outcome=None, notes="", summary="",
    )  # fmt: skip
    session.add(talk)
    session.flush()
    leader = taker(talk.id, Part.AGENT, agent.name, "fr", now, agent_id=agent.id)
    leader.joined_at = now
    session.add_all([leader, taker(talk.id, Part.CITIZEN, visit.called_name, visit.language, now)])
    session.flush()
    note(session, Action.VISIT_CALLED, agent, talk, visit, now, reason=reason)
    return talk


def taker(
    talk_id: UUID, part: Part, name: str, language: str, now: datetime, *, agent_id: int | None = None,
    by: int | None = None,
) -> TalkPerson:  # fmt: skip
    """A row that says who takes part, or is asked to."""
    return TalkPerson(
        id=uuid4(), talk_id=talk_id, part=part, agent_id=agent_id, name=name, language=language, invited_by=by,
        invited_at=now, link_hash=None, joined_at=None, left_at=None,
    )  # fmt: skip


def mine(session: Session, agent: Agent, talk_id: UUID) -> tuple[Talk, Visit]:
    """A talk this agent leads, not over, and its visit; both locked."""
    talk = session.get(Talk, talk_id, with_for_update=True, populate_existing=True)
    if talk is None or talk.agent_id != agent.id or talk.state is TalkState.ENDED:
        raise NotYourTalkError
    return talk, session.get_one(Visit, talk.visit_id, with_for_update=True, populate_existing=True)


def close(session: Session, talk: Talk, outcome: TalkOutcome, notes: str, now: datetime) -> None:
    """A talk is over, and so is its call."""
    talk.state, talk.outcome, talk.notes, talk.ended_at = TalkState.ENDED, outcome, notes, now
    rooms.close(session, talk.id, now)


def note(
    session: Session, action: Action, agent: Agent, talk: Talk, visit: Visit, now: datetime, **details: str
) -> None:
    """A line of the journal about a talk, with its visit."""
    journal.write(
        session, action, now, request_id=visit.request_id, agent=agent, visit=str(visit.id), talk=str(talk.id),
        **details,
    )  # fmt: skip
