"""A slot comes up: Fatima is told first, then Amina; one person at a time, each for two hours, never at night."""

from __future__ import annotations

import re
import threading
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from casework import access, appointments, booking, counter, proposals, rounds, slots, turns, waiting
from casework.agenda import Audience, Mode, Opening
from casework.agents import Agent
from casework.appointments import Appointment, Standing
from casework.database import connect, transaction
from casework.offers import Choice, Search, seeker
from casework.people import ContactWay
from casework.proposals import Answer, SlotOffer
from casework.requests import PARIS, Request
from casework.segments import MOST_SEGMENTS, segments
from casework.slots import ALL_DAY, MORNING
from casework.vocabulary import Channel, ContactRule
from casework.waiting import WaitingEntry
from tests.casework.asking import BY_MAIL, BY_TEXT, Asked, ask, journal_of, notifications_of
from tests.casework.test_reminders import Post, book, cancel, paris, post
from tests.conftest import Database
from tests.people import HUGO, LOUDUN, LOUISE, NADIA, PAUL, SARAH
from tests.portal.receiving import appointments_of, receives

pytestmark = pytest.mark.long

__all__ = ["post"]

THURSDAY = date(2026, 11, 5)
FRIDAY = date(2026, 11, 6)
FATIMA_PHONE = "+33639980077"
FATIMA = replace(BY_TEXT, sms_number=FATIMA_PHONE, name="Fatima", spoken_language="ar")
BY_CALL = replace(BY_MAIL, channels=[Channel.CALL], call_number="+33549000123", email="")
BY_LETTER = replace(
    BY_MAIL, channels=[Channel.LETTER], postal_address="3 rue de l'Église\n86190 Frozes", email=""
)
NINE = datetime.combine(THURSDAY, time(9), PARIS)


def waits(
    database: Database,
    asked: Asked,
    now: datetime,
    *,
    modes: tuple[Mode, ...] = (Mode.HERE, Mode.PHONE, Mode.VIDEO),
    place_id: str | None = None,
    hours: tuple[time, time] = ALL_DAY,
    whole_house: bool = False,
    sooner_than: datetime | None = None,
) -> None:
    """Somebody asks to be told of a free slot."""
    with transaction(database.backoffice) as session:
        waiting.wait(
            session, asked.id, "first", modes, now, place_id=place_id, hours=hours, whole_house=whole_house,
            sooner_than=sooner_than,
        )  # fmt: skip


def offers_of(database: Database, asked: Asked) -> list[SlotOffer]:
    """Every offer made to somebody, oldest first."""
    with transaction(database.backoffice) as session:
        query = select(SlotOffer).where(SlotOffer.request_id == asked.id).order_by(SlotOffer.offered_at)
        return list(session.scalars(query))


def answers(database: Database, asked: Asked) -> list[str]:
    return [one.state.value for one in offers_of(database, asked)]


def wish(database: Database, asked: Asked) -> list[str]:
    with transaction(database.backoffice) as session:
        query = (
            select(WaitingEntry).where(WaitingEntry.request_id == asked.id).order_by(WaitingEntry.asked_at)
        )
        return [one.state.value for one in session.scalars(query)]


def acts(database: Database, asked: Asked) -> list[str]:
    return [action for action, _ in journal_of(database, asked.id) if action not in {"sent", "notified"}]


def as_citizen(database: Database, asked: Asked) -> Session:
    """A session of the portal's role that holds somebody's secret."""
    hashed = access.link_hash(database.access_key, asked.secret)
    return Session(database.portal, info={"secret_hash": hashed}, expire_on_commit=False)


def accepts(database: Database, asked: Asked, now: datetime) -> Appointment:
    """Somebody says yes."""
    with as_citizen(database, asked) as session, session.begin():
        found = proposals.live(session, asked.id, now)
        assert found
        assert found.appointment_id
        return booking.confirm(session, asked.id, found.appointment_id, now, phone=None)


