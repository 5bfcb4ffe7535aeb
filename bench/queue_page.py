"""The queue page of a house with 100,000 open requests: the time the server takes for the whole page."""

from __future__ import annotations

import time
from dataclasses import asdict
from datetime import UTC, datetime
from statistics import median, quantiles
from urllib.parse import urlencode
from uuid import UUID

from flask import Flask, session
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from backoffice.app import create
from bench.installation import Installation
from bench.people import ANSWERS
from bench.report import Measure
from casework import access, agents, queue, requests
from casework.agents import Agent
from casework.database import connect
from casework.queue import Filter
from casework.requests import SendingKeys
from casework.settings import Settings
from casework.vocabulary import Role, State, Theme

HOUSE = "poitiers"
OPEN_HERE, CLOSED_HERE, OPEN_ELSEWHERE = 100_000, 60_000, 40_000
RARE, RARE_THEME = "ti", Theme.VIOLENCE
TIMES = 30
SLOWEST_MS = 60.0
DEEP_PAGE = 50

FILL = """
INSERT INTO requests SELECT made.*
FROM (
    SELECT i, random() AS chance, now() - random() * interval '60 days' AS at,
           CASE WHEN :closed THEN 'closed' WHEN i % 40 = 1 THEN 'received' WHEN i % 40 = 2 THEN 'qualified'
                WHEN i % 10 = 3 THEN 'waiting' WHEN i % 10 = 4 THEN 'routed' ELSE 'taken' END AS standing
    FROM generate_series(1, :many) AS i
) AS people, (
    SELECT array_agg(commune_code) AS communes
    FROM sector_communes JOIN sectors ON sectors.id = sector_id WHERE house_id = :house
) AS places, (
    SELECT array_agg(id) AS workers FROM agents WHERE house_id = :house AND 'worker' = ANY(roles)
) AS team, (
    SELECT CAST(:themes AS text[]) AS about,
           ARRAY['fr', 'fr', 'fr', 'fr', 'fr', 'fr', 'ar', 'ar', 'en', 'fa', 'uk', 'tr', 'pt'] AS languages
) AS words, requests AS one, LATERAL jsonb_populate_record(one, jsonb_build_object(
    'id', gen_random_uuid(), 'number', '0' || (:first + i)::text, 'state', standing, 'house_id', :house,
    'name', 'P. ' || i,
    'received_at', at, 'promised_by', at + interval '7 days', 'urgent', chance < 0.08,
    'urgency', CASE WHEN chance < 0.08 THEN 'power_cut' ELSE 'none' END,
    'themes', CASE WHEN i % 400 = 21 THEN ARRAY[:rare_theme] WHEN i % 6 = 0 THEN
        ARRAY[about[1 + i * 7919 % cardinality(about)], about[1 + i % cardinality(about)]]
        ELSE ARRAY[about[1 + i * 7919 % cardinality(about)]] END,
    'commune_code', communes[1 + i % cardinality(communes)],
    'spoken_language', CASE WHEN i % 5000 = 7 THEN :rare ELSE languages[1 + i * 7919 % cardinality(languages)] END,
    'worker_id', CASE WHEN standing IN ('routed', 'taken', 'waiting') THEN workers[1 + i % cardinality(workers)] END,
    'outcome', CASE WHEN standing = 'closed' THEN 'answered' END,
    'closed_at', CASE WHEN standing = 'closed' THEN at + interval '3 days' END,
    'citizen_wrote_at', CASE WHEN chance > 0.8 THEN at + interval '1 day' END,
    'agent_wrote_at', CASE WHEN chance > 0.6 THEN at + interval '2 days' END
)) AS made
WHERE one.id = :one
"""
"""Copies of one request that differ in state, theme, language and age, as in a house that is behind: most are taken,
one in twenty waits for the reception, one in 400 has a rare theme, one in 5,000 speaks a rare language."""


