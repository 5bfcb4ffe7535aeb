"""Who gets into a call over HTTP, by our own way or by a département's bridge; everybody else gets nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from backoffice.app import create as create_backoffice
from casework import access, bridges, worker
from casework.settings import Settings, SettingsError
from casework.talks import TalkState
from portal.app import create
from tests import compiled
from tests.backoffice.colleague import Colleague
from tests.bridge_servers import Jitsi, LiveKit, RefusedError
from tests.casework.asking import worker_settings
from tests.casework.talking import Talking, set_state, talk_under_way
from tests.clock import Clock
from tests.conftest import Database
from tests.people import LOUISE, PAUL
from tests.portal.person import Person
from tests.visitor import Visitor


@pytest.fixture
def talking(database: Database, now: datetime) -> Talking:
    """Amina and Paul talk."""
    return talk_under_way(database, now)


@dataclass
class Caller:
    """Somebody's browser, asking for calls as the page's script does."""

    visitor: Visitor
    token: str

    def asks(self, talk_id: UUID, what: str, body: Any = None, **more: Any) -> TestResponse:
        """One question."""
        sent = {"json": {} if body is None else body} | more
        return self.visitor.ask(
            "POST", f"/fr/appel/{talk_id}/{what}", headers={"X-CSRFToken": self.token}, **sent
        )

    def sits_down(self, talk_id: UUID) -> dict[str, Any]:
        """A ticket, and the seat it gives."""
        ticket = self.asks(talk_id, "billet")
        assert ticket.status_code == 200, ticket.status_code
        told: dict[str, Any] = self.asks(talk_id, "entrer", ticket.json).get_json()
        return told

    def bridge(self, talk_id: UUID) -> TestResponse:
        """The way to the département's bridge."""
        return self.visitor.ask("GET", f"/fr/appel/{talk_id}/pont")


def citizen(app: Flask, database: Database, secret: str = "") -> Caller:
    """A browser that came by a link; without `secret`, one that came by none."""
    person = Person(app)
    token = person.go("suivre").field("csrf_token")
    if secret:
        with person.client.session_transaction(base_url=person.origin) as held:
            held["opens"] = access.link_hash(database.access_key, secret)
    return Caller(person, token)


@pytest.fixture
def amina(portal: Flask, database: Database, talking: Talking) -> Caller:
    """Amina, who came by her visit's link."""
    return citizen(portal, database, talking.secret)


@pytest.fixture
def paul(backoffice: Flask) -> Caller:
    """Paul, signed in."""
    return agent(Colleague(backoffice, PAUL))


def agent(colleague: Colleague) -> Caller:
    """An agent's browser, signed in."""
    return Caller(colleague, colleague.signs_in().field("csrf_token"))


def test_two_faces_one_call(amina: Caller, paul: Caller, talking: Talking) -> None:
    hers = amina.sits_down(talking.id)
    assert hers["ice"] == {"servers": [], "policy": "all"}
    his = paul.sits_down(talking.id)
    assert [one["name"] for one in his["people"]] == ["Amina"]
    offer = {"to": hers["seat"], "kind": "offer", "body": {"sdp": "v=0"}}
    assert paul.asks(
        talking.id, "signaux", {"seat": his["seat"], "heard": [], "signals": [offer]}
    ).status_code == 200  # fmt: skip
    heard = amina.asks(talking.id, "signaux", {"seat": hers["seat"], "heard": [], "signals": []}).get_json()
    assert [one["body"] for one in heard["signals"]] == [{"sdp": "v=0"}]
    assert amina.asks(talking.id, "quitter", data={"seat": str(hers["seat"])}, json=None).status_code == 204
    told = paul.asks(talking.id, "signaux", {"seat": his["seat"], "heard": [], "signals": []}).get_json()
    assert told["people"] == []


