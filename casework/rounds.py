"""What the worker does for one row, and on its round of each minute: what is due, and what a crash left behind.

Work is a row with a state (design rule 2); a job of the queue carries only the row's id and may be lost,
doubled or late without harm. Each minute a sweep gives a job to every row that waits without one, so retries
and recovery are one mechanism.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Engine, Select, Text, cast, column, or_, select, table, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import InstrumentedAttribute, Session

from casework import (
    access,
    agenda,
    agents,
    answers,
    appointments,
    closing_time,
    delivery,
    lost_links,
    places,
    proposals,
    reminders,
    requests,
    session_news,
    silent_desks,
    stock,
    translated_words,
    translating,
    turn_news,
    turns,
)
from casework.database import defer, transaction
from casework.documents import Document, Scan
from casework.identity import load_identity
from casework.notifications import Delivery, LostLink, Notification
from casework.requests import SendingKeys
from casework.settings import Settings

logger = logging.getLogger(__name__)

Key = TypeVar("Key")
Due = Callable[[Session, datetime, int], Sequence[UUID]]
Act = Callable[[Session, UUID, SendingKeys, datetime], object]

SCAN_PATIENCE = timedelta(minutes=2)
MOST_PER_SWEEP = 500
JOBS = table("procrastinate_jobs", column("task_name", Text), column("args", JSONB))
"""The queue's own table; `status` is of a type of its own."""


def send_notification(engine: Engine, settings: Settings, row_id: UUID, now: datetime) -> None:
    """Try to send one notification, unless it left, is not due, or another worker holds it.

    What nobody foresaw counts as a failed attempt: a message that can never leave must reach an agent's eyes.
    """
    try:
        with transaction(engine) as session:
            if notification := delivery.held(session, row_id, now):
                delivery.send(session, settings, notification, now)
    except Exception:
        logger.exception("notification %s", row_id)
        with transaction(engine) as session:
            if notification := delivery.held(session, row_id, now):
                failure = delivery.TemporaryFailureError(delivery.UNEXPECTED)
                delivery.postpone(session, notification, failure, now)


def renew_link(engine: Engine, settings: Settings, row_id: UUID, now: datetime) -> None:
    """See to one lost link."""
    with transaction(engine) as session:
        lost_links.renew(session, row_id, SendingKeys.of(settings), now)


def take_text(engine: Engine, settings: Settings, row_id: UUID, now: datetime) -> None:
    """See to one incoming text message, unless it was seen to; what nobody foresaw leaves it to an agent."""
    keys = SendingKeys.of(settings)
    try:
        with transaction(engine) as session:
            answers.see_to(session, row_id, keys, load_identity(settings.territory).cancel_until_hours, now)
    except Exception:
        logger.exception("text message %s", row_id)
        with transaction(engine) as session:
            answers.leave_to_agents(session, row_id)


def take_texts(engine: Engine, settings: Settings, now: datetime) -> None:
    """See to every text message that a crash left behind, and forget the old ones."""
    with transaction(engine) as session:
        answers.forget_old(session, now)
        found = answers.unseen(session, MOST_PER_SWEEP)
    for row_id in found:
        take_text(engine, settings, row_id, now)


def renew_openings(engine: Engine, now: datetime) -> None:
    """Make the openings of one more day, a year ahead, and close pop-ups; a night missed is made up by the next."""
    with transaction(engine) as session:
        agenda.renew(session, now.astimezone(requests.PARIS).date())
        places.close_past_popups(session, now)


def sweep(engine: Engine, now: datetime) -> None:
    """Give a job to every row that is due and has none, and forget what has served its time."""
    with transaction(engine) as session:
        for task, row_id, due in (
            (
                "send_notification",
                Notification.id,
                (Notification.state == Delivery.PENDING)
                & or_(Notification.attempts == 0, Notification.next_attempt_at <= now),
            ),
            (
                "scan_document",
                Document.id,
                (Document.scan == Scan.PENDING) & (Document.received_at < now - SCAN_PATIENCE),
            ),
            ("renew_link", LostLink.id, LostLink.done_at.is_(None)),
        ):
            for found in session.scalars(_without_job(task, row_id, due)).all():
                defer(session, task, found)
    note_lapsed(engine, now)
    with transaction(engine) as session:
        translating.give_jobs(session, MOST_PER_SWEEP)
        translated_words.forget_old(session, now)
        appointments.forget_expired_holds(session, now)
        requests.forget_old_drafts(session, now)
        closing_time.forget_old(session, now, MOST_PER_SWEEP)
        access.forget_old_guesses(session, now)
        agents.forget_old_sessions(session, now)


