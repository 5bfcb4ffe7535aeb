"""Group sessions of my house: made, changed, called off; who is signed up, who waits, who came; the sheet to print."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import StringField
from wtforms.validators import Length

from backoffice.agenda import colleagues, places_of_house, today
from backoffice.agent import AGENT, me
from backoffice.forms import LONGEST_LINE
from backoffice.session_form import REFUSALS, SessionForm, leaders, plan_of, say, with_choices
from casework import session_lists, sign_ups
from casework import sessions as rules
from casework.agents import Agent
from casework.requests import PARIS
from casework.session_lists import Line, Turnout
from casework.sessions import (
    GroupSession,
    NotYourSessionError,
    SessionOverError,
)
from casework.sign_ups import SEATED, SHEET_OPENS, SIGN_UP_STATES, SignUpState
from casework.territory import Place
from casework.vocabulary import SPOKEN_LANGUAGES
from web.doors import open_to
from web.transactions import db, now
from web.typed import clean

sessions = Blueprint("sessions", __name__, url_prefix="/<lang>/ateliers")

KEPT_SHOWN = timedelta(days=60)
MARKS = {"came": SignUpState.CAME, "missed": SignUpState.MISSED, "undo": SignUpState.SIGNED}


class CancelForm(FlaskForm):
    """Why it does not take place: for the house alone."""

    why = StringField(
        _l("Pourquoi"), filters=[clean], validators=[Length(max=LONGEST_LINE, message=_l("C'est trop long."))]
    )


@sessions.get("")
@open_to(AGENT)
def listed() -> ResponseReturnValue:
    """What comes in my house, then what was held in the last two months."""
    found = rules.of_house(db(), me().house_id, now() - KEPT_SHOWN)
    coming = [one for one in found if one.end > now()]
    return render_template(
        "backoffice/sessions/list.html",
        coming=coming,
        past=[one for one in found if one.end <= now()][::-1],
        turnouts=session_lists.turnouts(db(), [one.id for one in found]),
        may_make=bool(leaders()),
        **_names(),
    )


@sessions.get("/nouveau")
@open_to(AGENT)
def new() -> ResponseReturnValue:
    """The form, filled in as far as can be guessed."""
    able = leaders()
    if not able:
        abort(403)
    mine = next((one.id for one in able if one.id == me().id), able[0].id)
    form = SessionForm(
        formdata=None, day=today() + timedelta(days=7), seats=12, agent=mine, languages=["fr"],
        open_to_citizens=True, key=str(uuid4()),
    )  # fmt: skip
    return _form(form)


@sessions.post("/nouveau")
@open_to(AGENT)
def make() -> ResponseReturnValue:
    """Make it, or say what does not fit and keep what was typed."""
    form = with_choices(SessionForm())
    if not form.validate():
        return _form(form, code=422)
    try:
        one = rules.make(db(), me(), UUID(form.key.data), plan_of(form), now())
        db().commit()
    except REFUSALS as error:
        say(form, error)
        return _form(form, code=422)
    return redirect(url_for("sessions.show", session_id=one.id, fait="make"), 303)


@sessions.get("/<uuid:session_id>")
@open_to(AGENT)
def show(session_id: UUID) -> ResponseReturnValue:
    """Who is signed up, who waits in order, and what one can do."""
    return _show(mine_of_house(session_id))


@sessions.get("/<uuid:session_id>/changer")
@open_to(AGENT)
def ask_change(session_id: UUID) -> ResponseReturnValue:
    """Other hours, another place, more or fewer seats."""
    one = _editable(session_id)
    local = [moment.astimezone(PARIS) for moment in (one.start, one.end)]
    form = SessionForm(
        formdata=None, title=one.title, words=one.words, day=local[0].date(), starts_at=local[0].time(),
        ends_at=local[1].time(), place=one.place_id, agent=one.led_by, seats=one.seats,
        languages=one.languages, open_to_citizens=one.open_to_citizens, key=str(one.id),
    )  # fmt: skip
    return _form(form, one)


@sessions.post("/<uuid:session_id>/changer")
@open_to(AGENT)
def change(session_id: UUID) -> ResponseReturnValue:
    """Change it: who is on it is told of another hour or place, seats added go to who waits."""
    one = _editable(session_id)
    form = with_choices(SessionForm())
    if not form.validate():
        return _form(form, one, 422)
    try:
        rules.change(db(), me(), one, plan_of(form), now())
        db().commit()
    except REFUSALS as error:
        say(form, error)
        return _form(form, mine_of_house(session_id), 422)
    return redirect(url_for("sessions.show", session_id=session_id, fait="change"), 303)


@sessions.get("/<uuid:session_id>/annuler")
@open_to(AGENT)
def ask_cancel(session_id: UUID) -> ResponseReturnValue:
    """Whom it concerns; they are told, but not why."""
    one = _editable(session_id)
    turnout = session_lists.turnouts(db(), [one.id])[one.id]
    return render_template(
        "backoffice/sessions/cancel.html",
        one=one,
        turnout=turnout,
        form=CancelForm(formdata=None),
        **_names(),
    )


@sessions.post("/<uuid:session_id>/annuler")
@open_to(AGENT)
def cancel(session_id: UUID) -> ResponseReturnValue:
    """Call it off; twice is once."""
    one, form = mine_of_house(session_id), CancelForm()
    if not form.validate():
        abort(400)
    try:
        rules.cancel(db(), me(), one, form.why.data or "", now())
        db().commit()
    except NotYourSessionError:
        abort(403)
    except SessionOverError:
        return redirect(url_for("sessions.show", session_id=session_id, fait="late"), 303)
    return redirect(url_for("sessions.show", session_id=session_id, fait="cancel"), 303)


@sessions.get("/<uuid:session_id>/feuille")
@open_to(AGENT)
def sheet(session_id: UUID) -> ResponseReturnValue:
    """The attendance sheet: to print on one page, or to tap on."""
    one = mine_of_house(session_id)
    found = session_lists.lines(db(), one.id)
    return render_template(
        "backoffice/sessions/sheet.html",
        one=one,
        seated=[line for line in found if line.sign_up.state in SEATED],
        turnout=session_lists.turnouts(db(), [one.id])[one.id],
        may_mark=_may_mark(one),
        spoken=SPOKEN_LANGUAGES,
        states=SIGN_UP_STATES,
        done=request.args.get("fait"),
        **_names(),
    )


@sessions.post("/<uuid:session_id>/feuille")
@open_to(AGENT)
def mark(session_id: UUID) -> ResponseReturnValue:
    """One tap: came, or did not."""
    one = mine_of_house(session_id)
    how, _, who = request.form.get("who", "").partition("~")
    line = next((line for line in session_lists.lines(db(), one.id) if str(line.sign_up.id) == who), None)
    if how not in MARKS or line is None:
        abort(404)
    try:
        sign_ups.mark(db(), me(), line.sign_up.id, MARKS[how], now())
        db().commit()
    except SessionOverError:
        db().rollback()
        return redirect(url_for("sessions.sheet", session_id=one.id, fait="early"), 303)
    return redirect(url_for("sessions.sheet", session_id=one.id, _anchor=f"p-{who}"), 303)


@sessions.post("/<uuid:session_id>/retirer")
@open_to(AGENT)
def take_off(session_id: UUID) -> ResponseReturnValue:
    """Cancel one person's sign-up; the seat goes to who waits."""
    one = mine_of_house(session_id)
    who = request.form.get("who", "")
    line = next((line for line in session_lists.lines(db(), one.id) if str(line.sign_up.id) == who), None)
    if line:  # else by the same tap made twice
        sign_ups.leave(db(), me(), one.id, line.asked.id, [line.sign_up.id], now())
        db().commit()
    return redirect(url_for("sessions.show", session_id=one.id, fait="off"), 303)


