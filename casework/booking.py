"""How a person takes an appointment by themselves: held, confirmed, moved, cancelled, and until when.

One request has one coming appointment; taking another is moving it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Text, bindparam, func, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from casework import appointments, journal, proposals, waiting
from casework.appointments import Appointment, HoldExpiredError, SlotTakenError, Standing
from casework.nearness import FACTS, UNKNOWN, between, distances
from casework.offers import Choice, Search, Seeker, seeker, wanted_by
from casework.slots import ALL_DAY, NOTICE, exact, find
from casework.territory import Commune, House, Place

ONE_TAB = text("SELECT FROM requests WHERE id = :request FOR NO KEY UPDATE")


class TooLateError(Exception):
    """The house's limit is over: one calls."""


class NothingComingError(Exception):
    """There is no coming appointment."""


@dataclass(frozen=True)
class Where:
    """A place with what is needed to find it. `address` has no line for a permanence: its name says it.

    `km`: how far it is, as `casework.nearness` says it, when that was asked and is known.
    """

    id: str
    name: str
    town: str
    address: str
    step_free: bool
    km: int | None = None

    @property
    def in_words(self) -> str:
        """On one line, as one writes it on an envelope."""
        return ", ".join([self.name, *(self.address.splitlines() or [self.town])])


def hold(
    session: Session,
    request_id: UUID,
    search: Search,
    choice: Choice,
    now: datetime,
    phone: str | None = None,
) -> Appointment:
    """Hold a slot for ten minutes, with whoever is free then; what was held before is let go.

    What was proposed goes to the next one then, unless it is the very hour chosen: that stays held as long as said.

    Raises:
        SlotTakenError: nobody is free then any more.
    """
    who = _alone(session, request_id, now)
    if offered := proposals.live(session, request_id, now):
        if who.held and choice == Choice(offered.start, offered.mode, offered.place_id):
            who.held.phone = phone or who.held.phone
            return who.held
        proposals.decline(session, request_id, now)
        session.flush()
        who = seeker(session, request_id, now)
    asked = replace(search, mode=choice.mode, place_id=choice.place_id, hours=ALL_DAY)
    if choice.start < now + NOTICE:
        raise SlotTakenError
    wanted = wanted_by(session, who, asked)
    free = [slot for slot in exact(session, wanted, choice.start, now) if slot.place_id == choice.place_id]
    appointments.take_turns(session, free)
    # While one waited for the turn, a group session may have taken the hour: no constraint would say so.
    still_free = {(slot.agent_id, slot.mode) for slot in exact(session, wanted, choice.start, now)}
    for slot in (slot for slot in free if (slot.agent_id, slot.mode) in still_free):
        try:
            held = appointments.hold(
                session, request_id, slot, now, moving=who.coming.id if who.coming else None
            )
        except SlotTakenError:
            continue
        held.phone = phone
        return held
    raise SlotTakenError


def confirm(
    session: Session, request_id: UUID, appointment_id: UUID, now: datetime, *, phone: str | None
) -> Appointment:
    """Book what was held and shown. The same confirmation twice is one booking.

    Raises:
        HoldExpiredError: the ten minutes are over, or something else was chosen since.
    """
    _wait_for_others(session, request_id)
    held, coming = appointments.current(session, request_id, now, lock=True)
    if coming and coming.id == appointment_id:
        return coming
    if held is None or held.id != appointment_id:
        raise HoldExpiredError
    booked = appointments.book(session, held, now)
    booked.phone = phone
    if coming and coming.state is Standing.BOOKED:
        coming.state = Standing.MOVED  # booked in another tab since this one was held
    proposals.accepted(session, booked)
    waiting.stop(session, request_id, waiting.Wish.SERVED)
    details: dict[str, Any] = _told(booked)
    if coming:
        details["before"] = coming.start.isoformat()
    action = journal.Action.MOVED if coming else journal.Action.BOOKED
    journal.write(session, action, now, request_id=request_id, **details)
    return booked


def cancel(
    session: Session, request_id: UUID, until_hours: int, now: datetime, origin: str = "portal"
) -> Appointment:
    """Cancel the coming appointment: its time is free at once. `origin`: by which way, for the journal.

    Raises:
        NothingComingError: there is none.
        TooLateError: less than `until_hours` are left.
    """
    _wait_for_others(session, request_id)
    _held, coming = appointments.current(session, request_id, now)
    if coming is None:
        raise NothingComingError
    if not may_change(coming, until_hours, now):
        raise TooLateError
    appointments.cancel(coming)
    details = _told(coming) | {"origin": origin}
    journal.write(session, journal.Action.CANCELLED, now, request_id=request_id, **details)
    return coming


