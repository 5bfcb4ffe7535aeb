"""The queue of the house, and a social worker's own list."""

from __future__ import annotations

import hashlib
from datetime import datetime
from uuid import UUID

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from backoffice.agent import AGENT, WATCHING, me
from casework import planning, stock
from casework import queue as waiting
from casework.absences import whole_days
from casework.access import read_number
from casework.appointments import Appointment
from casework.queue import COUNTED, Filter, Place
from casework.requests import PARIS, Request
from casework.vocabulary import SPOKEN_LANGUAGES, Role, State, Theme
from web.doors import ANYONE, open_to
from web.transactions import db, now
from web.typed import clean

queue = Blueprint("queue", __name__)


@queue.get("/")
@open_to(ANYONE)
def root() -> ResponseReturnValue:
    """Agents begin in French; the language can be changed on every page."""
    return redirect(url_for("queue.show", lang="fr"), 303)


@queue.get("/<lang>/")
@open_to(AGENT)
def show() -> ResponseReturnValue:
    """A social worker's own list by default, the house's queue for the others."""
    if me().is_a(Role.WORKER) and not me().is_a(Role.SECRETARY):
        return redirect(url_for("queue.mine"), 303)
    return redirect(url_for("queue.house"), 303)


@queue.get("/<lang>/file")
@open_to(AGENT)
def house() -> ResponseReturnValue:
    """What came in for my house."""
    short = stock.warning(db(), me().house_id, now())
    return render_template("backoffice/queue.html", **_queue(), short=short)


@queue.get("/<lang>/file/lignes")
@open_to(WATCHING)
def lines() -> ResponseReturnValue:
    """The lines alone, for the page to refresh itself; nothing when nothing changed."""
    return _fragment(render_template("backoffice/queue_lines.html", **_queue()))


@queue.get("/<lang>/mes-demandes")
@open_to(AGENT)
def mine() -> ResponseReturnValue:
    """What is mine, what is new, what waits for me."""
    today = whole_days(*[now().astimezone(PARIS).date()] * 2)
    return render_template(
        "backoffice/mine.html",
        rows=waiting.of_worker(db(), me()),
        meetings=planning.meetings(db(), Appointment.agent_id == me().id, today, now()),
        now=now(),
    )


@queue.get("/<lang>/mes-demandes/lignes")
@open_to(WATCHING)
def my_lines() -> ResponseReturnValue:
    """The lines of my list alone."""
    rows = waiting.of_worker(db(), me())
    return _fragment(render_template("backoffice/mine_lines.html", rows=rows, now=now()))


@queue.get("/<lang>/chercher")
@open_to(AGENT)
def find() -> ResponseReturnValue:
    """Open a request of the house by the number somebody says at the counter."""
    typed = clean(request.args.get("numero"))
    number = read_number(typed)
    found = number and db().scalar(
        select(Request.id).where(Request.number == number, Request.house_id == me().house_id)
    )
    if found:
        return redirect(url_for("case.show", request_id=found), 303)
    return render_template("backoffice/queue.html", **_queue(), not_found=typed), 404


def _queue() -> dict[str, object]:
    wanted, agent = _filter(), me()
    rows = waiting.page(db(), agent.house_id, wanted, _place())
    return {
        "rows": rows,
        "count": waiting.count(db(), agent.house_id, wanted),
        "counted": COUNTED,
        "wanted": wanted,
        "now": now(),
        "further": rows[-1].place if len(rows) == waiting.PAGE else None,
        "paged": "apres" in request.args,
    }


def _filter() -> Filter:
    """The filters of the address; what is not known filters nothing in and nothing out (it is the default)."""
    state = request.args.get("etat", "todo")
    theme = request.args.get("theme", "")
    spoken = request.args.get("langue", "")
    return Filter(
        state=state if state in {"todo", "open", *State} else "todo",
        theme=theme if theme in set(Theme) else "",
        spoken_language=spoken if spoken in SPOKEN_LANGUAGES else "",
        urgent=request.args.get("urgent") == "1",
    )


def _place() -> Place | None:
    try:
        urgent, promised, received, row_id = request.args["apres"].split("_")
        return Place(
            urgent == "1", datetime.fromisoformat(promised), datetime.fromisoformat(received), UUID(row_id)
        )
    except (KeyError, ValueError):
        return None


def _fragment(body: str) -> Response:
    """A piece of page with its fingerprint: the browser asks again and again, mostly for nothing new."""
    response = make_response(body)
    response.set_etag(hashlib.sha256(body.encode()).hexdigest()[:20], weak=True)
    response.make_conditional(request)
    return response
