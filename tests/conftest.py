"""What every test may ask for: a real PostgreSQL, a migrated database emptied after each test, a clock."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, text

from casework import documents, schema
from casework.database import connect
from casework.embedded import EmbeddedServer
from casework.models import Base
from tests import people

PARIS = ZoneInfo("Europe/Paris")
ACCESS_KEY = "a key for hashes in tests"

EMPTY_AMONG_OTHERS = f"""TRUNCATE {", ".join(table.name for table in Base.metadata.sorted_tables)}, procrastinate_jobs
RESTART IDENTITY CASCADE"""
"""Waits for what other processes have under way."""
EMPTY_ALONE = """DO $$
DECLARE one regclass;
BEGIN
    SET LOCAL session_replication_role = replica;  -- every table is emptied: no order, no trigger
    FOR one IN SELECT oid FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
        AND relname NOT IN ('alembic_version', 'procrastinate_workers') LOOP
        EXECUTE format('DELETE FROM %s', one);
    END LOOP;
    PERFORM setval(seqrelid::regclass, seqstart, false) FROM pg_sequence
        WHERE seqrelid <> 'procrastinate_workers_id_seq'::regclass;  -- nor do its rows go: workers tell of themselves
END $$"""
"""The same twenty times faster: TRUNCATE makes new files for fifty tables and their indexes, full or not."""


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """In CI a test that cannot run is a failure (`.ci/run` sets ALLERVERS_NO_SKIP)."""
    if report.skipped and os.environ.get("ALLERVERS_NO_SKIP") and not hasattr(report, "wasxfail"):
        report.outcome = "failed"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest first, so that no process ends alone with it: each of two is dealt one half, in order.

    Browsers begin one half, so that one process opens one and starts the house; the other begins with what is
    slow. A file stays whole: its tests share what they made.
    """
    marks: defaultdict[Path, set[str]] = defaultdict(set)
    for item in items:
        marks[item.path] |= {mark.name for mark in item.iter_markers()}
    browser = [item for item in items if "browser" in marks[item.path]]
    slow = [
        item for item in items if "browser" not in marks[item.path] and marks[item.path] & {"slow", "long"}
    ]
    light = [item for item in items if not marks[item.path] & {"browser", "slow", "long"}]
    half = max(0, len(items) // 2 - len(browser))
    items[:] = browser + light[:half] + slow + light[half:]


@dataclass(frozen=True)
class Database:
    """One migrated database, seen by its three roles, and the keys that go with it."""

    name: str
    owner: Engine
    portal: Engine
    backoffice: Engine
    urls: tuple[str, str, str]
    """Addresses for (owner, portal, back office)."""
    public_key: str
    private_key: str
    access_key: str = ACCESS_KEY


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServer]:
    """One PostgreSQL for all test processes of a run; it fears no power cut."""
    shared = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        shared = shared.parent
    running = EmbeddedServer(Path(os.environ.get("ALLERVERS_TEST_POSTGRES") or shared / "postgres"))
    owner = connect(running.url(), pooled=False)
    with owner.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ALTER SYSTEM SET fsync = off"))
        connection.execute(text("ALTER SYSTEM SET full_page_writes = off"))
        connection.execute(text("SELECT pg_reload_conf()"))
    yield running
    running.stop()


@pytest.fixture(scope="session")
def migrated(server: EmbeddedServer) -> Iterator[Database]:
    """The database of this test process, at the present schema, with the small territory of `people`."""
    with new_database(server, f"test_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}_{os.getpid()}") as made:
        yield made


@pytest.fixture(scope="session")
def lived_in(server: EmbeddedServer) -> Iterator[Database]:
    """The same for tests beside running processes, which see to whatever they find there."""
    name = f"test_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}_{os.getpid()}_lived_in"
    with new_database(server, name) as made:
        yield made


@contextmanager
def new_database(server: EmbeddedServer, name: str) -> Iterator[Database]:
    """A database at the present schema, empty, for as long as it is needed."""
    root = connect(server.url(), pooled=False)
    with root.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f'CREATE DATABASE "{name}"'))
    urls = server.urls(name)
    owner, portal, backoffice = map(connect, urls)
    schema.migrate(owner)
    public_key, private_key = documents.new_key_pair()
    yield Database(name, owner, portal, backoffice, urls, public_key, private_key)
    for engine in (owner, portal, backoffice):
        engine.dispose()
    with root.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))


@pytest.fixture
def database(request: pytest.FixtureRequest) -> Iterator[Database]:
    """A database that holds the small territory of `tests.people` and nothing else; emptied after the test."""
    others = any(request.node.get_closest_marker(mark) for mark in ("browser", "slow"))
    given: Database = request.getfixturevalue("lived_in" if others else "migrated")
    with given.owner.begin() as connection:
        people.settle(connection)
    yield given
    with given.owner.begin() as connection:
        connection.execute(text(EMPTY_AMONG_OTHERS if others else EMPTY_ALONE))


@pytest.fixture
def now() -> datetime:
    """Tuesday 3 November 2026, 10:00 in Paris: an ordinary working morning."""
    return datetime(2026, 11, 3, 10, tzinfo=PARIS)
