"""An agent's own calendar on a real CalDAV server: busy hours come in, appointments go out."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import Range

from casework import appointments, caldav, calendar_links, counter, slots, worker
from casework.agenda import BusyTime
from casework.agents import Agent
from casework.appointments import Appointment
from casework.caldav import Collection, LoginError, Trouble
from casework.calendar_links import CalendarLink
from casework.database import transaction
from casework.requests import PARIS, Request
from casework.settings import Settings, SettingsError
from tests.caldav_server import CalendarServer, calendar_server
from tests.casework.asking import ask, worker_settings
from tests.conftest import Database
from tests.local_servers import free_port
from tests.people import LOUISE, NADIA, PAUL, SARAH, Character
from tests.portal.receiving import receives

TUESDAY = date(2026, 11, 10)
FOUR_YEARS_OF_MINUTES = "RRULE:FREQ=MINUTELY"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def radicale(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CalendarServer]:
    """One calendar server for all these tests; each story has its own calendar in it."""
    with calendar_server(tmp_path_factory.mktemp("radicale")) as server:
        yield server


class Pauls:
    """Paul's calendar, the worker that visits it, and his agenda here."""

    def __init__(self, database: Database, server: CalendarServer, now: datetime) -> None:
        self.database, self.server, self.now = database, server, now
        self.login = "paul.petit"
        self.settings = worker_settings(database, caldav_url=server.url)
        server.clear(self.login)

    def link(self, who: Character = PAUL, password: str = CalendarServer.password, login: str = "") -> None:
        """As on his page."""
        with transaction(self.database.backoffice) as session:
            agent = session.get_one(Agent, who.id)
            calendar_links.link(
                session, agent, login or self.login, password, self.database.public_key, self.now
            )

    def unlink(self) -> None:
        """As on his page."""
        with transaction(self.database.backoffice) as session:
            calendar_links.unlink(session, session.get_one(Agent, PAUL.id), self.now)

    def sync(self, settings: Settings | None = None, *, minutes: float = 5) -> int:
        """Let the worker do its round, and let some minutes pass."""
        visited = calendar_links.sync_due(self.database.backoffice, settings or self.settings, self.now)
        self.now += timedelta(minutes=minutes)
        return visited

    def writes(self, *lines: str, name: str = "") -> str:
        """Paul notes something in his own calendar."""
        name = name or uuid4().hex
        self.server.write(self.login, name, "SUMMARY:Chez le médecin", "LOCATION:Angoulême", *lines)
        return name

    def busy(self, who: Character = PAUL) -> list[tuple[datetime, datetime]]:
        """When he is busy elsewhere, in Paris."""
        with transaction(self.database.owner) as session:
            found = session.scalars(select(BusyTime).where(BusyTime.agent_id == who.id))
            spans = [one.during for one in found]
        return sorted((paris(span.lower), paris(span.upper)) for span in spans)

    def row(self, who: Character = PAUL) -> CalendarLink | None:
        """The link as it stands."""
        with transaction(self.database.owner) as session:
            return session.get(CalendarLink, who.id)

    @property
    def error(self) -> Trouble | None:
        """What his page says went wrong."""
        row = self.row()
        assert row
        return row.error

    def books(self, day: date = TUESDAY, hour: int = 9, who: Character = PAUL) -> Appointment:
        """Nadia books Marcel with somebody who receives then."""
        with transaction(self.database.owner) as session:
            if session.scalar(select(Request.id).limit(1)) is None:
                ask(self.database, self.now)
        receives(self.database, day, time(hour), time(hour, 30), who=who)
        asked = ask(self.database, self.now)
        with transaction(self.database.backoffice) as session:
            (slot,) = slots.find(session, counter.wanted([who.id], "first"), self.now, self.now)
            request = session.get_one(Request, asked.id)
            return counter.book(session, session.get_one(Agent, NADIA.id), request, slot, self.now)

    def changes(self, appointment: Appointment, change: Callable[[Any, Agent, Appointment], None]) -> None:
        """Somebody of the house does something with an appointment."""
        with transaction(self.database.backoffice) as session:
            change(session, session.get_one(Agent, NADIA.id), session.get_one(Appointment, appointment.id))

    def calendar(self) -> list[tuple[str, datetime, str]]:
        """Our entries in his calendar: title, beginning in Paris, place."""
        found = self.server.events(self.login)
        ours = [event for name, event in found.items() if name.startswith("allervers-")]
        return sorted((str(e["SUMMARY"]), paris(e.start), str(e.get("LOCATION", ""))) for e in ours)


