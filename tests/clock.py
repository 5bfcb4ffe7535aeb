"""A clock that tests move by hand."""

from __future__ import annotations

from datetime import datetime, timedelta


class Clock:
    """Tells the time it was put to, until it is moved."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **duration: float) -> None:
        """Let time pass: `forward(hours=24)`."""
        self.now += timedelta(**duration)
