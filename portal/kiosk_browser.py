"""What makes a browser a kiosk, and one person's visit to it.

The kiosk's own cookie holds the keyed hash of its key, signed, for as long as browsers keep one. The visit's cookie
says when somebody was last seen, and how long they may be still; it is not the session, which an answer that only
says "still here" must not write. The wipe drops both the visit and the session, ends the call for help, and leaves the
waiting room. A kiosk whose key is removed, or whose signature is no longer ours, shows nothing but that it is closed:
it never becomes an ordinary browser by itself. What a page asks by itself, to refresh, is no sign of anybody.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from urllib.parse import urlsplit

from flask import (
    Flask,
    Response,
    current_app,
    g,
    make_response,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask.typing import ResponseReturnValue
from itsdangerous import BadSignature, URLSafeSerializer
from markupsafe import Markup

from casework import kiosks, talks, waiting_room
from casework.database import present
from casework.talks import MyTalk, TalkState
from casework.territory import House
from casework.waiting_room import MyVisit, VisitState
from portal import visit
from portal.receipt import qr_code
from portal.ways_out import FILES, is_written_on, without_ways_out
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

LONGER = 5
"""Who waits for their turn, talks, or types where no script counts it, may be still so many times as long."""

ALONE = "seul"
"""The argument of a page that refreshes itself without scripts."""

ASKED_BY_PAGES = {"permanence.place", "talk.lines", "kiosk.are_you_there"}
"""Nobody touched the screen."""

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

    @property
    def is_longer(self) -> bool:
        """One may be still for longer here: one waits or talks."""
        return self.seconds > settings().kiosk_idle_seconds

    @property
    def along(self) -> str:
        """The secret address of what one waits for, to go on with a telephone; empty for who has none."""
        if secret := visit.visit_secret():
            there = url_for("permanence.open_link", secret=secret)
        elif secret := visit.secret():
            there = url_for("follow.open_link", secret=secret)
        else:
            return ""
        return f"{settings().portal_address}{there}"

    @property
    def house(self) -> House | None:
        """Where the screen stands."""
        here = standing()
        return db().get(House, here.house_id) if here else None


@dataclass(frozen=True)
class Held:
    """What the visit's cookie says. `seen`: in seconds since 1970; `seconds`: how long one may be still after that."""

    id: str
    seen: int
    seconds: int

    @property
    def quiet(self) -> float:
        """For how long nobody was seen."""
        return now().timestamp() - self.seen


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
    _nobody_waits()
    session.clear()
    _see(response, f"{language()}.{secrets.token_urlsafe(9)}", settings().kiosk_idle_seconds)


def lingers() -> bool:
    """Something of a visit, over or not, is still in this browser."""
    return bool(session) or VISIT_COOKIE in request.cookies


def wiped() -> Response:
    """The visit is over: the start page, and nothing left of the person in this browser."""
    _nobody_waits()
    response = make_response(redirect(url_for("kiosk.start"), 303))
    session.clear()
    ours = {COOKIE, current_app.config["SESSION_COOKIE_NAME"]}  # the session's is dropped with the session
    for name in set(request.cookies) - ours:
        response.delete_cookie(name, secure=settings().secure_cookies, httponly=True, samesite="Lax")
    response.headers["Clear-Site-Data"] = FORGET
    return response


def place_here() -> MyVisit | None:
    """The place in a waiting room, or the talk, that ends with this screen; None for who goes on without it: with their
    own device, or by the text message that calls them."""
    for secret in g.get("secrets", ()):
        present(db(), secret)
        mine = waiting_room.mine(db())
        if mine and mine.is_live and not mine.carried_at and not _is_told(mine):
            return mine
    return None


def _is_told(mine: MyVisit) -> bool:
    return bool(mine.text_number) and mine.state in {VisitState.WAITING, VisitState.GONE}


def talk_here() -> MyTalk | None:
    """The talk into which somebody was brought by a link opened at this screen, and where they are."""
    for secret in g.get("secrets", ()):
        present(db(), secret)
        if waiting_room.mine(db()) is None and (talk := talks.opened(db())):
            me = talks.myself(db(), talk.id)
            return talk if me and me.here else None
    return None


def _nobody_waits() -> None:
    """The reception goes to no empty kiosk, and nobody calls into an empty screen."""
    if "left" in g:
        return
    g.left = True
    db().rollback()
    hashed = key_hash()
    if hashed:
        kiosks.end_call(db(), hashed)
    for secret in g.get("secrets", ()):
        present(db(), secret)
        waiting_room.leave_kiosk(db(), hashed, now())
    db().commit()


