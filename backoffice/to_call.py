"""Whom to call, and the text messages that an agent must give to a request."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from backoffice.agent import AGENT, me
from casework import answers
from casework import to_call as calls
from casework.answers import SortedMeanwhileError
from casework.requests import Request
from casework.triage import may_see
from web.doors import open_to
from web.transactions import db, now

to_call = Blueprint("to_call", __name__, url_prefix="/<lang>/a-appeler")

NONE_OF_THEM = "aucune"
DONE = frozenset({"reached", "not_reached", "sorted", "gone"})
"""What this page may follow."""


def how_many() -> int:
    """How many lines wait for my house: for the navigation."""
    return calls.count(db(), me().house_id, now())


@to_call.get("")
@open_to(AGENT)
def show() -> ResponseReturnValue:
    """People to call, and texts to sort."""
    done = request.args.get("fait")
    return render_template(
        "backoffice/to_call.html",
        lines=calls.lines(db(), me().house_id),
        texts=answers.to_sort(db(), me().house_id, now()),
        whys=calls.WHYS,
        done=done if done in DONE else None,
    )


@to_call.post("/<uuid:request_id>")
@open_to(AGENT)
def called(request_id: UUID) -> ResponseReturnValue:
    """I called, and reached the person or not."""
    outcome = request.form.get("resultat", "")
    if outcome not in {"joint", "pas-joint"}:
        abort(400)
    of_mine = db().get(Request, request_id)
    if of_mine is None or not may_see(me(), of_mine):
        abort(404)
    reached = outcome == "joint"
    noted = calls.called(db(), me(), of_mine, now(), reached=reached)
    db().commit()
    done = ("reached" if reached else "not_reached") if noted else "gone"
    return redirect(url_for("to_call.show", fait=done), 303)


@to_call.post("/sms/<uuid:text_id>")
@open_to(AGENT)
def sort(text_id: UUID) -> ResponseReturnValue:
    """This text is for that request, or for none of my house's."""
    chosen = request.form.get("demande", "")
    try:
        if chosen == NONE_OF_THEM:
            answers.set_aside(db(), me(), text_id, now())
        else:
            answers.attach(db(), me(), text_id, UUID(chosen), now())
        db().commit()
    except ValueError:
        abort(400)
    except SortedMeanwhileError:
        db().rollback()
        return redirect(url_for("to_call.show", fait="gone"), 303)
    return redirect(url_for("to_call.show", fait="sorted"), 303)
