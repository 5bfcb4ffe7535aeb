"""The conversation on a request: what the person and the agents wrote to each other."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import ForeignKey, Index, UniqueConstraint, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from casework import journal
from casework.agents import Agent
from casework.cards import ALARMS, Card, load_cards
from casework.database import Base, one_of
from casework.requests import Request

LONGEST_BODY = 5000


class Author(enum.StrEnum):
    """Which side wrote."""

    CITIZEN = "citizen"
    AGENT = "agent"


class Kind(enum.StrEnum):
    """What a message asks for."""

    TEXT = "text"
    PAPER_ASKED = "paper_asked"


class Message(Base):
    """One message. `submission` is the form's own number: the same form sent twice is one message."""

    __tablename__ = "messages"
    __table_args__ = (
        UniqueConstraint("request_id", "submission"),
        Index("messages_request_id_at_idx", "request_id", "at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    request_id: Mapped[UUID] = mapped_column(ForeignKey("requests.id"))
    submission: Mapped[UUID]
    at: Mapped[datetime]
    author: Mapped[Author] = mapped_column(one_of(Author))
    kind: Mapped[Kind] = mapped_column(one_of(Kind))
    agent_id: Mapped[int | None] = mapped_column(ForeignKey("agents.id"), index=True)
    signature: Mapped[str]
    """How an agent signed, as the person reads it; empty for the person's own."""
    body: Mapped[str]
    language: Mapped[str]
    by_text: Mapped[bool] = mapped_column(default=False, server_default="false")
    """The person sent it as a text message (`casework.answers`)."""
    not_understood_at: Mapped[datetime | None]
    """When the person said that they do not understand it."""


def of_request(session: Session, request_id: UUID) -> list[Message]:
    """The conversation, oldest first."""
    return list(
        session.scalars(
            select(Message).where(Message.request_id == request_id).order_by(Message.at, Message.id)
        )
    )


def already_received(session: Session, request_id: UUID, submission: UUID) -> bool:
    """True when the form with that number was received before: a second tap, not a second message."""
    found = select(Message.id).where(Message.request_id == request_id, Message.submission == submission)
    return session.scalar(found) is not None


def write_as_citizen(
    session: Session,
    request_id: UUID,
    body: str,
    language: str,
    submission: UUID,
    now: datetime,
    *,
    by_text: bool = False,
    sorted_by: Agent | None = None,
) -> bool:
    """Add what the person wrote; False when this very form, or this very text message, was already received.

    `sorted_by`: the agent who said that a text message belongs to this request.
    """
    if not _insert(
        session, request_id, body, language, submission, now, author=Author.CITIZEN, by_text=by_text
    ):
        return False
    session.execute(update(Request).where(Request.id == request_id).values(citizen_wrote_at=now))
    action = journal.Action.TEXT_RECEIVED if by_text else journal.Action.WROTE
    journal.write(session, action, now, request_id=request_id, agent=sorted_by)
    return True


def write_as_agent(
    session: Session,
    request: Request,
    agent: Agent,
    body: str,
    submission: UUID,
    now: datetime,
    kind: Kind = Kind.TEXT,
) -> bool:
    """Add what an agent wrote, in French; False when this very form was already received."""
    written = _insert(
        session,
        request.id,
        body,
        "fr",
        submission,
        now,
        author=Author.AGENT,
        kind=kind,
        agent_id=agent.id,
        signature=agent.name,
    )
    if written:
        request.agent_wrote_at = now
    return written


def say_not_understood(session: Session, request_id: UUID, message_id: UUID, now: datetime) -> bool:
    """The person does not understand what an agent wrote: it comes back to who handles the request, as a new message
    does. False when they said so already, or when it is no message of an agent to them."""
    said = session.execute(
        update(Message)
        .where(
            Message.id == message_id,
            Message.request_id == request_id,
            Message.author == Author.AGENT,
            Message.not_understood_at.is_(None),
        )
        .values(not_understood_at=now)
        .returning(Message.id),
        execution_options={"synchronize_session": False},
    )
    if said.first() is None:
        return False
    session.execute(
        update(Request)
        .where(Request.id == request_id)
        .values(citizen_wrote_at=now, not_understood_at=now)
        .execution_options(synchronize_session=False)
    )
    journal.write(session, journal.Action.NOT_UNDERSTOOD, now, request_id=request_id, message=str(message_id))
    return True


def say_alarm(session: Session, card_id: str) -> None:
    """The person says that they are in danger or afraid: the request that their secret opens comes to the top of the
    lists, with what they said as the reason. `card_id`: one of `cards.ALARMS`."""
    session.execute(text("SELECT say_alarm(:card)"), {"card": card_id})


def warnings_of(request: Request, conversation: Sequence[Message]) -> list[Card]:
    """What the person said with a card and an agent must know before anything else: danger or fear and that they
    cannot talk, until somebody writes to them; that nobody should call, until they ask to be called."""
    cards = [
        (message, load_cards().read(message.body, message.language))
        for message in conversation
        if message.author is Author.CITIZEN
    ]
    found: dict[str, Card] = {}
    for message, card in cards:
        if card is None:
            continue
        if card.id == "call_me":
            found.pop("do_not_call", None)
        answered = request.agent_wrote_at is not None and request.agent_wrote_at >= message.at
        if card.id == "do_not_call" or (card.id in {*ALARMS, "cannot_talk"} and not answered):
            found[card.id] = card
    return list(found.values())


def _insert(
    session: Session,
    request_id: UUID,
    body: str,
    language: str,
    submission: UUID,
    now: datetime,
    *,
    author: Author,
    kind: Kind = Kind.TEXT,
    agent_id: int | None = None,
    signature: str = "",
    by_text: bool = False,
) -> bool:
    result = session.execute(
        insert(Message)
        .values(
            id=uuid4(),
            request_id=request_id,
            submission=submission,
            at=now,
            author=author,
            kind=kind,
            agent_id=agent_id,
            signature=signature,
            body=body[:LONGEST_BODY],
            language=language,
            by_text=by_text,
        )
        .on_conflict_do_nothing()
        .returning(Message.id)
    )
    return result.first() is not None
