"""Answers ready to give: one tap, in one's own language, and the house reads French."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from casework import translated_words
from casework.cards import load_cards
from casework.database import transaction
from casework.messages import LONGEST_BODY, Message
from casework.requests import SendingKeys
from casework.translated_words import Origin
from tests.backoffice.colleague import stored
from tests.conftest import Database
from tests.pages import words
from tests.portal.person import Person

Somebody = Callable[..., Person]

NO_PAPER = "این سند را ندارم."


def bodies(database: Database) -> list[tuple[str, str]]:
    """What was written, with its language."""
    return [(message.body, message.language) for message in stored(database, Message)]


def test_amina_answers_in_dari_with_one_tap_and_paul_reads_french(
    somebody: Somebody, database: Database, now: datetime
) -> None:
    amina = somebody(language="fa")
    amina.asks_for_help()
    amina.go("suivi")
    page = amina.submit(("card", "no_paper"))
    assert bodies(database) == [(NO_PAPER, "fa")]
    assert NO_PAPER in [words(said) for said in page.html.iter("p")]
    keys = SendingKeys(database.access_key, database.public_key)
    with transaction(database.backoffice) as session:
        found = translated_words.shown(session, bodies(database), "fr", keys, now)
    assert [(one.words, one.origin) for one in found.values()] == [("Je n'ai pas ce papier.", Origin.AHEAD)]
    assert stored(database, translated_words.TranslatedWords) == []


def test_every_card_is_offered_with_its_drawing_and_words(somebody: Somebody) -> None:
    amina = somebody(language="ps")
    amina.asks_for_help()
    page = amina.go("suivi")
    cards = [button for button in page.html.iter("button") if button.get("name") == "card"]
    assert [words(card) for card in cards] == [card.words("ps") for card in load_cards().cards.values()]
    assert all(list(card.iter("{http://www.w3.org/2000/svg}use")) or list(card.iter("use")) for card in cards)


def test_a_card_goes_alone_and_what_was_being_typed_stays(somebody: Somebody, database: Database) -> None:
    """However long it is; it goes whole when it is sent itself."""
    begun = "Je l'apporte. " * 357 + "ok"
    assert len(begun) == LONGEST_BODY
    marcel = somebody()
    marcel.asks_for_help()
    marcel.go("suivi")
    page = marcel.submit(("card", "paper_at_home"), body=begun)
    assert "Votre texte reste à envoyer." in page.main
    assert page.field("body") == begun
    assert bodies(database) == [("J'ai ce papier à la maison.", "fr")]
    marcel.submit(action="/suivi")
    assert bodies(database)[1:] == [(begun, "fr")]
    page = marcel.submit(action="/suivi", body=begun + "!", status=422)
    assert page.field("body") == begun + "!"
    assert len(bodies(database)) == 2


def test_the_same_card_tapped_twice_on_one_page_is_one_message(
    somebody: Somebody, database: Database
) -> None:
    marcel = somebody()
    marcel.asks_for_help()
    marcel.go("suivi")
    tab = marcel.second_tab()
    marcel.submit(("card", "agree"))
    tab.submit(("card", "agree"))
    assert bodies(database) == [("Oui.", "fr")]
    marcel.submit(("card", "agree"))
    assert len(bodies(database)) == 2


def test_a_card_that_nobody_drew_sends_nothing(somebody: Somebody, database: Database) -> None:
    marcel = somebody()
    marcel.asks_for_help()
    marcel.go("suivi")
    path, data, multipart = marcel.prepare(action="/suivi", body="")
    data["card"] = "free_money"
    kind = "multipart/form-data" if multipart else None
    assert marcel.ask("POST", path, data=data, content_type=kind).status_code == 422
    assert bodies(database) == []