def paris(moment: date | None) -> datetime:
    """The same moment, as clocks in Paris show it, without its place: for comparing."""
    assert isinstance(moment, datetime)
    return moment.astimezone(PARIS).replace(tzinfo=None)


def on(day: date, hour: int, minute: int = 0) -> datetime:
    """An hour of a clock in Paris."""
    return datetime.combine(day, time(hour, minute))


@pytest.fixture
def pauls(database: Database, radicale: CalendarServer, now: datetime) -> Pauls:
    """Paul has an empty calendar on the server; nothing is linked yet."""
    return Pauls(database, radicale, now)


# --- what comes in --------------------------------------------------------------------------------------


def test_a_busy_hour_comes_in_and_nothing_of_what_fills_it(pauls: Pauls, database: Database) -> None:
    pauls.writes("DTSTART;TZID=Europe/Paris:20261110T140000", "DTEND;TZID=Europe/Paris:20261110T153000")
    pauls.link()
    pauls.sync()
    assert pauls.busy() == [(on(TUESDAY, 14), on(TUESDAY, 15, 30))]
    assert pauls.error is None
    with database.owner.connect() as connection:
        (row,) = connection.execute(text("SELECT * FROM busy_times")).mappings().all()
    assert row["source"].startswith("caldav:")
    assert "médecin" not in str(dict(row))


def test_a_busy_hour_is_not_offered(pauls: Pauls, database: Database) -> None:
    receives(database, TUESDAY, time(9), time(11))
    pauls.writes("DTSTART:20261110T083000Z", "DTEND:20261110T090000Z")
    pauls.link()
    pauls.sync()
    with transaction(database.backoffice) as session:
        free = slots.find(session, counter.wanted([PAUL.id], "first"), pauls.now, pauls.now, most=10)
    assert [paris(slot.start) for slot in free] == [on(TUESDAY, 9), on(TUESDAY, 10), on(TUESDAY, 10, 30)]


def test_an_event_that_comes_again_is_busy_each_time(pauls: Pauls) -> None:
    """Each Monday at nine, but not on the 16th; on the 23rd at eleven instead."""
    again = "\r\n".join([
        "BEGIN:VEVENT", "UID:team", "DTSTAMP:20261101T000000Z", "SUMMARY:Équipe",
        "DTSTART;TZID=Europe/Paris:20260907T090000", "DURATION:PT1H", "RRULE:FREQ=WEEKLY;UNTIL=20261207T235959Z",
        "EXDATE;TZID=Europe/Paris:20261116T090000", "END:VEVENT",
        "BEGIN:VEVENT", "UID:team", "DTSTAMP:20261101T000000Z", "RECURRENCE-ID;TZID=Europe/Paris:20261123T090000",
        "DTSTART;TZID=Europe/Paris:20261123T110000", "DURATION:PT30M", "END:VEVENT",
    ])  # fmt: skip
    pauls.server.write_file(pauls.login, "team", again)
    pauls.link()
    pauls.sync()
    assert [start for start, _ in pauls.busy()] == [
        on(date(2026, 11, 9), 9), on(date(2026, 11, 23), 11), on(date(2026, 11, 30), 9), on(date(2026, 12, 7), 9),
    ]  # fmt: skip


def test_a_meeting_at_ten_stays_at_ten_when_the_clocks_change(pauls: Pauls) -> None:
    pauls.writes(
        "DTSTART;TZID=Europe/Paris:20270315T100000", "DTEND;TZID=Europe/Paris:20270315T110000",
        "RRULE:FREQ=WEEKLY;COUNT=4",
    )  # fmt: skip
    pauls.link()
    pauls.sync()
    hours = [(start.date(), start.hour, end.hour) for start, end in pauls.busy()]
    assert hours == [(date(2027, 3, day), 10, 11) for day in (15, 22, 29)] + [(date(2027, 4, 5), 10, 11)]


