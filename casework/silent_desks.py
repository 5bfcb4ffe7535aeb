"""Desks that fell silent: a talk goes on with the colleague who is in it; else its person has their place back."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from casework import calling, journal, permanences
from casework.agents import Agent
from casework.journal import Action
from casework.permanences import DESK_LOST, PermanenceDesk, VirtualPermanence
from casework.talks import Talk, TalkOutcome, TalkPerson, TalkState
from casework.waiting_room import Visit, VisitState


def recover(session: Session, now: datetime) -> int:
    """Close the desks whose pages are silent, and see to those who talked there; returns how many desks."""
    lost = session.scalars(
        select(PermanenceDesk)
        .where(PermanenceDesk.closed_at.is_(None), PermanenceDesk.last_seen_at < now - DESK_LOST)
        .with_for_update(skip_locked=True)
    ).all()
    for desk in lost:
        desk.closed_at = now
        agent = session.get_one(Agent, desk.agent_id)
        for talk in session.scalars(
            select(Talk).where(Talk.agent_id == agent.id, Talk.state != TalkState.ENDED).with_for_update()
        ).all():
            visit = session.get_one(Visit, talk.visit_id, with_for_update=True, populate_existing=True)
            colleague = _who_keeps(session, talk, now)
            if colleague:
                _keep(session, talk, visit, agent, colleague, now)
            else:
                _give_back(session, talk, visit, agent, now)
        journal.write(session, Action.PERMANENCE_CLOSED, now, agent=agent, lost=True)
    return len(lost)


def _who_keeps(session: Session, talk: Talk, now: datetime) -> Agent | None:
    """Another agent who came into the talk and has not left, whose own desk is not silent; who leads no talk first."""
    inside = session.scalars(
        select(Agent)
        .join(TalkPerson, TalkPerson.agent_id == Agent.id)
        .where(
            TalkPerson.talk_id == talk.id,
            TalkPerson.joined_at.is_not(None),
            TalkPerson.left_at.is_(None),
            Agent.id != talk.agent_id,
            Agent.active,
        )
        .order_by(TalkPerson.joined_at, Agent.id)
    ).all()
    able = [one for one in inside if _receives(session, one, talk, now)]
    return next((one for one in able if calling.leading(session, one) is None), next(iter(able), None))


def _receives(session: Session, agent: Agent, talk: Talk, now: datetime) -> bool:
    """The agent's desk shows signs of life; without one they may open one here, which will show them or not."""
    desk = session.scalar(
        select(PermanenceDesk)
        .where(PermanenceDesk.agent_id == agent.id, PermanenceDesk.closed_at.is_(None))
        .with_for_update()  # so that they call nobody else meanwhile
    )
    if desk:
        return desk.last_seen_at >= now - DESK_LOST
    here = session.get_one(VirtualPermanence, talk.permanence_id)
    return here.active and here.house_id == agent.house_id


def _keep(session: Session, talk: Talk, visit: Visit, lost: Agent, to: Agent, now: datetime) -> None:
    """The talk is the colleague's from now on; on hold, when they lead another one."""
    if permanences.desk_of(session, to.id) is None:
        permanences.open_desk(session, to, session.get_one(VirtualPermanence, talk.permanence_id), now)
    if calling.leading(session, to):
        talk.state, visit.state = TalkState.ON_HOLD, VisitState.ON_HOLD
    talk.agent_id = to.id
    visit.meant_for = to.id if visit.meant_for == lost.id else visit.meant_for
    for person in session.scalars(
        select(TalkPerson).where(TalkPerson.talk_id == talk.id, TalkPerson.agent_id == lost.id)
    ):
        person.left_at = now
    session.flush()
    calling.note(session, Action.VISIT_HANDED, lost, talk, visit, now, to=to.name)


def _give_back(session: Session, talk: Talk, visit: Visit, lost: Agent, now: datetime) -> None:
    """The person waits again, where they were in the line."""
    calling.close(session, talk, TalkOutcome.CUT, talk.notes, now)
    visit.state = VisitState.WAITING
    visit.meant_for = None if visit.meant_for == lost.id else visit.meant_for
    calling.note(session, Action.VISIT_ENDED, lost, talk, visit, now, outcome=TalkOutcome.CUT.value)
