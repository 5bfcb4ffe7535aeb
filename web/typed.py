"""What people type, as forms of both faces take it."""

from __future__ import annotations


def clean(typed: str | None) -> str:
    """What was typed, without what no keyboard types and the database refuses."""
    return (typed or "").replace("\x00", "").replace("\r\n", "\n").strip()
