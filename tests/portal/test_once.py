"""The same form sent twice, whatever the reason, is one request with one receipt."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from sqlalchemy import func, select
from werkzeug.test import TestResponse

from casework.database import transaction
from casework.journal import Entry
from casework.notifications import Notification
from casework.requests import Request
from tests.conftest import Database
from tests.portal.person import Person, receipt_on
from tests.visitor import Visitor


def counted(database: Database, table: type[Any]) -> int:
    """How many rows a table holds."""
    with transaction(database.owner) as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_a_retry_after_a_cut_leads_to_the_same_receipt(marcel: Person, database: Database) -> None:
    marcel.fills_in()
    path, data, _ = marcel.prepare(action="/envoyer")
    receipts = []
    for _ in range(3):
        answer = marcel.ask("POST", path, data=data)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/fr/recu")
        receipts.append(receipt_on(marcel.open("/fr/recu")).number)
    assert len(set(receipts)) == 1
    assert (counted(database, Request), counted(database, Entry), counted(database, Notification)) == (
        1,
        1,
        1,
    )


def test_two_taps_at_once_make_one_request(marcel: Person, database: Database) -> None:
    marcel.fills_in()
    tabs = [marcel.second_tab() for _ in range(4)]
    together = Barrier(len(tabs))

    def send(tab: Visitor) -> TestResponse:
        path, data, _ = tab.prepare(action="/envoyer")
        together.wait(10)
        return tab.ask("POST", path, data=data)

    with ThreadPoolExecutor(len(tabs)) as pool:
        answers = list(pool.map(send, tabs))
    assert [(answer.status_code, answer.headers["Location"]) for answer in answers] == [
        (303, "/fr/recu")
    ] * len(tabs)
    assert len({receipt_on(tab.open("/fr/recu")).number for tab in tabs}) == 1
    assert (counted(database, Request), counted(database, Entry), counted(database, Notification)) == (
        1,
        1,
        1,
    )


def test_the_back_button_after_sending_leads_to_the_receipt(marcel: Person) -> None:
    receipt = marcel.asks_for_help()
    for slug in ("verifier", "papiers", "mots", "plus-tard", ""):
        assert receipt_on(marcel.go(f"demande/{slug}")).number == receipt.number


def test_an_old_question_sent_again_after_sending_changes_nothing(marcel: Person, database: Database) -> None:
    marcel.tells(words="Mon loyer")
    marcel.go("demande/mots")
    path, data, _ = marcel.prepare(words="Autre chose")
    marcel.fills_in(words="Mon loyer")
    marcel.sends()
    data["csrf_token"] = marcel.go("suivi").field("csrf_token")
    assert marcel.ask("POST", path, data=data).headers["Location"] == "/fr/recu"
    with transaction(database.owner) as session:
        assert session.scalars(select(Request.words)).one() == "Mon loyer"
