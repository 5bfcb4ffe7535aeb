"""Papers: taken by what they are, named without tricks, sealed so that only one key opens them."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyrage import DecryptError
from sqlalchemy.orm import Session

from casework import documents
from casework.documents import MEDIA_TYPES, Owner, RefusedPaperError
from tests.casework.asking import Asked, ask
from tests.conftest import Database

BEGINNINGS = [
    b"", b"%PDF-1.7", b"\xff\xd8\xff\xe0\x00\x10JFIF", b"\x89PNG\r\n\x1a\n", b"RIFF\x00\x00\x00\x00WEBP",
    b"\x00\x00\x00\x18ftypheic", b"PK\x03\x04", b"MZ", b"<html>", b"GIF89a", b"II*\x00", b"ID3",
]  # fmt: skip


@pytest.fixture
def asked(database: Database, now: datetime) -> Asked:
    """A request, to send papers to."""
    return ask(database, now)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(BEGINNINGS), st.binary(max_size=300), st.text(max_size=120))
def test_anything_is_taken_as_a_photo_or_pdf_or_refused(
    database: Database, asked: Asked, now: datetime, beginning: bytes, rest: bytes, name: str
) -> None:
    with Session(database.owner) as session:
        owner = Owner(request_id=asked.id)
        with suppress(RefusedPaperError):
            name = name.replace("\x00", "\x01")
            paper = documents.receive(session, owner, name, beginning + rest, database.public_key, now)
            assert paper.media_type in MEDIA_TYPES
            assert paper.name.endswith("." + MEDIA_TYPES[paper.media_type])
            assert not set(paper.name) & {"/", "\\", "\x00", "\n", "\u202e"}
            assert len(paper.name) <= 85
            assert documents.open_content(session, paper, database.private_key) == beginning + rest
        session.rollback()


@pytest.mark.parametrize(
    "path", ["C:\\Users\\Marcel\\lettre.pdf", "/home/marcel/lettre.pdf", "..\\..\\lettre.pdf"]
)
def test_a_name_loses_its_path(database: Database, asked: Asked, now: datetime, path: str) -> None:
    with Session(database.owner) as session:
        owner = Owner(request_id=asked.id)
        assert (
            documents.receive(session, owner, path, b"%PDF-1.7", database.public_key, now).name
            == "lettre.pdf"
        )


def test_only_the_private_key_opens(database: Database) -> None:
    sealed = documents.seal(b"une lettre", database.public_key)
    assert documents.unseal(sealed, database.private_key) == b"une lettre"
    assert sealed != documents.seal(b"une lettre", database.public_key), (
        "the same paper twice is not seen to be the same"
    )
    with pytest.raises(DecryptError):
        documents.unseal(sealed, documents.new_key_pair()[1])
    with pytest.raises(DecryptError):
        documents.unseal(sealed[:-1] + bytes([sealed[-1] ^ 1]), database.private_key)
