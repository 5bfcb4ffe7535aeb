"""Calls for real: browsers with cameras that see and hear each other, through our two faces, and through a relay.

Frames are counted where they are decoded. Both faces are served here; a third comes in through another portal process,
which shares the database alone with the first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import APIResponse, Locator, Page, ViewportSize, expect

from casework.talks import TalkState
from tests.browser.calling import (
    PHONE,
    Callers,
    Faces,
    Relay,
    connected,
    faces,
    receives,
    sign_in,
)
from tests.browser.inspecting import Inspector
from tests.browser.reading import Reader
from tests.casework.talking import Talking, set_state, talk_under_way
from tests.conftest import Database
from tests.people import PAUL

pytestmark = pytest.mark.browser

NARROW: ViewportSize = {"width": 320, "height": 740}
LARGE_PRINT: ViewportSize = {"width": 640, "height": 800}
IN_CALL = "Vous êtes en appel."
CUT = re.compile("La connexion est coupée")
KIND_OF_WAY = """async () => {
  const ways = [];
  for (const report of (await connections.at(-1).getStats()).values())
    if (report.type === "local-candidate") ways.push(report.candidateType);
  return ways;
}"""


@pytest.fixture
def talking(database: Database) -> Talking:
    """Amina and Paul talk; Yasmin may come in."""
    return talk_under_way(database, datetime.now(UTC))


@pytest.fixture
def served(database: Database, talking: Talking) -> Iterator[Faces]:
    """Both faces."""
    with faces(database) as both:
        yield both


def amina_at(served: Faces, callers: Callers, talking: Talking, *, lang: str = "fr", **how: Any) -> Page:
    """Amina's telephone, on the page of her talk."""
    page = callers.page(viewport=PHONE, language=lang, **how)
    come_in(page, served, talking.secret, lang)
    return page


def come_in(page: Page, served: Faces, secret: str, lang: str = "fr") -> None:
    """By the link of the visit, or by one's own, to the page of the talk."""
    page.goto(f"{served.portal}/{lang}/permanence/v/{secret}")
    expect(page.locator("[data-call]")).to_be_visible()


def paul_at(served: Faces, callers: Callers, talking: Talking, **how: Any) -> Page:
    """Paul's computer, on the same talk."""
    page = callers.page(**how)
    sign_in(page, served, PAUL)
    page.goto(f"{served.backoffice}/fr/permanence/entretien/{talking.id}")
    return page


def begin(page: Page, how: str = "video") -> None:
    """Press the button."""
    page.locator(f"[data-begin={how}]").click()


def press(page: Page, tool: str) -> None:
    """Press a button of the call."""
    page.locator(f"[data-tool={tool}]").click()


def says(page: Page) -> Locator:
    """What the page says of the call."""
    return page.locator("[data-status]")


def other(page: Page, name: str) -> Locator:
    """The tile of somebody else."""
    return page.locator(".face:not(.own)", has_text=name)


def test_two_see_and_hear_each_other_and_a_third_comes_in(
    served: Faces, callers: Callers, talking: Talking, database: Database
) -> None:
    """Then one mutes, one shuts the camera, one goes; and the call looks the same to axe as to people."""
    amina, paul = amina_at(served, callers, talking), paul_at(served, callers, talking)
    begin(amina)
    expect(says(amina)).to_have_text("Nous attendons l'autre personne.")
    begin(paul)
    for page, name in ((amina, "Paul Petit"), (paul, "Amina")):
        connected(page, to=1)
        receives(page, "video")
        receives(page, "audio")
        expect(other(page, name)).to_have_attribute("data-video", "on")
        expect(says(page)).to_have_text(IN_CALL)
    with faces(database) as elsewhere:
        yasmin = callers.page()
        come_in(yasmin, elsewhere, talking.third_secret)
        begin(yasmin)
        for page in (amina, paul, yasmin):
            connected(page, to=2)
        receives(yasmin, more=10)
        receives(amina)
        expect(other(amina, "Yasmin")).to_be_visible()
        press(paul, "microphone")
        press(paul, "camera")
        for page in (amina, yasmin):
            expect(other(page, "Paul Petit")).to_contain_text("Micro fermé")
            expect(other(page, "Paul Petit")).to_have_attribute("data-video", "off")
        expect(says(paul)).to_have_text("Votre micro est fermé.")
        press(paul, "camera")
        press(paul, "microphone")
        expect(other(amina, "Paul Petit")).to_have_attribute("data-video", "on")
        expect(other(amina, "Paul Petit").get_by_text("Micro fermé")).to_be_hidden()
        receives(amina)
        inspector, reader = Inspector(amina), Reader(amina)
        inspector.look("in a call", PHONE)
        reader.look("in a call", NARROW)
        reader.look("in a call", LARGE_PRINT)
        assert inspector.violations + reader.troubles == []
        press(yasmin, "leave")
        expect(other(amina, "Yasmin")).to_have_count(0)
        expect(says(yasmin)).to_have_text("Vous avez quitté l'appel. Vous pouvez revenir.")
        assert yasmin.evaluate("connections.every((one) => one.connectionState === 'closed')")
    receives(paul)