def declines(database: Database, asked: Asked, now: datetime) -> None:
    """Somebody says no."""
    with as_citizen(database, asked) as session, session.begin():
        proposals.decline(session, asked.id, now)


# --- the story ------------------------------------------------------------------------------------------


def test_moreau_cancels_fatima_lets_it_lapse_and_amina_gets_it(
    database: Database, now: datetime, post: Post
) -> None:
    receives(database, THURSDAY, time(9), time(9, 30))
    moreau, fatima, amina = ask(database, now), ask(database, now, FATIMA, "ar"), ask(database, now, BY_TEXT)
    taken = book(database, moreau, NINE, now)
    waits(database, fatima, now)
    waits(database, amina, now + timedelta(minutes=1))
    post.at(paris(3, 10, 29))
    assert offers_of(database, fatima) == offers_of(database, amina) == [], "nothing is free"

    cancel(database, taken)
    post.at(paris(3, 10, 30))
    (offer,) = offers_of(database, fatima)
    assert (offer.start, offer.until, offer.agent_id) == (NINE, paris(3, 12, 30), PAUL.id)
    assert offers_of(database, amina) == [], "one person at a time"
    told = [text for text in post.texts.texts.all if text["to"] == FATIMA_PHONE][-1]["text"]
    assert re.search("[\u0600-\u06ff]", told)
    assert "5 نوفمبر" in told
    assert "12:30" in told
    assert segments(told) <= MOST_SEGMENTS
    secret = told.rsplit("/ar/s/", 1)[1]
    with transaction(database.backoffice) as session:
        key = session.get_one(access.AccessKey, access.link_hash(database.access_key, secret))
        assert key.request_id == fatima.id

    post.at(paris(3, 12, 30))
    assert answers(database, fatima) == ["offered"], "two hours, whole"
    post.at(paris(3, 12, 31))
    assert answers(database, fatima) == ["lapsed"]
    assert answers(database, amina) == ["offered"]
    booked = accepts(database, amina, paris(3, 12, 40))
    assert (booked.start, booked.state) == (NINE, Standing.BOOKED)
    post.at(paris(3, 12, 41))
    assert answers(database, amina) == ["accepted"]
    assert (wish(database, amina), wish(database, fatima)) == (["served"], ["waiting"])
    assert acts(database, fatima) == ["offered", "offer_lapsed"]
    assert acts(database, amina) == ["offered", "booked"]
    assert [one.template.value for one in notifications_of(database, amina.id)][1:] == [
        "appointment_offered", "appointment_booked",
    ]  # fmt: skip
    assert [one.state.value for one in appointments_of(database)] == ["cancelled", "booked"]


def test_who_says_no_lets_the_next_one_have_it_within_the_minute(
    database: Database, now: datetime, post: Post
) -> None:
    fatima, amina = ask(database, now, FATIMA, "ar"), ask(database, now, BY_TEXT)
    waits(database, fatima, now)
    waits(database, amina, now + timedelta(minutes=1))
    receives(database, THURSDAY, time(9), time(9, 30))
    post.at(now)
    declines(database, fatima, now)
    declines(database, fatima, now)
    post.at(now + timedelta(minutes=1))
    post.at(now + timedelta(minutes=2))
    assert (answers(database, fatima), answers(database, amina)) == (["declined"], ["offered"])
    assert acts(database, fatima) == ["offered", "offer_declined"], "twice is once"
    assert wish(database, fatima) == ["waiting"]
    declines(database, amina, now + timedelta(minutes=3))
    post.at(now + timedelta(minutes=4))
    assert len(offers_of(database, fatima)) == len(offers_of(database, amina)) == 1, (
        "never the same hour again"
    )


