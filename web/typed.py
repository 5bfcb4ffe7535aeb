"""What people type or choose, as forms of both faces take it."""

from __future__ import annotations

from collections.abc import Iterable

from wtforms.fields.choices import SelectChoice


def clean(typed: str | None) -> str:
    """What was typed, without what no keyboard types and the database refuses."""
    return (typed or "").replace("\x00", "").replace("\r\n", "\n").strip()


def options(pairs: Iterable[tuple[object, object]]) -> list[SelectChoice]:
    """What can be chosen, of (value, words) each."""
    return [SelectChoice(value, words) for value, words in pairs]
