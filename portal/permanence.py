"""The virtual permanence: its door, coming in, the waiting room, and the ways out that are no dead end."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from flask import Blueprint, g, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy import select

from casework import access, crowd, permanences, talks, waiting_room
from casework.access import TooManyGuessesError
from casework.crowd import CrowdError
from casework.database import present
from casework.expected_wait import expected
from casework.permanences import VirtualPermanence
from casework.requests import Answers, Request
from casework.vocabulary import Theme
from casework.waiting_room import Coming, Door, MyVisit, NotReceivingError, VisitState, Wanted
from portal import visit
from portal.kiosk_browser import is_kiosk, standing
from portal.permanence_forms import NEEDS_FROM_AFAR, ComeInForm, NumberForm
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
    asked = _asked()
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
    asked, mine = _asked(), waiting_room.mine(db())
    there_already = mine is not None and mine.is_live
    if asked is None and mine and not there_already:
        visit.hold_visit(access.new_secret())
    _hold_secret()
    coming = Coming(
        way.permanence_id, form.called_name.data, form.spoken_language.data, form.theme.data or "",
        asked.needs if asked else form.needs.data, Wanted(form.channel.data), way.appointment_id, _minutes(way),
    )  # fmt: skip
    try:
        if asked is None and not there_already:
            _count_in()
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
    return render_template("portal/permanence/check.html", visit=_seen())


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
    seen = _seen()
    if seen.state in {VisitState.TALKING, VisitState.ON_HOLD, VisitState.ENDED}:
        return redirect(url_for("talk.show"), 303)
    return showing_secret(render_template("portal/permanence/waiting.html", **_place(seen)))


@permanence.get("/attente/place")
@open_to(VISIT)
def place() -> ResponseReturnValue:
    """What changes of the waiting room, for the page to refresh itself; it is a sign of life."""
    return fragment(render_template("portal/permanence/place_lines.html", **_place(_seen())))


@permanence.post("/attente/ici")
@open_to(VISIT)
def here() -> ResponseReturnValue:
    """I am here, after I was called in vain."""
    waiting_room.come_back(db(), now())
    db().commit()
    return redirect(url_for("permanence.wait"), 303)


@permanence.get("/attente/texto")
@open_to(VISIT)
def ask_text() -> ResponseReturnValue:
    """Where to send a text message when my turn comes near."""
    return render_template("portal/permanence/text_me.html", form=NumberForm(formdata=None), visit=g.waiting)


@permanence.post("/attente/texto")
@open_to(VISIT)
def text_me() -> ResponseReturnValue:
    """The page may be closed: the place is kept, and a text message says when to come back."""
    form = NumberForm()
    number = form.read(texts=True)
    if number is None:
        return render_template("portal/permanence/text_me.html", form=form, visit=g.waiting), 422
    if g.waiting.state in {VisitState.WAITING, VisitState.GONE}:
        waiting_room.text_me(db(), g.waiting, number, visit.visit_secret(), settings().documents_public_key)
        db().commit()
    return redirect(url_for("permanence.wait"), 303)


@permanence.get("/rappel")
@open_to(ANYONE)
def ask_callback() -> ResponseReturnValue:
    """Call me back instead: at which number?"""
    return _callback(NumberForm(formdata=None))


@permanence.post("/rappel")
@open_to(ANYONE)
def callback() -> ResponseReturnValue:
    """An agent calls back; nobody waits any more."""
    form = NumberForm()
    number = form.read(texts=False)
    if number is None:
        return _callback(form, 422)
    mine = waiting_room.mine(db())
    try:
        if mine and (mine.is_live or mine.state in {VisitState.LEFT, VisitState.CALLBACK}):
            done = waiting_room.leave(db(), now(), callback=number)
        else:
            done = _call_me(number)
        db().commit()
    except CrowdError as many:
        db().rollback()
        return _callback(form, 429, many.until)
    if not done:
        form.number.errors = [gettext("Nous ne pouvons pas vous appeler. Prenez un rendez-vous.")]
        return _callback(form, 409)
    return redirect(url_for("permanence.wait"), 303)


@permanence.post("/attente/quitter")
@open_to(VISIT)
def leave() -> ResponseReturnValue:
    """I do not wait any more."""
    waiting_room.leave(db(), now())
    db().commit()
    return redirect(url_for("permanence.wait"), 303)


@permanence.post("/demande")
@open_to(VISIT)
def ask_for_help() -> ResponseReturnValue:
    """Go on with a request in writing: name, theme and language are filled in."""
    mine: MyVisit = g.waiting
    visit.begin()
    draft = visit.draft()
    if draft is None:
        return redirect(url_for("pages.home"), 303)
    answers = Answers(
        theme=mine.theme or "", name=mine.called_name, spoken_language=mine.language, needs=mine.needs
    )
    draft.answers = asdict(answers)
    db().flush()
    if own := session.get("visit"):
        present(db(), own)
        waiting_room.led_to(db(), mine.id, draft.id)
    db().commit()
    return redirect(url_for("asking.question", slug="sujet"), 303)


def of_request() -> dict[str, object]:
    """For the page that follows a request: may its person come in now, or are they in already?"""
    mine = waiting_room.mine(db())
    live = mine is not None and mine.is_live
    by_appointment = None if live else waiting_room.appointment_now(db(), g.request_id, now())
    return {"live": live, "by_appointment": by_appointment is not None}


def _asked() -> Request | None:
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
    if _asked() is None and not visit.visit_secret():
        visit.hold_visit(access.new_secret())


def _count_in() -> None:
    """One more who comes without a request, from this address or at this kiosk."""
    kiosk = standing()
    crowd.count_in(db(), settings().access_key, request.remote_addr or "", kiosk.id if kiosk else None, now())


def _way() -> Way | None:
    """By one's appointment, else wherever somebody receives; None when nobody does."""
    asked = _asked()
    if asked:
        found = waiting_room.appointment_now(db(), asked.id, now())
        if found:
            return Way(found[1], found[0].id)
    able = waiting_room.door_for(db(), asked.house_id if asked else None, now())
    return Way(able.permanence.id, None, able) if able else None


