"""Appointments: held for ten minutes while one checks, then booked; moved, cancelled, and how they ended.

The database refuses two appointments of one agent at the same time, and two people at one desk, whatever the
code believed (design rule 3). A hold is a row under the same constraints; an expired one is swept away by whoever
wants its place.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from psycopg.errors import ExclusionViolation
from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    SmallInteger,
    and_,
    bindparam,
    delete,
    func,
    literal_column,
    or_,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import TSTZRANGE, ExcludeConstraint, Range
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from casework.agenda import Mode
from casework.database import Base, one_of
from casework.slots import Slot
from casework.spans import begins
from casework.territory import Place
from casework.vocabulary import N_

HOLD = timedelta(minutes=10)


class Standing(enum.StrEnum):
    """Where an appointment stands. The first four occupy their time; the last three free it."""

    HELD = "held"
    BOOKED = "booked"
    CAME = "came"
    MISSED = "missed"
    EXCUSED = "excused"
    CANCELLED = "cancelled"
    MOVED = "moved"


OCCUPIES = "state IN ('held', 'booked', 'came', 'missed')"

STANDINGS: dict[Standing, str] = {
    Standing.HELD: N_("en cours de réservation"),
    Standing.BOOKED: N_("réservé"),
    Standing.CAME: N_("venu"),
    Standing.MISSED: N_("pas venu"),
    Standing.EXCUSED: N_("excusé"),
    Standing.CANCELLED: N_("annulé"),
    Standing.MOVED: N_("déplacé"),
}


class Appointment(Base):
    """A person and an agent, somewhere, at some time. `blocked`: the meeting with the way there and the gap after.

    `extra`: squeezed in by an agent, who said so; it alone may overlap.
    """

    __tablename__ = "appointments"
    __table_args__ = (
        ExcludeConstraint(
            ("agent_id", "="),
            ("blocked", "&&"),
            name="appointments_agent_free",
            where=text(f"{OCCUPIES} AND NOT extra"),
            using="gist",
        ),
        ExcludeConstraint(
            ("place_id", "="),
            ("desk", "="),
            ("during", "&&"),
            name="appointments_desk_free",
            where=text(f"{OCCUPIES} AND NOT extra AND desk IS NOT NULL"),
            using="gist",
        ),
        Index(
            "appointments_agent_until_idx",
            "agent_id",
            literal_column("upper(blocked)"),
            postgresql_where=text(OCCUPIES),
        ),
        Index(
            "appointments_place_from_idx",
            "place_id",
            literal_column("lower(during)"),
            postgresql_where=text(f"{OCCUPIES} AND desk IS NOT NULL"),
        ),
        Index(
            "appointments_one_hold_idx", "request_id", unique=True, postgresql_where=text("state = 'held'")
        ),
        Index(
            "appointments_untold_idx",
            literal_column("lower(during)"),
            postgresql_where=text("state IN ('booked', 'cancelled') AND told_state IS DISTINCT FROM state"),
        ),
        Index("appointments_remind_idx", "remind_at", postgresql_where=text("state = 'booked'")),
        Index(
            "appointments_missed_idx",
            "ended_at",
            postgresql_where=text("state = 'missed' AND told_state IS DISTINCT FROM state"),
        ),
        Index("appointments_moved_from_idx", "moved_from", postgresql_where=text("moved_from IS NOT NULL")),
        Index("appointments_house_made_idx", "house_id", "made_at"),
        CheckConstraint("state <> 'held' OR held_until IS NOT NULL", name="held"),
        CheckConstraint("during <@ blocked", name="blocked"),
        CheckConstraint("minutes_spent IS NULL OR (minutes_spent > 0 AND state = 'came')", name="spent"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    request_id: Mapped[UUID] = mapped_column(ForeignKey("requests.id"), index=True)
    agent_id: Mapped[int] = mapped_column(ForeignKey("agents.id"))
    house_id: Mapped[str] = mapped_column(ForeignKey("houses.id"))
    place_id: Mapped[str | None] = mapped_column(ForeignKey("places.id"))
    desk: Mapped[int | None] = mapped_column(SmallInteger)
    kind_id: Mapped[str] = mapped_column(ForeignKey("kinds.id"))
    mode: Mapped[Mode] = mapped_column(one_of(Mode))
    during: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)
    blocked: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)
    state: Mapped[Standing] = mapped_column(one_of(Standing))
    held_until: Mapped[datetime | None]
    extra: Mapped[bool] = mapped_column(default=False)
    moved_from: Mapped[UUID | None] = mapped_column(ForeignKey("appointments.id"))
    made_at: Mapped[datetime]
    phone: Mapped[str | None]
    """E.164: where to call the person for this appointment, when they said so."""
    told_state: Mapped[str | None]
    """The standing the person was last told of, and when; the worker alone writes it (`casework.reminders`)."""
    told_at: Mapped[datetime | None]
    remind_at: Mapped[datetime | None]
    """When the next reminder leaves; null when none is left."""
    ended_at: Mapped[datetime | None]
    """When somebody said how it ended, the last time."""
    minutes_spent: Mapped[int | None] = mapped_column(SmallInteger)
    """How long it really took; of those who came alone."""

    @property
    def start(self) -> datetime:
        """When it begins."""
        return begins(self.during)


class SlotTakenError(Exception):
    """Somebody was quicker: the slot is no longer free."""


class HoldExpiredError(Exception):
    """The ten minutes are over, and the slot may be somebody else's."""


