"""Appointments without a mouse: at the counter, moved, cancelled; and by the person alone, from their link."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from casework.database import transaction
from casework.requests import Request
from tests import people
from tests.browser import stage
from tests.browser.appointments import somebody_receives
from tests.browser.conftest import PHONE, Opens, RunningHouse
from tests.browser.keys import Keyboard
from tests.browser.walking import sign_in
from tests.casework.asking import ask
from tests.conftest import Database
from tests.portal.receiving import appointments_of

pytestmark = pytest.mark.browser

COUNTER_PAGES = 2
COUNTER_KEYS = 60
"""From the number said at the counter to the hour booked: what two hands do within fifteen seconds."""


def states(database: Database) -> list[str]:
    return [one.state.value for one in appointments_of(database)]


def test_nadia_books_at_the_counter_in_two_pages(
    house: RunningHouse, database: Database, opens: Opens
) -> None:
    """Somebody says their number: Nadia types it, and takes the first hour."""
    asked = ask(database, stage.now())
    somebody_receives(database)
    page = opens()
    sign_in(page, house, people.NADIA)
    with transaction(database.owner) as session:
        number = session.get_one(Request, asked.id).number
    hands, pages = Keyboard(page), list[str]()
    page.on("framenavigated", lambda frame: pages.append(frame.url))
    hands.reach("#numero")
    page.keyboard.type(number)
    with page.expect_navigation():
        page.keyboard.press("Enter")
    hands.go("button[name=slot]")
    expect(page.locator("#rendez-vous")).to_contain_text("Paul Petit")
    assert states(database) == ["booked"]
    assert len(pages) <= COUNTER_PAGES
    assert hands.stops + len(number) <= COUNTER_KEYS


def test_she_moves_it_and_cancels_it_without_dragging(
    house: RunningHouse, database: Database, opens: Opens
) -> None:
    """He telephones twice: another hour, then no hour at all."""
    asked = ask(database, stage.now())
    somebody_receives(database)
    page = opens()
    sign_in(page, house, people.NADIA)
    page.goto(f"{house.backoffice}/fr/demande/{asked.id}")
    hands = Keyboard(page)
    hands.go("button[name=slot]")
    page.goto(f"{house.backoffice}/fr/demande/{asked.id}")
    hands.go("a[href$='/deplacer']")
    hands.go("button[name=slot]")
    assert states(database) == ["moved", "booked"]
    page.goto(f"{house.backoffice}/fr/demande/{asked.id}")
    hands.go("form[action$='/annuler'] button")
    assert states(database) == ["moved", "cancelled"]


def test_mr_moreau_books_and_cancels_by_keyboard_alone(
    house: RunningHouse, database: Database, opens: Opens
) -> None:
    """A telephone with keys, or a kiosk whose screen is tired."""
    asked = ask(database, stage.now())
    somebody_receives(database)
    page = opens(viewport=PHONE)
    page.goto(f"{house.portal}/fr/s/{asked.secret}")
    hands = Keyboard(page)
    hands.go("a[href$='/rendez-vous']")
    hands.go("button[name=slot]")
    hands.go("main form .button")
    assert states(database) == ["booked"]
    page.goto(f"{house.portal}/fr/rendez-vous/annuler")
    hands.go("main form .button")
    assert states(database) == ["cancelled"]
