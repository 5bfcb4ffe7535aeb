"""The secret address of an agent's calendar, and the page that links it: who reads what, and what is left out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from flask import Flask
from icalendar import Calendar, Event
from sqlalchemy import update
from sqlalchemy.dialects.postgresql import Range

from backoffice.app import create
from casework import absences, calendar_links, documents
from casework.agent_calendar import CalendarFeed, initials
from casework.agents import Agent
from casework.appointments import Appointment, Standing
from casework.caldav import Trouble
from casework.calendar_links import CalendarLink
from casework.database import transaction
from casework.requests import Request
from casework.settings import Settings
from tests.backoffice.colleague import Colleague, request_of, stored
from tests.backoffice.test_agenda import at, books, lines, other_words, receives
from tests.casework.asking import BY_MAIL, BY_TEXT, Asked, ask
from tests.clock import Clock
from tests.conftest import Database
from tests.pages import words
from tests.people import LOUISE, PAUL, SARAH, Character
from tests.visitor import Visitor
from tools import strings

pytestmark = pytest.mark.long

PAGE = "/fr/agenda/calendrier"
NEXT_TUESDAY = date(2026, 11, 10)
UNKNOWN = "/agenda/flux/AAAAAAAAAAAAAAAAAAAAAA.ics"


@pytest.fixture
def desk_settings(desk_settings: Settings) -> Settings:
    """The département has a calendar server."""
    return replace(desk_settings, caldav_url="https://calendriers.example.org/{login}/agenda/")


@pytest.fixture
def asked(database: Database, now: datetime) -> Asked:
    """Marcel's request, at the reception of Poitiers."""
    return ask(database, now, BY_MAIL)


def address_of(colleague: Colleague) -> str:
    """Make the secret address; returns its path."""
    colleague.open(PAGE)
    page = colleague.submit(action="/adresse")
    (shown,) = page.of_class("address")
    assert words(shown).startswith("https://agents.example.org/agenda/flux/")
    return urlsplit(words(shown)).path


def feed(backoffice: Flask, path: str) -> Calendar:
    """What a calendar program reads there, without a cookie."""
    answer = Visitor(backoffice, "https://agents.example.org").ask("GET", path)
    assert (answer.status_code, answer.mimetype) == (200, "text/calendar")
    found = Calendar.from_ical(answer.data)
    assert isinstance(found, Calendar)
    return found


def events(calendar: Calendar) -> list[Event]:
    """Its events, by their beginning."""
    found = [event for event in calendar.walk("VEVENT") if isinstance(event, Event)]
    return sorted(found, key=lambda event: str(event.start))


def the_event(calendar: Calendar) -> Event:
    """Its only event."""
    (event,) = events(calendar)
    return event


# --- the secret address ---------------------------------------------------------------------------------


def test_pauls_calendar_shows_hour_place_and_initials_and_nothing_else(
    paul: Colleague, nadia: Colleague, asked: Asked, database: Database, backoffice: Flask
) -> None:
    receives(database, PAUL)
    books(nadia, asked)
    path = address_of(paul)
    event = the_event(feed(backoffice, path))
    assert (event.start, event.end) == (at(NEXT_TUESDAY, 9), at(NEXT_TUESDAY, 9, 30))
    assert (event["SUMMARY"], event["LOCATION"]) == ("Rendez-vous M. M.", "Maison de Poitiers")
    assert (event["STATUS"], event["CLASS"], event["SEQUENCE"]) == ("CONFIRMED", "PRIVATE", 0)
    told = Visitor(backoffice, "https://agents.example.org").ask("GET", path).get_data(as_text=True)
    known = request_of(database, asked.id)
    for secret in (
        "Moreau",
        "Marcel",
        known.number,
        str(asked.id),
        "moreau@",
        "loyer",
        "Logement",
        "+33",
        PAUL.name,
    ):
        assert secret.lower() not in told.lower(), secret
    assert set(event) == {
        "UID", "SEQUENCE", "DTSTAMP", "DTSTART", "DTEND", "SUMMARY", "LOCATION", "STATUS", "CLASS",
    }  # fmt: skip


