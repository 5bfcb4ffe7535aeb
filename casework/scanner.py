"""Looking for viruses in papers, with clamd. Papers are opened here and in the back office, nowhere else.

A paper is never refused for want of a scanner: what could not be looked at says so, and agents see it.
"""

from __future__ import annotations

import logging
import socket
import struct
from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import Engine, select, update

from casework.database import transaction
from casework.documents import Document, Scan, open_content
from casework.settings import Settings, SettingsError

logger = logging.getLogger(__name__)

SECONDS = 20.0
CHUNK_BYTES = 64 * 1024


class ScannerUnavailableError(Exception):
    """clamd cannot be reached, or says that it cannot work; worth trying again."""


@dataclass(frozen=True)
class Clamd:
    """Where clamd listens: a host and a port, or the path of a socket."""

    path: str = ""
    host: str = ""
    port: int = 3310

    def connect(self) -> socket.socket:
        """A new connection.

        Raises:
            OSError: nobody listens.
        """
        if not self.path:
            return socket.create_connection((self.host, self.port), SECONDS)
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(SECONDS)
        try:
            connection.connect(self.path)
        except OSError:
            connection.close()
            raise
        return connection


def clamd_of(settings: Settings) -> Clamd:
    """Where the settings say that clamd listens.

    Raises:
        SettingsError: `CLAMD_URL` is neither `tcp://host:port` nor `unix:///path`.
    """
    address = urlsplit(settings.clamd_url)
    if address.scheme == "unix" and address.path:
        return Clamd(path=address.path)
    if address.scheme == "tcp" and address.hostname:
        return Clamd(host=address.hostname, port=address.port or Clamd.port)
    raise SettingsError("CLAMD_URL should read tcp://host:port or unix:///path/of/the/socket.")


def scan_paper(engine: Engine, settings: Settings, document_id: UUID) -> None:
    """Scan one paper that waits for it, and write the result.

    The paper is not locked meanwhile, for its person may be sending it or taking it back: a second scan of
    the same paper does no harm. With clamd away it goes on waiting.
    """
    with transaction(engine) as session:
        document = session.scalar(
            select(Document).where(Document.id == document_id, Document.scan == Scan.PENDING)
        )
        if document is None:
            return
        content = (
            open_content(session, document, settings.documents_private_key) if settings.clamd_url else b""
        )
    try:
        result = scan(clamd_of(settings), content) if settings.clamd_url else Scan.NOT_SCANNED
    except ScannerUnavailableError as error:
        logger.warning("scanner: %s; paper %s waits", error, document_id)
        return
    with transaction(engine) as session:
        session.execute(
            update(Document)
            .where(Document.id == document_id, Document.scan == Scan.PENDING)
            .values(scan=result)
        )


def scan(clamd: Clamd, content: bytes) -> Scan:
    """`CLEAN`, `INFECTED`, or `NOT_SCANNED` when the paper is more than clamd takes (its `StreamMaxLength`).

    Raises:
        ScannerUnavailableError: clamd is away, or failed.
    """
    reply = _instream(clamd, content)
    if reply.endswith("OK"):
        return Scan.CLEAN
    if reply.endswith("FOUND"):
        return Scan.INFECTED
    if "size limit exceeded" in reply:
        return Scan.NOT_SCANNED
    if not reply and _answers(clamd):  # above its limit clamd hangs up, sometimes without a word
        return Scan.NOT_SCANNED
    raise ScannerUnavailableError(reply or "no reply")


def _instream(clamd: Clamd, content: bytes) -> str:
    """clamd's reply to the INSTREAM command; empty when it hung up."""
    try:
        connection = clamd.connect()
    except OSError as error:
        raise ScannerUnavailableError(type(error).__name__) from error
    with connection:
        try:
            connection.sendall(b"zINSTREAM\0")
            for start in range(0, len(content), CHUNK_BYTES):
                chunk = content[start : start + CHUNK_BYTES]
                connection.sendall(struct.pack("!L", len(chunk)) + chunk)
            connection.sendall(struct.pack("!L", 0))
        except TimeoutError as error:
            raise ScannerUnavailableError("timeout") from error
        except OSError:
            logger.info("scanner: hung up while reading")  # why may be in the reply, or is lost
        return _reply(connection)


def _reply(connection: socket.socket) -> str:
    received = b""
    try:
        while part := connection.recv(4096):
            received += part
    except TimeoutError as error:
        raise ScannerUnavailableError("timeout") from error
    except OSError:
        logger.info("scanner: hung up before replying")
    return received.rstrip(b"\0").decode(errors="replace").strip()


def _answers(clamd: Clamd) -> bool:
    try:
        with clamd.connect() as connection:
            connection.sendall(b"zPING\0")
            return _reply(connection) == "PONG"
    except (OSError, ScannerUnavailableError):
        return False
