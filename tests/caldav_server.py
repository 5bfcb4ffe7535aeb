"""A real CalDAV server on this machine, for tests: Radicale, with its accounts and its calendars in a folder."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from icalendar import Calendar, Event

from tests.local_servers import PATIENCE, NeverCameError, free_port

CALENDAR = """<?xml version="1.0" encoding="utf-8"?>
<c:mkcalendar xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav">
<d:set><d:prop><d:displayname>Agenda</d:displayname></d:prop></d:set></c:mkcalendar>"""


class CalendarServer:
    """Radicale at `url` (for `CALDAV_URL`). Its one password is `password`, whoever signs in."""

    password = "le mot de passe du calendrier"

    def __init__(self, port: int, folder: Path) -> None:
        self.port, self.folder = port, folder

    @property
    def url(self) -> str:
        """For `CALDAV_URL`."""
        return f"http://127.0.0.1:{self.port}/{{login}}/agenda/"

    def clear(self, login: str) -> None:
        """An empty calendar for somebody."""
        assert self._ask(login, "DELETE").status_code in {200, 404}
        made = self._ask(login, "MKCALENDAR", content=CALENDAR)
        assert made.status_code == 201, made.text

    def write(self, login: str, name: str, *lines: str) -> None:
        """Somebody writes an event in their own calendar: the lines between BEGIN:VEVENT and END:VEVENT."""
        uid = [] if any(line.startswith("UID:") for line in lines) else [f"UID:{name}"]
        event = "\r\n".join(["BEGIN:VEVENT", *uid, "DTSTAMP:20261101T000000Z", *lines, "END:VEVENT"])
        self.write_file(login, name, event)

    def write_file(self, login: str, name: str, *components: str) -> None:
        """A whole file, as some calendar program would leave it."""
        text = "\r\n".join(
            ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Tests//", *components, "END:VCALENDAR", ""]
        )
        answer = self._ask(login, "PUT", f"{name}.ics", content=text.encode())
        assert answer.status_code in {201, 204}, answer.text

    def spoil(self, login: str, name: str, copy: str, change: Callable[[str], str]) -> None:
        """Put a changed copy of a file into the server's own folder, whatever it thinks of it."""
        folder = self.folder / "collections" / "collection-root" / login / "agenda"
        content = (folder / f"{name}.ics").read_text(encoding="utf-8").replace(f"UID:{name}", f"UID:{copy}")
        (folder / f"{copy}.ics").write_text(change(content), encoding="utf-8")

    def tag(self, login: str, name: str) -> str:
        """What changes when a file is written."""
        file = self.folder / "collections" / "collection-root" / login / "agenda" / f"{name}.ics"
        return f"{file.stat().st_ino} {file.stat().st_mtime_ns}"

    def erase(self, login: str, name: str) -> None:
        """Somebody deletes an event by hand."""
        assert self._ask(login, "DELETE", f"{name}.ics").status_code == 200

    def events(self, login: str) -> dict[str, Event]:
        """What stands in somebody's calendar, by file name without its ending."""
        answer = self._ask(login, "PROPFIND", headers={"Depth": "1"})
        names = {part.split("</href>")[0].rsplit("/", 1)[-1] for part in answer.text.split("<href>")[1:]}
        found = {}
        for name in names - {""}:
            calendar = Calendar.from_ical(self._ask(login, "GET", name).text)
            (event,) = calendar.walk("VEVENT")
            assert isinstance(event, Event)
            found[name.removesuffix(".ics")] = event
        return found

    def _ask(self, login: str, method: str, name: str = "", **more: object) -> httpx.Response:
        address = self.url.replace("{login}", login) + name
        return httpx.request(method, address, auth=(login, self.password), timeout=PATIENCE, **more)  # type: ignore[arg-type]


@contextmanager
def calendar_server(folder: Path, port: int = 0) -> Iterator[CalendarServer]:
    """A Radicale of our own; `port` brings one back where it was."""
    server = CalendarServer(port or free_port(), folder)
    folder.mkdir(parents=True, exist_ok=True)
    users = folder / "users"
    users.write_text(
        "".join(f"{login}:{server.password}\n" for login in ("paul.petit", "sarah.blanc", "louise"))
    )
    settings = folder / "config"
    settings.write_text(
        f"[server]\nhosts = 127.0.0.1:{server.port}\n"
        f"[auth]\ntype = htpasswd\nhtpasswd_filename = {users}\nhtpasswd_encryption = plain\ndelay = 0\n"
        f"[storage]\nfilesystem_folder = {folder / 'collections'}\n"
        "[logging]\nlevel = critical\n"
    )
    command = [sys.executable, "-m", "radicale", "--config", str(settings)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            _wait_for(server, process)
            yield server
        finally:
            process.terminate()


def _wait_for(server: CalendarServer, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            httpx.get(f"http://127.0.0.1:{server.port}/", timeout=PATIENCE)
        except httpx.HTTPError:
            try:
                raise NeverCameError(f"radicale ended with {process.wait(0.05)}")
            except subprocess.TimeoutExpired:
                continue
        return
    raise NeverCameError("radicale does not answer")
