"""Leaving at once, for real: nothing is played. Another site of this machine stands for the weather."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE, Opens
from tests.browser.own_portal import OwnPortal, serving
from tests.browser.walking import WORDS, go_to_contact
from tests.conftest import Database
from tests.local_servers import free_port

pytestmark = pytest.mark.browser

SUN = "Il fait beau"


@pytest.fixture
def weather() -> Iterator[str]:
    """An ordinary site."""
    site, port = Flask("weather"), free_port()
    site.add_url_rule("/", view_func=lambda: f"<!doctype html><title>Météo</title><h1>{SUN}</h1>")
    with serving(site, port):
        yield f"http://localhost:{port}/"


@pytest.fixture
def house(database: Database, tmp_path: Path, weather: str) -> Iterator[OwnPortal]:
    def leading_there(app: Flask) -> None:
        app.extensions["identity"] = replace(app.extensions["identity"], quick_exit_address=weather)

    house = OwnPortal(database, tmp_path)
    house.open(leading_there)
    yield house
    house.cut()


def by_the_button(page: Page) -> None:
    page.locator(".exit-button").click()


def by_shift_three_times(page: Page) -> None:
    for _ in range(3):
        page.keyboard.press("Shift")


def written(opens: Opens, house: OwnPortal, *, javascript: bool = True) -> Page:
    """Somebody in danger who wrote what happens to them, and looks at it again."""
    page = opens(viewport=PHONE, javascript=javascript)
    go_to_contact(page, f"{house.address}/fr/demande", theme="violence", urgency="danger")
    page.goto(f"{house.address}/fr/demande/mots")
    expect(page.locator("#words")).to_have_value(WORDS["fr"])
    return page


@pytest.mark.parametrize("leave", [by_the_button, by_shift_three_times])
def test_the_page_left_is_no_step_back(house: OwnPortal, opens: Opens, leave: Callable[[Page], None]) -> None:
    """The ordinary site took its place in the history; no cookie, no copy, and stepping back shows no answer."""
    page = written(opens, house)
    steps = page.evaluate("history.length")
    leave(page)
    expect(page.locator("h1")).to_have_text(SUN)
    assert page.evaluate("history.length") == steps
    assert page.context.cookies(house.address) == []
    for _ in range(3):
        page.go_back()
        assert WORDS["fr"] not in page.content()
        assert page.locator(f"text={WORDS['fr']}").count() == 0


def test_without_a_script_it_is_a_link(house: OwnPortal, opens: Opens) -> None:
    """The page stays a step of the history, as it says itself; stepping back finds it without what was written."""
    page = written(opens, house, javascript=False)
    by_the_button(page)
    expect(page.locator("h1")).to_have_text(SUN)
    assert page.context.cookies(house.address) == []
    page.go_back()
    expect(page.locator("main")).to_be_visible()
    assert page.locator("#words").count() == 0
    assert WORDS["fr"] not in page.content()


def test_a_rights_page_one_leaves_at_once_too(house: OwnPortal, opens: Opens) -> None:
    """And the pages kept for a day without network are gone with it."""
    page = opens(viewport=PHONE)
    page.goto(f"{house.address}/fr/droits/rsa")
    page.evaluate("navigator.serviceWorker.ready.then(() => null)")
    page.goto(f"{house.address}/fr/droits/violences")
    page.evaluate("sessionStorage.setItem('left', 'behind')")
    assert page.evaluate("caches.keys()") != []
    by_shift_three_times(page)
    expect(page.locator("h1")).to_have_text(SUN)
    page.goto(f"{house.address}/fr/droits/violences")
    assert page.evaluate("caches.keys()") == []
    assert page.evaluate("navigator.serviceWorker.getRegistrations().then((all) => all.length)") == 0
    assert page.evaluate("sessionStorage.length") == 0
