"""What was typed survives an error, another language, and a day away."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

import pytest

from casework import requests
from casework.database import transaction
from tests.clock import Clock
from tests.conftest import Database
from tests.people import MOREAU_EMAIL
from tests.portal.person import Person


def to_contact(person: Person, channels: list[str]) -> None:
    """Answer up to the question of how to be reached."""
    person.tells(words="Mon loyer")
    person.submit(commune_typed="Poitiers")
    person.submit(channels=channels)


def test_an_error_keeps_what_was_typed(marcel: Person) -> None:
    to_contact(marcel, ["sms", "email"])
    page = marcel.submit(sms_number="06 12", email=MOREAU_EMAIL, name="Marcel Moreau", status=422)
    assert len(page.errors()) == 1
    assert page.title.startswith("Erreur :")
    assert (page.field("sms_number"), page.field("email")) == ("06 12", MOREAU_EMAIL)
    page = marcel.go("demande/contact")
    assert (page.field("sms_number"), page.field("name")) == ("06 12", "Marcel Moreau")


def test_a_fixed_line_gets_no_text(marcel: Person) -> None:
    to_contact(marcel, ["sms"])
    assert "fixe" in marcel.submit(sms_number="05 49 11 22 33", status=422).errors()[0]


def test_spaces_are_no_answer(marcel: Person) -> None:
    to_contact(marcel, ["letter"])
    assert marcel.submit(postal_address="  \n ", status=422).errors()


def test_a_text_too_long_is_kept_whole(marcel: Person) -> None:
    marcel.go("demande/sujet")
    marcel.submit(("theme", "money"))
    marcel.submit(("urgency", "none"))
    page = marcel.submit(words="é" * 5001, status=422)
    assert page.field("words") == "é" * 5001


def test_another_language_keeps_what_was_typed(amina: Person) -> None:
    amina.go("demande/sujet")
    amina.submit(("theme", "money"))
    amina.submit(("urgency", "none"))
    page = amina.submit(("switch", "fr"), words="لا أستطيع دفع الإيجار")
    assert (page.path, page.field("words")) == ("/fr/demande/mots", "لا أستطيع دفع الإيجار")
    amina.submit(words=page.field("words"))
    page = amina.submit(("switch", "en"), commune_typed="Poit")
    assert (page.path, page.field("commune_typed")) == ("/en/demande/lieu", "Poit")
    amina.submit(commune_typed="Poitiers")
    amina.submit(channels=["sms", "call"])
    page = amina.submit(("switch", "ar"), sms_number="06 12", call_time="morning")
    assert (page.path, page.field("sms_number")) == ("/ar/demande/contact", "06 12")
    assert page.chosen("call_time") == ["morning"]
    amina.submit(sms_number="06 12 34 56 78", call_number="06 12 34 56 78")
    page = amina.submit(("switch", "fr"), spoken_language="ti", needs=["interpreter"])
    assert (page.chosen("spoken_language"), page.chosen("needs")) == (["ti"], ["interpreter"])


def test_another_language_before_the_first_answer(amina: Person) -> None:
    amina.go("demande/sujet")
    assert amina.submit(("switch", "en")).path == "/en/demande/sujet"


def test_the_address_in_another_language_keeps_its_query(marcel: Person) -> None:
    marcel.fills_in()
    for query in ("retour=1", "lang=ar", "endpoint=x", "_external=1&_scheme=javascript"):
        page = marcel.go(f"demande/verifier?{query}")
        assert f"/ar/demande/verifier?{query}" in page.links()


def test_save_and_come_back_a_day_later_on_another_phone(
    amina: Person, somebody: Callable[..., Person], clock: Clock
) -> None:
    amina.tells(theme="housing", words="أنام في الخارج")
    page = amina.go("demande/plus-tard")
    link = next(link for link in page.links() if "/s/" in link)
    amina.submit()
    assert amina.go("demande/mots").path == "/ar/demande/sujet", "the first phone forgot it"
    clock.forward(hours=24)
    other = somebody(source="192.0.2.99", language="ar")
    assert other.open(urlsplit(link).path).path == "/ar/demande/lieu", "the first question left"
    assert other.go("demande/mots").field("words") == "أنام في الخارج"
    other.go("demande/lieu")
    other.submit(commune_typed="Poitiers")
    other.submit(channels=["visit"])
    other.submit()
    other.submit()
    other.submit(("next", "1"))
    assert other.sends().link == link, "the link kept to come back is the one that follows the request"


def test_the_home_page_leads_back_to_what_was_begun(marcel: Person) -> None:
    marcel.tells()
    assert "/fr/demande/" in marcel.open("/fr/").links()
    assert marcel.go("demande/").path == "/fr/demande/lieu"


def test_the_home_page_leads_to_what_was_sent(marcel: Person) -> None:
    assert "/fr/suivi" not in marcel.open("/fr/").links()
    marcel.asks_for_help()
    links = marcel.open("/fr/").links()
    assert "/fr/suivi" in links
    assert "/fr/demande/" not in links


def test_a_number_is_shown_as_people_of_france_read_it(amina: Person) -> None:
    amina.tells()
    amina.submit(commune_typed="Poitiers")
    amina.submit(channels=["sms", "email"])
    page = amina.submit(sms_number="٠٦١٢٣٤٥٦٧٨", email="amina@@", status=422)
    assert page.field("sms_number") == "06 12 34 56 78"
    amina.submit(email="amina@example.org")
    assert amina.go("demande/contact").field("sms_number") == "06 12 34 56 78"


@pytest.mark.parametrize(("days", "alive"), [(2.9, True), (3.1, False)])
def test_a_draft_lives_three_days(
    marcel: Person, database: Database, clock: Clock, days: float, alive: bool
) -> None:
    marcel.tells(words="Mon loyer")
    page = marcel.go("demande/plus-tard")
    link = urlsplit(next(link for link in page.links() if "/s/" in link)).path
    clock.forward(days=days)
    with transaction(database.backoffice) as session:
        assert requests.forget_old_drafts(session, clock()) == (0 if alive else 1)
    if alive:
        assert marcel.open(link).path == "/fr/demande/lieu"
    else:
        page = marcel.open(link, status=404)
        assert "3 jours" in page.main
        assert "/fr/lien-perdu" in page.links()


def test_two_requests_from_the_same_browser(marcel: Person) -> None:
    first = marcel.asks_for_help(theme="money")
    second = marcel.asks_for_help(theme="housing")
    assert first.number != second.number
    assert first.secret != second.secret
    marcel.open(first.path)
    assert first.number in marcel.page.text.replace(" ", "")
