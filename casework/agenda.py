"""The agenda: when and where agents receive, for which kinds of appointment, and when they do not.

An opening range is a rule (weekly, every two weeks, the first Tuesday of the month…) or a single day. Its
occurrences are rows made twelve months ahead, so that one of them can be changed or dropped without touching the
rule, and so that the search reads plain rows. Hours are those of Paris; rows hold moments (design rule 10).
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta

import holidays
from sqlalchemy import (
    CheckConstraint,
    Date,
    ForeignKey,
    Identity,
    Index,
    SmallInteger,
    UniqueConstraint,
    delete,
    false,
    func,
    literal,
    literal_column,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP, TSTZRANGE, Insert, Range, insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from casework.agents import Agent
from casework.database import Base, one_of
from casework.requests import PARIS
from casework.vocabulary import N_, Word

MADE_AHEAD = timedelta(days=366)


class Mode(enum.StrEnum):
    """How one meets."""

    HERE = "here"
    PHONE = "phone"
    VIDEO = "video"
    HOME = "home"


MODES: dict[Mode, Word] = {
    Mode.HERE: Word(N_("Venir nous voir"), "reception"),
    Mode.PHONE: Word(N_("Au téléphone"), "phone"),
    Mode.VIDEO: Word(N_("En vidéo"), "camera"),
    Mode.HOME: Word(N_("Chez vous"), "house"),
}


class Audience(enum.StrEnum):
    """Who may book an opening."""

    CITIZENS = "citizens"
    INVITED = "invited"
    AGENTS = "agents"


class Kind(Base):
    """A kind of appointment. `gap_minutes` stay free after it; `bring` is in easy French, one thing a line."""

    __tablename__ = "kinds"
    __table_args__ = (CheckConstraint("minutes > 0 AND gap_minutes >= 0", name="lengths"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    minutes: Mapped[int] = mapped_column(SmallInteger)
    gap_minutes: Mapped[int] = mapped_column(SmallInteger)
    bring: Mapped[str]


class OpeningRule(Base):
    """When an agent receives, again and again. No weekday: the single day `first_day`.

    `weekdays`: 0 is Monday. `every_weeks`: 1 or more, counted from `first_day`'s week. `nth_of_month`: 1 to 5,
    or -1 for the last; it excludes `every_weeks` above 1.
    """

    __tablename__ = "opening_rules"
    __table_args__ = (
        CheckConstraint("starts_at < ends_at", name="hours"),
        CheckConstraint("every_weeks >= 1", name="weeks"),
        CheckConstraint(
            "nth_of_month IS NULL OR (nth_of_month BETWEEN -1 AND 5 AND nth_of_month <> 0)", name="nth"
        ),
        CheckConstraint("mode <> 'here' OR place_id IS NOT NULL", name="place"),
        CheckConstraint("last_day IS NULL OR last_day >= first_day", name="days"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    agent_id: Mapped[int] = mapped_column(ForeignKey("agents.id"), index=True)
    house_id: Mapped[str] = mapped_column(ForeignKey("houses.id"))
    place_id: Mapped[str | None] = mapped_column(ForeignKey("places.id"), index=True)
    mode: Mapped[Mode] = mapped_column(one_of(Mode))
    kinds: Mapped[list[str]]
    audience: Mapped[Audience] = mapped_column(one_of(Audience))
    languages: Mapped[list[str]]
    """Languages the agent speaks there, besides French."""
    travel_minutes: Mapped[int] = mapped_column(SmallInteger, default=0)
    """For home visits: the way there, and as much back."""
    first_day: Mapped[date]
    last_day: Mapped[date | None]
    weekdays: Mapped[list[int]] = mapped_column(ARRAY(SmallInteger))
    every_weeks: Mapped[int] = mapped_column(SmallInteger, default=1)
    nth_of_month: Mapped[int | None] = mapped_column(SmallInteger)
    starts_at: Mapped[time]
    ends_at: Mapped[time]
    made_until: Mapped[date | None]
    """Occurrences are made up to and including this day."""


class Opening(Base):
    """One occurrence. `on_day`: the day the rule gave, kept when the occurrence moves. Dropped ones stay as rows,
    so that renewing the rule does not bring them back."""

    __tablename__ = "openings"
    __table_args__ = (
        UniqueConstraint("rule_id", "on_day"),
        Index("openings_agent_from_idx", "agent_id", literal_column("lower(during)")),
        CheckConstraint("NOT isempty(during)", name="during"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    rule_id: Mapped[int] = mapped_column(ForeignKey("opening_rules.id", ondelete="CASCADE"))
    on_day: Mapped[date]
    agent_id: Mapped[int] = mapped_column(ForeignKey("agents.id"))
    house_id: Mapped[str] = mapped_column(ForeignKey("houses.id"))
    place_id: Mapped[str | None] = mapped_column(ForeignKey("places.id"))
    mode: Mapped[Mode] = mapped_column(one_of(Mode))
    kinds: Mapped[list[str]]
    audience: Mapped[Audience] = mapped_column(one_of(Audience))
    languages: Mapped[list[str]]
    travel_minutes: Mapped[int] = mapped_column(SmallInteger)
    during: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)
    dropped: Mapped[bool] = mapped_column(default=False)
    changed: Mapped[bool] = mapped_column(default=False)


class Closure(Base):
    """A house, or all of them (`house_id` null), closed for a while. Telephone and video of its agents too."""

    __tablename__ = "closures"

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    house_id: Mapped[str | None] = mapped_column(ForeignKey("houses.id"), index=True)
    during: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)
    reason: Mapped[str]


class BusyTime(Base):
    """Busy elsewhere: what an agent's own calendar says (CalDAV). Nothing of its content."""

    __tablename__ = "busy_times"
    __table_args__ = (
        UniqueConstraint("agent_id", "source"),
        Index("busy_times_agent_from_idx", "agent_id", literal_column("lower(during)")),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    agent_id: Mapped[int] = mapped_column(ForeignKey("agents.id"))
    source: Mapped[str]
    during: Mapped[Range[datetime]] = mapped_column(TSTZRANGE)


class HoursError(ValueError):
    """The end is not after the beginning, or a day range ends before it begins."""


_french_holidays = holidays.country_holidays("FR", language="fr")


def days_of(rule: OpeningRule, until: date) -> Iterator[date]:
    """The days of a rule up to and including `until`, public holidays left out."""
    last = min(until, rule.last_day or until)
    if not rule.weekdays:
        if rule.first_day <= last:
            yield rule.first_day
        return
    monday = rule.first_day - timedelta(days=rule.first_day.weekday())
    day = rule.first_day
    while day <= last:
        weeks = (day - monday).days // 7
        if (
            day.weekday() in rule.weekdays
            and weeks % rule.every_weeks == 0
            and (rule.nth_of_month is None or rule.nth_of_month in _nth(day))
            and day not in _french_holidays
        ):
            yield day
        day += timedelta(days=1)


def public_holiday(day: date) -> str:
    """The French name of the public holiday of a day; empty on any other."""
    return str(_french_holidays.get(day, ""))


def _nth(day: date) -> tuple[int, ...]:
    """Which one of its weekday in the month a day is: (2,), or (4, -1) when it is the last as well."""
    nth = (day.day - 1) // 7 + 1
    return (nth, -1) if (day + timedelta(days=7)).month != day.month else (nth,)


def moments(day: date, starts_at: time, ends_at: time) -> Range[datetime]:
    """The moments between two hours of Paris on a day. An hour that a clock change skips becomes the one after.

    Raises:
        HoursError: nothing is left between them.
    """
    try:
        start, end = (datetime.combine(day, hour, PARIS).astimezone(UTC) for hour in (starts_at, ends_at))
    except OverflowError as error:  # the first and the last day of the calendar
        raise HoursError from error
    if end <= start:
        raise HoursError
    return Range(start, end, bounds="[)")


def keep(session: Session, rule: OpeningRule, today: date) -> OpeningRule:
    """Keep a new rule and make its occurrences, twelve months ahead.

    Raises:
        HoursError: it ends before it begins.
    """
    if rule.starts_at >= rule.ends_at or (rule.last_day and rule.last_day < rule.first_day):
        raise HoursError
    session.add(rule)
    session.flush()
    make_ahead(session, rule, today)
    return rule


TWIN = (
    "agent_id", "place_id", "mode", "kinds", "audience", "languages", "travel_minutes", "first_day", "last_day",
    "weekdays", "every_weeks", "nth_of_month", "starts_at", "ends_at",
)  # fmt: skip
"""What makes two rules the same one, sent twice."""


def twin(session: Session, rule: OpeningRule) -> OpeningRule | None:
    """The rule that is already there in every word of this new one; a second tap at the same moment waits to see it."""
    session.execute(select(Agent.id).where(Agent.id == rule.agent_id).with_for_update(key_share=True))
    same = [getattr(OpeningRule, name).is_not_distinct_from(getattr(rule, name)) for name in TWIN]
    return session.scalars(select(OpeningRule).where(*same).order_by(OpeningRule.id)).first()


def make_ahead(session: Session, rule: OpeningRule, today: date) -> int:
    """Make the occurrences of a rule that are not made yet, to twelve months from today; returns how many."""
    until = today + MADE_AHEAD
    made = [
        (day, span)
        for day in days_of(rule, until)
        if (rule.made_until is None or day > rule.made_until) and (span := _span(rule, day))
    ]
    if made:
        session.execute(_occurrences(rule, made))
    rule.made_until = until
    return len(made)


def _span(rule: OpeningRule, day: date) -> Range[datetime] | None:
    """None in the night of March whose clock change skips the whole range: one such rule must not stop the renewal."""
    try:
        return moments(day, rule.starts_at, rule.ends_at)
    except HoursError:
        return None


def _occurrences(rule: OpeningRule, made: Sequence[tuple[date, Range[datetime]]]) -> Insert:
    """One statement for all the days of a rule: a year of them is hundreds of rows."""
    each = (
        func.unnest(
            literal([day for day, _ in made], ARRAY(Date)),
            literal([span.lower for _, span in made], ARRAY(TIMESTAMP(timezone=True))),
            literal([span.upper for _, span in made], ARRAY(TIMESTAMP(timezone=True))),
        )
        .table_valued("on_day", "opens", "shuts")
        .render_derived()
    )
    copied = (
        "agent_id", "house_id", "place_id", "mode", "kinds", "audience", "languages", "travel_minutes",
    )  # fmt: skip
    rows = select(
        literal(rule.id),
        *(literal(getattr(rule, name), getattr(Opening, name).type) for name in copied),
        each.c.on_day,
        func.tstzrange(each.c.opens, each.c.shuts),
        false(),
        false(),
    )
    columns = ["rule_id", *copied, "on_day", "during", "dropped", "changed"]
    return insert(Opening).from_select(columns, rows).on_conflict_do_nothing()


def renew(session: Session, today: date) -> int:
    """Make what is missing of every rule still alive; the worker does it each night. Returns how many rows."""
    late = select(OpeningRule).where(
        OpeningRule.weekdays != [],
        (OpeningRule.last_day.is_(None)) | (OpeningRule.last_day > OpeningRule.made_until),
        OpeningRule.made_until < today + MADE_AHEAD,
    )
    return sum(make_ahead(session, rule, today) for rule in session.scalars(late))


def change_occurrence(session: Session, opening_id: int, starts_at: time, ends_at: time) -> Opening:
    """Give one occurrence other hours, the same day; the rule and the other days stay.

    Raises:
        HoursError: it would end before it begins.
    """
    opening = session.get_one(Opening, opening_id, with_for_update=True)
    opening.during = moments(opening.on_day, starts_at, ends_at)
    opening.changed = True
    opening.dropped = False
    return opening


def drop_occurrence(session: Session, opening_id: int) -> Opening:
    """Drop one occurrence; appointments already taken in it stay and must be seen to."""
    opening = session.get_one(Opening, opening_id, with_for_update=True)
    opening.dropped = True
    return opening


def end_rule(session: Session, rule: OpeningRule, last_day: date) -> None:
    """Let a rule end; its later occurrences go, whether they had been changed or not."""
    rule.last_day = max(last_day, rule.first_day)
    session.execute(delete(Opening).where(Opening.rule_id == rule.id, Opening.on_day > last_day))
    if last_day < rule.first_day:
        session.execute(update(Opening).where(Opening.rule_id == rule.id).values(dropped=True))


def openings_between(session: Session, agent_ids: list[int], start: datetime, end: datetime) -> list[Opening]:
    """The openings of some agents that touch a span of time, dropped ones left out, in order."""
    return list(
        session.scalars(
            select(Opening)
            .where(
                Opening.agent_id.in_(agent_ids),
                Opening.during.overlaps(Range(start, end, bounds="[)")),
                ~Opening.dropped,
            )
            .order_by(func.lower(Opening.during), Opening.agent_id)
        )
    )
