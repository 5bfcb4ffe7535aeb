"""What scripts and style sheets add: seeing a file go, one request for two taps, a list that lives."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import pytest
from playwright.sync_api import FilePayload, Locator, expect
from pypdf import PdfReader
from sqlalchemy import text

from casework.vocabulary import Urgency
from tests import people
from tests.browser import stage
from tests.browser.conftest import PHONE, Opens, RunningHouse
from tests.browser.walking import (
    A_PAPER,
    NOT_A_PAPER,
    WORDS,
    go_to_contact,
    go_to_papers,
    sign_in,
    tap,
    unfold,
)
from tests.casework.asking import BY_MAIL, ask
from tests.conftest import Database

pytestmark = pytest.mark.browser

REFRESHED_WITHIN = 15_000
LARGE_PAPER: FilePayload = {
    "name": "bail.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.4 " + b"a long lease " * 40_000
}  # fmt: skip
TAP_TWICE = """(selector) => {
  const taken = [];
  document.addEventListener("submit", (event) => taken.push(!event.defaultPrevented));
  for (const _ of [1, 2]) document.querySelector(selector).click();
  return taken;
}"""
"""Faster than a finger; says of each tap whether the browser was left to send the form."""


def test_two_shifts_and_a_word_are_only_typing(house: RunningHouse, opens: Opens) -> None:
    """Capitals do not send anybody away."""
    page = opens()
    page.goto(f"{house.portal}/fr/demande/sujet")
    tap(page, "button[value=violence]")
    tap(page, "button[value=none]")
    page.locator("#words").focus()
    page.keyboard.press("Shift")
    page.keyboard.press("Shift")
    page.keyboard.type("Il")
    page.keyboard.press("Shift")
    expect(page.locator("#words")).to_have_value("Il")


def test_a_large_paper_is_seen_to_go(house: RunningHouse, opens: Opens) -> None:
    """The bar moves while the file goes; then the next page comes, with the paper."""
    page = opens(viewport=PHONE)
    go_to_papers(page, f"{house.portal}/fr/demande")
    slow = page.context.new_cdp_session(page)
    slow.send("Network.enable")
    slow.send("Network.emulateNetworkConditions", {
        "offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 150_000,
    })  # fmt: skip
    page.locator("#papers").set_input_files([LARGE_PAPER])
    page.locator("button[name=next]").click()
    expect(page.locator(".progress")).to_be_visible()
    page.wait_for_function(
        "() => { const v = document.querySelector('progress').value; return v > 0 && v < 100 }"
    )
    expect(page).to_have_url(re.compile("/verifier$"))
    expect(page.locator("dl")).to_contain_text("bail.pdf")


def test_a_card_tapped_beside_a_paper_goes_when_the_way_with_a_bar_breaks(
    house: RunningHouse, database: Database, opens: Opens
) -> None:
    """The browser sends the form in its own way, with the button that was tapped; what was begun stays."""
    asked = ask(database, stage.now(), BY_MAIL)
    page = opens(viewport=PHONE)
    page.goto(f"{house.portal}/fr/s/{asked.secret}")
    page.route("**/fr/suivi", lambda route: (
        route.abort() if route.request.resource_type == "xhr" else route.continue_()
    ))  # fmt: skip
    for begun in ("", "Je vous envoie"):
        page.locator("#body").fill(begun)
        page.locator("#papers").set_input_files([A_PAPER])
        page.locator("details.cards summary").click()
        page.locator("button[value=thanks]").click()
        expect(page.locator(".notice.success")).to_be_visible()
        expect(page.locator(".message.mine").last).to_contain_text("Merci.")
        expect(page.locator("#body")).to_have_value(begun)
        page.unroute("**/fr/suivi")
    expect(page.locator(".papers li")).to_have_count(2)


def test_a_refused_paper_is_said_and_the_next_one_goes(
    house: RunningHouse, database: Database, opens: Opens
) -> None:
    """Why is read first; the page lives on: the second file goes with its bar, and the words say so."""
    page = opens(viewport=PHONE, language="ar")
    go_to_papers(page, f"{house.portal}/ar/demande")
    page.locator("#papers").set_input_files([NOT_A_PAPER])
    page.locator("button[name=add]").click()
    expect(page.locator(".error-summary")).to_be_focused()
    expect(page.locator(".error-summary")).to_contain_text("programme.exe")
    expect(page.locator("html")).to_have_attribute("dir", "rtl")
    assert page.title().startswith("خطأ")
    page.locator("#papers").set_input_files([A_PAPER])
    with page.expect_request(lambda request: request.method == "POST") as sent:
        page.locator("button[name=add]").click()
    assert sent.value.resource_type == "xhr"
    expect(page.locator(".papers")).to_contain_text("lettre-du-proprietaire.pdf")
    assert _count(database, "documents") == 1


def test_a_cut_while_a_paper_goes_loses_nothing(
    house: RunningHouse, database: Database, opens: Opens
) -> None:
    """The script's way is cut: the browser sends the form in its own."""
    page = opens(viewport=PHONE)
    go_to_papers(page, f"{house.portal}/fr/demande")
    page.route("**/papiers", lambda route: route.abort(), times=1)
    page.locator("#papers").set_input_files([A_PAPER])
    page.locator("button[name=add]").click()
    expect(page.locator(".papers")).to_contain_text("lettre-du-proprietaire.pdf")
    assert _count(database, "documents") == 1


