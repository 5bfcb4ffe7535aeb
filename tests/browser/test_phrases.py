"""Two strokes put a ready sentence into a message; Amina answers it with one tap."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests import people
from tests.browser import stage
from tests.browser.conftest import PHONE, Opens, RunningHouse
from tests.browser.walking import sign_in
from tests.casework.asking import BY_TEXT, ask
from tests.conftest import Database

pytestmark = pytest.mark.browser


def test_a_sentence_in_two_strokes_and_an_answer_in_one_tap(
    house: RunningHouse, database: Database, opens: Opens
) -> None:
    asked = ask(database, stage.now(), BY_TEXT, "fa")
    desk = opens()
    sign_in(desk, house, people.NADIA)
    desk.goto(f"{house.backoffice}/fr/demande/{asked.id}")
    desk.locator("#act-answer").evaluate("(details) => { details.open = true }")
    field, read = desk.locator("#answer-body"), desk.locator("#act-answer .will-read")
    strokes = desk.locator("#act-answer .strokes")

    # "/" shows the groups, one letter its sentences, the second stroke puts it in; what she reads stands below.
    field.press_sequentially("/")
    expect(strokes).to_contain_text("r · Rendez-vous")
    field.press_sequentially("b")
    expect(strokes).to_contain_text("bj · Bonjour.")
    field.press_sequentially("j")
    expect(field).to_have_value("Bonjour.\n")
    expect(strokes).to_be_hidden()
    expect(read).to_contain_text("سلام.")

    # A sentence with slots asks for them in small fields, without a mouse; Enter puts it in.
    field.press_sequentially("/rv")
    expect(desk.locator("#answer-body-slot-day")).to_be_focused()
    expect(desk.locator("#answer-body-slot-place")).to_be_hidden()
    desk.keyboard.press("Enter")
    expect(desk.locator("#answer-body-phrase-error")).to_contain_text("Choisissez un jour.")
    desk.locator("#answer-body-slot-day").fill("2026-11-24")
    desk.locator("#answer-body-slot-hour").fill("14:30")
    desk.keyboard.press("Enter")
    expect(field).to_be_focused()
    expect(field).to_have_value("Bonjour.\nVenez le mardi 24 novembre à 14:30.\n")
    expect(read).to_contain_text("سه‌شنبه 24 نومبر ساعت 14:30")

    # By words too; a slash in a word is a slash; a sentence changed by hand is no longer the book's.
    desk.locator("#act-answer .phrases summary").click()
    desk.locator("#answer-body-phrase-find").fill("interprete gratuit")
    desk.keyboard.press("Enter")
    expect(field).to_have_value(re.compile("L'interprète est gratuit pour vous.\n$"))
    for ordinary in ("1/2", " 50 € /bj et /rvx, lundi /mardi"):
        field.press_sequentially(ordinary)
        expect(strokes).to_be_hidden()
        expect(field).to_have_value(re.compile(f"{re.escape(ordinary)}$"))
    expect(read.locator("li:visible")).to_have_count(3)

    # Without an answer of the service, or with that of a page to sign in, it says so; the sentence comes all the same.
    error = desk.locator("#answer-body-phrase-error")
    desk.route("**/phrases/**", lambda route: route.abort())
    field.fill("")
    field.press_sequentially("/bj")
    expect(error).to_contain_text("Le service ne répond pas.")
    expect(field).to_have_value("Bonjour.\n")
    desk.unroute("**/phrases/**")
    desk.route(
        "**/phrases/**", lambda route: route.fulfill(content_type="text/html", body="<h1>Connexion</h1>")
    )
    field.fill("")
    expect(read.locator("li")).to_have_count(0)
    field.press_sequentially("/rv")
    desk.locator("#answer-body-slot-day").fill("2026-11-24")
    desk.locator("#answer-body-slot-hour").fill("14:30")
    desk.keyboard.press("Enter")
    expect(error).to_contain_text("Le service ne répond pas.")
    expect(desk.locator("#answer-body-slot-day")).to_have_value("2026-11-24")
    desk.unroute("**/phrases/**")
    desk.keyboard.press("Enter")
    expect(error).to_be_hidden()
    expect(read.locator("li:visible")).to_have_count(1)
    field.press_sequentially("/bj")
    expect(read.locator("li:visible")).to_have_count(2)
    field.fill("Bonjour.\nVenez le mardi 24 novembre à 15:30.")
    expect(read.locator("li:visible")).to_have_count(1)
    desk.locator("#act-answer .button:not(.secondary)").click()
    expect(desk.locator(".message.mine")).to_contain_text("15:30")

    amina = opens(viewport=PHONE, language="fa")
    amina.goto(f"{house.portal}/fa/s/{asked.secret}")
    cards = amina.locator("details.cards")
    expect(cards.locator(".tile").first).to_be_hidden()
    cards.locator("summary").click()
    heights = cards.locator(".tile").evaluate_all("(tiles) => tiles.map((tile) => tile.offsetHeight)")
    assert len(heights) == 30
    assert min(heights) >= 44
    cards.locator("[value=not_understood]").click()
    expect(amina.locator(".message.mine").last).to_contain_text("نمی‌فهمم.")
