"""Twenty people send at once while processes are killed with -9: what was acknowledged is there, whole."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from casework import access
from casework.database import BACKOFFICE_ROLE, PORTAL_ROLE
from tests.conftest import Database
from tests.crash.processes import PATIENCE_SECONDS, Portal, Worker, stopped_by_a_lock, wait_until
from tests.crash.sending import NAMES, Person, Phone

BLOCKED = 6
"""This many sendings are under way when the processes die; the portal has eight threads."""
HALF = len(NAMES) // 2


@dataclass(frozen=True)
class House:
    """The processes, and what the database says of them."""

    database: Database
    portal: Portal
    worker: Worker

    def number(self, query: str, **values: object) -> int:
        """One number from the database, as its owner sees it."""
        with self.database.owner.connect() as connection:
            return int(connection.scalar(text(query), values) or 0)

    def waiting(self, role: str) -> set[int]:
        """The database processes of a role that wait for a lock in the middle of a transaction."""
        return stopped_by_a_lock(self.database.owner, role)

    def others_wait(self, role: str, but: set[int], how_many: int) -> bool:
        """True when as many database processes of a role wait, besides those."""
        return len(self.waiting(role) - but) >= how_many

    def holds_requests(self, how_many: int) -> bool:
        """True when as many requests are committed."""
        return self.number("SELECT count(*) FROM requests") >= how_many


@pytest.fixture
def house(database: Database, tmp_path: Path) -> Iterator[House]:
    """The portal and the worker, running."""
    with (tmp_path / "log").open("wb") as log:
        running = House(database, Portal(database, tmp_path, log), Worker(database, tmp_path, log))
        yield running
        running.portal.stop()
        running.worker.kill()


@pytest.mark.slow
def test_what_is_acknowledged_is_kept_and_nothing_is_half_there(house: House) -> None:
    people = [Person(name, place, retries=place % 6 != 5) for place, name in enumerate(NAMES)]
    killed = _send_amid_deaths(house, people)

    acknowledged = [person for person in people if person.receipt]
    gave_up = [person for person in people if not person.receipt]
    assert killed >= 8
    assert sum(person.cuts for person in people) >= BLOCKED
    assert {person.name for person in acknowledged} >= {person.name for person in people if person.retries}
    assert gave_up, "somebody was cut, gave up, and must not be half there"
    with house.database.owner.connect() as connection:
        for person in acknowledged:
            _is_whole(connection, house.database, person)
        for person in gave_up:
            _is_whole_or_absent(connection, house.database, person)
        _nothing_hangs_loose(connection)

    killed = _deliver_amid_deaths(house)
    assert killed == 2
    with house.database.owner.connect() as connection:
        states = connection.execute(
            text("SELECT channel, state, count(*) FROM notifications GROUP BY 1, 2")
        ).all()
    assert {(channel, state) for channel, state, _ in states} <= {
        ("sms", "shown"), ("email", "shown"), ("call", "by_hand"), ("letter", "by_hand"),
    }  # fmt: skip
    sent = house.number("SELECT count(*) FROM requests")
    assert len(acknowledged) <= sent <= len(people)
    for person in acknowledged[:3]:
        assert person.receipt
        phone = Phone(house.portal.address, person)
        assert access.spoken(person.receipt.number) in phone.follow(person.receipt.secret)
        phone.close()


def _send_amid_deaths(house: House, people: list[Person]) -> int:
    """Let everybody fill in and send, and kill portal and worker meanwhile; returns how many processes died.

    A lock on the journal holds every sending in the middle of its transaction: the first deaths fall there.
    """
    ready, held = threading.Barrier(len(people) + 1), house.database.owner.connect()
    killed = 0
    with ThreadPoolExecutor(len(people)) as crowd, held:
        sending = [crowd.submit(_ask, house, person, ready) for person in people]
        try:
            half_way = "SELECT count(*) FROM drafts WHERE answers->'channels' <> '[]'"
            wait_until(
                lambda: _failed(sending) or house.number(half_way) >= HALF, "half of them to be half way"
            )
            killed += house.portal.kill(2)
            held.execute(text("LOCK TABLE journal IN SHARE MODE"))
            wait_until(
                lambda: _failed(sending) or ready.n_waiting == len(people), "everybody to be at the check"
            )
            ready.wait(PATIENCE_SECONDS)
            for _ in range(2):
                already = house.waiting(PORTAL_ROLE)
                wait_until(
                    partial(house.others_wait, PORTAL_ROLE, already, BLOCKED),
                    "people to be in the middle of sending",
                )
                killed += house.portal.kill(2)
        finally:
            held.rollback()
            ready.abort()
            _say_who_failed(sending)
        for kept in (1, 6, 11):
            wait_until(partial(house.holds_requests, kept), f"{kept} requests")
            killed += house.portal.kill(1) + house.worker.kill()
            house.worker.start()
        for future in sending:
            future.result(PATIENCE_SECONDS * 2)
    return killed


def _ask(house: House, person: Person, ready: threading.Barrier) -> None:
    """One person's journey. Every seventh is in a tunnel: it is sent and kept, but no answer comes through."""
    phone = Phone(house.portal.address, person)
    token = phone.fill_in()
    ready.wait(PATIENCE_SECONDS * 2)
    if person.place % 7 == 0:
        kept = access.link_hash(house.database.access_key, person.secret)
        while not house.number("SELECT count(*) FROM access_keys WHERE hash = :kept", kept=kept):
            phone.send_and_lose_the_answer(token)
    phone.send(token)
    phone.close()


