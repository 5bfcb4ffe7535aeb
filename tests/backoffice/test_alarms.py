"""What a card says that the house must know first: danger, fear, a telephone that should not ring."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from casework import messages
from casework.cards import ALARMS, load_cards
from casework.database import transaction
from casework.requests import Request
from tests.backoffice.colleague import Colleague, stored
from tests.clock import Clock
from tests.conftest import Database
from tests.pages import words
from tests.portal.person import Person

pytestmark = pytest.mark.long

Somebody = Callable[..., Person]


@pytest.mark.parametrize("begun", ["", "Il est revenu hier"])
@pytest.mark.parametrize("card", ALARMS)
def test_danger_says_whom_to_call_and_comes_first_at_the_house(
    somebody: Somebody, database: Database, nadia: Colleague, card: str, begun: str
) -> None:
    marcel, amina = somebody(), somebody(language="fa", source="192.0.2.77")
    marcel.asks_for_help(theme="money")
    amina.asks_for_help(theme="money")
    amina.go("suivi")
    page = amina.submit(("card", card), body=begun)
    called = [link for link in page.links() if link.startswith(("tel:", "sms:"))]
    assert called[:4] == ["tel:17", "tel:112", "tel:3919", "sms:114"]
    assert page.of_class("exit-button")
    assert page.field("body") == begun
    assert "bientôt" not in page.main
    assert amina.go("suivi").of_class("exit-button")

    said = f"La personne a écrit : « {load_cards().cards[card].words('fr')} »"
    queue = nadia.open("/fr/file")
    rows = [words(row) for row in queue.html.iter("tr") if (row.get("id") or "").startswith("r-")]
    assert [said in row for row in rows] == [True, False]
    asked = next(one for one in stored(database, Request) if one.language == "fa")
    assert (asked.urgent, asked.urgency_reason, asked.version) == (True, said, 2)
    assert said in words(nadia.reads(asked.id).html)
    nadia.does("answer", body="Appelez le 17.")
    assert words(nadia.reads(asked.id).html).count(said) == 1, "the reason alone, until it is qualified"


def test_nobody_should_call_until_they_ask_for_it(
    somebody: Somebody, database: Database, nadia: Colleague, clock: Clock
) -> None:
    marcel = somebody()
    marcel.asks_for_help()
    (asked,) = stored(database, Request)
    notices = []
    for card in ("do_not_call", "call_me"):
        clock.forward(minutes=1)
        marcel.go("suivi")
        marcel.submit(("card", card))
        notices.append(
            [words(one) for one in nadia.reads(asked.id).of_class("notice") if "a écrit" in words(one)]
        )
    assert notices == [["La personne a écrit : « Ne m'appelez pas, s'il vous plaît. »"], []]
    assert not stored(database, Request)[0].urgent


def test_the_portal_can_only_raise_the_alarm_of_the_request_it_opens(
    somebody: Somebody, database: Database
) -> None:
    somebody().asks_for_help()
    for card in ("in_danger", "agree"):
        with transaction(database.portal) as session:
            messages.say_alarm(session, card)
    assert not stored(database, Request)[0].urgent
