"""Large text, narrow screens and wide spacing: nothing leaves the page to the side, nothing is cut off."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Page, ViewportSize

from tests.browser.conftest import Opens, RunningHouse
from tests.browser.every_page import FACES
from tests.conftest import Database

pytestmark = pytest.mark.browser

SPACING = """
* { line-height: 1.5 !important; word-spacing: .16em !important; }
*:not(:lang(ar), :lang(fa), :lang(ps)) { letter-spacing: .12em !important; }
p { margin-block-end: 2em !important; }
"""
"""WCAG 1.4.12. Arabic letters are joined: they are spared the space between letters, as the criterion says."""


@dataclass(frozen=True)
class Reading:
    """One way people read: a width, a size of text (100 = the browser's own), more space between the words."""

    name: str
    width: int
    text_percent: int = 100
    spaced: bool = False

    @property
    def size(self) -> ViewportSize:
        """The window."""
        return {"width": self.width, "height": 800}


READINGS = (
    Reading("320 px", 320),
    Reading("1280 px, text at 200 %", 1280, 200),
    Reading("640 px, text at 200 %", 640, 200),
    Reading("320 px, spaced", 320, spaced=True),
    Reading("1280 px, spaced", 1280, spaced=True),
)

PREPARE = """async ({percent, spacing}) => {
  document.documentElement.style.fontSize = `${percent}%`;
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(spacing);
  document.adoptedStyleSheets = spacing ? [sheet] : [];
  return new Promise((ready) => requestAnimationFrame(() => requestAnimationFrame(ready)));
}"""

MEASURE = """() => {
  const told = [];
  const root = document.scrollingElement;
  const say = (what, one) => told.push(
    `${what}: ${one.tagName.toLowerCase()}.${one.className} “${one.textContent.trim().slice(0, 40)}”`);
  const shown = (one) => one.checkVisibility() && !one.closest(".visually-hidden, .skip, svg");
  const scrolls = (one) => one.parentElement?.closest(".table");
  if (root.scrollWidth > root.clientWidth) told.push(`the page scrolls: ${root.scrollWidth} > ${root.clientWidth}`);
  for (const one of document.body.querySelectorAll("*")) {
    if (!shown(one) || scrolls(one)) continue;
    const box = one.getBoundingClientRect();
    if (box.width && (box.left < -1 || box.right > innerWidth + 1)) say("outside", one);
    const style = getComputedStyle(one);
    if (style.display === "inline" || one.matches("input, select, .table")) continue;
    if (one.scrollWidth > one.clientWidth + 1 && one.clientWidth) say("wider than its box", one);
    const cut = style.overflowY !== "visible" && style.overflowY !== "auto";
    if (cut && one.scrollHeight > one.clientHeight + 1) say("cut off below", one);
    if (style.textOverflow === "ellipsis" || style.webkitLineClamp !== "none") say("shortened", one);
  }
  return told;
}"""


@dataclass
class Reader:
    """Reads each page in every way, and writes down what cannot be read."""

    page: Page
    troubles: list[str] = field(default_factory=list)

    def look(self, name: str) -> None:
        """Measure the page as it stands, then leave it as it was."""
        for reading in READINGS:
            self.page.set_viewport_size(reading.size)
            self._prepare(reading.text_percent, SPACING if reading.spaced else "")
            told: list[str] = self.page.evaluate(MEASURE)
            self.troubles.extend(f"{name}, {reading.name}: {one}" for one in told)
        self._prepare(100, "")

    def _prepare(self, percent: int, spacing: str) -> None:
        self.page.evaluate(PREPARE, {"percent": percent, "spacing": spacing})


@pytest.mark.parametrize("language", ["fr", "ar"])
@pytest.mark.parametrize("face", FACES)
def test_every_page_can_be_read_large_narrow_and_spaced(
    house: RunningHouse, database: Database, opens: Opens, face: str, language: str
) -> None:
    """Only the table of the queue may scroll, in its own box."""
    reader = Reader(opens(language=language))
    FACES[face](reader.page, house, database, language, reader.look)
    assert not reader.troubles, "\n".join(reader.troubles)


def test_a_fault_does_not_pass(house: RunningHouse, opens: Opens) -> None:
    """The reader sees a word too long for its box, a box too wide for the page, a line cut off."""
    reader = Reader(opens())
    reader.page.goto(f"{house.portal}/fr/")
    reader.page.evaluate(
        """() => {
          const add = (style) => {
            const one = document.createElement("p");
            one.textContent = "Unmotbeaucouptroplongpourlaplacequonluidonne";
            Object.assign(one.style, style);
            document.querySelector("main").append(one);
          };
          add({ width: "90px", overflowWrap: "normal" });
          add({ width: "1500px" });
          add({ height: "10px", overflow: "hidden" });
        }"""
    )
    reader.look("home, spoilt")
    said = " ".join(reader.troubles)
    for trouble in ("the page scrolls", "outside", "wider than its box", "cut off below"):
        assert trouble in said