def test_a_request_in_danger_and_one_without_a_name_look_the_same(
    paul: Colleague, nadia: Colleague, database: Database, backoffice: Flask, now: datetime
) -> None:
    receives(database, PAUL)
    danger = ask(database, now, BY_MAIL)
    with transaction(database.owner) as session:
        session.execute(update(Request).where(Request.id == danger.id).values(themes=["violence"]))
    nameless = ask(database, now, replace(BY_TEXT, name=""))
    books(nadia, danger, 0)
    books(nadia, nameless, 0)
    assert [event["SUMMARY"] for event in events(feed(backoffice, address_of(paul)))] == ["Rendez-vous ?"] * 2


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Marcel Moreau", "M. M."), ("Jean-Marie Le Bris", "J. M. L."), ("فاطمة", "ف."), ("", "?"), ("  ", "?"),
        ("(3) enfants", "E."), ("Élise", "É."), ("6 12", "?"),
    ],
)  # fmt: skip
def test_initials(name: str, expected: str) -> None:
    assert initials(name) == expected


def test_a_moved_appointment_is_the_same_entry_and_leaves_the_one_who_lost_it(
    paul: Colleague, louise: Colleague, nadia: Colleague, asked: Asked, database: Database, backoffice: Flask
) -> None:
    receives(database, PAUL, weekdays=[1])
    books(nadia, asked)
    pauls, louises = address_of(paul), address_of(louise)
    before = the_event(feed(backoffice, pauls))
    (first,) = stored(database, Appointment)
    nadia.open(f"/fr/agenda/rendez-vous/{first.id}/deplacer?jour=2026-11-17")
    nadia.submit(("slot", nadia.page.of_class("slot")[0].get("value", "")))
    after = the_event(feed(backoffice, pauls))
    assert (after["UID"], after["SEQUENCE"], after["STATUS"]) == (before["UID"], 1, "CONFIRMED")
    assert after.start == at(date(2026, 11, 17), 9)
    with transaction(database.owner) as session:
        session.execute(
            update(Appointment).where(Appointment.state == Standing.BOOKED).values(agent_id=LOUISE.id)
        )
    left, gained = the_event(feed(backoffice, pauls)), the_event(feed(backoffice, louises))
    assert left["UID"] == gained["UID"] == before["UID"]
    assert (left["STATUS"], gained["STATUS"]) == ("CANCELLED", "CONFIRMED")


def test_a_cancelled_appointment_says_so(
    paul: Colleague, nadia: Colleague, asked: Asked, database: Database, backoffice: Flask
) -> None:
    receives(database, PAUL)
    books(nadia, asked)
    path = address_of(paul)
    nadia.reads(asked.id)
    nadia.submit(action="/annuler")
    event = the_event(feed(backoffice, path))
    assert (event["STATUS"], event["SEQUENCE"]) == ("CANCELLED", 1)


def test_absences_are_whole_days(
    paul: Colleague, database: Database, backoffice: Flask, now: datetime
) -> None:
    with transaction(database.backoffice) as session:
        away = session.get_one(Agent, PAUL.id)
        absences.accept(session, away, away, date(2026, 11, 12), date(2026, 11, 13), now)
    event = the_event(feed(backoffice, address_of(paul)))
    assert (event["SUMMARY"], event.start, event.end) == (
        "Absence", date(2026, 11, 12), date(2026, 11, 14),
    )  # fmt: skip


def test_both_clock_change_nights_keep_the_hour_of_paris(
    paul: Colleague, nadia: Colleague, asked: Asked, database: Database, backoffice: Flask, clock: Clock
) -> None:
    """Ten o'clock is ten o'clock the day after the clocks changed, in spring as in autumn."""
    receives(database, PAUL, date(2027, 3, 29), (10, 11))
    books(nadia, asked)
    event = the_event(feed(backoffice, address_of(paul)))
    assert event.start == datetime(2027, 3, 29, 8, tzinfo=UTC)


def test_only_the_weeks_around_now_are_told(
    paul: Colleague, nadia: Colleague, asked: Asked, database: Database, backoffice: Flask, clock: Clock
) -> None:
    receives(database, PAUL)
    books(nadia, asked)
    path = address_of(paul)
    clock.now = at(NEXT_TUESDAY, 9) + timedelta(weeks=2)
    assert len(events(feed(backoffice, path))) == 1
    clock.forward(hours=1)
    assert events(feed(backoffice, path)) == []


