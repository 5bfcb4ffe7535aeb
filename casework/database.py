"""The database: one engine per process, one transaction per action.

PostgreSQL only (design rule 3). The portal signs in as a role that sees a request only while the keyed hash of
its secret stands in the transaction's setting `allervers.secret`; row security does the rest.
"""

from __future__ import annotations

import enum
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from functools import lru_cache, partial
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import (
    Column,
    ColumnDefault,
    Date,
    Engine,
    Enum,
    MetaData,
    Text,
    TextClause,
    Uuid,
    create_engine,
    event,
    inspect,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP
from sqlalchemy.orm import DeclarativeBase, Session, SessionTransaction
from sqlalchemy.pool import NullPool

PORTAL_ROLE = "allervers_portal"
BACKOFFICE_ROLE = "allervers_backoffice"


class Base(DeclarativeBase):
    """The parent of every table. Times are `timestamptz`; text has no arbitrary length."""

    metadata = MetaData(
        naming_convention={
            "ix": "%(table_name)s_%(column_0_N_name)s_idx",
            "uq": "%(table_name)s_%(column_0_N_name)s_key",
            "ck": "%(table_name)s_%(constraint_name)s_check",
            "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
            "pk": "%(table_name)s_pkey",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        str: Text,
        datetime: TIMESTAMP(timezone=True),
        date: Date,
        UUID: Uuid,
        list[str]: ARRAY(Text),
        dict[str, Any]: JSONB,
    }


def one_of(vocabulary: type[enum.StrEnum]) -> Enum:
    """A text column that holds one word of a vocabulary, checked by the database as well."""
    return Enum(
        vocabulary,
        native_enum=False,
        create_constraint=True,
        length=40,
        values_callable=lambda words: [word.value for word in words],
        name=f"{vocabulary.__name__.lower()}_known",
    )


def connect(url: str, *, pooled: bool = True) -> Engine:
    """An engine for `url` (`postgresql://…`); `pooled=False` for short-lived commands.

    Its errors never show the values of a statement: they end in logs, and may be somebody's words.
    """
    driver_url = url.replace("postgresql://", "postgresql+psycopg://", 1).replace(
        "postgres://", "postgresql+psycopg://", 1
    )
    if not pooled:
        return create_engine(driver_url, poolclass=NullPool, hide_parameters=True)
    return create_engine(
        driver_url, pool_size=4, max_overflow=4, pool_pre_ping=True, pool_recycle=1800, hide_parameters=True
    )


@event.listens_for(Session, "after_begin")
def _present_secret(session: Session, _transaction: SessionTransaction, connection: Any) -> None:
    """Show row security the hash this session was opened with, for this transaction only."""
    if secret_hash := session.info.get("secret_hash"):
        connection.execute(text("SELECT set_config('allervers.secret', :hash, true)"), {"hash": secret_hash})


def present(session: Session, secret_hash: str) -> None:
    """Open, for this session, what the secret with that keyed hash gives access to."""
    session.info["secret_hash"] = secret_hash
    if session.in_transaction():
        session.execute(text("SELECT set_config('allervers.secret', :hash, true)"), {"hash": secret_hash})


def put(session: Session, *rows: Base) -> None:
    """Insert new rows of several tables in one statement: one exchange with the database instead of one a table.

    They need not be in order: PostgreSQL checks foreign keys once all are in. Nothing is read back, which the
    portal's role could not do, so the rows stay outside the session.
    """
    tables: dict[type[Base], list[dict[str, Any]]] = {}
    for row in rows:
        given, fields = vars(row), _fields(type(row))
        said = {name: given[name] if name in given else made() for name, made in fields.items()}
        tables.setdefault(type(row), []).append(said)
    by_name = {table.__tablename__: several for table, several in tables.items()}
    session.flush()
    session.connection().execute(_putting(tuple(tables)), {"rows": json.dumps(by_name, default=_as_json)})


@lru_cache
def _fields(table: type[Base]) -> dict[str, Callable[[], Any]]:
    """Each column, with what makes its default; but the key that the database counts by itself."""
    return {
        column.key: partial(_default, column) for column in inspect(table).columns if column.identity is None
    }


def _default(column: Column[Any]) -> Any:
    if not isinstance(column.default, ColumnDefault):
        return None
    made = column.default.arg
    return made(None) if callable(made) else made


@lru_cache
def _putting(tables: tuple[type[Base], ...]) -> TextClause:
    parts = []
    for table in tables:
        name, columns = table.__tablename__, ", ".join(_fields(table))
        rows = f"jsonb_populate_recordset(NULL::{name}, CAST(:rows AS jsonb)->'{name}')"
        insertion = f"INSERT INTO {name} ({columns}) SELECT {columns} FROM {rows}"  # noqa: S608 - our own names
        parts.append(f"new_{name} AS ({insertion})")
    return text(f"WITH {', '.join(parts)} SELECT")


def _as_json(value: object) -> str:
    """What JSON has no word for, as PostgreSQL writes it."""
    if isinstance(value, datetime):
        return value.isoformat()
    return f"\\x{value.hex()}" if isinstance(value, bytes) else str(value)


def defer(session: Session, task: str, row_id: UUID, *, at: datetime | None = None) -> None:
    """Ask the worker to run `task` on a row, once this transaction is committed and not before.

    The job is a row in the same transaction, written by a function that lets each role ask only for the tasks
    and the id (design rules 2 and 4).
    """
    session.execute(
        text("SELECT defer_work(:task, :row_id, :at)"), {"task": task, "row_id": row_id, "at": at}
    )


@contextmanager
def transaction(engine: Engine) -> Iterator[Session]:
    """One action: commit at the end, roll back on any error."""
    with Session(engine, expire_on_commit=False) as session, session.begin():
        yield session
