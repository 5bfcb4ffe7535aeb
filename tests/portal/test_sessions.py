"""Amina comes with her children, Marcel waits for a seat; whoever has no request learns how to come."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from icalendar import Calendar
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from casework import sessions, sign_ups
from casework.agents import Agent
from casework.database import transaction
from casework.sessions import GroupSession
from tests.casework.asking import BY_MAIL, BY_TEXT, Asked, ask, journal_of
from tests.casework.gathering import THURSDAY, everybody, gather, plan, seats_of
from tests.clock import Clock
from tests.conftest import Database
from tests.pages import Page
from tests.people import HUGO, MOREAU_EMAIL, NADIA, ODILE
from tests.portal.person import Person
from tests.security.test_rows import as_portal
from tests.translations.test_catalogues import stray_letters

Somebody = Callable[..., Person]
AFTERNOON = datetime(2026, 11, 12, 13, tzinfo=UTC)


@pytest.fixture
def moreau(marcel: Person) -> Person:
    """Marcel Moreau, who asked for help by mail."""
    marcel.asks_for_help(channels={"email": MOREAU_EMAIL}, name="Marcel Moreau")
    return marcel


def signs_up(person: Person, session_id: UUID, people: int = 1, names: str = "", status: int = 200) -> Page:
    """From the session's page to what became of it."""
    person.go(f"ateliers/{session_id}")
    return person.submit(people=str(people), names=names, status=status)


def event_of(person: Person, session_id: UUID, method: str = "PUBLISH") -> Any:
    """The one event of the session's calendar file; None when there is no file for them."""
    answer = person.ask("GET", f"/{person.language}/ateliers/{session_id}/atelier.ics")
    if answer.status_code == 303:
        return None
    assert (answer.mimetype, answer.mimetype_params["method"]) == ("text/calendar", method)
    calendar = Calendar.from_ical(answer.data)
    assert calendar["METHOD"] == method
    return next(iter(calendar.walk("VEVENT")))


def gives_back(person: Person, session_id: UUID, who: str = "all") -> Page:
    person.go(f"ateliers/{session_id}/annuler")
    return person.submit(("who", who))


def test_everybody_reads_what_comes_the_soonest_first(
    marcel: Person, database: Database, now: datetime
) -> None:
    later = gather(database, now, plan(THURSDAY + timedelta(days=7), title="Mes droits"))
    sooner = gather(database, now)
    loudun = gather(database, now, plan(who=HUGO, place="mds-loudun", title="Le budget"), by=ODILE)
    gather(database, now, plan(start=time(9), end=time(10), title="Sur invitation", public=False))
    page = marcel.go("ateliers")
    listed = [link for link in page.links() if re.search("/ateliers/[0-9a-f-]{36}$", link)]
    assert set(listed) == {f"/fr/ateliers/{one}" for one in (sooner, loudun, later)}
    assert listed[2] == f"/fr/ateliers/{later}"
    assert "Comprendre mes facturesjeudi 12 novembreDe 14 heures à 16 heures" in page.main.replace(
        "\xa0", " "
    )
    assert "20 places libres" in page.main
    assert "Sans marche" in page.main
    page = marcel.go("ateliers?maison=loudun")
    assert "Le budget" in page.main
    assert "factures" not in page.main
    page = marcel.go("ateliers?maison=nowhere")
    assert "factures" in page.main


def test_without_a_request_one_learns_how_to_come(marcel: Person, database: Database, now: datetime) -> None:
    session_id = gather(database, now)
    page = marcel.go(f"ateliers/{session_id}")
    assert "Vous n'avez pas de demande ? Faites-en une." in page.main
    assert "/fr/demande/sujet" in page.links()
    assert "tel:+33549000001" in page.links()
    assert "Je m'inscris" not in page.main
    token = marcel.go("suivre").field("csrf_token")
    answer = marcel.ask("POST", f"/fr/ateliers/{session_id}", data={"csrf_token": token, "people": "1"})
    assert answer.headers["Location"] == "/fr/suivre"
    marcel.tells()
    assert "Continuer ma demande" in marcel.go(f"ateliers/{session_id}").main


def test_a_family_signs_up_at_once_and_its_request_shows_it(
    moreau: Person, database: Database, now: datetime
) -> None:
    session_id = gather(database, now)
    page = signs_up(moreau, session_id, 3, "Lina et Karim")
    assert page.heading == "Vous avez vos places"
    assert all(said in page.main for said in ("Lina", "Karim", "Personne 3", "jeudi 12 novembre"))
    assert [one.name for one in everybody(database, session_id)] == ["Lina", "Karim", ""]
    assert "3 places pour vous" in moreau.go("suivi").main
    assert "3 places pour vous" in moreau.go("ateliers").main
    assert "17 places libres" in moreau.page.main
    (_, details), *_ = reversed(journal_of(database, everybody(database, session_id)[0].request_id))
    assert (details["people"], details["sentence"]) == (3, "3 personnes, jeudi 12 novembre 2026 à 14:00")


