"""`make lighthouse`: what Lighthouse says of three pages on a slow telephone (its own mobile settings)."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from pathlib import Path

from bench.installation import installed, serving
from bench.report import Measure, merge, table
from casework.settings import ROOT

PAGES = {"home": "/fr/", "rights": "/fr/droits/loyer-impaye", "question": "/fr/demande/sujet"}
CATEGORIES = ("performance", "accessibility", "best-practices")
AIM = 98
PROGRAM = ROOT / "bench" / "lighthouse" / "node_modules" / "lighthouse" / "cli" / "index.js"
CHROMIUM = "/usr/bin/chromium"


def look(address: str) -> dict[str, float]:
    """The scores of a page, out of a hundred."""
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder) / "told.json"
        subprocess.run(
            [
                "node", str(PROGRAM), address, "--quiet", "--output=json", f"--output-path={told}",
                f"--only-categories={','.join(CATEGORIES)}", "--chrome-flags=--headless=new --no-sandbox",
            ],
            check=True, env={**os.environ, "CHROME_PATH": CHROMIUM}, timeout=300,
        )  # fmt: skip
        report = json.loads(told.read_text(encoding="utf-8"))
    for audit in report["audits"].values():
        if audit["score"] is not None and audit["score"] < 1 and audit["scoreDisplayMode"] != "informative":
            print(f"{address}: {audit['id']}: {audit['score']} {audit.get('displayValue', '')}", flush=True)
    return {name: 100 * report["categories"][name]["score"] for name in CATEGORIES}


def main() -> None:
    """An installation of its own, three pages, a table."""
    var = Path(os.environ.get("ALLERVERS_VAR") or ROOT / "var").resolve()
    with (
        installed(var) as here,
        serving("portal.app:create()", here.environment("portal"), "/sante") as portal,
    ):
        measures = [
            Measure(f"lighthouse.{page}.{name}", score, "of 100", AIM, "higher", "Lighthouse 13.5, mobile")
            for page, path in PAGES.items()
            for name, score in look(f"http://127.0.0.1:{portal.port}{path}").items()
        ]
    merge(var / "bench.json", measures)
    print(table(measures))


if __name__ == "__main__":
    main()
