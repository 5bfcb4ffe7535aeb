"""The virtual permanence: who is received, in which order, what is kept for whom, and that nobody is left behind."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.exc import DBAPIError

from casework import access, back_up, brought_in, calling, permanences, talks, to_call, waiting_room, ways_in
from casework.agenda import Mode
from casework.agents import Agent, AgentSession
from casework.appointments import Appointment, Standing
from casework.brought_in import FullError
from casework.calling import BusyError, Ending, NoDeskError, NotWaitingError, NotYourTalkError
from casework.database import transaction
from casework.notifications import Template
from casework.permanences import (
    NoTimesError,
    NotYourPermanenceError,
    PermanenceTime,
    TalkUnderWayError,
    VirtualPermanence,
    Weekly,
)
from casework.requests import Request, SendingKeys
from casework.rounds import keep_waiting_rooms
from casework.talks import Part, TalkOutcome, TalkState
from casework.triage import ReasonMissingError
from casework.vocabulary import ContactRule
from casework.waiting_room import NotReceivingError, Visit, VisitState
from tests.casework.asking import BY_TEXT, Asked, ask, journal_of, notifications_of, worker_settings
from tests.casework.in_line import (
    Guest,
    as_guest,
    call_next,
    come,
    guest_of,
    open_desk,
    row_of,
    seen,
    set_up,
    talk_of,
    visit_of,
)
from tests.conftest import PARIS, Database
from tests.local_servers import TextProvider
from tests.people import AMINA_PHONE, HUGO, LOUISE, MARC, NADIA, PAUL, SARAH, Character

KAMAL_PHONE = "+33698765432"


def minutes(many: float) -> timedelta:
    """So long."""
    return timedelta(minutes=many)


@pytest.fixture
def here(database: Database, now: datetime) -> UUID:
    """The permanence of Poitiers, this morning from nine to twelve."""
    return set_up(database, now)


@pytest.fixture
def at_desk(database: Database, here: UUID, now: datetime) -> UUID:
    """The same, with Paul at his desk."""
    open_desk(database, here, PAUL, now)
    return here


def joins(database: Database, guest: Guest, now: datetime) -> None:
    """The person comes into the talk."""
    with as_guest(database, guest) as session:
        assert talks.join(session, now)


def ends(
    database: Database, who: Character, guest: Guest, now: datetime, summary: str = "", notes: str = ""
) -> None:
    """The agent ends the talk."""
    keys = SendingKeys(database.access_key, database.public_key)
    ending = Ending(TalkOutcome.ANSWERED, notes, summary, uuid4())
    talk = talk_of(database, guest)
    with transaction(database.backoffice) as session:
        calling.end(session, session.get_one(Agent, who.id), talk.id, ending, keys, now)


def in_video(database: Database, asked: Asked, start: datetime, who: Character = PAUL) -> UUID:
    """A video appointment of half an hour."""
    during = Range(start, start + minutes(30), bounds="[)")
    one = Appointment(
        id=uuid4(), request_id=asked.id, agent_id=who.id, house_id=who.house, place_id=None, desk=None,
        kind_id="first", mode=Mode.VIDEO, during=during, blocked=during, state=Standing.BOOKED, held_until=None,
        extra=False, moved_from=None, made_at=start - timedelta(days=3),
    )  # fmt: skip
    with transaction(database.backoffice) as session:
        session.add(one)
        session.flush()
        return one.id


def sweeps(database: Database, now: datetime, **settings: str) -> None:
    """The worker passes."""
    keep_waiting_rooms(database.backoffice, worker_settings(database, **settings), now)


def test_times_are_the_same_hours_of_paris_over_a_change_of_clocks(database: Database, now: datetime) -> None:
    here = set_up(database, now)
    at_night = Weekly(date(2027, 3, 21), date(2027, 4, 4), frozenset({6}), time(2), time(3))
    in_the_morning = Weekly(date(2027, 3, 21), date(2027, 4, 4), frozenset({6}), time(9), time(12))
    with transaction(database.backoffice) as session:
        nadia, one = session.get_one(Agent, NADIA.id), session.get_one(VirtualPermanence, here)
        assert permanences.add_times(session, nadia, one, at_night, now) == 2, "28 March skips that hour"
        assert permanences.add_times(session, nadia, one, in_the_morning, now) == 3
        assert permanences.add_times(session, nadia, one, in_the_morning, now) == 0, "the same form twice"
        alone = Weekly(date(2027, 3, 28), date(2027, 3, 28), frozenset({6}), time(2), time(3))
        with pytest.raises(NoTimesError):
            permanences.add_times(session, nadia, one, alone, now)
        made = [span.during for span in permanences.times_of(session, here, now)][1:]
    mornings = [span for span in made if span.lower and span.lower.astimezone(PARIS).hour == 9]
    assert [span.lower.hour for span in mornings if span.lower] == [8, 7, 7], "in universal time"
    assert {span.upper - span.lower for span in mornings if span.upper and span.lower} == {minutes(180)}


def test_a_holiday_and_what_overlaps_are_left_out(database: Database, now: datetime) -> None:
    here = set_up(database, now)
    week = Weekly(date(2026, 11, 9), date(2026, 11, 13), frozenset(range(5)), time(9), time(12))
    with transaction(database.backoffice) as session:
        nadia, one = session.get_one(Agent, NADIA.id), session.get_one(VirtualPermanence, here)
        assert permanences.add_times(session, nadia, one, week, now) == 4, "11 November is a holiday"
        for paul_or_odile in (PAUL, HUGO):
            with pytest.raises(NotYourPermanenceError):
                permanences.add_times(session, session.get_one(Agent, paul_or_odile.id), one, week, now)
        found = session.scalars(select(PermanenceTime.id)).first()
        assert found
        permanences.drop_time(session, nadia, found, now)
        permanences.drop_time(session, nadia, found, now)


def test_one_desk_an_agent_and_only_in_their_house(database: Database, now: datetime, here: UUID) -> None:
    other = set_up(database, now, "Permanence du soir")
    open_desk(database, here, PAUL, now)
    open_desk(database, here, PAUL, now)
    open_desk(database, other, PAUL, now)
    with transaction(database.backoffice) as session:
        assert [desk.permanence_id for desk in permanences.open_desks(session, other)] == [other]
        assert permanences.open_desks(session, here) == []
    with pytest.raises(NotYourPermanenceError):
        open_desk(database, here, HUGO, now)


def test_amina_waits_behind_two_is_called_and_talks(database: Database, now: datetime, at_desk: UUID) -> None:
    kamal = come(database, at_desk, now, "Kamal")
    rosa = come(database, at_desk, now + minutes(1), "Rosa")
    amina = come(database, at_desk, now + minutes(2), "Amina")
    with as_guest(database, amina) as session:
        assert waiting_room.line(session, at_desk, now + minutes(2)).ahead == 2
    for guest, name in ((kamal, "Kamal"), (rosa, "Rosa"), (amina, "Amina")):
        seen(database, guest, now + minutes(3))
        assert call_next(database, PAUL, now + minutes(3)) == name
        assert call_next(database, PAUL, now + minutes(3)) == name, "a second tap is the same talk"
        assert visit_of(database, guest).state is VisitState.CALLED
        joins(database, guest, now + minutes(3))
        assert talk_of(database, guest).state is TalkState.OPEN
        if guest is not amina:
            ends(database, PAUL, guest, now + minutes(3))
    with as_guest(database, amina) as session:
        talk = talks.opened(session)
        assert talk
        me = talks.myself(session, talk.id)
        assert me
        form = uuid4()
        for _ in range(2):
            talks.write(session, talk.id, me.id, "سلام", "fa", form, now + minutes(4))
    with transaction(database.backoffice) as session:
        person = brought_in.come_in(session, session.get_one(Agent, PAUL.id), talk.id, now)
        assert person
        talks.write(session, talk.id, person.id, "Bonjour Amina.", "fr", uuid4(), now + minutes(5))
    with as_guest(database, amina) as session:
        said = talks.lines(session, talk.visit_id)
    assert [(line.name, line.body) for line in said] == [("Amina", "سلام"), ("Paul Petit", "Bonjour Amina.")]
    ends(database, PAUL, amina, now + minutes(9))
    assert visit_of(database, amina).state is VisitState.ENDED
    with as_guest(database, amina) as session:
        assert talks.myself(session, talk.id) is None, "a talk that is over takes no more lines"


def test_the_end_of_a_talk_is_in_the_request_and_the_person_is_told(
    database: Database, now: datetime, at_desk: UUID
) -> None:
    asked = ask(database, now - timedelta(days=1), BY_TEXT)
    booked = in_video(database, asked, now)
    amina = come(database, at_desk, now, "Amina", asked=asked, appointment_id=booked)
    assert call_next(database, PAUL, now) == "Amina"
    joins(database, amina, now)
    ends(
        database, PAUL, amina, now + minutes(20), "Nous demandons l'aide ensemble jeudi.", "Dettes de loyer."
    )
    told = [one for one in notifications_of(database, asked.id) if one.template is Template.TALK_SUMMARY]
    assert [one.recipient for one in told] == [AMINA_PHONE]
    assert journal_of(database, asked.id)[-1][1]["outcome"] == "answered"
    with transaction(database.backoffice) as session:
        assert session.get_one(Appointment, booked).state is Standing.CAME
        held = calling.talks_of(session, asked.id)
        assert [(talk.notes, talk.summary) for talk, _ in held] == [
            ("Dettes de loyer.", "Nous demandons l'aide ensemble jeudi.")
        ]
    with as_guest(database, amina) as session:
        seen_by_her = talks.opened(session)
        assert seen_by_her
        assert seen_by_her.summary == "Nous demandons l'aide ensemble jeudi."


def test_an_appointment_is_called_at_its_hour_and_by_its_own_worker(
    database: Database, now: datetime, at_desk: UUID
) -> None:
    open_desk(database, at_desk, SARAH, now)
    asked = ask(database, now - timedelta(days=1), BY_TEXT)
    booked = in_video(database, asked, now + minutes(15))
    amina = come(database, at_desk, now, "Amina", asked=asked, appointment_id=booked)
    kamal = come(database, at_desk, now + minutes(1), "Kamal")
    come(database, at_desk, now + minutes(2), "Rosa")
    assert call_next(database, PAUL, now + minutes(2)) == "Kamal", "her hour has not come"
    joins(database, kamal, now + minutes(2))
    ends(database, PAUL, kamal, now + minutes(14))
    later = now + minutes(16)
    seen(database, amina, later)
    rosa_still_here = come(database, at_desk, later, "Yanis")
    open_desk(database, at_desk, PAUL, later)
    assert call_next(database, SARAH, later) == "Yanis", "Rosa's page is silent, Amina waits for Paul"
    assert call_next(database, PAUL, later) == "Amina"
    assert visit_of(database, rosa_still_here).state is VisitState.CALLED


def test_urgent_first_and_out_of_turn_with_a_reason(database: Database, now: datetime, at_desk: UUID) -> None:
    come(database, at_desk, now - minutes(1), "Kamal")
    rosa = come(database, at_desk, now, "Rosa")
    lina = come(database, at_desk, now, "Lina")
    with transaction(database.backoffice) as session:
        paul = session.get_one(Agent, PAUL.id)
        with pytest.raises(ReasonMissingError):
            calling.call(session, paul, visit_of(database, rosa).id, " ", now)
        calling.mark_urgent(session, paul, visit_of(database, lina).id, "Elle dort dehors ce soir.", now)
    assert call_next(database, PAUL, now) == "Lina"
    open_desk(database, at_desk, SARAH, now)
    with transaction(database.backoffice) as session:
        sarah = session.get_one(Agent, SARAH.id)
        talk = calling.call(session, sarah, visit_of(database, rosa).id, "Elle parle portugais.", now)
        assert talk.reason == "Elle parle portugais."
        with pytest.raises(BusyError):
            calling.call(session, sarah, visit_of(database, lina).id, "Encore elle.", now)
    open_desk(database, at_desk, LOUISE, now)
    with transaction(database.backoffice) as session:
        louise = session.get_one(Agent, LOUISE.id)
        with pytest.raises(NotWaitingError):
            calling.call(session, louise, visit_of(database, rosa).id, "Elle parle portugais.", now)
    with transaction(database.backoffice) as session, pytest.raises(NoDeskError):
        calling.call_next(session, session.get_one(Agent, MARC.id), now)


def test_a_place_is_kept_five_minutes_and_not_six(database: Database, now: datetime, at_desk: UUID) -> None:
    amina, kamal = come(database, at_desk, now, "Amina"), come(database, at_desk, now + minutes(1), "Kamal")
    later = now + minutes(4.9)
    seen(database, kamal, later)
    with as_guest(database, kamal) as session:
        assert waiting_room.line(session, at_desk, later).ahead == 1, "Amina's place is kept"
    assert seen(database, amina, later).arrived_at == now
    with as_guest(database, kamal) as session:
        assert waiting_room.line(session, at_desk, later + minutes(1)).ahead == 1
    silent = later + minutes(5.1)
    seen(database, kamal, silent - minutes(1))
    sweeps(database, silent)
    assert visit_of(database, amina).state is VisitState.GONE
    with as_guest(database, kamal) as session:
        assert waiting_room.line(session, at_desk, silent).ahead == 0
    back = seen(database, amina, silent)
    assert (back.state, back.arrived_at) == (VisitState.WAITING, silent)


def test_who_asked_for_a_text_message_keeps_their_place(
    database: Database, now: datetime, at_desk: UUID
) -> None:
    amina = come(database, at_desk, now, "Amina", language="fr")
    with as_guest(database, amina) as session:
        found = waiting_room.mine(session)
        assert found
        waiting_room.text_me(session, found, KAMAL_PHONE, amina.secret, database.public_key)
    with TextProvider() as provider:
        at = {"sms_url": provider.url, "sms_token": provider.token}
        for _ in range(2):
            open_desk(database, at_desk, PAUL, now + minutes(20))
            sweeps(database, now + minutes(20), **at)
        texts = provider.to(KAMAL_PHONE)
    assert len(texts) == 1
    assert f"/fr/permanence/v/{amina.secret}" in texts[0]["text"]
    assert call_next(database, PAUL, now + minutes(20)) == "", (
        "she is not there yet: nobody calls an empty page"
    )
    back = seen(database, amina, now + minutes(22))
    assert back.arrived_at == now
    assert call_next(database, PAUL, now + minutes(22)) == "Amina"


def test_with_a_request_the_text_is_a_message_like_any_other(
    database: Database, now: datetime, at_desk: UUID
) -> None:
    asked = ask(database, now - timedelta(days=1), BY_TEXT)
    amina = come(database, at_desk, now, "Amina", asked=asked)
    with as_guest(database, amina) as session:
        found = waiting_room.mine(session)
        assert found
        waiting_room.text_me(session, found, AMINA_PHONE, amina.secret, database.public_key)
    sweeps(database, now)
    near = [one for one in notifications_of(database, asked.id) if one.template is Template.TURN_NEAR]
    assert [(one.recipient, one.visit_id) for one in near] == [(AMINA_PHONE, found.id)]


def test_called_in_vain_one_says_i_am_here_and_is_first(
    database: Database, now: datetime, at_desk: UUID
) -> None:
    amina = come(database, at_desk, now, "Amina")
    come(database, at_desk, now + minutes(1), "Kamal")
    assert call_next(database, PAUL, now + minutes(1)) == "Amina"
    with transaction(database.backoffice) as session:
        calling.not_there(
            session, session.get_one(Agent, PAUL.id), talk_of(database, amina).id, now + minutes(2)
        )
    assert seen(database, amina, now + minutes(2)).state is VisitState.GONE, "an open page is not a person"
    assert call_next(database, PAUL, now + minutes(2)) == "Kamal"
    with as_guest(database, amina) as session:
        waiting_room.come_back(session, now + minutes(3))
    open_desk(database, at_desk, SARAH, now + minutes(3))
    come(database, at_desk, now + minutes(3), "Rosa")
    assert call_next(database, SARAH, now + minutes(3)) == "Amina"


def test_a_silent_desk_gives_its_people_back(database: Database, now: datetime, at_desk: UUID) -> None:
    amina = come(database, at_desk, now, "Amina")
    assert call_next(database, PAUL, now) == "Amina"
    joins(database, amina, now)
    with transaction(database.backoffice) as session, pytest.raises(TalkUnderWayError):
        permanences.close_desk(session, session.get_one(Agent, PAUL.id), now)
    later = now + minutes(4)
    kamal = come(database, at_desk, later, "Kamal")
    seen(database, amina, later)
    sweeps(database, later)
    assert visit_of(database, amina).state is VisitState.WAITING
    assert talk_of(database, amina).outcome is TalkOutcome.CUT
    open_desk(database, at_desk, SARAH, later)
    assert call_next(database, SARAH, later) == "Amina", "before Kamal, who came later"
    assert visit_of(database, kamal).state is VisitState.WAITING


def test_a_silent_desk_leaves_the_talk_to_the_colleague_who_is_in_it(
    database: Database, now: datetime, at_desk: UUID
) -> None:
    amina = come(database, at_desk, now, "Amina")
    call_next(database, PAUL, now)
    joins(database, amina, now)
    talk = talk_of(database, amina)
    _comes_in(database, SARAH, talk.id, now)
    sweeps(database, now + minutes(4))
    assert (talk_of(database, amina).agent_id, talk_of(database, amina).state) == (SARAH.id, TalkState.OPEN)
    assert visit_of(database, amina).state is VisitState.TALKING
    with transaction(database.backoffice) as session:
        sarah = session.get_one(Agent, SARAH.id)
        assert permanences.desk_of(session, SARAH.id), "the page of the talk shows that she is there"
        calling.hold(session, sarah, talk.id, now + minutes(5))
    seen(database, amina, now + minutes(8))
    sweeps(database, now + minutes(8))
    assert visit_of(database, amina).state is VisitState.WAITING, "she fell silent too"


def test_who_leads_another_talk_gets_it_on_hold(database: Database, now: datetime, at_desk: UUID) -> None:
    amina = come(database, at_desk, now - minutes(1), "Amina")
    kamal = come(database, at_desk, now, "Kamal")
    call_next(database, PAUL, now)
    joins(database, amina, now)
    open_desk(database, at_desk, SARAH, now)
    call_next(database, SARAH, now)
    joins(database, kamal, now)
    talk = talk_of(database, amina)
    _comes_in(database, SARAH, talk.id, now)
    open_desk(database, at_desk, SARAH, now + minutes(3))
    sweeps(database, now + minutes(4))
    assert (talk_of(database, amina).agent_id, talk_of(database, amina).state) == (
        SARAH.id,
        TalkState.ON_HOLD,
    )
    assert visit_of(database, kamal).state is VisitState.TALKING
    with transaction(database.backoffice) as session:
        sarah = session.get_one(Agent, SARAH.id)
        calling.hold(session, sarah, talk_of(database, kamal).id, now + minutes(5))
        calling.resume(session, sarah, talk.id, now + minutes(5))
    assert visit_of(database, amina).state is VisitState.TALKING


def _comes_in(database: Database, who: Character, talk_id: UUID, now: datetime) -> None:
    """Paul asks a colleague into his talk, and they come."""
    with transaction(database.backoffice) as session:
        colleague = session.get_one(Agent, who.id)
        brought_in.invite(session, session.get_one(Agent, PAUL.id), talk_id, colleague, now)
        brought_in.come_in(session, colleague, talk_id, now)


def test_held_handed_on_and_taken_up(database: Database, now: datetime, at_desk: UUID) -> None:
    open_desk(database, at_desk, SARAH, now)
    amina = come(database, at_desk, now - minutes(1), "Amina")
    come(database, at_desk, now, "Kamal")
    call_next(database, PAUL, now)
    joins(database, amina, now)
    first = talk_of(database, amina).id
    with transaction(database.backoffice) as session:
        paul, sarah = session.get_one(Agent, PAUL.id), session.get_one(Agent, SARAH.id)
        calling.hold(session, paul, first, now)
        second = calling.call_next(session, paul, now)
        assert second
        with pytest.raises(BusyError):
            calling.resume(session, paul, first, now)
        calling.not_there(session, paul, second.id, now)
        calling.resume(session, paul, first, now)
        with pytest.raises(NotYourTalkError):
            calling.hold(session, sarah, first, now)
        calling.hand(session, paul, first, sarah, "Question de budget.", now)
    come(database, at_desk, now, "Rosa")
    assert call_next(database, SARAH, now) == "Amina"
    with as_guest(database, amina) as session:
        talk = talks.opened(session)
        assert talk
        assert talk.id != first


def test_a_secretary_calls_the_worker_on_duty_and_an_interpreter_comes_by_a_link(
    database: Database, now: datetime, here: UUID
) -> None:
    open_desk(database, here, NADIA, now)
    amina = come(database, here, now, "Amina")
    call_next(database, NADIA, now)
    joins(database, amina, now)
    talk_id = talk_of(database, amina).id
    with transaction(database.backoffice) as session:
        nadia, paul = session.get_one(Agent, NADIA.id), session.get_one(Agent, PAUL.id)
        session.add(AgentSession(token_hash="paul", agent_id=PAUL.id, started_at=now, seen_at=now))
        session.flush()
        assert [one.backs_up for one in brought_in.present(session, "poitiers", now)] == [False]
        every_half_day = {
            (weekday, half): PAUL.id for weekday in back_up.WORKING_DAYS for half in back_up.Half
        }
        back_up.set_week(session, nadia, every_half_day, now)
        assert [
            (one.agent.name, one.busy, one.backs_up) for one in brought_in.present(session, "poitiers", now)
        ] == [("Paul Petit", False, True)]
        brought_in.invite(session, nadia, talk_id, paul, now)
        brought_in.invite(session, nadia, talk_id, paul, now)
        assert [one.id for one in calling.under_way(session, paul)] == [talk_id]
        assert brought_in.come_in(session, paul, talk_id, now)
        secret = brought_in.invite_third(
            session, nadia, talk_id, "Zahra, interprète", "fa", database.access_key, now
        )
        with pytest.raises(FullError):
            brought_in.invite(session, nadia, talk_id, session.get_one(Agent, SARAH.id), now)
    zahra = Guest(secret, access.link_hash(database.access_key, secret))
    joins(database, zahra, now)
    with as_guest(database, zahra) as session:
        me = talks.myself(session, talk_id)
        assert me
        assert (me.part, me.name) == (Part.THIRD, "Zahra, interprète")
        assert waiting_room.mine(session) is None, "the talk is all she sees"
        talks.write(session, talk_id, me.id, "Je traduis.", "fr", uuid4(), now)
        here_now = {one.name for one in talks.people(session, talk_id) if one.here}
        assert here_now == {"Nadia Roux", "Amina", "Paul Petit", "Zahra, interprète"}
    ends(database, NADIA, amina, now)
    with as_guest(database, zahra) as session:
        assert talks.opened(session) is None, "her link dies with the talk"


def test_nobody_comes_in_outside_of_the_times_nor_twice(
    database: Database, now: datetime, at_desk: UUID
) -> None:
    with pytest.raises(NotReceivingError):
        come(database, at_desk, now.replace(hour=13))
    asked = ask(database, now, BY_TEXT)
    first = come(database, at_desk, now, "Amina", asked=asked)
    again = come(database, at_desk, now + minutes(1), "Amina", asked=asked)
    assert visit_of(database, first).id == visit_of(database, again).id
    with as_guest(database, first) as session:
        assert waiting_room.leave(session, now)
        assert not waiting_room.leave(session, now), "nothing to leave any more"
    come(database, at_desk, now + minutes(2), "Amina", asked=asked)
    assert visit_of(database, first).is_live


def test_nobody_is_taken_in_who_cannot_be_received(database: Database, now: datetime, at_desk: UUID) -> None:
    almost_noon = now.replace(hour=11, minute=40)
    open_desk(database, at_desk, PAUL, almost_noon)
    guest = guest_of(database)
    with as_guest(database, guest) as session:
        assert ways_in.door_for(session, None, almost_noon)
    come(database, at_desk, almost_noon, "Kamal")
    with as_guest(database, guest) as session:
        assert ways_in.door_for(session, None, almost_noon) is None, "the turn would come at five to twelve"


def test_closing_time_leaves_nobody_behind(database: Database, now: datetime, at_desk: UUID) -> None:
    asked = ask(database, now - timedelta(days=1), BY_TEXT)
    at_risk = ask(database, now - timedelta(days=1), BY_TEXT)
    with transaction(database.owner) as session:
        session.get_one(Request, at_risk.id).contact_rule = ContactRule.NONE
    amina = come(database, at_desk, now, "Amina", asked=asked)
    leila = come(database, at_desk, now, "Leïla", asked=at_risk)
    kamal = come(database, at_desk, now, "Kamal")
    rosa = come(database, at_desk, now, "Rosa")
    with as_guest(database, kamal) as session:
        found = waiting_room.mine(session)
        assert found
        waiting_room.text_me(session, found, KAMAL_PHONE, kamal.secret, database.public_key)
    noon = now.replace(hour=12, minute=1)
    with transaction(database.backoffice) as session:
        permanences.close_desk(session, session.get_one(Agent, PAUL.id), noon)
    sweeps(database, noon)
    states = [visit_of(database, one).state for one in (amina, leila, kamal, rosa)]
    assert states == [VisitState.CALLBACK, VisitState.LEFT, VisitState.CALLBACK, VisitState.LEFT]
    with as_guest(database, leila) as session:
        assert not waiting_room.leave(session, noon, callback=KAMAL_PHONE), "nobody calls a person at risk"
    with as_guest(database, rosa) as session:
        assert waiting_room.leave(session, noon, callback="+33611111111"), "her page asks for a number"
    sweeps(database, noon + minutes(1))
    with transaction(database.backoffice) as session:
        listed = {line.request.name: line.numbers for line in to_call.lines(session, "poitiers")}
        assert listed == {"Amina": [AMINA_PHONE], "Kamal": [KAMAL_PHONE], "Rosa": ["+33611111111"]}
        nadia = session.get_one(Agent, NADIA.id)
        to_rosa = session.get_one(Request, row_of(database, rosa).request_id)
        assert to_call.called(session, nadia, to_rosa, noon + minutes(5), reached=True)
        assert {line.request.name for line in to_call.lines(session, "poitiers")} == {"Amina", "Kamal"}
    with as_guest(database, rosa) as session:
        assert session.scalar(select(Request.number)), "the link of her visit opens her request"


def test_the_portal_sees_its_own_visit_alone(database: Database, now: datetime, at_desk: UUID) -> None:
    amina = come(database, at_desk, now - minutes(1), "Amina")
    kamal = come(database, at_desk, now, "Kamal")
    with as_guest(database, kamal) as session:
        assert session.scalars(select(Visit.called_name)).all() == ["Kamal"]
    call_next(database, PAUL, now)
    talk_id = talk_of(database, amina).id
    with as_guest(database, kamal) as session:
        assert talks.opened(session) is None
        assert talks.join(session, now) is None
    for statement in (
        "SELECT meant_for FROM visits", "SELECT notes FROM talks", "SELECT agent_id FROM talk_people",
        "SELECT link_hash FROM talk_people", "SELECT 1 FROM permanence_desks", "UPDATE visits SET arrived_at = now()",
        "UPDATE visits SET urgent = true", "INSERT INTO talks (id) VALUES (gen_random_uuid())", "DELETE FROM visits",
    ):  # fmt: skip
        with pytest.raises(DBAPIError, match="permission denied"), as_guest(database, kamal) as session:
            session.connection().exec_driver_sql(statement)
    with as_guest(database, amina) as session:
        hers = talks.myself(session, talk_id)
    assert hers
    with pytest.raises(DBAPIError, match="row-level security"), as_guest(database, kamal) as session:
        talks.write(session, talk_id, hers.id, "Je suis Amina.", "fr", uuid4(), now)
