"""Group sessions of the demonstration: some to come, one of them full with people who wait, some held."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from casework import agenda, session_lists, session_news, sessions, sign_ups
from casework.agents import Agent
from casework.requests import PARIS, Request, SendingKeys, is_working_day
from casework.sessions import GroupSession, HouseShutError, LeaderAwayError, LeaderBusyError, Plan
from casework.sign_ups import SignUpState
from casework.territory import House, Place, PlaceKind
from casework.vocabulary import Role, State

FIRST_NAMES = ("Lina", "Karim", "Nadège", "Yanis", "Sofia", "Jeanne", "Amadou", "Mila", "Ivan", "Rosa")
BEFORE = timedelta(days=12)
"""A session is made, and people sign up, from this long before it."""

Life = Iterator[datetime]


@dataclass(frozen=True)
class Idea:
    """One session: in how many days from now (below zero: held), for how many, how many families sign up."""

    town: str
    days: int
    title: str
    words: str
    seats: int
    families: int
    languages: tuple[str, ...] = ("fr",)
    public: bool = True


BILLS = "Venez avec vos factures d'eau et d'électricité. Nous les lisons ensemble. Nous voyons comment payer moins."
BUDGET = "Nous regardons ce qui entre et ce qui sort. Chacun repart avec son tableau."
ONLINE = "Nous faisons ensemble un dossier sur Internet. Les ordinateurs sont prêtés."
TALK = "Nous parlons de la vie avec les enfants. Il y a du café et des jouets."
IDEAS = (
    Idea("Poitiers", -20, "Mon budget, pas à pas", BUDGET, 10, 5),
    Idea("Châtellerault", -9, "Mes démarches sur Internet", ONLINE, 8, 4),
    Idea("Poitiers", 5, "Comprendre mes factures", BILLS, 12, 5, ("fr", "ar")),
    Idea("Poitiers", 9, "Mes démarches sur Internet", ONLINE, 5, 6),
    Idea("Poitiers", 16, "Un temps pour soi", "Un petit groupe. Une psychologue est là.", 8, 3, public=False),
    Idea("Châtellerault", 8, "Mon budget, pas à pas", BUDGET, 10, 3),
    Idea("Loudun", 12, "Café des parents", TALK, 12, 3),
    Idea("Montmorillon", 14, "Comprendre mes factures", BILLS, 10, 2),
)


def gatherings(
    session: Session, rng: random.Random, keys: SendingKeys, now: datetime
) -> list[tuple[datetime, Life]]:
    """The life of each session with the moment it begins: made, filled by families, held."""
    today = now.astimezone(PARIS).date()
    begun = []
    for idea in IDEAS:
        day = today + min(timedelta(days=idea.days) - BEFORE, timedelta(days=-2))
        at = datetime.combine(day, time(10, 30), PARIS)
        begun.append((at, _life(session, rng, keys, idea, at, now)))
    return begun


def _life(
    session: Session, rng: random.Random, keys: SendingKeys, idea: Idea, at: datetime, now: datetime
) -> Life:
    """It goes on at its own moments, each yielded before what happens then."""
    made = _make(session, rng, idea, at, now)
    if made is None:
        return
    until = min(made.start, now)
    known: set[UUID] = set()
    for turn in range(idea.families):
        moment = at + (until - at) * ((turn + 1) / (idea.families + 1))
        moment = datetime.combine(moment.astimezone(PARIS).date(), time(9 + turn, rng.randrange(60)), PARIS)
        if at < moment < until:
            yield moment
            _sign_up(session, rng, made, known, moment)
            for found in session_news.untold(session, moment, 10):
                session_news.tell_news(session, found, keys, moment)
    if made.end <= now:
        yield made.end
        _tick(session, rng, made)


def _make(
    session: Session, rng: random.Random, idea: Idea, at: datetime, now: datetime
) -> GroupSession | None:
    """On the first afternoon from that day on when a worker of the house is there and free."""
    place = session.scalar(
        select(Place)
        .join(House, House.id == Place.house_id)
        .where(Place.kind == PlaceKind.HOUSE, House.town == idea.town)
    )
    if place is None:
        return None
    colleagues = session.scalars(
        select(Agent).where(Agent.house_id == place.house_id, Agent.active).order_by(Agent.id)
    ).all()
    workers = [one for one in colleagues if one.is_a(Role.WORKER)]
    rng.shuffle(workers)
    key = UUID(int=rng.getrandbits(128), version=4)
    for day in _days(now.astimezone(PARIS).date() + timedelta(days=idea.days)):
        for worker in workers:
            plan = Plan(
                place.id, worker.id, idea.title, idea.words, agenda.moments(day, time(14), time(16)), idea.seats,
                list(idea.languages), idea.public,
            )  # fmt: skip
            try:
                return sessions.make(session, worker, key, plan, at)
            except (LeaderBusyError, LeaderAwayError, HouseShutError):
                continue
    return None


def _days(first: date) -> Iterator[date]:
    """The working days of a week."""
    return filter(is_working_day, (first + timedelta(days=number) for number in range(7)))


def _sign_up(
    session: Session, rng: random.Random, made: GroupSession, known: set[UUID], at: datetime
) -> None:
    """One more family of the house, by the secretary at the counter."""
    asked = session.scalars(
        select(Request)
        .where(Request.house_id == made.house_id, Request.state != State.CLOSED, Request.id.not_in(known))
        .order_by(Request.received_at, Request.words)
    ).all()
    secretary = session.scalars(
        select(Agent)
        .where(Agent.house_id == made.house_id, Agent.roles.contains([Role.SECRETARY.value]))
        .order_by(Agent.id)
    ).first()
    if not asked or secretary is None:
        return
    request = rng.choice(asked)
    known.add(request.id)
    names = [
        rng.choice(FIRST_NAMES) if rng.random() < 0.8 else "" for _ in range(rng.choice((1, 1, 1, 2, 2, 3)))
    ]
    form = UUID(int=rng.getrandbits(128), version=4)
    sign_ups.sign_up(session, secretary, made.id, request.id, names, form, at)


def _tick(session: Session, rng: random.Random, made: GroupSession) -> None:
    """Once it is over, who came is ticked."""
    leader = session.get_one(Agent, made.led_by)
    for line in session_lists.lines(session, made.id):
        if line.sign_up.state is SignUpState.SIGNED:
            how = SignUpState.CAME if rng.random() < 0.8 else SignUpState.MISSED
            sign_ups.mark(session, leader, line.sign_up.id, how, made.end)
