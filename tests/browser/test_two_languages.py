"""Amina writes in Arabic on her telephone, Nadia in French at her desk: translations come by themselves."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from casework import triage
from tests import people
from tests.browser import stage
from tests.browser.conftest import PHONE, Opens, RunningHouse
from tests.browser.stage import Doing
from tests.browser.walking import sign_in
from tests.casework.asking import BY_TEXT, ask
from tests.conftest import Database

pytestmark = pytest.mark.browser

HELP = "أحتاج مساعدة."


def picture(page: Page, name: str) -> None:
    if folder := os.environ.get("TW_SHOTS"):
        page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)


def test_translations_fill_themselves_in(house: RunningHouse, database: Database, opens: Opens) -> None:
    asked = ask(database, stage.now(), replace(BY_TEXT, words=HELP, name="Amina"), "ar")
    desk = opens()
    sign_in(desk, house, people.NADIA)
    desk.goto(f"{house.backoffice}/fr/demande/{asked.id}")
    picture(desk, "desk-coming")
    expect(desk.locator(".words")).to_contain_text("J'ai besoin d'aide.")
    expect(desk.locator(".words")).to_contain_text("Traduction automatique")
    expect(desk.locator(".words .original")).to_contain_text(HELP)
    if not desk.locator("#act-answer[open]").count():
        desk.locator("#act-answer summary").first.click()
    desk.locator("#answer-body").fill("Venez ici à 14h30.")
    desk.locator("#act-answer .button:not(.secondary)").click()
    expect(desk.locator(".message.mine")).to_contain_text("Venez ici à 14h30.")

    amina = opens(viewport=PHONE, language="ar")
    amina.goto(f"{house.portal}/ar/s/{asked.secret}")
    said = amina.locator(".message.theirs")
    expect(said).to_contain_text("تعالوا هنا في 14h30.")
    expect(said.locator(".original")).to_contain_text("Venez ici à 14h30.")
    picture(amina, "amina")
    said.get_by_role("button").click()
    expect(amina.locator(".message.theirs")).to_contain_text("قلتم: لا أفهم.")
    picture(amina, "amina-said")

    desk.reload()
    expect(desk.locator(".message.mine")).to_contain_text("La personne ne comprend pas ce message.")
    for summary in desk.locator(".conversation summary").all():
        summary.click()
    expect(desk.locator(".as-read")).to_contain_text("تعالوا هنا في 14h30.")
    picture(desk, "desk")
    desk.goto(f"{house.backoffice}/fr/file")
    expect(desk.locator(".badge.waiting")).to_contain_text("N'a pas compris")
    picture(desk, "queue")


def test_with_the_page_open_the_words_come_without_a_tap(
    house: RunningHouse, database: Database, opens: Opens
) -> None:
    """The page is shown before the translation is there, whatever the speed of this machine. What comes out as it went
    in is then shown once, and no longer waited for."""
    asked = ask(database, stage.now(), replace(BY_TEXT, words="", name="Amina"), "ar")

    def says(body: str) -> Doing:
        reply = replace(stage.reply(database), body=body)
        return lambda session, agent, request: triage.answer(session, agent, request, reply, stage.now())

    for body in ("Venez ici à 9h.", "CAF 86"):
        stage.act(database, people.NADIA, asked, says(body))
    amina = opens(viewport=PHONE, language="ar")
    with amina.expect_response(lambda answer: answer.url.endswith("/suivi/messages")):
        amina.goto(f"{house.portal}/ar/s/{asked.secret}")
    expect(amina.locator(".message.theirs").first).to_contain_text("تعالوا هنا في 9h.")
    expect(amina.locator("[data-wanted]")).to_have_count(0)
    assert amina.locator(".message.theirs").last.inner_text().count("CAF 86") == 1
