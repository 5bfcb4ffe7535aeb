"""What each role of the database can do, signed in as it, whatever the code above would ask."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from casework import access
from casework.agenda import Audience, Mode
from casework.database import transaction
from tests.casework.asking import BY_MAIL, BY_TEXT, Asked, ask
from tests.conftest import Database
from tests.people import NADIA
from tests.portal.receiving import receives

REFUSED = r"permission denied|must be owner|row-level security"


@pytest.fixture
def amina_asked(database: Database, now: datetime) -> Asked:
    """Amina's request, with a paper."""
    return ask(database, now, BY_TEXT, paper=b"%PDF-1.7 lettre")


@pytest.fixture
def marcel_asked(database: Database, now: datetime) -> Asked:
    """Marcel's request."""
    return ask(database, now, BY_MAIL)


def present(connection: Connection, database: Database, asked: Asked | None) -> None:
    """Open, for this transaction, what somebody's secret opens."""
    if asked:
        hashed = access.link_hash(database.access_key, asked.secret)
        connection.execute(text("SELECT set_config('allervers.secret', :hash, true)"), {"hash": hashed})


def as_portal(database: Database, asked: Asked | None, statement: str, **values: Any) -> Any:
    """What the portal's role gets for a statement: the rows, or how many it changed."""
    with database.portal.begin() as connection:
        present(connection, database, asked)
        result = connection.execute(text(statement), values)
        return result.all() if result.returns_rows else result.rowcount


def as_backoffice(database: Database, statement: str, **values: Any) -> Any:
    """The same for the back office's role."""
    with database.backoffice.begin() as connection:
        result = connection.execute(text(statement), values)
        return result.all() if result.returns_rows else result.rowcount


def refused(call: Callable[[], Any]) -> str:
    """The database's words of refusal; fails when it did not refuse."""
    with pytest.raises(DBAPIError) as caught:
        call()
    said = str(caught.value.orig).splitlines()[0]
    assert re.search(REFUSED, said), said
    return said


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM journal", "SELECT count(*) FROM journal", "SELECT 1 FROM agents", "SELECT 1 FROM agent_sessions",
        "SELECT 1 FROM absences", "SELECT 1 FROM document_contents", "SELECT 1 FROM notifications",
        "SELECT 1 FROM access_keys", "SELECT 1 FROM lost_links", "SELECT 1 FROM procrastinate_jobs",
        "SELECT urgency_reason FROM requests", "SELECT secretary_id FROM requests", "SELECT route_reason FROM requests",
        "SELECT 1 FROM incoming_texts", "DELETE FROM incoming_texts", "UPDATE incoming_texts SET state = 'dropped'",
        "INSERT INTO incoming_texts (id) VALUES (gen_random_uuid())", "SELECT 1 FROM stopped_numbers",
        "DELETE FROM stopped_numbers", "INSERT INTO stopped_numbers VALUES ('+33612345678', now())",
        "SELECT 1 FROM calls", "SELECT contact_rule FROM requests", "UPDATE requests SET contact_rule = 'usual'",
        "SELECT by_text FROM messages", "UPDATE contact_ways SET safe = false", "DELETE FROM contact_ways",
        "SELECT 1 FROM openings", "SELECT 1 FROM opening_rules", "SELECT 1 FROM closures", "SELECT 1 FROM busy_times",
        "SELECT 1 FROM calendar_feeds", "SELECT 1 FROM calendar_links",
        "UPDATE appointments SET during = tstzrange(now(), now())", "UPDATE appointments SET agent_id = 1",
        "DELETE FROM waiting_entries", "UPDATE waiting_entries SET asked_at = now()",
        "SELECT agent_id FROM messages", "SELECT referent_id FROM sector_communes", "SELECT 1 FROM sector_workers",
        "DELETE FROM requests", "DELETE FROM messages", "UPDATE messages SET body = ''", "DELETE FROM drafts",
        "UPDATE requests SET words = ''", "UPDATE requests SET state = 'received'", "TRUNCATE guesses",
        "UPDATE documents SET name = ''", "INSERT INTO agents (login, name, house_id) VALUES ('x', 'x', 'poitiers')",
        "INSERT INTO procrastinate_jobs (queue_name, task_name) VALUES ('default', 'send_notification')",
        "SET ROLE allervers_backoffice", "ALTER TABLE requests DISABLE ROW LEVEL SECURITY",
    ],
)  # fmt: skip
def test_the_portal_is_refused(database: Database, amina_asked: Asked, statement: str) -> None:
    with database.portal.connect() as connection:
        present(connection, database, amina_asked)
        with pytest.raises(DBAPIError, match=REFUSED):
            connection.execute(text(statement))


