"""One request on one page: read, qualify, route, answer, hand over, hand back, close, reopen."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import text

from casework.journal import Entry
from casework.messages import Message
from casework.notifications import Notification
from casework.vocabulary import Outcome, State
from tests.backoffice.colleague import Colleague, request_of, stored
from tests.casework.asking import BY_MAIL, BY_TEXT, Asked, ask
from tests.clock import Clock
from tests.conftest import Database
from tests.people import LOUISE, MOREAU_EMAIL, NADIA, PAUL, SARAH
from tests.portal.person import Person

pytestmark = pytest.mark.long


@pytest.fixture
def asked(database: Database, now: datetime) -> Asked:
    """Marcel's request, at the reception of Poitiers."""
    return ask(database, now, BY_MAIL)


def actions(database: Database, asked: Asked) -> list[str]:
    """What the journal says was done with a request, readings and messages to people left out."""
    entries = sorted(stored(database, Entry, Entry.request_id == asked.id), key=lambda entry: entry.id)
    return [entry.action.value for entry in entries if entry.action not in {"opened", "sent"}]


def routed(nadia: Colleague, asked: Asked, worker: int = PAUL.id, **typed: Any) -> None:
    """Nadia sends the request to a worker."""
    nadia.reads(asked.id)
    nadia.does("route", worker=str(worker), **typed)


def test_everything_is_on_one_page_and_reading_leaves_a_trace(
    nadia: Colleague, asked: Asked, database: Database
) -> None:
    page = nadia.reads(asked.id)
    expected = [
        BY_MAIL.words,
        MOREAU_EMAIL,
        "Marcel Moreau",
        "Poitiers centre",
        "Le logement",
        "mardi 10 novembre 2026",
    ]
    assert [said for said in expected if said not in page.main] == []
    nadia.reads(asked.id)
    opened = stored(database, Entry, Entry.action == "opened")
    assert [(entry.request_id, entry.agent_id) for entry in opened] == [(asked.id, NADIA.id)] * 2


def test_words_are_shown_as_they_were_written(nadia: Colleague, database: Database, now: datetime) -> None:
    answers = BY_TEXT.__class__(**{**vars(BY_TEXT), "words": "<script>أنام</script>\nفي الخارج"})
    page = nadia.reads(ask(database, now, answers, language="ar").id)
    said = next(one for one in page.of_class("original")[0].iter("p") if one.get("lang"))
    assert said.text == "<script>أنام</script>\nفي الخارج"
    assert (said.get("dir"), said.get("lang")) == ("auto", "ar")


def test_nadia_qualifies(nadia: Colleague, asked: Asked, database: Database) -> None:
    nadia.reads(asked.id)
    page = nadia.does(
        "qualify",
        themes=["housing", "money"],
        urgent="y",
        urgency_reason="Expulsion vendredi",
        missing="Le bail",
    )
    assert "C'est fait. Vous pouvez maintenant orienter la demande ou répondre." in page.main
    assert "C'est fait." not in nadia.open(f"/fr/demande/{asked.id}?fait=nothing").main
    request = request_of(database, asked.id)
    assert (request.state, request.themes, request.urgent) == (State.QUALIFIED, ["housing", "money"], True)
    assert (request.urgency_reason, request.missing) == ("Expulsion vendredi", "Le bail")
    assert (request.secretary_id, request.version) == (NADIA.id, 2)
    assert actions(database, asked) == ["qualified"]


def test_another_urgency_needs_a_word_of_why(nadia: Colleague, asked: Asked, database: Database) -> None:
    nadia.reads(asked.id)
    page = nadia.does("qualify", urgent="y", missing="Le bail", status=422)
    assert page.errors() == ["Écrivez un mot pour dire pourquoi."]
    assert page.field("missing") == "Le bail"
    assert (request_of(database, asked.id).version, actions(database, asked)) == (1, [])
    nadia.does("qualify", urgency_reason="Expulsion vendredi")
    assert request_of(database, asked.id).urgent


def test_nadia_routes_to_the_worker_proposed(nadia: Colleague, asked: Asked, database: Database) -> None:
    page = nadia.reads(asked.id)
    proposal = page.of_class("proposal")[0].text or ""
    assert "Poitiers centre" in proposal
    nadia.does("route")
    request = request_of(database, asked.id)
    assert (request.state, request.worker_id, request.route_reason) == (State.ROUTED, PAUL.id, proposal)
    assert request.handler == "Paul Petit", "what the person is told"
    entry = stored(database, Entry, Entry.action == "routed")[0]
    assert (entry.details["sentence"], entry.details["overruled"]) == (proposal, False)


def test_overruling_needs_a_reason_and_leaves_it(nadia: Colleague, asked: Asked, database: Database) -> None:
    nadia.reads(asked.id)
    page = nadia.does("route", worker=str(SARAH.id), status=422)
    assert page.errors() == ["Écrivez un mot pour dire pourquoi."]
    assert page.chosen("worker")[0] == str(SARAH.id), "her choice is kept"
    assert request_of(database, asked.id).worker_id is None
    page = nadia.does("route", why="Sarah parle tigrigna.")
    assert request_of(database, asked.id).route_reason == "Choix de Nadia Roux : Sarah parle tigrigna."
    entry = stored(database, Entry, Entry.action == "routed")[0]
    assert (entry.details["proposed"], entry.details["overruled"]) == ("Paul Petit", True)
    assert "Sarah parle tigrigna." in page.main


