"""The virtual permanence: its door, coming in, the waiting room, and the ways out that are no dead end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from flask import Blueprint, g, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from casework import access, crowd, permanences, talks, waiting_room, ways_in
from casework.access import TooManyGuessesError
from casework.crowd import CrowdError
from casework.expected_wait import expected
from casework.following import is_sensitive
from casework.requests import Request
from casework.vocabulary import Theme
from casework.waiting_room import Coming, MyVisit, NotReceivingError, VisitState, Wanted
from casework.ways_in import Door
from portal import visit
from portal.kiosk_browser import is_kiosk, standing
from portal.permanence_forms import NEEDS_FROM_AFAR, ComeInForm
from portal.talk import talk
from web.compression import showing_secret
from web.doors import ANYONE, open_to
from web.doors import Door as WayIn
from web.fragments import fragment
from web.language import language
from web.mistakes import page as mistake
from web.transactions import db, now, settings

permanence = Blueprint("permanence", __name__, url_prefix="/<lang>/permanence")


def _needs_visit() -> ResponseReturnValue | None:
    g.waiting = waiting_room.mine(db())
    return None if g.waiting else redirect(url_for("permanence.door"), 303)


VISIT = WayIn("whoever holds the secret of a visit, or of its request", _needs_visit)


@dataclass(frozen=True)
class Way:
    """How somebody may come in now: where, by which appointment, how long it may be."""

    permanence_id: UUID
    appointment_id: UUID | None = None
    door: Door | None = None


@permanence.get("")
@open_to(ANYONE)
def door() -> ResponseReturnValue:
    """Can somebody receive me now? Then coming in; else when, and what to do meanwhile."""
    mine = waiting_room.mine(db())
    if mine and mine.is_live:
        return redirect(url_for("permanence.wait"), 303)
    asked = asked_by()
    _hold_secret()
    known = {
        "called_name": asked.name if asked else "",
        "spoken_language": asked.spoken_language if asked else language(),
        "theme": asked.themes[0] if asked and asked.themes else "",
        "channel": Wanted.VIDEO.value,
    }
    return _door(ComeInForm(formdata=None, data=known))


@permanence.post("")
@open_to(ANYONE)
def come_in() -> ResponseReturnValue:
    """Come in; who is there already stays in their place."""
    form = ComeInForm()
    if not form.validate():
        return _door(form, 422)
    way = _way()
    if way is None:
        return _door(form, 409)
    asked, mine = asked_by(), waiting_room.mine(db())
    there_already = mine is not None and mine.is_live
    if asked is None and mine and not there_already:
        visit.hold_visit(access.new_secret())
    _hold_secret()
    coming = Coming(
        way.permanence_id, form.called_name.data, form.spoken_language.data, form.theme.data or "",
        asked.needs if asked else form.needs.data, Wanted(form.channel.data), way.appointment_id, _minutes(way),
        language(),
    )  # fmt: skip
    try:
        if asked is None and not there_already:
            count_in()
        waiting_room.arrive(db(), coming, now())
        db().commit()
    except NotReceivingError:
        db().rollback()
        return _door(form, 409)
    except CrowdError as many:
        db().rollback()
        return _door(form, 429, many.until)
    there = "permanence.wait" if form.channel.data == Wanted.TEXT else "permanence.check"
    return redirect(url_for(there), 303)


@permanence.get("/v/<secret>")
@open_to(ANYONE)
def open_link(secret: str) -> ResponseReturnValue:
    """The link of a visit, from a text message; or of somebody brought into a talk."""
    source = f"source {request.remote_addr}"
    try:
        access.slow_guessing(db(), settings().access_key, [source], now())
    except TooManyGuessesError:
        return mistake(429)
    before = {name: session[name] for name in ("visit", "visit_secret") if name in session}
    visit.hold_visit(secret[:64])
    if waiting_room.mine(db()):
        return redirect(url_for("permanence.wait"), 303)
    if talks.opened(db()):
        session.pop("visit_secret")  # a link of one talk, which never becomes somebody's visit
        return redirect(url_for("talk.show"), 303)
    visit.drop_visit()
    session.update(before)
    access.note_failure(db(), settings().access_key, [source], now())
    db().commit()
    return render_template("portal/permanence/dead_link.html"), 404


@permanence.get("/essai")
@open_to(VISIT)
def check() -> ResponseReturnValue:
    """Try the camera, the microphone and the sound, or pass over; one's place is kept meanwhile."""
    mine = seen()
    return render_template("portal/permanence/check.html", **place_of(mine)) if mine.is_live else waits()


@permanence.post("/moyen")
@open_to(VISIT)
def choose_channel() -> ResponseReturnValue:
    """See and hear each other, hear only, or write only."""
    chosen = request.form.get("moyen", "")
    if chosen in set(Wanted) and g.waiting.is_live:
        waiting_room.choose_channel(db(), g.waiting.id, Wanted(chosen))
        db().commit()
    return redirect(url_for("permanence.wait"), 303)


@permanence.get("/attente")
@open_to(VISIT)
def wait() -> ResponseReturnValue:
    """The waiting room: one's place, the expected wait, what to prepare; then: it is your turn."""
    mine = seen()
    if mine.state in {VisitState.TALKING, VisitState.ON_HOLD, VisitState.ENDED}:
        return redirect(url_for("talk.show"), 303)
    return showing_secret(render_template("portal/permanence/waiting.html", **place_of(mine)))


