"""An hour proposed to who waits: seen from the message's link, taken or not by one tap."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from casework import booking as rules
from casework import proposals
from casework.agenda import Mode
from casework.appointments import HoldExpiredError
from casework.offers import Choice, Seeker, seeker
from casework.proposals import Answer, SlotOffer
from portal import visit
from portal.booking import PhoneForm, facts_of, gone, shown_phone
from web.doors import open_to
from web.transactions import db, now

proposal = Blueprint("proposal", __name__, url_prefix="/<lang>/rendez-vous/proposition")


@proposal.get("")
@open_to(visit.REQUEST)
def show() -> ResponseReturnValue:
    """When, where, how, what to bring, until when to answer; yes or no."""
    who, offer = seeker(db(), g.request_id, now()), proposals.latest(db(), g.request_id)
    if offer is None or offer.state is Answer.DECLINED:
        return redirect(url_for("follow.show"), 303)
    if offer.state is Answer.ACCEPTED:
        return redirect(url_for("booking.booked"), 303)
    if who.held is None or not offer.is_live(now()):
        return _over(offer)
    known = who.held.phone or (who.coming.phone if who.coming else None) or who.phone
    return _show(who, offer, PhoneForm(formdata=None, phone=shown_phone(known)))


@proposal.post("")
@open_to(visit.REQUEST)
def answer() -> ResponseReturnValue:
    """Yes books it; no lets the next one have it, and one goes on waiting. Twice is once."""
    offer = _offer_said()
    if offer is None:
        return redirect(url_for("follow.show"), 303)
    if request.form.get("reponse") != "oui":
        if offer.state is Answer.ACCEPTED:
            return redirect(url_for("booking.booked"), 303)
        if offer.is_live(now()):
            proposals.decline(db(), g.request_id, now())
            db().commit()
        return redirect(url_for("booking.noted", pour="refus"), 303)
    return _take(offer)


def _take(offer: SlotOffer) -> ResponseReturnValue:
    who, form, phone = seeker(db(), g.request_id, now()), PhoneForm(), None
    if offer.mode is Mode.PHONE and offer.is_live(now()):
        phone = form.number()
        if phone is None and who.held:
            return _show(who, offer, form, 422)
    try:
        if offer.appointment_id is None:
            raise HoldExpiredError
        booked = rules.confirm(db(), who.id, offer.appointment_id, now(), phone=phone)
    except HoldExpiredError:
        db().rollback()
        return _over(offer)
    changed = booked.moved_from is not None
    db().commit()
    return redirect(url_for("booking.booked", change="1" if changed else None), 303)


def _offer_said() -> SlotOffer | None:
    """The offer that the form names, if it is this person's: row security shows no other."""
    try:
        return db().get(SlotOffer, UUID(request.form.get("offer", "")))
    except ValueError:
        return None


def _over(offer: SlotOffer) -> ResponseReturnValue:
    """Too late: what else is near it, and that one goes on waiting; or no was said."""
    if offer.state is Answer.DECLINED:
        return redirect(url_for("booking.noted", pour="refus"), 303)
    return gone(Choice(offer.start, offer.mode, offer.place_id), None, expired=True, offered=True)


def _show(who: Seeker, offer: SlotOffer, form: PhoneForm, code: int = 200) -> ResponseReturnValue:
    if who.held is None:
        return _over(offer)
    page = render_template("portal/booking/proposal.html", **facts_of(who, who.held), offer=offer, form=form)
    return page, code
