"""People read what they may get, in easy French or in their language, and ask for help about that."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from casework import rights_search
from casework.requests import Draft
from casework.reviews import is_read_over
from casework.rights import HEADINGS, Library, Reader, load_library
from casework.settings import Settings
from casework.translation import catalogue
from casework.vocabulary import LANGUAGES
from portal.app import create
from tests import compiled
from tests.clock import Clock
from tests.conftest import Database
from tests.pages import Page
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


def read_by(app: Flask, *readers: Reader) -> None:
    """The page about the RSA, read over by these people with an intellectual disability."""
    library: Library = app.extensions["rights"]
    page = library.pages["rsa"]["fr"]
    read = replace(page, facts=replace(page.facts, readers=readers))
    pages = {**library.pages, "rsa": {**library.pages["rsa"], "fr": read}}
    app.extensions["rights"] = replace(library, pages=pages)


def has_logo(page: Page) -> bool:
    return any(image.get("src") == "/facile-a-lire" for image in page.html.iter("img"))


def test_the_easy_to_read_logo_needs_readers_of_this_very_version(
    settings: Settings, clock: Clock, tmp_path: Path
) -> None:
    """Nobody: nothing. Readers of another version: nothing. In another language: nothing."""
    logo = tmp_path / "facile.svg"  # the picture a département received; not the true one
    logo.write_text('<svg xmlns="http://www.w3.org/2000/svg"/>', encoding="utf-8")
    portal = compiled.tested(create(settings, clock))
    identity = portal.extensions["identity"] = replace(portal.extensions["identity"], easy_to_read_logo=logo)
    portal.context_processor(lambda: {"identity": identity})
    reader = Person(portal)
    version = load_library().pages["rsa"]["fr"].wording.version
    kept = portal.extensions["kept pages"] = {}
    assert not has_logo(reader.open("/fr/droits/rsa"))
    read_by(portal, Reader("Anne", date(2026, 12, 1), version + 1))
    kept.clear()
    page = reader.open("/fr/droits/rsa")
    assert not has_logo(page)
    assert "Anne" not in page.text
    read_by(portal, Reader("Anne", date(2026, 12, 1), version), Reader("Karim", date(2026, 12, 3), version))
    kept.clear()
    page = reader.open("/fr/droits/rsa")
    assert has_logo(page)
    assert "relue par Anne, Karim le jeudi 3 décembre 2026" in page.text
    answer = reader.ask("GET", "/facile-a-lire")
    assert (answer.status_code, answer.data) == (200, logo.read_bytes())
    assert not has_logo(reader.open("/en/droits/rsa"))


def test_without_its_file_no_logo_is_shown(reader: Person, portal: Flask) -> None:
    """The names of the readers are; none comes with the program."""
    version = load_library().pages["rsa"]["fr"].wording.version
    read_by(portal, Reader("Anne", date(2026, 12, 1), version))
    page = reader.open("/fr/droits/rsa")
    assert "relue par Anne" in page.text
    assert not has_logo(page)
    reader.open("/facile-a-lire", 404)


def test_a_page_says_its_version_and_whether_its_translation_was_read_over(
    reader: Person, portal: Flask
) -> None:
    assert "Version 1 de cette page." in reader.open("/fr/droits/rsa").text
    foot = reader.open("/es/droits/rsa").text
    assert "versión 1" in foot
    unread = catalogue("es").gettext("Traduction à relire par une personne de cette langue.")
    assert unread in foot
    library: Library = portal.extensions["rights"]
    page = library.pages["rsa"]["es"]
    signed = replace(page, wording=replace(page.wording, reviewer="Lucía", noted=page.wording.words))
    pages = {**library.pages, "rsa": {**library.pages["rsa"], "es": signed}}
    portal.extensions["rights"] = replace(library, pages=pages)
    portal.extensions["kept pages"].clear()
    foot = reader.open("/es/droits/rsa").text
    assert "Lucía" in foot
    assert unread not in foot


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_says_that_its_words_are_still_to_be_read_over(reader: Person, language: str) -> None:
    """French is the source; the others until a native speaker read every string."""
    told = catalogue(language).gettext(
        "Les mots de ce site restent à relire par une personne de cette langue."
    )
    assert (told in reader.open(f"/{language}/urgences").text) is not is_read_over(language)
