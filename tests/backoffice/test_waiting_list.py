"""Who waits for a slot is seen by the house, in order, and leaves the list when booked."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, time, timedelta

from casework import counter, slots, waiting, worker
from casework.agenda import Mode
from casework.agents import Agent
from casework.database import transaction
from casework.requests import Request
from casework.vocabulary import Channel
from tests.backoffice.colleague import Colleague
from tests.casework.asking import BY_MAIL, BY_TEXT, Asked, ask, journal_of, worker_settings
from tests.clock import Clock
from tests.conftest import Database
from tests.pages import Page, words
from tests.people import NADIA, PAUL
from tests.portal.receiving import appointments_of, receives

BY_CALL = replace(BY_MAIL, channels=[Channel.CALL], call_number="+33549000123", email="")
BY_LETTER = replace(
    BY_MAIL, channels=[Channel.LETTER], postal_address="3 rue de l'Église\n86190 Frozes", email=""
)


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


def passes(database: Database, moment: datetime) -> None:
    """The worker wakes up."""
    worker.drain(worker_settings(database), lambda: moment)


def row(page: Page, asked: Asked) -> str:
    """What a line of the list says."""
    for line in page.html.iter("tr"):
        if any(str(asked.id) in (link.get("href") or "") for link in line.iter("a")):
            return words(line)
    raise AssertionError("not on the list")


def test_the_list_says_what_is_proposed_and_whom_to_call(
    nadia: Colleague, database: Database, now: datetime
) -> None:
    fatima, amina, marcel = (ask(database, now, who) for who in (BY_TEXT, BY_TEXT, BY_LETTER))
    for minutes, one in enumerate((fatima, amina, marcel)):
        waits(database, one, now + timedelta(minutes=minutes))
    receives(database, now.date() + timedelta(days=2), time(9), time(9, 30))
    passes(database, now)
    page = nadia.open("/fr/agenda/attente")
    assert "Réponse avant 12:00" in row(page, fatima)
    assert "Réponse avant" not in row(page, amina)
    assert "À prévenir" in row(page, marcel)
    assert "À prévenir" not in row(page, amina)


def test_who_did_not_answer_three_times_is_to_be_called_then_leaves_the_list(
    nadia: Colleague, database: Database, now: datetime, clock: Clock
) -> None:
    fatima = ask(database, now, BY_TEXT)
    waits(database, fatima, now)
    receives(database, now.date() + timedelta(days=6), time(9), time(12))
    for times in range(4):
        passes(database, now + timedelta(hours=2, minutes=1) * times)
    assert "À appeler" in row(nadia.open("/fr/agenda/attente"), fatima)
    assert "3 propositions sans réponse" in row(nadia.page, fatima)
    assert "À appeler" in nadia.reads(fatima.id).main
    page = nadia.open("/fr/agenda/attente")
    path, data, _ = nadia.prepare(action="/retirer")
    for _ in range(2):
        nadia.ask("POST", path, data=data)
    assert "Personne n'attend." in nadia.open("/fr/agenda/attente").main
    assert page.path == "/fr/agenda/attente"
    history = [action for action, _ in journal_of(database, fatima.id)]
    assert history.count("offer_declined") == 1, "twice is once"


def test_on_the_telephone_nadia_says_yes_for_somebody(
    nadia: Colleague, odile: Colleague, database: Database, now: datetime
) -> None:
    amina = ask(database, now, BY_CALL)
    waits(database, amina, now)
    receives(database, now.date() + timedelta(days=2), time(9), time(9, 30))
    passes(database, now)
    calls = [
        nadia.open(link).main
        for link in nadia.open("/fr/a-appeler").links()
        if re.search("/envois/[0-9a-f-]{36}$", link)
    ]
    (said,) = [words for words in calls if "jeudi 5 novembre 2026 à 09:00" in words]
    assert "jusqu'à 12:00" in said
    page = nadia.reads(amina.id)
    assert "Heure proposée" in page.main
    assert PAUL.name in page.main
    path, data, _ = nadia.prepare(("reponse", "oui"))
    stranger = odile.open("/fr/file").field("csrf_token")
    assert odile.ask("POST", path, data={**data, "csrf_token": stranger}).status_code == 404
    for _ in range(2):
        assert "fait=book" in nadia.ask("POST", path, data=data).headers["Location"]
    assert [one.state.value for one in appointments_of(database)] == ["booked"]
    assert "Personne n'attend." in nadia.open("/fr/agenda/attente").main
    answers = [entry for entry in journal_of(database, amina.id) if entry[0] == "booked"]
    assert len(answers) == 1


def test_on_the_telephone_somebody_says_no(nadia: Colleague, database: Database, now: datetime) -> None:
    amina = ask(database, now, BY_TEXT)
    waits(database, amina, now)
    receives(database, now.date() + timedelta(days=2), time(9), time(9, 30))
    passes(database, now)
    nadia.reads(amina.id)
    page = nadia.submit(("reponse", "non"))
    assert "Attend une heure depuis" in page.main
    assert appointments_of(database) == []
    path, data, _ = nadia.prepare(action="/retirer")
    for offer, status in (("x", 400), (str(amina.id), 404)):
        typed = {"csrf_token": data["csrf_token"], "reponse": "oui", "offre": offer}
        assert nadia.ask("POST", path.removesuffix("/retirer"), data=typed).status_code == status
