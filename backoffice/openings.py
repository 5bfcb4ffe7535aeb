"""Opening ranges: when an agent receives; one day of a range changed or dropped; a range that ends."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from backoffice.agenda import agent_shown, kinds, places_of_house, today, whose_agenda
from backoffice.agent import AGENT, me
from backoffice.forms import AUDIENCES, NTHS, WEEKDAYS, ChangeForm, EndForm, RuleForm
from casework import agenda as ranges
from casework import counter, journal, planning
from casework.agenda import Audience, HoursError, Mode, Opening, OpeningRule
from casework.agents import Agent
from casework.planning import Meeting
from web.doors import open_to
from web.transactions import db, now
from web.typed import options

openings = Blueprint("openings", __name__, url_prefix="/<lang>/agenda/plages")


@openings.get("")
@open_to(AGENT)
def show() -> ResponseReturnValue:
    """The ranges of an agent that still give days, and the form for one more."""
    return _show(agent_shown(), RuleForm(formdata=None))


@openings.post("/<int:agent_id>")
@open_to(AGENT)
def add(agent_id: int) -> ResponseReturnValue:
    """One more range; its days are there at once. The same form sent twice is one range."""
    whose = whose_agenda(agent_id)
    form = _with_choices(RuleForm())
    if not form.validate():
        return _show(whose, form, 422)
    wanted = _rule(whose, form)
    rule = ranges.twin(db(), wanted)
    if rule is None:
        rule = ranges.keep(db(), wanted, today())
        _note("range added", whose, rule=rule.id)
    db().commit()
    return redirect(url_for("openings.show", agent=whose.id, plage=rule.id, fait="add"), 303)


@openings.get("/<int:rule_id>/fin")
@open_to(AGENT)
def ending(rule_id: int) -> ResponseReturnValue:
    """On which day does it end?"""
    rule, whose = _rule_of_house(rule_id)
    return _show_ending(rule, whose, EndForm(formdata=None, last_day=today()))


@openings.post("/<int:rule_id>/fin")
@open_to(AGENT)
def end(rule_id: int) -> ResponseReturnValue:
    """End it, once one knows which appointments remain."""
    rule, whose = _rule_of_house(rule_id)
    form = EndForm()
    if not form.validate():
        return _show_ending(rule, whose, form, code=422)
    left = planning.after_rule(db(), rule, form.last_day.data, now())
    if left and not form.knowing.data:
        return _show_ending(rule, whose, form, left, code=422)
    ranges.end_rule(db(), rule, form.last_day.data)
    _note("range ended", whose, rule=rule.id, last_day=form.last_day.data.isoformat(), left=len(left))
    db().commit()
    return redirect(url_for("openings.show", agent=whose.id, fait="end"), 303)


@openings.get("/jour/<int:opening_id>")
@open_to(AGENT)
def occurrence(opening_id: int) -> ResponseReturnValue:
    """One day of a range, with the appointments in it."""
    opening, whose = _opening_of_house(opening_id)
    return _show_occurrence(opening, whose, ChangeForm(formdata=None, **_hours(opening)))


@openings.post("/jour/<int:opening_id>/heures")
@open_to(AGENT)
def change(opening_id: int) -> ResponseReturnValue:
    """Other hours for that day alone; a dropped day comes back by the same form."""
    opening, whose = _opening_of_house(opening_id)
    form = ChangeForm()
    if not form.validate():
        return _show_occurrence(opening, whose, form, code=422)
    try:
        during = ranges.moments(opening.on_day, form.starts_at.data, form.ends_at.data)
    except HoursError:
        abort(422)
    outside = [one for one in planning.in_opening(db(), opening, now()) if one.during not in during]
    if outside and not form.knowing.data:
        return _show_occurrence(opening, whose, form, outside, code=422)
    ranges.change_occurrence(db(), opening.id, form.starts_at.data, form.ends_at.data)
    _note("day changed", whose, opening=opening.id, left=len(outside))
    db().commit()
    return redirect(url_for("agenda.week", agent=whose.id, jour=opening.on_day, fait="change"), 303)


@openings.post("/jour/<int:opening_id>/supprimer")
@open_to(AGENT)
def drop(opening_id: int) -> ResponseReturnValue:
    """Drop that day alone; its page has just listed the appointments that remain."""
    opening, whose = _opening_of_house(opening_id)
    left = planning.in_opening(db(), opening, now())
    ranges.drop_occurrence(db(), opening.id)
    _note("day dropped", whose, opening=opening.id, left=len(left))
    db().commit()
    return redirect(url_for("agenda.week", agent=whose.id, jour=opening.on_day, fait="drop"), 303)


def _show(whose: Agent, form: RuleForm, code: int = 200) -> ResponseReturnValue:
    rules = (
        db()
        .scalars(
            select(OpeningRule)
            .where(
                OpeningRule.agent_id == whose.id,
                OpeningRule.last_day.is_(None) | (OpeningRule.last_day >= today()),
            )
            .order_by(OpeningRule.weekdays, OpeningRule.starts_at, OpeningRule.id)
        )
        .all()
    )
    page = render_template(
        "backoffice/agenda/openings.html",
        whose=whose,
        editable=counter.may_edit(me(), whose),
        rules=rules,
        form=_with_choices(form),
        places={place.id: place.name for place in places_of_house()},
        kinds={kind.id: kind.name for kind in kinds()},
        weekday_names=dict(WEEKDAYS),
        nth_names=dict(NTHS),
        audience_names=dict(AUDIENCES),
        overlaps=_overlaps(whose),
        done=request.args.get("fait") if code == 200 else None,
    )
    return page, code


def _overlaps(whose: Agent) -> list[Opening]:
    """What the range just added overlaps."""
    added = request.args.get("plage", "")
    rule = (
        db().get(OpeningRule, int(added)) if added.isascii() and added.isdigit() and len(added) < 9 else None
    )
    return planning.overlapping(db(), rule) if rule and rule.agent_id == whose.id else []


def _with_choices(form: RuleForm) -> RuleForm:
    form.place.choices = options([("", "–"), *((place.id, place.name) for place in places_of_house())])
    form.kinds.choices = options((kind.id, kind.name) for kind in kinds())
    return form


def _rule(whose: Agent, form: RuleForm) -> OpeningRule:
    """The rule a valid form says."""
    repeat, mode = form.repeat.data, Mode(form.mode.data)
    once = repeat == "once"
    return OpeningRule(
        agent_id=whose.id,
        house_id=whose.house_id,
        place_id=form.place.data or None if mode is Mode.HERE else None,
        mode=mode,
        kinds=form.kinds.data,
        audience=Audience(form.audience.data),
        languages=form.languages.data or [],
        travel_minutes=(form.travel.data or 0) if mode is Mode.HOME else 0,
        first_day=form.first_day.data,
        last_day=form.first_day.data if once else form.last_day.data,
        weekdays=[] if once else sorted(int(day) for day in form.weekdays.data),
        every_weeks=2 if repeat == "fortnightly" else 1,
        nth_of_month=int(form.nth.data) if repeat == "monthly" else None,
        starts_at=form.starts_at.data,
        ends_at=form.ends_at.data,
        made_until=None,
    )


def _show_ending(
    rule: OpeningRule, whose: Agent, form: EndForm, left: list[Meeting] | None = None, code: int = 200
) -> ResponseReturnValue:
    page = render_template(
        "backoffice/agenda/ending.html", rule=rule, whose=whose, form=form, left=left or [],
        weekday_names=dict(WEEKDAYS), nth_names=dict(NTHS),
    )  # fmt: skip
    return page, code


def _show_occurrence(
    opening: Opening, whose: Agent, form: ChangeForm, outside: list[Meeting] | None = None, code: int = 200
) -> ResponseReturnValue:
    page = render_template(
        "backoffice/agenda/occurrence.html",
        opening=opening,
        whose=whose,
        form=form,
        inside=planning.in_opening(db(), opening, now()),
        outside=outside or [],
        places={place.id: place.name for place in places_of_house()},
    )
    return page, code


def _hours(opening: Opening) -> dict[str, object]:
    """The hours of an occurrence, as its form shows them."""
    local = planning.local_hours(opening.during)
    return {"starts_at": local[0], "ends_at": local[1]}


def _rule_of_house(rule_id: int) -> tuple[OpeningRule, Agent]:
    rule = db().get(OpeningRule, rule_id) or abort(404)
    return rule, whose_agenda(rule.agent_id)


def _opening_of_house(opening_id: int) -> tuple[Opening, Agent]:
    opening = db().get(Opening, opening_id) or abort(404)
    return opening, whose_agenda(opening.agent_id)


def _note(what: str, whose: Agent, **details: Any) -> None:
    journal.write(db(), journal.Action.AGENDA_CHANGED, now(), agent=me(), what=what, of=whose.name, **details)
