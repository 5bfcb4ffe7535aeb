"""The journal: every change, and every reading of a request by an agent, in the same transaction as itself.

The database roles may add rows and, for the back office, read them; nobody but the owner may change or drop one.
"""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, insert, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from casework.agents import Agent
from casework.database import Base, one_of
from casework.vocabulary import N_


class Action(enum.StrEnum):
    """What happened."""

    SENT = "sent"
    WROTE = "wrote"
    PAPER_SENT = "paper_sent"
    OPENED = "opened"
    PAPER_OPENED = "paper_opened"
    QUALIFIED = "qualified"
    ROUTED = "routed"
    HANDED_OVER = "handed_over"
    HANDED_BACK = "handed_back"
    TAKEN = "taken"
    ANSWERED = "answered"
    PAPER_ASKED = "paper_asked"
    CLOSED = "closed"
    REOPENED = "reopened"
    NOTIFIED = "notified"
    NOT_NOTIFIED = "not_notified"
    LINK_RENEWED = "link_renewed"
    BOOKED = "booked"
    MOVED = "moved"
    CANCELLED = "cancelled"
    ENDED = "ended"
    OFFERED = "offered"
    OFFER_DECLINED = "offer_declined"
    OFFER_LAPSED = "offer_lapsed"
    ABSENCE_SET = "absence_set"
    ABSENCE_REMOVED = "absence_removed"
    AGENDA_CHANGED = "agenda_changed"
    CALENDAR_LINKED = "calendar_linked"
    CALENDAR_UNLINKED = "calendar_unlinked"
    FEED_RENEWED = "feed_renewed"
    TEXT_RECEIVED = "text_received"
    TEXTS_STOPPED = "texts_stopped"
    TEXTS_ALLOWED = "texts_allowed"
    CONTACT_RULE_SET = "contact_rule_set"
    CALLED = "called"
    SESSION_MADE = "session_made"
    SESSION_CHANGED = "session_changed"
    SESSION_CANCELLED = "session_cancelled"
    SIGNED_UP = "signed_up"
    SIGN_UP_CANCELLED = "sign_up_cancelled"
    ATTENDED = "attended"
    KIND_SET = "kind_set"
    PERMANENCE_SET = "permanence_set"
    PERMANENCE_OPENED = "permanence_opened"
    PERMANENCE_CLOSED = "permanence_closed"
    VISIT_ARRIVED = "visit_arrived"
    VISIT_CALLED = "visit_called"
    VISIT_HELD = "visit_held"
    VISIT_HANDED = "visit_handed"
    VISIT_JOINED = "visit_joined"
    VISIT_LEFT = "visit_left"
    VISIT_ENDED = "visit_ended"
    CALLBACK_ASKED = "callback_asked"
    KIOSK_SET = "kiosk_set"
    KIOSK_REMOVED = "kiosk_removed"
    NOT_UNDERSTOOD = "not_understood"
    TRANSLATION_CORRECTED = "translation_corrected"
    SIGNED_IN = "signed_in"
    SIGNED_OUT = "signed_out"


