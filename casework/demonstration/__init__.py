"""A demonstration that lives: three hundred invented requests in the territory of la Vienne.

Six weeks are played again with a clock that moves: people write, secretaries qualify and route, workers
answer and receive, through the same functions as in real life, so that states, journal, messages and agendas
agree. Who, what and
when come from the seed; numbers and secrets are drawn anew each time, for a demonstration too may be within
reach of strangers. Nothing is sent.
"""

from __future__ import annotations

import heapq
import random
from datetime import datetime, timedelta
from itertools import count

from sqlalchemy import delete, exists, func, literal_column, select, table, update
from sqlalchemy.orm import Session

from casework.agents import Absence, Agent
from casework.demonstration.agendas import open_agendas
from casework.demonstration.from_afar import open_permanence
from casework.demonstration.gatherings import gatherings
from casework.demonstration.meetings import Life, Meetings
from casework.demonstration.stage import Fate, Stage
from casework.demonstration.stories import Place, Story, Storyteller
from casework.documents import Document, Scan
from casework.notifications import Delivery, Notification
from casework.passwords import hash_password
from casework.requests import PARIS, Request, SendingKeys
from casework.territory import Commune, Sector, SectorCommune

__all__ = [
    "DEMO_PASSWORD",
    "DEMO_SIGN_INS",
    "REQUESTS",
    "NotEmptyError",
    "TerritoryMissingError",
    "fill",
    "filled",
]

DEMO_PASSWORD = "bienvenue dans la Vienne"  # noqa: S105 - shown to everybody, for invented accounts only
DEMO_SIGN_INS: tuple[tuple[str, str], ...] = (
    ("pauline.rousseau", "secrétaire à la maison de Poitiers"),
    ("estelle.gautier", "travailleuse sociale du secteur Poitiers"),
    ("frederic.allain", "cadre à la maison de Poitiers"),
)
"""Whom to sign in as, all with `DEMO_PASSWORD`: (login, who it is)."""

BY_HAND_KEPT = timedelta(days=3)
"""Letters and calls older than this were done by an agent."""
RETURNING = 15
"""How many requests come from somebody who asked before."""

# how a request's life goes, how many go so, and how many days ago they began: from, to
LIVES: tuple[tuple[Fate, int, float, float], ...] = (
    (Fate.RECEIVED, 30, 0, 1.5),
    (Fate.RECEIVED, 6, 8, 13),
    (Fate.QUALIFIED, 20, 0.5, 4),
    (Fate.QUALIFIED, 4, 9, 14),
    (Fate.ASKED_AT_RECEPTION, 14, 2, 12),
    (Fate.REPLIED_TO_RECEPTION, 7, 3, 9),
    (Fate.ROUTED, 30, 1.5, 5),
    (Fate.ROUTED, 4, 9, 14),
    (Fate.TAKEN, 62, 4, 39),
    (Fate.WAITING, 34, 4, 25),
    (Fate.REPLIED, 16, 5, 20),
    (Fate.HANDED_OVER, 6, 8, 30),
    (Fate.HANDED_BACK, 5, 5, 14),
    (Fate.CLOSED_AT_RECEPTION, 22, 4, 39),
    (Fate.CLOSED, 28, 16, 39),
    (Fate.WROTE_AGAIN, 8, 22, 39),
    (Fate.REOPENED, 4, 25, 39),
)
REQUESTS = sum(how_many for _, how_many, _, _ in LIVES)


class TerritoryMissingError(Exception):
    """The demonstration's territory is not in the database; load `territory/vienne` first."""


class NotEmptyError(Exception):
    """There are requests already: a demonstration never mixes with them."""


def filled(session: Session) -> bool:
    """True when there are requests already."""
    return bool(session.scalar(select(exists(select(Request.id)))))


def fill(session: Session, *, public_key: str, access_key: str, now: datetime, seed: int = 86) -> None:
    """Play the six weeks before `now`, in the caller's transaction.

    `public_key`: what papers and links are sealed to; `access_key`: the key of the hashes.

    Raises:
        NotEmptyError: there are requests already.
        TerritoryMissingError: the agents of `territory/vienne` are not there.
    """
    if filled(session):
        raise NotEmptyError
    known = set(session.scalars(select(Agent.login)))
    if missing := [login for login, _ in DEMO_SIGN_INS if login not in known]:
        raise TerritoryMissingError(f"no agent {missing[0]}: load territory/vienne first")
    session.execute(update(Agent).values(password_hash=hash_password(DEMO_PASSWORD)))
    teller = Storyteller(_places(session), random.Random(seed))  # noqa: S311 - stories, not secrets
    _go_away(session, teller, now)
    # drawn apart, so that the stories stay the same whatever becomes of the agendas
    rng = random.Random(f"agendas {seed}")  # noqa: S311
    open_agendas(session, rng, now.astimezone(PARIS).date())
    keys = SendingKeys(access_key, public_key)
    stage = Stage(session, teller, Meetings(session, rng, keys), keys, now)
    groups = gatherings(session, random.Random(f"gatherings {seed}"), keys, now)  # noqa: S311
    _play(stage, _lives(stage, teller, now) + groups, now)
    session.flush()
    receive_from_afar(session, now, seed)
    _send_nothing(session, now)


