"""The worker: sends notifications, scans papers, renews lost links, picks up whatever a crash left behind.

Work is a row with a state (design rule 2); a job of the queue carries only the row's id and may be lost,
doubled or late without harm. Each minute a sweep gives a job to every row that waits without one, so retries
and recovery are one mechanism. Whether somebody is at work on a row is told by its lock, which PostgreSQL
drops with the connection of a worker that dies.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from threading import Thread
from uuid import UUID

import procrastinate
import psycopg
import pyrage
from procrastinate import PsycopgConnector
from procrastinate.exceptions import ProcrastinateException
from pyrage.x25519 import Identity as KeyPair
from sqlalchemy import ColumnElement, Engine, Select, Text, cast, column, or_, select, table, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import InstrumentedAttribute, Session

from casework import (
    access,
    agenda,
    agents,
    answers,
    appointments,
    bridges,
    caldav,
    calendar_links,
    closing_time,
    delivery,
    lost_links,
    places,
    proposals,
    reminders,
    requests,
    scanner,
    session_news,
    silent_desks,
    stock,
    translated_words,
    translating,
    translators,
    turn_news,
    turns,
)
from casework.database import connect, defer, transaction
from casework.documents import Document, Scan
from casework.identity import load_identity
from casework.notifications import Delivery, LostLink, Notification
from casework.requests import SendingKeys
from casework.settings import Settings, SettingsError

logger = logging.getLogger(__name__)

QUEUE = "default"
AT_ONCE = 4
SCAN_PATIENCE = timedelta(minutes=2)
MOST_PER_SWEEP = 500
NIGHTLY = "30 1 * * *"
KEEP_FAILED_JOBS_HOURS = 7 * 24
RESTART_SECONDS = 5.0

Clock = Callable[[], datetime]
JOBS = table("procrastinate_jobs", column("task_name", Text), column("args", JSONB))


def real_time() -> datetime:
    """Now."""
    return datetime.now(UTC)


def run(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT, then finish the jobs under way. Outlives the database's restarts.

    Raises:
        SettingsError: a key or an address is missing or wrong.
    """
    check(settings)
    asyncio.run(_run(settings))


def drain(settings: Settings, clock: Clock = real_time) -> None:
    """Do everything that is due, once, and return: for tests and for the command line.

    May run beside workers, and in a thread that has an event loop.

    Raises:
        SettingsError: a key or an address is missing or wrong.
    """
    check(settings)
    failures: list[BaseException] = []

    def work() -> None:
        try:
            asyncio.run(_drain(settings, clock))
        except BaseException as error:
            failures.append(error)

    thread = Thread(target=work, name="drain")
    thread.start()
    thread.join()
    if failures:
        raise failures[0]


def check(settings: Settings) -> None:
    """Refuse to start with settings that would make every job fail.

    Raises:
        SettingsError: names the setting.
    """
    if not settings.access_key:
        raise SettingsError("ACCESS_KEY is empty: the worker needs the key that the portal has.")
    try:
        public_key = str(KeyPair.from_str(settings.documents_private_key).to_public())
    except pyrage.IdentityError as error:
        raise SettingsError("DOCUMENTS_PRIVATE_KEY should begin with AGE-SECRET-KEY-1.") from error
    if public_key != settings.documents_public_key:
        raise SettingsError("DOCUMENTS_PUBLIC_KEY and DOCUMENTS_PRIVATE_KEY are not of one pair.")
    if settings.smtp_url:
        delivery.mail_address(settings)
    if settings.clamd_url:
        scanner.clamd_of(settings)
    if settings.caldav_url:
        caldav.check_address(settings.caldav_url)
    translators.translator_of(settings)
    bridges.check(settings)


