"""Take a picture of every page of a running demonstration, so that somebody can look at them all.

`make run` in one terminal, `python -m tools.pictures FOLDER` in another. In FOLDER, one folder a way of looking
(telephone, desk, large text, night, no scripts) and language; in it, one picture a page, in the order of the walk.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, Error, Page, ViewportSize, expect, sync_playwright

from casework.demonstration import DEMO_PASSWORD, DEMO_SIGN_INS
from casework.vocabulary import State
from tests.browser.walking import AgentsWalk, CitizensWalk, tap, unfolded

PHONE: ViewportSize = {"width": 360, "height": 740}
DESK: ViewportSize = {"width": 1280, "height": 800}
SYSTEM_CHROMIUM = Path("/usr/bin/chromium")


@dataclass(frozen=True)
class Way:
    """One way of looking at a page."""

    name: str
    size: ViewportSize
    text_percent: int = 100
    light: Literal["light", "dark"] = "light"


BY_DAY = (Way("telephone", PHONE), Way("desk", DESK))
EVERY_WAY = (
    *BY_DAY,
    Way("large-text", {"width": 640, "height": 800}, 200),
    Way("night", PHONE, light="dark"),
)
WITHOUT_SCRIPTS = (Way("no-scripts", PHONE),)


@dataclass
class Photographer:
    """Takes a picture of the page as it stands, in each way."""

    page: Page
    folder: Path
    language: str
    ways: tuple[Way, ...]
    taken: list[str] = field(default_factory=list)

    def look(self, name: str) -> None:
        """One file a way: `FOLDER/telephone-fr/07-lost-link.png`."""
        self.taken.append(name)
        file = f"{len(self.taken):02d}-{re.sub(r'[^a-z0-9]+', '-', name.lower()).strip('-')}.png"
        for way in self.ways:
            self.page.emulate_media(color_scheme=way.light)
            self.page.set_viewport_size(way.size)
            self.page.evaluate(f"document.documentElement.style.fontSize = '{way.text_percent}%'")
            self.page.screenshot(
                path=self.folder / f"{way.name}-{self.language}" / file, full_page=True, animations="disabled"
            )
        self.page.evaluate("document.documentElement.style.fontSize = ''")


def main(arguments: list[str] | None = None) -> int:
    """Walk through both faces in French in every way, in Arabic by day, in French without scripts."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--portal", default="http://127.0.0.1:8000")
    parser.add_argument("--backoffice", default="http://127.0.0.1:8001")
    given = parser.parse_args(arguments)
    with sync_playwright() as playwright:
        system = str(SYSTEM_CHROMIUM) if SYSTEM_CHROMIUM.exists() else None
        browser = playwright.chromium.launch(executable_path=system, args=["--no-sandbox"])
        for language, ways, scripts in (
            ("fr", EVERY_WAY, True),
            ("ar", BY_DAY, True),
            ("fr", WITHOUT_SCRIPTS, False),
        ):
            with _photographer(browser, given.folder, language, ways, scripts=scripts) as photographer:
                try:
                    _citizens(photographer, given.portal)
                    _agents(photographer, given.backoffice)
                except Error as error:
                    print(
                        f"Stopped on {photographer.page.url}, after “{photographer.taken[-1:]}”: {error}",
                        file=sys.stderr,
                    )
                    return 1
            print(f"{len(photographer.taken)} pages, {language}, {', '.join(way.name for way in ways)}")
    return 0


@contextmanager
def _photographer(
    browser: Browser, folder: Path, language: str, ways: tuple[Way, ...], *, scripts: bool
) -> Iterator[Photographer]:
    context = browser.new_context(viewport=DESK, locale=language, java_script_enabled=scripts)
    yield Photographer(context.new_page(), folder, language, ways)
    context.close()


def _citizens(photographer: Photographer, portal: str) -> None:
    CitizensWalk(photographer.page, portal, photographer.language, photographer.look).all()


def _agents(photographer: Photographer, backoffice: str) -> None:
    """As a secretary: the lists, a request in each state, the sendings. As a worker: the own list, one request."""
    page, look = photographer.page, photographer.look
    walk = AgentsWalk(page, backoffice, photographer.language, look)
    walk.before_signing_in()
    secretary, worker = (login for login, _ in DEMO_SIGN_INS[:2])
    _sign_in(page, walk, secretary)
    walk.lists()
    for state in State:
        _first_request(walk, f"/file?etat={state}", f"request {state}")
    walk.open("/envois")
    page.goto(page.locator("article a[href*='/envois/']").first.evaluate("(link) => link.href"))
    look("one sending")
    link = page.locator(".body a").first
    if link.count():
        page.goto(link.evaluate("(link) => link.href"))
        look("the link that was sent")
    walk.open("/file")
    tap(page, ".app-header form[method=post] button")
    _sign_in(page, walk, worker)
    _first_request(walk, "/mes-demandes", "request, as its worker")
    walk.open("/mes-demandes", "own list, with requests")


def _sign_in(page: Page, walk: AgentsWalk, login: str) -> None:
    walk.open("/connexion")
    page.locator("#login").fill(login)
    page.locator("#password").fill(DEMO_PASSWORD)
    tap(page, "main form .button")
    expect(page.locator("tbody, .notice").first).to_be_attached()


def _first_request(walk: AgentsWalk, path: str, name: str) -> None:
    walk.open(path)
    first = walk.page.locator("tbody th a").first
    if not first.count():
        return
    walk.page.goto(first.evaluate("(link) => link.href"))
    walk.look(name)
    with unfolded(walk.page):
        walk.look(f"{name}, every act open")


if __name__ == "__main__":
    sys.exit(main())
