"""The appointments of a request, on its page: the one that comes, the earliest free slots, one tap each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from backoffice.agenda import (
    chosen_slot,
    colleagues,
    kinds,
    mine_to_handle,
    names_of,
    places_of_house,
)
from backoffice.agent import AGENT, me
from backoffice.forms import ExtraForm
from casework import counter, planning, proposals, slots, triage
from casework.agenda import Kind, Mode
from casework.agents import Agent
from casework.appointments import SlotTakenError, Standing
from casework.counter import OUTCOMES, Circle, NotNowError, NotYourAgendaError, UnknownKindError
from casework.planning import Meeting
from casework.proposals import Waiter
from casework.requests import PARIS, Request
from casework.slots import Slot
from casework.vocabulary import Role
from web.doors import open_to
from web.transactions import db, now
from web.typed import options

booking = Blueprint("booking", __name__, url_prefix="/<lang>/demande/<uuid:request_id>/rendez-vous")

SHOWN_SLOTS = 6
USUAL_KIND = "first"


@dataclass
class Panel:
    """What the request's page shows of its appointments. `circle`: among whom the slots were found."""

    coming: list[Meeting]
    begun: list[Meeting]
    past: list[Meeting]
    kinds: list[Kind]
    kind_id: str
    circle: Circle
    asked_circle: Circle
    slots: list[Slot]
    names: dict[str, str]
    mine: set[UUID]
    """The appointments I may move, cancel and end."""
    may_squeeze: bool
    waiter: Waiter | None
    """Their line on the waiting list, if they are on it."""
    offered_by: str
    """With whom the hour is that they are offered now."""


def panel(opened: Request) -> Panel:
    """The appointments of a request, and the earliest slots: with its worker, else its sector, else the house."""
    met = planning.of_request(db(), opened.id)
    known = kinds()
    ids = [kind.id for kind in known]
    asked = request.args.get("genre", "")
    likely = (asked, opened.kind_id, USUAL_KIND, *ids[:1])
    kind_id = next((one for one in likely if one in ids), "") or ""
    circle, asked_circle, found = _earliest(opened, kind_id)
    waiter = proposals.of_request(db(), opened, now())
    booked = [one for one in met if one.state is Standing.BOOKED]
    coming = [one for one in booked if one.start > now()]
    return Panel(
        coming=coming[::-1],
        begun=[one for one in met if one.state in {Standing.BOOKED, *OUTCOMES} and one.start <= now()],
        past=[one for one in met if one.state in {Standing.CANCELLED, Standing.MOVED}],
        kinds=known,
        kind_id=kind_id,
        circle=circle,
        asked_circle=asked_circle,
        slots=found,
        names=names_of(found),
        mine={one.id for one in met if _may_handle(opened, one)},
        may_squeeze=bool(_editable_agents()),
        waiter=waiter,
        offered_by=db().get_one(Agent, waiter.offer.agent_id).name if waiter and waiter.offer else "",
    )


def _earliest(opened: Request, kind_id: str) -> tuple[Circle, Circle, list[Slot]]:
    """The circle where there are slots, the one asked for, and the slots: wider and wider while nobody is free."""
    first = Circle.WORKER if opened.worker_id else Circle.SECTOR
    asked = request.args.get("avec", "")
    start = Circle(asked) if asked in set(Circle) else first
    circles = list(Circle)
    for circle in circles[circles.index(start) :]:
        agents = counter.receiving(db(), opened, circle)
        if agents and (
            found := slots.find(db(), counter.wanted(agents, kind_id), now(), now(), most=SHOWN_SLOTS)
        ):
            return circle, start, found
    return start, start, []


def _may_handle(opened: Request, meeting: Meeting) -> bool:
    return opened.worker_id == me().id or counter.may_edit(me(), db().get_one(Agent, meeting.agent_id))


@booking.post("")
@open_to(AGENT)
def book(request_id: UUID) -> ResponseReturnValue:
    """One tap: the slot is held and confirmed in one transaction."""
    opened = _mine(request_id)
    agent_id, mode, place_id, start = chosen_slot()
    try:
        slot = _exact(agent_id, mode, place_id, start)
        counter.book(db(), me(), opened, slot, now())
        db().commit()
    except SlotTakenError:
        db().rollback()
        # By the same tap made twice, or by somebody else.
        done = "book" if counter.booked_already(db(), opened, agent_id, start) else "taken"
        return _back(request_id, done)
    return _back(request_id, "book")


@booking.post("/type")
@open_to(AGENT)
def plan_kind(request_id: UUID) -> ResponseReturnValue:
    """Say which kind of appointment this request needs; the person's own search begins with it."""
    try:
        counter.plan_kind(db(), me(), _mine(request_id), request.form.get("prevu") or None, now())
        db().commit()
    except UnknownKindError:
        abort(400)
    except NotNowError:
        return _back(request_id, "late")
    return _back(request_id, "kind")


