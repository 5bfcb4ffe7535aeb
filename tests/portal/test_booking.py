"""Mr Moreau and Amina take an appointment, move it, cancel it; two people want the same hour; nobody is left alone."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from icalendar import Calendar
from sqlalchemy import delete, select, text, update

from casework.agenda import Audience, Kind, Mode
from casework.appointments import Appointment, Standing
from casework.database import transaction
from casework.journal import Entry
from casework.messages import Message
from casework.requests import Request
from casework.territory import Place
from casework.waiting import WaitingEntry
from tests.casework.asking import BY_MAIL, ask
from tests.clock import Clock
from tests.conftest import PARIS, Database
from tests.pages import Page, controls, words
from tests.people import LOUISE, MOREAU_EMAIL, PAUL, SARAH
from tests.portal.person import Person
from tests.portal.receiving import appointments_of, receives
from tests.translations.test_catalogues import stray_letters

pytestmark = pytest.mark.long

Somebody = Callable[..., Person]
THURSDAY = date(2026, 11, 5)
FRIDAY = date(2026, 11, 6)


@pytest.fixture
def moreau(marcel: Person) -> Person:
    """Marcel Moreau, 74, who asked for help by mail."""
    marcel.asks_for_help(channels={"email": MOREAU_EMAIL}, name="Marcel Moreau")
    return marcel


def hours(page: Page) -> list[str]:
    """The hours one can tap, as they read."""
    return [words(label) for tiles in page.of_class("slots") for label in _labels(tiles)]


def _labels(tiles: Any) -> list[Any]:
    return [one for one in tiles.iter("span") if one.get("class") == "tile-label"]


def slot_buttons(page: Page) -> list[tuple[str, str]]:
    """The buttons of the hours, in order."""
    return [
        ("slot", button.get("value", ""))
        for form in page.html.iter("form")
        for button in controls(page.html, form)
        if button.get("name") == "slot" and button.tag == "button"
    ]


def link(page: Page, said: str) -> str:
    """The address behind some words."""
    return next(
        one.get("href", "") for one in page.html.iter("a") if re.fullmatch(said, words(one), re.IGNORECASE)
    )


def takes(person: Person, which: int = 0, **typed: Any) -> Page:
    """From the follow page to the booked one."""
    person.go("rendez-vous")
    person.submit(slot_buttons(person.page)[which])
    return person.submit(action="/verifier", **typed) if not typed else person.submit(**typed)


def file_of(person: Person) -> Any:
    """The one event of the calendar file."""
    answer = person.ask("GET", f"/{person.language}/rendez-vous/rendez-vous.ics")
    assert answer.mimetype == "text/calendar"
    assert b"\n" not in answer.data.replace(b"\r\n", b""), "lines end as RFC 5545 says"
    assert max(len(line) for line in answer.data.split(b"\r\n")) <= 75
    calendar = Calendar.from_ical(answer.data)
    assert (calendar["METHOD"], calendar["VERSION"]) == ("PUBLISH", "2.0")
    return next(iter(calendar.walk("VEVENT")))


def actions(database: Database) -> list[str]:
    """What the journal says, after the request itself."""
    with transaction(database.owner) as session:
        return [entry.action.value for entry in session.scalars(select(Entry).order_by(Entry.id))][1:]


def test_moreau_takes_an_appointment_from_his_request(moreau: Person, database: Database) -> None:
    receives(database, THURSDAY)
    page = moreau.go("suivi")
    page = moreau.open(link(page, "Prendre rendez-vous"))
    assert hours(page) == ["jeudi 5 novembre9 heures", "jeudi 5 novembre9 heures 30"]
    assert "Maison de Poitiers" in page.main
    assert "Paul" not in page.text, "whom one meets is said once it is booked"

    page = moreau.submit(slot_buttons(page)[0])
    assert page.path == "/fr/rendez-vous/verifier"
    assert "Ce n'est pas encore réservé." in page.main
    assert "jusqu'à 10 heures 10" in page.main
    assert "1 rue du Marché" in page.main
    assert "Vos papiers." in page.main
    assert "https://www.openstreetmap.org/search?query=1%20rue%20du%20March" in " ".join(page.links())
    assert "Prendre rendez-vous" in moreau.go("suivi").main, "held is not booked"
    moreau.go("rendez-vous/verifier")

    page = moreau.submit(action="/verifier")
    assert page.path == "/fr/rendez-vous/pris"
    assert page.heading == "Votre rendez-vous est pris"
    assert PAUL.name in page.main

    page = moreau.go("suivi")
    assert "jeudi 5 novembre" in page.main
    assert "9 heures" in page.main
    assert "Annuler le rendez-vous" in page.main
    assert actions(database) == ["booked"]


def test_amina_books_by_telephone_in_arabic(amina: Person, database: Database) -> None:
    receives(database, THURSDAY, mode=Mode.PHONE)
    amina.asks_for_help(channels={"sms": "06 12 34 56 78"})
    page = amina.go("rendez-vous")
    assert page.html.get("dir") == "rtl"
    page = amina.submit(slot_buttons(page)[0])
    assert amina.page.field("phone") == "06 12 34 56 78", "the number she gave with her request"
    page = amina.submit(phone="١٢", status=422)
    assert page.errors()
    assert page.field("phone") == "١٢"
    page = amina.submit(phone="٠٦ ٣٩ ٩٨ ٠٠ ٠١")
    assert page.path == "/ar/rendez-vous/pris"
    assert "06 39 98 00 01" in page.main
    assert [one.phone for one in appointments_of(database)] == ["+33639980001"]
    assert re.search("[\u0600-\u06ff]", file_of(amina)["SUMMARY"])


def test_confirming_twice_is_one_booking(moreau: Person, database: Database) -> None:
    receives(database, THURSDAY)
    moreau.go("rendez-vous")
    moreau.submit(slot_buttons(moreau.page)[0])
    path, data, _ = moreau.prepare(action="/verifier")
    for _ in range(2):
        assert moreau.ask("POST", path, data=data).headers["Location"] == "/fr/rendez-vous/pris"
    assert [one.state for one in appointments_of(database)] == ["booked"]
    assert actions(database) == ["booked"]


def test_two_want_the_same_hour(moreau: Person, amina: Person, database: Database) -> None:
    receives(database, THURSDAY, time(9), time(11))
    amina.asks_for_help(place="")
    with transaction(database.owner) as session:
        session.execute(update(Request).values(sector_id="poitiers-centre"))
    moreau.go("rendez-vous")
    amina.go("rendez-vous")
    moreau.submit(slot_buttons(moreau.page)[0])

    page = amina.submit(slot_buttons(amina.page)[0], status=409)
    assert len(slot_buttons(page)) == 3
    page = amina.submit(slot_buttons(page)[0])
    page = amina.submit(action="/verifier")
    moreau.submit(action="/verifier")
    starts = sorted(one.start.astimezone(PARIS).time() for one in appointments_of(database))
    assert starts == [time(9), time(9, 30)]


def test_twenty_people_race_for_one_hour(portal: Flask, database: Database, now: datetime) -> None:
    receives(database, THURSDAY, time(9), time(9, 30))
    people = [Person(portal, source=f"192.0.2.{number}") for number in range(1, 21)]
    ready = []
    for person in people:
        person.open(f"/fr/s/{ask(database, now, BY_MAIL).secret}")
        page = person.go("rendez-vous")
        ready.append(person.prepare(slot_buttons(page)[0]))
    start, answers = threading.Barrier(len(people)), []

    def run(person: Person, path: str, data: Any) -> None:
        start.wait(30)
        answers.append(person.ask("POST", path, data=data).status_code)

    threads = [
        threading.Thread(target=run, args=(person, path, data))
        for person, (path, data, _) in zip(people, ready, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(answers) == [303] + [409] * 19
    assert [one.state for one in appointments_of(database)] == ["held"]


def test_after_ten_minutes_the_hour_is_anybodys(
    moreau: Person, amina: Person, database: Database, clock: Clock
) -> None:
    receives(database, THURSDAY, time(9), time(9, 30), mode=Mode.PHONE)
    receives(database, FRIDAY, time(9), time(10, 30), mode=Mode.PHONE)
    amina.asks_for_help()
    moreau.go("rendez-vous")
    moreau.submit(slot_buttons(moreau.page)[0])
    assert "5" not in words(amina.go("rendez-vous").of_class("slots")[0]), "held: not offered"
    clock.forward(minutes=11)

    amina.go("rendez-vous")
    amina.submit(slot_buttons(amina.page)[0])
    amina.submit(action="/verifier")
    page = moreau.submit(phone="06 39 98 00 02", status=409)
    assert page.heading == "Les 10 minutes sont passées"
    assert "Rien n'est réservé pour le jeudi 5 novembre à 9 heures." in page.main
    assert [label[:19] for label in hours(page)] == ["vendredi 6 novembre"] * 3
    page = moreau.submit(slot_buttons(page)[1])
    assert page.field("phone") == "06 39 98 00 02", "nothing typed is lost"
    assert moreau.submit(action="/verifier").heading == "Votre rendez-vous est pris"


def test_too_slow_but_still_free(moreau: Person, database: Database, clock: Clock) -> None:
    receives(database, THURSDAY)
    moreau.go("rendez-vous")
    moreau.submit(slot_buttons(moreau.page)[0])
    clock.forward(minutes=11)
    page = moreau.go("rendez-vous/verifier", status=409)
    assert hours(page)[0].startswith("jeudi 5 novembre")
    moreau.submit(slot_buttons(page)[0])
    assert moreau.submit(action="/verifier").path == "/fr/rendez-vous/pris"
    assert [one.start.astimezone(PARIS).hour for one in appointments_of(database)] == [9]


def test_moving_keeps_how_and_where_and_frees_the_old_hour_only_at_the_end(
    moreau: Person, amina: Person, database: Database
) -> None:
    receives(database, THURSDAY, time(9), time(9, 30), place="vouille-mairie")
    receives(database, FRIDAY, time(9), time(9, 30), place="vouille-mairie")
    receives(database, FRIDAY, time(14), time(16))
    receives(database, FRIDAY, time(16), time(17), mode=Mode.PHONE)
    amina.asks_for_help()
    takes(moreau)
    before = file_of(moreau)

    page = moreau.open(link(moreau.go("suivi"), "Changer le jour ou l'heure"))
    query = parse_qs(urlsplit(page.path).query)
    assert query == {"comment": ["here"], "lieu": ["vouille-mairie"]}
    assert "Nous le gardons jusqu'à votre nouveau choix." in page.main
    assert [label[:19] for label in hours(page)] == ["vendredi 6 novembre"], "his own hour is not offered"
    page = moreau.submit(slot_buttons(page)[0])
    assert parse_qs(urlsplit(page.path).query) == query
    assert parse_qs(urlsplit(link(page, "Choisir une autre heure")).query) == query
    assert "الخميس" not in " ".join(hours(amina.go("rendez-vous"))), "kept until he confirms"

    page = moreau.submit(action="/verifier?comment=here&lieu=vouille-mairie")
    assert page.heading == "Votre rendez-vous a changé"
    assert "الخميس 5" in " ".join(hours(amina.go("rendez-vous"))), "free now"
    assert sorted(one.state.value for one in appointments_of(database)) == ["booked", "moved"]
    after = file_of(moreau)
    assert (after["UID"], before["SEQUENCE"], after["SEQUENCE"]) == (before["UID"], 0, 1)
    assert actions(database)[-1:] == ["moved"]


def test_booked_in_another_tab_there_is_still_one(moreau: Person, database: Database) -> None:
    receives(database, THURSDAY, time(9), time(11))
    moreau.go("rendez-vous")
    moreau.submit(slot_buttons(moreau.page)[0])
    other = moreau.second_tab()
    other.open("/fr/rendez-vous")
    other.submit(slot_buttons(other.page)[1])
    other.submit(action="/verifier")
    page = moreau.submit(action="/verifier", status=409)
    assert "Vous gardez votre rendez-vous" in page.main
    moreau.submit(slot_buttons(page)[0])
    moreau.submit(action="/verifier")
    assert sorted(one.state.value for one in appointments_of(database)) == ["booked", "moved"]


def test_a_move_confirmed_after_a_cancellation_is_a_new_one(moreau: Person, database: Database) -> None:
    receives(database, THURSDAY, time(9), time(11))
    takes(moreau)
    moreau.go("rendez-vous")
    moreau.submit(slot_buttons(moreau.page)[0])
    other = moreau.second_tab()
    other.open("/fr/rendez-vous/annuler")
    other.submit(action="/annuler")
    assert moreau.submit(action="/verifier").path.startswith("/fr/rendez-vous/pris")
    assert sorted(one.state.value for one in appointments_of(database)) == ["booked", "cancelled"]


def test_cancelling_frees_the_hour_for_another(moreau: Person, amina: Person, database: Database) -> None:
    receives(database, THURSDAY, time(9), time(9, 30))
    amina.asks_for_help()
    takes(moreau)
    assert slot_buttons(amina.go("rendez-vous")) == []
    page = moreau.open(link(moreau.go("suivi"), "Annuler le rendez-vous"))
    assert page.heading == "Annuler votre rendez-vous ?"
    assert appointments_of(database)[0].state is Standing.BOOKED, "a question first"
    path, data, _ = moreau.prepare(action="/annuler")
    for _ in range(2):
        assert moreau.ask("POST", path, data=data).headers["Location"] == "/fr/rendez-vous/annule"
    assert moreau.go("rendez-vous/annule").heading == "Votre rendez-vous est annulé"
    assert actions(database)[-2:] == ["booked", "cancelled"]
    takes(amina)
    assert sorted(one.state.value for one in appointments_of(database)) == ["booked", "cancelled"]
    assert moreau.go("rendez-vous/rendez-vous.ics").path == "/fr/suivi"


def test_two_hours_before_one_calls(moreau: Person, database: Database, clock: Clock) -> None:
    receives(database, THURSDAY, time(9), time(11))
    takes(moreau)
    clock.now = datetime.combine(THURSDAY, time(7, 1), PARIS)
    page = moreau.go("suivi")
    assert "Annuler le rendez-vous" not in page.main
    assert "05 49 00 00 01" in page.main
    token = page.field("csrf_token")
    for slug in ("rendez-vous", "rendez-vous/annuler"):
        assert moreau.go(slug, status=409).heading == "Votre rendez-vous est bientôt"
        answer = moreau.ask("POST", f"/fr/{slug}", data={"csrf_token": token, "slot": "1.here."})
        assert answer.status_code == 409
    assert appointments_of(database)[0].state is Standing.BOOKED


def test_the_day_the_clocks_change_the_hour_is_right(
    moreau: Person, database: Database, clock: Clock
) -> None:
    """Sunday 28 March 2027: 3 o'clock comes after 1:59. Monday at nine is nine, and seven in UTC."""
    clock.now = datetime(2027, 3, 26, 12, tzinfo=PARIS)
    receives(database, date(2027, 3, 28), time(1, 30), time(4), mode=Mode.PHONE)
    receives(database, date(2027, 3, 29), time(9), time(9, 30))
    page = moreau.go("rendez-vous?jour=2027-03-28")
    assert [label.replace("dimanche 28 mars", "") for label in hours(page)] == [
        "1 heures 30", "3 heures", "3 heures 30"
    ]  # fmt: skip
    page = moreau.go("rendez-vous?comment=here")
    assert hours(page) == ["lundi 29 mars9 heures"]
    moreau.submit(slot_buttons(page)[0])
    moreau.submit(action="/verifier?comment=here")
    event = file_of(moreau)
    assert event["DTSTART"].dt == datetime(2027, 3, 29, 7, tzinfo=UTC)
    assert event["DTSTART"].dt.astimezone(PARIS).hour == 9
    assert event["DTEND"].dt - event["DTSTART"].dt == timedelta(minutes=30)


