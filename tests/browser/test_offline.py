"""Amina's telephone loses the network: what she read stays, what is hers alone was never kept. Each test has a portal
of its own, so that it can be cut off."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest
from babel.dates import format_date
from flask import Flask, request
from playwright.sync_api import Page, expect

from casework.requests import PARIS
from casework.rights import load_library
from casework.vocabulary import NUMBERS
from portal import offline
from tests.browser.conftest import PHONE, Opens
from tests.browser.own_portal import OwnPortal
from tests.browser.walking import go_to_papers, tap
from tests.conftest import Database
from web.static import FOLDER

pytestmark = pytest.mark.browser

PATIENCE_SECONDS = 20
NAMES_KEPT = "caches.keys()"
ALL_KEPT = """async () => {
  const found = {};
  for (const name of await caches.keys()) {
    const kept = await caches.open(name);
    for (const request of await kept.keys()) {
      const copy = await kept.match(request);
      if (copy) found[new URL(request.url).pathname] = (await copy.arrayBuffer()).byteLength;
    }
  }
  return found;
}"""

MADE_OLD = """async ([path, days]) => {
  for (const name of await caches.keys()) {
    const kept = await caches.open(name);
    const copy = await kept.match(path, { ignoreVary: true });
    const headers = new Headers(copy.headers);
    headers.set("kept-at", Date.now() - days * 86400000);
    await kept.put(path, new Response(await copy.text(), { headers }));
  }
}"""


@pytest.fixture
def house(database: Database, tmp_path: Path) -> Iterator[OwnPortal]:
    house = OwnPortal(database, tmp_path)
    house.open()
    yield house
    house.cut()


@pytest.fixture
def amina(opens: Opens) -> Page:
    """She reads Dari."""
    return opens(viewport=PHONE, language="fa")


def long_date(moment: datetime) -> str:
    """In Dari, as the browser of a telephone writes it."""
    return format_date(moment, "long", locale="fa")


def wait_until_kept(page: Page, *paths: str) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while missing := set(paths) - set(page.evaluate(ALL_KEPT)):
        assert time.monotonic() < until, f"not kept: {missing}"
        page.wait_for_timeout(50)


def lose_network(house: OwnPortal, page: Page) -> None:
    """Later that day: what the browser keeps five minutes by itself is gone too."""
    house.cut()
    page.context.new_cdp_session(page).send("Network.clearBrowserCache")


def read(page: Page, house: OwnPortal, path: str) -> None:
    page.goto(house.address + path)
    wait_until_kept(page, path)


def test_what_was_read_stays_without_network(house: OwnPortal, amina: Page) -> None:
    """The page again, with its looks; the emergencies in Dari, never opened before; all else says what works."""
    read(amina, house, "/fa/droits/rsa")
    title = amina.locator("h1").inner_text()
    expect(amina.locator("[data-kept]")).to_be_hidden()
    wait_until_kept(amina, "/fa/urgences", "/fa/maisons", "/fa/hors-ligne")
    lose_network(house, amina)

    amina.goto(f"{house.address}/fa/droits/rsa")
    expect(amina.locator("h1")).to_have_text(title)
    expect(amina.locator("main > [role=status]")).to_be_visible()
    assert amina.evaluate("getComputedStyle(document.body).display") == "flex", "the style sheet is there"

    tap(amina, ".emergency")
    expect(amina.locator("html")).to_have_attribute("lang", "fa")
    for number in NUMBERS.values():
        expect(amina.get_by_text(number.shown, exact=True)).to_be_visible()
    amina.goto(f"{house.address}/fa/maisons")
    expect(amina.locator("main")).to_contain_text("Poitiers")
    expect(amina.locator("[data-now]")).to_have_count(0)

    amina.goto(f"{house.address}/fa/droits/apa")
    expect(amina.locator("html")).to_have_attribute("lang", "fa")
    expect(amina.locator("main .situations")).to_be_visible()
    expect(amina.locator("main a[href='tel:112']")).to_be_visible()
    tap(amina, f"main a:has-text('{title}')")
    expect(amina.locator("h1")).to_have_text(title)

    house.open()
    amina.goto(f"{house.address}/fa/droits/rsa")
    expect(amina.locator("[data-kept]")).to_be_hidden()


def test_a_network_too_slow_or_a_service_in_trouble_shows_the_copy(
    house: OwnPortal, amina: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(offline, "PATIENCE_MILLISECONDS", 100)
    read(amina, house, "/fa/droits/rsa")
    copy = amina.locator("main > p[role=status]:not([hidden])")
    answering = threading.Event()

    def slow(app: Flask) -> None:
        @app.before_request
        def at_last() -> None:
            if request.path == "/fa/droits/rsa":
                answering.wait(PATIENCE_SECONDS)

    def in_trouble(app: Flask) -> None:
        @app.before_request
        def nobody() -> tuple[str, int]:
            return "", 502

    lose_network(house, amina)
    house.open(slow)
    amina.goto(f"{house.address}/fa/droits/rsa")
    expect(copy).to_contain_text(long_date(datetime.now(PARIS)))
    answering.set()
    lose_network(house, amina)
    house.open(in_trouble)
    amina.goto(f"{house.address}/fa/droits/rsa")
    expect(copy).to_be_visible()


def test_nothing_of_ones_own_is_kept(house: OwnPortal, amina: Page) -> None:
    """A request sent and followed; a page about violence; words looked for."""
    read(amina, house, "/fa/droits/rsa")
    go_to_papers(amina, f"{house.address}/fa/demande")
    tap(amina, "button[name=next]")
    tap(amina, "form[action$='/envoyer'] .button")
    number = amina.locator(".number bdi").first.inner_text()
    for path in ("/fa/", "/fa/suivi", "/fa/droits/violences", "/fa/droits/situation/beaten_at_home"):
        amina.goto(house.address + path)
    amina.goto(f"{house.address}/fa/droits/chercher?mots=loyer")
    read(amina, house, "/fa/droits/apa")
    kept = amina.evaluate(ALL_KEPT)
    pages = {path for path in kept if not path.startswith("/static/")}
    assert pages == {"/fa/hors-ligne", "/fa/urgences", "/fa/maisons", "/fa/droits/rsa", "/fa/droits/apa"}
    lose_network(house, amina)
    for path in ("/fa/suivi", "/fa/recu", "/fa/droits/violences"):
        amina.goto(house.address + path)
        expect(amina.locator("main .situations")).to_be_visible()
        assert number not in amina.content()


def test_a_page_that_became_sensitive_is_dropped(house: OwnPortal, amina: Page) -> None:
    """What may not be kept any more is forgotten the next time it is looked at."""
    read(amina, house, "/fa/droits/rsa")
    lose_network(house, amina)

    def discreet(app: Flask) -> None:
        app.after_request(lambda answer: answer.headers.set("Cache-Control", "no-store") or answer)

    house.open(discreet)
    amina.goto(f"{house.address}/fa/droits/rsa")
    until = time.monotonic() + PATIENCE_SECONDS
    while "/fa/droits/rsa" in amina.evaluate(ALL_KEPT):
        assert time.monotonic() < until
        amina.wait_for_timeout(50)


def test_a_copy_older_than_thirty_days_is_shown_no_more(house: OwnPortal, amina: Page) -> None:
    """But whom to call in an emergency stays."""
    read(amina, house, "/fa/droits/rsa")
    wait_until_kept(amina, "/fa/urgences", "/fa/hors-ligne")
    for path in ("/fa/droits/rsa", "/fa/urgences"):
        amina.evaluate(MADE_OLD, [path, 31])
    lose_network(house, amina)
    amina.goto(f"{house.address}/fa/droits/rsa")
    expect(amina.locator("main .situations")).to_be_attached()
    expect(amina.locator("main a[href='/fa/urgences']")).to_be_visible()
    amina.goto(f"{house.address}/fa/urgences")
    expect(amina.locator("main a[href='tel:112']")).to_be_visible()
    house.open()
    read(amina, house, "/fa/droits/apa")
    until = time.monotonic() + PATIENCE_SECONDS
    while "/fa/droits/rsa" in amina.evaluate(ALL_KEPT):
        assert time.monotonic() < until
        amina.wait_for_timeout(50)


def test_a_new_version_takes_over_what_was_seen_and_the_old_is_gone(house: OwnPortal, amina: Page) -> None:
    read(amina, house, "/fa/droits/rsa")
    (before,) = amina.evaluate(NAMES_KEPT)
    lose_network(house, amina)
    house.open(lambda app: app.extensions.update({"pages version": "another"}))
    amina.goto(f"{house.address}/fa/droits/apa")
    until = time.monotonic() + PATIENCE_SECONDS
    while amina.evaluate(NAMES_KEPT) != ["kept-another"]:
        assert time.monotonic() < until, before
        amina.wait_for_timeout(50)
    wait_until_kept(amina, "/fa/droits/rsa", "/fa/urgences")


def test_the_oldest_goes_when_there_is_no_room(
    house: OwnPortal, amina: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With room for three pages more than the files; those of every emergency stay."""
    most = 150_000
    monkeypatch.setattr(offline, "MOST_BYTES", most)
    seen = [f"/fa/droits/{slug}" for slug in list(load_library().pages)[:9] if slug != "violences"]
    for path in seen:
        read(amina, house, path)
    kept = amina.evaluate(ALL_KEPT)
    assert {"/fa/urgences", "/fa/maisons", "/fa/hors-ligne", seen[-1]} <= set(kept)
    assert seen[0] not in kept
    assert sum(kept.values()) <= most


def test_the_keeper_is_small() -> None:
    assert (FOLDER / "keeper.js").stat().st_size <= 6_500
    assert offline.MOST_BYTES <= 2 * 1024 * 1024
