"""Every page of each face, in every state worth a look, for tests that hold all pages to one rule."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from flask import Flask
from playwright.sync_api import Page, expect
from werkzeug.exceptions import HTTPException

import backoffice.app
import portal.app
from casework.settings import ROOT, Settings
from portal.questions import BY_SLUG
from tests import people
from tests.browser import stage
from tests.browser.appointments import agents_agendas, citizens_appointment
from tests.browser.calendars import agents_calendars
from tests.browser.calls import agents_calls
from tests.browser.conftest import RunningHouse
from tests.browser.kiosks import agents_kiosks, citizens_kiosk, somebody_calls
from tests.browser.permanence import agents_permanence, citizens_permanence
from tests.browser.sessions import agents_sessions, citizens_sessions, sessions_for_everybody
from tests.browser.walking import AgentsWalk, CitizensWalk, Look, sign_in, tap
from tests.casework.asking import Asked, ask
from tests.conftest import Database

NEVER_SEEN = {
    "portal": {
        "health": "for machines",
        "colours": "a style sheet",
        "pages.robots": "for search engines",
        "offline.worker": "a script",
        "pages.easy_to_read_logo": "a picture, and none without readers",
        "pages.quick_exit": "leads out of the house at once",
        "asking.resume": "leads to the first question that is not answered",
        "follow.receipt_pdf": "a PDF",
        "booking.calendar": "a file for calendars",
        "sessions.calendar": "a file for calendars",
        "permanence.place": "a piece of the waiting room",
        "permanence.turn": "a piece of the pages beside it",
        "talk.lines": "a piece of the talk",
        "conversation.lines": "a piece of the followed request",
        "calls.bridge": "leads to the département's bridge",
        "kiosk.begin": "leads to the home page",
        "kiosk.still_here": "says that somebody is there",
        "listening.said": "a sound",
        "signs.file": "a video, its captions or its picture",
        "signs.watch": "there is no video yet; looked at by test_signs",
    },
    "backoffice": {
        "health": "for machines",
        "colours": "a style sheet",
        "queue.root": "leads to a language",
        "queue.show": "leads to one of the two lists",
        "queue.lines": "a piece of the queue",
        "queue.my_lines": "a piece of the own list",
        "desk.lines": "a piece of the desk",
        "desk_talk.lines": "a piece of the talk",
        "case.paper": "a paper to download",
        "conversation.lines": "a piece of the request",
        "feeds.read": "a file for calendars",
        "calls.bridge": "leads to the département's bridge",
    },
}
"""Routes that one can get but not look at, and why: the rest are pages."""

Everything = Callable[[Page, RunningHouse, Database, str, Look], None]


def citizens_pages(page: Page, house: RunningHouse, database: Database, language: str, look: Look) -> None:
    """The walk from the door to the receipt; then a request answered, one that waits, one where nothing was said."""
    address = f"{house.portal}/{language}"
    sessions_for_everybody(page, address, database, look)
    citizens_permanence(page, address, database, look)
    CitizensWalk(page, house.portal, language, look).all()
    sent = stage.only_request(database)
    stage.act(database, people.NADIA, sent, stage.asking_a_paper(database))
    page.goto(f"{address}/suivi")
    look("followed, waiting for the person")
    page.locator("#body").fill("12345 " * 3)
    tap(page, "form:has(#body) .button")
    look("followed, with messages and papers")
    page.goto(f"{address}/suivi?envoye=alerte")
    look("followed, danger was said")
    citizens_appointment(page, address, database, look)
    citizens_sessions(page, address, database, look)
    stage.act(database, people.NADIA, sent, stage.close)
    page.goto(f"{address}/suivi")
    look("followed, ended")
    nothing_said = ask(database, stage.now(), stage.NO_WORDS, language)
    page.goto(f"{address}/s/{nothing_said.secret}")
    look("followed, nothing said yet")
    stage.too_many_tries(database, "source 127.0.0.1")
    page.goto(f"{address}/s/nothing-opens-with-this")
    look("too many tries")
    citizens_kiosk(page, house.portal, language, database, look)


def agents_pages(page: Page, house: RunningHouse, database: Database, language: str, look: Look) -> None:
    """Signing in, the lists empty and full, a request in each state, its mistakes, as a secretary and a worker."""
    walk = AgentsWalk(page, house.backoffice, language, look)
    walk.before_signing_in()
    sign_in(page, house, people.NADIA, language)
    walk.open("/file", "queue, empty")
    walk.open("/envois", "sendings, none")
    walk.open("/a-appeler", "to call, nobody")
    staged = stage.fill_the_house(database)
    stage.act(database, people.CLAIRE, staged.received, stage.read)
    walk.lists()
    address = f"{house.backoffice}/{language}/demande"
    for state, asked in vars(staged).items():
        walk.request(f"{address}/{asked.id}", f"request {state}")
    _mistakes(page, f"{address}/{staged.received.id}", database, staged.received, look)
    agents_agendas(walk, database, staged.received)
    agents_sessions(walk, database, staged.received)
    agents_permanence(walk, page, database, look)
    agents_calendars(walk, database)
    walk.open(f"/envois/{stage.by_hand(database, staged.waiting)}", "one sending")
    agents_calls(walk, page, database, staged, look)
    _leave(page)
    sign_in(page, house, people.LOUISE, language)
    walk.open("/mes-demandes", "own list, empty")
    _leave(page)
    sign_in(page, house, people.PAUL, language)
    walk.open("/mes-demandes", "own list, with requests")
    for asked in (staged.routed, staged.taken):
        walk.request(f"{address}/{asked.id}", "request, as its worker")
    _leave(page)
    sign_in(page, house, people.MARC, language)
    agents_kiosks(walk, database, look)
    somebody_calls(database)
    walk.open("/file", "queue, somebody waits at a kiosk")
    _leave(page)
    stage.too_many_tries(database, "agent source 127.0.0.1")
    page.locator("#login").fill("somebody")
    page.locator("#password").fill("guessing")
    tap(page, "main form .button")
    look("too many tries")


def _mistakes(page: Page, address: str, database: Database, asked: Asked, look: Look) -> None:
    page.goto(address)
    for ticked in page.locator("#act-qualify input[name=themes]:checked").all():
        ticked.uncheck()
    tap(page, "#act-qualify .button")
    look("request, no theme chosen")
    page.goto(address)
    page.locator("#act-answer").evaluate("(details) => { details.open = true }")
    page.locator("#answer-body").fill("Bonjour. Venez jeudi.")
    stage.act(database, people.CLAIRE, asked, stage.qualify)
    tap(page, "#act-answer .button:not(.secondary)")
    expect(page.locator(".conflict")).to_be_visible()
    look("request, changed by a colleague")


def _leave(page: Page) -> None:
    tap(page, ".app-header form[method=post] button")


FACES: dict[str, Everything] = {"portal": citizens_pages, "backoffice": agents_pages}


def pages_never_seen(face: str, database: Database, addresses: set[str]) -> list[str]:
    """The pages of a face that none of these addresses belongs to; a stale exception is one too."""
    app = _app(face, database)
    adapter = app.url_map.bind("127.0.0.1")
    seen: set[str] = set()
    for address in addresses:
        try:
            endpoint, values = adapter.match(urlsplit(address).path, "GET")
        except HTTPException:
            continue
        seen |= {str(endpoint), f"question {values.get('slug', '')}"}
    pages = {rule.endpoint for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ())}
    exceptions = set(NEVER_SEEN[face])
    wanted = (pages - exceptions) | (exceptions - pages)
    if face == "portal":
        wanted |= {f"question {slug}" for slug in BY_SLUG}
    return sorted(wanted - seen)


def _app(face: str, database: Database) -> Flask:
    create = {"portal": portal.app.create, "backoffice": backoffice.app.create}[face]
    only_to_list_routes = Settings(
        var=ROOT / "var",
        territory=ROOT / "territory" / "vienne",
        database_url=database.urls[0],
        access_key="",
        documents_public_key="",
    )
    return create(only_to_list_routes)
