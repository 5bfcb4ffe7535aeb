"""`make audit`, second half: what the walks left in `var/audit/` becomes the declaration and its table."""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

from casework.accessibility import CONTENT, Audit, Found, load_audit, load_criteria
from casework.settings import ROOT
from casework.vocabulary import LANGUAGES
from tests.browser.criteria import ASKED

DOCUMENT = ROOT / "docs" / "accessibility.md"
FINDINGS = ROOT / "var" / "audit"
MOST_EXAMPLES = 3
EVERY_WALK = {("portal", code) for code in LANGUAGES} | {
    ("backoffice", code) for code, facts in LANGUAGES.items() if facts.for_agents
}
GENERATED = "<!-- What follows is written by `make audit`. -->"

Walk = dict[str, Any]


def read_walks(folder: Path) -> list[Walk]:
    """What each walk left."""
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))]


def summed(walks: list[Walk], on: date, chromium: str) -> dict[str, Any]:
    """All walks as one audit, as it is kept in `content/`."""
    looked_at: dict[str, dict[str, int]] = defaultdict(dict)
    for walk in walks:
        looked_at[walk["face"]][walk["language"]] = walk["pages"]
    return {
        "on": on.isoformat(),
        "tools": {
            "axe-core": walks[0]["axe"], "Playwright": version("playwright"), "Chromium": chromium,
            "html5lib": version("html5lib"),
        },
        "looked_at": looked_at,
        "complete": {(walk["face"], walk["language"]) for walk in walks if walk["ended"]} >= EVERY_WALK,
        "criteria": {number: _of_all(number, walks) for number in load_criteria()},
    }  # fmt: skip


def _of_all(number: str, walks: list[Walk]) -> dict[str, Any]:
    of_each = [walk["criteria"][number] for walk in walks if number in walk["criteria"]]
    pages, faulty, judged = (sum(one[key] for one in of_each) for key in ("pages", "faulty", "judged"))
    if faulty:
        found = Found.FAULTS
    elif judged:
        found = Found.FOR_A_PERSON
    elif pages:
        found = Found.NO_FAULT
    else:
        found = Found.NOTHING_TO_SEE if number in ASKED else Found.FOR_A_PERSON
    examples = [said for one in of_each for said in one["wrong"]][:MOST_EXAMPLES]
    return {"found": found.value, "pages": pages, "faulty": faulty, "examples": examples}


def document(audit: Audit, examples: dict[str, list[str]], beyond: int) -> str:
    """The table, for docs."""
    counts = {found: len(audit.of(found)) for found in Found}
    lines = [
        f"Run on {audit.on}: {audit.pages} page states, each language counted apart"
        + (".", "; not every walk came to its end, and what was not reached is not counted.")[
            not audit.complete
        ],
        "",
        "| face | pages by language |",
        "|---|---|",
        *(
            f"| {face} | {', '.join(f'{code} {pages}' for code, pages in by_language.items())} |"
            for face, by_language in audit.looked_at.items()
        ),
        "",
        "Tools: " + ", ".join(f"{name} {number}" for name, number in audit.tools.items()) + ".",
        f"Findings of axe that belong to no criterion (target sizes, good practice): {beyond}.",
        "",
        "| state | criteria |",
        "|---|---|",
        *(f"| {found.value} | {counts[found]} |" for found in Found),
        "",
        "| | criterion | test | state | pages | faulty |",
        "|---|---|---|---|---|---|",
        *(
            f"| {one.number} | {one.words} | {'manual' if one.found is Found.FOR_A_PERSON else 'test'} "
            f"| {one.found.value} | {one.pages or ''} | {one.faulty or ''} |"
            for one in audit.criteria
        ),
        "",
        "## What was found",
        *(
            f"- {one.number} {one.words}: {one.faulty} of {one.pages} pages; for instance "
            + "; ".join(f"`{said.replace('`', '')}`" for said in examples[one.number])
            for one in audit.of(Found.FAULTS)
        ),
    ]
    return "\n".join(lines) + "\n"


def main(chromium: str) -> int:
    """Write both; `chromium`: the browser's version. Returns 1 when no walk left anything."""
    walks = read_walks(FINDINGS)
    if not walks:
        print(f"nothing in {FINDINGS}: run the walks first", file=sys.stderr)
        return 1
    told = summed(walks, date.today(), chromium)  # noqa: DTZ011 - the day where the audit is run
    examples = {number: one.pop("examples") for number, one in told["criteria"].items()}
    written = json.dumps(told, ensure_ascii=False, indent=1)
    (CONTENT / "audit.json").write_text(written + "\n", encoding="utf-8")
    before, _, _ = DOCUMENT.read_text(encoding="utf-8").partition(GENERATED)
    beyond = sum(len(walk["beyond"]["wrong"]) for walk in walks)
    table = document(load_audit(), examples, beyond)
    DOCUMENT.write_text(f"{before}{GENERATED}\n{table}", encoding="utf-8")
    print(table.partition("\n\n| | criterion")[0])
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
