"""The group sessions of a request, on its page: what its people are signed up to, and signing them up."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from flask import Blueprint, abort, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from backoffice.agent import AGENT, me
from backoffice.sessions import mine_of_house
from casework import session_lists, sign_ups
from casework import sessions as rules
from casework.requests import Request
from casework.sessions import MOST_PEOPLE, GroupSession, SessionOverError
from casework.sign_ups import SIGN_UP_STATES, TooManyPeopleError
from web.doors import open_to
from web.transactions import db, now
from web.typed import clean

signing_up = Blueprint("signing_up", __name__, url_prefix="/<lang>/demande/<uuid:request_id>/ateliers")


def coming_of_house() -> list[tuple[GroupSession, int]]:
    """The sessions of my house to come, with the seats left: what one can sign somebody up to."""
    found = [one for one in rules.of_house(db(), me().house_id, now()) if one.is_on and one.start > now()]
    turnouts = session_lists.turnouts(db(), [one.id for one in found])
    return [(one, one.seats - turnouts[one.id].taken) for one in found]


def panel(asked: Request) -> dict[str, Any]:
    """What the request's page shows of its sign-ups, and the form to sign its people up."""
    return {
        "mine": session_lists.of_request(db(), asked.id, now()),
        "coming": coming_of_house(),
        "most": MOST_PEOPLE,
        "submission": str(uuid4()),
        "states": SIGN_UP_STATES,
        "said": _said(request.args.get("inscription", "")),
    }


@signing_up.post("")
@open_to(AGENT)
def sign_up(request_id: UUID) -> ResponseReturnValue:
    """Sign the people of a request up, who are there or on the telephone; the same form twice is one sign-up."""
    asked = request_of_house(request_id)
    said = _sign_up(asked)
    return redirect(url_for("case.show", request_id=asked.id, inscription=said, _anchor="ateliers"), 303)


@signing_up.post("/retirer")
@open_to(AGENT)
def take_off(request_id: UUID) -> ResponseReturnValue:
    """Cancel one person's sign-up; twice is once."""
    asked = request_of_house(request_id)
    for held, people in session_lists.of_request(db(), asked.id, now()):
        ids = [one.id for one in people if str(one.id) == request.form.get("who")]
        if ids and sign_ups.leave(db(), me(), held.id, asked.id, ids, now()):
            db().commit()
    return redirect(url_for("case.show", request_id=asked.id, _anchor="ateliers"), 303)


def _sign_up(asked: Request) -> str:
    """The word of what became of it."""
    one = _chosen(request.form.get("session", ""))
    try:
        people = int(request.form.get("people", ""))
        names = sign_ups.read_names(clean(request.form.get("names")), people)
        submission = UUID(request.form.get("submission", ""))
        said = sign_ups.sign_up(db(), me(), one.id, asked.id, names, submission, now())
        db().commit()
    except TooManyPeopleError:
        db().rollback()
        return "people"
    except SessionOverError:
        db().rollback()
        return "over"
    except ValueError:
        abort(400)
    return said.value


def _said(word: str) -> tuple[str, str]:
    """The notice on the request's page: its look and its words."""
    return {
        "signed": ("success", gettext("C'est fait. La personne a sa place.")),
        "waiting": ("", gettext("C'est complet. La personne est sur la liste d'attente.")),
        "people": ("warning", gettext("Rien n'est changé. Écrivez 8 personnes au plus, et leurs prénoms.")),
        "over": ("warning", gettext("Rien n'est changé. Cette action collective n'a plus lieu.")),
    }.get(word, ("", ""))


def _chosen(typed: str) -> GroupSession:
    try:
        return mine_of_house(UUID(typed))
    except ValueError:
        abort(404)


def request_of_house(request_id: UUID) -> Request:
    """A request of my house; another house's does not exist."""
    found = db().get(Request, request_id)
    if found is None or found.house_id != me().house_id:
        abort(404)
    return found
