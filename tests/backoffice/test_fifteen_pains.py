"""Fifteen things that users of the closest peer had to ask for, each one a story here.

The numbers are those of the list in the reading of that peer; other tests hold most of them more closely.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import Engine, event, insert, select, update
from sqlalchemy.exc import IntegrityError

from casework import rounds, worker
from casework.agenda import Audience, Mode, Opening, OpeningRule, change_occurrence, keep
from casework.appointments import Appointment, Standing
from casework.database import transaction
from casework.requests import Request
from casework.settings import Settings
from portal.app import create
from tests.backoffice.colleague import Colleague, stored
from tests.casework.asking import BY_TEXT, ask, notifications_of, worker_settings
from tests.casework.test_reminders import HALF_PAST_TWO, Post, book, post
from tests.clock import Clock
from tests.conftest import Database
from tests.local_servers import TextProvider
from tests.people import AMINA_PHONE, HUGO, LOUISE, MOREAU_EMAIL, PAUL, SARAH
from tests.portal.person import Person
from tests.portal.receiving import appointments_of, receives
from tests.portal.test_booking import file_of, hours, link, slot_buttons, takes

pytestmark = pytest.mark.long

__all__ = ["post"]

Somebody = Callable[..., Person]
THURSDAY, FRIDAY = date(2026, 11, 5), date(2026, 11, 6)


@pytest.fixture
def marcel(somebody: Somebody) -> Person:
    """Marcel Moreau of Poitiers, who asked for help by mail."""
    marcel = somebody(source="192.0.2.20")
    marcel.asks_for_help(channels={"email": MOREAU_EMAIL}, name="Marcel Moreau")
    return marcel


@pytest.fixture
def fatima(somebody: Somebody) -> Person:
    """Fatima of Poitiers, who asked by text message."""
    fatima = somebody(source="192.0.2.30")
    fatima.asks_for_help(name="Fatima")
    return fatima


def names_met(database: Database) -> list[int]:
    """With whom the booked appointments are, in the order they were made."""
    return [one.agent_id for one in appointments_of(database) if one.state is Standing.BOOKED]


def test_1_two_appointments_of_one_worker_cannot_overlap(marcel: Person, database: Database) -> None:
    """Not the page, not the agent: the database says no."""
    receives(database, THURSDAY)
    takes(marcel)
    (taken,) = appointments_of(database)
    row = {
        column.name: getattr(taken, column.name)
        for column in Appointment.__table__.columns
        if column.name not in {"id", "place_id", "desk"}
    }
    with (
        pytest.raises(IntegrityError, match="appointments_agent_free"),
        transaction(database.owner) as session,
    ):
        session.execute(insert(Appointment), [row | {"id": uuid4()}])


def test_2_an_hour_that_goes_meanwhile_is_said_with_what_is_near(
    marcel: Person, fatima: Person, database: Database
) -> None:
    """While Marcel reads what he chose, nobody else is offered it; who was too late keeps what she typed."""
    receives(database, THURSDAY, time(9), time(12), mode=Mode.PHONE)
    seen = fatima.go("rendez-vous")
    marcel.go("rendez-vous")
    marcel.submit(slot_buttons(marcel.page)[0])
    page = fatima.submit(slot_buttons(seen)[0], status=409)
    assert page.heading == "Cette heure n'est plus libre"
    assert hours(page) == [
        "jeudi 5 novembre9 heures 30",
        "jeudi 5 novembre10 heures",
        "jeudi 5 novembre10 heures 30",
    ]
    assert slot_buttons(seen)[0] not in slot_buttons(fatima.go("rendez-vous"))


def test_3_moving_looks_for_the_same_worker_at_the_same_place(marcel: Person, database: Database) -> None:
    """Marcel is Paul's: Louise is free sooner, and Paul elsewhere; his own hours at the house are what he is shown."""
    with transaction(database.owner) as session:
        session.execute(update(Request).values(worker_id=PAUL.id))
    receives(database, THURSDAY)
    takes(marcel)
    receives(database, THURSDAY, time(14), time(16), who=LOUISE)
    receives(database, THURSDAY, time(16), time(17), mode=Mode.PHONE)
    receives(database, FRIDAY)
    page = marcel.open(link(marcel.go("suivi"), "Changer le jour ou l'heure"))
    assert hours(page) == [
        "jeudi 5 novembre9 heures 30", "vendredi 6 novembre9 heures", "vendredi 6 novembre9 heures 30",
    ]  # fmt: skip
    marcel.submit(slot_buttons(page)[-1])
    marcel.submit(action=confirming(marcel))
    assert names_met(database) == [PAUL.id]


