"""Several rows in one statement: all of them, as the ORM would have written them, or none."""

from __future__ import annotations

from datetime import datetime
from uuid import uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from casework import journal
from casework.access import AccessKey, KeyKind
from casework.database import put
from casework.notifications import Delivery, Notification, Template
from casework.people import ContactWay
from casework.vocabulary import Channel
from tests.casework.asking import ask
from tests.conftest import Database
from tests.people import MOREAU_EMAIL


def test_rows_of_several_tables_read_back_as_they_were_given(database: Database, now: datetime) -> None:
    amina = ask(database, now)
    told = Notification(
        id=uuid4(), request_id=amina.id, template=Template.LINK, channel=Channel.EMAIL, recipient=MOREAU_EMAIL,
        language="ar", sealed_secret=b"\x00\xffage", created_at=now, next_attempt_at=now, attempts=2,
    )  # fmt: skip
    line = journal.entry(journal.Action.WROTE, now, amina.id, said='“\\" تحية', times=[1, None])
    ways = [
        ContactWay(request_id=amina.id, channel=Channel.CALL, value=f"+3354900000{turn}") for turn in range(2)
    ]
    with Session(database.owner) as session, session.begin():
        put(session, told, *ways, line)
    with Session(database.owner) as session:
        kept = session.get_one(Notification, told.id)
        assert (kept.sealed_secret, kept.channel, kept.attempts) == (b"\x00\xffage", Channel.EMAIL, 2)
        assert (kept.state, kept.error, kept.sent_at, kept.created_at) == (Delivery.PENDING, "", None, now)
        calls = session.scalars(select(ContactWay).where(ContactWay.channel == Channel.CALL)).all()
        assert {way.value for way in calls} == {way.value for way in ways}
        entry = session.scalars(
            select(journal.Entry).where(journal.Entry.action == journal.Action.WROTE)
        ).one()
        assert entry.details == {"said": '“\\" تحية', "times": [1, None]}


def test_one_wrong_row_keeps_all_of_them_out(database: Database, now: datetime) -> None:
    amina = ask(database, now)
    way = ContactWay(request_id=amina.id, channel=Channel.VISIT, value="")
    nobody = AccessKey(hash="h", request_id=uuid4(), kind=KeyKind.LINK, created_at=now)
    with Session(database.owner) as session:
        with pytest.raises(IntegrityError):
            put(session, way, nobody)
        session.rollback()
        assert session.scalars(select(ContactWay).where(ContactWay.channel == Channel.VISIT)).all() == []