def test_without_a_secret_the_portal_sees_no_row(database: Database, amina_asked: Asked) -> None:
    for table in ("requests", "messages", "contact_ways", "documents", "drafts"):
        assert as_portal(database, None, f"SELECT count(*) FROM {table}")[0][0] == 0, table
    nobodys = Asked(uuid4(), access.new_secret())
    assert as_portal(database, nobodys, "SELECT id FROM requests") == []


def test_a_secret_opens_its_own_request_alone(
    database: Database, amina_asked: Asked, marcel_asked: Asked
) -> None:
    assert as_portal(database, amina_asked, "SELECT id FROM requests") == [(amina_asked.id,)]
    assert as_portal(database, marcel_asked, "SELECT words FROM requests") == [(BY_MAIL.words,)]
    assert as_portal(database, amina_asked, "SELECT value FROM contact_ways") == [("+33612345678",)]
    assert as_portal(database, marcel_asked, "SELECT id FROM documents") == []
    for table in ("requests", "contact_ways", "documents", "messages"):
        column = "id" if table == "requests" else "request_id"
        seen = as_portal(
            database,
            amina_asked,
            f"SELECT count(*) FROM {table} WHERE {column} = :other",
            other=marcel_asked.id,
        )
        assert seen[0][0] == 0, table


def test_the_code_opens_the_same_request(database: Database, amina_asked: Asked) -> None:
    number = as_portal(database, amina_asked, "SELECT number FROM requests")[0][0]
    code = access.code_of(database.access_key, amina_asked.secret)
    with database.portal.begin() as connection:
        hashed = access.code_hash(database.access_key, number, code)
        connection.execute(text("SELECT set_config('allervers.secret', :hash, true)"), {"hash": hashed})
        assert connection.scalar(text("SELECT id FROM requests")) == amina_asked.id


def test_the_secret_is_presented_for_one_transaction_only(database: Database, amina_asked: Asked) -> None:
    with database.portal.connect() as connection:
        with connection.begin():
            present(connection, database, amina_asked)
            assert connection.scalar(text("SELECT count(*) FROM requests")) == 1
        with connection.begin():
            assert connection.scalar(text("SELECT count(*) FROM requests")) == 0


def test_a_sent_request_changes_in_nothing_but_that_the_person_wrote(
    database: Database, amina_asked: Asked, marcel_asked: Asked, now: datetime
) -> None:
    wrote = "UPDATE requests SET citizen_wrote_at = :now"
    assert as_portal(database, amina_asked, wrote, now=now) == 1, "her own"
    with database.owner.begin() as connection:
        changed = connection.execute(text("SELECT id FROM requests WHERE citizen_wrote_at IS NOT NULL")).all()
    assert changed == [(amina_asked.id,)]
    assert as_portal(database, None, wrote, now=now) == 0


MESSAGE = (
    "INSERT INTO messages (id, request_id, submission, at, author, kind, agent_id, signature, body, language) "
    "VALUES (gen_random_uuid(), :request, gen_random_uuid(), now(), :author, 'text', :agent, '', 'x', 'fr')"
)


def test_the_portal_writes_as_the_person_and_only_there(
    database: Database, amina_asked: Asked, marcel_asked: Asked
) -> None:
    mine: dict[str, Any] = {"request": amina_asked.id, "author": "citizen", "agent": None}
    assert as_portal(database, amina_asked, MESSAGE, **mine) == 1
    for forged in ({"author": "agent"}, {"agent": NADIA.id}, {"request": marcel_asked.id}):
        refused(lambda forged=forged: as_portal(database, amina_asked, MESSAGE, **(mine | forged)))  # type: ignore[misc]


ENTRY = (
    "INSERT INTO journal (at, action, request_id, agent_id, details) "
    "VALUES (now(), 'opened', :request, :agent, '{}')"
)


def test_the_portal_writes_no_journal_for_an_agent_nor_for_another_request(
    database: Database, amina_asked: Asked, marcel_asked: Asked
) -> None:
    assert as_portal(database, amina_asked, ENTRY, request=amina_asked.id, agent=None) == 1
    refused(lambda: as_portal(database, amina_asked, ENTRY, request=amina_asked.id, agent=NADIA.id))
    refused(lambda: as_portal(database, amina_asked, ENTRY, request=marcel_asked.id, agent=None))
    refused(lambda: as_portal(database, amina_asked, ENTRY, request=None, agent=None))


