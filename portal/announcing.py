"""Is a virtual permanence receiving now? Asked of the database a few times a minute, said on the pages of everybody."""

from __future__ import annotations

from datetime import datetime, timedelta

from flask import current_app

from casework import ways_in
from web.transactions import db, now

KEPT = timedelta(seconds=20)


def receives_now() -> bool:
    """Somebody without an appointment can be received now."""
    known: tuple[datetime, bool] | None = current_app.extensions.get("receives now")
    if known is None or not timedelta() <= now() - known[0] < KEPT:
        known = (now(), ways_in.door_for(db(), None, now()) is not None)
        current_app.extensions["receives now"] = known
    return known[1]
