"""After an appointment: came, and how long; excused, did not come, or moved. One tap each, and slips are set right."""

from __future__ import annotations

from datetime import date, time, timedelta

import pytest

from casework.appointments import Appointment, Standing
from tests.backoffice.colleague import Colleague
from tests.casework.asking import BY_MAIL, Asked, ask, journal_of
from tests.clock import Clock
from tests.conftest import Database
from tests.pages import words
from tests.people import PAUL
from tests.portal.receiving import appointments_of, receives
from tests.visitor import Visitor

pytestmark = pytest.mark.long

TODAY, NEXT_TUESDAY = date(2026, 11, 3), date(2026, 11, 10)


@pytest.fixture
def marcel(database: Database, nadia: Colleague, clock: Clock) -> Asked:
    """Marcel had an appointment with Paul at half past ten; it is noon."""
    asked = ask(database, clock.now, BY_MAIL)
    receives(database, TODAY, time(10, 30), time(11))
    nadia.reads(asked.id)
    nadia.submit(("slot", nadia.page.of_class("slot")[0].get("value", "")))
    clock.forward(hours=1, minutes=50)
    nadia.open("/fr/connexion")
    nadia.signs_in()
    return asked


def the_one(database: Database, asked: Asked) -> Appointment:
    return appointments_of(database, asked.id)[0]


def buttons(visitor: Visitor, name: str) -> list[str]:
    return [one.get("value", "") for one in visitor.page.html.iter("button") if one.get("name") == name]


def ends(database: Database, asked: Asked) -> list[tuple[str, int | None]]:
    """What the journal says of how it ended."""
    return [
        (details["how"], details.get("minutes"))
        for action, details in journal_of(database, asked.id)
        if action == "ended"
    ]


def test_came_and_how_long_by_one_tap_each(nadia: Colleague, marcel: Asked, database: Database) -> None:
    nadia.reads(marcel.id)
    assert buttons(nadia, "duree") == [], "how long is asked of those who came"
    nadia.submit(("suite", "came"))
    assert buttons(nadia, "duree") == ["15", "30", "45", "60", "90"]
    nadia.submit(("duree", "45"))
    assert "45 minutes" in words(nadia.page.of_class("appointments")[0])
    nadia.submit(("duree", "60"))
    assert the_one(database, marcel).minutes_spent == 60
    assert ends(database, marcel) == [("came", None), ("came", 45), ("came", 60)]


def test_did_not_come_after_all_took_no_time(nadia: Colleague, marcel: Asked, database: Database) -> None:
    nadia.reads(marcel.id)
    nadia.submit(("suite", "came"))
    nadia.submit(("duree", "30"))
    path, data, _ = nadia.prepare(("duree", "15"))
    nadia.submit(("suite", "missed"))
    one = the_one(database, marcel)
    assert (one.state, one.minutes_spent) == (Standing.MISSED, None)
    assert "fait=late" in nadia.ask("POST", path, data=data).headers["Location"]
    for nonsense in ("", "0", "-15", "31", "x"):
        assert nadia.ask("POST", path, data={**data, "duree": nonsense}).status_code == 400


@pytest.mark.parametrize("said", [None, "excused", "missed"])
def test_it_was_moved_is_said_afterwards_too(
    nadia: Colleague, marcel: Asked, database: Database, said: str | None
) -> None:
    receives(database, NEXT_TUESDAY, time(9), time(9, 30))
    nadia.reads(marcel.id)
    if said:
        nadia.submit(("suite", said))
    page = nadia.open(next(link for link in nadia.page.links() if link.endswith("/deplacer")))
    nadia.submit(("slot", page.of_class("slot")[0].get("value", "")))
    former, later = appointments_of(database, marcel.id)
    assert (former.state, later.state, later.moved_from) == (Standing.MOVED, Standing.BOOKED, former.id)
    assert later.start - former.start > timedelta(days=6)
    assert journal_of(database, marcel.id)[-1][0] == "moved"
    assert buttons_after(nadia, marcel) == [], "how it ended is said"


def buttons_after(nadia: Colleague, asked: Asked) -> list[str]:
    nadia.reads(asked.id)
    return buttons(nadia, "suite")


def test_who_came_was_not_moved(nadia: Colleague, marcel: Asked, database: Database) -> None:
    receives(database, NEXT_TUESDAY, time(9), time(9, 30))
    nadia.reads(marcel.id)
    page = nadia.open(next(link for link in nadia.page.links() if link.endswith("/deplacer")))
    path, data, _ = nadia.prepare(("slot", page.of_class("slot")[0].get("value", "")))
    nadia.reads(marcel.id)
    nadia.submit(("suite", "came"))
    assert not [link for link in nadia.page.links() if link.endswith("/deplacer")]
    assert "fait=late" in nadia.ask("POST", path, data=data).headers["Location"]
    assert [one.state for one in appointments_of(database)] == [Standing.CAME]


def test_odile_of_another_house_says_nothing_of_it(
    odile: Colleague, nadia: Colleague, marcel: Asked, database: Database
) -> None:
    nadia.reads(marcel.id)
    nadia.submit(("suite", "came"))
    path, data, _ = nadia.prepare(("duree", "45"))
    odile.signs_in()
    data["csrf_token"] = odile.open("/fr/file").field("csrf_token")
    assert odile.ask("POST", path, data=data).status_code == 404
    assert the_one(database, marcel).agent_id == PAUL.id
