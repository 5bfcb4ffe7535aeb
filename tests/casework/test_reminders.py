"""The promise kept: people are told of their appointments, and reminded, by day, in their language, never why."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import product
from uuid import UUID, uuid4

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text, update
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from casework import access, appointments, counter, documents, waiting, worker
from casework.agenda import Mode
from casework.agents import Agent
from casework.appointments import Appointment, Standing
from casework.database import transaction
from casework.delivery import Rendered, rendered
from casework.notifications import Notification, Template
from casework.proposals import SlotOffer
from casework.reminders import Reminder, due, is_night, moments, next_moment
from casework.requests import PARIS, Answers
from casework.segments import MOST_SEGMENTS, plain, segments
from casework.settings import Settings
from casework.slots import Slot
from casework.territory import House, Place
from casework.translation import day_and_month
from casework.vocabulary import LANGUAGES, Channel, Theme, Urgency
from casework.waiting import WaitingEntry
from tests.casework.asking import BY_MAIL, BY_TEXT, Asked, ask, notifications_of, worker_settings
from tests.clock import Clock
from tests.conftest import Database
from tests.local_servers import MailServer, TextProvider, free_port
from tests.people import AMINA_PHONE, NADIA, PAUL, POITIERS

pytestmark = pytest.mark.long

HALF_PAST_TWO = datetime(2026, 11, 17, 14, 30, tzinfo=PARIS)
LONGEST_ADDRESS = "https://solidarites.alpes-de-haute-provence.fr"
LONGEST_HOUSE = "Maison départementale de la solidarité de Beaumont Saint-Cyr-en-Poitou"
SECRET = "x" * 22
OF_APPOINTMENT = [template for template in Template if template.value.startswith("appointment")]
NOWHERE_ANY_MORE = (Template.APPOINTMENT_CANCELLED, Template.APPOINTMENT_MISSED)
ON_THE_PAGE_ALONE = {("ar", Template.APPOINTMENT_OFFERED), ("ar", Template.APPOINTMENT_MISSED)}
"""Where the telephone finds no room beside until when to answer, or a kind word: the page of the link has it."""
WIDE_LETTERS = {"fa", "ps", "uk", "ru", "bn"}
"""Two segments hold 134 of these letters: when, where and the link; the page of the link has the telephone."""
PLACE_ON_THE_PAGE = {("uk", Template.APPOINTMENT_OFFERED), ("ru", Template.APPOINTMENT_OFFERED)}
"""Where until when to answer takes the place's room."""
BOTH = replace(BY_MAIL, channels=[Channel.EMAIL, Channel.SMS], sms_number=AMINA_PHONE)


def paris(day: int, hour: int, minute: int = 0, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=PARIS)


def slot_at(start: datetime, mode: Mode = Mode.HERE) -> Slot:
    """Half an hour with Paul, in UTC as the database gives it."""
    start = start.astimezone(UTC)
    during = Range(start, start + timedelta(minutes=30), bounds="[)")
    return Slot(
        PAUL.id, PAUL.house, "mds-poitiers" if mode is Mode.HERE else None, mode, "first", during, during
    )


def book(
    database: Database,
    asked: Asked,
    start: datetime,
    now: datetime,
    *,
    moving: UUID | None = None,
    mode: Mode = Mode.HERE,
) -> UUID:
    """Take an appointment, or move one."""
    with transaction(database.backoffice) as session:
        appointments.hold(session, asked.id, slot_at(start, mode), now, moving=moving)
        return appointments.confirm(session, asked.id, now).id


def cancel(database: Database, appointment_id: UUID) -> None:
    with transaction(database.backoffice) as session:
        appointments.cancel(session.get_one(Appointment, appointment_id))


def told(database: Database, asked: Asked) -> list[tuple[str, str, str]]:
    """(template, channel, state) of every message on an appointment, oldest first."""
    return [
        (one.template.removeprefix("appointment_"), one.channel.value, one.state.value)
        for one in notifications_of(database, asked.id)
        if one.appointment_id
    ]


