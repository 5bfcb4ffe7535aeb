"""What people are told outside the portal: the words, in each language, and how long a text message is."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from casework import access, documents, translation
from casework.database import transaction
from casework.delivery import PermanentFailureError, Rendered, rendered
from casework.notifications import Delivery, Notification, Template
from casework.requests import PARIS, Answers, Request
from casework.segments import MOST_SEGMENTS, plain, segments
from casework.territory import House
from casework.vocabulary import LANGUAGES, Channel, Theme, Urgency
from tests.casework.asking import BY_MAIL, ask, notifications_of, worker_settings
from tests.conftest import Database
from tests.people import FROZES, MOREAU_EMAIL

pytestmark = pytest.mark.long

LONGEST_ADDRESS = "https://solidarites.alpes-de-haute-provence.fr"
LONGEST_HOUSE = "Maison départementale de la solidarité de Beaumont Saint-Cyr-en-Poitou"
SECRET = "x" * 22


OF_REQUEST = [Template.RECEIPT, Template.NEW_MESSAGE, Template.LINK]
"""Those of appointments are in `test_reminders`, answers to text messages in `test_answers`."""

REQUEST = {
    "fr": "emande", "ar": "طلبك", "en": "equest", "fa": "درخواست", "ps": "غوښتن", "uk": "аявк", "ru": "аявк",
    "tr": "vuru", "bn": "আবেদন", "es": "olicitud", "ro": "ererea",
}  # fmt: skip
"""What every message about a request says, in each language."""

EVERY_MESSAGE = [
    (language, channel, template)
    for language in LANGUAGES
    for channel in (Channel.EMAIL, Channel.SMS)
    for template in OF_REQUEST
]


def shown(
    database: Database, notification: Notification, portal_address: str = "https://aide.example.org"
) -> Rendered:
    settings = worker_settings(database, portal_address=portal_address)
    with transaction(database.backoffice) as session:
        return rendered(session, settings, notification)


def message(
    database: Database, request_id: Any, language: str, channel: Channel, template: Template
) -> Notification:
    """A notification that was never stored, with a link of known length."""
    sealed = documents.seal(SECRET.encode(), database.public_key)
    return Notification(
        id=uuid4(),
        request_id=request_id,
        language=language,
        channel=channel,
        template=template,
        sealed_secret=sealed,
    )


def test_amina_reads_her_number_her_house_her_date_her_link_and_her_code(
    database: Database, now: datetime
) -> None:
    amina = ask(database, now)
    (receipt,) = notifications_of(database, amina.id)
    mail = shown(database, receipt)
    body = mail.body.replace("\u00a0", " ")

    with transaction(database.backoffice) as session:
        number = access.spoken(session.get_one(Request, amina.id).number)
    assert mail.subject == f"Nous avons votre demande {number}"
    for told in (
        "Nous avons reçu votre demande le mardi 3 novembre 2026.",
        "Nous vous répondons au plus tard le mardi 10 novembre 2026.",
        f"https://aide.example.org/fr/s/{amina.secret}\n",
        f"Votre code : {access.spoken(access.code_of(database.access_key, amina.secret))}",
        f"Votre numéro : {number}",
        "Maison départementale de la solidarité de Poitiers\n1 rue du Marché\n86000 Poitiers\n",
        "Téléphone : 05 49 00 00 01",
        "E-mail : mds-poitiers@example.org",
        "Vous n'avez rien demandé ?\nAppelez-nous",
    ):
        assert told in body


def test_a_receipt_says_what_the_law_asks(database: Database, now: datetime) -> None:
    """CRPA L112-11, R112-11-1: what silence means, the very day, and the remedies."""
    (receipt,) = notifications_of(database, ask(database, now).id)
    body = shown(database, receipt).body
    assert "Après 2 mois sans réponse, cela veut dire non." in body
    assert "Pour vous, cette date est le dimanche 3 janvier 2027." in body
    assert "tribunal administratif" in body


def test_silence_ends_on_the_last_day_of_a_shorter_month(database: Database) -> None:
    last_of_the_year = datetime(2026, 12, 31, 10, tzinfo=PARIS)
    (receipt,) = notifications_of(database, ask(database, last_of_the_year).id)
    assert "dimanche 28 février 2027" in shown(database, receipt).body


@pytest.mark.parametrize(("language", "channel", "template"), EVERY_MESSAGE)
def test_no_message_tells_what_the_request_is_about(
    database: Database, now: datetime, language: str, channel: Channel, template: Template
) -> None:
    """Violence and danger make the same message, to the letter, as a housing question."""
    housing = ask(database, now, BY_MAIL)
    violence = ask(
        database,
        now,
        replace(
            BY_MAIL, theme=Theme.VIOLENCE, urgency=Urgency.DANGER, words="Mon mari me frappe.", name="Leïla"
        ),
    )
    with transaction(database.owner) as session:
        session.execute(update(Request).where(Request.id == housing.id).values(number="483210759"))
    first = shown(database, message(database, housing.id, language, channel, template))
    with transaction(database.owner) as session:
        session.execute(update(Request).where(Request.id == housing.id).values(number="483210762"))
        session.execute(update(Request).where(Request.id == violence.id).values(number="483210759"))
    assert shown(database, message(database, violence.id, language, channel, template)) == first


@pytest.mark.parametrize(("language", "channel", "template"), EVERY_MESSAGE)
def test_every_message_is_in_its_language(
    database: Database, now: datetime, language: str, channel: Channel, template: Template
) -> None:
    told = shown(database, message(database, ask(database, now).id, language, channel, template))
    sentence = REQUEST[language]
    assert sentence in told.subject + told.body
    assert f"/{language}/s/{SECRET}" in told.body
    if language != "fr":
        assert "Vous" not in told.subject + told.body
        assert "Votre" not in told.subject + told.body


@pytest.mark.parametrize("template", OF_REQUEST)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_text_message_takes_two_segments_at_most(
    database: Database, now: datetime, language: str, template: Template
) -> None:
    """With the longest web address and house, whatever the month, and with its link and number whole."""
    asked = ask(database, now)
    with transaction(database.owner) as session:
        session.execute(update(House).values(name=LONGEST_HOUSE))
    for month in range(1, 13):
        with transaction(database.owner) as session:
            promised_by = datetime(2026, month, 28, 18, tzinfo=PARIS)
            session.execute(update(Request).values(promised_by=promised_by, number="483210759"))
        told = shown(database, message(database, asked.id, language, Channel.SMS, template), LONGEST_ADDRESS)
        assert segments(told.body) <= MOST_SEGMENTS
        assert told.body.endswith(f"\n{LONGEST_ADDRESS}/{language}/s/{SECRET}")
        assert re.search("483[ \u00a0]210[ \u00a0]759", told.body)


def test_a_short_address_leaves_room_for_the_house_and_the_code(database: Database, now: datetime) -> None:
    told = shown(database, message(database, ask(database, now).id, "fr", Channel.SMS, Template.RECEIPT))
    code = access.spoken(access.code_of(database.access_key, SECRET))
    assert told.body.startswith(
        "Maison départementale de la solidarité de Poitiers.\nNous avons votre demande "
    )
    assert f"Code : {code}." in told.body


@pytest.mark.parametrize(
    ("words", "lines"),
    [
        ("Bonjour. Venez à 14:30. Lieu : 12 av. Jean-Jaurès.", 3),
        ("Vous venez\N{NO-BREAK SPACE}? Appelez le 115. C'est gratuit.", 3),
        ("هل تأتون؟ لديكم شهران. اتصلوا بنا.", 3),
        ("Site : aide.example.org. ok", 1),
    ],
)
def test_each_sentence_stands_on_its_line_and_a_street_keeps_its_own(words: str, lines: int) -> None:
    told = translation.one_a_line(words)
    assert told.count("\n") == lines - 1
    assert told.replace("\n", " ") == words


def test_numbers_stay_in_order_among_arabic_words(database: Database, now: datetime) -> None:
    """Groups of digits parted by common spaces would be shown last group first."""
    told = shown(database, message(database, ask(database, now).id, "ar", Channel.EMAIL, Template.RECEIPT))
    assert "05\u00a049\u00a000\u00a000\u00a001" in told.body
    assert "10 نوفمبر 2026" in told.body


def test_letters_and_calls_wait_for_a_hand_with_their_words_ready(database: Database, now: datetime) -> None:
    answers = Answers(
        theme=Theme.MONEY, urgency=Urgency.NONE, commune_code=FROZES,
        channels=[Channel.LETTER, Channel.CALL, Channel.VISIT], call_number="+33549000123",
        postal_address="3 rue de l'Église\n86190 Frozes",
    )  # fmt: skip
    waiting = notifications_of(database, ask(database, now, answers).id)
    assert [(one.channel, one.state) for one in waiting] == [
        (Channel.CALL, Delivery.BY_HAND),
        (Channel.LETTER, Delivery.BY_HAND),
    ]
    assert all("Votre code" in shown(database, one).body for one in waiting)


def test_a_link_that_left_is_shown_no_more(database: Database, now: datetime) -> None:
    (receipt,) = notifications_of(database, ask(database, now).id)
    receipt.sealed_secret = None
    with pytest.raises(PermanentFailureError, match="illisible"):
        shown(database, receipt)


def test_a_link_sealed_to_another_key_is_unreadable(database: Database, now: datetime) -> None:
    (receipt,) = notifications_of(database, ask(database, now).id)
    receipt.sealed_secret = documents.seal(b"secret", documents.new_key_pair()[0])
    with pytest.raises(PermanentFailureError, match="illisible"):
        shown(database, receipt)


def test_the_portal_cannot_read_the_link_it_wrote(database: Database, now: datetime) -> None:
    amina = ask(database, now)
    with transaction(database.backoffice) as session:
        sealed = session.scalars(select(Notification.sealed_secret)).one()
    assert sealed is not None
    assert amina.secret.encode() not in sealed


@pytest.mark.parametrize(
    ("moment", "language", "words"),
    [
        (datetime(2026, 12, 1, 18, tzinfo=PARIS), "fr", "mardi 1er décembre 2026"),
        (datetime(2026, 12, 11, 18, tzinfo=PARIS), "fr", "vendredi 11 décembre 2026"),
        (datetime(2026, 12, 1, 18, tzinfo=PARIS), "ar", "الثلاثاء 1 ديسمبر 2026"),
        (datetime(2026, 12, 1, 18, tzinfo=PARIS), "en", "Tuesday 1 December 2026"),
        (datetime(2026, 7, 14, 0, 30, tzinfo=PARIS) - timedelta(), "fr", "mardi 14 juillet 2026"),
    ],
)
def test_dates_are_words_of_paris(moment: datetime, language: str, words: str) -> None:
    assert translation.date_in_words(moment, language) == words


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("€" * 153, 3),  # 76 a segment: a pair is not cut
        ("ç" * 70, 1),
        ("ç" * 71, 2),
        ("م" * 134, 2),
        ("م" * 135, 3),
        ("🏠" * 35, 1),
        ("🏠" * 36, 2),
        ("🏠" * 67, 3),  # 33 a segment
    ],
)
def test_segments_are_counted_as_networks_do(text: str, count: int) -> None:
    assert segments(text) == count


def test_an_accent_is_dropped_only_where_that_is_enough() -> None:
    assert plain("Réponse reçue le 3 août à Châtellerault…") == "Réponse recue le 3 aout à Chatellerault..."
    assert plain("وصلنا طلبك, reçu") == "وصلنا طلبك, reçu"


def test_moreau_chose_mail_and_gets_no_text(database: Database, now: datetime) -> None:
    (only,) = notifications_of(database, ask(database, now).id)
    assert (only.channel, only.recipient) == (Channel.EMAIL, MOREAU_EMAIL)


def test_an_unknown_language_has_no_catalogue() -> None:
    with pytest.raises(translation.UnknownLanguageError):
        translation.catalogue("xx")


def test_a_session_is_enough_to_render(database: Database, now: datetime) -> None:
    """The back office shows a waiting message without changing it."""
    (receipt,) = notifications_of(database, ask(database, now).id)
    with Session(database.backoffice) as session:
        rendered(session, worker_settings(database), session.get_one(Notification, receipt.id))
        assert not session.dirty
