"""Where one lives, typed as people type."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from casework.database import transaction
from casework.requests import Request
from tests.conftest import Database
from tests.pages import Page
from tests.people import FROZES, LOUDUN, POITIERS, VOUILLE
from tests.portal.person import Person


def place_question(person: Person) -> Page:
    """The person stands before the question of the place."""
    return person.tells()


def test_a_postal_code_of_several_communes_lets_one_choose(marcel: Person, database: Database) -> None:
    place_question(marcel)
    choice = marcel.submit(commune_typed="86190")
    assert choice.path == "/fr/demande/lieu"
    assert [name in choice.main for name in ("Vouillé", "Frozes", "Loudun")] == [True, True, False]
    marcel.submit(("commune_code", FROZES))
    marcel.submit(channels=["visit"])
    marcel.submit()
    marcel.submit()
    marcel.submit(("next", "1"))
    marcel.sends()
    with transaction(database.owner) as session:
        request = session.scalars(select(Request)).one()
        assert (request.commune_code, request.house_id, request.sector_id) == (FROZES, "poitiers", "vouille")


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("Vouillé", VOUILLE), ("VOUILLE", VOUILLE), ("  vouille ", VOUILLE), ("Poitier", POITIERS),
        ("poitiers 86000", POITIERS), ("86000", POITIERS), ("86 200", LOUDUN), ("٨٦٢٠٠", LOUDUN),
        ("loudin", LOUDUN),
    ],
)  # fmt: skip
def test_one_match_goes_on(marcel: Person, typed: str, code: str) -> None:
    place_question(marcel)
    following = marcel.submit(commune_typed=typed)
    assert following.path == "/fr/demande/reponse"
    marcel.go("demande/lieu")
    names = {VOUILLE: "Vouillé", POITIERS: "Poitiers", LOUDUN: "Loudun"}
    assert marcel.page.field("commune_typed") == names[code]


def test_no_fixed_place_is_an_answer(amina: Person, database: Database) -> None:
    amina.asks_for_help(place="")
    with transaction(database.owner) as session:
        request = session.scalars(select(Request)).one()
        assert (request.commune_code, request.place_typed, request.sector_id) == (None, "", None)
        assert request.house_id == "poitiers", "the house that receives people without a fixed place"


def test_outside_the_departement_is_no_dead_end(marcel: Person, database: Database) -> None:
    place_question(marcel)
    page = marcel.submit(commune_typed="Saint-Nazaire", status=422)
    assert page.errors()
    assert page.field("commune_typed") == "Saint-Nazaire"
    marcel.submit(("elsewhere", "1"))
    marcel.submit(channels=["visit"])
    marcel.submit()
    marcel.submit()
    marcel.submit(("next", "1"))
    marcel.sends()
    with transaction(database.owner) as session:
        request = session.scalars(select(Request)).one()
        assert (request.commune_code, request.place_typed) == (None, "Saint-Nazaire")
        assert request.house_id == "poitiers"


def test_nothing_typed_is_said_plainly(marcel: Person) -> None:
    place_question(marcel)
    assert marcel.submit(commune_typed="   ", status=422).errors()


def test_a_commune_that_does_not_exist_is_not_taken(marcel: Person) -> None:
    place_question(marcel)
    for forged in ("99999", "9\x009"):
        data = {"csrf_token": marcel.page.field("csrf_token"), "commune_code": forged}
        assert marcel.ask("POST", "/fr/demande/lieu", data=data).status_code == 404
