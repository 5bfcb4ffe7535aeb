"""Requests ("demandes"): the draft a person fills in, the request it becomes, what the queue shows.

A draft and its request share one id and one secret, so that the same form sent twice is one request, and the
link kept to come back to the draft is the link that follows the request.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import holidays
from sqlalchemy import CheckConstraint, ForeignKey, Index, delete, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from casework import access, journal
from casework.database import Base, one_of, put
from casework.documents import Document
from casework.notifications import Template, defer_sending, notification_for
from casework.people import ContactWay
from casework.settings import Settings
from casework.territory import Sector, SectorCommune, fold, house_for
from casework.vocabulary import (
    SENSITIVE_THEMES,
    CallTime,
    Channel,
    ContactRule,
    Need,
    Outcome,
    State,
    Urgency,
)

PARIS = ZoneInfo("Europe/Paris")
DRAFT_LIFE = timedelta(days=3)
LONGEST_WORDS = 5000

OPEN = "requests.state <> 'closed' OR requests.citizen_wrote_at > requests.closed_at"
"""What the queue shows: what is not closed, and what the person wrote to again since. The indexes of the queue hold
these and no other, so that queries must say the condition word for word."""

FOR_RECEPTION = (
    "requests.state IN ('received', 'qualified') OR (requests.worker_id IS NULL OR requests.state = 'closed') "
    "AND requests.citizen_wrote_at > COALESCE(requests.agent_wrote_at, requests.received_at)"
)
"""The reception's work: what is new, what is not sent on yet, what has no worker while the person wrote again."""


class Draft(Base):
    """Answers not yet sent. Kept three days, so that one can save and come back, then dropped."""

    __tablename__ = "drafts"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    secret_hash: Mapped[str] = mapped_column(unique=True)
    language: Mapped[str]
    answers: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime] = mapped_column(index=True)
    sent_at: Mapped[datetime | None]


