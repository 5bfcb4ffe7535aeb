"""Agents who receive: opening ranges put by the back office, for the stories of booking."""

from __future__ import annotations

from datetime import date, time
from uuid import UUID

from sqlalchemy import select

from casework import agenda
from casework.agenda import Mode, OpeningRule
from casework.appointments import Appointment
from casework.database import transaction
from tests.conftest import Database
from tests.people import PAUL, Character


def receives(
    database: Database,
    day: date,
    start: time = time(9),
    end: time = time(10),
    *,
    who: Character = PAUL,
    mode: Mode = Mode.HERE,
    place: str | None = "mds-poitiers",
    kinds: tuple[str, ...] = ("first",),
    audience: agenda.Audience = agenda.Audience.CITIZENS,
) -> int:
    """Somebody receives on a day, between two hours of Paris; returns the occurrence's id."""
    rule = OpeningRule(
        agent_id=who.id, house_id=who.house, place_id=place if mode is Mode.HERE else None, mode=mode,
        kinds=list(kinds), audience=audience, languages=[], travel_minutes=0, first_day=day, last_day=day,
        weekdays=[], every_weeks=1, nth_of_month=None, starts_at=start, ends_at=end, made_until=None,
    )  # fmt: skip
    with transaction(database.backoffice) as session:
        agenda.keep(session, rule, day)
        session.flush()
        return session.scalars(select(agenda.Opening.id).where(agenda.Opening.rule_id == rule.id)).one()


def appointments_of(database: Database, request_id: UUID | None = None) -> list[Appointment]:
    """Every appointment, or those of a request, in the order they were made."""
    with transaction(database.backoffice) as session:
        query = select(Appointment).order_by(Appointment.made_at, Appointment.id)
        if request_id:
            query = query.where(Appointment.request_id == request_id)
        return list(session.scalars(query))
