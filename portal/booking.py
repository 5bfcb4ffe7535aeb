"""Taking an appointment, moving it, cancelling it: from the follow page, one thing at a time."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4

from flask import Blueprint, current_app, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import HiddenField, StringField, validators

from casework import booking as rules
from casework import messages, proposals, waiting
from casework.agenda import MODES, Kind, Mode
from casework.appointments import Appointment, HoldExpiredError, SlotTakenError
from casework.booking import NothingComingError, TooLateError
from casework.calendar_file import Meeting
from casework.identity import Identity
from casework.offers import Choice, Search, Seeker, nearest, offers, seeker
from casework.people import UnreachableError, read_phone, show_phone
from casework.requests import PARIS
from casework.slots import Slot
from portal import visit
from portal.calendars import calendar_answer
from portal.hours import choice_said, filters_of, hour, like, query_of, search_asked, value_of, weekday
from web.doors import open_to
from web.language import language
from web.transactions import db, now
from web.typed import clean

booking = Blueprint("booking", __name__, url_prefix="/<lang>/rendez-vous")
booking.add_app_template_filter(weekday)
booking.add_app_template_filter(hour)

LONGEST_PHONE = 40


@booking.context_processor
def few_signs() -> dict[str, str]:
    """Most people come by the link of a message, with nothing kept yet: a sprite of a third of the weight."""
    return {"sprite": "signs.svg"}


class PhoneForm(FlaskForm):
    """A number where to be called; `submission` makes the same form sent twice one message."""

    phone = StringField(_l("Votre numéro de téléphone"), filters=[clean])
    submission = HiddenField(validators=[validators.Optional(), validators.UUID()])

    def number(self) -> str | None:
        """The number, E.164; None with a mistake on the field when it is not one."""
        try:
            return read_phone(self.phone.data)
        except UnreachableError:
            self.phone.errors = [gettext("Écrivez un numéro de téléphone.")]
            return None


@booking.get("")
@open_to(visit.REQUEST)
def choose() -> ResponseReturnValue:
    """The earliest hours, six at most; another way, another day, another half of the day."""
    who = _seeker()
    return _refused(who) or _choose(who)


@booking.post("")
@open_to(visit.REQUEST)
def hold() -> ResponseReturnValue:
    """One tap holds an hour for ten minutes; taken meanwhile, the three nearest are shown."""
    who = _seeker()
    if refused := _refused(who):
        return refused
    search, _ = search_asked()
    choice = choice_said(request.form.get("slot", ""))
    if choice is None:
        return redirect(url_for("booking.choose", **query_of(search)), 303)
    phone = clean(request.form.get("phone"))[:LONGEST_PHONE] or None
    try:
        rules.hold(db(), who.id, search, choice, now(), phone)
    except SlotTakenError:
        db().rollback()
        return gone(choice, phone, expired=False)
    db().commit()
    return redirect(url_for("booking.check", **query_of(search)), 303)


@booking.get("/verifier")
@open_to(visit.REQUEST)
def check() -> ResponseReturnValue:
    """When, where, what to bring; nothing is booked yet."""
    who = _seeker()
    if who.held is None:
        return redirect(url_for("booking.choose", **query_of(search_asked()[0])), 303)
    if who.held.held_until is None or who.held.held_until < now():
        return gone(_choice_of(who.held), who.held.phone, expired=True)
    known = who.held.phone or (who.coming.phone if who.coming else None) or who.phone
    return _check(who, PhoneForm(formdata=None, phone=shown_phone(known)))


@booking.post("/verifier")
@open_to(visit.REQUEST)
def confirm() -> ResponseReturnValue:
    """Book it. Twice is once; too late shows what else is near, with what was typed."""
    choice, phone, form = choice_said(request.form.get("slot", "")), None, PhoneForm()
    if choice and choice.mode is Mode.PHONE:
        phone = form.number()
        who = _seeker() if phone is None else None
        if who and who.held and who.held.held_until and who.held.held_until >= now():
            return _check(who, form, 422)
    try:
        held_id = UUID(request.form.get("held", ""))
        booked = rules.confirm(db(), g.request_id, held_id, now(), phone=phone)
    except (HoldExpiredError, ValueError):
        db().rollback()
        if choice is None:
            return redirect(url_for("booking.choose"), 303)
        return gone(choice, form.phone.data, expired=True)
    changed = booked.moved_from is not None
    db().commit()
    return redirect(url_for("booking.booked", change="1" if changed else None), 303)


@booking.get("/pris")
@open_to(visit.REQUEST)
def booked() -> ResponseReturnValue:
    """It is booked: when, where, with whom, and what happens next."""
    who = _seeker()
    if who.coming is None:
        return redirect(url_for("follow.show"), 303)
    return render_template("portal/booking/booked.html", **facts_of(who, who.coming))


@booking.get("/rendez-vous.ics")
@open_to(visit.REQUEST)
def calendar() -> ResponseReturnValue:
    """The coming appointment for the telephone's calendar; for a sensitive request, the hour alone."""
    who = _seeker()
    if who.coming is None:
        return redirect(url_for("follow.show"), 303)
    first, moves = rules.chain(db(), who.coming)
    where = "" if who.sensitive else _place_in_words(who.coming)
    details = "" if who.sensitive else gettext("Pour changer : %(phone)s", phone=show_phone(who.house.phone))
    meeting = Meeting(
        first, moves, who.coming.start, _end(who.coming), gettext("Rendez-vous"), where, details
    )
    return calendar_answer(meeting, "rendez-vous")


