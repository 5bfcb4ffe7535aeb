"""Absences of agents and closures of the house, with what they touch."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from sqlalchemy import ColumnElement
from sqlalchemy.dialects.postgresql import Range

from backoffice.agenda import agent_shown, colleagues, today, whose_agenda
from backoffice.agent import AGENT, me
from backoffice.forms import ClosureForm, DaysForm
from casework import absences as leave
from casework import counter, planning, session_lists
from casework.absences import DaysError, ShortDay, UnderstaffedError, whole_days
from casework.agenda import Closure
from casework.agents import Absence, Agent
from casework.planning import Meeting
from casework.session_lists import Turnout
from casework.sessions import GroupSession, led_between
from web.doors import open_to
from web.transactions import db, now

absences = Blueprint("absences", __name__, url_prefix="/<lang>/agenda")

SHOWN_CLOSURES = timedelta(days=366)


@dataclass(frozen=True)
class Touched:
    """What stays in days when nobody is there: nothing cancels it, so that somebody must see to it."""

    meetings: list[Meeting]
    sessions: list[tuple[GroupSession, Turnout]]

    @property
    def is_any(self) -> bool:
        """There is something to see to."""
        return bool(self.meetings or self.sessions)


@absences.get("/absences")
@open_to(AGENT)
def show() -> ResponseReturnValue:
    """The absences of an agent to come, and the form for one more."""
    return _show(agent_shown(), DaysForm(formdata=None))


@absences.post("/absences/<int:agent_id>")
@open_to(AGENT)
def add(agent_id: int) -> ResponseReturnValue:
    """Write an absence down; too few workers present asks for a second yes."""
    away = whose_agenda(agent_id)
    form = DaysForm()
    if not form.validate():
        return _show(away, form, code=422)
    try:
        leave.accept(
            db(), me(), away, form.first_day.data, form.last_day.data, now(), knowing=form.knowing.data
        )
        db().commit()
    except DaysError:
        form.last_day.errors = [gettext("Ces dates ne vont pas ensemble.")]
        return _show(away, form, code=422)
    except UnderstaffedError as refused:
        db().rollback()
        return _show(away, form, refused.days, 422)
    return redirect(
        url_for("absences.show", agent=away.id, du=form.first_day.data, au=form.last_day.data, fait="add"),
        303,
    )


@absences.post("/absences/<int:absence_id>/retirer")
@open_to(AGENT)
def remove(absence_id: int) -> ResponseReturnValue:
    """The agent is here after all."""
    absence = db().get(Absence, absence_id) or abort(404)
    away = whose_agenda(absence.agent_id)
    leave.remove(db(), me(), absence, now())
    db().commit()
    return redirect(url_for("absences.show", agent=away.id, fait="remove"), 303)


@absences.get("/fermetures")
@open_to(AGENT)
def closures() -> ResponseReturnValue:
    """When my house is closed."""
    return _show_closures(ClosureForm(formdata=None))


@absences.post("/fermetures")
@open_to(AGENT)
def close() -> ResponseReturnValue:
    """Close the house for whole days; what was planned on those days is listed before the second yes."""
    _keeps_the_house()
    form = ClosureForm()
    if not form.validate():
        return _show_closures(form, code=422)
    try:
        during = whole_days(form.first_day.data, form.last_day.data)
    except DaysError:
        form.last_day.errors = [gettext("Ces dates ne vont pas ensemble.")]
        return _show_closures(form, code=422)
    left = _touched([agent.id for agent in colleagues()], GroupSession.house_id == me().house_id, during)
    if left.is_any and not form.knowing.data:
        return _show_closures(form, left, 422)
    leave.close_house(db(), me(), form.first_day.data, form.last_day.data, form.reason.data, now())
    db().commit()
    return redirect(url_for("absences.closures", fait="add"), 303)


@absences.post("/fermetures/<int:closure_id>/retirer")
@open_to(AGENT)
def reopen(closure_id: int) -> ResponseReturnValue:
    """The house is open after all; a closure of all the houses is not ours to take away."""
    _keeps_the_house()
    closure = db().get(Closure, closure_id)
    if closure is None or closure.house_id != me().house_id:
        abort(404)
    leave.reopen_house(db(), me(), closure, now())
    db().commit()
    return redirect(url_for("absences.closures", fait="remove"), 303)


def _keeps_the_house() -> None:
    if not me().keeps_the_house:
        abort(403)


def _show(
    away: Agent, form: DaysForm, short: list[ShortDay] | None = None, code: int = 200
) -> ResponseReturnValue:
    found = leave.of_agent(db(), away.id, today())
    page = render_template(
        "backoffice/agenda/absences.html",
        away=away,
        editable=counter.may_edit(me(), away),
        found=[(absence, _left(absence)) for absence in found],
        form=form,
        short=short or [],
        done=request.args.get("fait") if code == 200 else None,
    )
    return page, code


def _left(absence: Absence) -> Touched:
    """What is planned during an absence."""
    during = whole_days(absence.first_day, absence.last_day)
    return _touched([absence.agent_id], GroupSession.led_by == absence.agent_id, during)


def _touched(agent_ids: list[int], led: ColumnElement[bool], during: Range[datetime]) -> Touched:
    """What is not over yet in a span of time: the appointments of some agents, and the sessions meant by `led`."""
    held = [one for one in led_between(db(), led, during) if one.end > now()]
    turnouts = session_lists.turnouts(db(), [one.id for one in held])
    return Touched(
        planning.named(db(), leave.touched(db(), agent_ids, during, now())),
        [(one, turnouts[one.id]) for one in held],
    )


def _show_closures(form: ClosureForm, left: Touched | None = None, code: int = 200) -> ResponseReturnValue:
    span = whole_days(today(), today() + SHOWN_CLOSURES)
    page = render_template(
        "backoffice/agenda/closures.html",
        found=leave.closures_of(db(), me().house_id, span),
        editable=me().keeps_the_house,
        mine=me().house_id,
        one_second=timedelta(seconds=1),
        form=form,
        left=left,
        done=request.args.get("fait") if code == 200 else None,
    )
    return page, code
