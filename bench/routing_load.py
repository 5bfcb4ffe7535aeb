"""Routing alone: ten thousand requests for a hundred workers, and how fairly they are shared out."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from bench.report import Measure
from casework.routing import Ground, Worker, route

REQUESTS = 10_000
WORKERS = 100
SHARES = ("1", "0.8", "0.5", "1", "0.9")
START = datetime(2026, 11, 2, 8, tzinfo=UTC)


def measure(requests: int = REQUESTS, workers: int = WORKERS) -> list[Measure]:
    """Route them one by one to one pooled sector, the hardest case: every worker is weighed for every request."""
    pool = {
        number: Worker(number, f"Personne {number}", Decimal(SHARES[number % len(SHARES)]), load=0)
        for number in range(workers)
    }
    started = time.perf_counter()
    for turn in range(requests):
        everybody = list(pool.values())
        worker = route(Ground("Poitiers", "Poitiers", everybody, everybody)).worker
        if worker is None:
            raise AssertionError("nobody was chosen among people who are all here")
        pool[worker.id] = replace(
            worker, load=worker.load + 1, last_routed_at=START + timedelta(seconds=turn)
        )
    seconds = time.perf_counter() - started
    weights = [float(worker.load / worker.share) for worker in pool.values()]
    against = f"{requests:,} requests, {workers} workers of one pooled sector"
    fair = f"the least loaded of them; mean {sum(weights) / workers:.1f} requests a full-time worker"
    return [
        Measure("routing.seconds", seconds, "s", None, "lower", against),
        Measure("routing.spread", max(weights) - min(weights), "requests", 2, "lower", fair),
    ]
