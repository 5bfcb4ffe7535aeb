"""How long a house's free places last, for each kind of appointment, so that it is warned before it runs dry.

Days of stock: the places that people may still book themselves in the coming four weeks, divided by how many
were booked on a working day of the last four. Each kind is counted alone: an hour that suits two kinds counts for
both, so that the days are those of a house that would be asked for this kind only.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from email.headerregistry import Address
from math import ceil
from urllib.parse import urlsplit

from sqlalchemy import Text, func, select, text
from sqlalchemy.orm import Session

from casework.agenda import Audience, Kind, Opening
from casework.agents import Agent
from casework.appointments import Appointment, Standing
from casework.delivery import Mail, PermanentFailureError, send_mail
from casework.identity import load_identity
from casework.offers import OFFERED
from casework.requests import PARIS, Request, is_working_day
from casework.settings import Settings
from casework.slots import NOTICE
from casework.territory import House
from casework.translation import environment
from casework.vocabulary import Role
from casework.waiting import LISTED, WaitingEntry

logger = logging.getLogger(__name__)

AHEAD = timedelta(weeks=4)
BEHIND = timedelta(weeks=4)
LOOKS = (timedelta(days=2), timedelta(weeks=1), AHEAD)
"""How far one counts, as long as there are too few: most houses have enough in a few days, quickly counted."""

TELL_FROM, TELL_UNTIL = time(8), time(20)

USED = (Standing.BOOKED, Standing.CAME, Standing.MISSED, Standing.EXCUSED)
"""What took a place; one given back is free for somebody else."""

COUNT = text(
    "SELECT count(*) AS places, min(lower(during)) AS first "
    "FROM free_slots(:agents, :kind, :modes, :audiences, '', NULL, '00:00', '23:59:59', CAST(:start AS timestamptz), "
    "CAST(:finish AS timestamptz), CAST(:now AS timestamptz), NULL, NULL) WHERE house_id = :house"
)


@dataclass(frozen=True)
class Stock:
    """What is left of one kind. `a_day`: how many were booked on a working day. `days`: None when nobody asks for it
    and there are places. `first`: the earliest place of the four weeks."""

    kind: Kind
    places: int
    a_day: float
    days: int | None
    first: datetime | None
    threshold: int

    @property
    def is_short(self) -> bool:
        """True under the house's threshold."""
        return self.days is not None and self.days < self.threshold


def of_house(session: Session, house: House, now: datetime) -> list[Stock]:
    """The stock of every kind the house gives, the shortest first."""
    found = list(_counted(session, house, now, enough=False))
    return sorted(found, key=lambda one: (one.days is None, one.days, one.kind.name))


def short_of(session: Session, house: House, now: datetime) -> list[Stock]:
    """The kinds that run out, the shortest first: what the house is warned of."""
    if not house.stock_days:
        return []
    found = [one for one in _counted(session, house, now, enough=True) if one.is_short]
    return sorted(found, key=lambda one: (one.days, one.kind.name))


def _counted(session: Session, house: House, now: datetime, *, enough: bool) -> Iterator[Stock]:
    """`enough`: stop counting a kind once there are as many places as the threshold asks for."""
    agents = session.scalars(
        select(Agent.id).where(
            Agent.house_id == house.id, Agent.active, Agent.roles.contains([Role.WORKER.value])
        )
    ).all()
    booked = dict(
        row
        for row in session.execute(
            select(Appointment.kind_id, func.count())
            .where(
                Appointment.house_id == house.id,
                Appointment.made_at > now - BEHIND,
                Appointment.made_at <= now,
                Appointment.state.in_(USED),
                ~Appointment.extra,
            )
            .group_by(Appointment.kind_id)
        )
    )
    days = working_days(now.astimezone(PARIS).date() - BEHIND, now.astimezone(PARIS).date())
    given = _given(session, house.id, agents, now) | booked.keys()
    for kind in session.scalars(select(Kind).where(Kind.id.in_(given)).order_by(Kind.id)):
        a_day = booked.get(kind.id, 0) / days
        needed = ceil(a_day * house.stock_days) or 1
        places, first = 0, None
        for width in LOOKS if enough else (AHEAD,):
            places, first = _places(session, house.id, agents, kind.id, now, width)
            if places >= needed:
                break
        left = int(places / a_day) if a_day else None if places else 0
        yield Stock(kind, places, a_day, left, first, house.stock_days)


