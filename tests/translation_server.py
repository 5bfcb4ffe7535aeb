"""A LibreTranslate server on this machine: keeps what it was asked, can hold its answer or fail."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from tests.local_servers import PATIENCE, Kept


class TranslationServer:
    """`words`: text → its translation; any other comes back in capitals. `replies`: statuses to answer with instead,
    one a question. `hold()` delays answers until `release()`; `hold_from(text)` those to that text and later ones."""

    key = "the key of the translation server"

    def __init__(self, words: dict[str, str] | None = None) -> None:
        self.words = words or {}
        self.asked: Kept[str] = Kept()
        self.replies: list[int] = []
        self._held = ""
        self._open = threading.Event()
        self._open.set()
        server = self

        class Desk(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                targets = ["ar", "en", "fr"]
                server.say(self, 200, [{"code": code, "name": code, "targets": targets} for code in targets])

            def do_POST(self) -> None:
                server.answer(self)

            def log_message(self, *_args: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Desk)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), name="translations")

    @property
    def url(self) -> str:
        """For `LIBRETRANSLATE_URL`."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def hold(self) -> None:
        """From now on keep questions without answering."""
        self._open.clear()

    def hold_from(self, text: str) -> None:
        """Hold from that question on."""
        self._held = text

    def release(self) -> None:
        """Answer, and answer at once from now on."""
        self._open.set()

    def answer(self, desk: BaseHTTPRequestHandler) -> None:
        """One text translated, or refused."""
        asked = json.loads(desk.rfile.read(int(desk.headers["Content-Length"])))
        if self._held and asked["q"] == self._held:
            self.hold()
        self.asked.add(asked["q"])
        self._open.wait(PATIENCE)
        if asked.get("api_key") != self.key:
            return self.say(desk, 403, {"error": "Invalid API key"})
        if self.replies:
            return self.say(desk, self.replies.pop(0), {"error": "as told"})
        if asked["source"] not in {"ar", "en", "fr"}:
            return self.say(desk, 400, {"error": f"{asked['source']} is not supported"})
        return self.say(desk, 200, {"translatedText": self.words.get(asked["q"], asked["q"].upper())})

    @staticmethod
    def say(desk: BaseHTTPRequestHandler, status: int, body: Any) -> None:
        """An answer in JSON; whoever hung up meanwhile gets none."""
        said = json.dumps(body).encode()
        try:
            desk.send_response(status)
            desk.send_header("Content-Type", "application/json")
            desk.send_header("Content-Length", str(len(said)))
            desk.end_headers()
            desk.wfile.write(said)
        except OSError:
            return

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(PATIENCE)
