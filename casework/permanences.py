"""Virtual permanences: a house receives from afar, at certain times, by the agents whose desks are open.

Times are rows, made ahead from days and hours of Paris. A desk is one agent who receives now: one an agent, and it
is closed by itself when its page shows no sign of life any more.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Boolean, CheckConstraint, ForeignKey, Index, text
from sqlalchemy.dialects.postgresql import TSTZRANGE, ExcludeConstraint, Range
from sqlalchemy.orm import Mapped, mapped_column

from casework.database import Base


class VirtualPermanence(Base):
    """Where a house receives from afar. `languages` are those the workers speak there, besides French.

    `with_appointment`: booked video appointments come in here. `walk_in`: so does anybody else while it is open.
    """

    __tablename__ = "virtual_permanences"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    house_id: Mapped[str] = mapped_column(ForeignKey("houses.id"), index=True)
    name: Mapped[str]
    languages: Mapped[list[str]]
    with_appointment: Mapped[bool] = mapped_column(Boolean)
    walk_in: Mapped[bool] = mapped_column(Boolean)
    active: Mapped[bool] = mapped_column(Boolean)


class PermanenceTime(Base):
    """One time a permanence receives. Two of one permanence never overlap."""

    __tablename__ = "permanence_times"
    __table_args__ = (
        ExcludeConstraint(
            ("permanence_id", "="), ("during", "&&"), name="permanence_times_apart", using="gist"
        ),
        CheckConstraint("NOT isempty(during)", name="during"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    permanence_id: Mapped[UUID] = mapped_column(ForeignKey("virtual_permanences.id"))
    during: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)


class PermanenceDesk(Base):
    """An agent who receives at a permanence, while `closed_at` is null; the page of the desk says it is still there."""

    __tablename__ = "permanence_desks"
    __table_args__ = (
        Index(
            "permanence_desks_one_open_idx",
            "agent_id",
            unique=True,
            postgresql_where=text("closed_at IS NULL"),
        ),
        Index("permanence_desks_open_idx", "permanence_id", postgresql_where=text("closed_at IS NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    permanence_id: Mapped[UUID] = mapped_column(ForeignKey("virtual_permanences.id"))
    agent_id: Mapped[int] = mapped_column(ForeignKey("agents.id"))
    opened_at: Mapped[datetime]
    closed_at: Mapped[datetime | None]
    last_seen_at: Mapped[datetime]
