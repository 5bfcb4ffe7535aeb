"""Both faces and the worker as real processes, that can be killed without warning and come back."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

from sqlalchemy import Engine, text

from casework.settings import ROOT
from tests.conftest import Database

POLL_SECONDS = 0.005
PATIENCE_SECONDS = 40.0


def wait_until(condition: Callable[[], object], what: str, patience: float = PATIENCE_SECONDS) -> None:
    """Poll until something is true.

    Raises:
        TimeoutError: it was not, for that long.
    """
    tick, until = threading.Event(), time.monotonic() + patience
    while not condition():
        if time.monotonic() > until:
            raise TimeoutError(f"waited {patience:.0f} s for {what}")
        tick.wait(POLL_SECONDS)


def stopped_by_a_lock(owner: Engine, role: str) -> set[int]:
    """The database processes of a role that wait for a lock in the middle of a transaction."""
    query = """
        SELECT pid FROM pg_stat_activity
        WHERE usename = :role AND wait_event_type = 'Lock' AND datname = current_database()
    """
    with owner.connect() as connection:
        return set(connection.scalars(text(query), {"role": role}))


class Face:
    """A face under gunicorn. The listening socket is ours: while processes die, people wait at the door."""

    def __init__(
        self, application: str, database: Database, url: str, var: Path, log: IO[bytes], secret_key: str
    ) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.address = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        descriptor = self._socket.fileno()
        given = {
            **_common(database, var),
            "DATABASE_URL": url,
            "SECRET_KEY": secret_key,
            "PORTAL_ADDRESS": self.address,
        }
        command = [
            "gunicorn",
            "--config",
            "web/gunicorn_settings.py",
            "--bind",
            f"fd://{descriptor}",
            application,
        ]
        self._master = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=ROOT,
            env=given,
            stderr=log,
            stdout=log,
            pass_fds=[descriptor],
        )

    def workers(self) -> list[int]:
        """The process ids of those who answer people now."""
        children = Path(f"/proc/{self._master.pid}/task/{self._master.pid}/children")
        return [int(pid) for pid in children.read_text(encoding="ascii").split()]

    def kill(self, how_many: int) -> int:
        """Kill as many workers without warning; the master starts others. Returns how many died."""
        wait_until(lambda: len(self.workers()) >= how_many, "the portal's processes")
        victims = self.workers()[:how_many]
        for pid in victims:
            os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not set(victims) & set(self.workers()), "the killed processes to be gone")
        return len(victims)

    def stop(self) -> None:
        """Stop for good."""
        self._master.terminate()
        try:
            self._master.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self._master.kill()
        self._socket.close()


class Portal(Face):
    """The citizens' face."""

    secret_key = "a secret of the portal in tests"

    def __init__(self, database: Database, var: Path, log: IO[bytes]) -> None:
        super().__init__("portal.app:create()", database, database.urls[1], var, log, self.secret_key)


class BackOffice(Face):
    """The agents' face."""

    secret_key = "a secret of the back office in tests"

    def __init__(self, database: Database, var: Path, log: IO[bytes]) -> None:
        super().__init__("backoffice.app:create()", database, database.urls[2], var, log, self.secret_key)


class Worker:
    """The worker of the house; `kill` it, `start` it again."""

    def __init__(self, database: Database, var: Path, log: IO[bytes]) -> None:
        self._given = {
            **_common(database, var),
            "DATABASE_URL": database.urls[2],
            "DOCUMENTS_PRIVATE_KEY": database.private_key,
        }
        self._log = log
        self.start()

    def start(self) -> None:
        """Start a fresh one."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "casework", "worker"],
            cwd=ROOT, env=self._given, stderr=self._log, stdout=self._log, start_new_session=True,
        )  # fmt: skip

    def kill(self) -> int:
        """Kill it without warning; returns how many died."""
        self._process.kill()
        self._process.wait(PATIENCE_SECONDS)
        return 1


def _common(database: Database, var: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "ALLERVERS_VAR": str(var),
        "ACCESS_KEY": database.access_key,
        "DOCUMENTS_PUBLIC_KEY": database.public_key,
    }