def test_asking_again_is_cheap_until_something_changed(
    paul: Colleague, nadia: Colleague, asked: Asked, database: Database, backoffice: Flask, clock: Clock
) -> None:
    receives(database, PAUL)
    path = address_of(paul)
    reader = Visitor(backoffice, "https://agents.example.org")
    tag = reader.ask("GET", path).headers["ETag"]
    clock.forward(minutes=15)
    again = reader.ask("GET", path, headers={"If-None-Match": tag})
    assert (again.status_code, again.data) == (304, b"")
    books(nadia, asked)
    assert reader.ask("GET", path, headers={"If-None-Match": tag}).status_code == 200


def test_a_new_address_ends_the_old_one_and_none_is_shown_twice(
    paul: Colleague, database: Database, backoffice: Flask, now: datetime, clock: Clock
) -> None:
    first = address_of(paul)
    secret = first.rsplit("/", 1)[-1].removesuffix(".ics")
    assert secret not in paul.open(PAGE).text
    assert "Aucun calendrier ne l'a encore lue." in paul.page.main
    feed(backoffice, first)
    assert "Un calendrier l'a lue le" in paul.open(PAGE).main
    second = address_of(paul)
    stranger = Visitor(backoffice, "https://agents.example.org")
    assert [stranger.ask("GET", path).status_code for path in (first, second, UNKNOWN)] == [404, 200, 404]
    (row,) = stored(database, CalendarFeed)
    assert secret not in str(vars(row)), "a keyed hash alone is kept"
    paul.open(PAGE)
    assert "L'adresse est arrêtée." in paul.submit(action="/arreter").main
    assert stranger.ask("GET", second).status_code == 404
    told = [entry.details["what"] for entry in lines(database, None, "feed_renewed")]
    assert told == ["made", "renewed", "stopped"]


def test_an_agent_who_left_shows_nothing_any_more(
    paul: Colleague, database: Database, backoffice: Flask
) -> None:
    path = address_of(paul)
    with transaction(database.owner) as session:
        session.execute(update(Agent).where(Agent.id == PAUL.id).values(active=False))
    assert Visitor(backoffice, "https://agents.example.org").ask("GET", path).status_code == 404


def test_the_page_of_the_address_is_never_compressed(paul: Colleague) -> None:
    """The length of a compressed page can betray the secret it holds."""
    paul.open(PAGE)
    path, data, _ = paul.prepare(action="/adresse")
    answer = paul.ask("POST", path, data=data, headers={"Accept-Encoding": "gzip, br"})
    assert (answer.status_code, answer.headers.get("Content-Encoding")) == (200, None)
    assert answer.headers["Cache-Control"] == "no-store"


# --- the linked calendar, on the page -------------------------------------------------------------------


def links(paul: Colleague, login: str = "paul.petit", password: str = "un secret", status: int = 200) -> str:
    """Fill in the form; returns what the page says."""
    paul.open(PAGE)
    return paul.submit(action="/lien", login=login, password=password, status=status).main


def the_link(database: Database) -> CalendarLink:
    """The only linked calendar."""
    (row,) = stored(database, CalendarLink)
    assert isinstance(row, CalendarLink)
    return row


def test_the_password_is_sealed_and_never_shown(paul: Colleague, database: Database) -> None:
    assert "Le premier échange se fait dans une minute." in links(paul)
    row = the_link(database)
    assert b"un secret" not in row.sealed_password
    assert documents.unseal(row.sealed_password, database.private_key) == b"un secret"
    assert "un secret" not in paul.open(PAGE).response.get_data(as_text=True)
    (entry,) = lines(database, None, "calendar_linked")
    assert (entry.agent_id, entry.details) == (PAUL.id, {})


@pytest.mark.parametrize("login", ["../nadia", "..", "a/b", "paul\tpetit", "x" * 101, "%2e%2e", ".htaccess"])
def test_a_login_leads_to_no_other_folder(paul: Colleague, database: Database, login: str) -> None:
    links(paul, login, status=422)
    assert stored(database, CalendarLink) == []


def test_what_is_missing_is_said(paul: Colleague, database: Database) -> None:
    paul.open(PAGE)
    page = paul.submit(action="/lien", login="", password="", status=422)
    assert page.errors() == ["Écrivez votre identifiant.", "Écrivez votre mot de passe."]


def test_a_calendar_belongs_to_one_agent(paul: Colleague, louise: Colleague, database: Database) -> None:
    links(paul)
    assert "Ce calendrier est déjà lié à un autre agenda." in links(louise, "Paul.Petit", status=422)
    assert the_link(database).agent_id == PAUL.id


