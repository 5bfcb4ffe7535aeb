"""The call of a talk: who may come in, and what two browsers say to each other before they see each other.

A browser asks for a ticket, uses it once within half a minute, and then has a seat; a person's newest seat is the only
one. Through it pass offers, answers, candidates and mute states, from seat to seat, and nothing of the talk itself:
image and voice go from browser to browser, or through the département's relay, and are recorded nowhere.
The rules are database functions (migration 0013), the same for both faces; decision 0023 says why one asks again and
again instead of waiting.
"""

from __future__ import annotations

import base64
import enum
import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, delete, exists, select, text, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from casework.database import Base, one_of
from casework.settings import Settings, SettingsError
from casework.talks import Talk, TalkState

MOST_SIGNALS = 40
"""At once; the database takes 400 a minute of one seat."""
MOST_SDP = 16_000
MOST_HEARD = 400
RELAY_CREDENTIALS_LAST = timedelta(hours=4)
KEPT_AT_MOST = timedelta(days=1)


class Signal(enum.StrEnum):
    """What one page may say to another. Leaving is not said: the seat is left."""

    OFFER = "offer"
    ANSWER = "answer"
    CANDIDATE = "candidate"
    MUTE = "mute"


class CallTicket(Base):
    """A ticket, and once used, a seat. `browser`: the keyed hash of what only the browser that asked holds."""

    __tablename__ = "call_tickets"

    seat: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    hash: Mapped[str] = mapped_column(unique=True)
    talk_id: Mapped[UUID] = mapped_column(ForeignKey("talks.id", ondelete="CASCADE"), index=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("talk_people.id", ondelete="CASCADE"), index=True)
    browser: Mapped[str]
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    seen_at: Mapped[datetime | None]
    left_at: Mapped[datetime | None]
    sent: Mapped[int]
    """How many signals since `sent_since`, for the limit by minute."""
    sent_since: Mapped[datetime | None]


