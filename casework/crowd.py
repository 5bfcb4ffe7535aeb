"""The crowd at the door of the virtual permanence: how many come in without a request in a quarter of an hour.

Each is counted by the keyed hash of where they come from, and all together, as failed guesses are. Somebody at a kiosk
is counted with that kiosk alone: a house has one address for everybody in it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from casework import access
from casework.access import TooManyGuessesError

FROM_ONE_SOURCE = 10
"""A hostel, a library or a telephone company may have one address for several people."""
AT_ONE_KIOSK = 30
"""More than can type their name there one after the other."""
IN_ALL = 200
"""More than the desks of a département can receive; who comes back with a request or by a kiosk is not counted."""


class CrowdError(Exception):
    """Too many came in; one more may from `until` on, a whole minute."""

    def __init__(self, until: datetime) -> None:
        super().__init__(f"wait until {until:%H:%M}")
        self.until = until


def count_in(session: Session, key: str, source: str, kiosk_id: UUID | None, now: datetime) -> None:
    """Count one more who comes in without a request; refused ones are not counted, nor who is taken back out.

    `key`: the access key. `source`: the network address. `kiosk_id`: the kiosk they stand at, if any.

    Raises:
        CrowdError: too many came from there, or from everywhere.
    """
    limits = (
        {f"comes in at kiosk {kiosk_id}": AT_ONE_KIOSK}
        if kiosk_id
        else {f"comes in from {source}": FROM_ONE_SOURCE, "comes in from anywhere": IN_ALL}
    )
    for subject, most in limits.items():
        try:
            access.slow_guessing(session, key, [subject], now, most)
        except TooManyGuessesError as many:
            raise CrowdError(_whole_minute(many.until)) from many
    access.note_failure(session, key, list(limits), now)


def _whole_minute(moment: datetime) -> datetime:
    """The same moment, or the minute that begins after it: what is said is an hour and its minutes."""
    return (moment + timedelta(seconds=59, microseconds=999_999)).replace(second=0, microsecond=0)
