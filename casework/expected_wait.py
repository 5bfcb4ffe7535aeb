"""How long until one's turn, and how sure that is: pure, no database."""

from __future__ import annotations

import heapq
import math
import statistics
from dataclasses import dataclass, field

USUAL_MINUTES = 15.0
"""How long a talk takes, while too few were held to know."""
ENOUGH_TALKS = 8
"""From so many talks on, the expected wait is said to be sure."""


@dataclass(frozen=True)
class Line:
    """What may be said of a line: how many are ahead, how many desks are open, how long talks last, in minutes."""

    ahead: int
    desks: int
    ongoing: list[float] = field(default_factory=list)
    lately: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Wait:
    """The expected wait in minutes, from and to. `sure`: it comes from enough talks."""

    low: int
    high: int
    sure: bool

    @property
    def middle(self) -> float:
        """The one number to plan with."""
        return (self.low + self.high) / 2


def expected(line: Line) -> Wait | None:
    """The desks are played forward, each talk as long as the middle one of late. None while no desk is open.

    The half of all talks that are neither the shortest nor the longest says how far it may be off; the more talks
    lie ahead at one desk, the more they even out.
    """
    if line.desks == 0:
        return None
    sure = len(line.lately) >= ENOUGH_TALKS
    lengths = line.lately if sure else [USUAL_MINUTES / 2, USUAL_MINUTES, USUAL_MINUTES * 2]
    shorter, middle, longer = statistics.quantiles(lengths, n=4, method="inclusive")
    middle = max(middle, 1.0)
    under_way = sorted(line.ongoing)[: line.desks]
    desks = [max(middle - minutes, middle / 4) for minutes in under_way]
    desks += [0.0] * (line.desks - len(desks))
    heapq.heapify(desks)
    for _ in range(line.ahead):
        heapq.heapreplace(desks, desks[0] + middle)
    rounds = math.ceil((line.ahead + len(under_way)) / line.desks)
    spread = (longer - shorter) / 2 * math.sqrt(rounds) if desks[0] else 0.0
    return Wait(_rounded(max(desks[0] - spread, 0.0)), _rounded(desks[0] + spread), sure)


def _rounded(minutes: float) -> int:
    """Whole minutes under ten, then by five: nobody counts the minutes of an hour."""
    return round(minutes) if minutes < 10 else 5 * round(minutes / 5)