def _given(session: Session, house_id: str, agents: Sequence[int], now: datetime) -> set[str]:
    """The kinds the house gave or gives in these weeks, and those somebody waits for: a house that has run dry books
    nothing any more, and must not be taken for one that is asked for nothing."""
    offered = session.scalars(
        select(func.unnest(Opening.kinds, type_=Text))
        .where(
            Opening.agent_id.in_(agents),
            Opening.house_id == house_id,
            func.lower(Opening.during) > now - BEHIND,
            func.lower(Opening.during) < now + AHEAD,
            ~Opening.dropped,
            Opening.audience == Audience.CITIZENS,
            Opening.mode.in_(OFFERED),
        )
        .distinct()
    )
    waited = session.scalars(
        select(WaitingEntry.kind_id)
        .join(Request, Request.id == WaitingEntry.request_id)
        .where(Request.house_id == house_id, WaitingEntry.state.in_(LISTED))
        .distinct()
    )
    return {*offered, *waited}


def _places(
    session: Session, house_id: str, agents: Sequence[int], kind_id: str, now: datetime, width: timedelta
) -> tuple[int, datetime | None]:
    """How many places people may book in that time, and when the first one is."""
    row = session.execute(
        COUNT,
        {
            "agents": list(agents),
            "kind": kind_id,
            "modes": [mode.value for mode in OFFERED],
            "audiences": [Audience.CITIZENS.value],
            "start": now + NOTICE,
            "finish": now + width,
            "now": now,
            "house": house_id,
        },
    ).one()
    return row.places, row.first


def working_days(first: date, until: date) -> int:
    """How many days from `first` on, before `until`, are neither a weekend nor a public holiday; one at least."""
    days = (first + timedelta(days=number) for number in range((until - first).days))
    return sum(is_working_day(day) for day in days) or 1


def untold(session: Session, now: datetime) -> list[str]:
    """The houses whose places were not counted yet today: from eight in the morning on, on working days."""
    local = now.astimezone(PARIS)
    if not TELL_FROM <= local.time() < TELL_UNTIL or not is_working_day(local.date()):
        return []
    return list(
        session.scalars(
            select(House.id).where(House.stock_told_on.is_distinct_from(local.date())).order_by(House.id)
        )
    )


def to_tell(session: Session, house_id: str, now: datetime) -> tuple[House, list[Stock]] | None:
    """The house, locked and marked as told today, with what it runs out of; None when another worker has it in hand,
    or has told it."""
    today = now.astimezone(PARIS).date()
    house = session.scalar(
        select(House)
        .where(House.id == house_id, House.stock_told_on.is_distinct_from(today))
        .with_for_update(key_share=True, skip_locked=True)  # requests come in while the mail leaves
    )
    if house is None:
        return None
    short = short_of(session, house, now)
    house.stock_told_on, house.stock_short = today, bool(short)
    return house, short


def warning(session: Session, house_id: str, now: datetime) -> list[Stock]:
    """What a house runs out of, for its queue: counted again only if it was short this morning."""
    house = session.get_one(House, house_id)
    return short_of(session, house, now) if house.stock_short else []


def tell(session: Session, settings: Settings, house_id: str, now: datetime) -> None:
    """Count a house's places, once a day, and write to the house when there are too few.

    A mail server that is away leaves the house as it was, for the next minute; one that refuses the address is asked
    once a day.

    Raises:
        TemporaryFailureError: the mail did not leave yet.
    """
    told = to_tell(session, house_id, now)
    if told is None or not told[1] or not settings.smtp_url:
        return
    house, short = told
    session.flush()
    words = environment("fr").get_template("mail/stock_short.txt").render(
        house=house, short=short, link=f"{settings.backoffice_address}/fr/agenda/places-libres"
    )  # fmt: skip
    subject, _, body = words.strip().partition("\n")
    identity = load_identity(settings.territory)
    mail = Mail(
        to=house.email,
        subject=subject,
        body=body.strip() + "\n",
        message_id=f"stock-{house.id}-{house.stock_told_on}@{urlsplit(settings.backoffice_address).hostname}",
        language="fr",
        at=now,
    )
    try:
        send_mail(settings, mail, Address(identity.service, addr_spec=settings.mail_from or identity.email))
    except PermanentFailureError as failure:
        logger.warning("house %s is not told that its places run out: %s", house.id, failure.cause)
