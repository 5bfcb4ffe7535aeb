"""Amina's afternoon at the virtual permanence, on everything real: three processes, cameras, models, text messages.

She waits on her telephone behind two others, Paul calls her from his desk, they see each other, each writes in their
own language, and she keeps what was decided.
"""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from casework import calling
from casework.agents import Agent
from casework.calling import Ending
from casework.database import transaction
from casework.messages import Message
from casework.requests import SendingKeys
from casework.talks import TalkOutcome
from tests.browser import stage
from tests.browser.calling import Callers, receives
from tests.browser.conftest import PHONE, RunningHouse
from tests.browser.permanence import receives_now
from tests.browser.test_listening import with_voices
from tests.browser.walking import sign_in
from tests.casework.asking import BY_TEXT, Asked, ask, journal_of
from tests.casework.in_line import call_next, come, open_desk
from tests.conftest import Database
from tests.people import AMINA_PHONE, PAUL, SARAH

pytestmark = pytest.mark.browser

HELP = "کمک لازم دارم."
COME = "Venez ici à 14h30."
COME_IN_PERSIAN = "اینجا بیایید ساعت 14h30."


def test_amina_waits_is_called_and_talks_in_her_language(
    house: RunningHouse, database: Database, callers: Callers
) -> None:
    here = receives_now(database)
    open_desk(database, here, SARAH, stage.now())
    for name in ("Marcel", "Fatou"):
        come(database, here, stage.now(), name)
    asked = ask(database, stage.now(), replace(BY_TEXT, words="", spoken_language="fa"), "fa")

    amina = with_voices(callers.page(viewport=PHONE, language="fa"), "fa-IR", "fr-FR")
    _comes_in(amina, house, asked)
    place = amina.locator("#turn")
    expect(place).to_contain_text("2 نفر پیش از شماست")
    expect(amina.locator("[data-watch]")).to_have_attribute("aria-live", "polite")
    waits = _minutes(amina)
    amina.evaluate("document.body.dataset.same = 'page'")
    _sarah_receives(database, "Marcel")
    _network_returns(amina)
    expect(place).to_contain_text("1 نفر پیش از شماست")
    assert _minutes(amina) < waits
    _sarah_receives(database, "Fatou")
    _network_returns(amina)
    expect(place).to_contain_text("شما نفر بعدی هستید")
    expect(amina.locator("body[data-same]")).to_have_count(1)

    paul = with_voices(callers.page(), "fr-FR")
    sign_in(paul, house, PAUL)
    paul.goto(f"{house.backoffice}/fr/permanence")
    expect(paul.locator("table.queue")).to_contain_text("Amina")
    paul.locator("form[action$='/suivant'] button").click()
    expect(paul.locator("h1")).to_contain_text("Amina")
    _network_returns(amina)
    expect(place).to_contain_text("نوبت شماست")
    amina.locator("#turn button").click()

    for page in (amina, paul):
        page.locator("[data-begin=video]").click()
    for page in (amina, paul):
        receives(page, "video")
    _each_in_their_language(amina, paul)
    _ends(house, database, amina, paul, asked)


def _comes_in(amina: Page, house: RunningHouse, asked: Asked) -> None:
    """By the link of her request, past the camera check."""
    amina.goto(f"{house.portal}/fa/s/{asked.secret}")
    amina.locator("main a[href$='/permanence']").click()
    expect(amina.locator("#called_name")).to_have_value("Amina")
    amina.locator("main form .button").click()
    amina.locator("main a.button").click()


def _minutes(amina: Page) -> int:
    """The longest wait that the page speaks of."""
    said = amina.locator("#turn p").nth(1).inner_text()
    numbers = [int(word) for word in said.split() if word.isdecimal()]
    return max(numbers, default=0)


def _sarah_receives(database: Database, name: str) -> None:
    """At the next desk, from the call to the end."""
    keys = SendingKeys(database.access_key, database.public_key)
    assert call_next(database, SARAH, stage.now()) == name
    with transaction(database.backoffice) as session:
        sarah = session.get_one(Agent, SARAH.id)
        talk = calling.leading(session, sarah)
        assert talk
        calling.end(session, sarah, talk.id, Ending(TalkOutcome.ANSWERED, "", "", talk.id), keys, stage.now())


def _network_returns(page: Page) -> None:
    """The telephone comes out of a tunnel: the page asks at once, and is still the same page."""
    page.context.set_offline(True)
    page.context.set_offline(False)


