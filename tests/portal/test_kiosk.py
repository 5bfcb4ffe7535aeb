"""The touch screen in the entrance: one person after the other, and nothing of one is left for the next."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import delete, select

from casework.database import transaction
from casework.journal import Entry
from casework.kiosks import Kiosk, KioskCall, key_hash
from portal.ways_out import without_ways_out
from tests.backoffice.colleague import stored
from tests.clock import Clock
from tests.conftest import Database
from tests.pages import Page
from tests.portal.kiosk_visitor import AtKiosk, new_key
from tests.portal.person import Person
from tests.security.routes import routes

OVER = {"kiosk.start", "kiosk.set_up", "kiosk.begin", "kiosk.end", "pages.quick_exit"}
"""What ends a visit."""


@pytest.fixture
def key(database: Database, now: datetime) -> str:
    """The key of the kiosk in the entrance of the house of Poitiers."""
    return new_key(database, now)


@pytest.fixture
def entrance(portal: Flask, key: str) -> AtKiosk:
    """That kiosk, set up."""
    screen = AtKiosk(portal)
    screen.set_up(key)
    return screen


def is_start(page: Page) -> bool:
    """True for the page that waits for somebody."""
    return page.path == "/borne" and page.heading == "Touchez ici pour commencer"


def test_it_starts_in_eleven_languages_with_the_numbers_and_the_reception(entrance: AtKiosk) -> None:
    page = entrance.page
    assert is_start(page)
    assert len([link for link in page.links() if link.endswith("/borne/commencer")]) == 11
    for touch in ("Touchez ici pour commencer", "المسوا هنا للبدء", "Touch here to begin", "শুরু করতে এখানে ছুঁন"):
        assert touch in page.text
    for said in ("112", "3919", "05 49 00 00 01", "de 9 heures à 17 heures"):
        assert said in page.text
    assert entrance.cookies() == {"allervers_kiosk"}


def test_the_kiosks_own_cookie_lasts_and_scripts_cannot_read_it(entrance: AtKiosk) -> None:
    cookie = entrance.client.get_cookie("allervers_kiosk", domain="portail.example.org")
    assert cookie
    assert (cookie.secure, cookie.http_only, cookie.same_site) == (True, True, "Lax")
    assert (cookie.max_age or 0) >= 300 * 24 * 3600


def test_without_a_visit_every_page_leads_to_the_start(entrance: AtKiosk) -> None:
    for path in (
        "/",
        "/fr/",
        "/ar/droits/rsa",
        "/fr/suivi",
        "/fr/s/abc",
        "/fr/nulle-part",
        "/xx/",
        "/quitter",
    ):
        answer = entrance.ask("GET", path)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/borne"), path
        assert answer.headers["Cache-Control"] == "no-store", path
    answer = entrance.ask("POST", "/fr/demande/sujet", data={"theme": "money"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/borne")


def test_a_visit_wears_the_kiosk_and_keeps_nothing(entrance: AtKiosk, marcel: Person) -> None:
    entrance.touches()
    for path in ("/fr/", "/fr/droits/", "/fr/droits/rsa", "/fr/urgences", "/fr/maisons", "/fr/demande/sujet"):
        page = entrance.open(path)
        assert page.of_class("kiosk-bar"), path
        assert page.response.headers["Cache-Control"] == "no-store", path
        assert [link for link in page.links() if not link.startswith(("/", "#"))] == [], path
        assert not marcel.open(path).of_class("kiosk-bar"), "people's own devices see nothing of it"
        assert "kiosk" not in marcel.page.response.text, path
    assert "17" in entrance.open("/fr/urgences").main


def test_whatever_is_asked_no_answer_may_be_kept(entrance: AtKiosk, portal: Flask) -> None:
    entrance.touches()
    entrance.asks_for_help(channels={"visit": ""})
    seen = 0
    for route in routes(portal):
        if route.method == "GET" and route.endpoint not in OVER:
            answer = entrance.ask("GET", route.path)
            assert answer.headers["Cache-Control"] == "no-store", route
            assert "attachment" not in answer.headers.get("Content-Disposition", ""), route
            seen += 1
    assert seen > 40


def test_no_field_is_remembered(entrance: AtKiosk) -> None:
    entrance.touches()
    entrance.fills_in(channels={"sms": "06 12 34 56 78"}, name="Marcel Moreau")
    seen = 0
    for page in entrance.shown:
        for control in page.html.iter():
            if control.tag in {"form", "input", "textarea", "select"}:
                assert control.get("autocomplete") == "off", f"{page.path}: {control.attrib}"
                seen += 1
    assert seen > 20


def test_done_wipes_everything_but_the_kiosk(entrance: AtKiosk) -> None:
    entrance.touches()
    entrance.asks_for_help(theme="money", channels={"visit": ""})
    entrance.client.set_cookie("something_else", "of mine", domain="portail.example.org")
    answer = entrance.ask("GET", "/fr/borne/fin")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/borne")
    assert answer.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert entrance.cookies() == {"allervers_kiosk"}
    assert is_start(entrance.open("/fr/suivi"))
    entrance.touches()
    assert entrance.go("suivi").path == "/fr/suivre", "the next person opens nothing of the one before"


def test_a_request_begun_is_not_wiped_by_one_tap(entrance: AtKiosk) -> None:
    entrance.touches()
    entrance.tells()
    page = entrance.go("borne/fin")
    assert page.heading == "Avez-vous fini ?"
    assert "/fr/demande/plus-tard" in page.links()
    assert is_start(entrance.open("/fr/borne/fin?sur=1"))
    assert entrance.cookies() == {"allervers_kiosk"}


@pytest.mark.parametrize("leave", ["suivi", "demande/plus-tard"])
def test_closing_ones_request_ends_the_visit_and_the_kiosk_stays_one(entrance: AtKiosk, leave: str) -> None:
    entrance.touches()
    if leave == "suivi":
        entrance.asks_for_help(channels={"visit": ""})
    else:
        entrance.tells()
    entrance.go(leave)
    assert is_start(entrance.submit(action="/sortir" if leave == "suivi" else ""))
    assert entrance.cookies() == {"allervers_kiosk"}


def test_the_quick_exit_leads_to_the_kiosks_own_end(entrance: AtKiosk) -> None:
    entrance.touches()
    entrance.asks_for_help(theme="violence", channels={"visit": ""})
    assert is_start(entrance.open("/quitter"))
    assert entrance.cookies() == {"allervers_kiosk"}


def test_a_visit_left_alone_is_over_on_the_server_too(entrance: AtKiosk, clock: Clock) -> None:
    entrance.touches()
    entrance.tells()
    entrance.go("demande/sujet")
    clock.forward(seconds=200)
    assert entrance.go("demande/sujet").path == "/fr/demande/sujet", "the screen may still count down"
    clock.forward(seconds=211)
    assert is_start(entrance.go("demande/sujet"))
    assert entrance.cookies() == {"allervers_kiosk"}


def test_a_screen_in_use_is_never_cut_off(entrance: AtKiosk, clock: Clock) -> None:
    entrance.touches()
    entrance.tells()
    for _ in range(20):
        clock.forward(seconds=150)
        assert entrance.ask("GET", "/borne/encore").status_code == 204
    assert entrance.go("demande/lieu").path == "/fr/demande/lieu"


def test_saying_that_one_is_there_writes_no_session(entrance: AtKiosk) -> None:
    """An answer that comes late must not put back an older session over the one that holds the request."""
    entrance.touches()
    entrance.tells()
    cookies = entrance.ask("GET", "/borne/encore").headers.getlist("Set-Cookie")
    assert [cookie.split("=")[0] for cookie in cookies] == ["allervers_visit"]


def test_without_scripts_the_page_leads_to_a_warning_and_then_to_the_end(entrance: AtKiosk) -> None:
    entrance.touches()
    source = entrance.go("demande/sujet").response.text
    assert 'content="120;url=/fr/borne/la?suite=/fr/demande/sujet"' in source
    page = entrance.open("/fr/borne/la?suite=/fr/demande/sujet")
    assert "/fr/demande/sujet" in page.links()
    assert 'content="30;url=/fr/borne/fin?sur=1"' in page.response.text
    elsewhere = entrance.open("/fr/borne/la?suite=//elsewhere.example").links()
    assert [link for link in elsewhere if link.startswith("//")] == []


def test_without_scripts_who_types_slowly_keeps_their_words(entrance: AtKiosk, clock: Clock) -> None:
    """Nobody counts what is typed there: the page stays, and the server believes the visit as long."""
    entrance.touches()
    source = entrance.open("/fr/lien-perdu").response.text
    assert 'content="600;url=/fr/borne/la?suite=/fr/lien-perdu"' in source
    clock.forward(minutes=9)
    assert entrance.submit(contact="moreau@example.org").path == "/fr/lien-envoye"
    entrance.open("/fr/lien-perdu")
    assert entrance.ask("GET", "/borne/encore").status_code == 204
    clock.forward(seconds=211)
    assert is_start(entrance.go("urgences")), "a script counts what is typed: no need to wait as long"


def test_the_reception_was_told_and_its_telephone_answers_otherwise(entrance: AtKiosk) -> None:
    entrance.touches()
    entrance.go("borne/aide")
    page = entrance.submit(action="/borne/aide")
    assert page.heading == "Nous avons prévenu l'accueil"
    assert "05 49 00 00 01" in page.main
    assert "de 9 heures à 17 heures" in page.main


@pytest.mark.parametrize("over", ["/fr/borne/fin", "/quitter", "left alone"])
def test_a_call_ends_with_the_visit(entrance: AtKiosk, database: Database, clock: Clock, over: str) -> None:
    entrance.touches()
    entrance.go("borne/aide")
    entrance.submit(action="/borne/aide")
    assert stored(database, KioskCall)
    if over == "left alone":
        clock.forward(seconds=211)
    entrance.open("/fr/" if over == "left alone" else over)
    assert stored(database, KioskCall) == [], "nobody is sent to an empty screen"


def test_no_file_goes_to_the_machine(entrance: AtKiosk) -> None:
    entrance.touches()
    receipt = entrance.asks_for_help(channels={"visit": ""})
    assert entrance.open("/fr/recu.pdf").path == "/fr/recu?imprimer=1"
    assert not [link for page in entrance.shown for link in page.links() if link.endswith((".pdf", ".ics"))]
    assert receipt.page.of_class("qr-frame"), "the link goes home in a telephone"
    assert entrance.open("/fr/rendez-vous/rendez-vous.ics").path == "/fr/recu?imprimer=1"
    assert entrance.open(f"/fr/ateliers/{UUID(int=0)}/atelier.ics").path == "/fr/recu?imprimer=1"


def test_what_one_reads_or_begins_goes_home_as_a_drawing(entrance: AtKiosk) -> None:
    entrance.touches()
    for path in ("/fr/droits/rsa", "/fr/droits/situation/no_income", "/fr/maisons"):
        assert entrance.open(path).of_class("qr-frame"), path
    entrance.tells()
    assert entrance.go("demande/plus-tard").of_class("qr-frame")


def test_the_reception_is_called_and_twice_is_once(entrance: AtKiosk, database: Database) -> None:
    entrance.touches("ar")
    entrance.tells()
    page = entrance.submit(action="/borne/aide")
    assert page.of_class("success")
    assert "/ar/demande/lieu" in page.links(), "back to where one was"
    entrance.go("borne/aide")
    entrance.submit(action="/borne/aide")
    with transaction(database.owner) as session:
        called = session.scalars(select(KioskCall)).one()
        assert called.seen_at is None


def test_a_removed_key_stops_at_once(entrance: AtKiosk, database: Database) -> None:
    entrance.touches()
    entrance.tells()
    with transaction(database.owner) as session:
        session.execute(delete(Kiosk))
    assert entrance.open("/fr/demande/lieu", 403).heading == "Cette borne est fermée"
    assert entrance.open("/fr/", 403).links() == [], "it does not become an ordinary computer"


def test_a_cookie_we_did_not_sign_is_a_closed_kiosk(entrance: AtKiosk) -> None:
    entrance.client.set_cookie("allervers_kiosk", "forged", domain="portail.example.org")
    assert entrance.open("/fr/", 403).heading == "Cette borne est fermée"


def test_a_wrong_key_is_said_plainly_and_guesses_are_slowed(
    somebody: Callable[..., Person], key: str
) -> None:
    guesser = somebody(source="198.51.100.9")
    for guess in range(5):
        assert guesser.open(f"/borne/{guess}", 404).heading == "Cette clé n'ouvre rien"
    assert guesser.open(f"/borne/{key}", 429).heading == "Trop d'essais"
    assert not guesser.page.links()
    assert guesser.open("/borne", 404).heading == "Cette page n'existe pas"
    secretary = somebody(source="198.51.100.10")
    assert is_start(secretary.open(f"/borne/{key}"))


def test_the_database_keeps_no_key(key: str, database: Database, now: datetime) -> None:
    with transaction(database.owner) as session:
        kept = session.scalars(select(Kiosk)).one()
        assert kept.key_hash == key_hash(database.access_key, key)
        assert key not in str(vars(kept))
        entry = session.scalars(select(Entry)).one()
        assert (entry.action, entry.details) == ("kiosk_set", {"kiosk": "Entrée"})


def test_what_leads_elsewhere_becomes_words() -> None:
    page = (
        '<p><a class="button" href="tel:112"><bdi dir="ltr">112</bdi></a> <a href="https://example.org/">Ailleurs</a> '
        '<a href="//example.org/">B</a> <a href="/fr/" target="_blank">C</a> <a href="#x">D</a> '
        '<a href="/fr/recu.pdf">E</a></p>'
        '<input name="a" autocomplete="tel"><form method="post" target="_blank"></form><button formtarget="x" name="b">'
    )
    assert without_ways_out(page) == (
        '<p><span class="button way-out"><bdi dir="ltr">112</bdi></span> <span class="way-out">Ailleurs</span> '
        '<span class="way-out">B</span> <a href="/fr/">C</a> <a href="#x">D</a> </p>'
        '<input autocomplete="off" name="a"><form autocomplete="off" method="post"></form><button name="b">'
    )
