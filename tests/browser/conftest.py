"""The whole house, for real: portal, back office and worker in their own processes, a directory, a mail server,
a text message provider, and Chromium."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect, sync_playwright

from casework.settings import ROOT
from tests import tiny_models
from tests.browser.calling import FLAGS, Callers
from tests.conftest import Database
from tests.ldap_server import LdapServer
from tests.local_servers import MailServer, TextProvider, free_port

STARTED_WITHIN_SECONDS = 40
PATIENCE = 15_000
"""Milliseconds: a machine that does much else answers slowly, and still answers."""
expect.set_options(timeout=PATIENCE)
PORTAL_SECRET = "the portal's secret"
PHONE: ViewportSize = {"width": 360, "height": 740}
DESK: ViewportSize = {"width": 1280, "height": 800}


@dataclass(frozen=True)
class RunningHouse:
    """Addresses of the two faces, and what left the house."""

    portal: str
    backoffice: str
    mail: MailServer
    texts: TextProvider
    directory: LdapServer
    logs: Path


@pytest.fixture(scope="session")
def running(lived_in: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHouse]:
    """Everything started once for all browser tests of this process."""
    folder = tmp_path_factory.mktemp("house")
    for pair, phrases in (*tiny_models.ARABIC.items(), *tiny_models.PERSIAN.items()):
        tiny_models.install(folder / "models", *pair, phrases)
    portal_port, backoffice_port = free_port(), free_port()
    portal, backoffice = f"http://127.0.0.1:{portal_port}", f"http://127.0.0.1:{backoffice_port}"
    with ExitStack() as stack:
        mail = stack.enter_context(MailServer())
        texts = stack.enter_context(TextProvider())
        directory = stack.enter_context(LdapServer(tmp_path_factory.mktemp("ldap")))
        common = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "ALLERVERS_VAR": str(folder),
            "ACCESS_KEY": lived_in.access_key,
            "DOCUMENTS_PUBLIC_KEY": lived_in.public_key,
            "PORTAL_ADDRESS": portal,
            "BACKOFFICE_ADDRESS": backoffice,
            "WEB_PROCESSES": "1",
        }
        sending = {
            "SMTP_URL": mail.url, "MAIL_FROM": "ne-pas-repondre@example.org",
            "SMS_URL": texts.url, "SMS_TOKEN": texts.token,
        }  # fmt: skip
        private = {"DATABASE_URL": lived_in.urls[2], "DOCUMENTS_PRIVATE_KEY": lived_in.private_key}
        _start(stack, folder, "portal", portal_port, {
            **common, "DATABASE_URL": lived_in.urls[1], "SECRET_KEY": PORTAL_SECRET, "SMS_URL": texts.url,
        })  # fmt: skip
        _start(stack, folder, "backoffice", backoffice_port, {
            **common, **private, **directory.environment(), "SECRET_KEY": "the back office's secret",
            "CALDAV_URL": "https://calendriers.example.org/{login}/agenda/",
        })  # fmt: skip
        _start(stack, folder, "worker", None, {**common, **private, **sending})
        for address in (portal, backoffice):
            _wait_for(f"{address}/sante")
        yield RunningHouse(portal, backoffice, mail, texts, directory, folder)


@pytest.fixture
def house(running: RunningHouse, database: Database) -> RunningHouse:
    """The running house, its database empty but for the small territory."""
    assert database
    return running


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """A real browser, without a screen."""
    system = Path("/usr/bin/chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(system) if system.exists() else None,
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--disable-background-networking",
                "--disable-component-update",
            ],
        )
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def with_cameras(chromium: Browser) -> Iterator[Browser]:
    """A browser of its own, that has a camera and a microphone and needs nobody to say yes."""
    browser = chromium.browser_type.launch(
        executable_path="/usr/bin/chromium" if Path("/usr/bin/chromium").exists() else None, args=list(FLAGS)
    )
    yield browser
    browser.close()


@pytest.fixture
def callers(with_cameras: Browser) -> Iterator[Callers]:
    """Who calls; no script of theirs may fail."""
    people = Callers(with_cameras)
    yield people
    people.close()
    assert people.errors == []


Opens = Callable[..., Page]


@pytest.fixture
def opens(chromium: Browser) -> Iterator[Opens]:
    """Open a browser of one's own: `opens(viewport=PHONE, language="ar", javascript=False)`. A script error fails."""
    contexts: list[BrowserContext] = []
    errors: list[str] = []

    def open_one(*, viewport: ViewportSize = DESK, language: str = "fr", javascript: bool = True) -> Page:
        context = chromium.new_context(
            viewport=viewport, locale=language, java_script_enabled=javascript, timezone_id="Europe/Paris"
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(2 * PATIENCE)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on(
            "console",
            lambda message: errors.append(message.text) if "Content Security" in message.text else None,
        )
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert errors == []


def _start(
    stack: ExitStack, folder: Path, process: str, port: int | None, environment: dict[str, str]
) -> None:
    command = (
        [sys.executable, "-m", "casework", "worker"]
        if port is None
        else [
            sys.executable, "-m", "gunicorn", "--config", str(ROOT / "web" / "gunicorn_settings.py"),
            "--bind", f"127.0.0.1:{port}", f"{process}.app:create()",
        ]
    )  # fmt: skip
    log = stack.enter_context((folder / f"{process}.log").open("wb"))
    child = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
    stack.callback(child.wait, 20)
    stack.callback(child.terminate)


def _wait_for(address: str) -> None:
    until = time.monotonic() + STARTED_WITHIN_SECONDS
    while True:
        try:
            urllib.request.urlopen(address, timeout=2).close()
        except OSError:
            if time.monotonic() > until:
                raise
        else:
            return
