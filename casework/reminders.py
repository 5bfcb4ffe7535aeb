"""What people are told of their appointments: taken, moved, cancelled, and the reminders before; never at night.

Rows of appointments say what was told already, whoever changed them: a citizen's own role may write no message. The
worker looks each minute (`casework.rounds.keep_promises`). A message says when, where and how to change; never why.
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Sequence
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, exists, func, select, text
from sqlalchemy.orm import Session

from casework import booking
from casework.appointments import Appointment, Standing
from casework.notifications import Delivery, Notification, Subject, Template
from casework.people import ContactWay, ways_of
from casework.proposals import SlotOffer
from casework.requests import Request, SendingKeys
from casework.telling import tell
from casework.translation import PARIS
from casework.vocabulary import Channel, State

MORNING = time(8)
NIGHT = time(20)
EVENING = time(19, 30)
"""What would leave at night leaves then: half an hour for the first attempts to fail before the night."""

SLIP = timedelta(minutes=30)
"""So long may pass before somebody who did not come is written to: the tap may have been a slip."""

LONG_AGO = timedelta(days=7)
"""Of an appointment missed longer ago nobody is told."""


class Reminder(enum.Enum):
    """How long before an appointment, and by which channels."""

    WEEK = timedelta(days=7), frozenset({Channel.EMAIL, Channel.LETTER})
    TWO_DAYS = timedelta(days=2), frozenset({Channel.SMS, Channel.CALL})
    TWO_HOURS = timedelta(hours=2), frozenset({Channel.SMS})

    @property
    def channels(self) -> frozenset[Channel]:
        """By which of the person's channels it goes."""
        return self.value[1]

    def before(self, start: datetime) -> datetime:
        """That long before: at the same hour of Paris for days, whatever the clocks did meanwhile."""
        ahead = self.value[0]
        return start.astimezone(PARIS) - ahead if ahead.days else (start - ahead).astimezone(PARIS)


def is_night(moment: datetime) -> bool:
    """True when nobody should be woken: from 20:00 to 8:00 in Paris."""
    return not MORNING <= moment.astimezone(PARIS).time() < NIGHT


def moments(start: datetime, told_at: datetime) -> list[tuple[datetime, Reminder]]:
    """When each reminder of an appointment leaves, in order, for a person told of it at `told_at`.

    One whose time was over by then is left out. One that falls at night leaves the evening before; the morning
    after, if that evening is over and the appointment still to come.
    """
    found = []
    for reminder in Reminder:
        wanted = reminder.before(start)
        if wanted <= told_at:
            continue
        for moment in (wanted,) if not is_night(wanted) else (_evening(wanted), morning_after(wanted)):
            if told_at < moment < start:
                found.append((moment, reminder))
                break
    return sorted(found, key=lambda pair: pair[0])


def due(start: datetime, told_at: datetime, since: datetime, now: datetime) -> frozenset[Channel]:
    """The channels of the reminders whose moments came from `since` to now, both included; none at night or too late.

    Several at once, after a breakdown of the worker, are one message by each channel.
    """
    if is_night(now) or now >= start:
        return frozenset()
    ripe = [reminder.channels for moment, reminder in moments(start, told_at) if since <= moment <= now]
    return frozenset[Channel]().union(*ripe)


def next_moment(start: datetime, told_at: datetime, now: datetime) -> datetime | None:
    """When the next reminder leaves; None when none is left."""
    return next((moment for moment, _ in moments(start, told_at) if moment > now), None)


def _evening(moment: datetime) -> datetime:
    """The last evening before a moment of the night."""
    day = moment.date() if moment.time() >= NIGHT else moment.date() - timedelta(days=1)
    return datetime.combine(day, EVENING, PARIS)


def morning_after(moment: datetime) -> datetime:
    """The first morning after a moment of the night."""
    day = moment.date() if moment.time() < MORNING else moment.date() + timedelta(days=1)
    return datetime.combine(day, MORNING, PARIS)


def untold(session: Session, now: datetime, most: int) -> list[UUID]:
    """The coming appointments whose present state the person was not told, the soonest first.

    At night only those that begin before the morning: the others' news can wait.
    """
    query = select(Appointment.id).where(
        text("state IN ('booked', 'cancelled') AND told_state IS DISTINCT FROM state"),
        func.lower(Appointment.during) > now,
    )
    if is_night(now):
        query = query.where(func.lower(Appointment.during) <= morning_after(now.astimezone(PARIS)))
    return list(session.scalars(query.order_by(func.lower(Appointment.during)).limit(most)))


def tell_news(session: Session, appointment_id: UUID, keys: SendingKeys, now: datetime) -> None:
    """Tell a person that an appointment is booked, moved or cancelled; once, and nothing if it has begun.

    What still waits to leave about it, or about the one it replaces, is dropped: it is no longer true.
    """
    one = _locked(session, appointment_id)
    if one is None or one.told_state == one.state.value or one.start <= now:
        return
    if one.state is Standing.CANCELLED:
        template = Template.APPOINTMENT_CANCELLED
    elif one.state is Standing.BOOKED:
        template = Template.APPOINTMENT_MOVED if one.moved_from else Template.APPOINTMENT_BOOKED
    else:
        return
    _drop_waiting(session, [one.id, *([one.moved_from] if one.moved_from else [])])
    tell_appointment(session, one, template, keys, now)
    one.told_state, one.told_at = one.state.value, now
    one.remind_at = next_moment(one.start, now, now) if one.state is Standing.BOOKED else None


