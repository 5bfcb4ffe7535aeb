"""Real servers on this machine, for tests: mail, text messages, viruses. Each is a context manager.

They keep what they receive, can be told to fail, and are waited for by condition, never by sleeping.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import socket
import subprocess
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from ssl import SSLContext
from types import TracebackType
from typing import Any, Generic, Self, TypeVar
from uuid import uuid4

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword
from aiosmtpd.smtp import Session as MailSession

from casework.documents import Scan
from casework.scanner import Clamd, ScannerUnavailableError, scan

PATIENCE = 20.0
VIRUS_MARKER = b"$EICAR-STANDARD-" + b"ANTIVIRUS-TEST-FILE!$"
"""What `local_clamd` takes for a virus, anywhere in a file."""

Thing = TypeVar("Thing")


class NeverCameError(AssertionError):
    """What a test waited for did not come in time."""


class Kept(Generic[Thing]):
    """Things received, in order, that one can wait for."""

    def __init__(self) -> None:
        self.all: list[Thing] = []
        self._changed = threading.Condition()

    def add(self, thing: Thing) -> None:
        """Keep one more, and wake whoever waits."""
        with self._changed:
            self.all.append(thing)
            self._changed.notify_all()

    def wait_for(self, wanted: Callable[[Thing], bool], count: int, seconds: float) -> list[Thing]:
        """The wanted things, once there are `count` of them.

        Raises:
            NeverCameError: not within `seconds`.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: sum(map(wanted, self.all)) >= count, seconds):
                raise NeverCameError(f"{sum(map(wanted, self.all))} of {count}, {len(self.all)} in all")
            return [thing for thing in self.all if wanted(thing)]


