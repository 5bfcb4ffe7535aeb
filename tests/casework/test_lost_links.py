"""A lost link is sent again to the contact already known, and a stranger learns nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, update

from casework import access, worker
from casework.database import present, transaction
from casework.notifications import LostLink, Template, lose_link
from casework.requests import Request
from casework.vocabulary import Channel, ContactRule, Outcome, State
from tests.casework.asking import BY_MAIL, BY_TEXT, ask, journal_of, notifications_of, worker_settings
from tests.conftest import Database
from tests.local_servers import TextProvider
from tests.people import AMINA_PHONE, MOREAU_EMAIL

pytestmark = pytest.mark.long


def lose(database: Database, contact: str, now: datetime, language: str = "fr") -> None:
    """Somebody says on the portal that they lost their link; the worker has its turn."""
    with transaction(database.portal) as session:
        lose_link(session, contact, language, now)
    worker.drain(worker_settings(database), lambda: now)


def links_of(database: Database, request_id: UUID) -> list[tuple[Channel, str, str]]:
    """(channel, recipient, language) of the links sent again for a request."""
    return [
        (one.channel, one.recipient, one.language)
        for one in notifications_of(database, request_id)
        if one.template is Template.LINK
    ]


def test_amina_gets_a_fresh_link_that_opens_her_request(database: Database, now: datetime) -> None:
    amina = ask(database, now, BY_TEXT, "ar")
    with TextProvider() as provider:
        with transaction(database.portal) as session:
            lose_link(session, AMINA_PHONE, "ar", now)
        worker.drain(worker_settings(database, sms_url=provider.url, sms_token=provider.token), lambda: now)
        secrets = {told["text"].rsplit("/", 1)[1] for told in provider.to(AMINA_PHONE, 2)}
    (fresh,) = secrets - {amina.secret}
    with transaction(database.portal) as session:
        present(session, access.link_hash(database.access_key, fresh))
        assert access.opened_request(session) == amina.id
    written = journal_of(database, amina.id)
    assert ("link_renewed", {"channel": "sms"}) in written
    assert ("notified", {"channel": "sms", "template": "link"}) in written


def test_a_stranger_learns_nothing_and_is_forgotten(database: Database, now: datetime) -> None:
    moreau = ask(database, now)
    lose(database, "stranger@example.org", now)
    assert links_of(database, moreau.id) == []
    with transaction(database.backoffice) as session:
        lost = session.scalars(select(LostLink)).one()
        assert (lost.contact, lost.done_at) == ("", now)


def test_only_the_contact_that_asked_is_written_to(database: Database, now: datetime) -> None:
    both = replace(BY_MAIL, channels=[Channel.EMAIL, Channel.SMS], sms_number=AMINA_PHONE)
    moreau = ask(database, now, both)
    lose(database, MOREAU_EMAIL, now, "en")
    assert links_of(database, moreau.id) == [(Channel.EMAIL, MOREAU_EMAIL, "en")]


@pytest.mark.parametrize(
    ("number", "channel"),
    [("+33612345678", Channel.SMS), ("+33549000123", Channel.CALL)],
    ids=["mobile", "fixed"],
)
def test_a_number_given_for_calls_counts(
    database: Database, now: datetime, number: str, channel: Channel
) -> None:
    caller = ask(database, now, replace(BY_MAIL, channels=[Channel.CALL], call_number=number))
    lose(database, number, now)
    assert links_of(database, caller.id) == [(channel, number, "fr")]


def test_the_three_newest_requests_at_most(database: Database, now: datetime) -> None:
    asked = [ask(database, now + timedelta(hours=hour)) for hour in range(4)]
    lose(database, MOREAU_EMAIL, now + timedelta(hours=5))
    assert [len(links_of(database, one.id)) for one in asked] == [0, 1, 1, 1]


def test_a_request_long_closed_is_not_opened_again(database: Database, now: datetime) -> None:
    long_ago, lately = ask(database, now - timedelta(days=200)), ask(database, now - timedelta(days=199))
    for asked, days in ((long_ago, 61), (lately, 59)):
        with transaction(database.owner) as session:
            session.execute(
                update(Request)
                .where(Request.id == asked.id)
                .values(state=State.CLOSED, outcome=Outcome.ANSWERED, closed_at=now - timedelta(days=days))
            )
    lose(database, MOREAU_EMAIL, now)
    assert [len(links_of(database, one.id)) for one in (long_ago, lately)] == [0, 1]


def test_three_renewals_a_day_and_no_more(database: Database, now: datetime) -> None:
    moreau = ask(database, now)
    for minutes in range(5):
        lose(database, MOREAU_EMAIL, now + timedelta(minutes=minutes))
    assert len(links_of(database, moreau.id)) == 3
    lose(database, MOREAU_EMAIL, now + timedelta(days=1, minutes=3))
    assert len(links_of(database, moreau.id)) == 4


def test_for_somebody_at_risk_no_link_leaves_and_none_is_said_to_have_left(
    database: Database, now: datetime
) -> None:
    moreau = ask(database, now)
    with transaction(database.owner) as session:
        session.execute(update(Request).values(contact_rule=ContactRule.NONE))
    with transaction(database.portal) as session:
        lose_link(session, MOREAU_EMAIL, "fr", now)
    worker.drain(worker_settings(database), lambda: now)
    assert "link_renewed" not in [action for action, _ in journal_of(database, moreau.id)]
