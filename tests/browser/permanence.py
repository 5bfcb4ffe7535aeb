"""The virtual permanence, of both faces, in the states worth a look."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

from playwright.sync_api import Page, expect
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import Range

from casework import brought_in, calling, crowd, permanences, talks
from casework.agents import Agent
from casework.calling import Ending
from casework.database import transaction
from casework.kiosks import Kiosk
from casework.permanences import PermanenceTime, Plan, VirtualPermanence
from casework.requests import SendingKeys
from casework.talks import Talk, TalkOutcome, TalkState
from casework.waiting_room import Visit, VisitState
from tests.browser import stage
from tests.browser.walking import AgentsWalk, Look, tap
from tests.casework.in_line import come, open_desk
from tests.conftest import Database
from tests.people import NADIA, PAUL, SARAH
from tests.portal.kiosk_visitor import new_key


def receives_now(database: Database, name: str = "Permanence de Poitiers") -> UUID:
    """A permanence that receives at this hour of the real clock; Paul is at his desk."""
    now = stage.now()
    with transaction(database.backoffice) as session:
        nadia = session.get_one(Agent, NADIA.id)
        one = permanences.set_up(session, nadia, uuid4(), Plan(name, ["ar", "fa"], True, True, True), now)
        during = Range(now - timedelta(hours=1), now + timedelta(hours=4), bounds="[)")
        session.add(PermanenceTime(id=uuid4(), permanence_id=one.id, during=during))
    open_desk(database, one.id, PAUL, now)
    return one.id


def citizens_permanence(page: Page, address: str, database: Database, look: Look) -> None:
    """From the closed door to the end of a talk, for who has no request."""
    page.goto(f"{address}/permanence")
    look("permanence, closed")
    here = receives_now(database)
    _by_a_link(page, address, database, here, look)
    page.goto(f"{address}/permanence")
    look("permanence, open")
    tap(page, "main form .button")
    look("permanence, no name given")
    comes_in(page)
    look("permanence, camera and sound")
    tap(page, "main a.button")
    look("waiting room")
    page.goto(f"{address}/permanence/attente/texto")
    tap(page, "main form .button")
    look("waiting room, no number given")
    page.goto(f"{address}/permanence/rappel")
    look("waiting room, called back instead")
    paul_calls(database, here)
    page.goto(f"{address}/permanence/attente")
    look("waiting room, called")
    tap(page, "#turn .button")
    _paul_says(database, "Bonjour. Avez-vous la lettre du propriétaire ?")
    page.goto(f"{address}/permanence/entretien")
    page.locator(".cards > summary").click()
    page.locator("[value=in_danger]").click()
    expect(page.locator("[data-alarm]")).to_be_visible()
    page.locator(".cards > summary").click()
    look("talk, in danger")
    page.goto(f"{address}/permanence/entretien/ecrire")
    look("talk, writing")
    page.goto(f"{address}/permanence/entretien/fini")
    look("talk, over for who was brought in")
    page.goto(f"{address}/permanence/entretien/sortie")
    look("talk, out of it")
    paul_ends(database)
    page.goto(f"{address}/permanence/entretien")
    look("talk, ended")
    page.goto(f"{address}/permanence/v/nothing-opens-with-this")
    look("permanence, dead link")
    with transaction(database.portal) as session:
        for _ in range(crowd.FROM_ONE_SOURCE - 1):
            crowd.count_in(session, database.access_key, "127.0.0.1", None, stage.now())
    page.goto(f"{address}/permanence")
    comes_in(page)
    look("permanence, too many came in")
    closes(database, here)


def comes_in(page: Page, channel: str = "video") -> None:
    """Somebody fills in the form at the door, and enters."""
    page.locator("#called_name").fill("Amina")
    page.locator("main input[value=housing]").check()
    page.locator(f"main input[value={channel}]").check()
    page.locator("main input[value=hearing]").check()
    tap(page, "main form .button")


def _by_a_link(page: Page, address: str, database: Database, here: UUID, look: Look) -> None:
    """Somebody brought into the talk of another."""
    come(database, here, stage.now(), "Kamal")
    talk_id = paul_calls(database, here)
    with transaction(database.backoffice) as session:
        paul = session.get_one(Agent, PAUL.id)
        secret = brought_in.invite_third(
            session, paul, talk_id, "Zahra", "fr", database.access_key, stage.now()
        )
    page.goto(f"{address}/permanence/v/{secret}")
    look("talk, asked in by a link")
    paul_ends(database)


def agents_permanence(walk: AgentsWalk, page: Page, database: Database, look: Look) -> None:
    """The permanences, their times, the desk, one person, a talk, and a link for an interpreter."""
    walk.open("/permanence", "permanences, none")
    walk.open("/permanence/reglages/nouvelle", "permanence, new")
    tap(page, "main form .button")
    look("permanence, no name")
    here = receives_now(database)
    walk.open(f"/permanence/reglages/{here}", "permanence and its times")
    open_desk(database, here, NADIA, stage.now())
    open_desk(database, here, SARAH, stage.now())
    walk.open("/permanence", "desk, nobody waits")
    for name in ("Amina", "Kamal"):
        come(database, here, stage.now(), name)
    kamal = _visit(database, "Kamal")
    with transaction(database.backoffice) as session:
        nadia = session.get_one(Agent, NADIA.id)
        calling.mark_urgent(session, nadia, kamal, "Il dort dehors ce soir.", stage.now())
    walk.open("/permanence", "desk, two wait")
    walk.open(f"/permanence/attente/{kamal}", "desk, one person")
    rosa = _leaves_a_kiosk(database, here)
    walk.open("/permanence", "desk, one left a kiosk")
    walk.open(f"/permanence/attente/{rosa}", "desk, one who left a kiosk")
    walk.open("/permanence")
    tap(page, "form[action$=suivant] .button")
    for fold in page.locator("main details").all():
        fold.evaluate("(one) => { one.open = true }")
    look("desk, a talk")
    tap(page, "form[action$=finir] .button")
    look("desk, no outcome chosen")
    page.locator("#third-name").evaluate("(one) => { one.closest('details').open = true }")
    page.locator("#third-name").fill("Zahra")
    tap(page, "form[action$=tiers] .button")
    look("desk, link for an interpreter")
    tap(page, "main .button")
    tap(page, "form[action$=attente] .button")
    look("desk, a talk on hold")
    closes(database, here)


def _leaves_a_kiosk(database: Database, here: UUID) -> UUID:
    """Rosa was called while her kiosk was wiped."""
    come(database, here, stage.now(), "Rosa")
    new_key(database, stage.now())
    rosa = _visit(database, "Rosa")
    with transaction(database.owner) as session:
        visit = session.get_one(Visit, rosa)
        visit.state, visit.missed_at, visit.left_kiosk_at = VisitState.GONE, stage.now(), stage.now()
        visit.left_kiosk_id = session.scalars(select(Kiosk.id)).first()
    return rosa


def _visit(database: Database, name: str) -> UUID:
    with transaction(database.backoffice) as session:
        return session.scalars(
            select(Visit.id).where(Visit.called_name == name).order_by(Visit.arrived_at.desc())
        ).all()[0]


def paul_calls(database: Database, here: UUID) -> UUID:
    """Paul calls the next person: the talk."""
    open_desk(database, here, PAUL, stage.now())
    with transaction(database.backoffice) as session:
        talk = calling.call_next(session, session.get_one(Agent, PAUL.id), stage.now())
        assert talk, "nobody waits"
        return talk.id


def _paul_says(database: Database, words: str) -> None:
    with transaction(database.backoffice) as session:
        paul = session.get_one(Agent, PAUL.id)
        talk = calling.leading(session, paul)
        assert talk, "no talk"
        person = brought_in.come_in(session, paul, talk.id, stage.now())
        assert person
        talks.write(session, talk.id, person.id, words, "fr", uuid4(), stage.now())


def paul_ends(database: Database) -> None:
    """Paul ends his talk, with a summary."""
    keys = SendingKeys(database.access_key, database.public_key)
    ending = Ending(
        TalkOutcome.ANSWERED, "", "Vous envoyez la lettre. Nous appelons le propriétaire.", uuid4()
    )
    with transaction(database.backoffice) as session:
        paul = session.get_one(Agent, PAUL.id)
        talk = calling.leading(session, paul)
        assert talk, "no talk"
        calling.end(session, paul, talk.id, ending, keys, stage.now())


def closes(database: Database, here: UUID) -> None:
    """As if it had never been: the pages that follow find no permanence open."""
    with transaction(database.owner) as session:
        session.execute(
            update(Talk)
            .where(Talk.state != TalkState.ENDED)
            .values(state=TalkState.ENDED, ended_at=stage.now())
        )
        session.execute(update(VirtualPermanence).where(VirtualPermanence.id == here).values(active=False))
        for table in ("permanence_desks", "permanence_times"):
            session.connection().exec_driver_sql(f"DELETE FROM {table}")