def _minutes(way: Way) -> int | None:
    return round(way.door.wait.middle) if way.door and way.door.wait else None


def _door(form: ComeInForm, code: int = 200, crowd_until: datetime | None = None) -> ResponseReturnValue:
    way = _way()
    open_now = waiting_room.doors(db(), now()) if way is None else []
    page = render_template(
        "portal/permanence/door.html",
        form=form,
        way=way,
        crowded=any(one.wait for one in open_now),
        next_time=permanences.opens_next(db(), now()) if way is None else None,
        known=_asked() is not None,
        needs_from_afar=NEEDS_FROM_AFAR,
        crowd_until=crowd_until,
    )
    return page, code


def _seen() -> MyVisit:
    """A sign of life; the visit as it is after it."""
    waiting_room.seen(db(), now())
    found = waiting_room.mine(db())
    if found and found.is_live and not found.carried_at and not is_kiosk():
        waiting_room.carry(db(), found.id, now())
    db().commit()
    g.waiting = found or g.waiting
    current: MyVisit = g.waiting
    return current


def _place(mine: MyVisit) -> dict[str, object]:
    """One's place and the expected wait; whether the permanence still receives."""
    waits = mine.state is VisitState.WAITING
    line = waiting_room.line(db(), mine.permanence_id, now()) if waits else None
    closes = permanences.closes_at(db(), mine.permanence_id, now())
    return {
        "visit": mine,
        "line": line,
        "expected": expected(line) if line else None,
        "closed": waits and closes is None and line is not None and line.desks == 0,
        "sensitive": mine.theme is Theme.VIOLENCE,
    }


def _callback(form: NumberForm, code: int = 200, crowd_until: datetime | None = None) -> ResponseReturnValue:
    return render_template("portal/permanence/call_me.html", form=form, crowd_until=crowd_until), code


def _call_me(number: str) -> bool:
    """Who never came in, because nobody could receive them: a visit that only waits for the call."""
    asked = _asked()
    where = db().scalar(
        select(VirtualPermanence.id)
        .where(VirtualPermanence.active)
        .order_by((VirtualPermanence.house_id == (asked.house_id if asked else "")).desc())
        .limit(1)
    )
    if where is None:
        return False
    if asked is None and (waiting_room.mine(db()) or not visit.visit_secret()):
        visit.hold_visit(access.new_secret())
    if asked is None:
        _count_in()
    coming = (
        Coming(where, asked.name, asked.spoken_language, "", asked.needs, Wanted.VOICE)
        if asked
        else Coming(where, "", language(), "", [], Wanted.VOICE)
    )
    try:
        waiting_room.arrive(db(), coming, now(), callback=number)
    except NotReceivingError:
        return False
    return True
