"""Home, emergencies, and the pages that say who we are."""

from __future__ import annotations

from flask import Blueprint, abort, current_app, redirect, render_template, send_file, session
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from casework import access
from casework.accessibility import STATES, load_audit
from casework.territory import House
from casework.vocabulary import LANGUAGES
from portal import visit
from portal.announcing import receives_now
from web.compression import same_for_everybody
from web.doors import ANYONE, open_to
from web.language import language
from web.transactions import db

pages = Blueprint("pages", __name__)


@pages.get("/")
@open_to(ANYONE)
def choose_language() -> ResponseReturnValue:
    """Which language? Each by its own name; the browser's own one comes first."""
    first = language()
    order = sorted(LANGUAGES, key=lambda code: code != first)
    return render_template("portal/languages.html", order=order)


@pages.get("/<lang>/")
@open_to(ANYONE)
def home() -> ResponseReturnValue:
    """The door of the house; who began or sent a request finds it first."""
    if session.get("opens"):
        begun = visit.draft() is not None
        return render_template(
            "portal/home.html", begun=begun, sent=not begun and access.opened_request(db()) is not None
        )
    return _home(receives=receives_now())


@same_for_everybody
def _home(*, receives: bool) -> str:  # noqa: ARG001 - the page is kept once for each of the two
    return render_template("portal/home.html", begun=False, sent=False)


@pages.get("/<lang>/urgences")
@open_to(ANYONE)
@same_for_everybody
def emergencies() -> str:
    """Numbers to call now."""
    return render_template("portal/emergencies.html")


@pages.get("/<lang>/maisons")
@open_to(ANYONE)
def houses() -> ResponseReturnValue:
    """Where to come: the houses, their hours and telephones; and whether somebody receives from afar now."""
    return _houses(receives=receives_now())


@same_for_everybody
def _houses(*, receives: bool) -> str:  # noqa: ARG001 - the page is kept once for each of the two
    return render_template(
        "portal/houses.html", houses=db().scalars(select(House).order_by(House.name)).all()
    )


@pages.app_context_processor
def _how_accessible() -> dict[str, object]:
    """For the line at the foot of each page."""
    return {"conformity": lambda: load_audit().conformity}


@pages.get("/<lang>/accessibilite")
@open_to(ANYONE)
@same_for_everybody
def accessibility() -> str:
    """How far the service is accessible, and whom to tell when it is not."""
    return render_template("portal/accessibility.html", audit=load_audit(), states=STATES)


@pages.get("/<lang>/mentions")
@open_to(ANYONE)
@same_for_everybody
def legal() -> str:
    """Who publishes this, what is kept, the cookies."""
    return render_template("portal/legal.html")


@pages.get("/quitter")
@open_to(ANYONE)
def quick_exit() -> ResponseReturnValue:
    """Leave at once: forget this device's request and go to an ordinary page."""
    session.clear()
    response = redirect(_neutral_address(), 303)
    response.headers["Clear-Site-Data"] = '"cache", "cookies", "storage"'
    return response


@pages.get("/facile-a-lire")
@open_to(ANYONE)
def easy_to_read_logo() -> ResponseReturnValue:
    """The easy-to-read logo, where the département received it."""
    logo = current_app.extensions["identity"].easy_to_read_logo or abort(404)
    return send_file(logo, max_age=3600)


@pages.get("/robots.txt")
@open_to(ANYONE)
def robots() -> ResponseReturnValue:
    """Search engines may show the public pages, never a link that opens a request."""
    lines = [
        "User-agent: *",
        *(f"Disallow: /{code}/{link}/" for code in LANGUAGES for link in ("s", "permanence/v")),
        "Disallow: /quitter",
    ]
    return "\n".join(lines) + "\n", {"Content-Type": "text/plain; charset=utf-8"}


def _neutral_address() -> str:
    address: str = current_app.extensions["identity"].quick_exit_address
    return address
