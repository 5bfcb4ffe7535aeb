"""People read what they may get, in easy French or in their language, and ask for help about that."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from casework import rights_search
from casework.requests import Draft
from casework.rights import HEADINGS, load_library
from casework.vocabulary import LANGUAGES
from tests.conftest import Database
from tests.portal.person import Person


@pytest.fixture
def reader(portal: Flask) -> Person:
    """Somebody who reads French."""
    return Person(portal)


def test_one_reads_a_page_about_her_rent(reader: Person) -> None:
    page = reader.open("/fr/droits/loyer-impaye")
    for heading in HEADINGS.values():
        assert page.text.count(heading) == 1
    assert "{amount" not in page.text


def test_one_asks_for_help_about_it_without_choosing_the_theme_again(
    reader: Person, database: Database
) -> None:
    reader.open("/fr/droits/loyer-impaye")
    assert "/fr/demande/sujet?theme=housing" in reader.page.links()
    page = reader.open("/fr/demande/sujet?theme=housing")
    assert "Continuer avec ce sujet" in page.text
    reader.submit(("theme", "housing"))
    with Session(database.owner) as session:
        assert [draft.answers["theme"] for draft in session.query(Draft)] == ["housing"]


def test_a_theme_nobody_knows_in_the_address_changes_nothing(reader: Person) -> None:
    page = reader.open("/fr/demande/sujet?theme=nothing")
    assert "Continuer avec ce sujet" not in page.text


@pytest.mark.parametrize("language", [code for code in LANGUAGES if code != "fr"])
def test_a_page_not_yet_translated_says_so_and_is_french_alone(reader: Person, language: str) -> None:
    """Either translated whole, or French whole: never a mix."""
    page = reader.open(f"/{language}/droits/rsa")
    translated = language in load_library().pages["rsa"]
    assert ("C'est quoi ?" in page.text) is not translated


def test_a_sensitive_page_has_the_quick_exit(reader: Person) -> None:
    assert "Quitter vite" in reader.open("/fr/droits/violences").text
    assert "Quitter vite" not in reader.open("/fr/droits/rsa").text


def test_the_telephone_keeps_no_copy_of_a_sensitive_page(reader: Person) -> None:
    assert "no-store" in reader.ask("GET", "/fr/droits/violences").headers["Cache-Control"]
    assert "no-store" not in reader.ask("GET", "/fr/droits/rsa").headers["Cache-Control"]


def test_a_situation_leads_to_pages(reader: Person) -> None:
    reader.open("/fr/droits/")
    library = load_library()
    for situation, words in library.situations["fr"].items():
        page = reader.open(f"/fr/droits/situation/{situation}")
        assert words in page.text
        assert library.of_situation(situation, "fr")[0].title in page.text
    reader.open("/fr/droits/situation/aucune", 404)
    reader.open("/fr/droits/aucune", 404)


def test_a_search_that_finds_nothing_is_no_dead_end(reader: Person, database: Database) -> None:
    with Session(database.owner) as session, session.begin():
        rights_search.load(session, load_library())
    assert "loyer" in reader.open("/fr/droits/chercher?mots=loier").text
    page = reader.open("/fr/droits/chercher?mots=zzyzx")
    assert "Nous ne trouvons rien" in page.text
    assert "Demander de l'aide" in page.text
    reader.open("/fr/droits/chercher")
    reader.open("/fr/droits/chercher?mots=%00%3Cscript%3E" + "x" * 500)


def test_no_page_shows_the_easy_to_read_logo_without_readers(reader: Person) -> None:
    assert not any(page["fr"].facts.readers for page in load_library().pages.values())
    assert "inclusion-europe" not in reader.open("/fr/droits/rsa").text.lower()