def test_the_same_form_twice_is_one_sign_up(moreau: Person, database: Database, now: datetime) -> None:
    session_id = gather(database, now)
    moreau.go(f"ateliers/{session_id}")
    path, data, _ = moreau.prepare(people="2")
    for _ in range(2):
        assert moreau.ask("POST", path, data=data).headers["Location"].endswith("/inscription")
    assert len(everybody(database, session_id)) == 2


def test_when_it_is_full_one_waits_and_is_served(
    moreau: Person, somebody: Somebody, database: Database, now: datetime
) -> None:
    session_id = gather(database, now, plan(seats=2))
    amina = somebody(language="fr", source="192.0.2.9")
    amina.asks_for_help()
    signs_up(amina, session_id, 2, "Amina, Lina")
    assert "Complet : liste d'attente" in moreau.go("ateliers").main
    page = signs_up(moreau, session_id)
    assert page.heading == "Vous êtes sur la liste d'attente"
    assert "liste d'attente" in moreau.go("suivi").main
    lina = next(one.id for one in everybody(database, session_id) if one.name == "Lina")
    assert "C'est annulé" in gives_back(amina, session_id, str(lina)).main
    assert "1 place pour vous" in amina.page.main
    assert moreau.go(f"ateliers/{session_id}/inscription").heading == "Vous avez votre place"
    gives_back(moreau, session_id)
    assert moreau.go(f"ateliers/{session_id}/annuler").path == f"/fr/ateliers/{session_id}"
    assert seats_of(database, session_id) == [1]


def test_mistakes_are_named_and_what_was_typed_stays(
    moreau: Person, database: Database, now: datetime
) -> None:
    session_id = gather(database, now)
    page = signs_up(moreau, session_id, 1, "Lina, Karim", status=422)
    assert page.errors() == ["Il y a plus de prénoms que de personnes."]
    assert page.field("names") == "Lina, Karim"
    signs_up(moreau, session_id, 6)
    assert signs_up(moreau, session_id, 3, status=422).errors() == ["8 personnes au plus pour une demande."]
    signs_up(moreau, session_id, 2)
    assert "Inscrire d'autres personnes" not in moreau.go(f"ateliers/{session_id}").main


def test_called_off_or_begun_it_says_so_and_why_is_nobodys_business(
    moreau: Person, database: Database, now: datetime, clock: Clock
) -> None:
    session_id, other = gather(database, now), gather(database, now, plan(THURSDAY + timedelta(days=1)))
    signs_up(moreau, session_id)
    moreau.go(f"ateliers/{other}")
    path, data, _ = moreau.prepare(people="2")
    with transaction(database.backoffice) as session:
        one = session.get_one(GroupSession, session_id)
        sessions.cancel(session, session.get_one(Agent, NADIA.id), one, "Louise est malade", now)
    assert "Cet atelier n'a pas lieu." in moreau.go("suivi").main
    page = moreau.go(f"ateliers/{session_id}", status=409)
    assert f"/fr/ateliers/{other}" in page.links()
    assert all("Louise" not in page.text for page in moreau.shown)
    clock.now = datetime.combine(THURSDAY + timedelta(days=1), time(14), now.tzinfo)
    assert moreau.ask("POST", path, data=data).status_code == 409
    assert everybody(database, other) == []


def test_a_session_for_agents_to_fill_is_nobodys_page_but_theirs_who_are_on_it(
    moreau: Person, somebody: Somebody, database: Database, now: datetime
) -> None:
    session_id = gather(database, now, plan(public=False))
    moreau.go(f"ateliers/{session_id}", status=404)
    mine = ask(database, now, BY_TEXT)
    with transaction(database.backoffice) as session:
        nadia = session.get_one(Agent, NADIA.id)
        sign_ups.sign_up(session, nadia, session_id, mine.id, ["Amina"], uuid4(), now)
    amina = somebody(source="192.0.2.9")
    amina.open(f"/fr/s/{mine.secret}")
    assert "Inscrire d'autres personnes" not in amina.go(f"ateliers/{session_id}").main
    gives_back(amina, session_id)
    assert seats_of(database, session_id) == []


