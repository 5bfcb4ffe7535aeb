"""The pages of group sessions, of both faces, in the states worth a look."""

from __future__ import annotations

from datetime import date, time, timedelta
from uuid import UUID, uuid4

from playwright.sync_api import Page
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import Range

from casework import sign_ups
from casework.agents import Agent
from casework.database import transaction
from casework.sessions import GroupSession, SessionState
from casework.sign_ups import SignUp
from tests.browser import stage
from tests.browser.walking import AgentsWalk, Look, tap
from tests.casework.asking import BY_TEXT, Asked, ask
from tests.casework.gathering import gather, plan
from tests.conftest import Database
from tests.people import HUGO, NADIA, ODILE


def sessions_for_everybody(page: Page, address: str, database: Database, look: Look) -> None:
    """The list, empty then full, and one session, for who has no request yet."""
    page.goto(f"{address}/ateliers")
    look("sessions, none")
    session_id = _in_two_weeks(database, seats=12)
    loudun = plan(_day(20), who=HUGO, place="mds-loudun", title="Le budget de la famille")
    gather(database, stage.now(), loudun, by=ODILE)
    page.goto(f"{address}/ateliers?maison=poitiers")
    look("sessions, listed")
    page.goto(f"{address}/ateliers/{session_id}")
    look("session, without a request")


def citizens_sessions(page: Page, address: str, database: Database, look: Look) -> None:
    """Signing a family up, a mistake, waiting, cancelling, called off."""
    here = _in_two_weeks(database, seats=3, start=time(16))
    page.goto(f"{address}/ateliers/{here}")
    look("session, with a request")
    page.locator("#names").fill("Lina, Karim")
    tap(page, "#sign-up .button")
    look("session, more names than people")
    page.locator("#people").select_option("2")
    tap(page, "#sign-up .button")
    look("session, signed up")
    tap(page, "main .button.secondary")
    look("session, who does not come?")
    tap(page, "button.tile")
    look("session, one seat given back")
    full = _in_two_weeks(database, seats=1, start=time(10))
    _fill(database, full, 1)
    page.goto(f"{address}/ateliers/{full}")
    tap(page, "#sign-up .button")
    look("session, waiting")
    page.goto(f"{address}/suivi")
    look("followed, with sessions")
    with transaction(database.owner) as session:
        session.execute(update(GroupSession).values(state=SessionState.CANCELLED))
    page.goto(f"{address}/ateliers/{full}")
    look("session, called off")


def agents_sessions(walk: AgentsWalk, database: Database, asked: Asked) -> None:
    """The list, a session with people and a waiting list, its forms, its sheet before and on the day."""
    walk.open("/ateliers", "sessions, none")
    session_id = _in_two_weeks(database, seats=5)
    _sign_up(database, session_id, asked, ["Amina", "Lina", ""])
    _fill(database, session_id, 2)
    _fill(database, session_id, 3)
    walk.open("/ateliers", "sessions, listed")
    walk.open("/ateliers/nouveau", "session, new")
    walk.open(f"/ateliers/{session_id}", "session, full")
    walk.open(f"/ateliers/{session_id}/changer", "session, change")
    walk.open(f"/ateliers/{session_id}/annuler", "session, cancel?")
    walk.open(f"/ateliers/{session_id}/feuille", "session, sheet before the day")
    walk.open(f"/demande/{asked.id}", "request, with a session")
    with transaction(database.owner) as session:
        hour = Range(stage.now() - timedelta(minutes=30), stage.now() + timedelta(hours=1), bounds="[)")
        session.execute(update(GroupSession).values(during=hour))
        first, second = session.scalars(select(SignUp).where(SignUp.seat.isnot(None)).limit(2)).all()
        nadia = session.get_one(Agent, NADIA.id)
        sign_ups.mark(session, nadia, first.id, sign_ups.SignUpState.CAME, stage.now())
        sign_ups.mark(session, nadia, second.id, sign_ups.SignUpState.MISSED, stage.now())
    walk.open(f"/ateliers/{session_id}/feuille", "session, sheet")
    with transaction(database.owner) as session:
        session.execute(
            update(GroupSession).values(state=SessionState.CANCELLED, cancelled_because="Salle inondée")
        )
    walk.open(f"/ateliers/{session_id}", "session, called off")


def _day(days: int) -> date:
    """So many days from now."""
    return stage.now().date() + timedelta(days=days)


def _in_two_weeks(database: Database, seats: int, start: time = time(14)) -> UUID:
    end = time(start.hour + 2)
    return gather(database, stage.now(), plan(_day(14), seats=seats, start=start, end=end))


def _fill(database: Database, session_id: UUID, people: int) -> None:
    """Somebody else signs people up."""
    _sign_up(database, session_id, ask(database, stage.now(), BY_TEXT), [""] * people)


def _sign_up(database: Database, session_id: UUID, asked: Asked, names: list[str]) -> None:
    with transaction(database.backoffice) as session:
        nadia = session.get_one(Agent, NADIA.id)
        sign_ups.sign_up(session, nadia, session_id, asked.id, names, uuid4(), stage.now())
