"""Bridges of a département on this machine: a Jitsi and a LiveKit, as far as they speak with us.

Each checks tokens by itself, as the real one does: signature, who signed, which room, from when until when.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Callable
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit


class RefusedError(Exception):
    """The bridge does not let this token in; the message says why."""


def claims_of(token: str, secret: str, now: datetime) -> dict[str, Any]:
    """What a JSON web token claims (RFC 7519), once its HS256 seal and its times are checked.

    Raises:
        RefusedError: forged, or not of now.
    """
    head, body, seal = token.split(".")
    expected = hmac.new(secret.encode(), f"{head}.{body}".encode(), hashlib.sha256).digest()
    if _bytes(seal) != expected or json.loads(_bytes(head)) != {"alg": "HS256", "typ": "JWT"}:
        raise RefusedError("seal")
    claims: dict[str, Any] = json.loads(_bytes(body))
    if not claims["nbf"] <= now.timestamp() < claims["exp"]:
        raise RefusedError("time")
    return claims


def _bytes(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


class Jitsi:
    """Jitsi Meet with tokens: a room opens to a token that names it."""

    url, app_id, secret = (
        "https://visio.example.org",
        "allervers",
        "the secret of the bridge, long enough for it",
    )

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock

    def opens(self, address: str, room: str = "") -> dict[str, Any]:
        """Who comes in by this address, or by its token into another `room`.

        Raises:
            RefusedError: nobody.
        """
        parts = urlsplit(address)
        assert f"{parts.scheme}://{parts.netloc}" == self.url
        claims = claims_of(parse_qs(parts.query)["jwt"][0], self.secret, self._clock())
        if (claims["aud"], claims["iss"], claims["sub"]) != (self.app_id, self.app_id, "visio.example.org"):
            raise RefusedError("not ours")
        if claims["room"] != (room or parts.path.strip("/")):
            raise RefusedError("another room")
        user: dict[str, Any] = claims["context"]["user"]
        return user


class LiveKit:
    """LiveKit: its room service over HTTP, and what its page would do with a token."""

    key, secret, page = (
        "the key's name",
        "the secret of the rooms, long enough for it",
        "https://visio.example.org/custom",
    )

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self.rooms: dict[str, dict[str, Any]] = {}
        self.down = False
        bridge = self

        class Service(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                code, answer = bridge.asked(self.path, self.headers["Authorization"], body)
                words = json.dumps(answer).encode()
                self.send_response(code)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(words)))
                self.end_headers()
                self.wfile.write(words)

            def log_message(self, *_args: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), name="livekit")

    @property
    def url(self) -> str:
        """For `LIVEKIT_URL`."""
        return f"ws://127.0.0.1:{self._server.server_port}"

    def asked(self, path: str, authorization: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Answer one call of the room service, as Twirp does."""
        if self.down:
            return 503, {"code": "unavailable"}
        try:
            claims = claims_of(authorization.removeprefix("Bearer "), self.secret, self._clock())
        except RefusedError:
            return 401, {"code": "unauthenticated"}
        if claims["iss"] != self.key or not claims["video"].get("roomCreate"):
            return 403, {"code": "permission_denied"}
        if path == "/twirp/livekit.RoomService/CreateRoom":
            return 200, self.rooms.setdefault(body["name"], body)
        if path == "/twirp/livekit.RoomService/DeleteRoom":
            return (200, {}) if self.rooms.pop(body["room"], None) else (404, {"code": "not_found"})
        return 404, {"code": "bad_route"}

    def opens(self, address: str) -> dict[str, Any]:
        """Who comes in by this address of the page: the claims of their token.

        Raises:
            RefusedError: nobody; or the room is closed.
        """
        assert address.startswith(f"{self.page}?")
        query = parse_qs(urlsplit(address).query)
        assert query["liveKitUrl"] == [self.url]
        claims = claims_of(query["token"][0], self.secret, self._clock())
        if claims["iss"] != self.key or not claims["video"]["roomJoin"]:
            raise RefusedError("not ours")
        if claims["video"]["room"] not in self.rooms:
            raise RefusedError("no such room")
        return claims

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(20)
