"""Group sessions as pages list them: to people, with the seats left; to agents, with who comes and who waits.

What people read is read with the portal's role, column by column; how many seats are left is told by a function that
says nothing of who sits there.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session

from casework.booking import Where, places
from casework.requests import Request
from casework.sessions import GroupSession, SessionState
from casework.sign_ups import LIVE, SEATED, SignUp, SignUpState
from casework.spans import begins, ends
from casework.territory import House


@dataclass(frozen=True)
class Shown:
    """A session as people read it. `free`: seats left; `waiting`: how many people wait; `version`: it grows when the
    hour or the place changes."""

    id: UUID
    house: House
    title: str
    words: str
    during: Range[datetime]
    languages: list[str]
    open_to_citizens: bool
    is_on: bool
    version: int
    where: Where
    free: int
    waiting: int

    @property
    def start(self) -> datetime:
        """When it begins."""
        return begins(self.during)

    @property
    def end(self) -> datetime:
        """When it is over."""
        return ends(self.during)


@dataclass(frozen=True)
class Guest:
    """One person, as their own request shows them."""

    id: UUID
    name: str
    state: SignUpState


@dataclass(frozen=True)
class MySignUps:
    """A session with everybody of one request who has a seat there or waits for one."""

    session: Shown
    guests: list[Guest]

    @property
    def waits(self) -> bool:
        """Somebody still waits."""
        return any(guest.state is SignUpState.WAITING for guest in self.guests)

    @property
    def has_seats(self) -> bool:
        """Somebody has a seat, or had one when it was called off."""
        return any(guest.state is not SignUpState.WAITING for guest in self.guests)


@dataclass(frozen=True)
class Line:
    """One line of a session's lists, as the house sees it. `asked` is the request."""

    sign_up: SignUp
    asked: Request
    people: int
    """How many of the same form wait or have a seat."""

    @property
    def name(self) -> str:
        """The first name given with the form, else the name of the request, else empty."""
        return self.sign_up.name or (self.asked.name if self.people == 1 else "")


def coming(session: Session, now: datetime, house_id: str | None = None) -> list[Shown]:
    """The sessions people may sign up to by themselves, the soonest first; of one house if it is named."""
    wanted = [
        GroupSession.state == SessionState.PLANNED,
        GroupSession.open_to_citizens,
        func.lower(GroupSession.during) > now,
    ]
    return _shown(session, *wanted, *([GroupSession.house_id == house_id] if house_id else []))


def shown(session: Session, session_id: UUID) -> Shown | None:
    """One session as people may see it: public, or theirs."""
    return next(iter(_shown(session, GroupSession.id == session_id)), None)


def _shown(session: Session, *conditions: Any) -> list[Shown]:
    """Column by column: what the portal's role may read."""
    rows = session.execute(
        select(
            GroupSession.id, House, GroupSession.title, GroupSession.words, GroupSession.during,
            GroupSession.languages, GroupSession.open_to_citizens, GroupSession.state, GroupSession.place_id,
            GroupSession.version,
        )
        .join(House, House.id == GroupSession.house_id)
        .where(*conditions)
        .order_by(func.lower(GroupSession.during), GroupSession.title)
    ).all()  # fmt: skip
    known = places(session, [row.place_id for row in rows])
    left = {
        row.session_id: row
        for row in session.execute(text("SELECT * FROM seats_left(:ids)"), {"ids": [row.id for row in rows]})
    }
    return [
        Shown(
            id=row.id, house=row.House, title=row.title, words=row.words, during=row.during,
            languages=row.languages, open_to_citizens=row.open_to_citizens,
            is_on=row.state is SessionState.PLANNED, version=row.version, where=known[row.place_id],
            free=left[row.id].free, waiting=left[row.id].waiting,
        )
        for row in rows
    ]  # fmt: skip


def mine(
    session: Session, request_id: UUID, now: datetime, session_id: UUID | None = None
) -> list[MySignUps]:
    """The sessions to come in which a request has a seat or waits, the soonest first; called off ones too."""
    query = (
        select(SignUp.id, SignUp.session_id, SignUp.name, SignUp.state)
        .join(GroupSession, GroupSession.id == SignUp.session_id)
        .where(
            SignUp.request_id == request_id,
            SignUp.state.in_(LIVE),
            func.upper(GroupSession.during) > now,
        )
        .order_by(SignUp.turn)
    )
    if session_id:
        query = query.where(SignUp.session_id == session_id)
    guests: dict[UUID, list[Guest]] = {}
    for row in session.execute(query):
        guests.setdefault(row.session_id, []).append(Guest(row.id, row.name, row.state))
    found = _shown(session, GroupSession.id.in_(guests)) if guests else []
    return [MySignUps(one, guests[one.id]) for one in found]


@dataclass(frozen=True)
class Turnout:
    """How many seats of a session are taken, how many people wait, came, and did not."""

    taken: int = 0
    waiting: int = 0
    came: int = 0
    missed: int = 0


def turnouts(session: Session, ids: Iterable[UUID]) -> dict[UUID, Turnout]:
    """The counts of some sessions, for agents."""
    ids = list(ids)
    counted: dict[UUID, dict[SignUpState, int]] = {one: {} for one in ids}
    rows = session.execute(
        select(SignUp.session_id, SignUp.state, func.count())
        .where(SignUp.session_id.in_(ids))
        .group_by(SignUp.session_id, SignUp.state)
    )
    for session_id, state, count in rows:
        counted[session_id][state] = count
    return {
        one: Turnout(
            taken=sum(states.get(state, 0) for state in SEATED),
            waiting=states.get(SignUpState.WAITING, 0),
            came=states.get(SignUpState.CAME, 0),
            missed=states.get(SignUpState.MISSED, 0),
        )
        for one, states in counted.items()
    }


def lines(session: Session, session_id: UUID) -> list[Line]:
    """Everybody of a session who did not cancel, with their request: those on a seat, then those who wait, in order."""
    rows = session.execute(
        select(SignUp, Request)
        .join(Request, Request.id == SignUp.request_id)
        .where(SignUp.session_id == session_id, SignUp.state != SignUpState.CANCELLED)
        .order_by(SignUp.seat.is_(None), SignUp.turn)
    ).all()
    together: dict[tuple[UUID, UUID], int] = {}
    for one, _ in rows:
        group = (one.request_id, one.group_id)
        together[group] = together.get(group, 0) + 1
    return [Line(one, asked, together[one.request_id, one.group_id]) for one, asked in rows]


def of_request(session: Session, request_id: UUID, now: datetime) -> list[tuple[GroupSession, list[SignUp]]]:
    """The sessions of a request not over yet, with its people who did not cancel, the soonest first: for agents."""
    rows = session.execute(
        select(GroupSession, SignUp)
        .join(SignUp, SignUp.session_id == GroupSession.id)
        .where(
            SignUp.request_id == request_id,
            SignUp.state != SignUpState.CANCELLED,
            func.upper(GroupSession.during) > now,
        )
        .order_by(func.lower(GroupSession.during), GroupSession.id, SignUp.turn)
    )
    return [(held, [one for _, one in pairs]) for held, pairs in groupby(rows, key=lambda row: row[0])]
