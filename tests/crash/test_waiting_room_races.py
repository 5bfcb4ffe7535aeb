"""Two hundred people in one waiting room, twenty desks that call as fast as they can: everybody once, in fair order.

Each face runs two processes. Pages go on asking for their place meanwhile, each time a sign of life that writes the
very rows the desks are about to lock.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from sqlalchemy import select, text

from casework import agents, calling
from casework.agents import Agent
from casework.database import transaction
from casework.vocabulary import Role
from casework.waiting_room import Visit, turn
from tests.browser.permanence import receives_now
from tests.casework.in_line import come
from tests.conftest import Database
from tests.crash.processes import BackOffice, Portal
from tests.crash.racing import Racer, all_at_once, crowd
from tests.people import NADIA

PEOPLE, DESKS = 200, 20
AT_THE_DOOR = 20
"""These come in at the same moment, by two tabs each; the others are there already."""
URGENT, WITH_APPOINTMENT = 5, 10
ROUNDS_AT_ONCE = 3
"""So many go round the waiting room at a time and have each page ask for its place."""
PLACE = "/fr/permanence/attente/place"


@dataclass(frozen=True)
class House:
    """Both faces under gunicorn, two processes of four threads each."""

    database: Database
    portal: Portal
    backoffice: BackOffice
    permanence_id: UUID
    log: Path


@pytest.fixture
def house(database: Database, tmp_path: Path) -> Iterator[House]:
    """The permanence is open, and nobody is at a desk yet."""
    with (tmp_path / "log").open("wb") as log:
        faces = Portal(database, tmp_path, log), BackOffice(database, tmp_path, log)
        here = receives_now(database)
        yield House(database, *faces, here, tmp_path / "log")
        for face in faces:
            face.stop()
    print((tmp_path / "log").read_text(encoding="utf-8"))  # seen only when a test fails


@pytest.mark.slow
def test_two_hundred_wait_and_twenty_call(house: House) -> None:
    people = crowd(house.database, house.portal.address, AT_THE_DOOR, datetime.now(UTC))
    desks = _desks(house)
    called = all_at_once(_race(house, people, desks))
    _everybody_once_in_order(house, called)
    assert "Traceback" not in house.log.read_text(encoding="utf-8")


async def _race(house: House, people: list[Racer], desks: list[Racer]) -> list[list[str]]:
    """All come in; then all desks call at once. Returns the talks that each desk led, in order."""
    await asyncio.gather(*(_opens(desk, house.permanence_id) for desk in desks))
    await asyncio.gather(*(_comes_in(person) for person in people))
    people += await asyncio.to_thread(_others, house)
    await asyncio.to_thread(_some_go_first, house.database)
    left = set(range(PEOPLE))
    rounds = [asyncio.create_task(_go_round(people, left)) for _ in range(ROUNDS_AT_ONCE)]
    called = await asyncio.gather(*(_receives(desk) for desk in desks))
    await asyncio.gather(*rounds)
    await asyncio.gather(*(racer.client.aclose() for racer in (*people, *desks)))
    return called


async def _comes_in(person: Racer) -> None:
    """By the door, from one's request, with a tap in each of two tabs."""
    await person.opens("/fr/permanence")
    said = {"called_name": "Amina", "spoken_language": "fa", "channel": "text", "csrf_token": person.token}
    taps = [person.client.post("/fr/permanence", data=said) for _ in range(2)]
    assert [answer.status_code for answer in await asyncio.gather(*taps)] == [303, 303]


def _others(house: House) -> list[Racer]:
    """Those who came without a request, in the room already, each with a browser that holds their visit."""
    people = []
    for _ in range(PEOPLE - AT_THE_DOOR):
        guest = come(house.database, house.permanence_id, datetime.now(UTC), "Marcel")
        person = Racer(guest.secret, house.portal.address)
        person.client.cookies.set(
            "allervers_portal", _cookie(Portal.secret_key, visit=guest.secret_hash), "127.0.0.1"
        )
        people.append(person)
    return people


def _some_go_first(database: Database) -> None:
    """Among the last who came, some are urgent, and some have an appointment whose hour has come. All were silent for
    as long as makes the next question of their page write."""
    with transaction(database.backoffice) as session:
        last = session.scalars(select(Visit).order_by(Visit.arrived_at.desc(), Visit.id)).all()
        assert len(last) == PEOPLE
        nadia, now = session.get_one(Agent, NADIA.id), datetime.now(UTC)
        for visit in last[:URGENT]:
            calling.mark_urgent(session, nadia, visit.id, "Il dort dehors ce soir.", now)
        for place, visit in enumerate(last[URGENT : URGENT + WITH_APPOINTMENT]):
            visit.due_at = now - timedelta(minutes=place)
        for visit in last:
            visit.last_seen_at = now - timedelta(seconds=30)


