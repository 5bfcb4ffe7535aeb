"""Who else comes into a talk: a colleague who is called in, an interpreter, somebody the person trusts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from casework import access, agents, back_up
from casework.agents import SESSION_IDLE, Agent, AgentSession
from casework.calling import NotThereError, mine, taker
from casework.requests import PARIS
from casework.talks import MOST_PEOPLE, Part, Talk, TalkPerson, TalkState
from casework.vocabulary import Role


class FullError(Exception):
    """Four people are in the talk already."""


@dataclass(frozen=True)
class Present:
    """A worker of the house who is signed in today. `busy`: in a talk. `backs_up`: on back-up duty now."""

    agent: Agent
    busy: bool
    backs_up: bool


def invite(session: Session, agent: Agent, talk_id: UUID, colleague: Agent, now: datetime) -> None:
    """Call a colleague of the house into the talk, as a secretary calls the worker on back-up duty. Twice is once.

    Raises:
        NotYourTalkError: a colleague leads it, or it is over.
        NotThereError: not a colleague of this house.
        FullError: four people are in it already.
    """
    talk, _visit = mine(session, agent, talk_id)
    if colleague.house_id != agent.house_id or not colleague.active or colleague.id == agent.id:
        raise NotThereError
    known = session.scalar(
        select(TalkPerson).where(TalkPerson.talk_id == talk.id, TalkPerson.agent_id == colleague.id)
    )
    if known:
        known.left_at = None
        return
    _check_room(session, talk)
    session.add(taker(talk.id, Part.AGENT, colleague.name, "fr", now, agent_id=colleague.id, by=agent.id))
    session.flush()


def invite_third(
    session: Session, agent: Agent, talk_id: UUID, name: str, language: str, access_key: str, now: datetime
) -> str:
    """Let an interpreter or somebody the person trusts come in; returns the secret of their link, kept nowhere.

    Raises:
        NotYourTalkError: a colleague leads it, or it is over.
        FullError: four people are in it already.
    """
    talk, _visit = mine(session, agent, talk_id)
    _check_room(session, talk)
    secret = access.new_secret()
    person = taker(talk.id, Part.THIRD, name, language, now, by=agent.id)
    person.link_hash = access.link_hash(access_key, secret)
    session.add(person)
    session.flush()
    return secret


def come_in(session: Session, agent: Agent, talk_id: UUID, now: datetime) -> TalkPerson | None:
    """An agent who leads a talk or was asked into it takes part; None when it is over or none of theirs."""
    person = session.scalar(
        select(TalkPerson)
        .join(Talk, Talk.id == TalkPerson.talk_id)
        .where(Talk.id == talk_id, TalkPerson.agent_id == agent.id, Talk.state != TalkState.ENDED)
    )
    if person and (person.joined_at is None or person.left_at is not None):
        person.joined_at, person.left_at = person.joined_at or now, None
    return person


def go_out(session: Session, agent: Agent, talk_id: UUID, now: datetime) -> None:
    """A colleague who was asked in leaves again; whoever leads the talk ends it or hands it on."""
    person = come_in(session, agent, talk_id, now)
    if person and session.get_one(Talk, talk_id).agent_id != agent.id:
        person.left_at = now


def present(session: Session, house_id: str, now: datetime) -> list[Present]:
    """The workers of a house who can be called into a talk now: signed in, and not away today.

    Whoever is on back-up duty comes first, then the free ones.
    """
    away = agents.absent_on(session, now.astimezone(PARIS).date())
    busy = set(
        session.scalars(select(Talk.agent_id).where(Talk.state.in_([TalkState.CALLED, TalkState.OPEN])))
    )
    signed_in = select(AgentSession.agent_id).where(AgentSession.seen_at >= now - SESSION_IDLE)
    found = session.scalars(
        select(Agent)
        .where(
            Agent.house_id == house_id,
            Agent.active,
            Agent.roles.contains([Role.WORKER.value]),
            Agent.id.in_(signed_in),
        )
        .order_by(Agent.name)
    )
    duty = back_up.on_duty(session, house_id, now)
    listed = [Present(one, one.id in busy, one is duty) for one in found if one.id not in away]
    return sorted(listed, key=lambda one: (not one.backs_up, one.busy))


def _check_room(session: Session, talk: Talk) -> None:
    inside = select(func.count()).where(TalkPerson.talk_id == talk.id, TalkPerson.left_at.is_(None))
    if (session.scalar(inside) or 0) >= MOST_PEOPLE:
        raise FullError