@booking.get("/en-plus")
@open_to(AGENT)
def extra_form(request_id: UUID) -> ResponseReturnValue:
    """Somebody squeezed in, over whatever is there."""
    _mine(request_id)
    local = now().astimezone(PARIS)
    return _show_extra(request_id, ExtraForm(formdata=None, day=local.date(), starts_at=local.time()))


@booking.post("/en-plus")
@open_to(AGENT)
def squeeze_in(request_id: UUID) -> ResponseReturnValue:
    """Book an extra appointment, with its reason in the journal."""
    opened = _mine(request_id)
    form = _with_choices(ExtraForm())
    if not form.validate():
        return _show_extra(request_id, form, 422)
    mode = Mode(form.mode.data)
    start = datetime.combine(form.day.data, form.starts_at.data, PARIS)
    whose = db().get_one(Agent, form.agent.data)
    try:
        slot = counter.extra_slot(
            db(), whose, form.kind.data, mode, form.place.data if mode is Mode.HERE else None, start
        )
        counter.squeeze_in(db(), me(), opened, slot, form.why.data, now())
        db().commit()
    except NotNowError:
        db().rollback()
        form.starts_at.errors = [gettext("Cette heure est passée.")]
        return _show_extra(request_id, form, 422)
    except NotYourAgendaError:
        abort(403)
    return _back(request_id, "book")


@booking.post("/<uuid:appointment_id>/annuler")
@open_to(AGENT)
def cancel(request_id: UUID, appointment_id: UUID) -> ResponseReturnValue:
    """Free its time."""
    _mine(request_id)
    try:
        counter.cancel(db(), me(), mine_to_handle(appointment_id), now())
        db().commit()
    except NotNowError:
        return _back(request_id, "late")
    return _back(request_id, "cancel")


@booking.post("/<uuid:appointment_id>/suite")
@open_to(AGENT)
def end(request_id: UUID, appointment_id: UUID) -> ResponseReturnValue:
    """Came, excused or missed: one tap."""
    _mine(request_id)
    how = request.form.get("suite", "")
    if how not in OUTCOMES:
        abort(400)
    try:
        counter.end(db(), me(), mine_to_handle(appointment_id), Standing(how), now())
        db().commit()
    except NotNowError:
        return _back(request_id, "late")
    except SlotTakenError:
        db().rollback()
        return _back(request_id, "taken")
    return _back(request_id, "end")


@booking.post("/<uuid:appointment_id>/duree")
@open_to(AGENT)
def spent(request_id: UUID, appointment_id: UUID) -> ResponseReturnValue:
    """How long it took: one tap."""
    _mine(request_id)
    typed = request.form.get("duree", "")
    if typed not in {str(minutes) for minutes in counter.LENGTHS}:
        abort(400)
    try:
        counter.spent(db(), me(), mine_to_handle(appointment_id), int(typed), now())
        db().commit()
    except NotNowError:
        return _back(request_id, "late")
    return _back(request_id, "end")


def _exact(agent_id: int, mode: Mode, place_id: str | None, start: datetime) -> Slot:
    """The slot of a button, if it is still free.

    Raises:
        SlotTakenError: it is not, or never was one of this house.
    """
    agent, kind_id = db().get(Agent, agent_id), request.form.get("kind", "")
    if agent is None or agent.house_id != me().house_id:
        raise SlotTakenError
    return counter.in_turn(db(), counter.wanted([agent_id], kind_id, [mode]), start, place_id, now())


def _with_choices(form: ExtraForm) -> ExtraForm:
    form.agent.choices = options((agent.id, agent.name) for agent in _editable_agents())
    form.kind.choices = options((kind.id, kind.name) for kind in kinds())
    form.place.choices = options([("", "–"), *((place.id, place.name) for place in places_of_house())])
    return form


def _editable_agents() -> list[Agent]:
    return [agent for agent in colleagues() if agent.is_a(Role.WORKER) and counter.may_edit(me(), agent)]


def _show_extra(request_id: UUID, form: ExtraForm, code: int = 200) -> ResponseReturnValue:
    page = render_template("backoffice/agenda/extra.html", case=_mine(request_id), form=_with_choices(form))
    return page, code


def _mine(request_id: UUID) -> Request:
    """A request of my house."""
    opened = db().get(Request, request_id)
    if opened is None or not triage.may_see(me(), opened):
        abort(404)
    return opened


def _back(request_id: UUID, done: str) -> ResponseReturnValue:
    return redirect(url_for("case.show", request_id=request_id, fait=done) + "#rendez-vous", 303)
