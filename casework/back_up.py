"""The house's technical back-up: which social worker supports the reception, half-day by half-day.

A secretary in difficulty calls that worker at once (seed 004, action 3; requirement C4). The week repeats itself;
whoever is absent is passed over on that day.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import date, datetime, time

from sqlalchemy import CheckConstraint, ForeignKey, Identity, UniqueConstraint, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from casework import agents, journal
from casework.agents import Agent
from casework.database import Base, one_of
from casework.requests import PARIS
from casework.vocabulary import N_, Role

WORKING_DAYS = range(5)
"""Monday to Friday, as `date.weekday` counts them."""
NOON = time(13)
"""The afternoon begins then: at lunch the morning's worker is still the one to call."""


class Half(enum.StrEnum):
    """Half a working day."""

    MORNING = "morning"
    AFTERNOON = "afternoon"


HALVES: dict[Half, str] = {Half.MORNING: N_("Matin"), Half.AFTERNOON: N_("Après-midi")}


class BackUpDuty(Base):
    """One half-day of each week that a worker supports the reception of a house."""

    __tablename__ = "back_up_duties"
    __table_args__ = (
        UniqueConstraint("house_id", "weekday", "half"),
        CheckConstraint("weekday BETWEEN 0 AND 4", name="weekday"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    house_id: Mapped[str] = mapped_column(ForeignKey("houses.id"))
    weekday: Mapped[int]
    """Monday is 0."""
    half: Mapped[Half] = mapped_column(one_of(Half))
    agent_id: Mapped[int] = mapped_column(ForeignKey("agents.id"), index=True)


class NotAWorkerError(Exception):
    """Only social workers of the house support its reception."""


def week_of(session: Session, house_id: str) -> dict[tuple[int, Half], int]:
    """Who is on duty in a week of a house: agent ids by weekday (Monday is 0) and half-day."""
    duties = session.scalars(select(BackUpDuty).where(BackUpDuty.house_id == house_id))
    return {(duty.weekday, duty.half): duty.agent_id for duty in duties}


def workers_of(session: Session, house_id: str) -> list[Agent]:
    """Who can be on duty: the social workers of a house, by name."""
    return list(
        session.scalars(
            select(Agent)
            .where(Agent.house_id == house_id, Agent.active, Agent.roles.contains([Role.WORKER.value]))
            .order_by(Agent.name)
        )
    )


def set_week(session: Session, by: Agent, wanted: Mapping[tuple[int, Half], int], now: datetime) -> None:
    """Give the house of an agent a new week; half-days that are not named have nobody.

    Raises:
        NotAWorkerError: somebody named is no social worker of that house.
    """
    if not {*wanted.values()} <= {worker.id for worker in workers_of(session, by.house_id)}:
        raise NotAWorkerError
    if wanted == week_of(session, by.house_id):
        return
    session.execute(delete(BackUpDuty).where(BackUpDuty.house_id == by.house_id))
    session.add_all(
        BackUpDuty(house_id=by.house_id, weekday=weekday, half=half, agent_id=agent_id)
        for (weekday, half), agent_id in wanted.items()
    )
    journal.write(session, journal.Action.AGENDA_CHANGED, now, agent=by, what="back-up duty")
    session.flush()


def of_day(session: Session, house_id: str, day: date) -> dict[Half, Agent]:
    """Who supports the reception that day, absent workers left out."""
    found = session.execute(
        select(BackUpDuty.half, Agent)
        .join(Agent, Agent.id == BackUpDuty.agent_id)
        .where(BackUpDuty.house_id == house_id, BackUpDuty.weekday == day.weekday(), Agent.active)
    )
    away = agents.absent_on(session, day)
    on_duty = {half: agent for half, agent in found if agent.id not in away}
    return {half: on_duty[half] for half in Half if half in on_duty}


def on_duty(session: Session, house_id: str, now: datetime) -> Agent | None:
    """Whom the reception of a house calls now; None when nobody is on duty, or they are absent."""
    here = now.astimezone(PARIS)
    half = Half.MORNING if here.time() < NOON else Half.AFTERNOON
    return of_day(session, house_id, here.date()).get(half)
