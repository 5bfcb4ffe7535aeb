"""Ready sentences beside the message: picked without JavaScript, shown as the person reads them, remembered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import select

from casework import translated_words
from casework.database import transaction
from casework.messages import Message
from casework.requests import Request
from casework.translated_words import PHRASEBOOK, State, TranslatedWords
from tests.backoffice.colleague import Colleague, stored
from tests.casework.asking import BY_MAIL, Asked, ask
from tests.conftest import Database
from tests.pages import Page, filled_in, words
from tests.portal.person import Person

pytestmark = pytest.mark.long

COME = "Venez le mardi 24 novembre à 14:30."
VENGA = "Venga el martes 24 de noviembre a las 14:30."
ADD, FIND = ("phrase_do", "add"), ("phrase_do", "find")
WHEN: dict[str, Any] = {"slot_day": "2026-11-24", "slot_hour": "14:30"}


@pytest.fixture
def asked(database: Database, now: datetime) -> Asked:
    """A request sent in Spanish."""
    return ask(database, now, BY_MAIL, "es")


def answering(page: Page) -> Mapping[str, str]:
    """What stands in the form of the answer."""
    form = next(form for form in page.html.iter("form") if (form.get("action") or "").endswith("/answer"))
    return filled_in(page.html, form)


def she_will_read(page: Page) -> list[str]:
    """The sentences shown below the message, in the person's language."""
    return [words(bdi) for box in page.of_class("will-read") for bdi in box.iter("bdi")]


def options(page: Page) -> list[str]:
    """The codes of the sentences in the list of the answer."""
    lists = [one for one in page.html.iter("select") if one.get("id") == "answer-body-phrase"]
    return [option.get("data-code", "") for one in lists for option in one.iter("option")][1:]


def remembered(database: Database, french: str) -> str | None:
    with transaction(database.backoffice) as session:
        digest = translated_words.digest_of(database.access_key, french)
        done = TranslatedWords.state == State.DONE
        there = (TranslatedWords.digest == digest, TranslatedWords.target == "es", done)
        return session.scalar(select(TranslatedWords.words).where(*there))


def test_a_sentence_is_put_below_what_was_typed_and_nothing_is_sent(
    nadia: Colleague, asked: Asked, database: Database
) -> None:
    nadia.reads(asked.id)
    page = nadia.submit(ADD, action="/answer", body="Bonjour Monsieur.", phrase_id="come_on", **WHEN)
    assert answering(page)["body"] == f"Bonjour Monsieur.\n{COME}"
    assert she_will_read(page) == [VENGA]
    assert "Elle lira :" in page.main
    assert stored(database, Message) == []
    assert page.errors() == []


def test_what_was_sent_is_remembered_sentence_by_sentence_and_whole(
    nadia: Colleague, asked: Asked, database: Database
) -> None:
    nadia.reads(asked.id)
    nadia.submit(ADD, action="/answer", phrase_id="hello")
    nadia.submit(ADD, action="/answer", phrase_id="come_on", **WHEN)
    nadia.submit(action="/answer")
    assert [message.body for message in stored(database, Message)] == [f"Bonjour.\n{COME}"]
    assert remembered(database, COME) == VENGA
    assert remembered(database, f"Bonjour.\n{COME}") == f"Buenos días.\n{VENGA}"
    assert {row.engine for row in stored(database, TranslatedWords, TranslatedWords.digest.in_(
        [translated_words.digest_of(database.access_key, text) for text in ("Bonjour.", COME)]
    ))} == {PHRASEBOOK}  # fmt: skip


def test_a_sentence_changed_by_hand_is_left_to_the_machine(
    nadia: Colleague, asked: Asked, database: Database
) -> None:
    nadia.reads(asked.id)
    nadia.submit(ADD, action="/ask_paper", phrase_id="come_on", **WHEN)
    nadia.submit(action="/ask_paper", body="Venez le mardi 24 novembre à 15:30.")
    assert remembered(database, "Venez le mardi 24 novembre à 15:30.") is None
    assert remembered(database, COME) is None