def _failed(sending: list[Future[None]]) -> bool:
    return any(future.done() and future.exception() for future in sending)


def _say_who_failed(sending: list[Future[None]]) -> None:
    for future in sending:
        if future.done():
            future.result()


def _deliver_amid_deaths(house: House) -> int:
    """Kill two workers in the middle of a delivery; the third one's sweep finishes. Returns how many died."""
    killed = 0
    with house.database.owner.connect() as held:
        held.execute(text("UPDATE notifications SET state = 'pending', attempts = 0 WHERE state = 'shown'"))
        held.commit()
        held.execute(text("LOCK TABLE notifications IN SHARE MODE"))
        for _ in range(2):
            house.worker.kill()
            already = house.waiting(BACKOFFICE_ROLE)
            house.worker.start()
            wait_until(partial(house.others_wait, BACKOFFICE_ROLE, already, 1), "a delivery to be under way")
            killed += house.worker.kill()
    house.worker.start()
    wait_until(
        lambda: not house.number("SELECT count(*) FROM notifications WHERE state = 'pending'"), "the sweep"
    )
    return killed


def _is_whole(connection: Connection, database: Database, person: Person) -> None:
    """The receipt's number is one request, with all its parts, each once."""
    receipt = person.receipt
    assert receipt
    ids = connection.scalars(
        text("SELECT id FROM requests WHERE number = :number"), {"number": receipt.number}
    ).all()
    assert len(ids) == 1, f"{person.name} holds number {receipt.number}: {len(ids)} requests"
    key = database.access_key
    hashes = {access.link_hash(key, receipt.secret), access.code_hash(key, receipt.number, receipt.code)}
    assert receipt.secret == person.secret
    _has_all_its_parts(connection, ids[0], hashes, person)


def _is_whole_or_absent(connection: Connection, database: Database, person: Person) -> None:
    """Who was not acknowledged is there with all the parts, or only the draft is there, still unsent."""
    opens = access.link_hash(database.access_key, person.secret)
    draft_id, sent_at = connection.execute(
        text("SELECT id, sent_at FROM drafts WHERE secret_hash = :opens"), {"opens": opens}
    ).one()
    number = connection.scalar(text("SELECT number FROM requests WHERE id = :id"), {"id": draft_id})
    assert (number is None) == (sent_at is None)
    if number is None:
        for part in ("access_keys", "contact_ways", "journal", "notifications"):
            query = text(f"SELECT count(*) FROM {part} WHERE request_id = :id")
            assert connection.scalar(query, {"id": draft_id}) == 0, (
                f"{person.name} has {part} without a request"
            )
    else:
        code = access.code_hash(
            database.access_key, number, access.code_of(database.access_key, person.secret)
        )
        _has_all_its_parts(connection, draft_id, {opens, code}, person)


def _has_all_its_parts(connection: Connection, request_id: object, hashes: set[str], person: Person) -> None:
    """Both keys, each contact way, one line “sent” in the journal, one receipt for each way, the paper."""
    here = {"id": request_id}
    assert (
        set(connection.scalars(text("SELECT hash FROM access_keys WHERE request_id = :id"), here)) == hashes
    )
    contacts = sorted((way.value, value) for way, value in person.contacts.items())
    query = "SELECT channel, value FROM contact_ways WHERE request_id = :id ORDER BY 1"
    assert [tuple(row) for row in connection.execute(text(query), here)] == contacts
    query = "SELECT channel, recipient FROM notifications WHERE request_id = :id ORDER BY 1"
    assert [tuple(row) for row in connection.execute(text(query), here)] == contacts
    assert connection.scalars(text("SELECT action FROM journal WHERE request_id = :id"), here).all() == [
        "sent"
    ]
    papers = connection.scalar(
        text("SELECT count(*) FROM documents WHERE request_id = :id AND draft_id IS NULL"), here
    )
    assert bool(papers) == (person.place % 5 == 0)


def _nothing_hangs_loose(connection: Connection) -> None:
    """No draft is marked as sent without its request, and the journal speaks of no request that is not there."""
    orphans = """
        SELECT count(*) FROM drafts FULL JOIN requests ON requests.id = drafts.id
        WHERE (drafts.sent_at IS NOT NULL) <> (requests.id IS NOT NULL)
    """
    assert connection.scalar(text(orphans)) == 0
    assert (
        connection.scalar(
            text("SELECT count(*) FROM journal WHERE request_id NOT IN (SELECT id FROM requests)")
        )
        == 0
    )
