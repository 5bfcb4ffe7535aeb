"""What people are told of the group sessions they signed up to: once for all who signed up together, never at night.

A message says "atelier", with its day, hour and place: never its title, which may tell why somebody comes.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Text, and_, case, cast, delete, func, or_, select
from sqlalchemy.orm import Session

from casework import booking
from casework.notifications import Delivery, Notification, Subject, Template
from casework.people import ways_of
from casework.reminders import Reminder, is_night, moments, morning_after, next_moment
from casework.requests import Request, SendingKeys
from casework.sessions import GroupSession, SessionState
from casework.sign_ups import LIVE, SignUp, SignUpState
from casework.telling import tell
from casework.translation import PARIS
from casework.vocabulary import Channel

OFF = "off"
"""What a sign-up reads when its session is called off."""

WRITTEN = frozenset({Channel.EMAIL, Channel.SMS})
EVERY = frozenset(Channel)
REMINDED_BY = {
    Reminder.WEEK: frozenset({Channel.LETTER}),
    Reminder.TWO_DAYS: frozenset({Channel.EMAIL, Channel.SMS, Channel.CALL}),
    Reminder.TWO_HOURS: frozenset({Channel.SMS}),
}
LETTERS_TAKE = timedelta(days=4)
"""A letter arrives after that: later, it waits for an agent only when the person has no other way."""

STANDS = case(
    (SignUp.state == SignUpState.CANCELLED, SignUpState.CANCELLED.value),
    (GroupSession.state == SessionState.CANCELLED, OFF),
    else_=cast(SignUp.state, Text),
)
"""What the person should know of a sign-up."""


def untold(session: Session, now: datetime, most: int) -> list[UUID]:
    """Sign-ups to come whose present state the person was not told, the soonest first; one for each group.

    At night only those that begin before the morning: the others' news can wait.
    """
    query = (
        select(func.min(cast(SignUp.id, Text)))
        .join(GroupSession, GroupSession.id == SignUp.session_id)
        .where(
            SignUp.state.in_([*LIVE, SignUpState.CANCELLED]),
            or_(
                SignUp.told_state.is_distinct_from(STANDS),
                and_(STANDS.in_([*LIVE]), SignUp.told_version.is_distinct_from(GroupSession.version)),
            ),
            func.lower(GroupSession.during) > now,
        )
        .group_by(SignUp.session_id, SignUp.request_id, SignUp.group_id)
        .order_by(func.min(func.lower(GroupSession.during)))
        .limit(most)
    )
    if is_night(now):
        query = query.where(func.lower(GroupSession.during) <= morning_after(now.astimezone(PARIS)))
    return [UUID(found) for found in session.scalars(query)]


def tell_news(session: Session, sign_up_id: UUID, keys: SendingKeys, now: datetime) -> None:
    """Tell those who signed up together what became of it; once, and nothing once the session has begun.

    What still waits to leave about it is dropped: it is no longer true.
    """
    group = _locked(session, sign_up_id)
    if not group:
        return
    one = session.get_one(GroupSession, group[0].session_id)
    if one.start <= now:
        return
    stands, before = _stands(one, group), _told(group)
    moved = before is not None and any(
        row.told_version != one.version for row in group if row.told_state in LIVE
    )
    template = _news(stands, before, moved=moved)
    if template:
        drop_waiting(session, group)
        channels = (
            WRITTEN if template is Template.SESSION_SIGNED or stands == SignUpState.CANCELLED else EVERY
        )
        _tell(session, group[0], one, template, keys, now, channels)
    for row in group:
        row.told_state = _stands(one, [row])
        row.told_version, row.told_at = one.version, now
        row.remind_at = next_moment(one.start, now, now) if row.told_state == SignUpState.SIGNED else None


def _news(stands: str, before: str | None, *, moved: bool) -> Template | None:
    """Which message says how it stands now to who was told `before`; None when there is nothing new."""
    if stands == OFF:
        return None if before == OFF else Template.SESSION_CANCELLED
    if stands == SignUpState.CANCELLED:
        return Template.SESSION_CANCELLED if before in LIVE else None
    if before not in LIVE:
        return Template.SESSION_SIGNED
    if stands == SignUpState.SIGNED and before == SignUpState.WAITING:
        return Template.SESSION_SEAT
    return Template.SESSION_MOVED if moved else None


def to_remind(session: Session, now: datetime, most: int) -> list[UUID]:
    """Sign-ups with a reminder to send now, in order, one for each group; nobody at night."""
    if is_night(now):
        return []
    query = (
        select(func.min(cast(SignUp.id, Text)))
        .where(SignUp.state == SignUpState.SIGNED, SignUp.remind_at <= now)
        .group_by(SignUp.session_id, SignUp.request_id, SignUp.group_id)
        .order_by(func.min(SignUp.remind_at))
        .limit(most)
    )
    return [UUID(found) for found in session.scalars(query)]


def remind(session: Session, sign_up_id: UUID, keys: SendingKeys, now: datetime) -> None:
    """Send the reminders of those who signed up together that are due, and set the time of the next one."""
    group = [row for row in _locked(session, sign_up_id) if row.state is SignUpState.SIGNED]
    due = [(row.told_at, row.remind_at) for row in group if row.told_at and row.remind_at]
    if not due:
        return
    one = session.get_one(GroupSession, group[0].session_id)
    told_at, remind_at = due[0]
    ripe = [
        REMINDED_BY[reminder]
        for moment, reminder in moments(one.start, told_at)
        if remind_at <= moment <= now < one.start and not is_night(now)
    ]
    if ripe and one.is_on:
        channels = frozenset[Channel]().union(*ripe)
        _tell(session, group[0], one, Template.SESSION_REMINDER, keys, now, channels)
    if remind_at <= now:
        for row in group:
            row.remind_at = next_moment(one.start, told_at, now)


def is_stale(session: Session, notification: Notification, now: datetime) -> bool:
    """True when a message on a group session became untrue before it left: it has begun, or stands otherwise."""
    if notification.sign_up_id is None:
        return False
    group = _group(session, notification.sign_up_id)
    one = session.get_one(GroupSession, group[0].session_id)
    stands = _stands(one, group)
    if one.start <= now:
        return True
    if notification.template is Template.SESSION_CANCELLED:
        return stands in LIVE
    needs_seat = notification.template in {Template.SESSION_SEAT, Template.SESSION_REMINDER}
    return stands not in ([SignUpState.SIGNED] if needs_seat else LIVE)


def facts_of(session: Session, sign_up_id: UUID) -> dict[str, Any]:
    """What templates may say of a sign-up: when, where, for how many, and how it stands; not what it is about."""
    group = _group(session, sign_up_id)
    one = session.get_one(GroupSession, group[0].session_id)
    return {
        "start": one.start,
        "mode": "here",
        "place": booking.places(session, [one.place_id])[one.place_id],
        "people": sum(row.state in LIVE for row in group),
        "stands": _stands(one, group),
    }


def drop_waiting(session: Session, group: Collection[SignUp]) -> None:
    """Forget the messages on some sign-ups that have not left."""
    session.execute(
        delete(Notification).where(
            Notification.sign_up_id.in_([row.id for row in group]),
            Notification.state.in_([Delivery.PENDING, Delivery.BY_HAND, Delivery.FAILED, Delivery.STOPPED]),
        )
    )


def _stands(one: GroupSession, group: Collection[SignUp]) -> str:
    """How it stands for those who signed up together: as for those who did not cancel."""
    live = {row.state.value for row in group if row.state is not SignUpState.CANCELLED}
    if not live:
        return SignUpState.CANCELLED
    if not one.is_on:
        return OFF
    return SignUpState.WAITING if live == {SignUpState.WAITING} else SignUpState.SIGNED


def _told(group: Collection[SignUp]) -> str | None:
    """What they were last told; None if nothing yet."""
    told = {row.told_state for row in group}
    order = (OFF, SignUpState.SIGNED, SignUpState.WAITING, SignUpState.CANCELLED)
    return next((state for state in order if state in told), None)


def _tell(
    session: Session,
    first: SignUp,
    one: GroupSession,
    template: Template,
    keys: SendingKeys,
    now: datetime,
    channels: Collection[Channel],
) -> None:
    """By those of the person's channels that are named, with a fresh link; by letter only if it can arrive."""
    request = session.get_one(Request, first.request_id)
    ways = ways_of(session, request.id, channels)
    others = [way for way in ways if way.channel is not Channel.LETTER]
    if others and one.start - now < LETTERS_TAKE:
        ways = others
    tell(session, request, template, ways, keys, now, Subject(sign_up_id=first.id))


def _group(session: Session, sign_up_id: UUID) -> list[SignUp]:
    """Everybody who signed up together with this one, in order, those who cancelled included."""
    same = session.get_one(SignUp, sign_up_id)
    return list(
        session.scalars(
            select(SignUp)
            .where(
                SignUp.session_id == same.session_id,
                SignUp.request_id == same.request_id,
                SignUp.group_id == same.group_id,
            )
            .order_by(SignUp.turn)
        )
    )


def _locked(session: Session, sign_up_id: UUID) -> list[SignUp]:
    """The same, locked; nobody when another worker has one of them in hand."""
    ids = [row.id for row in _group(session, sign_up_id)]
    held = session.scalars(
        select(SignUp)
        .where(SignUp.id.in_(ids))
        .order_by(SignUp.turn)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).all()
    return list(held) if len(held) == len(ids) else []
