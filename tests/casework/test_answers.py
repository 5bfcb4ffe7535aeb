"""People answer by text message: stop, cancel after a question, write; what an agent sorts; what is never answered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from casework import (
    answers,
    contact_rules,
    documents,
    lost_links,
    notifications,
    requests,
    rounds,
    triage,
    worker,
)
from casework.agents import Agent
from casework.answers import Fate, IncomingText, SortedMeanwhileError
from casework.appointments import Appointment, Standing
from casework.database import transaction
from casework.delivery import rendered
from casework.messages import Message
from casework.notifications import Delivery, Notification, Template
from casework.people import StoppedNumber, UnreachableError, ways_of
from casework.requests import PARIS, Answers, Request, SendingKeys
from casework.segments import MOST_SEGMENTS, segments
from casework.settings import Settings
from casework.telling import tell
from casework.territory import House
from casework.triage import NotAllowedError, ReasonMissingError, Reply
from casework.vocabulary import LANGUAGES, Channel, ContactRule, Outcome, Theme, Urgency
from tests.casework.asking import BY_MAIL, BY_TEXT, Asked, ask, journal_of, notifications_of, worker_settings
from tests.casework.test_reminders import HALF_PAST_TWO, book
from tests.clock import Clock
from tests.conftest import Database
from tests.local_servers import MailServer, TextProvider
from tests.people import AMINA_PHONE, HUGO, LOUDUN, NADIA, ODILE, POITIERS, Character

pytestmark = pytest.mark.long

LONGEST_HOUSE = "Maison départementale de la solidarité de Beaumont Saint-Cyr-en-Poitou"
OTHER_PHONE = "+33687654321"
YES = {
    "fr": "OUI", "ar": "نعم", "en": "YES", "fa": "بلی", "ps": "هو", "uk": "ТАК", "ru": "ДА",
    "tr": "EVET", "bn": "হ্যাঁ", "es": "SI", "ro": "DA",
}  # fmt: skip
"""What people are asked to answer, in each language."""
IN_LOUDUN = replace(BY_TEXT, commune_code=LOUDUN, name="Karim")
BY_BOTH = replace(BY_MAIL, channels=[Channel.EMAIL, Channel.SMS], sms_number=AMINA_PHONE)


@dataclass
class Exchange:
    """The worker with its provider and its clock, and the texts people send, put in by the portal's role."""

    database: Database
    provider: TextProvider
    mails: MailServer
    settings: Settings
    clock: Clock

    def comes(self, words: str, sender: str = AMINA_PHONE, name: str = "") -> bool:
        """A text is brought; nobody has seen to it yet."""
        with transaction(self.database.portal) as session:
            return answers.receive(session, name or uuid4().hex, sender, words, self.clock())

    def hears(self, *texts: str, sender: str = AMINA_PHONE) -> list[str]:
        """Texts are brought, a second apart, each seen to at once; returns the texts that left since."""
        before = len(self.provider.texts.all)
        for words in texts:
            self.clock.forward(seconds=1)
            self.comes(words, sender)
            worker.drain(self.settings, self.clock)
        return [text["text"] for text in self.provider.texts.all[before:]]


@pytest.fixture
def exchange(database: Database, now: datetime) -> Iterator[Exchange]:
    with TextProvider() as provider, MailServer() as mails:
        settings = worker_settings(
            database, sms_url=provider.url, sms_token=provider.token, smtp_url=mails.url
        )
        yield Exchange(database, provider, mails, settings, Clock(now))


@pytest.fixture
def amina(database: Database, exchange: Exchange, now: datetime) -> Asked:
    """Amina reads Arabic and chose text messages; her receipt has left."""
    asked = ask(database, now, BY_TEXT, language="ar")
    worker.drain(exchange.settings, exchange.clock)
    return asked


def texts(database: Database) -> list[IncomingText]:
    with transaction(database.backoffice) as session:
        return list(session.scalars(select(IncomingText).order_by(IncomingText.received_at)))


def fates(database: Database) -> list[str]:
    return [one.state.value for one in texts(database)]