def test_urgent_first_then_who_asked_first_across_houses(
    database: Database, now: datetime, post: Post
) -> None:
    hugos = ask(database, now, replace(FATIMA, commune_code=LOUDUN))
    late, urgent = ask(database, now, BY_TEXT), ask(database, now)
    waits(database, late, now)
    waits(database, urgent, now + timedelta(minutes=1))
    waits(database, hugos, now + timedelta(minutes=2))
    with transaction(database.owner) as session:
        session.execute(update(Request).where(Request.id == urgent.id).values(urgent=True))
    receives(database, THURSDAY, time(9), time(9, 30))
    receives(database, FRIDAY, time(9), time(9, 30), who=HUGO, place="mds-loudun")
    post.at(now)
    assert [len(offers_of(database, one)) for one in (urgent, late, hugos)] == [1, 0, 1]


def test_each_gets_one_of_several(database: Database, now: datetime, post: Post) -> None:
    people = [ask(database, now, replace(BY_TEXT, sms_number=f"+3363998010{number}")) for number in range(5)]
    for number, one in enumerate(people):
        waits(database, one, now + timedelta(minutes=number))
    receives(database, THURSDAY, time(9), time(11))
    post.at(now)
    assert [offers_of(database, one)[0].start for one in people[:4]] == [
        NINE + timedelta(minutes=30 * number) for number in range(4)
    ]
    assert offers_of(database, people[4]) == []


# --- what is offered, to whom, and when -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("moment", "leaves"),
    [
        (paris(4, 7, 59), False), (paris(4, 8), True), (paris(4, 18), True), (paris(4, 18, 1), False),
        (paris(4, 23), False),
    ],
)  # fmt: skip
def test_by_day_alone(database: Database, now: datetime, post: Post, moment: datetime, leaves: bool) -> None:
    fatima = ask(database, now, FATIMA, "ar")
    waits(database, fatima, now)
    receives(database, FRIDAY)
    post.at(moment)
    assert bool(offers_of(database, fatima)) == leaves


def test_what_was_offered_in_the_evening_lapses_in_the_evening(
    database: Database, now: datetime, post: Post
) -> None:
    fatima, amina = ask(database, now, FATIMA, "ar"), ask(database, now, BY_TEXT)
    waits(database, fatima, now)
    waits(database, amina, now + timedelta(minutes=1))
    receives(database, FRIDAY, time(9), time(9, 30))
    post.at(paris(3, 18))
    post.at(paris(3, 20, 1))
    assert (answers(database, fatima), answers(database, amina)) == (["lapsed"], []), (
        "nobody is told at night"
    )
    post.at(paris(4, 8))
    assert answers(database, amina) == ["offered"]


def test_nothing_begins_before_one_could_answer_and_come(
    database: Database, now: datetime, post: Post
) -> None:
    fatima = ask(database, now, FATIMA, "ar")
    waits(database, fatima, now)
    receives(database, now.date(), time(10), time(14))
    post.at(now)
    assert [one.start for one in offers_of(database, fatima)] == [paris(3, 13)]


def test_only_what_was_asked_for(database: Database, now: datetime, post: Post) -> None:
    amina = ask(database, now, BY_TEXT)
    waits(database, amina, now, modes=(Mode.HERE,), place_id="vouille-mairie", hours=MORNING)
    receives(database, THURSDAY, time(14), time(15), place="vouille-mairie")
    receives(database, THURSDAY, time(9), time(10))
    receives(database, THURSDAY, time(10), time(11), mode=Mode.PHONE)
    receives(database, FRIDAY, time(9), time(10), place="vouille-mairie", audience=Audience.AGENTS)
    receives(database, FRIDAY, time(10), time(11), place="vouille-mairie", kinds=("long",))
    receives(database, FRIDAY, time(11), time(12), place="vouille-mairie", who=LOUISE)
    post.at(now)
    assert offers_of(database, amina) == []
    receives(
        database, date(2026, 11, 9), time(9), time(10), place="vouille-mairie", audience=Audience.INVITED
    )
    post.at(now + timedelta(minutes=1))
    assert [one.start for one in offers_of(database, amina)] == [paris(9, 9)], "the invited are among them"


