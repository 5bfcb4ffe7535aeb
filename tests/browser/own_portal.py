"""A portal of one's own, in threads of this process, that can lose its network and come back at the same address."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

from casework.settings import ROOT, Settings
from portal.app import create
from tests.conftest import Database
from tests.local_servers import free_port

STOPPED_WITHIN_SECONDS = 20


class Quiet(WSGIRequestHandler):
    """Says nothing of each request."""

    def log(self, *_: Any) -> None:
        """Nowhere."""


class OwnPortal:
    """A portal that can lose its network and come back, at the same address."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self._settings = Settings(
            var=folder,
            territory=ROOT / "territory" / "vienne",
            database_url=database.urls[1],
            portal_address=self.address,
            secret_key="a secret of the portal in tests",
            access_key=database.access_key,
            documents_public_key=database.public_key,
        )
        self._open = ExitStack()

    def open(self, change: Callable[[Flask], None] = lambda _: None) -> None:
        """Answer, after a change to the application."""
        app = create(self._settings)
        change(app)
        self._open.enter_context(serving(app, self.port))

    def cut(self) -> None:
        """Answer nobody."""
        self._open.close()


@contextmanager
def serving(app: Flask, port: int) -> Iterator[None]:
    """The portal in threads of this process."""
    server = make_server("127.0.0.1", port, app, threaded=True, request_handler=Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield
    server.shutdown()
    server.server_close()
    thread.join(STOPPED_WITHIN_SECONDS)
