"""Triage: what agents do with a request, from the queue to its outcome.

Each act checks that the state allows it and that the agent may do it, changes the request, and writes the
journal, in the caller's transaction. The request comes locked at the version the agent saw (`requests.locked`).
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from casework import agents, journal, messages
from casework.agents import Agent
from casework.journal import Action
from casework.notifications import Template
from casework.people import ContactWay, ways_of
from casework.requests import PARIS, Request, SendingKeys
from casework.routing import NEVER, Decision, Ground, Worker, route
from casework.talks import Talk, TalkState
from casework.telling import tell
from casework.territory import Commune, Sector, SectorCommune, SectorWorker
from casework.vocabulary import Outcome, Role, State, Theme
from casework.waiting_room import Visit


class Act(enum.StrEnum):
    """What an agent can do with a request."""

    QUALIFY = "qualify"
    ROUTE = "route"
    TAKE = "take"
    ANSWER = "answer"
    ASK_PAPER = "ask_paper"
    HAND_OVER = "hand_over"
    HAND_BACK = "hand_back"
    CLOSE = "close"
    REOPEN = "reopen"


OPEN = frozenset(State) - {State.CLOSED}
WITH_WORKER = frozenset({State.ROUTED, State.TAKEN, State.WAITING})

ALLOWED_FROM: Mapping[Act, frozenset[State]] = {
    Act.QUALIFY: OPEN,
    # Also while nobody has taken it yet: who sent it to the wrong person can send it again.
    Act.ROUTE: frozenset({State.RECEIVED, State.QUALIFIED, State.WAITING, State.ROUTED}),
    Act.TAKE: frozenset({State.ROUTED}),
    Act.ANSWER: OPEN,
    Act.ASK_PAPER: OPEN,
    Act.HAND_OVER: WITH_WORKER,
    Act.HAND_BACK: WITH_WORKER,
    Act.CLOSE: OPEN,
    Act.REOPEN: frozenset({State.CLOSED}),
}

ALLOWED_ROLES: Mapping[Act, frozenset[Role]] = {
    Act.QUALIFY: frozenset(Role),
    Act.ROUTE: frozenset({Role.SECRETARY, Role.MANAGER}),
    Act.TAKE: frozenset({Role.WORKER}),
    Act.ANSWER: frozenset(Role),
    Act.ASK_PAPER: frozenset(Role),
    Act.HAND_OVER: frozenset({Role.WORKER, Role.MANAGER}),
    Act.HAND_BACK: frozenset({Role.WORKER, Role.MANAGER}),
    Act.CLOSE: frozenset(Role),
    Act.REOPEN: frozenset(Role),
}


class NotAllowedError(Exception):
    """The state of the request, or the agent's role, does not allow this act."""


class NotYoursError(Exception):
    """The request is another house's: the agent may not even know that it exists (need to know, CASF L133-5)."""


class ReasonMissingError(Exception):
    """This needs a word of why."""


@dataclass(frozen=True)
class Reply:
    """What is needed to write to a person: the form's own number, and the keys to renew their link."""

    body: str
    submission: UUID
    keys: SendingKeys


def may_see(agent: Agent, request: Request) -> bool:
    """Requests are read by the agents of the house that holds them."""
    return request.house_id == agent.house_id


def may_read(session: Session, agent: Agent, request: Request) -> bool:
    """Who leads a talk with the person reads their request too while it lasts, whatever house holds it."""
    talking = select(Talk.id).join(Visit, Visit.id == Talk.visit_id)
    here = (Visit.request_id == request.id, Talk.agent_id == agent.id, Talk.state != TalkState.ENDED)
    return may_see(agent, request) or session.scalar(talking.where(*here).limit(1)) is not None


def possible(agent: Agent, request: Request) -> list[Act]:
    """What this agent can do with this request now, in the order of `Act`."""
    return [act for act in Act if _is_allowed(act, agent, request)]


def read(session: Session, agent: Agent, request_id: UUID, now: datetime) -> Request:
    """Open a request, and leave the trace of it.

    Raises:
        NotYoursError: no such request in the agent's house, nor in a talk that they lead.
    """
    request = session.get(Request, request_id)
    if request is None or not may_read(session, agent, request):
        raise NotYoursError
    journal.write(session, Action.OPENED, now, request_id=request.id, agent=agent)
    return request


