"""Following a request: by its link, by its number and code, from any telephone; writing back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, select

from casework.access import new_number
from casework.database import transaction
from casework.documents import Document
from casework.journal import Entry
from casework.messages import Message
from casework.notifications import LostLink
from casework.requests import Request
from tests.clock import Clock
from tests.conftest import Database
from tests.pages import words
from tests.people import AMINA_PHONE, MOREAU_EMAIL
from tests.portal.person import Person

Somebody = Callable[..., Person]
ARABIC_DIGITS = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")


def rows(database: Database, table: type[Any]) -> list[Any]:
    """Every row of a table."""
    with transaction(database.owner) as session:
        return list(session.scalars(select(table)))


def spaced(digits: str) -> str:
    """Digits as the receipt shows them."""
    return " ".join(digits[place : place + 3] for place in range(0, len(digits), 3))


def wrong(code: str) -> str:
    """Another code."""
    return f"{(int(code) + 1) % 10**12:012d}"


def test_by_the_link_on_another_telephone(marcel: Person, somebody: Somebody) -> None:
    receipt = marcel.asks_for_help(words="Je ne peux plus payer.")
    other = somebody(source="192.0.2.77")
    page = other.open(receipt.path)
    assert page.path == "/fr/suivi"
    assert spaced(receipt.number) in page.main
    assert "Je ne peux plus payer." in page.main
    assert "Nous vous répondons au plus tard le mardi 10 novembre 2026." in page.main


@pytest.mark.parametrize("language", ["fr", "ar"])
def test_by_number_and_code_as_they_are_pasted_or_typed(
    marcel: Person, somebody: Somebody, language: str
) -> None:
    receipt = marcel.asks_for_help()
    typings: list[Callable[[str], str]] = [
        str, spaced, lambda digits: f" {spaced(digits)}\u00a0", lambda digits: digits.translate(ARABIC_DIGITS)
    ]  # fmt: skip
    for typing in typings:
        other = somebody(source="192.0.2.77", language=language)
        other.go("suivre")
        page = other.submit(number=typing(receipt.number), code=typing(receipt.code))
        assert page.path == f"/{language}/suivi"


def test_a_number_with_a_slip_is_said_before_any_guess_counts(marcel: Person) -> None:
    receipt = marcel.asks_for_help()
    slipped = f"{(int(receipt.number) + 1) % 10**9:09d}"
    marcel.go("suivre")
    for _ in range(7):
        page = marcel.submit(number=slipped, code="123", status=422)
        assert len(page.errors()) == 2
        assert page.field("number") == slipped


def test_wrong_codes_are_slowed_for_the_source_and_for_the_number(
    marcel: Person, amina: Person, somebody: Somebody, clock: Clock
) -> None:
    receipt, other_receipt = marcel.asks_for_help(), amina.asks_for_help()
    guesser = somebody(source="198.51.100.9")
    guesser.go("suivre")
    said = [
        guesser.submit(number=receipt.number, code=wrong(receipt.code), status=422).errors() for _ in range(5)
    ]
    assert said == [["Le numéro et le code ne vont pas ensemble."]] * 5
    form = guesser.prepare(number=receipt.number, code=receipt.code)
    assert (
        guesser.submit(number=receipt.number, code=receipt.code, status=429).links().count("tel:+33536490000")
        > 0
    )
    guesser.go("suivre")
    guesser.submit(number=other_receipt.number, code=other_receipt.code, status=429)
    elsewhere = somebody(source="198.51.100.200")
    elsewhere.go("suivre")
    elsewhere.submit(number=receipt.number, code=receipt.code, status=429)
    elsewhere.go("suivre")
    assert elsewhere.submit(number=other_receipt.number, code=other_receipt.code).path == "/fr/suivi"
    clock.forward(minutes=16)
    assert guesser.ask("POST", form[0], data=form[1]).headers["Location"] == "/fr/suivi"


def test_a_wrong_code_or_link_does_not_close_what_is_open(marcel: Person, amina: Person) -> None:
    mine, hers = marcel.asks_for_help(), amina.asks_for_help()
    marcel.go("suivre")
    marcel.submit(number=hers.number, code=wrong(hers.code), status=422)
    marcel.open("/fr/s/nothing", status=404)
    assert spaced(mine.number) in marcel.go("suivi").main


def test_the_link_still_opens_while_its_number_is_being_guessed(marcel: Person, somebody: Somebody) -> None:
    receipt = marcel.asks_for_help()
    guesser = somebody(source="198.51.100.9")
    guesser.go("suivre")
    for _ in range(5):
        guesser.submit(number=receipt.number, code=wrong(receipt.code), status=422)
    assert somebody(source="192.0.2.88").open(receipt.path).path == "/fr/suivi"


def test_guessed_links_are_slowed_too(somebody: Somebody) -> None:
    guesser = somebody(source="198.51.100.9")
    for guess in range(5):
        guesser.open(f"/fr/s/guess{guess}", status=404)
    guesser.open("/fr/s/guess6", status=429)


def test_an_unknown_number_and_a_wrong_code_get_the_same_answer(marcel: Person, somebody: Somebody) -> None:
    receipt = marcel.asks_for_help()
    said = []
    for number in (receipt.number, new_number()):
        guesser = somebody(source="198.51.100.9")
        guesser.go("suivre")
        page = guesser.submit(number=number, code=wrong(receipt.code), status=422)
        said.append((page.errors(), page.main.replace(spaced(number), "")))
    assert said[0] == said[1]


@contextmanager
def statements(app: Flask) -> Iterator[list[str]]:
    """What the portal asks of the database meanwhile."""
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        asked.append(statement)

    event.listen(app.extensions["engine"], "before_cursor_execute", note)
    yield asked
    event.remove(app.extensions["engine"], "before_cursor_execute", note)


def test_a_lost_link_gets_the_same_answer_known_or_not(
    marcel: Person, somebody: Somebody, portal: Flask, database: Database
) -> None:
    marcel.asks_for_help(channels={"email": MOREAU_EMAIL})
    answers = []
    for contact in (MOREAU_EMAIL, "nobody@example.org"):
        asking = somebody(source="192.0.2.55")
        asking.go("lien-perdu")
        path, data, _ = asking.prepare(contact=contact)
        with statements(portal) as asked:
            answer = asking.ask("POST", path, data=data)
            page = asking.open(answer.headers["Location"])
        answers.append((answer.status_code, answer.data, page.response.data, asked))
    assert answers[0] == answers[1]
    assert {lost.contact for lost in rows(database, LostLink)} == {MOREAU_EMAIL, "nobody@example.org"}


def test_a_lost_link_is_asked_by_number_of_telephone_too(amina: Person, database: Database) -> None:
    amina.go("lien-perdu")
    assert amina.submit(contact="٠٦ ١٢ ٣٤ ٥٦ ٧٨").path == "/ar/lien-envoye"
    lost = rows(database, LostLink)[0]
    assert (lost.contact, lost.language, lost.done_at) == (AMINA_PHONE, "ar", None)
    amina.go("lien-perdu")
    assert amina.submit(contact="je ne sais pas", status=422).field("contact") == "je ne sais pas"


def test_lost_links_are_asked_five_times_at_most(marcel: Person) -> None:
    for _ in range(5):
        marcel.go("lien-perdu")
        marcel.submit(contact=MOREAU_EMAIL)
    marcel.go("lien-perdu")
    marcel.submit(contact=MOREAU_EMAIL, status=429)


def test_who_wrote_reads_that_it_is_sent(marcel: Person) -> None:
    marcel.asks_for_help()
    assert not marcel.go("suivi").of_class("success")
    assert "envoyé" in words(marcel.submit(body="J'ai une lettre.").of_class("success")[0])
    assert not marcel.submit(body="", status=422).of_class("success"), "nothing was sent this time"


def test_a_message_written_twice_is_one(marcel: Person, database: Database) -> None:
    marcel.asks_for_help()
    marcel.go("suivi")
    path, data, _ = marcel.prepare(body="J'ai reçu une lettre.\x00")
    for _ in range(2):
        assert marcel.ask("POST", path, data=data).headers["Location"] == "/fr/suivi?envoye=1#conversation"
    message = rows(database, Message)[0]
    assert len(rows(database, Message)) == 1
    assert (message.body, message.author, message.agent_id) == ("J'ai reçu une lettre.", "citizen", None)
    assert [entry.action for entry in rows(database, Entry)] == ["sent", "wrote"]
    assert rows(database, Request)[0].waits_for_agent
    assert marcel.go("suivi").main.count("J'ai reçu une lettre.") == 1


def test_a_message_with_a_paper(marcel: Person, database: Database) -> None:
    marcel.asks_for_help()
    marcel.go("suivi")
    page = marcel.submit(body="Voici la lettre.", papers=(b"%PDF-1.7", "lettre.pdf"))
    assert "Voici la lettre." in page.main
    assert "lettre.pdf" in page.main
    assert rows(database, Document)[0].request_id == rows(database, Request)[0].id
    assert [entry.action for entry in rows(database, Entry)] == ["sent", "wrote", "paper_sent"]


def test_a_paper_alone_then_nothing_at_all(marcel: Person, database: Database) -> None:
    marcel.asks_for_help()
    marcel.go("suivi")
    assert "J'envoie un papier." in marcel.submit(papers=(b"%PDF-1.7", "lettre.pdf")).main
    assert marcel.submit(body="  ", status=422).errors()
    page = marcel.submit(papers=(b"MZ", "jeu.exe"), status=422)
    assert "jeu.exe" in " ".join(page.errors())
    assert len(rows(database, Message)) == 1, "a refused paper alone is no message"


def test_a_message_too_long_is_kept_and_can_be_sent_shorter(marcel: Person, database: Database) -> None:
    marcel.asks_for_help()
    marcel.go("suivi")
    page = marcel.submit(body="é" * 5001, status=422)
    assert page.field("body") == "é" * 5001
    marcel.submit(body="é")
    assert [message.body for message in rows(database, Message)] == ["é"]


def test_leaving_forgets_the_request_on_this_device(marcel: Person) -> None:
    receipt = marcel.asks_for_help()
    marcel.go("suivi")
    marcel.submit(action="/sortir")
    assert marcel.go("suivi").path == "/fr/suivre"
    assert receipt.number not in marcel.page.text.replace(" ", "")


def test_without_a_secret_nothing_opens(marcel: Person, somebody: Somebody) -> None:
    marcel.asks_for_help()
    stranger = somebody(source="198.51.100.1")
    for slug in ("suivi", "recu", "recu.pdf"):
        assert stranger.go(slug).path == "/fr/suivre"


def test_changing_the_language_in_the_middle_of_a_message_loses_nothing(
    marcel: Person, database: Database
) -> None:
    marcel.asks_for_help()
    marcel.open("/fr/suivi")
    page = marcel.submit(("switch", "ar"), body="Je voulais vous dire que")
    assert page.path == "/ar/suivi"
    assert page.field("body") == "Je voulais vous dire que"
    assert rows(database, Message) == []