def test_the_calendar_file_says_when_and_where_and_never_why(moreau: Person, database: Database) -> None:
    receives(database, THURSDAY)
    takes(moreau)
    event = file_of(moreau)
    assert event["SUMMARY"] == "Rendez-vous"
    assert event["LOCATION"] == "Maison de Poitiers, 1 rue du Marché, 86000 Poitiers"
    assert str(event["UID"]).endswith("@portail.example.org")
    assert event["DTSTART"].dt == datetime(2026, 11, 5, 8, tzinfo=UTC)
    assert "argent" not in str(event.to_ical().decode()).lower()


def test_in_danger_every_page_can_be_left_and_the_calendar_says_the_hour_alone(
    amina: Person, database: Database
) -> None:
    receives(database, THURSDAY)
    amina.asks_for_help(theme="violence")
    takes(amina)
    amina.go("rendez-vous")
    amina.go("rendez-vous/annuler")
    amina.go("rendez-vous/rappel")
    booked = [page for page in amina.shown if "/rendez-vous" in page.path]
    assert len(booked) >= 6
    assert [page.path for page in booked if not page.of_class("exit-button")] == []
    assert [page.path for page in booked if "openstreetmap" in " ".join(page.links())] == []
    event = file_of(amina)
    assert "LOCATION" not in event
    assert "DESCRIPTION" not in event


