"""The virtual permanence of the demonstration: open from each start on, with two people in its waiting room."""

from __future__ import annotations

import random
from datetime import datetime, time, timedelta
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session

from casework import permanences
from casework.agents import Agent
from casework.permanences import PermanenceTime, Plan, VirtualPermanence, Weekly
from casework.requests import PARIS
from casework.vocabulary import Need, Role, Theme
from casework.waiting_room import Visit, VisitState, Wanted

NAME = "Permanence en ligne de Poitiers"
OPEN_FOR = timedelta(hours=24)
"""From now on, whatever the hour: who tries it should find it open."""
WEEKS = timedelta(weeks=4)
NOBODYS_NUMBERS = ("+33639980011", "+33639980012")
"""Of the range that is kept for stories: no text message reaches anybody."""


def open_permanence(session: Session, rng: random.Random, house_id: str, now: datetime) -> None:
    """Make the permanence of a house, or open it again; two invented people wait there unless somebody does already.

    They asked for a text message when their turn comes near: their place is kept though no page of theirs is open.
    """
    secretary = session.scalars(
        select(Agent)
        .where(Agent.house_id == house_id, Agent.roles.contains([Role.SECRETARY.value]))
        .order_by(Agent.id)
    ).first()
    if secretary is None:
        return
    one = session.scalar(
        select(VirtualPermanence).where(
            VirtualPermanence.house_id == house_id, VirtualPermanence.name == NAME
        )
    )
    if one is None:
        plan = Plan(NAME, ["fr", "ar", "fa"], True, True, True)
        one = permanences.set_up(session, secretary, _id(rng), plan, now)
        session.flush()
        tomorrow = now.astimezone(PARIS).date() + timedelta(days=1)
        weekly = Weekly(tomorrow, tomorrow + WEEKS, frozenset({0, 1, 3}), time(9), time(12))
        permanences.add_times(session, secretary, one, weekly, now)
    _open_now(session, rng, one.id, now)
    waits = select(Visit.id).where(Visit.permanence_id == one.id, Visit.state == VisitState.WAITING)
    if session.scalars(waits).first() is None:
        _two_wait(session, rng, one.id, now)


def _open_now(session: Session, rng: random.Random, permanence_id: UUID, now: datetime) -> None:
    during = Range(now - timedelta(minutes=30), now + OPEN_FOR, bounds="[)")
    session.execute(
        delete(PermanenceTime).where(
            PermanenceTime.permanence_id == permanence_id, PermanenceTime.during.overlaps(during)
        )
    )
    session.add(PermanenceTime(id=_id(rng), permanence_id=permanence_id, during=during))
    session.flush()


def _two_wait(session: Session, rng: random.Random, permanence_id: UUID, now: datetime) -> None:
    for name, language, theme, channel, needs, minutes, number in (
        ("Amina", "fa", Theme.HOUSING, Wanted.TEXT, [Need.INTERPRETER], 14, NOBODYS_NUMBERS[0]),
        ("Karim", "ar", Theme.MONEY, Wanted.VIDEO, [], 5, NOBODYS_NUMBERS[1]),
    ):
        came = now - timedelta(minutes=minutes)
        visit_id = _id(rng)
        session.add(
            Visit(
                id=visit_id, permanence_id=permanence_id, link_hash=f"demonstration {visit_id}", called_name=name,
                language=language, theme=theme, needs=[need.value for need in needs], channel=channel,
                arrived_at=came, urgent=False, urgency_reason="", state=VisitState.WAITING, last_seen_at=came,
                text_number=number,
            )
        )  # fmt: skip


def _id(rng: random.Random) -> UUID:
    return UUID(int=rng.getrandbits(128), version=4)
