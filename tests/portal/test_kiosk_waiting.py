"""A waiting room or a talk at a touch screen: longer than elsewhere, then on a telephone, and never an empty screen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from flask import Flask

from casework import closing_time
from casework.agents import Agent
from casework.brought_in import invite_third
from casework.calling import not_there
from casework.database import transaction
from casework.settings import Settings
from casework.talks import Talk, TalkPerson
from casework.waiting_room import Visit, VisitState
from portal.app import create
from portal.receipt import qr_code
from tests import compiled
from tests.backoffice.colleague import stored
from tests.bridge_servers import Jitsi
from tests.casework.in_line import open_desk, set_up
from tests.clock import Clock
from tests.conftest import Database
from tests.people import PAUL
from tests.portal.kiosk_visitor import AtKiosk, new_key
from tests.portal.person import Person
from tests.portal.test_permanence import comes_in, paul_calls

WAITING = "/fr/permanence/attente"


def state(database: Database) -> VisitState:
    """Where the one who came in stands."""
    return VisitState(stored(database, Visit)[0].state)


def at_the_screen(portal: Flask, database: Database, now: datetime) -> AtKiosk:
    """Mr Moreau waits at the kiosk of Poitiers, where Paul receives."""
    open_desk(database, set_up(database, now), PAUL, now)
    screen = AtKiosk(portal)
    screen.set_up(new_key(database, now))
    screen.touches()
    comes_in(screen, "Marcel")
    assert screen.page.path == WAITING
    return screen


@pytest.fixture
def moreau(portal: Flask, database: Database, now: datetime) -> AtKiosk:
    """The kiosk with Mr Moreau before it, in the waiting room."""
    return at_the_screen(portal, database, now)


def secret_of(screen: AtKiosk) -> str:
    """The secret that the drawing on the page leads to."""
    with screen.client.session_transaction(base_url=screen.origin) as session:
        return str(session["visit_secret"])


def talks(screen: AtKiosk, database: Database, now: datetime) -> UUID:
    """Paul calls, he comes in."""
    talk_id = paul_calls(database, now)
    screen.open(WAITING)
    screen.submit(action="/entrer")
    assert screen.page.heading == "Votre entretien"
    return talk_id


def test_who_waits_may_be_still_for_ten_minutes(moreau: AtKiosk, clock: Clock) -> None:
    assert 'data-idle="600"' in moreau.page.response.text
    clock.forward(minutes=10)
    assert moreau.open(WAITING).path == WAITING, "the screen may still count down"
    assert 'data-idle="120"' in moreau.open("/fr/urgences").response.text


def test_nobody_waits_at_a_screen_that_only_refreshes_itself(
    moreau: AtKiosk, clock: Clock, database: Database
) -> None:
    """With scripts the page asks for its lines, without it reloads: neither is somebody. The warning, then the end."""
    assert f'content="20;url={WAITING}?seul=1"' in moreau.page.response.text
    for _ in range(19):
        clock.forward(seconds=30)
        moreau.ask("GET", f"{WAITING}/place")
        page = moreau.open(f"{WAITING}?seul=1")
        assert page.path == f"{WAITING}?seul=1"
        assert not [link for link in page.links() if "seul" in link], "what one taps is a tap"
    clock.forward(seconds=30)
    page = moreau.open(f"{WAITING}?seul=1")
    assert page.heading == "Êtes-vous encore là ?"
    assert WAITING in page.links()
    assert state(database) is VisitState.WAITING
    clock.forward(seconds=91)
    assert moreau.open(f"{WAITING}?seul=1").path == "/borne"
    assert state(database) is VisitState.LEFT
    assert moreau.cookies() == {"allervers_kiosk"}


def test_one_tap_does_not_lose_a_place(moreau: AtKiosk, database: Database) -> None:
    page = moreau.go("borne/fin")
    assert page.heading == "Avez-vous fini ?"
    assert "Vous avez une place dans la salle d'attente." in page.main
    assert WAITING in page.links()
    assert state(database) is VisitState.WAITING
    assert moreau.open("/fr/borne/fin?sur=1").path == "/borne"
    assert state(database) is VisitState.LEFT, "nobody calls an empty screen"


def test_he_goes_on_with_his_telephone_and_the_kiosk_forgets_him(
    moreau: AtKiosk, database: Database, marcel: Person
) -> None:
    link = f"https://portail.example.org/fr/permanence/v/{secret_of(moreau)}"
    assert str(qr_code(link)) in moreau.open(WAITING).response.text
    assert marcel.open(urlsplit(link).path).path == WAITING
    assert not marcel.page.of_class("qr-frame")
    assert moreau.go("borne/fin").path == "/borne", "nothing would be lost: nobody is asked"
    assert state(database) is VisitState.WAITING
    assert "Vous êtes la prochaine personne" in marcel.open(WAITING).main


def test_who_gets_a_text_message_keeps_their_place(moreau: AtKiosk, database: Database) -> None:
    moreau.open(f"{WAITING}/texto")
    moreau.submit(number="06 12 34 56 78")
    assert moreau.go("borne/fin").path == "/borne"
    assert state(database) is VisitState.WAITING


def test_a_wiped_screen_goes_out_of_the_talk(moreau: AtKiosk, database: Database, now: datetime) -> None:
    talks(moreau, database, now)
    assert 'data-idle="600"' in moreau.page.response.text
    assert moreau.page.of_class("qr-frame")
    assert "Votre entretien continue." in moreau.go("borne/fin").main
    moreau.open("/fr/borne/fin?sur=1")
    citizen = next(one for one in stored(database, TalkPerson) if one.part == "citizen")
    assert citizen.left_at, "the agent sees it"


def test_a_bridge_leads_no_kiosk_out(
    settings: Settings, database: Database, clock: Clock, now: datetime, somebody: Callable[..., Person]
) -> None:
    jitsi = Jitsi(clock)
    portal = compiled.tested(
        create(
            replace(
                settings,
                room_provider="jitsi",
                jitsi_url=jitsi.url,
                jitsi_app_id=jitsi.app_id,
                jitsi_secret=jitsi.secret,
            ),
            clock,
        )
    )
    screen = at_the_screen(portal, database, now)
    talk_id = talks(screen, database, now)
    assert "Ouvrir l'appel" not in screen.page.main
    assert "_blank" not in screen.page.response.text
    page = screen.open(f"/fr/appel/{talk_id}/pont")
    assert page.heading == "Cette page est sur un autre site"
    phone = Person(portal)
    phone.open(f"/fr/permanence/v/{secret_of(screen)}")
    assert "Ouvrir l'appel" in phone.open("/fr/permanence/entretien").main, "on his own telephone it opens"


def test_who_left_a_number_is_called_back(
    moreau: AtKiosk, database: Database, clock: Clock, now: datetime
) -> None:
    moreau.open(f"{WAITING}/texto")
    moreau.submit(number="06 12 34 56 78")
    talk_id = paul_calls(database, now)
    moreau.open("/fr/borne/fin?sur=1")
    with transaction(database.backoffice) as session:
        paul = session.get_one(Agent, PAUL.id)
        not_there(session, paul, talk_id, now)
        [left] = closing_time.left_kiosks(session, session.get_one(Talk, talk_id).permanence_id)
        closing_time.settle(session, paul, left.id, now, call=True)
    [visit] = stored(database, Visit)
    assert (visit.state, visit.callback_number) == (VisitState.CALLBACK, "+33612345678")


def test_who_comes_back_with_a_telephone_is_not_looked_for(
    moreau: AtKiosk, database: Database, marcel: Person, now: datetime
) -> None:
    secret, talk_id = secret_of(moreau), paul_calls(database, now)
    moreau.open("/fr/borne/fin?sur=1")
    marcel.open(f"/fr/permanence/v/{secret}")
    assert "C'est votre tour" in marcel.page.main
    with transaction(database.backoffice) as session:
        not_there(session, session.get_one(Agent, PAUL.id), talk_id, now)
        assert closing_time.left_kiosks(session, session.get_one(Talk, talk_id).permanence_id) == []


def test_somebody_brought_in_at_a_wiped_screen_is_out_of_the_talk(
    portal: Flask, database: Database, marcel: Person, now: datetime
) -> None:
    open_desk(database, set_up(database, now), PAUL, now)
    comes_in(marcel, "Marcel")
    talk_id = paul_calls(database, now)
    with transaction(database.backoffice) as session:
        paul = session.get_one(Agent, PAUL.id)
        secret = invite_third(session, paul, talk_id, "Zahra", "fr", database.access_key, now)
    screen = AtKiosk(portal)
    screen.set_up(new_key(database, now))
    screen.touches()
    screen.open(f"/fr/permanence/v/{secret}")
    screen.submit(action="/entrer")
    assert "Votre entretien continue." in screen.go("borne/fin").main
    screen.open("/fr/borne/fin?sur=1")
    [zahra] = stored(database, TalkPerson, TalkPerson.part == "third")
    assert zahra.joined_at
    assert zahra.left_at
