"""Where the provider brings the text messages that people send: signed, once each, seen to by the worker.

docs/text-messages.md has the protocol. Nobody reads these answers: a status is all they say.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from typing import Any

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from casework import answers
from casework.people import UnreachableError, read_phone
from web.doors import Door, open_to
from web.transactions import db, now, settings
from web.typed import clean

incoming_texts = Blueprint("incoming_texts", __name__)

LARGEST_BODY = 10 * 1024
FRESH_SECONDS = 5 * 60
SIGNATURE = re.compile(r"t=(?P<at>\d{1,12}),v1=(?P<digest>[0-9a-f]{64})")


def signature(key: str, at: int, body: bytes) -> str:
    """What stands in `X-Signature` for a body sent at a time, in seconds since 1970."""
    digest = hmac.new(key.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


def _is_signed() -> ResponseReturnValue | None:
    """404 without a key: there is no such thing here. 413 for what no text message is. 401 for anybody else."""
    key = settings().sms_webhook_key
    if not key:
        return _say(404)
    if (request.content_length or 0) > LARGEST_BODY:
        return _say(413)
    given = SIGNATURE.fullmatch(request.headers.get("X-Signature", ""))
    if given is None or abs(now().timestamp() - int(given["at"])) > FRESH_SECONDS:
        return _say(401)
    wanted = signature(key, int(given["at"]), request.get_data())
    return None if hmac.compare_digest(wanted, given[0]) else _say(401)


PROVIDER = Door("the provider of text messages, by its signature", _is_signed)


@incoming_texts.post("/sms/recu")
@open_to(PROVIDER)
def take() -> ResponseReturnValue:
    """Keep one text. What is not from a telephone number, a brand or a short code, is taken and dropped."""
    try:
        said: dict[str, Any] = json.loads(request.get_data())
        provider_id, sender, body = (_words(said[name]) for name in ("id", "from", "text"))
    except (ValueError, KeyError, TypeError):
        return _say(400)
    if not provider_id:
        return _say(400)
    try:
        number = _number(sender)
    except UnreachableError:
        return _say(204)
    answers.receive(db(), provider_id, number, body, now())
    db().commit()
    return _say(204)


def _words(value: object) -> str:
    """A string as the database takes it: without halves of letters, which JSON can hold.

    Raises:
        TypeError: it is none.
    """
    if not isinstance(value, str):
        raise TypeError(value)
    return clean(value.encode("utf-8", "ignore").decode())


def _number(sender: str) -> str:
    """E.164, as the protocol asks; with its plus forgotten as well, which providers do.

    Raises:
        UnreachableError: not a telephone number.
    """
    try:
        return read_phone(sender)
    except UnreachableError:
        return read_phone(f"+{sender}")


def _say(status: int) -> ResponseReturnValue:
    return "", status, {"Content-Type": "text/plain; charset=utf-8"}
