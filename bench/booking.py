"""Booking over HTTP: the page of hours, a whole booking, the confirmation alone, and fifty people at one hour."""

from __future__ import annotations

import http.client
import time
from collections import Counter
from datetime import timedelta
from itertools import cycle, islice
from statistics import median, quantiles
from urllib.parse import urlencode

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from bench import bare, peers
from bench.agendas import Agendas, Seeking
from bench.filling import HOUSES
from bench.installation import Served, machine, serving
from bench.load import TAKEN, Ask, Outcome, Plan, UnexpectedAnswerError, run
from bench.people import People, Visit
from bench.report import Measure
from bench.weight import whole
from casework import offers, slots
from casework.database import connect
from casework.offers import Search
from casework.slots import NOTICE
from portal.hours import value_of

PAGE = "/fr/rendez-vous"
CHECK = "/fr/rendez-vous/verifier"
TIMES = 200
ROUNDS = 3
ROUND_SECONDS = 3.0
BOOKINGS, HOLDS = 250, 900
"""People ready for each round of whole bookings; for all the rounds of confirmations."""
RACERS, RACES = 50, 3
SLOWEST_PAGE_MS = 25.0
HELD = r'name="held" value="([^"]+)"'
PHONE = "06 39 98 00 01"


def pages(full: Agendas, size: str, times: int = TIMES, seconds: float = ROUND_SECONDS) -> list[Measure]:
    """The whole page of hours, for people with one, 11 and 100 workers: one after the other, then eight at once."""
    measures, people = [], People(full.here)
    with serving("portal.app:create()", full.here.environment("portal"), "/sante") as portal:
        for candidates in ("worker", "house", "departement"):
            seekers = full.seekers(40, candidates)
            visits = [
                (people.browser(secret=one.secret, opens=one.secret_hash)[0], [Ask(PAGE)]) for one in seekers
            ]
            _timed(portal.port, visits, 20)
            percentiles = quantiles(_timed(portal.port, visits, times), n=100, method="inclusive")
            at_once = run(Plan(portal.port, seconds, visits * 200, 200))
            against = f"{size}: {full.departements * 100:,} agents, {full.past:,} past; alone, over HTTP"
            for share in (50, 95, 99):
                aim = SLOWEST_PAGE_MS if share == 95 else None
                name = f"page.{size}.{candidates}.p{share}"
                measures.append(Measure(name, percentiles[share - 1], "ms", aim, "lower", against))
            against = "8 connections, 2 processes of 4 threads"
            name = f"page.{size}.{candidates}.rate"
            measures.append(Measure(name, at_once.per_second, "pages/s", None, "higher", against))
        cookies = people.browser(secret=seekers[0].secret, opens=seekers[0].secret_hash)[0]
        against = "the page of hours and all it fetches, headers included, brotli"
        measures.append(
            Measure(
                f"weight.slots.{size}", whole(portal.port, PAGE, cookies), "bytes", None, "lower", against
            )
        )
    return measures


def bookings(full: Agendas, rounds: int = ROUNDS, ready: int = BOOKINGS, holds: int = HOLDS) -> list[Measure]:
    """Whole bookings beside three INSERTs in one transaction, in turn; then confirmations alone, then the race.

    `full` holds one département.
    """
    bare.prepare(full.here.bare_url)
    environment = {**machine(), "DATABASE_URL": full.here.bare_url}
    with (
        serving("portal.app:create()", full.here.environment("portal"), "/sante") as portal,
        serving("bench.bare:create()", environment, "/page") as least,
    ):
        crowd = _Crowd(full)
        played = [(_whole(portal, crowd, ready), _three(least)) for _ in range(rounds + 1)][1:]
        confirmed = _confirmed(portal, crowd, holds, rounds)
        won = [_race(portal, crowd, house) for house in range(RACES)]
    rates = [whole.visits / whole.seconds for whole, _ in played]
    three = median(least.per_second for _, least in played)
    ratio = median(rate / least.per_second for rate, (_, least) in zip(rates, played, strict=True))
    against = f"three bare INSERTs in one transaction: {three:,.0f}/s"
    return [
        Measure(
            "booking.whole",
            median(rates),
            "bookings/s",
            None,
            "higher",
            "page, hold, check, confirm: 4 requests",
        ),
        Measure("booking.whole.ratio", ratio, "×", None, "higher", against),
        Measure("booking.confirm", confirmed, "posts/s", None, "higher", "the POST that books what is held"),
        Measure("booking.confirm.ratio", confirmed / three, "×", None, "higher", against),
        *(
            Measure(f"race.won.{number}", count, "of 50", 1, "lower", peers.RACES)
            for number, count in enumerate(won, start=1)
        ),
    ]


class SoldTwiceError(Exception):
    """More than one person has the same hour, or nobody: no figure is worth printing."""