def make_worker(settings: Settings, engine: Engine, clock: Clock = real_time) -> procrastinate.App:
    """The queue's tasks; they and the queue sign in to the database as the back office's role."""
    app = procrastinate.App(
        connector=PsycopgConnector(conninfo=settings.database_url, min_size=1, max_size=4),
        worker_defaults={
            "queues": [QUEUE],
            "concurrency": AT_ONCE,
            "delete_jobs": "successful",
            "install_signal_handlers": False,
        },
    )

    @app.task(name="send_notification", queue=QUEUE)
    def send(row_id: str) -> None:
        send_notification(engine, settings, UUID(row_id), clock())

    @app.task(name="scan_document", queue=QUEUE)
    def scan(row_id: str) -> None:
        scanner.scan_paper(engine, settings, UUID(row_id))

    @app.task(name="renew_link", queue=QUEUE)
    def renew(row_id: str) -> None:
        renew_link(engine, settings, UUID(row_id), clock())

    @app.task(name="take_text", queue=QUEUE)
    def take(row_id: str) -> None:
        take_text(engine, settings, UUID(row_id), clock())

    translator = translators.translator_of(settings)

    @app.task(name="translate_words", queue=QUEUE)
    def translate(row_id: str) -> None:
        translating.translate_row(engine, settings, translator, UUID(row_id), clock())

    @app.task(name="sweep", queue=QUEUE, priority=10)
    async def tidy(timestamp: int) -> None:  # noqa: ARG001 - the queue says for which minute
        await _tidy(app, engine, settings, clock())

    @app.task(name="renew_openings", queue=QUEUE)
    def renew_year(timestamp: int) -> None:  # noqa: ARG001 - the queue says for which night
        renew_openings(engine, clock())

    @app.task(name="sync_calendars", queue=QUEUE)
    def sync_calendars(timestamp: int) -> None:  # noqa: ARG001 - the queue says for which minute
        calendar_links.sync_due(engine, settings, clock())

    return app


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
        access.forget_old_guesses(session, now)
        agents.forget_old_sessions(session, now)


def keep_promises(engine: Engine, settings: Settings, now: datetime) -> None:
    """Tell people what became of their appointments and sessions, and remind those whose time has come.

    Each in its own transaction: one that fails keeps no other waiting.
    """
    keys = SendingKeys.of(settings)
    for due, act in (
        (reminders.untold, reminders.tell_news),
        (reminders.to_remind, reminders.remind),
        (reminders.missed, reminders.tell_missed),
        (session_news.untold, session_news.tell_news),
        (session_news.to_remind, session_news.remind),
    ):
        with transaction(engine) as session:
            found = due(session, now, MOST_PER_SWEEP)
        for found_id in found:
            try:
                with transaction(engine) as session:
                    act(session, found_id, keys, now)
            except Exception:
                logger.exception("%s %s", act.__module__, found_id)


def warn_houses(engine: Engine, settings: Settings, now: datetime) -> None:
    """Write to the houses whose free places run out: once a day, from eight in the morning on; again in a minute if the
    mail server is away."""
    with transaction(engine) as session:
        found = stock.untold(session, now)
    for house_id in found:
        try:
            with transaction(engine) as session:
                stock.tell(session, settings, house_id, now)
        except delivery.TemporaryFailureError as failure:
            logger.warning("house %s is told of its places later: %s", house_id, failure.cause)
        except Exception:
            logger.exception("house %s", house_id)


def note_lapsed(engine: Engine, now: datetime) -> None:
    """Write down the offers nobody answered, before their holds are forgotten; drop what was to be said of them."""
    with transaction(engine) as session:
        found = proposals.late(session, now)
    for offer_id in found:
        try:
            with transaction(engine) as session:
                proposals.lapse(session, offer_id, now)
        except Exception:
            logger.exception("offer %s", offer_id)
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
    """Virtual permanences: desks that fell silent, places that are lost, turns that come near, who is left at the end.

    Each person in their own transaction: one that fails keeps no other waiting.
    """
    with transaction(engine) as session:
        silent_desks.recover(session, now)
        closing_time.note_gone(session, now)
    keys = SendingKeys.of(settings)
    days = load_identity(settings.territory).urgent_working_days
    rounds: tuple[tuple[Callable[[Session], list[UUID]], Callable[[Session, UUID], None]], ...] = (
        (
            lambda session: turn_news.near(session, now, MOST_PER_SWEEP),
            lambda session, one: turn_news.tell(session, one, settings, keys, now),
        ),
        (
            lambda session: closing_time.left_over(session, now, MOST_PER_SWEEP),
            lambda session, one: closing_time.see_off(session, one, now),
        ),
        (
            lambda session: closing_time.without_request(session, MOST_PER_SWEEP),
            lambda session, one: closing_time.make_request(session, one, days, now),
        ),
    )
    for due, act in rounds:
        with transaction(engine) as session:
            found = due(session)
        for visit_id in found:
            try:
                with transaction(engine) as session:
                    act(session, visit_id)
            except delivery.DeliveryError as failure:
                logger.warning("visit %s is told later: %s", visit_id, failure.cause)
            except Exception:
                logger.exception("visit %s", visit_id)