def confirming(person: Person) -> str:
    """Where the form goes that confirms, with the filters of the search."""
    return next(
        form.get("action", "")
        for form in person.page.html.iter("form")
        if "/verifier" in (form.get("action") or "")
    )


def test_4_a_place_said_later_decides_alone(somebody: Somebody, database: Database) -> None:
    """Karim says Poitiers, comes back and says Loudun: house, sector and hours are Loudun's."""
    receives(database, THURSDAY)
    receives(database, FRIDAY, who=HUGO, place="mds-loudun")
    karim = somebody()
    karim.fills_in(name="Karim")
    karim.go("demande/lieu")
    karim.submit(commune_typed="Loudun")
    karim.go("demande/verifier")
    karim.sends()
    (sent,) = stored(database, Request)
    assert (sent.commune_code, sent.house_id, sent.sector_id) == ("86137", "loudun", "loudun")
    assert {hour[:10] for hour in hours(karim.go("rendez-vous"))} == {"vendredi 6"}


def test_5_the_referent_of_a_commune_does_not_hide_its_sector(
    somebody: Somebody, nadia: Colleague, database: Database
) -> None:
    """Frozes has Louise for its referent, within a sector of Louise and Paul: Louise is proposed, both may receive."""
    receives(database, THURSDAY, who=LOUISE, place="vouille-mairie")
    receives(database, FRIDAY, who=PAUL, place="vouille-mairie")
    receives(database, FRIDAY, time(14), time(15), who=SARAH)
    odette = somebody()
    odette.asks_for_help(place="Frozes", name="Odette")
    page = odette.go("rendez-vous")
    assert {hour.split("novembre")[0] for hour in hours(page)} == {"jeudi 5 ", "vendredi 6 "}
    assert "14 heures" not in page.main, "Sarah is of another sector"
    (sent,) = stored(database, Request)
    assert LOUISE.name in nadia.reads(sent.id).main


def test_6_a_place_nobody_knows_is_no_dead_end(somebody: Somebody, database: Database) -> None:
    """A hamlet no list knows: what was typed is kept, a house takes it, and hours are offered."""
    receives(database, THURSDAY)
    paulette = somebody()
    paulette.tells()
    page = paulette.submit(commune_typed="Les Trois-Chênes-du-Bas", status=422)
    assert page.field("commune_typed") == "Les Trois-Chênes-du-Bas"
    paulette.submit(("elsewhere", "1"))
    for answers in ({"channels": ["visit"]}, {}, {}):
        paulette.submit(**answers)
    paulette.submit(("next", "1"))
    paulette.sends()
    assert stored(database, Request)[0].place_typed == "Les Trois-Chênes-du-Bas"
    assert len(hours(paulette.go("rendez-vous"))) == 2


def test_7_a_couple_shares_a_telephone_and_not_their_appointments(
    somebody: Somebody, database: Database
) -> None:
    """The same number, two people, two appointments: one gives theirs back, the other keeps theirs."""
    receives(database, THURSDAY, time(9), time(11))
    couple = [somebody(source=f"192.0.2.{number}") for number in (41, 42)]
    for person, name in zip(couple, ("Amina", "Karim"), strict=True):
        person.asks_for_help(channels={"sms": AMINA_PHONE}, name=name)
        takes(person)
    couple[0].go("rendez-vous/annuler")
    couple[0].submit(action="/annuler")
    assert "9 heures 30" in couple[1].go("suivi").main
    assert "Annuler le rendez-vous" not in couple[0].go("suivi").main


