"""What this browser holds: the secret of a draft or a request, in a signed cookie nobody else reads."""

from __future__ import annotations

from flask import g, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from casework import access
from casework.database import present
from casework.requests import Draft, draft_of, start_draft
from web.doors import Door
from web.language import language
from web.transactions import db, now, settings

OF_VISITS = frozenset({"permanence", "talk", "calls"})
"""The pages where one is somebody who waits or talks."""


def hold_secret(secret: str) -> None:
    """This browser now follows what that secret opens."""
    session["secret"] = secret
    _hold(access.link_hash(settings().access_key, secret))


def hold_code(number: str, code: str) -> None:
    """This browser now follows what that number and code open."""
    session.pop("secret", None)
    _hold(access.code_hash(settings().access_key, number, code))


def _hold(secret_hash: str) -> None:
    session["opens"] = secret_hash
    g.pop("draft", None)
    present(db(), secret_hash)


def held() -> dict[str, str]:
    """What this browser follows now, to go back to after a guess that opened nothing."""
    return {name: session[name] for name in ("secret", "opens") if name in session}


def hold_again(before: dict[str, str]) -> None:
    """Follow again what was followed before; the rest of the session, the forms' token, was never touched."""
    for name in ("secret", "opens"):
        session.pop(name, None)
    session.update(before)
    g.pop("draft", None)


def secret() -> str | None:
    """The secret of the link, unless the person came in with a number and a code."""
    held: str | None = session.get("secret")
    return held


def hold_visit(secret: str) -> None:
    """This browser waits, or was brought into a talk, by what that secret opens; what it follows stays."""
    session["visit_secret"] = secret
    session["visit"] = access.link_hash(settings().access_key, secret)
    present(db(), session["visit"])


def visit_secret() -> str | None:
    """The secret of the visit, for who came without a request."""
    secret: str | None = session.get("visit_secret")
    return secret


def brought_in() -> bool:
    """This browser came by the link of one talk: an interpreter, or somebody the person trusts."""
    return "visit" in session and "visit_secret" not in session


def drop_visit() -> None:
    """The waiting room is entered, or the talk is had, by the request that this browser follows."""
    session.pop("visit_secret", None)
    if session.pop("visit", None):
        present(db(), session.get("opens", ""))


def let_go() -> None:
    """Forget everything on this device."""
    session.clear()


def present_secret(database_session: Session) -> None:
    """Open, for this page's database session, what this browser's secret gives access to.

    In the waiting room and in a talk, the visit's own secret goes before the request's.
    """
    own = session.get("visit") if request.blueprint in OF_VISITS else None
    if opens := own or session.get("opens"):
        database_session.info["secret_hash"] = opens


def draft() -> Draft | None:
    """The draft this browser is filling in, not yet sent."""
    if "draft" not in g:
        held = session.get("opens")
        found = draft_of(db(), held) if held else None
        g.draft = found if found and found.sent_at is None else None
    current: Draft | None = g.draft
    return current


def begin() -> None:
    """A new secret for a new draft; what this browser followed before keeps its own link."""
    hold_secret(access.new_secret())
    g.draft = start_draft(db(), session["opens"], language(), now())


def _needs_draft() -> ResponseReturnValue | None:
    if draft():
        return None
    if session.get("opens") and access.opened_request(db()):
        return redirect(url_for("follow.receipt"), 303)
    return redirect(url_for("pages.home"), 303)


def _needs_request() -> ResponseReturnValue | None:
    g.request_id = access.opened_request(db()) if session.get("opens") else None
    return None if g.request_id else redirect(url_for("follow.enter"), 303)


DRAFT = Door("whoever holds the secret of an unsent draft", _needs_draft)
REQUEST = Door("whoever holds the secret, or the number and code, of a request", _needs_request)
