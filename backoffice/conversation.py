"""A conversation in two languages, the agents' side: what the person wrote, and what they read of what agents wrote."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from flask import Blueprint, abort, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from markupsafe import Markup, escape

from backoffice.agent import WATCHING, me
from casework import journal, messages, triage
from casework.masking import Names
from casework.messages import Author, Message
from casework.requests import Request, SendingKeys
from casework.sentences import language_of
from casework.territory import Commune, House
from casework.translated_words import LONGEST_CORRECTION, Origin, State, Translation, shown
from casework.vocabulary import SPOKEN_LANGUAGES
from web.doors import open_to
from web.language import language
from web.transactions import db, now, settings

conversation = Blueprint("conversation", __name__, url_prefix="/<lang>/demande")

AGENTS_LANGUAGE = "fr"
"""What agents write in."""
SAME_READING = timedelta(hours=12)
"""How long a page that was opened, which the journal says, may look again for translations."""


@conversation.get("/<uuid:request_id>/messages")
@open_to(WATCHING)
def lines(request_id: UUID) -> ResponseReturnValue:
    """The messages alone, for a page that is open to fill in the translations that have come."""
    opened = _mine(request_id)
    if not journal.opened_by(db(), request_id, me(), now() - SAME_READING):
        abort(404)
    facts = in_two_languages(opened, messages.of_request(db(), opened.id))
    return render_template("backoffice/conversation_lines.html", case=opened, alone=True, **facts)


def in_two_languages(opened: Request, conversation: Sequence[Message]) -> dict[str, object]:
    """For the template: what the person wrote in this page's language, what agents wrote in the person's; what is not
    there yet is asked for. Commits."""
    written = {message.id: language_of(message.body, message.language) for message in conversation}
    theirs = [(one.body, written[one.id]) for one in conversation if one.author is Author.CITIZEN]
    ours = [(one.body, written[one.id]) for one in conversation if one.author is Author.AGENT]
    first = (opened.words, language_of(opened.words, opened.language))
    keys = SendingKeys.of(settings())
    names = _names(opened, conversation)
    as_read = shown(db(), ours, opened.language, keys, now(), names)
    facts: dict[str, object] = {
        "conversation": conversation,
        "written_in": written,
        "words_in": first[1],
        "longest_correction": LONGEST_CORRECTION,
        "translations": shown(db(), [first, *theirs], language(), keys, now(), names),
        "as_read": as_read,
        "how_read": how_read(opened.language, list(as_read.values())),
    }
    db().commit()
    return facts


def how_read(reader: str, before: Sequence[Translation]) -> str | Markup:
    """In which words the person will read an answer, as far as the messages `before` it tell."""
    if reader == AGENTS_LANGUAGE:
        return str(gettext("La personne lit ce message en français. Écrivez des phrases courtes."))
    if any(one.state is State.FAILED for one in before):
        machine = gettext("Une machine n'a pas pu traduire un message d'avant.")
    elif any(one.state is State.DONE and one.origin is Origin.MACHINE for one in before):
        machine = gettext("Une machine traduit votre message. Écrivez des phrases courtes.")
    else:  # only the worker knows what its engine translates
        machine = gettext("Une machine traduit votre message, si elle connaît cette langue.")
    name = Markup('<bdi lang="{}">{}</bdi>').format(reader, SPOKEN_LANGUAGES[reader])
    theirs = escape(gettext("Langue de la personne : %(language)s.")) % {"language": name}
    ready = gettext("Les phrases prêtes sont déjà traduites.")
    return Markup(" ").join((theirs, machine, ready))


def to_correct(opened: Request) -> tuple[str, str, str]:
    """The words, their language and the reader's, of the message named; of the request's own when none is."""
    named = request.form.get("message", "")
    if not named:
        source, target = language_of(opened.words, opened.language), language()
        if not opened.words or source == target:
            abort(404)
        return opened.words, source, target
    try:
        message = db().get(Message, UUID(named))
    except ValueError:
        abort(404)
    if message is None or message.request_id != opened.id:
        abort(404)
    source = language_of(message.body, message.language)
    target = language() if message.author is Author.CITIZEN else opened.language
    if source == target:
        abort(404)
    return message.body, source, target


def _mine(request_id: UUID) -> Request:
    opened = db().get(Request, request_id)
    if opened is None or not triage.may_read(db(), me(), opened):
        abort(404)
    return opened


def _names(opened: Request, conversation: Sequence[Message]) -> Names:
    """People and places of this request, which an engine must leave alone; the same as the person's side knows."""
    house = db().get_one(House, opened.house_id)
    commune = db().get(Commune, opened.commune_code) if opened.commune_code else None
    signatures = (message.signature for message in conversation)
    place = commune.name if commune else opened.place_typed
    return Names((opened.name, opened.handler, *signatures), (place, house.name, house.town))
