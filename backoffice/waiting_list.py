"""What the house does with those who wait: say yes or no for them, on the telephone, and take them off the list."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, abort, redirect, request, url_for
from flask.typing import ResponseReturnValue

from backoffice.agent import AGENT, me
from casework import counter, proposals, triage
from casework.appointments import HoldExpiredError
from casework.counter import NotNowError
from casework.proposals import SlotOffer
from casework.requests import Request
from web.doors import open_to
from web.transactions import db, now

waiting_list = Blueprint("waiting_list", __name__, url_prefix="/<lang>/demande/<uuid:request_id>/attente")


@waiting_list.post("")
@open_to(AGENT)
def answer(request_id: UUID) -> ResponseReturnValue:
    """The person says yes or no to the hour they are offered. Twice is once."""
    opened = _of_my_house(request_id)
    offer = _offer_of(opened)
    try:
        if request.form.get("reponse") == "oui":
            counter.take_offered(db(), me(), opened, offer.id, now())
            done = "book"
        else:
            proposals.decline(db(), opened.id, now(), me())
            done = "declined"
        db().commit()
    except (NotNowError, HoldExpiredError):
        db().rollback()
        done = "late"
    return redirect(url_for("case.show", request_id=request_id, fait=done) + "#rendez-vous", 303)


@waiting_list.post("/retirer")
@open_to(AGENT)
def stop(request_id: UUID) -> ResponseReturnValue:
    """The person waits no more, as they told us. Twice is once."""
    counter.waits_no_more(db(), me(), _of_my_house(request_id), now())
    db().commit()
    return redirect(url_for("agenda.waiting_list"), 303)


def _of_my_house(request_id: UUID) -> Request:
    opened = db().get(Request, request_id)
    if opened is None or not triage.may_see(me(), opened):
        abort(404)
    return opened


def _offer_of(opened: Request) -> SlotOffer:
    try:
        found = db().get(SlotOffer, UUID(request.form.get("offre", "")))
    except ValueError:
        abort(400)
    if found is None or found.request_id != opened.id:
        abort(404)
    return found