def test_an_hour_without_a_place_is_one_of_paris_and_one_of_tokyo_is_not(pauls: Pauls) -> None:
    pauls.writes("DTSTART:20261110T140000", "DTEND:20261110T150000")
    pauls.writes("DTSTART;TZID=Asia/Tokyo:20261110T200000", "DTEND;TZID=Asia/Tokyo:20261110T210000")
    pauls.link()
    pauls.sync()
    assert pauls.busy() == [(on(TUESDAY, 12), on(TUESDAY, 13)), (on(TUESDAY, 14), on(TUESDAY, 15))]


def test_days_are_whole_days_of_paris_on_the_night_of_the_clock_change_too(pauls: Pauls) -> None:
    pauls.writes("DTSTART;VALUE=DATE:20261112", "DTEND;VALUE=DATE:20261114")
    pauls.writes("DTSTART;VALUE=DATE:20270328")
    pauls.link()
    pauls.sync()
    assert pauls.busy() == [
        (on(date(2026, 11, 12), 0), on(date(2026, 11, 14), 0)),
        (on(date(2027, 3, 28), 0), on(date(2027, 3, 29), 0)),
    ]
    with transaction(pauls.database.owner) as session:
        lengths = sorted(one.during.upper - one.during.lower for one in session.scalars(select(BusyTime)))  # type: ignore[operator]
    assert lengths == [timedelta(hours=23), timedelta(hours=48)]


def test_what_leaves_one_free_is_not_busy(pauls: Pauls) -> None:
    when = ("DTSTART:20261110T140000Z", "DTEND:20261110T150000Z")
    pauls.writes(*when, "TRANSP:TRANSPARENT")
    pauls.writes(*when, "STATUS:CANCELLED")
    pauls.writes("DTSTART:20261110T140000Z")  # a reminder: it lasts no time
    pauls.writes("DTSTART:20251110T140000Z", "DTEND:20251110T150000Z")  # last year
    pauls.link()
    pauls.sync()
    assert pauls.busy() == []


def test_moved_and_deleted_events_move_and_free_the_hours(pauls: Pauls) -> None:
    one = pauls.writes("DTSTART:20261110T140000Z", "DTEND:20261110T150000Z")
    other = pauls.writes("DTSTART:20261110T160000Z", "DTEND:20261110T170000Z")
    pauls.link()
    pauls.sync()
    assert len(pauls.busy()) == 2
    pauls.writes("DTSTART:20261110T100000Z", "DTEND:20261110T110000Z", name=one)
    pauls.server.erase(pauls.login, other)
    pauls.sync(minutes=0)
    assert pauls.busy() == [(on(TUESDAY, 11), on(TUESDAY, 12))]


def test_hours_of_other_origins_are_never_touched(pauls: Pauls, database: Database) -> None:
    with transaction(database.owner) as session:
        session.add(
            BusyTime(
                agent_id=PAUL.id,
                source="session:1",
                during=Range(datetime(2026, 11, 10, 8, tzinfo=UTC), datetime(2026, 11, 10, 9, tzinfo=UTC)),
            )
        )
    pauls.link()
    pauls.sync()
    pauls.unlink()
    pauls.sync()
    assert pauls.busy() == [(on(TUESDAY, 9), on(TUESDAY, 10))]


def test_one_file_nobody_can_read_does_not_keep_the_others(pauls: Pauls, radicale: CalendarServer) -> None:
    """Radicale refuses such a file: it is put behind its back, as another program would have left it."""
    good = pauls.writes("DTSTART:20261110T140000Z", "DTEND:20261110T150000Z")
    radicale.spoil(
        pauls.login, good, "worse", lambda text: text.replace("DTSTART:20261110T140000Z", "DTSTART:demain")
    )
    pauls.writes("DTSTART:20261111T140000Z", "DTEND:20261111T141000Z", FOUR_YEARS_OF_MINUTES)
    pauls.link()
    pauls.sync()
    assert pauls.busy() == [(on(TUESDAY, 15), on(TUESDAY, 16))]
    assert pauls.error is Trouble.UNREADABLE