def conversation(database: Database, asked: Asked) -> list[tuple[str, bool]]:
    """(words, by text?) of what the person wrote."""
    with transaction(database.backoffice) as session:
        rows = session.scalars(select(Message).where(Message.request_id == asked.id).order_by(Message.at))
        return [(one.body, one.by_text) for one in rows if one.author == "citizen"]


def actions(database: Database, asked: Asked) -> list[str]:
    return [action for action, _ in journal_of(database, asked.id)]


def standing(database: Database, appointment_id: UUID) -> Standing:
    with transaction(database.backoffice) as session:
        return session.get_one(Appointment, appointment_id).state


def protect(
    database: Database, asked: Asked, rule: ContactRule, contact: str = "", who: Character = NADIA,
    why: str = "Son mari lit son téléphone.", now: datetime = HALF_PAST_TWO,
) -> None:  # fmt: skip
    with transaction(database.backoffice) as session:
        request = requests.locked(session, asked.id, session.get_one(Request, asked.id).version)
        contact_rules.set_rule(session, session.get_one(Agent, who.id), request, rule, contact, why, now)


# --- stop and start ---------------------------------------------------------------------------------------


def tell_news(session: Session, database: Database, asked: Asked, now: datetime) -> None:
    """An agent wrote: the person is told by their own ways."""
    request = session.get_one(Request, asked.id)
    keys = SendingKeys(database.access_key, database.public_key)
    tell(session, request, Template.NEW_MESSAGE, ways_of(session, request.id), keys, now)


def test_stop_is_heard_said_once_and_kept(database: Database, exchange: Exchange, amina: Asked) -> None:
    said = exchange.hears("STOP")
    assert len(said) == 1
    assert "START" in said[0]
    assert "/s/" not in said[0], "no link: a number may be shared"
    assert exchange.hears("Stop.") == [], "once"
    with transaction(database.backoffice) as session:
        tell_news(session, database, amina, exchange.clock())
    worker.drain(exchange.settings, exchange.clock)
    assert len(exchange.provider.to(AMINA_PHONE)) == 2, "the receipt and the last one"
    assert [one.state for one in notifications_of(database, amina.id)][-1] is Delivery.STOPPED
    assert "texts_stopped" in actions(database, amina)
    assert actions(database, amina)[-1] == "not_notified"
    assert conversation(database, amina) == []


def test_stop_holds_for_whoever_shares_the_number_and_start_ends_it(
    database: Database, exchange: Exchange, amina: Asked
) -> None:
    exchange.hears("توقف")
    karim = ask(database, exchange.clock(), IN_LOUDUN)
    worker.drain(exchange.settings, exchange.clock)
    assert [one.state for one in notifications_of(database, karim.id)] == [Delivery.STOPPED]
    assert exchange.hears("ابدأ") == []
    assert actions(database, amina)[-1] == actions(database, karim)[-1] == "texts_allowed"
    again = ask(database, exchange.clock(), IN_LOUDUN)
    worker.drain(exchange.settings, exchange.clock)
    assert [one.state for one in notifications_of(database, again.id)] == [Delivery.SENT]


def test_mails_still_leave_after_a_stop(database: Database, exchange: Exchange, now: datetime) -> None:
    asked = ask(database, now, BY_BOTH)
    exchange.hears("stop")
    with transaction(database.backoffice) as session:
        triage.answer(
            session, session.get_one(Agent, NADIA.id), session.get_one(Request, asked.id),
            Reply("Bonjour.", uuid4(), SendingKeys(database.access_key, database.public_key)), exchange.clock(),
        )  # fmt: skip
    worker.drain(exchange.settings, exchange.clock)
    last = {one.channel: one.state for one in notifications_of(database, asked.id)}
    assert last == {Channel.EMAIL: Delivery.SENT, Channel.SMS: Delivery.STOPPED}


# --- cancelling -------------------------------------------------------------------------------------------


