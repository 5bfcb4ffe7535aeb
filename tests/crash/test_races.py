"""Two hundred people want the same hour, over HTTP, while processes are killed with -9: one has it, nobody else."""

from __future__ import annotations

import asyncio
import html
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from casework.database import PORTAL_ROLE
from casework.requests import PARIS
from tests.conftest import Database
from tests.crash.processes import Portal, stopped_by_a_lock, wait_until
from tests.crash.racing import Racer, all_at_once, crowd
from tests.portal.receiving import receives

RACERS = 200
UNDER_WAY = 4
"""This many taps are in the middle of their transaction when the processes die. A process has four threads, and the one
that is up first may take in everybody at the door: no more than four can be waited for."""
ALTERNATIVES = 3


@dataclass(frozen=True)
class House:
    """The portal under gunicorn, two processes of four threads, and what the database says."""

    database: Database
    portal: Portal
    log: Path

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What the database says, to its owner."""
        with self.database.owner.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query))]


@pytest.fixture
def house(database: Database, tmp_path: Path) -> Iterator[House]:
    """The portal, running."""
    with (tmp_path / "log").open("wb") as log:
        portal = Portal(database, tmp_path, log)
        yield House(database, portal, tmp_path / "log")
        portal.stop()
    print((tmp_path / "log").read_text(encoding="utf-8"))  # seen only when a test fails


@pytest.fixture
def hour(house: House) -> datetime:
    """Paul receives one person at nine, ten days from now; others the day after."""
    day = (datetime.now(PARIS) + timedelta(days=10)).date()
    receives(house.database, day, time(9), time(9, 30))
    receives(house.database, day + timedelta(days=1), time(9), time(12))
    return datetime.combine(day, time(9), PARIS)


@pytest.mark.slow
def test_two_hundred_race_for_one_hour(house: House, hour: datetime) -> None:
    racers = crowd(house.database, house.portal.address, RACERS, datetime.now(UTC))
    all_at_once(_race(racers, hour))
    _one_has_it(house, racers, hour)


@pytest.mark.slow
def test_they_race_while_processes_die(house: House, hour: datetime) -> None:
    racers = crowd(house.database, house.portal.address, RACERS, datetime.now(UTC))
    killed = all_at_once(_race_amid_deaths(house, racers, hour))
    assert killed >= 8
    assert sum(racer.cuts for racer in racers) >= UNDER_WAY * 2
    _one_has_it(house, racers, hour)


async def _race(racers: list[Racer], hour: datetime) -> None:
    """All see the hour free, all tap it; whoever holds it goes on."""
    await asyncio.gather(*(_sees(racer, hour) for racer in racers))
    await asyncio.gather(*(_taps(racer, hour) for racer in racers))
    await asyncio.gather(*(_confirms(racer) for racer in racers if racer.holds))
    await asyncio.gather(*(racer.client.aclose() for racer in racers))


async def _race_amid_deaths(house: House, racers: list[Racer], hour: datetime) -> int:
    """The same; the processes die in the middle of taps, then as answers come, then in the middle of the
    confirmation. Returns how many died."""
    await asyncio.gather(*(_sees(racer, hour) for racer in racers))
    with house.database.owner.connect() as held:
        held.execute(text("LOCK TABLE appointments IN SHARE MODE"))
        taps = [asyncio.create_task(_taps(racer, hour)) for racer in racers]
        killed = await kill_in_the_middle(house, UNDER_WAY, times=2)
    for many in (20, 80):
        await asyncio.to_thread(wait_until, partial(answered, taps, many), f"{many} answers")
        killed += await asyncio.to_thread(house.portal.kill, 1)
    await asyncio.gather(*taps)
    with house.database.owner.connect() as held:
        held.execute(text("LOCK TABLE journal IN SHARE MODE"))
        confirming = [asyncio.create_task(_confirms(racer)) for racer in racers if racer.holds]
        killed += await kill_in_the_middle(house, len(confirming), times=1)
    await asyncio.gather(*confirming)
    await asyncio.gather(*(racer.client.aclose() for racer in racers))
    return killed


async def kill_in_the_middle(house: House, how_many: int, times: int) -> int:
    """Kill both processes once so many people are stopped in their transaction; returns how many died."""
    killed, already = 0, set[int]()
    for _ in range(times):
        waiting = partial(_others_wait, house, frozenset(already), how_many)
        await asyncio.to_thread(wait_until, waiting, "people in the middle of their tap")
        already |= stopped_by_a_lock(house.database.owner, PORTAL_ROLE)
        killed += await asyncio.to_thread(house.portal.kill, 2)
    return killed


def _others_wait(house: House, but: frozenset[int], how_many: int) -> bool:
    return len(stopped_by_a_lock(house.database.owner, PORTAL_ROLE) - but) >= how_many


def answered(taps: list[asyncio.Task[None]], how_many: int) -> bool:
    return sum(tap.done() for tap in taps) >= how_many


async def _sees(racer: Racer, hour: datetime) -> None:
    """The hour is free, for everybody."""
    await racer.opens("/fr/rendez-vous")
    assert f'value="{_choice(hour)}"' in racer.page.text


async def _taps(racer: Racer, hour: datetime) -> None:
    """It is held, or what is near it is shown."""
    status = await racer.asks("POST", "/fr/rendez-vous", slot=_choice(hour))
    racer.holds = status == 303
    if not racer.holds:
        assert status == 409, f"{status}: {racer.page.text[:300]}"
        assert "Cette heure n'est plus libre" in html.unescape(racer.page.text)
        hours = re.findall(r'name="slot" value="(\d+)\.', racer.page.text)
        nine = hour + timedelta(days=1)
        assert hours == [
            f"{(nine + timedelta(minutes=30 * place)).timestamp():.0f}" for place in range(ALTERNATIVES)
        ]


async def _confirms(racer: Racer) -> None:
    """Whoever holds it checks it and books it."""
    assert await racer.asks("GET", "/fr/rendez-vous/verifier") == 200
    held, slot = (racer.found(rf'name="{name}" value="([^"]+)"') for name in ("held", "slot"))
    assert await racer.asks("POST", "/fr/rendez-vous/verifier", held=held, slot=slot) == 303
    assert await racer.asks("GET", "/fr/rendez-vous/pris") == 200


def _one_has_it(house: House, racers: list[Racer], hour: datetime) -> None:
    """One booked it, the others were shown what is near; the database says the same, and no page failed."""
    assert [racer.page.status_code for racer in racers if racer.holds] == [200]
    assert Counter(racer.page.status_code for racer in racers) == {200: 1, 409: RACERS - 1}
    assert house.rows("SELECT state, lower(during) FROM appointments") == [("booked", hour)]
    assert house.rows("SELECT action, count(*) FROM journal WHERE action <> 'sent' GROUP BY 1") == [
        ("booked", 1)
    ]
    assert "Traceback" not in house.log.read_text(encoding="utf-8")


def _choice(hour: datetime) -> str:
    return f"{hour.timestamp():.0f}.here.mds-poitiers"