class Request(Base):
    """What a person asked, and where it stands."""

    __tablename__ = "requests"
    __table_args__ = (
        Index(
            "requests_queue_idx",
            "house_id",
            text("urgent DESC"),
            "promised_by",
            "received_at",
            "id",
            postgresql_where=text(OPEN),
        ),
        Index(
            "requests_reception_idx",
            "house_id",
            text("urgent DESC"),
            "promised_by",
            "received_at",
            "id",
            postgresql_where=text(f"({OPEN}) AND ({FOR_RECEPTION})"),
        ),
        Index(
            "requests_language_idx",
            "house_id",
            "spoken_language",
            text("urgent DESC"),
            "promised_by",
            "received_at",
            "id",
            postgresql_where=text(OPEN),
        ),
        Index("requests_themes_idx", "themes", postgresql_using="gin", postgresql_where=text(OPEN)),
        Index("requests_worker_idx", "worker_id", postgresql_where=text("state <> 'closed'")),
        CheckConstraint(
            "state <> 'closed' OR (closed_at IS NOT NULL AND outcome IS NOT NULL)", name="closed"
        ),
        CheckConstraint("state NOT IN ('routed', 'taken') OR worker_id IS NOT NULL", name="routed"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(unique=True)
    language: Mapped[str]
    state: Mapped[State] = mapped_column(one_of(State), default=State.RECEIVED)
    received_at: Mapped[datetime]
    promised_by: Mapped[datetime]
    """When the person was told they would be answered at the latest."""
    themes: Mapped[list[str]]
    """`Theme` values; the citizen's, then what the secretary made of them."""
    urgency: Mapped[Urgency] = mapped_column(one_of(Urgency))
    """What the citizen said."""
    urgent: Mapped[bool]
    urgency_reason: Mapped[str] = mapped_column(default="")
    """Why an agent says it is urgent, or is not."""
    words: Mapped[str]
    commune_code: Mapped[str | None] = mapped_column(ForeignKey("communes.code"))
    """None: no fixed place, or a place we do not know."""
    place_typed: Mapped[str] = mapped_column(default="")
    """What was typed for a place outside the département."""
    house_id: Mapped[str] = mapped_column(ForeignKey("houses.id"))
    sector_id: Mapped[str | None] = mapped_column(ForeignKey("sectors.id"))
    kind_id: Mapped[str | None] = mapped_column(ForeignKey("kinds.id"))
    """The kind of appointment an agent says this needs; none said: the first one."""
    name: Mapped[str] = mapped_column(default="")
    name_folded: Mapped[str] = mapped_column(default="")
    """The name without accents, case or hyphens: how the same person is found again (`territory.fold`)."""
    spoken_language: Mapped[str]
    needs: Mapped[list[str]]
    contact_rule: Mapped[ContactRule] = mapped_column(
        one_of(ContactRule), default=ContactRule.USUAL, server_default="usual"
    )
    """Whether and how this person may be told things (`people.may_reach`)."""
    missing: Mapped[str] = mapped_column(default="")
    """What is still missing, as the secretary noted it."""
    secretary_id: Mapped[int | None] = mapped_column(ForeignKey("agents.id"))
    """The administrative referent (`seeds/004` §4.1)."""
    worker_id: Mapped[int | None] = mapped_column(ForeignKey("agents.id"))
    """The social referent."""
    routed_at: Mapped[datetime | None]
    route_reason: Mapped[str] = mapped_column(default="")
    """Why this worker, in one French sentence."""
    handler: Mapped[str] = mapped_column(default="")
    """What the citizen is told of who handles the request; empty while it is the house's reception."""
    outcome: Mapped[Outcome | None] = mapped_column(one_of(Outcome))
    closed_at: Mapped[datetime | None]
    citizen_wrote_at: Mapped[datetime | None]
    agent_wrote_at: Mapped[datetime | None]
    not_understood_at: Mapped[datetime | None]
    """When the person last said that they do not understand a message."""
    version: Mapped[int] = mapped_column(default=1)
    """Raised by each change an agent makes; a form made from an older one is refused."""

    @property
    def waits_for_agent(self) -> bool:
        """True when the person wrote and nobody answered since."""
        return _unanswered(self.citizen_wrote_at, self.agent_wrote_at)

    @property
    def not_understood(self) -> bool:
        """True when the person did not understand a message and nobody wrote since."""
        return _unanswered(self.not_understood_at, self.agent_wrote_at)

    @property
    def shown_state(self) -> State:
        """The state people read."""
        return shown_state(
            self.state, self.citizen_wrote_at, self.agent_wrote_at, has_worker=self.worker_id is not None
        )


def shown_state(
    state: State, citizen_wrote_at: datetime | None, agent_wrote_at: datetime | None, *, has_worker: bool
) -> State:
    """The state people read: once the person has answered, we wait for them no more."""
    if state is State.WAITING and _unanswered(citizen_wrote_at, agent_wrote_at):
        return State.TAKEN if has_worker else State.QUALIFIED
    return state


def _unanswered(citizen_wrote_at: datetime | None, agent_wrote_at: datetime | None) -> bool:
    return citizen_wrote_at is not None and (agent_wrote_at is None or citizen_wrote_at > agent_wrote_at)


@dataclass
class Answers:
    """What a person answered so far; every field may still be empty. Stored as JSON in `Draft.answers`."""

    theme: str = ""
    urgency: str = ""
    words: str = ""
    commune_typed: str = ""
    commune_code: str = ""
    no_fixed_place: bool = False
    channels: list[str] = field(default_factory=list)
    sms_number: str = ""
    call_number: str = ""
    call_time: str = CallTime.ANY
    email: str = ""
    postal_address: str = ""
    name: str = ""
    spoken_language: str = ""
    needs: list[str] = field(default_factory=list)
    typed: dict[str, str] = field(default_factory=dict)
    """What was typed and is not right yet, by field: shown again, never sent."""

    def contact_ways(self) -> list[tuple[Channel, str, CallTime | None]]:
        """The chosen channels with what is needed to use them; a channel without it is left out."""
        values = {
            Channel.SMS: self.sms_number,
            Channel.CALL: self.call_number,
            Channel.EMAIL: self.email,
            Channel.LETTER: self.postal_address,
        }
        ways: list[tuple[Channel, str, CallTime | None]] = []
        for channel in (Channel(value) for value in self.channels):
            value = values.get(channel, "")
            if value or channel is Channel.VISIT:
                ways.append((channel, value, CallTime(self.call_time) if channel is Channel.CALL else None))
        return ways

    def unanswered(self) -> list[str]:
        """The questions that must still be answered before sending, in order: any of
        `theme`, `urgency`, `place`, `channels`, `contact`."""
        empty = []
        if not self.theme:
            empty.append("theme")
        if not self.urgency:
            empty.append("urgency")
        if not (self.commune_code or self.no_fixed_place):
            empty.append("place")
        if not self.channels:
            empty.append("channels")
        elif len(self.contact_ways()) < len(self.channels):
            empty.append("contact")
        return empty


class IncompleteError(Exception):
    """Questions remain; `questions` names them in order."""

    def __init__(self, questions: list[str]) -> None:
        super().__init__(", ".join(questions))
        self.questions = questions


class ChangedMeanwhileError(Exception):
    """A colleague changed this request since the form was shown."""


def start_draft(session: Session, secret_hash: str, language: str, now: datetime) -> Draft:
    """A new, empty draft, opened by the secret with that keyed hash."""
    draft = Draft(
        id=uuid4(),
        secret_hash=secret_hash,
        language=language,
        answers={},
        created_at=now,
        changed_at=now,
        sent_at=None,
    )
    session.add(draft)
    return draft


def draft_of(session: Session, secret_hash: str, *, lock: bool = False) -> Draft | None:
    """The draft a secret opens, sent or not; `lock` waits for whoever is sending it."""
    query = select(Draft).where(Draft.secret_hash == secret_hash)
    return session.scalar(query.with_for_update() if lock else query)


def promise(now: datetime, working_days: int) -> datetime:
    """The end of the day, in Paris, `working_days` working days from now (weekends and public holidays left out)."""
    day = now.astimezone(PARIS).date()
    left = working_days
    while left:
        day += timedelta(days=1)
        left -= is_working_day(day)
    return datetime.combine(day, time(18), PARIS)


def is_working_day(day: date) -> bool:
    """True from Monday to Friday, public holidays left out."""
    return day.weekday() < 5 and day not in _french_holidays


_french_holidays = holidays.country_holidays("FR")


@dataclass(frozen=True)
class SendingKeys:
    """What sending needs besides the answers: the key of the hashes, the public key that papers are sealed to."""

    access_key: str
    documents_public_key: str

    @classmethod
    def of(cls, settings: Settings) -> SendingKeys:
        """Those of a process."""
        return cls(settings.access_key, settings.documents_public_key)


def send(
    session: Session,
    draft: Draft,
    secret: str,
    *,
    keys: SendingKeys,
    working_days: int,
    now: datetime,
    origin: str = "portal",
) -> None:
    """Turn a locked, unsent draft into a request, with its keys, contacts, papers, journal and acknowledgements.

    All in the caller's transaction: it stands or falls whole. `working_days`: within how many the person is
    promised an answer. `origin`: by which way it came, for the journal.

    Raises:
        IncompleteError: something that must be answered is not.
    """
    answers = Answers(**draft.answers)
    if empty := answers.unanswered():
        raise IncompleteError(empty)
    number = access.new_number()
    request = _request(
        draft, answers, number, _place(session, answers.commune_code), promise(now, working_days), now
    )
    ways = [
        ContactWay(request_id=draft.id, channel=channel, value=value, call_time=call_time)
        for channel, value, call_time in answers.contact_ways()
    ]
    told = [
        notification_for(
            Template.RECEIPT, draft.id, draft.language, way, secret, keys.documents_public_key, now
        )
        for way in ways
        if way.channel is not Channel.VISIT
    ]
    put(
        session,
        request,
        *access.keys_for(keys.access_key, secret, number, draft.id, now),
        *ways,
        *told,
        journal.entry(journal.Action.SENT, now, draft.id, origin=origin),
    )
    Document.move_to_request(session, draft.id)
    for notification in told:
        defer_sending(session, notification)
    draft.sent_at = now
    draft.answers = {}


def _request(
    draft: Draft,
    answers: Answers,
    number: str,
    place: tuple[str | None, str],
    promised_by: datetime,
    now: datetime,
) -> Request:
    """The request a draft becomes; `place`: its sector and its house."""
    return Request(
        id=draft.id,
        number=number,
        language=draft.language,
        state=State.RECEIVED,
        received_at=now,
        promised_by=promised_by,
        themes=[answers.theme],
        urgency=Urgency(answers.urgency),
        urgent=Urgency(answers.urgency) is not Urgency.NONE,
        urgency_reason="",
        words=answers.words[:LONGEST_WORDS],
        commune_code=answers.commune_code or None,
        place_typed="" if answers.commune_code else answers.commune_typed,
        house_id=place[1],
        sector_id=place[0],
        name=answers.name,
        name_folded=fold(answers.name),
        spoken_language=answers.spoken_language or draft.language,
        needs=[need for need in answers.needs if need in set(Need)],
        contact_rule=_rule_asked(answers),
        missing="",
        route_reason="",
        handler="",
        version=1,
    )


def _rule_asked(answers: Answers) -> ContactRule:
    """No message at all for somebody in danger who said so: they come back by themselves."""
    in_danger = answers.theme in SENSITIVE_THEMES or answers.urgency == Urgency.DANGER
    return ContactRule.NONE if in_danger and answers.channels == [Channel.VISIT] else ContactRule.USUAL


def _place(session: Session, commune_code: str) -> tuple[str | None, str]:
    """The sector of a commune, None for a place we do not know; and the house that receives the request."""
    query = select(Sector.id, Sector.house_id).join(SectorCommune, SectorCommune.sector_id == Sector.id)
    found = session.execute(query.where(SectorCommune.commune_code == commune_code)).first()
    return (found.id, found.house_id) if found else (None, house_for(session, None).id)


def forget_old_drafts(session: Session, now: datetime) -> int:
    """Drop drafts nobody came back to for three days, and those long sent; returns how many."""
    gone = session.execute(delete(Draft).where(Draft.changed_at < now - DRAFT_LIFE).returning(Draft.id))
    return len(gone.all())


def locked(session: Session, request_id: UUID, version: int) -> Request:
    """The request, held for a change by an agent who saw that version of it.

    Raises:
        ChangedMeanwhileError: a colleague was quicker.
    """
    request = session.get_one(Request, request_id, with_for_update=True, populate_existing=True)
    if request.version != version:
        raise ChangedMeanwhileError
    request.version += 1
    return request