def test_the_circle_is_the_one_the_person_looks_in(database: Database, now: datetime, post: Post) -> None:
    """With her own worker; with anybody of the house if she asked so: what the portal's role finds as well."""
    amina, fatima = ask(database, now, BY_TEXT), ask(database, now, FATIMA, "ar")
    with transaction(database.owner) as session:
        session.execute(update(Request).values(worker_id=PAUL.id, state="routed"))
    for asked in (amina, fatima):
        for whole in (False, True):
            with as_citizen(database, asked) as session:
                own = session.scalar(select(func.agents_for_request(whole)))
            with transaction(database.backoffice) as session:
                same = session.scalar(select(func.agents_of_request(asked.id, whole)))
            assert own == same == ([PAUL.id, SARAH.id, LOUISE.id] if whole else [PAUL.id])
    waits(database, amina, now)
    waits(database, fatima, now + timedelta(minutes=1), whole_house=True)
    receives(database, THURSDAY, who=SARAH)
    post.at(now)
    assert offers_of(database, amina) == []
    assert [one.agent_id for one in offers_of(database, fatima)] == [SARAH.id]


def test_what_was_free_when_one_asked_is_no_news(database: Database, now: datetime, post: Post) -> None:
    """Amina saw Friday and waits for something sooner; once Friday is past, whatever comes is."""
    receives(database, FRIDAY, time(9), time(9, 30))
    receives(database, date(2026, 11, 10), time(9), time(9, 30))
    amina = ask(database, now, BY_TEXT)
    with as_citizen(database, amina) as session, session.begin():
        assert booking.wait_for_one(session, seeker(session, amina.id, now), Search(), now)
    post.at(now)
    assert offers_of(database, amina) == []
    receives(database, THURSDAY, time(9), time(9, 30))
    post.at(now + timedelta(minutes=1))
    assert [one.start for one in offers_of(database, amina)] == [NINE]
    declines(database, amina, now + timedelta(minutes=2))
    post.at(paris(4, 10))
    assert len(offers_of(database, amina)) == 1
    post.at(paris(6, 8))
    assert offers_of(database, amina)[1].start == paris(10, 9)


def test_who_has_an_appointment_is_offered_an_earlier_one_that_replaces_it(
    database: Database, now: datetime, post: Post
) -> None:
    amina = ask(database, now, BY_TEXT)
    receives(database, date(2026, 11, 12), time(9), time(10))
    later = book(database, amina, paris(12, 9), now)
    waits(database, amina, now)
    post.at(now)
    assert offers_of(database, amina) == [], "the half hour after is not earlier"
    receives(database, THURSDAY, time(9), time(9, 30))
    post.at(now + timedelta(minutes=1))
    booked = accepts(database, amina, now + timedelta(minutes=5))
    assert booked.moved_from == later
    assert {one.id: one.state.value for one in appointments_of(database, amina.id)} == {
        later: "moved", booked.id: "booked",
    }  # fmt: skip
    assert acts(database, amina) == ["offered", "moved"]


def test_too_near_to_be_moved_is_left_alone(database: Database, now: datetime, post: Post) -> None:
    amina = ask(database, now, BY_TEXT)
    book(database, amina, now + timedelta(hours=4, minutes=30), now)
    waits(database, amina, now)
    receives(database, now.date(), time(13, 15), time(13, 45), who=SARAH)
    post.at(now)
    assert len(offers_of(database, amina)) == 1
    fatima = ask(database, now, FATIMA, "ar")
    book(database, fatima, now + timedelta(hours=6), now)
    waits(database, fatima, now)
    receives(database, now.date(), time(14, 15), time(14, 45), who=SARAH)
    with transaction(database.backoffice) as session:
        assert turns.in_turn(session, now, 7) == []
    post.at(now)
    assert len(offers_of(database, fatima)) == 1


