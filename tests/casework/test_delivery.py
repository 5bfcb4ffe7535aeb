"""Sending for real, to a local mail server and a local text message provider that can fail."""

from __future__ import annotations

import ssl
import subprocess
from dataclasses import replace
from datetime import datetime, timedelta
from email.headerregistry import Address
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import update

from casework import delivery
from casework.database import transaction
from casework.delivery import Mail, PermanentFailureError, TemporaryFailureError
from casework.notifications import BACK_OFF, MOST_ATTEMPTS, Delivery, Notification
from casework.requests import Request
from casework.settings import Settings, SettingsError
from tests.casework.asking import BY_TEXT, ask, journal_of, notifications_of, worker_settings
from tests.conftest import Database
from tests.local_servers import MailServer, TextProvider, free_port
from tests.people import AMINA_PHONE, MOREAU_EMAIL

SENDER = Address("Allervers", addr_spec="ne-pas-repondre@example.org")


def attempt(database: Database, settings: Settings, asked: Any, now: datetime) -> Notification:
    """One try to send the only notification of a request, and what became of it."""
    (waiting,) = notifications_of(database, asked.id)
    with transaction(database.backoffice) as session:
        held = delivery.held(session, waiting.id, now)
        assert held, "not due, or already settled"
        delivery.send(session, settings, held, now)
    (after,) = notifications_of(database, asked.id)
    return after


def mail_to(address: str, now: datetime) -> Mail:
    return Mail(address, "Votre demande", "Bonjour,\nمرحبا\n", "1@example.org", language="fr", at=now)


def texting(provider: TextProvider, database: Database, **changes: Any) -> Settings:
    return worker_settings(database, **({"sms_url": provider.url, "sms_token": provider.token} | changes))


def test_moreau_gets_his_receipt_by_mail(database: Database, now: datetime) -> None:
    moreau = ask(database, now)
    with MailServer() as server:
        settings = worker_settings(
            database, smtp_url=server.url, mail_from="ne-pas-repondre@vienne.example.org"
        )
        sent = attempt(database, settings, moreau, now)
        (mail,) = server.to(MOREAU_EMAIL)

    assert (sent.state, sent.sent_at, sent.attempts, sent.sealed_secret) == (Delivery.SENT, now, 1, None)
    assert mail["From"] == "Allervers <ne-pas-repondre@vienne.example.org>"
    assert mail["Message-ID"] == f"<{sent.id}@aide.example.org>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Content-Language"] == "fr"
    assert mail.get_content_type() == "text/plain"
    assert mail.get_content_charset() == "utf-8"
    assert moreau.secret in mail.get_content()


def test_without_a_sender_the_departement_writes_in_its_own_name(database: Database, now: datetime) -> None:
    moreau = ask(database, now)
    with MailServer() as server:
        attempt(database, worker_settings(database, smtp_url=server.url), moreau, now)
        (mail,) = server.to(MOREAU_EMAIL)
    assert mail["From"] == "Allervers <accueil@vienne.example.org>"


def test_amina_gets_her_receipt_by_text(database: Database, now: datetime) -> None:
    amina = ask(database, now, BY_TEXT, "ar")
    with TextProvider() as provider:
        sent = attempt(database, texting(provider, database), amina, now)
        (text,) = provider.to(AMINA_PHONE)
    assert sent.state is Delivery.SENT
    assert text["from"] == "Allervers"
    assert text["reference"] == str(sent.id)
    assert text["text"].endswith(f"https://aide.example.org/ar/s/{amina.secret}")


def test_the_journal_tells_that_it_left_and_neither_where_nor_the_link(
    database: Database, now: datetime
) -> None:
    moreau = ask(database, now)
    with MailServer() as server:
        attempt(database, worker_settings(database, smtp_url=server.url), moreau, now)
    assert journal_of(database, moreau.id)[-1] == ("notified", {"channel": "email", "template": "receipt"})
    assert MOREAU_EMAIL not in str(journal_of(database, moreau.id))


def test_in_the_demonstration_nothing_leaves_and_the_link_can_be_shown(
    database: Database, now: datetime
) -> None:
    moreau = ask(database, now)
    settings = worker_settings(database)
    kept = attempt(database, settings, moreau, now)
    assert (kept.state, kept.attempts) == (Delivery.SHOWN, 0)
    with transaction(database.backoffice) as session:
        assert moreau.secret in delivery.rendered(session, settings, kept).body
    assert [action for action, _details in journal_of(database, moreau.id)] == ["sent"]


def test_without_a_text_message_provider_an_agent_passes_the_message_on(
    database: Database, now: datetime
) -> None:
    """The département has a mail server only: Amina, who chose text messages, must not wait in vain."""
    amina = ask(database, now, BY_TEXT, "ar")
    with MailServer() as server:
        kept = attempt(database, worker_settings(database, smtp_url=server.url), amina, now)
    assert kept.state is Delivery.BY_HAND
    assert kept.sealed_secret


