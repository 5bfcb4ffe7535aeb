"""`python -m bench`: measure everything, print the table, write `$ALLERVERS_VAR/bench.json`."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from bench import (
    appointments,
    memory,
    queue_page,
    rights_search,
    routing_load,
    throughput,
    translation,
    waiting,
    weight,
)
from bench.installation import installed, serving
from bench.report import merge, table
from casework.settings import ROOT

Found = TypeVar("Found")


def main() -> None:
    """Everything, on one machine, one part after the other."""
    var = Path(os.environ.get("ALLERVERS_VAR") or ROOT / "var").resolve()
    measures = _told("routing", routing_load.measure)
    with installed(var) as here:
        measures += _told("memory", lambda: memory.measure(here))
        with serving("portal.app:create()", here.environment("portal"), "/sante") as portal:
            measures += _told("weight", lambda: weight.measure(portal.port))
            measures += _told("weight of rights", lambda: weight.measure_rights(portal.port))
            measures += _told("throughput", lambda: throughput.measure(here, portal))
        measures += _told("translation", lambda: translation.measure(here))
        measures += _told("queue page", lambda: queue_page.measure(here))
        measures += _told("waiting room", lambda: waiting.measure(here))
        measures += _told("rights search", lambda: rights_search.measure(here))
        measures += appointments.measure(here, _told)
    merge(var / "bench.json", measures)
    print(table(measures))


def _told(part: str, measure: Callable[[], Found]) -> Found:
    """Say on the error output how long a part took: the table is for the other one."""
    start = time.monotonic()
    found = measure()
    print(f"{part}: {time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)
    return found


if __name__ == "__main__":
    main()