def test_amina_cancels_in_arabic_after_a_question(
    database: Database, exchange: Exchange, amina: Asked
) -> None:
    taken = book(database, amina, HALF_PAST_TWO, exchange.clock())
    worker.drain(exchange.settings, exchange.clock)
    (question,) = exchange.hears("إلغاء")
    assert "17 نوفمبر" in question
    assert "2:30" in question
    assert "نعم" in question
    assert standing(database, taken) is Standing.BOOKED
    (told,) = exchange.hears("نعم")
    assert standing(database, taken) is Standing.CANCELLED
    assert "17 نوفمبر" in told
    assert "/ar/s/" in told, "the usual message, with its link"
    details = next(details for action, details in journal_of(database, amina.id) if action == "cancelled")
    assert (details["origin"], details["appointment"]) == ("text", str(taken))
    assert fates(database) == ["answered", "answered"]
    assert conversation(database, amina) == [], "an agent has nothing to read"
    assert exchange.hears("OUI") == [], "a second yes is a message"
    assert conversation(database, amina) == [("OUI", True)]


def test_a_no_keeps_it(database: Database, exchange: Exchange, amina: Asked) -> None:
    taken = book(database, amina, HALF_PAST_TWO, exchange.clock())
    exchange.hears("Annuler", "Non", "Oui")
    assert standing(database, taken) is Standing.BOOKED
    assert conversation(database, amina) == [("Oui", True)]


def test_a_yes_holds_for_a_day(database: Database, exchange: Exchange, amina: Asked) -> None:
    taken = book(database, amina, HALF_PAST_TWO, exchange.clock())
    exchange.hears("CANCEL")
    exchange.clock.forward(hours=24)
    exchange.hears("YES")
    assert standing(database, taken) is Standing.BOOKED
    assert conversation(database, amina) == [("YES", True)]


def test_too_late_one_calls_and_the_agent_knows(database: Database, exchange: Exchange, amina: Asked) -> None:
    taken = book(database, amina, exchange.clock() + timedelta(hours=1), exchange.clock())
    worker.drain(exchange.settings, exchange.clock)
    (answer,) = exchange.hears("Annuler")
    assert "05 49 00 00 01" in answer.replace("\u00a0", " ")
    assert "نعم" not in answer
    assert conversation(database, amina) == [("Annuler", True)]
    exchange.hears("Oui")
    assert standing(database, taken) is Standing.BOOKED


def test_a_yes_after_the_limit_cancels_nothing_and_says_so(
    database: Database, exchange: Exchange, amina: Asked
) -> None:
    start = exchange.clock() + timedelta(hours=3)
    taken = book(database, amina, start, exchange.clock())
    worker.drain(exchange.settings, exchange.clock)
    exchange.hears("Annuler")
    exchange.clock.forward(hours=1, minutes=30)
    worker.drain(exchange.settings, exchange.clock)
    (answer,) = exchange.hears("Oui")
    assert "05 49 00 00 01" in answer.replace("\u00a0", " ")
    assert standing(database, taken) is Standing.BOOKED
    assert conversation(database, amina) == [("Oui", True)]


def test_what_moved_since_the_question_is_not_cancelled(
    database: Database, exchange: Exchange, amina: Asked
) -> None:
    first = book(database, amina, HALF_PAST_TWO, exchange.clock())
    exchange.hears("Annuler")
    second = book(database, amina, HALF_PAST_TWO + timedelta(days=1), exchange.clock(), moving=first)
    exchange.hears("Oui")
    assert standing(database, second) is Standing.BOOKED
    assert conversation(database, amina) == [("Oui", True)]


def test_with_a_word_more_somebody_reads_it_too(database: Database, exchange: Exchange, amina: Asked) -> None:
    book(database, amina, HALF_PAST_TWO, exchange.clock())
    worker.drain(exchange.settings, exchange.clock)
    assert len(exchange.hears("annuler malade")) == 1
    assert conversation(database, amina) == [("annuler malade", True)]


def test_the_answer_is_in_the_right_order_whichever_is_seen_to_first(
    database: Database, exchange: Exchange, amina: Asked
) -> None:
    taken = book(database, amina, HALF_PAST_TWO, exchange.clock())
    for words in ("Annuler", "Oui"):
        exchange.clock.forward(seconds=1)
        exchange.comes(words)
    later = texts(database)[1].id
    worker_keys = SendingKeys(database.access_key, database.public_key)
    with transaction(database.backoffice) as session:
        answers.see_to(session, later, worker_keys, 2, exchange.clock())
    assert standing(database, taken) is Standing.CANCELLED