class CallSignal(Base):
    """Something one seat says to another; dropped once heard."""

    __tablename__ = "call_signals"
    __table_args__ = (CheckConstraint("octet_length(body::text) <= 24000", name="small"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    talk_id: Mapped[UUID] = mapped_column(ForeignKey("talks.id", ondelete="CASCADE"), index=True)
    from_seat: Mapped[int] = mapped_column(ForeignKey("call_tickets.seat", ondelete="CASCADE"), index=True)
    to_seat: Mapped[int] = mapped_column(ForeignKey("call_tickets.seat", ondelete="CASCADE"), index=True)
    kind: Mapped[Signal] = mapped_column(one_of(Signal))
    body: Mapped[dict[str, Any]]
    at: Mapped[datetime]


@dataclass(frozen=True)
class Caller:
    """Who knocks: an agent, or, with no agent, whom the secret presented to the session opens; from which browser."""

    talk_id: UUID
    browser: str
    agent_id: int | None = None


class NoCallError(Exception):
    """There is no such call for this caller: not theirs, over, or the ticket is old, used, or another browser's."""


class HeldError(Exception):
    """The talk is on hold: nobody hears anybody until it goes on."""


class ElsewhereError(Exception):
    """The person sits on a newer seat, in another window."""


class SeatGoneError(Exception):
    """The seat was left, or gave no sign of life too long: ask for another ticket."""


class TooOftenError(Exception):
    """Too many tickets, seats or signals for now."""


class WrongSignalError(Exception):
    """Something that is no signal."""


REFUSALS: dict[str, type[Exception]] = {
    "none": NoCallError,
    "held": HeldError,
    "elsewhere": ElsewhereError,
    "gone": SeatGoneError,
    "often": TooOftenError,
    "full": TooOftenError,
}


def browser_of(key: str, token: str) -> str:
    """What stands in a ticket for the browser that asked: `token` is something its cookie alone holds."""
    return hmac.new(key.encode(), f"call browser\0{token}".encode(), hashlib.sha256).hexdigest()


def stands(session: Session, caller: Caller) -> bool:
    """May they call now? False while the talk is on hold.

    Raises:
        NoCallError: not theirs, or over.
    """
    found = _ask(session, caller, "call_stands", "")
    if found is None:
        raise NoCallError
    return bool(found == "yes")


def ask_ticket(session: Session, caller: Caller, now: datetime) -> str:
    """A ticket for this browser, good once within half a minute.

    Raises:
        NoCallError, HeldError: nothing to come into.
        TooOftenError: twelve a minute are enough.
    """
    ticket = secrets.token_urlsafe(16)
    answer = _ask(
        session, caller, "call_ask", ", :hash, :browser, :now",
        hash=_hash(ticket), browser=caller.browser, now=now,
    )  # fmt: skip
    if answer != "made":
        raise REFUSALS[answer]
    return ticket


def enter(session: Session, caller: Caller, ticket: str, now: datetime) -> dict[str, Any]:
    """Use the ticket up: the new `seat`, the `people` who sit there (`seat`, `name`, `part`), no `signals` yet.

    Raises:
        NoCallError, HeldError: nothing to come into, or the ticket does not open it.
        TooOftenError: four people sit there.
    """
    return _told(
        _ask(
            session, caller, "call_enter", ", :hash, :browser, :now",
            hash=_hash(ticket), browser=caller.browser, now=now,
        )
    )  # fmt: skip


def exchange(session: Session, caller: Caller, said: Any, now: datetime) -> dict[str, Any]:
    """Take what a seat says, and tell it what the others said and who sits there.

    `said`, as the page sent it: `seat`; `heard`, the ids of signals that need not be told again; `signals`, each with
    `to` (a seat), `kind`, `body`.

    Raises:
        WrongSignalError: it is none of that.
        NoCallError, HeldError, ElsewhereError, SeatGoneError, TooOftenError: as they say.
    """
    seat, heard, signals = read(said)
    return _told(
        _ask(
            session, caller, "call_exchange", ", :seat, :browser, :heard, CAST(:signals AS jsonb), :now",
            seat=seat, browser=caller.browser, heard=heard, signals=json.dumps(signals), now=now,
        )
    )  # fmt: skip


def leave(session: Session, caller: Caller, seat: int, now: datetime) -> None:
    """Get up; again, or from another's seat, it does nothing."""
    _ask(session, caller, "call_leave", ", :seat, :now", seat=seat, now=now)


def close(session: Session, talk_id: UUID, now: datetime) -> None:
    """The talk is over: nothing that was said between pages is kept, and every seat is left."""
    session.execute(delete(CallSignal).where(CallSignal.talk_id == talk_id))
    session.execute(
        update(CallTicket)
        .where(CallTicket.talk_id == talk_id, CallTicket.left_at.is_(None))
        .values(left_at=now)
    )


def over(session: Session, limit: int) -> list[UUID]:
    """Talks that ended and have tickets still: for whoever tidies."""
    ended = select(Talk.id).where(
        Talk.state == TalkState.ENDED, exists().where(CallTicket.talk_id == Talk.id)
    )
    return list(session.scalars(ended.limit(limit)))


def forget(session: Session, talk_id: UUID) -> None:
    """Drop the tickets of a talk, and with them the signals."""
    session.execute(delete(CallTicket).where(CallTicket.talk_id == talk_id))


def forget_old(session: Session, now: datetime) -> None:
    """Drop tickets of yesterday, and signals that nobody came to hear."""
    session.execute(delete(CallTicket).where(CallTicket.made_at < now - KEPT_AT_MOST))
    session.execute(delete(CallSignal).where(CallSignal.at < now - timedelta(minutes=5)))


def check_ways(settings: Settings) -> None:
    """Refuse to start with settings that no browser could use.

    Raises:
        SettingsError: names the setting.
    """
    for name, kinds, urls in (
        ("STUN_URLS", ("stun:", "stuns:"), settings.stun_urls),
        ("TURN_URLS", ("turn:", "turns:"), settings.turn_urls),
    ):
        for url in urls:
            if not url.startswith(kinds):
                raise SettingsError(f"{name}: “{url}” should begin with {' or '.join(kinds)}")
    if settings.turn_urls and not settings.turn_secret:
        raise SettingsError("TURN_SECRET is empty: TURN_URLS needs it.")
    if settings.ice_policy not in {"all", "relay"}:
        raise SettingsError(f"ICE_POLICY: “{settings.ice_policy}” should be all or relay.")


def ice_of(settings: Settings, person: str, now: datetime) -> dict[str, Any]:
    """What a browser needs to find a way: `servers`, as `RTCPeerConnection` takes them, and `policy`.

    A relay's password is good for four hours and for this person alone, as coturn's `use-auth-secret` reads it.
    """
    servers: list[dict[str, Any]] = []
    if settings.stun_urls:
        servers.append({"urls": list(settings.stun_urls)})
    if settings.turn_urls:
        name = f"{int((now + RELAY_CREDENTIALS_LAST).timestamp())}:{person}"
        # SHA-1 is what coturn's protocol asks for; as a keyed hash it is not broken.
        digest = hmac.new(settings.turn_secret.encode(), name.encode(), hashlib.sha1).digest()
        password = base64.b64encode(digest).decode()
        servers.append({"urls": list(settings.turn_urls), "username": name, "credential": password})
    return {"servers": servers, "policy": settings.ice_policy}


def read(said: Any) -> tuple[int, list[int], list[dict[str, Any]]]:
    """Check what a page sent: the seat, the ids it heard, and its signals, holding what is known and nothing else.

    Raises:
        WrongSignalError: anything else.
    """
    try:
        seat, heard, signals = _number(said["seat"]), list(map(_number, said["heard"])), said["signals"]
        if not isinstance(signals, list) or len(signals) > MOST_SIGNALS or len(heard) > MOST_HEARD:
            raise WrongSignalError
        return seat, heard, [_signal(one) for one in signals]
    except (KeyError, TypeError, ValueError) as error:
        raise WrongSignalError from error


def _signal(one: dict[str, Any]) -> dict[str, Any]:
    kind, body = Signal(one["kind"]), one["body"]
    if kind in {Signal.OFFER, Signal.ANSWER}:
        kept: dict[str, Any] = {"sdp": _words(body["sdp"], MOST_SDP)}
    elif kind is Signal.CANDIDATE:
        line, mid, fragment = body.get("sdpMLineIndex"), body.get("sdpMid"), body.get("usernameFragment")
        kept = {
            "candidate": _words(body["candidate"], 1_000),
            "sdpMid": None if mid is None else _words(mid, 64),
            "sdpMLineIndex": None if line is None else _number(line),
            "usernameFragment": None if fragment is None else _words(fragment, 300),
        }
    else:
        if not isinstance(body["audio"], bool) or not isinstance(body["video"], bool):
            raise WrongSignalError
        kept = {"audio": body["audio"], "video": body["video"]}
    return {"to": _number(one["to"]), "kind": kind.value, "body": kept}


def _words(value: Any, longest: int) -> str:
    if not isinstance(value, str) or len(value) > longest or "\0" in value:
        raise WrongSignalError
    return value


def _number(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**63:
        raise WrongSignalError
    return value


def _hash(ticket: str) -> str:
    return hashlib.sha256(ticket.encode()).hexdigest()


AGENT = "(SELECT id FROM talk_people WHERE talk_id = :talk AND agent_id = :agent AND left_at IS NULL)"


def _ask(session: Session, caller: Caller, function: str, arguments: str, **values: Any) -> Any:
    """Call one of the database's functions, in the caller's own name."""
    values["talk"] = caller.talk_id
    if caller.agent_id is None:
        called = f"my_{function}(:talk{arguments})"
    else:
        called = f"{function}({AGENT}{arguments})"
        values["agent"] = caller.agent_id
    return session.scalar(text(f"SELECT {called}"), values)


def _told(answer: dict[str, Any]) -> dict[str, Any]:
    if refused := answer.get("refused"):
        raise REFUSALS[refused]
    return answer
