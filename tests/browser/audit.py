"""The audit: every page of both faces, in each of its languages, narrow and wide, asked about each criterion.

Its name keeps it out of `make test`: it takes half an hour. `make audit` runs it; each walk leaves its findings in
`var/audit/`, from which `tools.audit` writes the declaration. A fault is a finding, not a failure: a walk fails only
when it cannot come to its end, and what it saw until then is kept as it is.
"""

from __future__ import annotations

import contextlib
import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import html5lib
import pytest
from playwright.sync_api import Page, Response, ViewportSize

from casework.rights import load_library
from casework.settings import ROOT
from casework.vocabulary import LANGUAGES
from tests.browser.conftest import Opens, RunningHouse
from tests.browser.criteria import CONTRAST, FOCUS, QUESTIONS, WITHOUT_STYLES
from tests.browser.every_page import FACES
from tests.browser.inspecting import AXE, LAID_OUT, OPTIONS
from tests.browser.reading import Reader
from tests.conftest import Database

FINDINGS = ROOT / "var" / "audit"
NARROW: ViewportSize = {"width": 320, "height": 740}
LARGE_PRINT: ViewportSize = {"width": 640, "height": 800}
WIDE: ViewportSize = {"width": 1280, "height": 800}
MOST_EXAMPLES = 8
MOST_STEPS = 150
THOROUGH = {"fr", "ar"}
"""One language of each direction: what hangs on the markup alone is the same in the others."""

RUN_AXE = """(options) => axe.run(document, options).then((told) => {
  const criteria = (rule) => rule.tags.map((tag) => /^RGAA-(\\d+\\.\\d+)/.exec(tag)?.[1]).filter(Boolean);
  return {
    version: axe.version,
    passed: told.passes.flatMap(criteria),
    wrong: told.violations.flatMap((rule) => rule.nodes.map((node) => [
      criteria(rule), rule.id, `${rule.id}: ${node.target.join(" ")}`])),
  };
})"""
OF_RULES = {"color-contrast-enhanced": ["3.2"], "heading-order": ["9.1"], "duplicate-id": ["8.2"]}
"""Rules that axe gives no number of RGAA, and the criteria we count them for."""
OF_READING = {"as it comes": "10.11", "text at 200 %": "10.4", "spaced": "10.12"}
AXE_ALL = {**OPTIONS, "resultTypes": ["violations", "passes"]}


@dataclass
class Criterion:
    """One criterion over a walk: on how many pages there was something to look at, and what is wrong."""

    pages: int = 0
    faulty: int = 0
    wrong: list[str] = field(default_factory=list)


