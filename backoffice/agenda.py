"""Agendas as plain tables: a week of an agent, a day of the house or of a place, and moving an appointment."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from uuid import UUID

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from backoffice.agent import AGENT, house_of, me
from casework import back_up, counter, planning, proposals, slots, stock
from casework.agenda import Kind, Mode
from casework.agents import Agent
from casework.appointments import Appointment, SlotTakenError
from casework.counter import Circle, NotNowError, NotYourAgendaError
from casework.requests import PARIS, Request
from casework.slots import Slot
from casework.territory import Place
from casework.vocabulary import Role
from web.doors import open_to
from web.transactions import db, now

agenda = Blueprint("agenda", __name__, url_prefix="/<lang>/agenda")

SHOWN_SLOTS = 30
WORKING_DAYS = 5


@agenda.get("")
@open_to(AGENT)
def week() -> ResponseReturnValue:
    """A week of one agent: my own, or a colleague's."""
    whose = agent_shown()
    monday = _monday()
    days = planning.week(db(), whose, monday, now())
    return render_template(
        "backoffice/agenda/week.html",
        whose=whose,
        editable=counter.may_edit(me(), whose),
        colleagues=colleagues(),
        days=[day for number, day in enumerate(days) if number < WORKING_DAYS or day.is_used],
        monday=monday,
        this_week=iso_week(today()),
        shown_week=iso_week(monday),
        weeks=(iso_week(monday - timedelta(7)), iso_week(monday + timedelta(7))),
        today=today(),
        now=now(),
        done=request.args.get("fait"),
    )


@agenda.get("/attente")
@open_to(AGENT)
def waiting_list() -> ResponseReturnValue:
    """Who asked to be told of a free slot: each line leads to the request, where one tap books."""
    return render_template(
        "backoffice/agenda/waiting.html",
        rows=proposals.of_house(db(), me().house_id, now()),
        places={place.id: place for place in places_of_house()},
        whose=agent_shown(),
    )


@agenda.get("/jour")
@open_to(AGENT)
def day() -> ResponseReturnValue:
    """A day of my house, or of one of its places; initials only, because such a sheet hangs on a wall."""
    shown = a_day(request.args.get("date", "")) or today()
    places = places_of_house()
    place = next((one for one in places if one.id == request.args.get("lieu")), None)
    if place is None and request.args.get("lieu"):
        abort(404)
    return render_template(
        "backoffice/agenda/day.html",
        found=planning.house_day(db(), me().house_id, shown, now(), place.id if place else None),
        short=stock.short_of(db(), house_of(me()), now()),
        places=places,
        place=place,
        back_up=back_up.of_day(db(), me().house_id, shown),
        halves=back_up.HALVES,
        days=(shown - timedelta(1), shown + timedelta(1)),
        today=today(),
    )


@agenda.get("/rendez-vous/<uuid:appointment_id>/deplacer")
@open_to(AGENT)
def slots_to_move_to(appointment_id: UUID) -> ResponseReturnValue:
    """The free times an appointment can move to, by the same filters it was taken with."""
    return _show_move(mine_to_handle(appointment_id))


@agenda.post("/rendez-vous/<uuid:appointment_id>/deplacer")
@open_to(AGENT)
def move(appointment_id: UUID) -> ResponseReturnValue:
    """Move an appointment, in one transaction; a slot taken meanwhile changes nothing."""
    former = mine_to_handle(appointment_id)
    agent_id, mode, place_id, start = chosen_slot()
    wanted = counter.wanted([agent_id], former.kind_id, [mode])
    try:
        if db().get_one(Agent, agent_id).house_id != me().house_id:
            raise SlotTakenError
        slot = counter.in_turn(db(), _ignoring(wanted, former, place_id), start, place_id, now())
        made = counter.move(db(), me(), former, slot, now())
        db().commit()
    except SlotTakenError:
        db().rollback()
        return _show_move(db().get_one(Appointment, appointment_id), taken=True, code=409)
    except NotNowError:
        db().rollback()
        return redirect(url_for("case.show", request_id=former.request_id, fait="late"), 303)
    except NotYourAgendaError:
        abort(403)
    return redirect(
        url_for(
            "agenda.week", agent=made.agent_id, semaine=iso_week(planning.local_day(made.during)), fait="move"
        ),
        303,
    )


def _show_move(former: Appointment, *, taken: bool = False, code: int = 200) -> ResponseReturnValue:
    asked = db().get_one(Request, former.request_id)
    circle = _circle()
    agents = [former.agent_id] if circle is Circle.WORKER else counter.receiving(db(), asked, circle)
    start = _from_when()
    hours = {"matin": slots.MORNING, "apres-midi": slots.AFTERNOON}.get(
        request.args.get("heures", ""), slots.ALL_DAY
    )
    modes = [former.mode] if request.args.get("autrement") != "1" else list(Mode)
    first_of_all = [former.agent_id, *(one for one in agents if one != former.agent_id)]
    wanted = counter.wanted(first_of_all, former.kind_id, modes)
    found = slots.find(db(), _ignoring(wanted, former, None, hours), start, now(), most=SHOWN_SLOTS)
    page = render_template(
        "backoffice/agenda/move.html",
        meeting=planning.named(db(), [former])[0],
        by_day=by_day(
            [slot for slot in found if slot.start != former.start or slot.agent_id != former.agent_id]
        ),
        names=names_of(found),
        circle=circle,
        taken=taken,
        from_day=a_day(request.args.get("jour", "")),
        hours_asked=request.args.get("heures", ""),
        otherwise=request.args.get("autrement") == "1",
        later=found[-1].start.astimezone(PARIS).date() if len(found) == SHOWN_SLOTS else None,
        today=today(),
    )
    return page, code


