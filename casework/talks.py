"""The talk of a visit: who takes part, what is written, how it ends."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    UniqueConstraint,
    Uuid,
    column,
    func,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from casework.cards import ALARMS, Card, load_cards
from casework.database import Base, one_of
from casework.vocabulary import N_

LONGEST_LINE = 2000
MOST_PEOPLE = 4
"""Three who talk with the person, at most."""


class TalkState(enum.StrEnum):
    """Where a talk stands. `CALLED`: the person was called and has not come in yet."""

    CALLED = "called"
    OPEN = "open"
    ON_HOLD = "on_hold"
    ENDED = "ended"


class Part(enum.StrEnum):
    """As what somebody takes part. A third: an interpreter, or somebody the person trusts, by a link of their own."""

    CITIZEN = "citizen"
    AGENT = "agent"
    THIRD = "third"


class TalkOutcome(enum.StrEnum):
    """How a talk ended."""

    ANSWERED = "answered"
    APPOINTMENT = "appointment"
    FOLLOW_UP = "follow_up"
    ORIENTED = "oriented"
    HANDED = "handed"
    ABSENT = "absent"
    CUT = "cut"


TALK_OUTCOMES: dict[TalkOutcome, str] = {
    TalkOutcome.ANSWERED: N_("Réponse donnée"),
    TalkOutcome.APPOINTMENT: N_("Un rendez-vous est à prendre"),
    TalkOutcome.FOLLOW_UP: N_("Accompagnement commencé"),
    TalkOutcome.ORIENTED: N_("Orientation vers un autre organisme"),
    TalkOutcome.HANDED: N_("Passé à un collègue"),
    TalkOutcome.ABSENT: N_("La personne n'est pas venue"),
    TalkOutcome.CUT: N_("Coupé : le poste ne répondait plus"),
}


class Talk(Base):
    """One talk: the visit, and the agent who leads it. A visit has one at a time; an agent one that is not on hold.

    `reason`: why this person was called before others. `notes`: for the house. `summary`: the person reads it.
    """

    __tablename__ = "talks"
    __table_args__ = (
        Index("talks_one_a_visit_idx", "visit_id", unique=True, postgresql_where=text("state <> 'ended'")),
        Index(
            "talks_one_an_agent_idx",
            "agent_id",
            unique=True,
            postgresql_where=text("state IN ('called', 'open')"),
        ),
        Index("talks_permanence_ended_idx", "permanence_id", "ended_at"),
        Index("talks_visit_id_idx", "visit_id"),
        CheckConstraint("(state = 'ended') = (ended_at IS NOT NULL)", name="ended"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    visit_id: Mapped[UUID] = mapped_column(ForeignKey("visits.id"))
    permanence_id: Mapped[UUID] = mapped_column(ForeignKey("virtual_permanences.id"))
    agent_id: Mapped[int] = mapped_column(ForeignKey("agents.id"))
    state: Mapped[TalkState] = mapped_column(one_of(TalkState))
    called_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    reason: Mapped[str]
    outcome: Mapped[TalkOutcome | None] = mapped_column(one_of(TalkOutcome))
    notes: Mapped[str]
    summary: Mapped[str]


class TalkPerson(Base):
    """Somebody who takes part, or is asked to. `link_hash`: a third's own link, good until the talk ends."""

    __tablename__ = "talk_people"
    __table_args__ = (
        Index("talk_people_talk_id_idx", "talk_id"),
        Index(
            "talk_people_one_citizen_idx",
            "talk_id",
            unique=True,
            postgresql_where=text("part = 'citizen'"),
        ),
        UniqueConstraint("talk_id", "agent_id"),
        CheckConstraint("(part = 'agent') = (agent_id IS NOT NULL)", name="agent"),
        CheckConstraint("(part = 'third') = (link_hash IS NOT NULL)", name="third"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    talk_id: Mapped[UUID] = mapped_column(ForeignKey("talks.id"))
    part: Mapped[Part] = mapped_column(one_of(Part))
    agent_id: Mapped[int | None] = mapped_column(ForeignKey("agents.id"))
    name: Mapped[str]
    language: Mapped[str]
    """In which language they read and write here."""
    invited_by: Mapped[int | None] = mapped_column(ForeignKey("agents.id"))
    invited_at: Mapped[datetime]
    link_hash: Mapped[str | None] = mapped_column(unique=True)
    joined_at: Mapped[datetime | None]
    left_at: Mapped[datetime | None]


class TalkLine(Base):
    """Something written in a talk. `submission` is the form's own number: the same form sent twice is one line."""

    __tablename__ = "talk_lines"
    __table_args__ = (
        UniqueConstraint("talk_id", "submission"),
        Index("talk_lines_talk_id_id_idx", "talk_id", "id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    talk_id: Mapped[UUID] = mapped_column(ForeignKey("talks.id"))
    person_id: Mapped[UUID] = mapped_column(ForeignKey("talk_people.id"))
    at: Mapped[datetime]
    body: Mapped[str]
    language: Mapped[str]
    submission: Mapped[UUID]


@dataclass(frozen=True)
class MyTalk:
    """A talk as those who come by a link may read it."""

    id: UUID
    visit_id: UUID
    permanence_id: UUID
    state: TalkState
    called_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    outcome: TalkOutcome | None
    summary: str


@dataclass(frozen=True)
class Taker:
    """Somebody who takes part, as the others read it. `here`: came in and has not left."""

    id: UUID
    talk_id: UUID
    part: Part
    name: str
    language: str
    joined_at: datetime | None
    left_at: datetime | None

    @property
    def here(self) -> bool:
        """They came in and have not left."""
        return self.joined_at is not None and self.left_at is None


@dataclass(frozen=True)
class Said:
    """A line with who wrote it."""

    id: int
    person_id: UUID
    part: Part
    name: str
    at: datetime
    body: str
    language: str


def opened(session: Session) -> MyTalk | None:
    """The talk that the presented secret opens: the one under way, else the last one."""
    row = session.execute(
        select(*(getattr(Talk, one.name) for one in fields(MyTalk)))
        .where(Talk.id.in_(select(func.opened_talks())))
        .order_by((Talk.state == TalkState.ENDED), Talk.called_at.desc())
        .limit(1)
    ).one_or_none()
    return MyTalk(**row._mapping) if row else None


def myself(session: Session, talk_id: UUID) -> Taker | None:
    """As whom the presented secret takes part in a talk that is not over."""
    as_whom = func.opened_people().table_valued(column("id", Uuid), column("talk_id", Uuid))
    ids = session.scalars(select(as_whom.c.id).where(as_whom.c.talk_id == talk_id)).all()
    return next((one for one in people(session, talk_id) if one.id in ids), None)


def people(session: Session, talk_id: UUID) -> list[Taker]:
    """Who takes part or was asked to, in the order they were asked."""
    rows = session.execute(
        select(*(getattr(TalkPerson, one.name) for one in fields(Taker)))
        .where(TalkPerson.talk_id == talk_id)
        .order_by(TalkPerson.invited_at, TalkPerson.part, TalkPerson.id)
    )
    return [Taker(**row._mapping) for row in rows]


def join(session: Session, now: datetime) -> UUID | None:
    """Come into the talk that the presented secret opens; None when there is none any more."""
    found: UUID | None = session.scalar(text("SELECT join_talk(:now)"), {"now": now})
    return found


def leave(session: Session, now: datetime) -> None:
    """Go out of the talk that the presented secret opens. It goes on until the agent ends it; one may come back."""
    session.execute(text("SELECT leave_talk(:now)"), {"now": now})


def lines(session: Session, visit_id: UUID) -> list[Said]:
    """All that was written in a visit, whoever led the talk, oldest first: of it, what the reader's role may see."""
    rows = session.execute(
        select(TalkLine.id, TalkLine.person_id, TalkPerson.part, TalkPerson.name, TalkLine.at, TalkLine.body,
               TalkLine.language)
        .join(Talk, Talk.id == TalkLine.talk_id)
        .join(TalkPerson, TalkPerson.id == TalkLine.person_id)
        .where(Talk.visit_id == visit_id)
        .order_by(TalkLine.id)
    )  # fmt: skip
    return [Said(**row._mapping) for row in rows]


def warnings_of(said: Sequence[Said]) -> list[Card]:
    """What was said with a card and an agent must know before anything else, until an agent writes: danger, fear, that
    one cannot talk."""
    found: dict[str, Card] = {}
    for line in said:
        if line.part is Part.AGENT:
            found.clear()
        elif (card := load_cards().read(line.body, line.language)) and card.id in {*ALARMS, "cannot_talk"}:
            found[card.id] = card
    return list(found.values())


def write(
    session: Session,
    talk_id: UUID,
    person_id: UUID,
    body: str,
    language: str,
    submission: UUID,
    now: datetime,
) -> None:
    """Add a line; the same form twice is one line. Nothing is read back, which the portal's role could not do."""
    values = {
        "talk_id": talk_id, "person_id": person_id, "at": now, "body": body[:LONGEST_LINE], "language": language,
        "submission": submission,
    }  # fmt: skip
    session.execute(insert(TalkLine).inline().values(values).on_conflict_do_nothing())
