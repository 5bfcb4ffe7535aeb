"""The migrations make exactly the tables the code describes, and carry the data along."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, text

from casework import schema
from casework.database import connect
from casework.embedded import EmbeddedServer
from casework.migrations.ours import is_ours
from casework.models import Base
from tests.conftest import Database


@pytest.fixture
def empty(server: EmbeddedServer) -> Iterator[Engine]:
    """A database nobody has touched yet."""
    name = f"empty_{uuid4().hex}"
    root = connect(server.url(), pooled=False)
    with root.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f'CREATE DATABASE "{name}"'))
    yield connect(server.url(name), pooled=False)
    with root.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f'DROP DATABASE "{name}" WITH (FORCE)'))


def test_migrating_an_empty_database_gives_the_models(database: Database) -> None:
    with database.owner.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "include_object": is_ours}
        )
        assert compare_metadata(context, Base.metadata) == []


def test_migrating_twice_changes_nothing(empty: Engine) -> None:
    schema.migrate(empty)
    schema.migrate(empty)
    with empty.connect() as connection:
        assert connection.scalars(text("SELECT count(*) FROM alembic_version")).all() == [1]


def test_names_known_before_are_found_again_after_the_migration(empty: Engine) -> None:
    """Amélie and a person without a name asked before names were folded."""
    schema.migrate(empty, "0002")
    with empty.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO houses VALUES ('poitiers', 'MDS de Poitiers', '1 rue du Marché', '86000', 'Poitiers', "
                "'+33549000001', 'mds@example.org', 'Du lundi au vendredi.', true)"
            )
        )
        for number, name in (("100000008", "Amélie  D'AUBIN-Roy"), ("100000016", "")):
            connection.execute(
                text(
                    "INSERT INTO requests (id, number, language, state, received_at, promised_by, themes, urgency, "
                    "urgent, urgency_reason, words, place_typed, house_id, name, spoken_language, needs, missing, "
                    "route_reason, handler, version) VALUES (:id, :number, 'fr', 'received', now(), now(), '{money}', "
                    "'none', false, '', '', '', 'poitiers', :name, 'fr', '{}', '', '', '', 1)"
                ),
                {"id": uuid4(), "number": number, "name": name},
            )
    schema.migrate(empty)
    with empty.connect() as connection:
        folded = connection.scalars(text("SELECT name_folded FROM requests ORDER BY number")).all()
    assert folded == ["amelie d aubin roy", ""]
