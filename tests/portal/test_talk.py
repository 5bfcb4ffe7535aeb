"""What is left of a talk for whoever took part in it, without JavaScript: its summary, and the words that came late."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from uuid import UUID, uuid4

import pytest

from casework import calling
from casework.agents import Agent
from casework.brought_in import invite_third
from casework.calling import Ending
from casework.database import transaction
from casework.requests import SendingKeys
from casework.talks import TalkLine, TalkOutcome
from tests.backoffice.colleague import stored
from tests.casework.in_line import open_desk, set_up
from tests.conftest import Database
from tests.people import PAUL
from tests.portal.person import Person
from tests.portal.test_permanence import comes_in, paul_calls

PROMISE = "La loi m'oblige à garder le secret."
LATE = "یک سؤال دیگر دارم."


@pytest.fixture
def talk_id(database: Database, amina: Person, now: datetime) -> UUID:
    """Amina, who reads Persian, talks with Paul; she has no request."""
    open_desk(database, set_up(database, now), PAUL, now)
    amina.language = "fa"
    comes_in(amina)
    found = paul_calls(database, now)
    amina.open("/fa/permanence/attente")
    amina.submit(action="/entrer")
    return found


def paul_ends(database: Database, talk_id: UUID, now: datetime) -> None:
    """With a summary in French."""
    with transaction(database.backoffice) as session:
        ending = Ending(TalkOutcome.ANSWERED, "", PROMISE, uuid4())
        keys = SendingKeys(database.access_key, database.public_key)
        calling.end(session, session.get_one(Agent, PAUL.id), talk_id, ending, keys, now)


def test_amina_reads_the_summary_in_her_language_and_keeps_what_came_too_late(
    database: Database, talk_id: UUID, amina: Person, now: datetime
) -> None:
    amina.open("/fa/permanence/entretien/ecrire")
    late = amina.prepare(action="/entretien", body=LATE)
    paul_ends(database, talk_id, now)
    page = amina.open("/fa/permanence/entretien")
    assert page.heading == "گفتگو تمام شد"
    assert "قانون" in page.main_but("fr"), "a ready sentence, in her language"
    assert PROMISE in page.main, "and what was really written"
    assert LATE in amina.ask("POST", late[0], data=late[1]).get_data(as_text=True)
    assert stored(database, TalkLine) == []


def test_an_interpreter_learns_that_the_talk_is_over_and_keeps_their_words(
    database: Database, talk_id: UUID, somebody: Callable[..., Person], now: datetime
) -> None:
    with transaction(database.backoffice) as session:
        paul = session.get_one(Agent, PAUL.id)
        secret = invite_third(session, paul, talk_id, "Zahra", "fa", database.access_key, now)
    zahra = somebody(source="192.0.2.77")
    zahra.open(f"/fr/permanence/v/{secret}")
    zahra.submit(action="/entrer")
    zahra.open("/fr/permanence/entretien/ecrire")
    late = zahra.prepare(action="/entretien", body=LATE)
    paul_ends(database, talk_id, now)
    told = zahra.ask("GET", "/fr/permanence/entretien/lignes")
    assert (told.status_code, "data-goes" in told.get_data(as_text=True)) == (200, True)
    assert zahra.open("/fr/permanence/entretien").path == "/fr/permanence/entretien/fini"
    assert zahra.page.heading == "L'entretien est fini"
    assert LATE in zahra.ask("POST", late[0], data=late[1]).get_data(as_text=True)
    assert PROMISE not in zahra.page.main, "the summary is the person's"
