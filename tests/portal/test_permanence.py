"""The virtual permanence as people meet it, without JavaScript: coming in, waiting, talking in writing, leaving."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from flask import Flask

from casework import crowd
from casework.agents import Agent
from casework.brought_in import invite_third
from casework.calling import Ending, end, hold, leading, not_there
from casework.calling import call_next as call
from casework.cards import load_cards
from casework.database import transaction
from casework.requests import Draft, Request, SendingKeys
from casework.rounds import keep_waiting_rooms
from casework.talks import TalkLine, TalkOutcome
from casework.vocabulary import Need
from casework.waiting_room import Visit, VisitState
from tests.backoffice.colleague import stored
from tests.casework.asking import BY_TEXT, ask, worker_settings
from tests.casework.in_line import open_desk, set_up
from tests.casework.test_virtual_permanence import in_video
from tests.clock import Clock
from tests.conftest import Database
from tests.people import PAUL
from tests.portal.kiosk_visitor import AtKiosk, new_key
from tests.portal.person import Person


@pytest.fixture
def here(database: Database, now: datetime) -> UUID:
    """Poitiers receives this morning; Paul is at his desk."""
    permanence_id = set_up(database, now)
    open_desk(database, permanence_id, PAUL, now)
    return permanence_id


def comes_in(person: Person, name: str = "Amina", channel: str = "text") -> None:
    """From the home page into the waiting room."""
    person.open(f"/{person.language}/permanence")
    person.submit(called_name=name, spoken_language=person.language, theme="housing", channel=channel)


def visits(database: Database) -> list[Visit]:
    """Everybody who came in, in order."""
    return sorted(stored(database, Visit), key=lambda one: one.arrived_at)


def paul_calls(database: Database, now: datetime) -> UUID:
    """Paul calls the next person: the talk."""
    with transaction(database.backoffice) as session:
        talk = call(session, session.get_one(Agent, PAUL.id), now)
        assert talk
        return talk.id


def test_announced_only_while_somebody_receives(
    database: Database, marcel: Person, clock: Clock, now: datetime
) -> None:
    door = "/fr/permanence"
    assert door not in marcel.open("/fr/").links()
    assert "fermée en ce moment" in marcel.open("/fr/maisons").main
    assert "Personne ne reçoit en ce moment." in marcel.open(door).main
    here = set_up(database, now)
    assert "Personne ne reçoit" in marcel.open(door).main, "nobody is at a desk"
    open_desk(database, here, PAUL, now)
    clock.forward(seconds=30)
    assert door in marcel.open("/fr/").links()
    assert "peut vous recevoir maintenant" in marcel.open("/fr/maisons").main
    clock.forward(hours=3)
    assert door not in marcel.open("/fr/").links()


def test_amina_waits_is_called_and_talks_in_writing(
    database: Database, here: UUID, amina: Person, marcel: Person, clock: Clock, now: datetime
) -> None:
    comes_in(marcel, "Marcel")
    assert "Vous êtes la prochaine personne" in marcel.page.main
    clock.forward(seconds=10)
    comes_in(amina)
    assert [one.called_name for one in visits(database)] == ["Marcel", "Amina"]
    amina.open("/fr/permanence/attente")
    assert "1 personne est avant vous" in amina.page.main
    fragment = amina.ask("GET", "/fr/permanence/attente/place")
    again = amina.ask(
        "GET", "/fr/permanence/attente/place", headers={"If-None-Match": fragment.headers["ETag"]}
    )
    assert again.status_code == 304, "nothing changed, nothing is read aloud"
    paul_calls(database, clock())
    marcel.open("/fr/permanence")
    assert "C'est votre tour" in marcel.page.main
    marcel.submit(action="/entrer")
    assert marcel.page.heading == "Votre entretien"
    marcel.open("/fr/permanence/entretien/ecrire")
    sent = marcel.prepare(action="/entretien", body="Bonjour, je ne peux plus payer.")
    for _ in range(2):
        assert marcel.ask("POST", sent[0], data=sent[1]).status_code == 303
    assert marcel.open("/fr/permanence/entretien").main.count("je ne peux plus payer") == 1
    quiet = marcel.ask("POST", sent[0], data=sent[1], headers={"X-Requested-With": "fetch"})
    assert quiet.status_code == 204
    lines = marcel.ask("GET", "/fr/permanence/entretien/lignes").get_data(as_text=True)
    assert "je ne peux plus payer" in lines
    assert "Paul Petit" in lines
    assert amina.open("/fr/permanence/entretien", status=200).heading != "Votre entretien", "not hers"


def test_amina_answers_in_the_talk_with_cards_and_danger_says_whom_to_call(
    database: Database, here: UUID, amina: Person, clock: Clock, now: datetime
) -> None:
    """Without JavaScript, on the page that stays still; what she had begun to type stays there."""
    asked = ask(database, now - timedelta(days=1), BY_TEXT, "fa")
    amina.language = "fa"
    amina.open(f"/fa/s/{asked.secret}")
    amina.open("/fa/permanence")
    amina.submit(channel="text")
    paul_calls(database, clock())
    amina.open("/fa/permanence")
    amina.submit(action="/entrer")
    writing = "/fa/permanence/entretien/ecrire"
    amina.open(writing)
    amina.submit(("card", "no_paper"), body="")
    assert "این سند را ندارم." in amina.page.main
    assert not [link for link in amina.page.links() if link == "tel:17"]
    amina.open(writing)
    amina.submit(("card", "in_danger"), body="شوهرم")
    assert amina.page.field("body") == "شوهرم"
    for page in (amina.page, amina.open("/fa/permanence/entretien")):
        called = [link for link in page.links() if link.startswith(("tel:", "sms:"))]
        assert called[:4] == ["tel:17", "tel:112", "tel:3919", "sms:114"]
        assert page.of_class("exit-button")
    tapped = {(line.body, line.language) for line in stored(database, TalkLine)}
    assert tapped == {(load_cards().cards[card].words("fa"), "fa") for card in ("no_paper", "in_danger")}
    (urgent,) = stored(database, Request)
    assert (urgent.urgent, urgent.urgency_reason) == (True, "La personne a écrit : « Je suis en danger. »")


def test_two_tabs_and_two_taps_are_one_person(database: Database, here: UUID, amina: Person) -> None:
    amina.open("/ar/permanence")
    tab = amina.second_tab()
    path, data, _ = amina.prepare(
        called_name="Amina", spoken_language="ar", theme="housing", channel="text", action=""
    )
    for browser in (amina, tab, amina):
        assert browser.ask("POST", path, data=data).status_code == 303
    assert len(visits(database)) == 1
    assert tab.open("/ar/permanence").path == "/ar/permanence/attente"


def test_a_name_is_needed_and_all_ways_to_talk_are_equal(
    database: Database, here: UUID, marcel: Person
) -> None:
    marcel.open("/fr/permanence")
    marcel.submit(called_name=" ", status=422)
    assert marcel.page.errors() == ["Écrivez un prénom. Il sert à vous appeler."]
    marcel.submit(called_name="Marcel", channel="video", theme="money")
    assert marcel.page.path == "/fr/permanence/essai"
    marcel.submit(("moyen", "voice"))
    assert marcel.page.path == "/fr/permanence/attente"
    assert [one.channel for one in visits(database)] == ["voice"]


def test_what_one_needs_is_asked_once_and_taken_from_a_request(
    database: Database, here: UUID, marcel: Person, somebody: Callable[..., Person], now: datetime
) -> None:
    marcel.open("/fr/permanence")
    assert "fauteuil" not in marcel.page.main, "no door to go through"
    marcel.submit(called_name="Marcel", channel="text", theme="money", needs=["hearing", "interpreter"])
    asked = ask(database, now - timedelta(days=1), replace(BY_TEXT, needs=[Need.SIGN_LANGUAGE]))
    other = somebody(source="192.0.2.30")
    other.open(f"/fr/s/{asked.secret}")
    other.open("/fr/permanence")
    assert "De quoi avez-vous besoin" not in other.page.main
    other.submit(channel="text")
    assert {one.called_name: one.needs for one in visits(database)} == {
        "Marcel": ["hearing", "interpreter"],
        "Amina": ["sign_language"],
    }


def test_a_crowd_waits_outside_loses_nothing_and_holds_up_nobody_else(
    portal: Flask,
    database: Database,
    here: UUID,
    marcel: Person,
    somebody: Callable[..., Person],
    clock: Clock,
) -> None:
    marcel.open("/fr/permanence")
    path, typed, _ = marcel.prepare(called_name="Marcel", channel="text")
    marcel.ask("POST", path, data=typed)
    _come_in_from(database, [marcel.source] * (crowd.FROM_ONE_SOURCE - 1), clock())
    neighbour = somebody(source=marcel.source)
    neighbour.open("/fr/permanence")
    neighbour.submit(called_name="Odile", channel="text", theme="health", needs=["seeing"], status=429)
    assert "Essayez encore à 10 heures 15." in neighbour.page.main
    assert "tel:" in " ".join(neighbour.page.links())
    assert neighbour.page.field("called_name") == "Odile"
    assert 'value="seeing" checked' in neighbour.page.response.text
    neighbour.open("/fr/permanence/rappel")
    neighbour.submit(called_name="Odile", number="05 49 11 22 33", status=429)
    assert neighbour.page.field("number") == "05 49 11 22 33"
    assert marcel.ask("POST", path, data=typed).status_code == 303, "who is in stays in"
    screen = AtKiosk(portal, source=marcel.source)
    screen.set_up(new_key(database, clock()))
    screen.touches()
    comes_in(screen, "Karim")
    assert sorted(one.called_name for one in visits(database)) == ["Karim", "Marcel"]
    clock.forward(minutes=15)
    open_desk(database, here, PAUL, clock())
    comes_in(neighbour, "Odile")
    assert len(visits(database)) == 3


def test_a_crowd_from_everywhere_is_slowed_too(
    database: Database, here: UUID, marcel: Person, clock: Clock
) -> None:
    _come_in_from(database, [f"198.51.100.{number}" for number in range(crowd.IN_ALL)], clock())
    marcel.open("/fr/permanence")
    marcel.submit(called_name="Marcel", channel="text", theme="health", status=429)
    assert visits(database) == []


def _come_in_from(database: Database, sources: list[str], now: datetime) -> None:
    with transaction(database.portal) as session:
        for source in sources:
            crowd.count_in(session, database.access_key, source, None, now)


def test_by_the_link_of_a_video_appointment(
    database: Database, here: UUID, marcel: Person, clock: Clock, now: datetime
) -> None:
    asked = ask(database, now - timedelta(days=2), BY_TEXT)
    in_video(database, asked, now + timedelta(minutes=10))
    marcel.open(f"/fr/s/{asked.secret}")
    assert "C'est l'heure de votre rendez-vous." in marcel.page.main
    marcel.open("/fr/permanence")
    assert marcel.page.field("called_name") == "Amina"
    marcel.submit(channel="text")
    assert "Votre rendez-vous est à 10 heures 10." in marcel.page.main
    [visit] = visits(database)
    assert (visit.request_id, visit.meant_for, visit.due_at) == (
        asked.id,
        PAUL.id,
        now + timedelta(minutes=10),
    )
    assert "Vous êtes dans la salle d'attente" in marcel.open("/fr/suivi").main


def test_a_text_message_frees_the_person_and_its_link_leads_back(
    database: Database, here: UUID, somebody: Callable[..., Person]
) -> None:
    marcel = somebody()
    comes_in(marcel, "Marcel")
    marcel.open("/fr/permanence/attente/texto")
    marcel.submit(number="05 49 00 00 01", status=422)
    assert marcel.page.errors() == ["Ce numéro est un téléphone fixe. Écrivez un numéro de portable."]
    marcel.submit(number="06 12 34 56 78")
    assert "Vous recevrez un SMS avant votre tour." in marcel.page.main
    with marcel.client.session_transaction(base_url=marcel.origin) as session:
        secret = session["visit_secret"]
    elsewhere = somebody(source="192.0.2.99")
    assert elsewhere.open(f"/fr/permanence/v/{secret}").path == "/fr/permanence/attente"
    assert elsewhere.open("/fr/permanence/v/nothing", status=404).heading == "Ce lien ne marche plus"
    assert elsewhere.open("/fr/permanence").path == "/fr/permanence/attente", "what was held stays held"


def test_called_back_instead(database: Database, here: UUID, marcel: Person, now: datetime) -> None:
    comes_in(marcel, "Marcel")
    marcel.open("/fr/permanence/rappel")
    marcel.submit(number="12", status=422)
    marcel.submit(number="05 49 11 22 33")
    assert "Nous vous rappelons" in marcel.page.main
    assert [one.state for one in visits(database)] == [VisitState.CALLBACK]


def test_who_cannot_be_received_is_called_back_or_writes(
    database: Database, here: UUID, marcel: Person, clock: Clock
) -> None:
    clock.forward(minutes=115)
    open_desk(database, here, PAUL, clock())
    marcel.open("/fr/permanence")
    assert "Nous ne pouvons plus vous recevoir aujourd'hui." in marcel.page.main
    marcel.open("/fr/permanence/rappel")
    marcel.submit(number="05 49 11 22 33", called_name=" ", status=422)
    assert marcel.page.errors() == ["Écrivez un prénom. Il sert à vous appeler."]
    marcel.submit(called_name="Marcel", theme="money")
    assert "Nous vous rappelons" in marcel.page.main
    keep_waiting_rooms(database.backoffice, worker_settings(database), clock())
    [visit] = visits(database)
    assert visit.request_id
    [asked] = stored(database, Request)
    assert (asked.name, asked.themes) == ("Marcel", ["money"]), "who calls knows whom, and what about"


def test_missed_ended_and_never_a_dead_end(
    database: Database, here: UUID, marcel: Person, clock: Clock
) -> None:
    comes_in(marcel, "Marcel")
    talk_id = paul_calls(database, clock())
    with transaction(database.backoffice) as session:
        not_there(session, session.get_one(Agent, PAUL.id), talk_id, clock())
    marcel.open("/fr/permanence/attente")
    assert "Vous êtes là ?" in marcel.page.main
    marcel.submit(action="/ici")
    assert "Vous êtes la prochaine personne" in marcel.page.main
    marcel.submit(action="/quitter")
    assert "Nous ne vous laissons pas sans réponse." in marcel.page.main
    marcel.submit(action="/permanence/demande")
    assert marcel.page.path == "/fr/demande/sujet"
    assert stored(database, Visit)[0].led_to


def test_an_interpreter_comes_by_a_link_and_sees_the_talk_alone(
    database: Database, here: UUID, marcel: Person, somebody: Callable[..., Person], clock: Clock
) -> None:
    comes_in(marcel, "Marcel")
    talk_id = paul_calls(database, clock())
    marcel.open("/fr/permanence/attente")
    marcel.submit(action="/entrer")
    with transaction(database.backoffice) as session:
        paul = session.get_one(Agent, PAUL.id)
        secret = invite_third(session, paul, talk_id, "Zahra", "fr", database.access_key, clock())
    zahra = somebody(source="192.0.2.77")
    assert zahra.open(f"/fr/permanence/v/{secret}").heading == "On vous attend"
    zahra.submit(action="/entrer")
    assert "Marcel" in zahra.page.main
    with transaction(database.backoffice) as session:
        hold(session, session.get_one(Agent, PAUL.id), talk_id, clock())
    assert "Un instant." in marcel.open("/fr/permanence/entretien").main
    marcel.submit(action="/quitter")
    assert marcel.page.heading == "Vous êtes sorti de l'entretien"
    marcel.submit(action="/entrer")
    assert marcel.page.heading == "Votre entretien"


def test_a_stranger_has_no_place(portal: Flask, here: UUID, marcel: Person) -> None:
    for path in ("attente", "attente/place", "essai", "entretien", "entretien/lignes", "entretien/ecrire"):
        answer = marcel.ask("GET", f"/fr/permanence/{path}")
        assert answer.status_code == 303, path


def test_a_booked_hour_outside_of_the_times_is_never_a_closed_door(
    database: Database, marcel: Person, clock: Clock, now: datetime
) -> None:
    """In the evening, with nobody at a desk yet: the hour stands there until it is over."""
    set_up(database, now)
    asked = ask(database, now - timedelta(days=2), BY_TEXT)
    clock.forward(hours=8)
    in_video(database, asked, clock() + timedelta(minutes=5))
    marcel.open(f"/fr/s/{asked.secret}")
    marcel.open("/fr/permanence")
    marcel.submit(channel="text")
    assert "Votre rendez-vous est à 18 heures 05." in marcel.page.main
    assert "La permanence est finie" not in marcel.page.main
    assert "Votre travailleur social vous appelle ici." in marcel.page.main
    clock.forward(minutes=40)
    assert "La permanence est finie" in marcel.open("/fr/permanence/attente").main


def test_beside_the_waiting_room_one_reads_that_one_is_called_and_may_still_leave(
    database: Database, here: UUID, marcel: Person, clock: Clock
) -> None:
    comes_in(marcel, "Marcel")
    paul_calls(database, clock())
    for page in ("essai", "attente/texto", "rappel"):
        assert "C'est votre tour" in marcel.open(f"/fr/permanence/{page}").main, page
    fragment = marcel.ask("GET", "/fr/permanence/attente/tour").get_data(as_text=True)
    assert "Entrer et parler" in fragment
    waits = marcel.open("/fr/permanence/attente").main
    assert "Ne plus attendre" in waits
    assert "Un SMS avant mon tour" not in waits
    marcel.open("/fr/permanence/rappel")
    marcel.submit(number="05 49 11 22 33")
    assert "Nous vous rappelons" in marcel.page.main
    assert [one.state for one in visits(database)] == [VisitState.CALLBACK]
    with transaction(database.backoffice) as session:
        assert leading(session, session.get_one(Agent, PAUL.id)) is None, "the desk is free"


def test_no_text_message_is_offered_where_none_can_leave(
    database: Database, here: UUID, marcel: Person, portal: Flask
) -> None:
    given = portal.extensions["settings"]
    portal.extensions["settings"] = replace(given, sms_url="")
    try:
        comes_in(marcel, "Marcel")
        assert "Un SMS avant mon tour" not in marcel.page.main
        assert marcel.open("/fr/permanence/attente/texto").path == "/fr/permanence/rappel"
    finally:
        portal.extensions["settings"] = given


def test_where_violence_is_the_matter_every_page_leads_out(
    database: Database, here: UUID, marcel: Person, clock: Clock
) -> None:
    marcel.open("/fr/permanence")
    marcel.submit(called_name="Leïla", theme="violence", channel="video")
    for page in ("essai", "attente", "attente/texto", "rappel"):
        assert marcel.open(f"/fr/permanence/{page}").of_class("exit-button"), page
    talk_id = paul_calls(database, clock())
    assert marcel.open("/fr/permanence/entretien").of_class("exit-button"), "asked in"
    marcel.submit(action="/entrer")
    for page in ("entretien", "entretien/ecrire", "entretien/sortie"):
        assert marcel.open(f"/fr/permanence/{page}").of_class("exit-button"), page
    _ends(database, talk_id, clock())
    assert marcel.open("/fr/permanence/entretien").of_class("exit-button"), "ended"


def test_the_request_begun_after_a_talk_goes_on(
    database: Database, here: UUID, marcel: Person, clock: Clock
) -> None:
    comes_in(marcel, "Marcel")
    talk_id = paul_calls(database, clock())
    marcel.open("/fr/permanence/attente")
    marcel.submit(action="/entrer")
    _ends(database, talk_id, clock())
    for _ in range(2):
        marcel.open("/fr/permanence/entretien")
        marcel.submit(action="/permanence/demande")
    assert marcel.page.path != "/fr/demande/sujet", "it goes on where it was left"
    [draft] = stored(database, Draft)
    assert (draft.id, draft.answers["name"]) == (visits(database)[0].led_to, "Marcel")


def _ends(database: Database, talk_id: UUID, now: datetime) -> None:
    """Paul ends the talk."""
    ending = Ending(TalkOutcome.ANSWERED, "", "", uuid4())
    keys = SendingKeys(database.access_key, database.public_key)
    with transaction(database.backoffice) as session:
        end(session, session.get_one(Agent, PAUL.id), talk_id, ending, keys, now)