def measure(here: Installation) -> list[Measure]:
    """Fill a house, then ask for its queue by each filter, signed in as one of its secretaries."""
    owner = connect(here.urls[0], pooled=False)
    fill(here, owner)
    app, cookie = secretary(here)
    measures = []
    for name, path in _pages(owner).items():
        times = _times(app, cookie, path)
        against = f"{OPEN_HERE:,} open requests in the house, the whole page"
        p95 = quantiles(times, n=20)[-1]
        measures += [
            Measure(f"queue_page.{name}.p50", median(times), "ms", None, "lower", against),
            Measure(f"queue_page.{name}.p95", p95, "ms", SLOWEST_MS, "lower", against),
        ]
    return measures


def fill(here: Installation, owner: Engine) -> None:
    """Put the requests in, the same ones each time: one is sent as the portal sends it, the others are like it."""
    parts = (
        (HOUSE, OPEN_HERE, False, 1),
        (HOUSE, CLOSED_HERE, True, 2),
        ("chatellerault", OPEN_ELSEWHERE, False, 3),
    )
    with Session(owner) as database, database.begin():
        one = sent(database, here.settings("portal"))
        database.execute(text("SELECT setseed(0.86)"))
        for house, many, closed, block in parts:
            themes = [theme.value for theme in Theme if theme is not RARE_THEME]
            values = {
                "house": house,
                "many": many,
                "closed": closed,
                "first": block * 100_000_000,
                "one": one,
            }
            rare = {"rare": RARE, "rare_theme": RARE_THEME.value}
            database.execute(text(FILL), {**values, **rare, "themes": themes})
    with owner.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE requests"))


def sent(database: Session, settings: Settings) -> UUID:
    """A request that the portal sent: others are copied from it."""
    now, secret = datetime.now(UTC), access.new_secret()
    draft = requests.start_draft(database, access.link_hash(settings.access_key, secret), "fr", now)
    draft.answers = asdict(ANSWERS)
    keys = SendingKeys.of(settings)
    requests.send(database, draft, secret, keys=keys, working_days=5, now=now)
    return draft.id


def secretary(here: Installation) -> tuple[Flask, str]:
    """The back office, and the cookie of a secretary of the house who has signed in."""
    settings = here.settings("backoffice")
    app = create(settings)
    with Session(connect(settings.database_url, pooled=False)) as database, database.begin():
        found = select(Agent).where(Agent.house_id == HOUSE, Agent.roles.contains([Role.SECRETARY.value]))
        agent = database.scalars(found.order_by(Agent.id)).first()
        if agent is None:
            raise LookupError(f"no secretary in {HOUSE}")
        token = agents.open_session(database, agent, datetime.now(UTC))
    with app.test_request_context("/"):
        session["token"] = token
        signer = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]
        return app, f"{app.config['SESSION_COOKIE_NAME']}={signer.dumps(dict(session))}"


def _pages(owner: Engine) -> dict[str, str]:
    """Addresses by what they show."""
    wanted = {
        "todo": {},
        "open": {"etat": "open"},
        **{f"theme_{theme}": {"theme": theme.value} for theme in Theme},
        "rare_language": {"langue": RARE},
        "rare_theme_open": {"theme": RARE_THEME.value, "etat": "open"},
        "rare_language_open": {"langue": RARE, "etat": "open"},
        "urgent": {"urgent": "1"},
        **{f"state_{state}": {"etat": state.value} for state in (State.RECEIVED, State.WAITING)},
    }
    with Session(owner) as database:
        before = queue.page(database, HOUSE, Filter(state="open"), limit=queue.PAGE * (DEEP_PAGE - 1))[
            -1
        ].place
    after = f"{before.urgent:d}_{before.promised_by.isoformat()}_{before.id}"
    wanted[f"page_{DEEP_PAGE}"] = {"etat": "open", "apres": after}
    return {name: f"/fr/file?{urlencode(asked)}" for name, asked in wanted.items()}


def _times(app: Flask, cookie: str, path: str) -> list[float]:
    """Milliseconds, once the page was asked twice."""
    client, times = app.test_client(use_cookies=False), []
    for turn in range(TIMES + 2):
        start = time.perf_counter()
        answer = client.get(path, headers={"Cookie": cookie, "Accept-Encoding": "br"})
        elapsed = (time.perf_counter() - start) * 1000
        if answer.status_code != 200:
            raise ValueError(f"{path}: {answer.status}")
        if turn >= 2:
            times.append(elapsed)
    return times