def hold(
    session: Session,
    request_id: UUID,
    slot: Slot,
    now: datetime,
    *,
    moving: UUID | None = None,
    until: datetime | None = None,
) -> Appointment:
    """Keep a slot for a request, ten minutes or `until`; it gives up what the request held before.

    `slot` must come from `slots.find` in the same transaction: that is what says the agent receives then.
    `moving`: the appointment this one would replace; it keeps its own place until the confirmation.

    Raises:
        SlotTakenError: another was quicker.
    """
    session.execute(
        delete(Appointment).where(Appointment.request_id == request_id, Appointment.state == Standing.HELD)
    )
    _sweep_expired(session, slot, now)
    desks: list[int | None] = [None]
    if slot.place_id:
        desks = list(range(1, session.get_one(Place, slot.place_id).desks + 1))
    for desk in desks:
        appointment = _row(request_id, slot, desk, now, moving, until or now + HOLD)
        try:
            with session.begin_nested():
                session.add(appointment)
        except IntegrityError as error:
            if not isinstance(error.orig, ExclusionViolation):
                raise
            if error.orig.diag.constraint_name == "appointments_agent_free":
                break
            continue
        return appointment
    raise SlotTakenError


def confirm(session: Session, request_id: UUID, now: datetime) -> Appointment:
    """Book what the request holds. Confirming twice is one booking.

    Raises:
        HoldExpiredError: nothing is held any more.
    """
    return book(session, current(session, request_id, now, lock=True)[0], now)


def book(session: Session, held: Appointment | None, now: datetime) -> Appointment:
    """Book a hold that is locked.

    Raises:
        HoldExpiredError: it is none any more.
    """
    if held is None or held.held_until is None or held.held_until < now:
        raise HoldExpiredError
    if held.moved_from:
        former = session.scalar(
            select(Appointment)
            .where(Appointment.id == held.moved_from, Appointment.state == Standing.BOOKED)
            .with_for_update()
        )
        if former:
            former.state = Standing.MOVED
    held.state = Standing.BOOKED
    held.held_until = None
    return held


def cancel(appointment: Appointment) -> bool:
    """Free its time; False when it was not booked any more."""
    if appointment.state is not Standing.BOOKED:
        return False
    appointment.state = Standing.CANCELLED
    return True


def end(appointment: Appointment, how: Standing, now: datetime) -> None:
    """Say how it went, by one tap: came, excused or missed."""
    if how is not Standing.CAME:
        appointment.minutes_spent = None
    appointment.state = how
    appointment.ended_at = now


def current(
    session: Session, request_id: UUID, now: datetime, *, lock: bool = False
) -> tuple[Appointment | None, Appointment | None]:
    """What a request holds, and its booked appointment that is not over yet, the earliest; as they are now."""
    query = (
        select(Appointment)
        .where(
            Appointment.request_id == request_id,
            or_(
                Appointment.state == Standing.HELD,
                and_(Appointment.state == Standing.BOOKED, func.upper(Appointment.during) > now),
            ),
        )
        .order_by(func.lower(Appointment.during))
        .execution_options(populate_existing=True)
    )
    found = session.scalars(query.with_for_update() if lock else query).all()
    held = [one for one in found if one.state is Standing.HELD]
    booked = [one for one in found if one.state is Standing.BOOKED]
    return held[0] if held else None, booked[0] if booked else None


def coming(session: Session, request_id: UUID, now: datetime) -> Appointment | None:
    """The booked appointment of a request that is not over yet, the earliest."""
    return session.scalar(
        select(Appointment)
        .where(
            Appointment.request_id == request_id,
            Appointment.state == Standing.BOOKED,
            func.upper(Appointment.during) > now,
        )
        .order_by(func.lower(Appointment.during))
        .limit(1)
    )


def forget_expired_holds(session: Session, now: datetime) -> int:
    """Drop holds nobody confirmed; returns how many."""
    gone = delete(Appointment).where(Appointment.state == Standing.HELD, Appointment.held_until < now)
    return len(session.execute(gone.returning(Appointment.id)).all())


def take_turns(session: Session, slots: Sequence[Slot]) -> None:
    """Who wants the same agent or the same place waits for their turn: two inserts under an exclusion constraint
    may otherwise each wait for the other. Always in the same order."""
    names = sorted({f"agent {slot.agent_id}" for slot in slots}) + sorted(
        {f"place {slot.place_id}" for slot in slots if slot.place_id}
    )
    for name in names:
        session.execute(text("SELECT pg_advisory_xact_lock(hashtext(:name))"), {"name": name})


def _sweep_expired(session: Session, slot: Slot, now: datetime) -> None:
    """Expired holds in the way do not block: whoever comes next drops them, through a function that drops no other."""
    session.execute(
        text("SELECT sweep_expired_holds(:agent, :place, :during, :blocked, :now)").bindparams(
            bindparam("during", type_=TSTZRANGE), bindparam("blocked", type_=TSTZRANGE)
        ),
        {
            "agent": slot.agent_id,
            "place": slot.place_id,
            "during": slot.during,
            "blocked": slot.blocked,
            "now": now,
        },
    )


def _row(
    request_id: UUID, slot: Slot, desk: int | None, now: datetime, moving: UUID | None, until: datetime
) -> Appointment:
    return Appointment(
        id=uuid4(),
        request_id=request_id,
        agent_id=slot.agent_id,
        house_id=slot.house_id,
        place_id=slot.place_id,
        desk=desk,
        kind_id=slot.kind_id,
        mode=slot.mode,
        during=slot.during,
        blocked=slot.blocked,
        state=Standing.HELD,
        held_until=until,
        extra=False,
        moved_from=moving,
        made_at=now,
    )
