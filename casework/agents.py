"""Agents: who works in which house, as what, how much of full time, when absent; their sessions.

Their names and roles come from the directory at each sign-in (requirement F3); a row here is the trace that lets
requests, messages and the journal name them.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import date, datetime, timedelta
from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Numeric, delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from casework.database import Base
from casework.vocabulary import Role

SESSION_LENGTH = timedelta(hours=12)
SESSION_IDLE = timedelta(minutes=30)


class Agent(Base):
    """A secretary, a social worker or a manager."""

    __tablename__ = "agents"
    __table_args__ = (CheckConstraint("full_time_share > 0 AND full_time_share <= 1", name="share"),)

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    login: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    house_id: Mapped[str] = mapped_column(ForeignKey("houses.id"), index=True)
    roles: Mapped[list[str]]
    full_time_share: Mapped[Decimal] = mapped_column(Numeric(3, 2), default=Decimal(1))
    active: Mapped[bool] = mapped_column(default=True)
    password_hash: Mapped[str | None]
    """Argon2, demonstration only; null for people of the directory."""

    def is_a(self, role: Role) -> bool:
        """True when this agent has the role."""
        return role.value in self.roles

    @property
    def keeps_the_house(self) -> bool:
        """True for those who set what the whole house follows: secretaries and managers."""
        return self.is_a(Role.SECRETARY) or self.is_a(Role.MANAGER)


class Absence(Base):
    """Whole days away, both included."""

    __tablename__ = "absences"
    __table_args__ = (CheckConstraint("first_day <= last_day", name="order"),)

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    agent_id: Mapped[int] = mapped_column(ForeignKey("agents.id"), index=True)
    first_day: Mapped[date]
    last_day: Mapped[date]


class AgentSession(Base):
    """A signed-in browser. Only the hash of its cookie is kept."""

    __tablename__ = "agent_sessions"

    token_hash: Mapped[str] = mapped_column(primary_key=True)
    agent_id: Mapped[int] = mapped_column(ForeignKey("agents.id"), index=True)
    started_at: Mapped[datetime]
    seen_at: Mapped[datetime]


def known(session: Session, login: str) -> Agent | None:
    """The active agent with that login, whatever its case."""
    return session.scalar(select(Agent).where(Agent.login == login.strip().lower(), Agent.active))


def record(session: Session, *, login: str, name: str, house_id: str, roles: list[str]) -> Agent:
    """Keep what the directory says of an agent, at each sign-in."""
    values = {"name": name, "house_id": house_id, "roles": roles, "active": True}
    session.execute(
        insert(Agent)
        .values(login=login.lower(), full_time_share=Decimal(1), **values)
        .on_conflict_do_update(index_elements=[Agent.login], set_=values)
    )
    return session.scalars(
        select(Agent).where(Agent.login == login.lower()).execution_options(populate_existing=True)
    ).one()


def open_session(session: Session, agent: Agent, now: datetime) -> str:
    """Sign an agent in; returns the token for the cookie, of which only a hash is stored."""
    token = secrets.token_urlsafe(32)
    session.add(AgentSession(token_hash=_hash(token), agent_id=agent.id, started_at=now, seen_at=now))
    return token


def of_session(session: Session, token: str, now: datetime, *, seen: bool = True) -> Agent | None:
    """The agent of a session still alive: 12 hours at most, never 30 minutes idle.

    Marks it as seen, unless it is only a page that refreshes by itself.
    """
    row = session.get(AgentSession, _hash(token))
    if row is None or now - row.started_at > SESSION_LENGTH or now - row.seen_at > SESSION_IDLE:
        return None
    agent = session.get(Agent, row.agent_id)
    if agent is None or not agent.active:
        return None
    if seen and now - row.seen_at > timedelta(minutes=1):
        row.seen_at = now
    return agent


def close_session(session: Session, token: str) -> None:
    """Sign out, here."""
    session.execute(delete(AgentSession).where(AgentSession.token_hash == _hash(token)))


def forget_old_sessions(session: Session, now: datetime) -> None:
    """Drop sessions nobody can use any more."""
    session.execute(delete(AgentSession).where(AgentSession.started_at < now - SESSION_LENGTH))


def absent_on(session: Session, day: date) -> set[int]:
    """Ids of the agents away on that day."""
    return set(
        session.scalars(select(Absence.agent_id).where(Absence.first_day <= day, Absence.last_day >= day))
    )


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
