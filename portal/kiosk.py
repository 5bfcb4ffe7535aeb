"""The kiosk of a house: set up once with a key, then one visit after the other, each wiped at its end."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Blueprint, abort, g, make_response, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm

from casework import access, kiosks
from casework.access import TooManyGuessesError
from casework.rights import FRENCH
from casework.territory import House
from casework.translation import catalogue
from casework.vocabulary import LANGUAGES, N_
from casework.waiting_room import VisitState
from portal import kiosk_browser, visit
from portal.kiosk_browser import FORGET, VISITING
from web.doors import ANYONE, open_to
from web.transactions import db, now, settings

kiosk = Blueprint("kiosk", __name__)

TALKS = frozenset({VisitState.TALKING, VisitState.ON_HOLD})
TOUCH = N_("Touchez ici pour commencer")
EMERGENCIES = N_("Urgences")
SIGNS = {
    "112": "danger", "15": "health", "17": "shield", "18": "warning", "114": "sms", "115": "night", "119": "child",
    "3919": "afraid", "3114": "heart", "116117": "health", "3977": "elder", "116006": "listen", "3018": "message",
}  # fmt: skip
"""A pictogram for each emergency number, for whoever reads no French."""


@kiosk.get("/borne")
@open_to(ANYONE)
def start() -> ResponseReturnValue:
    """Touch to begin, in each language; the rest in French, whatever the browser speaks. What was under way ends."""
    g.language = FRENCH
    if not kiosk_browser.is_kiosk():
        abort(404)
    standing = kiosk_browser.standing()
    if standing is None:
        return _closed("removed", 403)
    if kiosk_browser.lingers():
        return kiosk_browser.wiped()
    page = render_template(
        "portal/kiosk/start.html",
        house=db().get_one(House, standing.house_id),
        touch={code: catalogue(code).gettext(TOUCH) for code in LANGUAGES},
        emergencies={code: catalogue(code).gettext(EMERGENCIES) for code in LANGUAGES},
        signs=SIGNS,
    )
    response = make_response(page)
    kiosk_browser.set_up(response, kiosk_browser.key_hash())
    return response


@kiosk.get("/borne/<key>")
@open_to(ANYONE)
def set_up(key: str) -> ResponseReturnValue:
    """This browser becomes a kiosk of the house that the key belongs to."""
    source = [f"kiosk {request.remote_addr}"]
    try:
        access.slow_guessing(db(), settings().access_key, source, now())
    except TooManyGuessesError:
        return _closed("slowed", 429)
    hashed = kiosks.key_hash(settings().access_key, key[:64])
    if kiosks.standing(db(), hashed) is None:
        access.note_failure(db(), settings().access_key, source, now())
        db().commit()
        return _closed("wrong", 404)
    session.clear()
    response = make_response(redirect(url_for("kiosk.start"), 303))
    kiosk_browser.set_up(response, hashed)
    response.headers["Clear-Site-Data"] = FORGET
    return response


@kiosk.get("/<lang>/borne/commencer")
@open_to(ANYONE)
def begin() -> ResponseReturnValue:
    """Somebody chose their language: their visit begins."""
    if kiosk_browser.standing() is None:
        return redirect(url_for("kiosk.start"), 303)
    there = url_for("kiosk.help_me" if request.args.get("aide") else "pages.home")
    response = make_response(redirect(there, 303))
    kiosk_browser.begin(response)
    return response


@kiosk.get("/<lang>/borne/fin")
@open_to(VISITING)
def end() -> ResponseReturnValue:
    """I am done. A request begun and not sent, a place in the line, a talk: is it sure? `sur`: yes, or nobody is there
    to say."""
    if request.args.get("sur"):
        return kiosk_browser.wiped()
    draft, place, talk = visit.draft(), kiosk_browser.place_here(), kiosk_browser.talk_here()
    if draft or place or talk:
        talks = talk is not None or (place is not None and place.state in TALKS)
        return render_template("portal/kiosk/sure.html", draft=draft, waits=place and not talks, talks=talks)
    return kiosk_browser.wiped()


@kiosk.get("/borne/encore")
@open_to(VISITING)
def still_here() -> ResponseReturnValue:
    """The screen says that somebody is there: the visit goes on."""
    return "", 204


@kiosk.get("/<lang>/borne/la")
@open_to(VISITING)
def are_you_there() -> ResponseReturnValue:
    """The warning, where scripts do not run."""
    return render_template("portal/kiosk/there.html", onward=_way_back())


@kiosk.get("/<lang>/borne/aide")
@open_to(VISITING)
def help_me() -> ResponseReturnValue:
    """Call the reception, or read that it was called."""
    return render_template(
        "portal/kiosk/help.html", called=request.args.get("fait"), onward=_way_back(), form=FlaskForm()
    )


@kiosk.post("/<lang>/borne/aide")
@open_to(VISITING)
def call() -> ResponseReturnValue:
    """Somebody at this kiosk needs help: the house's queue shows it at once."""
    if not kiosks.call_reception(db(), kiosk_browser.key_hash(), now()):
        return kiosk_browser.wiped()
    db().commit()
    return redirect(url_for("kiosk.help_me", fait=1, suite=_way_back()), 303)


def _way_back() -> str:
    """The page one came from: a path of ours, never another site."""
    wanted = request.values.get("suite", "")
    parts = urlsplit(wanted)
    ours = wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and not parts.netloc
    return wanted if ours else url_for("pages.home")


def _closed(why: str, code: int) -> ResponseReturnValue:
    """A screen without a way on: it was a kiosk, or should become one."""
    session.clear()
    return render_template("portal/kiosk/closed.html", why=why), code
