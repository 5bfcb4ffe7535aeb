"""The kiosks of a house, as its agents keep them: made, removed, and somebody who waits for help at one."""

from __future__ import annotations

from datetime import datetime

import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import delete, func, select, text
from sqlalchemy.exc import DBAPIError

from casework import kiosks
from casework.cli import main
from casework.database import transaction
from casework.journal import Entry
from casework.kiosks import Kiosk, KioskCall, key_hash
from casework.waiting_room import Visit, VisitState
from tests.backoffice.colleague import Colleague, stored
from tests.clock import Clock
from tests.conftest import Database
from tests.people import MARC, NADIA
from tests.portal.kiosk_visitor import new_key
from tests.portal.test_kiosk_waiting import at_the_screen, state
from tests.portal.test_permanence import paul_calls


def calls(database: Database, key: str, now: datetime) -> bool:
    """Somebody at that kiosk calls the reception."""
    with transaction(database.portal) as session:
        return kiosks.call_reception(session, key_hash(database.access_key, key), now)


def test_a_manager_makes_a_kiosk_and_removes_it(marc: Colleague, database: Database) -> None:
    marc.open("/fr/lieux")
    assert "/fr/bornes" in marc.page.links()
    page = marc.open("/fr/bornes")
    page = marc.submit(name="L'entrée")
    address = next(box for box in page.of_class("address"))
    shown = "".join(address.itertext()).strip()
    assert shown.startswith("https://portail.example.org/borne/")
    key = shown.rsplit("/", 1)[1]
    with transaction(database.portal) as session:
        found = kiosks.standing(session, key_hash(database.access_key, key))
        assert found
        assert found.house_id == "poitiers"
    assert key not in marc.open("/fr/bornes").text, "it is shown once"
    assert "L'entrée" in marc.page.main
    marc.submit(action="/retirer")
    assert not calls(database, key, datetime.now().astimezone())
    with transaction(database.owner) as session:
        assert session.scalar(select(func.count()).select_from(Kiosk)) == 0
        done = session.execute(select(Entry.action, Entry.agent_id).where(Entry.action.like("kiosk%"))).all()
        assert [tuple(row) for row in done] == [("kiosk_set", MARC.id), ("kiosk_removed", MARC.id)]


def test_the_command_prints_the_address_or_the_houses_there_are(database: Database) -> None:
    environment = {
        "DATABASE_URL": database.urls[2],
        "ACCESS_KEY": database.access_key,
        "PORTAL_ADDRESS": "https://portail.example.org",
    }
    said = CliRunner().invoke(main, ["kiosk-key", "loudun", "Salle d'attente"], env=environment)
    assert said.exit_code == 0, said.output
    key = said.output.strip().removeprefix("https://portail.example.org/borne/")
    with transaction(database.portal) as session:
        found = kiosks.standing(session, key_hash(database.access_key, key))
        assert found
        assert found.house_id == "loudun"
    said = CliRunner().invoke(main, ["kiosk-key", "nowhere"], env=environment)
    assert (said.exit_code, "loudun, poitiers" in said.output) == (1, True)


def test_the_same_form_twice_is_one_kiosk(marc: Colleague, database: Database) -> None:
    """Reloading the page that shows the address makes no second key."""
    marc.open("/fr/bornes")
    path, data, _ = marc.prepare(name="L'entrée")
    assert "/borne/" in marc.ask("POST", path, data=data).text
    again = marc.ask("POST", path, data=data)
    assert again.status_code == 303
    page = marc.open(again.headers["Location"])
    assert "Cette borne est déjà ajoutée." in page.main
    assert not page.of_class("address")
    with transaction(database.owner) as session:
        assert session.scalar(select(func.count()).select_from(Kiosk)) == 1


def test_a_kiosk_without_a_name_is_asked_again(marc: Colleague) -> None:
    marc.open("/fr/bornes")
    assert "Écrivez où est la borne." in marc.submit(status=422, name=" ").main


def test_a_manager_alone_keeps_the_kiosks(nadia: Colleague, database: Database, now: datetime) -> None:
    new_key(database, now)
    assert nadia.open("/fr/lieux").links().count("/fr/bornes") == 0
    assert nadia.ask("GET", "/fr/bornes").status_code == 403


