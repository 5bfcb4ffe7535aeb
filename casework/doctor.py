"""Does this installation work? Each thing it stands on is tried for real, and said in one line."""

from __future__ import annotations

import smtplib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from casework import delivery, scanner, schema, translators
from casework.database import connect
from casework.documents import Scan
from casework.settings import Settings, SettingsError
from casework.vocabulary import LANGUAGES

HELLO = "Bonjour."


@dataclass(frozen=True)
class Finding:
    """One line: what was tried, whether it works, and what to know. `works` is None for what is not set up."""

    what: str
    works: bool | None
    said: str = ""

    def __str__(self) -> str:
        """As the command prints it."""
        mark = {True: "ok     ", False: "WRONG  ", None: "absent "}[self.works]
        return f"{mark}{self.what}{': ' if self.said else ''}{self.said}"


def examine(settings: Settings) -> Iterator[Finding]:
    """Try the database, mail, the virus scanner and each pair of languages, one after the other."""
    checks: tuple[tuple[str, Callable[[Settings], Finding]], ...] = (
        ("database", _database),
        ("mail", _mail),
        ("virus scanner", _scanner),
    )
    for what, check in checks:
        try:
            yield check(settings)
        except (
            OSError,
            SettingsError,
            SQLAlchemyError,
            smtplib.SMTPException,
            delivery.DeliveryError,
        ) as error:
            yield Finding(what, works=False, said=_short(error))
    yield from _translation(settings)


def _database(settings: Settings) -> Finding:
    engine = connect(settings.database_url, pooled=False)
    with engine.connect() as connection:
        present = MigrationContext.configure(connection).get_current_revision()
        head = ScriptDirectory.from_config(schema.alembic_config(connection)).get_current_head()
        version = connection.scalar(text("SHOW server_version"))
    if present != head:
        return Finding("database", works=False, said=f"schema {present}, the program wants {head}: prepare")
    return Finding("database", works=True, said=f"PostgreSQL {version}, schema {present}")


def _mail(settings: Settings) -> Finding:
    if not settings.smtp_url:
        return Finding("mail", works=None, said="SMTP_URL is empty: an agent passes messages on by hand")
    with delivery.mail_server(settings) as server:
        server.noop()
    return Finding("mail", works=True)


def _scanner(settings: Settings) -> Finding:
    if not settings.clamd_url:
        return Finding("virus scanner", works=None, said="CLAMD_URL is empty: papers are not scanned")
    try:
        clean = scanner.scan(scanner.clamd_of(settings), b"nothing") is Scan.CLEAN
    except scanner.ScannerUnavailableError as error:
        return Finding("virus scanner", works=False, said=_short(error))
    return Finding("virus scanner", works=clean)


def _translation(settings: Settings) -> Iterator[Finding]:
    """Each language of the interface to French and back: for real, since a model may be there and broken."""
    try:
        translator = translators.translator_of(settings)
        pairs = translator.pairs()
    except (translators.EngineDownError, SettingsError) as error:
        yield Finding("translation", works=False, said=_short(error))
        return
    if not pairs:
        yield Finding("translation", works=None, said="no engine: people read each other as they wrote")
        return
    yield Finding("translation", works=True, said=translator.name)
    for language in LANGUAGES:
        for pair in ((language, "fr"), ("fr", language)) if language != "fr" else ():
            yield _pair(translator, pair) if pair in pairs else Finding(" → ".join(pair), works=None)


def _pair(translator: translators.Translator, pair: tuple[str, str]) -> Finding:
    began = time.monotonic()
    try:
        translator.translate(HELLO, *pair)
    except (translators.EngineDownError, translators.NoPairError) as error:
        return Finding(" → ".join(pair), works=False, said=_short(error))
    return Finding(
        " → ".join(pair), works=True, said=f"{1000 * (time.monotonic() - began):.0f} ms, loading included"
    )


def _short(error: Exception) -> str:
    """The first line: a driver's error may go on with the statement."""
    return str(error).splitlines()[0] if str(error) else type(error).__name__
