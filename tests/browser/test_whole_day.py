"""Some days of the house from both sides of the counter, in order: Mr Moreau's hour becomes Fatima's.

The two faces are served here, on a clock that the story moves; the worker wakes up when it says. Browser, mail server,
text message provider and calendar server are real ones.
"""

from __future__ import annotations

import logging
import os
import re
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path

import httpx
import pytest
from flask import Flask
from icalendar import Event
from playwright.sync_api import Page, expect
from sqlalchemy import text, update
from werkzeug.serving import make_server

from backoffice.app import create as create_backoffice
from casework import calendar_links, worker
from casework.agents import Agent
from casework.appointments import Standing
from casework.database import transaction
from casework.embedded import EmbeddedServer
from casework.passwords import hash_password
from casework.requests import PARIS
from casework.settings import ROOT, Settings
from casework.vocabulary import Channel
from portal.app import create as create_portal
from tests import people
from tests.browser.conftest import PHONE, Opens
from tests.browser.walking import tap
from tests.caldav_server import CalendarServer, calendar_server
from tests.casework.asking import BY_MAIL, BY_TEXT, Asked, ask
from tests.clock import Clock
from tests.conftest import Database, new_database
from tests.local_servers import MailServer, TextProvider
from tests.people import MOREAU_EMAIL, NADIA, PASSWORD, PAUL, Character
from tests.portal.receiving import appointments_of, receives

pytestmark = [pytest.mark.browser, pytest.mark.slow]

MONDAY = datetime(2026, 11, 2, 9, tzinfo=PARIS)
THE_DAY = date(2026, 11, 10)
MOREAU_PHONE, FATIMA_PHONE = "+33639980001", "+33639980077"


@dataclass
class House:
    """The house on its own clock."""

    portal: str
    backoffice: str
    mail: MailServer
    texts: TextProvider
    calendars: CalendarServer
    database: Database
    settings: Settings
    clock: Clock

    def wakes_up(self, moment: datetime) -> None:
        """The worker sees to everything that is due by then."""
        self.clock.now = moment
        worker.drain(self.settings, self.clock)
        calendar_links.sync_due(self.database.backoffice, self.settings, self.clock.now)

    def link(self, asked: Asked, language: str) -> str:
        """What somebody's own link reads."""
        return f"{self.portal}/{language}/s/{asked.secret}"


@pytest.fixture
def house(server: EmbeddedServer, tmp_path: Path) -> Iterator[House]:
    """Portal and back office in this process; mail, texts and calendars beside.

    A database of its own: the worker of the other browser tests must not see to what this story asks for.
    """
    clock = Clock(MONDAY)
    with ExitStack() as stack:
        database = stack.enter_context(new_database(server, f"whole_day_{os.getpid()}"))
        with database.owner.begin() as connection:
            people.settle(connection)
        mail = stack.enter_context(MailServer())
        texts = stack.enter_context(TextProvider())
        calendars = stack.enter_context(calendar_server(tmp_path / "radicale"))
        calendars.clear(PAUL.login)
        settings = Settings(
            var=tmp_path,
            territory=ROOT / "territory" / "vienne",
            database_url=database.urls[1],
            secret_key="a secret of both faces",
            access_key=database.access_key,
            documents_public_key=database.public_key,
            sms_webhook_key=texts.key,
        )
        portal = _serve(stack, create_portal(settings, clock))
        inside = replace(
            settings,
            database_url=database.urls[2],
            documents_private_key=database.private_key,
            portal_address=portal,
            smtp_url=mail.url,
            mail_from="ne-pas-repondre@example.org",
            sms_url=texts.url,
            sms_token=texts.token,
            caldav_url=calendars.url,
        )
        backoffice = _serve(stack, create_backoffice(inside, clock))
        with transaction(database.owner) as session:
            session.execute(update(Agent).values(password_hash=hash_password(PASSWORD)))
        yield House(portal, backoffice, mail, texts, calendars, database, inside, clock)


def _serve(stack: ExitStack, app: Flask) -> str:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, name=app.name)
    thread.start()
    stack.callback(thread.join)
    stack.callback(server.shutdown)
    return f"http://127.0.0.1:{server.port}"


