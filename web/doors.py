"""Who may call a route. Every view carries its door; a view without one is shut (design rule 9: fail closed)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from flask import Flask, abort, current_app, request
from flask.typing import ResponseReturnValue

View = TypeVar("View", bound=Callable[..., Any])


@dataclass(frozen=True)
class Door:
    """`who` is the name shown by the test that lists all routes; `check` returns an answer to refuse with, or None."""

    who: str
    check: Callable[[], ResponseReturnValue | None]


ANYONE = Door("anyone", lambda: None)


def open_to(door: Door) -> Callable[[View], View]:
    """Declare who may call a view."""

    def declare(view: View) -> View:
        view.door = door  # type: ignore[attr-defined]
        return view

    return declare


def door_of(app: Flask, endpoint: str) -> Door | None:
    """The door of a route; static files are open to anyone."""
    return getattr(app.view_functions[endpoint], "door", None)


def guard(app: Flask) -> None:
    """Check the door of every page before its view."""

    @app.before_request
    def check_door() -> ResponseReturnValue | None:
        if request.endpoint is None:
            return None
        door = door_of(current_app, request.endpoint)
        if door is None:
            abort(403)
        return door.check()
