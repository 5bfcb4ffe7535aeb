"""Triage: whatever agents try, in whatever order, states, journal and versions stay right."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from casework import requests, triage
from casework.agents import Absence, Agent
from casework.database import transaction
from casework.journal import Entry
from casework.messages import Message
from casework.notifications import Notification
from casework.requests import ChangedMeanwhileError, Request, SendingKeys
from casework.triage import ALLOWED_FROM, ALLOWED_ROLES, Act, NotAllowedError, ReasonMissingError, Reply
from casework.vocabulary import Outcome, Role, State, Theme
from tests.casework.asking import BY_MAIL, BY_TEXT, Asked, ask
from tests.conftest import Database
from tests.people import AGENTS, FROZES, LOUISE, MARC, NADIA, ODILE, PAUL, SARAH, Character


@dataclass(frozen=True)
class Try:
    """One thing an agent tries."""

    act: Act
    who: Character
    worker: Character
    why: str
    urgent: bool


def attempt(session: Session, database: Database, request: Request, tried: Try, now: datetime) -> None:
    """Do it, as the page does."""
    agent, worker = session.get_one(Agent, tried.who.id), session.get_one(Agent, tried.worker.id)
    reply = Reply("Bonjour.", uuid4(), SendingKeys(database.access_key, database.public_key))
    deeds: dict[Act, Callable[[], None]] = {
        Act.QUALIFY: lambda: triage.qualify(
            session, agent, request,
            themes=[Theme.MONEY], urgent=tried.urgent, urgency_reason=tried.why, missing="", now=now,
        ),
        Act.ROUTE: lambda: triage.send_to_worker(
            session, agent, request, worker, tried.why, triage.propose(session, request, now), now
        ),
        Act.TAKE: lambda: triage.take(session, agent, request, now),
        Act.ANSWER: lambda: triage.answer(session, agent, request, reply, now),
        Act.ASK_PAPER: lambda: triage.ask_paper(session, agent, request, reply, now),
        Act.HAND_OVER: lambda: triage.hand_over(session, agent, request, worker, tried.why, now),
        Act.HAND_BACK: lambda: triage.hand_back(session, agent, request, tried.why, now),
        Act.CLOSE: lambda: triage.close(session, agent, request, Outcome.ANSWERED, now),
        Act.REOPEN: lambda: triage.reopen(session, agent, request, now),
    }  # fmt: skip
    deeds[tried.act]()


def lines(session: Session) -> int:
    """How long the journal is."""
    return session.scalar(select(func.count()).select_from(Entry)) or 0


def should_succeed(request: Request, tried: Try, proposed: int | None) -> bool:
    """The rules, written a second time."""
    worker_ok = tried.worker.role is Role.WORKER and tried.worker.house == request.house_id
    needed = {
        Act.TAKE: request.worker_id == tried.who.id,
        Act.QUALIFY: bool(tried.why) or tried.urgent == request.urgent,
        Act.ROUTE: worker_ok and (bool(tried.why) or tried.worker.id == proposed),
        Act.HAND_OVER: request.worker_id is not None and worker_ok and bool(tried.why),
        Act.HAND_BACK: request.worker_id is not None and bool(tried.why),
    }
    return (
        request.state in ALLOWED_FROM[tried.act]
        and tried.who.role in ALLOWED_ROLES[tried.act]
        and tried.who.house == request.house_id
        and needed.get(tried.act, True)
    )


class Desk(RuleBasedStateMachine):
    """One request, and everybody trying everything on it."""

    database: Database
    start: datetime

    def __init__(self) -> None:
        super().__init__()
        self.now = self.start
        self.asked = ask(self.database, self.now, BY_MAIL)

    @rule(
        act=st.sampled_from(Act), who=st.sampled_from(AGENTS), worker=st.sampled_from(AGENTS),
        why=st.sampled_from(["", "Parce que."]), urgent=st.booleans(),
    )  # fmt: skip
    def try_something(self, act: Act, who: Character, worker: Character, why: str, urgent: bool) -> None:
        """It succeeds exactly when the rules say so; then one journal line and one version more, else nothing."""
        tried = Try(act, who, worker, why, urgent)
        self.now += timedelta(minutes=1)
        with transaction(self.database.backoffice) as session:
            before = session.get_one(Request, self.asked.id)
            version, written = before.version, lines(session)
            proposal = triage.propose(session, before, self.now).worker
            expected = should_succeed(before, tried, proposal.id if proposal else None)
            agent = session.get_one(Agent, who.id)
            if expected:
                assert act in triage.possible(agent, before)
        try:
            with transaction(self.database.backoffice) as session:
                attempt(
                    session, self.database, requests.locked(session, self.asked.id, version), tried, self.now
                )
        except (NotAllowedError, ReasonMissingError):
            assert not expected, f"refused: {tried}"
            grown = 0
        else:
            assert expected, f"done: {tried}"
            grown = 1
        with transaction(self.database.backoffice) as session:
            assert session.get_one(Request, self.asked.id).version == version + grown
            assert lines(session) == written + grown

    @invariant()
    def a_state_means_what_it_says(self) -> None:
        """Routed and taken have a worker, who is told of; closed has an outcome and a time, and nothing else has."""
        with transaction(self.database.backoffice) as session:
            request = session.get_one(Request, self.asked.id)
            if request.state in {State.ROUTED, State.TAKEN}:
                assert request.worker_id
            assert bool(request.worker_id) == bool(request.handler)
            assert (
                (request.state is State.CLOSED)
                == (request.outcome is not None)
                == (request.closed_at is not None)
            )


@pytest.mark.slow
def test_everybody_trying_everything(database: Database, now: datetime) -> None:
    machine = type("AtPoitiers", (Desk,), {"database": database, "start": now})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=15, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )


@pytest.fixture
def asked(database: Database, now: datetime) -> Asked:
    """Marcel's request."""
    return ask(database, now, BY_MAIL)