def test_a_stranger_with_the_address_gets_nothing(
    portal: Flask, backoffice: Flask, database: Database, talking: Talking, amina: Caller, now: datetime
) -> None:
    seat = amina.sits_down(talking.id)["seat"]
    ticket = amina.asks(talking.id, "billet").json
    of_another_talk = talk_under_way(database, now, name="Marcel", who=LOUISE)
    strangers = [
        citizen(portal, database),
        citizen(portal, database, of_another_talk.secret),
        agent(Colleague(backoffice, LOUISE)),
    ]
    for stranger in strangers:
        for what, body in (
            ("billet", {}),
            ("entrer", ticket),
            ("signaux", {"seat": seat, "heard": [], "signals": []}),
        ):
            answer = stranger.asks(talking.id, what, body)
            assert (answer.status_code, answer.data) == (404, b""), what
        assert stranger.bridge(talking.id).status_code == 404
        assert stranger.asks(uuid4(), "billet").status_code == 404
    assert amina.asks(talking.id, "entrer", ticket).status_code == 200, "the ticket was nobody else's"


def test_a_ticket_is_good_once_for_half_a_minute_in_one_browser(
    portal: Flask, database: Database, talking: Talking, amina: Caller, clock: Clock
) -> None:
    ticket = amina.asks(talking.id, "billet").json
    same_link_elsewhere = citizen(portal, database, talking.secret)
    assert same_link_elsewhere.asks(talking.id, "entrer", ticket).status_code == 404
    assert amina.asks(talking.id, "entrer", ticket).status_code == 200
    assert amina.asks(talking.id, "entrer", ticket).status_code == 404
    old = amina.asks(talking.id, "billet").json
    clock.forward(seconds=31)
    assert amina.asks(talking.id, "entrer", old).status_code == 404


@pytest.mark.parametrize(
    ("what", "more", "code"),
    [
        ("entrer", {"json": {"ticket": 5}}, 400),
        ("entrer", {"json": []}, 400),
        ("entrer", {"json": None, "data": b"{", "content_type": "application/json"}, 400),
        ("signaux", {"json": {"seat": 1}}, 400),
        (
            "signaux",
            {"json": None, "data": b'{"seat": ' + b"1" * 300_000, "content_type": "application/json"},
            400,
        ),
        ("quitter", {"json": None, "data": {"seat": "-1"}}, 204),
    ],
)
def test_nonsense_is_refused_in_a_word(
    amina: Caller, talking: Talking, what: str, more: dict[str, Any], code: int
) -> None:
    answer = amina.asks(talking.id, what, **more)
    assert (answer.status_code, answer.data) == (code, b"")


def test_the_relays_password_is_given_with_a_seat_only(
    settings: Settings, clock: Clock, database: Database, talking: Talking
) -> None:
    relayed = replace(settings, turn_urls=("turn:turn.example.org",), turn_secret="the relay's secret")
    told = citizen(compiled.tested(create(relayed, clock)), database, talking.secret).sits_down(talking.id)
    server = told["ice"]["servers"][0]
    assert server["urls"] == ["turn:turn.example.org"]
    assert server["username"].endswith(f":{told['seat']}")
    assert "the relay's secret" not in str(told)


def with_bridge(settings: Settings, clock: Clock, **how: Any) -> Flask:
    """The portal, with that bridge."""
    return compiled.tested(create(replace(settings, **how), clock))


def way(answer: TestResponse) -> str:
    """Where a browser is sent."""
    assert answer.status_code == 303, answer.status_code
    return answer.headers["Location"]


