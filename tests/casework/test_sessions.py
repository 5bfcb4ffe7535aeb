"""Group sessions: a seat is one person's, a family comes together or not at all, who waits comes in order."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, time, timedelta
from threading import Barrier
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from casework import counter, planning, sessions, sign_ups, slots
from casework.agenda import BusyTime
from casework.agents import Absence, Agent
from casework.database import transaction
from casework.requests import Request
from casework.sessions import (
    GroupSession,
    HouseShutError,
    LeaderAwayError,
    LeaderBusyError,
    NotYourSessionError,
    SeatsTakenError,
    SessionDayError,
    SessionOverError,
)
from casework.sign_ups import SignUpState, TooManyPeopleError, read_names
from tests.casework.asking import BY_MAIL, BY_TEXT, Asked, ask, journal_of
from tests.casework.gathering import THURSDAY, everybody, gather, held, is_sound, plan, seats_of
from tests.conftest import PARIS, Database
from tests.crash.processes import wait_until
from tests.people import LOUISE, MARC, NADIA, ODILE, PAUL, SARAH
from tests.portal.receiving import receives

pytestmark = pytest.mark.long


def signs_up(
    database: Database, asked: Asked, session_id: UUID, people: int, now: datetime, form: UUID | None = None
) -> str:
    """Nadia signs people of a request up."""
    with transaction(database.backoffice) as session:
        nadia = session.get_one(Agent, NADIA.id)
        return sign_ups.sign_up(session, nadia, session_id, asked.id, [""] * people, form or uuid4(), now)


def leaves(database: Database, asked: Asked, session_id: UUID, now: datetime, how_many: int = 8) -> int:
    """Nadia cancels the first people of a request."""
    ids = [
        one.id
        for one in everybody(database, session_id)
        if one.request_id == asked.id and one.state in ("signed", "waiting")
    ]
    with transaction(database.backoffice) as session:
        nadia = session.get_one(Agent, NADIA.id)
        return sign_ups.leave(session, nadia, session_id, asked.id, ids[:how_many], now)


def reseats(database: Database, session_id: UUID, seats: int, now: datetime) -> None:
    """Nadia changes the number of seats."""
    with transaction(database.backoffice) as session:
        one = session.get_one(GroupSession, session_id)
        sessions.change(session, session.get_one(Agent, NADIA.id), one, replace(plan(), seats=seats), now)


def states(database: Database, session_id: UUID, asked: Asked) -> list[str]:
    return [one.state.value for one in everybody(database, session_id) if one.request_id == asked.id]


@pytest.fixture
def amina(database: Database, now: datetime) -> Asked:
    return ask(database, now, BY_TEXT)


@pytest.fixture
def marcel(database: Database, now: datetime) -> Asked:
    return ask(database, now, BY_MAIL)


def test_a_family_gets_its_seats_together_or_waits_together(
    database: Database, now: datetime, amina: Asked, marcel: Asked
) -> None:
    session_id = gather(database, now, plan(seats=5))
    assert signs_up(database, amina, session_id, 3, now) == "signed"
    assert signs_up(database, marcel, session_id, 3, now) == "waiting"
    assert seats_of(database, session_id) == [1, 2, 3], "two seats are free, and no third of a family"
    leaves(database, amina, session_id, now, 1)
    assert states(database, session_id, marcel) == ["signed"] * 3
    assert [one for one, _ in journal_of(database, marcel.id)][-1] == "signed_up"
    is_sound(database, session_id)


def test_a_family_too_big_for_what_is_free_is_passed_and_keeps_its_turn(
    database: Database, now: datetime, amina: Asked, marcel: Asked
) -> None:
    session_id = gather(database, now, plan(seats=4))
    louise = ask(database, now)
    signs_up(database, louise, session_id, 4, now)
    signs_up(database, amina, session_id, 3, now)
    signs_up(database, marcel, session_id, 1, now)
    leaves(database, louise, session_id, now, 1)
    assert (states(database, session_id, amina), states(database, session_id, marcel)) == (
        ["waiting"] * 3, ["signed"],
    )  # fmt: skip
    leaves(database, louise, session_id, now, 3)
    assert states(database, session_id, amina) == ["signed"] * 3


def test_a_smaller_family_may_fit(database: Database, now: datetime, amina: Asked, marcel: Asked) -> None:
    session_id = gather(database, now, plan(seats=4))
    signs_up(database, amina, session_id, 2, now)
    assert signs_up(database, marcel, session_id, 3, now) == "waiting"
    leaves(database, marcel, session_id, now, 1)
    assert states(database, session_id, marcel) == ["cancelled", "signed", "signed"]


def test_the_same_form_twice_at_once_is_one_session(database: Database, now: datetime) -> None:
    key = uuid4()

    def makes() -> UUID:
        with transaction(database.backoffice) as session:
            return sessions.make(session, session.get_one(Agent, NADIA.id), key, plan(), now).id

    def somebody_waits() -> bool:
        with database.owner.connect() as connection:
            waits = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
            return bool(connection.scalar(text(waits)))

    with ThreadPoolExecutor(1) as second:
        with transaction(database.backoffice) as first:
            made = sessions.make(first, first.get_one(Agent, NADIA.id), key, plan(), now).id
            tapped = second.submit(makes)
            wait_until(somebody_waits, "the second tap to wait")
        assert tapped.result(timeout=20) == made == key
    with transaction(database.backoffice) as session:
        assert list(session.scalars(select(GroupSession.id))) == [key]


def test_the_same_form_twice_is_one_sign_up(database: Database, now: datetime, amina: Asked) -> None:
    session_id, form = gather(database, now), uuid4()
    assert [signs_up(database, amina, session_id, 2, now, form) for _ in range(2)] == ["signed", "signed"]
    assert len(everybody(database, session_id)) == 2
    assert [action for action, _ in journal_of(database, amina.id)].count("signed_up") == 1


def test_one_request_takes_eight_seats_at_most(database: Database, now: datetime, amina: Asked) -> None:
    session_id = gather(database, now)
    for people in (0, 9):
        with pytest.raises(TooManyPeopleError):
            signs_up(database, amina, session_id, people, now)
    signs_up(database, amina, session_id, 6, now)
    with pytest.raises(TooManyPeopleError):
        signs_up(database, amina, session_id, 3, now)
    leaves(database, amina, session_id, now, 1)
    signs_up(database, amina, session_id, 3, now)


def test_seats_are_added_and_taken_away_but_never_under_somebody(
    database: Database, now: datetime, amina: Asked, marcel: Asked
) -> None:
    session_id = gather(database, now, plan(seats=3))
    signs_up(database, amina, session_id, 3, now)
    signs_up(database, marcel, session_id, 2, now)
    with pytest.raises(SeatsTakenError) as caught:
        reseats(database, session_id, 2, now)
    assert caught.value.taken == 3
    reseats(database, session_id, 5, now)
    assert states(database, session_id, marcel) == ["signed", "signed"], "the seats added went to who waited"
    leaves(database, amina, session_id, now)
    reseats(database, session_id, 2, now)
    assert (seats_of(database, session_id), held(database, session_id).seats) == ([4, 5], 2)
    reseats(database, session_id, 4, now)
    is_sound(database, session_id)


def test_the_database_sells_no_seat_twice_whatever_the_code_believes(
    database: Database, now: datetime, amina: Asked
) -> None:
    session_id = gather(database, now, plan(seats=2))
    signs_up(database, amina, session_id, 1, now)
    forged = (
        "INSERT INTO sign_ups (id, session_id, request_id, group_id, name, seat, state, made_at) "
        "VALUES (gen_random_uuid(), :session, :request, gen_random_uuid(), '', :seat, :state, now())"
    )
    for seat, state in ((1, "signed"), (1, "came"), (3, "signed"), (None, "signed"), (2, "waiting")):
        values = {"session": session_id, "request": amina.id, "seat": seat, "state": state}
        with database.owner.connect() as connection, pytest.raises(IntegrityError):
            connection.execute(text(forged), values)


@pytest.mark.parametrize("seed", range(6))
def test_whatever_happens_nobody_is_sold_anothers_seat_and_nobody_is_forgotten(
    database: Database, now: datetime, seed: int
) -> None:
    """Random sign-ups, cancellations and changes of seats, against a slow and obvious list on paper."""
    rng = random.Random(seed)
    people = [ask(database, now) for _ in range(5)]
    seats = rng.randint(1, 6)
    session_id = gather(database, now, plan(seats=seats))
    paper: list[dict[str, object]] = []  # a line a form, in order: who, how many, seated or not

    def fill() -> None:
        for form in paper:
            free = seats - sum(int(str(one["size"])) for one in paper if one["seated"])
            if not form["seated"] and int(str(form["size"])) <= free:
                form["seated"] = True

    for _ in range(25):
        who = rng.choice(people)
        act = rng.random()
        mine = [form for form in paper if form["who"] == who.id]
        if act < 0.55:
            size = rng.randint(1, 4)
            if size + sum(int(str(form["size"])) for form in mine) <= sessions.MOST_PEOPLE:
                paper.append({"who": who.id, "size": size, "seated": False})
                fill()
                said = signs_up(database, who, session_id, size, now)
                assert said == ("signed" if paper[-1]["seated"] else "waiting")
        elif act < 0.85 and mine:
            gone = rng.randint(1, int(str(mine[0]["size"])))
            leaves(database, who, session_id, now, gone)
            mine[0]["size"] = int(str(mine[0]["size"])) - gone
            paper = [form for form in paper if form["size"]]
            fill()
        else:
            taken = sum(int(str(form["size"])) for form in paper if form["seated"])
            seats = rng.randint(max(1, taken), taken + 4)
            reseats(database, session_id, seats, now)
            fill()
        is_sound(database, session_id)
        for one in people:
            standing = states(database, session_id, one)
            for seated, state in ((True, "signed"), (False, "waiting")):
                wanted = sum(
                    int(str(form["size"]))
                    for form in paper
                    if form["who"] == one.id and form["seated"] is seated
                )
                assert standing.count(state) == wanted


def test_forty_race_for_twenty_seats(database: Database, now: datetime) -> None:
    session_id = gather(database, now, plan(seats=20))
    racers = [ask(database, now) for _ in range(40)]
    together = Barrier(8)

    def race(place: int) -> str:
        if place < 8:
            together.wait(10)
        return signs_up(database, racers[place], session_id, 1, now)

    with ThreadPoolExecutor(8) as pool:
        said = list(pool.map(race, range(40)))
    assert (said.count("signed"), said.count("waiting")) == (20, 20)
    assert seats_of(database, session_id) == list(range(1, 21))


def test_families_race_while_others_cancel_and_seats_are_added(database: Database, now: datetime) -> None:
    session_id = gather(database, now, plan(seats=6))
    first = [ask(database, now) for _ in range(3)]
    racers = [ask(database, now) for _ in range(8)]
    for one in first:
        signs_up(database, one, session_id, 2, now)
    acts: list[Callable[[], object]] = [
        *(lambda one=one: leaves(database, one, session_id, now) for one in first),
        *(lambda one=one, size=size: signs_up(database, one, session_id, 1 + size % 4, now)
          for size, one in enumerate(racers)),
        lambda: reseats(database, session_id, 9, now),
    ]  # fmt: skip
    together = Barrier(len(acts))

    def run(act: int) -> None:
        together.wait(20)
        acts[act]()

    with ThreadPoolExecutor(len(acts)) as pool:
        list(pool.map(run, range(len(acts))))
    is_sound(database, session_id)
    assert held(database, session_id).seats == 9


# --- whoever leads it -----------------------------------------------------------------------------------


def test_its_leader_is_busy_then_and_the_week_says_so(database: Database, now: datetime) -> None:
    receives(database, THURSDAY, time(14), time(17), who=LOUISE)
    session_id = gather(database, now)
    with transaction(database.backoffice) as session:
        free = slots.find(session, counter.wanted([LOUISE.id], "first"), now, now)
        assert [f"{slot.start.astimezone(PARIS):%H:%M}" for slot in free] == ["16:00", "16:30"]
        louise = session.get_one(Agent, LOUISE.id)
        week = planning.week(session, louise, THURSDAY - timedelta(days=3), now)
        assert [[one.id for one in day.sessions] for day in week] == [[], [], [], [session_id], [], [], []]
        assert [day.busy for day in week] == [[]] * 7, "shown once"
        day = planning.house_day(session, "poitiers", THURSDAY, now)
        assert [one.id for one in day.sessions] == [session_id]
        sessions.cancel(session, louise, session.get_one(GroupSession, session_id), "Malade", now)
        assert len(slots.find(session, counter.wanted([LOUISE.id], "first"), now, now)) == 6


def test_no_session_is_made_over_something_else(database: Database, now: datetime, amina: Asked) -> None:
    receives(database, THURSDAY, time(13), time(15), who=LOUISE)
    with transaction(database.backoffice) as session:
        slot = slots.find(session, counter.wanted([LOUISE.id], "first"), now, now)[3]
        nadia = session.get_one(Agent, NADIA.id)
        counter.book(session, nadia, session.get_one(Request, amina.id), slot, now)
    with pytest.raises(LeaderBusyError) as caught:
        gather(database, now)
    assert f"{caught.value.start.astimezone(PARIS):%H:%M}" == "14:30"
    gather(database, now, plan(start=time(15)))
    with pytest.raises(LeaderBusyError):
        gather(database, now, plan(start=time(15, 30), end=time(17)))
    gather(database, now, plan(who=PAUL))


def test_no_session_is_made_when_its_leader_is_away_or_the_house_is_shut(
    database: Database, now: datetime
) -> None:
    with transaction(database.backoffice) as session:
        session.add(Absence(agent_id=LOUISE.id, first_day=THURSDAY, last_day=THURSDAY))
    with pytest.raises(LeaderAwayError):
        gather(database, now)
    with transaction(database.owner) as session:
        session.execute(text("DELETE FROM absences"))
        session.execute(
            text(
                "INSERT INTO closures (during, reason) VALUES (tstzrange(:from, :from + interval '1 day'), 'Pont')"
            ),
            {"from": datetime.combine(THURSDAY, time(0), PARIS)},
        )
    with pytest.raises(HouseShutError):
        gather(database, now)


@pytest.mark.parametrize(("days", "end"), [(-10, time(16)), (400, time(16))])
def test_a_session_is_to_come_within_a_year(database: Database, now: datetime, days: int, end: time) -> None:
    with pytest.raises(SessionDayError):
        gather(database, now, plan(THURSDAY + timedelta(days=days), end=end))


def test_agents_change_what_their_agenda_rights_let_them(database: Database, now: datetime) -> None:
    gather(database, now, by=LOUISE)
    gather(database, now, plan(start=time(9), end=time(10)), by=MARC)
    for stranger in (SARAH, ODILE):
        with pytest.raises(NotYourSessionError):
            gather(database, now, plan(start=time(17), end=time(18)), by=stranger)
    with pytest.raises(NotYourSessionError):
        gather(database, now, plan(start=time(17), end=time(18), place="mds-loudun"))


def test_a_change_moves_the_busy_time_and_only_another_hour_or_place_is_news(
    database: Database, now: datetime
) -> None:
    session_id = gather(database, now)
    for wanted, version in (
        (plan(title="Lire mes factures"), 1), (plan(start=time(15)), 2),
        (plan(start=time(15), place="vouille-mairie"), 3),
        (plan(start=time(15), place="vouille-mairie", who=PAUL), 3),
    ):  # fmt: skip
        with transaction(database.backoffice) as session:
            one = session.get_one(GroupSession, session_id)
            sessions.change(session, session.get_one(Agent, NADIA.id), one, wanted, now)
            assert one.version == version
            busy = session.scalars(select(BusyTime)).one()
            assert (busy.agent_id, busy.during) == (wanted.led_by, wanted.during)


def test_a_cancelled_session_takes_nobody_and_changes_no_more(
    database: Database, now: datetime, amina: Asked
) -> None:
    session_id = gather(database, now)
    signs_up(database, amina, session_id, 1, now)
    for _ in range(2):
        with transaction(database.backoffice) as session:
            one = session.get_one(GroupSession, session_id)
            sessions.cancel(session, session.get_one(Agent, NADIA.id), one, "Salle inondée", now)
    assert held(database, session_id).cancelled_because == "Salle inondée"
    assert states(database, session_id, amina) == ["signed"], "whom it concerned"
    with pytest.raises(SessionOverError):
        signs_up(database, amina, session_id, 1, now)
    with pytest.raises(SessionOverError):
        reseats(database, session_id, 30, now)


def test_once_begun_nobody_signs_up_nor_leaves(database: Database, now: datetime, amina: Asked) -> None:
    session_id = gather(database, now)
    signs_up(database, amina, session_id, 1, now)
    begun = held(database, session_id).start
    with pytest.raises(SessionOverError):
        signs_up(database, amina, session_id, 1, begun)
    assert leaves(database, amina, session_id, begun) == 0


# --- who came -------------------------------------------------------------------------------------------


def test_who_came_is_noted_from_an_hour_before_and_a_slip_is_set_right(
    database: Database, now: datetime, amina: Asked
) -> None:
    session_id = gather(database, now)
    signs_up(database, amina, session_id, 1, now)
    begins, one = held(database, session_id).start, everybody(database, session_id)[0]

    def mark(how: SignUpState, moment: datetime) -> None:
        with transaction(database.backoffice) as session:
            sign_ups.mark(session, session.get_one(Agent, LOUISE.id), one.id, how, moment)

    with pytest.raises(SessionOverError):
        mark(SignUpState.CAME, begins - timedelta(hours=2))
    for how in (SignUpState.MISSED, SignUpState.CAME, SignUpState.CAME):
        mark(how, begins - timedelta(minutes=50))
    assert states(database, session_id, amina) == ["came"]
    assert [details["how"] for action, details in journal_of(database, amina.id) if action == "attended"] == [
        "missed", "came",
    ]  # fmt: skip
    with pytest.raises(SessionOverError):
        mark(SignUpState.WAITING, begins)


@pytest.mark.parametrize(
    ("typed", "people", "names"),
    [
        ("", 2, ["", ""]), ("Amina", 2, ["Amina", ""]), ("Amina, Karim et Lina", 3, ["Amina", "Karim", "Lina"]),
        ("أمينة، كريم", 2, ["أمينة", "كريم"]), ("Amina\nKarim;", 2, ["Amina", "Karim"]),
    ],
)  # fmt: skip
def test_names_as_people_type_them(typed: str, people: int, names: list[str]) -> None:
    assert read_names(typed, people) == names


def test_more_names_than_people_is_a_mistake() -> None:
    with pytest.raises(TooManyPeopleError):
        read_names("Amina, Karim", 1)
