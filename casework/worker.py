"""The worker: a process that does the jobs of the queue and, each minute, the rounds (`casework.rounds`).

Whether somebody is at work on a row is told by its lock, which PostgreSQL
drops with the connection of a worker that dies.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from threading import Thread
from uuid import UUID

import procrastinate
import psycopg
import pyrage
from procrastinate import PsycopgConnector
from procrastinate.exceptions import ProcrastinateException
from pyrage.x25519 import Identity as KeyPair
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import SQLAlchemyError

from casework import bridges, caldav, calendar_links, delivery, rounds, scanner, translating, translators
from casework.database import connect, transaction
from casework.settings import Settings, SettingsError

logger = logging.getLogger(__name__)

QUEUE = "default"
AT_ONCE = 4
NIGHTLY = "30 1 * * *"
KEEP_FAILED_JOBS_HOURS = 7 * 24
RESTART_SECONDS = 5.0

Clock = Callable[[], datetime]


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
        rounds.send_notification(engine, settings, UUID(row_id), clock())

    @app.task(name="scan_document", queue=QUEUE)
    def scan(row_id: str) -> None:
        scanner.scan_paper(engine, settings, UUID(row_id))

    @app.task(name="renew_link", queue=QUEUE)
    def renew(row_id: str) -> None:
        rounds.renew_link(engine, settings, UUID(row_id), clock())

    @app.task(name="take_text", queue=QUEUE)
    def take(row_id: str) -> None:
        rounds.take_text(engine, settings, UUID(row_id), clock())

    translator = translators.translator_of(settings)

    @app.task(name="translate_words", queue=QUEUE)
    def translate(row_id: str) -> None:
        translating.translate_row(engine, settings, translator, UUID(row_id), clock())

    @app.task(name="sweep", queue=QUEUE, priority=10)
    async def tidy(timestamp: int) -> None:  # noqa: ARG001 - the queue says for which minute
        await _tidy(app, engine, settings, clock())

    @app.task(name="renew_openings", queue=QUEUE)
    def renew_year(timestamp: int) -> None:  # noqa: ARG001 - the queue says for which night
        rounds.renew_openings(engine, clock())

    @app.task(name="sync_calendars", queue=QUEUE)
    def sync_calendars(timestamp: int) -> None:  # noqa: ARG001 - the queue says for which minute
        calendar_links.sync_due(engine, settings, clock())

    return app


async def _tidy(app: procrastinate.App, engine: Engine, settings: Settings, now: datetime) -> None:
    await asyncio.to_thread(rounds.sweep, engine, now)
    await asyncio.to_thread(rounds.take_texts, engine, settings, now)
    await asyncio.to_thread(rounds.keep_promises, engine, settings, now)
    await asyncio.to_thread(rounds.keep_waiting_rooms, engine, settings, now)
    await asyncio.to_thread(rounds.warn_houses, engine, settings, now)
    await asyncio.to_thread(rounds.offer_slots, engine, settings, now)
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
    await asyncio.to_thread(
        rounds.sweep, engine, real_time()
    )  # what a crash left behind need not wait for a minute
    async with app.open_async():
        working = asyncio.create_task(app.run_worker_async())
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        working.cancel()  # the queue takes no more jobs and finishes those under way
        with suppress(asyncio.CancelledError):
            await working


async def _drain(settings: Settings, clock: Clock) -> None:
    engine = connect(settings.database_url)
    try:
        app = make_worker(settings, engine, clock)
        async with app.open_async():
            await _tidy(app, engine, settings, clock())
            await asyncio.to_thread(calendar_links.sync_due, engine, settings, clock())
            while await asyncio.to_thread(_has_work, engine):
                await app.run_worker_async(wait=False, listen_notify=False)
    finally:
        engine.dispose()


def _has_work(engine: Engine) -> bool:
    with transaction(engine) as session:
        due = text(
            "status = 'todo' AND queue_name = :queue AND (scheduled_at IS NULL OR scheduled_at <= now())"
        )
        return session.scalar(select(select(rounds.JOBS).where(due).exists()), {"queue": QUEUE}) is True
