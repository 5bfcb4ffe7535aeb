"""Requests sent as the portal sends them, with its role, and the settings of a worker that sees to them."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from casework import access, documents, requests
from casework.database import transaction
from casework.journal import Entry
from casework.notifications import Notification
from casework.requests import Answers, SendingKeys
from casework.settings import ROOT, Settings
from casework.vocabulary import Channel, Theme, Urgency
from tests.conftest import Database
from tests.people import AMINA_PHONE, MOREAU_EMAIL, POITIERS

BY_MAIL = Answers(
    theme=Theme.HOUSING,
    urgency=Urgency.NONE,
    words="Je ne peux plus payer le loyer.",
    commune_code=POITIERS,
    channels=[Channel.EMAIL],
    email=MOREAU_EMAIL,
    name="Marcel Moreau",
)
BY_TEXT = replace(BY_MAIL, channels=[Channel.SMS], sms_number=AMINA_PHONE, email="", name="Amina")


@dataclass(frozen=True)
class Asked:
    """A request that was sent."""

    id: UUID
    secret: str


def worker_settings(database: Database, **changes: Any) -> Settings:
    """Settings of the worker: the back office's role, both keys, and what the test adds."""
    values: dict[str, Any] = {
        "var": Path("var"),
        "territory": ROOT / "territory" / "vienne",
        "database_url": database.urls[2],
        "access_key": database.access_key,
        "documents_public_key": database.public_key,
        "documents_private_key": database.private_key,
        "portal_address": "https://aide.example.org",
    }
    return Settings(**(values | changes))


def ask(
    database: Database, now: datetime, answers: Answers = BY_MAIL, language: str = "fr", paper: bytes = b""
) -> Asked:
    """Fill in and send a request, perhaps with a paper, as the portal does."""
    secret = access.new_secret()
    hashed = access.link_hash(database.access_key, secret)
    with Session(database.portal, info={"secret_hash": hashed}) as session, session.begin():
        draft = requests.start_draft(session, hashed, language, now)
        draft.answers = asdict(answers)
        session.flush()
        if paper:
            owner = documents.Owner(draft_id=draft.id)
            documents.receive(session, owner, "lettre.pdf", paper, database.public_key, now)
        keys = SendingKeys(database.access_key, database.public_key)
        requests.send(session, draft, secret, keys=keys, working_days=5, now=now)
        return Asked(draft.id, secret)


def notifications_of(database: Database, request_id: UUID) -> list[Notification]:
    """Every notification of a request, oldest first."""
    with transaction(database.backoffice) as session:
        return list(
            session.scalars(
                select(Notification)
                .where(Notification.request_id == request_id)
                .order_by(Notification.created_at, Notification.channel)
            )
        )


def journal_of(database: Database, request_id: UUID) -> list[tuple[str, dict[str, Any]]]:
    """The journal of a request, oldest first: (action, details)."""
    with transaction(database.backoffice) as session:
        rows = session.scalars(select(Entry).where(Entry.request_id == request_id).order_by(Entry.id))
        return [(row.action.value, row.details) for row in rows]
