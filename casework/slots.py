"""Free slots: the earliest times when somebody who receives is not busy.

The search is one database function, `free_slots`, so that the portal may ask it without reading the agents'
agendas (design rule 4): openings minus what is busy, by multirange, cut into slots. `first_slots` is its first slot of
each way to meet, place and half-day. See migration 0010.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session

from casework.agenda import Audience, Mode
from casework.spans import begins

FIRST_WINDOW = timedelta(days=7)
FIRST_OF_SOME, SOME = timedelta(days=3), 5
FIRST_OF_MANY, MANY = timedelta(days=1), 30
"""With more agents than that, fewer days hold enough; three go over a weekend, and many agents' one by one."""
FURTHEST = timedelta(weeks=26)
NOTICE = timedelta(hours=1)
"""A citizen books at least this long ahead."""

ALL_DAY = (time(0), time(23, 59, 59))
MORNING = (time(0), time(12, 0))
AFTERNOON = (time(12, 0), time(23, 59, 59))

FIELDS = (
    "agent_id, house_id, place_id, mode, lower(during) AS begins, upper(during) AS ends, "
    "lower(blocked) AS leaves, upper(blocked) AS is_back"
)
"""What a search must give to `read`: moments, which are read four times quicker than ranges."""

SEARCH = text(
    f"SELECT {FIELDS} FROM free_slots(:agents, :kind, :modes, :audiences, :language, :place, :hour_from, :hour_to, "  # noqa: S608
    "CAST(:start AS timestamptz), CAST(:finish AS timestamptz), CAST(:now AS timestamptz), :most, :ignored)"
)

MOST_SHOWN = 6
"""The most hours one is shown at once."""

FIRSTS = text(
    f"SELECT {FIELDS} FROM ("  # noqa: S608 - our own words
    "  SELECT *, count(*) FILTER (WHERE turn = 1) OVER () AS groups FROM ("
    "    SELECT *, row_number() OVER ("
    "      PARTITION BY mode, CASE WHEN mode = 'here' THEN place_id END"
    "      ORDER BY lower(during), array_position(:agents, agent_id)) AS turn"
    "    FROM first_slots(:agents, :kind, :modes, :audiences, :language, :place, :hour_from, :hour_to, "
    "CAST(:start AS timestamptz), CAST(:finish AS timestamptz), CAST(:now AS timestamptz), :ignored)"
    "  ) firsts"
    ") counted WHERE turn = 1 OR groups < :most AND turn <= :most"
)
"""Where there are enough ways to meet and places, the first of each is enough: other half-days are not shown."""


@dataclass(frozen=True)
class Slot:
    """A time when an agent is free. `blocked`: with the way there and back and the gap after."""

    agent_id: int
    house_id: str
    place_id: str | None
    mode: Mode
    kind_id: str
    during: Range[datetime]
    blocked: Range[datetime]

    @property
    def start(self) -> datetime:
        """When it begins."""
        return begins(self.during)


@dataclass(frozen=True)
class Wanted:
    """What one looks for. `agents`: ids, the preferred first when several are free at the same time.

    `hours`: the local hours between which it begins, both included. `language`: one the agent must speak
    there; empty for any. `ignored`: an appointment being moved, whose own time counts as free.
    """

    agents: Sequence[int]
    kind_id: str
    modes: Sequence[Mode]
    audiences: Sequence[Audience] = (Audience.CITIZENS,)
    place_id: str | None = None
    language: str = ""
    hours: tuple[time, time] = field(default=ALL_DAY)
    ignored: str | None = None


def find(
    session: Session,
    wanted: Wanted,
    start: datetime,
    now: datetime,
    *,
    most: int = 20,
    until: datetime | None = None,
) -> list[Slot]:
    """The earliest slots that begin from `start` on, at most `most`, one per agent, place and moment.

    The window widens until there are enough, up to `until` (26 weeks if not given).
    """
    last = until or start + FURTHEST
    for finish in _windows(start, last, len(wanted.agents)):
        found = _search(session, wanted, start, finish, now, most)
        if len(found) >= most or finish >= last:
            return found
    return []


def exact(session: Session, wanted: Wanted, slot_start: datetime, now: datetime) -> list[Slot]:
    """The slots that begin at that very moment: one per agent who is free, the preferred first."""
    return [
        slot
        for slot in _search(
            session, wanted, slot_start, slot_start + timedelta(seconds=1), now, len(wanted.agents) or 1
        )
        if slot.start == slot_start
    ]


def firsts(session: Session, wanted: Wanted, start: datetime, finish: datetime, now: datetime) -> list[Slot]:
    """Of the first slots of each way to meet, place and half-day of Paris those that may be shown, in no order."""
    values = {**asked(wanted, start, finish, now), "most": MOST_SHOWN}
    return read(session.execute(FIRSTS, values), wanted)


def asked(wanted: Wanted, start: datetime, finish: datetime, now: datetime) -> dict[str, Any]:
    """What is looked for, as the searches in the database take it."""
    return {
        "agents": list(wanted.agents),
        "kind": wanted.kind_id,
        "modes": [mode.value for mode in wanted.modes],
        "audiences": [audience.value for audience in wanted.audiences],
        "language": wanted.language,
        "place": wanted.place_id,
        "hour_from": wanted.hours[0],
        "hour_to": wanted.hours[1],
        "start": start,
        "finish": finish,
        "now": now,
        "ignored": wanted.ignored,
    }


def widths(agents: int) -> tuple[timedelta, ...]:
    """How far one looks first, then next, while too little is found: a week, or less with many agents; a month."""
    many = (FIRST_OF_MANY, FIRST_OF_MANY * 2) if agents > MANY else ()
    some = (FIRST_OF_SOME,) if agents > SOME else ()
    return (*many, *some, FIRST_WINDOW, FIRST_WINDOW * 4)


def _windows(start: datetime, last: datetime, agents: int) -> Iterator[datetime]:
    """Ends of wider and wider windows, then everything."""
    for width in widths(agents):
        if start + width < last:
            yield start + width
    yield last


def _search(
    session: Session, wanted: Wanted, start: datetime, finish: datetime, now: datetime, most: int
) -> list[Slot]:
    return read(session.execute(SEARCH, {**asked(wanted, start, finish, now), "most": most}), wanted)


def read(rows: Iterable[Any], wanted: Wanted) -> list[Slot]:
    """The slots of a search in the database."""
    return [
        Slot(
            row.agent_id, row.house_id, row.place_id, Mode(row.mode), wanted.kind_id,
            Range(row.begins, row.ends, bounds="[)"), Range(row.leaves, row.is_back, bounds="[)"),
        )
        for row in rows
    ]  # fmt: skip
