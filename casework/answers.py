"""What people answer by text message: kept as it came in by the portal, seen to by the worker, sorted by an agent.

A row with a state (design rule 2): all that a text causes stands or falls with its new state. Nothing here ever writes
to a number that no request knows, nor for a request whose person is at risk.
"""

from __future__ import annotations

import enum
import logging
import unicodedata
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from casework import access, appointments, booking, journal, messages, replies
from casework.agents import Agent
from casework.appointments import Appointment, Standing
from casework.database import Base, one_of
from casework.notifications import Notification, Subject, Template, notify
from casework.people import ContactWay, StoppedNumber, is_stopped
from casework.replies import Meaning
from casework.requests import Request, SendingKeys
from casework.vocabulary import Channel, ContactRule, State

logger = logging.getLogger(__name__)

QUESTION_LIFE = timedelta(hours=24)
"""How long a "yes" still cancels after the question."""
SORTED_AT_ONCE = 100
MOST_AN_HOUR = 20
"""Beyond this many texts from one number in an hour, they are kept but not answered."""
STILL_FOLLOWED = timedelta(days=60)
"""How long after its end a request may still get its person's texts."""
KEPT = timedelta(days=7)
"""How long a text that was seen to is remembered, without its words: a provider may send it twice."""


class Fate(enum.StrEnum):
    """What became of a text. `ASKED`: its question waits for a "yes". `DROPPED`: from nobody we know, or empty."""

    NEW = "new"
    WRITTEN = "written"
    TO_SORT = "to_sort"
    ASKED = "asked"
    STOPPED = "stopped"
    ALLOWED = "allowed"
    ANSWERED = "answered"
    DROPPED = "dropped"