class _Crowd:
    """People who may book, each with an hour of their own, taken from all that are free."""

    def __init__(self, full: Agendas) -> None:
        self.full = full
        self._people = People(full.here)
        self._free: dict[tuple[int, ...], list[str]] = {}

    def ready(self, how_many: int) -> list[tuple[Seeking, str, str, str]]:
        """(who, their cookie, their form's token, the value of their hour's button)."""
        portal, ready = connect(self.full.here.urls[1]), []
        for one in self.full.seekers(how_many, "house"):
            free = self._free_with(portal, one)
            ready.append((one, *self._browser(one), free.pop()))
        portal.dispose()
        return ready

    def at_one_hour(self, house: int) -> list[tuple[Seeking, str, str, str]]:
        """Fifty people of one house, who all want the same hour with the only agent who has it."""
        houses = HOUSES - 1  # they come of these in turn (`filling.asking`)
        people = self.full.seekers(RACERS * houses, "house")[house::houses]
        portal = connect(self.full.here.urls[1])
        hour = self._free_with(portal, people[0]).pop()
        portal.dispose()
        return [(one, *self._browser(one), hour) for one in people]

    def _browser(self, one: Seeking) -> tuple[str, str]:
        return self._people.browser(secret=one.secret, opens=one.secret_hash)

    def _free_with(self, portal: Engine, one: Seeking) -> list[str]:
        """The hours that one agent alone of those of a person has, the latest first."""
        with Session(portal, info={"secret_hash": one.secret_hash}) as session:
            who = offers.seeker(session, one.request_id, self.full.now)
            wanted = offers.wanted_by(session, who, Search())
            team = tuple(wanted.agents)
            if team not in self._free:
                start, until = self.full.now + NOTICE, self.full.now + timedelta(weeks=6)
                found = slots.find(session, wanted, start, self.full.now, most=5000, until=until)
                choices = Counter(
                    value_of(offers.Choice(slot.start, slot.mode, slot.place_id)) for slot in found
                )
                self._free[team] = [value for value, agents in reversed(choices.items()) if agents == 1]
        return self._free[team]


def _timed(port: int, visits: list[Visit], times: int) -> list[float]:
    """Milliseconds until the whole page is there, one after the other on one connection."""
    connection, milliseconds = http.client.HTTPConnection("127.0.0.1", port), []
    for cookies, asks in islice(cycle(visits), times):
        start = time.perf_counter()
        connection.request("GET", asks[0].path, headers={"Cookie": cookies, "Accept-Encoding": "br"})
        answer = connection.getresponse()
        answer.read()
        milliseconds.append((time.perf_counter() - start) * 1000)
        if answer.status != http.client.OK:
            raise UnexpectedAnswerError(f"{asks[0].path}: {answer.status}")
    connection.close()
    return milliseconds


def _whole(portal: Served, crowd: _Crowd, how_many: int) -> Outcome:
    """See the page, hold an hour, check it, confirm it."""
    visits = [
        (cookies, [Ask(PAGE, expected=200), _hold(token, hour), *_check(token, hour)])
        for _, cookies, token, hour in crowd.ready(how_many)
    ]
    return run(Plan(portal.port, ROUND_SECONDS, visits, 303))


def _three(least: Served) -> Outcome:
    return run(Plan(least.port, ROUND_SECONDS / 2, [("", [Ask("/three", "words=x")])], 303))


def _confirmed(portal: Served, crowd: _Crowd, how_many: int, rounds: int) -> float:
    """Confirmations a second, of hours that are held already: the median of the rounds."""
    people = crowd.ready(how_many)
    run(Plan(portal.port, 60, [(cookies, [_hold(token, hour)]) for _, cookies, token, hour in people], 303))
    with crowd.full.owner.connect() as connection:
        rows = connection.execute(text("SELECT request_id, id FROM appointments WHERE state = 'held'"))
        held = {row.request_id: row.id for row in rows}
    visits = [
        (cookies, [_confirm(token, hour, str(held[one.request_id]))]) for one, cookies, token, hour in people
    ]
    a_round = how_many // rounds
    return median(
        run(Plan(portal.port, 60, visits[first : first + a_round], 303)).per_second
        for first in range(0, a_round * rounds, a_round)
    )


def _race(portal: Served, crowd: _Crowd, house: int) -> int:
    """Fifty people tap the same hour at once, each on a connection of their own; returns how many have it booked.

    Raises:
        SoldTwiceError: the database holds another number of appointments than people were told they have one.
    """
    people = crowd.at_one_hour(house)
    visits = [(cookies, [_hold(token, hour), *_check(token, hour)]) for _, cookies, token, hour in people]
    outcome = run(Plan(portal.port, 60, visits, 303, connections=RACERS), allowed=frozenset({"409"}))
    with crowd.full.owner.connect() as connection:
        rows = connection.execute(
            text(
                "SELECT state FROM appointments WHERE request_id = ANY (:ids) AND state IN ('held', 'booked')"
            ),
            {"ids": [one.request_id for one, *_ in people]},
        )
        states = rows.scalars().all()
    if states != ["booked"] * outcome.visits:
        raise SoldTwiceError(f"{outcome.visits} were told so, {states} in the database")
    return outcome.visits


def _hold(token: str, hour: str) -> Ask:
    return Ask(PAGE, urlencode({"csrf_token": token, "slot": hour}))


def _check(token: str, hour: str) -> list[Ask]:
    return [Ask(CHECK, expected=200, take=HELD), _confirm(token, hour, TAKEN)]


def _confirm(token: str, hour: str, held: str) -> Ask:
    said = urlencode({"csrf_token": token, "slot": hour, "phone": PHONE})
    return Ask(CHECK, f"{said}&held={held}")