def keep_promises(engine: Engine, settings: Settings, now: datetime) -> None:
    """Tell people what became of their appointments and sessions, and remind those whose time has come."""
    keys = SendingKeys.of(settings)

    def tell(due: Due, act: Act) -> None:
        _each(
            engine,
            act.__module__,
            lambda session: due(session, now, MOST_PER_SWEEP),
            lambda session, one: act(session, one, keys, now),
        )

    tell(reminders.untold, reminders.tell_news)
    tell(reminders.to_remind, reminders.remind)
    tell(reminders.missed, reminders.tell_missed)
    tell(session_news.untold, session_news.tell_news)
    tell(session_news.to_remind, session_news.remind)


def warn_houses(engine: Engine, settings: Settings, now: datetime) -> None:
    """Write to the houses whose free places run out: once a day, from eight in the morning on.

    Again in a minute if the mail server is away.
    """
    _each(
        engine,
        "house",
        lambda session: stock.untold(session, now),
        lambda session, house_id: stock.tell(session, settings, house_id, now),
    )


def note_lapsed(engine: Engine, now: datetime) -> None:
    """Write down the offers nobody answered, before their holds are forgotten; drop what was to be said of them."""
    _each(
        engine,
        "offer",
        lambda session: proposals.late(session, now),
        lambda session, offer_id: proposals.lapse(session, offer_id, now),
    )
    with transaction(engine) as session:
        proposals.drop_untold(session)


def offer_slots(engine: Engine, settings: Settings, now: datetime) -> None:
    """Go down the waiting list once, by day, one worker at a time: to each the first slot that suits them."""
    if not turns.may_offer(now):
        return
    keys = SendingKeys.of(settings)
    limit = load_identity(settings.territory).move_until_hours
    with transaction(engine) as watch:
        if not turns.alone(watch):
            return
        waiting = turns.in_turn(watch, now, limit)
        looked = turns.Looked(watch, waiting, now)
        for turn in waiting:
            try:
                if found := looked.slots(turn):
                    with transaction(engine) as session:
                        if made := turns.offer(session, turn, found, now):
                            reminders.tell_offer(session, *made, keys, now)
            except Exception:
                logger.exception("waiting %s", turn.waiting_id)


def keep_waiting_rooms(engine: Engine, settings: Settings, now: datetime) -> None:
    """Virtual permanences: silent desks, places that are lost, turns that come near, who is left at the end."""
    with transaction(engine) as session:
        silent_desks.recover(session, now)
        closing_time.note_gone(session, now)
    keys = SendingKeys.of(settings)
    days = load_identity(settings.territory).urgent_working_days
    _each(
        engine,
        "visit",
        lambda session: turn_news.near(session, now, MOST_PER_SWEEP),
        lambda session, one: turn_news.tell(session, one, settings, keys, now),
    )
    _each(
        engine,
        "visit",
        lambda session: closing_time.left_over(session, now, MOST_PER_SWEEP),
        lambda session, one: closing_time.see_off(session, one, now),
    )
    _each(
        engine,
        "visit",
        lambda session: closing_time.without_request(session, MOST_PER_SWEEP),
        lambda session, one: closing_time.make_request(session, one, days, now),
    )


def _each(
    engine: Engine,
    what: str,
    due: Callable[[Session], Sequence[Key]],
    act: Callable[[Session, Key], object],
) -> None:
    """Act on all that is due, each in its own transaction: one that fails keeps no other waiting."""
    with transaction(engine) as session:
        found = due(session)
    for one in found:
        try:
            with transaction(engine) as session:
                act(session, one)
        except delivery.DeliveryError as failure:
            logger.warning("%s %s is told later: %s", what, one, failure.cause)
        except Exception:
            logger.exception("%s %s", what, one)


def _without_job(task: str, row_id: InstrumentedAttribute[UUID], due: ColumnElement[bool]) -> Select[UUID]:
    """Ids of due rows for which no job of that task waits."""
    waiting = (
        select(JOBS)
        .where(text("status = 'todo'"), JOBS.c.task_name == task)
        .where(JOBS.c.args["row_id"].astext == cast(row_id, Text))
    )
    return select(row_id).where(due, ~waiting.exists()).limit(MOST_PER_SWEEP)