@permanence.get("/attente/place")
@open_to(VISIT)
def place() -> ResponseReturnValue:
    """What changes of the waiting room, for the page to refresh itself; it is a sign of life."""
    return fragment(render_template("portal/permanence/place_lines.html", **place_of(seen())))


@permanence.get("/attente/tour")
@open_to(VISIT)
def turn() -> ResponseReturnValue:
    """Is it my turn? For the pages beside the waiting room; it is a sign of life like any other."""
    return fragment(render_template("portal/permanence/turn_lines.html", **place_of(seen())))


@permanence.post("/attente/ici")
@open_to(VISIT)
def here() -> ResponseReturnValue:
    """I am here, after I was called in vain."""
    waiting_room.come_back(db(), now())
    db().commit()
    return redirect(url_for("permanence.wait"), 303)


@permanence.context_processor
@talk.context_processor
def offer_exit() -> dict[str, bool]:
    """Every page of the waiting room and of the talk offers the quick exit where violence is the matter."""
    if request.endpoint in REFRESHED:
        return {}
    try:
        mine = g.get("waiting") or waiting_room.mine(db())
        return {"sensitive": (mine is not None and mine.theme is Theme.VIOLENCE) or _asked_in_danger(mine)}
    except SQLAlchemyError:  # the page that says so must come all the same
        return {}


REFRESHED = frozenset({"permanence.place", "permanence.turn", "talk.lines"})
"""Pieces of pages, asked for by a thousand people at once: the exit stands outside of them."""


def _asked_in_danger(mine: MyVisit | None) -> bool:
    opens = mine.request_id if mine else access.opened_request(db()) if session.get("opens") else None
    row = db().execute(select(Request.themes, Request.urgency).where(Request.id == opens)).one_or_none()
    return row is not None and is_sensitive([Theme(value) for value in row.themes], row.urgency)


def of_request() -> dict[str, object]:
    """For the page that follows a request: may its person come in now, or are they in already?"""
    mine = waiting_room.mine(db())
    live = mine is not None and mine.is_live
    by_appointment = None if live else ways_in.appointment_now(db(), g.request_id, now())
    return {"live": live, "by_appointment": by_appointment is not None}


def asked_by() -> Request | None:
    """What this browser's request says of its person, when it follows one and waits by no other secret."""
    if "asked" not in g:
        g.asked = _find_asked()
    found: Request | None = g.asked
    return found


def _find_asked() -> Request | None:
    if not session.get("opens"):
        return None
    if session.get("visit"):
        mine = waiting_room.mine(db())
        if mine and mine.is_live:
            return None
        visit.drop_visit()
    opened = access.opened_request(db())
    columns = (
        Request.name,
        Request.spoken_language,
        Request.themes,
        Request.needs,
        Request.house_id,
        Request.id,
    )
    row = db().execute(select(*columns).where(Request.id == opened)).one_or_none() if opened else None
    return Request(**row._mapping) if row else None


def _hold_secret() -> None:
    """A secret for a new visit of somebody without a request; before the form, so that two taps are one visit."""
    if asked_by() is None and not visit.visit_secret():
        visit.hold_visit(access.new_secret())


def count_in() -> None:
    """One more who comes without a request, from this address or at this kiosk."""
    kiosk = standing()
    crowd.count_in(db(), settings().access_key, request.remote_addr or "", kiosk.id if kiosk else None, now())


def _way() -> Way | None:
    """By one's appointment, else wherever somebody receives; None when nobody does."""
    asked = asked_by()
    if asked:
        found = ways_in.appointment_now(db(), asked.id, now())
        if found:
            return Way(found[1], found[0].id)
    able = ways_in.door_for(db(), asked.house_id if asked else None, now())
    return Way(able.permanence.id, None, able) if able else None


def _minutes(way: Way) -> int | None:
    return round(way.door.wait.middle) if way.door and way.door.wait else None


def _door(form: ComeInForm, code: int = 200, crowd_until: datetime | None = None) -> ResponseReturnValue:
    way = _way()
    open_now = ways_in.doors(db(), now()) if way is None else []
    said = {"sensitive": True} if form.theme.data == Theme.VIOLENCE else {}
    page = render_template(
        "portal/permanence/door.html",
        form=form,
        way=way,
        crowded=any(one.wait for one in open_now),
        next_time=permanences.opens_next(db(), now()) if way is None else None,
        known=asked_by() is not None,
        needs_from_afar=NEEDS_FROM_AFAR,
        crowd_until=crowd_until,
        **said,
    )
    return page, code


def seen() -> MyVisit:
    """A sign of life; the visit as it is after it."""
    waiting_room.seen(db(), now())
    found = waiting_room.mine(db())
    if found and found.is_live and not found.carried_at and not is_kiosk():
        waiting_room.carry(db(), found.id, now())
    db().commit()
    g.waiting = found or g.waiting
    current: MyVisit = g.waiting
    return current


def place_of(mine: MyVisit) -> dict[str, object]:
    """One's place and the expected wait; whether the permanence still receives."""
    waits = mine.state is VisitState.WAITING
    line = waiting_room.line(db(), mine.permanence_id, now()) if waits else None
    closes = permanences.closes_at(db(), mine.permanence_id, now())
    met = ways_in.meets_until(db(), mine)
    meets = met is not None and now() < met
    return {
        "visit": mine,
        "line": line,
        "expected": expected(line) if line else None,
        "meets": meets,
        "closed": waits and closes is None and line is not None and line.desks == 0 and not meets,
        "texts": bool(settings().sms_url),
    }


def waits() -> ResponseReturnValue:
    return redirect(url_for("permanence.wait"), 303)