@booking.get("/annuler")
@open_to(visit.REQUEST)
def ask_cancel() -> ResponseReturnValue:
    """Are you sure? And another day instead."""
    who = _seeker()
    if who.coming is None:
        return redirect(url_for("follow.show"), 303)
    if not rules.may_change(who.coming, _identity().cancel_until_hours, now()):
        return _too_late(who)
    return render_template("portal/booking/cancel.html", **facts_of(who, who.coming))


@booking.post("/annuler")
@open_to(visit.REQUEST)
def cancel() -> ResponseReturnValue:
    """Cancel; twice is once."""
    try:
        rules.cancel(db(), g.request_id, _identity().cancel_until_hours, now())
    except TooLateError:
        return _too_late(_seeker())
    except NothingComingError:
        return redirect(url_for("booking.cancelled"), 303)
    db().commit()
    return redirect(url_for("booking.cancelled"), 303)


@booking.get("/annule")
@open_to(visit.REQUEST)
def cancelled() -> ResponseReturnValue:
    """It is cancelled; another one can be taken at once."""
    who = _seeker()
    if who.coming:
        return redirect(url_for("follow.show"), 303)
    return render_template("portal/booking/cancelled.html", who=who, sensitive=who.sensitive)


@booking.post("/attendre")
@open_to(visit.REQUEST)
def wait() -> ResponseReturnValue:
    """Be told when an hour that suits comes up."""
    who = _seeker()
    if not rules.wait_for_one(db(), who, search_asked()[0], now()):
        return redirect(url_for("booking.ask_call"), 303)
    db().commit()
    return redirect(url_for("booking.noted", pour="attente"), 303)


@booking.post("/ne-plus-attendre")
@open_to(visit.REQUEST)
def stop_waiting() -> ResponseReturnValue:
    """Leave the waiting list."""
    rules.stop_waiting(db(), g.request_id, now())
    db().commit()
    return redirect(url_for("follow.show"), 303)


@booking.get("/rappel")
@open_to(visit.REQUEST)
def ask_call() -> ResponseReturnValue:
    """Please call me: at which number?"""
    who = _seeker()
    return _call(who, PhoneForm(formdata=None, phone=shown_phone(who.phone), submission=str(uuid4())))


@booking.post("/rappel")
@open_to(visit.REQUEST)
def call_me() -> ResponseReturnValue:
    """It becomes a message of the person, which the reception finds in its queue; twice is once."""
    who, form = _seeker(), PhoneForm()
    number = form.number() if form.validate() and form.submission.data else None
    if number is None:
        return _call(who, form, 422)
    body = gettext("Je cherche un rendez-vous. Appelez-moi au %(phone)s.", phone=show_phone(number))
    messages.write_as_citizen(db(), who.id, body, language(), UUID(form.submission.data), now())
    db().commit()
    return redirect(url_for("booking.noted", pour="rappel"), 303)


@booking.get("/note")
@open_to(visit.REQUEST)
def noted() -> ResponseReturnValue:
    """What was asked is noted."""
    who = _seeker()
    what, waits = request.args.get("pour"), waiting.waits(db(), who.id)
    return render_template(
        "portal/booking/noted.html", who=who, what=what, waits=waits, sensitive=who.sensitive
    )


def facts_of(who: Seeker, appointment: Appointment) -> dict[str, Any]:
    """What the pages of one appointment say of it."""
    where = rules.places(db(), [appointment.place_id]).get(appointment.place_id or "")
    if appointment.mode is not Mode.HERE:
        where = None
    return {
        "who": who,
        "sensitive": who.sensitive,
        "appointment": appointment,
        "kind": db().get_one(Kind, appointment.kind_id),
        "where": where,
        "map_link": _map(where) if where and not who.sensitive else "",
        "mode": MODES[appointment.mode],
        "agent": rules.agent_name(db(), appointment),
        "may_cancel": rules.may_change(appointment, _identity().cancel_until_hours, now()),
        "may_move": rules.may_change(appointment, _identity().move_until_hours, now()),
        "move_link": url_for("booking.choose", **query_of(like(appointment))),
    }