def test_a_wrong_password_is_said_and_can_be_given_again(
    paul: Colleague, database: Database, now: datetime
) -> None:
    links(paul)
    with transaction(database.owner) as session:
        row = session.get_one(CalendarLink, PAUL.id)
        row.error, row.next_at = Trouble.PASSWORD, None
    page = paul.open(PAGE)
    assert "Le serveur de calendriers refuse cet identifiant ou ce mot de passe." in page.main
    paul.submit(action="/lien", password="un autre")
    row = the_link(database)
    assert (row.error, row.next_at, row.login) == (None, now, "paul.petit")
    assert documents.unseal(row.sealed_password, database.private_key) == b"un autre"


def test_without_a_calendar_server_nothing_is_offered(
    desk_settings: Settings, database: Database, clock: Clock, backoffice: Flask
) -> None:
    paul = Colleague(create(replace(desk_settings, caldav_url=""), clock), PAUL)
    paul.signs_in()
    assert "Lier mon calendrier" not in paul.open(PAGE).main
    _, data, _ = paul.prepare(action="/adresse")
    data.update({"login": "paul.petit", "password": "x"})
    assert paul.ask("POST", f"{PAGE}/lien", data=data).status_code == 404


def test_unlinking_forgets_the_hours_at_once(paul: Colleague, database: Database) -> None:
    links(paul)
    paul.open(PAGE)
    page = paul.submit(action="/lien/retirer")
    assert "Nos rendez-vous sont en train de quitter votre calendrier." in page.main
    assert the_link(database).leaving
    assert len(lines(database, None, "calendar_unlinked")) == 1


def test_a_busy_hour_over_an_appointment_is_shown_and_cancels_nothing(
    paul: Colleague, nadia: Colleague, asked: Asked, database: Database
) -> None:
    receives(database, PAUL)
    books(nadia, asked)
    week = f"/fr/agenda?agent={PAUL.id}&semaine=2026-W46"
    assert not paul.open(week).of_class("clash")
    with transaction(database.backoffice) as session:
        busy = {"caldav:x:1": Range(at(NEXT_TUESDAY, 9, 15), at(NEXT_TUESDAY, 10))}
        calendar_links._keep_busy(session, PAUL.id, busy)
    page = paul.open(week)
    assert [words(one) for one in page.of_class("clash")] == ["À voir : occupé ailleurs à cette heure"]
    assert "Occupé ailleurs 09:15 – 10:00" in page.main
    assert stored(database, Appointment)[0].state is Standing.BOOKED


def test_everybody_sees_their_own_page_only(
    at_desk: Callable[[Character], Colleague], database: Database
) -> None:
    links(at_desk(PAUL))
    assert "paul.petit" not in at_desk(SARAH).open(PAGE).main
    sarahs = at_desk(SARAH).open(f"/fr/agenda?agent={PAUL.id}")
    assert PAGE not in sarahs.links()


@pytest.mark.parametrize("language", ["ar", "en"])
def test_nothing_of_the_page_is_left_in_french(
    paul: Colleague, database: Database, now: datetime, language: str
) -> None:
    """Linked, in trouble and late; then leaving."""
    links(paul)
    with transaction(database.owner) as session:
        row = session.get_one(CalendarLink, PAUL.id)
        row.error, row.synced_at = Trouble.PASSWORD, now - timedelta(hours=1)
    page = paul.open(f"/{language}/agenda/calendrier").main
    page += paul.submit(action="/adresse").main
    page += paul.submit(action="/lien", password="", status=422).main
    paul.open(f"/{language}/agenda/calendrier")
    page += paul.submit(action="/lien/retirer").main
    french = [said.id for said in strings.read("fr") if isinstance(said.id, str) and " " in said.id]
    assert [one for one in french if one in page and other_words(one, language)] == []


def test_hours_that_may_be_old_say_so(paul: Colleague, database: Database, now: datetime) -> None:
    links(paul)
    for ago, late in ((5, False), (31, True)):
        with transaction(database.owner) as session:
            session.get_one(CalendarLink, PAUL.id).synced_at = now - timedelta(minutes=ago)
        assert ("Les heures occupées peuvent dater." in paul.open(PAGE).main) is late