def test_two_quick_taps_send_one_paper_and_one_request(
    house: RunningHouse, database: Database, opens: Opens
) -> None:
    """The second tap asks the house for nothing."""
    page = opens(viewport=PHONE)
    posts: list[str] = []
    page.on("request", lambda request: posts.append(request.url) if request.method == "POST" else None)
    go_to_papers(page, f"{house.portal}/fr/demande")
    posts.clear()
    page.locator("#papers").set_input_files([A_PAPER])
    page.evaluate(TAP_TWICE, "button[name=next]")
    expect(page).to_have_url(re.compile("/verifier$"))
    assert page.evaluate(TAP_TWICE, "form[action$='/envoyer'] .button") == [True, False]
    expect(page).to_have_url(re.compile("/recu$"))
    assert [url.rsplit("/", 1)[1] for url in posts] == ["papiers", "envoyer"]
    assert (_count(database, "documents"), _count(database, "requests")) == (1, 1)


def test_the_browsers_back_and_forward_keep_every_answer(house: RunningHouse, opens: Opens) -> None:
    """Three questions back, three forward: the words, the place, the choices are there."""
    page = opens(viewport=PHONE)
    go_to_contact(page, f"{house.portal}/fr/demande", urgency="eviction")
    page.go_back()
    expect(page.locator("input[value=email]")).to_be_checked()
    expect(page.locator("input[value=letter]")).not_to_be_checked()
    page.go_back()
    expect(page.locator("#commune_typed")).to_have_value("Poitiers")
    page.go_back()
    expect(page.locator("#words")).to_have_value(WORDS["fr"])
    page.go_back()
    expect(page.locator("button[value=eviction]")).to_have_attribute("aria-pressed", "true")
    for _ in range(4):
        page.go_forward()
    expect(page.locator("#sms_number")).to_be_visible()


def test_another_language_in_the_middle_of_a_question_keeps_what_was_typed(
    house: RunningHouse, opens: Opens
) -> None:
    """Right or wrong, the number half typed is still there, in the other language."""
    page = opens(viewport=PHONE)
    go_to_contact(page, f"{house.portal}/fr/demande")
    page.locator("#sms_number").fill("06 12")
    page.locator("#name").fill("Amina")
    page.locator(".languages summary").click()
    tap(page, "button[name=switch][value=ar]")
    expect(page.locator("html")).to_have_attribute("dir", "rtl")
    expect(page.locator("#sms_number")).to_have_value("06 12")
    expect(page.locator("#name")).to_have_value("Amina")