def test_8_no_account_few_taps_and_any_device(somebody: Somebody, marcel: Person, database: Database) -> None:
    """From his link to a booked appointment: four taps. The link opens the same on his daughter's telephone."""
    receives(database, THURSDAY)
    link_kept = next(page for page in marcel.shown if "/recu" in page.path).links()
    secret = next(one for one in link_kept if "/s/" in one)
    telephone = somebody(source="192.0.2.99")
    telephone.open("/fr/s/" + secret.rsplit("/", 1)[-1])
    telephone.taps = 0
    page = telephone.open(link(telephone.page, "Prendre rendez-vous"))
    telephone.submit(slot_buttons(page)[0])
    telephone.submit(action="/verifier")
    assert telephone.page.heading == "Votre rendez-vous est pris"
    assert telephone.taps <= 4
    assert "jeudi 5 novembre" in marcel.go("suivi").main


def test_9_the_link_of_the_message_opens_the_appointment_it_tells_of(
    somebody: Somebody, database: Database, now: datetime, post: Post
) -> None:
    asked = ask(database, now)
    book(database, asked, HALF_PAST_TWO, now)
    post.at(now)
    body = post.mails.to(MOREAU_EMAIL, 2)[-1].get_content()
    path = re.search(r"https://aide\.example\.org(/fr/s/\S+)", body)
    assert path
    page = somebody().open(path[1])
    assert "mardi 17 novembre" in page.main
    assert "14 heures 30" in page.main


def test_10_the_counter_asks_the_database_no_more_in_a_full_house(
    nadia: Colleague, database: Database, now: datetime
) -> None:
    """Somebody waits at the counter: the page asks as many questions with forty appointments as with none."""
    for who in (PAUL, SARAH, LOUISE):
        receives(database, THURSDAY, time(9), time(17), who=who)
    waiting_person = ask(database, now, BY_TEXT)
    nadia.reads(waiting_person.id)
    with counted() as before:
        nadia.reads(waiting_person.id)
    asked = ask(database, now)
    with transaction(database.owner) as session:
        session.execute(update(Opening).values(audience=Audience.AGENTS))
    for minutes in range(0, 40 * 30, 30):
        book(database, asked, HALF_PAST_TWO + timedelta(minutes=minutes), now)
    with counted() as after:
        nadia.reads(waiting_person.id)
    assert len(before) > 10
    assert len(after) <= len(before)


@contextmanager
def counted() -> Iterator[list[str]]:
    """The statements made meanwhile, whoever makes them."""
    made: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        made.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield made
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def test_11_a_provider_that_is_away_delays_nothing_else_and_tells_no_old_news(
    database: Database, now: datetime, post: Post, nadia: Colleague
) -> None:
    """An hour without text messages: the mail leaves, the text leaves later, once; a number that is none is to call."""
    amina, moreau = ask(database, now, BY_TEXT), ask(database, now)
    post.at(now)
    book(database, amina, HALF_PAST_TWO, now)
    book(database, moreau, HALF_PAST_TWO + timedelta(days=1), now)
    post.texts.replies = [(503, {})] * 3
    for minutes in (0, 1, 2):
        post.at(now + timedelta(minutes=minutes))
    assert post.mailed()[-1] == "Votre rendez-vous est pris"
    for minutes in (60, 61, 120):
        post.at(now + timedelta(minutes=minutes))
    assert [text for text in post.texted() if "14:30" in text] == post.texted()[-1:], "once"

    wrong = ask(database, now, replace(BY_TEXT, sms_number="+33600000000", name="Nour"))
    post.texts.replies = [(400, {})]
    post.at(now + timedelta(minutes=121))
    assert [one.state.value for one in notifications_of(database, wrong.id)] == ["failed"]
    assert "Nour" in nadia.open("/fr/a-appeler").main