def test_mr_moreaus_hour_becomes_fatimas(house: House, opens: Opens) -> None:
    receives(house.database, THE_DAY, time(9), time(10))
    moreau = ask(
        house.database,
        MONDAY - timedelta(days=3),
        replace(BY_MAIL, channels=[Channel.EMAIL, Channel.SMS], sms_number=MOREAU_PHONE),
    )
    fatima = ask(
        house.database,
        MONDAY - timedelta(days=2),
        replace(BY_TEXT, name="Fatima", sms_number=FATIMA_PHONE),
        "ar",
    )
    somebody = ask(house.database, MONDAY - timedelta(days=1), BY_TEXT)

    paul = _signs_in(opens, house, PAUL)
    links_his_calendar(paul, house)

    his = opens()
    books_at_twice_the_size(his, house, moreau)
    house.wakes_up(MONDAY + timedelta(minutes=5))
    assert "9:00" in str(house.mail.to(MOREAU_EMAIL, count=2)[-1].get_content())  # after the receipt
    assert [event["SUMMARY"] for event in house.calendars.events(PAUL.login).values()] == [
        "Rendez-vous M. M."
    ]

    nadia = _signs_in(opens, house, NADIA)
    moves_it_by_telephone(nadia, house, moreau)
    takes_the_hour_that_is_left(nadia, house, somebody)
    house.wakes_up(MONDAY + timedelta(minutes=30))
    assert "09:30" in str(house.mail.to(MOREAU_EMAIL, count=3)[-1].get_content())

    hers = opens(viewport=PHONE, language="ar")
    waits_for_an_hour(hers, house, fatima)

    his_reminders(house)
    he_answers_by_text(house)
    assert [one.state for one in appointments_of(house.database, moreau.id)][-1] is Standing.CANCELLED

    she_accepts_in_arabic(hers, house, fatima)
    the_calendar_sees_it_all(house)
    nothing_tells_why(house)


def _signs_in(opens: Opens, house: House, who: Character) -> Page:
    page = opens()
    page.goto(f"{house.backoffice}/fr/connexion")
    page.locator("#login").fill(who.login)
    page.locator("#password").fill(PASSWORD)
    tap(page, "main form .button")
    return page


def links_his_calendar(paul: Page, house: House) -> None:
    """Paul gives the password of his own calendar, once."""
    paul.goto(f"{house.backoffice}/fr/agenda/calendrier")
    paul.locator("input[name=login]").fill(PAUL.login)
    paul.locator("input[name=password]").fill(house.calendars.password)
    tap(paul, "form:has(input[name=password]) .button")
    expect(paul.locator("main")).not_to_contain_text("Erreur")


def books_at_twice_the_size(page: Page, house: House, asked: Asked) -> None:
    """Mr Moreau, 74, reads at 200 %: his link, an hour, yes."""
    page.goto(house.link(asked, "fr"))
    tap(page, "a[href$='/rendez-vous']")
    _large(page)
    tap(page, "button[name=slot]")
    _large(page)
    expect(page.locator("main")).to_contain_text("9 heures")
    tap(page, "main form .button")
    _large(page)
    expect(page.locator("main")).to_contain_text("C'est réservé")


def _large(page: Page) -> None:
    """Nothing is cut off, and one scrolls in one direction only."""
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def moves_it_by_telephone(nadia: Page, house: House, asked: Asked) -> None:
    """He calls: half past nine is better. Nadia moves it while he is on the line."""
    nadia.goto(f"{house.backoffice}/fr/demande/{asked.id}")
    tap(nadia, "a[href$='/deplacer']")
    tap(nadia, "button[name=slot]:has-text('9:30')")
    expect(nadia.locator("main")).to_contain_text("9:30")


def takes_the_hour_that_is_left(nadia: Page, house: House, asked: Asked) -> None:
    """Somebody at the counter gets the nine o'clock he left: one tap, and nothing is free any more."""
    nadia.goto(f"{house.backoffice}/fr/demande/{asked.id}")
    tap(nadia, "#rendez-vous button[name=slot], button[name=slot]")
    expect(nadia.locator("main")).to_contain_text("9:00")