def test_six_hours_at_most_of_each_way_and_each_place(moreau: Person, database: Database) -> None:
    for day in (THURSDAY, FRIDAY):
        receives(database, day, time(9), time(12))
        receives(database, day, time(14), time(17), who=SARAH)
    receives(database, date(2026, 11, 16), time(9), time(12), who=SARAH, mode=Mode.PHONE)
    receives(database, date(2026, 11, 17), time(9), time(12), who=SARAH, mode=Mode.VIDEO)
    receives(database, date(2026, 11, 18), time(9), time(12), place="vouille-mairie")
    receives(database, date(2026, 11, 4), time(9), time(12), audience=Audience.AGENTS)
    page = moreau.go("rendez-vous")
    shown = hours(page)
    assert len(shown) == 6
    assert shown[0] == "jeudi 5 novembre9 heures"
    for what in ("Mairie de Vouillé", "Au téléphone", "En vidéo", "Maison de Poitiers"):
        assert what in words(page.of_class("slots")[0])
    assert shown[-1].startswith("mercredi 18")


def test_by_hand_another_way_another_day_another_half(moreau: Person, database: Database) -> None:
    receives(database, THURSDAY, time(9), time(17))
    receives(database, FRIDAY, time(9), time(17))
    receives(database, FRIDAY, time(9), time(17), who=SARAH, mode=Mode.PHONE)
    page = moreau.go("rendez-vous")
    page = moreau.open(link(page, "L'après-midi"))
    assert all("9 heures" not in one and "11" not in one for one in hours(page))
    page = moreau.open(link(page, "Au téléphone"))
    assert parse_qs(urlsplit(page.path).query) == {"comment": ["phone"], "moment": ["apres-midi"]}
    assert {one[:19] for one in hours(page)} == {"vendredi 6 novembre"}
    page = moreau.open("/fr/rendez-vous?jour=06%2F11%2F2026&moment=matin&comment=here")
    assert [one.removeprefix("vendredi 6 novembre") for one in hours(page)] == [
        "9 heures", "9 heures 30", "10 heures", "10 heures 30", "11 heures", "11 heures 30"
    ]  # fmt: skip
    page = moreau.go("rendez-vous?jour=2026-11-04")
    assert "Rien n'est libre le mercredi 4 novembre." in page.main
    page = moreau.go("rendez-vous?jour=hier&moment=matin", status=422)
    assert page.errors()
    assert next(one for one in page.html.iter("input") if one.get("id") == "jour").get("value") == "hier"
    for nonsense in ("comment=home", "moment=nuit", "lieu='--", "jour=9999-12-31", "avec=x"):
        moreau.go(f"rendez-vous?{nonsense}", status=422 if "jour" in nonsense else 200)