KEY = "INSERT INTO access_keys (hash, request_id, kind, created_at) VALUES ('mine', :request, 'link', now())"


def test_the_portal_makes_no_key_to_a_sent_request(
    database: Database, amina_asked: Asked, marcel_asked: Asked
) -> None:
    for request_id in (amina_asked.id, marcel_asked.id):
        refused(lambda request_id=request_id: as_portal(database, amina_asked, KEY, request=request_id))  # type: ignore[misc]


def test_a_draft_is_seen_and_changed_by_its_own_secret_alone(database: Database, now: datetime) -> None:
    mine, other = ("a" * 64, "b" * 64)
    new = (
        "INSERT INTO drafts (id, secret_hash, language, answers, created_at, changed_at) "
        "VALUES (gen_random_uuid(), :hash, 'fr', '{\"words\": \"secret\"}', now(), now())"
    )
    with database.portal.begin() as connection:
        connection.execute(text("SELECT set_config('allervers.secret', :hash, true)"), {"hash": mine})
        connection.execute(text(new), {"hash": mine})
        with suppress(DBAPIError), connection.begin_nested():
            connection.execute(text(new), {"hash": other})
            raise AssertionError("a draft was made for somebody else")
        assert connection.scalar(text("SELECT count(*) FROM drafts")) == 1
        connection.execute(text("SELECT set_config('allervers.secret', :hash, true)"), {"hash": other})
        assert connection.scalar(text("SELECT count(*) FROM drafts")) == 0
        assert connection.execute(text("UPDATE drafts SET language = 'ar'")).rowcount == 0


def test_the_portal_asks_the_worker_for_known_tasks_only(database: Database) -> None:
    ask_for = "SELECT defer_work(:task, gen_random_uuid(), NULL)"
    as_portal(database, None, ask_for, task="scan_document")
    with pytest.raises(DBAPIError, match="no such task"):
        as_portal(database, None, ask_for, task="sweep")
    with pytest.raises(DBAPIError, match="permission denied"):
        as_portal(
            database, None,
            "SELECT procrastinate_defer_jobs_v1(ARRAY[ROW('default', 'sweep', 0, NULL, NULL, '{}', NULL)]"
            "::procrastinate_job_to_defer_v1[])",
        )  # fmt: skip


def test_papers_of_a_sent_request_are_not_taken_back_nor_moved(
    database: Database, amina_asked: Asked, marcel_asked: Asked
) -> None:
    assert as_portal(database, amina_asked, "DELETE FROM documents") == 0
    assert (
        as_portal(database, amina_asked, "UPDATE documents SET request_id = :other", other=marcel_asked.id)
        == 0
    )


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE journal SET details = '{}'", "DELETE FROM journal", "TRUNCATE journal", "SELECT answers FROM drafts",
        "SELECT secret_hash FROM drafts", "UPDATE drafts SET answers = '{}'", "DELETE FROM requests",
        "DELETE FROM messages", "UPDATE messages SET body = ''", "UPDATE access_keys SET request_id = :id",
        "UPDATE document_contents SET sealed = ''", "ALTER TABLE journal DISABLE ROW LEVEL SECURITY",
        "SET ROLE postgres",
    ],
)  # fmt: skip
def test_the_back_office_is_refused(database: Database, amina_asked: Asked, statement: str) -> None:
    values = {"id": amina_asked.id} if ":id" in statement else {}
    with pytest.raises(DBAPIError, match=REFUSED):
        as_backoffice(database, statement, **values)


def test_nobody_who_reads_the_database_can_open_a_request(database: Database, amina_asked: Asked) -> None:
    dumped = []
    for table in ("access_keys", "requests", "notifications", "contact_ways", "journal", "documents"):
        dumped += [str(row) for row in as_backoffice(database, f"SELECT * FROM {table}")]
    whole = "\n".join(dumped)
    assert amina_asked.secret not in whole
    assert access.code_of(database.access_key, amina_asked.secret) not in whole
    assert str(amina_asked.id) in whole
    assert isinstance(amina_asked.id, UUID)


HELD = (
    "INSERT INTO appointments (id, request_id, agent_id, house_id, kind_id, mode, during, blocked, state, "
    "held_until, extra, made_at) SELECT :id, :request, 2, 'poitiers', 'first', 'phone', half, half, :state, "
    "now() + interval '10 min', :extra, now() FROM tstzrange(:start, :start + interval '30 min') AS half"
)


