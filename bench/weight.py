"""What a first visit weighs on a slow telephone: bytes before the page shows, and how many requests it makes."""

from __future__ import annotations

import socket
from dataclasses import dataclass, field
from html.parser import HTMLParser

import brotli

from bench.report import Measure
from casework.rights import load_library
from casework.vocabulary import LANGUAGES as EVERY_LANGUAGE

PAGES = {"home": "/{}/", "first_question": "/{}/demande/sujet"}
LANGUAGES = ("fr", "ar")
MOST_BYTES = 14_600
"""What reaches a telephone in the first ten packets of a new connection."""
MOST_REQUESTS = 6
MOST_IN_ALL = 40_000
"""A rights page with its pictograms and its scripts."""


@dataclass
class Needs(HTMLParser):
    """What a page makes the browser fetch: `blocking` before it can show anything, `later` after."""

    blocking: set[str] = field(default_factory=set)
    later: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Stylesheets and plain scripts block; icons, sprites, pictures and deferred scripts come later.

        Sounds and videos load nothing before a tap (`preload="none"`).
        """
        given = {name: value or "" for name, value in attrs}
        address = (given.get("href") or given.get("src") or "").partition("#")[0]
        if not address:
            return
        if tag == "link" and "stylesheet" in given.get("rel", ""):
            self.blocking.add(address)
        elif tag == "script":
            (self.later if "defer" in given or "async" in given else self.blocking).add(address)
        elif tag in {"use", "img", "iframe"} or (tag == "link" and "icon" in given.get("rel", "")):
            self.later.add(address)


def whole(port: int, path: str, cookies: str) -> int:
    """All the bytes of a first view, an empty cache: the page, what blocks it and what comes later."""
    wire, page = fetch(port, path, cookies)
    needs = Needs()
    needs.feed(page)
    return wire + sum(fetch(port, address)[0] for address in needs.blocking | needs.later)


def measure(port: int) -> list[Measure]:
    """Weigh the first pages in two languages, as the portal at that port serves them to a new visitor."""
    measures = []
    for name, path in PAGES.items():
        for language in LANGUAGES:
            wire, page = fetch(port, path.format(language))
            needs = Needs()
            needs.feed(page)
            total = wire + sum(fetch(port, address)[0] for address in needs.blocking)
            requests = 1 + len(needs.blocking | needs.later)
            against = "HTML and what blocks it, with HTTP headers, brotli"
            measures += [
                Measure(f"weight.{name}.{language}", total, "bytes", MOST_BYTES, "lower", against),
                Measure(
                    f"requests.{name}.{language}",
                    requests,
                    "requests",
                    MOST_REQUESTS,
                    "lower",
                    "an empty cache",
                ),
            ]
    return measures


def measure_rights(port: int) -> list[Measure]:
    """The heaviest of all rights pages in all languages: before it shows, in all, and how often it asks."""
    sizes: dict[str, int] = {}
    heaviest = {"first": 0, "in_all": 0, "requests": 0}
    pages = [(slug, code) for slug in load_library().pages for code in EVERY_LANGUAGE]
    for slug, code in pages:
        wire, page = fetch(port, f"/{code}/droits/{slug}")
        needs = Needs()
        needs.feed(page)
        for address in (needs.blocking | needs.later) - set(sizes):
            sizes[address] = fetch(port, address)[0]
        first = wire + sum(sizes[address] for address in needs.blocking)
        found = {
            "first": first,
            "in_all": first + sum(sizes[address] for address in needs.later - needs.blocking),
            "requests": 1 + len(needs.blocking | needs.later),
        }
        heaviest = {name: max(heaviest[name], value) for name, value in found.items()}
    against = f"the heaviest of {len(pages)}, with HTTP headers, brotli"
    return [
        Measure("weight.rights.first", heaviest["first"], "bytes", MOST_BYTES, "lower", against),
        Measure("weight.rights.in_all", heaviest["in_all"], "bytes", MOST_IN_ALL, "lower", against),
        Measure(
            "requests.rights", heaviest["requests"], "requests", MOST_REQUESTS, "lower", "an empty cache"
        ),
    ]


def fetch(port: int, path: str, cookies: str = "") -> tuple[int, str]:
    """Ask as a browser does; returns the bytes on the wire, headers included, and the text."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        asked = "Host: 127.0.0.1\r\nAccept-Encoding: gzip, deflate, br\r\nConnection: close\r\n"
        asked += f"Cookie: {cookies}\r\n" if cookies else ""
        connection.sendall(f"GET {path} HTTP/1.1\r\n{asked}\r\n".encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    if b" 200 " not in head.split(b"\r\n")[0]:
        raise ValueError(f"{path}: {head.splitlines()[0].decode()}")
    small = b"content-encoding: br" in head.lower()
    return len(answer), (brotli.decompress(body) if small else body).decode()
