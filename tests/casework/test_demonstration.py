"""The demonstration lives: every state, theme and language, a journal that agrees, and nothing sent."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from io import BytesIO

import phonenumbers
import pypdf
import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.orm import Session

from casework import (
    access,
    calling,
    documents,
    passwords,
    permanences,
    reminders,
    session_lists,
    slots,
    territory_files,
)
from casework.agenda import Audience, Mode, Opening, OpeningRule
from casework.agents import Absence, Agent
from casework.appointments import Appointment, Standing
from casework.database import transaction
from casework.demonstration import (
    DEMO_PASSWORD,
    DEMO_SIGN_INS,
    REQUESTS,
    NotEmptyError,
    TerritoryMissingError,
    fill,
    filled,
    receive_from_afar,
)
from casework.demonstration.agendas import read_times
from casework.documents import Document, Owner
from casework.journal import Action, Entry
from casework.messages import Author, Message
from casework.models import Base
from casework.notifications import Delivery, Notification, Template
from casework.people import ContactWay, read_email, read_phone
from casework.permanences import VirtualPermanence
from casework.requests import PARIS, Request
from casework.sessions import GroupSession
from casework.settings import ROOT
from casework.slots import Wanted
from casework.territory import Place, PlaceKind, SectorCommune
from casework.triage import ALLOWED_FROM, Act
from casework.vocabulary import LANGUAGES, Channel, Role, State, Theme, Urgency
from casework.waiting_room import Visit, VisitState
from tests.conftest import ACCESS_KEY, Database

pytestmark = pytest.mark.long

VIENNE = ROOT / "territory" / "vienne"
NOW = datetime(2026, 11, 3, 10, tzinfo=PARIS)
SUNDAY_NIGHT = datetime(2026, 11, 8, 2, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
def vienne(migrated: Database) -> Iterator[Database]:
    """La Vienne with its demonstration, filled once for all the tests of this file, which only look at it."""
    with transaction(migrated.owner) as session:
        territory_files.load(session, VIENNE)
        fill(session, public_key=migrated.public_key, access_key=ACCESS_KEY, now=NOW)
    yield migrated
    empty(migrated)


@pytest.fixture
def session(vienne: Database) -> Iterator[Session]:
    with Session(vienne.backoffice) as opened:
        yield opened


def empty(database: Database) -> None:
    """Leave nothing for the next test."""
    tables = ", ".join(table.name for table in Base.metadata.sorted_tables)
    with database.owner.begin() as connection:
        connection.execute(text(f"TRUNCATE {tables}, procrastinate_jobs RESTART IDENTITY CASCADE"))


def facts(session: Session) -> list[tuple[object, ...]]:
    """Who asked what, when, and what became of it, without what is drawn anew each time."""
    rows = session.execute(
        select(
            Request.received_at, Request.words, Request.name, Request.state, Request.route_reason,
            Request.worker_id, Request.version,
        ).order_by(Request.received_at, Request.words)
    )  # fmt: skip
    met = session.execute(
        select(
            Appointment.made_at, Appointment.agent_id, Appointment.place_id, Appointment.during,
            Appointment.kind_id, Appointment.mode, Appointment.state,
        ).order_by(Appointment.made_at, Appointment.during)
    )  # fmt: skip
    return [tuple(row) for row in [*rows, *met]]


def test_without_the_territory_it_says_what_to_load(database: Database) -> None:
    """First of this file: it needs the small territory of the tests."""
    with transaction(database.owner) as session:
        assert not filled(session)
        with pytest.raises(TerritoryMissingError, match="load territory/vienne first"):
            fill(session, public_key=database.public_key, access_key=ACCESS_KEY, now=NOW)


def test_three_hundred_requests_in_every_state_theme_urgency_channel_and_language(session: Session) -> None:
    requests = session.scalars(select(Request)).all()
    assert len(requests) == REQUESTS == 300
    assert {request.state for request in requests} == set(State)
    assert min(Counter(request.state for request in requests).values()) > 20
    assert {theme for request in requests for theme in request.themes} == set(Theme)
    assert {request.urgency for request in requests} == set(Urgency)
    assert {request.language for request in requests} <= set(LANGUAGES)
    assert {request.language for request in requests} >= {"fr", "ar", "en", "fa", "uk"}
    assert {request.spoken_language for request in requests} >= {"fr", "ar", "en", "fa", "uk", "es"}
    assert {request.house_id for request in requests} == set(session.scalars(text("SELECT id FROM houses")))
    assert Counter(request.house_id for request in requests).most_common(1)[0][0] == "poitiers"
    assert set(session.scalars(select(ContactWay.channel))) == set(Channel)
    assert any(request.commune_code is None for request in requests)
    assert any(request.needs for request in requests)


def test_they_were_received_over_six_weeks_mostly_in_working_hours(session: Session) -> None:
    received = [moment.astimezone(PARIS) for moment in session.scalars(select(Request.received_at))]
    assert min(received) > NOW - timedelta(weeks=6)
    assert max(received) <= NOW
    by_day = [moment for moment in received if moment.weekday() < 5 and 8 <= moment.hour < 19]
    assert len(by_day) > 0.7 * len(received)
    assert len({moment.isocalendar().week for moment in received}) >= 6


def test_nothing_happened_in_the_future(session: Session) -> None:
    for moment in (Entry.at, Message.at, Document.received_at, Notification.created_at, Request.closed_at):
        latest = session.scalar(select(func.max(moment)))
        assert latest is not None
        assert latest <= NOW


def test_promises_are_late_for_some_and_people_wrote_again_after_the_end(session: Session) -> None:
    requests = session.scalars(select(Request)).all()
    late = [
        one
        for one in requests
        if one.state is not State.CLOSED and one.promised_by < NOW and not one.agent_wrote_at
    ]
    assert len(late) > 5
    closed = [one for one in requests if one.closed_at]
    assert len({one.outcome for one in closed}) > 4
    assert any(
        one.citizen_wrote_at and one.closed_at and one.citizen_wrote_at > one.closed_at for one in closed
    )
    assert any(one.state is State.WAITING and one.waits_for_agent for one in requests)


def test_the_journal_tells_how_each_request_came_to_its_state(session: Session) -> None:
    """Play the journal of each request again: every act was allowed, and the end is the state it is in."""
    becomes = {
        Action.SENT: State.RECEIVED, Action.ROUTED: State.ROUTED, Action.HANDED_OVER: State.ROUTED,
        Action.HANDED_BACK: State.QUALIFIED, Action.TAKEN: State.TAKEN, Action.PAPER_ASKED: State.WAITING,
        Action.CLOSED: State.CLOSED,
    }  # fmt: skip
    acts = {
        Action.QUALIFIED: Act.QUALIFY,
        Action.ROUTED: Act.ROUTE,
        Action.TAKEN: Act.TAKE,
        Action.CLOSED: Act.CLOSE,
    }
    for request in session.scalars(select(Request)):
        state = State.RECEIVED
        entries = session.scalars(
            select(Entry).where(Entry.request_id == request.id).order_by(Entry.id)
        ).all()
        assert entries[0].action is Action.SENT
        assert [entry.at for entry in entries] == sorted(entry.at for entry in entries)
        for entry in entries:
            if entry.action in acts:
                assert state in ALLOWED_FROM[acts[entry.action]]
            state = becomes.get(entry.action, state)
            if entry.action is Action.QUALIFIED and state is State.RECEIVED:
                state = State.QUALIFIED
            if entry.action is Action.REOPENED or (
                entry.action is Action.ANSWERED and state is State.WAITING
            ):
                state = State.TAKEN if request.worker_id else State.QUALIFIED
        assert state is request.state


def test_every_act_is_by_an_agent_of_the_house_who_is_there_that_day(session: Session) -> None:
    away = session.scalars(select(Absence)).all()
    acts = session.execute(
        select(Entry, Agent, Request)
        .join(Agent, Agent.id == Entry.agent_id)
        .join(Request, Request.id == Entry.request_id)
    ).all()
    assert len(acts) > 1000
    for entry, agent, request in acts:
        assert agent.house_id == request.house_id
        day = entry.at.astimezone(PARIS).date()
        assert not any(one.agent_id == agent.id and one.first_day <= day <= one.last_day for one in away)


def test_conversations_have_two_sides(session: Session) -> None:
    authors = Counter(session.scalars(select(Message.author)))
    assert authors[Author.AGENT] > 200
    assert authors[Author.CITIZEN] > 40
    assert {"fr", "ar", "en"} <= set(
        session.scalars(select(Message.language).where(Message.author == Author.CITIZEN))
    )


def test_routing_gave_its_reasons(session: Session) -> None:
    reasons = " ".join(session.scalars(select(Request.route_reason)))
    for said in (
        "a la charge la plus légère",
        "est référent de la commune",
        "connaît déjà cette personne",
        "Choix de",
    ):
        assert said in reasons


def test_a_referent_is_away_this_week(session: Session) -> None:
    referents = select(SectorCommune.referent_id)
    away = session.scalars(
        select(Absence).where(
            Absence.agent_id.in_(referents), Absence.first_day <= NOW.date(), Absence.last_day >= NOW.date()
        )
    ).all()
    assert len(away) >= 9


def test_nobody_real_can_be_reached(session: Session) -> None:
    for way in session.scalars(select(ContactWay)):
        if way.channel in {Channel.SMS, Channel.CALL}:
            assert read_phone(way.value) == way.value
            assert phonenumbers.format_number(
                phonenumbers.parse(way.value), phonenumbers.PhoneNumberFormat.NATIONAL
            ).startswith("06 39 98 ")
        elif way.channel is Channel.EMAIL:
            assert read_email(way.value).endswith("@example.org")


def test_nothing_is_left_to_send_or_to_scan(session: Session) -> None:
    states = Counter(session.scalars(select(Notification.state)))
    assert set(states) == {Delivery.SHOWN, Delivery.BY_HAND, Delivery.DONE}
    assert session.scalar(text("SELECT count(*) FROM procrastinate_jobs")) == 0
    assert not reminders.untold(session, NOW, 10)
    assert not reminders.to_remind(session, NOW, 10)
    assert session.scalar(select(func.count()).select_from(Document).where(Document.scan == "pending")) == 0


def test_a_link_that_would_have_been_sent_opens_its_request(vienne: Database, session: Session) -> None:
    shown = session.scalars(select(Notification).where(Notification.state == Delivery.SHOWN)).first()
    assert shown is not None
    assert shown.sealed_secret is not None
    secret = documents.unseal(shown.sealed_secret, vienne.private_key).decode()
    hashed = access.link_hash(ACCESS_KEY, secret)
    opened = session.scalar(text("SELECT request_id FROM access_keys WHERE hash = :hash"), {"hash": hashed})
    assert opened == shown.request_id


def test_papers_open_in_the_back_office_and_are_what_they_say(vienne: Database, session: Session) -> None:
    papers = session.scalars(select(Document)).all()
    kinds = Counter(paper.media_type for paper in papers)
    assert set(kinds) == {"image/png", "application/pdf"}
    for kind in kinds:
        paper = next(one for one in papers if one.media_type == kind)
        content = documents.open_content(session, paper, vienne.private_key)
        assert len(content) == paper.size
        if kind == "application/pdf":
            assert "Facture" in pypdf.PdfReader(BytesIO(content)).pages[0].extract_text()
    assert any(len(documents.of(session, Owner(request_id=one.request_id))) > 1 for one in papers)


def test_the_three_sign_ins_are_a_secretary_a_worker_and_a_manager_with_something_to_do(
    session: Session,
) -> None:
    agents = [session.scalars(select(Agent).where(Agent.login == login)).one() for login, _ in DEMO_SIGN_INS]
    assert [agent.roles for agent in agents] == [[Role.SECRETARY], [Role.WORKER], [Role.MANAGER]]
    assert {agent.house_id for agent in agents} == {"poitiers"}
    assert all(passwords.check_password(agent.password_hash, DEMO_PASSWORD) for agent in agents)
    hers = Counter(session.scalars(select(Request.state).where(Request.worker_id == agents[1].id)))
    assert hers[State.ROUTED] > 0
    assert hers[State.TAKEN] > 0
    assert session.scalar(
        select(func.count())
        .select_from(Request)
        .where(Request.house_id == "poitiers", Request.state.in_([State.RECEIVED, State.QUALIFIED]))
    )


def test_every_social_worker_receives_for_a_year_and_part_timers_less(session: Session) -> None:
    workers = [
        agent for agent in session.scalars(select(Agent).order_by(Agent.id)) if agent.is_a(Role.WORKER)
    ]
    assert len(workers) == 99
    hours: defaultdict[int, float] = defaultdict(float)
    for rule in session.scalars(select(OpeningRule).where(OpeningRule.nth_of_month.is_(None))):
        begins, ends = rule.starts_at, rule.ends_at
        hours[rule.agent_id] += len(rule.weekdays) * (ends.hour - begins.hour) / rule.every_weeks
    full, part = (
        [hours[agent.id] for agent in workers if (agent.full_time_share == 1) is whole]
        for whole in (True, False)
    )
    assert min(part) > 5
    assert sum(part) / len(part) < sum(full) / len(full) <= 30
    last = session.scalar(select(func.min(OpeningRule.made_until)))
    assert last is not None
    assert last > NOW.date() + timedelta(days=360)
    assert not session.scalars(
        select(Agent.id).where(Agent.id.in_(select(OpeningRule.agent_id)), ~Agent.roles.contains(["worker"]))
    ).all()


def test_agendas_hold_every_way_to_meet_and_who_may_book(session: Session) -> None:
    rules = session.scalars(select(OpeningRule)).all()
    assert {rule.mode for rule in rules} == set(Mode)
    assert {rule.audience for rule in rules} == set(Audience)
    assert all((rule.travel_minutes > 0) is (rule.mode is Mode.HOME) for rule in rules)
    assert {"en", "ar"} <= {language for rule in rules for language in rule.languages}
    assert any(rule.every_weeks == 2 for rule in rules)
    assert any(rule.nth_of_month == 1 for rule in rules)


def test_nobody_is_expected_in_two_places(session: Session) -> None:
    twice = session.execute(
        text(
            "SELECT count(*) FROM (SELECT lower(during) < max(upper(during)) OVER (PARTITION BY agent_id"
            " ORDER BY lower(during) ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS clashes FROM openings) one"
            " WHERE clashes"
        )
    ).scalar()
    assert twice == 0


def test_somebody_is_at_each_permanence_when_its_sentence_says_so(session: Session) -> None:
    for place in session.scalars(select(Place).where(Place.kind == PlaceKind.PERMANENCE)):
        times = read_times(place.times)
        held = session.scalars(
            select(Opening).where(Opening.place_id == place.id, Opening.on_day >= NOW.date())
        ).all()
        assert len(held) >= (10 if times.nths else 45), place.id
        for opening in held:
            assert opening.on_day.weekday() == times.weekday
            assert opening.during.lower is not None
            assert opening.during.lower.astimezone(PARIS).time() == times.starts_at
            assert bool(opening.kinds) is place.by_appointment


def test_what_a_sentence_says_of_a_permanence() -> None:
    twice = read_times(
        "Le deuxième et le quatrième mercredi du mois. L'après-midi, de 13 heures 30 à 16 heures."
    )
    assert (twice.weekday, twice.nths, twice.starts_at, twice.ends_at) == (2, (2, 4), time(13, 30), time(16))
    weekly = read_times("Le vendredi matin, de 9 heures à midi.")
    assert (weekly.weekday, weekly.nths, weekly.starts_at, weekly.ends_at) == (4, (), time(9), time(12))
    with pytest.raises(ValueError, match="when is this"):
        read_times("Quand vous voulez.")


def test_people_came_missed_excused_themselves_moved_and_will_come(session: Session) -> None:
    met = session.scalars(select(Appointment)).all()
    states = Counter(one.state for one in met)
    assert set(states) == set(Standing) - {Standing.HELD}
    assert states[Standing.CAME] > 50
    assert states[Standing.BOOKED] > 20
    assert min(states.values()) > 4
    assert {one.mode for one in met} == set(Mode)
    assert len({one.kind_id for one in met}) == 6
    assert len({one.place_id for one in met}) > 15
    for one in met:
        assert one.made_at < one.start
        if one.state in {Standing.CAME, Standing.MISSED, Standing.EXCUSED}:
            assert one.start < NOW
        if one.state is Standing.BOOKED:
            assert one.start > NOW - timedelta(hours=2)


def test_people_were_told_of_their_appointments_and_reminded_by_day(session: Session) -> None:
    told = session.scalars(select(Notification).where(Notification.appointment_id.is_not(None))).all()
    templates = Counter(one.template for one in told)
    assert templates[Template.APPOINTMENT_BOOKED] > 50
    assert templates[Template.APPOINTMENT_REMINDER] > 30
    assert templates[Template.APPOINTMENT_MOVED] > 2
    assert templates[Template.APPOINTMENT_CANCELLED] > 2
    assert not any(reminders.is_night(one.created_at) for one in told)


def test_an_appointment_is_in_an_opening_with_whoever_has_the_request(session: Session) -> None:
    for one, request in session.execute(
        select(Appointment, Request).join(Request, Request.id == Appointment.request_id)
    ):
        assert one.agent_id == request.worker_id
        around = select(Opening.id).where(
            Opening.agent_id == one.agent_id, Opening.mode == one.mode, Opening.during.contains(one.during)
        )
        assert session.scalars(around).first()


def test_the_journal_tells_each_appointment(session: Session) -> None:
    told = Counter(
        session.scalars(
            select(Entry.action).where(Entry.details.has_key("appointment"), Entry.action != Action.OPENED)
        )
    )
    states = Counter(session.scalars(select(Appointment.state)))
    assert told[Action.BOOKED] + told[Action.MOVED] == states.total()
    assert told[Action.MOVED] == states[Standing.MOVED]
    assert told[Action.CANCELLED] == states[Standing.CANCELLED]
    assert told[Action.ENDED] == sum(
        states[how] for how in (Standing.CAME, Standing.MISSED, Standing.EXCUSED)
    )


def test_there_is_still_room_this_week_in_each_house(session: Session) -> None:
    workers = [agent for agent in session.scalars(select(Agent)) if agent.is_a(Role.WORKER)]
    for house in {agent.house_id for agent in workers}:
        ids = [agent.id for agent in workers if agent.house_id == house]
        found = slots.find(session, Wanted(ids, "first", [Mode.HERE]), NOW, NOW, most=5)
        assert len(found) == 5
        assert found[-1].start < NOW + timedelta(days=7)


def test_it_never_mixes_with_requests_that_are_there(vienne: Database) -> None:
    with transaction(vienne.owner) as session:
        assert filled(session)
        with pytest.raises(NotEmptyError):
            fill(session, public_key=vienne.public_key, access_key=ACCESS_KEY, now=NOW)


@pytest.mark.slow
def test_the_same_seed_gives_the_same_facts(vienne: Database) -> None:
    with transaction(vienne.owner) as session:
        once = facts(session)
    assert filled_again(vienne, NOW) == once


@pytest.mark.slow
def test_a_start_in_the_night_of_a_weekend_is_no_trouble(vienne: Database) -> None:
    """Last of this file: it leaves other requests."""
    told = filled_again(vienne, SUNDAY_NIGHT)
    assert {fact[3] for fact in told[:REQUESTS]} == set(State)
    assert len(told) > REQUESTS + 100


def filled_again(database: Database, now: datetime) -> list[tuple[object, ...]]:
    """The facts of a demonstration made anew."""
    empty(database)
    with transaction(database.owner) as session:
        territory_files.load(session, VIENNE)
        fill(session, public_key=database.public_key, access_key=ACCESS_KEY, now=now)
        return facts(session)


def test_sessions_are_held_and_to_come_and_one_is_full(session: Session) -> None:
    held = session.scalars(select(GroupSession).order_by(func.lower(GroupSession.during))).all()
    turnouts = session_lists.turnouts(session, [one.id for one in held])
    assert len(held) == 8
    assert len({one.house_id for one in held}) == 4
    past = [turnouts[one.id] for one in held if one.end < NOW]
    assert len(past) == 2
    assert all(one.came and one.came + one.missed == one.taken for one in past)
    coming = [(one, turnouts[one.id]) for one in held if one.start > NOW]
    assert any(turnout.waiting for _, turnout in coming)
    assert any(0 < turnout.taken < one.seats and not turnout.waiting for one, turnout in coming)
    told = session.scalars(select(Notification).where(Notification.sign_up_id.isnot(None))).all()
    assert told
    assert {one.state for one in told} <= {Delivery.SHOWN, Delivery.DONE, Delivery.BY_HAND}


def test_people_wait_at_the_virtual_permanence_at_any_hour(vienne: Database) -> None:
    """They wait by text message, as people do: nothing says that their pages are open tomorrow."""
    with Session(vienne.owner) as session:
        here = session.scalars(select(VirtualPermanence.id)).one()
        for start in (SUNDAY_NIGHT, SUNDAY_NIGHT + timedelta(days=3, hours=9)):
            receive_from_afar(session, start)
            later = start + timedelta(hours=20)
            assert permanences.closes_at(session, here, later)
            waiting = calling.line_up(session, here, later)
            assert [one.called_name for one in waiting] == ["Amina", "Karim"]
            assert all(one.last_seen_at <= start for one in waiting)
            session.execute(update(Visit).values(state=VisitState.CALLBACK))