def test_without_an_appointment_cancel_is_a_message(
    database: Database, exchange: Exchange, amina: Asked
) -> None:
    assert exchange.hears("Annuler") == []
    assert conversation(database, amina) == [("Annuler", True)]


def test_two_people_share_the_telephone_and_nothing_is_cancelled(
    database: Database, exchange: Exchange, amina: Asked
) -> None:
    karim = ask(database, exchange.clock(), IN_LOUDUN)
    first = book(database, amina, HALF_PAST_TWO, exchange.clock())
    second = book(database, karim, HALF_PAST_TWO + timedelta(hours=1), exchange.clock())
    worker.drain(exchange.settings, exchange.clock)
    (answer,) = exchange.hears("Annuler")
    assert "/s/" not in answer, "the link of one is not for the other"
    assert "05 49 00 00 01" in answer.replace("\u00a0", " ")
    assert {standing(database, first), standing(database, second)} == {Standing.BOOKED}
    for house in ("poitiers", "loudun"):
        with transaction(database.backoffice) as session:
            ((one, found),) = answers.to_sort(session, house, exchange.clock())
            assert one.body == "Annuler"
            assert [request.house_id for request in found] == [house]


def test_of_two_requests_the_one_with_an_appointment_is_meant(
    database: Database, exchange: Exchange, amina: Asked
) -> None:
    ask(database, exchange.clock(), IN_LOUDUN)
    taken = book(database, amina, HALF_PAST_TWO, exchange.clock())
    exchange.hears("Annuler", "Oui")
    assert standing(database, taken) is Standing.CANCELLED


# --- messages ---------------------------------------------------------------------------------------------


def test_anything_else_lands_in_the_conversation(
    database: Database, exchange: Exchange, amina: Asked
) -> None:
    assert exchange.hears("سأتأخر قليلا") == []
    assert conversation(database, amina) == [("سأتأخر قليلا", True)]
    assert actions(database, amina)[-1] == "text_received"
    with transaction(database.backoffice) as session:
        assert session.get_one(Request, amina.id).waits_for_agent
        assert session.scalars(select(Message.language)).all() == ["ar"]
    assert [(one.state, one.body) for one in texts(database)] == [(Fate.WRITTEN, "")]


def test_from_the_number_given_for_calls_as_well(
    database: Database, exchange: Exchange, now: datetime
) -> None:
    by_call = Answers(
        theme=Theme.MONEY, urgency=Urgency.NONE, commune_code=POITIERS, channels=[Channel.CALL],
        call_number=OTHER_PHONE,
    )  # fmt: skip
    moreau = ask(database, now, by_call)
    exchange.hears("Rappelez-moi", sender=OTHER_PHONE)
    assert conversation(database, moreau) == [("Rappelez-moi", True)]


def test_a_very_long_one_is_cut_and_an_empty_one_ignored(
    database: Database, exchange: Exchange, amina: Asked
) -> None:
    exchange.hears("x" * 9000, " \n\u200b", "\ufffd")
    assert [len(words) for words, _ in conversation(database, amina)] == [5000]
    assert fates(database)[1:] == ["dropped", "dropped"]


def test_a_stranger_is_never_answered_nor_kept(database: Database, exchange: Exchange) -> None:
    assert exchange.hears("STOP", "Annuler", "Bonjour", sender=OTHER_PHONE) == []
    assert {(one.state, one.sender, one.body) for one in texts(database)} == {(Fate.DROPPED, "", "")}
    with transaction(database.backoffice) as session:
        assert session.scalars(select(StoppedNumber)).all() == []


def test_a_request_just_closed_comes_back_to_the_queue(
    database: Database, exchange: Exchange, amina: Asked
) -> None:
    with transaction(database.backoffice) as session:
        triage.close(
            session, session.get_one(Agent, NADIA.id), session.get_one(Request, amina.id), Outcome.ANSWERED,
            exchange.clock(),
        )  # fmt: skip
    exchange.hears("J'ai encore une question")
    assert conversation(database, amina) == [("J'ai encore une question", True)]
    exchange.clock.forward(days=61)
    exchange.hears("Et encore une")
    assert fates(database)[-1] == "dropped"


