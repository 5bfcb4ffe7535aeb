"""Running everything on one machine: for a trial, and as the example of what each process must be given."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import make_url, text
from sqlalchemy.orm import Session

from casework import demonstration, documents, rights, rights_search, schema, territory_files, worker
from casework.database import BACKOFFICE_ROLE, PORTAL_ROLE, connect
from casework.embedded import EmbeddedServer
from casework.settings import ROOT, Settings, SettingsError, from_environment, secret_value

DATABASE = "allervers"
PROCESSES = ("portal", "backoffice", "worker")
READY_WITHIN_SECONDS = 60
STOPPED_WITHIN_SECONDS = 15


def new_keys() -> dict[str, str]:
    """Fresh keys for an installation, by the name of their setting."""
    public, private = documents.new_key_pair()
    return {
        "PORTAL_SECRET_KEY": secrets.token_urlsafe(48),
        "BACKOFFICE_SECRET_KEY": secrets.token_urlsafe(48),
        "ACCESS_KEY": secrets.token_urlsafe(48),
        "DOCUMENTS_PUBLIC_KEY": public,
        "DOCUMENTS_PRIVATE_KEY": private,
        "PORTAL_DATABASE_PASSWORD": secrets.token_urlsafe(24),
        "BACKOFFICE_DATABASE_PASSWORD": secrets.token_urlsafe(24),
    }


def run_everything(environment: Mapping[str, str] = os.environ) -> int:
    """Start the database if none is given, prepare it, start the three processes, wait for Ctrl-C or SIGTERM.

    Returns the exit status: 0 when told to stop, 1 when a process fell.

    Raises:
        SettingsError: a port is taken, or a setting is wrong.
    """
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: stop.set())
    var = Path(environment.get("ALLERVERS_VAR") or ROOT / "var").resolve()
    var.mkdir(parents=True, exist_ok=True)
    ports = {
        "portal": int(environment.get("PORTAL_PORT") or 8000),
        "backoffice": int(environment.get("BACKOFFICE_PORT") or 8001),
    }
    for face, port in ports.items():
        _refuse_taken(face, port)
    keys = _kept_keys(var / "keys")
    server = None if environment.get("DATABASE_URL") else EmbeddedServer(var / "postgres")
    children: dict[str, subprocess.Popen[bytes]] = {}
    try:
        owner, portal, backoffice = _urls(environment, server, keys)
        common = {
            **{name: value for name, value in environment.items() if name not in keys},
            "ALLERVERS_VAR": str(var),
            "ACCESS_KEY": keys["ACCESS_KEY"],
            "DOCUMENTS_PUBLIC_KEY": keys["DOCUMENTS_PUBLIC_KEY"],
            "PORTAL_ADDRESS": environment.get("PORTAL_ADDRESS") or f"http://127.0.0.1:{ports['portal']}",
            "BACKOFFICE_ADDRESS": environment.get("BACKOFFICE_ADDRESS")
            or f"http://127.0.0.1:{ports['backoffice']}",
            "ALLERVERS_DEMONSTRATION": environment.get("ALLERVERS_DEMONSTRATION") or ("1" if server else "0"),
        }
        settings = from_environment({**common, "DATABASE_URL": owner})
        prepare(settings, (portal, backoffice))
        if settings.demonstration:
            _demonstrate(settings)
        given = {
            "portal": {"DATABASE_URL": portal, "SECRET_KEY": keys["PORTAL_SECRET_KEY"]},
            "backoffice": {
                "DATABASE_URL": backoffice,
                "SECRET_KEY": keys["BACKOFFICE_SECRET_KEY"],
                "DOCUMENTS_PRIVATE_KEY": keys["DOCUMENTS_PRIVATE_KEY"],
            },
            "worker": {"DATABASE_URL": backoffice, "DOCUMENTS_PRIVATE_KEY": keys["DOCUMENTS_PRIVATE_KEY"]},
        }
        for process in PROCESSES:
            children[process] = _start(process, {**common, **given[process]}, ports, environment)
        _wait_until_ready(ports, children, stop)
        if not stop.is_set():
            _greet(settings)
        return _watch(children, stop)
    finally:
        _stop(children)
        if server:
            server.stop()


def prepare(settings: Settings, role_urls: tuple[str, str]) -> None:
    """Schema, the two roles' passwords, territory, the words of the rights pages.

    `settings.database_url` is the owner's.
    """
    engine = connect(settings.database_url, pooled=False)
    schema.migrate(engine)
    schema.set_passwords(engine, list(role_urls))
    with Session(engine) as session, session.begin():
        territory_files.load(session, settings.territory)
        rights_search.load(session, rights.load_library())


def role_urls_from_environment(environment: Mapping[str, str] = os.environ) -> tuple[str, str]:
    """The addresses the portal and the back office will use.

    Raises:
        SettingsError: one is missing.
    """
    names = ("PORTAL_DATABASE_URL", "BACKOFFICE_DATABASE_URL")
    urls = tuple(secret_value(environment, name) for name in names)
    if not all(urls):
        raise SettingsError("Give PORTAL_DATABASE_URL and BACKOFFICE_DATABASE_URL, with their passwords.")
    return urls[0], urls[1]


def _urls(
    environment: Mapping[str, str], server: EmbeddedServer | None, keys: Mapping[str, str]
) -> tuple[str, str, str]:
    """Addresses for the owner, the portal and the back office."""
    if server is None:
        owner = make_url(environment["DATABASE_URL"])
        roles = (
            (PORTAL_ROLE, keys["PORTAL_DATABASE_PASSWORD"]), (BACKOFFICE_ROLE, keys["BACKOFFICE_DATABASE_PASSWORD"])
        )  # fmt: skip
        portal, backoffice = (
            owner.set(username=role, password=password).render_as_string(hide_password=False)
            for role, password in roles
        )
        return environment["DATABASE_URL"], portal, backoffice
    with (
        connect(server.url(), pooled=False)
        .connect()
        .execution_options(isolation_level="AUTOCOMMIT") as connection
    ):
        if not connection.scalar(text("SELECT 1 FROM pg_database WHERE datname = :name"), {"name": DATABASE}):
            connection.execute(text(f'CREATE DATABASE "{DATABASE}"'))
    return server.urls(DATABASE)


def _kept_keys(folder: Path) -> dict[str, str]:
    """This installation's keys, made at the first start; files only their owner reads."""
    folder.mkdir(mode=0o700, exist_ok=True)
    file = folder / "keys.env"
    if not file.exists():
        lines = "".join(f"{name}={value}\n" for name, value in new_keys().items())
        fresh = folder / "keys.new"
        fresh.touch(mode=0o600)
        fresh.write_text(lines, encoding="utf-8")
        fresh.rename(file)
    return dict(line.split("=", 1) for line in file.read_text(encoding="utf-8").splitlines())