def test_the_portal_holds_for_its_own_request_and_books_nothing_at_once(
    database: Database, amina_asked: Asked, marcel_asked: Asked, now: datetime
) -> None:
    mine: dict[str, Any] = {
        "id": uuid4(), "request": amina_asked.id, "state": "held", "extra": False, "start": now,
    }  # fmt: skip
    for forged in ({"request": marcel_asked.id}, {"state": "booked"}, {"state": "came"}, {"extra": True}):
        refused(lambda forged=forged: as_portal(database, amina_asked, HELD, **(mine | forged)))  # type: ignore[misc]
    assert as_portal(database, amina_asked, HELD, **mine) == 1


def test_a_strangers_secret_sees_touches_and_names_no_appointment(
    database: Database, amina_asked: Asked, marcel_asked: Asked, now: datetime
) -> None:
    made = uuid4()
    as_portal(
        database, amina_asked, HELD, id=made, request=amina_asked.id, state="held", extra=False, start=now
    )
    name = "SELECT agent_of_appointment(:id)"
    assert as_portal(database, amina_asked, name, id=made) == [(None,)], "not before it is booked"
    as_portal(database, amina_asked, "UPDATE appointments SET state = 'booked', held_until = NULL")
    assert as_portal(database, amina_asked, name, id=made) == [("Paul Petit",)]
    for stranger in (marcel_asked, None):
        assert as_portal(database, stranger, "SELECT id FROM appointments") == []
        assert as_portal(database, stranger, "UPDATE appointments SET state = 'cancelled'") == 0
        assert as_portal(database, stranger, "DELETE FROM appointments") == 0
        assert as_portal(database, stranger, name, id=made) == [(None,)]
    for state in ("came", "missed", "excused"):
        ends = f"UPDATE appointments SET state = '{state}'"
        refused(lambda ends=ends: as_portal(database, amina_asked, ends))  # type: ignore[misc]
    assert as_portal(database, amina_asked, "DELETE FROM appointments") == 0, (
        "booked: cancelled, never dropped"
    )
    assert as_portal(database, amina_asked, "UPDATE appointments SET state = 'cancelled'") == 1
    assert as_portal(database, amina_asked, "UPDATE appointments SET state = 'booked'") == 0


def test_the_portal_asks_for_the_agents_of_its_own_request_alone(
    database: Database, amina_asked: Asked
) -> None:
    assert as_portal(database, amina_asked, "SELECT agents_for_request()") == [([2, 3],)]
    assert as_portal(database, amina_asked, "SELECT agents_for_request(true)") == [([2, 3, 4],)]
    assert as_portal(database, None, "SELECT agents_for_request(true)") == [(None,)]


WAITS = (
    "INSERT INTO waiting_entries (id, request_id, kind_id, modes, hour_from, hour_to, whole_house, asked_at, state) "
    "VALUES (gen_random_uuid(), :request, 'first', '{here}', '00:00', '23:59', false, now(), :state)"
)


OFFER = (
    "INSERT INTO slot_offers (id, waiting_id, request_id, agent_id, kind_id, mode, during, offered_at, until, state) "
    "SELECT gen_random_uuid(), id, :request, 2, 'first', 'here', tstzrange(now(), now() + interval '1 hour'), now(), "
    "now() + interval '2 hours', 'offered' FROM waiting_entries"
)


def test_one_waits_for_oneself(database: Database, amina_asked: Asked, marcel_asked: Asked) -> None:
    mine: dict[str, Any] = {"request": amina_asked.id, "state": "waiting"}
    assert as_portal(database, amina_asked, WAITS, **mine) == 1
    for forged in ({"request": marcel_asked.id}, {"state": "served"}):
        refused(lambda forged=forged: as_portal(database, amina_asked, WAITS, **(mine | forged)))  # type: ignore[misc]
    assert as_portal(database, marcel_asked, "SELECT id FROM waiting_entries") == []
    assert as_portal(database, marcel_asked, "UPDATE waiting_entries SET state = 'withdrawn'") == 0
    assert as_portal(database, amina_asked, "UPDATE waiting_entries SET state = 'withdrawn'") == 1