@dataclass
class Post:
    """A worker with its mail server, its text message provider and its clock."""

    mails: MailServer
    texts: TextProvider
    settings: Settings
    clock: Clock

    def at(self, moment: datetime) -> None:
        """The worker wakes up at that moment."""
        self.clock.now = moment
        worker.drain(self.settings, self.clock)

    def mailed(self) -> list[str]:
        return [str(mail["Subject"]) for mail in self.mails.mailbox.all]

    def texted(self) -> list[str]:
        return [text["text"] for text in self.texts.texts.all]


@pytest.fixture
def post(database: Database, now: datetime) -> Iterator[Post]:
    with MailServer() as mails, TextProvider() as texts:
        configured = worker_settings(database, smtp_url=mails.url, sms_url=texts.url, sms_token=texts.token)
        yield Post(mails, texts, configured, Clock(now))


# --- what is said ---------------------------------------------------------------------------------------


def shown(
    database: Database, asked: Asked, appointment_id: UUID, language: str, channel: Channel, template: Template,
    address: str = "https://aide.example.org",
) -> Rendered:  # fmt: skip
    """A message that was never stored, with a link of known length."""
    one = Notification(
        id=uuid4(), request_id=asked.id, appointment_id=appointment_id, language=language, channel=channel,
        template=template, sealed_secret=documents.seal(SECRET.encode(), database.public_key),
    )  # fmt: skip
    with Session(database.backoffice) as session:
        if template is Template.APPOINTMENT_OFFERED:
            one.appointment_id, one.offer_id = None, offered_like(session, asked, appointment_id)
        return rendered(session, worker_settings(database, portal_address=address), one)


def offered_like(session: Session, asked: Asked, appointment_id: UUID) -> UUID:
    """An offer of the same hour and place, to be answered before half past twelve."""
    like = session.get_one(Appointment, appointment_id)
    waiting.wait(session, asked.id, "first", [like.mode], like.made_at)
    offer = SlotOffer(
        id=uuid4(), waiting_id=session.scalars(select(WaitingEntry.id)).one(), request_id=asked.id, state="offered",
        agent_id=like.agent_id, place_id=like.place_id, kind_id=like.kind_id, mode=like.mode, during=like.during,
        offered_at=like.made_at, until=paris(3, 12, 30),
    )  # fmt: skip
    session.add(offer)
    session.flush()
    return offer.id


def test_moreau_reads_when_where_and_how_to_change(database: Database, now: datetime) -> None:
    moreau = ask(database, now)
    taken = book(database, moreau, HALF_PAST_TWO, now)
    mail = shown(database, moreau, taken, "fr", Channel.EMAIL, Template.APPOINTMENT_BOOKED)
    assert mail.subject == "Votre rendez-vous est pris"
    for line in (
        "mardi 17 novembre 2026 à 14:30\n",
        "Lieu : Maison de Poitiers\n1 rue du Marché\n86000 Poitiers\n",
        "Vous ne pouvez pas venir ?\nChangez ou annulez dans votre demande.\n",
        f"https://aide.example.org/fr/s/{SECRET}\n",
        "Téléphone : 05 49 00 00 01",
    ):
        assert line in mail.body.replace("\u00a0", " ")


def test_amina_reads_all_of_it_in_two_segments(database: Database, now: datetime) -> None:
    amina = ask(database, now, BY_TEXT)
    taken = book(database, amina, HALF_PAST_TWO, now)
    text = shown(database, amina, taken, "fr", Channel.SMS, Template.APPOINTMENT_REMINDER).body
    assert "Rappel de votre rendez-vous : mardi 17 novembre à 14:30.\nLieu : Maison de Poitiers.\n" in text
    assert "Téléphone : 05 49 00 00 01." in text
    assert text.endswith(f"\nhttps://aide.example.org/fr/s/{SECRET}")


