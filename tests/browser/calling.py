"""Real calls: both faces served in this process, a Chromium with a camera and a microphone of its own, and a relay.

Two applications of each face may be served at once, as several processes would: all they share is the database.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

import backoffice.app
import portal.app
from casework import agents
from casework.agents import Agent
from casework.database import transaction
from casework.settings import ROOT, Settings
from tests.conftest import Database
from tests.local_servers import NeverCameError, free_port
from tests.people import Character

PHONE: ViewportSize = {"width": 360, "height": 740}
SECONDS = 30.0

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--allow-loopback-in-peer-connection",
)

KEEP_CONNECTIONS = """
  window.connections = [];
  window.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(...how) { super(...how); window.connections.push(this); }
  };
  window.received = async () => {
    const sum = { video: 0, audio: 0, bytes: 0 };
    for (const one of window.connections.filter((one) => one.connectionState !== "closed")) {
      for (const report of (await one.getStats()).values()) {
        if (report.type !== "inbound-rtp") continue;
        if (report.kind === "video") sum.video += report.framesDecoded ?? 0;
        if (report.kind === "audio") sum.audio += report.packetsReceived ?? 0;
        sum.bytes += report.bytesReceived ?? 0;
      }
    }
    return sum;
  };
"""
"""Run before the page's own scripts: keep each connection in sight, and count what it decoded."""

SAY_NO = (
    "navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', 'NotAllowedError'); };"
)
"""With fake devices the browser always says yes."""

UNTIL_MORE = """async ([kind, more, patience]) => {
  const before = (await received())[kind];
  const end = performance.now() + patience;
  while (performance.now() < end) {
    const now = (await received())[kind];
    if (now >= before + more || now < before) return true;
    await new Promise((go) => setTimeout(go, 50));
  }
  return false;
}"""

UNTIL = """async ([what, patience]) => {
  const check = { connections: (n) => connections.filter((one) => one.connectionState === "connected").length === n };
  const end = performance.now() + patience;
  while (performance.now() < end) {
    if (check[what[0]](what[1])) return true;
    await new Promise((go) => setTimeout(go, 20));
  }
  return false;
}"""


class Quiet(WSGIRequestHandler):
    """One question a second or more each: no line for each."""

    def log_request(self, *_what: Any) -> None:
        """Say nothing."""


@dataclass
class Faces:
    """Both faces, served here."""

    portal: str
    backoffice: str
    database: Database
    desk: Flask = field(repr=False)


@contextmanager
def faces(database: Database, **changes: Any) -> Iterator[Faces]:
    """Both faces on this database, with these settings, on ports of their own."""
    with ExitStack() as stack:
        addresses, apps = {}, {}
        for face, create, url in (
            ("portal", portal.app.create, database.urls[1]),
            ("backoffice", backoffice.app.create, database.urls[2]),
        ):
            port = free_port()
            addresses[face] = f"http://127.0.0.1:{port}"
            settings = Settings(
                var=ROOT / "var", territory=ROOT / "territory" / "vienne", database_url=url,
                portal_address=addresses["portal"], secret_key=f"the secret of {face}",
                access_key=database.access_key, documents_public_key=database.public_key, **changes,
            )  # fmt: skip
            apps[face] = create(settings)
            stack.callback(apps[face].extensions["engine"].dispose)
            server = make_server("127.0.0.1", port, apps[face], threaded=True, request_handler=Quiet)
            stack.enter_context(_served(server))
        yield Faces(addresses["portal"], addresses["backoffice"], database, apps["backoffice"])