def waits_for_an_hour(page: Page, house: House, asked: Asked) -> None:
    """Nothing is free: Fatima asks to be told."""
    page.goto(house.link(asked, "ar"))
    page.goto(f"{house.portal}/ar/rendez-vous")
    expect(page.locator("html")).to_have_attribute("dir", "rtl")
    expect(page.locator("button[name=slot]")).to_have_count(0)
    tap(page, "form[action*=attendre] button")


def his_reminders(house: House) -> None:
    """A week before by mail, two days before by text message."""
    house.wakes_up(datetime.combine(THE_DAY - timedelta(days=7), time(9, 31), PARIS))
    assert "approche" in house.mail.to(MOREAU_EMAIL, count=4)[-1]["Subject"]
    before = len(house.texts.to(MOREAU_PHONE, count=1))
    house.wakes_up(datetime.combine(THE_DAY - timedelta(days=2), time(9, 31), PARIS))
    house.wakes_up(datetime.combine(THE_DAY - timedelta(days=2), time(9, 32), PARIS))
    assert "9:30" in house.texts.to(MOREAU_PHONE, count=before + 1)[-1]["text"].replace("09:", "9:")


def he_answers_by_text(house: House) -> None:
    """ANNULER; are you sure? OUI."""

    def answers(words: str) -> None:
        told = len(house.texts.to(MOREAU_PHONE, count=1))
        answer = house.texts.bring(
            lambda path, **what: httpx.post(
                house.portal + path, content=what["data"], headers=what["headers"]
            ),
            words,
            sender=MOREAU_PHONE,
            at=house.clock.now,
        )
        assert answer.status_code == 204
        house.wakes_up(house.clock.now + timedelta(minutes=1))
        house.texts.to(MOREAU_PHONE, count=told + 1)

    answers("Annuler")
    assert "OUI" in house.texts.to(MOREAU_PHONE)[-1]["text"]
    answers("oui")


def she_accepts_in_arabic(page: Page, house: House, asked: Asked) -> None:
    """The first in the list is told at once; her link leads to one question."""
    house.wakes_up(house.clock.now + timedelta(minutes=1))
    house.wakes_up(house.clock.now + timedelta(minutes=1))
    offer = house.texts.to(FATIMA_PHONE, count=2)[-1]["text"]
    link = re.search(r"http\S+", offer)
    assert link
    page.goto(link[0])
    tap(page, "a[href$='/rendez-vous/proposition']")
    tap(page, "button[name=reponse][value=oui]")
    (hers,) = [one for one in appointments_of(house.database, asked.id) if one.state is Standing.BOOKED]
    assert hers.start == datetime.combine(THE_DAY, time(9, 30), PARIS)
    expect(page.locator("html")).to_have_attribute("dir", "rtl")
    house.wakes_up(house.clock.now + timedelta(minutes=6))


def the_calendar_sees_it_all(house: House) -> None:
    """In Paul's own calendar: who was left at nine, and Fatima; Mr Moreau is gone."""
    seen = {_hour(event): str(event["SUMMARY"]) for event in house.calendars.events(PAUL.login).values()}
    assert seen == {time(9): "Rendez-vous A.", time(9, 30): "Rendez-vous F."}


def _hour(event: Event) -> time:
    start = event.start
    assert isinstance(start, datetime)
    return start.astimezone(PARIS).time()


def nothing_tells_why(house: House) -> None:
    """Whoever reads over a shoulder learns that there is an appointment, and no more."""
    letters = [str(letter.get_content()) for letter in house.mail.to(MOREAU_EMAIL)]
    texts = [sent["text"] for number in (MOREAU_PHONE, FATIMA_PHONE) for sent in house.texts.to(number)]
    for words in letters + texts:
        for secret_matter in ("loyer", "logement", "السكن", "الإيجار"):
            assert secret_matter not in words
    with house.database.owner.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM appointments WHERE state = 'booked'")) == 2
