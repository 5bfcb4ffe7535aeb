"""A person with a telephone who asks for help, page after page, and taps again when the connection is cut."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from casework.vocabulary import Channel, Theme, Urgency
from tests.people import LOUDUN, POITIERS, VOUILLE

GIVES_UP_SECONDS = 60.0
PAPER = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"

NAMES = (
    "Amina", "Marcel", "Fatou", "Yasmine", "Léa", "Ibrahim", "Odette", "Karim", "Nour", "Josiane", "Mamadou",
    "Elena", "Thierry", "Samira", "Gérard", "Aïcha", "Dylan", "Mireille", "Oksana", "Bakary",
)  # fmt: skip

WAYS: tuple[tuple[Channel, ...], ...] = (
    (Channel.SMS,),
    (Channel.EMAIL,),
    (Channel.SMS, Channel.EMAIL),
    (Channel.CALL,),
    (Channel.LETTER, Channel.EMAIL),
)


class NoWayForwardError(Exception):
    """The portal answered something that a person cannot go on from."""


@dataclass(frozen=True)
class Receipt:
    """What one holds once it is sent: a number of nine digits, a code of twelve, the end of the link."""

    number: str
    code: str
    secret: str


@dataclass
class Person:
    """Somebody, what they ask, and by which ways they can be answered."""

    name: str
    place: int
    retries: bool = True
    """False: gives up at the first cut of the sending."""
    secret: str = ""
    receipt: Receipt | None = None
    cuts: int = 0
    ways: Sequence[Channel] = field(init=False)

    def __post_init__(self) -> None:
        self.ways = WAYS[self.place % len(WAYS)]

    @property
    def contacts(self) -> dict[Channel, str]:
        """Each way with what it needs, as the database holds it."""
        values = {
            Channel.SMS: f"+336123456{self.place:02}",
            Channel.CALL: f"+335490000{self.place:02}",
            Channel.EMAIL: f"personne{self.place}@example.org",
            Channel.LETTER: f"{self.place} rue du Marché, 86000 Poitiers",
        }
        return {way: values[way] for way in self.ways}

    def answers(self) -> list[tuple[str, dict[str, Any]]]:
        """(slug of a question, what is posted), in order, up to the check."""
        said = self.contacts
        fields = {
            Channel.SMS: {"sms_number": said.get(Channel.SMS)},
            Channel.CALL: {"call_number": said.get(Channel.CALL), "call_time": "morning"},
            Channel.EMAIL: {"email": said.get(Channel.EMAIL)},
            Channel.LETTER: {"postal_address": said.get(Channel.LETTER)},
        }
        contact: dict[str, Any] = {"name": self.name}
        for way in self.ways:
            contact |= fields[way]
        urgency = Urgency.POWER_CUT if self.place % 4 == 0 else Urgency.NONE
        return [
            ("sujet", {"theme": Theme.MONEY.value}),
            ("urgence", {"urgency": urgency.value}),
            ("mots", {"words": f"Je suis {self.name}. J'ai besoin d'aide."}),
            ("lieu", {"commune_code": (POITIERS, VOUILLE, LOUDUN)[self.place % 3]}),
            ("reponse", {"channels": [way.value for way in self.ways]}),
            ("contact", contact),
            ("besoins", {"spoken_language": "fr"}),
            ("papiers", {"next": "1"}),
        ]


class Phone:
    """A person's browser: keeps cookies, follows redirections, posts the same form again after a cut."""

    def __init__(self, address: str, person: Person) -> None:
        self.person = person
        self.until = time.monotonic() + GIVES_UP_SECONDS
        self._client = _browser(address)

    def fill_in(self) -> str:
        """Answer every question; returns the token of the page that asks to send."""
        page = self._get("/fr/demande/sujet")
        for slug, said in self.person.answers():
            files = None
            if slug == "papiers" and self.person.place % 5 == 0:
                files = {"papers": ("lettre.pdf", PAPER, "application/pdf")}
            data = {**said, "csrf_token": _token(page.text)}
            page = self._again_and_again("POST", f"/fr/demande/{slug}", data, files)
        if page.url.path != "/fr/demande/verifier":
            raise NoWayForwardError(f"{self.person.name} is at {page.url.path}, not at the check")
        later = self._get("/fr/demande/plus-tard")
        self.person.secret = _found(r"/fr/s/([\w-]{22})", later.text)
        return _token(page.text)

    def send(self, token: str) -> None:
        """Tap on “send”, and again after each cut unless one gives up; keep the receipt."""
        try:
            page = self._once("POST", "/fr/demande/envoyer", {"csrf_token": token})
        except httpx.TransportError:
            self.person.cuts += 1
            if not self.person.retries:
                return
            page = self._again_and_again("POST", "/fr/demande/envoyer", {"csrf_token": token})
        self.person.receipt = _receipt(page)

    def send_and_lose_the_answer(self, token: str) -> None:
        """Tap on “send”, and be cut before anything is heard back."""
        with _browser(str(self._client.base_url)) as lost:
            lost.cookies.update(self._client.cookies)
            lost.timeout = httpx.Timeout(GIVES_UP_SECONDS, read=0.001)
            try:
                lost.post("/fr/demande/envoyer", data={"csrf_token": token})
            except httpx.TransportError:
                self.person.cuts += 1

    def follow(self, link_secret: str) -> str:
        """The page behind the secret link, opened on another device."""
        with _browser(str(self._client.base_url)) as other:
            return _right(other.get(f"/fr/s/{link_secret}")).text

    def close(self) -> None:
        """Put the telephone away."""
        self._client.close()

    def _get(self, path: str) -> httpx.Response:
        return self._again_and_again("GET", path)

    def _again_and_again(
        self,
        method: str,
        path: str,
        data: Mapping[str, Any] | None = None,
        files: Mapping[str, Any] | None = None,
    ) -> httpx.Response:
        while True:
            try:
                return self._once(method, path, data, files)
            except httpx.TransportError:
                self.person.cuts += 1
                if time.monotonic() > self.until:
                    raise

    def _once(
        self,
        method: str,
        path: str,
        data: Mapping[str, Any] | None = None,
        files: Mapping[str, Any] | None = None,
    ) -> httpx.Response:
        return _right(self._client.request(method, path, data=data, files=files))


def _browser(address: str) -> httpx.Client:
    """A browser sends `Secure` cookies to its own machine, even in clear; this one must be told."""
    client = httpx.Client(base_url=address, follow_redirects=True, timeout=GIVES_UP_SECONDS)

    def trust_own_machine(_response: httpx.Response) -> None:
        for cookie in client.cookies.jar:
            cookie.secure = False

    client.event_hooks["response"] = [trust_own_machine]
    return client


def _right(page: httpx.Response) -> httpx.Response:
    if page.status_code != httpx.codes.OK:
        raise NoWayForwardError(f"{page.status_code} at {page.url.path}")
    return page


def _receipt(page: httpx.Response) -> Receipt:
    if page.url.path != "/fr/recu":
        raise NoWayForwardError(f"{page.url.path} is no receipt")
    number, code = (
        re.sub(r"\D", "", digits) for digits in re.findall(r'<bdi dir="ltr">([\d ]+)</bdi>', page.text)[:2]
    )
    return Receipt(number, code, _found(r"/fr/s/([\w-]{22})", page.text))


def _token(page: str) -> str:
    return _found(r'name="csrf_token"[^>]*value="([^"]+)"', page)


def _found(pattern: str, page: str) -> str:
    match = re.search(pattern, page)
    if match is None:
        raise NoWayForwardError(f"no {pattern} in the page")
    return match[1]