def _under_way() -> Held | None:
    """The visit that has begun here, somebody being seen not long ago; None when there is none."""
    try:
        held = Held(*_signed().loads(request.cookies.get(VISIT_COOKIE, "")))
        return held if held.quiet <= held.seconds + WARNING_SECONDS + SLACK_SECONDS else None
    except (BadSignature, ValueError, TypeError):
        return None


def _see(response: Response, visit_id: str, seconds: int) -> None:
    """Somebody is there now."""
    _put(response, VISIT_COOKIE, _signed().dumps([visit_id, int(now().timestamp()), seconds]))


def _idle() -> int:
    """How long one may be still on this page before being asked."""
    waiting, talk = g.get("waiting"), g.get("talk")
    live = (waiting and waiting.is_live) or (talk and talk.state is not TalkState.ENDED)
    return settings().kiosk_idle_seconds * (LONGER if live else 1)


def _by_itself() -> bool:
    return ALONE in request.args or request.endpoint in ASKED_BY_PAGES or request.blueprint == "calls"


def _put(response: Response, name: str, value: str, seconds: int | None = None) -> None:
    secure = settings().secure_cookies
    response.set_cookie(name, value, max_age=seconds, httponly=True, secure=secure, samesite="Lax")


def _let_in() -> ResponseReturnValue | None:
    if not is_kiosk():
        return None
    g.kept_apart = True
    g.secrets = [session[name] for name in ("visit", "opens") if name in session]
    if request.endpoint in OWN_PAGES:
        return None
    held = _under_way()
    if standing() is None or not held or request.endpoint == "pages.quick_exit":
        return wiped()
    g.visit, g.opened = held, bool(session)
    if ALONE in request.args and held.quiet >= held.seconds:
        return redirect(url_for("kiosk.are_you_there", suite=request.path), 303)
    if request.path.endswith(FILES):
        there = url_for("follow.receipt", imprimer=1) if "opens" in session else url_for("pages.home")
        return redirect(there, 303)
    return None


def _finish(response: Response) -> Response:
    """Nothing is kept; a page that forgot the person leads to the start; the others lose their ways out."""
    if not is_kiosk():
        return response
    if request.endpoint not in OWN_PAGES:
        held = g.get("visit")
        if not held or "Clear-Site-Data" in response.headers or (g.opened and not session):
            response = wiped()
        else:
            response = _kept_here(response)
            seconds = _stay(response)
            if not _by_itself():
                _see(response, held.id, seconds)
    if _is_page(response):
        response.set_data(without_ways_out(response.get_data(as_text=True)))
    response.headers["Cache-Control"] = "no-store"
    return response


def _is_page(response: Response) -> bool:
    return response.mimetype == "text/html" and not response.direct_passthrough


def _kept_here(response: Response) -> Response:
    """The answer, or a page of ours instead of one that leads to another site."""
    there = urlsplit(response.headers.get("Location", ""))
    if there.netloc in {"", request.host} and there.scheme in {"", "http", "https"}:
        return response
    return make_response(render_template("portal/kiosk/elsewhere.html"))


def _stay(response: Response) -> int:
    """How long one may be still on the page of this answer. Where one writes, a page without scripts waits longer: it
    would lose what was typed."""
    if request.endpoint == "kiosk.still_here":  # a script says so: it counts typing itself
        return settings().kiosk_idle_seconds * (LONGER if request.args.get("longtemps") else 1)
    seconds = _idle()
    page = response.get_data(as_text=True) if _is_page(response) else ""
    if seconds > settings().kiosk_idle_seconds or not is_written_on(page):
        return seconds
    response.set_data(page.replace(f'content="{seconds};url=', f'content="{LONGER * seconds};url='))
    return LONGER * seconds


def _shown() -> Visit | None:
    held = g.get("visit")
    if not held:
        return None
    public = request.method == "GET" and request.endpoint in TO_TAKE_HOME
    here = f"{settings().portal_address}{request.path}" if public else ""
    again = request.url_rule is not None and "GET" in (request.url_rule.methods or ())
    path = request.full_path.rstrip("?") if again else url_for("pages.home")
    if ALONE in request.args:
        path = request.path
    return Visit(held.id, _idle(), path, here)


def _signed() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.config["SECRET_KEY"], salt="kiosk")


def _needs_visit() -> ResponseReturnValue | None:
    return None if g.get("visit") else redirect(url_for("pages.home"), 303)


VISITING = Door("somebody at a kiosk, their visit under way", _needs_visit)
