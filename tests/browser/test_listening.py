"""A page that says itself, with the device's own voice; the sentence spoken is shown. Chromium here has no voices: a
stand-in says each sentence at once and writes it down."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE, Opens, RunningHouse

pytestmark = pytest.mark.browser

VOICES = """(() => {
  const voices = LANGUAGES.map((lang) => ({ lang, localService: true, name: lang }));
  window.said = [];
  window.SpeechSynthesisUtterance = function (text) { this.text = text; };
  const speech = {
    getVoices: () => voices,
    speak(words) {
      window.said.push([words.lang, words.text, document.querySelector(".spoken")?.textContent.trim()]);
      document.documentElement.dataset.said = window.said.length;
      if (window.said.length < ENOUGH) window.going = setTimeout(() => words.onend(), 20);
    },
    cancel() { clearTimeout(window.going); },
    addEventListener() {},
  };
  Object.defineProperty(window, "speechSynthesis", { value: speech });
})()"""


ENOUGH = 13
"""After that many sentences the stand-in holds its breath, in the middle of the next."""


def with_voices(page: Page, *languages: str) -> Page:
    page.add_init_script(VOICES.replace("LANGUAGES", str(list(languages))).replace("ENOUGH", str(ENOUGH)))
    return page


def has_said_enough(page: Page) -> None:
    expect(page.locator("html")).to_have_attribute("data-said", str(ENOUGH))


def test_a_page_is_read_sentence_by_sentence_and_each_is_shown(house: RunningHouse, opens: Opens) -> None:
    page = with_voices(opens(viewport=PHONE), "fr-FR")
    page.goto(f"{house.portal}/fr/droits/rsa")
    page.locator("[data-listen] button").click()
    has_said_enough(page)
    said = page.evaluate("said")
    assert said[0][1] == page.locator("h1").inner_text()
    assert all(language == "fr" for language, _, _ in said)
    assert all(" ".join(shown.split()) == spoken for _, spoken, shown in said)
    assert len({spoken for _, spoken, _ in said}) == len(said), "nothing is said twice"


def test_it_stops_at_a_second_tap(house: RunningHouse, opens: Opens) -> None:
    page = with_voices(opens(viewport=PHONE), "fr-FR")
    page.goto(f"{house.portal}/fr/droits/rsa")
    button = page.locator("[data-listen] button")
    button.click()
    has_said_enough(page)
    expect(page.locator(".spoken")).to_have_count(1)
    button.click()
    expect(button).to_have_attribute("aria-pressed", "false")
    expect(page.locator(".spoken")).to_have_count(0)


def test_what_came_since_the_last_time_is_read_too(house: RunningHouse, opens: Opens) -> None:
    """As a translation comes: in the place of what stood there."""
    page = with_voices(opens(viewport=PHONE), "fr-FR")
    page.goto(f"{house.portal}/fr/droits/rsa")
    button = page.locator("[data-listen] button")
    button.click()
    has_said_enough(page)
    button.click()
    before = page.evaluate("said.splice(0)")
    page.evaluate("document.documentElement.dataset.said = 0")
    page.evaluate("document.querySelector('h1').replaceChildren('La traduction est là.')")
    button.click()
    has_said_enough(page)
    after = page.evaluate("said")
    assert after[0][1] == "La traduction est là."
    assert after[1:] == before[1:], "the others are said as before"


def test_without_a_voice_of_the_language_nothing_is_offered(house: RunningHouse, opens: Opens) -> None:
    page = with_voices(opens(viewport=PHONE, language="ps"), "fr-FR", "en-GB")
    page.goto(f"{house.portal}/ps/")
    expect(page.locator("[data-listen]")).to_be_hidden()
    page.goto(f"{house.portal}/fr/")
    expect(page.locator("[data-listen]")).to_be_visible()
