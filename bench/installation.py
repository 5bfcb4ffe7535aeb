"""A whole installation in a temporary folder: PostgreSQL that fears power cuts, la Vienne, and its processes."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text

from casework.database import connect
from casework.embedded import EmbeddedServer
from casework.running import new_keys, prepare
from casework.settings import ROOT, Settings, from_environment

READY_WITHIN_SECONDS = 60
STOPPED_WITHIN_SECONDS = 15


class NotReadyError(Exception):
    """A process does not answer."""


@dataclass(frozen=True)
class Installation:
    """Addresses for (owner, portal, back office), keys by the name of their setting, and a folder to write in."""

    folder: Path
    urls: tuple[str, str, str]
    bare_url: str
    keys: Mapping[str, str]

    def environment(self, process: str) -> dict[str, str]:
        """What a process (`portal`, `backoffice`, `worker`) is given, and nothing else."""
        own = {
            "portal": {"SECRET_KEY": self.keys["PORTAL_SECRET_KEY"], "DATABASE_URL": self.urls[1]},
            "backoffice": {"SECRET_KEY": self.keys["BACKOFFICE_SECRET_KEY"], "DATABASE_URL": self.urls[2]},
            "worker": {"DATABASE_URL": self.urls[2]},
        }[process]
        private = {} if process == "portal" else {"DOCUMENTS_PRIVATE_KEY": self.keys["DOCUMENTS_PRIVATE_KEY"]}
        shared = {name: self.keys[name] for name in ("ACCESS_KEY", "DOCUMENTS_PUBLIC_KEY")}
        return {**machine(), **shared, **private, **own, "ALLERVERS_VAR": str(self.folder)}

    def settings(self, process: str) -> Settings:
        """The same, as that process reads it."""
        return from_environment(self.environment(process))


@dataclass(frozen=True)
class Served:
    """An application under gunicorn."""

    port: int
    master: int

    @property
    def workers(self) -> list[int]:
        """The process ids that answer."""
        children = Path(f"/proc/{self.master}/task/{self.master}/children")
        return [int(pid) for pid in children.read_text(encoding="ascii").split()]


def machine() -> dict[str, str]:
    """What any of our processes needs of the environment."""
    return {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}


@contextmanager
def installed(var: Path) -> Iterator[Installation]:
    """An installation under `var`, gone at the end. Its territory is loaded; it holds no request."""
    var.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=var) as name:
        server = EmbeddedServer(Path(name) / "postgres")
        try:
            with connect(server.url(), pooled=False).connect() as connection:
                outside = connection.execution_options(isolation_level="AUTOCOMMIT")
                outside.execute(text("CREATE DATABASE allervers"))
                outside.execute(text("CREATE DATABASE bare"))
                if outside.scalar(text("SHOW fsync")) != "on":
                    raise NotReadyError(
                        "the figures would flatter: this PostgreSQL does not write to its disk"
                    )
            here = Installation(Path(name), server.urls("allervers"), server.url("bare"), new_keys())
            territory = ROOT / "territory" / "vienne"
            prepare(Settings(here.folder, territory, database_url=here.urls[0]), here.urls[1:])
            yield here
        finally:
            server.stop()


@contextmanager
def serving(application: str, environment: Mapping[str, str], ready: str) -> Iterator[Served]:
    """`application` under gunicorn with the settings of production, once the page `ready` answers.

    Raises:
        NotReadyError: it does not, within a minute.
    """
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listening:
        command = ["gunicorn", "--config", str(ROOT / "web" / "gunicorn_settings.py")]
        bind = ["--bind", f"fd://{listening.fileno()}", application]
        process = subprocess.Popen(
            [sys.executable, "-m", *command, *bind], cwd=ROOT, env=environment, pass_fds=[listening.fileno()]
        )
        try:
            served = Served(listening.getsockname()[1], process.pid)
            _wait_for(f"http://127.0.0.1:{served.port}{ready}", process)
            yield served
        finally:
            process.terminate()
            try:
                process.wait(STOPPED_WITHIN_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    """The socket listens already: one request waits until somebody answers it."""
    until = time.monotonic() + READY_WITHIN_SECONDS
    while process.poll() is None and time.monotonic() < until:
        try:
            with urllib.request.urlopen(address, timeout=READY_WITHIN_SECONDS):
                return
        except OSError as error:
            last = error
    raise NotReadyError(f"{address}: {last}")
