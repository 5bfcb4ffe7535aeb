"""Louise makes a session, Nadia signs a family up from its request, the sheet is printed and ticked."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import update

from casework import sessions, sign_ups
from casework.agenda import Closure
from casework.agents import Agent
from casework.database import transaction
from casework.journal import Entry
from casework.requests import Request
from casework.sessions import GroupSession
from tests.backoffice.colleague import Colleague, stored
from tests.casework.asking import BY_MAIL, BY_TEXT, Asked, ask
from tests.casework.gathering import THURSDAY, everybody, gather, held, plan, seats_of
from tests.clock import Clock
from tests.conftest import PARIS, Database
from tests.pages import Page
from tests.people import HUGO, LOUISE, NADIA, ODILE, PAUL

pytestmark = pytest.mark.long


@pytest.fixture
def asked(database: Database, now: datetime) -> Asked:
    """Amina's request, at the house of Poitiers."""
    return ask(database, now, BY_TEXT)


def makes(who: Colleague, status: int = 200, **changes: Any) -> Page:
    """Fill in the form of a new session."""
    typed: dict[str, Any] = {
        "title": "Comprendre mes factures", "words": "Venez avec vos factures.", "day": "2026-11-12",
        "starts_at": "14:00", "ends_at": "16:00", "place": "mds-poitiers", "agent": str(LOUISE.id), "seats": "3",
        "languages": ["fr", "ar"],
    }  # fmt: skip
    who.open("/fr/ateliers/nouveau")
    return who.submit(status=status, **(typed | changes))


def signs_up(
    who: Colleague, asked: Asked, session_id: UUID, people: int = 1, names: str = "", status: int = 200
) -> Page:
    """From the request's page, as for somebody at the counter."""
    who.reads(asked.id)
    return who.submit(session=str(session_id), people=str(people), names=names, status=status)


def test_louise_makes_a_session_and_her_agenda_shows_it(louise: Colleague, database: Database) -> None:
    page = makes(louise)
    assert "Elle est créée." in page.main
    one = stored(database, GroupSession)[0]
    assert (one.title, one.led_by, one.seats, one.languages, one.open_to_citizens) == (
        "Comprendre mes factures", LOUISE.id, 3, ["fr", "ar"], True,
    )  # fmt: skip
    assert f"/fr/ateliers/{one.id}" in louise.open("/fr/agenda?jour=2026-11-12").links()
    assert f"/fr/ateliers/{one.id}" in louise.open("/fr/agenda/jour?date=2026-11-12").links()
    assert "0 / 3" in louise.open("/fr/ateliers").main
    assert [entry.agent_id for entry in stored(database, Entry, Entry.action == "session_made")] == [
        LOUISE.id
    ]


def test_the_same_form_twice_is_one_session(louise: Colleague, database: Database) -> None:
    louise.open("/fr/ateliers/nouveau")
    path, data, _ = louise.prepare(title="Le budget", starts_at="14:00", ends_at="16:00")
    for _ in range(2):
        assert louise.ask("POST", path, data=data).status_code == 303
    assert len(stored(database, GroupSession)) == 1


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"title": ""}, "Écrivez un titre."), ({"seats": "0"}, "Écrivez un nombre de 1 à 100."),
        ({"day": "2026-10-01"}, "Choisissez un jour à venir, dans moins d'un an."),
        ({"ends_at": "13:00"}, "La fin vient avant le début."),
        (
            {"starts_at": "15:30", "ends_at": "17:00"},
            "Cette personne est déjà prise à 14:00. Choisissez une autre heure.",
        ),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_said_and_kept(
    nadia: Colleague, database: Database, now: datetime, changes: dict[str, str], said: str
) -> None:
    gather(database, now)
    page = makes(nadia, status=422, **changes)
    assert page.errors() == [said]
    assert page.field("words") == "Venez avec vos factures."
    assert len(stored(database, GroupSession)) == 1


def test_who_may_make_and_change_is_who_may_edit_the_agenda(
    louise: Colleague, paul: Colleague, nadia: Colleague, database: Database, now: datetime
) -> None:
    session_id = gather(database, now)
    paul.open(f"/fr/ateliers/{session_id}")
    assert "Changer" not in paul.page.main
    for page in ("changer", "annuler"):
        paul.open(f"/fr/ateliers/{session_id}/{page}", status=403)
    form = paul.open("/fr/ateliers/nouveau")
    assert [
        one.get("value") for one in form.html.iter("option") if one.text in ("Paul Petit", "Louise Morin")
    ] == [str(PAUL.id)]
    for able in (louise, nadia):
        able.open(f"/fr/ateliers/{session_id}/changer")


