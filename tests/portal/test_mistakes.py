"""Errors are pages, in one's language, with a telephone; the log of ours holds no secret and nobody's words."""

from __future__ import annotations

import logging
from collections.abc import Callable

import pytest
from flask import Flask

from casework.settings import Settings
from portal.app import create
from tests.clock import Clock
from tests.conftest import Database
from tests.pages import Page, read
from tests.people import AMINA_PHONE
from tests.portal.person import Person
from web.app import LARGEST_POST
from web.doors import ANYONE, open_to

LANGUAGES = ["fr", "ar", "en"]
PHONE = "tel:+33536490000"


@pytest.fixture
def portal(settings: Settings, clock: Clock) -> Flask:
    """The portal with two pages more: one that nobody opened to anybody, one that breaks."""
    app = create(settings, clock)

    @open_to(ANYONE)
    def breaks(secret: str) -> str:
        raise RuntimeError(f"something is wrong with {secret}")

    app.add_url_rule("/<lang>/muette", "silent", lambda: "nobody declared who may read this")
    app.add_url_rule("/<lang>/casse/<secret>", "breaks", breaks)
    return app


def mistake(person: Person, method: str, path: str, status: int, **more: object) -> Page:
    """The error page of an address."""
    answer = person.ask(method, path, **more)
    assert answer.status_code == status
    assert answer.headers["Cache-Control"] == "no-store"
    page = read(path, answer)
    assert PHONE in page.links()
    return page


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_error_is_a_page_in_the_language_with_a_telephone(marcel: Person, language: str) -> None:
    assert mistake(marcel, "POST", f"/{language}/demande/sujet", 400, data={"theme": "money"})
    assert mistake(marcel, "GET", f"/{language}/muette", 403)
    assert mistake(marcel, "GET", f"/{language}/nulle-part", 404)
    assert mistake(marcel, "GET", f"/{language}/demande/nulle-part", 404)
    assert mistake(marcel, "GET", f"/{language}/demande/envoyer", 404)
    assert mistake(marcel, "POST", f"/{language}/suivre", 413, data=bytes(LARGEST_POST + 1))
    for guess in range(5):
        marcel.ask("GET", f"/{language}/s/guess{guess}")
    assert mistake(marcel, "GET", f"/{language}/s/guess", 429)
    assert mistake(marcel, "GET", f"/{language}/casse/abc", 500)


def test_an_unknown_language_is_a_page_too(marcel: Person) -> None:
    assert mistake(marcel, "GET", "/xx/", 404).html.get("lang") == "fr"
    answer = marcel.ask("GET", "/xx/", headers={"Accept-Language": "ar"})
    assert read("/xx/", answer).html.get("dir") == "rtl"


def test_an_error_of_ours_logs_the_place_and_no_secret(
    marcel: Person, caplog: pytest.LogCaptureFixture
) -> None:
    mistake(marcel, "GET", "/fr/casse/9cQkVt3xSecretOfAmina", 500)
    assert "breaks" in caplog.text
    assert "RuntimeError" in caplog.text
    assert "9cQkVt3xSecretOfAmina" not in caplog.text


def test_an_error_of_the_database_logs_nobodys_words(
    marcel: Person, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="portal")
    marcel.fills_in(words="Mon mari me frappe.", name="Amina Haddad")
    with database.owner.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE requests ADD CONSTRAINT broken CHECK (words = '') NOT VALID")
    try:
        page = marcel.submit(action="/envoyer", status=500)
    finally:
        with database.owner.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE requests DROP CONSTRAINT broken")
    assert PHONE in page.links()
    assert "asking.send" in caplog.text
    for private in ("Mon mari me frappe", "Amina Haddad", AMINA_PHONE):
        assert private not in caplog.text
    marcel.open("/fr/demande/verifier")
    assert marcel.sends().number, "nothing was lost"


def test_no_typed_character_breaks_a_page(marcel: Person, somebody: Callable[..., Person]) -> None:
    odd = "a\x00b\ud7ff\u202e\U0001f9d1‍🦽'\"<b>&amp;%s{{7*7}}"
    marcel.tells(words=odd)
    assert marcel.submit(commune_typed=odd, status=422).field("commune_typed") == odd.replace("\x00", "")
    marcel.submit(commune_typed="Poitiers")
    marcel.submit(channels=["letter"])
    marcel.submit(postal_address=odd, name=odd)
    marcel.submit()
    marcel.submit(("next", "1"))
    marcel.sends()
    assert odd.replace("\x00", "") in marcel.go("suivi").main
    stranger = somebody(source="198.51.100.3")
    stranger.go("suivre")
    stranger.submit(number=odd, code=odd, status=422)
    stranger.go("lien-perdu")
    stranger.submit(contact=odd, status=422)