def test_with_the_same_person_first(moreau: Person, database: Database) -> None:
    receives(database, THURSDAY, who=SARAH)
    receives(database, FRIDAY)
    with transaction(database.owner) as session:
        session.execute(update(Request).values(worker_id=PAUL.id, handler=PAUL.name, state="taken"))
    page = moreau.go("rendez-vous")
    assert {one[:19] for one in hours(page)} == {"vendredi 6 novembre"}
    page = moreau.open(link(page, "Toute l'équipe"))
    assert hours(page)[0].startswith("jeudi 5 novembre")


def test_when_nobody_of_the_sector_is_free_the_house_is_shown(moreau: Person, database: Database) -> None:
    receives(database, FRIDAY, who=LOUISE)
    page = moreau.go("rendez-vous")
    assert "Voici d'autres heures libres" in page.main
    moreau.submit(slot_buttons(page)[0])
    moreau.submit(action="/verifier?avec=equipe")
    assert [one.agent_id for one in appointments_of(database)] == [LOUISE.id]


def test_never_a_dead_end(moreau: Person, database: Database) -> None:
    with transaction(database.owner) as session:
        session.execute(update(Place).where(Place.id == "vouille-mairie").values(by_appointment=False))
    page = moreau.go("rendez-vous?comment=video&moment=matin")
    assert "Aucune heure libre ne correspond à votre choix." in page.main
    assert "Mairie de Vouillé" in page.main
    assert "Le mardi matin." in page.main
    assert "05 49 00 00 01" in page.main

    for _ in range(2):
        moreau.go("rendez-vous?comment=video&moment=matin")
        if "Ne plus attendre" not in moreau.page.main:
            moreau.submit(action="/attendre?comment=video&moment=matin")
    with transaction(database.owner) as session:
        entry = session.scalars(select(WaitingEntry)).one()
        assert (entry.modes, entry.hour_to, entry.kind_id) == (["video"], time(12), "first")
    assert "Nous vous prévenons." in moreau.go("suivi").main
    moreau.go("rendez-vous")
    moreau.submit(action="/ne-plus-attendre")
    assert "Nous vous prévenons." not in moreau.page.main

    moreau.go("rendez-vous/rappel")
    assert moreau.submit(phone="non", status=422).field("phone") == "non"
    path, data, _ = moreau.prepare(phone="06 39 98 00 03")
    for _ in range(2):
        assert "/note" in moreau.ask("POST", path, data=data).headers["Location"]
    moreau.go("rendez-vous/note?pour=rappel")
    with transaction(database.owner) as session:
        message = session.scalars(select(Message)).one()
        assert message.body == "Je cherche un rendez-vous. Appelez-moi au 06 39 98 00 03."