def missed(session: Session, now: datetime, most: int) -> list[UUID]:
    """The appointments that somebody said were missed, long enough ago to be sure; nobody is told at night."""
    if is_night(now):
        return []
    query = select(Appointment.id).where(
        text("state = 'missed' AND told_state IS DISTINCT FROM state"), Appointment.ended_at <= now - SLIP
    )
    return list(session.scalars(query.order_by(Appointment.ended_at).limit(most)))


def tell_missed(session: Session, appointment_id: UUID, keys: SendingKeys, now: datetime) -> None:
    """Tell a person that another appointment can be taken; once, and not when they have one or it is long ago."""
    one = _locked(session, appointment_id)
    if one is None or one.state is not Standing.MISSED or one.told_state == one.state.value:
        return
    if one.start >= now - LONG_AGO and not _has_later(session, one) and not _is_closed(session, one):
        tell_appointment(session, one, Template.APPOINTMENT_MISSED, keys, now)
    one.told_state, one.told_at = one.state.value, now


def _has_later(session: Session, one: Appointment) -> bool:
    """True when the same request has an appointment after this one."""
    later = exists().where(
        Appointment.request_id == one.request_id,
        Appointment.state == Standing.BOOKED,
        func.lower(Appointment.during) > one.start,
    )
    return session.scalar(select(later)) is True


def _is_closed(session: Session, one: Appointment) -> bool:
    return session.get_one(Request, one.request_id).state is State.CLOSED


def to_remind(session: Session, now: datetime, most: int) -> list[UUID]:
    """The booked appointments with a reminder to send now, in order; nobody at night."""
    if is_night(now):
        return []
    query = select(Appointment.id).where(text("state = 'booked'"), Appointment.remind_at <= now)
    return list(session.scalars(query.order_by(Appointment.remind_at).limit(most)))


def remind(session: Session, appointment_id: UUID, keys: SendingKeys, now: datetime) -> None:
    """Send the reminders of an appointment that are due, and set the time of the next one."""
    one = _locked(session, appointment_id)
    if one is None or one.state is not Standing.BOOKED or not one.told_at or not one.remind_at:
        return
    if channels := due(one.start, one.told_at, one.remind_at, now):
        tell_appointment(session, one, Template.APPOINTMENT_REMINDER, keys, now, channels)
    if one.remind_at <= now:
        one.remind_at = next_moment(one.start, one.told_at, now)


def tell_appointment(
    session: Session,
    appointment: Appointment,
    template: Template,
    keys: SendingKeys,
    now: datetime,
    channels: Collection[Channel] = frozenset(Channel),
) -> None:
    """Send a message on an appointment, with a fresh link, by those of the person's channels that are named."""
    request = session.get_one(Request, appointment.request_id)
    ways = ways_of(session, request.id, channels)
    tell(session, request, template, ways, keys, now, Subject(appointment_id=appointment.id))


def tell_offer(
    session: Session, offer: SlotOffer, ways: Sequence[ContactWay], keys: SendingKeys, now: datetime
) -> None:
    """Tell a person, by these ways, of a slot offered to them."""
    request = session.get_one(Request, offer.request_id)
    tell(session, request, Template.APPOINTMENT_OFFERED, ways, keys, now, Subject(offer_id=offer.id))


def is_stale(session: Session, notification: Notification, now: datetime) -> bool:
    """True when an appointment made a message untrue before it left: it has begun, or was moved or cancelled.

    One on an offer is untrue once that is over; one on a missed appointment, once they came or have another.
    """
    if notification.offer_id:
        return not session.get_one(SlotOffer, notification.offer_id).is_live(now)
    if notification.appointment_id is None:
        return False
    one = session.get_one(Appointment, notification.appointment_id)
    if notification.template is Template.APPOINTMENT_MISSED:
        return one.state is not Standing.MISSED or _has_later(session, one)
    cancelled = notification.template is Template.APPOINTMENT_CANCELLED
    return one.start <= now or one.state is not (Standing.CANCELLED if cancelled else Standing.BOOKED)


def by_day(notification: Notification, moment: datetime) -> datetime:
    """When to try again at the soonest: a message on an appointment that failed in the evening waits for the day."""
    if not (notification.appointment_id or notification.sign_up_id) or not is_night(moment):
        return moment
    return morning_after(moment.astimezone(PARIS))


def facts_of_offer(session: Session, offer_id: UUID) -> dict[str, Any]:
    """The same of an offered slot, and until when to answer."""
    offer = session.get_one(SlotOffer, offer_id)
    return {"until": offer.until, **_facts(session, offer)}


def facts_of(session: Session, appointment_id: UUID) -> dict[str, Any]:
    """What templates may say of an appointment: when, how and where; neither its kind nor with whom."""
    return _facts(session, session.get_one(Appointment, appointment_id))


def _facts(session: Session, one: Appointment | SlotOffer) -> dict[str, Any]:
    return {
        "start": one.start,
        "mode": one.mode.value,
        "place": booking.places(session, [one.place_id]).get(one.place_id or "")
        if one.mode == "here"
        else None,
    }


def _locked(session: Session, appointment_id: UUID) -> Appointment | None:
    """The appointment, unless another worker has it in hand."""
    return session.scalar(
        select(Appointment).where(Appointment.id == appointment_id).with_for_update(skip_locked=True)
    )


def _drop_waiting(session: Session, appointment_ids: list[UUID]) -> None:
    session.execute(
        delete(Notification).where(
            Notification.appointment_id.in_(appointment_ids),
            Notification.state.in_([Delivery.PENDING, Delivery.BY_HAND, Delivery.FAILED, Delivery.STOPPED]),
        )
    )
