"""Amina lives in Vouillé, without a car: she sees how far each place is, and may ask for the nearest first."""

from __future__ import annotations

from datetime import date, time, timedelta

from sqlalchemy import insert, text, update

from casework.database import transaction
from casework.territory import Commune, Place, PlaceKind
from tests.conftest import Database
from tests.pages import Page, words
from tests.people import LOUDUN, POITIERS, VOUILLE
from tests.portal.person import Person
from tests.portal.receiving import appointments_of, receives
from tests.portal.test_booking import hours, link, slot_buttons

WEDNESDAY = date(2026, 11, 4)
SATURDAY = date(2026, 11, 7)


def hints(page: Page) -> list[str]:
    """What is written under each hour: where, and how far."""
    tiles = [one for box in page.of_class("slots") for one in box.iter("span")]
    return [words(one) for one in tiles if one.get("class") == "tile-hint"]


def lives_in_vouille(person: Person, database: Database) -> None:
    """Six hours tomorrow at the house of Poitiers; one on Saturday at the town hall next door."""
    receives(database, WEDNESDAY, time(9), time(12))
    receives(database, SATURDAY, time(9), time(9, 30), place="vouille-mairie")
    person.asks_for_help(place="Vouillé", name="Amina")


def test_both_the_earliest_and_the_nearest_are_shown_with_how_far(marcel: Person, database: Database) -> None:
    lives_in_vouille(marcel, database)
    page = marcel.go("rendez-vous")
    assert len(hours(page)) == 6
    assert hours(page)[0] == "mercredi 4 novembre9 heures"
    assert hours(page)[-1] == "samedi 7 novembre9 heures"
    assert hints(page)[0] == "Maison de Poitiers" + "à environ 15 kilomètres de chez vous"
    assert hints(page)[-1] == "Mairie de Vouillé" + "dans votre commune"


def test_the_nearest_first_and_moving_keeps_it(marcel: Person, database: Database) -> None:
    lives_in_vouille(marcel, database)
    page = marcel.go("rendez-vous")
    page = marcel.open(link(page, "Le plus près"))
    assert page.path == "/fr/rendez-vous?ordre=pres"
    assert hours(page)[0] == "samedi 7 novembre9 heures"
    assert len(hours(page)) == 6
    chosen = [words(one) for one in page.html.iter("a") if one.get("aria-current") == "true"]
    assert "Le plus près" in chosen
    assert "Le plus tôt" not in chosen
    page = marcel.submit(slot_buttons(page)[0])
    assert page.path == "/fr/rendez-vous/verifier?ordre=pres"
    page = marcel.open(link(page, "Choisir une autre heure"))
    assert page.path == "/fr/rendez-vous?ordre=pres"
    marcel.submit(slot_buttons(page)[0])
    marcel.submit(action="/verifier?ordre=pres")
    assert [one.place_id for one in appointments_of(database)][-1] == "vouille-mairie"

    receives(database, SATURDAY + timedelta(days=7), place="vouille-mairie")
    page = marcel.open("/fr/rendez-vous?ordre=pres")
    assert page.heading == "Changer votre rendez-vous"
    assert hints(page)[0].startswith("Mairie de Vouillé")
    assert link(page, "Le matin").endswith("ordre=pres&moment=matin")


def test_without_coordinates_the_nearest_is_still_first_and_no_distance_is_said(
    marcel: Person, database: Database
) -> None:
    with transaction(database.owner) as session:
        session.execute(update(Commune).values(latitude=None, longitude=None))
    receives(database, WEDNESDAY, time(9), time(12))
    receives(database, SATURDAY, time(9), time(9, 30), place="vouille-mairie")
    marcel.asks_for_help(place="Frozes", name="Amina")
    page = marcel.go("rendez-vous?ordre=pres")
    assert hints(page)[0] == "Mairie de Vouillé"
    assert "environ" not in page.main


def test_who_lives_nowhere_sees_hours_as_before(marcel: Person, database: Database) -> None:
    receives(database, WEDNESDAY)
    marcel.asks_for_help(place="", name="Amina")
    page = marcel.go("rendez-vous?ordre=pres")
    assert hours(page)[0] == "mercredi 4 novembre9 heures"
    assert "environ" not in page.main


def test_walk_in_permanences_are_listed_the_nearest_first(marcel: Person, database: Database) -> None:
    with transaction(database.owner) as session:
        session.execute(
            insert(Place),
            [
                {
                    "id": place,
                    "kind": PlaceKind.PERMANENCE,
                    "house_id": "poitiers",
                    "commune_code": commune,
                    "name": name,
                    "times": "Le jeudi matin.",
                    "by_appointment": False,
                    "desks": 1,
                    "step_free": True,
                    "confidential": True,
                    "connected": False,
                    "active": True,
                }
                for place, commune, name in (
                    ("a-loudun", LOUDUN, "Marché de Loudun"),
                    ("b-poitiers", POITIERS, "Bibliothèque de Poitiers"),
                    ("c-vouille", VOUILLE, "Halle de Vouillé"),
                )
            ],
        )
    marcel.asks_for_help(place="Vouillé")
    page = marcel.go("rendez-vous")
    listed = [words(line) for one in page.of_class("places") for line in one.iter("li")]
    assert [line.split("Le jeudi")[0].strip() for line in listed] == [
        "Halle de Vouillé",
        "Bibliothèque de Poitiers",
        "Marché de Loudun",
    ]
    assert listed[0].endswith("dans votre commune")
    assert listed[2].endswith("à environ 40 kilomètres de chez vous")


def test_a_lost_hour_still_says_how_far_the_others_are(marcel: Person, database: Database) -> None:
    lives_in_vouille(marcel, database)
    page = marcel.go("rendez-vous?ordre=pres")
    wanted = slot_buttons(page)[0]
    with transaction(database.owner) as session:
        session.execute(text("UPDATE openings SET dropped = true WHERE place_id = 'vouille-mairie'"))
    page = marcel.submit(wanted, status=409)
    assert hints(page)[0].endswith("à environ 15 kilomètres de chez vous")
    assert page.html.findall(".//form")[0].get("action", "").endswith("ordre=pres")
