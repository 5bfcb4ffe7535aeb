"""The waiting room of a virtual permanence: coming in, one's place, the expected wait, leaving it.

A visit is one person, however many tabs. The portal writes it through database functions (migration 0012) that see
what the visit's own secret opens, or the secret of its request (design rule 4).
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    LargeBinary,
    SmallInteger,
    Text,
    and_,
    bindparam,
    func,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, Session, mapped_column

from casework.database import Base, one_of
from casework.documents import seal
from casework.expected_wait import Line
from casework.vocabulary import LANGUAGES, N_, Theme, Word

PLACE_KEPT = timedelta(minutes=5)
"""So long without a sign of life the place is kept."""
TOLD_KEPT = timedelta(minutes=15)
"""So long after a text message said that the turn comes near the place is kept, without a sign of life."""
HERE = timedelta(minutes=2)
"""Who gave a sign of life within this is called; a page in the background asks once a minute."""


class Wanted(enum.StrEnum):
    """How the person wants to talk; each is as good as the others, and may be changed on the way."""

    VIDEO = "video"
    VOICE = "voice"
    TEXT = "text"


class VisitState(enum.StrEnum):
    """Where a person of the waiting room stands.

    `GONE`: no sign of life for too long, or called in vain; they may come back. The last three are over.
    """

    WAITING = "waiting"
    CALLED = "called"
    TALKING = "talking"
    ON_HOLD = "on_hold"
    GONE = "gone"
    ENDED = "ended"
    LEFT = "left"
    CALLBACK = "callback"


OVER = frozenset({VisitState.ENDED, VisitState.LEFT, VisitState.CALLBACK})
LIVE = "state IN ('waiting', 'called', 'talking', 'on_hold', 'gone')"


class Visit(Base):
    """One person who came into the waiting room. At least one of `link_hash` and `request_id` is there.

    `link_hash`: the keyed hash of the visit's own secret (`access.link_hash`), for who comes without a request.
    `due_at`: the hour of their appointment, or when a colleague handed them on. `meant_for`: the agent they wait for.
    """

    __tablename__ = "visits"
    __table_args__ = (
        Index(
            "visits_one_a_request_idx",
            "request_id",
            unique=True,
            postgresql_where=text(f"{LIVE} AND request_id IS NOT NULL"),
        ),
        Index("visits_live_idx", "permanence_id", postgresql_where=text(LIVE)),
        Index(
            "visits_callback_idx",
            "ended_at",
            postgresql_where=text("state = 'callback' AND request_id IS NULL"),
        ),
        CheckConstraint("link_hash IS NOT NULL OR request_id IS NOT NULL", name="opens"),
        CheckConstraint("NOT urgent OR urgency_reason <> ''", name="urgent"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    permanence_id: Mapped[UUID] = mapped_column(ForeignKey("virtual_permanences.id"))
    link_hash: Mapped[str | None] = mapped_column(unique=True)
    request_id: Mapped[UUID | None] = mapped_column(ForeignKey("requests.id"), index=True)
    appointment_id: Mapped[UUID | None] = mapped_column(ForeignKey("appointments.id"))
    called_name: Mapped[str]
    language: Mapped[str]
    theme: Mapped[Theme | None] = mapped_column(one_of(Theme))
    needs: Mapped[list[str]]
    channel: Mapped[Wanted] = mapped_column(one_of(Wanted))
    arrived_at: Mapped[datetime]
    due_at: Mapped[datetime | None]
    meant_for: Mapped[int | None] = mapped_column(ForeignKey("agents.id"))
    urgent: Mapped[bool]
    urgency_reason: Mapped[str]
    state: Mapped[VisitState] = mapped_column(one_of(VisitState))
    last_seen_at: Mapped[datetime]
    missed_at: Mapped[datetime | None]
    """When the person was called in vain; they are asked whether they are there."""
    promised_minutes: Mapped[int | None] = mapped_column(SmallInteger)
    """The wait the person was told when they came in, in minutes; null when nothing could be said."""
    text_number: Mapped[str | None]
    """E.164: where to say that the turn comes near. The place is kept without a sign of life then."""
    sealed_secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    """The visit's own secret for that message, sealed to the back office's key; null with a request."""
    text_tried_at: Mapped[datetime | None]
    """When that message was first given to the provider, while it takes none."""
    text_told_at: Mapped[datetime | None]
    """When that message left."""
    page_language: Mapped[str | None]
    """In which language (one of `LANGUAGES`) the person reads our pages; `language` is the one they speak."""
    callback_number: Mapped[str | None]
    """E.164: where the person wants to be called back."""
    ended_at: Mapped[datetime | None]
    led_to: Mapped[UUID | None]
    """The draft that the person began after the talk; a request of that id once it is sent."""
    carried_at: Mapped[datetime | None]
    """When a browser that is no kiosk first showed it: wiping a kiosk does not end it then."""
    left_kiosk_at: Mapped[datetime | None]
    """When the kiosk where they had been called was wiped; the desk sees it, unless they came back by themselves."""
    left_kiosk_id: Mapped[UUID | None] = mapped_column(ForeignKey("kiosks.id", ondelete="SET NULL"))


CHANNELS_WANTED: dict[Wanted, Word] = {
    Wanted.VIDEO: Word(N_("Se voir et se parler"), "camera"),
    Wanted.VOICE: Word(N_("Se parler, sans image"), "phone"),
    Wanted.TEXT: Word(N_("S'écrire seulement"), "message"),
}


Turn = tuple[int, datetime, UUID]
"""A place in the line; the smallest is called first."""


def turn(visit: Visit, now: datetime) -> Turn:
    """Urgent people first; then appointments whose hour has come, by their hour; then in order of arrival; then those
    who came before their hour: they wait for it, unless a desk is free (decision 0022)."""
    if visit.urgent:
        return 0, visit.arrived_at, visit.id
    if visit.due_at is None:
        return 2, visit.arrived_at, visit.id
    return (1 if visit.due_at <= now else 3), visit.due_at, visit.id


def keeps_place(now: datetime) -> ColumnElement[bool]:
    """Who still has their place in the line; the function of that name (migration 0020) says the same."""
    told = or_(Visit.text_told_at.is_(None), Visit.text_told_at >= now - TOLD_KEPT)
    return or_(Visit.last_seen_at >= now - PLACE_KEPT, and_(Visit.text_number.is_not(None), told))


def written_language(visit: Visit, request_language: str | None) -> str:
    """In which language we write to the person: that of their pages, else what they speak, else of their request."""
    known = (visit.page_language, visit.language, request_language)
    return next((one for one in known if one in LANGUAGES), "fr")


@dataclass(frozen=True)
class Coming:
    """Who comes in. `appointment_id`: a booked video appointment, of the opened request."""

    permanence_id: UUID
    called_name: str
    language: str
    theme: str
    needs: list[str]
    channel: Wanted
    appointment_id: UUID | None = None
    minutes: int | None = None
    """The wait they were told, if any."""
    page_language: str = "fr"
    """In which language they read our pages."""


@dataclass(frozen=True)
class MyVisit:
    """A visit as its person may read it."""

    id: UUID
    permanence_id: UUID
    request_id: UUID | None
    appointment_id: UUID | None
    called_name: str
    language: str
    theme: Theme | None
    needs: list[str]
    channel: Wanted
    arrived_at: datetime
    due_at: datetime | None
    state: VisitState
    last_seen_at: datetime
    missed_at: datetime | None
    promised_minutes: int | None
    text_number: str | None
    text_told_at: datetime | None
    callback_number: str | None
    ended_at: datetime | None
    led_to: UUID | None
    carried_at: datetime | None

    @property
    def is_live(self) -> bool:
        """It is not over."""
        return self.state not in OVER


COLUMNS = tuple(getattr(Visit, one.name) for one in fields(MyVisit))
"""What the portal may read of a visit."""


class NotReceivingError(Exception):
    """Nobody can receive this person here any more today."""


def line(session: Session, permanence_id: UUID, now: datetime) -> Line:
    """The line before the opened visit; before anybody who would come in now, when none waits there."""
    found = session.execute(
        text("SELECT ahead, desks, ongoing, lately FROM line_of(:permanence, :now)"),
        {"permanence": permanence_id, "now": now},
    ).one()
    return Line(found.ahead, found.desks, list(found.ongoing), list(found.lately))


def arrive(session: Session, coming: Coming, now: datetime, *, callback: str | None = None) -> None:
    """Come in, by the portal's role; who is there already stays in their place. With `callback`, a number (E.164),
    nobody waits: an agent calls back.

    Raises:
        NotReceivingError: it is closed, or this visit's secret served before.
    """
    said: str = session.scalar(
        text(
            "SELECT arrive(:id, :permanence, :appointment, :name, :language, :theme, :needs, :channel, :minutes, "
            ":callback, :now)"
        ).bindparams(bindparam("needs", type_=ARRAY(Text))),
        {
            "id": uuid4(),
            "permanence": coming.permanence_id,
            "appointment": coming.appointment_id,
            "name": coming.called_name,
            "language": coming.language,
            "theme": coming.theme or None,
            "needs": coming.needs,
            "channel": coming.channel.value,
            "minutes": coming.minutes,
            "callback": callback,
            "now": now,
        },
    )
    if said == "over":
        raise NotReceivingError
    _change(session, func.opened_visit(), page_language=coming.page_language)


def still_waits(session: Session, visit_id: UUID) -> bool:
    """True while a person waits and was not called yet."""
    return session.get_one(Visit, visit_id).state is VisitState.WAITING


def mine(session: Session) -> MyVisit | None:
    """The visit that the presented secret opens: the one under way, else the last one."""
    opened = select(func.opened_visit()).scalar_subquery()  # asked once, not for each row
    row = session.execute(select(*COLUMNS).where(Visit.id == opened)).one_or_none()
    return MyVisit(**row._mapping) if row else None


def seen(session: Session, now: datetime) -> None:
    """The person's page gives a sign of life; after too long without, they are last in the line again."""
    session.execute(text("SELECT visit_seen(:now)"), {"now": now})