def test_the_queue_shows_who_waits_until_a_secretary_goes(
    nadia: Colleague, odile: Colleague, database: Database, now: datetime
) -> None:
    key = new_key(database, now)
    assert "à la borne" not in nadia.open("/fr/file").main
    before = nadia.ask("GET", "/fr/file/lignes").headers["ETag"]
    assert calls(database, key, now)
    assert calls(database, key, now), "twice is once"
    lines = nadia.ask("GET", "/fr/file/lignes")
    assert lines.headers["ETag"] != before, "the page that is open shows it by itself"
    assert lines.headers["ETag"] == nadia.ask("GET", "/fr/file/lignes").headers["ETag"]
    assert lines.text.count("Quelqu'un a besoin d'aide à la borne") == 1
    assert "à la borne" not in odile.open("/fr/file").main, "another house"
    page = nadia.open("/fr/file")
    assert "Entrée" in page.main
    with transaction(database.owner) as session:
        call = session.scalars(select(KioskCall)).one()
    token = odile.page.field("csrf_token")
    taken = odile.ask("POST", "/fr/bornes/vu", data={"csrf_token": token, "appel": str(call.id)})
    assert taken.status_code == 404
    token = page.field("csrf_token")
    for _ in range(2):
        seen = nadia.ask("POST", "/fr/bornes/vu", data={"csrf_token": token, "appel": str(call.id)})
        assert seen.status_code == 303
    assert "à la borne" not in nadia.open("/fr/file").main
    with transaction(database.owner) as session:
        call = session.scalars(select(KioskCall)).one()
        assert call.seen_by == NADIA.id
    assert calls(database, key, now), "and one may call again"
    assert "à la borne" in nadia.open("/fr/file").main


def test_a_call_nobody_answered_is_over_and_may_be_made_again(
    nadia: Colleague, database: Database, clock: Clock, now: datetime
) -> None:
    key = new_key(database, now)
    calls(database, key, now)
    clock.forward(minutes=14)
    assert "à la borne" in nadia.open("/fr/file").main
    clock.forward(minutes=1)
    assert "à la borne" not in nadia.open("/fr/file").main, "whoever called has left long ago"
    calls(database, key, clock())
    assert "à la borne" in nadia.open("/fr/file").main, "somebody else calls now"


def test_another_houses_kiosk_does_not_exist(
    backoffice: Flask, marc: Colleague, database: Database, now: datetime
) -> None:
    new_key(database, now, house="loudun")
    with transaction(database.owner) as session:
        kiosk_id = session.scalars(select(Kiosk.id)).one()
    token = marc.open("/fr/bornes").field("csrf_token")
    answer = marc.ask("POST", f"/fr/bornes/{kiosk_id}/retirer", data={"csrf_token": token})
    assert answer.status_code == 404


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM kiosks",
        "SELECT * FROM kiosk_calls",
        "DELETE FROM kiosks",
        "UPDATE kiosk_calls SET seen_at = now()",
    ],
)
def test_the_portal_reads_neither_kiosks_nor_calls(database: Database, now: datetime, statement: str) -> None:
    new_key(database, now)
    with database.portal.connect() as connection, pytest.raises(DBAPIError, match="permission denied"):
        connection.execute(text(statement))


def test_agents_may_not_ask_for_the_portal(database: Database) -> None:
    with database.backoffice.connect() as connection, pytest.raises(DBAPIError, match="permission denied"):
        connection.execute(text("SELECT call_reception('x', now())"))
    with transaction(database.backoffice) as session:
        session.execute(delete(Kiosk))


def test_who_was_called_at_a_wiped_screen_is_not_lost(
    portal: Flask, database: Database, paul: Colleague, clock: Clock
) -> None:
    """He walked away from the kiosk; his name came up; the screen was wiped. Paul sees where he was, and acts."""
    moreau = at_the_screen(portal, database, clock())
    talk_id = paul_calls(database, clock())
    moreau.open("/fr/borne/fin?sur=1")
    assert state(database) is VisitState.CALLED
    assert "A quitté la borne" in paul.open("/fr/permanence").main
    assert "(sorti)" in paul.open(f"/fr/permanence/entretien/{talk_id}").main
    paul.submit(action="/absent")
    lines = paul.ask("GET", "/fr/permanence/lignes").get_data(as_text=True)
    assert "A quitté la borne" in lines
    assert "Maison départementale de la solidarité de Poitiers, Entrée" in lines
    visit_id = stored(database, Visit)[0].id
    paul.open(f"/fr/permanence/attente/{visit_id}")
    assert "Aucun numéro n'est connu." in paul.page.main
    paul.submit(("acte", "regle"))
    assert state(database) is VisitState.LEFT
    assert "Marcel" not in paul.page.main
    paul.ask("POST", f"/fr/permanence/attente/{visit_id}/borne")
    assert state(database) is VisitState.LEFT