def _without_job(task: str, row_id: InstrumentedAttribute[UUID], due: ColumnElement[bool]) -> Select[UUID]:
    """Ids of due rows for which no job of that task waits."""
    waiting = (
        select(JOBS)
        .where(text("status = 'todo'"), JOBS.c.task_name == task)
        .where(JOBS.c.args["row_id"].astext == cast(row_id, Text))
    )
    return select(row_id).where(due, ~waiting.exists()).limit(MOST_PER_SWEEP)


async def _tidy(app: procrastinate.App, engine: Engine, settings: Settings, now: datetime) -> None:
    await asyncio.to_thread(sweep, engine, now)
    await asyncio.to_thread(take_texts, engine, settings, now)
    await asyncio.to_thread(keep_promises, engine, settings, now)
    await asyncio.to_thread(keep_waiting_rooms, engine, settings, now)
    await asyncio.to_thread(warn_houses, engine, settings, now)
    await asyncio.to_thread(offer_slots, engine, settings, now)
    await asyncio.to_thread(bridges.tidy, engine, settings, now)
    for job in await app.job_manager.get_stalled_jobs():  # of workers without a heartbeat
        with suppress(ProcrastinateException):  # a colleague was quicker
            await app.job_manager.retry_job(job)
    await app.job_manager.delete_old_jobs(
        nb_hours=KEEP_FAILED_JOBS_HOURS, include_failed=True, include_cancelled=True, include_aborted=True
    )


async def _run(settings: Settings) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    while not stop.is_set():
        engine = connect(settings.database_url)
        try:
            await _work_until(stop, make_worker(settings, engine), engine)
        except (ProcrastinateException, psycopg.Error, SQLAlchemyError):
            logger.exception("worker: the database is away, trying again in %s s", RESTART_SECONDS)
        finally:
            engine.dispose()
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), RESTART_SECONDS)


async def _work_until(stop: asyncio.Event, app: procrastinate.App, engine: Engine) -> None:
    """Work until asked to stop, or until the queue's connections fail."""
    app.periodic(cron="* * * * *")(app.tasks["sweep"])
    app.periodic(cron="* * * * *")(app.tasks["sync_calendars"])
    app.periodic(cron=NIGHTLY)(app.tasks["renew_openings"])
    await asyncio.to_thread(sweep, engine, real_time())  # what a crash left behind need not wait for a minute
    async with app.open_async():
        working = asyncio.create_task(app.run_worker_async())
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        working.cancel()  # the queue takes no more jobs and finishes those under way
        with suppress(asyncio.CancelledError):
            await working


async def _drain(settings: Settings, clock: Clock) -> None:
    engine = connect(settings.database_url, pooled=False)
    app = make_worker(settings, engine, clock)
    async with app.open_async():
        await _tidy(app, engine, settings, clock())
        await asyncio.to_thread(calendar_links.sync_due, engine, settings, clock())
        while await asyncio.to_thread(_has_work, engine):
            await app.run_worker_async(wait=False, listen_notify=False)


def _has_work(engine: Engine) -> bool:
    with transaction(engine) as session:
        due = text(
            "status = 'todo' AND queue_name = :queue AND (scheduled_at IS NULL OR scheduled_at <= now())"
        )
        return session.scalar(select(select(JOBS).where(due).exists()), {"queue": QUEUE}) is True
