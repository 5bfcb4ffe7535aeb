"""Agendas as large as a département's, and as the whole country's: who receives where, what is taken, what is past.

A département is 100 workers in 9 houses, 90 places, eight weeks of openings from Monday to Friday, 9 to 12 and
14 to 17, in slots of thirty minutes, 30 % of them taken. France is a hundred of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal
from uuid import UUID, uuid4

from sqlalchemy import Connection, Engine, make_url, text
from sqlalchemy.orm import Session

from bench import filling
from bench.filling import AGENTS, FIRST_AGENT
from bench.installation import Installation
from bench.queue_page import sent
from bench.report import Told
from casework import access
from casework.database import connect
from casework.requests import PARIS
from casework.running import prepare
from casework.settings import ROOT, Settings

Candidates = Literal["worker", "house", "departement"]


@dataclass(frozen=True)
class Seeking:
    """Somebody who looks for an hour: their request, and the secret of its link."""

    request_id: UUID
    secret: str
    secret_hash: str


class Agendas:
    """A database full of agendas. `here`: it, as an installation; `now`: when it was filled; `past`: how many
    appointments are over."""

    def __init__(self, here: Installation, departements: int, past: int, now: datetime) -> None:
        self.here, self.departements, self.now = here, departements, now
        self.owner: Engine = connect(here.urls[0], pooled=False)
        self.past, self._seeking = past, 0
        with Session(self.owner) as session, session.begin():
            self._one = sent(session, here.settings("portal"))
        with filling.loading(self.owner) as connection:
            self._run(
                connection, [*filling.territory(), filling.rules(), filling.openings(), *filling.taken()]
            )
            self._run(connection, filling.past(), already=0, until=past)

    def agents(self, how_many: int) -> list[int]:
        """The ids of so many workers, département by département."""
        return list(range(FIRST_AGENT, FIRST_AGENT + min(how_many, self.departements * AGENTS)))

    def add_past(self, until: int) -> None:
        """Let it hold `until` past appointments in all."""
        with filling.loading(self.owner) as connection:
            self._run(connection, filling.past(), already=self.past, until=until)
        self.past = until

    def book_a_team_up(self, weeks: int) -> list[int]:
        """Let eleven agents receive for so many weeks, and every hour of it be taken; returns their ids."""
        with self.owner.begin() as connection:
            self._run(connection, filling.all_taken(weeks))
            connection.execute(text("ANALYZE"))
        first = FIRST_AGENT + filling.TEAM * (filling.HOUSES - 1)
        return list(range(first, first + filling.TEAM))

    def seekers(self, how_many: int, candidates: Candidates) -> list[Seeking]:
        """As many people, of the houses of all départements in turn.

        `candidates`: with whom they may have an hour: the one worker who has their request already, any of the 11
        of a house, any of the 100 of the département.
        """
        key = self.here.settings("portal").access_key
        secrets = [access.new_secret() for _ in range(how_many)]
        people = [Seeking(uuid4(), secret, access.link_hash(key, secret)) for secret in secrets]
        sector = "'d' || d" if candidates == "departement" else filling.HOUSE
        with self.owner.begin() as connection:
            self._run(
                connection,
                filling.asking(candidates == "worker", sector),
                ids=[one.request_id for one in people],
                hashes=[one.secret_hash for one in people],
                already=self._seeking,
            )
        self._seeking += how_many
        return people

    def _run(self, connection: Connection, statements: list[str], **values: object) -> None:
        facts = {
            "departements": self.departements, "today": self.now.astimezone(PARIS).date(), "one": self._one, **values,
        }  # fmt: skip
        for statement in statements:
            connection.execute(text(statement), facts)


@contextmanager
def agendas(
    here: Installation, name: str, departements: int, now: datetime, told: Told, past: int = 0
) -> Iterator[Agendas]:
    """A database of its own beside the installation's, with the agendas of so many départements and so many
    appointments that are over; gone at the end. `told` runs what takes its time."""
    server = connect(here.urls[0], pooled=False)
    with server.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f'CREATE DATABASE "{name}"'))
    owner, portal, backoffice = (
        make_url(url).set(database=name).render_as_string(hide_password=False) for url in here.urls
    )
    there = replace(here, urls=(owner, portal, backoffice))
    try:
        settings = Settings(here.folder, ROOT / "territory" / "vienne", database_url=owner)
        prepare(settings, (portal, backoffice))
        yield told(f"{name}, filled", lambda: Agendas(there, departements, past, now))
    finally:
        with server.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text(f'DROP DATABASE "{name}" WITH (FORCE)'))
