"""A département's two colours, when they are not the stylesheets' own."""

from __future__ import annotations

from flask import Flask
from flask.typing import ResponseReturnValue

from casework.identity import Identity
from web.doors import ANYONE, open_to

OWN = ("#0b4f4b", "#8c1d13")
"""The colours of `static/portal.css` and `static/backoffice.css`: action, warning."""


def wear(app: Flask, identity: Identity) -> None:
    """Serve `/couleurs.css` and have pages link it, only if the département chose other colours by day."""
    chosen = (identity.action_colour.lower(), identity.warning_colour.lower())
    app.jinja_env.globals["own_colours"] = chosen != OWN

    @app.get("/couleurs.css")
    @open_to(ANYONE)
    def colours() -> ResponseReturnValue:
        sheet = f":root {{ --action: {chosen[0]}; --warning: {chosen[1]}; }}\n"
        return sheet, {"Content-Type": "text/css; charset=utf-8", "Cache-Control": "public, max-age=3600"}
