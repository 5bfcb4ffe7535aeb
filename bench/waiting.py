"""A thousand people in one waiting room: what their pages ask of the portal, what one answer costs, and the memory.

How often a page asks is read from the page itself. First the answers one after the other, of people all along the
line; then eight at once, as many a second as the portal gives; the room is held when that is more than the pages ask.
"""

from __future__ import annotations

import http.client
import re
import time
from datetime import UTC, datetime, timedelta
from itertools import cycle, islice
from statistics import quantiles
from uuid import uuid4

import brotli
from sqlalchemy import Engine, insert, select
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session

from bench.installation import Installation, Served, serving
from bench.load import Ask, Plan, UnexpectedAnswerError, run
from bench.memory import resident
from bench.people import People
from bench.report import Measure
from casework import access, permanences
from casework.agents import Agent
from casework.database import connect
from casework.permanences import PermanenceTime
from casework.permanences import Plan as Permanence
from casework.vocabulary import Role, Theme
from casework.waiting_room import Visit, VisitState, Wanted

HOUSE = "poitiers"
PEOPLE, DESKS = 1000, 20
PAGE, PLACE = "/fr/permanence/attente", "/fr/permanence/attente/place"
TIMES = 300
AT_ONCE_SECONDS = 4.0
SLOWEST_MS = 50.0


def measure(here: Installation) -> list[Measure]:
    """Fill a waiting room, then ask as its pages do."""
    owner = connect(here.urls[0], pooled=False)
    cookies = fill(here, owner)
    with serving("portal.app:create()", here.environment("portal"), "/sante") as portal:
        every = _every(portal, cookies[0])
        spread = list(islice(cycle(cookies[::7]), TIMES))
        _timed(portal, spread[:20])
        times = _timed(portal, spread)
        unseen(owner)
        signs = _timed(portal, cookies[: TIMES // 2])
        at_once = run(
            Plan(portal.port, AT_ONCE_SECONDS, [(one, [Ask(PLACE)]) for one in cookies] * 20, 200)
        ).per_second
        pss = sum(resident(pid)[1] for pid in (portal.master, *portal.workers))
    asked = PEOPLE / every
    against = f"{PEOPLE:,} wait, {DESKS} desks; alone, over HTTP"
    caused = f"{PEOPLE:,} pages, one question in {every} s each, as the page says"
    room = f"{asked:,.0f}/s asked; 8 connections, 2 processes of 4 threads"
    return [
        Measure("waiting.asked", asked, "requests/s", None, "lower", caused),
        Measure("waiting.refresh.p50", quantiles(times, n=20)[9], "ms", None, "lower", against),
        Measure("waiting.refresh.p95", quantiles(times, n=20)[-1], "ms", SLOWEST_MS, "lower", against),
        Measure(
            "waiting.sign_of_life.p95", quantiles(signs, n=20)[-1], "ms", None, "lower",
            "the same, when the sign of life is written too: once in 20 s",
        ),
        Measure("waiting.answered", at_once, "requests/s", asked, "higher", room),
        Measure("waiting.memory", pss, "MB", None, "lower", "proportional, portal's master and processes"),
    ]  # fmt: skip


def fill(here: Installation, owner: Engine) -> list[str]:
    """A permanence with its desks, and everybody in its room; returns the cookies, in the order of the line."""
    now, people, cookies, rows = datetime.now(UTC), People(here), [], []
    key = here.settings("portal").access_key
    with Session(owner) as database, database.begin():
        agents = list(database.scalars(select(Agent).where(Agent.house_id == HOUSE).order_by(Agent.id)))
        secretary = next(one for one in agents if one.is_a(Role.SECRETARY))
        plan = Permanence("Permanence à distance", ["fr"], True, True, True)
        one = permanences.set_up(database, secretary, uuid4(), plan, now)
        database.flush()
        during = Range(now - timedelta(hours=1), now + timedelta(hours=8), bounds="[)")
        database.add(PermanenceTime(id=uuid4(), permanence_id=one.id, during=during))
        for agent in agents[:DESKS]:
            permanences.open_desk(database, agent, one, now + timedelta(minutes=5))
        for place in range(PEOPLE):
            secret = access.new_secret()
            hashed = access.link_hash(key, secret)
            cookies.append(people.browser(visit=hashed, visit_secret=secret)[0])
            rows.append({
                "id": uuid4(), "permanence_id": one.id, "link_hash": hashed, "called_name": f"P. {place}",
                "language": "fr", "theme": Theme.HOUSING, "needs": [], "channel": Wanted.TEXT,
                "arrived_at": now - timedelta(seconds=PEOPLE - place), "urgent": False, "urgency_reason": "",
                "state": VisitState.WAITING, "last_seen_at": now,
            })  # fmt: skip
        database.execute(insert(Visit), rows)
    return cookies


def unseen(owner: Engine) -> None:
    """Nobody gave a sign of life for a while: the next question of each page writes one."""
    with owner.begin() as connection:
        connection.exec_driver_sql("UPDATE visits SET last_seen_at = last_seen_at - interval '1 minute'")


def _every(portal: Served, cookies: str) -> int:
    """How many seconds a waiting page leaves between two questions."""
    page = _get(http.client.HTTPConnection("127.0.0.1", portal.port), PAGE, cookies)
    found = re.search(r'data-every="(\d+)"', page)
    if found is None:
        raise UnexpectedAnswerError(f"{PAGE}: no waiting room")
    return int(found[1])


def _timed(portal: Served, cookies: list[str]) -> list[float]:
    """Milliseconds of each question, on one connection kept open."""
    connection, times = http.client.HTTPConnection("127.0.0.1", portal.port), []
    for one in cookies:
        start = time.perf_counter()
        page = _get(connection, PLACE, one)
        times.append((time.perf_counter() - start) * 1000)
        if 'id="turn"' not in page:
            raise UnexpectedAnswerError(f"{PLACE}: nobody waits")
    connection.close()
    return times


def _get(connection: http.client.HTTPConnection, path: str, cookies: str) -> str:
    connection.request("GET", path, headers={"Cookie": cookies, "Accept-Encoding": "br"})
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 200:
        raise UnexpectedAnswerError(f"{path}: {answer.status}")
    return (brotli.decompress(body) if answer.headers["Content-Encoding"] == "br" else body).decode()
