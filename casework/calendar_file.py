"""An appointment or a group session as a file that any calendar opens (iCalendar, RFC 5545).

It says when and where, never why. Times are in UTC, which every calendar shows at the hour of its own clock. The
`UID` stays the same when it moves and `SEQUENCE` grows, so that a calendar changes its entry instead
of adding one (RFC 5546).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from icalendar import Calendar, Event

PRODUCT = "-//Allervers//Appointments//FR"
MIME_TYPE = "text/calendar"


@dataclass(frozen=True)
class Meeting:
    """What a calendar shows. `first_id`: of the first appointment of a chain of moves, or of the group session;
    `moves`: how many since.

    `where` and `details` may be empty: on a shared telephone a calendar is read by others.
    """

    first_id: UUID
    moves: int
    start: datetime
    end: datetime
    title: str
    where: str = ""
    details: str = ""


def calendar_file(meeting: Meeting, host: str, now: datetime, *, cancelled: bool = False) -> bytes:
    """The file, to add the appointment or to change it; `cancelled`: to take it away. `host`: of our address."""
    event = Event()
    event.add("uid", f"{meeting.first_id}@{host}")
    event.add("sequence", meeting.moves + cancelled)
    event.add("dtstamp", now.astimezone(UTC))
    event.add("dtstart", meeting.start.astimezone(UTC))
    event.add("dtend", meeting.end.astimezone(UTC))
    event.add("summary", meeting.title)
    if meeting.where:
        event.add("location", meeting.where)
    if meeting.details:
        event.add("description", meeting.details)
    event.add("status", "CANCELLED" if cancelled else "CONFIRMED")
    event.add("class", "PRIVATE")
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("method", "CANCEL" if cancelled else "PUBLISH")
    calendar.add_component(event)
    made: bytes = calendar.to_ical()
    return made