# --- what goes out --------------------------------------------------------------------------------------


def test_an_appointment_goes_out_with_initials_only(pauls: Pauls) -> None:
    booked = pauls.books()
    pauls.link()
    pauls.sync()
    assert pauls.calendar() == [("Rendez-vous M. M.", on(TUESDAY, 9), "Maison de Poitiers")]
    event = pauls.server.events(pauls.login)[f"allervers-{booked.id}"]
    assert str(event["UID"]) == f"allervers-{booked.id}@aide.example.org"
    assert "Moreau" not in event.to_ical().decode()
    assert pauls.busy() == [], "our own entry is not somewhere else"
    pauls.sync()
    assert pauls.busy() == []


def test_what_says_the_same_is_not_written_again(pauls: Pauls) -> None:
    booked = pauls.books()
    pauls.link()
    pauls.sync()
    before = pauls.server.tag(pauls.login, f"allervers-{booked.id}")
    pauls.sync()
    assert pauls.server.tag(pauls.login, f"allervers-{booked.id}") == before


def test_moved_it_moves_and_cancelled_it_goes(pauls: Pauls) -> None:
    booked, other = pauls.books(), pauls.books(hour=14)
    pauls.link()
    pauls.sync()
    receives(pauls.database, date(2026, 11, 12), time(10), time(10, 30))

    def moves(session: Any, nadia: Agent, former: Appointment) -> None:
        (slot,) = slots.find(session, counter.wanted([PAUL.id], "first"), pauls.now, pauls.now)
        counter.move(session, nadia, former, slot, pauls.now)

    pauls.changes(booked, moves)
    pauls.changes(other, lambda session, nadia, one: counter.cancel(session, nadia, one, pauls.now))
    pauls.sync()
    assert pauls.calendar() == [("Rendez-vous M. M.", on(date(2026, 11, 12), 10), "Maison de Poitiers")]
    assert list(pauls.server.events(pauls.login)) == [f"allervers-{booked.id}"], "the same entry"


def test_what_is_changed_or_deleted_by_hand_comes_back(pauls: Pauls) -> None:
    booked, other = pauls.books(), pauls.books(hour=14)
    pauls.link()
    pauls.sync()
    before = pauls.calendar()
    pauls.server.erase(pauls.login, f"allervers-{booked.id}")
    pauls.server.write(
        pauls.login, f"allervers-{other.id}", f"UID:allervers-{other.id}@aide.example.org",
        "DTSTART:20261110T170000Z", "DTEND:20261110T173000Z", "SUMMARY:Plus tard",
    )  # fmt: skip
    assert pauls.calendar() != before
    pauls.sync()
    assert pauls.calendar() == before


def test_an_appointment_that_was_held_stays_in_the_calendar(pauls: Pauls) -> None:
    booked = pauls.books()
    pauls.link()
    pauls.sync()
    pauls.now = datetime.combine(TUESDAY, time(11), PARIS)
    pauls.changes(
        booked,
        lambda session, nadia, one: counter.end(session, nadia, one, appointments.Standing.CAME, pauls.now),
    )
    pauls.sync()
    assert len(pauls.calendar()) == 1


