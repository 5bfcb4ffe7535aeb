"""Is this process alive, and can it reach its database? For a reverse proxy and for whoever starts it."""

from __future__ import annotations

from flask import Flask
from flask.typing import ResponseReturnValue
from sqlalchemy import text

from web.doors import ANYONE, open_to
from web.transactions import db


def answer_for_health(app: Flask) -> None:
    """Give the application the page `/sante`."""

    @app.get("/sante")
    @open_to(ANYONE)
    def health() -> ResponseReturnValue:
        db().execute(text("SELECT 1"))
        return "ok\n", {"Content-Type": "text/plain; charset=utf-8"}
