"""The talk of a visit: who takes part, what is written, how it ends."""

from __future__ import annotations

import enum
from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from casework.database import Base, one_of
from casework.vocabulary import N_


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
