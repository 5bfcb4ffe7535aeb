"""Every page of both faces, narrow, wide and in large print: before axe-core, and before a reader's eyes.

One walk a face in French and one in Arabic: the other languages share their pages, left to right or right to left.
`make audit` walks through all of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Page, ViewportSize

from tests.browser.conftest import Opens, RunningHouse
from tests.browser.every_page import FACES, pages_never_seen
from tests.browser.inspecting import LAID_OUT, Inspector
from tests.browser.reading import Reader
from tests.conftest import Database

pytestmark = pytest.mark.browser

NARROW: ViewportSize = {"width": 320, "height": 740}
LARGE_PRINT: ViewportSize = {"width": 640, "height": 800}
WIDE: ViewportSize = {"width": 1280, "height": 800}


@dataclass
class Looking:
    """Somebody with axe, a ruler and three windows."""

    page: Page
    addresses: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.inspector, self.reader = Inspector(self.page), Reader(self.page)

    @property
    def troubles(self) -> list[str]:
        """What is wrong."""
        return self.inspector.violations + self.reader.troubles

    def look(self, name: str) -> None:
        """The page as it stands, at each width; the window is left wide."""
        self.addresses.add(self.page.url)
        self.reader.look(name, NARROW)
        self.inspector.look(name, NARROW)
        self.reader.look(name, LARGE_PRINT)
        self.reader.look(name, WIDE)
        self.inspector.look(name, WIDE, LAID_OUT)


@pytest.mark.parametrize("language", ["fr", "ar"])
@pytest.mark.parametrize("face", FACES)
def test_every_page_is_for_everybody(
    house: RunningHouse, database: Database, opens: Opens, face: str, language: str
) -> None:
    """Pages, errors, long names, folded forms; only the table of the queue may scroll; no page was forgotten."""
    looking = Looking(opens(language=language))
    FACES[face](looking.page, house, database, language, looking.look)
    assert not looking.troubles, "\n".join(looking.troubles)
    assert pages_never_seen(face, database, looking.addresses) == []


SPOIL = """() => {
  const main = document.querySelector("main");
  const tiny = '<button class="tiny">a</button>';
  main.innerHTML += `<p id="pale">pâle</p><p>${tiny}${tiny}</p><img>`;
  document.querySelector("#pale").style.color = "#6b6b6b";
  for (const tiny of document.querySelectorAll(".tiny"))
    Object.assign(tiny.style, {width: "12px", height: "12px", padding: 0, margin: 0, fontSize: "8px"});
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
"""Pale words, a small target, an image without words, a word too long for its box, a box too wide, a line cut off."""


def test_a_fault_does_not_pass(house: RunningHouse, opens: Opens) -> None:
    """Whoever looks sees what was spoilt, at each width: they would see what we spoil."""
    looking = Looking(opens())
    looking.page.goto(f"{house.portal}/fr/")
    looking.page.evaluate(SPOIL)
    looking.look("home, spoilt")
    narrow, wide = (
        {said.split(": ")[1] for said in looking.inspector.violations if f"({width} px)" in said}
        for width in (320, 1280)
    )
    assert narrow >= {"color-contrast-enhanced", "target-size", "image-alt"}
    assert wide == {"color-contrast-enhanced", "target-size"}
    for way in ("320 px, as it comes", "320 px, spaced", "640 px, text at 200 %", "1280 px, text at 200 %"):
        said = " ".join(trouble for trouble in looking.reader.troubles if way in trouble)
        for trouble in ("the page scrolls", "outside", "wider than its box", "cut off below"):
            assert trouble in said, way
