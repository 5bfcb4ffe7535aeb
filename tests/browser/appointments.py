"""The pages of appointments, of both faces, in the states worth a look."""

from __future__ import annotations

from dataclasses import replace
from datetime import time, timedelta

from playwright.sync_api import Page
from sqlalchemy import select, text, update

from casework import counter, slots, turns, waiting
from casework.agenda import Mode, Opening
from casework.agents import Agent
from casework.appointments import Appointment
from casework.database import transaction
from casework.proposals import SlotOffer
from casework.requests import Request
from casework.waiting import WaitingEntry
from tests.browser import stage
from tests.browser.walking import AgentsWalk, Look, tap
from tests.casework.asking import Asked
from tests.conftest import Database
from tests.people import NADIA, PAUL, SARAH
from tests.portal.receiving import receives

ELSEWHEN = text(
    "UPDATE appointments SET state = :state, minutes_spent = :minutes, "
    "during = tstzrange(lower(during) + :by, upper(during) + :by), "
    "blocked = tstzrange(lower(blocked) + :by, upper(blocked) + :by) WHERE id = :booked"
)


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
    somebody_waits_and_is_offered(page, address, database, look)


def somebody_waits_and_is_offered(page: Page, address: str, database: Database, look: Look) -> None:
    """An hour proposed, on the follow page, on its own, among other hours, declined; then too late."""
    page.goto(f"{address}/rendez-vous")
    tap(page, "form[action*=attendre] button")
    offered(database)
    page.goto(f"{address}/suivi")
    look("followed, with an hour proposed")
    page.goto(f"{address}/rendez-vous")
    look("appointments, an hour proposed")
    page.goto(f"{address}/rendez-vous/proposition")
    look("an hour proposed")
    tap(page, "button[name=reponse][value=non]")
    look("an hour declined")
    page.goto(f"{address}/suivi")
    look("followed, waiting")
    offered(database)
    with transaction(database.owner) as session:
        past = stage.now() - timedelta(minutes=1)
        session.execute(update(SlotOffer).where(SlotOffer.state == "offered").values(until=past))
        session.execute(update(Appointment).where(Appointment.state == "held").values(held_until=past))
    page.goto(f"{address}/rendez-vous/proposition")
    look("an hour proposed, too late")


def offered(database: Database) -> None:
    """Everybody's turn comes, whatever the hour of the day, and whatever else they have or saw."""
    now = stage.now()
    with transaction(database.backoffice) as session:
        waits = [replace(turn, before=now + timedelta(weeks=20)) for turn in turns.in_turn(session, now, 0)]
        looked = turns.Looked(session, waits, now)
        for turn in waits:
            turns.offer(session, turn, looked.slots(turn), now)


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
    offered(database)
    walk.open(f"/agenda?agent={PAUL.id}&semaine={week}", "agenda, a week")
    walk.open(f"/agenda/jour?date={day}", "agenda, a day of the house")
    walk.open("/agenda/attente", "waiting list")
    walk.open("/agenda/places-libres", "free places of the house")
    walk.open(f"/agenda/plages?agent={PAUL.id}", "opening ranges")
    walk.open(f"/agenda/plages/{rule_id}/fin", "opening range, its end")
    walk.open(f"/agenda/plages/jour/{opening_id}", "opening range, one day")
    walk.open(f"/agenda/absences?agent={PAUL.id}", "absences")
    walk.open("/agenda/appui", "technical back-up")
    walk.open("/agenda/fermetures", "closures")
    walk.open(f"/agenda/rendez-vous/{booked}/deplacer", "appointment, move")
    walk.open(f"/demande/{asked.id}", "request, with an appointment and an hour proposed")
    with transaction(database.owner) as session:
        session.execute(update(SlotOffer).values(state="lapsed"))
        session.execute(update(WaitingEntry).values(state="unanswered"))
        session.execute(
            ELSEWHEN, {"booked": booked, "state": "came", "minutes": 45, "by": -timedelta(days=9)}
        )
    walk.open("/agenda/attente", "waiting list, one to call")
    walk.open(f"/demande/{asked.id}", "request, one to call, after an appointment")
    with transaction(database.owner) as session:
        session.execute(
            ELSEWHEN, {"booked": booked, "state": "booked", "minutes": None, "by": timedelta(days=9)}
        )
    walk.open(f"/demande/{asked.id}/rendez-vous/en-plus", "appointment, squeezed in")
    walk.open("/lieux", "places")
    walk.open("/lieux/nouveau", "pop-up permanence")
