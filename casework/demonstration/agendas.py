"""When the invented social workers receive: at their house, in the permanences of the files, by telephone, by
video and at people's homes.

A week has ten half-days. Each worker has those of their share of full time, each for one thing: nobody is
expected in two places.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from casework import agenda, back_up
from casework.agenda import Audience, Mode, OpeningRule
from casework.agents import Agent
from casework.territory import Place, PlaceKind, SectorCommune, SectorWorker
from casework.vocabulary import Role

WEEKS_BEFORE = 6

HalfDay = tuple[int, str]
"""A weekday (0 is Monday), and "morning" or "afternoon"."""
HOURS = {"morning": (time(9), time(12)), "afternoon": (time(14), time(17))}
WEEK: tuple[HalfDay, ...] = tuple((day, half) for day in range(5) for half in HOURS)

AT_THE_HOUSE = ["first", "follow-up", "rights", "housing", "budget"]
OUTSIDE = ["first", "follow-up", "rights", "housing"]
AT_A_DISTANCE = ["first", "follow-up", "rights"]
AT_HOME = ["home"]
ON_INVITATION = ["follow-up", "housing", "budget"]

DAYS = ("lundi", "mardi", "mercredi", "jeudi", "vendredi")
ORDINALS = {"premier": 1, "deuxième": 2, "troisième": 3, "quatrième": 4, "dernier": -1}
SPOKEN = (("en", 0.25), ("ar", 0.1), ("es", 0.1), ("pt", 0.04), ("uk", 0.02))


@dataclass(frozen=True)
class Times:
    """When a permanence is held, as its sentence says. `nths`: which weeks of the month; none for every week."""

    weekday: int
    nths: tuple[int, ...]
    starts_at: time
    ends_at: time

    @property
    def half_day(self) -> HalfDay:
        """The half-day it takes of the week."""
        return self.weekday, "morning" if self.starts_at < time(13) else "afternoon"


def read_times(sentence: str) -> Times:
    """What a sentence of `permanences.csv` says.

    >>> read_times("Le premier et le troisième mardi du mois. Le matin, de 9 heures 30 à midi.").nths
    (1, 3)
    """
    words = sentence.lower()
    hours = re.search(r"de (\d+) heures(?: (\d+))? à (?:(\d+) heures(?: (\d+))?|midi)", words)
    days = [number for number, day in enumerate(DAYS) if day in words]
    if not hours or len(days) != 1:
        raise ValueError(f"when is this: {sentence}")
    begins, minutes, ends, end_minutes = hours.groups(default="0")
    nths = tuple(number for word, number in ORDINALS.items() if word in words)
    end = time(int(ends), int(end_minutes)) if ends != "0" else time(12)
    return Times(days[0], nths, time(int(begins), int(minutes)), end)


@dataclass
class Plan:
    """A worker's week, being filled."""

    agent: Agent
    languages: list[str]
    free: list[HalfDay]
    outside: int = 0
    rules: list[dict[str, Any]] = field(default_factory=list)

    def take(self, rng: random.Random, half: str = "") -> HalfDay:
        """One free half-day, at random; an afternoon if asked."""
        chosen = rng.choice([free for free in self.free if half in {"", free[1]}] or self.free)
        self.free.remove(chosen)
        return chosen


def open_agendas(session: Session, rng: random.Random, today: date) -> None:
    """Give every social worker opening ranges, from six weeks before `today` to twelve months after."""
    first_day = today - timedelta(days=today.weekday(), weeks=WEEKS_BEFORE)
    agents = session.scalars(select(Agent).where(Agent.active).order_by(Agent.id))
    plans = {agent.id: _plan(agent, rng) for agent in agents if agent.is_a(Role.WORKER)}
    _hold_permanences(session, plans, first_day)
    _support_receptions(session, plans)
    for plan in plans.values():
        _stay(plan, rng)
        for rule in plan.rules:
            agenda.keep(session, _rule(plan, first_day, rule), today)


def _plan(agent: Agent, rng: random.Random) -> Plan:
    half_days = list(WEEK)
    away = [2, 4, *rng.sample([0, 1, 3], 3)]
    for half_day in [(day, half) for day in away for half in ("afternoon", "morning")]:
        if len(half_days) > round(agent.full_time_share * 10):
            half_days.remove(half_day)
    languages = [code for code, share in SPOKEN if rng.random() < share]
    return Plan(agent, languages, half_days)


