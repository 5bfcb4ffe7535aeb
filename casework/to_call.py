"""Whom an agent must call: messages that did not arrive, calls that were asked for, people who want no more texts.

One line a request, whatever its reasons; it goes when somebody says that the person was reached. Who must get no
message at all is never on it.
"""

from __future__ import annotations

import enum
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    ForeignKey,
    Identity,
    Index,
    Select,
    Uuid,
    and_,
    column,
    func,
    or_,
    select,
    text,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from casework import answers, journal, waiting
from casework.agenda import Mode
from casework.agents import Agent
from casework.database import Base
from casework.notifications import Delivery, Notification
from casework.people import ContactWay
from casework.requests import Request
from casework.vocabulary import N_, Channel, ContactRule
from casework.waiting import WaitingEntry, Wish
from casework.waiting_room import Visit, VisitState

SHOWN_AT_MOST = 100


WANTED = text("""
SELECT r.id FROM requests r JOIN notifications n ON n.request_id = r.id
WHERE r.house_id = :house AND r.contact_rule <> 'none'
  AND (n.state = 'failed' OR n.state = 'by_hand' AND n.channel = 'call')
UNION
SELECT r.id FROM requests r
JOIN contact_ways w ON w.request_id = r.id AND w.channel = 'sms' AND w.safe = (r.contact_rule = 'other')
JOIN stopped_numbers s ON s.number = w.value
WHERE r.house_id = :house AND r.contact_rule <> 'none' AND r.state <> 'closed'
  AND NOT EXISTS (
      SELECT FROM contact_ways o
      WHERE o.request_id = r.id AND o.safe = (r.contact_rule = 'other') AND (o.channel <> 'sms' OR NOT EXISTS (
          SELECT FROM stopped_numbers t WHERE t.number = o.value))
  )
  AND (NOT EXISTS (SELECT FROM calls c WHERE c.request_id = r.id AND c.reached AND c.at >= s.stopped_at)
       OR EXISTS (SELECT FROM notifications n WHERE n.request_id = r.id AND n.state = 'stopped'))
UNION
SELECT r.id FROM requests r JOIN waiting_entries e ON e.request_id = r.id
WHERE r.house_id = :house AND r.contact_rule <> 'none' AND r.state <> 'closed' AND e.state = 'unanswered'
UNION
SELECT r.id FROM requests r JOIN visits v ON v.request_id = r.id AND v.state = 'callback'
WHERE r.house_id = :house AND r.contact_rule <> 'none'
  AND NOT EXISTS (SELECT FROM calls c WHERE c.request_id = r.id AND c.reached AND c.at >= v.ended_at)
""")
"""Requests to call about: what did not arrive or is to be said; who stopped and has nothing else; who did not answer;
who waited in a virtual permanence and wants to be called back. Who stopped is called once, then again only when there
is something to tell."""


