"""The provider brings what people answer: signed, fresh, once; nobody else can, and it learns nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from casework.settings import Settings
from portal.app import create
from portal.incoming_texts import signature
from tests.clock import Clock
from tests.conftest import Database
from tests.local_servers import TextProvider
from tests.people import AMINA_PHONE
from tests.portal.person import Person

Rows = list[tuple[str, str, str, datetime]]


@pytest.fixture
def provider() -> TextProvider:
    """A provider that only brings."""
    return TextProvider()


@pytest.fixture
def open_portal(settings: Settings, clock: Clock, provider: TextProvider) -> Flask:
    """A portal that knows the provider's key."""
    app = create(replace(settings, sms_webhook_key=provider.key), clock)
    app.testing = True
    return app


@pytest.fixture
def client(open_portal: Flask) -> FlaskClient:
    """The provider's program: no cookie, no language."""
    return open_portal.test_client(use_cookies=False)


Brings = Callable[..., int]


@pytest.fixture
def brings(provider: TextProvider, client: FlaskClient, now: datetime) -> Brings:
    """A text brought by the provider; returns the answer's status."""

    def bring(words: str, *, sender: str = AMINA_PHONE, at: datetime = now, name: str = "") -> int:
        answer = provider.bring(client.post, words, sender=sender, at=at, name=name)
        assert answer.data == b""
        assert "Set-Cookie" not in answer.headers
        status: int = answer.status_code
        return status

    return bring


def kept(database: Database) -> Rows:
    with database.owner.connect() as connection:
        rows = connection.execute(
            text("SELECT sender, body, state, received_at FROM incoming_texts ORDER BY received_at, body")
        )
        return [tuple(row) for row in rows]


def test_a_text_is_kept_for_the_worker(brings: Brings, database: Database, now: datetime) -> None:
    assert brings("سأتأخر قليلا") == 204
    assert kept(database) == [(AMINA_PHONE, "سأتأخر قليلا", "new", now)]
    with database.owner.connect() as connection:
        jobs = connection.scalars(text("SELECT task_name FROM procrastinate_jobs")).all()
    assert jobs == ["take_text"]


def test_the_same_one_twice_is_once(brings: Brings, database: Database) -> None:
    assert [brings("Bonjour", name="abc"), brings("Bonjour", name="abc"), brings("Bonjour", name="abd")] == [
        204
    ] * 3
    assert len(kept(database)) == 2


@pytest.mark.parametrize("minutes", [-6, 6])
def test_an_old_signature_and_one_of_tomorrow_are_refused(
    brings: Brings, database: Database, now: datetime, minutes: int
) -> None:
    assert brings("Bonjour", at=now + timedelta(minutes=minutes)) == 401
    assert brings("Bonjour", at=now + timedelta(minutes=minutes / 2)) == 204
    assert len(kept(database)) == 1


def test_whoever_has_not_the_key_is_refused(client: FlaskClient, database: Database, now: datetime) -> None:
    body = json.dumps({"id": "1", "from": AMINA_PHONE, "to": "x", "text": "STOP"}).encode()
    at = int(now.timestamp())
    good = signature(TextProvider.key, at, body)
    for wrong in (
        "", "t=,v1=", signature("another key", at, body), signature(TextProvider.key, at, body + b" "),
        good.replace(f"t={at}", f"t={at + 1}"), good.upper(), f"{good},v1=", good.replace("v1", "v0"), good[:-1],
        f"t={'9' * 12},v1={'0' * 64}",
    ):  # fmt: skip
        answer = client.post("/sms/recu", data=body, headers={"X-Signature": wrong})
        assert answer.status_code == 401, wrong
    assert kept(database) == []
    assert client.post("/sms/recu", data=body, headers={"X-Signature": good}).status_code == 204