@pytest.mark.parametrize(
    ("mode", "words"),
    [(Mode.PHONE, "par téléphone"), (Mode.VIDEO, "en vidéo"), (Mode.HOME, "Nous venons chez vous")],
)
def test_elsewhere_than_at_a_desk(database: Database, now: datetime, mode: Mode, words: str) -> None:
    moreau = ask(database, now)
    taken = book(database, moreau, HALF_PAST_TWO, now, mode=mode)
    mail = shown(database, moreau, taken, "fr", Channel.EMAIL, Template.APPOINTMENT_REMINDER)
    assert words in mail.body
    assert "Lieu :" not in mail.body


def test_who_has_no_appointment_any_more_is_not_told_where(database: Database, now: datetime) -> None:
    moreau = ask(database, now)
    taken = book(database, moreau, HALF_PAST_TWO, now)
    for channel in (Channel.EMAIL, Channel.SMS):
        message = shown(database, moreau, taken, "fr", channel, Template.APPOINTMENT_CANCELLED)
        assert "annulé" in message.body
        assert "17 novembre" in message.body
        assert "Lieu" not in message.body
        assert "autre rendez-vous" in message.body


@pytest.mark.parametrize("template", OF_APPOINTMENT)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_message_is_in_its_language_and_never_says_why(
    database: Database, now: datetime, language: str, template: Template
) -> None:
    """Violence and danger, and a longer kind, make the same message as a housing question, but for the number."""
    housing = ask(database, now)
    violence = ask(
        database, now,
        replace(BY_MAIL, theme=Theme.VIOLENCE, urgency=Urgency.DANGER, words="Mon mari me frappe.", name="Leïla"),
    )  # fmt: skip
    first = book(database, housing, HALF_PAST_TWO, now)
    second = book(database, violence, HALF_PAST_TWO + timedelta(minutes=30), now)
    with transaction(database.backoffice) as session:
        cancel(database, first)
        session.execute(
            update(Appointment)
            .where(Appointment.id == second)
            .values(
                during=slot_at(HALF_PAST_TWO).during, blocked=slot_at(HALF_PAST_TWO).during, kind_id="long"
            )
        )
    for channel in (Channel.EMAIL, Channel.SMS):
        one, other = (
            shown(database, asked, taken, language, channel, template)
            for asked, taken in ((housing, first), (violence, second))
        )
        without_number = [
            re.sub(r"\d{3}[ \u00a0]\d{3}[ \u00a0]\d{3}", "", said.body) for said in (one, other)
        ]
        assert without_number[0] == without_number[1]
        assert one.subject == other.subject
        day = day_and_month(HALF_PAST_TWO, language)
        assert day in one.body or plain(day) in one.body
        assert f"/{language}/s/{SECRET}" in one.body
        if language != "fr":
            assert not re.search("[Vv]otre|[Vv]ous|Rendez|rendez", one.subject + one.body)


@pytest.mark.parametrize("template", OF_APPOINTMENT)
@pytest.mark.parametrize("language", LANGUAGES)
def test_an_ordinary_address_leaves_room_for_the_place_and_the_telephone(
    database: Database, now: datetime, language: str, template: Template
) -> None:
    amina = ask(database, now, BY_TEXT)
    taken = book(database, amina, HALF_PAST_TWO, now)
    text = shown(database, amina, taken, language, Channel.SMS, template).body
    assert segments(text) <= MOST_SEGMENTS
    if (language, template) not in ON_THE_PAGE_ALONE and language not in WIDE_LETTERS:
        assert "05 49 00 00 01" in text.replace("\u00a0", " ")
    if template not in NOWHERE_ANY_MORE and (language, template) not in PLACE_ON_THE_PAGE:
        assert "Maison de Poitiers" in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_text_message_takes_two_segments_at_most(database: Database, now: datetime, language: str) -> None:
    """With the longest address, house and place, in any month and mode; the day, the hour and the link whole."""
    amina = ask(database, now, BY_TEXT)
    taken = book(database, amina, HALF_PAST_TWO, now)
    with transaction(database.owner) as session:
        session.execute(update(House).values(name=LONGEST_HOUSE))
        session.execute(update(Place).values(name=LONGEST_HOUSE))
    for month, mode in product(range(1, 13), Mode):
        during = slot_at(paris(23, 10, 30, month)).during
        with transaction(database.owner) as session:
            session.execute(update(Appointment).values(during=during, blocked=during, mode=mode))
        for template in OF_APPOINTMENT:
            text = shown(database, amina, taken, language, Channel.SMS, template, LONGEST_ADDRESS).body
            assert segments(text) <= MOST_SEGMENTS, template
            assert text.endswith(f"\n{LONGEST_ADDRESS}/{language}/s/{SECRET}"), template
            assert "23" in text, template
            assert "10:30" in text, template
            assert template is not Template.APPOINTMENT_OFFERED or "12:30" in text, "until when to answer"


