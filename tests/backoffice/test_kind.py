"""Which kind of appointment a request needs: said once by an agent, then everybody's search begins with it."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from casework import access, offers
from casework.database import transaction
from casework.journal import Entry
from casework.offers import Search
from casework.requests import Request
from casework.vocabulary import Outcome, State
from tests.backoffice.colleague import Colleague, request_of, stored
from tests.casework.asking import Asked, ask
from tests.conftest import Database
from tests.portal.receiving import receives

pytestmark = pytest.mark.long

THURSDAY = date(2026, 11, 5)


@pytest.fixture
def asked(database: Database, now: datetime) -> Asked:
    """Marcel's request."""
    return ask(database, now)


def minutes_offered(database: Database, asked: Asked, now: datetime) -> list[float]:
    """How long the appointments are that Marcel may take, as the portal's role finds them."""
    info = {"secret_hash": access.link_hash(database.access_key, asked.secret)}
    with Session(database.portal, info=info) as session:
        who = offers.seeker(session, asked.id, now)
        found = offers.offers(session, who, Search(), now)
        spans = [(slot.during.lower, slot.during.upper) for slot in found]
        return [(upper - lower).total_seconds() / 60 for lower, upper in spans if lower and upper]


def test_nadia_says_marcel_needs_a_long_one(
    nadia: Colleague, asked: Asked, database: Database, now: datetime
) -> None:
    receives(database, THURSDAY, kinds=("first", "long"))
    assert minutes_offered(database, asked, now) == [30, 30]
    page = nadia.reads(asked.id)
    assert page.chosen("genre") == ["first"]
    page = nadia.submit(action="/type", prevu="long")
    assert page.chosen("prevu") == ["long"]
    assert page.chosen("genre") == ["long"], "the counter begins with it"
    assert "La personne voit les heures de ce type." in page.main
    assert minutes_offered(database, asked, now) == [60]
    (entry,) = stored(database, Entry, Entry.action == "kind_set")
    assert entry.details == {"before": None, "after": "long", "sentence": "Rendez-vous long"}


def test_another_kind_can_still_be_looked_for_at_the_counter(
    nadia: Colleague, asked: Asked, database: Database
) -> None:
    nadia.reads(asked.id)
    nadia.submit(action="/type", prevu="long")
    assert nadia.open(f"/fr/demande/{asked.id}?genre=first").chosen("genre") == ["first"]
    nadia.submit(action="/type", prevu="")
    assert request_of(database, asked.id).kind_id is None
    assert nadia.page.chosen("genre") == ["first"]
    nadia.submit(action="/type", prevu="")
    assert len(stored(database, Entry, Entry.action == "kind_set")) == 2, (
        "nothing changed, nothing is written"
    )


def test_a_kind_that_is_none_and_a_closed_request_change_nothing(
    nadia: Colleague, asked: Asked, database: Database, now: datetime
) -> None:
    nadia.reads(asked.id)
    nadia.submit(action="/type", prevu="surprise", status=400)
    nadia.reads(asked.id)
    with transaction(database.owner) as session:
        session.execute(
            update(Request)
            .where(Request.id == asked.id)
            .values(state=State.CLOSED, closed_at=now, outcome=Outcome.ANSWERED)
        )
    page = nadia.submit(action="/type", prevu="long")
    assert "Ce rendez-vous ne peut plus changer." in page.main
    assert request_of(database, asked.id).kind_id is None


def test_another_house_says_nothing_of_it(odile: Colleague, asked: Asked, database: Database) -> None:
    token = odile.page.field("csrf_token")
    answer = odile.ask(
        "POST", f"/fr/demande/{asked.id}/rendez-vous/type", data={"prevu": "long", "csrf_token": token}
    )
    assert answer.status_code == 404
    assert request_of(database, asked.id).kind_id is None