def test_one_answers_what_is_offered_to_oneself(
    database: Database, amina_asked: Asked, marcel_asked: Asked, now: datetime
) -> None:
    """Yes or no, once; neither made up, nor moved, nor taken from somebody else."""
    as_portal(database, amina_asked, WAITS, request=amina_asked.id, state="waiting")
    refused(lambda: as_portal(database, amina_asked, OFFER, request=amina_asked.id))
    assert as_backoffice(database, OFFER, request=amina_asked.id) == 1
    assert as_portal(database, None, "SELECT 1 FROM slot_offers") == []
    assert as_portal(database, marcel_asked, "SELECT 1 FROM slot_offers") == []
    assert as_portal(database, marcel_asked, "UPDATE slot_offers SET state = 'declined'") == 0
    for change in ("until = now()", "during = tstzrange(now(), now())", "appointment_id = NULL"):
        refused(lambda change=change: as_portal(database, amina_asked, f"UPDATE slot_offers SET {change}"))  # type: ignore[misc]
    refused(lambda: as_portal(database, amina_asked, "UPDATE slot_offers SET state = 'lapsed'"))
    refused(lambda: as_portal(database, amina_asked, "DELETE FROM slot_offers"))
    refused(
        lambda: as_portal(database, amina_asked, "SELECT agents_of_request(:id, true)", id=marcel_asked.id)
    )
    assert as_portal(database, amina_asked, "UPDATE slot_offers SET state = 'accepted'") == 1
    assert as_portal(database, amina_asked, "UPDATE slot_offers SET state = 'declined'") == 0


def test_the_portal_learns_how_and_where_agents_receive_people_and_nothing_else(
    database: Database, amina_asked: Asked, now: datetime
) -> None:
    receives(database, now.date())
    receives(database, now.date(), mode=Mode.PHONE, audience=Audience.AGENTS)
    points = (
        "SELECT * FROM reception_points(agents_for_request(), 'first', '{here,phone}', '{citizens}', NULL, "
        "CAST(:start AS timestamptz), CAST(:start AS timestamptz) + interval '1 week')"
    )
    start = now.replace(hour=0)
    assert as_portal(database, amina_asked, points, start=start) == [("here", "mds-poitiers")]
    assert as_portal(database, None, points, start=start) == []


def test_failures_noted_by_the_portal_keep_no_agent_out(database: Database, now: datetime) -> None:
    """A portal in wrong hands holds the key of the hashes: it still cannot fail in an agent's place."""
    subjects = [f"agent {NADIA.login}"]
    with transaction(database.portal) as session:
        for _ in range(access.ALLOWED_FAILURES):
            access.note_failure(session, database.access_key, subjects, now)
    with transaction(database.backoffice) as session:
        access.slow_guessing(session, database.access_key, subjects, now)
    with transaction(database.portal) as session, pytest.raises(access.TooManyGuessesError):
        access.slow_guessing(session, database.access_key, subjects, now)
    with database.portal.connect() as connection, pytest.raises(DBAPIError, match=REFUSED):
        connection.execute(
            text(
                "INSERT INTO guesses (id, side, subject, at) VALUES (:id, 'allervers_backoffice', 'x', now())"
            ),
            {"id": uuid4()},
        )


RECEIVES = "SELECT receive_text(:name, '+33612345678', 'Bonjour', now())"


def test_the_portal_puts_a_text_in_once_and_reads_none_back(database: Database, amina_asked: Asked) -> None:
    assert as_portal(database, None, RECEIVES, name="abc") == [(True,)]
    assert as_portal(database, amina_asked, RECEIVES, name="abc") == [(False,)]
    assert as_backoffice(database, "SELECT sender, body, state FROM incoming_texts") == [
        ("+33612345678", "Bonjour", "new")
    ]
    refused(lambda: as_backoffice(database, RECEIVES, name="abd"))


SAFE = (
    "INSERT INTO contact_ways (id, request_id, channel, value, safe) "
    "VALUES (gen_random_uuid(), :request, 'sms', '+33687654321', :safe)"
)


def test_the_safe_contact_of_a_person_at_risk_is_nothing_to_the_portal(
    database: Database, amina_asked: Asked
) -> None:
    assert as_backoffice(database, SAFE, request=amina_asked.id, safe=True) == 1
    assert as_portal(database, amina_asked, "SELECT value FROM contact_ways") == [("+33612345678",)]
    refused(lambda: as_portal(database, amina_asked, SAFE, request=amina_asked.id, safe=True))
    assert as_backoffice(database, "DELETE FROM contact_ways") == 1, "what the person gave stays"
    assert as_backoffice(database, "SELECT value FROM contact_ways") == [("+33612345678",)]