# --- who is told, and when ------------------------------------------------------------------------------


def test_moreau_is_told_once_that_it_is_booked_then_moved_then_cancelled(
    database: Database, now: datetime, post: Post
) -> None:
    moreau = ask(database, now, BOTH)
    post.at(now)
    first = book(database, moreau, HALF_PAST_TWO, now)
    post.at(now + timedelta(minutes=1))
    post.at(now + timedelta(minutes=2))
    second = book(database, moreau, HALF_PAST_TWO + timedelta(days=1), now, moving=first)
    post.at(now + timedelta(minutes=3))
    cancel(database, second)
    post.at(now + timedelta(minutes=4))
    post.at(now + timedelta(minutes=5))
    assert post.mailed()[1:] == [
        "Votre rendez-vous est pris", "Votre rendez-vous a changé", "Votre rendez-vous est annulé",
    ]  # fmt: skip
    assert [re.search(r"\w+ \d\d novembre", text).group() for text in post.texted()[1:]] == [  # type: ignore[union-attr]
        "mardi 17 novembre", "mercredi 18 novembre", "mercredi 18 novembre",
    ]  # fmt: skip


def test_the_link_of_the_message_opens_the_request(database: Database, now: datetime, post: Post) -> None:
    amina = ask(database, now, BY_TEXT)
    book(database, amina, HALF_PAST_TWO, now)
    post.at(now)
    links = [text.rsplit("/", 1)[1] for text in post.texted()]
    assert len(links) == len(set(links)) == 2, "a fresh link each time"
    with transaction(database.backoffice) as session:
        for secret in links:
            hashed = access.link_hash(database.access_key, secret)
            assert session.get_one(access.AccessKey, hashed).request_id == amina.id


def test_a_hold_and_an_appointment_that_is_over_are_nobodys_news(
    database: Database, now: datetime, post: Post
) -> None:
    amina, moreau = ask(database, now, BY_TEXT), ask(database, now)
    with transaction(database.backoffice) as session:
        appointments.hold(session, amina.id, slot_at(HALF_PAST_TWO), now)
    book(database, moreau, now + timedelta(hours=1), now)
    post.at(now + timedelta(hours=1))
    assert told(database, amina) == told(database, moreau) == []


def test_a_letter_and_a_call_wait_for_a_hand(database: Database, now: datetime, post: Post) -> None:
    answers = Answers(
        theme=Theme.MONEY, urgency=Urgency.NONE, commune_code=POITIERS,
        channels=[Channel.LETTER, Channel.CALL, Channel.VISIT], call_number="+33549000123",
        postal_address="3 rue de l'Église\n86190 Frozes",
    )  # fmt: skip
    moreau = ask(database, now, answers)
    book(database, moreau, HALF_PAST_TWO, now)
    post.at(now)
    assert told(database, moreau) == [("booked", "call", "by_hand"), ("booked", "letter", "by_hand")]
    post.at(paris(10, 14, 30))
    assert told(database, moreau)[2:] == [("reminder", "letter", "by_hand")]
    post.at(paris(15, 14, 30))
    assert told(database, moreau)[3:] == [("reminder", "call", "by_hand")]