def test_a_server_that_is_away_is_tried_again_later_and_later(database: Database, now: datetime) -> None:
    moreau = ask(database, now)
    settings = worker_settings(database, smtp_url=f"smtp://127.0.0.1:{free_port()}")
    for count, wait in enumerate(BACK_OFF, 1):
        tried = attempt(database, settings, moreau, now)
        assert (tried.state, tried.attempts) == (Delivery.PENDING, count)
        assert tried.error == "Le serveur de courrier ne répond pas."
        assert tried.next_attempt_at == now + wait
        now = tried.next_attempt_at
    last = attempt(database, settings, moreau, now)
    assert (last.state, last.attempts) == (Delivery.FAILED, MOST_ATTEMPTS)
    assert journal_of(database, moreau.id)[-1] == (
        "not_notified",
        {"channel": "email", "template": "receipt", "cause": "Le serveur de courrier ne répond pas."},
    )
    assert last.sealed_secret, "an agent may still pass the link on"


def test_it_is_not_tried_before_its_time(database: Database, now: datetime) -> None:
    moreau = ask(database, now)
    settings = worker_settings(database, smtp_url=f"smtp://127.0.0.1:{free_port()}")
    tried = attempt(database, settings, moreau, now)
    with transaction(database.backoffice) as session:
        assert delivery.held(session, tried.id, now + timedelta(seconds=59)) is None
        assert delivery.held(session, tried.id, now + timedelta(seconds=60)) is not None


def test_two_workers_do_not_hold_the_same_message(database: Database, now: datetime) -> None:
    (receipt,) = notifications_of(database, ask(database, now).id)
    with transaction(database.backoffice) as first, transaction(database.backoffice) as second:
        assert delivery.held(first, receipt.id, now)
        assert delivery.held(second, receipt.id, now) is None


def test_an_address_the_server_refuses_fails_at_once(database: Database, now: datetime) -> None:
    moreau = ask(database, now)
    with MailServer() as server:
        server.refused[MOREAU_EMAIL] = "550 no such person"
        failed = attempt(database, worker_settings(database, smtp_url=server.url), moreau, now)
    assert (failed.state, failed.attempts) == (Delivery.FAILED, 1)
    assert failed.error == "Le serveur de courrier refuse cette adresse."
    assert journal_of(database, moreau.id)[-1][0] == "not_notified"


def test_greylisting_is_waited_out(database: Database, now: datetime) -> None:
    moreau = ask(database, now)
    with MailServer() as server:
        server.refused[MOREAU_EMAIL] = "450 come back later"
        server.replies = ["451 not now"]
        settings = worker_settings(database, smtp_url=server.url)
        first = attempt(database, settings, moreau, now)
        assert first.error == "Le serveur de courrier demande d'attendre."
        server.refused.clear()
        second = attempt(database, settings, moreau, first.next_attempt_at)
        assert second.state is Delivery.PENDING
        third = attempt(database, settings, moreau, second.next_attempt_at)
        assert (third.state, third.error, third.attempts) == (Delivery.SENT, "", 3)
        assert len(server.to(MOREAU_EMAIL)) == 1


def test_a_mail_the_server_refuses_fails_at_once(database: Database, now: datetime) -> None:
    with MailServer() as server:
        server.replies = ["554 no"]
        settings = worker_settings(database, smtp_url=server.url)
        with pytest.raises(PermanentFailureError, match="refuse ce message"):
            delivery.send_mail(settings, mail_to(MOREAU_EMAIL, now), SENDER)


def test_a_wrong_password_can_be_mended(database: Database, now: datetime) -> None:
    with MailServer(login=("allervers", "p@ss word")) as server:
        wrong = worker_settings(database, smtp_url=f"smtp://allervers:wrong@localhost:{server.port}")
        with pytest.raises(TemporaryFailureError, match="refuse ce message"):
            delivery.send_mail(wrong, mail_to(MOREAU_EMAIL, now), SENDER)
        right = worker_settings(database, smtp_url=f"smtp://allervers:p%40ss%20word@localhost:{server.port}")
        delivery.send_mail(right, mail_to(MOREAU_EMAIL, now), SENDER)
        assert server.signed_in == ["allervers"]


