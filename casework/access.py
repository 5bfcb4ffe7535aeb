"""The secrets that open a request: a link, or a number and a code. Only keyed hashes are stored.

A person gets one secret when they start. The link holds it; the code, twelve digits that can be copied from
paper whatever alphabet one reads, is computed from it. The keyed hash of either is what row security compares
(design rule 11): nobody who reads the database can open a request.
"""

from __future__ import annotations

import enum
import hashlib
import hmac
import re
import secrets
import unicodedata
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import ForeignKey, Index, delete, func, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column
from stdnum import damm

from casework.database import Base, one_of


class KeyKind(enum.StrEnum):
    """What was presented."""

    LINK = "link"
    CODE = "code"


class AccessKey(Base):
    """The keyed hash of a secret that opens one request. A request may have several: each lost link adds its own."""

    __tablename__ = "access_keys"

    hash: Mapped[str] = mapped_column(primary_key=True)
    request_id: Mapped[UUID] = mapped_column(ForeignKey("requests.id", ondelete="CASCADE"), index=True)
    kind: Mapped[KeyKind] = mapped_column(one_of(KeyKind))
    created_at: Mapped[datetime]


class Guess(Base):
    """A failed try, by the keyed hash of its source or its target. Kept one day.

    `side`: the database role that noted it. Each face counts its own: a portal in wrong hands cannot keep the
    agents out by noting failures in their names.
    """

    __tablename__ = "guesses"
    __table_args__ = (Index("guesses_subject_at_idx", "subject", "at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    side: Mapped[str] = mapped_column(server_default=text("CURRENT_USER"))
    subject: Mapped[str]
    at: Mapped[datetime]


class TooManyGuessesError(Exception):
    """Too many failures from one source or at one request; wait until `until`."""

    def __init__(self, until: datetime) -> None:
        super().__init__(f"wait until {until:%H:%M}")
        self.until = until


ALLOWED_FAILURES = 5
FAILURE_WINDOW = timedelta(minutes=15)


def new_secret() -> str:
    """128 random bits, as 22 characters fit for an address."""
    return secrets.token_urlsafe(16)


def link_hash(key: str, secret: str) -> str:
    """The keyed hash under which a link is stored."""
    return _keyed(key, "link", secret)


def code_of(key: str, secret: str) -> str:
    """The twelve digits that go with a secret."""
    return f"{int(_keyed(key, 'code', secret), 16) % 10**12:012d}"


def code_hash(key: str, number: str, code: str) -> str:
    """The keyed hash under which a number and its code are stored."""
    return _keyed(key, "number and code", f"{number} {code}")


def keys_for(key: str, secret: str, number: str, request_id: UUID, now: datetime) -> list[AccessKey]:
    """The two rows that let a secret, or its code, open a request."""
    return [
        AccessKey(hash=link_hash(key, secret), request_id=request_id, kind=KeyKind.LINK, created_at=now),
        AccessKey(
            hash=code_hash(key, number, code_of(key, secret)),
            request_id=request_id,
            kind=KeyKind.CODE,
            created_at=now,
        ),
    ]


def new_number() -> str:
    """A number people can say aloud: eight digits and a check digit (Damm) against one wrong or swapped digit."""
    digits = f"{10_000_000 + secrets.randbelow(90_000_000)}"
    return digits + damm.calc_check_digit(digits)


def read_number(typed: str) -> str | None:
    """The number somebody typed, with spaces and digits of any script; None when it cannot be one."""
    digits = ascii_digits(typed)
    return digits if len(digits) == 9 and damm.is_valid(digits) else None


def read_code(typed: str) -> str | None:
    """The code somebody typed or pasted; None when it is not twelve digits."""
    digits = ascii_digits(typed)
    return digits if len(digits) == 12 else None


def spoken(digits: str) -> str:
    """Digits in groups of three, as one says them: `483 210 759`."""
    return " ".join(re.findall("...", digits))


def ascii_digits(typed: str) -> str:
    return "".join(str(unicodedata.digit(c)) for c in typed if c.isdigit())


def slow_guessing(
    session: Session, key: str, subjects: list[str], now: datetime, allowed: int = ALLOWED_FAILURES
) -> None:
    """Refuse one more try where so many failed in the last quarter of an hour.

    Raises:
        TooManyGuessesError: with the moment from which one more try is heard.
    """
    for subject in subjects:
        hashed = _keyed(key, "guess", subject)
        session.execute(text("SELECT pg_advisory_xact_lock(hashtext(:subject))"), {"subject": hashed})
        recent = session.scalars(
            select(Guess.at)
            .where(
                Guess.side == func.current_user(), Guess.subject == hashed, Guess.at > now - FAILURE_WINDOW
            )
            .order_by(Guess.at.desc())
            .limit(allowed)
        ).all()
        if len(recent) == allowed:
            raise TooManyGuessesError(recent[-1] + FAILURE_WINDOW)


def note_failure(session: Session, key: str, subjects: list[str], now: datetime) -> None:
    """Remember a failed try; the caller commits, also when it refuses."""
    session.add_all(Guess(subject=_keyed(key, "guess", subject), at=now) for subject in subjects)


def forget_old_guesses(session: Session, now: datetime) -> None:
    """Failures older than a day say nothing any more."""
    session.execute(delete(Guess).where(Guess.at < now - timedelta(days=1)))


def opened_request(session: Session) -> UUID | None:
    """The request that the secret presented to this session opens."""
    found: UUID | None = session.scalar(select(func.opened_request()))
    return found


def _keyed(key: str, purpose: str, value: str) -> str:
    return hmac.new(key.encode(), f"{purpose}\0{value}".encode(), hashlib.sha256).hexdigest()
