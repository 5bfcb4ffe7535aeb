"""Somebody who asks for help on the portal, without JavaScript."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from flask import Flask

from casework.access import ascii_digits
from tests.pages import Page, words
from tests.people import AMINA_PHONE
from tests.visitor import Visitor

ORIGIN = "https://portail.example.org"


@dataclass(frozen=True)
class Receipt:
    """What one keeps: number and code as digits, the secret link; the last two only while known."""

    number: str
    code: str
    link: str
    page: Page

    @property
    def secret(self) -> str:
        """The secret of the link."""
        return self.link.rsplit("/", 1)[-1]

    @property
    def path(self) -> str:
        """The link, without the site."""
        return urlsplit(self.link).path


class Person(Visitor):
    """One person's browser in one language; counts taps and screens from the first page on."""

    def __init__(self, portal: Flask, language: str = "fr", source: str = "192.0.2.10") -> None:
        super().__init__(portal, ORIGIN, source)
        self.language = language
        self.taps = 0

    def open(self, path: str, status: int = 200) -> Page:
        """One tap on a link."""
        self.taps += 1
        return super().open(path, status)

    def submit(self, *button: Any, **typed: Any) -> Page:
        """One tap on a button, one in each field, one on each box."""
        self.taps += 1 + sum(
            len(value) if isinstance(value, list) else 1
            for name, value in typed.items()
            if name not in {"action", "status"}
        )
        return super().submit(*button, **typed)

    def go(self, slug: str, status: int = 200) -> Page:
        """Open a page of the portal in this person's language: `go("demande/sujet")`."""
        return self.open(f"/{self.language}/{slug}", status)

    def tells(self, theme: str = "money", urgency: str = "none", words: str = "") -> Page:
        """Answer the first three questions; ends at the place."""
        self.go("demande/sujet")
        self.submit(("theme", theme))
        self.submit(("urgency", urgency))
        return self.submit(words=words)

    def fills_in(
        self,
        *,
        theme: str = "money",
        urgency: str = "none",
        words: str = "",
        place: str = "Poitiers",
        channels: dict[str, str] | None = None,
        name: str = "",
        needs: list[str] | None = None,
        papers: list[tuple[bytes, str]] | None = None,
    ) -> Page:
        """Answer every question; ends at the check page. An empty `place` is no fixed place."""
        ways = {"sms": AMINA_PHONE} if channels is None else channels
        self.tells(theme, urgency, words)
        if place:
            self.submit(commune_typed=place)
        else:
            self.submit(("no_fixed_place", "1"))
        self.submit(channels=list(ways))
        field = {"sms": "sms_number", "call": "call_number", "email": "email", "letter": "postal_address"}
        contacts = {field[way]: value for way, value in ways.items() if way != "visit"}
        self.submit(**contacts, **({"name": name} if name else {}))
        self.submit(**({"needs": needs} if needs else {}), action="")
        if papers:
            return self.submit(("next", "1"), papers=papers)
        return self.submit(("next", "1"))

    def asks_for_help(self, **answers: Any) -> Receipt:
        """From the first question to the receipt."""
        self.fills_in(**answers)
        return self.sends()

    def sends(self) -> Receipt:
        """From the check page to the receipt."""
        return receipt_on(self.submit(action="/envoyer"))


def receipt_on(page: Page) -> Receipt:
    """What the receipt on the screen gives to keep."""
    assert urlsplit(page.path).path.endswith("/recu"), f"no receipt, but {page.path}"
    digits = [ascii_digits(words(bdi)) for box in page.of_class("number") for bdi in box.iter("bdi")]
    links = [link for link in page.links() if re.search("/s/[^/]+$", link)]
    return Receipt(digits[0], digits[1] if len(digits) > 1 else "", links[0] if links else "", page)
