"""Who waits for a slot is seen by the house, in order, and leaves the list when booked."""

from __future__ import annotations

from datetime import datetime, timedelta

from casework import counter, slots, waiting
from casework.agenda import Mode
from casework.agents import Agent
from casework.database import transaction
from casework.requests import Request
from tests.backoffice.colleague import Colleague
from tests.casework.asking import BY_MAIL, BY_TEXT, Asked, ask
from tests.conftest import Database
from tests.people import NADIA, PAUL
from tests.portal.receiving import receives


def waits(database: Database, asked: Asked, now: datetime) -> None:
    """Somebody asks to be told when a slot comes up."""
    with transaction(database.backoffice) as session:
        waiting.wait(session, asked.id, "first", [Mode.HERE], now)


def test_the_house_sees_who_waits_in_order(
    nadia: Colleague, odile: Colleague, database: Database, now: datetime
) -> None:
    marcel, amina = ask(database, now, BY_MAIL), ask(database, now, BY_TEXT)
    waits(database, amina, now)
    waits(database, marcel, now + timedelta(minutes=5))
    page = nadia.open("/fr/agenda/attente")
    order = [link for link in page.links() if "/fr/demande/" in link]
    assert order == [f"/fr/demande/{amina.id}#rendez-vous", f"/fr/demande/{marcel.id}#rendez-vous"]
    assert "Personne n'attend." in odile.open("/fr/agenda/attente").main


def test_who_is_booked_waits_no_more(nadia: Colleague, database: Database, now: datetime) -> None:
    amina = ask(database, now, BY_TEXT)
    waits(database, amina, now)
    receives(database, now.date() + timedelta(days=2))
    with transaction(database.backoffice) as session:
        request = session.get_one(Request, amina.id)
        found = slots.find(session, counter.wanted([PAUL.id], "first"), now, now)
        counter.book(session, session.get_one(Agent, NADIA.id), request, found[0], now)
        assert not waiting.waits(session, amina.id)
    assert "Personne n'attend." in nadia.open("/fr/agenda/attente").main