def qualify(
    session: Session,
    agent: Agent,
    request: Request,
    *,
    themes: list[Theme],
    urgent: bool,
    urgency_reason: str,
    missing: str,
    now: datetime,
) -> None:
    """Say what the request is about, whether it cannot wait and why, and what is missing.

    Raises:
        ReasonMissingError: the urgency differs from what the person said, without a word of why.
        NotAllowedError: the request is closed.
    """
    _check(Act.QUALIFY, agent, request)
    if urgent != request.urgent and not urgency_reason.strip():
        raise ReasonMissingError
    before = {"themes": request.themes, "urgent": request.urgent}
    request.themes = [theme.value for theme in themes]
    request.urgent = urgent
    request.urgency_reason = urgency_reason.strip()
    request.missing = missing.strip()
    if request.state is State.RECEIVED:
        request.state = State.QUALIFIED
    if request.secretary_id is None and agent.is_a(Role.SECRETARY):
        request.secretary_id = agent.id
    journal.write(
        session,
        Action.QUALIFIED,
        now,
        request_id=request.id,
        agent=agent,
        before=before,
        themes=request.themes,
        urgent=urgent,
        reason=request.urgency_reason,
    )


def propose(session: Session, request: Request, now: datetime) -> Decision:
    """The worker routing would choose now, and why."""
    return route(ground_of(session, request, now))


def send_to_worker(
    session: Session,
    agent: Agent,
    request: Request,
    worker: Agent,
    why: str,
    decision: Decision,
    now: datetime,
) -> None:
    """Send a request to a social worker: the one proposed, or another with a word of why.

    Raises:
        ReasonMissingError: another worker than the one proposed, and no reason.
        NotAllowedError: wrong state or role, or the worker is not one of this house.
    """
    _check(Act.ROUTE, agent, request)
    overruled = decision.worker is None or decision.worker.id != worker.id
    _give(request, worker, why, now, needs_reason=overruled)
    request.state = State.ROUTED
    request.route_reason = f"Choix de {agent.name} : {why.strip()}" if overruled else decision.sentence
    if request.secretary_id is None and agent.is_a(Role.SECRETARY):
        request.secretary_id = agent.id
    journal.write(
        session,
        Action.ROUTED,
        now,
        request_id=request.id,
        agent=agent,
        worker=worker.name,
        sentence=request.route_reason,
        proposed=decision.worker.name if decision.worker else None,
        overruled=overruled,
    )


def take(session: Session, agent: Agent, request: Request, now: datetime) -> None:
    """The worker says: it is mine, I am on it.

    Raises:
        NotAllowedError: it was sent to somebody else.
    """
    _check(Act.TAKE, agent, request)
    if request.worker_id != agent.id:
        raise NotAllowedError
    request.state = State.TAKEN
    journal.write(session, Action.TAKEN, now, request_id=request.id, agent=agent)


def answer(session: Session, agent: Agent, request: Request, reply: Reply, now: datetime) -> None:
    """Write to the person, who is told by the channels they chose that a message waits."""
    _check(Act.ANSWER, agent, request)
    _write(session, agent, request, reply, messages.Kind.TEXT, Action.ANSWERED, now)
    if request.state is State.ROUTED and request.worker_id == agent.id:
        request.state = State.TAKEN
    elif request.state is State.WAITING:
        request.state = State.TAKEN if request.worker_id else State.QUALIFIED


def ask_paper(session: Session, agent: Agent, request: Request, reply: Reply, now: datetime) -> None:
    """Ask the person for a paper or an answer, and wait for it."""
    _check(Act.ASK_PAPER, agent, request)
    _write(session, agent, request, reply, messages.Kind.PAPER_ASKED, Action.PAPER_ASKED, now)
    request.state = State.WAITING


def hand_over(
    session: Session, agent: Agent, request: Request, worker: Agent, why: str, now: datetime
) -> None:
    """Pass a request to a colleague of the house, with a word of why.

    Raises:
        ReasonMissingError: no reason given.
        NotAllowedError: wrong state or role, or the colleague is not a worker of this house.
    """
    _check(Act.HAND_OVER, agent, request)
    _give(request, worker, why, now, needs_reason=True)
    request.state = State.ROUTED
    request.route_reason = f"Transmise par {agent.name} : {why.strip()}"
    journal.write(
        session,
        Action.HANDED_OVER,
        now,
        request_id=request.id,
        agent=agent,
        worker=worker.name,
        reason=why.strip(),
    )


def hand_back(session: Session, agent: Agent, request: Request, why: str, now: datetime) -> None:
    """Give a request back to the reception, with a word of why.

    Raises:
        ReasonMissingError: no reason given.
    """
    _check(Act.HAND_BACK, agent, request)
    if not why.strip():
        raise ReasonMissingError
    request.state = State.QUALIFIED
    request.worker_id = None
    request.handler = ""
    request.route_reason = f"Rendue à l'accueil par {agent.name} : {why.strip()}"
    journal.write(session, Action.HANDED_BACK, now, request_id=request.id, agent=agent, reason=why.strip())