def test_another_houses_session_does_not_exist(
    nadia: Colleague, asked: Asked, database: Database, now: datetime
) -> None:
    theirs = gather(database, now, plan(who=HUGO, place="mds-loudun", title="Le budget"), by=ODILE)
    for page in ("", "/changer", "/annuler", "/feuille"):
        nadia.open(f"/fr/ateliers/{theirs}{page}", status=404)
    assert "Le budget" not in nadia.open("/fr/ateliers").text
    gather(database, now)
    nadia.reads(asked.id)
    path, data, _ = nadia.prepare(people="1")
    data["session"] = str(theirs)
    assert nadia.ask("POST", path, data=data).status_code == 404
    assert everybody(database, theirs) == []


def test_nadia_signs_a_family_up_from_its_request(
    nadia: Colleague, asked: Asked, database: Database, now: datetime
) -> None:
    session_id = gather(database, now, plan(seats=3))
    assert "La personne a sa place." in signs_up(nadia, asked, session_id, 2, "Amina et Lina").main
    assert "inscription à une action collective" in nadia.page.main
    assert "2 personnes, jeudi 12 novembre 2026 à 14:00" in nadia.page.main
    other = ask(database, now, BY_MAIL)
    assert "liste d'attente" in signs_up(nadia, other, session_id, 2).main
    page = nadia.open(f"/fr/ateliers/{session_id}")
    assert all(said in page.main for said in ("Amina", "Lina", "2 / 3 · 2 en attente"))
    lina = next(one for one in everybody(database, session_id) if one.name == "Lina")
    nadia.reads(asked.id)
    nadia.submit(("who", str(lina.id)))
    assert [one.state.value for one in everybody(database, session_id)] == [
        "signed",
        "cancelled",
        "signed",
        "signed",
    ]
    nadia.open(f"/fr/ateliers/{session_id}")
    nadia.submit(("who", str(everybody(database, session_id)[0].id)))
    assert "La place va à qui attend." in nadia.page.main
    assert len(seats_of(database, session_id)) == 2


def test_a_mistake_at_the_counter_changes_nothing(
    nadia: Colleague, asked: Asked, database: Database, now: datetime
) -> None:
    session_id = gather(database, now)
    assert "Rien n'est changé." in signs_up(nadia, asked, session_id, 1, "Amina, Lina").main
    signs_up(nadia, asked, session_id, 8)
    assert "Rien n'est changé." in signs_up(nadia, asked, session_id, 1).main
    assert len(everybody(database, session_id)) == 8


def test_hour_place_and_seats_change_but_no_seat_is_taken_from_anybody(
    louise: Colleague, asked: Asked, nadia: Colleague, database: Database, now: datetime
) -> None:
    session_id = gather(database, now, plan(seats=3))
    signs_up(nadia, asked, session_id, 2)
    louise.open(f"/fr/ateliers/{session_id}/changer")
    page = louise.submit(seats="1", status=422)
    assert page.errors() == ["2 places sont déjà prises. Gardez-en au moins autant."]
    louise.submit(seats="2", starts_at="10:00", ends_at="12:00", place="vouille-mairie")
    one = held(database, session_id)
    assert (one.seats, one.place_id, one.start.astimezone(PARIS).hour) == (2, "vouille-mairie", 10)


def test_called_off_with_a_reason_that_stays_in_the_house(
    louise: Colleague, asked: Asked, nadia: Colleague, database: Database, now: datetime
) -> None:
    session_id = gather(database, now)
    signs_up(nadia, asked, session_id, 2)
    assert "2 personnes sont prévenues." in louise.open(f"/fr/ateliers/{session_id}/annuler").main
    page = louise.submit(why="Salle inondée")
    assert "Salle inondée" in page.main
    assert "Annulée" in louise.open("/fr/ateliers").main
    louise.open(f"/fr/ateliers/{session_id}/changer", status=409)
    assert "Annulée" in nadia.reads(asked.id).main