def test_having_an_appointment_one_waits_no_more(moreau: Person, database: Database) -> None:
    moreau.go("rendez-vous")
    moreau.submit(action="/attendre")
    receives(database, THURSDAY)
    takes(moreau)
    with transaction(database.owner) as session:
        assert session.scalars(select(WaitingEntry.state)).all() == ["served"]


def test_steps_are_told_to_who_comes_in_a_wheelchair(marcel: Person, database: Database) -> None:
    receives(database, THURSDAY)
    marcel.asks_for_help(channels={"email": MOREAU_EMAIL}, needs=["wheelchair"])
    with transaction(database.owner) as session:
        session.execute(update(Place).values(step_free=False))
    marcel.go("rendez-vous")
    assert "Il y a peut-être des marches." in marcel.submit(slot_buttons(marcel.page)[0]).main


def test_a_closed_request_takes_no_appointment(moreau: Person, database: Database, now: datetime) -> None:
    receives(database, THURSDAY)
    with transaction(database.owner) as session:
        session.execute(update(Request).values(state="closed", closed_at=now, outcome="answered"))
    assert moreau.go("rendez-vous").path == "/fr/suivi"
    assert "Prendre rendez-vous" not in moreau.page.main


@pytest.mark.parametrize(
    "slot", ["", "x", "1762329600.home.", "1762329600.here.mds-loudun", "99999999999.here.mds-poitiers"]
)
def test_a_made_up_hour_holds_nothing(moreau: Person, database: Database, slot: str) -> None:
    receives(database, THURSDAY)
    token = moreau.go("rendez-vous").field("csrf_token")
    answer = moreau.ask("POST", "/fr/rendez-vous", data={"csrf_token": token, "slot": slot})
    assert answer.status_code in {303, 409}
    assert appointments_of(database) == []