def test_nobody_makes_the_memory_say_something_else(
    nadia: Colleague, asked: Asked, database: Database
) -> None:
    nadia.reads(asked.id)
    wrong = ["hello?", "come_on?day=demain", "no_such", "?", "come_on?" + "day=2026-11-24&" * 400]
    nadia.submit(action="/answer", body="Bonjour.", phrase=[*wrong, "Bonjour.?translated=Adi%C3%B3s"])
    assert remembered(database, "Bonjour.") == "Buenos días."
    with transaction(database.backoffice) as session:
        by_book = select(TranslatedWords.words).where(TranslatedWords.engine == PHRASEBOOK)
        assert set(session.scalars(by_book)) == {"Buenos días."}


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"phrase_id": ""}, "Choisissez une phrase."),
        ({"phrase_id": "come_on", "slot_hour": "14:30"}, "Choisissez un jour."),
        ({"phrase_id": "bring_paper"}, "Choisissez un papier."),
        ({"phrase_id": "aid_accepted", "slot_amount": "beaucoup"}, "Écrivez un montant en chiffres."),
        ({"phrase_id": "calling"}, "Écrivez le nom du service."),
    ],
)
def test_what_a_sentence_still_needs_is_said_and_nothing_typed_is_lost(
    nadia: Colleague, asked: Asked, typed: dict[str, Any], said: str
) -> None:
    nadia.reads(asked.id)
    page = nadia.submit(ADD, action="/answer", body="Mes mots", **typed)
    assert said in page.main
    form = answering(page)
    assert form["body"] == "Mes mots"
    assert {name: form[name] for name in typed} == typed


def test_sentences_are_found_by_code_and_by_french_words(nadia: Colleague, asked: Asked) -> None:
    nadia.reads(asked.id)
    assert len(options(nadia.page)) == 120
    assert options(nadia.submit(FIND, action="/answer", body="Mes mots", phrase_find="rv"))[:1] == ["rv"]
    page = nadia.submit(FIND, action="/answer", phrase_find="interprète")
    assert set(options(page)) == {"ci", "cg", "ri", "ti"}
    assert answering(page)["body"] == "Mes mots"
    page = nadia.submit(FIND, action="/answer", phrase_find="zzz")
    assert "Aucune phrase n'a ces mots." in page.main
    assert len(options(page)) == 120


def test_a_mistake_keeps_the_sentences_of_the_message(nadia: Colleague, asked: Asked) -> None:
    nadia.reads(asked.id)
    nadia.submit(ADD, action="/answer", phrase_id="hello")
    page = nadia.submit(action="/answer", body="Bonjour." + "x" * 6000, status=422)
    assert she_will_read(page) == ["Buenos días."]


def test_for_somebody_who_reads_french_there_is_nothing_to_show(
    nadia: Colleague, database: Database, now: datetime
) -> None:
    nadia.reads(ask(database, now, BY_MAIL, "fr").id)
    page = nadia.submit(ADD, action="/answer", phrase_id="hello")
    assert answering(page)["body"] == "Bonjour."
    assert she_will_read(page) == []
    nadia.submit(action="/answer")
    assert stored(database, TranslatedWords) == []


def test_the_server_says_a_sentence_for_the_script(nadia: Colleague, asked: Asked) -> None:
    nadia.reads(asked.id)
    token = answering(nadia.page)["csrf_token"]

    def said(**fields: str) -> tuple[int, dict[str, str]]:
        answer = nadia.ask("POST", "/fr/phrases/dire", data={"csrf_token": token, **fields})
        return answer.status_code, answer.get_json(silent=True) or {}

    assert said(phrase_id="come_on", phrase_reader="es", **WHEN) == (
        200,
        {"french": COME, "translated": VENGA, "used": "come_on?day=2026-11-24&hour=14%3A30"},
    )
    assert said(phrase_id="come_on", phrase_reader="es") == (
        422,
        {"wrong": "day", "message": "Choisissez un jour."},
    )
    assert said(phrase_id="no_such")[0] == 404
    assert nadia.ask("POST", "/fr/phrases/dire", data={"phrase_id": "hello"}).status_code == 400


def test_a_sentence_and_a_card_cross_two_languages_without_any_engine(
    nadia: Colleague, paul: Colleague, somebody: Callable[..., Person], database: Database
) -> None:
    amina = somebody(language="fa")
    amina.asks_for_help()
    request_id = stored(database, Request)[0].id
    nadia.reads(request_id)
    nadia.submit(ADD, action="/answer", phrase_id="bring_paper", slot_paper="lease")
    page = nadia.submit(action="/answer")
    assert "لطفاً این سند را بیاورید: قرارداد کرایه شما" in page.main  # what she reads

    page = amina.go("suivi")
    assert "لطفاً این سند را بیاورید: قرارداد کرایه شما" in page.main
    assert "Apportez votre bail." in page.main  # what binds
    amina.submit(("card", "no_paper"))

    page = paul.reads(request_id)
    assert "Je n'ai pas ce papier." in page.main
    assert "این سند را ندارم." in page.main
    assert "Traduction faite par des personnes" in page.main
