"""The worker as a process and in a test's own time: nothing acknowledged is lost, whatever dies meanwhile."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import select, text

from casework import access, agents, documents, messages, rounds, triage, worker
from casework.agents import Agent, AgentSession
from casework.database import present, transaction
from casework.documents import Document, Scan
from casework.notifications import Delivery
from casework.requests import Draft, Request, SendingKeys, start_draft
from casework.settings import Settings, SettingsError
from tests.casework.asking import BY_TEXT, Asked, ask, journal_of, notifications_of, worker_settings
from tests.conftest import Database
from tests.local_servers import PATIENCE, VIRUS_MARKER, MailServer, TextProvider, free_port, local_clamd
from tests.people import AMINA_PHONE, MOREAU_EMAIL, NADIA

pytestmark = pytest.mark.long

WORK = "from casework import settings, worker; worker.run(settings.from_environment())"
PAPER = b"%PDF-1.4\nune lettre"


@contextmanager
def worker_process(settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    """A worker in its own process; killed at the end if it still lives."""
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "DATABASE_URL": settings.database_url,
        "ACCESS_KEY": settings.access_key,
        "DOCUMENTS_PUBLIC_KEY": settings.documents_public_key,
        "DOCUMENTS_PRIVATE_KEY": settings.documents_private_key,
        "PORTAL_ADDRESS": settings.portal_address,
        "SMTP_URL": settings.smtp_url,
        "CLAMD_URL": settings.clamd_url,
    }
    with subprocess.Popen([sys.executable, "-c", WORK], env=environment, stderr=subprocess.PIPE) as process:
        try:
            yield process
        finally:
            process.kill()


def eventually(happened: Callable[[], bool]) -> None:
    """Look again and again until it happened.

    Raises:
        AssertionError: it did not, in `PATIENCE` seconds.
    """
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)


def only_state(database: Database, asked: Asked) -> Delivery:
    (notification,) = notifications_of(database, asked.id)
    return notification.state


def jobs(database: Database) -> list[tuple[str, str]]:
    """(task, status) of every job of the queue but those of each minute."""
    with database.owner.connect() as connection:
        rows = connection.execute(
            text(
                "SELECT task_name, status FROM procrastinate_jobs "
                "WHERE task_name NOT IN ('sweep', 'sync_calendars') ORDER BY id"
            )
        )
        return [(task, status) for task, status in rows]


def lose_every_job(database: Database) -> None:
    """What a crash of the queue's own tables would do."""
    with database.owner.begin() as connection:
        connection.execute(text("DELETE FROM procrastinate_jobs"))


def scan_of(database: Database) -> Scan:
    with transaction(database.backoffice) as session:
        return session.scalars(select(Document.scan)).one()


# --- one round, in the test's own time ------------------------------------------------------------------


def test_everything_due_is_done_once(database: Database, now: datetime, tmp_path: Path) -> None:
    moreau = ask(database, now, paper=PAPER + VIRUS_MARKER)
    amina = ask(database, now, BY_TEXT)
    with MailServer() as server, TextProvider() as provider, local_clamd(tmp_path) as clamd:
        settings = worker_settings(
            database, smtp_url=server.url, sms_url=provider.url, sms_token=provider.token,
            clamd_url=f"unix://{clamd.path}",
        )  # fmt: skip
        worker.drain(settings)
        worker.drain(settings)
        assert len(server.to(MOREAU_EMAIL)) == len(provider.to(AMINA_PHONE)) == 1
    assert only_state(database, moreau) is only_state(database, amina) is Delivery.SENT
    assert scan_of(database) is Scan.INFECTED
    assert jobs(database) == [], "a finished job leaves nothing behind"


def test_a_lost_job_is_given_again(database: Database, now: datetime) -> None:
    moreau = ask(database, now)
    lose_every_job(database)
    with MailServer() as server:
        worker.drain(worker_settings(database, smtp_url=server.url), lambda: now)
        assert len(server.to(MOREAU_EMAIL)) == 1
    assert only_state(database, moreau) is Delivery.SENT


def test_a_doubled_job_sends_once(database: Database, now: datetime) -> None:
    moreau = ask(database, now)
    (receipt,) = notifications_of(database, moreau.id)
    with transaction(database.backoffice) as session:
        for _ in range(5):
            session.execute(text("SELECT defer_work('send_notification', :id, NULL)"), {"id": receipt.id})
    with MailServer() as server:
        worker.drain(worker_settings(database, smtp_url=server.url))
        assert len(server.mailbox.all) == 1
    assert only_state(database, moreau) is Delivery.SENT
    assert [action for action, _details in journal_of(database, moreau.id)] == ["sent", "notified"]