def test_news_of_the_night_wait_for_the_morning_unless_it_would_be_too_late(
    database: Database, now: datetime, post: Post
) -> None:
    amina, moreau = ask(database, now, BY_TEXT), ask(database, now)
    book(database, amina, paris(4, 9), now)
    book(database, moreau, paris(4, 7, 30), now)
    post.at(paris(3, 22))
    assert told(database, amina) == []
    assert told(database, moreau) == [("booked", "email", "sent")]
    post.at(paris(4, 8))
    assert told(database, amina) == [("booked", "sms", "sent")]


def test_each_reminder_leaves_once_at_its_time(database: Database, now: datetime, post: Post) -> None:
    moreau = ask(database, now, BOTH)
    book(database, moreau, HALF_PAST_TWO, now)
    post.at(now)
    seen = []
    for moment in (
        paris(10, 14, 29), paris(10, 14, 30), paris(10, 14, 31), paris(15, 14, 29), paris(15, 14, 30),
        paris(15, 14, 31), paris(17, 12, 29), paris(17, 12, 30), paris(17, 12, 31), paris(17, 14, 31),
    ):  # fmt: skip
        before = len(told(database, moreau))
        post.at(moment)
        seen += [(moment, *one) for one in told(database, moreau)[before:]]
    assert seen == [
        (paris(10, 14, 30), "reminder", "email", "sent"),
        (paris(15, 14, 30), "reminder", "sms", "sent"),
        (paris(17, 12, 30), "reminder", "sms", "sent"),
    ]


def test_moving_and_cancelling_stop_the_old_reminders(database: Database, now: datetime, post: Post) -> None:
    amina = ask(database, now, BY_TEXT)
    first = book(database, amina, HALF_PAST_TWO, now)
    post.at(now)
    second = book(database, amina, HALF_PAST_TWO + timedelta(days=3), now, moving=first)
    post.at(now + timedelta(minutes=1))
    post.at(paris(15, 14, 30))
    assert [one[0] for one in told(database, amina)] == ["booked", "moved"]
    post.at(paris(18, 14, 30))
    assert [one[0] for one in told(database, amina)] == ["booked", "moved", "reminder"]
    cancel(database, second)
    post.at(paris(20, 12, 30))
    assert [one[0] for one in told(database, amina)] == ["booked", "moved", "reminder", "cancelled"]


def test_what_could_not_leave_in_time_never_leaves(database: Database, now: datetime, post: Post) -> None:
    """The provider is away; meanwhile the appointment is cancelled, then everything works again."""
    amina, moreau = ask(database, now, BY_TEXT), ask(database, now)
    post.at(now)
    away = replace(
        post.settings, smtp_url=f"smtp://127.0.0.1:{free_port()}", sms_url=f"http://127.0.0.1:{free_port()}/"
    )
    taken = book(database, amina, HALF_PAST_TWO, now)
    book(database, moreau, now + timedelta(minutes=30), now)
    worker.drain(away, lambda: now)
    assert told(database, amina) == [("booked", "sms", "pending")]
    assert told(database, moreau) == [("booked", "email", "pending")]
    cancel(database, taken)
    post.at(now + timedelta(minutes=31))
    assert told(database, amina) == [("cancelled", "sms", "sent")]
    assert told(database, moreau) == [], "it has begun"
    assert len(post.texted()) == 2
    assert len(post.mailed()) == 1


def test_what_fails_in_the_evening_is_tried_again_in_the_morning(
    database: Database, now: datetime, post: Post
) -> None:
    amina = ask(database, now, BY_TEXT)
    post.at(now)
    book(database, amina, HALF_PAST_TWO, now)
    post.texts.replies = [(503, {})]
    post.at(paris(3, 19, 59))
    for moment in (paris(3, 20, 1), paris(4, 7, 59)):
        post.at(moment)
        assert told(database, amina) == [("booked", "sms", "pending")]
    post.at(paris(4, 8))
    assert told(database, amina) == [("booked", "sms", "sent")]