def come_back(session: Session, now: datetime) -> None:
    """ "I am here", after having been called in vain."""
    session.execute(text("SELECT visit_back(:now)"), {"now": now})


def leave(session: Session, now: datetime, *, callback: str | None = None) -> bool:
    """Wait no more; with a number (E.164), be called back instead. False when there was nothing to leave."""
    left: bool = session.scalar(
        text("SELECT leave_waiting(:callback, :now)"), {"callback": callback, "now": now}
    )
    return left


def leave_kiosk(session: Session, hashed: str, now: datetime) -> None:
    """The screen of the kiosk with that keyed hash is wiped: leave the place, or go out of the talk, held there.

    Who was called and went on with no device of their own goes back to the desk, which sees where they were.
    """
    session.execute(text("SELECT leave_kiosk(:hashed, :now)"), {"hashed": hashed, "now": now})


def text_me(
    session: Session, visit: MyVisit, number: str, secret: str | None, public_key: str, language: str = "fr"
) -> MyVisit:
    """Have a text message sent to a number (E.164) when the turn comes near; the place is kept meanwhile.

    `secret`: the visit's own, for who has no request; it leaves this function sealed. `language`: of the page.
    """
    sealed = seal(secret.encode(), public_key) if secret and visit.request_id is None else None
    _change(session, visit.id, text_number=number, sealed_secret=sealed, page_language=language)
    return replace(visit, text_number=number)


def choose_channel(session: Session, visit_id: UUID, channel: Wanted) -> None:
    """Talk by other means: before the talk, or in the middle of it."""
    _change(session, visit_id, channel=channel)


def led_to(session: Session, visit_id: UUID, draft_id: UUID) -> None:
    """The person begins a request after the talk: agents find the one with the other."""
    _change(session, visit_id, led_to=draft_id)


def carry(session: Session, visit_id: UUID, now: datetime) -> None:
    """The person waits with a device of their own: a kiosk that is wiped no longer ends the visit."""
    _change(session, visit_id, carried_at=now)


def _change(session: Session, visit_id: UUID | ColumnElement[UUID], **values: Any) -> None:
    session.execute(
        update(Visit).where(Visit.id == visit_id).values(values).execution_options(synchronize_session=False)
    )