class IncomingText(Base):
    """One text message from a number (E.164). Its words are blanked once they stand elsewhere or serve no more."""

    __tablename__ = "incoming_texts"
    __table_args__ = (
        Index("incoming_texts_sender_received_at_idx", "sender", "received_at"),
        Index(
            "incoming_texts_to_do_idx", "received_at", postgresql_where=text("state IN ('new', 'to_sort')")
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    provider_id: Mapped[str] = mapped_column(unique=True)
    sender: Mapped[str]
    body: Mapped[str]
    received_at: Mapped[datetime]
    state: Mapped[Fate] = mapped_column(one_of(Fate))
    request_id: Mapped[UUID | None] = mapped_column(ForeignKey("requests.id"))
    appointment_id: Mapped[UUID | None] = mapped_column(ForeignKey("appointments.id"))
    """Which appointment the question was about."""
    set_aside_by: Mapped[list[str]]
    """The houses that said it is for none of their requests."""
    done_at: Mapped[datetime | None]


class SortedMeanwhileError(Exception):
    """A colleague was quicker, or the text is not for that request."""


def receive(session: Session, provider_id: str, sender: str, body: str, now: datetime) -> bool:
    """Keep a text as it came, once; False when that provider's id was received before. For the portal's role."""
    made: bool = session.execute(
        text("SELECT receive_text(:provider_id, :sender, :body, :now)"),
        {"provider_id": provider_id, "sender": sender, "body": body, "now": now},
    ).scalar_one()
    return made


def unseen(session: Session, most: int) -> list[UUID]:
    """Texts that nobody has seen to yet, oldest first."""
    query = select(IncomingText.id).where(IncomingText.state == Fate.NEW)
    return list(session.scalars(query.order_by(IncomingText.received_at, IncomingText.id).limit(most)))


def see_to(session: Session, text_id: UUID, keys: SendingKeys, until_hours: int, now: datetime) -> None:
    """Do what a text asks for, and before it the older ones of the same number: "cancel" comes before "yes"."""
    sender = session.scalar(select(IncomingText.sender).where(IncomingText.id == text_id))
    session.execute(text("SELECT pg_advisory_xact_lock(hashtext('text ' || :sender))"), {"sender": sender})
    until = select(IncomingText.received_at).where(IncomingText.id == text_id).scalar_subquery()
    waiting = session.scalars(
        select(IncomingText)
        .where(
            IncomingText.sender == sender,
            IncomingText.state == Fate.NEW,
            (IncomingText.id == text_id) | (IncomingText.received_at < until),
        )
        .order_by(IncomingText.received_at, IncomingText.id)
        .with_for_update()
    ).all()
    for one in waiting:
        try:
            with session.begin_nested():
                _take(session, one, keys, until_hours, now)
        except Exception:  # an older text that cannot be taken must not keep a STOP from being heard
            logger.exception("text message %s", one.id)
            one.state = Fate.TO_SORT
    session.flush()


def leave_to_agents(session: Session, text_id: UUID) -> None:
    """Have an agent read a text that the program could not see to."""
    session.execute(
        update(IncomingText)
        .where(IncomingText.id == text_id, IncomingText.state == Fate.NEW)
        .values(state=Fate.TO_SORT)
    )


def forget_old(session: Session, now: datetime) -> None:
    """Drop what was seen to a week ago, and what nobody sorted in two months."""
    waits = IncomingText.state.in_([Fate.NEW, Fate.TO_SORT])
    session.execute(
        delete(IncomingText).where(
            ~waits & (IncomingText.done_at < now - KEPT)
            | (IncomingText.state == Fate.TO_SORT) & (IncomingText.received_at < now - STILL_FOLLOWED)
        )
    )


def candidates(session: Session, number: str, now: datetime) -> list[Request]:
    """The requests a text from a number may be for, newest first: open ones; else those lately closed."""
    of_number = select(ContactWay.request_id).where(
        ContactWay.value == number, ContactWay.channel.in_([Channel.SMS, Channel.CALL])
    )
    found = session.scalars(
        select(Request).where(Request.id.in_(of_number)).order_by(Request.received_at.desc(), Request.id)
    ).all()
    open_ones = [one for one in found if one.state is not State.CLOSED]
    return open_ones or [one for one in found if one.closed_at and one.closed_at > now - STILL_FOLLOWED]


def to_sort(session: Session, house_id: str, now: datetime) -> list[tuple[IncomingText, list[Request]]]:
    """The texts that an agent of a house must give to one of its requests, oldest first, with those requests."""
    waiting = session.scalars(
        select(IncomingText)
        .where(
            IncomingText.state == Fate.TO_SORT,
            ~IncomingText.set_aside_by.contains([house_id]),
            IncomingText.sender.in_(
                select(ContactWay.value)
                .join(Request, Request.id == ContactWay.request_id)
                .where(Request.house_id == house_id)
            ),
        )
        .order_by(IncomingText.received_at)
        .limit(SORTED_AT_ONCE)
    )
    pairs = [
        (one, [request for request in candidates(session, one.sender, now) if request.house_id == house_id])
        for one in waiting
    ]
    return [(one, found) for one, found in pairs if found]


def attach(session: Session, agent: Agent, text_id: UUID, request_id: UUID, now: datetime) -> None:
    """Give a text to one of the agent's house's requests: it joins its conversation.

    Raises:
        SortedMeanwhileError: it waits no more, or cannot be for that request.
    """
    one = _waiting(session, text_id)
    chosen = next((found for found in candidates(session, one.sender, now) if found.id == request_id), None)
    if chosen is None or chosen.house_id != agent.house_id:
        raise SortedMeanwhileError
    _write(session, one, chosen, now, sorted_by=agent)


def set_aside(session: Session, agent: Agent, text_id: UUID, now: datetime) -> None:
    """Say that a text is for none of the house's requests; once no other house may want it, it is dropped.

    Raises:
        SortedMeanwhileError: it waits no more.
    """
    one = _waiting(session, text_id)
    one.set_aside_by = sorted({*one.set_aside_by, agent.house_id})
    houses = {found.house_id for found in candidates(session, one.sender, now)}
    if houses <= set(one.set_aside_by):
        _end(one, Fate.DROPPED, now)


def facts_of(session: Session, notification: Notification, until_hours: int) -> dict[str, Any]:
    """What the answer to "cancel" says: which question, or that it is too late, or that one cannot tell which."""
    if notification.appointment_id is None:
        return {"question": "which"}
    one = session.get_one(Appointment, notification.appointment_id)
    in_time = booking.may_change(one, until_hours, notification.created_at)
    return {"question": "cancel" if in_time else "late"}


def _take(session: Session, one: IncomingText, keys: SendingKeys, until_hours: int, now: datetime) -> None:
    found = candidates(session, one.sender, now)
    reply = replies.understand(one.body)
    if not found or not _is_readable(one.body):
        one.sender = "" if not found else one.sender
        _end(one, Fate.DROPPED, now)
        return
    asked = _Asking(session, one, found, keys, until_hours, now)
    match reply and reply.meaning:
        case Meaning.STOP:
            asked.stop()
        case Meaning.START:
            asked.start()
        case Meaning.CANCEL if asked.may_answer and asked.coming():
            asked.cancel(alone=bool(reply and reply.alone))
        case Meaning.YES | Meaning.NO as said if question := asked.question():
            asked.answer(question, agrees=said is Meaning.YES)
        case _:
            asked.deliver()


class _Asking:
    """One text under way, with what is known of its number. `answerable`: the requests of people not at risk."""

    def __init__(
        self,
        session: Session,
        one: IncomingText,
        found: list[Request],
        keys: SendingKeys,
        until_hours: int,
        now: datetime,
    ) -> None:
        self.session, self.one, self.found = session, one, found
        self.keys, self.until_hours, self.now = keys, until_hours, now
        self.answerable = [request for request in found if request.contact_rule is ContactRule.USUAL]
        self.may_answer = bool(self.answerable) and not (
            is_stopped(session, one.sender) or _too_many(session, one)
        )

    def stop(self) -> None:
        """No more text message to this number; one last one says so."""
        new = self.session.execute(
            insert(StoppedNumber)
            .values(number=self.one.sender, stopped_at=self.now)
            .on_conflict_do_nothing()
            .returning(StoppedNumber.number)
        ).first()
        if new:
            self._write_down(journal.Action.TEXTS_STOPPED)
            if self.may_answer:
                self._tell(self.answerable[0], Template.TEXTS_STOPPED)
        _end(self.one, Fate.STOPPED, self.now)

    def start(self) -> None:
        """Text messages may go to this number again."""
        gone = self.session.execute(
            delete(StoppedNumber)
            .where(StoppedNumber.number == self.one.sender)
            .returning(StoppedNumber.number)
        ).first()
        if gone:
            self._write_down(journal.Action.TEXTS_ALLOWED)
        _end(self.one, Fate.ALLOWED, self.now)

    def coming(self) -> Sequence[Appointment]:
        """The coming appointments that this number may speak of."""
        return self.session.scalars(
            select(Appointment)
            .where(
                Appointment.request_id.in_([request.id for request in self.answerable]),
                Appointment.state == Standing.BOOKED,
                func.lower(Appointment.during) > self.now,
            )
            .order_by(func.lower(Appointment.during))
        ).all()

    def cancel(self, *, alone: bool) -> None:
        """Ask for a "yes" before the one appointment is cancelled. Of several, none is: an agent reads the text."""
        coming = self.coming()
        request = self.session.get_one(Request, coming[0].request_id)
        if len(coming) > 1:
            self._tell(request, Template.CANCEL_QUESTION)
            self.one.state = Fate.TO_SORT
            return
        self._tell(request, Template.CANCEL_QUESTION, coming[0].id)
        in_time = booking.may_change(coming[0], self.until_hours, self.now)
        if not alone or not in_time:  # an agent should read what else was said, or that somebody may not come
            _write(self.session, self.one, request, self.now)
        self.one.appointment_id = coming[0].id
        _end(self.one, Fate.ASKED if in_time else Fate.ANSWERED, self.now)

    def question(self) -> IncomingText | None:
        """The question that this number was asked last and has not answered, a day old at most."""
        return self.session.scalar(
            select(IncomingText)
            .where(
                IncomingText.sender == self.one.sender,
                IncomingText.state == Fate.ASKED,
                IncomingText.received_at > self.one.received_at - QUESTION_LIFE,
            )
            .order_by(IncomingText.received_at.desc())
            .limit(1)
        )

    def answer(self, question: IncomingText, *, agrees: bool) -> None:
        """Cancel what was asked about, if it still stands as it stood; a "no" leaves it."""
        if agrees and not self._cancelled(question):
            self.deliver()
        else:
            _end(self.one, Fate.ANSWERED, self.now)
        _end(question, Fate.ANSWERED, self.now)

    def deliver(self) -> None:
        """Into the conversation of the one request it may be for; of several, an agent says which."""
        if len(self.found) == 1:
            _write(self.session, self.one, self.found[0], self.now)
        else:
            self.one.state = Fate.TO_SORT

    def _cancelled(self, question: IncomingText) -> bool:
        appointment = self.session.get_one(Appointment, question.appointment_id)
        self.session.execute(booking.ONE_TAB, {"request": appointment.request_id})
        request = next((one for one in self.answerable if one.id == appointment.request_id), None)
        stands = request and appointments.coming(self.session, request.id, self.now)
        if request is None or not stands or stands.id != appointment.id:
            return False
        try:
            booking.cancel(self.session, request.id, self.until_hours, self.now, origin="text")
        except booking.TooLateError:
            if self.may_answer:
                self._tell(request, Template.CANCEL_QUESTION, appointment.id)
            return False
        return True

    def _tell(self, request: Request, template: Template, appointment_id: UUID | None = None) -> None:
        """Answer the number, in the language of the request. These words hold no link: its secret opens nothing."""
        way = ContactWay(request_id=request.id, channel=Channel.SMS, value=self.one.sender)
        notify(
            self.session, template, request.id, request.language, way, access.new_secret(),
            self.keys.documents_public_key, self.now, Subject(appointment_id=appointment_id),
        )  # fmt: skip

    def _write_down(self, action: journal.Action) -> None:
        for request in self.found:
            journal.write(self.session, action, self.now, request_id=request.id)


def _write(
    session: Session, one: IncomingText, request: Request, now: datetime, sorted_by: Agent | None = None
) -> None:
    """Add a text to a request's conversation: the person waits for an agent."""
    messages.write_as_citizen(
        session, request.id, one.body, request.language, one.id, now, by_text=True, sorted_by=sorted_by
    )
    one.request_id = request.id
    _end(one, Fate.WRITTEN, now)


def _end(one: IncomingText, state: Fate, now: datetime) -> None:
    one.state, one.done_at, one.body = state, now, ""


def _waiting(session: Session, text_id: UUID) -> IncomingText:
    one = session.scalar(
        select(IncomingText)
        .where(IncomingText.id == text_id, IncomingText.state == Fate.TO_SORT)
        .with_for_update()
    )
    if one is None:
        raise SortedMeanwhileError
    return one


def _too_many(session: Session, one: IncomingText) -> bool:
    """True when more came from this number, in the hour before, than are answered."""
    query = select(func.count()).where(
        IncomingText.sender == one.sender,
        IncomingText.received_at > one.received_at - timedelta(hours=1),
        IncomingText.received_at <= one.received_at,
    )
    return (session.scalar(query) or 0) > MOST_AN_HOUR


def _is_readable(body: str) -> bool:
    """True when anything in it can be seen."""
    return any(unicodedata.category(letter)[0] in "LNPS" and letter != "\ufffd" for letter in body)
