"""Without a mouse, without a finger: asking, following, answering, and a secretary's and a worker's day."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import ViewportSize, expect

from tests import people
from tests.browser import stage
from tests.browser.conftest import DESK, PHONE, Opens, RunningHouse
from tests.browser.keys import Keyboard
from tests.browser.walking import A_PAPER, sign_in
from tests.casework.asking import BY_MAIL, ask
from tests.conftest import Database

pytestmark = pytest.mark.browser

WORDS = "Je ne peux plus payer le loyer."
ANSWER = "Bonjour. Venez jeudi."


@pytest.mark.parametrize(("language", "viewport"), [("fr", DESK), ("ar", PHONE)], ids=["desk", "phone"])
def test_asking_and_following_by_keyboard_alone(
    house: RunningHouse, database: Database, opens: Opens, language: str, viewport: ViewportSize
) -> None:
    """From home to the receipt, to the answer, and back to the house: never a click."""
    page = opens(viewport=viewport, language=language)
    hands = Keyboard(page)
    page.goto(f"{house.portal}/{language}/")
    hands.go(f"a.tile[href='/{language}/demande/sujet']")
    hands.go("button[value=housing]")
    hands.go("button[value=none]", key="Space")
    hands.write("#words", WORDS)
    hands.go("#question .button")
    hands.write("#commune_typed", "86190")
    hands.go("#question .button")
    hands.go("button[value='86294']")
    hands.tick("input[value=email]")
    hands.tick("input[value=call]")
    hands.go("#question .button")
    hands.write("#call_number", "05 49 12 34 56")
    hands.reach("input[name=call_time]")
    page.keyboard.press("ArrowDown")
    hands.check()
    hands.write("#email", "amina@example.org")
    hands.go("#question .button")
    hands.reach("#spoken_language")
    page.keyboard.press("End")
    hands.tick("input[value=reading]")
    hands.go("#question .button")
    hands.choose_file("#papers", A_PAPER)
    hands.go("button[name=next]")
    expect(page).to_have_url(re.compile("/verifier$"))
    hands.go("form[action$='/envoyer'] .button")
    expect(page).to_have_url(re.compile("/recu$"))
    hands.go("main a[href$='/suivi']")
    asked = stage.only_request(database)
    stage.act(database, people.NADIA, asked, stage.asking_a_paper(database))
    page.reload()
    expect(page.locator(".message.theirs")).to_be_visible()
    hands.write("#body", ANSWER)
    hands.go("form:has(#body) .button")
    expect(page.locator(".message.mine").last).to_contain_text(ANSWER)
    hands.go("form[action$='/sortir'] .button")
    expect(page.locator("a.tile").first).to_be_visible()
    assert hands.stops > 60


def test_one_can_step_back_and_skip(house: RunningHouse, opens: Opens) -> None:
    """The first step offers to skip the header; it leads to the content; a step back leads where one was."""
    for address in (f"{house.portal}/fr/", f"{house.backoffice}/fr/connexion"):
        page = opens(viewport=PHONE)
        hands = Keyboard(page)
        page.goto(address)
        hands.tab()
        assert hands.on("a.skip")
        page.keyboard.press("Enter")
        assert hands.on("main")
        hands.tab()
        first = page.evaluate("document.activeElement.closest('main') && document.activeElement.outerHTML")
        assert first
        hands.tab()
        hands.tab(back=True)
        assert page.evaluate("document.activeElement.outerHTML") == first


def test_a_mistake_takes_the_focus_and_leads_to_its_field(house: RunningHouse, opens: Opens) -> None:
    """The summary first, then the field itself, ready to be written in."""
    page = opens()
    hands = Keyboard(page)
    page.goto(f"{house.portal}/fr/suivre")
    hands.go("main form .button")
    assert hands.on(".error-summary")
    hands.check()
    hands.tab()
    assert hands.on("a[href='#number']")
    hands.tab()
    assert hands.on("a[href='#code']")
    page.keyboard.press("Enter")
    assert hands.on("#code")
    hands.check()
    page.keyboard.type("1234")
    assert page.locator("#code").input_value() == "1234"


def test_a_mistake_among_choices_leads_to_the_first_one(house: RunningHouse, opens: Opens) -> None:
    """A group has no field of its own: its first box takes the focus."""
    page = opens(viewport=PHONE)
    hands = Keyboard(page)
    page.goto(f"{house.portal}/fr/demande/sujet")
    hands.go("button[value=money]")
    page.goto(f"{house.portal}/fr/demande/reponse")
    hands.go("#question .button")
    assert hands.on(".error-summary")
    hands.tab()
    page.keyboard.press("Enter")
    hands.check()
    page.keyboard.press("Space")
    expect(page.locator("input[value=sms]")).to_be_checked()


def test_a_secretary_and_a_worker_by_keyboard_alone(
    house: RunningHouse, database: Database, opens: Opens
) -> None:
    """Sign in, find the request in the queue, correct a mistake, qualify, route; the worker answers and closes."""
    asked = ask(database, stage.now(), BY_MAIL)
    page = opens()
    hands = Keyboard(page)
    page.goto(f"{house.backoffice}/fr/")
    hands.write("#login", people.NADIA.login)
    hands.write("#password", people.PASSWORD)
    hands.go("main form .button")
    hands.go("tbody th a")
    hands.tick("#act-qualify input[value=money]")
    hands.tick("#act-qualify input[name=urgent]")
    hands.go("#act-qualify .button")
    assert hands.on(".error-summary")
    hands.tab()
    page.keyboard.press("Enter")
    assert hands.on("#qualify-urgency_reason")
    page.keyboard.type("Deux enfants")
    hands.go("#act-qualify .button")
    expect(page.locator(".notice.success")).to_be_visible()
    if page.locator("#act-route").get_attribute("open") is None:
        hands.reach("#act-route summary")
        page.keyboard.press("Enter")
    hands.go("#act-route .button")
    expect(page.locator(".toolbar .badge").first).to_have_text("Transmise")

    chosen = people.PAUL if people.PAUL.name in page.locator(".case").inner_text() else people.SARAH
    worker = opens()
    sign_in(worker, house, chosen)
    hands = Keyboard(worker)
    hands.go("tbody th a")
    if worker.locator("#act-answer").get_attribute("open") is None:
        hands.reach("#act-answer summary")
        worker.keyboard.press("Space")
    hands.write("#answer-body", ANSWER)
    hands.go("#act-answer .button:not(.secondary)")
    expect(worker.locator(".message.mine")).to_contain_text(ANSWER)
    hands.reach("#act-close summary")
    worker.keyboard.press("Enter")
    hands.reach("#close-outcome")
    worker.keyboard.press("End")
    hands.go("#act-close .button")
    expect(worker.locator(".toolbar .badge").first).to_have_text("Clôturée")
    assert stage.state_of(database, asked) == "closed"


def test_the_list_of_the_house_can_be_read_through_by_keyboard(
    house: RunningHouse, database: Database, opens: Opens
) -> None:
    """Line after line, down and up again: no line hides under the headings that stay in sight."""
    for _ in range(30):
        ask(database, stage.now(), BY_MAIL)
    page = opens()
    sign_in(page, house, people.NADIA)
    hands = Keyboard(page)
    hands.reach("tbody tr:last-child th a")
    for _ in range(30):
        hands.tab(back=True)
