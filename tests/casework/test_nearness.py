"""Near and far: the nearest place is found, said as one says it, and never hidden by an earlier hour elsewhere."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session

from casework.agenda import Mode
from casework.database import transaction
from casework.nearness import Distance, crow_flies, distances
from casework.offers import mix, mix_near
from casework.slots import MOST_SHOWN, Slot
from casework.territory import Commune, Place
from tests.conftest import Database
from tests.people import FROZES, LOUDUN, POITIERS, VOUILLE

PLACES = ("mds-poitiers", "mds-loudun", "vouille-mairie")
TOMORROW = datetime(2026, 11, 4, 9, tzinfo=UTC)

FAR = {"mds-loudun": Distance(60.2, 60), "vouille-mairie": Distance(0, 0), "mds-poitiers": Distance(14.9, 15)}


def slot(day: int, place: str | None = None, mode: Mode = Mode.HERE, hour: int = 0) -> Slot:
    """Half an hour, `day` days after tomorrow."""
    start = TOMORROW + timedelta(days=day, hours=hour)
    during = Range(start, start + timedelta(minutes=30))
    return Slot(2, "poitiers", place, mode, "first", during, during)


def test_the_crow_flies_as_maps_say() -> None:
    """Paris to Marseille is 661 km, along a quarter of the meridian 10,008 km."""
    assert crow_flies((48.8566, 2.3522), (43.2965, 5.3698)) == pytest.approx(661, abs=2)
    assert crow_flies((0, 0), (90, 0)) == pytest.approx(10_008, abs=5)
    assert crow_flies((46.58, 0.34), (46.58, 0.34)) == 0


def test_distances_from_vouille(database: Database) -> None:
    with Session(database.portal) as session:
        far = distances(session, VOUILLE, [*PLACES, None])
    assert {place: one.km for place, one in far.items()} == {
        "vouille-mairie": 0,
        "mds-poitiers": 15,
        "mds-loudun": 40,
    }
    assert sorted(PLACES, key=lambda place: far[place].order) == [
        "vouille-mairie",
        "mds-poitiers",
        "mds-loudun",
    ]


def test_who_lives_nowhere_is_near_to_nothing(database: Database) -> None:
    with Session(database.portal) as session:
        assert distances(session, None, PLACES) == {}
        assert distances(session, "75056", PLACES) == {}


def test_without_coordinates_neighbours_are_those_the_files_know(database: Database) -> None:
    """From Frozes: Vouillé shares its postal code; with another one, it still shares its sector."""
    with transaction(database.owner) as session:
        session.execute(update(Commune).values(latitude=None, longitude=None))
        far = distances(session, FROZES, PLACES)
        assert {one.km for one in far.values()} == {None}, "a distance nobody knows is not said"
        assert far["vouille-mairie"].order < far["mds-poitiers"].order == far["mds-loudun"].order
        session.execute(update(Commune).where(Commune.code == FROZES).values(postal_codes=["86999"]))
        session.expire_all()
        again = distances(session, FROZES, PLACES)
        assert far["vouille-mairie"].order < again["vouille-mairie"].order < again["mds-poitiers"].order
        assert distances(session, VOUILLE, PLACES)["vouille-mairie"] == Distance(0, 0)


def test_one_commune_without_coordinates_comes_after_the_near_ones(database: Database) -> None:
    with transaction(database.owner) as session:
        session.execute(update(Commune).where(Commune.code == LOUDUN).values(latitude=None, longitude=None))
        far = distances(session, POITIERS, PLACES)
        assert far["mds-loudun"].km is None
        assert far["vouille-mairie"].order < far["mds-loudun"].order


@pytest.mark.parametrize(
    ("degrees", "said"), [(0.001, 1), (0.1, 11), (0.175, 19), (0.2, 20), (0.21, 25), (0.5, 55)]
)
def test_a_distance_is_said_as_one_says_it(database: Database, degrees: float, said: int) -> None:
    with transaction(database.owner) as session:
        session.execute(
            update(Commune).where(Commune.code == LOUDUN).values(latitude=46.5802 + degrees, longitude=0.3408)
        )
        session.execute(update(Place).where(Place.id == "mds-loudun").values(commune_code=LOUDUN))
        assert distances(session, POITIERS, ["mds-loudun"])["mds-loudun"].km == said


def test_tomorrow_sixty_kilometres_away_does_not_hide_thursday_next_door() -> None:
    away = [slot(day, "mds-loudun", hour=hour) for day in (0, 1) for hour in (0, 1, 2, 3, 4)]
    next_door = slot(3, "vouille-mairie")
    shown = mix([*away, next_door], FAR)
    assert len(shown) == MOST_SHOWN
    assert shown[0] == away[0]
    assert shown[-1] == next_door


def test_next_door_in_three_days_does_not_hide_tomorrow_sixty_kilometres_away() -> None:
    next_door = [slot(3, "vouille-mairie", hour=hour) for hour in range(8)]
    away = slot(0, "mds-loudun")
    assert mix([*next_door, away], FAR)[0] == away
    assert mix_near([*next_door, away], FAR)[0] == next_door[0]
    assert away in mix_near([*next_door, away], FAR)


def test_the_nearest_place_is_there_among_many_places_and_ways() -> None:
    """Seven places and two other ways to meet: the nearest place has the latest hour of all, and is shown."""
    many = [slot(day, f"place-{day}") for day in range(7)]
    many += [slot(7, None, Mode.PHONE), slot(8, None, Mode.VIDEO)]
    nearest = slot(20, "vouille-mairie")
    far = {f"place-{day}": Distance(30 + day, 30) for day in range(7)} | FAR
    shown = mix([*many, nearest], far)
    assert nearest in shown
    assert {one.mode for one in shown} == {Mode.HERE, Mode.PHONE, Mode.VIDEO}
    assert shown == sorted(shown, key=lambda one: one.start)


def test_the_nearest_first_gives_each_place_once_before_the_same_again() -> None:
    found = [
        slot(0, "mds-loudun"),
        slot(1, None, Mode.PHONE),
        slot(2, "mds-poitiers"),
        slot(3, "vouille-mairie"),
        slot(4, "vouille-mairie"),
        slot(5, "vouille-mairie"),
        slot(6, "vouille-mairie"),
    ]
    shown = mix_near(found, FAR)
    assert [one.place_id for one in shown] == ["vouille-mairie"] * 4 + ["mds-poitiers", "mds-loudun"]
    assert [one.start for one in shown[:4]] == sorted(one.start for one in shown[:4])


def test_with_few_hours_nothing_is_left_out() -> None:
    found = [slot(0, "mds-loudun"), slot(1, None, Mode.PHONE)]
    assert mix_near(found, FAR) == found
    assert mix(found, FAR) == mix(found) == found
    assert mix([], FAR) == mix_near([], FAR) == []
