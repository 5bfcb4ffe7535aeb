"""Telling a person something by the ways they chose, each time with one fresh link."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from casework import access
from casework.notifications import NOTHING_ELSE, Subject, Template, notify
from casework.people import ContactWay
from casework.requests import Request, SendingKeys


def tell(
    session: Session,
    request: Request,
    template: Template,
    ways: Sequence[ContactWay],
    keys: SendingKeys,
    now: datetime,
    subject: Subject = NOTHING_ELSE,
    language: str | None = None,
) -> None:
    """Send one message by each of these ways. Of the links sent before, only hashes were kept: this is a new one.

    `language`: which one, when it is not the request's.
    """
    if not ways:
        return
    secret = access.new_secret()
    session.add_all(access.keys_for(keys.access_key, secret, request.number, request.id, now))
    for way in ways:
        notify(
            session, template, request.id, language or request.language, way, secret, keys.documents_public_key,
            now, subject,
        )  # fmt: skip