def may_change(appointment: Appointment, until_hours: int, now: datetime) -> bool:
    """True while the person may still cancel or move it alone."""
    return appointment.start >= now + timedelta(hours=until_hours)


def agent_name(session: Session, appointment: Appointment) -> str:
    """Whom one will meet; empty until it is booked."""
    found: str | None = session.scalar(select(func.agent_of_appointment(appointment.id)))
    return found or ""


def chain(session: Session, appointment: Appointment) -> tuple[UUID, int]:
    """The first appointment of a chain of moves, and how many moves since: a calendar's entry and its version."""
    query = select(Appointment.id, Appointment.moved_from).where(
        Appointment.request_id == appointment.request_id
    )
    before = {row.id: row.moved_from for row in session.execute(query)}
    first, moves = appointment.id, 0
    while (former := before.get(first)) is not None:
        first, moves = former, moves + 1
    return first, moves


def places(session: Session, ids: Iterable[str | None], commune_code: str | None = None) -> dict[str, Where]:
    """Places by id; with how far they are from a commune, if one is given."""
    facts = FACTS.subquery()
    rows = session.execute(
        select(
            Place.id.label("place_id"), Place.name, Place.kind, Place.step_free, Commune.name.label("commune"),
            House.address, House.postal_code, House.town, facts,
        )
        .join(Commune, Commune.code == Place.commune_code)
        .join(House, House.id == Place.house_id)
        .outerjoin(facts, facts.c.id == Place.id)
        .where(Place.id == func.any(bindparam("places", type_=ARRAY(Text)))),
        {"commune": commune_code, "places": list({one for one in ids if one})},
    )  # fmt: skip
    return {
        row.place_id: Where(
            row.place_id,
            row.name,
            row.commune,
            f"{row.address}\n{row.postal_code} {row.town}" if row.kind == "house" else "",
            row.step_free,
            between(row).km,
        )
        for row in rows
    }


def without_appointment(session: Session, who: Seeker, most: int = 4) -> list[tuple[Place, str, int | None]]:
    """Where one can come without an appointment, with the town and how far it is, the nearest first."""
    rows = session.execute(
        select(Place, Commune.name)
        .join(Commune, Commune.code == Place.commune_code)
        .where(Place.house_id == who.house.id, Place.active, ~Place.by_appointment)
        .order_by(Commune.name, Place.id)
    ).all()
    far = distances(session, who.commune_code, {place.id for place, _ in rows})
    nearest = sorted(rows, key=lambda row: far.get(row.Place.id, UNKNOWN).order)
    return [(place, town, far.get(place.id, UNKNOWN).km) for place, town in nearest[:most]]


def wait_for_one(session: Session, who: Seeker, search: Search, now: datetime) -> bool:
    """Be told when something that suits comes up, or comes up earlier; False where no appointment is ever taken."""
    if not who.kind_id:
        return False
    free = find(session, wanted_by(session, who, search), now + NOTICE, now, most=1)
    waiting.wait(
        session,
        who.id,
        who.kind_id,
        search.modes,
        now,
        place_id=search.place_id,
        hours=search.hours,
        whole_house=search.whole_house,
        sooner_than=free[0].start if free else None,
    )
    return True


def stop_waiting(session: Session, request_id: UUID, now: datetime) -> None:
    """Leave the waiting list, and what was proposed with it."""
    _alone(session, request_id, now)
    proposals.decline(session, request_id, now)
    waiting.stop(session, request_id, waiting.Wish.WITHDRAWN)


def _told(appointment: Appointment) -> dict[str, Any]:
    """What the journal keeps of it."""
    return {
        "origin": "portal",
        "appointment": str(appointment.id),
        "start": appointment.start.isoformat(),
        "mode": appointment.mode.value,
    }


def _alone(session: Session, request_id: UUID, now: datetime) -> Seeker:
    """The seeker, while no other tab holds, books or cancels for the same request."""
    _wait_for_others(session, request_id)
    session.expire_all()
    return seeker(session, request_id, now)


def _wait_for_others(session: Session, request_id: UUID) -> None:
    """Until this transaction ends, nobody else takes or gives up an hour for the same request."""
    session.execute(ONE_TAB, {"request": request_id})