def _ignoring(
    wanted: slots.Wanted,
    former: Appointment,
    place_id: str | None,
    hours: tuple[time, time] = slots.ALL_DAY,
) -> slots.Wanted:
    """The same, an appointment's own time counting as free."""
    return slots.Wanted(
        agents=wanted.agents,
        kind_id=wanted.kind_id,
        modes=wanted.modes,
        audiences=wanted.audiences,
        place_id=place_id,
        hours=hours,
        ignored=str(former.id),
    )


def _from_when() -> datetime:
    asked = a_day(request.args.get("jour", ""))
    start = datetime.combine(asked, time(0), PARIS) if asked else now()
    return max(start, now())


def _circle() -> Circle:
    asked = request.args.get("avec", "")
    return Circle(asked) if asked in set(Circle) else Circle.WORKER


def _monday() -> date:
    """The Monday of the week of the address, else of its day, else of today."""
    try:
        year, number = request.args.get("semaine", "").split("-W")
        monday = date.fromisocalendar(int(year), int(number), 1)
        return a_day(monday.isoformat()) or today() - timedelta(days=today().weekday())
    except ValueError:
        shown = a_day(request.args.get("jour", "")) or today()
        return shown - timedelta(days=shown.weekday())


def agent_shown() -> Agent:
    """Whose agenda it is: the address's agent of my house, else the first who receives when I do not."""
    asked = request.values.get("agent", "")
    if not asked:
        return me() if me().is_a(Role.WORKER) else next(iter(colleagues()), me())
    found = db().get(Agent, int(asked)) if asked.isascii() and asked.isdigit() and len(asked) < 9 else None
    if found is None or found.house_id != me().house_id:
        abort(404)
    return found


def whose_agenda(agent_id: int) -> Agent:
    """An agent of my house whose agenda I may change."""
    found = db().get(Agent, agent_id)
    if found is None or found.house_id != me().house_id:
        abort(404)
    if not counter.may_edit(me(), found):
        abort(403)
    return found


def mine_to_handle(appointment_id: UUID) -> Appointment:
    """An appointment of my house that I may move, cancel or end."""
    found = db().get(Appointment, appointment_id)
    if found is None or found.house_id != me().house_id:
        abort(404)
    if not counter.may_handle(db(), me(), found):
        abort(403)
    return found


def colleagues() -> list[Agent]:
    """Everybody of my house, those who receive first."""
    found = db().scalars(
        select(Agent).where(Agent.house_id == me().house_id, Agent.active).order_by(Agent.name)
    )
    return sorted(found, key=lambda agent: not agent.is_a(Role.WORKER))


def places_of_house() -> list[Place]:
    """Where my house receives."""
    return list(
        db().scalars(
            select(Place)
            .where(Place.house_id == me().house_id, Place.active)
            .order_by(Place.kind, Place.name)
        )
    )


def kinds() -> list[Kind]:
    """The kinds of appointment, the shortest first."""
    return list(db().scalars(select(Kind).order_by(Kind.minutes, Kind.id)))


def names_of(found: list[Slot]) -> dict[str, str]:
    """Names of the agents (by `a` and their id) and of the places (by `p` and theirs) of some slots."""
    agents = db().execute(select(Agent.id, Agent.name).where(Agent.id.in_({slot.agent_id for slot in found})))
    places = db().execute(select(Place.id, Place.name).where(Place.id.in_({slot.place_id for slot in found})))
    return {f"a{agent}": name for agent, name in agents} | {f"p{place}": name for place, name in places}


def by_day(found: list[Slot]) -> dict[date, list[Slot]]:
    """Slots under the day in Paris on which they begin, in order."""
    days: dict[date, list[Slot]] = {}
    for slot in found:
        days.setdefault(slot.start.astimezone(PARIS).date(), []).append(slot)
    return days


def slot_value(slot: Slot) -> str:
    """What a button says of its slot."""
    return f"{slot.agent_id}~{slot.mode.value}~{slot.place_id or ''}~{slot.start.isoformat()}"


def chosen_slot() -> tuple[int, Mode, str | None, datetime]:
    """The agent, the mode, the place and the beginning that a button said."""
    try:
        agent_id, mode, place_id, start = request.form.get("slot", "").split("~")
        begins = datetime.fromisoformat(start)
        if begins.tzinfo is None:
            raise ValueError
        return int(agent_id), Mode(mode), place_id or None, begins
    except ValueError:
        abort(400)


def today() -> date:
    """The day in Paris."""
    return now().astimezone(PARIS).date()


def a_day(typed: str) -> date | None:
    """A date of an address, between years a calendar can show; None for anything else."""
    try:
        found = date.fromisoformat(typed)
    except ValueError:
        return None
    return found if 2000 <= found.year <= 2100 else None


def iso_week(shown: date) -> str:
    """A week as addresses say it: `2026-W45`."""
    year, number, _ = shown.isocalendar()
    return f"{year}-W{number:02d}"