def do(database: Database, asked: Asked, act: Act, who: Character, now: datetime, **more: Any) -> None:
    """One act that succeeds."""
    tried = replace(Try(act, who, PAUL, "Parce que.", False), **more)
    with transaction(database.backoffice) as session:
        version = session.get_one(Request, asked.id).version
        attempt(session, database, requests.locked(session, asked.id, version), tried, now)


def test_an_act_that_is_rolled_back_leaves_nothing(database: Database, asked: Asked, now: datetime) -> None:
    with Session(database.backoffice) as session:
        opened = requests.locked(session, asked.id, 1)
        attempt(session, database, opened, Try(Act.ANSWER, NADIA, PAUL, "", False), now)
        session.flush()
        assert session.scalar(select(func.count()).select_from(Notification)) == 2
        session.rollback()
    with transaction(database.backoffice) as session:
        assert session.scalar(select(func.count()).select_from(Message)) == 0
        assert session.scalar(select(func.count()).select_from(Notification)) == 1, "the receipt"
        assert session.scalars(select(Entry.action)).all() == ["sent"]


def test_a_form_of_an_older_version_is_refused(database: Database, asked: Asked, now: datetime) -> None:
    do(database, asked, Act.QUALIFY, NADIA, now)
    with pytest.raises(ChangedMeanwhileError), transaction(database.backoffice) as session:
        requests.locked(session, asked.id, 1)


def proposal(database: Database, asked: Asked, now: datetime) -> tuple[str, str]:
    """Who is proposed and why."""
    with transaction(database.backoffice) as session:
        decision = triage.propose(session, session.get_one(Request, asked.id), now)
        return (decision.worker.name if decision.worker else "", decision.reason.value)


def away(database: Database, who: Character, first: date, last: date) -> None:
    """Somebody is away."""
    with transaction(database.owner) as session:
        session.add(Absence(agent_id=who.id, first_day=first, last_day=last))


def test_the_referent_of_a_small_commune_unless_away(database: Database, now: datetime) -> None:
    asked = ask(database, now, replace(BY_MAIL, commune_code=FROZES))
    assert proposal(database, asked, now) == (LOUISE.name, "referent")
    away(database, LOUISE, now.date(), now.date())
    assert proposal(database, asked, now) == (PAUL.name, "only_one")
    assert proposal(database, asked, now + timedelta(days=1)) == (LOUISE.name, "referent")


def test_the_load_counts_open_requests_by_share(database: Database, now: datetime) -> None:
    for turn, expected in enumerate([PAUL, SARAH, PAUL, PAUL, SARAH]):
        asked = ask(database, now, replace(BY_MAIL, email=f"p{turn}@example.org", name=""))
        moment = now + timedelta(minutes=turn)
        assert proposal(database, asked, moment)[0] == expected.name, turn
        do(database, asked, Act.ROUTE, NADIA, moment, worker=expected)


def test_the_worker_of_an_earlier_request_needs_the_same_contact_and_name(
    database: Database, now: datetime
) -> None:
    first = ask(database, now, BY_TEXT)
    do(database, first, Act.ROUTE, NADIA, now, worker=SARAH)
    again = ask(database, now, replace(BY_TEXT, name=" amîna "))
    assert proposal(database, again, now) == (SARAH.name, "known")
    for other in (
        replace(BY_TEXT, name="Karim"),
        replace(BY_TEXT, name=""),
        replace(BY_TEXT, sms_number="+33698765432"),
    ):
        assert proposal(database, ask(database, now, other), now)[1] != "known"


def test_nobody_here_is_said_and_a_manager_may_still_choose(
    database: Database, asked: Asked, now: datetime
) -> None:
    for who in (PAUL, SARAH, LOUISE):
        away(database, who, now.date(), now.date())
    assert proposal(database, asked, now) == ("", "nobody")
    do(database, asked, Act.ROUTE, MARC, now, worker=PAUL)


def test_another_house_may_not_even_read(database: Database, asked: Asked, now: datetime) -> None:
    with transaction(database.backoffice) as session, pytest.raises(triage.NotYoursError):
        triage.read(session, session.get_one(Agent, ODILE.id), asked.id, now)
    with transaction(database.backoffice) as session, pytest.raises(triage.NotYoursError):
        triage.read(session, session.get_one(Agent, NADIA.id), uuid4(), now)
    with transaction(database.backoffice) as session:
        assert triage.possible(session.get_one(Agent, ODILE.id), session.get_one(Request, asked.id)) == []
