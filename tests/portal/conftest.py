"""The portal, as its own role sees the database."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from casework.settings import ROOT, Settings
from portal.app import create
from tests.clock import Clock
from tests.compiled import made_once
from tests.conftest import Database
from tests.portal.person import Person


@pytest.fixture
def settings(database: Database, tmp_path: Path) -> Settings:
    """What the portal's process is given: its own role and the public key alone."""
    return Settings(
        var=tmp_path,
        territory=ROOT / "territory" / "vienne",
        database_url=database.urls[1],
        portal_address="https://portail.example.org",
        backoffice_address="https://agents.example.org",
        secret_key="a secret of the portal in tests",
        access_key=database.access_key,
        documents_public_key=database.public_key,
        sms_url="https://textos.example.org",
    )


@pytest.fixture
def clock(now: datetime) -> Clock:
    """The portal's clock."""
    return Clock(now)


@pytest.fixture
def portal(settings: Settings, clock: Clock) -> Flask:
    """The portal at the time of the tests."""
    return made_once(create, settings, clock)


@pytest.fixture
def somebody(portal: Flask) -> Callable[..., Person]:
    """A person with a browser of their own: `somebody(language="ar", source="192.0.2.7")`."""
    return lambda **how: Person(portal, **how)


@pytest.fixture
def amina(somebody: Callable[..., Person]) -> Person:
    """Amina, who reads Arabic."""
    return somebody(language="ar")


@pytest.fixture
def marcel(somebody: Callable[..., Person]) -> Person:
    """Marcel, who reads French."""
    return somebody(source="192.0.2.20")


@pytest.fixture
def browser(portal: Flask) -> FlaskClient:
    """One person's browser, over HTTPS."""
    client = portal.test_client()
    client.environ_base["wsgi.url_scheme"] = "https"
    return client
