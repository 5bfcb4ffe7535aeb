"""What a person is offered: who looks, for what, and the few hours shown of all that are free.

Read with the portal's role: of the agendas it may only ask `free_slots` and `reception_points`, with the agents of
the opened request (`agents_for_request`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from uuid import UUID

from sqlalchemy import bindparam, func, select, text
from sqlalchemy.orm import Session

from casework import appointments, slots
from casework.agenda import Kind, Mode
from casework.appointments import Appointment
from casework.following import is_sensitive
from casework.nearness import UNKNOWN, Distance, distances
from casework.people import ContactWay
from casework.requests import PARIS, Request
from casework.slots import ALL_DAY, FIRST_WINDOW, FURTHEST, MOST_SHOWN, NOTICE, Slot, Wanted, find
from casework.territory import House
from casework.vocabulary import Channel, Need, State, Theme

EACH_HOUR = text(
    f"SELECT DISTINCT ON (mode, place_id, lower(during)) {slots.FIELDS} "  # noqa: S608 - our own words
    "FROM free_slots(:agents, :kind, :modes, :audiences, :language, :place, :hour_from, :hour_to, "
    "CAST(:start AS timestamptz), CAST(:finish AS timestamptz), CAST(:now AS timestamptz), :most, :ignored) "
    "ORDER BY mode, place_id, lower(during), array_position(:agents, agent_id)"
)
"""One slot for each way to meet, place and moment."""

POINTS = text(
    "SELECT * FROM reception_points(:agents, :kind, :modes, :audiences, :place, "
    "CAST(:start AS timestamptz), CAST(:finish AS timestamptz))"
)

LOOKED_THROUGH = 5000
"""The most slots a search goes through; the earliest ones."""

OFFERED = (Mode.HERE, Mode.PHONE, Mode.VIDEO)
"""What a person books alone; a visit at home is proposed by an agent."""

ALTERNATIVES = 3

FIRST_KIND = "first"

ANY_KIND = select(Kind.id).order_by(Kind.id != FIRST_KIND, Kind.id).limit(1)

WHO = (
    select(
        Request.id, Request.themes, Request.urgency, Request.state, Request.needs, Request.spoken_language,
        Request.commune_code, Request.worker_id, House,
        func.coalesce(Request.kind_id, ANY_KIND.scalar_subquery(), "").label("kind_id"),
        func.agents_for_request(False).label("agents"),
        select(ContactWay.value)
        .where(ContactWay.request_id == Request.id, ContactWay.channel.in_((Channel.CALL, Channel.SMS)))
        .order_by(ContactWay.channel != Channel.CALL)
        .limit(1)
        .scalar_subquery()
        .label("phone"),
    )
    .join(House, House.id == Request.house_id)
    .where(Request.id == bindparam("request"))
)  # fmt: skip
"""The opened request with its house, with whom and for what it looks, and where its person can be called."""

NEAR = timedelta(weeks=4)


@dataclass(frozen=True)
class Seeker:
    """The opened request, as booking needs it. `coming`: its appointment, if any; `held`: what it holds now."""

    id: UUID
    house: House
    commune_code: str | None
    spoken_language: str
    sensitive: bool
    closed: bool
    wheelchair: bool
    has_worker: bool
    phone: str
    """Where this person can be called, as far as they told; or empty."""
    agents: Sequence[int]
    """Whom the request would be given to (`agents_for_request`)."""
    kind_id: str
    """The kind of appointment: the one being moved, else the one an agent said, else the first one, else any there
    is; empty if there is none."""
    coming: Appointment | None
    held: Appointment | None


@dataclass(frozen=True)
class Search:
    """What one looks for. `mode`, `place_id` None: any. `day`: from that day on. `hours`: local, both included.

    `whole_house`: with any worker of the house, not only whom the request would be given to. `near`: the nearest
    place first, not the earliest hour.
    """

    mode: Mode | None = None
    hours: tuple[time, time] = ALL_DAY
    day: date | None = None
    place_id: str | None = None
    whole_house: bool = False
    near: bool = False

    @property
    def modes(self) -> tuple[Mode, ...]:
        """Which modes are looked for."""
        return (self.mode,) if self.mode else OFFERED


@dataclass(frozen=True)
class Choice:
    """A slot as people choose it: not whom, but when, how and where."""

    start: datetime
    mode: Mode
    place_id: str | None


def seeker(session: Session, request_id: UUID, now: datetime) -> Seeker:
    """Who the presented secret opens, and what they have."""
    row = session.execute(WHO, {"request": request_id}).one()
    held, coming = appointments.current(session, request_id, now)
    return Seeker(
        id=row.id,
        house=row.House,
        commune_code=row.commune_code,
        spoken_language=row.spoken_language,
        sensitive=is_sensitive([Theme(value) for value in row.themes], row.urgency),
        closed=row.state is State.CLOSED,
        wheelchair=Need.WHEELCHAIR in row.needs,
        has_worker=row.worker_id is not None,
        phone=row.phone or "",
        agents=row.agents or [],
        kind_id=coming.kind_id if coming else row.kind_id,
        coming=coming,
        held=held,
    )


def offers(session: Session, who: Seeker, search: Search, now: datetime) -> list[Slot]:
    """What to show: the earliest; the nearest place's; each way to meet and each place; then other days and half-days.

    In order of time, or of nearness when that was asked. With a day: that day's own hours; the days after it when it
    has none.
    """
    wanted = wanted_by(session, who, search)
    start = _from(search.day, now)
    if search.day:
        end = datetime.combine(search.day + timedelta(days=1), time(0), PARIS)
        if that_day := _varied(session, wanted, start, end, now, each_hour=True):
            return _mixed(session, who, search, that_day)
    found: list[Slot] = []
    first, *wider = slots.widths(len(wanted.agents))
    for width in (first, *wider, FURTHEST):
        found = _varied(session, wanted, start, start + width, now)
        if len(found) >= MOST_SHOWN:
            break
    else:
        found += _varied(session, wanted, start, start + FURTHEST, now, each_hour=True) if found else []
    if width == first:
        last = start + (FIRST_WINDOW if len(wanted.agents) > slots.MANY else NEAR)
        found += _elsewhere(session, who, wanted, found, start + first, last, now, near=search.near)
    return _mixed(session, who, search, found)


def _mixed(session: Session, who: Seeker, search: Search, found: Sequence[Slot]) -> list[Slot]:
    far = distances(session, who.commune_code, {slot.place_id for slot in found if slot.mode is Mode.HERE})
    return mix_near(found, far) if search.near and far else mix(found, far)


def mix(found: Iterable[Slot], far: Mapping[str, Distance] | None = None) -> list[Slot]:
    """At most six, in order of time: the earliest of all; the earliest at the nearest place; the earliest of each
    mode, then of each place; then the earliest others.

    So the hour of tomorrow an hour's drive away and the one of Thursday next door are both there.
    """
    ordered = _one_each(found)
    here = [slot for slot in ordered if slot.mode is Mode.HERE]
    closest = [min(here, key=lambda slot: _far(slot, far).order)] if far and here else []
    modes = {slot.mode: slot for slot in reversed(ordered)}
    groups = {(slot.mode, slot.place_id): slot for slot in reversed(ordered)}
    firsts = [*sorted(modes.values(), key=_order), *sorted(groups.values(), key=_order)]
    return sorted(_most_shown([*ordered[:1], *closest, *firsts, *ordered]), key=_order)


def mix_near(found: Iterable[Slot], far: Mapping[str, Distance]) -> list[Slot]:
    """At most six, the nearest place first: the earliest of each place, then the others of the nearest places; last
    what needs no place at all."""
    ordered = _one_each(found)
    firsts: dict[str | None, Slot] = {}
    for slot in ordered:
        if slot.mode is Mode.HERE:
            firsts.setdefault(slot.place_id, slot)

    def nearness(slot: Slot) -> tuple[bool, float, datetime, int, str]:
        return slot.mode is not Mode.HERE, _far(slot, far).order, *_order(slot)

    in_order = [*sorted(firsts.values(), key=nearness), *sorted(ordered, key=nearness)]
    return sorted(_most_shown(in_order), key=nearness)


def nearest(session: Session, who: Seeker, search: Search, around: datetime, now: datetime) -> list[Slot]:
    """The three slots nearest in time to one that was lost, in order of time."""
    wanted = wanted_by(session, who, search)
    start = _from(None, now)
    near = _varied(
        session,
        wanted,
        max(start, around - timedelta(days=1)),
        around + timedelta(days=2),
        now,
        each_hour=True,
    )
    if len(near) < ALTERNATIVES:
        near += _varied(session, wanted, start, start + FURTHEST, now)
    one_each = {_choice(slot): slot for slot in reversed(near)}.values()
    closest = sorted(one_each, key=lambda slot: (abs(slot.start - around), *_order(slot)))
    return sorted(closest[:ALTERNATIVES], key=_order)


def wanted_by(session: Session, who: Seeker, search: Search) -> Wanted:
    """The same for the search in the database: with which agents, for which kind."""
    whole_house = select(func.agents_for_request(True))
    return Wanted(
        agents=session.scalar(whole_house) or [] if search.whole_house else who.agents,
        kind_id=who.kind_id,
        modes=search.modes,
        place_id=search.place_id,
        hours=search.hours,
        ignored=str(who.held.id) if who.held else None,
    )


def _varied(
    session: Session,
    wanted: Wanted,
    start: datetime,
    finish: datetime,
    now: datetime,
    *,
    each_hour: bool = False,
) -> list[Slot]:
    """The first slots of each mode, place and half-day that may be shown, or of each moment, in order of time."""
    if finish <= start:
        return []
    if each_hour:
        values = {**slots.asked(wanted, start, finish, now), "most": LOOKED_THROUGH}
        found = slots.read(session.execute(EACH_HOUR, values), wanted)
    else:
        found = slots.firsts(session, wanted, start, finish, now)
    return sorted(found, key=_order)


def _elsewhere(
    session: Session,
    who: Seeker,
    wanted: Wanted,
    found: Sequence[Slot],
    start: datetime,
    finish: datetime,
    now: datetime,
    *,
    near: bool,
) -> list[Slot]:
    """The first slot of each mode and place that has none before `start`, where the search ended; none after `finish`.

    Of a few of them: those that could be shown.
    """
    points = session.execute(POINTS, slots.asked(wanted, start, finish, now)).all()
    known = {(slot.mode, slot.place_id if slot.mode is Mode.HERE else None) for slot in found}
    missing = [
        (Mode(row.mode), row.place_id) for row in points if (Mode(row.mode), row.place_id) not in known
    ]
    far = distances(session, who.commune_code, {place_id for _, place_id in missing})
    if near:
        missing.sort(key=lambda point: far.get(point[1] or "", UNKNOWN).order)
        most = MOST_SHOWN
    else:
        closest = min(missing, key=lambda point: far.get(point[1] or "", UNKNOWN).order) if far else None
        modes = {mode for mode, _ in known}
        missing.sort(key=lambda point: (point != closest, point[0] in modes))
        needed = sum(point == closest or point[0] not in modes for point in missing)
        most = min(MOST_SHOWN, max(needed, MOST_SHOWN - len(known)))  # later than all others, they come last
    return [
        slot
        for mode, place_id in missing[:most]
        for slot in find(
            session, replace(wanted, modes=(mode,), place_id=place_id), start, now, most=1, until=finish
        )
    ]


def _from(day: date | None, now: datetime) -> datetime:
    earliest = now + NOTICE
    return max(earliest, datetime.combine(day, time(0), PARIS)) if day else earliest


def _choice(slot: Slot) -> Choice:
    """What people tell apart: where an agent telephones from is none of it."""
    return Choice(slot.start, slot.mode, slot.place_id if slot.mode is Mode.HERE else None)


def _most_shown(in_order: Iterable[Slot]) -> list[Slot]:
    """As many as are shown, each once, the first ones."""
    chosen: dict[Choice, Slot] = {}
    for slot in in_order:
        chosen.setdefault(_choice(slot), slot)
        if len(chosen) == MOST_SHOWN:
            break
    return list(chosen.values())


def _one_each(found: Iterable[Slot]) -> list[Slot]:
    """One slot of those that people cannot tell apart, in order of time."""
    return sorted({_choice(slot): slot for slot in reversed(list(found))}.values(), key=_order)


def _far(slot: Slot, far: Mapping[str, Distance]) -> Distance:
    return far.get(slot.place_id or "", UNKNOWN)


def _order(slot: Slot) -> tuple[datetime, int, str]:
    return slot.start, OFFERED.index(slot.mode), slot.place_id or ""
