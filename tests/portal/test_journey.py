"""From the first page to the receipt, question after question."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from casework.database import transaction
from casework.documents import Document
from casework.journal import Entry
from casework.notifications import Notification
from casework.people import ContactWay
from casework.requests import Draft, Request
from casework.vocabulary import Channel, State, Theme, Urgency
from portal.questions import QUESTIONS, Question
from tests.conftest import Database
from tests.people import AMINA_PHONE, MOREAU_EMAIL, POITIERS
from tests.portal.person import Person

MOST_SCREENS = 12
MOST_TAPS = 20


def test_amina_asks_for_help_in_arabic(amina: Person, database: Database) -> None:
    home = amina.open("/ar/")
    assert "/ar/demande/sujet" in home.links()
    receipt = amina.asks_for_help(
        theme="housing", urgency="no_roof", words="أنام في الخارج مع ابني", channels={"sms": "٠٦ ١٢ ٣٤ ٥٦ ٧٨"}
    )
    assert len(amina.shown) <= MOST_SCREENS
    assert amina.taps <= MOST_TAPS
    with transaction(database.owner) as session:
        request = session.scalars(select(Request)).one()
        assert (request.number, request.language, request.state) == (receipt.number, "ar", State.RECEIVED)
        assert (request.themes, request.urgency, request.urgent) == ([Theme.HOUSING], Urgency.NO_ROOF, True)
        assert (request.words, request.commune_code) == ("أنام في الخارج مع ابني", POITIERS)
        assert (request.house_id, request.sector_id, request.spoken_language) == (
            "poitiers",
            "poitiers-centre",
            "ar",
        )
        assert session.scalars(select(ContactWay.value)).all() == [AMINA_PHONE]
        assert session.scalars(select(Entry.action)).all() == ["sent"]
        assert session.scalars(select(Notification.recipient)).all() == [AMINA_PHONE]
        assert session.scalars(select(Draft.answers)).all() == [{}], "a sent draft keeps nothing"


def test_marcel_asks_in_french_with_a_paper(marcel: Person, database: Database) -> None:
    marcel.open("/fr/")
    marcel.asks_for_help(
        theme="money", words="Je ne peux plus payer.", channels={"email": MOREAU_EMAIL, "visit": ""},
        name="Marcel Moreau", needs=["reading", "wheelchair"], papers=[(b"%PDF-1.7 lettre", "lettre.pdf")],
    )  # fmt: skip
    assert len(marcel.shown) <= MOST_SCREENS
    assert marcel.taps <= MOST_TAPS
    with transaction(database.owner) as session:
        request = session.scalars(select(Request)).one()
        assert (request.urgent, request.name, request.needs) == (
            False,
            "Marcel Moreau",
            ["reading", "wheelchair"],
        )
        ways = {way.channel: way.value for way in session.scalars(select(ContactWay))}
        assert ways == {Channel.EMAIL: MOREAU_EMAIL, Channel.VISIT: ""}
        assert session.scalars(select(Notification.channel)).all() == [Channel.EMAIL], (
            "a visit needs no message"
        )
        paper = session.scalars(select(Document)).one()
        assert (paper.request_id, paper.draft_id, paper.name) == (request.id, None, "lettre.pdf")


@pytest.mark.parametrize("language", ["fr", "ar", "en"])
def test_the_urgent_number_comes_first_and_the_request_goes_on(marcel: Person, language: str) -> None:
    marcel.language = language
    marcel.go("demande/sujet")
    marcel.submit(("theme", "children"))
    words = marcel.submit(("urgency", "child_danger"))
    numbers = [link for link in words.links() if link.startswith("tel:")]
    assert numbers.index("tel:119") < numbers.index("tel:17")
    assert words.field("words") == ""


def test_each_question_left_empty_leads_back_to_it(marcel: Person) -> None:
    marcel.go("demande/sujet")
    marcel.submit(("theme", "money"))
    assert marcel.go("demande/verifier").path == "/fr/demande/urgence"
    marcel.submit(("urgency", "none"))
    assert marcel.go("demande/verifier").path == "/fr/demande/lieu"
    marcel.submit(commune_typed="Loudun")
    assert marcel.go("demande/verifier").path == "/fr/demande/reponse"
    marcel.submit(channels=["sms"])
    assert marcel.go("demande/verifier").path == "/fr/demande/contact"
    marcel.submit(sms_number="06 12 34 56 78")
    assert marcel.go("demande/verifier").path == "/fr/demande/verifier"


def test_sending_with_a_question_left_leads_back_to_it(marcel: Person, database: Database) -> None:
    marcel.fills_in()
    token = marcel.page.field("csrf_token")
    marcel.go("demande/reponse")
    marcel.submit(channels=["email"])
    answer = marcel.ask("POST", "/fr/demande/envoyer", data={"csrf_token": token})
    assert answer.headers["Location"] == "/fr/demande/contact"
    with transaction(database.owner) as session:
        assert not session.scalars(select(Request)).all()


@pytest.mark.parametrize("question", QUESTIONS[1:], ids=lambda question: question.slug)
def test_a_question_opened_before_the_first_one_leads_to_the_first(
    marcel: Person, question: Question
) -> None:
    assert marcel.go(f"demande/{question.slug}").path == "/fr/demande/sujet"


def test_back_and_forward_lose_nothing(marcel: Person) -> None:
    marcel.fills_in(words="Mon loyer", channels={"email": MOREAU_EMAIL}, name="Marcel", needs=["reading"])
    assert marcel.go("demande/mots").field("words") == "Mon loyer"
    assert marcel.go("demande/lieu").field("commune_typed") == "Poitiers"
    assert marcel.go("demande/reponse").chosen("channels") == ["email"]
    assert marcel.go("demande/contact").field("email") == MOREAU_EMAIL
    assert marcel.page.field("name") == "Marcel"
    assert marcel.go("demande/besoins").chosen("needs") == ["reading"]


def test_a_change_from_the_check_page_comes_back_to_it(marcel: Person) -> None:
    check = marcel.fills_in(words="Mon loyer")
    change = next(link for link in check.links() if "/mots" in link)
    marcel.open(change)
    check = marcel.submit(words="Mon loyer et mon gaz")
    assert check.path == "/fr/demande/verifier"
    assert "Mon loyer et mon gaz" in check.main


def test_no_channel_no_theme_no_urgency_is_said_plainly(marcel: Person) -> None:
    marcel.go("demande/sujet")
    answer = marcel.prepare(("theme", "money"))[1]
    answer["theme"] = "nothing"
    assert marcel.ask("POST", "/fr/demande/sujet", data=answer).status_code == 422
    marcel.submit(("theme", "money"))
    marcel.submit(("urgency", "none"))
    marcel.submit(words="")
    marcel.submit(commune_typed="Poitiers")
    page = marcel.submit(channels=[], status=422)
    assert page.errors() == ["Choisissez au moins une réponse."]
    assert page.title.startswith("Erreur :")


def test_the_first_page_offers_each_language_by_its_own_name(marcel: Person) -> None:
    page = marcel.open("/")
    assert {"/fr/", "/ar/", "/en/"} <= set(page.links())
    for name in ("Français", "العربية", "English"):
        assert name in page.main
