"""What the portal is compared with: the least that Flask, and Flask with one INSERT or three, can do on the same
gunicorn."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from uuid import UUID, uuid4

from flask import Flask, redirect
from sqlalchemy import insert
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from werkzeug.wrappers import Response

from casework.database import connect


class Base(DeclarativeBase):
    """The parent of the one table."""


class Line(Base):
    """A row like any other."""

    __tablename__ = "lines"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    words: Mapped[str]


def create() -> Flask:
    """A page of a few words, and a form that keeps a row; the database is at `DATABASE_URL`."""
    app = Flask("bare")
    engine = connect(os.environ["DATABASE_URL"])

    @app.get("/page")
    def page() -> str:
        return "<!doctype html><title>Bonjour</title><p>Nous sommes là pour vous aider."

    @app.post("/insert")
    def keep() -> Response:
        with Session(engine) as session:
            session.execute(
                insert(Line).values(id=uuid4(), at=datetime.now(UTC), words="J'ai besoin d'aide.")
            )
            session.commit()
        return redirect("/page", 303)

    @app.post("/three")
    def keep_three() -> Response:
        with Session(engine) as session:
            for _ in range(3):
                session.execute(
                    insert(Line).values(id=uuid4(), at=datetime.now(UTC), words="J'ai besoin d'aide.")
                )
            session.commit()
        return redirect("/page", 303)

    return app


def prepare(url: str) -> None:
    """Make the table."""
    Base.metadata.create_all(connect(url, pooled=False))