def test_of_several_requests_an_agent_says_which_and_only_of_their_house(
    database: Database, exchange: Exchange, amina: Asked
) -> None:
    karim = ask(database, exchange.clock(), IN_LOUDUN)
    exchange.hears("Je suis en retard")
    (one,) = texts(database)
    with transaction(database.backoffice) as session:
        odile, nadia = session.get_one(Agent, ODILE.id), session.get_one(Agent, NADIA.id)
        with pytest.raises(SortedMeanwhileError):
            answers.attach(session, odile, one.id, amina.id, exchange.clock())
        answers.attach(session, nadia, one.id, amina.id, exchange.clock())
        with pytest.raises(SortedMeanwhileError):
            answers.attach(session, odile, one.id, karim.id, exchange.clock())
        assert answers.to_sort(session, "loudun", exchange.clock()) == []
    assert conversation(database, amina) == [("Je suis en retard", True)]
    assert conversation(database, karim) == []


def test_a_text_for_nobody_goes_once_each_house_said_so(
    database: Database, exchange: Exchange, amina: Asked
) -> None:
    ask(database, exchange.clock(), IN_LOUDUN)
    exchange.hears("Promotion !")
    (one,) = texts(database)
    for who, left in ((NADIA, "to_sort"), (ODILE, "dropped")):
        with transaction(database.backoffice) as session:
            answers.set_aside(session, session.get_one(Agent, who.id), one.id, exchange.clock())
            assert answers.to_sort(session, who.house, exchange.clock()) == []
        assert fates(database) == [left]
    assert texts(database)[0].body == ""


def test_more_than_twenty_an_hour_are_kept_and_not_answered(
    database: Database, exchange: Exchange, amina: Asked
) -> None:
    taken = book(database, amina, HALF_PAST_TWO, exchange.clock())
    for number in range(20):
        exchange.comes(f"message {number}")
    assert exchange.hears("Annuler")[1:] == [], "only that it is booked"
    assert len(conversation(database, amina)) == 21
    assert exchange.hears("Stop") == []
    with transaction(database.backoffice) as session:
        assert session.scalars(select(StoppedNumber.number)).all() == [AMINA_PHONE], "heard all the same"
    assert standing(database, taken) is Standing.BOOKED


# --- once, whatever dies ----------------------------------------------------------------------------------


def test_the_same_text_twice_is_once(database: Database, exchange: Exchange, amina: Asked) -> None:
    assert exchange.comes("Bonjour", name="abc")
    assert not exchange.comes("Bonjour", name="abc")
    worker.drain(exchange.settings, exchange.clock)
    assert not exchange.comes("Bonjour", name="abc")
    worker.drain(exchange.settings, exchange.clock)
    assert conversation(database, amina) == [("Bonjour", True)]


def test_a_crash_half_way_leaves_it_whole_and_the_sweep_takes_it_up(
    database: Database, exchange: Exchange, amina: Asked
) -> None:
    book(database, amina, HALF_PAST_TWO, exchange.clock())
    worker.drain(exchange.settings, exchange.clock)
    exchange.comes("Annuler")
    keys = SendingKeys(database.access_key, database.public_key)
    (one,) = texts(database)
    with Session(database.backoffice) as dying:
        answers.see_to(dying, one.id, keys, 2, exchange.clock())
        assert dying.scalar(select(Notification.id).where(Notification.template == "cancel_question"))
    assert fates(database) == ["new"]
    with transaction(database.owner) as session:
        session.execute(text("DELETE FROM procrastinate_jobs"))
    for _ in range(2):
        rounds.take_texts(database.backoffice, exchange.settings, exchange.clock())
    worker.drain(exchange.settings, exchange.clock)
    asked = [one for one in notifications_of(database, amina.id) if one.template is Template.CANCEL_QUESTION]
    assert len(asked) == 1
    assert fates(database) == ["asked"]


