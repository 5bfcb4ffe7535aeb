"""Who may come into a call, and what two pages may say to each other through us."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from casework import access, rooms, worker
from casework.database import transaction
from casework.rooms import Caller, CallSignal, CallTicket
from casework.settings import SettingsError
from casework.talks import TalkPerson, TalkState
from tests.casework.asking import worker_settings
from tests.casework.talking import Talking, set_state, talk_under_way
from tests.conftest import Database
from tests.people import LOUISE, PAUL

OFFER = {"kind": "offer", "body": {"sdp": "v=0\r\n"}}


@pytest.fixture
def talking(database: Database, now: datetime) -> Talking:
    """Amina and Paul talk."""
    return talk_under_way(database, now)


Opens = Callable[..., Any]


class Seat:
    """Somebody who sits in a call, through the database's role that would act for them."""

    def __init__(
        self, database: Database, talking: Talking, *, secret: str = "", agent: int | None = None
    ) -> None:
        self.database, self.secret = database, secret
        self.caller = Caller(talking.id, "this browser", agent)
        self.number = 0

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A page's session of theirs."""
        if self.caller.agent_id is not None:
            with transaction(self.database.backoffice) as session:
                yield session
        else:
            hashed = access.link_hash(self.database.access_key, self.secret)
            with Session(self.database.portal, info={"secret_hash": hashed}) as session, session.begin():
                yield session

    def ticket(self, now: datetime) -> str:
        """Ask for one."""
        with self.session() as session:
            return rooms.ask_ticket(session, self.caller, now)

    def uses(self, ticket: str, now: datetime, **changes: Any) -> dict[str, Any]:
        """Come in with it."""
        with self.session() as session:
            told = rooms.enter(session, replace(self.caller, **changes), ticket, now)
        self.number = told["seat"]
        return told

    def sits_down(self, now: datetime) -> dict[str, Any]:
        """Ask and come in."""
        return self.uses(self.ticket(now), now)

    def says(
        self, now: datetime, *signals: dict[str, Any], heard: list[int] | None = None, **changes: Any
    ) -> dict[str, Any]:
        """Say this much, and hear what there is."""
        with self.session() as session:
            said = {"seat": self.number, "heard": heard or [], "signals": list(signals)}
            return rooms.exchange(session, replace(self.caller, **changes), said, now)


@pytest.fixture
def amina(database: Database, talking: Talking) -> Seat:
    """The citizen."""
    return Seat(database, talking, secret=talking.secret)


@pytest.fixture
def paul(database: Database, talking: Talking) -> Seat:
    """The agent who leads the talk."""
    return Seat(database, talking, agent=PAUL.id)


def test_two_sit_down_and_hear_each_other_in_order(amina: Seat, paul: Seat, now: datetime) -> None:
    assert amina.sits_down(now)["people"] == []
    assert paul.sits_down(now)["people"] == [{"seat": amina.number, "name": "Amina", "part": "citizen"}]
    told = paul.says(now, OFFER | {"to": amina.number}, candidate(amina.number))
    assert told["signals"] == []
    heard = amina.says(now)
    assert [(one["from"], one["kind"]) for one in heard["signals"]] == [
        (paul.number, "offer"),
        (paul.number, "candidate"),
    ]
    assert heard["people"] == [{"seat": paul.number, "name": "Paul Petit", "part": "agent"}]
    again = amina.says(now)["signals"]
    assert again == heard["signals"], "an answer that was lost is told again"
    assert amina.says(now, heard=[one["id"] for one in again])["signals"] == []


def candidate(to: int) -> dict[str, Any]:
    """A candidate as a browser writes it."""
    body = {
        "candidate": "candidate:1 1 udp 1 192.0.2.1 9 typ host", "sdpMid": "0", "sdpMLineIndex": 0,
        "usernameFragment": "abcd",
    }  # fmt: skip
    return {"to": to, "kind": "candidate", "body": body}


def test_a_ticket_opens_once(amina: Seat, now: datetime) -> None:
    ticket = amina.ticket(now)
    amina.uses(ticket, now)
    with pytest.raises(rooms.NoCallError):
        amina.uses(ticket, now)


def test_a_ticket_is_old_after_half_a_minute(amina: Seat, now: datetime) -> None:
    ticket = amina.ticket(now)
    with pytest.raises(rooms.NoCallError):
        amina.uses(ticket, now + timedelta(seconds=31))


def test_a_ticket_and_a_seat_are_the_browsers_that_asked(amina: Seat, now: datetime) -> None:
    ticket = amina.ticket(now)
    with pytest.raises(rooms.NoCallError):
        amina.uses(ticket, now, browser="another browser")
    amina.uses(ticket, now)
    with pytest.raises(rooms.NoCallError):
        amina.says(now, browser="another browser")