class Call(Base):
    """An agent called a request's person, and reached them or not."""

    __tablename__ = "calls"
    __table_args__ = (Index("calls_request_id_at_idx", "request_id", "at"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    request_id: Mapped[UUID] = mapped_column(ForeignKey("requests.id"))
    agent_id: Mapped[int] = mapped_column(ForeignKey("agents.id"))
    at: Mapped[datetime]
    reached: Mapped[bool]


class Why(enum.StrEnum):
    """Why somebody is to be called."""

    FAILED = "failed"
    ASKED = "asked"
    STOPPED = "stopped"
    UNANSWERED = "unanswered"
    CALLBACK = "callback"


WHYS: dict[Why, str] = {
    Why.FAILED: N_("Un message n'est pas arrivé."),
    Why.ASKED: N_("Un message est à dire par téléphone."),
    Why.STOPPED: N_("La personne ne veut plus de SMS. Elle n'a rien d'autre."),
    Why.UNANSWERED: N_("Un créneau est libre. La personne n'a pas répondu."),
    Why.CALLBACK: N_("La personne attendait à la permanence en ligne. Elle attend votre appel."),
}
"""What agents read of it."""


@dataclass
class Line:
    """One request to call about. `tries`: how often in vain since the last call that reached the person."""

    request: Request
    ways: list[ContactWay] = field(default_factory=list)
    messages: list[Notification] = field(default_factory=list)
    whys: list[Why] = field(default_factory=list)
    called_back_at: str = ""
    """The number given in the waiting room of a virtual permanence (E.164), if any."""
    tries: int = 0
    tried_at: datetime | None = None

    @property
    def numbers(self) -> list[str]:
        """Where the person can be called; each once, those given for calls first."""
        ordered = sorted(self.ways, key=lambda way: way.channel is not Channel.CALL)
        known = [way.value for way in ordered if way.channel in {Channel.CALL, Channel.SMS}]
        return list(dict.fromkeys([*filter(None, [self.called_back_at]), *known]))


def count(session: Session, house_id: str, now: datetime) -> int:
    """How many lines the page has: people to call and texts to sort."""
    people = select(func.count()).select_from(_wanted(house_id).subquery())
    return (session.scalar(people) or 0) + len(answers.to_sort(session, house_id, now))


def lines(session: Session, house_id: str) -> list[Line]:
    """Whom to call: urgent ones first, then those least tried, then the oldest request."""
    found = session.scalars(
        select(Request).where(Request.id.in_(_wanted(house_id))).order_by(Request.received_at, Request.id)
    ).all()
    listed = {request.id: Line(request) for request in found}
    for way in session.scalars(select(ContactWay).where(ContactWay.request_id.in_(listed))):
        line = listed[way.request_id]
        if way.safe is (line.request.contact_rule is ContactRule.OTHER):
            line.ways.append(way)
    for message in session.scalars(_undelivered(listed)):
        listed[message.request_id].messages.append(message)
    _count_tries(session, listed)
    waited = {visit.request_id: visit for visit in session.scalars(_to_call_back(listed))}
    silent = {entry.request_id for entry in session.scalars(_unanswered(*listed))}
    for line in listed.values():
        line.whys = _whys(line, unanswered=line.request.id in silent, waited=line.request.id in waited)
        if line.request.id in waited and line.request.contact_rule is ContactRule.USUAL:
            line.called_back_at = waited[line.request.id].callback_number or ""
    ordered = sorted(listed.values(), key=lambda line: (not line.request.urgent, line.tries))
    return ordered[:SHOWN_AT_MOST]


def called(session: Session, agent: Agent, request: Request, now: datetime, *, reached: bool) -> bool:
    """Note a call. Once the person is reached, what was to be said is said; False when nothing was left to say."""
    due = select(Request.id).where(Request.id == request.id, Request.id.in_(_wanted(agent.house_id)))
    if session.scalar(due.with_for_update()) is None:
        return False
    session.add(Call(request_id=request.id, agent_id=agent.id, at=now, reached=reached))
    if reached:
        for message in session.scalars(_undelivered([request.id])):
            message.state, message.sent_at, message.sealed_secret = Delivery.DONE, now, None
        _wait_again(session, request.id, now)
    outcome = "reached" if reached else "not_reached"
    journal.write(session, journal.Action.CALLED, now, request_id=request.id, agent=agent, outcome=outcome)
    return True


def _wait_again(session: Session, request_id: UUID, now: datetime) -> None:
    """Who was spoken to and still has no appointment keeps waiting, with a new turn."""
    entry = session.scalar(_unanswered(request_id))
    if entry:
        waiting.wait(
            session, request_id, entry.kind_id, [Mode(mode) for mode in entry.modes], now,
            place_id=entry.place_id, hours=(entry.hour_from, entry.hour_to), whole_house=entry.whole_house,
            sooner_than=entry.sooner_than,
        )  # fmt: skip


def _unanswered(*request_ids: UUID) -> Select[WaitingEntry]:
    """The places on the waiting list whose offers nobody answered."""
    return select(WaitingEntry).where(
        WaitingEntry.request_id.in_(request_ids), WaitingEntry.state == Wish.UNANSWERED
    )


def _to_call_back(request_ids: Sequence[UUID] | dict[UUID, Line]) -> Select[Visit]:
    """The visits whose people wait for a call, the last one last."""
    reached = select(Call.id).where(
        Call.request_id == Visit.request_id, Call.reached, Call.at >= Visit.ended_at
    )
    return (
        select(Visit)
        .where(Visit.request_id.in_(request_ids), Visit.state == VisitState.CALLBACK, ~reached.exists())
        .order_by(Visit.ended_at)
    )


def _by_telephone() -> ColumnElement[bool]:
    """Messages that only a call can pass on."""
    return or_(
        Notification.state == Delivery.FAILED,
        and_(Notification.state == Delivery.BY_HAND, Notification.channel == Channel.CALL),
    )


def _wanted(house_id: str) -> Select[UUID]:
    """Ids of the requests of a house to call about."""
    found = WANTED.bindparams(house=house_id).columns(column("id", Uuid)).subquery()
    return select(found.c.id)


def _undelivered(request_ids: Sequence[UUID] | dict[UUID, Line]) -> Select[Notification]:
    """What those people were not told, oldest first."""
    return (
        select(Notification)
        .where(
            Notification.request_id.in_(request_ids),
            or_(_by_telephone(), Notification.state == Delivery.STOPPED),
        )
        .order_by(Notification.created_at, Notification.id)
    )


def _count_tries(session: Session, listed: dict[UUID, Line]) -> None:
    calls: dict[UUID, list[Call]] = defaultdict(list)
    for call in session.scalars(select(Call).where(Call.request_id.in_(listed)).order_by(Call.at, Call.id)):
        calls[call.request_id] = [] if call.reached else [*calls[call.request_id], call]
    for request_id, in_vain in calls.items():
        listed[request_id].tries = len(in_vain)
        listed[request_id].tried_at = in_vain[-1].at if in_vain else None


def _whys(line: Line, *, unanswered: bool, waited: bool) -> list[Why]:
    states = {message.state for message in line.messages}
    told = [
        (Why.FAILED, Delivery.FAILED in states),
        (Why.ASKED, Delivery.BY_HAND in states),
        (Why.UNANSWERED, unanswered),
        (Why.CALLBACK, waited),
    ]
    whys = [why for why, holds in told if holds]
    return whys if whys and Delivery.STOPPED not in states else [*whys, Why.STOPPED]