def test_a_jitsi_opens_to_the_people_of_the_talk_for_a_minute(
    settings: Settings,
    desk_settings: Settings,
    clock: Clock,
    database: Database,
    talking: Talking,
    now: datetime,
) -> None:
    jitsi = Jitsi(clock)
    how = {
        "room_provider": "jitsi", "jitsi_url": jitsi.url, "jitsi_app_id": jitsi.app_id, "jitsi_secret": jitsi.secret
    }  # fmt: skip
    here = with_bridge(settings, clock, **how)
    amina, stranger = citizen(here, database, talking.secret), citizen(here, database)
    address = way(amina.bridge(talking.id))
    assert jitsi.opens(address)["name"] == "Amina"
    assert not jitsi.opens(address)["moderator"]
    assert str(talking.id) not in address
    third = way(citizen(here, database, talking.third_secret).bridge(talking.id))
    assert third.split("?")[0] == address.split("?")[0], "one room for one talk"
    with pytest.raises(RefusedError):
        jitsi.opens(address, room="another-room")
    with pytest.raises(RefusedError):
        jitsi.opens(address.replace("?jwt=", "?jwt=x"))
    assert stranger.bridge(talking.id).status_code == 404
    clock.forward(seconds=61)
    with pytest.raises(RefusedError):
        jitsi.opens(address)
    set_state(database, talking, TalkState.ENDED, now)
    assert amina.bridge(talking.id).status_code == 404, "dead with the talk"


@pytest.fixture
def livekit(clock: Clock) -> Iterator[LiveKit]:
    """A LiveKit."""
    with LiveKit(clock) as running:
        yield running


def test_a_livekit_room_lives_as_long_as_the_talk(
    settings: Settings, clock: Clock, database: Database, talking: Talking, livekit: LiveKit, now: datetime
) -> None:
    how = {
        "room_provider": "livekit", "livekit_url": livekit.url, "livekit_page": livekit.page,
        "livekit_key": livekit.key, "livekit_secret": livekit.secret,
    }  # fmt: skip
    amina = citizen(with_bridge(settings, clock, **how), database, talking.secret)
    address = way(amina.bridge(talking.id))
    assert livekit.opens(address)["name"] == "Amina"
    assert [room["max_participants"] for room in livekit.rooms.values()] == [4]
    tidying = worker_settings(database, **how)
    worker.drain(tidying, clock)
    assert len(livekit.rooms) == 1, "the talk goes on"
    set_state(database, talking, TalkState.ENDED, now)
    livekit.down = True
    worker.drain(tidying, clock)
    livekit.down = False
    assert len(livekit.rooms) == 1, "it could not be told"
    worker.drain(tidying, clock)
    assert livekit.rooms == {}
    with pytest.raises(RefusedError):
        livekit.opens(address)
    assert amina.bridge(talking.id).status_code == 404


def test_a_bridge_that_is_away_is_said_so(
    settings: Settings, clock: Clock, database: Database, talking: Talking, livekit: LiveKit
) -> None:
    how = {
        "room_provider": "livekit", "livekit_url": livekit.url, "livekit_page": livekit.page,
        "livekit_key": livekit.key, "livekit_secret": livekit.secret,
    }  # fmt: skip
    livekit.down = True
    answer = citizen(with_bridge(settings, clock, **how), database, talking.secret).bridge(talking.id)
    assert answer.status_code == 503
    assert "Le service a un problème" in answer.get_data(as_text=True)


def test_the_worker_of_the_talk_moderates(
    backoffice: Flask, desk_settings: Settings, clock: Clock, talking: Talking
) -> None:
    jitsi = Jitsi(clock)
    bridged = create_backoffice(
        replace(
            desk_settings, room_provider="jitsi", jitsi_url=jitsi.url, jitsi_app_id=jitsi.app_id,
            jitsi_secret=jitsi.secret,
        ),
        clock,
    )  # fmt: skip
    here = agent(Colleague(compiled.tested(bridged), PAUL))
    user = jitsi.opens(way(here.bridge(talking.id)))
    assert (user["name"], user["moderator"]) == ("Paul Petit", True)


def test_without_a_bridge_nobody_is_sent_anywhere(amina: Caller, talking: Talking) -> None:
    assert amina.bridge(talking.id).status_code == 404


@pytest.mark.parametrize(
    "wrong",
    [
        {"room_provider": "zoom"},
        {"room_provider": "jitsi", "jitsi_url": "https://visio.example.org", "jitsi_app_id": "allervers"},
        {"room_provider": "livekit", "livekit_url": "wss://visio.example.org"},
    ],
)
def test_a_bridge_that_cannot_work_is_told_at_the_start(database: Database, wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingsError):
        bridges.check(worker_settings(database, **wrong))