def test_an_address_that_cannot_be_written_fails_at_once(database: Database, now: datetime) -> None:
    with MailServer() as server:
        settings = worker_settings(database, smtp_url=server.url)
        with pytest.raises(PermanentFailureError):
            delivery.send_mail(settings, mail_to("a@example.org\nBcc: b@example.org", now), SENDER)
    assert server.mailbox.all == []


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for localhost and its key, in one file, signed by nobody."""
    file = tmp_path_factory.mktemp("tls") / "localhost.pem"
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost"
    )
    names = ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(file), "-out", f"{file}.crt"]
    subprocess.run([*command.split(), *names], check=True, capture_output=True)
    file.write_text(file.read_text() + Path(f"{file}.crt").read_text())
    return file


@pytest.mark.parametrize("implicit", [True, False], ids=["smtps", "starttls"])
def test_mail_travels_encrypted_to_a_server_we_trust_only(
    database: Database, now: datetime, certificate: Path, monkeypatch: pytest.MonkeyPatch, *, implicit: bool
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with MailServer(tls=context, implicit_tls=implicit) as server:
        settings = worker_settings(database, smtp_url=server.url)
        with pytest.raises(TemporaryFailureError):
            delivery.send_mail(settings, mail_to(MOREAU_EMAIL, now), SENDER)
        monkeypatch.setenv("SSL_CERT_FILE", f"{certificate}.crt")
        delivery.send_mail(settings, mail_to(MOREAU_EMAIL, now), SENDER)
        assert server.encrypted == [True]


@pytest.mark.parametrize(
    ("status", "headers", "wait"),
    [
        (500, {}, None),
        (503, {"Retry-After": "120"}, timedelta(minutes=2)),
        (429, {"Retry-After": "3600"}, timedelta(hours=1)),
        (429, {"Retry-After": "99999999999999999999"}, timedelta(days=1)),
        (429, {"Retry-After": "soon"}, None),
        (408, {}, None),
        (401, {}, None),
        (403, {}, None),
        (302, {"Location": "/"}, None),
    ],
)
def test_a_provider_in_trouble_is_asked_again(
    database: Database, status: int, headers: dict[str, str], wait: timedelta | None
) -> None:
    with TextProvider() as provider:
        provider.replies = [(status, headers)]
        with pytest.raises(TemporaryFailureError) as failure:
            delivery.send_text(texting(provider, database), AMINA_PHONE, "Bonjour", "1")
        assert failure.value.retry_after == wait
        delivery.send_text(texting(provider, database), AMINA_PHONE, "Bonjour", "1")
        assert len(provider.to(AMINA_PHONE)) == 1


def test_a_date_to_come_back_is_read_by_the_providers_clock() -> None:
    answer = httpx.Response(
        429,
        headers={"Date": "Tue, 03 Nov 2026 09:00:00 GMT", "Retry-After": "Tue, 03 Nov 2026 09:10:00 GMT"},
    )
    assert delivery._retry_after(answer) == timedelta(minutes=10)


@pytest.mark.parametrize("status", [400, 404, 422])
def test_a_text_the_provider_refuses_fails_at_once(database: Database, now: datetime, status: int) -> None:
    amina = ask(database, now, BY_TEXT)
    with TextProvider() as provider:
        provider.replies = [(status, {})]
        failed = attempt(database, texting(provider, database), amina, now)
        assert provider.asked == 1
    assert (failed.state, failed.error) == (Delivery.FAILED, "Le service de SMS refuse ce message.")


def test_the_provider_says_when_to_come_back(database: Database, now: datetime) -> None:
    amina = ask(database, now, BY_TEXT)
    with TextProvider() as provider:
        provider.replies = [(429, {"Retry-After": "3600"})]
        assert attempt(database, texting(provider, database), amina, now).next_attempt_at == now + timedelta(
            hours=1
        )


def test_a_provider_that_is_away_is_tried_again(database: Database) -> None:
    settings = worker_settings(database, sms_url=f"http://127.0.0.1:{free_port()}/", sms_token="x")
    with pytest.raises(TemporaryFailureError, match="ne répond pas"):
        delivery.send_text(settings, AMINA_PHONE, "Bonjour", "1")


def test_a_person_in_danger_gets_the_same_words(database: Database, now: datetime) -> None:
    """What travels is what `rendered` shows: nothing is added on the way."""
    amina = ask(database, now, replace(BY_TEXT, words="J'ai peur"))
    (waiting,) = notifications_of(database, amina.id)
    with TextProvider() as provider:
        settings = texting(provider, database)
        with transaction(database.backoffice) as session:
            shown = delivery.rendered(session, settings, waiting).body
        attempt(database, settings, amina, now)
        assert provider.to(AMINA_PHONE)[0]["text"] == shown


@pytest.mark.parametrize("url", ["mail.example.org", "http://mail.example.org", "smtp://"])
def test_a_mail_server_that_makes_no_sense_is_said_at_once(database: Database, url: str) -> None:
    with pytest.raises(SettingsError, match="SMTP_URL"):
        delivery.mail_address(worker_settings(database, smtp_url=url))


def test_a_moved_house_signs_with_its_new_number(database: Database, now: datetime) -> None:
    """Words are made when the message leaves, not when it was asked for."""
    moreau = ask(database, now)
    with transaction(database.owner) as session:
        session.execute(update(Request).values(house_id="loudun"))
    with MailServer() as server:
        attempt(database, worker_settings(database, smtp_url=server.url), moreau, now)
        assert "05 49 00 00 02" in server.to(MOREAU_EMAIL)[0].get_content()
