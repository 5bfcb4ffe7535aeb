"""Many people at once, from a process of their own: each connection is kept open and asks as soon as it is answered.

`python -m bench.load` reads a plan as JSON from its input and writes what happened as JSON.
"""

from __future__ import annotations

import json
import re
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from itertools import repeat

import brotli

from casework.settings import ROOT

CONNECTIONS = 8
"""As many as one gunicorn of two processes of four threads answers at once."""
PATIENCE_SECONDS = 30.0
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True)
class Ask:
    """One request. No `body`: a GET. `expected`: the status, when not the plan's.

    `take`: a pattern whose group is kept from the answer, and stands for `TAKEN` in the bodies that follow.
    """

    path: str
    body: str | None = None
    kind: str = FORM
    expected: int | None = None
    take: str = ""


TAKEN = "(taken)"


@dataclass(frozen=True)
class Plan:
    """What to ask. Each visit is (cookies, requests in order); a single one is repeated without end."""

    port: int
    seconds: float
    visits: list[tuple[str, list[Ask]]]
    expected: int
    connections: int = CONNECTIONS


@dataclass
class Outcome:
    """What came of it. `asked`: answers received; `visits`: visits completed."""

    asked: int = 0
    visits: int = 0
    seconds: float = 0.0
    unexpected: dict[str, int] = field(default_factory=dict)
    """How many answers of each other status."""

    @property
    def per_second(self) -> float:
        """Answers a second."""
        return self.asked / self.seconds


class UnexpectedAnswerError(Exception):
    """The server answered something else than what is measured."""


def run(plan: Plan, allowed: frozenset[str] = frozenset()) -> Outcome:
    """Play a plan from another process. `allowed`: statuses that may come instead of what is expected, and end a visit.

    Raises:
        UnexpectedAnswerError: an answer had another status: the figure would mean nothing.
    """
    done = subprocess.run(
        [sys.executable, "-m", "bench.load"], input=json.dumps(asdict(plan)), capture_output=True, text=True,
        check=True, cwd=ROOT, timeout=plan.seconds + PATIENCE_SECONDS,
    )  # fmt: skip
    outcome = Outcome(**json.loads(done.stdout))
    if not outcome.asked or (outcome.unexpected and set(outcome.unexpected) - allowed):
        raise UnexpectedAnswerError(f"{plan.visits[0][1][-1].path}: {outcome.unexpected or 'no answer'}")
    return outcome


class Visitor:
    """One connection; plays visit after visit."""

    def __init__(self, plan: Plan, visits: Iterator[tuple[str, list[Ask]]], outcome: Outcome) -> None:
        self.socket = socket.create_connection(("127.0.0.1", plan.port), timeout=PATIENCE_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._expected, self._visits, self._outcome = plan.expected, visits, outcome
        self._left: Iterator[Ask] = iter(())
        self._cookies = ""
        self._heard = b""
        self._playing = False
        self._asked: Ask | None = None
        self._taken = ""

    def ask(self) -> bool:
        """Ask what comes next; False when nothing is left."""
        following = next(self._left, None)
        if following is None:
            self._outcome.visits += self._playing
            visit = next(self._visits, None)
            if visit is None:
                return False
            self._cookies, asks = visit
            self._playing = True
            self._left = iter(asks)
            following = next(self._left)
        self._asked = following
        self.socket.sendall(_bytes(following, self._cookies, self._taken))
        return True

    def hear(self) -> bool:
        """Take what came; True when the answer is whole."""
        self._heard += self.socket.recv(262_144)
        head, found, body = self._heard.partition(b"\r\n\r\n")
        length = re.search(rb"\r\ncontent-length: (\d+)", head, re.IGNORECASE)
        if not found or (length and len(body) < int(length[1])):
            return False
        self._heard = b""
        status = head[9:12].decode()
        self._outcome.asked += 1
        if status != str((self._asked and self._asked.expected) or self._expected):
            self._outcome.unexpected[status] = self._outcome.unexpected.get(status, 0) + 1
            self._left, self._playing = iter(()), False
        elif self._asked and self._asked.take:
            page = brotli.decompress(body) if b"content-encoding: br" in head.lower() else body
            self._taken = re.findall(self._asked.take, page.decode())[0]
        if cookie := re.search(rb"\r\nset-cookie: ([^;\r]+)", head, re.IGNORECASE):
            self._cookies = cookie[1].decode()
        return True


def _play(plan: Plan) -> Outcome:
    outcome = Outcome()
    visits: Iterable[tuple[str, list[Ask]]] = repeat(plan.visits[0]) if len(plan.visits) == 1 else plan.visits
    shared = iter(visits)
    start = time.perf_counter()
    with selectors.DefaultSelector() as waiting:
        for visitor in [Visitor(plan, shared, outcome) for _ in range(plan.connections)]:
            if visitor.ask():
                waiting.register(visitor.socket, selectors.EVENT_READ, visitor)
        until, at_most = start + plan.seconds, start + plan.seconds + PATIENCE_SECONDS / 2
        while waiting.get_map() and time.perf_counter() < (until if outcome.asked else at_most):
            for key, _ in waiting.select(timeout=0.1):
                if key.data.hear() and not key.data.ask():
                    waiting.unregister(key.fileobj)
    outcome.seconds = time.perf_counter() - start
    return outcome


def _bytes(ask: Ask, cookies: str, taken: str) -> bytes:
    head = "Host: 127.0.0.1\r\nAccept-Encoding: gzip, deflate, br\r\n" + (
        f"Cookie: {cookies}\r\n" if cookies else ""
    )
    if ask.body is None:
        return f"GET {ask.path} HTTP/1.1\r\n{head}\r\n".encode()
    body = ask.body.replace(TAKEN, taken).encode()
    return (
        f"POST {ask.path} HTTP/1.1\r\n{head}Content-Type: {ask.kind}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        + body
    )


def _read(text: str) -> Plan:
    given = json.loads(text)
    given["visits"] = [(cookies, [Ask(**ask) for ask in asks]) for cookies, asks in given["visits"]]
    return Plan(**given)


if __name__ == "__main__":
    print(json.dumps(asdict(_play(_read(sys.stdin.read())))))
