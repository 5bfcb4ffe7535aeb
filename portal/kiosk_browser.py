"""What makes a browser a kiosk, and one person's visit to it.

The kiosk's own cookie holds the keyed hash of its key, signed, for as long as browsers keep one. The visit's cookie
says when somebody was last seen; it is not the session, which an answer that only says "still here" must not write.
The wipe drops both the visit and the session. A kiosk whose key is removed, or whose signature is no longer ours,
shows nothing but that it is closed: it never becomes an ordinary browser by itself.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from flask import Flask, Response, current_app, g, make_response, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from itsdangerous import BadSignature, URLSafeSerializer
from markupsafe import Markup

from casework import kiosks
from portal.receipt import qr_code
from portal.ways_out import FILES, without_ways_out
from web.doors import Door
from web.language import language
from web.transactions import db, now, settings

COOKIE = "allervers_kiosk"
VISIT_COOKIE = "allervers_visit"
COOKIE_SECONDS = 400 * 24 * 3600
"""Browsers keep none longer; each start page renews it."""

WARNING_SECONDS = 30
SLACK_SECONDS = 60
"""A browser in use says so every 45 seconds; the server believes a visit over a little after the screen does."""

FORGET = '"cache", "storage"'
"""Not `"cookies"`, which would take the kiosk's own away: the others are dropped one by one."""

OWN_PAGES = {"kiosk.start", "kiosk.set_up", "kiosk.begin", "colours", "health"}
"""What a kiosk is shown without a visit under way."""

TO_TAKE_HOME = {"rights.one", "rights.of_situation", "pages.houses", "sessions.listed", "sessions.show"}
"""Public pages: their address, as a drawing, goes home in a telephone."""


@dataclass(frozen=True)
class Visit:
    """What pages know of the visit under way. `seconds`: how long one may be still before being asked."""

    id: str
    """The language chosen at the start, and chance."""
    seconds: int
    path: str
    """This page, to come back to."""
    here: str
    """The public address of this page, to take home; empty for a page of the person's own."""
    warning: int = WARNING_SECONDS

    @property
    def language(self) -> str:
        """The language chosen at the start."""
        return self.id.split(".")[0]

    def drawing(self, link: str) -> Markup:
        """An address to photograph."""
        return qr_code(link)


def stand(app: Flask) -> None:
    """Let an application be a kiosk for the browsers that are one."""
    # Before the doors and the forms' token: whatever is asked without a visit, the answer is the start page.
    app.before_request_funcs.setdefault(None, []).insert(0, _let_in)
    app.after_request(_finish)
    app.context_processor(lambda: {"kiosk": _shown()})


def is_kiosk() -> bool:
    """This browser was set up as a kiosk, whether it may still be one or not."""
    return COOKIE in request.cookies


def key_hash() -> str:
    """The keyed hash this kiosk was set up with; empty when the cookie was not signed by us."""
    try:
        held = _signed().loads(request.cookies.get(COOKIE, ""))
    except BadSignature:
        return ""
    return held if isinstance(held, str) else ""


def standing() -> kiosks.Standing | None:
    """The kiosk this browser is; None for any other browser, and once the key is removed."""
    if "standing" not in g:
        hashed = key_hash() if is_kiosk() else ""
        g.standing = kiosks.standing(db(), hashed) if hashed else None
    found: kiosks.Standing | None = g.standing
    return found


def set_up(response: Response, hashed: str) -> None:
    """This browser is a kiosk from now on."""
    _put(response, COOKIE, _signed().dumps(hashed), COOKIE_SECONDS)


def begin(response: Response) -> None:
    """Somebody touches the screen: whatever was left of another visit is dropped."""
    session.clear()
    _see(response, f"{language()}.{secrets.token_urlsafe(9)}")


def lingers() -> bool:
    """Something of a visit, over or not, is still in this browser."""
    return bool(session) or VISIT_COOKIE in request.cookies


def wiped() -> Response:
    """The visit is over: the start page, and nothing left of the person in this browser."""
    response = make_response(redirect(url_for("kiosk.start"), 303))
    session.clear()
    ours = {COOKIE, current_app.config["SESSION_COOKIE_NAME"]}  # the session's is dropped with the session
    for name in set(request.cookies) - ours:
        response.delete_cookie(name, secure=settings().secure_cookies, httponly=True, samesite="Lax")
    response.headers["Clear-Site-Data"] = FORGET
    return response


def _under_way() -> str:
    """The id of the visit that has begun here, somebody being seen not long ago; empty when there is none."""
    try:
        visit, seen = _signed().loads(request.cookies.get(VISIT_COOKIE, ""))
    except (BadSignature, ValueError, TypeError):
        return ""
    quiet = settings().kiosk_idle_seconds + WARNING_SECONDS + SLACK_SECONDS
    return str(visit) if now().timestamp() - seen <= quiet else ""


def _see(response: Response, visit: str) -> None:
    """Somebody is there now."""
    _put(response, VISIT_COOKIE, _signed().dumps([visit, int(now().timestamp())]))


def _put(response: Response, name: str, value: str, seconds: int | None = None) -> None:
    secure = settings().secure_cookies
    response.set_cookie(name, value, max_age=seconds, httponly=True, secure=secure, samesite="Lax")


def _let_in() -> ResponseReturnValue | None:
    if not is_kiosk():
        return None
    g.kept_apart = True
    if request.endpoint in OWN_PAGES:
        return None
    visit = _under_way()
    if standing() is None or not visit or request.endpoint == "pages.quick_exit":
        return wiped()
    g.visit, g.opened = visit, bool(session)
    if request.path.endswith(FILES):
        there = url_for("follow.receipt", imprimer=1) if "opens" in session else url_for("pages.home")
        return redirect(there, 303)
    return None


def _finish(response: Response) -> Response:
    """Nothing is kept; a page that forgot the person leads to the start; the others lose their ways out."""
    if not is_kiosk():
        return response
    if request.endpoint not in OWN_PAGES:
        visit = g.get("visit")
        if not visit or "Clear-Site-Data" in response.headers or (g.opened and not session):
            response = wiped()
        else:
            _see(response, visit)
    if response.mimetype == "text/html" and not response.direct_passthrough:
        response.set_data(without_ways_out(response.get_data(as_text=True)))
    response.headers["Cache-Control"] = "no-store"
    return response


def _shown() -> Visit | None:
    visit = g.get("visit")
    if not visit:
        return None
    public = request.method == "GET" and request.endpoint in TO_TAKE_HOME
    here = f"{settings().portal_address}{request.path}" if public else ""
    again = request.url_rule is not None and "GET" in (request.url_rule.methods or ())
    path = request.full_path.rstrip("?") if again else url_for("pages.home")
    return Visit(visit, settings().kiosk_idle_seconds, path, here)


def _signed() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.config["SECRET_KEY"], salt="kiosk")


def _needs_visit() -> ResponseReturnValue | None:
    return None if g.get("visit") else redirect(url_for("pages.home"), 303)


VISITING = Door("somebody at a kiosk, their visit under way", _needs_visit)