def test_a_worker_of_another_house_is_no_choice(nadia: Colleague, asked: Asked, database: Database) -> None:
    nadia.reads(asked.id)
    for worker in ("7", "1", "abc", ""):
        nadia.does("route", worker=worker, why="x", status=422)
    assert request_of(database, asked.id).worker_id is None


def test_paul_takes_answers_and_the_person_reads_it(
    nadia: Colleague, paul: Colleague, asked: Asked, database: Database, somebody: Callable[..., Person]
) -> None:
    routed(nadia, asked)
    assert str(asked.id) in paul.open("/fr/mes-demandes").response.text
    paul.reads(asked.id)
    paul.does("take")
    paul.does("answer", body="Bonjour.\r\nVenez jeudi à 10 heures.")
    assert request_of(database, asked.id).state is State.TAKEN
    assert actions(database, asked) == ["routed", "taken", "answered"]
    told = [(row.template, row.recipient) for row in stored(database, Notification)]
    assert told == [("receipt", MOREAU_EMAIL), ("new_message", MOREAU_EMAIL)]
    page = somebody().open(f"/fr/s/{asked.secret}")
    assert "Venez jeudi à 10 heures." in page.main
    assert "Paul Petit" in page.main


def test_a_paper_asked_and_sent_comes_back_as_a_new_message(
    nadia: Colleague, asked: Asked, database: Database, somebody: Callable[..., Person], clock: Clock
) -> None:
    nadia.reads(asked.id)
    nadia.does("ask_paper", body="Envoyez votre bail, s'il vous plaît.")
    assert request_of(database, asked.id).state is State.WAITING
    clock.forward(minutes=10)
    marcel = somebody()
    page = marcel.open(f"/fr/s/{asked.secret}")
    assert "C'est à vous" in page.main
    marcel.submit(body="Le voici.", papers=(b"%PDF-1.7 bail", "bail.pdf"))
    queue = nadia.open("/fr/file")
    assert "Nouveau message" in queue.main
    page = nadia.reads(asked.id)
    assert "bail.pdf" in page.main
    assert "Le voici." in page.main
    nadia.does("answer", body="Merci.")
    assert request_of(database, asked.id).state is State.QUALIFIED


@pytest.mark.slow
def test_handing_over_handing_back_closing_and_reopening(
    nadia: Colleague, paul: Colleague, louise: Colleague, asked: Asked, database: Database
) -> None:
    routed(nadia, asked)
    paul.reads(asked.id)
    assert paul.does("hand_over", worker=str(LOUISE.id), status=422).errors(), "a word of why"
    paul.does("hand_over", worker=str(LOUISE.id), why="Louise suit la famille.")
    assert request_of(database, asked.id).worker_id == LOUISE.id
    louise.reads(asked.id)
    assert louise.does("hand_back", status=422).errors(), "a word of why"
    louise.does("hand_back", why="Une aide aux démarches suffit.")
    request = request_of(database, asked.id)
    assert (request.state, request.worker_id, request.handler) == (State.QUALIFIED, None, "")
    nadia.reads(asked.id)
    assert nadia.does("close", status=422).errors(), "an outcome"
    nadia.does("close", outcome="paperwork_done")
    request = request_of(database, asked.id)
    assert (request.state, request.outcome) == (State.CLOSED, Outcome.PAPERWORK_DONE)
    nadia.does("reopen")
    assert request_of(database, asked.id).state is State.QUALIFIED
    assert actions(database, asked) == ["routed", "handed_over", "handed_back", "closed", "reopened"]


def test_acts_a_role_may_not_do_are_not_offered_nor_taken(
    paul: Colleague, louise: Colleague, nadia: Colleague, asked: Asked, database: Database
) -> None:
    page = paul.reads(asked.id)
    assert [
        act for act in ("route", "take", "hand_over") if page.html.find(f".//*[@id='act-{act}']") is not None
    ] == []
    data = {"csrf_token": page.field("csrf_token"), "version": "1", "worker": str(PAUL.id), "why": "x"}
    assert paul.ask("POST", f"/fr/demande/{asked.id}/route", data=data).status_code == 409
    assert request_of(database, asked.id).worker_id is None
    routed(nadia, asked)
    louise.reads(asked.id)
    data = {"csrf_token": louise.page.field("csrf_token"), "version": "2"}
    assert louise.ask("POST", f"/fr/demande/{asked.id}/take", data=data).status_code == 409, "it is Paul's"


def test_an_empty_message_is_none(nadia: Colleague, asked: Asked, database: Database) -> None:
    nadia.reads(asked.id)
    assert nadia.does("answer", body="  \n ", status=422).errors()
    nadia.does("answer", body="a\x00b")
    assert [message.body for message in stored(database, Message)] == ["ab"]


def test_the_answer_its_trace_and_its_notice_stand_or_fall_together(
    nadia: Colleague, asked: Asked, database: Database
) -> None:
    nadia.reads(asked.id)
    with database.owner.begin() as connection:
        connection.execute(
            text(
                "ALTER TABLE notifications ADD CONSTRAINT broken CHECK (template <> 'new_message') NOT VALID"
            )
        )
    try:
        nadia.does("answer", body="Bonjour.", status=500)
    finally:
        with database.owner.begin() as connection:
            connection.execute(text("ALTER TABLE notifications DROP CONSTRAINT broken"))
    assert stored(database, Message) == []
    assert actions(database, asked) == []
    assert [row.template for row in stored(database, Notification)] == ["receipt"]
    assert request_of(database, asked.id).version == 1
    nadia.reads(asked.id)
    nadia.does("answer", body="Bonjour.")
    assert len(stored(database, Message)) == 1