def _desks(house: House) -> list[Racer]:
    """As many agents of the house, signed in, each with a browser."""
    desks = []
    with transaction(house.database.backoffice) as session:
        workers = [
            Agent(
                login=f"desk.{place}", name=f"Poste {place}", house_id=NADIA.house, roles=[Role.WORKER.value],
                full_time_share=Decimal(1), active=True, password_hash=None,
            )
            for place in range(DESKS)
        ]  # fmt: skip
        session.add_all(workers)
        session.flush()
        for worker in workers:
            token = agents.open_session(session, worker, datetime.now(UTC))
            desk = Racer("", house.backoffice.address)
            desk.client.cookies.set(
                "allervers_backoffice", _cookie(BackOffice.secret_key, token=token), "127.0.0.1"
            )
            desks.append(desk)
    return desks


def _cookie(secret_key: str, **held: str) -> str:
    """A browser's session, as a face signs it."""
    face = Flask("face")
    face.secret_key = secret_key
    signer = SecureCookieSessionInterface().get_signing_serializer(face)
    assert signer
    return str(signer.dumps(held))


async def _opens(desk: Racer, permanence_id: UUID) -> None:
    """Open the page, then the desk."""
    assert await desk.asks("GET", "/fr/permanence") == 200
    desk.token = desk.found(r'name="csrf_token"[^>]*value="([^"]+)"')
    assert await desk.asks("POST", f"/fr/permanence/ouvrir/{permanence_id}", open="1") == 303


async def _receives(desk: Racer) -> list[str]:
    """Call, end, call again, until nobody waits. The first call is tapped in two tabs at once: it is one talk."""
    led: list[str] = []
    while True:
        taps = [
            desk.client.post("/fr/permanence/suivant", data={"csrf_token": desk.token})
            for _ in range(1 if led else 2)
        ]
        ways = {
            answer.headers.get("Location", str(answer.status_code)) for answer in await asyncio.gather(*taps)
        }
        assert len(ways) == 1, ways
        way = ways.pop()
        if way.endswith("fait=nobody"):
            return led
        assert "/fr/permanence/entretien/" in way, way
        led.append(way.rsplit("/", 1)[-1])
        ending = {"outcome": "answered", "submission": str(uuid4())}
        assert await desk.asks("POST", f"/fr/permanence/entretien/{led[-1]}/finir", **ending) == 303
        assert desk.page.headers["Location"].endswith("fait=ended")


async def _go_round(people: list[Racer], left: set[int]) -> None:
    """Have each page that still waits ask for its place, again and again, until everybody was called."""
    while left:
        for place in list(left):
            if place not in left:
                continue
            assert await people[place].asks("GET", PLACE) == 200
            if "data-goes" in people[place].page.text or "C'est votre tour" in people[place].page.text:
                left.discard(place)


def _everybody_once_in_order(house: House, called: list[list[str]]) -> None:
    """Each visit has one talk, of one desk; they were called in the order of the line, as the journal wrote it."""
    with house.database.owner.connect() as connection:
        rows = connection.execute(
            text("SELECT id, details FROM journal WHERE action = 'visit_called' ORDER BY id")
        ).all()
        talks = connection.execute(text("SELECT id, visit_id, state, outcome FROM talks")).all()
    assert {(row.state, row.outcome) for row in talks} == {("ended", "answered")}
    assert len(talks) == len({row.visit_id for row in talks}) == PEOPLE
    assert sorted(one for led in called for one in led) == sorted(str(row.id) for row in talks)
    with transaction(house.database.backoffice) as session:
        visits = session.scalars(select(Visit)).all()
        line = sorted(visits, key=lambda one: turn(one, datetime.now(UTC)))
        assert [_read(row.details)["visit"] for row in rows] == [str(one.id) for one in line]
        assert all(one.urgent for one in line[:URGENT])
        assert all(one.due_at for one in line[URGENT : URGENT + WITH_APPOINTMENT])


def _read(details: Any) -> dict[str, str]:
    found: dict[str, str] = json.loads(details) if isinstance(details, str) else details
    return found
