"""Audio made ahead, as pages offer it: pieces to play, and the files themselves."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from flask import Blueprint, Flask, Response, abort, current_app, request, send_file

from casework.audio import KINDS, Shelf
from casework.settings import Settings
from portal.spoken import Heard
from web.doors import ANYONE, open_to

listening = Blueprint("listening", __name__)

A_YEAR = 31_536_000


@dataclass(frozen=True)
class Piece:
    """A piece that can be played. `of`: the id of the section it says; `name`: of its files."""

    of: str
    heading: str
    name: str


def offer_audio(app: Flask) -> None:
    """Let the application know where the audio is, and serve it."""
    settings: Settings = app.extensions["settings"]
    app.extensions["audio"] = Shelf(settings.var / "audio")
    app.jinja_env.globals["audio_kinds"] = KINDS
    app.register_blueprint(listening)


def pieces(heard: Iterable[Heard]) -> tuple[Piece, ...]:
    """All of them or none: a page said in part would be thought to be the whole."""
    shelf: Shelf = current_app.extensions["audio"]
    found = []
    for one in heard:
        name = shelf.name_of(one.speech)
        if name is None:
            return ()
        found.append(Piece(one.of, one.heading, name))
    return tuple(found)


@listening.get("/audio/<name>.<kind>")
@open_to(ANYONE)
def said(name: str, kind: str) -> Response:
    """One file, whole or a range of it. Its name changes with its words: a browser may keep it a year.

    Of a sensitive page (`discret`) a browser keeps nothing: the telephone may be searched.
    """
    shelf: Shelf = current_app.extensions["audio"]
    path = shelf.file(name, kind) or abort(404)
    response = send_file(path, mimetype=KINDS[kind].partition(";")[0], conditional=True, max_age=A_YEAR)
    if "discret" in request.args:
        response.headers["Cache-Control"] = "no-store"
    else:
        response.cache_control.public = True
        response.cache_control.immutable = True
    return response
