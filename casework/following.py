"""What a person sees of their own request: read with the portal's role, so exactly what row security allows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from casework.cards import ALARMS, load_cards
from casework.documents import Document, Owner
from casework.documents import of as documents_of
from casework.messages import Author, Kind, Message
from casework.people import ContactWay
from casework.requests import Request, shown_state
from casework.sentences import language_of
from casework.territory import Commune, House
from casework.vocabulary import NEEDS, THEMES, URGENCIES, Need, State, Theme, Urgency, Word

COLUMNS = (
    Request.id, Request.number, Request.state, Request.received_at, Request.promised_by, Request.themes,
    Request.urgency, Request.words, Request.place_typed, Request.name, Request.spoken_language, Request.needs,
    Request.handler, Request.missing, Request.citizen_wrote_at, Request.agent_wrote_at, Request.worker_id,
)  # fmt: skip


@dataclass(frozen=True)
class Said:
    """What an agent or the person wrote, as the person reads it. `mine`: the person wrote it."""

    mine: bool
    signature: str
    at: datetime
    body: str
    language: str
    """Of its words, as far as their letters tell."""
    asks_paper: bool
    id: UUID
    not_understood: bool
    """The person said that they do not understand it."""


@dataclass(frozen=True)
class Followed:
    """A request as its author sees it."""

    id: UUID
    number: str
    state: State
    received_at: datetime
    promised_by: datetime
    themes: list[Word]
    sensitive: bool
    urgency: Urgency
    urgency_label: str
    words: str
    place: str
    name: str
    spoken_language: str
    needs: list[Word]
    handler: str
    missing: str
    """What the reception says is missing, in French."""
    house: House
    ways: list[ContactWay]
    conversation: list[Said]
    papers: list[Document]

    @property
    def alarmed(self) -> bool:
        """True when the person sent a card that says danger or fear (`cards.ALARMS`)."""
        sent = (load_cards().read(said.body, said.language) for said in self.conversation if said.mine)
        return any(card is not None and card.id in ALARMS for card in sent)

    @property
    def answered(self) -> bool:
        """True once somebody wrote to the person, or ended the request."""
        return self.state is State.CLOSED or any(not said.mine for said in self.conversation)


def followed(session: Session, request_id: UUID) -> Followed:
    """The request that the presented secret opens."""
    row = session.execute(
        select(*COLUMNS, Commune.name.label("commune"), House)
        .join(House, House.id == Request.house_id)
        .outerjoin(Commune, Commune.code == Request.commune_code)
        .where(Request.id == request_id)
    ).one()
    themes = [Theme(value) for value in row.themes]
    return Followed(
        id=row.id,
        number=row.number,
        state=shown_state(
            row.state, row.citizen_wrote_at, row.agent_wrote_at, has_worker=row.worker_id is not None
        ),
        received_at=row.received_at,
        promised_by=row.promised_by,
        themes=[THEMES[theme] for theme in themes],
        sensitive=is_sensitive(themes, row.urgency),
        urgency=row.urgency,
        urgency_label=URGENCIES[row.urgency].label,
        words=row.words,
        place=row.commune or row.place_typed,
        name=row.name,
        spoken_language=row.spoken_language,
        needs=[NEEDS[Need(value)] for value in row.needs],
        handler=row.handler,
        missing=row.missing,
        house=row.House,
        ways=list(session.scalars(select(ContactWay).where(ContactWay.request_id == request_id))),
        conversation=_conversation(session, request_id),
        papers=documents_of(session, Owner(request_id=request_id)),
    )


def is_sensitive(themes: list[Theme], urgency: Urgency) -> bool:
    """True when the pages of a request offer a quick exit, and say nothing to who shares the telephone."""
    return Theme.VIOLENCE in themes or urgency is Urgency.DANGER


def _conversation(session: Session, request_id: UUID) -> list[Said]:
    """The columns a person may read: who of the agents wrote is the signature alone."""
    rows = session.execute(
        select(
            Message.author,
            Message.signature,
            Message.at,
            Message.body,
            Message.language,
            Message.kind,
            Message.id,
            Message.not_understood_at,
        )
        .where(Message.request_id == request_id)
        .order_by(Message.at, Message.id)
    )
    return [
        Said(
            mine=row.author is Author.CITIZEN,
            signature=row.signature,
            at=row.at,
            body=row.body,
            language=language_of(row.body, row.language),
            asks_paper=row.kind is Kind.PAPER_ASKED,
            id=row.id,
            not_understood=row.not_understood_at is not None,
        )
        for row in rows
    ]
