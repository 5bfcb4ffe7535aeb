"""What the waiting room promises is kept: a text that says the turn is near, a booked hour, leaving, forgetting."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select

from casework import calling, permanences, waiting_room, ways_in
from casework.agents import Agent
from casework.calling import NotWaitingError
from casework.database import transaction
from casework.notifications import Template
from casework.people import StoppedNumber
from casework.permanences import NotYourPermanenceError, VirtualPermanence
from casework.requests import Request
from casework.rounds import sweep
from casework.talks import Talk, TalkLine, TalkOutcome, TalkPerson
from casework.waiting_room import Visit, VisitState
from tests.casework.asking import BY_TEXT, ask, notifications_of
from tests.casework.in_line import (
    Guest,
    as_guest,
    call_next,
    come,
    open_desk,
    row_of,
    seen,
    set_up,
    talk_of,
    visit_of,
)
from tests.casework.test_virtual_permanence import KAMAL_PHONE, ends, in_video, joins, minutes, sweeps
from tests.conftest import Database
from tests.local_servers import TextProvider
from tests.people import HUGO, PAUL

MAIL_ONLY = {"smtp_url": "smtp://127.0.0.1:9"}


@pytest.fixture
def at_desk(database: Database, now: datetime) -> UUID:
    """Poitiers receives this morning; Paul is at his desk."""
    here = set_up(database, now)
    open_desk(database, here, PAUL, now)
    return here


def wants_a_text(database: Database, guest: Guest, language: str = "fr") -> None:
    """Somebody asks for a text message before their turn, on a page in that language."""
    with as_guest(database, guest) as session:
        found = waiting_room.mine(session)
        assert found
        waiting_room.text_me(session, found, KAMAL_PHONE, guest.secret, database.public_key, language)


@pytest.mark.parametrize("page", ["fr", "ar"])
def test_the_text_is_in_the_language_of_the_page_whatever_one_speaks(
    database: Database, now: datetime, at_desk: UUID, page: str
) -> None:
    rosa = come(database, at_desk, now, "Selam", language="ti")
    wants_a_text(database, rosa, page)
    with TextProvider() as provider:
        sweeps(database, now + minutes(1), sms_url=provider.url, sms_token=provider.token)
        [text] = provider.to(KAMAL_PHONE)
    assert f"/{page}/permanence/v/{rosa.secret}" in text["text"]


def test_the_link_of_a_request_is_in_its_language_when_nothing_else_is_known(
    database: Database, now: datetime, at_desk: UUID
) -> None:
    asked = ask(database, now - timedelta(days=1), BY_TEXT, "ru")
    come(database, at_desk, now, "Nino", language="ka", asked=asked)
    with transaction(database.backoffice) as session:
        visit = session.scalars(select(Visit)).one()
        visit.text_number, visit.page_language = KAMAL_PHONE, None
    sweeps(database, now)
    near = [one for one in notifications_of(database, asked.id) if one.template is Template.TURN_NEAR]
    assert [one.language for one in near] == ["ru"]


def test_nothing_is_said_to_have_left_that_did_not(database: Database, now: datetime, at_desk: UUID) -> None:
    """Without a provider, or for a number that said STOP: who is away is called, who is there waits on."""
    away = come(database, at_desk, now, "Kamal")
    there = come(database, at_desk, now + minutes(1), "Rosa")
    for guest in (away, there):
        wants_a_text(database, guest)
    later = now + minutes(4)
    open_desk(database, at_desk, PAUL, later)
    seen(database, there, later)
    sweeps(database, later, **MAIL_ONLY)
    assert (row_of(database, away).state, row_of(database, away).callback_number) == (
        VisitState.CALLBACK,
        KAMAL_PHONE,
    )
    waits = row_of(database, there)
    assert (waits.state, waits.text_number, waits.text_told_at) == (VisitState.WAITING, None, None)
    with transaction(database.backoffice) as session:
        session.add(StoppedNumber(number=KAMAL_PHONE, stopped_at=now))
    stopped = come(database, at_desk, now, "Selam")
    wants_a_text(database, stopped)
    with TextProvider() as provider:
        sweeps(database, later, sms_url=provider.url, sms_token=provider.token)
        assert provider.asked == 0
    assert visit_of(database, stopped).state is VisitState.CALLBACK


def test_a_provider_that_is_down_is_asked_for_five_minutes_then_an_agent_calls(
    database: Database, now: datetime, at_desk: UUID
) -> None:
    kamal = come(database, at_desk, now, "Kamal")
    wants_a_text(database, kamal)
    with TextProvider() as provider:
        provider.replies = [(503, {})] * 3
        for after in (1, 3, 6):
            open_desk(database, at_desk, PAUL, now + minutes(after))
            assert visit_of(database, kamal).text_told_at is None
            assert row_of(database, kamal).sealed_secret, "it may still leave"
            sweeps(database, now + minutes(after), sms_url=provider.url, sms_token=provider.token)
    assert visit_of(database, kamal).state is VisitState.CALLBACK


def test_who_was_told_and_does_not_come_is_ahead_of_nobody_after_a_quarter_of_an_hour(
    database: Database, now: datetime, at_desk: UUID
) -> None:
    kamal = come(database, at_desk, now, "Kamal")
    wants_a_text(database, kamal)
    with TextProvider() as provider:
        sweeps(database, now + minutes(1), sms_url=provider.url, sms_token=provider.token)
    rosa = come(database, at_desk, now + minutes(2), "Rosa")
    for after, ahead in ((14, 1), (17, 0)):
        seen(database, rosa, now + minutes(after))
        with as_guest(database, rosa) as session:
            assert waiting_room.line(session, at_desk, now + minutes(after)).ahead == ahead
    open_desk(database, at_desk, PAUL, now + minutes(17))
    sweeps(database, now + minutes(17))
    assert visit_of(database, kamal).state is VisitState.GONE
    assert seen(database, kamal, now + minutes(18)).state is VisitState.WAITING, "the page takes them back in"


def test_who_has_an_appointment_elsewhere_is_received_by_their_own_worker(
    database: Database, now: datetime
) -> None:
    """Loudun has no permanence: Hugo sits at the one of Poitiers, for his appointment alone."""
    here = set_up(database, now)
    evening = now.replace(hour=18)
    asked = ask(database, now - timedelta(days=1), BY_TEXT)
    booked = in_video(database, asked, evening + minutes(5), HUGO)
    kamal = come(database, here, now, "Kamal")
    amina = come(database, here, evening, "Amina", asked=asked, appointment_id=booked)
    with transaction(database.backoffice) as session:
        hugo, one = session.get_one(Agent, HUGO.id), session.get_one(VirtualPermanence, here)
        assert ways_in.as_guest(session, hugo, now.replace(hour=17)) == [one], "she is there already"
        with pytest.raises(NotYourPermanenceError):
            permanences.open_desk(session, hugo, one, evening)
        permanences.open_desk(session, hugo, one, evening, guest=True)
    seen(database, kamal, evening)
    for guest, desks in ((kamal, 0), (amina, 1)):
        with as_guest(database, guest) as session:
            assert waiting_room.line(session, here, evening).desks == desks, "that desk is for Amina"
    his = row_of(database, kamal).id
    with transaction(database.backoffice) as session:
        hugo = session.get_one(Agent, HUGO.id)
        with pytest.raises(NotWaitingError):
            calling.call(session, hugo, his, "Il est là.", evening)
    assert call_next(database, HUGO, evening) == "Amina"
    joins(database, amina, evening)
    ends(database, HUGO, amina, evening)
    assert call_next(database, HUGO, evening) == "", "who came without an appointment is left to Poitiers"
    sweeps(database, evening)
    assert visit_of(database, kamal).state is VisitState.LEFT, "his page leads him on"


def test_who_was_called_may_leave_and_frees_the_desk(
    database: Database, now: datetime, at_desk: UUID
) -> None:
    amina = come(database, at_desk, now, "Amina")
    come(database, at_desk, now + minutes(1), "Kamal")
    assert call_next(database, PAUL, now + minutes(1)) == "Amina"
    with as_guest(database, amina) as session:
        assert waiting_room.leave(session, now + minutes(1), callback=KAMAL_PHONE)
    assert visit_of(database, amina).state is VisitState.CALLBACK
    assert talk_of(database, amina).outcome is TalkOutcome.ABSENT
    assert call_next(database, PAUL, now + minutes(1)) == "Kamal"
    with as_guest(database, amina) as session:
        assert not waiting_room.leave(session, now + minutes(2))


def test_a_talk_without_a_request_is_forgotten_after_thirty_days(
    database: Database, now: datetime, at_desk: UUID
) -> None:
    asked = ask(database, now - timedelta(days=1), BY_TEXT)
    kamal, amina = come(database, at_desk, now, "Kamal"), come(database, at_desk, now, "Amina", asked=asked)
    for guest in (kamal, amina):
        with transaction(database.backoffice) as session:
            paul = session.get_one(Agent, PAUL.id)
            calling.call(session, paul, row_of(database, guest).id, "À son tour.", now)
        joins(database, guest, now)
        with transaction(database.backoffice) as session:
            person = session.scalars(
                select(TalkPerson).where(TalkPerson.talk_id == talk_of(database, guest).id)
            ).first()
            assert person
            session.add(
                TalkLine(
                    talk_id=person.talk_id, person_id=person.id, at=now, body="Bonjour.", language="fr",
                    submission=person.id,
                )
            )  # fmt: skip
        ends(database, PAUL, guest, now)
    for days, left in ((29, 2), (31, 1)):
        sweep(database.backoffice, now + timedelta(days=days))
        with transaction(database.backoffice) as session:
            counted = [
                session.scalar(select(func.count()).select_from(kind)) for kind in (Visit, Talk, TalkLine)
            ]
            assert counted == [left] * 3
            assert session.get(Request, asked.id), "what is in a request stays with it"
