"""The desk of a virtual permanence: opening it, who waits, calling; the permanences of the house and their times."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from backoffice.agent import AGENT, WATCHING, me
from backoffice.desk_forms import PermanenceForm, ReasonForm, TimesForm
from casework import calling, closing_time, permanences, silent_desks, talks, ways_in
from casework.agents import Agent
from casework.calling import BusyError, NoDeskError, NotWaitingError
from casework.kiosks import Kiosk
from casework.permanences import (
    NoTimesError,
    NotYourPermanenceError,
    Plan,
    TalkUnderWayError,
    VirtualPermanence,
    Weekly,
)
from casework.requests import PARIS, Request
from casework.talks import Talk
from casework.territory import House
from casework.triage import ReasonMissingError
from casework.waiting_room import CHANNELS_WANTED, HERE, Visit, VisitState
from web.doors import open_to
from web.fragments import fragment
from web.transactions import db, now

desk = Blueprint("desk", __name__, url_prefix="/<lang>/permanence")

SAID = frozenset({"nobody", "gone", "busy", "talking", "ended", "absent", "handed", "saved", "full"})
"""What this page may follow."""


def waiting_count() -> int:
    """For the navigation: who waits where my desk is open, and talks I am asked into."""
    agent = me()
    mine = permanences.desk_of(db(), agent.id)
    waiting = len(_for_me(calling.line_up(db(), mine.permanence_id, now()))) if mine else 0
    asked = [talk for talk in calling.under_way(db(), agent) if talk.agent_id != agent.id]
    return waiting + len(asked)


def talks_about(request_id: UUID) -> Sequence[tuple[Talk, Agent]]:
    """For the page of a request: the talks that were had about it."""
    return calling.talks_of(db(), request_id)


@desk.get("")
@open_to(AGENT)
def show() -> ResponseReturnValue:
    """My desk, if it is open: who waits, my talks. Else the permanences of my house."""
    silent_desks.recover(db(), now())
    db().commit()
    return _show()


@desk.get("/lignes")
@open_to(WATCHING)
def lines() -> ResponseReturnValue:
    """Who waits, for the page to refresh itself; it says that my desk is alive."""
    permanences.seen(db(), me().id, now())
    db().commit()
    return fragment(render_template("backoffice/desk/waiting_lines.html", **_line()))


@desk.post("/ouvrir/<uuid:permanence_id>")
@open_to(AGENT)
def open_desk(permanence_id: UUID) -> ResponseReturnValue:
    """I receive from now on."""
    try:
        one = db().get(VirtualPermanence, permanence_id) or abort(404)
        guest = one.id in {other.id for other in ways_in.as_guest(db(), me(), now())}
        permanences.open_desk(db(), me(), one, now(), guest=guest)
        db().commit()
    except TalkUnderWayError:
        db().rollback()
        return redirect(url_for("desk.show", fait="talking"), 303)
    except NotYourPermanenceError:
        abort(404)
    return redirect(url_for("desk.show"), 303)


@desk.post("/fermer")
@open_to(AGENT)
def close_desk() -> ResponseReturnValue:
    """I receive no more."""
    try:
        permanences.close_desk(db(), me(), now())
        db().commit()
    except TalkUnderWayError:
        db().rollback()
        return redirect(url_for("desk.show", fait="talking"), 303)
    return redirect(url_for("desk.show"), 303)


@desk.post("/suivant")
@open_to(AGENT)
def call_next() -> ResponseReturnValue:
    """Call whose turn it is."""
    try:
        talk = calling.call_next(db(), me(), now())
        db().commit()
    except NoDeskError:
        db().rollback()
        return redirect(url_for("desk.show"), 303)
    if talk is None:
        return redirect(url_for("desk.show", fait="nobody"), 303)
    return redirect(url_for("desk_talk.show", talk_id=talk.id), 303)


@desk.get("/attente/<uuid:visit_id>")
@open_to(AGENT)
def one(visit_id: UUID) -> ResponseReturnValue:
    """One person who waits: call them now, or put them before the others, with a reason."""
    return _one(_waiting(visit_id), ReasonForm(formdata=None))


@desk.post("/attente/<uuid:visit_id>")
@open_to(AGENT)
def call_one(visit_id: UUID) -> ResponseReturnValue:
    """Call this one, or say that it is urgent, or is not any more."""
    visit, form = _waiting(visit_id), ReasonForm()
    if not form.validate():
        return _one(visit, form, 422)
    reason, act = form.reason.data or "", request.form.get("acte", "")
    try:
        if act == "urgent" and not reason:
            raise ReasonMissingError
        if act in {"urgent", "plus-urgent"}:
            calling.mark_urgent(db(), me(), visit_id, reason if act == "urgent" else "", now())
            db().commit()
            return redirect(url_for("desk.show", fait="saved"), 303)
        talk = calling.call(db(), me(), visit_id, reason, now())
        db().commit()
    except ReasonMissingError:
        db().rollback()
        form.reason.errors = [gettext("Écrivez un mot pour dire pourquoi.")]
        return _one(visit, form, 422)
    except (NotWaitingError, NoDeskError, BusyError) as error:
        db().rollback()
        return redirect(url_for("desk.show", fait="busy" if isinstance(error, BusyError) else "gone"), 303)
    return redirect(url_for("desk_talk.show", talk_id=talk.id), 303)


@desk.post("/attente/<uuid:visit_id>/borne")
@open_to(AGENT)
def settle(visit_id: UUID) -> ResponseReturnValue:
    """Somebody who left the kiosk where they were called: have them called back, or say that they were found."""
    _waiting(visit_id)
    try:
        closing_time.settle(db(), me(), visit_id, now(), call=request.form.get("acte") == "rappeler")
        db().commit()
    except NotWaitingError:
        db().rollback()
        return redirect(url_for("desk.show", fait="gone"), 303)
    return redirect(url_for("desk.show", fait="saved"), 303)


@desk.get("/reglages/nouvelle")
@open_to(AGENT)
def new() -> ResponseReturnValue:
    """A permanence of my house to make."""
    if not permanences.may_set(me(), me().house_id):
        abort(403)
    form = PermanenceForm(
        formdata=None, walk_in=True, with_appointment=True, active=True, languages=["fr"], key=str(uuid4())
    )
    return _settings(None, form)


@desk.get("/reglages/<uuid:permanence_id>")
@open_to(AGENT)
def change(permanence_id: UUID) -> ResponseReturnValue:
    """A permanence and its times."""
    found = _of_my_house(permanence_id)
    return _settings(found, PermanenceForm(formdata=None, data={**_plan_of(found), "key": str(found.id)}))


@desk.post("/reglages")
@open_to(AGENT)
def save() -> ResponseReturnValue:
    """Make a permanence, or change it."""
    form = PermanenceForm()
    known = db().get(VirtualPermanence, UUID(form.key.data)) if form.key.validate(form) else None
    if not form.validate():
        return _settings(known, form, code=422)
    plan = Plan(
        form.name.data, form.languages.data, form.with_appointment.data, form.walk_in.data, form.active.data
    )
    try:
        made = permanences.set_up(db(), me(), UUID(form.key.data), plan, now())
        db().commit()
    except NotYourPermanenceError:
        abort(403)
    return redirect(url_for("desk.change", permanence_id=made.id, fait="saved"), 303)


@desk.post("/reglages/<uuid:permanence_id>/heures")
@open_to(AGENT)
def add_times(permanence_id: UUID) -> ResponseReturnValue:
    """Add the times of some weeks."""
    found, form = _of_my_house(permanence_id), TimesForm()
    plan_form = PermanenceForm(formdata=None, data={**_plan_of(found), "key": str(found.id)})
    if not form.validate():
        return _settings(found, plan_form, form, 422)
    weekly = Weekly(
        form.first_day.data, form.last_day.data, frozenset(map(int, form.weekdays.data)), form.starts_at.data,
        form.ends_at.data,
    )  # fmt: skip
    try:
        permanences.add_times(db(), me(), found, weekly, now())
        db().commit()
    except NoTimesError:
        db().rollback()
        form.last_day.errors = [gettext("Aucune heure à ajouter. Regardez les jours et les heures.")]
        return _settings(found, plan_form, form, 422)
    except NotYourPermanenceError:
        abort(403)
    return redirect(url_for("desk.change", permanence_id=found.id, fait="saved"), 303)


@desk.post("/reglages/<uuid:permanence_id>/heures/retirer")
@open_to(AGENT)
def drop_time(permanence_id: UUID) -> ResponseReturnValue:
    """Drop one time."""
    found = _of_my_house(permanence_id)
    try:
        permanences.drop_time(db(), me(), UUID(request.form.get("heure", "")), now())
        db().commit()
    except ValueError:
        abort(400)
    except NotYourPermanenceError:
        abort(403)
    return redirect(url_for("desk.change", permanence_id=found.id, fait="saved"), 303)


def _of_my_house(permanence_id: UUID) -> VirtualPermanence:
    found = db().get(VirtualPermanence, permanence_id)
    if found is None or found.house_id != me().house_id:
        abort(404)
    return found


def _plan_of(found: VirtualPermanence) -> dict[str, Any]:
    return {name: getattr(found, name) for name in Plan.__dataclass_fields__}


def _said() -> str | None:
    said = request.args.get("fait")
    return said if said in SAID else None


def _show(code: int = 200) -> ResponseReturnValue:
    agent = me()
    houses = permanences.of_house(db(), agent.house_id)
    mine = permanences.desk_of(db(), agent.id)
    elsewhere = ways_in.as_guest(db(), agent, now())
    here = db().get_one(VirtualPermanence, mine.permanence_id) if mine else None
    if here and here not in [*houses, *elsewhere]:
        elsewhere.append(here)
    under_way = calling.under_way(db(), agent)
    page = render_template(
        "backoffice/desk/desk.html",
        mine=here,
        houses=houses,
        elsewhere=elsewhere,
        next_times={one.id: permanences.times_of(db(), one.id, now(), 1) for one in houses},
        open_desks={one.id: len(permanences.open_desks(db(), one.id)) for one in [*houses, *elsewhere]},
        may_set=permanences.may_set(agent, agent.house_id),
        under_way=[(talk, db().get_one(Visit, talk.visit_id)) for talk in under_way],
        warnings={talk.id: talks.warnings_of(talks.lines(db(), talk.visit_id)) for talk in under_way},
        said=_said(),
        **_line(),
    )
    return page, code


def _line() -> dict[str, Any]:
    """Who waits where my desk is open, the next one first; the last one's request only if my house holds it.

    At another house's permanence, only who waits for me.
    """
    mine = permanences.desk_of(db(), me().id)
    waiting = _for_me(calling.line_up(db(), mine.permanence_id, now())) if mine else []
    left = _for_me(closing_time.left_kiosks(db(), mine.permanence_id)) if mine else []
    return {
        "waiting": waiting,
        "left": left,
        "stood_at": {one.id: _stood_at(one) for one in left},
        "asked": {one.id: _request_of(one) for one in [*waiting, *left]},
        "meant_for": {
            one.id: db().get_one(Agent, one.meant_for).name for one in waiting if one.meant_for not in {None, me().id}
        },
        "now": now(),
        "here": HERE,
        "channels": CHANNELS_WANTED,
    }  # fmt: skip


def _for_me(visits: list[Visit]) -> list[Visit]:
    return [visit for visit in visits if _may_see(visit)]


def _may_see(visit: Visit) -> bool:
    """They wait at a permanence of my house, or for me at another one."""
    one = db().get_one(VirtualPermanence, visit.permanence_id)
    return one.house_id == me().house_id or visit.meant_for == me().id


def _stood_at(visit: Visit) -> tuple[Kiosk, House] | None:
    """The kiosk that somebody left after they were called, and its house; None when it was removed meanwhile."""
    kiosk = db().get(Kiosk, visit.left_kiosk_id) if visit.left_kiosk_id else None
    return (kiosk, db().get_one(House, kiosk.house_id)) if kiosk else None


def _request_of(visit: Visit) -> Request | None:
    found = db().get(Request, visit.request_id) if visit.request_id else None
    return found if found and found.house_id == me().house_id else None


def _waiting(visit_id: UUID) -> Visit:
    """Somebody who waits at a permanence of my house, or for me."""
    visit = db().get(Visit, visit_id)
    if visit is None or not _may_see(visit):
        abort(404)
    return visit


def _one(visit: Visit, form: ReasonForm, code: int = 200) -> ResponseReturnValue:
    left = visit.state is VisitState.GONE and visit.left_kiosk_at is not None
    if visit.state is not VisitState.WAITING and not left:
        return redirect(url_for("desk.show", fait="gone"), 303)
    page = render_template(
        "backoffice/desk/one.html",
        visit=visit,
        left=left,
        stood_at=_stood_at(visit) if left else None,
        can_call=closing_time.can_call(db(), visit),
        asked=_request_of(visit),
        form=form,
        channels=CHANNELS_WANTED,
        talks=db().query(Talk).filter(Talk.visit_id == visit.id).order_by(Talk.called_at).all(),
        at_desk=permanences.desk_of(db(), me().id) is not None,
    )
    return page, code


def _settings(
    found: VirtualPermanence | None, form: PermanenceForm, times: TimesForm | None = None, code: int = 200
) -> ResponseReturnValue:
    today = now().astimezone(PARIS).date()
    blank = TimesForm(
        formdata=None, first_day=today, last_day=today + timedelta(weeks=4), weekdays=[str(today.weekday())]
    )
    page = render_template(
        "backoffice/desk/settings.html",
        found=found,
        form=form,
        times_form=times or blank,
        times=permanences.times_of(db(), found.id, now()) if found else [],
        may_set=permanences.may_set(me(), me().house_id),
        said=_said(),
    )
    return page, code
