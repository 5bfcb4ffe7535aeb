"""Signing in with a demonstration account, and how a session ends."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select, update

from casework.agents import Agent, AgentSession
from casework.database import transaction
from casework.journal import Entry
from tests.backoffice.colleague import Colleague
from tests.clock import Clock
from tests.conftest import Database
from tests.people import NADIA, PASSWORD, PAUL


@pytest.fixture
def at_door(backoffice: Flask) -> Colleague:
    """Nadia, not signed in yet."""
    return Colleague(backoffice, NADIA)


def signed_in(colleague: Colleague) -> bool:
    """True while the queue opens."""
    return colleague.ask("GET", "/fr/file").status_code == 200


def actions(database: Database) -> list[str]:
    """The journal's actions, oldest first."""
    with transaction(database.owner) as session:
        return list(session.scalars(select(Entry.action).order_by(Entry.id)))


def test_nadia_signs_in_works_and_leaves(at_door: Colleague, database: Database) -> None:
    assert at_door.open("/").path == "/fr/connexion?suite=/fr/"
    assert at_door.signs_in().path == "/fr/file"
    assert NADIA.name in at_door.page.text
    at_door.submit(action="/deconnexion")
    assert at_door.page.path == "/fr/connexion"
    assert not signed_in(at_door)
    assert actions(database) == ["signed_in", "signed_out"]
    with transaction(database.owner) as session:
        assert not session.scalars(select(AgentSession)).all()


def test_a_login_is_read_whatever_its_case(at_door: Colleague) -> None:
    at_door.open("/fr/connexion")
    assert at_door.submit(login=f" {NADIA.login.upper()} ", password=PASSWORD).path == "/fr/file"


def test_a_worker_begins_with_their_own_list(backoffice: Flask) -> None:
    assert Colleague(backoffice, PAUL).signs_in().path == "/fr/mes-demandes"


def test_only_hashes_of_sessions_are_stored(at_door: Colleague, database: Database) -> None:
    at_door.signs_in()
    with at_door.client.session_transaction(base_url=at_door.origin) as session:
        token = session["token"]
    with transaction(database.owner) as rows:
        assert token not in rows.scalars(select(AgentSession.token_hash)).one()


def test_half_an_hour_idle_ends_the_session(at_door: Colleague, clock: Clock) -> None:
    at_door.signs_in()
    for _ in range(3):
        clock.forward(minutes=29)
        assert signed_in(at_door)
    clock.forward(minutes=31)
    assert not signed_in(at_door)


def test_a_queue_left_open_that_refreshes_itself_is_idle(at_door: Colleague, clock: Clock) -> None:
    at_door.signs_in()
    for _ in range(5):
        clock.forward(minutes=6)
        assert at_door.ask("GET", "/fr/file/lignes").status_code == 200
        assert at_door.ask("GET", "/fr/mes-demandes/lignes").status_code == 200
    clock.forward(minutes=1)
    assert at_door.ask("GET", "/fr/file/lignes").status_code == 303
    assert not signed_in(at_door)


def test_twelve_hours_end_the_session_however_busy(at_door: Colleague, clock: Clock) -> None:
    at_door.signs_in()
    for _ in range(36):
        clock.forward(minutes=20)
        assert signed_in(at_door)
    clock.forward(minutes=1)
    assert not signed_in(at_door)


def test_somebody_who_left_the_house_is_out_at_once(at_door: Colleague, database: Database) -> None:
    at_door.signs_in()
    with database.owner.begin() as connection:
        connection.execute(update(Agent).where(Agent.id == NADIA.id).values(active=False))
    assert not signed_in(at_door)
    at_door.open("/fr/connexion")
    assert at_door.signs_in(status=422).errors()


def test_a_wrong_password_says_the_same_as_an_unknown_login(at_door: Colleague) -> None:
    wrong = at_door.signs_in("un autre mot de passe", status=422)
    assert wrong.field("login") == NADIA.login
    assert wrong.field("password") == ""
    at_door.open("/fr/connexion")
    unknown = at_door.submit(login="personne", password=PASSWORD, status=422)
    assert wrong.errors() == unknown.errors() == ["L'identifiant et le mot de passe ne vont pas ensemble."]


@pytest.mark.slow
def test_five_wrong_passwords_slow_the_sixth_even_right(
    at_door: Colleague, backoffice: Flask, clock: Clock
) -> None:
    for _ in range(5):
        at_door.signs_in("faux", status=422)
    at_door.signs_in(status=429)
    Colleague(backoffice, NADIA, source="10.9.9.9").signs_in(status=429)
    Colleague(backoffice, PAUL, source="10.9.9.9").signs_in()
    clock.forward(minutes=16)
    assert Colleague(backoffice, NADIA, source="10.9.9.9").signs_in().path == "/fr/file"


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/", "//evil.example/", "/\\evil.example", "/\t/evil.example", "javascript:alert(1)",
        "\\\\evil.example", "https:evil.example", "",
    ],
)  # fmt: skip
def test_signing_in_never_leads_to_another_site(at_door: Colleague, elsewhere: str) -> None:
    at_door.open("/fr/connexion")
    data = {
        "csrf_token": at_door.page.field("csrf_token"),
        "login": NADIA.login, "password": PASSWORD, "suite": elsewhere,
    }  # fmt: skip
    assert at_door.ask("POST", "/fr/connexion", data=data).headers["Location"] == "/fr/"


def test_signing_in_leads_back_to_the_page_one_wanted(at_door: Colleague) -> None:
    at_door.open("/ar/file?theme=money")
    assert at_door.signs_in().path == "/ar/file?theme=money"


def test_a_new_session_at_each_sign_in(at_door: Colleague) -> None:
    at_door.signs_in()
    with at_door.client.session_transaction(base_url=at_door.origin) as session:
        first = session["token"]
    at_door.open("/fr/connexion")
    at_door.signs_in()
    with at_door.client.session_transaction(base_url=at_door.origin) as session:
        assert session["token"] != first


def test_no_typed_character_breaks_the_door(at_door: Colleague) -> None:
    at_door.open("/fr/connexion")
    at_door.submit(login="a\x00b", password="c\x00d", status=422)
