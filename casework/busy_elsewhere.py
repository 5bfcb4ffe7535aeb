"""When an agent's own calendar says they are busy: hours alone, nothing of what fills them.

Events that come again are unfolded by `recurring_ical_events`. An event nobody can read is left out and said, so
that one bad file neither frees nor fills a whole agenda.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice

import recurring_ical_events
from icalendar import Calendar, Event
from sqlalchemy.dialects.postgresql import Range

from casework.agent_calendar import OUR_PREFIX
from casework.requests import PARIS

SOURCE = "caldav:"
MOST_HOURS = 5000
TOO_OFTEN = {"SECONDLY", "MINUTELY"}
FIRST_YEAR = 1970

Busy = dict[str, Range[datetime]]
"""Spans of time by what `busy_times.source` says: where it comes from, which event, when."""


@dataclass
class Found:
    """What stands in an agent's calendar. `ours`: path and event of each entry we wrote, by `UID`."""

    busy: Busy = field(default_factory=dict)
    ours: dict[str, tuple[str, Event]] = field(default_factory=dict)
    all_read: bool = True


def read(found: Found, path: str, content: str, start: datetime, end: datetime) -> None:
    """Add what one file of a calendar says of a span of time to what was found."""
    try:
        calendar = Calendar.from_ical(content)
        events = [event for event in calendar.walk("VEVENT") if isinstance(event, Event)]
        uid = str(events[0].get("UID", "")) if events else ""
        if uid.startswith(OUR_PREFIX):
            found.ours[uid] = (path, events[0])
            return
        if any(_endless(event) for event in events):
            raise ValueError("too much to unfold")
        name = f"{SOURCE}{hashlib.sha256(uid.encode()).hexdigest()[:20]}:"
        hours = list(islice(_hours(calendar, start, end), MOST_HOURS + 1))
    except Exception:
        found.all_read = False
        return
    if len(found.busy) + len(hours) > MOST_HOURS:
        found.all_read = False
        return
    found.busy.update((f"{name}{during.lower:%Y%m%dT%H%MZ}", during) for during in hours)


def _hours(calendar: Calendar, start: datetime, end: datetime) -> Iterator[Range[datetime]]:
    day = timedelta(days=1)
    unfolded = recurring_ical_events.of(calendar).between(start - day, end + day)
    for event in unfolded:  # `end` is said, or a day after a day, or at once
        if event.get("TRANSP", "OPAQUE") == "TRANSPARENT" or event.get("STATUS") == "CANCELLED":
            continue
        begins, ends = _moment(event.start), _moment(event.end)
        if begins < ends and begins < end and ends > start:
            yield Range(begins, ends, bounds="[)")


def _moment(said: datetime | date) -> datetime:
    """A day begins at midnight in Paris; an hour without a place is one of Paris."""
    if not isinstance(said, datetime):
        said = datetime.combine(said, time(0), PARIS)
    return (said if said.tzinfo else said.replace(tzinfo=PARIS)).astimezone(UTC)


def _endless(event: Event) -> bool:
    """True for what comes again each minute, or since the year 1: nobody's meeting, and minutes of work to unfold."""
    return any(
        str(how).upper() in TOO_OFTEN
        or len(rule.get("BYMINUTE", [])) + len(rule.get("BYSECOND", [])) > 2
        or event.start.year < FIRST_YEAR
        for rule in event.rrules
        for how in rule.get("FREQ", [])
    )
