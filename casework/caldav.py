"""The département's calendar server, as far as we need it: one collection, read and written by CalDAV (RFC 4791).

The address is a setting; agents give a login and a password, never an address. No redirect is followed: the
password goes where the setting says and nowhere else. What the server sends is limited in size and in time.
"""

from __future__ import annotations

import enum
import re
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Self
from urllib.parse import quote, urljoin, urlsplit
from xml.etree import ElementTree

import httpx

from casework.settings import SettingsError
from casework.vocabulary import N_

STEP_SECONDS = httpx.Timeout(10.0, connect=5.0)
VISIT_SECONDS = 60.0
LARGEST_ANSWER = 20 * 1024 * 1024
HERE = {"127.0.0.1", "localhost", "::1"}
DAV, CAL = "{DAV:}", "{urn:ietf:params:xml:ns:caldav}"

IS_CALENDAR = """<?xml version="1.0" encoding="utf-8"?>
<d:propfind xmlns:d="DAV:"><d:prop><d:resourcetype/></d:prop></d:propfind>"""
LIST = """<?xml version="1.0" encoding="utf-8"?>
<d:propfind xmlns:d="DAV:"><d:prop><d:getetag/></d:prop></d:propfind>"""
EVENTS = """<?xml version="1.0" encoding="utf-8"?>
<c:calendar-query xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav">
<d:prop><d:getetag/><c:calendar-data/></d:prop>
<c:filter><c:comp-filter name="VCALENDAR"><c:comp-filter name="VEVENT">
<c:time-range start="{start}" end="{end}"/>
</c:comp-filter></c:comp-filter></c:filter>
</c:calendar-query>"""


class Trouble(enum.StrEnum):
    """What went wrong with an agent's calendar."""

    PASSWORD = "password"  # noqa: S105 - the name of a trouble
    SILENT = "silent"
    MISSING = "missing"
    REFUSED = "refused"
    TOO_LARGE = "too_large"
    UNREADABLE = "unreadable"
    NOT_UNDERSTOOD = "not_understood"
    SEALED = "sealed"
    UNEXPECTED = "unexpected"


TROUBLES: dict[Trouble, str] = {
    Trouble.PASSWORD: N_("Le serveur de calendriers refuse cet identifiant ou ce mot de passe."),
    Trouble.SILENT: N_("Le serveur de calendriers ne répond pas."),
    Trouble.MISSING: N_("Le serveur de calendriers ne trouve pas ce calendrier."),
    Trouble.REFUSED: N_("Le serveur de calendriers refuse un de vos rendez-vous."),
    Trouble.TOO_LARGE: N_("Ce calendrier est trop grand."),
    Trouble.UNREADABLE: N_("Un évènement de votre calendrier est illisible. Les autres sont lus."),
    Trouble.NOT_UNDERSTOOD: N_("La réponse du serveur de calendriers est illisible."),
    Trouble.SEALED: N_("Nous ne pouvons plus lire ce mot de passe. Écrivez-le encore une fois."),
    Trouble.UNEXPECTED: N_("Une erreur du logiciel empêche l'échange."),
}
"""What the agent reads of it."""


class CalendarServerError(Exception):
    """The server could not do what it was asked; `trouble` says why."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.value)
        self.trouble = trouble


class LoginError(ValueError):
    """No calendar's login looks like this."""


@dataclass(frozen=True)
class Resource:
    """One file of the collection: its path on the server, and the iCalendar text it holds."""

    path: str
    content: str


def check_address(url: str) -> None:
    """Refuse an address that would send passwords in clear, or elsewhere than to one server.

    Raises:
        SettingsError: what it should read.
    """
    parts = urlsplit(url)
    safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in HERE)
    if not safe or not parts.hostname or "{" in parts.netloc or "{login}" not in parts.path:
        raise SettingsError("CALDAV_URL should read https://server/path/{login}/calendar/.")


def address_of(url: str, login: str) -> str:
    """The address of the calendar of `login`, with its final slash.

    Raises:
        LoginError: it could lead to another place than a folder of that name.
    """
    if not re.fullmatch(r"[\w@+-][\w.@+ -]{0,99}", login):
        raise LoginError
    return f"{url.replace('{login}', quote(login, safe='@')).rstrip('/')}/"


