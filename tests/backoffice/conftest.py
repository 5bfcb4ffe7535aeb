"""The back office, as its own role sees the database, without a directory; the house's people signed in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import cache
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from flask import Flask
from sqlalchemy import update

from backoffice.app import create
from casework.agents import Agent
from casework.settings import ROOT, Settings
from tests.backoffice.colleague import Colleague
from tests.clock import Clock
from tests.compiled import made_once
from tests.conftest import Database
from tests.people import CLAIRE, LOUISE, MARC, NADIA, ODILE, PASSWORD, PAUL, Character
from tests.portal.conftest import portal, settings, somebody

__all__ = ["portal", "settings", "somebody"]


@cache
def password_hash() -> str:
    """The hash of everybody's password, quick to check: those of the demonstration are slow on purpose."""
    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)


@pytest.fixture
def desk_settings(database: Database, tmp_path: Path) -> Settings:
    """What the back office's process is given: its own role and both keys; no directory."""
    return Settings(
        var=tmp_path,
        territory=ROOT / "territory" / "vienne",
        database_url=database.urls[2],
        portal_address="https://portail.example.org",
        backoffice_address="https://agents.example.org",
        secret_key="a secret of the back office in tests",
        access_key=database.access_key,
        documents_public_key=database.public_key,
        documents_private_key=database.private_key,
    )


@pytest.fixture
def clock(now: datetime) -> Clock:
    """The back office's clock."""
    return Clock(now)


@pytest.fixture
def backoffice(desk_settings: Settings, database: Database, clock: Clock) -> Flask:
    """The back office at the time of the tests; every agent has the demonstration's password."""
    with database.owner.begin() as connection:
        connection.execute(update(Agent).values(password_hash=password_hash()))
    return made_once(create, desk_settings, clock)


AtDesk = Callable[[Character], Colleague]


@pytest.fixture
def at_desk(backoffice: Flask) -> AtDesk:
    """Somebody signed in, in a browser of their own."""

    def sit_down(who: Character) -> Colleague:
        colleague = Colleague(backoffice, who, source=f"10.0.0.{who.id}")
        colleague.signs_in()
        return colleague

    return sit_down


@pytest.fixture
def nadia(at_desk: AtDesk) -> Colleague:
    """Nadia, secretary at Poitiers."""
    return at_desk(NADIA)


@pytest.fixture
def claire(at_desk: AtDesk) -> Colleague:
    """Claire, secretary at Poitiers too."""
    return at_desk(CLAIRE)


@pytest.fixture
def paul(at_desk: AtDesk) -> Colleague:
    """Paul, social worker at Poitiers."""
    return at_desk(PAUL)


@pytest.fixture
def louise(at_desk: AtDesk) -> Colleague:
    """Louise, social worker at Poitiers, referent of Frozes."""
    return at_desk(LOUISE)


@pytest.fixture
def marc(at_desk: AtDesk) -> Colleague:
    """Marc, manager at Poitiers."""
    return at_desk(MARC)


@pytest.fixture
def odile(at_desk: AtDesk) -> Colleague:
    """Odile, secretary at Loudun."""
    return at_desk(ODILE)
