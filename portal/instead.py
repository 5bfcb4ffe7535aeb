"""Instead of waiting: a text message when one's turn comes near, a call, a request in writing, or leaving."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from flask import g, redirect, render_template, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy import select

from casework import access, waiting_room
from casework.crowd import CrowdError
from casework.database import present
from casework.permanences import VirtualPermanence
from casework.requests import Answers, Draft, Request, draft_of
from casework.vocabulary import Theme
from casework.waiting_room import Coming, MyVisit, NotReceivingError, VisitState, Wanted
from portal import visit
from portal.permanence import VISIT, asked_by, count_in, permanence, place_of, seen, waits
from portal.permanence_forms import CallMeForm, NumberForm
from web.doors import ANYONE, open_to
from web.language import language
from web.transactions import db, now, settings

__all__ = ["permanence"]
"""The waiting room's pages, these ones among them."""


@permanence.get("/attente/texto")
@open_to(VISIT)
def ask_text() -> ResponseReturnValue:
    """Where to send a text message when my turn comes near."""
    if not settings().sms_url:
        return redirect(url_for("permanence.ask_callback"), 303)
    return _texting(NumberForm(formdata=None))


@permanence.post("/attente/texto")
@open_to(VISIT)
def text_me() -> ResponseReturnValue:
    """The page may be closed: the place is kept, and a text message says when to come back."""
    form = NumberForm()
    number = form.read(texts=True)
    if number is None:
        return _texting(form, 422)
    if settings().sms_url and g.waiting.state in {VisitState.WAITING, VisitState.GONE}:
        key = settings().documents_public_key
        waiting_room.text_me(db(), g.waiting, number, visit.visit_secret(), key, language())
        db().commit()
    return redirect(url_for("permanence.wait"), 303)


@permanence.get("/rappel")
@open_to(ANYONE)
def ask_callback() -> ResponseReturnValue:
    """Call me back instead: at which number?"""
    return _callback(_call_form(blank=True))


@permanence.post("/rappel")
@open_to(ANYONE)
def callback() -> ResponseReturnValue:
    """An agent calls back; nobody waits any more."""
    form = _call_form()
    number = form.read(texts=False)
    if number is None:
        return _callback(form, 422)
    try:
        if isinstance(form, CallMeForm):
            done = _call_me(number, form)
        elif _in_talk():
            return waits()
        else:
            done = _leaves(number)
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
    return waits()


@permanence.post("/demande")
@open_to(VISIT)
def ask_for_help() -> ResponseReturnValue:
    """Go on with a request in writing: name, theme and language are filled in. The one begun before goes on."""
    mine: MyVisit = g.waiting
    if begun := _begun(mine):
        return redirect(url_for("follow.show" if begun.sent_at else "asking.resume"), 303)
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


def _begun(mine: MyVisit) -> Draft | None:
    """The draft, sent or not, that this visit led to, while this browser holds it."""
    held = session.get("opens")
    if mine.led_to is None or not held:
        return None
    own = session.get("visit")
    present(db(), held)
    found = draft_of(db(), held)
    if own:
        present(db(), own)
    return found if found and found.id == mine.led_to else None


def _texting(form: NumberForm, code: int = 200) -> ResponseReturnValue:
    return render_template("portal/permanence/text_me.html", form=form, **place_of(seen())), code


def _call_form(*, blank: bool = False) -> NumberForm:
    """A number alone from who is known; from who never came in, their first name and what it is about too."""
    known = asked_by() is not None or _may_leave(waiting_room.mine(db()))
    kind = NumberForm if known else CallMeForm
    return kind(formdata=None) if blank else kind()


def _may_leave(mine: MyVisit | None) -> bool:
    """They wait, or did: their visit turns into a call."""
    return mine is not None and (mine.is_live or mine.state in {VisitState.LEFT, VisitState.CALLBACK})


def _in_talk() -> bool:
    mine = waiting_room.mine(db())
    return mine is not None and mine.state in {VisitState.TALKING, VisitState.ON_HOLD}


def _callback(form: NumberForm, code: int = 200, crowd_until: datetime | None = None) -> ResponseReturnValue:
    mine = waiting_room.mine(db())
    place: dict[str, object] = place_of(seen()) if mine and mine.is_live else {"visit": None}
    if isinstance(form, CallMeForm) and form.theme.data == Theme.VIOLENCE:
        place["sensitive"] = True
    page = render_template("portal/permanence/call_me.html", form=form, crowd_until=crowd_until, **place)
    return page, code


def _leaves(number: str) -> bool:
    """Who waits, or did, is called back instead; who follows a request and never came in, too."""
    mine = waiting_room.mine(db())
    return waiting_room.leave(db(), now(), callback=number) if _may_leave(mine) else _call_me(number)


def _call_me(number: str, form: CallMeForm | None = None) -> bool:
    """Who never came in, because nobody could receive them: a visit that only waits for the call."""
    asked = asked_by()
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
        count_in()
    coming = _coming(where, asked, form)
    try:
        waiting_room.arrive(db(), coming, now(), callback=number)
    except NotReceivingError:
        return False
    return True


def _coming(where: UUID, asked: Request | None, form: CallMeForm | None) -> Coming:
    """What is known of who is to be called: what their request says, or what they just typed."""
    if asked:
        theme, needs = asked.themes[0] if asked.themes else "", asked.needs
        name, spoken = asked.name, asked.spoken_language
    else:
        theme, needs = (form.theme.data or "") if form else "", []
        name, spoken = form.called_name.data if form else "", language()
    return Coming(where, name, spoken, theme, needs, Wanted.VOICE, page_language=language())