class Collection:
    """One calendar of the server, open for one visit; a context manager.

    Every method raises `CalendarServerError`.
    """

    def __init__(self, address: str, login: str, password: str) -> None:
        self._address = address
        self._ends = time.monotonic() + VISIT_SECONDS
        self._client = httpx.Client(
            auth=httpx.BasicAuth(login, password), timeout=STEP_SECONDS, verify=ssl.create_default_context()
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def check(self) -> None:
        """Be sure that it is a calendar."""
        found = self._tree("PROPFIND", IS_CALENDAR, depth="0")
        if found.find(f".//{DAV}resourcetype/{CAL}calendar") is None:
            raise CalendarServerError(Trouble.MISSING)

    def events(self, start: datetime, end: datetime) -> list[Resource]:
        """Every event that touches a span of time, recurring ones whole."""
        asked = EVENTS.format(start=_utc(start), end=_utc(end))
        return [
            Resource(path, data.text)
            for path, response in self._responses(self._tree("REPORT", asked, depth="1"))
            if (data := response.find(f".//{CAL}calendar-data")) is not None and data.text
        ]

    def paths(self) -> list[str]:
        """The paths of all there is, whatever its date."""
        return [path for path, _response in self._responses(self._tree("PROPFIND", LIST, depth="1"))]

    def put(self, name: str, content: bytes) -> None:
        """Write a file of the collection, over whatever had its name."""
        headers = {"Content-Type": "text/calendar; charset=utf-8"}
        self._ask("PUT", urljoin(self._address, name), content, headers, good={200, 201, 204})

    def remove(self, path: str) -> None:
        """Remove what stands at that path; removing it twice is no error."""
        self._ask("DELETE", urljoin(self._address, path), good={200, 202, 204, 404, 410})

    def _tree(self, method: str, body: str, *, depth: str) -> ElementTree.Element:
        headers = {"Content-Type": "application/xml; charset=utf-8", "Depth": depth}
        content = self._ask(method, self._address, body.encode(), headers, good={207})
        try:
            # expat itself limits what entities may grow to, and fetches none.
            return ElementTree.fromstring(content)  # noqa: S314
        except ElementTree.ParseError as error:
            raise CalendarServerError(Trouble.NOT_UNDERSTOOD) from error

    def _responses(self, tree: ElementTree.Element) -> Iterator[tuple[str, ElementTree.Element]]:
        """Each file of the collection with what is said of it; a path that leads out of it is no file of it."""
        base = urlsplit(self._address)
        for response in tree.iter(f"{DAV}response"):
            parts = urlsplit(urljoin(self._address, response.findtext(f"{DAV}href", "").strip()))
            inside = parts.path.startswith(base.path) and parts.path != base.path and ".." not in parts.path
            if inside and parts[:2] == base[:2]:
                yield parts.path, response

    def _ask(
        self, method: str, address: str, body: bytes = b"", headers: dict[str, str] | None = None, *,
        good: set[int],
    ) -> bytes:  # fmt: skip
        try:
            with self._client.stream(method, address, content=body, headers=headers) as answer:
                if answer.status_code not in good:
                    raise CalendarServerError(_trouble(answer.status_code, method))
                return self._limited(answer)
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise CalendarServerError(Trouble.SILENT) from error

    def _limited(self, answer: httpx.Response) -> bytes:
        content = bytearray()
        for piece in answer.iter_bytes():
            content += piece
            if len(content) > LARGEST_ANSWER:
                raise CalendarServerError(Trouble.TOO_LARGE)
            if time.monotonic() > self._ends:
                raise CalendarServerError(Trouble.SILENT)
        if time.monotonic() > self._ends:
            raise CalendarServerError(Trouble.SILENT)
        return bytes(content)


def _trouble(status: int, method: str) -> Trouble:
    if status == 401 or (status == 403 and method == "PROPFIND"):
        return Trouble.PASSWORD
    if status in {408, 429} or status >= 500:
        return Trouble.SILENT
    if method in {"PUT", "DELETE"}:
        return Trouble.REFUSED
    return Trouble.MISSING


def _utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"
