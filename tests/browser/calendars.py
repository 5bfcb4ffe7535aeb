"""The page that shares an agenda with other calendars, in the states worth a look, and an agenda with a clash."""

from __future__ import annotations

from sqlalchemy import select

from casework.agenda import BusyTime
from casework.appointments import Appointment, Standing
from casework.caldav import Trouble
from casework.calendar_links import CalendarLink
from casework.database import transaction
from tests.browser.walking import AgentsWalk, tap
from tests.conftest import Database

PAGE = "/agenda/calendrier"
LONG_LOGIN = "un.identifiant.vraiment.long@un-nom-de-domaine-long.departement.example"


def agents_calendars(walk: AgentsWalk, database: Database) -> None:
    """Nothing shared; the address shown; a link with its mistakes, its trouble, its end; a clash in a week."""
    walk.open(PAGE, "calendar, nothing shared")
    tap(walk.page, f"form[action$='{PAGE}/lien'] .button")
    walk.look("calendar, nothing written")
    tap(walk.page, f"form[action$='{PAGE}/adresse'] .button")
    walk.look("calendar, the secret address")
    walk.page.locator("#login").fill(LONG_LOGIN)
    walk.page.locator("#password").fill("un mot de passe")
    tap(walk.page, f"form[action$='{PAGE}/lien'] .button")
    walk.look("calendar, linked")
    with transaction(database.owner) as session:
        session.scalars(select(CalendarLink)).one().error = Trouble.PASSWORD
    walk.open(PAGE, "calendar, its password refused")
    tap(walk.page, f"form[action$='{PAGE}/lien/retirer'] .button")
    walk.look("calendar, leaving")
    with transaction(database.owner) as session:
        booked = session.scalars(select(Appointment).where(Appointment.state == Standing.BOOKED)).first()
        assert booked, "somebody has an appointment"
        session.add(BusyTime(agent_id=booked.agent_id, source="caldav:a:b", during=booked.during))
        week = "{}-W{:02d}".format(*booked.start.isocalendar()[:2])
        agent_id = booked.agent_id
    walk.open(f"/agenda?agent={agent_id}&semaine={week}", "agenda, a clash")
