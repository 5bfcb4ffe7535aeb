"""The queue: everything that came in for a house, urgent first, then the oldest promise, then the oldest request.

One page at a time, by its place in the order and not by counting, so that 100,000 open requests stay fast.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Boolean, ColumnElement, and_, func, literal, literal_column, or_, select, tuple_
from sqlalchemy.orm import Session

from casework import requests
from casework.agents import Agent
from casework.requests import Request
from casework.territory import Commune
from casework.vocabulary import State, Urgency

PAGE = 40
COUNTED = 500
"""Beyond this many, the count says "more than"."""

OPEN = literal_column(f"({requests.OPEN})", Boolean)
FOR_RECEPTION = literal_column(f"({requests.FOR_RECEPTION})", Boolean)
"""The conditions of the queue's indexes, word for word."""

ORDER = (Request.urgent.desc(), Request.promised_by, Request.received_at, Request.id)
"""The order of the queue and of its indexes."""


@dataclass(frozen=True)
class Filter:
    """What one wants to see. `state`: a `State` value, `todo` (the reception's work) or `open` (everything)."""

    state: str = "todo"
    theme: str = ""
    spoken_language: str = ""
    urgent: bool = False
    worker_id: int | None = None


@dataclass(frozen=True)
class Place:
    """A place in the order of the queue: that of the last row of a page."""

    urgent: bool
    promised_by: datetime
    received_at: datetime
    id: UUID


@dataclass(frozen=True)
class Row:
    """One line of the queue."""

    id: UUID
    number: str
    state: State
    urgent: bool
    urgency: Urgency
    urgency_reason: str
    themes: list[str]
    language: str
    spoken_language: str
    name: str
    commune: str
    worker: str
    received_at: datetime
    promised_by: datetime
    answered: bool
    """Somebody wrote to the person already."""
    waits_for_agent: bool
    """The person wrote and nobody answered since."""
    not_understood: bool
    """They said that they do not understand, and nobody wrote since."""

    @property
    def place(self) -> Place:
        """Where the page after this line begins."""
        return Place(self.urgent, self.promised_by, self.received_at, self.id)


def page(
    session: Session, house_id: str, wanted: Filter, after: Place | None = None, limit: int = PAGE
) -> list[Row]:
    """The lines after a place, at most `limit`."""
    query = (
        select(Request, Commune.name, Agent.name)
        .outerjoin(Commune, Commune.code == Request.commune_code)
        .outerjoin(Agent, Agent.id == Request.worker_id)
        .where(*_conditions(house_id, wanted))
        .order_by(*ORDER)
        .limit(limit)
    )
    if after:
        query = query.where(_beyond(after))
    return [_row(request, commune, worker) for request, commune, worker in session.execute(query)]


def count(session: Session, house_id: str, wanted: Filter) -> int:
    """How many lines there are; never counts further than `COUNTED` + 1."""
    some = select(literal(1)).select_from(Request).where(*_conditions(house_id, wanted))
    # In the order of the page: without it PostgreSQL, guessing that many match, reads the whole table in its own.
    some = some.order_by(*ORDER).limit(COUNTED + 1)
    return session.scalar(select(func.count()).select_from(some.subquery())) or 0


def _conditions(house_id: str, wanted: Filter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [Request.house_id == house_id, OPEN]
    if wanted.state in {"todo", State.RECEIVED, State.QUALIFIED}:
        conditions.append(FOR_RECEPTION)
    if wanted.state not in {"todo", "open"}:
        conditions.append(Request.state == State(wanted.state))
    if wanted.theme:
        conditions.append(Request.themes.contains([wanted.theme]))
    if wanted.spoken_language:
        conditions.append(Request.spoken_language == wanted.spoken_language)
    if wanted.urgent:
        conditions.append(Request.urgent.is_(True))
    if wanted.worker_id is not None:
        conditions.append(Request.worker_id == wanted.worker_id)
    return conditions


def _beyond(place: Place) -> ColumnElement[bool]:
    later = tuple_(Request.promised_by, Request.received_at, Request.id) > tuple_(
        literal(place.promised_by), literal(place.received_at), literal(place.id)
    )
    if place.urgent:
        return or_(~Request.urgent, and_(Request.urgent, later))
    return and_(~Request.urgent, later)


def _row(request: Request, commune: str | None, worker: str | None) -> Row:
    return Row(
        id=request.id,
        number=request.number,
        state=request.shown_state,
        urgent=request.urgent,
        urgency=request.urgency,
        urgency_reason=request.urgency_reason,
        themes=request.themes,
        language=request.language,
        spoken_language=request.spoken_language,
        name=request.name,
        commune=commune or request.place_typed,
        worker=worker or "",
        received_at=request.received_at,
        promised_by=request.promised_by,
        answered=request.agent_wrote_at is not None,
        waits_for_agent=request.waits_for_agent,
        not_understood=request.not_understood,
    )


def of_worker(session: Session, agent: Agent, limit: int = 200) -> list[Row]:
    """A social worker's own requests: what waits for them first, then the oldest promise."""
    wrote = Request.citizen_wrote_at > func.coalesce(Request.agent_wrote_at, Request.received_at)
    # Whoever never wrote makes no null, which would come before all the others.
    waits = or_(Request.state == State.ROUTED, func.coalesce(wrote, False))
    query = (
        select(Request, Commune.name, Agent.name)
        .outerjoin(Commune, Commune.code == Request.commune_code)
        .outerjoin(Agent, Agent.id == Request.worker_id)
        .where(Request.worker_id == agent.id, Request.house_id == agent.house_id, OPEN)
        .order_by(waits.desc(), Request.urgent.desc(), Request.promised_by, Request.received_at, Request.id)
        .limit(limit)
    )
    return [_row(request, commune, worker) for request, commune, worker in session.execute(query)]