def close(session: Session, agent: Agent, request: Request, outcome: Outcome, now: datetime) -> None:
    """End a request with its outcome."""
    _check(Act.CLOSE, agent, request)
    request.state = State.CLOSED
    request.outcome = outcome
    request.closed_at = now
    journal.write(session, Action.CLOSED, now, request_id=request.id, agent=agent, outcome=outcome.value)


def reopen(session: Session, agent: Agent, request: Request, now: datetime) -> None:
    """Take up a closed request again: with its worker, or at the reception."""
    _check(Act.REOPEN, agent, request)
    request.state = State.TAKEN if request.worker_id else State.QUALIFIED
    request.outcome = None
    request.closed_at = None
    journal.write(session, Action.REOPENED, now, request_id=request.id, agent=agent)


def ground_of(session: Session, request: Request, now: datetime) -> Ground:
    """Gather what routing needs to know."""
    workers = workers_of_house(session, request.house_id, now)
    of_sector: set[int] = set()
    sector = session.get(Sector, request.sector_id) if request.sector_id else None
    if sector:
        of_sector = set(
            session.scalars(select(SectorWorker.agent_id).where(SectorWorker.sector_id == sector.id))
        )
    place = session.get(SectorCommune, request.commune_code) if request.commune_code else None
    commune = session.get(Commune, request.commune_code) if request.commune_code else None
    known = known_worker(session, request)
    return Ground(
        sector_name=sector.name if sector else "",
        commune_name=commune.name if commune else request.place_typed,
        sector_workers=[worker for worker in workers.values() if worker.id in of_sector],
        house_workers=list(workers.values()),
        referent=workers.get(place.referent_id) if place and place.referent_id else None,
        known=workers.get(known) if known else None,
    )


def workers_of_house(session: Session, house_id: str, now: datetime) -> dict[int, Worker]:
    """The house's social workers as routing sees them, by id."""
    away = agents.absent_on(session, now.astimezone(PARIS).date())
    rows = session.execute(
        select(Agent, func.count(Request.id), func.max(Request.routed_at))
        .outerjoin(Request, (Request.worker_id == Agent.id) & (Request.state != State.CLOSED))
        .where(Agent.house_id == house_id, Agent.active, Agent.roles.contains([Role.WORKER.value]))
        .group_by(Agent.id)
        .order_by(Agent.name, Agent.id)
    )
    return {
        agent.id: Worker(agent.id, agent.name, agent.full_time_share, load, agent.id in away, last or NEVER)
        for agent, load, last in rows
    }


def known_worker(session: Session, request: Request) -> int | None:
    """The worker who handled an earlier request of the same person: same contact *and* same name.

    Two people may share a telephone, so a contact alone never counts.
    """
    if not request.name_folded:
        return None
    contacts = select(ContactWay.value).where(ContactWay.request_id == request.id, ContactWay.value != "")
    return session.scalar(
        select(Request.worker_id)
        .join(ContactWay, ContactWay.request_id == Request.id)
        .where(
            ContactWay.value.in_(contacts),
            Request.name_folded == request.name_folded,
            Request.id != request.id,
            Request.house_id == request.house_id,
            Request.worker_id.is_not(None),
        )
        .order_by(Request.received_at.desc())
        .limit(1)
    )


def _is_allowed(act: Act, agent: Agent, request: Request) -> bool:
    if not may_see(agent, request) or request.state not in ALLOWED_FROM[act]:
        return False
    if act is Act.TAKE and request.worker_id != agent.id:
        return False
    if act in {Act.HAND_OVER, Act.HAND_BACK} and request.worker_id is None:
        return False
    return any(agent.is_a(role) for role in ALLOWED_ROLES[act])


def _check(act: Act, agent: Agent, request: Request) -> None:
    if not _is_allowed(act, agent, request):
        raise NotAllowedError(act)


def _give(request: Request, worker: Agent, why: str, now: datetime, *, needs_reason: bool) -> None:
    if needs_reason and not why.strip():
        raise ReasonMissingError
    if worker.house_id != request.house_id or not worker.is_a(Role.WORKER) or not worker.active:
        raise NotAllowedError
    request.worker_id = worker.id
    request.handler = worker.name
    request.routed_at = now


def _write(
    session: Session,
    agent: Agent,
    request: Request,
    reply: Reply,
    kind: messages.Kind,
    action: Action,
    now: datetime,
) -> None:
    """Add the message and tell the person by every way they chose."""
    if not messages.write_as_agent(session, request, agent, reply.body, reply.submission, now, kind):
        return
    journal.write(session, action, now, request_id=request.id, agent=agent)
    tell(session, request, Template.NEW_MESSAGE, ways_of(session, request.id), reply.keys, now)
