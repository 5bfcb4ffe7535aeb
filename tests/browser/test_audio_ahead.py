"""Audio made ahead, heard in a browser: Chromium here has no voice of its own, as many a cheap telephone. And a page
taken along on paper."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from pypdf import PdfReader

from casework import audio
from casework.audio import Speech
from casework.rights import load_library
from portal import spoken
from portal.questions import QUESTIONS
from tests.browser.conftest import DESK, PHONE, Opens, RunningHouse
from tests.browser.inspecting import Inspector
from tests.browser.walking import tap

pytestmark = pytest.mark.browser


@pytest.fixture
def made(house: RunningHouse) -> Iterator[RunningHouse]:
    """The house with the audio of one page and one question, really said and encoded."""
    folder = house.logs / "audio"
    library = load_library()
    pieces = [
        *spoken.of_rights(library, library.pages["fsl"]["fr"]),
        *spoken.of_question(QUESTIONS[1], "fr"),
    ]
    short = [Speech(one.speech.language, one.speech.sentences[:1]) for one in pieces]
    audio.make(short, folder, audio.voices(), lambda _done, _of: None)
    shelf = audio.Shelf(folder)
    for whole, said in zip(pieces, short, strict=True):  # the first sentence of each: a test has little time
        _rename(folder, shelf.name_of(said) or "", whole.speech.digest)
    yield house
    shutil.rmtree(folder)


def _rename(folder: Path, name: str, digest: str) -> None:
    for kind in audio.KINDS:
        (folder / f"{name}.{kind}").replace(folder / f"{digest}-{name.partition('-')[2]}.{kind}")


def asked_for(page: Page) -> list[str]:
    """The addresses of audio that the browser asks for, from now on."""
    found: list[str] = []
    page.on("request", lambda request: found.append(request.url) if "/audio/" in request.url else None)
    return found


def test_the_button_plays_the_parts_one_after_the_other_and_shows_where(
    made: RunningHouse, opens: Opens
) -> None:
    page = opens(viewport=PHONE)
    asked = asked_for(page)
    page.goto(f"{made.portal}/fr/droits/fsl")
    button = page.locator("[data-listen] button")
    expect(button).to_be_visible()
    expect(page.locator(".heard")).to_be_hidden()
    assert asked == [], "nothing loads before a tap"
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    first, second = (page.locator(f"audio[data-of={part}]") for part in ("what", "who"))
    expect(first).to_have_js_property("paused", False)
    expect(page.locator("#what")).to_have_class("part spoken")
    expect(first).to_have_js_property("ended", True)
    expect(second).to_have_js_property("paused", False)
    expect(page.locator("#who")).to_have_class("part spoken")
    button.click()
    expect(second).to_have_js_property("paused", True)
    expect(page.locator(".spoken")).to_have_count(0)
    expect(button).to_have_attribute("aria-pressed", "false")
    assert {address.rsplit(".", 1)[-1] for address in asked} == {"opus"}
    page.locator(".heard").evaluate("box => { box.style.display = 'block'; box.open = true; }")
    inspector = Inspector(page)
    for size in (PHONE, DESK):
        inspector.look("players", size)
    assert inspector.violations == []


def test_without_scripts_each_part_has_a_plain_player(made: RunningHouse, opens: Opens) -> None:
    page = opens(viewport=PHONE, javascript=False)
    asked = asked_for(page)
    page.goto(f"{made.portal}/fr/droits/fsl")
    expect(page.locator("[data-listen]")).to_be_hidden()
    players = page.locator(".heard audio")
    expect(players.first).to_be_hidden()
    page.locator(".heard summary").click()
    expect(players).to_have_count(len(spoken.SAID_PARTS))
    for player in players.all():
        expect(player).to_be_visible()
    assert asked == []


def test_a_question_says_itself_too(made: RunningHouse, opens: Opens) -> None:
    page = opens(viewport=PHONE)
    page.goto(f"{made.portal}/fr/demande/sujet")
    expect(page.locator("[data-listen]")).to_be_hidden()
    tap(page, "button[value=money]")
    page.locator("[data-listen] button").click()
    expect(page.locator(".heard audio")).to_have_js_property("ended", True)
    expect(page.locator("[data-listen] button")).to_have_attribute("aria-pressed", "false")


def test_audio_that_is_gone_leaves_the_button_as_it_was(made: RunningHouse, opens: Opens) -> None:
    page = opens(viewport=PHONE)
    page.goto(f"{made.portal}/fr/droits/fsl")
    page.route("**/audio/*", lambda route: route.fulfill(status=404))
    button = page.locator("[data-listen] button")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "false")
    expect(page.locator(".spoken")).to_have_count(0)


@pytest.mark.parametrize(("language", "slug"), [("fr", "rsa"), ("ar", "ecole-cantine"), ("bn", "violences")])
def test_a_page_prints_as_one_sheet(house: RunningHouse, opens: Opens, language: str, slug: str) -> None:
    page = opens(language=language)
    page.goto(f"{house.portal}/{language}/droits/{slug}")
    sheet = page.pdf(format="A4", prefer_css_page_size=True)
    assert 1 <= len(PdfReader(BytesIO(sheet)).pages) <= 2
    page.emulate_media(media="print")
    for shown in ("h1", ".sheet svg", "#more", ".provenance"):
        expect(page.locator(shown).first).to_be_visible()
    expect(page.locator("#more p").first).to_be_visible()
    expect(page.locator(".sheet")).to_contain_text(f"{house.portal}/{language}/droits/{slug}")
    for hidden in (".top", ".bottom", ".what-now", ".exit", "[data-sheet]", "[data-listen]"):
        for one in page.locator(hidden).all():
            expect(one).to_be_hidden()


def test_a_button_prints_and_a_sensitive_page_warns_first(house: RunningHouse, opens: Opens) -> None:
    page = opens(viewport=PHONE)
    page.add_init_script("window.print = () => { document.documentElement.dataset.printed = 'yes'; }")
    page.goto(f"{house.portal}/fr/droits/rsa")
    expect(page.locator("[data-sheet] .notice")).to_have_count(0)
    page.locator("[data-sheet] button").click()
    expect(page.locator("html")).to_have_attribute("data-printed", "yes")
    page.goto(f"{house.portal}/fr/droits/violences")
    expect(page.locator("[data-sheet] .notice")).to_contain_text("Quelqu'un peut trouver ce papier.")
    without = opens(viewport=PHONE, javascript=False)
    without.goto(f"{house.portal}/fr/droits/rsa")
    expect(without.locator("[data-sheet]")).to_be_hidden()