def test_a_row_with_a_job_gets_no_second_one(database: Database, now: datetime) -> None:
    ask(database, now, paper=PAPER)
    before = jobs(database)
    rounds.sweep(database.backoffice, now + timedelta(hours=1))
    assert jobs(database) == before == [("scan_document", "todo"), ("send_notification", "todo")]


def test_a_failed_message_leaves_at_the_minute_it_is_due(database: Database, now: datetime) -> None:
    moreau = ask(database, now)
    away = worker_settings(database, smtp_url=f"smtp://127.0.0.1:{free_port()}")
    worker.drain(away, lambda: now)
    with MailServer() as server:
        back = worker_settings(database, smtp_url=server.url)
        worker.drain(back, lambda: now + timedelta(seconds=30))
        assert only_state(database, moreau) is Delivery.PENDING
        worker.drain(back, lambda: now + timedelta(seconds=61))
        assert only_state(database, moreau) is Delivery.SENT


def test_a_message_that_can_never_leave_reaches_an_agents_eyes(database: Database, now: datetime) -> None:
    """Here its language lost its catalogue: an error nobody foresaw, at each attempt."""
    moreau = ask(database, now, language="fr")
    with transaction(database.owner) as session:
        session.execute(text("UPDATE notifications SET language = 'tlh'"))
    settings = worker_settings(database, smtp_url=f"smtp://127.0.0.1:{free_port()}")
    for hours in range(6):
        worker.drain(settings, lambda hours=hours: now + timedelta(hours=5 * hours))  # type: ignore[misc]
    (failed,) = notifications_of(database, moreau.id)
    assert (failed.state, failed.error) == (Delivery.FAILED, "Une erreur du logiciel empêche l'envoi.")
    assert journal_of(database, moreau.id)[-1][0] == "not_notified"


def test_papers_wait_for_the_scanner_to_come_back(database: Database, now: datetime, tmp_path: Path) -> None:
    ask(database, now, paper=PAPER)
    with local_clamd(tmp_path) as clamd:
        settings = worker_settings(database, clamd_url=f"unix://{clamd.path}")
    worker.drain(settings, lambda: now)
    assert (scan_of(database), jobs(database)) == (Scan.PENDING, [])
    with local_clamd(tmp_path):
        worker.drain(settings, lambda: now + timedelta(minutes=1))
        assert scan_of(database) is Scan.PENDING
        worker.drain(settings, lambda: now + timedelta(minutes=3))
        assert scan_of(database) is Scan.CLEAN


def test_what_has_served_its_time_is_forgotten(database: Database, now: datetime) -> None:
    hashed = access.link_hash(database.access_key, "abandoned")
    with transaction(database.owner) as session:
        draft = start_draft(session, hashed, "fr", now)
        session.flush()
        owner = documents.Owner(draft_id=draft.id)
        documents.receive(session, owner, "lettre.pdf", PAPER, database.public_key, now)
        access.note_failure(session, database.access_key, ["somebody"], now)
        agents.open_session(session, session.get_one(Agent, NADIA.id), now)
    for later, left in ((timedelta(hours=11), 1), (timedelta(days=4), 0)):
        worker.drain(worker_settings(database), lambda later=later: now + later)  # type: ignore[misc]
        with transaction(database.owner) as session:
            for table in (Draft, Document, access.Guess, AgentSession):
                assert len(session.scalars(select(table)).all()) == left, table


# --- as a process ---------------------------------------------------------------------------------------


def test_a_worker_sends_what_comes_in_while_it_runs(database: Database, now: datetime) -> None:
    with MailServer() as server, worker_process(worker_settings(database, smtp_url=server.url)):
        for count in range(1, 4):
            ask(database, now)
            assert len(server.to(MOREAU_EMAIL, count)) == count


def test_nothing_is_lost_when_a_worker_is_killed_while_sending(database: Database, now: datetime) -> None:
    """The mail server had the mail, the worker died before it could write so: the mail leaves again, and says
    by its Message-ID that it is the same."""
    moreau = ask(database, now)
    with MailServer() as server:
        settings = worker_settings(database, smtp_url=server.url)
        server.hold()
        with worker_process(settings) as first:
            server.to(MOREAU_EMAIL)
            first.kill()
            first.wait(PATIENCE)
        assert only_state(database, moreau) is Delivery.PENDING
        server.release()
        with worker_process(settings):
            eventually(lambda: only_state(database, moreau) is Delivery.SENT)
        once, again = server.to(MOREAU_EMAIL, 2)
    assert once["Message-ID"] == again["Message-ID"]
    assert [action for action, _details in journal_of(database, moreau.id)] == ["sent", "notified"]