def test_who_checks_another_hour_just_now_is_asked_a_minute_later(
    database: Database, now: datetime, post: Post
) -> None:
    amina = ask(database, now, BY_TEXT)
    waits(database, amina, now)
    receives(database, THURSDAY, time(9), time(10))
    with as_citizen(database, amina) as session, session.begin():
        booking.hold(session, amina.id, Search(), Choice(NINE, Mode.HERE, "mds-poitiers"), now)
    post.at(now)
    assert offers_of(database, amina) == []
    post.at(now + timedelta(minutes=11))
    assert [one.start for one in offers_of(database, amina)] == [NINE]


def test_a_closed_request_waits_for_nothing(database: Database, now: datetime, post: Post) -> None:
    amina = ask(database, now, BY_TEXT)
    waits(database, amina, now)
    with transaction(database.owner) as session:
        session.execute(update(Request).values(state="closed", closed_at=now, outcome="answered"))
    receives(database, THURSDAY)
    post.at(now)
    assert offers_of(database, amina) == []


# --- how one is told --------------------------------------------------------------------------------------


def test_by_call_an_agent_calls_by_letter_nobody_can_be_in_time(
    database: Database, now: datetime, post: Post
) -> None:
    called, written = ask(database, now, BY_CALL), ask(database, now, BY_LETTER)
    waits(database, written, now)
    waits(database, called, now + timedelta(minutes=1))
    receives(database, THURSDAY, time(9), time(9, 30))
    post.at(now)
    assert offers_of(database, written) == []
    assert len(offers_of(database, called)) == 1
    told = {
        (one.template.value, one.channel.value, one.state.value)
        for one in notifications_of(database, called.id)
    }
    assert told == {("receipt", "call", "by_hand"), ("appointment_offered", "call", "by_hand")}
    with transaction(database.backoffice) as session:
        lines = proposals.of_house(session, "poitiers", now)
        assert [(line.request.id, line.to_tell) for line in lines] == [(written.id, True), (called.id, False)]
        agent, request = session.get_one(Agent, NADIA.id), session.get_one(Request, called.id)
        offer = proposals.live(session, called.id, now)
        assert offer
        for _ in range(2):
            made = counter.take_offered(session, agent, request, offer.id, now)
    assert (made.start, made.state) == (NINE, Standing.BOOKED)
    assert [one.state.value for one in appointments_of(database)] == ["booked"]
    assert acts(database, called) == ["offered", "booked"]


def test_a_call_nobody_made_in_time_is_not_to_be_made(database: Database, now: datetime, post: Post) -> None:
    called = ask(database, now, BY_CALL)
    waits(database, called, now)
    receives(database, THURSDAY, time(9), time(9, 30))
    post.at(now)
    post.at(now + timedelta(hours=2, minutes=1))
    assert "appointment_offered" not in [one.template.value for one in notifications_of(database, called.id)]


def test_what_did_not_leave_in_time_never_leaves(database: Database, now: datetime, post: Post) -> None:
    fatima = ask(database, now, FATIMA, "ar")
    post.at(now)
    waits(database, fatima, now)
    receives(database, THURSDAY, time(9), time(9, 30))
    post.texts.replies = [(503, {})] * 6
    for minutes in (0, 1, 6, 21, 81, 121):
        post.at(now + timedelta(minutes=minutes))
    assert answers(database, fatima) == ["lapsed"]
    assert [one.template.value for one in notifications_of(database, fatima.id)] == ["receipt"]
    assert len(post.texted()) == 1


