"""The virtual permanence of the demonstration: open from now on, with two people in its waiting room."""

from __future__ import annotations

import random
from datetime import datetime, time, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session

from casework import permanences
from casework.agents import Agent
from casework.permanences import PermanenceTime, Plan, Weekly
from casework.requests import PARIS
from casework.vocabulary import Role, Theme
from casework.waiting_room import Visit, VisitState, Wanted

OPEN_FOR = timedelta(hours=8)
"""From now on, whatever the hour: who tries it should find it open."""
WEEKS = timedelta(weeks=4)


def open_permanence(session: Session, rng: random.Random, house_id: str, now: datetime) -> None:
    """A permanence of a house, and two invented people who wait there as if their pages stayed open."""
    secretary = session.scalars(
        select(Agent)
        .where(Agent.house_id == house_id, Agent.roles.contains([Role.SECRETARY.value]))
        .order_by(Agent.id)
    ).first()
    if secretary is None:
        return
    plan = Plan("Permanence en ligne de Poitiers", ["fr", "ar", "fa"], True, True, True)
    one = permanences.set_up(session, secretary, _id(rng), plan, now)
    session.flush()
    during = Range(now - timedelta(minutes=30), now + OPEN_FOR, bounds="[)")
    session.add(PermanenceTime(id=_id(rng), permanence_id=one.id, during=during))
    session.flush()
    tomorrow = now.astimezone(PARIS).date() + timedelta(days=1)
    weekly = Weekly(tomorrow, tomorrow + WEEKS, frozenset({0, 1, 3}), time(9), time(12))
    permanences.add_times(session, secretary, one, weekly, now)
    for name, language, theme, channel, minutes in (
        ("Amina", "fa", Theme.HOUSING, Wanted.TEXT, 14),
        ("Karim", "ar", Theme.MONEY, Wanted.VIDEO, 5),
    ):
        session.add(
            Visit(
                id=_id(rng), permanence_id=one.id, link_hash=f"demonstration {name}", called_name=name,
                language=language, theme=theme, needs=[], channel=channel,
                arrived_at=now - timedelta(minutes=minutes), urgent=False, urgency_reason="",
                state=VisitState.WAITING, last_seen_at=now + OPEN_FOR,
            )
        )  # fmt: skip


def _id(rng: random.Random) -> UUID:
    return UUID(int=rng.getrandbits(128), version=4)
