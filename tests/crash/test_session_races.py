"""Two hundred people want the twenty seats of a session, over HTTP, while processes are killed with -9: twenty sit."""

from __future__ import annotations

import asyncio
import html
from collections import Counter
from datetime import UTC, datetime, time, timedelta
from functools import partial
from uuid import UUID

import pytest
from sqlalchemy import text

from casework.requests import PARIS
from tests.casework.gathering import gather, is_sound, plan, seats_of
from tests.crash.processes import wait_until
from tests.crash.racing import Racer, all_at_once, crowd
from tests.crash.test_races import RACERS, UNDER_WAY, House, answered, house, kill_in_the_middle

__all__ = ["house"]

SEATS = 20


@pytest.fixture
def session_id(house: House) -> UUID:
    """Twenty seats, ten days from now."""
    day = (datetime.now(PARIS) + timedelta(days=10)).date()
    return gather(house.database, datetime.now(UTC), plan(day, seats=SEATS, start=time(14)))


@pytest.mark.slow
def test_two_hundred_race_for_twenty_seats(house: House, session_id: UUID) -> None:
    racers = crowd(house.database, house.portal.address, RACERS, datetime.now(UTC))
    all_at_once(_race(racers, session_id))
    _twenty_sit(house, racers, session_id)


@pytest.mark.slow
def test_they_race_while_processes_die(house: House, session_id: UUID) -> None:
    racers = crowd(house.database, house.portal.address, RACERS, datetime.now(UTC))
    killed = all_at_once(_race_amid_deaths(house, racers, session_id))
    assert killed >= 4
    assert sum(racer.cuts for racer in racers) >= UNDER_WAY
    _twenty_sit(house, racers, session_id)


async def _race(racers: list[Racer], session_id: UUID) -> None:
    """All read that seats are free, all tap."""
    await asyncio.gather(*(racer.opens(f"/fr/ateliers/{session_id}") for racer in racers))
    await asyncio.gather(*(_taps(racer, session_id) for racer in racers))
    await asyncio.gather(*(racer.client.aclose() for racer in racers))


async def _race_amid_deaths(house: House, racers: list[Racer], session_id: UUID) -> int:
    """The same; the processes die in the middle of taps, then as answers come. Returns how many died."""
    await asyncio.gather(*(racer.opens(f"/fr/ateliers/{session_id}") for racer in racers))
    with house.database.owner.connect() as held:
        held.execute(text("LOCK TABLE sign_ups IN SHARE MODE"))
        taps = [asyncio.create_task(_taps(racer, session_id)) for racer in racers]
        killed = await kill_in_the_middle(house, UNDER_WAY, times=1)
    for many in (20, 80):
        await asyncio.to_thread(wait_until, partial(answered, taps, many), f"{many} answers")
        killed += await asyncio.to_thread(house.portal.kill, 1)
    await asyncio.gather(*taps)
    await asyncio.gather(*(racer.client.aclose() for racer in racers))
    return killed


async def _taps(racer: Racer, session_id: UUID) -> None:
    """A seat or the waiting list: the same form again after a cut is the same sign-up."""
    form = racer.found(r'name="submission"[^>]*value="([^"]+)"')
    path = f"/fr/ateliers/{session_id}"
    assert await racer.asks("POST", path, submission=form, people="1", names="") == 303, racer.page.text[:300]
    assert await racer.asks("GET", f"{path}/inscription") == 200
    racer.holds = racer.found("<h1>([^<]+)</h1>") == "Vous avez votre place"


def _twenty_sit(house: House, racers: list[Racer], session_id: UUID) -> None:
    """Twenty were told that they have a seat, the others that they wait; the database says the same."""
    assert sum(racer.holds for racer in racers) == SEATS
    heading = "<h1>Vous êtes sur la liste d'attente</h1>"
    assert sum(heading in html.unescape(racer.page.text) for racer in racers) == RACERS - SEATS
    assert seats_of(house.database, session_id) == list(range(1, SEATS + 1))
    is_sound(house.database, session_id)
    states = Counter(house.rows("SELECT state, count(*) FROM sign_ups GROUP BY state"))
    assert states == {("signed", SEATS): 1, ("waiting", RACERS - SEATS): 1}
    assert house.rows("SELECT count(*) FROM journal WHERE action = 'signed_up'") == [(RACERS,)]
    assert house.rows("SELECT count(DISTINCT request_id) FROM sign_ups") == [(RACERS,)]
    assert "Traceback" not in house.log.read_text(encoding="utf-8")
