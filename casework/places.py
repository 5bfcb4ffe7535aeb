"""Places where a house receives: their inventory, and a pop-up permanence announced in a minute (market, library)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session

from casework import agenda, journal
from casework.agenda import Audience, Mode, Opening, OpeningRule
from casework.agents import Absence, Agent
from casework.appointments import Appointment, Standing
from casework.requests import PARIS
from casework.spans import begins, ends
from casework.territory import Commune, Place, PlaceKind
from casework.territory_rules import POPUP_PLACE
from casework.translation import date_in_words

SOON = timedelta(weeks=4)
A_YEAR = timedelta(days=365)
WORTH_KEEPING = timedelta(minutes=30)
"""What is left of an opening beside a pop-up is kept from this length on."""
OCCUPYING = (Standing.HELD, Standing.BOOKED)


@dataclass(frozen=True)
class Line:
    """A place of the inventory. `days`: on how many somebody receives there in the next four weeks.

    `came`, `missed`: appointments of the last twelve months.
    """

    place: Place
    commune: str
    days: int
    came: int
    missed: int


@dataclass(frozen=True)
class Popup:
    """A pop-up permanence to come. `key`: the same each time the form is sent. No kind: without appointment."""

    key: str
    name: str
    commune_code: str
    day: date
    starts_at: time
    ends_at: time
    desks: int
    step_free: bool
    kind_id: str | None


class DayError(ValueError):
    """The day is over, or more than a year away."""


class AwayError(Exception):
    """The worker is away that day."""


class BookedElsewhereError(Exception):
    """The worker already has an appointment then; `start` is its beginning."""

    def __init__(self, start: datetime) -> None:
        super().__init__(start.isoformat())
        self.start = start


def inventory(session: Session, house_id: str, now: datetime) -> list[Line]:
    """The places of a house: itself, its permanences, and the pop-ups to come or of the last twelve months."""
    today = now.astimezone(PARIS).date()
    recent = select(Opening.place_id).where(Opening.place_id == Place.id, Opening.on_day >= today - A_YEAR)
    places = session.execute(
        select(Place, Commune.name)
        .join(Commune, Commune.code == Place.commune_code)
        .where(
            Place.house_id == house_id,
            (Place.active & (Place.kind != PlaceKind.POPUP))
            | ((Place.kind == PlaceKind.POPUP) & recent.exists()),
        )
        .order_by(Place.kind != PlaceKind.HOUSE, Place.kind == PlaceKind.POPUP, Commune.name, Place.name)
    ).all()
    ids = [place.id for place, _ in places]
    days = _days_held(session, ids, now)
    met = _attendance(session, ids, now)
    return [
        Line(
            place, commune, days.get(place.id, 0), met.get((place.id, Standing.CAME), 0),
            met.get((place.id, Standing.MISSED), 0),
        )
        for place, commune in places
    ]  # fmt: skip


def announce(session: Session, by: Agent, worker: Agent, popup: Popup, now: datetime) -> Place:
    """Keep a pop-up permanence and the opening of the worker who holds it. Announcing it twice is once.

    What the worker had open elsewhere at that time is set aside, so that nobody is sent there.

    Raises:
        DayError: it is over, or too far away.
        HoursError: it ends before it begins.
        AwayError: the worker is away that day.
        BookedElsewhereError: the worker has an appointment then.
    """
    if known := session.get(Place, POPUP_PLACE + popup.key):
        return known
    today = now.astimezone(PARIS).date()
    during = agenda.moments(popup.day, popup.starts_at, popup.ends_at)
    if during.upper is None or during.upper <= now or popup.day > today + A_YEAR:
        raise DayError
    _check_free(session, worker, popup.day, during)
    close_past_popups(session, now)
    place = Place(
        id=POPUP_PLACE + popup.key, kind=PlaceKind.POPUP, house_id=worker.house_id,
        commune_code=popup.commune_code, name=popup.name, times=_times(popup),
        by_appointment=popup.kind_id is not None, desks=popup.desks, step_free=popup.step_free,
        confidential=False, connected=False, active=True,
    )  # fmt: skip
    session.add(place)
    session.flush()
    _set_aside(session, worker, during)
    agenda.keep(session, _rule(popup, place, worker), today)
    journal.write(
        session, journal.Action.AGENDA_CHANGED, now, agent=by, what="popup announced", of=worker.name, place=place.id
    )  # fmt: skip
    return place


def close_past_popups(session: Session, now: datetime) -> int:
    """Stop offering the pop-ups whose last opening is over; returns how many."""
    to_come = select(Opening.id).where(Opening.place_id == Place.id, func.upper(Opening.during) > now)
    closed = session.execute(
        update(Place)
        .where(Place.kind == PlaceKind.POPUP, Place.active, ~to_come.exists())
        .values(active=False)
        .returning(Place.id)
    )
    return len(closed.all())


def _days_held(session: Session, ids: list[str], now: datetime) -> dict[str, int]:
    """On how many days each place is open in the next four weeks, whoever is there."""
    rows = session.execute(
        select(Opening.place_id, func.count(Opening.on_day.distinct()))
        .where(
            Opening.place_id.in_(ids),
            func.lower(Opening.during) >= now,
            func.lower(Opening.during) < now + SOON,
            ~Opening.dropped,
        )
        .group_by(Opening.place_id)
    )
    return {place_id or "": days for place_id, days in rows}


def _attendance(session: Session, ids: list[str], now: datetime) -> dict[tuple[str, Standing], int]:
    rows = session.execute(
        select(Appointment.place_id, Appointment.state, func.count())
        .where(
            Appointment.place_id.in_(ids),
            Appointment.state.in_([Standing.CAME, Standing.MISSED]),
            func.lower(Appointment.during) >= now - A_YEAR,
        )
        .group_by(Appointment.place_id, Appointment.state)
    )
    return {(place_id or "", state): met for place_id, state, met in rows}


def _check_free(session: Session, worker: Agent, day: date, during: Range[datetime]) -> None:
    away = select(Absence.id).where(
        Absence.agent_id == worker.id, Absence.first_day <= day, Absence.last_day >= day
    )
    if session.scalars(away.limit(1)).first():
        raise AwayError
    booked = (
        select(func.lower(Appointment.during))
        .where(
            Appointment.agent_id == worker.id,
            Appointment.state.in_(OCCUPYING),
            Appointment.blocked.overlaps(during),
        )
        .order_by(func.lower(Appointment.during))
    )
    if start := session.scalar(booked.limit(1)):
        raise BookedElsewhereError(start)


def _set_aside(session: Session, worker: Agent, during: Range[datetime]) -> None:
    """Of what the worker has open then, keep the longer end, before or after; drop the day when it is short."""
    for opening in agenda.openings_between(session, [worker.id], begins(during), ends(during)):
        longest = max(_beside(opening.during, during), key=lambda rest: rest[1] - rest[0])
        if longest[1] - longest[0] >= WORTH_KEEPING:
            agenda.change_occurrence(session, opening.id, *(at.astimezone(PARIS).time() for at in longest))
        else:
            agenda.drop_occurrence(session, opening.id)


def _beside(opening: Range[datetime], taken: Range[datetime]) -> Iterator[tuple[datetime, datetime]]:
    """What an opening leaves before and after a span taken of it; below zero when nothing."""
    yield begins(opening), begins(taken)
    yield ends(taken), ends(opening)


def _rule(popup: Popup, place: Place, worker: Agent) -> OpeningRule:
    return OpeningRule(
        agent_id=worker.id, house_id=worker.house_id, place_id=place.id, mode=Mode.HERE,
        kinds=[popup.kind_id] if popup.kind_id else [],
        audience=Audience.CITIZENS if popup.kind_id else Audience.AGENTS,
        languages=[], first_day=popup.day, weekdays=[], starts_at=popup.starts_at, ends_at=popup.ends_at,
    )  # fmt: skip


def _times(popup: Popup) -> str:
    """When, in easy French: `Le samedi 7 novembre 2026, de 9 heures à midi.`"""
    noon = datetime.combine(popup.day, time(12), PARIS)
    return f"Le {date_in_words(noon, 'fr')}, de {_hour(popup.starts_at)} à {_hour(popup.ends_at)}."


def _hour(hour: time) -> str:
    if hour == time(12):
        return "midi"
    minutes = f" {hour.minute}" if hour.minute else ""
    return f"{hour.hour} heure{'s' if hour.hour > 1 else ''}{minutes}"