def test_what_the_program_cannot_see_to_is_left_to_an_agent(
    database: Database, exchange: Exchange, amina: Asked
) -> None:
    exchange.comes("Bonjour")
    broken = replace(exchange.settings, territory=exchange.settings.territory / "nowhere")
    rounds.take_text(database.backoffice, broken, texts(database)[0].id, exchange.clock())
    with transaction(database.backoffice) as session:
        ((one, found),) = answers.to_sort(session, "poitiers", exchange.clock())
    assert (one.body, [request.id for request in found]) == ("Bonjour", [amina.id])


def test_what_was_seen_to_is_forgotten_after_a_week(
    database: Database, exchange: Exchange, amina: Asked
) -> None:
    exchange.hears("Bonjour")
    ask(database, exchange.clock(), IN_LOUDUN)
    exchange.hears("Encore")
    exchange.clock.forward(days=8)
    rounds.take_texts(database.backoffice, exchange.settings, exchange.clock())
    assert [(one.body, one.state) for one in texts(database)] == [("Encore", Fate.TO_SORT)]


# --- people at risk ---------------------------------------------------------------------------------------


def test_no_message_at_all_drops_what_waits_and_lets_nothing_leave(
    database: Database, exchange: Exchange, now: datetime
) -> None:
    leila = ask(database, now, BY_BOTH)
    protect(database, leila, ContactRule.NONE)
    assert notifications_of(database, leila.id) == []
    taken = book(database, leila, HALF_PAST_TWO, now)
    with transaction(database.backoffice) as session:
        triage.answer(
            session, session.get_one(Agent, NADIA.id), session.get_one(Request, leila.id),
            Reply("Bonjour.", uuid4(), SendingKeys(database.access_key, database.public_key)), now,
        )  # fmt: skip
        notifications.lose_link(session, AMINA_PHONE, "fr", now)
        lost = session.scalars(select(notifications.LostLink.id)).one()
        lost_links.renew(session, lost, SendingKeys(database.access_key, database.public_key), now)
    for moment in (
        now,
        datetime(2026, 11, 15, 14, 30, tzinfo=PARIS),
        datetime(2026, 11, 17, 12, 30, tzinfo=PARIS),
    ):
        exchange.clock.now = moment
        worker.drain(exchange.settings, exchange.clock)
    assert exchange.hears("Annuler", "STOP", "Bonjour") == []
    assert notifications_of(database, leila.id) == []
    assert exchange.provider.texts.all == []
    assert [mail["To"] for mail in exchange.mails.mailbox.all if BY_BOTH.email in str(mail["To"])] == []
    assert standing(database, taken) is Standing.BOOKED, "the agenda stays"
    assert conversation(database, leila) == [("Annuler", True), ("Bonjour", True)]
    details = next(
        details for action, details in journal_of(database, leila.id) if action == "contact_rule_set"
    )
    assert details == {"before": "usual", "rule": "none", "reason": "Son mari lit son téléphone."}


@pytest.mark.parametrize(
    ("contact", "channel"), [("06 87 65 43 21", Channel.SMS), ("Soeur@Example.org", Channel.EMAIL)]
)
def test_only_the_safe_contact_hears(
    database: Database, exchange: Exchange, now: datetime, contact: str, channel: Channel
) -> None:
    leila = ask(database, now, BY_BOTH)
    protect(database, leila, ContactRule.OTHER, contact)
    book(database, leila, HALF_PAST_TWO, now)
    worker.drain(exchange.settings, exchange.clock)
    assert {(one.channel, one.state) for one in notifications_of(database, leila.id)} == {
        (channel, Delivery.SENT)
    }
    safe = OTHER_PHONE if channel is Channel.SMS else "soeur@example.org"
    assert {one.recipient for one in notifications_of(database, leila.id)} == {safe}
    assert "Son mari" not in str(journal_of(database, leila.id)[-1][1].get("contact", ""))
    protect(database, leila, ContactRule.USUAL)
    with transaction(database.backoffice) as session:
        tell_news(session, database, leila, exchange.clock())
    worker.drain(exchange.settings, exchange.clock)
    last = {
        one.recipient for one in notifications_of(database, leila.id) if one.template is Template.NEW_MESSAGE
    }
    assert last == {AMINA_PHONE, BY_BOTH.email}, "the safe contact is forgotten with its rule"


