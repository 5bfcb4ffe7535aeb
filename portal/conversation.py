"""A conversation in two languages, the person's side: what agents wrote, in the person's language too."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from casework import messages
from casework.following import Followed, followed
from casework.masking import Names
from casework.requests import SendingKeys
from casework.sentences import language_of
from casework.translated_words import Translation, shown
from portal import visit
from web.doors import open_to
from web.language import language
from web.transactions import db, now, settings

conversation = Blueprint("conversation", __name__, url_prefix="/<lang>/suivi")

AGENTS_LANGUAGE = "fr"
"""What agents write, and read what people write in."""


@conversation.get("/messages")
@open_to(visit.REQUEST)
def lines() -> ResponseReturnValue:
    """The messages alone, for the page to fill in the translations that have come."""
    seen = followed(db(), g.request_id)
    return render_template(
        "portal/conversation_lines.html", followed=seen, translations=translations_of(seen)
    )


@conversation.post("/pas-compris")
@open_to(visit.REQUEST)
def say_not_understood() -> ResponseReturnValue:
    """One tap: the person does not understand a message, and whoever handles the request sees it at once."""
    try:
        message_id = UUID(request.form.get("message", ""))
    except ValueError:
        return redirect(url_for("follow.show"), 303)
    messages.say_not_understood(db(), g.request_id, message_id, now())
    db().commit()
    return redirect(url_for("follow.show", _anchor=f"m-{message_id}"), 303)


def translations_of(seen: Followed) -> Mapping[tuple[str, str], Translation]:
    """What agents wrote, in this page's language; what is not there yet is asked for."""
    written = [(said.body, said.language) for said in seen.conversation if not said.mine]
    found = shown(db(), [*written, (seen.missing, AGENTS_LANGUAGE)], language(), keys(), now(), _names(seen))
    db().commit()
    return found


def translate_ahead(body: str) -> None:
    """What the person writes is asked for in French at once: there when an agent opens it. The caller commits."""
    source = language_of(body, language())
    if source != AGENTS_LANGUAGE:
        names = _names(followed(db(), g.request_id))
        shown(db(), [(body, source)], AGENTS_LANGUAGE, keys(), now(), names)


def keys() -> SendingKeys:
    """What asking for a translation needs."""
    return SendingKeys.of(settings())


def _names(seen: Followed) -> Names:
    """People and places of this request, which an engine must leave alone; the same as the agents' side knows."""
    signatures = (said.signature for said in seen.conversation)
    return Names((seen.name, seen.handler, *signatures), (seen.place, seen.house.name, seen.house.town))
