"""Bringing a database to the present schema: roles first, then the migrations."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from psycopg import sql
from sqlalchemy import Connection, Engine, make_url, text

from casework.database import BACKOFFICE_ROLE, PORTAL_ROLE

MIGRATIONS = Path(__file__).parent / "migrations"


def alembic_config(connection: Connection) -> Config:
    """Alembic's settings, on an open connection."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def migrate(engine: Engine, revision: str = "head") -> None:
    """Create the two roles if they are missing, then run the migrations, all in one transaction."""
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('allervers migrations'))"))
        for role in (PORTAL_ROLE, BACKOFFICE_ROLE):
            if not connection.scalar(text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role}):
                # Roles are the whole server's: another database of it may be creating them at this moment.
                connection.exec_driver_sql(
                    f'DO $$ BEGIN CREATE ROLE "{role}" LOGIN; '
                    "EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
                )
        command.upgrade(alembic_config(connection), revision)


def set_passwords(engine: Engine, urls: list[str]) -> None:
    """Give each role the password its own address carries (`postgresql://allervers_portal:password@…`)."""
    with engine.begin() as connection:
        for url in map(make_url, urls):
            if url.username in {PORTAL_ROLE, BACKOFFICE_ROLE} and url.password:
                statement = sql.SQL("ALTER ROLE {} PASSWORD {}").format(
                    sql.Identifier(url.username), sql.Literal(url.password)
                )
                driver = connection.connection.driver_connection
                if driver is None:
                    raise RuntimeError("no driver connection")
                driver.execute(statement)