def test_a_visit_cut_short_is_made_good_by_the_next(pauls: Pauls, monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker dies after the first of three entries, before it could note anything."""
    for hour in (9, 11, 14):
        pauls.books(hour=hour)
    pauls.link()
    put = Collection.put

    def put_and_die(self: Collection, name: str, content: bytes) -> None:
        put(self, name, content)
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(Collection, "put", put_and_die)
        with pytest.raises(KeyboardInterrupt):
            pauls.sync()
    assert len(pauls.calendar()) == 1
    assert pauls.sync() == 1
    assert len(pauls.calendar()) == 3
    assert pauls.error is None


def test_a_busy_hour_over_an_appointment_cancels_nothing(pauls: Pauls) -> None:
    pauls.books()
    pauls.writes("DTSTART:20261110T080000Z", "DTEND:20261110T090000Z")
    pauls.link()
    pauls.sync()
    assert (len(pauls.busy()), len(pauls.calendar())) == (1, 1)
    with transaction(pauls.database.owner) as session:
        assert session.scalars(select(Appointment.state)).all() == [appointments.Standing.BOOKED]


def test_unlinked_our_entries_go_and_theirs_stay(pauls: Pauls) -> None:
    pauls.books()
    pauls.writes("DTSTART:20261110T140000Z", "DTEND:20261110T150000Z", name="dentist")
    pauls.link()
    pauls.sync()
    pauls.unlink()
    assert pauls.busy() == [], "at once"
    pauls.sync()
    assert list(pauls.server.events(pauls.login)) == ["dentist"]
    assert pauls.row() is None


# --- what may go wrong ----------------------------------------------------------------------------------


def test_a_wrong_password_is_tried_once_and_keeps_nobody_else(pauls: Pauls) -> None:
    """Trying it every five minutes would lock the agent out of their own account."""
    pauls.server.clear("sarah.blanc")
    pauls.server.write("sarah.blanc", "a", "DTSTART:20261110T140000Z", "DTEND:20261110T150000Z")
    pauls.link(password="faux")
    pauls.link(SARAH, login="sarah.blanc")
    assert pauls.sync() == 2
    assert pauls.error is Trouble.PASSWORD
    assert len(pauls.busy(SARAH)) == 1
    pauls.now += timedelta(days=1)
    assert pauls.sync() == 1, "Sarah's alone"
    pauls.link()
    pauls.sync()
    assert pauls.error is None


def test_a_calendar_that_is_not_there_is_said(pauls: Pauls) -> None:
    pauls.link(LOUISE, login="louise")
    pauls.sync()
    row = pauls.row(LOUISE)
    assert row
    assert row.error is Trouble.MISSING


def test_a_server_that_is_down_keeps_what_was_known_and_is_asked_less_and_less(pauls: Pauls) -> None:
    pauls.writes("DTSTART:20261110T140000Z", "DTEND:20261110T150000Z")
    pauls.link()
    pauls.sync()
    away = worker_settings(pauls.database, caldav_url=f"http://127.0.0.1:{free_port()}/{{login}}/agenda/")
    tries = sum(pauls.sync(away, minutes=5) for _ in range(24))
    assert (pauls.error, tries) == (Trouble.SILENT, 5), "after 5, 5, 10, 20 and 40 minutes"
    assert len(pauls.busy()) == 1
    pauls.now += timedelta(hours=4)
    pauls.sync()
    assert pauls.error is None
    row = pauls.row()
    assert row
    assert row.failures == 0


@contextmanager
def silent_server() -> Iterator[int]:
    """A server that takes calls and says nothing; gives its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@contextmanager
def dripping_server() -> Iterator[int]:
    """A server whose answer never ends, one letter at a time; gives its port."""
    done = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def drip() -> None:
            listener.settimeout(0.05)
            while not done.is_set():
                try:
                    caller, _ = listener.accept()
                except TimeoutError:
                    continue
                with caller:
                    caller.sendall(b"HTTP/1.1 207 Multi-Status\r\nContent-Length: 99999\r\n\r\n")
                    while not done.wait(0.02):
                        try:
                            caller.sendall(b"<")
                        except OSError:
                            break

        thread = threading.Thread(target=drip)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            done.set()
            thread.join()


@pytest.mark.parametrize("listening", [silent_server, dripping_server])
def test_a_slow_server_is_left_and_no_row_is_locked_meanwhile(
    pauls: Pauls, monkeypatch: pytest.MonkeyPatch, listening: Callable[[], Any]
) -> None:
    monkeypatch.setattr(caldav, "STEP_SECONDS", httpx.Timeout(0.4))
    monkeypatch.setattr(caldav, "VISIT_SECONDS", 0.4)
    pauls.link()
    with listening() as port:
        slow = worker_settings(pauls.database, caldav_url=f"http://127.0.0.1:{port}/{{login}}/agenda/")
        visiting = threading.Thread(target=pauls.sync, args=(slow,))
        visiting.start()
        with transaction(pauls.database.backoffice) as session:
            session.execute(text("SET LOCAL lock_timeout = '100ms'"))
            session.execute(text("SELECT FROM calendar_links FOR UPDATE"))
        visiting.join(10)
        assert not visiting.is_alive()
    assert pauls.error is Trouble.SILENT


def test_a_redirect_is_not_followed_with_the_password(pauls: Pauls) -> None:
    """Without its final folder Radicale leads to its own page."""
    elsewhere = worker_settings(pauls.database, caldav_url=pauls.server.url.replace("/agenda/", "/.web/"))
    pauls.link()
    pauls.sync(elsewhere)
    assert pauls.error in {Trouble.MISSING, Trouble.PASSWORD}


def test_unlinking_from_a_server_that_is_gone_ends_all_the_same(pauls: Pauls) -> None:
    pauls.link()
    pauls.sync()
    pauls.unlink()
    away = worker_settings(pauls.database, caldav_url=f"http://127.0.0.1:{free_port()}/{{login}}/agenda/")
    for _ in range(3):
        assert pauls.row()
        pauls.sync(away, minutes=10)
    assert pauls.row() is None


def test_unlinked_while_it_is_visited_it_comes_back_for_our_entries(
    pauls: Pauls, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauls.books()
    pauls.writes("DTSTART:20261110T140000Z", "DTEND:20261110T150000Z", name="dentist")
    pauls.link()
    put = Collection.put

    def put_while_paul_unlinks(self: Collection, name: str, content: bytes) -> None:
        put(self, name, content)
        pauls.unlink()

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(Collection, "put", put_while_paul_unlinks)
        pauls.sync()
    assert pauls.busy() == []
    pauls.sync()
    assert (pauls.row(), list(pauls.server.events(pauls.login))) == (None, ["dentist"])


def test_no_log_holds_the_password_nor_an_event(pauls: Pauls, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    pauls.writes("DTSTART:20261110T140000Z", "DTEND:20261110T150000Z")
    pauls.books()
    pauls.link()
    pauls.sync()
    pauls.link(password="un secret faux")
    pauls.sync()
    assert [
        word for word in ("un secret faux", pauls.server.password, "médecin", "Moreau") if word in caplog.text
    ] == []


@pytest.mark.parametrize(
    "url",
    [
        "http://calendriers.example.org/{login}/", "https://{login}.example.org/", "https://calendriers.example.org/",
        "ftp://calendriers.example.org/{login}/", "calendriers",
    ],
)  # fmt: skip
def test_an_address_that_would_betray_passwords_is_refused_at_the_start(database: Database, url: str) -> None:
    with pytest.raises(SettingsError, match="CALDAV_URL"):
        worker.check(worker_settings(database, caldav_url=url))


def test_a_login_is_one_folder() -> None:
    url = "https://calendriers.example.org/{login}/agenda"
    assert caldav.address_of(url, "paul@x.fr") == "https://calendriers.example.org/paul@x.fr/agenda/"
    assert caldav.address_of(url, "Élise B") == "https://calendriers.example.org/%C3%89lise%20B/agenda/"
    for login in ("", "..", "../x", "a/b", "a?b", "a#b", "a%2fb", "a\nb"):
        with pytest.raises(LoginError):
            caldav.address_of(url, login)


def test_the_worker_visits_by_itself(pauls: Pauls, now: datetime) -> None:
    pauls.now = datetime.now(UTC)
    day = (pauls.now + timedelta(days=3)).strftime("%Y%m%d")
    pauls.writes(f"DTSTART:{day}T140000Z", f"DTEND:{day}T150000Z")
    pauls.link()
    worker.drain(pauls.settings)
    assert len(pauls.busy()) == 1


def test_two_workers_make_one_round(pauls: Pauls, database: Database) -> None:
    pauls.link()
    with transaction(database.owner) as session:
        session.execute(text("SELECT pg_advisory_xact_lock(hashtext('calendars: a round'))"))
        assert pauls.sync(minutes=0) == 0
    assert pauls.sync() == 1