def test_without_a_key_there_is_no_such_thing(portal: Flask, provider: TextProvider, now: datetime) -> None:
    post = portal.test_client().post
    assert provider.bring(post, "Bonjour", sender=AMINA_PHONE, at=now).status_code == 404
    provider.key = ""
    assert provider.bring(post, "Bonjour", sender=AMINA_PHONE, at=now).status_code == 404


def test_what_is_too_large_is_not_read(brings: Brings, database: Database) -> None:
    assert brings("x" * 10_300) == 413
    assert kept(database) == []


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"1", b"{}", b'{"id": 1, "from": "+33612345678", "text": "x"}', b"\xff\xfe",
     b'{"id": "", "from": "+33612345678", "text": "x"}', b'{"id": "1", "from": "+33612345678", "text": null}'],
)  # fmt: skip
def test_what_is_no_text_is_refused(
    client: FlaskClient, provider: TextProvider, database: Database, now: datetime, body: bytes
) -> None:
    assert client.post("/sms/recu", data=body, headers=provider.signed(body, now)).status_code == 400
    assert kept(database) == []


def test_half_a_letter_breaks_nothing(
    client: FlaskClient, provider: TextProvider, database: Database, now: datetime
) -> None:
    body = b'{"id": "1", "from": "+33612345678", "text": "ab\\ud83d\\u0000c"}'
    assert client.post("/sms/recu", data=body, headers=provider.signed(body, now)).status_code == 204
    assert [row[1] for row in kept(database)] == ["abc"]


@pytest.mark.parametrize("sender", ["36180", "MaBanque", "", "+33 12"])
def test_a_brand_or_a_short_code_is_taken_and_dropped(
    brings: Brings, database: Database, sender: str
) -> None:
    assert brings("Promotion", sender=sender) == 204
    assert kept(database) == []


@pytest.mark.parametrize("sender", ["+33612345678", "33612345678", "06 12 34 56 78", "0033612345678"])
def test_a_number_is_known_however_it_is_written(brings: Brings, database: Database, sender: str) -> None:
    brings("Bonjour", sender=sender)
    assert [row[0] for row in kept(database)] == [AMINA_PHONE]


def test_other_methods_and_other_faces_do_not_know_it(client: FlaskClient, backoffice_app: Flask) -> None:
    assert client.get("/sms/recu").status_code == 404
    assert backoffice_app.test_client().post("/sms/recu").status_code == 404


@pytest.fixture
def backoffice_app(settings: Settings, clock: Clock) -> Flask:
    """The agents' face, which no provider reaches."""
    from backoffice.app import create as create_backoffice

    return create_backoffice(settings, clock)


# --- who wants nothing on the telephone -----------------------------------------------------------------


def test_in_danger_one_can_ask_for_nothing_to_be_sent(marcel: Person, database: Database) -> None:
    marcel.tells(theme="violence")
    page = marcel.submit(commune_typed="Poitiers")
    assert "Ne m'envoyez rien. Je reviens ici." in page.main
    assert "Je passerai à l'accueil" not in page.main
    assert marcel.submit(channels=["sms", "visit"], status=422).errors()
    marcel.submit(channels=["visit"])
    marcel.submit(name="")
    marcel.submit(action="")
    page = marcel.submit(("next", "1"))
    assert "Ne m'envoyez rien. Je reviens ici." in page.main
    receipt = marcel.sends()
    assert "Nous ne vous envoyons rien." in receipt.page.main
    with database.owner.connect() as connection:
        assert connection.scalars(text("SELECT contact_rule FROM requests")).all() == ["none"]
        assert connection.scalars(text("SELECT count(*) FROM notifications")).all() == [0]


def test_elsewhere_it_is_a_visit_beside_other_ways(marcel: Person, database: Database) -> None:
    receipt = marcel.asks_for_help(channels={"sms": AMINA_PHONE, "visit": ""})
    assert "Nous ne vous envoyons rien." not in receipt.page.main
    with database.owner.connect() as connection:
        assert connection.scalars(text("SELECT contact_rule FROM requests")).all() == ["usual"]
