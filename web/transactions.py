"""One database session per page; the view commits once, anything else is rolled back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from flask import Flask, current_app, g
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from casework.settings import Settings


def db() -> Session:
    """This page's session; opened at first use, closed with the page."""
    if "db" not in g:
        engine: Engine = current_app.extensions["engine"]
        g.db = Session(engine, expire_on_commit=False, autoflush=True)
        present: Callable[[Session], None] | None = current_app.extensions.get("present")
        if present:
            present(g.db)
    session: Session = g.db
    return session


def now() -> datetime:
    """The present moment, by the application's clock; the same all along one page."""
    if "now" not in g:
        g.now = current_app.extensions["clock"]()
    moment: datetime = g.now
    return moment


def settings() -> Settings:
    """This process's settings."""
    found: Settings = current_app.extensions["settings"]
    return found


def close_at_end(app: Flask) -> None:
    """Close the session of each page, whatever happened in it."""

    @app.teardown_appcontext
    def close(_error: BaseException | None) -> None:
        session: Session | None = g.pop("db", None)
        if session is not None:
            session.close()
