"""Who comes to a group session: signed up together, all or none; waiting in order; come or not.

A seat is taken, given back and given on by database functions (migration 0007) that lock the session's row. The
portal asks them for the opened request alone, and reads its own sign-ups only (design rule 4).
"""

from __future__ import annotations

import enum
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    SmallInteger,
    TextClause,
    select,
    text,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from casework import journal
from casework.agents import Agent
from casework.database import Base, one_of
from casework.journal import Action
from casework.requests import PARIS
from casework.sessions import MOST_PEOPLE, GroupSession, SessionOverError
from casework.translation import date_in_words
from casework.vocabulary import N_

LONGEST_NAME = 60
SHEET_OPENS = timedelta(hours=1)
"""Who came is noted from this long before the beginning on: people are early."""
BETWEEN_NAMES = re.compile(r"[,،;\n]|\s+(?:et|and|و)\s+")


class SignUpState(enum.StrEnum):
    """Where a person stands. The first and the last two sit on a seat."""

    SIGNED = "signed"
    WAITING = "waiting"
    CANCELLED = "cancelled"
    CAME = "came"
    MISSED = "missed"


SEATED = (SignUpState.SIGNED, SignUpState.CAME, SignUpState.MISSED)
LIVE = (SignUpState.SIGNED, SignUpState.WAITING)

SIGN_UP_STATES: dict[SignUpState, str] = {
    SignUpState.SIGNED: N_("inscrit"),
    SignUpState.WAITING: N_("en attente"),
    SignUpState.CANCELLED: N_("annulé"),
    SignUpState.CAME: N_("venu"),
    SignUpState.MISSED: N_("pas venu"),
}
"""What agents read."""