def test_hours_within_the_next_hour_are_not_taken(moreau: Person, database: Database, clock: Clock) -> None:
    receives(database, THURSDAY, time(9), time(9, 30))
    moreau.go("rendez-vous")
    button = slot_buttons(moreau.page)[0]
    clock.now = datetime.combine(THURSDAY, time(8, 30), PARIS)
    moreau.submit(button, status=409)
    assert appointments_of(database) == []


def test_no_page_of_booking_asks_for_a_script(moreau: Person, database: Database) -> None:
    receives(database, THURSDAY)
    takes(moreau)
    for page in moreau.shown:
        assert all(script.get("src") for script in page.html.iter("script"))


def test_the_journal_keeps_when_and_how(moreau: Person, database: Database) -> None:
    receives(database, THURSDAY)
    takes(moreau)
    with transaction(database.owner) as session:
        entry = session.scalars(select(Entry).where(Entry.action == "booked")).one()
        booked = session.scalars(select(Appointment)).one()
        assert entry.agent_id is None
        assert entry.details == {
            "origin": "portal", "appointment": str(booked.id), "mode": "here",
            "start": booked.start.isoformat(),
        }  # fmt: skip
        assert session.scalar(text("SELECT count(*) FROM journal WHERE request_id IS NULL")) == 0