def test_voice_only_and_a_refused_camera(served: Faces, callers: Callers, talking: Talking) -> None:
    """Amina lends her voice alone, by the keyboard; Paul's browser refuses both, and he hears her all the same."""
    amina, paul = amina_at(served, callers, talking), paul_at(served, callers, talking, devices=False)
    amina.locator("[data-begin=voice]").press("Enter")
    expect(amina.locator("[data-tool=microphone]")).to_be_focused()
    begin(paul)
    receives(paul, "audio", more=20)
    assert paul.evaluate("received()")["video"] == 0
    expect(says(paul)).to_have_text("Votre micro est fermé. Vous pouvez écrire.")
    expect(says(amina)).to_have_text(IN_CALL)
    expect(amina.locator(".face.own")).to_be_hidden()
    press(amina, "camera")
    receives(paul, "video")
    expect(amina.locator(".face.own")).to_be_visible()
    amina.locator("[data-tool=leave]").press("Enter")
    expect(says(amina)).to_be_focused()


def test_on_hold_nobody_is_heard_and_the_end_is_the_end(
    served: Faces, callers: Callers, talking: Talking, database: Database
) -> None:
    amina, paul = amina_at(served, callers, talking), paul_at(served, callers, talking)
    begin(amina)
    begin(paul, "voice")
    receives(paul)
    now = datetime.now(UTC)
    set_state(database, talking, TalkState.ON_HOLD, now)
    for page in (amina, paul):
        expect(says(page)).to_have_text("L'appel est en pause. Il reprend tout seul.")
        connected(page, to=0)
    set_state(database, talking, TalkState.OPEN, now)
    receives(paul)
    asks = asking(amina)
    ticket = asks("ticket")
    assert ticket.status == 200
    set_state(database, talking, TalkState.ENDED, now)
    for page in (amina, paul):
        expect(page.locator("[data-call]")).to_have_count(0)
        connected(page, to=0)
    assert asks("enter", ticket.json()).status == 404, "the ticket is dead with the talk"
    assert asks("ticket").status == 404


def asking(page: Page) -> Callable[..., APIResponse]:
    """Ask our server as the page's script does, with this browser's cookie and token."""
    box = page.locator("[data-call]")
    addresses = {what: str(box.get_attribute(f"data-{what}")) for what in ("ticket", "enter")}
    token, origin = str(box.get_attribute("data-token")), page.url.split("/fr/")[0]
    return lambda what, body=None: page.request.post(
        origin + addresses[what], data=body or {}, headers={"X-CSRFToken": token}
    )


def test_a_page_loaded_again_and_a_second_window(served: Faces, callers: Callers, talking: Talking) -> None:
    """The call takes up again by itself; one person with two windows is one person."""
    amina, paul = amina_at(served, callers, talking), paul_at(served, callers, talking)
    begin(paul)
    begin(amina)
    receives(paul)
    amina.reload()
    receives(amina)
    expect(other(paul, "Amina")).to_have_count(1)
    receives(paul)
    window = amina.context.new_page()
    window.goto(amina.url)
    begin(window)
    expect(says(amina)).to_have_text("L'appel continue dans une autre fenêtre.")
    expect(other(paul, "Amina")).to_have_count(1)
    receives(paul)


def test_through_a_relay_alone_cut_and_back(
    database: Database, callers: Callers, talking: Talking, tmp_path: Path
) -> None:
    """With coturn's time-limited password; the relay dies in mid-call, comes back, and the call takes up again."""
    relay = Relay(tmp_path)
    relay.start()
    try:
        with faces(database, turn_urls=relay.urls, turn_secret=relay.secret, ice_policy="relay") as served:
            amina, paul = amina_at(served, callers, talking), paul_at(served, callers, talking)
            begin(paul)
            begin(amina)
            receives(amina)
            receives(paul)
            assert set(paul.evaluate(KIND_OF_WAY)) == {"relay"}
            relay.cut()
            expect(says(paul)).to_have_text(CUT)
            expect(says(amina)).to_have_text(CUT)
            relay.start()
            for page in (amina, paul):
                connected(page, to=1)
                receives(page)
                expect(says(page)).to_have_text(IN_CALL)
            assert "ALLOCATE processed, success" in relay.log
    finally:
        relay.cut()


def test_when_little_passes_the_voice_does(
    database: Database, callers: Callers, talking: Talking, tmp_path: Path
) -> None:
    """The relay lets 10 KB a second through: the image shrinks, rests, and the page says why."""
    relay = Relay(tmp_path)
    relay.start(bytes_a_second=10_000)
    try:
        with faces(database, turn_urls=relay.urls, turn_secret=relay.secret, ice_policy="relay") as served:
            amina, paul = amina_at(served, callers, talking), paul_at(served, callers, talking)
            begin(paul, "voice")
            begin(amina)
            connected(amina, to=1)
            expect(says(amina)).to_have_text("Internet est faible. La voix passe d'abord.", timeout=30_000)
            expect(other(paul, "Amina")).to_have_attribute("data-video", "off")
            receives(paul, "audio", more=50)
    finally:
        relay.cut()


def test_trying_the_camera_before(served: Faces, callers: Callers, talking: Talking) -> None:
    """It works, it is refused: either way one goes on."""
    page = amina_at(served, callers, talking)
    page.goto(f"{served.portal}/fr/permanence/essai")
    page.locator("[data-try]").click()
    expect(page.locator("[data-camera-said]")).to_have_text("La caméra marche.")
    expect(page.locator("[data-microphone-said]")).to_have_text("Nous vous entendons. Le micro marche.")
    expect(page.locator("[data-try]")).to_be_hidden()
    page.locator("[data-sound]").click()
    page = amina_at(served, callers, talking, devices=False)
    page.goto(f"{served.portal}/fr/permanence/essai")
    page.locator("[data-try]").click()
    expect(page.locator("[data-camera-said]")).to_have_text(
        "La caméra est fermée. Vous pouvez parler sans image."
    )
    expect(page.locator("[data-microphone-said]")).to_have_text("Votre micro est fermé. Vous pouvez écrire.")