def test_the_list_lives_without_moving_what_one_reads(
    house: RunningHouse, database: Database, opens: Opens
) -> None:
    """Something urgent comes on top: the line one reads stays in its place, and keeps the focus."""
    for _ in range(30):
        ask(database, stage.now(), BY_MAIL)
    nadia = opens()
    sign_in(nadia, house, people.NADIA)
    nadia.goto(f"{house.backoffice}/fr/file")
    line = nadia.locator("tbody tr").nth(15)
    read = nadia.locator(f"tr[id='{line.get_attribute('id')}'] th a")
    read.focus()
    nadia.mouse.wheel(0, 150)
    nadia.wait_for_function("scrollY > 300")
    before = _top(read)
    urgent = ask(database, stage.now(), replace(BY_MAIL, urgency=Urgency.NO_ROOF))
    expect(nadia.locator(f"tr[id='r-{urgent.id}']")).to_be_attached(timeout=REFRESHED_WITHIN)
    expect(nadia.locator("tbody tr").first).to_have_attribute("id", f"r-{urgent.id}")
    assert abs(_top(read) - before) <= 2
    expect(read).to_be_focused()
    expect(nadia.locator(".count-pill")).to_contain_text("1")


def test_the_first_request_comes_to_an_empty_list(
    house: RunningHouse, database: Database, opens: Opens
) -> None:
    """A list that was empty shows its headings with its first line, and says no more that there is nothing."""
    nadia = opens()
    sign_in(nadia, house, people.NADIA)
    nadia.goto(f"{house.backoffice}/fr/file")
    expect(nadia.locator("main")).to_contain_text("Rien à traiter")
    first = ask(database, stage.now(), BY_MAIL)
    expect(nadia.locator(f"tr[id='r-{first.id}']")).to_be_visible(timeout=REFRESHED_WITHIN)
    expect(nadia.locator("thead")).to_be_visible()
    expect(nadia.get_by_text("Rien à traiter")).to_be_hidden()


def test_two_secretaries_on_one_request(house: RunningHouse, database: Database, opens: Opens) -> None:
    """The second is told; what she wrote meanwhile is kept; nothing of the first is overwritten."""
    asked = ask(database, stage.now(), BY_MAIL)
    address = f"{house.backoffice}/fr/demande/{asked.id}"
    nadia, claire = opens(), opens()
    sign_in(nadia, house, people.NADIA)
    sign_in(claire, house, people.CLAIRE)
    nadia.goto(address)
    claire.goto(address)
    expect(claire.locator(".notice.warning", has_text="Nadia Roux")).to_be_visible()
    unfold(claire, "ask_paper")
    claire.locator("#ask_paper-body").fill("Envoyez votre bail.")
    nadia.locator("#act-qualify input[value=money]").check()
    nadia.locator("#act-qualify .button").click()
    expect(nadia.locator(".notice.success")).to_be_visible()

    claire.locator("#act-ask_paper .button:not(.secondary)").click()
    expect(claire.locator(".conflict")).to_be_focused()
    expect(claire.locator("#ask_paper-body")).to_be_visible()
    expect(claire.locator("#ask_paper-body")).to_have_value("Envoyez votre bail.")
    assert stage.state_of(database, asked) == "qualified"
    assert _count(database, "messages") == 0
    claire.locator("#act-ask_paper .button:not(.secondary)").click()
    expect(claire.locator(".message.mine")).to_contain_text("Envoyez votre bail.")
    expect(claire.locator("dl.facts").first).to_contain_text("L'argent")
    assert stage.state_of(database, asked) == "waiting"


@pytest.mark.parametrize("language", ["fr", "ar"])
def test_the_receipt_prints_on_a_sheet_or_two(house: RunningHouse, opens: Opens, language: str) -> None:
    """The number, the code and the drawing, on white; nothing to tap."""
    page = opens(viewport=PHONE, language=language)
    go_to_papers(page, f"{house.portal}/{language}/demande")
    tap(page, "button[name=next]")
    tap(page, "form[action$='/envoyer'] .button")
    number = page.locator(".number bdi").first.inner_text()
    sheets = PdfReader(io.BytesIO(page.pdf(format="A4"))).pages
    assert len(sheets) in {1, 2}
    assert number.replace(" ", "") in re.sub(r"\s", "", "".join(sheet.extract_text() for sheet in sheets))
    page.emulate_media(media="print")
    for hidden in (".top", ".bottom", ".skip", "main .button >> nth=0"):
        expect(page.locator(hidden)).to_be_hidden()
    expect(page.locator(".number")).to_be_visible()
    expect(page.locator(".qr-frame svg")).to_be_visible()


def _top(line: Locator) -> float:
    box = line.bounding_box()
    assert box
    return box["y"]


def _count(database: Database, table: str) -> int:
    with database.owner.connect() as connection:
        count: int = connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()
        return count