class MailServer:
    """An SMTP server with its mailbox.

    `refused`: address → reply to RCPT. `replies`: what it answers to the next mails instead of taking them;
    `hold()` makes it keep mails but delay its answer until `release()`. `login`: the user and the password
    it wants.
    """

    def __init__(
        self,
        *,
        login: tuple[str, str] | None = None,
        tls: SSLContext | None = None,
        implicit_tls: bool = False,
    ) -> None:
        self.mailbox: Kept[EmailMessage] = Kept()
        self.refused: dict[str, str] = {}
        self.replies: list[str] = []
        self.signed_in: list[str] = []
        self.encrypted: list[bool] = []
        self.port = 0
        self._login = login
        self._tls, self._implicit_tls = tls, implicit_tls
        self._open = threading.Event()
        self._open.set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="mail server", daemon=True)

    @property
    def url(self) -> str:
        """For `SMTP_URL`."""
        scheme = "smtps" if self._implicit_tls else "smtp+starttls" if self._tls else "smtp"
        signed = f"{self._login[0]}:{self._login[1]}@" if self._login else ""
        return f"{scheme}://{signed}localhost:{self.port}"

    def to(self, address: str, count: int = 1, seconds: float = PATIENCE) -> list[EmailMessage]:
        """The mails to that address, once there are `count` of them."""
        return self.mailbox.wait_for(lambda mail: address in str(mail["To"]), count, seconds)

    def hold(self) -> None:
        """From now on keep mails without saying so."""
        self._open.clear()

    def release(self) -> None:
        """Answer, and answer at once from now on."""
        self._open.set()

    def __enter__(self) -> Self:
        self._thread.start()
        made = asyncio.run_coroutine_threadsafe(
            self._loop.create_server(
                self._protocol, "localhost", 0, ssl=self._tls if self._implicit_tls else None, family=2
            ),
            self._loop,
        ).result(PATIENCE)
        self.port = made.sockets[0].getsockname()[1]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE)

    def _protocol(self) -> SMTP:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns of passwords in clear, which never leave this machine
            return SMTP(
                self,
                enable_SMTPUTF8=True,
                tls_context=None if self._implicit_tls else self._tls,
                require_starttls=bool(self._tls) and not self._implicit_tls,
                auth_required=bool(self._login),
                auth_require_tls=False,
                authenticator=self._authenticate if self._login else None,
                loop=self._loop,
            )

    def _authenticate(
        self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any
    ) -> AuthResult:
        good = (
            isinstance(data, LoginPassword) and (data.login.decode(), data.password.decode()) == self._login
        )
        if good:
            self.signed_in.append(data.login.decode())
        return AuthResult(success=good, handled=False)

    async def handle_RCPT(  # noqa: N802 - the name aiosmtpd calls
        self, _server: Any, _session: MailSession, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Take the address, or refuse it as told."""
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 fine"

    async def handle_DATA(  # noqa: N802 - the name aiosmtpd calls
        self, _server: Any, session: MailSession, envelope: Envelope
    ) -> str:
        """Keep the mail, or refuse it as told; answer when not held."""
        if self.replies:
            return self.replies.pop(0)
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        self.encrypted.append(session.ssl is not None or self._implicit_tls)
        self.mailbox.add(message_from_bytes(content, policy=policy.default))
        await self._loop.run_in_executor(None, self._open.wait)
        return "250 kept"


class TextProvider:
    """A provider of text messages: keeps what is posted to `url` with the right `token`.

    `replies`: (status, headers) to give to the next posts instead of taking them. `bring` hands the portal what
    people answer, signed with `key`.
    """

    token = "the provider's token"
    key = "the key the provider signs with"
    number = "+33700000000"

    def __init__(self) -> None:
        self.texts: Kept[dict[str, str]] = Kept()
        self.replies: list[tuple[int, dict[str, str]]] = []
        self.asked = 0
        provider = self

        class Desk(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                provider.answer(self)

            def log_message(self, *_args: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Desk)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), name="text provider")

    @property
    def url(self) -> str:
        """For `SMS_URL`."""
        return f"http://127.0.0.1:{self._server.server_port}/messages"

    def to(self, number: str, count: int = 1, seconds: float = PATIENCE) -> list[dict[str, str]]:
        """The texts to that number, once there are `count`: keys `to`, `from`, `text`, `reference`."""
        return self.texts.wait_for(lambda text: text["to"] == number, count, seconds)

    def bring(
        self, post: Callable[..., Any], words: str, *, sender: str, at: datetime, name: str = ""
    ) -> Any:
        """Bring a text that somebody sent, signed, as `docs/text-messages.md` says: `post(path, data=…, headers=…)`.

        `name`: the provider's own name of the text; a new one when empty. Returns what `post` returns.
        """
        said = {
            "id": name or uuid4().hex, "from": sender, "to": self.number, "text": words, "at": at.isoformat(),
        }  # fmt: skip
        body = json.dumps(said).encode()
        return post("/sms/recu", data=body, headers=self.signed(body, at))

    def signed(self, body: bytes, at: datetime) -> dict[str, str]:
        """The headers of a body brought at a time."""
        moment = int(at.timestamp())
        digest = hmac.new(self.key.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
        return {"Content-Type": "application/json", "X-Signature": f"t={moment},v1={digest}"}

    def answer(self, desk: BaseHTTPRequestHandler) -> None:
        """Take one text, or refuse it as told."""
        self.asked += 1
        body = json.loads(desk.rfile.read(int(desk.headers["Content-Length"])))
        status, headers = 202, dict[str, str]()
        if desk.headers["Authorization"] != f"Bearer {self.token}":
            status = 401
        elif self.replies:
            status, headers = self.replies.pop(0)
        else:
            self.texts.add(body)
        desk.send_response(status)
        for name, value in headers.items():
            desk.send_header(name, value)
        desk.send_header("Content-Length", "0")
        desk.end_headers()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(PATIENCE)


@contextmanager
def local_clamd(folder: Path, *, stream_max_length: str = "25M") -> Iterator[Clamd]:
    """A real clamd in a folder, that knows one virus.

    It listens on the socket `path` (`CLAMD_URL` is `unix://` and that) and on `port` of `127.0.0.1`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path, port = folder / "clamd.sock", free_port()
    (folder / "one.ndb").write_text(f"Test.Marker:0:*:{VIRUS_MARKER.hex()}\n")
    (folder / "clamd.conf").write_text(
        f"LocalSocket {path}\n"
        f"TCPAddr 127.0.0.1\nTCPSocket {port}\n"
        f"DatabaseDirectory {folder}\nTemporaryDirectory {folder}\nForeground yes\n"
        f"StreamMaxLength {stream_max_length}\nLogFile {folder}/clamd.log\n"
    )
    with subprocess.Popen(
        ["clamd", "--config-file", folder / "clamd.conf"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        clamd = Clamd(path=str(path), port=port)
        try:
            _wait_for_clamd(clamd, process)
            yield clamd
        finally:
            process.terminate()


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _wait_for_clamd(clamd: Clamd, process: subprocess.Popen[bytes]) -> None:
    for _ in range(int(PATIENCE * 20)):
        try:
            if scan(clamd, b"nothing") is Scan.CLEAN:
                return
        except ScannerUnavailableError:
            try:
                raise NeverCameError(f"clamd ended with {process.wait(0.05)}")
            except subprocess.TimeoutExpired:
                continue
    raise NeverCameError("clamd does not answer")
