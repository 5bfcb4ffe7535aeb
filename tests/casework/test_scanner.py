"""Papers looked at by a real clamd: clean, infected, too big, and what if it is away."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from casework import scanner
from casework.database import transaction
from casework.documents import Document, Scan
from casework.scanner import Clamd, ScannerUnavailableError
from casework.settings import SettingsError
from tests.casework.asking import ask, worker_settings
from tests.conftest import Database
from tests.local_servers import VIRUS_MARKER, local_clamd

PAPER = b"%PDF-1.4\nune lettre"


def looked_at(database: Database, clamd_url: str) -> Scan:
    """What the scanner says of the only paper."""
    with transaction(database.backoffice) as session:
        paper = session.scalars(select(Document)).one()
    scanner.scan_paper(database.backoffice, worker_settings(database, clamd_url=clamd_url), paper.id)
    with transaction(database.backoffice) as session:
        return session.scalars(select(Document.scan)).one()


def test_a_sealed_paper_is_opened_and_found_clean(database: Database, now: datetime, tmp_path: Path) -> None:
    ask(database, now, paper=PAPER)
    with local_clamd(tmp_path) as clamd:
        assert looked_at(database, f"unix://{clamd.path}") is Scan.CLEAN


def test_a_virus_in_a_sealed_paper_is_found(database: Database, now: datetime, tmp_path: Path) -> None:
    ask(database, now, paper=PAPER + VIRUS_MARKER)
    with local_clamd(tmp_path) as clamd:
        assert looked_at(database, f"unix://{clamd.path}") is Scan.INFECTED


def test_over_the_network_as_well(tmp_path: Path) -> None:
    with local_clamd(tmp_path) as clamd:
        far = Clamd(host="127.0.0.1", port=clamd.port)
        assert scanner.scan(far, PAPER) is Scan.CLEAN
        assert scanner.scan(far, PAPER + VIRUS_MARKER) is Scan.INFECTED


def test_a_paper_waits_while_the_scanner_is_away(database: Database, now: datetime, tmp_path: Path) -> None:
    ask(database, now, paper=PAPER)
    with local_clamd(tmp_path) as clamd:
        url = f"unix://{clamd.path}"
    assert looked_at(database, url) is Scan.PENDING
    with local_clamd(tmp_path):
        assert looked_at(database, url) is Scan.CLEAN


def test_without_a_scanner_papers_say_so(database: Database, now: datetime) -> None:
    ask(database, now, paper=PAPER)
    assert looked_at(database, "") is Scan.NOT_SCANNED


def test_a_paper_taken_back_meanwhile_is_no_error(database: Database, now: datetime, tmp_path: Path) -> None:
    gone = ask(database, now).id
    scanner.scan_paper(database.backoffice, worker_settings(database, clamd_url="tcp://127.0.0.1:1"), gone)


@pytest.mark.parametrize("megabytes", [2, 9])
def test_more_than_the_scanner_takes_is_not_scanned(tmp_path: Path, megabytes: int) -> None:
    """clamd says so and hangs up, often before its word can be read."""
    with local_clamd(tmp_path, stream_max_length="1M") as clamd:
        assert scanner.scan(clamd, b"x" * megabytes * 1024 * 1024) is Scan.NOT_SCANNED
        assert scanner.scan(clamd, PAPER) is Scan.CLEAN


def test_a_virus_beyond_the_first_chunk_is_found(tmp_path: Path) -> None:
    with local_clamd(tmp_path) as clamd:
        content = b"x" * (scanner.CHUNK_BYTES - 10) + VIRUS_MARKER + b"x" * scanner.CHUNK_BYTES
        assert scanner.scan(clamd, content) is Scan.INFECTED


def test_nobody_listens() -> None:
    with pytest.raises(ScannerUnavailableError):
        scanner.scan(Clamd(host="127.0.0.1", port=1), PAPER)


@pytest.mark.parametrize(
    ("url", "where"),
    [
        ("tcp://clamav:3311", Clamd(host="clamav", port=3311)),
        ("tcp://[::1]", Clamd(host="::1", port=3310)),
        ("unix:///run/clamav/clamd.ctl", Clamd(path="/run/clamav/clamd.ctl")),
    ],
)
def test_where_clamd_listens(database: Database, url: str, where: Clamd) -> None:
    assert scanner.clamd_of(worker_settings(database, clamd_url=url)) == where


@pytest.mark.parametrize("url", ["clamav:3310", "http://clamav", "unix://"])
def test_an_address_that_makes_no_sense_is_said_at_once(database: Database, url: str) -> None:
    with pytest.raises(SettingsError, match="CLAMD_URL"):
        scanner.clamd_of(worker_settings(database, clamd_url=url))
