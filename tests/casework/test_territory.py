"""Finding one's commune however one types it, and the house that goes with it."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from casework import territory, territory_files
from casework.database import transaction
from casework.settings import ROOT
from casework.territory import Commune, SectorCommune, find_communes, fold
from tests.conftest import Database
from tests.people import FROZES, LOUDUN, POITIERS

pytestmark = pytest.mark.long

ARABIC_DIGITS = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
BENGALI_DIGITS = str.maketrans("0123456789", "০১২৩৪৫৬৭৮৯")


@pytest.fixture
def vienne(database: Database) -> Iterator[Session]:
    """The 265 communes of la Vienne, as the portal's role sees them."""
    with transaction(database.owner) as session:
        territory_files.load(session, ROOT / "territory" / "vienne")
    with Session(database.portal) as session:
        yield session


def names(communes: list[Commune]) -> list[str]:
    return [commune.name for commune in communes]


@pytest.mark.parametrize(
    ("typed", "folded"),
    [
        ("Saint-Benoît", "saint benoit"),
        ("  ST.BENOIT ", "saint benoit"),
        ("Ste Radégonde", "sainte radegonde"),
        ("L’Isle-Jourdain", "l isle jourdain"),
        ("l'isle jourdain", "l isle jourdain"),
        ("Cœur d'Œuf", "coeur d oeuf"),
        ("٨٦٠٠٠", "86000"),
        ("86 000", "86 000"),
        ("𝐏𝐨𝐢𝐭𝐢𝐞𝐫𝐬", "poitiers"),
        ("Ⓟⓞⓘⓣⓘⓔⓡⓢ", "poitiers"),
        ("Poitiers", "poitiers"),
        ("!?", ""),
    ],
)
def test_text_is_folded_as_people_mistype_it(typed: str, folded: str) -> None:
    assert fold(typed) == folded


@given(st.text(max_size=40))
def test_folding_twice_changes_nothing(typed: str) -> None:
    once = fold(typed)
    assert fold(once) == once
    assert once == once.strip()
    assert not any(unicodedata.combining(c) for c in once)


@given(st.text(alphabet=st.characters(codec="cp1252"), max_size=40))
def test_case_and_composition_of_letters_make_no_difference(typed: str) -> None:
    assert fold(typed.upper()) == fold(typed.lower()) == fold(unicodedata.normalize("NFD", typed))


@given(st.text(alphabet="abcde", max_size=6), st.text(alphabet="abcde", max_size=6))
def test_the_distance_is_the_fewest_letters_to_change(first: str, second: str) -> None:
    distance = territory._distance(first, second)
    assert distance == territory._distance(second, first)
    assert (distance == 0) is (first == second)
    assert distance >= min(3, abs(len(first) - len(second)))
    if abs(len(first) - len(second)) <= 2:
        assert distance <= max(len(first), len(second))


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("Poitiers", ["Poitiers"]),
        ("poitier", ["Poitiers"]),
        ("POITIRES", ["Poitiers"]),
        ("Poitiers (86)", ["Poitiers"]),
        ("86000 Poitiers", ["Poitiers"]),
        ("Poitiers 86000", ["Poitiers"]),
        ("86000 POITIERS CEDEX 9", ["Poitiers"]),
        ("st benoit", ["Saint-Benoît"]),
        ("Chatelleraut", ["Châtellerault"]),
        ("Isle Jourdain", ["L'Isle-Jourdain"]),
        ("vouneuil s/ vienne", ["Vouneuil-sur-Vienne"]),
        ("Vouneuil", ["Vouneuil-sous-Biard", "Vouneuil-sur-Vienne"]),
        ("Saint-Savin", ["Saint-Savin"]),
        ("86180", ["Buxerolles"]),
        ("٨٦١٨٠", ["Buxerolles"]),
        ("86 180", ["Buxerolles"]),
        ("37160", ["Buxeuil"]),
        ("75001", []),
        ("Marseille", []),
        ("   ", []),
        ("86", []),
    ],
)
def test_a_commune_is_found_as_people_type_it(vienne: Session, typed: str, found: list[str]) -> None:
    assert names(find_communes(vienne, typed)) == found


