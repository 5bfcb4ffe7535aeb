"""A kiosk, from the start page to the one that says that it is closed; and where a manager keeps them."""

from __future__ import annotations

from playwright.sync_api import Page, expect
from sqlalchemy import delete, select

from casework import kiosks
from casework.database import transaction
from casework.kiosks import Kiosk
from casework.settings import ROOT, Settings
from portal.app import create
from tests.browser import stage
from tests.browser.conftest import PORTAL_SECRET
from tests.browser.permanence import closes, comes_in, paul_calls, paul_ends, receives_now
from tests.browser.walking import AgentsWalk, Look, tap
from tests.conftest import Database
from tests.portal.kiosk_visitor import new_key


def citizens_kiosk(page: Page, portal: str, language: str, database: Database, look: Look) -> None:
    """This browser becomes a kiosk, and ends as a closed one: nothing else can be looked at with it afterwards."""
    page.goto(f"{portal}/borne/not-a-key")
    look("kiosk, wrong key")
    page.goto(f"{portal}/borne/{new_key(database, stage.now())}")
    look("kiosk, start")
    page.goto(f"{portal}/{language}/borne/commencer")
    look("kiosk, home")
    for dialog in ("still", "called"):
        page.evaluate("(name) => document.getElementById(`kiosk-${name}`).showModal()", dialog)
        look(f"kiosk, dialog {dialog}")
        page.evaluate("(name) => document.getElementById(`kiosk-${name}`).close()", dialog)
    page.goto(f"{portal}/{language}/droits/rsa")
    look("kiosk, a rights page")
    page.goto(f"{portal}/{language}/borne/la")
    look("kiosk, the warning without scripts")
    page.goto(f"{portal}/{language}/borne/aide")
    look("kiosk, help")
    page.goto(f"{portal}/{language}/borne/aide?fait=1")
    look("kiosk, the reception was told")
    _waits_and_talks(page, portal, language, database, look)
    page.goto(f"{portal}/{language}/demande/sujet")
    tap(page, "button[value=housing]")
    look("kiosk, a question")
    page.goto(f"{portal}/{language}/demande/plus-tard")
    look("kiosk, finish later")
    page.goto(f"{portal}/{language}/borne/fin")
    look("kiosk, really done")
    with transaction(database.owner) as session:
        session.execute(delete(Kiosk))
    page.goto(f"{portal}/{language}/")
    look("kiosk, removed")


def _waits_and_talks(page: Page, portal: str, language: str, database: Database, look: Look) -> None:
    """The waiting room and a talk at the screen, with their drawings to take home; a bridge that leads nobody out."""
    here = receives_now(database)
    page.goto(f"{portal}/{language}/permanence")
    comes_in(page, "text")
    look("kiosk, waiting room")
    talk_id = paul_calls(database, here)
    page.goto(f"{portal}/{language}/permanence/attente")
    tap(page, "#turn .button")
    look("kiosk, talk")
    _a_bridge(page, portal, f"/{language}/appel/{talk_id}/pont", database)
    page.goto(f"{portal}/{language}/appel/{talk_id}/pont")
    look("kiosk, another site")
    paul_ends(database)
    closes(database, here)


def _a_bridge(page: Page, portal: str, path: str, database: Database) -> None:
    """From now on this address answers as where the département has a bridge: the running house has none."""
    settings = Settings(
        var=ROOT / "var",
        territory=ROOT / "territory" / "vienne",
        database_url=database.urls[1],
        portal_address=portal,
        secret_key=PORTAL_SECRET,
        access_key=database.access_key,
        documents_public_key=database.public_key,
        room_provider="jitsi",
        jitsi_url="https://visio.example.org",
        jitsi_app_id="allervers",
        jitsi_secret="a secret of the bridge",
    )
    cookies = "; ".join(f"{one['name']}={one['value']}" for one in page.context.cookies())
    client = create(settings).test_client(use_cookies=False)
    answer = client.get(path, base_url=portal, headers={"Cookie": cookies})
    page.route(
        f"{portal}{path}", lambda route: route.fulfill(body=answer.get_data(), content_type="text/html")
    )


def agents_kiosks(walk: AgentsWalk, database: Database, look: Look) -> None:
    """None yet, a name forgotten, one just made; as a manager."""
    walk.open("/bornes", "kiosks, none")
    tap(walk.page, "main form[data-once] .button")
    look("kiosks, no name")
    walk.page.locator("#name").fill("Une entrée au nom vraiment très long, près de l'escalier")
    tap(walk.page, "main form[data-once]:has(#name) .button")
    expect(walk.page.locator(".address")).to_be_visible()
    look("kiosks, one just made")


def somebody_calls(database: Database) -> None:
    """Somebody waits for help at the kiosk of Poitiers."""
    new_key(database, stage.now())
    with transaction(database.owner) as session:
        hashed = session.scalars(select(Kiosk.key_hash)).first()
    with transaction(database.portal) as session:
        kiosks.call_reception(session, hashed or "", stage.now())