def test_anothers_ticket_opens_nothing(amina: Seat, paul: Seat, now: datetime) -> None:
    with pytest.raises(rooms.NoCallError):
        amina.uses(paul.ticket(now), now)


def test_a_stranger_gets_nothing(database: Database, talking: Talking, now: datetime) -> None:
    elsewhere = talk_under_way(database, now, name="Marcel", who=LOUISE)
    for stranger in (
        Seat(database, talking, secret="a secret that opens nothing"),
        Seat(database, talking, secret=elsewhere.secret),
        Seat(database, talking, agent=LOUISE.id),
    ):
        with pytest.raises(rooms.NoCallError):
            stranger.ticket(now)
        with stranger.session() as session, pytest.raises(rooms.NoCallError):
            rooms.stands(session, stranger.caller)


def test_an_agent_who_left_the_talk_sits_there_no_more(
    amina: Seat, paul: Seat, database: Database, now: datetime
) -> None:
    amina.sits_down(now)
    paul.sits_down(now)
    with transaction(database.owner) as session:
        session.execute(update(TalkPerson).where(TalkPerson.agent_id == PAUL.id).values(left_at=now))
    assert amina.says(now)["people"] == []
    with pytest.raises(rooms.NoCallError):
        paul.says(now)


def test_the_newest_seat_of_a_person_is_the_only_one(
    amina: Seat, paul: Seat, database: Database, talking: Talking, now: datetime
) -> None:
    amina.sits_down(now)
    paul.sits_down(now)
    second_tab = Seat(database, talking, secret=talking.secret)
    second_tab.sits_down(now)
    assert [one["seat"] for one in paul.says(now)["people"]] == [second_tab.number]
    with pytest.raises(rooms.ElsewhereError):
        amina.says(now)


def test_the_third_comes_in_with_their_own_link(
    amina: Seat, paul: Seat, database: Database, talking: Talking, now: datetime
) -> None:
    amina.sits_down(now)
    paul.sits_down(now)
    yasmin = Seat(database, talking, secret=talking.third_secret)
    assert [one["name"] for one in yasmin.sits_down(now)["people"]] == ["Amina", "Paul Petit"]


def test_on_hold_nobody_speaks_and_the_end_closes_everything(
    amina: Seat, paul: Seat, database: Database, talking: Talking, now: datetime
) -> None:
    amina.sits_down(now)
    paul.sits_down(now)
    ticket = amina.ticket(now)
    set_state(database, talking, TalkState.ON_HOLD, now)
    with pytest.raises(rooms.HeldError):
        paul.says(now)
    set_state(database, talking, TalkState.OPEN, now)
    paul.says(now, OFFER | {"to": amina.number})
    set_state(database, talking, TalkState.ENDED, now)
    with transaction(database.backoffice) as session:
        rooms.close(session, talking.id, now)
        assert session.scalar(select(func.count()).select_from(CallSignal)) == 0
    for refused in (lambda: amina.uses(ticket, now), lambda: paul.says(now), lambda: amina.ticket(now)):
        with pytest.raises(rooms.NoCallError):
            refused()


def test_who_gives_no_sign_for_long_needs_another_seat(amina: Seat, paul: Seat, now: datetime) -> None:
    amina.sits_down(now)
    later = now + timedelta(seconds=50)
    assert paul.sits_down(later)["people"] == []
    with pytest.raises(rooms.SeatGoneError):
        amina.says(later)
    amina.sits_down(later)
    assert [one["name"] for one in paul.says(later)["people"]] == ["Amina"]


def test_who_leaves_is_gone_at_once(amina: Seat, paul: Seat, now: datetime) -> None:
    amina.sits_down(now)
    paul.sits_down(now)
    with paul.session() as session:
        rooms.leave(session, paul.caller, amina.number, now)
    assert amina.says(now)["people"], "nobody leaves for another"
    with amina.session() as session:
        rooms.leave(session, amina.caller, amina.number, now)
    assert paul.says(now)["people"] == []
    with pytest.raises(rooms.SeatGoneError):
        amina.says(now)


