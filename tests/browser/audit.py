"""The audit: every page of both faces, in each of its languages, narrow and wide, asked about each criterion.

Its name keeps it out of `make test`: it takes a quarter of an hour. `make audit` runs it; each walk leaves its
findings in `var/audit/`, from which `tools.audit` writes the declaration. A fault is a finding, not a failure: a walk
fails only when it cannot come to its end, and what it saw until then is kept as it is.
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

from casework.audio import KINDS
from casework.rights import Library, RightsPage, load_library
from casework.settings import ROOT
from casework.vocabulary import LANGUAGES
from portal.spoken import of_rights
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

RUN_AXE = """async (options) => {
  let told = await axe.run(document, { ...options, selectors: false });  // to name each element costs half the time
  if (told.violations.length) told = await axe.run(document, options);
  const criteria = (rule) => rule.tags.map((tag) => /^RGAA-(\\d+\\.\\d+)/.exec(tag)?.[1]).filter(Boolean);
  return {
    version: axe.version,
    passed: told.passes.map((rule) => [criteria(rule), rule.id]),
    wrong: told.violations.flatMap((rule) => rule.nodes.map((node) => [
      criteria(rule), rule.id, `${rule.id}: ${node.target.join(" ")}`])),
  };
}"""
SCRIPTS = """() => [...document.scripts].filter((one) => one.src).map((one) => one.src.split("/").at(-1))"""
MENUS = """() => [...document.querySelectorAll("body > header a, body > footer a, nav a")]
  .filter((one) => !one.closest("main")).map((one) => one.textContent.trim())"""
OF_RULES = {"color-contrast-enhanced": ["3.2"], "heading-order": ["9.1"], "duplicate-id": ["8.2"]}
"""Rules that axe gives no number of RGAA, and the criteria we count them for."""
OF_READING = {"as it comes": "10.11", "text at 200 %": "10.4", "spaced": "10.12"}
AXE_ALL = {**OPTIONS, "resultTypes": ["violations", "passes"]}


@dataclass
class Criterion:
    """One criterion over a walk: on how many pages there was something to look at, and what is wrong."""

    pages: int = 0
    judged: int = 0
    """On how many pages there was something that only a person can judge."""
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
        self._first_menu: list[str] = []
        self.page.on("response", self._heard)

    def look(self, name: str, *, briefly: bool = False) -> None:
        """The page as it stands; `briefly`: one width, without the keyboard."""
        self.pages += 1
        found: dict[str, list[str]] = defaultdict(list)
        before = len(self.reader.troubles)
        self.page.set_viewport_size(NARROW)
        told: dict[str, Any] = self.page.evaluate(QUESTIONS, [self._expected(), self._scripts()])
        for criterion, one in told.items():
            self.criteria[criterion].judged += bool(one["judged"])
            if one["looked"]:
                found[criterion] += one["wrong"]
        self._menus(found)
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

    def _scripts(self) -> list[str]:
        """The text of each script of the page: what they listen to cannot be asked of the page."""
        return [(ROOT / "static" / name).read_text(encoding="utf-8") for name in self.page.evaluate(SCRIPTS)]

    def _menus(self, found: dict[str, list[str]]) -> None:
        """What stands before and after the content, in the order of the first page."""
        here: list[str] = self.page.evaluate(MENUS)
        self._first_menu = self._first_menu or here
        again = [name for name in dict.fromkeys(here) if name in self._first_menu]
        if len(again) > 1:
            found["12.2"] += [] if again == sorted(again, key=self._first_menu.index) else [" ".join(again)]

    def _expected(self) -> str:
        """The first part of the address; where there is none, what the browser speaks, or a kiosk's French."""
        first = self.page.url.split("/")[3].split("?")[0]
        shown: str = self.page.evaluate("() => document.documentElement.lang")
        if first == "borne" and shown == "fr":
            return shown
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
        for criteria, rule in told["passed"]:
            for criterion in criteria or OF_RULES.get(rule, []):
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


def _with_audio(house: RunningHouse, page: RightsPage, library: Library) -> None:
    """The players of a page to listen to; nobody plays them, so the files are empty."""
    folder = house.logs / "audio"
    folder.mkdir(exist_ok=True)
    for heard in of_rights(library, page):
        for kind in KINDS:
            (folder / f"{heard.speech.digest}-audit.{kind}").touch()


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
            _with_audio(house, library.pages["rsa"][language], library)
            for path in (*(f"/droits/{slug}" for slug in library.pages), "/droits/"):
                auditor.page.goto(f"{house.portal}/{language}{path}")
                auditor.look(path, briefly=True)
        FACES[face](auditor.page, house, database, language, auditor.look)