def test_the_sheet_has_names_languages_and_boxes_and_one_tap_says_who_came(
    louise: Colleague, asked: Asked, nadia: Colleague, database: Database, now: datetime, clock: Clock
) -> None:
    session_id = gather(database, now)
    signs_up(nadia, asked, session_id, 2, "Amina, Lina")
    page = louise.open(f"/fr/ateliers/{session_id}/feuille")
    assert all(said in page.main for said in ("1. Amina", "2. Lina", "Français"))
    assert len(page.of_class("box")) == 2 + 3
    assert not [one for one in page.html.iter("button") if one.get("name") == "who"]
    clock.now = datetime.combine(THURSDAY, time(14, 5), PARIS)
    amina, lina = everybody(database, session_id)
    louise.open("/fr/connexion")
    louise.signs_in()
    louise.open(f"/fr/ateliers/{session_id}/feuille")
    louise.submit(("who", f"came~{amina.id}"))
    louise.submit(("who", f"came~{lina.id}"))
    page = louise.submit(("who", f"missed~{lina.id}"))
    assert "1 venu, 1 pas venu, 2 inscrits" in page.main
    assert [one.state.value for one in everybody(database, session_id)] == ["came", "missed"]
    assert [entry.agent_id for entry in stored(database, Entry, Entry.action == "attended")] == [
        LOUISE.id
    ] * 3
    token = page.field("csrf_token")
    for nonsense in ("gone~x", f"came~{session_id}", ""):
        answer = louise.ask(
            "POST", f"/fr/ateliers/{session_id}/feuille", data={"csrf_token": token, "who": nonsense}
        )
        assert answer.status_code == 404


def test_somebody_of_another_house_may_come_and_their_request_stays_closed(
    nadia: Colleague, database: Database, now: datetime
) -> None:
    session_id = gather(database, now)
    theirs = ask(database, now, BY_MAIL)
    with transaction(database.owner) as session:
        session.execute(update(Request).values(house_id="loudun"))
        odile = session.get_one(Agent, ODILE.id)
        sign_ups.sign_up(session, odile, session_id, theirs.id, ["Marcel"], uuid4(), now)
    page = nadia.open(f"/fr/ateliers/{session_id}")
    assert "Marcel" in page.main
    assert "autre maison" in page.main
    assert not any(str(theirs.id) in link for link in page.links())


def test_sessions_over_stay_listed_with_who_came(
    nadia: Colleague, database: Database, now: datetime, clock: Clock
) -> None:
    gather(database, now)
    clock.now = datetime.combine(THURSDAY + timedelta(days=7), time(9), PARIS)
    nadia.open("/fr/connexion")
    nadia.signs_in()
    page = nadia.open("/fr/ateliers")
    assert "Les deux derniers mois" in page.main
    assert "Aucune action collective n'est prévue." in page.main


@pytest.mark.parametrize("away", ["absence", "closure"])
def test_days_away_name_the_sessions_they_touch_and_cancel_none(
    nadia: Colleague, asked: Asked, database: Database, now: datetime, away: str
) -> None:
    """Louise leads one session that week, Paul another; one of the week after and a cancelled one are no matter."""
    hers, pauls = gather(database, now), gather(database, now, plan(title="Mes droits", who=PAUL))
    later = gather(database, now, plan(THURSDAY + timedelta(days=7)))
    off = gather(database, now, plan(start=time(9), end=time(10)))
    with transaction(database.backoffice) as session:
        me = session.get_one(Agent, NADIA.id)
        sign_ups.sign_up(session, me, hers, asked.id, ["Lina", "Karim"], uuid4(), now)
        sessions.cancel(session, me, session.get_one(GroupSession, off), "Salle prise", now)
    typed: dict[str, Any] = {"first_day": "2026-11-09", "last_day": "2026-11-13"}
    if away == "absence":
        nadia.open(f"/fr/agenda/absences?agent={LOUISE.id}")
        page = nadia.submit(**typed)
        assert "1 action collective à changer ou à annuler" in page.main
    else:
        nadia.open("/fr/agenda/fermetures")
        page = nadia.submit(**typed, reason="Travaux", status=422)
        assert stored(database, Closure) == []
        assert "2 actions collectives à changer ou à annuler" in page.main
    assert "Comprendre mes factures 2 inscrits" in page.main
    touched = [hers] if away == "absence" else [hers, pauls]
    assert {f"/fr/ateliers/{one}" for one in touched} == {
        link for link in page.links() if link.startswith("/fr/ateliers/")
    }
    if away == "closure":
        nadia.submit(knowing="y")
        assert len(stored(database, Closure)) == 1
    assert all(held(database, one).is_on for one in (hers, pauls, later))