@dataclass
class Auditor:
    """Asks each page everything, and counts by criterion."""

    page: Page
    language: str
    axe: str = ""
    pages: int = 0
    ended: bool = False
    """The walk came to its end."""
    criteria: defaultdict[str, Criterion] = field(default_factory=lambda: defaultdict(Criterion))
    beyond: Criterion = field(default_factory=Criterion)
    """What axe says that belongs to no criterion: target sizes, good practice."""

    def __post_init__(self) -> None:
        self.reader = Reader(self.page)
        self.thorough = self.language in THOROUGH
        self._last: Response | None = None
        self.page.on("response", self._heard)

    def look(self, name: str, *, briefly: bool = False) -> None:
        """The page as it stands; `briefly`: one width, without the keyboard."""
        self.pages += 1
        found: dict[str, list[str]] = defaultdict(list)
        before = len(self.reader.troubles)
        self.page.set_viewport_size(NARROW)
        told: dict[str, Any] = self.page.evaluate(QUESTIONS, self._expected())
        for criterion, one in told.items():
            if one["looked"]:
                found[criterion] += one["wrong"]
        if self.thorough:
            self._is_valid(found)
        self.reader.look(name, NARROW)
        self._axe(found, AXE_ALL)
        if not briefly:
            if self.thorough:
                self._in_the_hand(found)
            self.reader.look(name, LARGE_PRINT)
            self.reader.look(name, WIDE)
            self._axe(found, LAID_OUT)
        for way, criterion in OF_READING.items():
            found[criterion] += [said for said in self.reader.troubles[before:] if way in said]
        where = f"{name}, {self.page.url.partition('//')[2].partition('/')[2]}"
        for criterion, wrong in found.items():
            counted = self.criteria[criterion]
            counted.pages += 1
            counted.faulty += bool(wrong)
            counted.wrong += [f"{where}: {said}" for said in wrong[:MOST_EXAMPLES]]

    def write(self, face: str) -> None:
        """Leave what was found."""
        FINDINGS.mkdir(parents=True, exist_ok=True)
        told = {
            "face": face,
            "language": self.language,
            "pages": self.pages,
            "ended": self.ended,
            "axe": self.axe,
            "criteria": {number: vars(one) for number, one in self.criteria.items()},
            "beyond": vars(self.beyond),
        }
        written = json.dumps(told, ensure_ascii=False, indent=1, sort_keys=True)
        (FINDINGS / f"{face}-{self.language}.json").write_text(written, encoding="utf-8")

    def _expected(self) -> str:
        """The first part of the address, or what the browser speaks where there is none."""
        first = self.page.url.split("/")[3].split("?")[0]
        return first if first in LANGUAGES else self.language

    def _heard(self, response: Response) -> None:
        if response.request.is_navigation_request() and response.frame == self.page.main_frame:
            self._last = response

    def _is_valid(self, found: dict[str, list[str]]) -> None:
        with contextlib.suppress(Exception):  # a page whose bytes the browser no longer holds is not counted
            body = self._last.text() if self._last else ""
            if body:
                parser = html5lib.HTMLParser()
                parser.parse(body)
                found["8.2"] += [str(error) for error in parser.errors]

    def _axe(self, found: dict[str, list[str]], options: dict[str, Any]) -> None:
        if not self.page.evaluate("() => 'axe' in window"):
            self.page.evaluate(AXE.read_text(encoding="utf-8"))
        told = self.page.evaluate(RUN_AXE, options)
        self.axe = told["version"]
        for criterion in told["passed"]:
            found[criterion] += []
        for criteria, rule, said in told["wrong"]:
            for criterion in criteria or OF_RULES.get(rule, []):
                found[criterion].append(said)
            if not criteria and rule not in OF_RULES:
                self.beyond.wrong.append(f"{self.page.url}: {said}")
        self.beyond.pages += 1

    def _in_the_hand(self, found: dict[str, list[str]]) -> None:
        """Fields that stand out, the keyboard, and the page without its style sheets."""
        contrast = self.page.evaluate(CONTRAST)
        if contrast["looked"]:
            found["3.3"] += contrast["wrong"]
        address = self.page.url
        self.page.keyboard.press("Tab")
        focus = self.page.evaluate(FOCUS)
        if focus["looked"]:
            for criterion in ("7.3", "10.7"):
                found[criterion] += focus["wrong"]
        found["12.9"] += self._steps_through()
        found["7.4"] += [] if self.page.url == address else [f"went to {self.page.url}"]
        plain = self.page.evaluate(WITHOUT_STYLES)
        if plain["looked"]:
            found["10.2"] += plain["lost"][:MOST_EXAMPLES]
            found["10.3"] += [] if plain["ordered"] else ["header, content and footer out of order"]

    def _steps_through(self) -> list[str]:
        """Tab until the end of the page."""
        stays = 0
        for _ in range(MOST_STEPS):
            before = self.page.evaluate("document.activeElement.outerHTML.slice(0, 300)")
            self.page.keyboard.press("Tab")
            if self.page.evaluate("document.activeElement === document.body"):
                return []
            after = self.page.evaluate("document.activeElement.outerHTML.slice(0, 300)")
            stays = stays + 1 if before == after else 0
            if stays > 3:
                return [f"the focus stays on {after[:80]}"]
        return []


@contextlib.contextmanager
def auditing(page: Page, language: str, face: str) -> Iterator[Auditor]:
    """An auditor whose findings are written whatever happens."""
    auditor = Auditor(page, language)
    try:
        yield auditor
        auditor.ended = True
    finally:
        auditor.write(face)


@pytest.mark.browser
@pytest.mark.parametrize(
    ("face", "language"),
    [
        (face, code)
        for face in FACES
        for code, facts in LANGUAGES.items()
        if face == "portal" or facts.for_agents
    ],
)
def test_a_face_in_a_language(
    house: RunningHouse, database: Database, opens: Opens, face: str, language: str
) -> None:
    """The whole walk of `every_page`; then, for citizens, every rights page and every situation."""
    with auditing(opens(language=language), language, face) as auditor:
        if face == "portal":
            library = load_library()
            for path in (*(f"/droits/{slug}" for slug in library.pages), "/droits/"):
                auditor.page.goto(f"{house.portal}/{language}{path}")
                auditor.look(path, briefly=True)
        FACES[face](auditor.page, house, database, language, auditor.look)
