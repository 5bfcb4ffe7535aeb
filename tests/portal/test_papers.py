"""Papers sent with a request: taken, refused with why, taken back; sealed as soon as they arrive."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from sqlalchemy import select

from casework import documents
from casework.database import transaction
from casework.documents import LARGEST_BYTES, MOST_PAPERS, Document, DocumentContent
from tests.conftest import Database
from tests.portal.person import Person
from web.app import LARGEST_POST

PDF = b"%PDF-1.7\nune lettre\n%%EOF"
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00" + bytes(200) + b"\xff\xd9"
HEIC = b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(100)
WEBP = b"RIFF\x24\x00\x00\x00WEBPVP8 " + bytes(100)


@pytest.fixture
def at_papers(marcel: Person) -> Person:
    """Marcel, before the question of the papers."""
    marcel.fills_in()
    marcel.go("demande/papiers")
    return marcel


def kept(database: Database) -> list[Document]:
    """Every paper of the database, in the order it came."""
    with transaction(database.owner) as session:
        return list(session.scalars(select(Document).order_by(Document.name)))


@pytest.mark.parametrize(
    ("content", "media_type", "name"),
    [
        (PDF, "application/pdf", "lettre.pdf"), (PNG, "image/png", "lettre.png"), (JPEG, "image/jpeg", "lettre.jpg"),
        (HEIC, "image/heic", "lettre.heic"), (WEBP, "image/webp", "lettre.webp"),
    ],
    ids=["pdf", "png", "jpeg", "heic", "webp"],
)  # fmt: skip
def test_what_phones_and_scanners_make_is_taken(
    at_papers: Person, database: Database, content: bytes, media_type: str, name: str
) -> None:
    page = at_papers.submit(("add", "1"), papers=(content, "lettre.bin"))
    assert page.path == "/fr/demande/papiers"
    assert name in page.main
    paper = kept(database)[0]
    assert (paper.media_type, paper.name, paper.size, paper.scan) == (
        media_type,
        name,
        len(content),
        "pending",
    )
    with transaction(database.owner) as session:
        sealed = session.scalars(select(DocumentContent.sealed)).one()
    assert content not in sealed
    assert documents.unseal(sealed, database.private_key) == content


@pytest.mark.parametrize(
    "content",
    [
        b"MZ\x90\x00" + bytes(200),
        b"<html><script>alert(1)</script>",
        b"PK\x03\x04" + bytes(200),
        b"du texte",
        b"",
    ],
    ids=["program", "page", "archive", "text", "empty"],
)
def test_anything_else_is_refused_by_its_content(
    at_papers: Person, database: Database, content: bytes
) -> None:
    page = at_papers.submit(("next", "1"), papers=(content, "photo.jpg"), status=422)
    assert page.title.startswith("Erreur :")
    assert page.errors()[0].startswith("photo.jpg")
    assert not kept(database)


def test_the_good_ones_are_kept_beside_a_refused_one(at_papers: Person, database: Database) -> None:
    page = at_papers.submit(
        ("next", "1"), papers=[(PDF, "a.pdf"), (b"du texte", "b.txt"), (PNG, "c.png")], status=422
    )
    assert len(page.errors()) == 1
    assert [paper.name for paper in kept(database)] == ["a.pdf", "c.png"]


@pytest.mark.slow
def test_over_ten_megabytes_is_refused_with_why(at_papers: Person, database: Database) -> None:
    biggest = PDF + bytes(LARGEST_BYTES - len(PDF))
    assert at_papers.submit(("add", "1"), papers=(biggest, "juste.pdf")).status == 200
    page = at_papers.submit(("add", "1"), papers=(biggest + b"\x00", "trop.pdf"), status=422)
    assert "trop lourd" in page.errors()[0]
    assert [paper.name for paper in kept(database)] == ["juste.pdf"]


@pytest.mark.slow
def test_a_post_too_large_gets_a_page_and_loses_no_answer(at_papers: Person) -> None:
    page = at_papers.submit(("next", "1"), papers=(bytes(LARGEST_POST + 1), "film.mp4"), status=413)
    assert "Vos réponses sont gardées" in page.main
    assert "tel:+33536490000" in page.links()
    assert at_papers.go("demande/verifier").path == "/fr/demande/verifier"


def test_the_thirteenth_is_refused(at_papers: Person, database: Database) -> None:
    many = [(PDF, f"page {number}.pdf") for number in range(MOST_PAPERS + 1)]
    page = at_papers.submit(("next", "1"), papers=many, status=422)
    assert page.errors()[0].startswith(f"page {MOST_PAPERS}.pdf")
    assert len(kept(database)) == MOST_PAPERS


def test_a_paper_is_taken_back_before_sending(at_papers: Person, database: Database) -> None:
    at_papers.submit(("add", "1"), papers=[(PDF, "a.pdf"), (PNG, "b.png")])
    first = next(paper for paper in kept(database) if paper.name == "a.pdf")
    page = at_papers.submit(action=f"/papiers/{first.id}/retirer")
    assert "a.pdf" not in page.main
    assert [paper.name for paper in kept(database)] == ["b.png"]
    with transaction(database.owner) as session:
        assert len(session.scalars(select(DocumentContent.document_id)).all()) == 1, "the content goes too"


def test_nobody_takes_back_somebody_elses_paper(at_papers: Person, amina: Person, database: Database) -> None:
    at_papers.submit(("add", "1"), papers=(PDF, "a.pdf"))
    amina.tells()
    data = {"csrf_token": amina.page.field("csrf_token")}
    amina.ask("POST", f"/ar/demande/papiers/{kept(database)[0].id}/retirer", data=data)
    assert len(kept(database)) == 1


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("رسالة.pdf", "رسالة.pdf"),
        ("../../etc/passwd.pdf", "passwd.pdf"),
        ("photo.pdf.exe", "photo.pdf.pdf"),
        ("a\u202egpj.exe", "agpj.pdf"),
        ("x" * 300 + ".pdf", "x" * 80 + ".pdf"),
    ],
    ids=["arabic", "path", "two endings", "turned around", "long"],
)
def test_a_name_is_kept_without_its_tricks(
    at_papers: Person, database: Database, typed: str, name: str
) -> None:
    at_papers.submit(("add", "1"), papers=(PDF, typed))
    assert kept(database)[0].name == name


def test_going_on_without_a_paper(at_papers: Person, database: Database) -> None:
    assert at_papers.submit(("next", "1")).path == "/fr/demande/verifier"
    assert not kept(database)


def test_each_paper_asks_for_its_scan_in_the_same_transaction(at_papers: Person, database: Database) -> None:
    at_papers.submit(("add", "1"), papers=(PDF, "a.pdf"))
    assert jobs(database) == [("scan_document", str(kept(database)[0].id))]


def jobs(database: Database) -> list[tuple[str, Any]]:
    """What the worker was asked to do: (task, row)."""
    with database.owner.begin() as connection:
        rows = connection.exec_driver_sql(
            "SELECT task_name, args->>'row_id' FROM procrastinate_jobs ORDER BY id"
        )
        return [(task, row) for task, row in rows]
