"""The house is warned before it runs dry: its free places counted, and one mail a day while they are too few."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, time, timedelta

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from casework import agenda, appointments, counter, rounds, slots, stock, waiting
from casework.agenda import Audience, Mode, OpeningRule
from casework.agents import Agent
from casework.appointments import Appointment, Standing
from casework.database import transaction
from casework.stock import Stock
from casework.territory import House
from tests.casework.asking import BY_MAIL, ask, worker_settings
from tests.conftest import PARIS, Database
from tests.local_servers import MailServer, free_port
from tests.people import NADIA, PAUL

MONDAY = date(2026, 11, 9)
HOUSE_MAIL = "mds-poitiers@example.org"


@pytest.fixture
def mails() -> Iterator[MailServer]:
    with MailServer() as server:
        yield server


def mornings(
    database: Database, today: date, last_day: date | None = None, kinds: tuple[str, ...] = ("first",)
) -> None:
    """Paul receives at the house every working morning from 9 to 11, from the 9th of November on."""
    with transaction(database.backoffice) as session:
        agenda.keep(
            session,
            OpeningRule(
                agent_id=PAUL.id, house_id="poitiers", place_id="mds-poitiers", mode=Mode.HERE, kinds=list(kinds),
                audience=Audience.CITIZENS, languages=[], travel_minutes=0, first_day=MONDAY, last_day=last_day,
                weekdays=[0, 1, 2, 3, 4], every_weeks=1, nth_of_month=None, starts_at=time(9), ends_at=time(11),
                made_until=None,
            ),
            today,
        )  # fmt: skip


def books(database: Database, now: datetime, many: int, made: timedelta = timedelta(days=1)) -> None:
    """Nadia books the first free places for as many people; it was `made` ago."""
    for _ in range(many):
        asked = ask(database, now)
        with transaction(database.backoffice) as session:
            free = slots.find(session, counter.wanted([PAUL.id], "first"), now, now, most=1)
            appointments.hold(session, asked.id, free[0], now)
            booked = appointments.confirm(session, asked.id, now)
            booked.made_at = now - made


def stocks(database: Database, now: datetime) -> dict[str, Stock]:
    """The stock of each kind of the house of Poitiers."""
    with Session(database.backoffice) as session:
        return {one.kind.id: one for one in stock.of_house(session, session.get_one(House, "poitiers"), now)}


def short(database: Database, now: datetime) -> list[tuple[str, int | None]]:
    """What the house of Poitiers runs out of."""
    with Session(database.backoffice) as session:
        house = session.get_one(House, "poitiers")
        return [(one.kind.id, one.days) for one in stock.short_of(session, house, now)]


def test_days_of_stock_are_places_by_what_is_booked_a_day(database: Database, now: datetime) -> None:
    """Four weeks from Tuesday at ten: fifteen mornings of four places (the 11th is Armistice Day) and an hour of the
    last one; eight are booked. Eight in the last twenty working days are 0.4 a day (All Saints' Day was a Sunday)."""
    mornings(database, now.date())
    books(database, now, 8)
    (one,) = stocks(database, now).values()
    assert (one.places, one.a_day, one.days) == (4 * 15 + 2 - 8, 0.4, 135)
    assert one.first == datetime(2026, 11, 12, 9, tzinfo=PARIS)
    assert not one.is_short


def test_working_days_leave_weekends_and_public_holidays_out() -> None:
    assert stock.working_days(date(2026, 11, 9), date(2026, 11, 16)) == 4, "Armistice Day"
    assert stock.working_days(date(2026, 12, 21), date(2026, 12, 28)) == 4, "Christmas"
    assert stock.working_days(date(2026, 11, 7), date(2026, 11, 9)) == 1, "never a division by none"


def test_under_the_threshold_the_house_runs_short(database: Database, now: datetime) -> None:
    """Two mornings of four places, six taken: two are left, at six in twenty days: six days and a half."""
    mornings(database, now.date(), date(2026, 11, 10))
    books(database, now, 6)
    assert short(database, now) == []
    with transaction(database.owner) as session:
        session.execute(update(House).values(stock_days=7))
    assert short(database, now) == [("first", 6)]
    with transaction(database.owner) as session:
        session.execute(update(House).values(stock_days=0))
    assert short(database, now) == []


def test_what_was_given_back_or_made_long_ago_takes_no_place(database: Database, now: datetime) -> None:
    mornings(database, now.date())
    books(database, now, 2, made=timedelta(days=29))
    books(database, now, 2)
    assert stocks(database, now)["first"].a_day == 0.1
    with transaction(database.owner) as session:
        session.execute(update(Appointment).values(state=Standing.CANCELLED))
    assert stocks(database, now)["first"].a_day == 0


def test_nobody_asks_and_there_is_room_is_no_shortage(database: Database, now: datetime) -> None:
    mornings(database, now.date())
    assert stocks(database, now)["first"].days is None
    assert short(database, now) == []


def test_a_house_that_has_run_dry_is_short_though_nothing_is_booked_any_more(
    database: Database, now: datetime
) -> None:
    """All is taken since long ago. A kind that nobody gave is not the house's business, unless somebody waits."""
    mornings(database, now.date(), MONDAY)
    books(database, now, 4, made=timedelta(days=40))
    assert short(database, now) == [("first", 0)]
    asked = ask(database, now, replace(BY_MAIL, name="Fatima"))
    with transaction(database.backoffice) as session:
        waiting.wait(session, asked.id, "long", [Mode.HERE], now)
    assert short(database, now) == [("first", 0), ("long", 0)]


def test_absences_closures_and_other_audiences_are_no_places(database: Database, now: datetime) -> None:
    mornings(database, now.date())
    with transaction(database.owner) as session:
        session.execute(update(agenda.Opening).values(audience=Audience.AGENTS))
    assert stocks(database, now) == {}, "what citizens may not book is not counted"


def test_the_quick_count_says_the_same_as_the_whole_one(database: Database, now: datetime) -> None:
    mornings(database, now.date(), date(2026, 11, 20), kinds=("first", "long"))
    books(database, now, 20)
    for threshold in (1, 3, 10, 19, 20, 21, 40, 500):
        with transaction(database.owner) as session:
            session.execute(update(House).values(stock_days=threshold))
        whole = {kind for kind, one in stocks(database, now).items() if one.is_short}
        assert {kind for kind, _ in short(database, now)} == whole, threshold


def ticks(database: Database, mails: MailServer | None, at: datetime, port: int = 0) -> None:
    """The worker's minute."""
    url = mails.url if mails else f"smtp://127.0.0.1:{port}" if port else ""
    rounds.warn_houses(database.backoffice, worker_settings(database, smtp_url=url), at)


def test_one_mail_a_day_from_eight_on_while_it_lasts(
    database: Database, mails: MailServer, now: datetime
) -> None:
    mornings(database, now.date(), MONDAY)
    books(database, now, 4)
    morning = now.replace(hour=7, minute=59)
    ticks(database, mails, morning)
    assert mails.mailbox.all == [], "not before eight"
    for minute in (1, 2, 3, 300):
        ticks(database, mails, morning + timedelta(minutes=minute))
    (mail,) = mails.to(HOUSE_MAIL)
    assert mail["Subject"] == "Bientôt plus de rendez-vous libres"
    body = mail.get_content().replace("\r\n", "\n")
    assert "Premier rendez-vous\nplus aucune place" in body
    assert "/fr/agenda/places-libres" in body
    assert "Marcel" not in body
    assert len(mails.mailbox.all) == 1
    for day in (1, 4, 5):  # Wednesday, Saturday, Sunday
        ticks(database, mails, now + timedelta(days=day))
    assert len(mails.to(HOUSE_MAIL, 2)) == 2, "once more on Wednesday, never at the weekend"
    assert len({mail["Message-ID"] for mail in mails.mailbox.all}) == 2
    mornings(database, now.date())
    ticks(database, mails, now + timedelta(days=6))
    assert len(mails.mailbox.all) == 2, "places are there again"


def test_a_mail_server_that_is_away_is_asked_again_the_next_minute(
    database: Database, mails: MailServer, now: datetime
) -> None:
    mornings(database, now.date(), MONDAY)
    books(database, now, 4)
    ticks(database, None, now, free_port())
    with Session(database.backoffice) as session:
        assert session.get_one(House, "poitiers").stock_told_on is None
        assert session.get_one(House, "loudun").stock_told_on == now.date(), (
            "one house keeps no other waiting"
        )
    mails.replies.append("451 later")
    ticks(database, mails, now + timedelta(minutes=1))
    assert mails.mailbox.all == []
    ticks(database, mails, now + timedelta(minutes=2))
    assert len(mails.to(HOUSE_MAIL)) == 1


def test_an_address_that_is_refused_is_tried_once_a_day(
    database: Database, mails: MailServer, now: datetime
) -> None:
    mornings(database, now.date(), MONDAY)
    books(database, now, 4)
    mails.refused[HOUSE_MAIL] = "550 nobody here"
    ticks(database, mails, now)
    mails.refused.clear()
    ticks(database, mails, now + timedelta(minutes=1))
    assert mails.mailbox.all == []
    ticks(database, mails, now + timedelta(days=1))
    assert len(mails.to(HOUSE_MAIL)) == 1


def test_two_workers_write_once(database: Database, mails: MailServer, now: datetime) -> None:
    mornings(database, now.date(), MONDAY)
    books(database, now, 4)
    settings = worker_settings(database, smtp_url=mails.url)
    with transaction(database.backoffice) as first:
        stock.tell(first, settings, "poitiers", now)
        ticks(database, mails, now)
    ticks(database, mails, now)
    assert len(mails.mailbox.all) == 1


def test_without_a_mail_server_the_queue_still_says_it(database: Database, now: datetime) -> None:
    mornings(database, now.date(), MONDAY)
    books(database, now, 4)
    ticks(database, None, now)
    with Session(database.backoffice) as session:
        assert [one.kind.id for one in stock.warning(session, "poitiers", now)] == ["first"]
        assert stock.warning(session, "loudun", now) == []
        assert session.get_one(Agent, NADIA.id)
