"""The ways into a virtual permanence: its open door, and a booked video appointment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from casework import permanences
from casework.agenda import Mode
from casework.agents import Agent
from casework.appointments import Appointment, Standing
from casework.expected_wait import Line, Wait, expected
from casework.permanences import VirtualPermanence
from casework.waiting_room import OVER, MyVisit, Visit, line

SHORTEST_TALK = timedelta(minutes=10)
"""Nobody is taken in whose turn would come later than this before the closing hour."""
EARLY = timedelta(minutes=20)
"""Who has an appointment comes in from this long before its hour on."""


@dataclass(frozen=True)
class Door:
    """A permanence that receives everybody now, and what somebody who comes in would wait."""

    permanence: VirtualPermanence
    closes_at: datetime
    line: Line
    wait: Wait | None

    def receives(self, now: datetime) -> bool:
        """Somebody is there, and the turn would come long enough before the closing hour."""
        if self.wait is None:
            return False
        return now + timedelta(minutes=self.wait.middle) <= self.closes_at - SHORTEST_TALK


def doors(session: Session, now: datetime) -> list[Door]:
    """The permanences that are open to everybody now, those that can still receive first, the shortest wait first."""
    found = []
    for one in session.scalars(
        select(VirtualPermanence).where(VirtualPermanence.active, VirtualPermanence.walk_in)
    ):
        closes = permanences.closes_at(session, one.id, now)
        if closes:
            ahead = line(session, one.id, now)
            found.append(Door(one, closes, ahead, expected(ahead)))
    return sorted(found, key=lambda door: (not door.receives(now), door.wait.high if door.wait else 0))


def door_for(session: Session, house_id: str | None, now: datetime) -> Door | None:
    """Where somebody without an appointment can be received: at their own house's permanence if it can, else where
    one waits the least; None when nobody can receive them today any more."""
    able = [door for door in doors(session, now) if door.receives(now)]
    own = [door for door in able if door.permanence.house_id == house_id]
    return next(iter(own or able), None)


def _meeting_place(session: Session, house_id: str) -> VirtualPermanence | None:
    """Where the appointments of a house are held: at its own permanence, else at any."""
    return session.scalar(
        select(VirtualPermanence)
        .where(VirtualPermanence.active, VirtualPermanence.with_appointment)
        .order_by((VirtualPermanence.house_id == house_id).desc(), VirtualPermanence.name)
        .limit(1)
    )


def appointment_now(session: Session, request_id: UUID, now: datetime) -> tuple[Appointment, UUID] | None:
    """The video appointment for which a person may come in, and the permanence where; None when there is none.

    From a little before its hour until its end; at the permanence of its house, else of any.
    """
    met = session.scalar(
        select(Appointment)
        .where(
            Appointment.request_id == request_id,
            Appointment.state == Standing.BOOKED,
            Appointment.mode == Mode.VIDEO,
            func.lower(Appointment.during) <= now + EARLY,
            func.upper(Appointment.during) > now,
        )
        .order_by(func.lower(Appointment.during))
        .limit(1)
    )
    if met is None:
        return None
    where = _meeting_place(session, met.house_id)
    return (met, where.id) if where else None


def meets_until(session: Session, visit: MyVisit) -> datetime | None:
    """When the appointment ends for which the opened visit came in; None without one."""
    if visit.appointment_id is None:
        return None
    return session.scalar(
        select(func.upper(Appointment.during)).where(
            Appointment.id == visit.appointment_id, Appointment.state == Standing.BOOKED
        )
    )


def as_guest(session: Session, agent: Agent, now: datetime) -> list[VirtualPermanence]:
    """The permanences of other houses where an agent may receive now: who waits for them there, or will in a little
    while, comes for an appointment."""
    waits = select(Visit.permanence_id).where(Visit.meant_for == agent.id, Visit.state.not_in(OVER))
    found = set(session.scalars(waits))
    meets = session.scalar(
        select(Appointment.house_id).where(
            Appointment.agent_id == agent.id,
            Appointment.state == Standing.BOOKED,
            Appointment.mode == Mode.VIDEO,
            func.lower(Appointment.during) <= now + EARLY,
            func.upper(Appointment.during) > now,
        ).limit(1)
    )  # fmt: skip
    if meets and (where := _meeting_place(session, meets)):
        found.add(where.id)
    return list(
        session.scalars(
            select(VirtualPermanence)
            .where(
                VirtualPermanence.id.in_(found),
                VirtualPermanence.active,
                VirtualPermanence.house_id != agent.house_id,
            )
            .order_by(VirtualPermanence.name, VirtualPermanence.id)
        )
    )