def test_12_no_message_and_no_calendar_says_why(
    somebody: Somebody, database: Database, now: datetime, post: Post
) -> None:
    """Violence at home: the text says an hour and a link, the calendar an hour, no page shows the way."""
    receives(database, THURSDAY, kinds=("first",))
    amina = somebody()
    amina.asks_for_help(theme="violence", words="Mon mari me frappe.", name="Amina")
    takes(amina)
    post.at(now)
    told = " ".join(post.texted()).lower()
    for word in ("violence", "mari", "premier rendez-vous", "paul"):
        assert word not in told
    assert "LOCATION" not in file_of(amina)
    assert "openstreetmap" not in " ".join(amina.page.links())


@pytest.fixture
def provider() -> Iterator[TextProvider]:
    """The provider of text messages, both ways."""
    with TextProvider() as provider:
        yield provider


def test_13_what_people_answer_to_a_message_is_read(
    settings: Settings,
    clock: Clock,
    provider: TextProvider,
    nadia: Colleague,
    database: Database,
    now: datetime,
) -> None:
    """Amina answers her receipt by text: the words stand in her request, where Nadia reads them."""
    asked = ask(database, now, BY_TEXT)
    heard = create(replace(settings, sms_webhook_key=provider.key), clock).test_client(use_cookies=False)
    answer = provider.bring(heard.post, "J'arrive avec ma fille.", sender=AMINA_PHONE, at=now)
    assert answer.status_code == 204
    both = worker_settings(database, sms_url=provider.url, sms_token=provider.token)
    worker.drain(both, clock)
    page = nadia.reads(asked.id)
    assert "J'arrive avec ma fille." in page.main
    assert "Nouveau message" in page.main


def test_14_a_gap_after_each_and_one_day_changed_alone(
    marcel: Person, database: Database, now: datetime
) -> None:
    """Long appointments leave ten minutes; one Thursday is shortened, the Thursdays after are as before."""
    with transaction(database.owner) as session:
        session.execute(update(Request).values(kind_id="long"))
        keep(
            session,
            OpeningRule(
                agent_id=PAUL.id, house_id="poitiers", place_id="mds-poitiers", mode=Mode.HERE, kinds=["long"],
                audience=Audience.CITIZENS, languages=[], travel_minutes=0, first_day=THURSDAY, last_day=None,
                weekdays=[3], every_weeks=1, nth_of_month=None, starts_at=time(9), ends_at=time(12), made_until=None,
            ),
            now.date(),
        )  # fmt: skip
        changed = session.scalars(select(Opening.id).where(Opening.on_day == date(2026, 11, 12))).one()
        change_occurrence(session, changed, time(9), time(10))
    shown = {
        day: [hour.split("novembre")[1] for hour in hours(marcel.go(f"rendez-vous?jour={day}"))]
        for day in ("2026-11-05", "2026-11-12", "2026-11-19")
    }
    assert shown == {
        "2026-11-05": ["9 heures", "10 heures 10"],
        "2026-11-12": ["9 heures"],
        "2026-11-19": ["9 heures", "10 heures 10"],
    }


def test_15_nothing_is_free_and_nobody_is_left_alone(
    marcel: Person, fatima: Person, nadia: Colleague, database: Database, now: datetime
) -> None:
    """The last hour goes: Fatima may wait, be called or call; the house reads that it has run dry."""
    receives(database, THURSDAY, time(9), time(9, 30))
    takes(marcel)
    page = fatima.go("rendez-vous")
    assert slot_buttons(page) == []
    for way_out in ("Prévenez-moi si une heure se libère", "Appelez-moi", "05 49 00 00 01"):
        assert way_out in page.main
    fatima.submit(action="/attendre")
    rounds.warn_houses(database.backoffice, worker_settings(database), now + timedelta(days=1))
    assert "Premier rendez-vous : plus aucune place." in nadia.open("/fr/file").main
    assert "Fatima" in nadia.open("/fr/agenda/attente").main