def test_a_seat_goes_into_the_calendar_and_its_entry_follows_the_session(
    moreau: Person, database: Database, now: datetime
) -> None:
    """When and where, never what it is about; another hour changes the entry, a session called off ends it."""
    session_id = gather(database, now)
    assert event_of(moreau, session_id) is None, "no seat, no file"
    signs_up(moreau, session_id)
    assert f"/fr/ateliers/{session_id}/atelier.ics" in moreau.page.links()
    first = event_of(moreau, session_id)
    assert (first["SUMMARY"], first["LOCATION"]) == (
        "Atelier",
        "Maison de Poitiers, 1 rue du Marché, 86000 Poitiers",
    )
    assert first["UID"] == f"{session_id}@portail.example.org"
    assert "facture" not in first.to_ical().decode().lower()
    assert (first["DTSTART"].dt, first["SEQUENCE"], first["STATUS"]) == (AFTERNOON, 0, "CONFIRMED")
    with transaction(database.backoffice) as session:
        nadia, one = session.get_one(Agent, NADIA.id), session.get_one(GroupSession, session_id)
        sessions.change(session, nadia, one, plan(start=time(15), end=time(17)), now)
    moved = event_of(moreau, session_id)
    assert (moved["UID"], moved["SEQUENCE"]) == (first["UID"], 1)
    assert moved["DTSTART"].dt == AFTERNOON + timedelta(hours=1)
    with transaction(database.backoffice) as session:
        nadia, one = session.get_one(Agent, NADIA.id), session.get_one(GroupSession, session_id)
        sessions.cancel(session, nadia, one, "Louise est malade", now)
    assert "Enlever de mon calendrier" in moreau.go("suivi").main
    off = event_of(moreau, session_id, "CANCEL")
    assert (off["UID"], off["SEQUENCE"], off["STATUS"]) == (first["UID"], 2, "CANCELLED")
    assert "malade" not in off.to_ical().decode()


def test_in_danger_the_calendar_says_the_hour_alone(amina: Person, database: Database, now: datetime) -> None:
    session_id = gather(database, now)
    amina.asks_for_help(theme="violence")
    signs_up(amina, session_id)
    event = event_of(amina, session_id)
    assert event["SUMMARY"] == "موعد"
    assert {"LOCATION", "DESCRIPTION"} & set(event) == set()


def test_who_waits_for_a_seat_has_nothing_for_the_calendar(
    moreau: Person, database: Database, now: datetime, signed: Signed
) -> None:
    session_id = gather(database, now, plan(start=time(9), end=time(10), seats=1))
    with transaction(database.backoffice) as session:
        nadia = session.get_one(Agent, NADIA.id)
        sign_ups.sign_up(session, nadia, session_id, signed[1].id, ["Amina"], uuid4(), now)
    signs_up(moreau, session_id)
    assert not [link for link in moreau.page.links() if link.endswith(".ics")]
    assert event_of(moreau, session_id) is None


def test_nobody_gives_back_anothers_seat(
    moreau: Person, somebody: Somebody, database: Database, now: datetime
) -> None:
    session_id = gather(database, now)
    amina = somebody(source="192.0.2.9")
    amina.asks_for_help()
    signs_up(amina, session_id)
    signs_up(moreau, session_id)
    hers = everybody(database, session_id)[0]
    moreau.go(f"ateliers/{session_id}/annuler")
    path, data, _ = moreau.prepare(("who", "all"))
    data["who"] = str(hers.id)
    moreau.ask("POST", path, data=data)
    assert seats_of(database, session_id) == [1, 2]


def test_in_arabic_no_word_is_left_in_french(amina: Person, database: Database, now: datetime) -> None:
    session_id = gather(database, now, plan(seats=3))
    amina.go("ateliers")
    amina.go(f"ateliers/{session_id}")
    amina.asks_for_help(theme="violence")
    signs_up(amina, session_id, 2, "أمينة")
    signs_up(amina, session_id, 2)
    signs_up(amina, session_id, 1, "أ، ب", status=422)
    amina.go("suivi")
    gives_back(amina, session_id, str(everybody(database, session_id)[0].id))
    amina.go("ateliers?maison=loudun")
    with transaction(database.backoffice) as session:
        one = session.get_one(GroupSession, session_id)
        sessions.cancel(session, session.get_one(Agent, NADIA.id), one, "", now)
    amina.go("suivi")
    amina.go(f"ateliers/{session_id}", status=409)
    seen = [page for page in amina.shown if "/ateliers" in page.path or "/suivi" in page.path]
    assert {page.path: found for page in seen if (found := list(stray_letters(page)))} == {}


# --- what the portal's role may do ----------------------------------------------------------------------