def _support_receptions(session: Session, plans: dict[int, Plan]) -> None:
    """In each house, its workers support the reception in turn, on half-days they have not outside."""
    of_house: dict[str, list[Plan]] = defaultdict(list)
    for plan in plans.values():
        of_house[plan.agent.house_id].append(plan)
    for house_id, team in of_house.items():
        for turn, half_day in enumerate(WEEK):
            able = [plan for plan in team if half_day in plan.free] or team
            weekday, half = half_day
            session.add(
                back_up.BackUpDuty(
                    house_id=house_id,
                    weekday=weekday,
                    half=back_up.Half(half),
                    agent_id=able[turn % len(able)].agent.id,
                )
            )


def _hold_permanences(session: Session, plans: dict[int, Plan], first_day: date) -> None:
    """Each permanence goes to workers of its commune's sector if they are free then, else of its house.

    One held every week is shared by two of them, a week each.
    """
    of_sector: dict[str, set[int]] = defaultdict(set)
    for worker in session.scalars(select(SectorWorker)):
        of_sector[worker.sector_id].add(worker.agent_id)
    sector_of = {row.commune_code: row.sector_id for row in session.scalars(select(SectorCommune))}
    taken: dict[int, set[tuple[HalfDay, int]]] = defaultdict(set)
    permanences = select(Place).where(Place.kind == PlaceKind.PERMANENCE, Place.active).order_by(Place.id)
    for place in session.scalars(permanences):
        times = read_times(place.times)
        near = of_sector[sector_of.get(place.commune_code, "")]
        wanted = {(times.half_day, nth) for nth in times.nths or (0,)}
        able = [
            plan
            for plan in plans.values()
            if plan.agent.house_id == place.house_id
            and (times.half_day in plan.free or _held(taken[plan.agent.id], times))
            and not wanted & taken[plan.agent.id]
        ]
        able.sort(key=lambda plan: (plan.outside, plan.agent.id not in near, plan.agent.id))
        holders = able[: 1 if times.nths else 2]
        for turn, plan in enumerate(holders):
            plan.outside += 1
            plan.free = [free for free in plan.free if free != times.half_day]
            taken[plan.agent.id] |= wanted
            plan.rules += _permanence(place, times, len(holders), first_day + timedelta(weeks=turn))


def _held(taken: set[tuple[HalfDay, int]], times: Times) -> bool:
    """The half-day is one of permanences already, of other weeks of the month."""
    held = {nth for half_day, nth in taken if half_day == times.half_day}
    return bool(held and times.nths) and 0 not in held


def _permanence(place: Place, times: Times, sharing: int, first_day: date) -> Iterator[dict[str, Any]]:
    offered = (OUTSIDE, Audience.CITIZENS) if place.by_appointment else ([], Audience.AGENTS)
    for nth in times.nths or (None,):
        yield {
            "place_id": place.id, "mode": Mode.HERE, "kinds": offered[0], "audience": offered[1],
            "weekdays": [times.weekday], "nth_of_month": nth, "first_day": first_day,
            "every_weeks": 1 if nth else sharing, "starts_at": times.starts_at, "ends_at": times.ends_at,
        }  # fmt: skip


def _stay(plan: Plan, rng: random.Random) -> None:
    """Fill what the permanences leave: telephone for all, video and home visits for some, the house."""
    if len(plan.free) > 2:
        plan.rules.append(_range([plan.take(rng)], mode=Mode.PHONE, kinds=AT_A_DISTANCE))
    if len(plan.free) > 3 and rng.random() < 0.35:
        plan.rules.append(_range([plan.take(rng, "afternoon")], mode=Mode.VIDEO, kinds=AT_A_DISTANCE))
    if len(plan.free) > 3 and rng.random() < 0.4:
        travel = rng.choice([15, 20, 30])
        visits = _range([plan.take(rng, "afternoon")], mode=Mode.HOME, kinds=AT_HOME)
        plan.rules.append(visits | {"travel_minutes": travel})
    house = {"place_id": f"mds-{plan.agent.house_id}", "mode": Mode.HERE}
    if len(plan.free) > 3:
        invited = {"kinds": ON_INVITATION, "audience": Audience.INVITED}
        plan.rules.append(_range([plan.take(rng, "afternoon")], **house, **invited))
    for half in HOURS:
        if left := [free for free in plan.free if free[1] == half]:
            plan.rules.append(_range(left, **house, kinds=AT_THE_HOUSE))


def _range(half_days: list[HalfDay], **values: Any) -> dict[str, Any]:
    starts_at, ends_at = HOURS[half_days[0][1]]
    weekdays = sorted(day for day, _ in half_days)
    return {"weekdays": weekdays, "starts_at": starts_at, "ends_at": ends_at} | values


def _rule(plan: Plan, first_day: date, values: dict[str, Any]) -> OpeningRule:
    usual = {"first_day": first_day, "audience": Audience.CITIZENS, "travel_minutes": 0}
    return OpeningRule(
        agent_id=plan.agent.id, house_id=plan.agent.house_id, languages=plan.languages, **(usual | values)
    )