def test_people_at_risk_are_told_as_their_rule_says(database: Database, now: datetime, post: Post) -> None:
    fatima = ask(database, now, FATIMA, "ar")
    waits(database, fatima, now)
    receives(database, THURSDAY, time(9), time(9, 30))
    with transaction(database.owner) as session:
        session.execute(update(Request).values(contact_rule=ContactRule.NONE))
    post.at(now)
    assert offers_of(database, fatima) == []
    with transaction(database.backoffice) as session:
        assert not proposals.of_house(session, "poitiers", now)[0].to_tell
        session.get_one(Request, fatima.id).contact_rule = ContactRule.OTHER
        session.add(
            ContactWay(
                request_id=fatima.id,
                channel=Channel.EMAIL,
                value="une.amie@example.org",
                call_time=None,
                safe=True,
            )
        )
    post.at(now + timedelta(minutes=1))
    told = notifications_of(database, fatima.id)[-1]
    assert (told.template.value, told.recipient) == ("appointment_offered", "une.amie@example.org")


# --- three times without an answer --------------------------------------------------------------------------


def test_after_three_offers_without_an_answer_the_house_calls(
    database: Database, now: datetime, post: Post
) -> None:
    fatima = ask(database, now, FATIMA, "ar")
    waits(database, fatima, now)
    receives(database, THURSDAY, time(9), time(12))
    for number in range(4):
        post.at(paris(3, 10, 0) + timedelta(hours=2 * number, minutes=number))
    assert answers(database, fatima) == ["lapsed"] * 3
    assert wish(database, fatima) == ["unanswered"]
    with transaction(database.backoffice) as session:
        (line,) = proposals.of_house(session, "poitiers", paris(3, 17))
        assert (line.to_call, line.lapsed, line.offer) == (True, 3, None)
    with as_citizen(database, fatima) as session, session.begin():
        assert not waiting.waits(session, fatima.id)
        waiting.wait(session, fatima.id, "first", [Mode.HERE], paris(3, 17))
    assert wish(database, fatima) == ["withdrawn", "waiting"], "she asks again: a new turn"
    post.at(paris(3, 17))
    assert answers(database, fatima)[3:] == ["offered"]


def test_who_says_no_has_answered(database: Database, now: datetime, post: Post) -> None:
    fatima = ask(database, now, FATIMA, "ar")
    waits(database, fatima, now)
    receives(database, THURSDAY, time(9), time(12))
    moment = paris(3, 8)
    for says_no in (False, False, True, False, False):
        post.at(moment)
        moment += timedelta(minutes=5 if says_no else 121)
        if says_no:
            declines(database, fatima, moment)
    post.at(moment)
    assert answers(database, fatima) == ["lapsed", "lapsed", "declined", "lapsed", "lapsed", "offered"]
    assert wish(database, fatima) == ["waiting"]


# --- taking something else meanwhile ------------------------------------------------------------------------


def test_another_hour_chosen_lets_the_offer_go_to_the_next(
    database: Database, now: datetime, post: Post
) -> None:
    fatima, amina = ask(database, now, FATIMA, "ar"), ask(database, now, BY_TEXT)
    waits(database, fatima, now, modes=(Mode.HERE,))
    waits(database, amina, now + timedelta(minutes=1), modes=(Mode.HERE,))
    receives(database, THURSDAY, time(9), time(9, 30))
    receives(database, FRIDAY, time(9), time(9, 30), mode=Mode.PHONE)
    post.at(now)
    with as_citizen(database, fatima) as session, session.begin():
        held = booking.hold(session, fatima.id, Search(), Choice(paris(6, 9), Mode.PHONE, None), now)
        booking.confirm(session, fatima.id, held.id, now, phone=FATIMA_PHONE)
    assert answers(database, fatima) == ["declined"]
    assert acts(database, fatima) == ["offered", "offer_declined", "booked"]
    assert wish(database, fatima) == ["served"]
    post.at(now + timedelta(minutes=1))
    assert answers(database, amina) == ["offered"]