def test_a_message_written_while_the_rule_was_set_does_not_leave(
    database: Database, exchange: Exchange, now: datetime
) -> None:
    leila = ask(database, now, BY_TEXT)
    with transaction(database.owner) as session:
        session.execute(update(Request).values(contact_rule=ContactRule.NONE))
    worker.drain(exchange.settings, exchange.clock)
    assert exchange.provider.texts.all == []
    assert notifications_of(database, leila.id) == []


def test_a_rule_needs_a_reason_a_good_contact_and_an_agent_of_the_house(
    database: Database, now: datetime
) -> None:
    leila = ask(database, now, BY_TEXT)
    with pytest.raises(ReasonMissingError):
        protect(database, leila, ContactRule.NONE, why="  ")
    for contact in ("", "05 49 00 00 01", "12", "soeur@"):
        with pytest.raises(UnreachableError):
            protect(database, leila, ContactRule.OTHER, contact)
    with pytest.raises(NotAllowedError):
        protect(database, leila, ContactRule.NONE, who=HUGO)
    assert len(notifications_of(database, leila.id)) == 1


def test_of_two_who_share_a_number_the_one_at_risk_is_as_if_unknown(
    database: Database, exchange: Exchange, amina: Asked
) -> None:
    leila = ask(database, exchange.clock(), replace(BY_TEXT, name="Leïla"))
    mine = book(database, amina, HALF_PAST_TWO, exchange.clock())
    hers = book(database, leila, HALF_PAST_TWO + timedelta(hours=1), exchange.clock())
    protect(database, leila, ContactRule.NONE)
    worker.drain(exchange.settings, exchange.clock)
    (question,) = exchange.hears("Annuler")
    assert "2:30" in question
    exchange.hears("Oui")
    assert (standing(database, mine), standing(database, hers)) == (Standing.CANCELLED, Standing.BOOKED)


def test_in_danger_and_only_by_coming_back_is_no_message_at_all(database: Database, now: datetime) -> None:
    visit = replace(BY_MAIL, channels=[Channel.VISIT])
    for answered, rule in (
        (replace(visit, theme=Theme.VIOLENCE), ContactRule.NONE),
        (replace(visit, urgency=Urgency.DANGER), ContactRule.NONE),
        (visit, ContactRule.USUAL),
        (replace(BY_TEXT, theme=Theme.VIOLENCE), ContactRule.USUAL),
    ):
        asked = ask(database, now, answered)
        with transaction(database.backoffice) as session:
            assert session.get_one(Request, asked.id).contact_rule is rule


# --- words ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("question", ["stopped", "cancel", "late", "which"])
def test_what_we_answer_takes_two_segments_at_most_and_holds_no_link(
    database: Database, now: datetime, language: str, question: str
) -> None:
    amina = ask(database, now, BY_TEXT)
    start = now + timedelta(hours=1) if question == "late" else HALF_PAST_TWO
    taken = book(database, amina, start, now)
    one = Notification(
        id=uuid4(), request_id=amina.id, language=language, channel=Channel.SMS, created_at=now,
        template=Template.TEXTS_STOPPED if question == "stopped" else Template.CANCEL_QUESTION,
        appointment_id=taken if question in {"cancel", "late"} else None,
        sealed_secret=documents.seal(b"x" * 22, database.public_key),
    )  # fmt: skip
    for house in ("Maison de Poitiers", LONGEST_HOUSE):
        with transaction(database.owner) as session:
            session.execute(update(House).values(name=house))
        with transaction(database.backoffice) as session:
            words = rendered(session, worker_settings(database), one).body
        assert segments(words) <= MOST_SEGMENTS
        assert "http" not in words
        assert "loyer" not in words
        asks = YES[language] in words
        assert asks is (question == "cancel")
        assert ("05 49 00 00 01" in words.replace("\u00a0", " ")) is (question != "cancel")
        if language != "fr":
            assert not {"Vous", "vous", "Votre", "votre"} & set(words.split())