@contextmanager
def _served(server: BaseWSGIServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()


@dataclass
class Callers:
    """Browsers of people who call, each a context of its own; a script error in any of them is kept."""

    browser: Browser
    contexts: list[BrowserContext] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def page(
        self, *, language: str = "fr", viewport: ViewportSize | None = None, devices: bool = True
    ) -> Page:
        """A page of somebody's own browser; with `devices=False` they say no to camera and microphone."""
        context = self.browser.new_context(
            viewport=viewport or {"width": 900, "height": 900}, locale=language, timezone_id="Europe/Paris",
            permissions=["camera", "microphone"] if devices else [],
        )  # fmt: skip
        self.contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on(
            "console",
            lambda message: self.errors.append(message.text) if "Content Security" in message.text else None,
        )
        page.add_init_script(KEEP_CONNECTIONS)
        if not devices:
            page.add_init_script(SAY_NO)
        return page

    def close(self) -> None:
        """Everybody goes home."""
        for context in self.contexts:
            context.close()


def sign_in(page: Page, served: Faces, who: Character) -> None:
    """Give a browser the cookie of a signed-in agent."""
    with transaction(served.database.backoffice) as session:
        token = agents.open_session(session, session.get_one(Agent, who.id), datetime.now(UTC))
    signer = SecureCookieSessionInterface().get_signing_serializer(served.desk)
    assert signer
    name, value = served.desk.config["SESSION_COOKIE_NAME"], signer.dumps({"token": token})
    page.context.add_cookies([{"name": name, "value": value, "url": served.backoffice}])


def receives(page: Page, kind: str = "video", more: int = 5, seconds: float = SECONDS) -> None:
    """Wait until this page decoded so many more frames (`video`), or received so many packets (`audio`).

    Raises:
        NeverCameError: not within `seconds`.
    """
    if not page.evaluate(UNTIL_MORE, [kind, more, seconds * 1000]):
        raise NeverCameError(f"{kind}: {page.evaluate('received()')}, {_state(page)}")


def connected(page: Page, to: int, seconds: float = SECONDS) -> None:
    """Wait until this page is connected to that many others.

    Raises:
        NeverCameError: not within `seconds`.
    """
    if not page.evaluate(UNTIL, [["connections", to], seconds * 1000]):
        raise NeverCameError(_state(page))


def _state(page: Page) -> str:
    states = page.evaluate("connections.map((one) => one.connectionState)")
    return f"{states}, “{page.locator('[data-status]').inner_text()}”"


class Relay:
    """A real coturn in a folder, that knows our secret and nothing else; it can be cut and come back."""

    secret = "the relay's secret"

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def urls(self) -> tuple[str, ...]:
        """For `TURN_URLS`."""
        return (f"turn:127.0.0.1:{self.port}?transport=udp",)

    def start(self, *, bytes_a_second: int = 0) -> None:
        """Listen; returns once it does. `bytes_a_second`: what passes for one person each way, without limit when 0."""
        low = 49_160
        self._process = subprocess.Popen(
            [
                shutil.which("turnserver") or "turnserver", "-n", "--listening-ip=127.0.0.1", "--relay-ip=127.0.0.1",
                f"--listening-port={self.port}", f"--min-port={low}", f"--max-port={low + 400}",
                "--use-auth-secret", f"--static-auth-secret={self.secret}", "--realm=example.org",
                "--allow-loopback-peers", "--no-cli", "--no-tls", "--no-dtls", "--log-file=stdout", "--verbose",
                f"--max-bps={bytes_a_second}",
                f"--pidfile={self._folder / 'turn.pid'}", f"--userdb={self._folder / 'turn.db'}",
            ],
            cwd=self._folder, stdout=(self._folder / "turn.log").open("ab"), stderr=subprocess.STDOUT,
        )  # fmt: skip
        until = time.monotonic() + SECONDS
        while not self._answers():
            if time.monotonic() > until or self._process.poll() is not None:
                raise NeverCameError((self._folder / "turn.log").read_text()[-2000:])

    def cut(self) -> None:
        """Nothing passes any more."""
        if self._process:
            self._process.terminate()
            self._process.wait(10)
            self._process = None

    @property
    def log(self) -> str:
        """What it says of itself."""
        return (self._folder / "turn.log").read_text()

    def _answers(self) -> bool:
        """A STUN binding request over UDP, as RFC 8489 writes it."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asks:
            asks.settimeout(0.1)
            asks.sendto(b"\x00\x01\x00\x00\x21\x12\xa4\x42" + b"allervers123", ("127.0.0.1", self.port))
            try:
                return asks.recv(1024)[:2] == b"\x01\x01"
            except OSError:
                return False