def test_tickets_and_signals_are_counted(amina: Seat, paul: Seat, now: datetime) -> None:
    amina.sits_down(now)
    paul.sits_down(now)
    mute = {"to": amina.number, "kind": "mute", "body": {"audio": True, "video": False}}
    for _ in range(10):
        paul.says(now, *[mute] * 40)
    with pytest.raises(rooms.TooOftenError):
        paul.says(now, mute)
    later = now + timedelta(minutes=1)
    assert paul.says(now)["people"], "hearing is not limited"
    amina.says(now + timedelta(seconds=30))
    paul.says(now + timedelta(seconds=30))
    paul.says(later, mute)
    for _ in range(11):
        amina.ticket(now)
    with pytest.raises(rooms.TooOftenError):
        amina.ticket(now)


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "chat", "body": {"words": "bonjour"}, "to": 1},
        {"kind": "offer", "body": {"sdp": "v" * 16_001}, "to": 1},
        {"kind": "offer", "body": {"sdp": 5}, "to": 1},
        {"kind": "offer", "body": "v=0", "to": 1},
        {"kind": "mute", "body": {"audio": "yes", "video": True}, "to": 1},
        {"kind": "candidate", "body": {"candidate": "x\0y"}, "to": 1},
        {"kind": "mute", "body": {"audio": True, "video": True}, "to": "1"},
        {"kind": "mute", "body": {"audio": True, "video": True}},
        ["offer"],
    ],
)
def test_anything_else_is_no_signal(wrong: Any) -> None:
    with pytest.raises(rooms.WrongSignalError):
        rooms.read({"seat": 1, "heard": [], "signals": [wrong]})


@pytest.mark.parametrize(
    "wrong", [None, [], {}, {"seat": 1, "heard": [], "signals": {}}, {"seat": True, "heard": [], "signals": []},
              {"seat": 1, "heard": ["1"], "signals": []}, {"seat": 2**63, "heard": [], "signals": []}],
)  # fmt: skip
def test_anything_else_is_no_exchange(wrong: Any) -> None:
    with pytest.raises(rooms.WrongSignalError):
        rooms.read(wrong)


def test_what_a_signal_does_not_need_is_not_passed_on() -> None:
    extra = {"to": 1, "kind": "mute", "body": {"audio": True, "video": True, "words": "bonjour"}, "more": 1}
    assert rooms.read({"seat": 1, "heard": [], "signals": [extra]})[2] == [
        {"to": 1, "kind": "mute", "body": {"audio": True, "video": True}}
    ]


def test_a_portal_in_wrong_hands_sits_nowhere(amina: Seat, paul: Seat, now: datetime) -> None:
    """It reads no table of calls, and may not call the functions that take a person."""
    paul.sits_down(now)
    for statement in (
        "SELECT * FROM call_tickets",
        "SELECT * FROM call_signals",
        "DELETE FROM call_signals",
        "SELECT call_ask(gen_random_uuid(), 'h', 'b', now())",
        "SELECT call_exchange(gen_random_uuid(), 1, 'b', '{}', '[]', now())",
        "SELECT call_others(1, now())",
        "SELECT call_told(1, now())",
    ):
        with pytest.raises(DBAPIError, match="permission denied"), amina.session() as session:
            session.execute(text(statement))


def test_the_sweep_forgets_what_is_over(
    amina: Seat, paul: Seat, database: Database, talking: Talking, now: datetime
) -> None:
    amina.sits_down(now)
    paul.sits_down(now)
    paul.says(now, OFFER | {"to": amina.number})
    worker.drain(worker_settings(database), lambda: now + timedelta(minutes=6))
    with transaction(database.owner) as session:
        assert session.scalar(select(func.count()).select_from(CallSignal)) == 0, "nobody came to hear it"
        assert session.scalar(select(func.count()).select_from(CallTicket)) == 2
    set_state(database, talking, TalkState.ENDED, now)
    worker.drain(worker_settings(database), lambda: now + timedelta(minutes=7))
    with transaction(database.owner) as session:
        assert session.scalar(select(func.count()).select_from(CallTicket)) == 0


def test_a_relays_password_is_as_coturn_reads_it(database: Database, now: datetime) -> None:
    settings = worker_settings(
        database, stun_urls=("stun:stun.example.org",), turn_urls=("turns:turn.example.org:443?transport=tcp",),
        turn_secret="the relay's secret", ice_policy="relay",
    )  # fmt: skip
    given = rooms.ice_of(settings, "42", now)
    relay = given["servers"][1]
    assert given["policy"] == "relay"
    assert given["servers"][0] == {"urls": ["stun:stun.example.org"]}
    assert relay["username"] == f"{int((now + timedelta(hours=4)).timestamp())}:42"
    expected = hmac.new(b"the relay's secret", relay["username"].encode(), hashlib.sha1).digest()
    assert base64.b64decode(relay["credential"]) == expected
    assert rooms.ice_of(worker_settings(database), "42", now) == {"servers": [], "policy": "all"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"stun_urls": ("stun.example.org",)},
        {"turn_urls": ("https://turn.example.org",), "turn_secret": "secret"},
        {"turn_urls": ("turn:turn.example.org",)},
        {"ice_policy": "relais"},
    ],
)
def test_a_way_that_no_browser_could_take_is_told_at_the_start(
    database: Database, wrong: dict[str, Any]
) -> None:
    with pytest.raises(SettingsError):
        rooms.check_ways(worker_settings(database, **wrong))
