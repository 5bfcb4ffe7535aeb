"""A free slot proposed to those who wait: in order, one person at a time, each for two hours.

The worker looks each minute, by day. What is proposed is held under the constraints of every appointment, and a row
here remembers it after the hold is gone: the same hour is never proposed twice to the same person.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import (
    ForeignKey,
    Index,
    Select,
    and_,
    delete,
    func,
    literal_column,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import TSTZRANGE, Range
from sqlalchemy.orm import Mapped, Session, aliased, mapped_column

from casework import journal, waiting
from casework.agenda import Mode
from casework.agents import Agent
from casework.appointments import Appointment, Standing
from casework.database import Base, one_of
from casework.journal import Action
from casework.notifications import Delivery, Notification
from casework.people import ContactWay, StoppedNumber
from casework.requests import PARIS, Request
from casework.spans import begins
from casework.translation import date_in_words
from casework.vocabulary import Channel, ContactRule
from casework.waiting import WaitingEntry, Wish

TO_ANSWER = timedelta(hours=2)
MOST_LAPSED = 3
"""So many without an answer, one after the other, and somebody calls instead."""


class Answer(enum.StrEnum):
    """What became of an offer."""

    OFFERED = "offered"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    LAPSED = "lapsed"


class SlotOffer(Base):
    """A slot offered to one person. `appointment_id`: what holds it, while that row stands."""

    __tablename__ = "slot_offers"
    __table_args__ = (
        Index("slot_offers_once_idx", "request_id", "agent_id", literal_column("lower(during)"), unique=True),
        Index("slot_offers_one_idx", "waiting_id", unique=True, postgresql_where=text("state = 'offered'")),
        Index("slot_offers_until_idx", "until", postgresql_where=text("state = 'offered'")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    waiting_id: Mapped[UUID] = mapped_column(ForeignKey("waiting_entries.id"), index=True)
    request_id: Mapped[UUID] = mapped_column(ForeignKey("requests.id"))
    appointment_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("appointments.id", ondelete="SET NULL"), index=True
    )
    agent_id: Mapped[int] = mapped_column(ForeignKey("agents.id"))
    place_id: Mapped[str | None] = mapped_column(ForeignKey("places.id"))
    kind_id: Mapped[str] = mapped_column(ForeignKey("kinds.id"))
    mode: Mapped[Mode] = mapped_column(one_of(Mode))
    during: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)
    offered_at: Mapped[datetime]
    until: Mapped[datetime]
    state: Mapped[Answer] = mapped_column(one_of(Answer))

    @property
    def start(self) -> datetime:
        """When it begins."""
        return begins(self.during)

    def is_live(self, now: datetime) -> bool:
        """True while the person may still take it."""
        return self.state is Answer.OFFERED and self.until >= now


def live(session: Session, request_id: UUID, now: datetime) -> SlotOffer | None:
    """What is offered to the person of a request at this moment."""
    return session.scalar(
        select(SlotOffer).where(
            SlotOffer.request_id == request_id, SlotOffer.state == Answer.OFFERED, SlotOffer.until >= now
        )
    )


def latest(session: Session, request_id: UUID) -> SlotOffer | None:
    """The last offer made to the person of a request, whatever became of it."""
    return session.scalar(
        select(SlotOffer)
        .where(SlotOffer.request_id == request_id)
        .order_by(SlotOffer.offered_at.desc(), SlotOffer.id)
        .limit(1)
    )


def offered(session: Session, made: SlotOffer, now: datetime) -> SlotOffer:
    """Keep a new offer, with its line in the journal."""
    session.add(made)
    _journal(session, Action.OFFERED, made, now)
    return made


def accepted(session: Session, booked: Appointment) -> None:
    """Note that what was booked had been offered, if it had."""
    session.execute(
        update(SlotOffer)
        .where(SlotOffer.appointment_id == booked.id, SlotOffer.state == Answer.OFFERED)
        .values(state=Answer.ACCEPTED)
    )


def decline(session: Session, request_id: UUID, now: datetime, by: Agent | None = None) -> SlotOffer | None:
    """Let go of what is offered to a person, if anything is: it is the next one's at once. Twice is once.

    They said no, or took another slot instead.
    """
    session.execute(select(Request.id).where(Request.id == request_id).with_for_update(key_share=True))
    found = session.scalar(
        select(SlotOffer)
        .where(SlotOffer.request_id == request_id, SlotOffer.state == Answer.OFFERED)
        .execution_options(populate_existing=True)
    )
    if found is None:
        return None
    _end(session, found, Answer.DECLINED if found.is_live(now) else Answer.LAPSED, now, by)
    return found


def late(session: Session, now: datetime) -> list[UUID]:
    """The offers whose two hours are over without an answer."""
    query = select(SlotOffer.id).where(SlotOffer.state == Answer.OFFERED, SlotOffer.until < now)
    return list(session.scalars(query.order_by(SlotOffer.until)))


def lapse(session: Session, offer_id: UUID, now: datetime) -> None:
    """Note that nobody answered, and free the slot; after several in a row, the house is to call."""
    found = session.get_one(SlotOffer, offer_id)
    session.execute(select(Request.id).where(Request.id == found.request_id).with_for_update(key_share=True))
    session.refresh(found)
    if found.state is not Answer.OFFERED or found.until >= now:
        return
    _end(session, found, Answer.LAPSED, now)
    session.flush()
    if lapsed_in_a_row(session, [found.waiting_id]).get(found.waiting_id, 0) >= MOST_LAPSED:
        session.execute(
            update(WaitingEntry)
            .where(WaitingEntry.id == found.waiting_id, WaitingEntry.state == Wish.WAITING)
            .values(state=Wish.UNANSWERED)
        )


def drop_untold(session: Session) -> None:
    """Forget the messages that did not leave, and the calls nobody made, about offers that are over."""
    over = select(SlotOffer.id).where(
        SlotOffer.id == Notification.offer_id, SlotOffer.state != Answer.OFFERED
    )
    session.execute(
        delete(Notification).where(
            Notification.offer_id.is_not(None),
            Notification.state.in_([Delivery.PENDING, Delivery.BY_HAND, Delivery.FAILED, Delivery.STOPPED]),
            over.exists(),
        )
    )


def lapsed_in_a_row(session: Session, waiting_ids: Iterable[UUID]) -> dict[UUID, int]:
    """How many offers of each entry lapsed since the person last answered one; entries without any are left out."""
    answers = aliased(SlotOffer)
    answered_since = select(answers.id).where(
        answers.waiting_id == SlotOffer.waiting_id,
        answers.state == Answer.DECLINED,
        answers.offered_at > SlotOffer.offered_at,
    )
    rows = session.execute(
        select(SlotOffer.waiting_id, func.count())
        .where(
            SlotOffer.waiting_id.in_(list(waiting_ids)),
            SlotOffer.state == Answer.LAPSED,
            ~answered_since.exists(),
        )
        .group_by(SlotOffer.waiting_id)
    )
    return {waiting_id: count for waiting_id, count in rows}  # noqa: C416 - rows are no pairs to `dict`


def _end(session: Session, found: SlotOffer, how: Answer, now: datetime, by: Agent | None = None) -> None:
    """`how` is not yes: the hold goes, and a line in the journal stays."""
    held = found.appointment_id
    found.state = how
    action = Action.OFFER_LAPSED if how is Answer.LAPSED else Action.OFFER_DECLINED
    _journal(session, action, found, now, by)
    if held:
        session.execute(delete(Appointment).where(Appointment.id == held, Appointment.state == Standing.HELD))


def _journal(
    session: Session, action: Action, found: SlotOffer, now: datetime, by: Agent | None = None
) -> None:
    hour = f"{found.start.astimezone(PARIS):%H:%M}"
    sentence = f"{date_in_words(found.start, 'fr')} à {hour}"
    if action is Action.OFFERED:
        sentence += f", réponse attendue avant {found.until.astimezone(PARIS):%H:%M}"
    journal.write(
        session, action, now, request_id=found.request_id, agent=by, offer=str(found.id),
        start=found.start.isoformat(), mode=found.mode.value, sentence=sentence,
        **({"origin": "portal"} if action is Action.OFFER_DECLINED and by is None else {}),
    )  # fmt: skip


def reachable(session: Session, request_id: UUID) -> list[ContactWay]:
    """By which ways somebody can be told within two hours: text and mail; a call, by hand, with neither of them."""
    asked = Request.id == request_id
    ways = list(
        session.scalars(ways_in_time().join(Request, Request.id == ContactWay.request_id).where(asked))
    )
    return [way for way in ways if way.channel is not Channel.CALL] or ways


def ways_in_time() -> Select[ContactWay]:
    """The ways to tell somebody in time, as the rule of people at risk and their own word STOP allow."""
    stopped = select(StoppedNumber.number).where(StoppedNumber.number == ContactWay.value)
    return select(ContactWay).where(
        ContactWay.channel.in_((Channel.SMS, Channel.EMAIL, Channel.CALL)),
        or_(ContactWay.channel != Channel.SMS, ~stopped.exists()),
        or_(
            Request.contact_rule == ContactRule.USUAL,
            and_(Request.contact_rule == ContactRule.OTHER, ContactWay.safe),
        ),
    )


@dataclass(frozen=True)
class Waiter:
    """A line of the house's list. `lapsed`: offers without an answer, in a row; too many, and one is `to_call`.
    `to_tell`: no message would reach them in time."""

    entry: WaitingEntry
    request: Request
    offer: SlotOffer | None
    lapsed: int
    to_call: bool
    to_tell: bool


def of_house(session: Session, house_id: str, now: datetime) -> list[Waiter]:
    """Who waits in a house, in order, with what is offered to them now."""
    return _lines(session, waiting.of_house(session, house_id), now)


def of_request(session: Session, request: Request, now: datetime) -> Waiter | None:
    """The same for one request; None when it is not on the list."""
    query = select(WaitingEntry).where(
        WaitingEntry.request_id == request.id, WaitingEntry.state.in_(waiting.LISTED)
    )
    rows = [(entry, request) for entry in session.scalars(query)]
    return next(iter(_lines(session, rows, now)), None)


def _lines(session: Session, rows: Sequence[tuple[WaitingEntry, Request]], now: datetime) -> list[Waiter]:
    ids = [entry.id for entry, _ in rows]
    offers = session.scalars(
        select(SlotOffer).where(
            SlotOffer.waiting_id.in_(ids), SlotOffer.state == Answer.OFFERED, SlotOffer.until >= now
        )
    )
    offered = {one.waiting_id: one for one in offers}
    lapsed = lapsed_in_a_row(session, ids)
    told = (
        ways_in_time()
        .join(Request, Request.id == ContactWay.request_id)
        .with_only_columns(ContactWay.request_id)
    )
    can_be_told = set(session.scalars(told.where(Request.id.in_([request.id for _, request in rows]))))
    return [
        Waiter(
            entry,
            request,
            offered.get(entry.id),
            lapsed.get(entry.id, 0),
            to_call=entry.state is Wish.UNANSWERED and request.contact_rule is not ContactRule.NONE,
            to_tell=entry.state is Wish.WAITING
            and request.contact_rule is not ContactRule.NONE
            and request.id not in can_be_told,
        )
        for entry, request in rows
    ]
