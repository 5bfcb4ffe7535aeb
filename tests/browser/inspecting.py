"""Before axe-core: a page as it stands, at one width or more."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Page, ViewportSize

from casework.settings import ROOT

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
OPTIONS: dict[str, Any] = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]},
    "rules": {
        "target-size": {"enabled": True},
        "color-contrast-enhanced": {"enabled": True},
        # 7:1 is asked of the same words that 4.5:1 would be.
        "color-contrast": {"enabled": False},
    },
    "resultTypes": ["violations"],
    "preload": False,
}
"""AA and good practice; besides, targets large enough and text at 7:1, which the tags alone leave out."""

LAID_OUT = {
    **OPTIONS,
    "runOnly": {
        "type": "rule",
        "values": [
            "aria-hidden-focus",
            "color-contrast-enhanced",
            "heading-order",
            "link-in-text-block",
            "scrollable-region-focusable",
            "skip-link",
            "target-size",
        ],
    },
    "rules": {},
}
"""What can become wrong at another width: no other rule looks at where things are, or whether they are shown."""

LOOK = """async (options) => {
  if (!("axe" in window)) return null;
  const run = async (more) => {
    const {violations, passes} = await axe.run(document, {...options, ...more});
    return [violations, passes.length];
  };
  const told = await run({selectors: false});  // half of its time goes into saying where what is right stands
  return told[0].length ? run({}) : told;
}"""


@dataclass
class Inspector:
    """Runs axe on pages, and writes down what it says."""

    page: Page
    violations: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Half a megabyte is handed to the browser once; each page it opens has it at hand."""
        self.page.add_init_script(f"window.bringAxe = () => {{ {AXE.read_text(encoding='utf-8')} }}")

    def look(self, name: str, size: ViewportSize, options: dict[str, Any] = OPTIONS) -> None:
        """Inspect the page as it stands, in a window of this size."""
        self.page.set_viewport_size(size)
        told = self.page.evaluate(LOOK, options)
        if told is None:
            if not self.page.evaluate("() => 'bringAxe' in window && (bringAxe(), true)"):
                # a page that was open before this inspector
                self.page.evaluate(AXE.read_text(encoding="utf-8"))
            told = self.page.evaluate(LOOK, options)
        violations, passes = told
        assert passes, "axe looked at nothing"
        where = f"{name} ({size['width']} px), {self.page.url}"
        self.violations.extend(
            f"{where}: {found['id']}: {found['help']}: {' '.join(map(str, node['target']))}: "
            f"{node['failureSummary']}"
            for found in violations
            for node in found["nodes"]
        )
