"""Two colleagues on one request: the second is told, nothing is overwritten, nothing typed is lost."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from threading import Barrier

import pytest

from casework.journal import Entry
from casework.messages import Message
from casework.vocabulary import State
from tests.backoffice.colleague import Colleague, request_of, stored
from tests.casework.asking import BY_MAIL, Asked, ask
from tests.clock import Clock
from tests.conftest import Database
from tests.people import PAUL, SARAH
from tests.visitor import Visitor

pytestmark = pytest.mark.long


@pytest.fixture
def asked(database: Database, now: datetime) -> Asked:
    """Marcel's request, at the reception of Poitiers."""
    return ask(database, now, BY_MAIL)


def test_the_second_is_told_for_a_while(
    nadia: Colleague, claire: Colleague, asked: Asked, clock: Clock
) -> None:
    assert "lit aussi cette demande" not in nadia.reads(asked.id).main
    assert "Nadia Roux lit aussi cette demande en ce moment." in claire.reads(asked.id).main
    clock.forward(minutes=11)
    assert "lit aussi" not in claire.reads(asked.id).main


def test_a_stale_form_is_refused_with_its_text_and_overwrites_nothing(
    nadia: Colleague, claire: Colleague, asked: Asked, database: Database
) -> None:
    nadia.reads(asked.id)
    claire.reads(asked.id)
    nadia.does("qualify", themes=["housing"], missing="Le bail")
    page = claire.does("qualify", themes=["money"], missing="Les factures", status=409)
    assert "a changé pendant que vous écriviez" in page.main
    assert page.field("missing") == "Les factures"
    request = request_of(database, asked.id)
    assert (request.themes, request.missing, request.version) == (["housing"], "Le bail", 2)
    claire.does("qualify")
    request = request_of(database, asked.id)
    assert (request.themes, request.missing, request.version) == (["money"], "Les factures", 3)


def test_a_text_is_kept_even_when_it_can_no_longer_be_sent(
    nadia: Colleague, claire: Colleague, asked: Asked, database: Database
) -> None:
    claire.reads(asked.id)
    nadia.reads(asked.id)
    nadia.does("close", outcome="answered")
    page = claire.does("answer", body="Venez jeudi à 10 heures.", status=409)
    assert "Venez jeudi à 10 heures." in page.main
    assert stored(database, Message) == []
    assert request_of(database, asked.id).state is State.CLOSED


def test_a_second_tap_on_an_answer_is_one_message(nadia: Colleague, asked: Asked, database: Database) -> None:
    nadia.reads(asked.id)
    path, data, _ = nadia.prepare(action="/answer", body="Bonjour.")
    for _ in range(2):
        assert nadia.ask("POST", path, data=data).status_code == 303
    assert len(stored(database, Message)) == 1
    assert request_of(database, asked.id).version == 2


def test_four_at_the_same_moment_one_wins(
    nadia: Colleague, claire: Colleague, asked: Asked, database: Database
) -> None:
    tabs: list[Visitor] = [nadia, nadia.second_tab(), claire, claire.second_tab()]
    forms = []
    for place, tab in enumerate(tabs):
        tab.open(f"/fr/demande/{asked.id}")
        worker = PAUL.id if place % 2 else SARAH.id
        forms.append(tab.prepare(action="/route", worker=str(worker), why="Je choisis."))
    together = Barrier(len(tabs))

    def send(place: int) -> int:
        path, data, _ = forms[place]
        together.wait(10)
        return tabs[place].ask("POST", path, data=data).status_code

    with ThreadPoolExecutor(len(tabs)) as pool:
        codes = sorted(pool.map(send, range(len(tabs))))
    assert codes == [303, 409, 409, 409]
    assert request_of(database, asked.id).version == 2
    assert len(stored(database, Entry, Entry.action == "routed")) == 1