@pytest.fixture
def signed(database: Database, now: datetime) -> tuple[UUID, Asked, Asked]:
    """A session with three seats, Amina on one; Marcel, who is on none."""
    session_id = gather(database, now, plan(seats=3))
    amina, marcel = ask(database, now, BY_TEXT), ask(database, now, BY_MAIL)
    take = "SELECT take_my_seats(:session, gen_random_uuid(), '{Amina}', :now)"
    assert as_portal(database, amina, take, session=session_id, now=now) == [("signed",)]
    return session_id, amina, marcel


Signed = tuple[UUID, Asked, Asked]


def test_the_portal_sees_the_sign_ups_of_the_opened_request_alone(database: Database, signed: Signed) -> None:
    session_id, amina, marcel = signed
    assert as_portal(database, amina, "SELECT name FROM sign_ups") == [("Amina",)]
    for other in (marcel, None):
        assert as_portal(database, other, "SELECT id FROM sign_ups") == []
        left = as_portal(database, other, "SELECT free, waiting FROM seats_left(ARRAY[:id])", id=session_id)
        assert left == [(2, 0)]


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO sign_ups (id) VALUES (gen_random_uuid())", "UPDATE sign_ups SET state = 'came'",
        "DELETE FROM sign_ups", "SELECT seat FROM sign_ups", "SELECT told_state FROM sign_ups",
        "SELECT 1 FROM session_seats", "SELECT led_by FROM group_sessions",
        "SELECT cancelled_because FROM group_sessions", "SELECT made_at FROM group_sessions",
        "UPDATE group_sessions SET seats = 100", "DELETE FROM group_sessions", "SELECT give_free_seats(:id, now())",
        "SELECT take_seats(:id, :id, :id, '{x}', now())", "SELECT give_back_seats(:id, :id, '{}', now())",
    ],
)  # fmt: skip
def test_the_portal_writes_nothing_by_itself(database: Database, signed: Signed, statement: str) -> None:
    session_id, amina, _ = signed
    values: dict[str, Any] = {"id": session_id} if ":id" in statement else {}
    with pytest.raises(ProgrammingError, match="permission denied"):
        as_portal(database, amina, statement, **values)


def test_the_portals_functions_act_for_the_opened_request_alone(
    database: Database, signed: Signed, now: datetime
) -> None:
    session_id, _, marcel = signed
    hers = everybody(database, session_id)[0].id
    back = "SELECT give_back_my_seats(:session, ARRAY[:id], :now)"
    for stranger in (marcel, None):
        assert as_portal(database, stranger, back, session=session_id, id=hers, now=now) == [(0,)]
    take = "SELECT take_my_seats(:session, gen_random_uuid(), :names, :now)"
    assert as_portal(database, None, take, session=session_id, names=["x"], now=now) == [("over",)]
    assert as_portal(database, marcel, take, session=session_id, names=["x"] * 9, now=now) == [("too_many",)]
    private = gather(database, now, plan(start=time(9), end=time(10), public=False))
    assert as_portal(database, marcel, take, session=private, names=["x"], now=now) == [("over",)]
    assert as_portal(database, marcel, "SELECT id FROM group_sessions") == [(session_id,)]
    assert as_portal(database, marcel, "SELECT * FROM seats_left(ARRAY[:id])", id=private) == []


def test_two_visitors_at_once_for_the_last_seat(
    portal: Flask, database: Database, now: datetime, somebody: Somebody
) -> None:
    session_id = gather(database, now, plan(seats=1))
    people = [somebody(source=f"192.0.2.{number}") for number in range(4)]
    posts = []
    for person in people:
        person.open(f"/fr/s/{ask(database, now, BY_MAIL).secret}")
        person.go(f"ateliers/{session_id}")
        posts.append(person.prepare(people="1"))
    together = threading.Barrier(len(people))

    def tap(place: int) -> None:
        path, data, _ = posts[place]
        together.wait(10)
        assert people[place].ask("POST", path, data=data).status_code == 303

    threads = [threading.Thread(target=tap, args=(place,)) for place in range(len(people))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(one.state.value for one in everybody(database, session_id)) == ["signed"] + ["waiting"] * 3
    headings = {person.go(f"ateliers/{session_id}/inscription").heading for person in people}
    assert headings == {"Vous avez votre place", "Vous êtes sur la liste d'attente"}


def test_the_database_holds_only_what_the_code_says(database: Database, signed: Signed) -> None:
    with transaction(database.owner) as session:
        open_to_all = text(
            "SELECT proname FROM pg_proc p "
            "WHERE proname ~ 'seats' AND has_function_privilege('public', p.oid, 'EXECUTE')"
        )
        assert session.scalars(open_to_all).all() == []