def test_the_offered_hour_chosen_by_hand_stays_held_as_long_as_said(
    database: Database, now: datetime, post: Post
) -> None:
    fatima = ask(database, now, FATIMA, "ar")
    waits(database, fatima, now)
    receives(database, THURSDAY, time(9), time(9, 30))
    post.at(now)
    with as_citizen(database, fatima) as session, session.begin():
        held = booking.hold(session, fatima.id, Search(), Choice(NINE, Mode.HERE, "mds-poitiers"), now)
        assert held.held_until == now + timedelta(hours=2)
        booking.confirm(session, fatima.id, held.id, now + timedelta(minutes=90), phone=None)
    assert answers(database, fatima) == ["accepted"]


def test_an_agent_who_books_something_else_frees_it(database: Database, now: datetime, post: Post) -> None:
    fatima = ask(database, now, FATIMA, "ar")
    waits(database, fatima, now)
    receives(database, THURSDAY, time(9), time(10))
    post.at(now)
    with transaction(database.backoffice) as session:
        agent, request = session.get_one(Agent, NADIA.id), session.get_one(Request, fatima.id)
        found = slots.find(session, counter.wanted([PAUL.id], "first"), now, now, most=1)
        assert found[0].start == NINE + timedelta(minutes=30)
        counter.book(session, agent, request, found[0], now)
    assert (answers(database, fatima), wish(database, fatima)) == (["declined"], ["served"])
    assert [one.start for one in appointments_of(database)] == [NINE + timedelta(minutes=30)]


def test_leaving_the_list_leaves_the_offer(database: Database, now: datetime, post: Post) -> None:
    fatima = ask(database, now, FATIMA, "ar")
    waits(database, fatima, now)
    receives(database, THURSDAY, time(9), time(9, 30))
    post.at(now)
    with as_citizen(database, fatima) as session, session.begin():
        booking.stop_waiting(session, fatima.id, now)
    assert (answers(database, fatima), wish(database, fatima)) == (["declined"], ["withdrawn"])
    assert appointments_of(database) == []


# --- at the same time ---------------------------------------------------------------------------------------


def test_a_hold_swept_away_by_the_next_one_is_still_noted_as_lapsed(
    database: Database, now: datetime, post: Post
) -> None:
    """The two hours are over, the worker was away, and somebody else takes the slot."""
    then = datetime(2025, 11, 4, 10, tzinfo=PARIS)
    fatima, moreau = ask(database, then, FATIMA, "ar"), ask(database, then)
    receives(database, date(2025, 11, 6), time(9), time(9, 30))
    waits(database, fatima, then)
    post.at(then)
    late = then + timedelta(hours=3)
    with as_citizen(database, moreau) as session, session.begin():
        choice = Choice(datetime(2025, 11, 6, 9, tzinfo=PARIS), Mode.HERE, "mds-poitiers")
        booking.hold(session, moreau.id, Search(), choice, late)
    assert [one.appointment_id for one in offers_of(database, fatima)] == [None]
    post.at(late)
    assert answers(database, fatima) == ["lapsed"]


def crowd(database: Database, now: datetime, count: int) -> list[Asked]:
    people = [
        ask(database, now, replace(BY_TEXT, sms_number=f"+336399802{number:02}")) for number in range(count)
    ]
    for number, one in enumerate(people):
        waits(database, one, now + timedelta(seconds=number))
    return people


def all_at_once(*doings: object) -> list[BaseException]:
    """Run functions in as many threads, from one barrier; returns what they raised."""
    barrier, raised = threading.Barrier(len(doings)), []

    def run(doing: object) -> None:
        barrier.wait(30)
        try:
            doing()  # type: ignore[operator]
        except BaseException as error:
            raised.append(error)

    threads = [threading.Thread(target=run, args=(doing,)) for doing in doings]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return raised