def test_the_jobs_of_a_dead_worker_do_not_stay_under_way(database: Database, now: datetime) -> None:
    ask(database, now)
    with MailServer() as server:
        server.hold()
        with worker_process(worker_settings(database, smtp_url=server.url)) as process:
            server.to(MOREAU_EMAIL)
            process.kill()
            process.wait(PATIENCE)
        server.release()
        assert ("send_notification", "doing") in jobs(database), (
            "a sweep at the turn of a minute may add one to do"
        )
        with database.owner.begin() as connection:  # as if half an hour had passed
            connection.execute(
                text("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '30 min'")
            )
        worker.drain(worker_settings(database, smtp_url=server.url))
    assert jobs(database) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_asked_to_stop_finishes_its_mail(
    database: Database, now: datetime, number: signal.Signals
) -> None:
    moreau = ask(database, now)
    with MailServer() as server:
        server.hold()
        with worker_process(worker_settings(database, smtp_url=server.url)) as process:
            server.to(MOREAU_EMAIL)
            process.send_signal(number)
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(0.3)
            server.release()
            assert process.wait(PATIENCE) == 0
    assert only_state(database, moreau) is Delivery.SENT
    assert jobs(database) == []


def test_an_idle_worker_stops_at_once(database: Database) -> None:
    others = workers(database)
    with worker_process(worker_settings(database)) as process:
        eventually(lambda: workers(database) > others)
        process.terminate()
        assert process.wait(PATIENCE) == 0
    assert workers(database) == others


def test_a_worker_sweeps_by_itself(database: Database) -> None:
    def swept() -> bool:
        with database.owner.connect() as connection:
            defers = "SELECT count(*) FROM procrastinate_periodic_defers WHERE task_name = 'sweep'"
            left = "SELECT count(*) FROM procrastinate_jobs"
            return bool(connection.scalar(text(defers))) and not connection.scalar(text(left))

    with worker_process(worker_settings(database)):
        eventually(swept)


def test_a_worker_waits_for_a_database_that_is_away(database: Database) -> None:
    nowhere = worker_settings(database, database_url=f"postgresql://nobody@127.0.0.1:{free_port()}/nothing")
    with worker_process(nowhere) as process:
        assert process.stderr is not None
        assert b"the database is away" in process.stderr.readline()
        process.terminate()
        assert process.wait(PATIENCE) == 0


def workers(database: Database) -> set[int]:
    """Ids of the workers that are registered."""
    with database.owner.connect() as connection:
        return set(connection.scalars(text("SELECT id FROM procrastinate_workers")))


def test_a_worker_outlives_its_connections(database: Database, now: datetime) -> None:
    """As when the database restarts."""
    with MailServer() as server, worker_process(worker_settings(database, smtp_url=server.url)) as process:
        ask(database, now)
        server.to(MOREAU_EMAIL)
        with database.owner.begin() as connection:
            connection.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE usename = 'allervers_backoffice' AND datname = current_database()"
                )
            )
        database.backoffice.dispose()
        ask(database, now)
        assert len(server.to(MOREAU_EMAIL, 2)) == 2
        assert process.poll() is None


def test_a_new_message_reaches_its_person(database: Database, now: datetime) -> None:
    """Nadia answers; Amina gets a text with a link of her own, and the first link still works."""
    amina = ask(database, now, BY_TEXT)
    with transaction(database.backoffice) as session:
        nadia = session.get_one(Agent, NADIA.id)
        request = session.get_one(Request, amina.id)
        reply = triage.Reply("Venez mardi.", uuid4(), SendingKeys(database.access_key, database.public_key))
        triage.answer(session, nadia, request, reply, now)
        assert len(messages.of_request(session, amina.id)) == 1
    with TextProvider() as provider:
        worker.drain(worker_settings(database, sms_url=provider.url, sms_token=provider.token), lambda: now)
        told = [one["text"] for one in provider.to(AMINA_PHONE, 2)]
    assert sum("Un message vous attend." in one for one in told) == 1
    assert not any("Venez" in one for one in told), "what was written stays on the portal"
    for secret in (one.rsplit("/", 1)[1] for one in told):
        with transaction(database.portal) as session:
            present(session, access.link_hash(database.access_key, secret))
            assert access.opened_request(session) == amina.id


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"access_key": ""}, "ACCESS_KEY"),
        ({"documents_private_key": ""}, "DOCUMENTS_PRIVATE_KEY"),
        ({"documents_public_key": documents.new_key_pair()[0]}, "DOCUMENTS_PUBLIC_KEY"),
        ({"smtp_url": "mail.example.org"}, "SMTP_URL"),
        ({"clamd_url": "clamav"}, "CLAMD_URL"),
    ],
)
def test_wrong_settings_are_said_before_any_job_fails(
    database: Database, changes: dict[str, str], name: str
) -> None:
    with pytest.raises(SettingsError, match=name):
        worker.drain(worker_settings(database, **changes))
