"""Every page of both faces, in three languages and two widths, before axe-core: one violation fails."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Page

from casework.settings import ROOT
from casework.vocabulary import LANGUAGES
from tests.browser.conftest import DESK, PHONE, Opens, RunningHouse
from tests.browser.every_page import FACES, pages_never_seen
from tests.conftest import Database

pytestmark = pytest.mark.browser

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
OPTIONS = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]},
    "rules": {"target-size": {"enabled": True}, "color-contrast-enhanced": {"enabled": True}},
    "resultTypes": ["violations"],
    "preload": False,
}
"""AA and good practice; besides, targets large enough and text at 7:1, which the tags alone leave out."""


@dataclass
class Inspector:
    """Runs axe on a page at both widths, and writes down what it says."""

    page: Page
    violations: list[str] = field(default_factory=list)
    addresses: set[str] = field(default_factory=set)

    def look(self, name: str) -> None:
        """Inspect the page as it stands."""
        self.addresses.add(self.page.url)
        self.page.evaluate(AXE.read_text(encoding="utf-8"))
        for size in (PHONE, DESK):
            self.page.set_viewport_size(size)
            for found in self._violations():
                where = f"{name} ({size['width']} px), {self.page.url}"
                self.violations.extend(
                    f"{where}: {found['id']}: {found['help']}: {' '.join(map(str, node['target']))}: "
                    f"{node['failureSummary']}"
                    for node in found["nodes"]
                )

    def _violations(self) -> list[dict[str, Any]]:
        found: dict[str, Any] = self.page.evaluate("(options) => axe.run(document, options)", OPTIONS)
        assert found["passes"], "axe looked at nothing"
        violations: list[dict[str, Any]] = found["violations"]
        return violations


@pytest.mark.parametrize("language", [code for code, facts in LANGUAGES.items() if facts.for_agents])
@pytest.mark.parametrize("face", FACES)
def test_every_page_is_without_a_violation(
    house: RunningHouse, database: Database, opens: Opens, face: str, language: str
) -> None:
    """Pages, errors, long names, folded forms; and no page of the face was forgotten."""
    inspector = Inspector(opens(language=language))
    FACES[face](inspector.page, house, database, language, inspector.look)
    assert not inspector.violations, "\n".join(inspector.violations)
    assert pages_never_seen(face, database, inspector.addresses) == []


def test_a_fault_does_not_pass(house: RunningHouse, opens: Opens) -> None:
    """The inspector sees pale words, a small target and an image without words: it would see ours."""
    inspector = Inspector(opens())
    inspector.page.goto(f"{house.portal}/fr/")
    inspector.page.evaluate(
        """() => {
          const main = document.querySelector("main");
          const tiny = '<button class="tiny">a</button>';
          main.innerHTML += `<p id="pale">pâle</p><p>${tiny}${tiny}</p><img>`;
          document.querySelector("#pale").style.color = "#6b6b6b";
          for (const tiny of document.querySelectorAll(".tiny"))
            Object.assign(tiny.style, {width: "12px", height: "12px", padding: 0, margin: 0, fontSize: "8px"});
        }"""
    )
    inspector.look("home, spoilt")
    seen = {violation.split(": ")[1] for violation in inspector.violations}
    assert seen >= {"color-contrast-enhanced", "target-size", "image-alt"}
