"""The pages of appointments, of both faces, in the states worth a look."""

from __future__ import annotations

from datetime import time, timedelta

from playwright.sync_api import Page
from sqlalchemy import select

from casework import counter, slots, waiting
from casework.agenda import Mode, Opening
from casework.agents import Agent
from casework.appointments import Appointment
from casework.database import transaction
from casework.requests import Request
from tests.browser import stage
from tests.browser.walking import AgentsWalk, Look, tap
from tests.casework.asking import Asked
from tests.conftest import Database
from tests.people import NADIA, PAUL, SARAH
from tests.portal.receiving import receives


def somebody_receives(database: Database) -> int:
    """Paul and Sarah receive in two days, from 9 to 11, at the house and by telephone; returns one occurrence's id."""
    day = stage.now().date() + timedelta(days=2)
    receives(database, day, time(9), time(11), who=SARAH, mode=Mode.PHONE)
    return receives(database, day, time(9), time(11), who=PAUL)


def citizens_appointment(page: Page, address: str, database: Database, look: Look) -> None:
    """Nothing free, then a slot chosen, checked, booked, shown, cancelled."""
    page.goto(f"{address}/rendez-vous")
    look("appointments, nothing free")
    page.goto(f"{address}/rendez-vous/rappel")
    look("appointments, call me")
    page.goto(f"{address}/rendez-vous/note?pour=attente")
    look("appointments, noted")
    somebody_receives(database)
    page.goto(f"{address}/rendez-vous")
    look("appointments, free slots")
    tap(page, "button[name=slot]")
    look("appointments, check")
    tap(page, "main form .button")
    look("appointments, booked")
    page.goto(f"{address}/suivi")
    look("followed, with an appointment")
    page.goto(f"{address}/rendez-vous/annuler")
    look("appointments, cancel?")
    tap(page, "main form .button")
    look("appointments, cancelled")


def agents_agendas(walk: AgentsWalk, database: Database, asked: Asked) -> None:
    """An agenda with an appointment, what one can change of it, the house's places and who waits."""
    opening_id = somebody_receives(database)
    with transaction(database.backoffice) as session:
        opening = session.get_one(Opening, opening_id)
        week = "{}-W{:02d}".format(*opening.on_day.isocalendar()[:2])
        day, rule_id = opening.on_day.isoformat(), opening.rule_id
        free = slots.find(session, counter.wanted([PAUL.id], "first"), stage.now(), stage.now())
        request = session.get_one(Request, asked.id)
        counter.book(session, session.get_one(Agent, NADIA.id), request, free[0], stage.now())
        session.flush()
        booked = session.scalars(select(Appointment.id)).one()
        waiting.wait(session, asked.id, "first", [Mode.HERE], stage.now())
    walk.open(f"/agenda?agent={PAUL.id}&semaine={week}", "agenda, a week")
    walk.open(f"/agenda/jour?date={day}", "agenda, a day of the house")
    walk.open("/agenda/attente", "waiting list")
    walk.open("/agenda/places-libres", "free places of the house")
    walk.open(f"/agenda/plages?agent={PAUL.id}", "opening ranges")
    walk.open(f"/agenda/plages/{rule_id}/fin", "opening range, its end")
    walk.open(f"/agenda/plages/jour/{opening_id}", "opening range, one day")
    walk.open(f"/agenda/absences?agent={PAUL.id}", "absences")
    walk.open("/agenda/fermetures", "closures")
    walk.open(f"/agenda/rendez-vous/{booked}/deplacer", "appointment, move")
    walk.open(f"/demande/{asked.id}", "request, with an appointment")
    walk.open(f"/demande/{asked.id}/rendez-vous/en-plus", "appointment, squeezed in")
    walk.open("/lieux", "places")
    walk.open("/lieux/nouveau", "pop-up permanence")
