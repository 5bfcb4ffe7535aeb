"""Two hundred people in front of one hour: each opens their own link, sees it free, and taps at the same moment."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

import httpx

from tests.casework.asking import ask
from tests.conftest import Database

Result = TypeVar("Result")

PATIENCE_SECONDS = 60.0
_CONTEXT = ssl.create_default_context()  # made once: two hundred browsers would each spend 10 ms on it


class UnexpectedPageError(Exception):
    """The portal answered something that nobody in the race should see."""


@dataclass
class Racer:
    """One person's browser. `holds`: the hour is theirs for ten minutes; `cuts`: answers lost when a process died."""

    secret: str
    address: str
    client: httpx.AsyncClient = field(init=False)
    page: httpx.Response = field(init=False)
    token: str = ""
    holds: bool = False
    cuts: int = 0

    def __post_init__(self) -> None:
        self.client = httpx.AsyncClient(base_url=self.address, verify=_CONTEXT, timeout=PATIENCE_SECONDS)
        self.client.event_hooks["response"] = [self._trust_own_machine]

    async def opens(self, path: str) -> None:
        """Open one's link, then a page of it, where the race begins."""
        await self.asks("GET", f"/fr/s/{self.secret}")
        await self.asks("GET", path)
        self.token = self.found(r'name="csrf_token"[^>]*value="([^"]+)"')

    async def asks(self, method: str, path: str, **said: str) -> int:
        """Ask, and ask again after each cut as one reloads a page; returns the status."""
        data = {**said, "csrf_token": self.token} if said else None
        until = asyncio.get_running_loop().time() + PATIENCE_SECONDS
        while True:
            try:
                self.page = await self.client.request(method, path, data=data)
            except httpx.TransportError:
                self.cuts += 1
                if asyncio.get_running_loop().time() > until:
                    raise
            else:
                return self.page.status_code

    def found(self, pattern: str) -> str:
        """What the page before one's eyes says there.

        Raises:
            UnexpectedPageError: nothing of that kind.
        """
        match = re.search(pattern, self.page.text)
        if match is None:
            raise UnexpectedPageError(f"{self.page.status_code} {self.page.url.path}: no {pattern}")
        return match[1]

    async def _trust_own_machine(self, _response: httpx.Response) -> None:
        """A browser sends `Secure` cookies to its own machine, even in clear; this one must be told."""
        for cookie in self.client.cookies.jar:
            cookie.secure = False


def all_at_once(racing: Coroutine[Any, Any, Result]) -> Result:
    """Run a race in a thread of its own: a browser of another test may keep an event loop in this one."""
    with ThreadPoolExecutor(1) as apart:
        return apart.submit(asyncio.run, racing).result()


def crowd(database: Database, address: str, how_many: int, now: datetime) -> list[Racer]:
    """As many people of Poitiers, each with a request of their own that nobody has taken yet."""
    return [Racer(ask(database, now).secret, address) for _ in range(how_many)]
