"""People are told of their sessions: signed up, a seat, moved, reminded, called off; never why, never at night."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, time, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, update

from casework import documents, session_news, sessions, sign_ups
from casework.agents import Agent
from casework.database import transaction
from casework.delivery import Rendered, rendered
from casework.notifications import Notification, Template
from casework.people import ContactWay
from casework.requests import Request
from casework.segments import MOST_SEGMENTS, segments
from casework.sessions import GroupSession, Plan
from casework.territory import House, Place
from casework.vocabulary import LANGUAGES, Channel
from tests.casework.asking import BY_MAIL, BY_TEXT, Asked, ask, notifications_of, worker_settings
from tests.casework.gathering import THURSDAY, everybody, gather, plan
from tests.casework.test_reminders import BOTH, LONGEST_ADDRESS, LONGEST_HOUSE, Post, paris
from tests.casework.test_sessions import leaves, signs_up
from tests.clock import Clock
from tests.conftest import Database
from tests.local_servers import MailServer, TextProvider
from tests.people import AMINA_PHONE, NADIA

pytestmark = pytest.mark.long

OF_SESSION = [template for template in Template if template.value.startswith("session")]
SECRET = "x" * 22


@pytest.fixture
def post(database: Database, now: datetime) -> Iterator[Post]:
    with MailServer() as mails, TextProvider() as texts:
        configured = worker_settings(database, smtp_url=mails.url, sms_url=texts.url, sms_token=texts.token)
        yield Post(mails, texts, configured, Clock(now))


@pytest.fixture
def asked(database: Database, now: datetime) -> Asked:
    """Somebody who reads mail and text messages."""
    return ask(database, now, BOTH)


def told(database: Database, asked: Asked) -> list[tuple[str, str]]:
    """(template, channel) of every message on a session, oldest first."""
    return [
        (one.template.removeprefix("session_"), one.channel.value)
        for one in notifications_of(database, asked.id)
        if one.sign_up_id
    ]


def changes(database: Database, session_id: UUID, wanted: Plan, now: datetime) -> None:
    with transaction(database.backoffice) as session:
        one = session.get_one(GroupSession, session_id)
        sessions.change(session, session.get_one(Agent, NADIA.id), one, wanted, now)


def calls_off(database: Database, session_id: UUID, now: datetime) -> None:
    with transaction(database.backoffice) as session:
        one = session.get_one(GroupSession, session_id)
        sessions.cancel(session, session.get_one(Agent, NADIA.id), one, "Louise est malade", now)


def by(*channels: Channel) -> object:
    return replace(
        BY_MAIL, channels=list(channels), sms_number=AMINA_PHONE, call_number=AMINA_PHONE, postal_address="1 rue",
    )  # fmt: skip


def test_a_family_is_told_once_by_mail_and_text(
    post: Post, database: Database, asked: Asked, now: datetime
) -> None:
    session_id = gather(database, now)
    signs_up(database, asked, session_id, 3, now)
    for minute in (1, 2):
        post.at(now + timedelta(minutes=minute))
    assert told(database, asked) == [("signed", "email"), ("signed", "sms")]
    mail = next(str(one.get_content()) for one in post.mails.mailbox.all if "atelier" in str(one["Subject"]))
    assert "jeudi 12 novembre 2026 à 14 h" in mail or "jeudi 12 novembre 2026 à 14" in mail
    assert "Pour 3 personnes" in mail
    assert "factures" not in mail


def test_reminded_two_days_and_two_hours_before(
    post: Post, database: Database, asked: Asked, now: datetime
) -> None:
    session_id = gather(database, now)
    signs_up(database, asked, session_id, 1, now)
    for moment in (paris(3, 11), paris(10, 13), paris(10, 14), paris(10, 15), paris(12, 11), paris(12, 12)):
        post.at(moment)
    assert told(database, asked) == [
        ("signed", "email"), ("signed", "sms"), ("reminder", "email"), ("reminder", "sms"), ("reminder", "sms"),
    ]  # fmt: skip
    assert post.texted()[-1].count("Rappel de votre atelier") == 1


def test_nobody_is_woken(post: Post, database: Database, asked: Asked, now: datetime) -> None:
    session_id = gather(database, now, plan(start=time(9), end=time(10)))
    signs_up(database, asked, session_id, 1, paris(3, 22))
    post.at(paris(3, 22, 5))
    assert told(database, asked) == []
    for moment in (paris(4, 8, 1), paris(10, 9), paris(11, 19, 31), paris(12, 7)):
        post.at(moment)
    assert [one for one, channel in told(database, asked) if channel == "sms"] == [
        "signed",
        "reminder",
        "reminder",
    ]
    with transaction(database.owner) as session:
        sent = session.scalars(select(Notification.created_at).where(Notification.sign_up_id.isnot(None)))
        assert {moment.astimezone(now.tzinfo).hour for moment in sent} == {8, 9, 19}


def test_who_waits_is_told_so_then_gets_a_seat_and_is_told(
    post: Post, database: Database, asked: Asked, now: datetime
) -> None:
    session_id = gather(database, now, plan(seats=2))
    other = ask(database, now, BY_TEXT)
    signs_up(database, other, session_id, 2, now)
    signs_up(database, asked, session_id, 2, now)
    post.at(now + timedelta(minutes=1))
    assert "liste d'attente" in next(text for text in post.texted() if "liste" in text)
    leaves(database, other, session_id, now)
    post.at(now + timedelta(minutes=2))
    assert told(database, asked)[2:] == [("seat", "email"), ("seat", "sms")]
    assert told(database, other) == [("signed", "sms"), ("cancelled", "sms")]


def test_served_before_being_told_of_waiting_one_reads_of_the_seat_alone(
    post: Post, database: Database, asked: Asked, now: datetime
) -> None:
    session_id = gather(database, now, plan(seats=1))
    other = ask(database, now, BY_TEXT)
    signs_up(database, other, session_id, 1, now)
    signs_up(database, asked, session_id, 1, now)
    leaves(database, other, session_id, now)
    post.at(now + timedelta(minutes=1))
    assert told(database, asked) == [("signed", "email"), ("signed", "sms")]
    assert "Vous êtes inscrit à un atelier" in post.mailed()
    assert told(database, other) == [], "neither signed up nor cancelled: they know it all already"


def test_moved_everybody_hears_of_the_new_hour_and_reminders_move_too(
    post: Post, database: Database, asked: Asked, now: datetime
) -> None:
    session_id = gather(database, now)
    signs_up(database, asked, session_id, 1, now)
    post.at(now + timedelta(minutes=1))
    changes(database, session_id, plan(title="Lire mes factures"), now)
    post.at(now + timedelta(minutes=2))
    assert len(told(database, asked)) == 2, "another title is no news"
    changes(database, session_id, plan(THURSDAY + timedelta(days=7)), now)
    post.at(now + timedelta(minutes=3))
    assert told(database, asked)[2:] == [("moved", "email"), ("moved", "sms")]
    assert "jeudi 19 novembre" in post.texted()[-1]
    post.at(paris(10, 14, 1))
    assert len(told(database, asked)) == 4
    post.at(paris(17, 14, 1))
    assert told(database, asked)[4:] == [("reminder", "email"), ("reminder", "sms")]


def test_called_off_who_had_a_seat_and_who_waited_are_told_not_why(
    post: Post, database: Database, asked: Asked, now: datetime
) -> None:
    session_id = gather(database, now, plan(seats=1))
    waiting, gone = ask(database, now, BY_TEXT), ask(database, now, BY_TEXT)
    for who in (asked, waiting, gone):
        signs_up(database, who, session_id, 1, now)
    post.at(now + timedelta(minutes=1))
    leaves(database, gone, session_id, now)
    post.at(now + timedelta(minutes=2))
    calls_off(database, session_id, now)
    for minute in (3, 4):
        post.at(now + timedelta(minutes=minute))
    assert told(database, asked)[2:] == [("cancelled", "email"), ("cancelled", "sms")]
    assert told(database, waiting) == [("signed", "sms"), ("cancelled", "sms")]
    assert told(database, gone) == [("signed", "sms"), ("cancelled", "sms")], "once, of their own"
    assert not any("malade" in said for said in post.texted())
    post.at(paris(10, 14, 1))
    assert len(told(database, asked)) == 4, "no reminder"


def test_a_message_still_waiting_to_leave_is_dropped_when_untrue(
    database: Database, asked: Asked, now: datetime
) -> None:
    session_id = gather(database, now)
    signs_up(database, asked, session_id, 1, now)
    first = everybody(database, session_id)[0]

    def stale(template: Template) -> bool:
        with transaction(database.backoffice) as session:
            return session_news.is_stale(session, Notification(sign_up_id=first.id, template=template), now)

    assert [stale(template) for template in OF_SESSION] == [
        template is Template.SESSION_CANCELLED for template in OF_SESSION
    ]
    leaves(database, asked, session_id, now)
    assert [stale(template) for template in OF_SESSION] == [
        template is not Template.SESSION_CANCELLED for template in OF_SESSION
    ]
    with transaction(database.backoffice) as session:
        begun = paris(12, 14)
        gone = Notification(sign_up_id=first.id, template=Template.SESSION_CANCELLED)
        assert session_news.is_stale(session, gone, begun)


def test_calls_are_made_by_hand_and_letters_only_when_they_can_arrive(
    post: Post, database: Database, now: datetime
) -> None:
    person = ask(database, now, by(Channel.CALL, Channel.LETTER))  # type: ignore[arg-type]
    session_id = gather(database, now)
    signs_up(database, person, session_id, 1, now)
    post.at(now + timedelta(minutes=1))
    assert told(database, person) == [], "they know: they were there"
    changes(database, session_id, plan(start=time(15)), now)
    post.at(now + timedelta(minutes=2))
    assert sorted(told(database, person)) == [("moved", "call"), ("moved", "letter")]
    post.at(paris(5, 15, 1))
    assert told(database, person)[2:] == [("reminder", "letter")]
    post.at(paris(10, 15, 1))
    assert told(database, person)[3:] == [("reminder", "call")]
    calls_off(database, session_id, paris(10, 16))
    post.at(paris(10, 16, 1))
    assert ("cancelled", "call") in told(database, person)
    assert ("cancelled", "letter") not in told(database, person)


# --- what is said ---------------------------------------------------------------------------------------


def shown(
    database: Database, asked: Asked, sign_up_id: UUID, language: str, channel: Channel, template: Template
) -> Rendered:
    """A message that was never stored, with the longest link."""
    one = Notification(
        id=uuid4(), request_id=asked.id, sign_up_id=sign_up_id, language=language, channel=channel,
        template=template, sealed_secret=documents.seal(SECRET.encode(), database.public_key),
    )  # fmt: skip
    with transaction(database.backoffice) as session:
        return rendered(session, worker_settings(database, portal_address=LONGEST_ADDRESS), one)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_message_holds_in_two_segments_and_tells_no_title(
    database: Database, now: datetime, asked: Asked, language: str
) -> None:
    session_id = gather(database, now, plan(title="Sortir des violences", seats=2))
    with transaction(database.owner) as session:
        session.execute(update(House).values(name=LONGEST_HOUSE))
        session.execute(update(Place).values(name=LONGEST_HOUSE))
    signs_up(database, asked, session_id, 2, now)
    signs_up(database, asked, session_id, 1, now)
    seated, _, waiting = everybody(database, session_id)
    for off in (False, True):
        if off:
            calls_off(database, session_id, now)
        for one in (seated, waiting):
            for template in OF_SESSION:
                text = shown(database, asked, one.id, language, Channel.SMS, template).body
                mail = shown(database, asked, one.id, language, Channel.EMAIL, template)
                assert segments(text) <= MOST_SEGMENTS, text
                assert SECRET in text
                for said in (text, mail.subject, mail.body):
                    assert "violence" not in said
                assert "12" in text
                assert mail.subject


def test_a_person_at_risk_gets_nothing(post: Post, database: Database, asked: Asked, now: datetime) -> None:
    with transaction(database.owner) as session:
        session.execute(update(Request).values(contact_rule="none"))
    signs_up(database, asked, gather(database, now), 1, now)
    post.at(now + timedelta(minutes=1))
    assert told(database, asked) == []


def test_who_gave_no_way_is_nobodys_worry(post: Post, database: Database, now: datetime) -> None:
    person = ask(database, now)
    with transaction(database.owner) as session:
        session.query(ContactWay).delete()
    signs_up(database, person, gather(database, now), 1, now)
    post.at(now + timedelta(minutes=1))
    assert told(database, person) == []
    assert sign_ups.SIGN_UP_STATES
