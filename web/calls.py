"""The call of a talk, as pages ask for it: a ticket, a seat, what others say, getting up; or a département's bridge.

Both faces answer the same; each says who knocks. Answers are short and come at once: no thread waits for anything
(decision 0023). A stranger, an old ticket and a talk that is over get the same 404.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import Blueprint, abort, current_app, jsonify, redirect, request, session
from flask.sansio.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue

from casework import bridges, rooms
from casework.rooms import Caller
from casework.settings import Settings
from web.doors import Door, open_to
from web.mistakes import page as mistake
from web.transactions import db, now, settings

MOST_BYTES = 200_000
"""Forty signals of an ordinary size; a page that has more to say sends it in two goes."""

REFUSED: dict[type[Exception], int] = {
    rooms.NoCallError: 404,
    rooms.WrongSignalError: 400,
    rooms.ElsewhereError: 409,
    rooms.SeatGoneError: 410,
    rooms.HeldError: 423,
    rooms.TooOftenError: 429,
}


def answer_calls(door: Door, agent_id: Callable[[], int | None]) -> Blueprint:
    """The routes of calls for a face. `agent_id`: the signed-in agent's; None for whom the browser's secret opens."""
    calls = Blueprint("calls", __name__, url_prefix="/<lang>/appel/<uuid:talk_id>")

    def caller(talk_id: UUID) -> Caller:
        # The token against forged forms is the one thing that this browser alone holds, on both faces.
        browser = rooms.browser_of(settings().access_key, session.get("csrf_token", ""))
        return Caller(talk_id, browser, agent_id())

    @calls.post("/billet")
    @open_to(door)
    def ticket(talk_id: UUID) -> ResponseReturnValue:
        """A ticket, to be used at once."""
        made = rooms.ask_ticket(db(), caller(talk_id), now())
        db().commit()
        return jsonify(ticket=made)

    @calls.post("/entrer")
    @open_to(door)
    def enter(talk_id: UUID) -> ResponseReturnValue:
        """Use the ticket up: a seat, who sits there, and how to find a way to them."""
        told = rooms.enter(db(), caller(talk_id), _ticket(_sent()), now())
        db().commit()
        return jsonify(told | {"ice": rooms.ice_of(settings(), str(told["seat"]), now())})

    @calls.post("/signaux")
    @open_to(door)
    def exchange(talk_id: UUID) -> ResponseReturnValue:
        """What this page says to others, and what they said to it."""
        told = rooms.exchange(db(), caller(talk_id), _sent(), now())
        db().commit()
        return jsonify(told)

    @calls.post("/quitter")
    @open_to(door)
    def leave(talk_id: UUID) -> ResponseReturnValue:
        """Get up. A page that is closing sends it as a form, and listens to no answer."""
        seat = request.form.get("seat", "")
        if seat.isascii() and seat.isdigit() and len(seat) < 19:
            rooms.leave(db(), caller(talk_id), int(seat), now())
            db().commit()
        return "", 204

    @calls.get("/pont")
    @open_to(door)
    def bridge(talk_id: UUID) -> ResponseReturnValue:
        """To the département's bridge, with a token made for this person at this moment."""
        knocking = caller(talk_id)
        if settings().room_provider == bridges.OWN or not rooms.stands(db(), knocking):
            abort(404)
        guest = bridges.guest(db(), knocking, now())
        try:
            there = bridges.address(settings(), talk_id, guest, now())
        except bridges.BridgeDownError as error:
            current_app.logger.error("the bridge does not answer: %s", error)
            return mistake(503)
        db().commit()
        return redirect(there, 303)

    calls.record(_ready)
    for refusal, code in REFUSED.items():
        calls.register_error_handler(refusal, _refusal(code))
    return calls


def _ready(state: BlueprintSetupState) -> None:
    """Start with a bridge that can work, or none; templates show our own call, or the way to the bridge."""
    configured: Settings = state.app.extensions["settings"]
    bridges.check(configured)
    rooms.check_ways(configured)
    state.app.jinja_env.globals["own_calls"] = configured.room_provider == bridges.OWN


def _refusal(code: int) -> Callable[[Exception], ResponseReturnValue]:
    def refuse(_error: Exception) -> ResponseReturnValue:
        db().rollback()
        return mistake(code) if request.method == "GET" else ("", code)

    return refuse


def _sent() -> Any:
    """What the page sent, as JSON; anything else is no signal."""
    if (request.content_length or 0) > MOST_BYTES:
        raise rooms.WrongSignalError
    return request.get_json(silent=True)


def _ticket(sent: Any) -> str:
    ticket = sent.get("ticket") if isinstance(sent, dict) else None
    if not isinstance(ticket, str):
        raise rooms.WrongSignalError
    return ticket