def _demonstrate(settings: Settings) -> None:
    engine = connect(settings.database_url, pooled=False)
    with Session(engine) as session, session.begin():
        if not demonstration.filled(session):
            print("Filling in demonstration data…", flush=True)
            demonstration.fill(
                session,
                public_key=settings.documents_public_key,
                access_key=settings.access_key,
                now=worker.real_time(),
            )
            session.execute(text("ANALYZE"))  # thousands of rows came at once: the planner should know
        else:
            demonstration.receive_from_afar(session, worker.real_time())


def _start(
    process: str, given: dict[str, str], ports: Mapping[str, int], environment: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    if process == "worker":
        command = [sys.executable, "-m", "casework", "worker"]
    else:
        command = [
            sys.executable, "-m", "gunicorn", "--config", str(ROOT / "web" / "gunicorn_settings.py"),
            "--bind", f"{environment.get('ALLERVERS_BIND') or '127.0.0.1'}:{ports[process]}",
            f"{process}.app:create()",
        ]  # fmt: skip
    return subprocess.Popen(command, cwd=ROOT, env=given, start_new_session=True)  # noqa: S603 - our own commands


def _refuse_taken(face: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise SettingsError(
                f"Port {port} is taken. Choose another with {face.upper()}_PORT, for instance "
                f"PORTAL_PORT=8100 BACKOFFICE_PORT=8101 make run."
            ) from error


def _wait_until_ready(
    ports: Mapping[str, int], children: Mapping[str, subprocess.Popen[bytes]], stop: threading.Event
) -> None:
    until = time.monotonic() + READY_WITHIN_SECONDS
    for port in ports.values():
        while (
            not stop.is_set()
            and time.monotonic() < until
            and all(child.poll() is None for child in children.values())
        ):
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/sante", timeout=2):
                    break
            except OSError:
                stop.wait(0.1)


def _greet(settings: Settings) -> None:
    print(f"\n  Portal, for citizens:     {settings.portal_address}/")
    print(f"  Back office, for agents:  {settings.backoffice_address}/")
    if settings.demonstration and settings.directory is None:
        print(f"\n  Demonstration sign-ins, password “{demonstration.DEMO_PASSWORD}”:")
        for login, what in demonstration.DEMO_SIGN_INS:
            print(f"    {login:<24} {what}")
    print("\n  Ctrl-C stops everything.", flush=True)


def _watch(children: Mapping[str, subprocess.Popen[bytes]], stop: threading.Event) -> int:
    while not stop.wait(0.5):
        for name, child in children.items():
            if child.poll() is not None:
                print(
                    f"The {name} stopped by itself (status {child.returncode}); stopping the rest.",
                    file=sys.stderr,
                )
                return 1
    return 0


def _stop(children: Mapping[str, subprocess.Popen[bytes]]) -> None:
    for child in children.values():
        if child.poll() is None:
            child.terminate()
    until = time.monotonic() + STOPPED_WITHIN_SECONDS
    for child in children.values():
        try:
            child.wait(max(0.1, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