def coming_facts() -> dict[str, Any]:
    """What the follow page shows of the coming appointment, of the way to one, and of what is proposed."""
    who = _seeker()
    waits = {"waits": waiting.waits(db(), who.id), "offer": proposals.live(db(), who.id, now())}
    if who.coming:
        return facts_of(who, who.coming) | waits
    return {"who": who, "sensitive": who.sensitive, "appointment": None} | waits


def _seeker() -> Seeker:
    return seeker(db(), g.request_id, now())


def _identity() -> Identity:
    identity: Identity = current_app.extensions["identity"]
    return identity


def _refused(who: Seeker) -> ResponseReturnValue | None:
    """A closed request takes no new appointment; a near one moves by telephone."""
    if who.coming and not rules.may_change(who.coming, _identity().move_until_hours, now()):
        return _too_late(who)
    return redirect(url_for("follow.show"), 303) if who.closed and not who.coming else None


def _too_late(who: Seeker) -> ResponseReturnValue:
    return render_template("portal/booking/too_late.html", who=who, sensitive=who.sensitive), 409


def _choose(who: Seeker) -> ResponseReturnValue:
    search, mistake = search_asked()
    found = offers(db(), who, search, now())
    others = [] if found else offers(db(), who, Search(whole_house=True), now())
    tiles = _tiles(who, search, found or others)
    page = render_template(
        "portal/booking/slots.html",
        **tiles,
        found=found,
        others=others,
        filters=filters_of(who, search, found, tiles["places"]),
        query=query_of(search),
        day_typed=request.args.get("jour", ""),
        mistake=mistake,
        today=now().astimezone(PARIS).date(),
        without=rules.without_appointment(db(), who) if not found else [],
        waits=waiting.waits(db(), who.id),
        offer=proposals.live(db(), who.id, now()),
    )
    return page, 422 if mistake else 200


def _check(who: Seeker, form: PhoneForm, code: int = 200) -> ResponseReturnValue:
    if who.held is None:
        return redirect(url_for("booking.choose"), 303)
    page = render_template(
        "portal/booking/check.html",
        **facts_of(who, who.held),
        form=form,
        slot=value_of(_choice_of(who.held)),
        query=query_of(search_asked()[0]),
    )
    return page, code


def gone(choice: Choice, phone: str | None, *, expired: bool, offered: bool = False) -> ResponseReturnValue:
    """The hour is lost; what is near it, with the same filters and what was typed.

    `offered`: it was proposed to them while they wait.
    """
    who, (search, _) = _seeker(), search_asked()
    found = nearest(db(), who, search, choice.start, now())
    found = found or nearest(db(), who, Search(whole_house=True), choice.start, now())
    page = render_template(
        "portal/booking/gone.html",
        **_tiles(who, search, found),
        query=query_of(search),
        expired=expired,
        offered=offered,
        waits=waiting.waits(db(), who.id),
        choice=choice,
        phone=phone or "",
    )
    return page, 409


def _call(who: Seeker, form: PhoneForm, code: int = 200) -> ResponseReturnValue:
    return render_template("portal/booking/call_me.html", who=who, form=form, sensitive=who.sensitive), code


def _tiles(who: Seeker, search: Search, slots: list[Slot]) -> dict[str, Any]:
    return {
        "who": who,
        "sensitive": who.sensitive,
        "search": search,
        "slots": [
            (slot, value_of(Choice(slot.start, slot.mode, slot.place_id)), MODES[slot.mode]) for slot in slots
        ],
        "places": rules.places(db(), [slot.place_id for slot in slots] + [search.place_id], who.commune_code),
    }


def _choice_of(appointment: Appointment) -> Choice:
    return Choice(appointment.start, appointment.mode, appointment.place_id)


def _end(appointment: Appointment) -> datetime:
    end: datetime | None = appointment.during.upper
    return end or appointment.start


def _place_in_words(appointment: Appointment) -> str:
    where = rules.places(db(), [appointment.place_id]).get(appointment.place_id or "")
    if appointment.mode is not Mode.HERE or where is None:
        return str(gettext(MODES[appointment.mode].label))
    return where.in_words


def _map(where: rules.Where) -> str:
    """A free map, without anything of the person: the address that everybody can read."""
    query = where.address.replace("\n", ", ") or f"{where.name}, {where.town}"
    return f"https://www.openstreetmap.org/search?query={quote(query)}"


def shown_phone(phone: str | None) -> str:
    """A number as one reads it; what is none, as it was typed."""
    return show_phone(phone) if phone and phone.startswith("+") else phone or ""