ACTIONS: dict[Action, str] = {
    Action.SENT: N_("demande envoyée"),
    Action.WROTE: N_("message écrit"),
    Action.PAPER_SENT: N_("papier envoyé"),
    Action.OPENED: N_("demande lue"),
    Action.PAPER_OPENED: N_("papier lu"),
    Action.QUALIFIED: N_("demande qualifiée"),
    Action.ROUTED: N_("demande orientée"),
    Action.HANDED_OVER: N_("demande transmise"),
    Action.HANDED_BACK: N_("demande rendue à l'accueil"),
    Action.TAKEN: N_("demande prise en charge"),
    Action.ANSWERED: N_("réponse écrite"),
    Action.PAPER_ASKED: N_("papier demandé"),
    Action.CLOSED: N_("demande clôturée"),
    Action.REOPENED: N_("demande rouverte"),
    Action.NOTIFIED: N_("personne prévenue"),
    Action.NOT_NOTIFIED: N_("personne pas prévenue"),
    Action.LINK_RENEWED: N_("nouveau lien envoyé"),
    Action.BOOKED: N_("rendez-vous pris"),
    Action.MOVED: N_("rendez-vous déplacé"),
    Action.CANCELLED: N_("rendez-vous annulé"),
    Action.ENDED: N_("suite du rendez-vous notée"),
    Action.OFFERED: N_("heure libre proposée"),
    Action.OFFER_DECLINED: N_("heure proposée refusée"),
    Action.OFFER_LAPSED: N_("heure proposée sans réponse"),
    Action.ABSENCE_SET: N_("absence notée"),
    Action.ABSENCE_REMOVED: N_("absence retirée"),
    Action.AGENDA_CHANGED: N_("agenda changé"),
    Action.CALENDAR_LINKED: N_("calendrier lié"),
    Action.CALENDAR_UNLINKED: N_("lien du calendrier retiré"),
    Action.FEED_RENEWED: N_("adresse secrète du calendrier changée"),
    Action.TEXT_RECEIVED: N_("SMS reçu"),
    Action.TEXTS_STOPPED: N_("plus de SMS : la personne a écrit STOP"),
    Action.TEXTS_ALLOWED: N_("SMS de nouveau acceptés"),
    Action.CONTACT_RULE_SET: N_("façon de prévenir décidée"),
    Action.CALLED: N_("personne appelée"),
    Action.SESSION_MADE: N_("action collective créée"),
    Action.SESSION_CHANGED: N_("action collective changée"),
    Action.SESSION_CANCELLED: N_("action collective annulée"),
    Action.SIGNED_UP: N_("inscription à une action collective"),
    Action.SIGN_UP_CANCELLED: N_("inscription à une action collective annulée"),
    Action.ATTENDED: N_("présence à une action collective notée"),
    Action.KIND_SET: N_("type de rendez-vous prévu"),
    Action.PERMANENCE_SET: N_("permanence en ligne changée"),
    Action.PERMANENCE_OPENED: N_("poste de la permanence ouvert"),
    Action.PERMANENCE_CLOSED: N_("poste de la permanence fermé"),
    Action.VISIT_ARRIVED: N_("arrivée en salle d'attente"),
    Action.VISIT_CALLED: N_("personne appelée de la salle d'attente"),
    Action.VISIT_HELD: N_("entretien mis en attente"),
    Action.VISIT_HANDED: N_("personne passée à un collègue"),
    Action.VISIT_JOINED: N_("entretien commencé"),
    Action.VISIT_LEFT: N_("salle d'attente quittée"),
    Action.VISIT_ENDED: N_("entretien terminé"),
    Action.CALLBACK_ASKED: N_("rappel demandé"),
    Action.KIOSK_SET: N_("borne installée"),
    Action.KIOSK_REMOVED: N_("borne retirée"),
    Action.NOT_UNDERSTOOD: N_("message pas compris"),
    Action.TRANSLATION_CORRECTED: N_("traduction corrigée"),
    Action.SIGNED_IN: N_("connexion"),
    Action.SIGNED_OUT: N_("déconnexion"),
}
"""What agents read of an action."""


class Entry(Base):
    """One line of the journal. No agent and no request: the service itself."""

    __tablename__ = "journal"
    __table_args__ = (Index("journal_request_id_at_idx", "request_id", "at"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    at: Mapped[datetime]
    action: Mapped[Action] = mapped_column(one_of(Action))
    request_id: Mapped[UUID | None]
    agent_id: Mapped[int | None] = mapped_column(ForeignKey("agents.id"), index=True)
    details: Mapped[dict[str, Any]]


def entry(action: Action, now: datetime, request_id: UUID, **details: Any) -> Entry:
    """A line about what a citizen does with a request, for whoever inserts it with other rows (`database.put`)."""
    return Entry(at=now, action=action, request_id=request_id, agent_id=None, details=details)


def write(
    session: Session,
    action: Action,
    now: datetime,
    *,
    request_id: UUID | None = None,
    agent: Agent | None = None,
    **details: Any,
) -> None:
    """Add a line. Details never hold a secret, nor the person's words.

    Inline: the row's id is not read back, which the portal's role could not do.
    """
    session.flush()
    session.execute(
        insert(Entry)
        .inline()
        .values(
            at=now,
            action=action,
            request_id=request_id,
            agent_id=agent.id if agent else None,
            details=details,
        )
    )


def of_request(session: Session, request_id: UUID) -> list[tuple[Entry, Agent | None, int]]:
    """The history of a request, oldest first: the line, who did it, how many times in a row."""
    rows = session.execute(
        select(Entry, Agent)
        .outerjoin(Agent, Agent.id == Entry.agent_id)
        .where(Entry.request_id == request_id)
        .order_by(Entry.at, Entry.id)
    )
    history: list[tuple[Entry, Agent | None, int]] = []
    for entry, agent in rows:
        if history and entry.action is Action.OPENED and _same(history[-1][0], entry):
            history[-1] = (*history[-1][:2], history[-1][2] + 1)
        else:
            history.append((entry, agent, 1))
    return history


def _same(one: Entry, other: Entry) -> bool:
    return one.action is other.action and one.agent_id == other.agent_id


def opened_by(session: Session, request_id: UUID, agent: Agent, since: datetime) -> bool:
    """True when this agent opened this request since then: what refreshes by itself on its page is no new reading."""
    found = select(Entry.id).where(
        Entry.request_id == request_id,
        Entry.agent_id == agent.id,
        Entry.action == Action.OPENED,
        Entry.at >= since,
    )
    return session.scalar(found.limit(1)) is not None


def others_reading(session: Session, request_id: UUID, agent: Agent, since: datetime) -> list[Agent]:
    """Colleagues who opened this request since then: two on one request should know of each other."""
    return list(
        session.scalars(
            select(Agent)
            .where(
                Agent.id.in_(
                    select(Entry.agent_id).where(
                        Entry.request_id == request_id, Entry.action == Action.OPENED, Entry.at >= since
                    )
                ),
                Agent.id != agent.id,
            )
            .order_by(Agent.name)
        )
    )