def receive_from_afar(session: Session, now: datetime, seed: int | None = None) -> None:
    """Open the virtual permanence from `now` on, with people in its waiting room: at each start."""
    house_id = session.scalar(select(Agent.house_id).where(Agent.login == DEMO_SIGN_INS[0][0]))
    if house_id is None:
        return
    drawn = random.Random(f"from afar {now if seed is None else seed}")  # noqa: S311
    open_permanence(session, drawn, house_id, now)


def _play(stage: Stage, lives: list[tuple[datetime, Life]], now: datetime) -> None:
    """Let each life go on at its own moments, all of them in the order of time, until now."""
    orders = count()
    waiting = [(start, next(orders), life) for start, life in lives]
    heapq.heapify(waiting)
    while waiting and waiting[0][0] <= now:
        stage.now, order, life = heapq.heappop(waiting)
        following = next(life, None)
        if following:
            heapq.heappush(waiting, (following, order, life))
        for begun in stage.begun():
            heapq.heappush(waiting, (stage.now, next(orders), begun))


def _lives(stage: Stage, teller: Storyteller, now: datetime) -> list[tuple[datetime, Life]]:
    """Each life with the moment it begins; a few are the second request of a person."""
    begun: list[tuple[datetime, Story, Fate]] = [
        (teller.moment(now, youngest, oldest), teller.story(), fate)
        for fate, how_many, youngest, oldest in LIVES
        for _ in range(how_many)
    ]
    begun.sort(key=lambda life: life[0])
    late = len(begun) // 2
    for place in teller.rng.sample(range(late, len(begun)), RETURNING):
        start, _, fate = begun[place]
        begun[place] = (start, teller.again(begun[teller.rng.randrange(late)][1]), fate)
    return [(start, stage.life(story, fate)) for start, story, fate in begun]


def _places(session: Session) -> list[Place]:
    rows = session.execute(
        select(Commune, Sector.house_id)
        .join(SectorCommune, SectorCommune.commune_code == Commune.code)
        .join(Sector, Sector.id == SectorCommune.sector_id)
        .order_by(Commune.code)
    )
    return [
        Place(commune.code, commune.name, commune.postal_codes[0], house_id, commune.population)
        for commune, house_id in rows
    ]


def _go_away(session: Session, teller: Storyteller, now: datetime) -> None:
    """In each house two agents are away this week, a referent among them, and two were away before."""
    today = now.astimezone(PARIS).date()
    monday = today - timedelta(days=today.weekday())
    shown = {login for login, _ in DEMO_SIGN_INS}
    agents = [
        agent for agent in session.scalars(select(Agent).order_by(Agent.id)) if agent.login not in shown
    ]
    referents = set(session.scalars(select(SectorCommune.referent_id)))
    for house_id in dict.fromkeys(agent.house_id for agent in agents):
        colleagues = [agent for agent in agents if agent.house_id == house_id]
        first = teller.one_of([agent for agent in colleagues if agent.id in referents] or colleagues)
        others = teller.rng.sample([agent for agent in colleagues if agent is not first], 3)
        for agent, weeks_ago in ((first, 0), (others[0], 0), (others[1], 2), (others[2], 4)):
            from_day = monday - timedelta(weeks=weeks_ago)
            session.add(Absence(agent_id=agent.id, first_day=from_day, last_day=from_day + timedelta(days=6)))
    session.flush()


def _send_nothing(session: Session, now: datetime) -> None:
    """What would have been sent can be seen, older letters and calls are done, no work is left."""
    session.execute(
        update(Notification).where(Notification.state == Delivery.PENDING).values(state=Delivery.SHOWN)
    )
    session.execute(
        update(Notification)
        .where(Notification.state == Delivery.BY_HAND, Notification.created_at < now - BY_HAND_KEPT)
        .values(
            state=Delivery.DONE, sent_at=Notification.created_at + timedelta(hours=20), sealed_secret=None
        )
    )
    session.execute(update(Document).where(Document.scan == Scan.PENDING).values(scan=Scan.NOT_SCANNED))
    # of every row: there were no requests before, and messages dropped on the way have left their jobs
    asked_for = func.jsonb_extract_path_text(literal_column("args"), "row_id")
    session.execute(delete(table("procrastinate_jobs")).where(asked_for.is_not(None)))
    session.expire_all()
