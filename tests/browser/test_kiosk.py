"""The kiosk in a real browser: who walks away is forgotten, and the next person finds nothing of theirs."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests import people
from tests.browser import stage
from tests.browser.conftest import DESK, Opens, RunningHouse
from tests.browser.walking import sign_in, tap
from tests.conftest import Database
from tests.portal.kiosk_visitor import new_key

pytestmark = pytest.mark.browser

STANDING: ViewportSize = {"width": 1080, "height": 1920}
HIS_WORDS = "Mon loyer de la rue Carnot"
HIS_NAME = "Marcel Moreau"
HIS_PHONE = "06 98 76 54 32"
CHROMIUM = "/usr/bin/chromium"
SMALL = """() => {
  const small = [];
  for (const one of document.querySelectorAll("body *")) {
    if (!one.checkVisibility() || one.closest("dialog, .skip, .visually-hidden, svg")) continue;
    const style = getComputedStyle(one);
    const words = [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    const capital = 0.71 * parseFloat(style.fontSize);
    if (words && capital < (7.3 * 96) / 25.4 - 0.01) small.push(`${one.className} ${style.fontSize}`);
    const box = one.getBoundingClientRect();
    const inLine = style.display === "inline" && one.parentElement.closest("p, li, dd");
    if (one.matches("a, button, input:not([type=hidden]), select, summary") && !inLine && !one.closest(".choice")
        && (box.height < 60 || box.width < 60)) small.push(`${one.outerHTML.slice(0, 90)} ${box.width}×${box.height}`);
  }
  return small;
}"""
"""What is written or tapped and too small."""


@pytest.fixture
def screen(house: RunningHouse, database: Database, opens: Opens) -> Page:
    """A kiosk set up, its clock ours to move."""
    page = opens(viewport=STANDING)
    page.clock.install()
    page.goto(f"{house.portal}/borne/{new_key(database, stage.now())}")
    expect(page).to_have_url(f"{house.portal}/borne")
    return page


def touch(page: Page, language: str = "fr") -> None:
    """Choose one's language on the start page."""
    tap(page, f".tongues a[hreflang={language}]")


def mr_moreau(page: Page, portal: str) -> None:
    """He reads about violence, asks for help, is wrong once, and stops before the end."""
    page.goto(f"{portal}/fr/droits/violences")
    page.goto(f"{portal}/fr/demande/sujet")
    tap(page, "button[value=housing]")
    tap(page, "button[value=eviction]")
    page.locator("#words").fill(HIS_WORDS)
    tap(page, "#question .button")
    tap(page, "#question .button")
    page.locator("#commune_typed").fill("Vouillé")
    tap(page, "#question .button")
    page.locator("input[value=sms]").check()
    tap(page, "#question .button")
    page.locator("#sms_number").fill(HIS_PHONE)
    page.locator("#name").fill(HIS_NAME)


def walks_away(page: Page) -> None:
    """Two minutes, the warning, half a minute."""
    page.clock.run_for(121_000)
    expect(page.locator("#kiosk-still")).to_be_visible()
    page.clock.run_for(30_000)
    expect(page.locator(".tongues")).to_be_visible()


def back(page: Page) -> None:
    """Press Back, and be where one is let be."""
    page.evaluate("() => { document.documentElement.dataset.left = 'yes'; history.back() }")
    expect(page.locator("html:not([data-left]) :is(h1, .tongues)").first).to_be_visible()


def kept(page: Page) -> list[object]:
    """The names of the cookies, and how much is in each kind of storage."""
    counted = page.evaluate(
        "async () => [localStorage.length, sessionStorage.length, (await indexedDB.databases()).length,"
        " (await caches.keys()).length, (await navigator.serviceWorker.getRegistrations()).length]"
    )
    return [sorted(cookie.get("name", "") for cookie in page.context.cookies()), *counted]


def shows_nothing_of_his(page: Page) -> None:
    """Neither what he wrote nor what he read."""
    said = page.content()
    for words in (HIS_WORDS, HIS_NAME, HIS_PHONE, "Vouillé", "violences"):
        assert words not in said, f"{words!r} on {page.url}"


def test_after_mr_moreau_walked_away_nothing_of_his_is_found(screen: Page, house: RunningHouse) -> None:
    touch(screen)
    mr_moreau(screen, house.portal)
    screen.evaluate("() => { localStorage.setItem('a', '1'); sessionStorage.setItem('b', '2') }")
    walks_away(screen)
    expect(screen).to_have_url(f"{house.portal}/borne")
    assert kept(screen) == [["allervers_kiosk"], 0, 0, 0, 0, 0]
    for _ in range(8):
        back(screen)
        expect(screen).to_have_url(f"{house.portal}/borne")
        shows_nothing_of_his(screen)
    screen.goto(f"{house.portal}/fr/demande/mots")
    expect(screen).to_have_url(f"{house.portal}/borne")


def test_the_next_person_goes_back_and_sees_nothing_of_his(screen: Page, house: RunningHouse) -> None:
    touch(screen)
    mr_moreau(screen, house.portal)
    walks_away(screen)
    touch(screen, "en")
    screen.goto(f"{house.portal}/en/urgences")
    for _ in range(9):
        back(screen)
        shows_nothing_of_his(screen)


@pytest.mark.parametrize("kiosk", [True, False], ids=["a kiosk", "an ordinary browser"])
def test_the_disk_holds_none_of_his_words(
    house: RunningHouse, database: Database, chromium: Browser, tmp_path: Path, kiosk: bool
) -> None:
    """Nor does the form filler, which keeps its words there. The ordinary one shows that there was much to find."""
    with closing(
        chromium.browser_type.launch_persistent_context(
            tmp_path,
            executable_path=CHROMIUM if Path(CHROMIUM).exists() else None,
            args=["--no-sandbox", "--disable-gpu"],
        )
    ) as context:
        page = context.pages[0]
        if kiosk:
            page.goto(f"{house.portal}/borne/{new_key(database, stage.now())}")
            touch(page)
        mr_moreau(page, house.portal)
        tap(page, "#question .button")
        page.goto(f"{house.portal}/fr/borne/fin?sur=1" if kiosk else f"{house.portal}/fr/")
    found = {
        words
        for words in (HIS_WORDS, HIS_NAME, HIS_PHONE)
        for path in tmp_path.rglob("*")
        if path.is_file() and any(words.encode(how) in path.read_bytes() for how in ("utf-8", "utf-16-le"))
    }
    assert found == (set() if kiosk else {HIS_WORDS, HIS_NAME, HIS_PHONE})


def test_who_reads_slowly_is_never_cut_off(screen: Page, house: RunningHouse) -> None:
    """Twelve warnings, one tap each, or Escape; the focus on the one button; said at thirty, twenty and ten seconds."""
    touch(screen)
    screen.goto(f"{house.portal}/fr/demande/sujet")
    dialog = screen.locator("#kiosk-still")
    for warning in range(12):
        screen.clock.run_for(121_000)
        expect(dialog).to_be_visible()
        button = dialog.get_by_role("button", name="Je suis encore là")
        expect(button).to_be_focused()
        if warning == 0:
            said = dialog.get_by_role("status")
            for seconds, aloud in ((0, 30), (5, 30), (5, 20), (10, 10)):
                screen.clock.run_for(1000 * seconds)
                expect(said).to_have_text(f"Secondes qui restent : {aloud}")
        if warning % 2:
            screen.keyboard.press("Escape")
        else:
            button.click()
        expect(dialog).to_be_hidden()
    expect(screen).to_have_url(f"{house.portal}/fr/demande/sujet")


def test_typing_counts_as_being_there(screen: Page, house: RunningHouse) -> None:
    touch(screen)
    screen.goto(f"{house.portal}/fr/lien-perdu")
    for letter in "moreau":
        screen.clock.run_for(90_000)
        screen.locator("#contact").press(letter)
    expect(screen.locator("#kiosk-still")).to_be_hidden()
    expect(screen.locator("#contact")).to_have_value("moreau")


def test_the_reception_is_called_and_nothing_typed_is_lost(
    screen: Page, house: RunningHouse, opens: Opens
) -> None:
    """Nadia's queue shows it by itself; she goes; what the person was typing is still there."""
    desk = opens(viewport=DESK)
    sign_in(desk, house, people.NADIA)
    touch(screen, "fr")
    screen.goto(f"{house.portal}/fr/lien-perdu")
    screen.locator("#contact").fill("moreau@exam")
    screen.locator("[data-call] .button").click()
    expect(screen.locator("#kiosk-called")).to_contain_text("05 49 00 00 01")
    screen.locator("#kiosk-called button").click()
    expect(screen.locator("#contact")).to_have_value("moreau@exam")
    waiting = desk.locator("tr", has_text="Quelqu'un a besoin d'aide à la borne")
    expect(waiting).to_contain_text("Entrée")
    waiting.locator("button").click()
    expect(waiting).to_have_count(0)


def test_nobody_says_that_the_reception_was_told_when_the_visit_was_over(
    screen: Page, house: RunningHouse
) -> None:
    touch(screen)
    expect(screen.locator("[data-call]")).to_be_visible()
    screen.context.clear_cookies(name="allervers_visit")
    screen.locator("[data-call] .button").click()
    expect(screen.locator(".tongues")).to_be_visible()


def test_an_open_camera_is_nobody(screen: Page, house: RunningHouse) -> None:
    """Its own picture goes on moving after the person left; a film that is played still counts."""
    touch(screen)
    expect(screen.locator("[data-call]")).to_be_visible()
    screen.evaluate(
        "() => { const seen = document.createElement('video'); seen.id = 'preview';"
        " seen.srcObject = new MediaStream(); document.body.append(seen) }"
    )
    for _ in range(3):
        screen.clock.run_for(41_000)
        screen.evaluate("() => document.getElementById('preview').dispatchEvent(new Event('timeupdate'))")
    expect(screen.locator("#kiosk-still")).to_be_visible()


def test_letters_and_targets_are_large(screen: Page, house: RunningHouse) -> None:
    """Capitals of 7.3 mm on a screen of 96 points an inch, targets of 60 pixels, one column."""
    touch(screen)
    for path in ("", "droits/rsa", "demande/sujet", "suivre", "urgences", "maisons"):
        screen.goto(f"{house.portal}/fr/{path}")
        assert screen.evaluate(SMALL) == [], path