def test_the_portal_cannot_say_that_somebody_was_told(database: Database, now: datetime) -> None:
    amina = ask(database, now, BY_TEXT)
    book(database, amina, HALF_PAST_TWO, now)
    for change in ("told_state = 'booked'", "told_at = now()", "remind_at = NULL"):
        with (
            pytest.raises(ProgrammingError, match="permission denied"),
            database.portal.begin() as connection,
        ):
            connection.execute(text(f"UPDATE appointments SET {change}"))


def test_one_that_fails_keeps_no_other_waiting(
    database: Database, now: datetime, post: Post, caplog: pytest.LogCaptureFixture
) -> None:
    amina, moreau = ask(database, now, BY_TEXT), ask(database, now)
    book(database, amina, HALF_PAST_TWO, now)
    book(database, moreau, HALF_PAST_TWO + timedelta(hours=1), now)
    with database.owner.begin() as connection:
        connection.exec_driver_sql(
            "ALTER TABLE notifications ADD CONSTRAINT no_texts CHECK (channel <> 'sms' OR appointment_id IS NULL)"
        )
    try:
        post.at(now)
    finally:
        with database.owner.begin() as connection:
            connection.exec_driver_sql("ALTER TABLE notifications DROP CONSTRAINT no_texts")
    assert told(database, amina) == []
    assert told(database, moreau) == [("booked", "email", "sent")]
    assert "appointment" in caplog.text
    post.at(now + timedelta(minutes=1))
    assert told(database, amina) == [("booked", "sms", "sent")]


# --- who did not come -----------------------------------------------------------------------------------


def ended(database: Database, appointment_id: UUID, how: Standing, now: datetime) -> None:
    """Nadia says how an appointment went."""
    with transaction(database.backoffice) as session:
        one = session.get_one(Appointment, appointment_id)
        counter.end(session, session.get_one(Agent, NADIA.id), one, how, now)


def test_who_did_not_come_is_told_once_gently_after_half_an_hour(
    database: Database, now: datetime, post: Post
) -> None:
    moreau = ask(database, now, BOTH)
    missed = book(database, moreau, HALF_PAST_TWO, now)
    post.at(now)
    before = len(told(database, moreau))
    ended(database, missed, Standing.MISSED, paris(17, 15, 5))
    post.at(paris(17, 15, 34))
    assert told(database, moreau)[before:] == []
    post.at(paris(17, 15, 35))
    post.at(paris(17, 15, 36))
    assert told(database, moreau)[before:] == [("missed", "email", "sent"), ("missed", "sms", "sent")]
    assert post.mailed()[-1] == "Prendre un autre rendez-vous"
    mail, text = str(post.mails.mailbox.all[-1].get_content()), post.texted()[-1]
    for said in (mail, text):
        assert "Ce rendez-vous n'a pas eu lieu" in said
        assert "Ce n'est pas grave." in said
        assert "autre rendez-vous" in said
        assert "/fr/s/" in said
        assert not re.search("absen|oubli|manqu|loyer|logement", said)
    ended(database, missed, Standing.CAME, paris(17, 15, 40))
    ended(database, missed, Standing.MISSED, paris(17, 15, 41))
    post.at(paris(17, 16, 30))
    assert len(told(database, moreau)) == before + 2, "once"


@pytest.mark.parametrize("how", [Standing.CAME, Standing.EXCUSED])
def test_a_slip_set_right_tells_nothing(database: Database, now: datetime, post: Post, how: Standing) -> None:
    amina = ask(database, now, BY_TEXT)
    missed = book(database, amina, HALF_PAST_TWO, now)
    ended(database, missed, Standing.MISSED, paris(17, 15))
    post.at(paris(17, 15, 10))
    ended(database, missed, how, paris(17, 15, 20))
    post.at(paris(17, 16))
    assert told(database, amina) == []