def test_a_postal_code_gives_all_its_communes_largest_first(vienne: Session) -> None:
    found = find_communes(vienne, "86190")
    assert len(found) == 10
    assert found[0].name == "Vouillé"
    assert [commune.population for commune in found] == sorted(
        (one.population for one in found), reverse=True
    )


def test_a_name_in_part_gives_at_most_the_limit_names_that_begin_with_it_first(vienne: Session) -> None:
    found = names(find_communes(vienne, "saint", limit=5))
    assert len(found) == 5
    assert all(name.startswith("Saint") for name in found)
    mixed = names(find_communes(vienne, "vienne", limit=8))
    assert mixed == ["Vouneuil-sur-Vienne", "Cenon-sur-Vienne", "Vaux-sur-Vienne"]


def test_every_commune_is_found_by_its_name_without_accents_capitals_or_hyphens(vienne: Session) -> None:
    for commune in vienne.scalars(select(Commune)).all():
        plain = "".join(
            c for c in unicodedata.normalize("NFD", commune.name.upper()) if not unicodedata.combining(c)
        )
        for typed in (commune.name, plain.replace("-", " "), plain.replace("SAINT", "ST").replace("'", "’")):
            assert commune in find_communes(vienne, typed), typed


def test_every_commune_is_found_by_its_postal_code_in_any_digits(vienne: Session) -> None:
    for commune in vienne.scalars(select(Commune).limit(40)).all():
        for code in commune.postal_codes:
            for typed in (code, code.translate(ARABIC_DIGITS), code.translate(BENGALI_DIGITS)):
                assert commune in find_communes(vienne, typed)


def test_one_wrong_letter_in_a_long_name_is_forgiven(vienne: Session) -> None:
    communes = vienne.scalars(select(Commune).order_by(Commune.code)).all()

    @settings(max_examples=80, deadline=None)
    @given(st.sampled_from(communes), st.data())
    def forgiven(commune: Commune, data: st.DataObject) -> None:
        name = fold(commune.name)
        place = data.draw(st.integers(0, len(name) - 1))
        letter = data.draw(st.sampled_from(["", *"abcdefghijklmnopqrstuvwxyz"]))
        typed = name[:place] + letter + name[place + 1 :]
        found = find_communes(vienne, typed, limit=265)
        # another commune may really be called so, or begin so
        another = any(f" {fold(typed)}" in f" {fold(other.name)}" for other in found)
        assert commune in found or another or len(name) < 6

    forgiven()


def test_nothing_that_can_be_typed_breaks_the_search(vienne: Session) -> None:
    @settings(max_examples=60, deadline=None)
    @given(st.text(max_size=30))
    def survives(typed: str) -> None:
        found = find_communes(vienne, typed)
        assert len(found) == len(set(found))

    survives()


def test_a_commune_that_left_the_territory_is_not_offered(database: Database) -> None:
    with transaction(database.owner) as session:
        session.execute(delete(SectorCommune).where(SectorCommune.commune_code == FROZES))
        assert find_communes(session, "Frozes") == []
        assert names(find_communes(session, "86190")) == ["Vouillé"]


def test_the_house_is_that_of_the_communes_sector(database: Database) -> None:
    with transaction(database.portal) as session:
        assert territory.house_for(session, LOUDUN).id == "loudun"
        assert territory.house_for(session, FROZES).id == "poitiers"


def test_people_without_a_fixed_place_or_from_elsewhere_are_received_too(database: Database) -> None:
    with transaction(database.portal) as session:
        assert territory.house_for(session, None).id == "poitiers"
        assert territory.house_for(session, "75056").id == "poitiers"


def test_the_sector_of_a_commune(database: Database) -> None:
    with transaction(database.portal) as session:
        sector = territory.sector_of(session, POITIERS)
        assert sector is not None
        assert sector.name == "Poitiers centre"
        assert territory.sector_of(session, "75056") is None