class SignUp(Base):
    """One person at one session. `turn`: the order of the waiting list. `name`: a first name, or empty.

    `group_id`: the number of the form that signed several people up at once.
    """

    __tablename__ = "sign_ups"
    __table_args__ = (
        ForeignKeyConstraint(["session_id", "seat"], ["session_seats.session_id", "session_seats.seat"]),
        Index(
            "sign_ups_one_seat_idx",
            "session_id",
            "seat",
            unique=True,
            postgresql_where=text("seat IS NOT NULL"),
        ),
        Index("sign_ups_session_turn_idx", "session_id", "turn"),
        Index("sign_ups_remind_idx", "remind_at", postgresql_where=text("state = 'signed'")),
        CheckConstraint("(seat IS NOT NULL) = (state IN ('signed', 'came', 'missed'))", name="seat"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    session_id: Mapped[UUID] = mapped_column(ForeignKey("group_sessions.id"))
    request_id: Mapped[UUID] = mapped_column(ForeignKey("requests.id"), index=True)
    group_id: Mapped[UUID]
    turn: Mapped[int] = mapped_column(BigInteger, Identity())
    name: Mapped[str]
    seat: Mapped[int | None] = mapped_column(SmallInteger)
    state: Mapped[SignUpState] = mapped_column(one_of(SignUpState))
    made_at: Mapped[datetime]
    told_state: Mapped[str | None]
    """What the person was last told of it, of which version of the session, and when; the worker alone writes it
    (`casework.session_news`)."""
    told_version: Mapped[int | None]
    told_at: Mapped[datetime | None]
    remind_at: Mapped[datetime | None]
    """When the next reminder leaves; null when none is left."""


class TooManyPeopleError(ValueError):
    """Nobody, or more than eight people of one request in one session."""


def read_names(typed: str, people: int) -> list[str]:
    """As many first names as people, the missing ones empty: `Amina, Karim et Lina`.

    Raises:
        TooManyPeopleError: more names than people, nobody, or too many people.
    """
    names = [name.strip()[:LONGEST_NAME] for name in BETWEEN_NAMES.split(typed) if name.strip()]
    if not 1 <= people <= MOST_PEOPLE or len(names) > people:
        raise TooManyPeopleError
    return names + [""] * (people - len(names))


def sign_up_myself(
    session: Session,
    session_id: UUID,
    request_id: UUID,
    names: Sequence[str],
    submission: UUID,
    now: datetime,
) -> SignUpState:
    """Sign the people of the opened request up, with the portal's rights. The same form twice is one sign-up.

    Raises:
        SessionOverError: it has begun, does not take place, or agents alone sign up for it.
        TooManyPeopleError: nobody, or more than eight with those signed up before.
    """
    asked = text("SELECT take_my_seats(:session, :group, :names, :now)")
    return _sign_up(session, asked, session_id, request_id, names, submission, now, None)


def sign_up(
    session: Session,
    by: Agent,
    session_id: UUID,
    request_id: UUID,
    names: Sequence[str],
    submission: UUID,
    now: datetime,
) -> SignUpState:
    """Sign the people of a request up, as an agent who reads it. The same form twice is one sign-up.

    Raises:
        SessionOverError: it has begun, or does not take place.
        TooManyPeopleError: nobody, or more than eight with those signed up before.
    """
    asked = text("SELECT take_seats(:session, :request, :group, :names, :now)")
    return _sign_up(session, asked, session_id, request_id, names, submission, now, by)


def _sign_up(
    session: Session,
    asked: TextClause,
    session_id: UUID,
    request_id: UUID,
    names: Sequence[str],
    submission: UUID,
    now: datetime,
    by: Agent | None,
) -> SignUpState:
    session.flush()
    values = {
        "session": session_id, "request": request_id, "group": submission, "names": list(names), "now": now,
    }  # fmt: skip
    wanted = {name: value for name, value in values.items() if f":{name}" in asked.text}
    said = session.scalar(asked, wanted)
    if said == "over":
        raise SessionOverError
    if said == "too_many":
        raise TooManyPeopleError
    _read_again(session)
    if said == "known":
        return _state_of(session, session_id, request_id, submission)
    _write(session, Action.SIGNED_UP, session_id, request_id, len(names), now, by, waits=said == "waiting")
    return SignUpState(said)


def leave_myself(
    session: Session, session_id: UUID, request_id: UUID, ids: Sequence[UUID], now: datetime
) -> int:
    """Cancel some sign-ups of the opened request, with the portal's rights; returns how many there were.

    Their seats go to who waits, in the same transaction.
    """
    asked = text("SELECT give_back_my_seats(:session, :ids, :now)")
    return _leave(session, asked, {"session": session_id, "ids": list(ids), "now": now}, request_id, None)


def leave(
    session: Session, by: Agent, session_id: UUID, request_id: UUID, ids: Sequence[UUID], now: datetime
) -> int:
    """Cancel some sign-ups of a request, as an agent; returns how many there were. Their seats go to who waits."""
    asked = text("SELECT give_back_seats(:session, :request, :ids, :now)")
    values = {"session": session_id, "request": request_id, "ids": list(ids), "now": now}
    return _leave(session, asked, values, request_id, by)


def _leave(
    session: Session, asked: TextClause, values: dict[str, Any], request_id: UUID, by: Agent | None
) -> int:
    session.flush()
    count: int = session.scalar(asked, values) or 0
    _read_again(session)
    if count:
        _write(session, Action.SIGN_UP_CANCELLED, values["session"], request_id, count, values["now"], by)
    return count


def mark(session: Session, by: Agent, sign_up_id: UUID, how: SignUpState, now: datetime) -> SignUp:
    """Say whether a person came, by one tap; a slip is set right by saying it again, `SIGNED` takes it back.

    Raises:
        SessionOverError: too early, called off, or the person has no seat.
    """
    one = session.get_one(SignUp, sign_up_id, with_for_update=True)
    held = session.get_one(GroupSession, one.session_id)
    if not held.is_on or held.start > now + SHEET_OPENS or one.state not in SEATED or how not in SEATED:
        raise SessionOverError
    if one.state is not how:
        one.state = how
        journal.write(
            session, Action.ATTENDED, now, request_id=one.request_id, agent=by, of_session=str(one.session_id),
            how=how.value,
        )  # fmt: skip
    return one


def _read_again(session: Session) -> None:
    """The database's functions change rows behind the session's back."""
    for row in session.identity_map.values():
        if isinstance(row, SignUp):
            session.expire(row)


def _state_of(session: Session, session_id: UUID, request_id: UUID, group_id: UUID) -> SignUpState:
    """What became of a form received before."""
    state: SignUpState | None = session.scalar(
        select(SignUp.state)
        .where(SignUp.session_id == session_id, SignUp.request_id == request_id, SignUp.group_id == group_id)
        .order_by(SignUp.state == SignUpState.CANCELLED)
        .limit(1)
    )
    return state or SignUpState.CANCELLED


def _write(
    session: Session,
    action: Action,
    session_id: UUID,
    request_id: UUID,
    people: int,
    now: datetime,
    by: Agent | None,
    **more: Any,
) -> None:
    """One line in French, as routing's sentences are; the title of a session may be sensitive and is not there."""
    during = session.scalar(select(GroupSession.during).where(GroupSession.id == session_id))
    if during is None or during.lower is None:
        raise ValueError("a session that cannot be seen")
    day, hour = date_in_words(during.lower, "fr"), during.lower.astimezone(PARIS)
    who = f"{people} personnes" if people > 1 else "1 personne"
    journal.write(
        session, action, now, request_id=request_id, agent=by, of_session=str(session_id), people=people,
        sentence=f"{who}, {day} à {hour:%H:%M}", **more,
    )  # fmt: skip