def test_a_slip_set_right_before_it_left_tells_nothing(database: Database, now: datetime, post: Post) -> None:
    """The provider is away for a while."""
    amina = ask(database, now, BY_TEXT)
    post.at(now)
    missed = book(database, amina, HALF_PAST_TWO, now)
    ended(database, missed, Standing.MISSED, paris(17, 15))
    post.texts.replies = [(503, {})]
    post.at(paris(17, 15, 30))
    assert told(database, amina) == [("missed", "sms", "pending")]
    ended(database, missed, Standing.CAME, paris(17, 15, 31))
    post.at(paris(17, 15, 40))
    assert told(database, amina) == []
    assert len(post.texted()) == 1


def test_who_has_another_appointment_already_is_told_nothing_of_the_missed_one(
    database: Database, now: datetime, post: Post
) -> None:
    amina = ask(database, now, BY_TEXT)
    missed = book(database, amina, HALF_PAST_TWO, now)
    ended(database, missed, Standing.MISSED, paris(17, 15))
    book(database, amina, HALF_PAST_TWO + timedelta(days=2), paris(17, 15, 10))
    post.at(paris(17, 15, 30))
    assert [one[0] for one in told(database, amina)] == ["booked"]


def test_nobody_is_told_at_night_nor_long_after(database: Database, now: datetime, post: Post) -> None:
    amina, moreau = ask(database, now, BY_TEXT), ask(database, now)
    late, old = book(database, amina, paris(17, 19), now), book(database, moreau, paris(9, 9), now)
    ended(database, late, Standing.MISSED, paris(17, 19, 45))
    ended(database, old, Standing.MISSED, paris(17, 19))
    for moment in (paris(17, 20, 15), paris(17, 23), paris(18, 7, 59)):
        post.at(moment)
        assert told(database, amina) == []
    post.at(paris(18, 8))
    assert told(database, amina) == [("missed", "sms", "sent")]
    assert told(database, moreau) == []


def test_the_search_for_missed_appointments_reads_its_index(database: Database) -> None:
    """Without any other index; in a small table each would do."""
    with database.owner.connect() as connection:
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        connection.exec_driver_sql(
            "UPDATE pg_index SET indisvalid = false WHERE indrelid = 'appointments'::regclass "
            "AND indexrelid <> 'appointments_missed_idx'::regclass"
        )
        plan = connection.exec_driver_sql(
            "EXPLAIN SELECT id FROM appointments WHERE state = 'missed' AND told_state IS DISTINCT FROM state "
            "AND ended_at <= now()"
        ).scalars()
        assert "appointments_missed_idx" in " ".join(plan)
        connection.rollback()


# --- the moments, as algebra ----------------------------------------------------------------------------

