"""Down the waiting list, each minute by day: whose turn it is, and the first free slot that is news to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Row, Select, func, select, text
from sqlalchemy.orm import Session

from casework import appointments, proposals, waiting
from casework.agenda import Audience, Mode
from casework.appointments import Appointment, SlotTakenError, Standing
from casework.people import ContactWay
from casework.proposals import TO_ANSWER, Answer, SlotOffer
from casework.requests import PARIS, Request
from casework.slots import FURTHEST, NOTICE, Slot, Wanted, exact, find
from casework.vocabulary import State
from casework.waiting import WaitingEntry, Wish

FIRST_HOUR, LAST_HOUR = time(8), time(18)
"""An offer leaves between these hours of Paris, so that nobody has to answer at night."""

LOOKED_AT = 50
"""The most slots kept of one search, for all those who look for the same."""

OF_CITIZENS = (Audience.CITIZENS, Audience.INVITED)

OUTLINE = text(
    "SELECT agent_id, mode, place_id, hour, min(begins) AS begins FROM ("
    "  SELECT agent_id, mode, place_id, lower(during) AS begins,"
    "    extract(hour FROM lower(during) AT TIME ZONE 'Europe/Paris')::int AS hour"
    "  FROM free_slots(:agents, :kind, :modes, :audiences, '', NULL, '00:00', '23:59:59', "
    "CAST(:start AS timestamptz), CAST(:finish AS timestamptz), CAST(:now AS timestamptz), NULL, NULL)"
    ") found GROUP BY agent_id, mode, place_id, hour"
)
"""Who has anything free, how, where, at which hour of the day, and when first."""

ONE_PASS = 0x0FFE4
"""The key of the lock that lets one worker at a time go down the list: two would lose its order."""


@dataclass(frozen=True)
class Turn:
    """Somebody whose turn it is, what they look for, and before when it must begin to be of use."""

    waiting_id: UUID
    request_id: UUID
    wanted: Wanted
    before: datetime
    moving: UUID | None


class Looked:
    """What a pass knows of the free slots. One search first tells which agents have any, how, where and at which
    hours: with nothing free, as on most days, it is the only one. Those who look for the same then search once."""

    def __init__(self, session: Session, waiting: Sequence[Turn], now: datetime) -> None:
        self.session, self.now, self.start = session, now, now + TO_ANSWER + NOTICE
        self.found: dict[Wanted, list[Slot]] = {}
        self.free: dict[str, list[Row[Any]]] = {}
        for kind_id in {turn.wanted.kind_id for turn in waiting}:
            ids = {
                agent for turn in waiting if turn.wanted.kind_id == kind_id for agent in turn.wanted.agents
            }
            self.free[kind_id] = list(self._outline(kind_id, sorted(ids)))

    def slots(self, turn: Turn) -> list[Slot]:
        """The earliest free slots for somebody; the list is to be shortened by whoever takes one."""
        if not any(_may_suit(turn, row) for row in self.free[turn.wanted.kind_id]):
            return []
        if turn.wanted not in self.found:
            self.found[turn.wanted] = find(self.session, turn.wanted, self.start, self.now, most=LOOKED_AT)
        return self.found[turn.wanted]

    def _outline(self, kind_id: str, agents: list[int]) -> Sequence[Row[Any]]:
        return self.session.execute(
            OUTLINE,
            {
                "agents": agents,
                "kind": kind_id,
                "modes": [mode.value for mode in Mode],
                "audiences": [audience.value for audience in OF_CITIZENS],
                "start": self.start,
                "finish": self.start + FURTHEST,
                "now": self.now,
            },
        ).all()


def _may_suit(turn: Turn, row: Row[Any]) -> bool:
    """False when none of the slots that a line of the outline stands for can be of use."""
    wanted = turn.wanted
    return (
        row.begins < turn.before
        and row.agent_id in wanted.agents
        and row.mode in wanted.modes
        and wanted.place_id in (None, row.place_id)
        and wanted.hours[0].hour <= row.hour <= wanted.hours[1].hour
    )


def may_offer(now: datetime) -> bool:
    """True at the hours when an offer may leave."""
    return FIRST_HOUR <= now.astimezone(PARIS).time() <= LAST_HOUR


def alone(session: Session) -> bool:
    """True for the one pass at a time, until this transaction ends."""
    return session.scalar(select(func.pg_try_advisory_xact_lock(ONE_PASS))) is True


def in_turn(session: Session, now: datetime, move_until_hours: int) -> list[Turn]:
    """Who waits without an offer and can be told of one, the urgent first, then who asked first, of all houses.

    Whoever has an appointment waits for an earlier one; they are left alone once it is too near to be moved.
    """
    held = select(Appointment.id).where(
        Appointment.request_id == WaitingEntry.request_id,
        Appointment.state == Standing.HELD,
        Appointment.held_until >= now,
    )
    offered = select(SlotOffer.id).where(
        SlotOffer.waiting_id == WaitingEntry.id, SlotOffer.state == Answer.OFFERED
    )
    rows = session.execute(
        select(WaitingEntry, func.agents_of_request(WaitingEntry.request_id, WaitingEntry.whole_house))
        .join(Request, Request.id == WaitingEntry.request_id)
        .where(
            WaitingEntry.state == Wish.WAITING,
            Request.state != State.CLOSED,
            ~held.exists(),
            ~offered.exists(),
            proposals.ways_in_time()
            .where(ContactWay.request_id == WaitingEntry.request_id)
            .correlate(WaitingEntry, Request)
            .exists(),
        )
        .order_by(*waiting.IN_ORDER)
    ).all()
    coming = _coming(session, [entry.request_id for entry, _ in rows], now)
    return [
        turn
        for entry, agents in rows
        if (turn := _turn(entry, agents or [], coming.get(entry.request_id), now, move_until_hours))
    ]


def _coming(session: Session, request_ids: Sequence[UUID], now: datetime) -> dict[UUID, Appointment]:
    """The earliest coming appointment of each request that has one."""
    found = session.scalars(
        select(Appointment)
        .where(
            Appointment.request_id.in_(request_ids),
            Appointment.state == Standing.BOOKED,
            func.upper(Appointment.during) > now,
        )
        .order_by(func.lower(Appointment.during).desc())
    )
    return {one.request_id: one for one in found}


def _turn(
    entry: WaitingEntry,
    agents: Sequence[int],
    coming: Appointment | None,
    now: datetime,
    move_until_hours: int,
) -> Turn | None:
    before = now + FURTHEST
    if entry.sooner_than and entry.sooner_than > now + TO_ANSWER + NOTICE:
        before = entry.sooner_than
    if coming:
        if coming.start < now + timedelta(hours=move_until_hours):
            return None
        before = min(before, coming.start)
    wanted = Wanted(
        agents=tuple(agents),
        kind_id=entry.kind_id,
        modes=tuple(Mode(value) for value in entry.modes),
        audiences=OF_CITIZENS,
        place_id=entry.place_id,
        hours=(entry.hour_from, entry.hour_to),
    )
    return Turn(entry.id, entry.request_id, wanted, before, coming.id if coming else None)


def offer(
    session: Session, turn: Turn, found: list[Slot], now: datetime
) -> tuple[SlotOffer, list[ContactWay]] | None:
    """Offer somebody the first of these slots that is news to them, and hold it; with the ways to tell them.

    None when nothing suits, when they cannot be told, or when something of theirs is changing at this moment.
    A slot that turns out to be taken is dropped from `found`.
    """
    if not _still_waits(session, turn, now) or not (ways := proposals.reachable(session, turn.request_id)):
        return None
    known = {(agent, start) for agent, start in session.execute(_offered_before(turn.request_id))}
    for slot in list(found):
        if slot.start >= turn.before:
            return None
        if (slot.agent_id, slot.start) in known:
            continue
        found.remove(slot)
        if held := _held(session, turn, slot, now):
            return _written(session, turn, held, now), ways
    return None


def _still_waits(session: Session, turn: Turn, now: datetime) -> bool:
    """True with the request locked, as `booking` locks it: nobody books, holds or leaves the list meanwhile."""
    locked = select(Request.id).where(Request.id == turn.request_id)
    if session.scalar(locked.with_for_update(key_share=True, skip_locked=True)) is None:
        return False
    entry = session.get_one(WaitingEntry, turn.waiting_id)
    busy = select(Appointment.id).where(
        Appointment.request_id == turn.request_id,
        Appointment.state == Standing.HELD,
        Appointment.held_until >= now,
    )
    return (
        entry.state is Wish.WAITING
        and proposals.live(session, turn.request_id, now) is None
        and session.scalar(busy) is None
    )


def _offered_before(request_id: UUID) -> Select[int, datetime]:
    return select(SlotOffer.agent_id, func.lower(SlotOffer.during)).where(SlotOffer.request_id == request_id)


def _held(session: Session, turn: Turn, slot: Slot, now: datetime) -> Appointment | None:
    """The slot held until the answer, if it is still free."""
    appointments.take_turns(session, [slot])
    if slot not in exact(session, replace(turn.wanted, agents=(slot.agent_id,)), slot.start, now):
        return None
    try:
        return appointments.hold(
            session, turn.request_id, slot, now, moving=turn.moving, until=now + TO_ANSWER
        )
    except SlotTakenError:
        return None


def _written(session: Session, turn: Turn, held: Appointment, now: datetime) -> SlotOffer:
    made = SlotOffer(
        id=uuid4(), waiting_id=turn.waiting_id, request_id=turn.request_id, appointment_id=held.id,
        agent_id=held.agent_id, place_id=held.place_id, kind_id=held.kind_id, mode=held.mode, during=held.during,
        offered_at=now, until=now + TO_ANSWER, state=Answer.OFFERED,
    )  # fmt: skip
    return proposals.offered(session, made, now)