def test_a_house_that_takes_no_appointment_calls_back(moreau: Person, database: Database) -> None:
    with transaction(database.owner) as session:
        session.execute(delete(Kind))
    assert "Aucune heure n'est libre pour le moment." in moreau.go("rendez-vous").main
    assert moreau.submit(action="/attendre").path == "/fr/rendez-vous/rappel"


def test_in_arabic_no_word_is_left_in_french(amina: Person, database: Database, clock: Clock) -> None:
    receives(database, THURSDAY)
    receives(database, FRIDAY, mode=Mode.PHONE)
    receives(database, FRIDAY, who=SARAH, mode=Mode.VIDEO)
    amina.asks_for_help(theme="violence", needs=["wheelchair"])
    amina.go("suivi")
    for query in ("", "?comment=phone", "?jour=x", "?comment=video&moment=apres-midi", "?jour=2026-11-08"):
        amina.go(f"rendez-vous{query}", status=422 if "x" in query else 200)
    for how in ("phone", "video", "here"):
        amina.submit(slot_buttons(amina.go(f"rendez-vous?comment={how}"))[0])
        if how == "video":
            clock.forward(minutes=11)
            amina.submit(action=f"/verifier?comment={how}", status=409)
            amina.submit(slot_buttons(amina.page)[0])
        amina.submit(action=f"/verifier?comment={how}")
        amina.go("suivi")
    amina.go("rendez-vous")
    amina.go("rendez-vous/annuler")
    amina.submit(action="/annuler")
    amina.go("rendez-vous/rappel")
    amina.go("rendez-vous/note")
    assert {page.path: found for page in amina.shown if (found := list(stray_letters(page)))} == {}
    assert all(re.search("[\u0600-\u06ff]", page.heading) for page in amina.shown)
