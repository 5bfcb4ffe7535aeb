"""What a telephone's calendar takes in, as the answer to a tap."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Response, make_response

from casework.calendar_file import MIME_TYPE, Meeting, calendar_file
from web.transactions import now, settings


def calendar_answer(meeting: Meeting, name: str, *, cancelled: bool = False) -> Response:
    """The calendar file of a meeting, to add or, `cancelled`, to take away; `name`: of the file, without its ending."""
    host = urlsplit(settings().portal_address).hostname or "localhost"
    response = make_response(calendar_file(meeting, host, now(), cancelled=cancelled))
    method = "CANCEL" if cancelled else "PUBLISH"
    response.headers["Content-Type"] = f"{MIME_TYPE}; charset=utf-8; method={method}"
    response.headers["Content-Disposition"] = f"attachment; filename={name}.ics"
    return response
