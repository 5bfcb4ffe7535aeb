"""From a draft to a request: promised when, refused when incomplete, whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from casework import access, requests
from casework.database import transaction
from casework.requests import (
    PARIS,
    Answers,
    Draft,
    IncompleteError,
    Request,
    SendingKeys,
    promise,
    shown_state,
)
from casework.vocabulary import Channel, State, Urgency
from tests.casework.asking import BY_MAIL, BY_TEXT, ask
from tests.conftest import Database


@given(st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1)), st.integers(1, 15))  # noqa: DTZ001
def test_a_promise_is_a_working_day_at_six_in_paris(naive: datetime, days: int) -> None:
    now = naive.replace(tzinfo=PARIS)
    promised = promise(now, days)
    assert promised.astimezone(PARIS).hour == 18
    assert promised.weekday() < 5
    assert (promised.month, promised.day) not in {
        (1, 1),
        (5, 1),
        (5, 8),
        (7, 14),
        (8, 15),
        (11, 1),
        (11, 11),
        (12, 25),
    }
    assert timedelta(days=days - 1) < promised - now < timedelta(days=2 * days + 7)
    assert promise(now, days + 1) > promised


@pytest.mark.parametrize(
    ("left_out", "asked"),
    [
        ({"theme": ""}, ["theme"]), ({"urgency": ""}, ["urgency"]), ({"commune_code": ""}, ["place"]),
        ({"commune_code": "", "no_fixed_place": True}, []), ({"channels": []}, ["channels"]),
        ({"email": ""}, ["contact"]),
        ({"channels": [Channel.VISIT], "email": ""}, []), ({"words": "", "name": "", "needs": []}, []),
        ({"theme": "", "channels": []}, ["theme", "channels"]),
    ],
)  # fmt: skip
def test_what_must_be_answered(left_out: dict[str, object], asked: list[str]) -> None:
    assert replace(BY_MAIL, **left_out).unanswered() == asked  # type: ignore[arg-type]


def test_an_incomplete_draft_is_not_sent(database: Database, now: datetime) -> None:
    with pytest.raises(IncompleteError) as caught:
        ask(database, now, replace(BY_MAIL, theme="", email=""))
    assert caught.value.questions == ["theme", "contact"]
    with transaction(database.owner) as session:
        assert session.scalar(select(func.count()).select_from(Request)) == 0


def test_only_what_the_chosen_channels_need_is_kept() -> None:
    answers = replace(BY_TEXT, email="old@example.org", channels=[Channel.SMS, Channel.VISIT])
    assert [(way, value) for way, value, _ in answers.contact_ways()] == [
        (Channel.SMS, BY_TEXT.sms_number), (Channel.VISIT, ""),
    ]  # fmt: skip


def test_urgent_as_the_person_says(database: Database, now: datetime) -> None:
    for urgency in Urgency:
        asked = ask(database, now, replace(BY_MAIL, urgency=urgency))
        with transaction(database.owner) as session:
            request = session.get_one(Request, asked.id)
            assert (request.urgency, request.urgent) == (urgency, urgency is not Urgency.NONE)


@pytest.mark.parametrize(
    ("state", "citizen", "agent", "has_worker", "shown"),
    [
        (State.WAITING, None, 1, True, State.WAITING), (State.WAITING, 2, 1, True, State.TAKEN),
        (State.WAITING, 2, 1, False, State.QUALIFIED), (State.WAITING, 1, 2, True, State.WAITING),
        (State.CLOSED, 2, 1, True, State.CLOSED), (State.RECEIVED, 1, None, False, State.RECEIVED),
    ],
)  # fmt: skip
def test_once_the_person_answered_nobody_waits_for_them(
    now: datetime, state: State, citizen: int | None, agent: int | None, has_worker: bool, shown: State
) -> None:
    def at(hour: int | None) -> datetime | None:
        return None if hour is None else now + timedelta(hours=hour)

    assert shown_state(state, at(citizen), at(agent), has_worker=has_worker) is shown


@pytest.fixture
def always_the_same_number(database: Database) -> Iterator[None]:
    """The database gives every new request the same number."""
    with database.owner.begin() as connection:
        connection.exec_driver_sql(
            "CREATE FUNCTION same_number() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN NEW.number = '100000008'; RETURN NEW; END $$;"
            "CREATE TRIGGER same_number BEFORE INSERT ON requests FOR EACH ROW EXECUTE FUNCTION same_number()"
        )
    yield
    with database.owner.begin() as connection:
        connection.exec_driver_sql("DROP FUNCTION same_number CASCADE")


def test_a_number_already_taken_leaves_nothing_and_the_draft_whole(
    database: Database, always_the_same_number: None, now: datetime
) -> None:
    ask(database, now)
    secret = access.new_secret()
    hashed = access.link_hash(database.access_key, secret)
    with Session(database.portal, info={"secret_hash": hashed}) as session:
        draft = requests.start_draft(session, hashed, "fr", now)
        draft.answers = asdict(BY_MAIL)
        session.commit()
        keys = SendingKeys(database.access_key, database.public_key)
        with pytest.raises(Exception, match="requests_number_key"):
            requests.send(session, draft, secret, keys=keys, working_days=5, now=now)
        session.rollback()
    with transaction(database.owner) as session:
        assert session.scalar(select(func.count()).select_from(Request)) == 1
        assert (
            Answers(**session.scalars(select(Draft).where(Draft.secret_hash == hashed)).one().answers)
            == BY_MAIL
        )
