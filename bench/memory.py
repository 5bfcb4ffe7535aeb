"""The memory each process holds once it has worked a little."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import text

from bench.installation import Installation, NotReadyError, Served, serving
from bench.load import Ask, Plan, run
from bench.people import People
from bench.queue_page import secretary
from bench.report import Measure
from casework.database import connect
from casework.settings import ROOT

WARM_SECONDS = 1.0
PDF_SECONDS = 10.0
WORKED_WITHIN_SECONDS = 20
POLL_SECONDS = 0.05


def measure(here: Installation) -> list[Measure]:
    """Start the three processes, let them work, weigh each of theirs."""
    with (
        serving("portal.app:create()", here.environment("portal"), "/sante") as portal,
        serving("backoffice.app:create()", here.environment("backoffice"), "/sante") as backoffice,
        _working(here) as worker,
    ):
        _warm_up(here, portal, backoffice)
        measures = [
            *_of("portal", portal), *_of("backoffice", backoffice), *_each("worker", [worker.pid], "after its work"),
        ]  # fmt: skip
        family = [portal.master, *portal.workers, backoffice.master, *backoffice.workers, worker.pid]
        total = sum(resident(pid)[1] for pid in family)
        against = f"proportional memory of all {len(family)} processes, without PostgreSQL"
        return [*measures, Measure("memory.all", total, "MB", None, "lower", against)]


@contextmanager
def _working(here: Installation) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "casework", "worker"], cwd=ROOT, env=here.environment("worker")
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(WORKED_WITHIN_SECONDS)


def _warm_up(here: Installation, portal: Served, backoffice: Served) -> None:
    """Pages on both faces, sendings, receipts as PDF, and the worker done with all that came of it."""
    visits = People(here).about_to_send(200)
    run(Plan(portal.port, WARM_SECONDS, [("", [Ask("/ar/"), Ask("/fr/demande/sujet")])], 200))
    run(Plan(portal.port, WARM_SECONDS, visits, 303))
    run(Plan(portal.port, PDF_SECONDS, [(cookies, [Ask("/fr/recu.pdf")]) for cookies, _ in visits[:8]], 200))
    _, agent = secretary(here)
    run(Plan(backoffice.port, WARM_SECONDS, [(agent, [Ask("/fr/file"), Ask("/fr/envois")])], 200))
    owner = connect(here.urls[0], pooled=False)
    waiting, until = threading.Event(), time.monotonic() + WORKED_WITHIN_SECONDS
    with owner.connect() as connection:
        while connection.scalar(text("SELECT count(*) FROM notifications WHERE state = 'pending'")):
            if time.monotonic() > until:
                raise NotReadyError("the worker is not done")
            waiting.wait(POLL_SECONDS)


def _of(face: str, served: Served) -> list[Measure]:
    """The master, and the mean of the processes that answer."""
    masters, answering = [served.master], served.workers
    return [
        *_each(f"{face}.master", masters, "it loads the application, the others are born of it"),
        *_each(f"{face}.process", answering, f"mean of {len(answering)}, after sendings and PDF receipts"),
    ]


def _each(name: str, pids: list[int], against: str) -> list[Measure]:
    sizes = [resident(pid) for pid in pids]
    rss, pss = (sum(size[which] for size in sizes) / len(sizes) for which in (0, 1))
    return [
        Measure(f"memory.{name}.rss", rss, "MB", None, "lower", against),
        Measure(
            f"memory.{name}.pss",
            pss,
            "MB",
            None,
            "lower",
            "pages shared with its family divided between them",
        ),
    ]


def resident(pid: int) -> tuple[float, float]:
    """(resident, proportional) memory of a process, in megabytes of a million bytes."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    rss, pss = (int(re.findall(rf"^{name}:\s+(\d+) kB", rollup, re.MULTILINE)[0]) for name in ("Rss", "Pss"))
    return rss * 1024 / 1e6, pss * 1024 / 1e6