AROUND_CLOCK_CHANGES = st.sampled_from([date(2026, 3, 29), date(2026, 10, 25)])
DAYS = st.one_of(
    st.dates(date(2026, 1, 10), date(2026, 12, 20)),
    st.builds(lambda day, more: day + timedelta(days=more), AROUND_CLOCK_CHANGES, st.integers(-1, 9)),
)
STARTS = st.builds(
    lambda day, quarter: datetime.combine(day, time(quarter // 4, quarter % 4 * 15), PARIS),
    DAYS, st.integers(6 * 4, 22 * 4),
)  # fmt: skip
AHEAD = st.integers(1, 10 * 24 * 4).map(lambda quarters: timedelta(minutes=15 * quarters))


def later(moment: datetime, by: timedelta) -> datetime:
    """True time, not the hands of a clock that someone turned."""
    return (moment.astimezone(UTC) + by).astimezone(PARIS)


def left(start: datetime, told_at: datetime, every: timedelta) -> list[tuple[datetime, frozenset[Channel]]]:
    """What a worker that wakes up at that rhythm sends, as `remind` does."""
    sent, now = [], told_at
    since = next_moment(start, told_at, told_at)
    while now < later(start, every):
        if since and since <= now and not is_night(now):
            if channels := due(start, told_at, since, now):
                sent.append((now, channels))
            since = next_moment(start, told_at, now)
        now = later(now, every)
    return sent


def wanted_by_hand(start: datetime, told_at: datetime) -> list[tuple[datetime, frozenset[Channel]]]:
    """The rule said over again: quarter by quarter, outwards from the hour that would be right."""
    quarter, found = timedelta(minutes=15), []
    for ahead, channels in (
        (7 * 24, {Channel.EMAIL, Channel.LETTER}), (48, {Channel.SMS, Channel.CALL}), (2, {Channel.SMS}),
    ):  # fmt: skip
        back = timedelta(hours=ahead)
        right = later(start, -back) if ahead == 2 else start - back  # days: the same hour of the clock
        if right <= told_at:
            continue
        moment = right
        while not (8 <= moment.hour < 20):
            moment = later(moment, -quarter)
        if moment != right:
            moment = moment.replace(hour=19, minute=30)
        if moment <= told_at:
            moment = right
            while not (8 <= moment.hour < 20):
                moment = later(moment, quarter)
        if told_at < moment < start:
            found.append((moment, frozenset(channels)))
    return sorted(found, key=lambda pair: pair[0])


@given(STARTS, AHEAD)
@example(datetime(2026, 3, 29, 9, tzinfo=PARIS), timedelta(days=8))
@example(datetime(2026, 10, 25, 8, 30, tzinfo=PARIS), timedelta(days=8))
@example(datetime(2026, 10, 27, 9, tzinfo=PARIS), timedelta(hours=11))
@settings(max_examples=150, deadline=None)
def test_exactly_the_right_reminders_leave(start: datetime, ahead: timedelta) -> None:
    told_at = later(start, -ahead)
    sent = left(start, told_at, timedelta(minutes=15))
    assert sent == wanted_by_hand(start, told_at)
    assert not any(is_night(moment) for moment, _ in sent)
    assert all(moment < start for moment, _ in sent)


@given(STARTS, AHEAD, st.integers(16, 60 * 30).map(lambda minutes: timedelta(minutes=minutes)))
@settings(max_examples=150, deadline=None)
def test_a_worker_that_sleeps_too_long_sends_each_at_most_once_and_never_at_night_nor_too_late(
    start: datetime, ahead: timedelta, every: timedelta
) -> None:
    told_at = later(start, -ahead)
    sent = left(start, told_at, every)
    assert not any(is_night(moment) or moment >= start for moment, _ in sent)
    planned = [channels for _, channels in wanted_by_hand(start, told_at)]
    for channel in Channel:
        assert sum(channel in channels for _, channels in sent) <= sum(channel in one for one in planned)


def test_the_two_hours_of_an_early_appointment_are_the_evening_before() -> None:
    assert moments(paris(17, 9), paris(3, 10)) == [
        (paris(10, 9), Reminder.WEEK), (paris(15, 9), Reminder.TWO_DAYS), (paris(16, 19, 30), Reminder.TWO_HOURS),
    ]  # fmt: skip


def test_booked_in_the_evening_it_is_the_next_morning() -> None:
    assert moments(paris(17, 9), paris(16, 19, 45)) == [(paris(17, 8), Reminder.TWO_HOURS)]


def test_days_are_counted_on_the_calendar_whatever_the_clocks_do() -> None:
    monday = datetime(2026, 10, 26, 10, tzinfo=PARIS)
    assert moments(monday, datetime(2026, 10, 1, 10, tzinfo=PARIS))[:2] == [
        (datetime(2026, 10, 19, 10, tzinfo=PARIS), Reminder.WEEK),
        (datetime(2026, 10, 24, 10, tzinfo=PARIS), Reminder.TWO_DAYS),
    ]