def _each_in_their_language(amina: Page, paul: Page) -> None:
    """Each writes and reads in their own; what was really written stays below."""
    _writes(amina, HELP)
    heard = paul.locator(".message.theirs")
    expect(heard).to_contain_text("J'ai besoin d'aide.")
    expect(heard).to_contain_text("Traduction automatique")
    expect(heard.locator(".original")).to_contain_text(HELP)
    _writes(paul, COME)
    heard = amina.locator(".message.theirs")
    expect(heard).to_contain_text(COME_IN_PERSIAN)
    expect(heard.locator(".original")).to_contain_text(COME)
    amina.evaluate("document.body.dataset.same = 'page'")
    _picks_a_ready_sentence(paul)
    _taps_a_card(amina)
    expect(heard.last).to_contain_text("سلام.")
    expect(heard.last.locator(".original")).to_contain_text("Bonjour.")
    expect(paul.locator(".message.theirs").last).to_contain_text("Je n'ai pas ce papier.")
    _hears(amina, COME_IN_PERSIAN)
    _hears(paul, "J'ai besoin d'aide.")
    expect(amina.locator("body[data-same]")).to_have_count(1)
    for page in (amina, paul):
        receives(page, "video")


def _picks_a_ready_sentence(paul: Page) -> None:
    """In two strokes, and sent by Enter: what she will read goes away with it."""
    field, will_read = paul.locator("form[data-line] textarea"), paul.locator(".will-read li")
    field.press_sequentially("/bj")
    expect(field).to_have_value("Bonjour.\n")
    expect(will_read).to_contain_text("سلام.")
    field.press("Enter")
    expect(field).to_have_value("")
    expect(will_read).to_have_count(0)


def _taps_a_card(amina: Page) -> None:
    """It goes alone, without leaving the page; what she had begun to type stays."""
    field = amina.locator("form[data-line] textarea")
    field.fill("من")
    amina.locator(".cards > summary").click()
    amina.locator(".cards [value=no_paper]").click()
    expect(amina.locator(".message.mine").last).to_contain_text("این سند را ندارم.")
    expect(field).to_have_value("من")
    expect(amina.locator(".cards [value=no_paper]")).to_be_hidden()
    field.fill("")


def _hears(page: Page, words: str) -> None:
    """One message alone, in the reader's language, not what was written in the other one."""
    page.evaluate("said.splice(0)")
    message = page.locator(".message", has_text=words)
    message.locator(".hear").click()
    expect(message.locator(".hear .start")).to_be_visible()
    assert [text for _language, text, _shown in page.evaluate("said")] == [words]


def _writes(page: Page, words: str) -> None:
    page.locator("form[data-line] textarea").fill(words)
    page.locator("form[data-line] .button:not(.secondary)").click()
    expect(page.locator(".message.mine")).to_contain_text(words)
    expect(page.locator("form[data-line] textarea")).to_have_value("")


def _ends(house: RunningHouse, database: Database, amina: Page, paul: Page, asked: Asked) -> None:
    """The outcome is in the request, the summary is a message of it, and a text message says so. What either was
    writing meanwhile is not lost."""
    amina.locator("form[data-line] textarea").fill(HELP)
    begun = paul.locator("form[data-line] textarea")
    begun.fill("Au revoir.")
    paul.locator("form[action$='/attente'] button").click()
    expect(paul.locator("form[action$='/reprendre']")).to_be_visible()
    expect(begun).to_have_value("Au revoir.")
    form = paul.locator("form[action$='/finir']")
    paul.locator("details", has=form).locator("summary").click()
    form.locator("input[value=follow_up]").check()
    form.locator("textarea[name=summary]").fill(COME)
    form.locator("textarea[name=notes]").fill("Elle vient avec sa sœur.")
    form.locator(".button").click()
    expect(paul.locator(".notice.success")).to_be_visible()
    expect(amina.locator("h1")).to_have_text("گفتگو تمام شد")
    expect(amina.locator("[data-unsent]")).to_contain_text(HELP)
    expect(amina.locator("#t-summary > p").first).to_have_text(COME_IN_PERSIAN)

    ended = [details for action, details in journal_of(database, asked.id) if action == "visit_ended"]
    assert [one["outcome"] for one in ended] == ["follow_up"]
    assert _written(database, asked.id) == [COME]
    paul.goto(f"{house.backoffice}/fr/demande/{asked.id}")
    talk = paul.locator("section[aria-labelledby=talks-title]")
    expect(talk).to_contain_text("Accompagnement commencé")
    expect(talk).to_contain_text("Elle vient avec sa sœur.")

    told = house.texts.to(AMINA_PHONE, 2)[-1]["text"]
    amina.goto(next(word for word in told.split() if word.startswith(house.portal)))
    expect(amina.locator(".message.theirs")).to_contain_text(COME_IN_PERSIAN)


def _written(database: Database, request_id: UUID) -> list[str]:
    with transaction(database.backoffice) as session:
        return list(session.scalars(select(Message.body).where(Message.request_id == request_id)))
