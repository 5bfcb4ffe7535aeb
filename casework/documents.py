"""Papers people send: checked on arrival, sealed to the back office's public key, readable only there.

The portal holds the public key alone: it can put papers in, not take them out (design rule 4). Content is
encrypted with age (X25519, ChaCha20-Poly1305) before it reaches the database.
"""

from __future__ import annotations

import enum
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

import puremagic
from pyrage import decrypt, encrypt
from pyrage.x25519 import Identity, Recipient
from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, delete, select, text, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from casework.database import Base, defer, one_of

LARGEST_BYTES = 10 * 1024 * 1024
MOST_PAPERS = 12

MEDIA_TYPES: dict[str, str] = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "image/heic": "heic",
    "application/pdf": "pdf",
}
"""What a phone's camera and a scanner make; nothing that carries programs but PDF, which is never opened inline."""


class Scan(enum.StrEnum):
    """What the virus scanner said."""

    PENDING = "pending"
    CLEAN = "clean"
    INFECTED = "infected"
    NOT_SCANNED = "not_scanned"


class Document(Base):
    """A paper: its name and size, not its content."""

    __tablename__ = "documents"
    __table_args__ = (
        CheckConstraint("draft_id IS NOT NULL OR request_id IS NOT NULL", name="belongs"),
        Index("documents_to_scan_idx", "received_at", postgresql_where=text("scan = 'pending'")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    draft_id: Mapped[UUID | None] = mapped_column(ForeignKey("drafts.id", ondelete="CASCADE"), index=True)
    request_id: Mapped[UUID | None] = mapped_column(ForeignKey("requests.id"), index=True)
    name: Mapped[str]
    media_type: Mapped[str]
    size: Mapped[int]
    received_at: Mapped[datetime]
    scan: Mapped[Scan] = mapped_column(one_of(Scan), default=Scan.PENDING)

    @staticmethod
    def move_to_request(session: Session, draft_id: UUID) -> None:
        """The papers of a draft become those of the request of the same id."""
        session.execute(
            update(Document).where(Document.draft_id == draft_id).values(request_id=draft_id, draft_id=None),
            execution_options={"synchronize_session": False},
        )


class DocumentContent(Base):
    """The sealed bytes, apart, so that no list ever loads them."""

    __tablename__ = "document_contents"

    document_id: Mapped[UUID] = mapped_column(
        ForeignKey("documents.id", ondelete="CASCADE"), primary_key=True
    )
    sealed: Mapped[bytes] = mapped_column(LargeBinary)


class RefusedPaperError(Exception):
    """The paper cannot be taken; `reason` is `empty`, `too_big`, `kind` or `too_many`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Owner:
    """Whose paper it is: a draft's or a request's."""

    draft_id: UUID | None = None
    request_id: UUID | None = None


def receive(
    session: Session, owner: Owner, name: str, content: bytes, public_key: str, now: datetime
) -> Document:
    """Check a paper, seal it, keep it, and ask for it to be scanned.

    Raises:
        RefusedPaperError: empty, over 10 MiB, not a photo or a PDF by its content, or one too many.
    """
    if not content:
        raise RefusedPaperError("empty")
    if len(content) > LARGEST_BYTES:
        raise RefusedPaperError("too_big")
    media_type = _media_type(content)
    if media_type is None:
        raise RefusedPaperError("kind")
    if len(of(session, owner)) >= MOST_PAPERS:
        raise RefusedPaperError("too_many")
    document = Document(
        id=uuid4(),
        draft_id=owner.draft_id,
        request_id=owner.request_id,
        name=_safe_name(name, media_type),
        media_type=media_type,
        size=len(content),
        received_at=now,
        scan=Scan.PENDING,
    )
    session.add(document)
    session.flush()
    session.add(DocumentContent(document_id=document.id, sealed=seal(content, public_key)))
    defer(session, "scan_document", document.id)
    return document


def of(session: Session, owner: Owner) -> list[Document]:
    """The papers of a draft or a request, in the order they came."""
    belongs = (
        Document.draft_id == owner.draft_id if owner.draft_id else Document.request_id == owner.request_id
    )
    return list(session.scalars(select(Document).where(belongs).order_by(Document.received_at, Document.id)))


def remove(session: Session, draft_id: UUID, document_id: UUID) -> None:
    """Take a paper back before it is sent. Removing it twice is no error."""
    session.execute(delete(Document).where(Document.id == document_id, Document.draft_id == draft_id))


def open_content(session: Session, document: Document, private_key: str) -> bytes:
    """The paper itself, for the back office."""
    return unseal(session.get_one(DocumentContent, document.id).sealed, private_key)


def seal(content: bytes, public_key: str) -> bytes:
    """Encrypt to the back office's public key (an `age1…` recipient)."""
    sealed: bytes = encrypt(content, [Recipient.from_str(public_key)])
    return sealed


def unseal(sealed: bytes, private_key: str) -> bytes:
    """Decrypt with the back office's private key (an `AGE-SECRET-KEY-1…` identity)."""
    content: bytes = decrypt(sealed, [Identity.from_str(private_key)])
    return content


def new_key_pair() -> tuple[str, str]:
    """A (public, private) key pair for the document store."""
    identity = Identity.generate()
    return str(identity.to_public()), str(identity)


def _media_type(content: bytes) -> str | None:
    """The kind of the content by its first bytes; what the browser says of it is not asked."""
    if content[4:8] == b"ftyp" and content[8:12] in {b"heic", b"heix", b"mif1", b"msf1", b"hevc"}:
        return "image/heic"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    if b"%PDF-" in content[:1024]:
        return "application/pdf"
    try:
        found = puremagic.from_string(content[:4096], mime=True)
    except (puremagic.PureError, ValueError):
        return None
    return found if found in MEDIA_TYPES else None


def _safe_name(name: str, media_type: str) -> str:
    """The name the person gave, without path or control characters, with the ending its content deserves."""
    base = name.replace("\\", "/").rsplit("/", 1)[-1]
    stem = base.rsplit(".", 1)[0] if "." in base else base
    kept = "".join(c for c in unicodedata.normalize("NFC", stem) if unicodedata.category(c)[0] != "C").strip()
    return f"{kept[:80] or 'document'}.{MEDIA_TYPES[media_type]}"
