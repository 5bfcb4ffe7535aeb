"""What an agent sends by hand, what failed, and what the demonstration shows instead of sending."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import update

from casework.database import transaction
from casework.journal import Entry
from casework.notifications import Delivery, Notification
from casework.vocabulary import Channel
from tests.backoffice.colleague import Colleague, stored
from tests.casework.asking import BY_MAIL, BY_TEXT, ask
from tests.conftest import Database

BY_LETTER = replace(
    BY_MAIL, channels=[Channel.LETTER], postal_address="Marcel Moreau\n3 rue Haute\n86000 Poitiers"
)


def test_a_letter_is_read_then_done_and_its_secret_forgotten(
    nadia: Colleague, database: Database, now: datetime
) -> None:
    asked = ask(database, now, BY_LETTER)
    notification = stored(database, Notification)[0]
    page = nadia.open("/fr/envois")
    assert "3 rue Haute" in page.main
    page = nadia.open(f"/fr/envois/{notification.id}")
    assert f"https://portail.example.org/fr/s/{asked.secret}" in page.main
    assert "loyer" not in page.main, "never the reason of the request"
    nadia.open("/fr/envois")
    nadia.submit(action="/fait")
    assert "3 rue Haute" not in nadia.page.main
    done = stored(database, Notification)[0]
    assert (done.state, done.sealed_secret, done.sent_at) == (Delivery.DONE, None, now)
    entries = stored(database, Entry, Entry.action == "notified")
    assert [(entry.request_id, entry.details["channel"]) for entry in entries] == [(asked.id, "letter")]
    nadia.open(f"/fr/envois/{notification.id}", status=404)


def test_done_twice_is_written_once(nadia: Colleague, database: Database, now: datetime) -> None:
    ask(database, now, BY_LETTER)
    nadia.open("/fr/envois")
    path, data, _ = nadia.prepare(action="/fait")
    for _ in range(2):
        assert nadia.ask("POST", path, data=data).headers["Location"] == "/fr/envois"
    assert len(stored(database, Entry, Entry.action == "notified")) == 1


def test_a_failure_is_for_the_page_of_calls_where_its_words_can_be_read(
    nadia: Colleague, database: Database, now: datetime
) -> None:
    asked = ask(database, now, BY_TEXT)
    with transaction(database.owner) as session:
        session.execute(update(Notification).values(state=Delivery.FAILED, error="numéro inconnu"))
    assert "numéro inconnu" not in nadia.open("/fr/envois").main
    assert "numéro inconnu" in nadia.open("/fr/a-appeler").main
    notification = stored(database, Notification)[0]
    assert asked.secret in nadia.open(f"/fr/envois/{notification.id}").main
    with transaction(database.owner) as session:
        session.execute(update(Notification).values(state=Delivery.SENT))
    nadia.open(f"/fr/envois/{notification.id}", status=404)


def test_the_demonstration_shows_what_would_have_left(
    nadia: Colleague, odile: Colleague, database: Database, now: datetime
) -> None:
    asked = ask(database, now, BY_TEXT, language="ar")
    with transaction(database.owner) as session:
        session.execute(update(Notification).values(state=Delivery.SHOWN))
    notification = stored(database, Notification)[0]
    page = nadia.open(f"/fr/envois/{notification.id}")
    assert f"/ar/s/{asked.secret}" in page.main
    body = page.of_class("body")[0]
    assert (body.get("lang"), body.get("dir")) == ("ar", "rtl")
    odile.open(f"/fr/envois/{notification.id}", status=404)
