"""The conversation: each form once, in order, signed as the person reads it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier
from uuid import uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from casework import access, journal, messages
from casework.agents import Agent
from casework.database import transaction
from casework.following import followed
from casework.messages import LONGEST_BODY, Kind, Message
from casework.requests import Request
from casework.vocabulary import State
from tests.casework.asking import Asked, ask
from tests.conftest import Database
from tests.people import CLAIRE, NADIA


@pytest.fixture
def asked(database: Database, now: datetime) -> Asked:
    """Marcel's request."""
    return ask(database, now)


def as_person(database: Database, asked: Asked) -> Session:
    """The portal's session of whoever holds the link."""
    return Session(database.portal, info={"secret_hash": access.link_hash(database.access_key, asked.secret)})


def test_the_same_form_from_four_threads_is_one_message(
    database: Database, asked: Asked, now: datetime
) -> None:
    submission, together = uuid4(), Barrier(4)

    def write(_: int) -> bool:
        with as_person(database, asked) as session, session.begin():
            together.wait(10)
            return messages.write_as_citizen(session, asked.id, "Bonjour", "fr", submission, now)

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(write, range(4))) == [False, False, False, True]
    with transaction(database.owner) as session:
        assert len(session.scalars(select(Message)).all()) == 1
        assert [entry.action for entry, _, _ in journal.of_request(session, asked.id)] == ["sent", "wrote"]
        assert messages.already_received(session, asked.id, submission)
        assert not messages.already_received(session, uuid4(), submission)


def test_both_sides_in_order_as_the_person_reads_it(database: Database, asked: Asked, now: datetime) -> None:
    with transaction(database.backoffice) as session:
        request, nadia = session.get_one(Request, asked.id), session.get_one(Agent, NADIA.id)
        messages.write_as_agent(session, request, nadia, "Envoyez le bail.", uuid4(), now, Kind.PAPER_ASKED)
        request.state, request.missing = State.WAITING, "Le bail"
    with as_person(database, asked) as session, session.begin():
        seen = followed(session, asked.id)
        assert (seen.state, seen.answered, seen.sensitive) == (State.WAITING, True, False)
        messages.write_as_citizen(session, asked.id, "Le voici", "ar", uuid4(), now + timedelta(minutes=1))
    with as_person(database, asked) as session:
        seen = followed(session, asked.id)
        assert seen.state is State.QUALIFIED, "we wait for them no more"
        assert [(said.mine, said.signature, said.body, said.asks_paper) for said in seen.conversation] == [
            (False, "Nadia Roux", "Envoyez le bail.", True), (True, "", "Le voici", False),
        ]  # fmt: skip


def test_a_message_longer_than_any_form_lets_through_is_cut(
    database: Database, asked: Asked, now: datetime
) -> None:
    with as_person(database, asked) as session, session.begin():
        messages.write_as_citizen(session, asked.id, "é" * (LONGEST_BODY + 1), "fr", uuid4(), now)
        assert len(followed(session, asked.id).conversation[0].body) == LONGEST_BODY


def test_repeated_readings_are_one_line_and_others_reading_are_named(
    database: Database, asked: Asked, now: datetime
) -> None:
    with transaction(database.backoffice) as session:
        nadia, claire = session.get_one(Agent, NADIA.id), session.get_one(Agent, CLAIRE.id)
        for minute, who in enumerate([nadia, nadia, nadia, claire, nadia]):
            moment = now + timedelta(minutes=minute)
            journal.write(session, journal.Action.OPENED, moment, request_id=asked.id, agent=who)
        history = journal.of_request(session, asked.id)
        read = [(who.name, times) for entry, who, times in history if who and entry.action == "opened"]
        assert read == [(NADIA.name, 3), (CLAIRE.name, 1), (NADIA.name, 1)]
        others = journal.others_reading(session, asked.id, nadia, now + timedelta(minutes=3))
        assert [who.name for who in others] == [CLAIRE.name]
        assert journal.others_reading(session, asked.id, nadia, now + timedelta(minutes=4)) == []
