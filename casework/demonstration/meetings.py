"""Appointments of the demonstration: found, held and confirmed as in real life; then kept, missed, moved, cancelled."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from casework import appointments, counter, journal, reminders, slots
from casework.agenda import Audience, Mode
from casework.agents import Agent
from casework.appointments import Appointment, Standing
from casework.journal import Action
from casework.requests import PARIS, Request, SendingKeys
from casework.slots import Slot, Wanted
from casework.territory import Place, PlaceKind
from casework.vocabulary import Need, Theme

KIND_OF = {Theme.MONEY: "budget", Theme.RIGHTS: "rights", Theme.HOUSING: "housing"}
AT_A_DISTANCE = frozenset({"first", "rights"})
AT_HOME = {Theme.AGE_HANDICAP: 0.9, Theme.HEALTH: 0.6, Theme.CHILDREN: 0.4, Theme.FAMILY: 0.2}
"""How often the worker offers to come to the person's home."""
ENDINGS = {Standing.CAME: 80, Standing.MISSED: 13, Standing.EXCUSED: 7}
CONSIDERED = 12
"""Among how many of the earliest slots somebody looks; most take one of the first `NEAR_CHOICES`."""
NEAR_CHOICES = 4

Life = Iterator[datetime]


class Meetings:
    """Books for requests; `begun` are the lives of what was booked, for the stage to play."""

    def __init__(self, session: Session, rng: random.Random, keys: SendingKeys) -> None:
        self.session = session
        self.rng = rng
        self.keys = keys
        # kept whole, so that the session need not read them again for each appointment
        self._places = {place.id: place for place in session.scalars(select(Place))}
        self.begun: list[Life] = []

    def chance(self, share: float) -> bool:
        """True `share` of the time."""
        return self.rng.random() < share

    def proposed(self, request: Request, worker: Agent, now: datetime) -> None:
        """The worker who took a request gives a first appointment, if anything is free for long."""
        theme = Theme(request.themes[0])
        kind = KIND_OF.get(theme, "first") if self.chance(0.5) else "first"
        mode = self.rng.choices([Mode.HERE, Mode.PHONE, Mode.VIDEO], [66, 18, 16])[0]
        if Need.WHEELCHAIR in request.needs or self.chance(AT_HOME.get(theme, 0)):
            kind, mode = "home", Mode.HOME
        elif theme is Theme.VIOLENCE or kind not in AT_A_DISTANCE:
            mode = Mode.HERE
        found = self._find(request, kind, [mode], now, now)
        self._by_agent(request, worker, found or self._find(request, "first", [Mode.HERE], now, now), now)

    def chosen(self, request: Request, now: datetime) -> None:
        """The person takes a first appointment alone, with the worker who has the request."""
        modes = [Mode.HERE] if Theme.VIOLENCE in request.themes else [Mode.HERE, Mode.PHONE]
        found = self._find(request, "first", modes, now, now, audiences=[Audience.CITIZENS])
        self._by_person(request, found, now)

    def cancel_coming(self, request: Request, agent: Agent, now: datetime) -> None:
        """A request that ends needs no meeting any more."""
        if booked := appointments.coming(self.session, request.id, now):
            counter.cancel(self.session, agent, booked, now)
            reminders.tell_news(self.session, booked.id, self.keys, now)

    def _by_agent(self, request: Request, agent: Agent, found: Sequence[Slot], now: datetime) -> None:
        if found:
            booked = counter.book(self.session, agent, request, self._choose(request, found), now)
            self.begun.append(self._life(request, booked))

    def _by_person(
        self, request: Request, found: Sequence[Slot], now: datetime, former: Appointment | None = None
    ) -> None:
        if not found:
            return
        moving = former.id if former else None
        appointments.hold(self.session, request.id, self._choose(request, found), now, moving=moving)
        booked = appointments.confirm(self.session, request.id, now)
        action = Action.MOVED if former else Action.BOOKED
        journal.write(self.session, action, now, request_id=request.id, appointment=str(booked.id))
        self.begun.append(self._life(request, booked))

    def _life(self, request: Request, booked: Appointment) -> Life:
        """What becomes of it: now and then the person changes it; else the worker says how it went."""
        before = booked.start - booked.made_at
        if before > timedelta(days=1) and self.chance(0.15):
            at = booked.made_at + before * self.rng.uniform(0.2, 0.8)
            yield from self._tell(booked, booked.made_at, at)
            yield at
            if booked.state is Standing.BOOKED:
                self._change(request, booked, at)
                yield from self._tell(booked, at, booked.start)
            return
        at = booked.start + timedelta(minutes=self.rng.randrange(30, 70))
        yield from self._tell(booked, booked.made_at, booked.start)
        yield at
        if booked.state is not Standing.BOOKED:
            return
        agent = self.session.get_one(Agent, booked.agent_id)
        how = self.rng.choices(list(ENDINGS), list(ENDINGS.values()))[0]
        counter.end(self.session, agent, booked, how, at)
        if how is Standing.CAME and booked.kind_id != "follow-up" and self.chance(0.4):
            in_a_week = at + timedelta(days=7)
            self._by_agent(request, agent, self._find(request, "follow-up", [Mode.HERE], in_a_week, at), at)
        elif how is not Standing.CAME and self.chance(0.6):
            again = self._find(request, booked.kind_id, [booked.mode], at, at)
            self._by_agent(request, agent, again, at)

    def _tell(self, booked: Appointment, since: datetime, until: datetime) -> Life:
        """Until then, the person knows what became of it, by day, and is reminded."""
        at = _by_day(since)
        if at < until:
            yield at
            reminders.tell_news(self.session, booked.id, self.keys, at)
        while booked.state is Standing.BOOKED and booked.remind_at and booked.remind_at < until:
            yield (at := booked.remind_at)
            reminders.remind(self.session, booked.id, self.keys, at)

    def _change(self, request: Request, booked: Appointment, at: datetime) -> None:
        if self.chance(0.6):
            found = self._find(request, booked.kind_id, [booked.mode], at, at, audiences=[Audience.CITIZENS])
            self._by_person(request, found, at, booked)
        else:
            appointments.cancel(booked)
            journal.write(
                self.session, Action.CANCELLED, at, request_id=request.id, appointment=str(booked.id)
            )

    def _find(
        self,
        request: Request,
        kind: str,
        modes: Sequence[Mode],
        earliest: datetime,
        now: datetime,
        audiences: Sequence[Audience] = counter.EVERYONE,
    ) -> list[Slot]:
        wanted = Wanted([request.worker_id or 0], kind, modes, audiences)
        start = earliest + timedelta(hours=self.rng.randrange(4, 200))
        return slots.find(self.session, wanted, start, now, most=CONSIDERED)

    def _choose(self, request: Request, found: Sequence[Slot]) -> Slot:
        """Near home if one can, else now and then in a permanence, else one of the earliest."""
        outside = [
            (slot, place.commune_code == request.commune_code)
            for slot in found
            if slot.place_id and (place := self._places[slot.place_id]).kind is PlaceKind.PERMANENCE
        ]
        near = [slot for slot, at_home in outside if at_home]
        if near or (outside and self.chance(0.6)):
            return (near or [slot for slot, _ in outside])[0]
        return self.rng.choice(list(found)[:NEAR_CHOICES])


def _by_day(moment: datetime) -> datetime:
    """That moment, or the morning after when it is night."""
    local = moment.astimezone(PARIS)
    if not reminders.is_night(local):
        return moment
    day = local.date() + timedelta(days=1 if local.time() >= reminders.NIGHT else 0)
    return datetime.combine(day, reminders.MORNING, PARIS)