def mine_of_house(session_id: UUID) -> GroupSession:
    """A session of my house; another house's does not exist."""
    found = db().get(GroupSession, session_id)
    if found is None or found.house_id != me().house_id:
        abort(404)
    return found


def _editable(session_id: UUID) -> GroupSession:
    one = mine_of_house(session_id)
    if not rules.may_edit(db(), me(), one.led_by):
        abort(403)
    if not one.is_on or one.start <= now():
        abort(409)
    return one


def _may_mark(one: GroupSession) -> bool:
    return one.is_on and one.start <= now() + SHEET_OPENS


def _names() -> dict[str, Any]:
    """The names that pages of sessions show."""
    return {
        "agents": {one.id: one.name for one in colleagues()},
        "places": {one.id: one for one in places_of_house()},
        "now": now(),
    }


def _show(one: GroupSession) -> ResponseReturnValue:
    found = session_lists.lines(db(), one.id)
    turnout: Turnout = session_lists.turnouts(db(), [one.id])[one.id]
    waiting: list[Line] = [line for line in found if line.sign_up.state is SignUpState.WAITING]
    return render_template(
        "backoffice/sessions/show.html",
        one=one,
        seated=[line for line in found if line.sign_up.state in SEATED],
        waiting=waiting,
        turnout=turnout,
        place=db().get_one(Place, one.place_id),
        leader=db().get_one(Agent, one.led_by),
        editable=rules.may_edit(db(), me(), one.led_by) and one.is_on and one.start > now(),
        spoken=SPOKEN_LANGUAGES,
        states=SIGN_UP_STATES,
        house_id=me().house_id,
        done=request.args.get("fait"),
        now=now(),
    )


def _form(form: SessionForm, one: GroupSession | None = None, code: int = 200) -> ResponseReturnValue:
    page = render_template("backoffice/sessions/form.html", form=with_choices(form), one=one)
    return page, code
