"""Group sessions: the list that everybody may read, one session, signing up together, giving seats back."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4

from flask import Blueprint, abort, g, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from sqlalchemy import select
from wtforms import HiddenField, SelectField, StringField, validators

from casework import access, session_lists, sign_ups
from casework.calendar_file import Meeting
from casework.following import is_sensitive
from casework.people import show_phone
from casework.requests import Request
from casework.session_lists import MySignUps, Shown
from casework.sessions import MOST_PEOPLE, SessionOverError
from casework.sign_ups import TooManyPeopleError, read_names
from casework.territory import House
from casework.vocabulary import SPOKEN_LANGUAGES, Theme
from portal import visit
from portal.calendars import calendar_answer
from web.doors import ANYONE, open_to
from web.transactions import db, now
from web.typed import clean, options

sessions = Blueprint("sessions", __name__, url_prefix="/<lang>/ateliers")

LONGEST_NAMES = 600


class SignUpForm(FlaskForm):
    """How many come, and their first names if they like; `submission`: the same form twice is one sign-up."""

    people = SelectField(_l("Combien de personnes viennent ?"), coerce=int)
    names = StringField(
        _l("Les prénoms, si vous voulez"), filters=[clean], validators=[validators.Length(max=LONGEST_NAMES)]
    )
    submission = HiddenField(validators=[validators.UUID()])

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self.people.choices = options(
            (number, ngettext("%(num)s personne", "%(num)s personnes", number))
            for number in range(1, MOST_PEOPLE + 1)
        )


def my_sessions() -> list[MySignUps]:
    """The sign-ups of the opened request, for the page that follows it."""
    return session_lists.mine(db(), g.request_id, now())


@sessions.get("")
@open_to(ANYONE)
def listed() -> ResponseReturnValue:
    """What comes, the soonest first; of one house if one likes."""
    houses = db().scalars(select(House).order_by(House.town)).all()
    house = next((one for one in houses if one.id == request.args.get("maison")), None)
    found = session_lists.coming(db(), now(), house.id if house else None)
    return render_template(
        "portal/sessions/list.html",
        found=found,
        houses=houses,
        house=house,
        mine=_all_mine(),
        sensitive=_is_sensitive(),
    )


@sessions.get("/<uuid:session_id>")
@open_to(ANYONE)
def show(session_id: UUID) -> ResponseReturnValue:
    """When, where, in which languages, how many seats are left; and signing up, for who has a request."""
    return _show(_found(session_id), SignUpForm(formdata=None, people=1, submission=str(uuid4())))


@sessions.post("/<uuid:session_id>")
@open_to(visit.REQUEST)
def sign_up(session_id: UUID) -> ResponseReturnValue:
    """Sign everybody of the form up, all or none: those who find no seat wait together."""
    found, form = _found(session_id), SignUpForm()
    if not form.validate():
        return _show(found, form, 422)
    try:
        names = read_names(form.names.data or "", form.people.data)
    except TooManyPeopleError:
        form.names.errors = [gettext("Il y a plus de prénoms que de personnes.")]
        return _show(found, form, 422)
    try:
        sign_ups.sign_up_myself(db(), found.id, g.request_id, names, UUID(form.submission.data), now())
        db().commit()
    except TooManyPeopleError:
        db().rollback()
        form.people.errors = [gettext("8 personnes au plus pour une demande.")]
        return _show(found, form, 422)
    except SessionOverError:
        db().rollback()
        return _over(found)
    return redirect(url_for("sessions.signed", session_id=found.id), 303)


@sessions.get("/<uuid:session_id>/inscription")
@open_to(visit.REQUEST)
def signed(session_id: UUID) -> ResponseReturnValue:
    """You have your seats; or you wait, and what happens then."""
    found = _found(session_id)
    mine = _mine(found.id)
    if mine is None:
        return redirect(url_for("sessions.show", session_id=found.id), 303)
    return render_template("portal/sessions/signed.html", mine=mine, **_facts(found))


@sessions.get("/<uuid:session_id>/atelier.ics")
@open_to(visit.REQUEST)
def calendar(session_id: UUID) -> ResponseReturnValue:
    """The session for the telephone's calendar: when and where, never what it is about; called off, its end there.

    For a sensitive request, the hour alone. Nothing for who waits: they may have no seat that day.
    """
    found = _found(session_id)
    mine = _mine(found.id)
    if mine is None or not mine.has_seats:
        return redirect(url_for("sessions.show", session_id=found.id), 303)
    if _is_sensitive():
        said = [gettext("Rendez-vous")]
    else:
        phone = gettext("Pour changer : %(phone)s", phone=show_phone(found.house.phone))
        said = [gettext("Atelier"), found.where.in_words, phone]
    meeting = Meeting(found.id, found.version - 1, found.start, found.end, *said)
    return calendar_answer(meeting, "atelier", cancelled=not found.is_on)


@sessions.get("/<uuid:session_id>/annuler")
@open_to(visit.REQUEST)
def ask_leave(session_id: UUID) -> ResponseReturnValue:
    """Who does not come any more?"""
    found = _found(session_id)
    mine = _mine(found.id)
    if mine is None:
        return redirect(url_for("sessions.show", session_id=found.id), 303)
    return render_template("portal/sessions/cancel.html", mine=mine, **_facts(found))


@sessions.post("/<uuid:session_id>/annuler")
@open_to(visit.REQUEST)
def leave(session_id: UUID) -> ResponseReturnValue:
    """Give back one seat, or all of them; twice is once."""
    found = _found(session_id)
    mine = _mine(found.id)
    asked = request.form.get("who", "")
    ids = [guest.id for guest in mine.guests if asked in {"all", str(guest.id)}] if mine else []
    if ids:
        sign_ups.leave_myself(db(), found.id, g.request_id, ids, now())
        db().commit()
    return redirect(url_for("sessions.left"), 303)


@sessions.get("/annule")
@open_to(visit.REQUEST)
def left() -> ResponseReturnValue:
    """The seats are given back; what is left of the sign-ups."""
    return render_template("portal/sessions/left.html", mine=_all_mine(), sensitive=_is_sensitive())


def _found(session_id: UUID) -> Shown:
    """A session this visitor may see: public, or their own."""
    return session_lists.shown(db(), session_id) or abort(404)


def _request_id() -> UUID | None:
    """The request this browser follows, on pages that need none."""
    if "request_id" not in g:
        g.request_id = access.opened_request(db()) if session.get("opens") else None
    held: UUID | None = g.request_id
    return held


def _is_sensitive() -> bool:
    held = _request_id()
    facts = select(Request.themes, Request.urgency).where(Request.id == held)
    row = db().execute(facts).one_or_none() if held else None
    return row is not None and is_sensitive([Theme(value) for value in row.themes], row.urgency)


def _all_mine() -> list[MySignUps]:
    return my_sessions() if _request_id() else []


def _mine(session_id: UUID) -> MySignUps | None:
    return next((one for one in _all_mine() if one.session.id == session_id), None)


def _facts(found: Shown) -> dict[str, Any]:
    return {"found": found, "sensitive": _is_sensitive(), "spoken": SPOKEN_LANGUAGES, "map_link": _map(found)}


def _show(found: Shown, form: SignUpForm, code: int = 200) -> ResponseReturnValue:
    if not found.is_on or found.start <= now():
        return _over(found)
    mine = _mine(found.id)
    page = render_template(
        "portal/sessions/show.html",
        form=form,
        mine=mine,
        has_request=_request_id() is not None,
        begun=_request_id() is None and visit.draft() is not None,
        may_sign_up=found.open_to_citizens and len(mine.guests if mine else []) < MOST_PEOPLE,
        **_facts(found),
    )
    return page, code


def _over(found: Shown) -> ResponseReturnValue:
    """It has begun or is called off: the others."""
    others = [one for one in session_lists.coming(db(), now()) if one.id != found.id]
    return render_template("portal/sessions/over.html", others=others[:3], **_facts(found)), 409


def _map(found: Shown) -> str:
    """A free map, without anything of the person: the address that everybody can read."""
    where = found.where
    query = where.address.replace("\n", ", ") or f"{where.name}, {where.town}"
    return f"https://www.openstreetmap.org/search?query={quote(query)}"