def test_several_workers_at_once_offer_each_slot_once_and_each_person_one(
    database: Database, now: datetime, post: Post
) -> None:
    people = crowd(database, now, 10)
    receives(database, THURSDAY, time(9), time(11))
    engines = [connect(database.urls[2]) for _ in range(4)]
    raised = all_at_once(
        *[lambda engine=engine: rounds.offer_slots(engine, post.settings, now) for engine in engines]
    )
    for engine in engines:
        engine.dispose()
    assert raised == []
    assert [len(offers_of(database, one)) for one in people] == [1] * 4 + [0] * 6, "in order"
    held = appointments_of(database)
    assert sorted(one.start for one in held) == [NINE + timedelta(minutes=30 * step) for step in range(4)]


def test_even_without_the_lock_on_the_list_the_rows_hold(database: Database, now: datetime) -> None:
    """Eight people at the same slot, and the same person eight times: the database lets one of them through."""
    people = crowd(database, now, 8)
    receives(database, THURSDAY, time(9), time(9, 30))
    with transaction(database.backoffice) as session:
        in_turn = turns.in_turn(session, now, 0)
    assert [turn.request_id for turn in in_turn] == [one.id for one in people]

    def give(turn: turns.Turn) -> None:
        with transaction(database.backoffice) as session:
            turns.offer(session, turn, turns.Looked(session, [turn], now).slots(turn), now)

    assert all_at_once(*[lambda turn=turn: give(turn) for turn in in_turn]) == []
    assert len([one for one in people if offers_of(database, one)]) == 1
    assert len(appointments_of(database)) == 1
    lucky = next(turn for turn in in_turn if offers_of(database, Asked(turn.request_id, "")))
    receives(database, FRIDAY, time(9), time(12))
    assert all_at_once(*[lambda: give(lucky)] * 8) == []
    assert len(offers_of(database, Asked(lucky.request_id, ""))) == 1


@pytest.mark.parametrize("try_number", range(3))
def test_yes_and_the_end_of_the_two_hours_at_once_are_one_of_them(
    database: Database, now: datetime, post: Post, try_number: int
) -> None:
    fatima = ask(database, now, FATIMA, "ar")
    waits(database, fatima, now)
    receives(database, THURSDAY, time(9), time(9, 30))
    post.at(now)
    end = now + timedelta(hours=2)
    raised = all_at_once(
        lambda: accepts(database, fatima, end),
        lambda: rounds.note_lapsed(database.backoffice, end + timedelta(seconds=1)),
    )
    assert [type(error) for error in raised] in ([], [appointments.HoldExpiredError], [AssertionError])
    (state,) = answers(database, fatima)
    expected = {"accepted": ["booked"], "lapsed": []}[state]
    assert [one.state.value for one in appointments_of(database)] == expected
    assert bool(raised) == (state == "lapsed")


def test_the_database_refuses_a_second_offer_of_the_same_slot_to_the_same_person(
    database: Database, now: datetime, post: Post
) -> None:
    fatima = ask(database, now, FATIMA, "ar")
    waits(database, fatima, now)
    receives(database, THURSDAY, time(9), time(9, 30))
    post.at(now)
    (first,) = offers_of(database, fatima)
    values = {column.key: getattr(first, column.key) for column in SlotOffer.__table__.columns}
    again = SlotOffer(**values | {"id": UUID(int=1), "state": Answer.LAPSED, "appointment_id": None})
    with Session(database.owner) as session:
        session.add(again)
        with pytest.raises(IntegrityError, match="slot_offers_once_idx"):
            session.flush()


def test_an_opening_dropped_meanwhile_is_not_offered(database: Database, now: datetime) -> None:
    fatima = ask(database, now, FATIMA, "ar")
    waits(database, fatima, now)
    opening = receives(database, THURSDAY, time(9), time(9, 30))
    with transaction(database.backoffice) as session:
        (turn,) = turns.in_turn(session, now, 0)
        found = turns.Looked(session, [turn], now).slots(turn)
        session.get_one(Opening, opening).dropped = True
        session.flush()
        assert turns.offer(session, turn, found, now) is None
