"""Spans of time as PostgreSQL keeps them, which always have both ends here."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.dialects.postgresql import Range


def begins(during: Range[datetime]) -> datetime:
    """The moment a span begins. ValueError: it has no beginning."""
    if during.lower is None:
        raise ValueError("a span of time without a beginning")
    return during.lower


def ends(during: Range[datetime]) -> datetime:
    """The moment a span is over. ValueError: it has no end."""
    if during.upper is None:
        raise ValueError("a span of time without an end")
    return during.upper
