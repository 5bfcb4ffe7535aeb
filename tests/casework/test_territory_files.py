"""A département's own files: each mistake is named with its line, all at once; loading is safe to repeat."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from datetime import datetime, time, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from casework import agenda, agents, appointments, slots, territory, territory_files
from casework.agenda import Audience, Kind, Mode, OpeningRule
from casework.agents import Agent
from casework.appointments import Appointment
from casework.database import Base, transaction
from casework.requests import Request
from casework.settings import ROOT
from casework.territory import Commune, House, Place, PlaceKind, Sector, SectorCommune, SectorWorker
from casework.territory_files import TerritoryError
from casework.vocabulary import Role, State, Urgency
from tests.conftest import Database

VIENNE = ROOT / "territory" / "vienne"

SMALL = {
    "communes.csv": """code_insee,nom,departement,codes_postaux,population
86194,Poitiers,86,86000,89916
86294,Vouillé,86,86190,3697
86102,Frozes,86,86190,621
""",
    "houses.csv": """id,name,address,postal_code,town,commune,phone,email,hours,receives_no_fixed_place,desks,step_free
poitiers,Maison de Poitiers,1 rue du Marché,86000,Poitiers,86194,+33536490001,p@example.org,Le matin.,yes,4,yes
vouille,Maison de Vouillé,2 rue du Marché,86190,Vouillé,86294,05 36 49 00 02,v@example.org,Le matin.,no,2,oui
""",
    "sectors.csv": """id,name,house,mode
centre,Poitiers centre,poitiers,pooled
auxance,Vallée de l'Auxance,vouille,cosectorised
""",
    "team.csv": """login,name,house,roles,share,sectors
nadia.roux,Nadia Roux,poitiers,secretary,1,
paul.petit,Paul Petit,poitiers,worker,"0,8",centre
louise.morin,Louise Morin,vouille,worker manager,1,auxance
""",
    "sector_communes.csv": """commune,sector,referent
86194,centre,
86294,auxance,
86102,auxance,louise.morin
""",
    "permanences.csv": """id,house,commune,place,times,by_appointment,desks,step_free,confidential,connected
frozes-mairie,vouille,86102,Mairie,Le mardi matin.,yes,1,no,yes,non
frozes-marche,vouille,86102,Halle,Le jeudi matin.,no,1,yes,no,no
""",
    "kinds.csv": """id,name,minutes,gap_minutes,bring
first,Premier rendez-vous,30,0,"Une pièce d'identité.
Vos lettres."
home,Visite chez vous,60,10,
""",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A territory of three communes and two houses, without fault."""
    for file, content in SMALL.items():
        (tmp_path / file).write_text(content, encoding="utf-8")
    shutil.copy(VIENNE / "identity.yaml", tmp_path)
    return tmp_path


def put(folder: Path, file: str, old: str, new: str) -> None:
    """Change one thing in a file; it must be there."""
    content = (folder / file).read_text(encoding="utf-8")
    assert old in content
    (folder / file).write_text(content.replace(old, new, 1), encoding="utf-8")


def problems(folder: Path) -> list[str]:
    return [str(problem) for problem in territory_files.check(folder)]


def test_the_demonstration_has_no_fault() -> None:
    assert problems(VIENNE) == []


def test_a_small_territory_has_no_fault(folder: Path) -> None:
    assert problems(folder) == []


# What is wrong: in this file, this text changed into that one; what is said of it: where, and the sentence.
MISTAKES = [
    ("sector_communes.csv", "86294,auxance", "86999,auxance", "sector_communes.csv:3",
     "unknown commune “86999”: it is not in communes.csv."),
    ("sector_communes.csv", "86294,auxance,", "86294,auxance,\n86194,auxance,", "sector_communes.csv:4",
     "commune 86194 is in two sectors: centre (line 2) and auxance. Keep one."),
    ("sector_communes.csv", "86294,auxance,\n", "", "communes.csv:3",
     "commune 86294 (Vouillé) is in no sector of sector_communes.csv."),
    ("team.csv", '"0,8",centre', '"0,8",', "sectors.csv:2",
     "sector centre has no worker: name it in the sectors of somebody in team.csv."),
    ("sectors.csv", "centre,poitiers", "centre,chauvigny", "sectors.csv:2",
     "unknown house “chauvigny”: it is not in houses.csv."),
    ("sector_communes.csv", "auxance,louise.morin", "auxance,paul.petit", "sector_communes.csv:4",
     "referent paul.petit is not a worker of sector auxance in team.csv."),
    ("sector_communes.csv", "86194,centre,", "86194,centre,paul.petit", "sector_communes.csv:2",
     "sector centre is pooled: its communes have no referent."),
    ("sector_communes.csv", "auxance,louise.morin", "auxance,", "sectors.csv:3",
     "sector auxance is cosectorised, but none of its communes has a referent."),
    ("team.csv", "secretary", "receptionist", "team.csv:2",
     "unknown role “receptionist”: secretary, worker, manager."),
    ("team.csv", "manager,1,", "manager,1.2,", "team.csv:4",
     "share “1.2” is not a part of full time: more than 0, at most 1."),
    ("team.csv", "manager,1,", "manager,0,", "team.csv:4",
     "share “0” is not a part of full time: more than 0, at most 1."),
    ("team.csv", "manager,1,", "manager,nan,", "team.csv:4",
     "share “nan” is not a part of full time: more than 0, at most 1."),
    ("team.csv", "manager,1,", "manager,full,", "team.csv:4",
     "share “full” is not a part of full time: more than 0, at most 1."),
    ("team.csv", "nadia.roux", "Paul.Petit", "team.csv:3", "login “paul.petit” is already on line 2."),
    ("team.csv", "secretary,1,", "secretary,1,centre", "team.csv:2",
     "nadia.roux has sectors but is not a worker."),
    ("team.csv", "1,auxance", "1,auxance centre", "team.csv:4",
     "louise.morin works for house vouille, but sector centre is of house poitiers."),
    ("team.csv", "1,auxance", "1,auxance auxance", "team.csv:4", "sector auxance is there twice."),
    ("team.csv", "1,auxance", "1,auxance nord", "team.csv:4",
     "unknown sector “nord”: it is not in sectors.csv."),
    ("sectors.csv", "auxance,", "centre,", "sectors.csv:3", "id “centre” is already on line 2."),
    ("sectors.csv", "pooled", "shared", "sectors.csv:2", "unknown mode “shared”: pooled or cosectorised."),
    ("sectors.csv", "auxance,Vallée", "nord,Nord,vouille,pooled\nauxance,Vallée", "sectors.csv:3",
     "sector nord has no commune in sector_communes.csv."),
    ("houses.csv", "Le matin.,yes", "Le matin.,no", "houses.csv",
     "no house with receives_no_fixed_place at yes: exactly one is needed."),
    ("houses.csv", "Le matin.,no", "Le matin.,oui", "houses.csv",
     "2 houses (poitiers, vouille) with receives_no_fixed_place at yes: exactly one is needed."),
    ("houses.csv", "Le matin.,no", "Le matin.,peut-être", "houses.csv:3",
     "receives_no_fixed_place is yes or no, not “peut-être”."),
    ("houses.csv", "05 36 49 00 02", "05 36", "houses.csv:3", "“05 36” is not a telephone number."),
    ("houses.csv", "v@example.org", "v at example", "houses.csv:3",
     "“v at example” is not an e-mail address."),
    ("houses.csv", "86190,Vouillé", "8619,Vouillé", "houses.csv:3",
     "“8619” is not a postal code: 5 digits."),
    ("houses.csv", "Maison de Vouillé", "", "houses.csv:3", "nothing in name."),
    ("houses.csv", "2 rue du Marché", "2, rue du Marché", "houses.csv:3",
     "more cells than columns: a text that holds the separator needs quotes around it."),
    ("communes.csv", "86000,89916", "86000;8600,89916", "communes.csv:2",
     "“86000;8600” is not a postal code: 5 digits, a space between two codes."),
    ("communes.csv", "621", "six cents", "communes.csv:4",
     "population “six cents” is not a whole number."),
    ("communes.csv", "population\n86194,Poitiers,86,86000,89916",
     "population,latitude,longitude\n86194,Poitiers,86,86000,89916,46.58,", "communes.csv:2",
     "latitude and longitude go together: both, or neither."),
    ("communes.csv", "population\n86194,Poitiers,86,86000,89916",
     "population,latitude,longitude\n86194,Poitiers,86,86000,89916,46.58N,0.34", "communes.csv:2",
     "latitude “46.58N” is not a number of degrees from -90 to 90."),
    ("communes.csv", "population\n86194,Poitiers,86,86000,89916",
     "population,latitude,longitude\n86194,Poitiers,86,86000,89916,46.58,181", "communes.csv:2",
     "longitude “181” is not a number of degrees from -180 to 180."),
    ("houses.csv", "step_free\npoitiers,", ("step_free,stock_days\nx,Maison X,1 rue X,86000,Poitiers,86194,"
     "+33536490001,x@example.org,Le matin.,no,4,yes,cinq\npoitiers,"), "houses.csv:2",
     "stock_days “cinq” is not a whole number from 0 to 999."),
    ("permanences.csv", "vouille,86102", "vouille,86103", "permanences.csv:2",
     "unknown commune “86103”: it is not in communes.csv."),
    ("permanences.csv", "vouille,86102", "nord,86102", "permanences.csv:2",
     "unknown house “nord”: it is not in houses.csv."),
    ("permanences.csv", "yes,1,no,yes,non", "yes,0,no,yes,non", "permanences.csv:2",
     "desks “0” is not a whole number from 1 to 999."),
    ("permanences.csv", "yes,1,no,yes,non", "yes,deux,no,yes,non", "permanences.csv:2",
     "desks “deux” is not a whole number from 1 to 999."),
    ("permanences.csv", "yes,1,no,yes,non", "yes,1,plain,yes,non", "permanences.csv:2",
     "step_free is yes or no, not “plain”."),
    ("permanences.csv", "yes,1,no,yes,non", "yes,1,no,1,non", "permanences.csv:2",
     "confidential is yes or no, not “1”."),
    ("permanences.csv", "yes,1,no,yes,non", "yes,1,no,yes,4G", "permanences.csv:2",
     "connected is yes or no, not “4G”."),
    ("permanences.csv", "yes,1,no,yes,non", "yes,1,no,yes,", "permanences.csv:2", "nothing in connected."),
    ("permanences.csv", "frozes-marche", "Frozes-Mairie", "permanences.csv:3",
     "id “Frozes-Mairie” is already on line 2."),
    ("permanences.csv", "frozes-marche", "mds-frozes", "permanences.csv:3",
     "id “mds-frozes” begins with mds-, which is kept for other places."),
    ("permanences.csv", "frozes-marche", "popup-frozes", "permanences.csv:3",
     "id “popup-frozes” begins with popup-, which is kept for other places."),
    ("houses.csv", "Poitiers,86194", "Poitiers,86999", "houses.csv:2",
     "unknown commune “86999”: it is not in communes.csv."),
    ("houses.csv", "yes,4,yes", "yes,-4,yes", "houses.csv:2",
     "desks “-4” is not a whole number from 1 to 999."),
    ("houses.csv", "yes,4,yes", "yes,4,", "houses.csv:2", "nothing in step_free."),
    ("kinds.csv", "rendez-vous,30", "rendez-vous,0", "kinds.csv:2",
     "minutes “0” is not a whole number from 1 to 999."),
    ("kinds.csv", "rendez-vous,30", "rendez-vous,1440", "kinds.csv:2",
     "minutes “1440” is not a whole number from 1 to 999."),
    ("kinds.csv", "60,10", "60,dix", "kinds.csv:4",
     "gap_minutes “dix” is not a whole number from 0 to 999."),
    ("kinds.csv", "home,", "first,", "kinds.csv:4", "id “first” is already on line 2."),
    ("sectors.csv", "house,mode", "maison,mode", "sectors.csv:1", "column missing: house."),
    ("identity.yaml", 'phone: "+33536490000"', "phone: 33", "identity.yaml",
     'phone: expected a telephone number between quotes, such as "+33536490000", not “33”.'),
]  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new", "where", "sentence"), MISTAKES)
def test_each_mistake_is_named_with_its_place(
    folder: Path, *, file: str, old: str, new: str, where: str, sentence: str
) -> None:
    put(folder, file, old, new)
    assert f"{where}: {sentence}" in problems(folder)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (Path.unlink, "sectors.csv: missing. Its columns are id, name, house, mode."),
        (lambda path: path.write_text("", encoding="utf-8"), "sectors.csv:1: empty."),
        (
            lambda path: path.write_text("id,name,house,mode\n", encoding="utf-8"),
            "sectors.csv:1: empty: there is no line under the names of the columns.",
        ),
        (
            lambda path: path.write_bytes(SMALL["sectors.csv"].encode("latin-1")),
            "sectors.csv: not UTF-8. Save it again as “CSV UTF-8”.",
        ),
        (
            lambda path: path.write_text(
                'id,name,house,mode\ncentre,"Poitiers"x,p,pooled\n', encoding="utf-8"
            ),
            "sectors.csv: not CSV: ',' expected after '\"'.",
        ),
    ],
)
def test_a_file_that_cannot_be_read_is_one_problem_not_a_hundred(
    folder: Path, spoil: Callable[[Path], object], said: str
) -> None:
    spoil(folder / "sectors.csv")
    assert problems(folder) == [said]


def test_all_mistakes_are_reported_at_once_in_the_order_of_the_files(folder: Path) -> None:
    put(folder, "permanences.csv", "86102", "86103")
    put(folder, "team.csv", "secretary", "receptionist")
    put(folder, "sectors.csv", "centre,poitiers", "centre,chauvigny")
    put(folder, "houses.csv", "p@example.org", "p")
    put(folder, "identity.yaml", "service: Allervers", "service:")
    places = "identity.yaml: houses.csv:2: sectors.csv:2: team.csv:2: team.csv:3: permanences.csv:2:"
    assert [line.partition(" ")[0] for line in problems(folder)] == places.split()


def test_a_french_spreadsheet_writes_semicolons_and_a_mark(folder: Path) -> None:
    rows = list(csv.reader((folder / "sectors.csv").open(encoding="utf-8")))
    lines = "\r\n".join(";".join(row) for row in rows)
    (folder / "sectors.csv").write_text("\ufeff" + lines, encoding="utf-8")
    assert problems(folder) == []


def test_an_empty_folder_says_what_it_should_hold(tmp_path: Path) -> None:
    said = problems(tmp_path)
    assert len(said) == 8
    assert all("missing" in line for line in said)


def test_loading_la_vienne_gives_its_whole_territory(database: Database) -> None:
    with transaction(database.owner) as session:
        territory_files.load(session, VIENNE)
        territory_files.load(session, VIENNE)
        counted = {table: count(session, table) for table in (House, Commune, SectorCommune, Place, Kind)}
        assert counted == {House: 9, Commune: 265, SectorCommune: 265, Place: 93, Kind: 6}
        places = session.scalars(select(Place)).all()
        assert [place.kind for place in places].count(PlaceKind.PERMANENCE) == 84
        assert all(place.active for place in places)
        team = session.scalars(select(Agent).where(Agent.id > 100)).all()
        assert sum(agent.full_time_share for agent in team) == 159
        for house in session.scalars(select(House)):
            roles = [agent.roles for agent in team if agent.house_id == house.id]
            assert [roles.count([role]) for role in (Role.WORKER, Role.SECRETARY, Role.MANAGER)] == [11, 6, 2]
        assert territory.house_for(session, None).id == "poitiers"
        assert territory.house_for(session, "86102").id == "fontaine-le-comte"


def test_every_commune_of_la_vienne_lies_in_la_vienne(database: Database) -> None:
    with transaction(database.owner) as session:
        territory_files.load(session, VIENNE)
        communes = session.scalars(select(Commune)).all()
        points = {(one.latitude, one.longitude) for one in communes}
        assert len(points) == 265
        assert all(46.0 < (one.latitude or 0) < 47.2 for one in communes)
        assert all(-0.11 < (one.longitude or 9) < 1.22 for one in communes)


def test_coordinates_and_the_threshold_may_be_left_out(database: Database, folder: Path) -> None:
    with transaction(database.owner) as session:
        territory_files.load(session, folder)
        assert set(session.execute(select(Commune.latitude, Commune.longitude))) == {(None, None)}
        assert set(session.scalars(select(House.stock_days))) == {5}
    put(folder, "communes.csv", "population\n86194,Poitiers,86,86000,89916",
        "population,latitude,longitude\n86194,Poitiers,86,86000,89916,46.5802,\"0,3408\"")  # fmt: skip
    put(folder, "houses.csv", "step_free\n", "step_free,stock_days\n")
    put(folder, "houses.csv", "yes,4,yes", "yes,4,yes,12")
    with transaction(database.owner) as session:
        territory_files.load(session, folder)
        poitiers = session.get_one(Commune, "86194", populate_existing=True)
        assert (poitiers.latitude, poitiers.longitude) == (46.5802, 0.3408)
        days = dict(row for row in session.execute(select(House.id, House.stock_days)))
        assert (days["poitiers"], days["vouille"]) == (12, 5)


def test_a_folder_with_a_fault_changes_nothing(database: Database, folder: Path) -> None:
    put(folder, "team.csv", "secretary", "receptionist")
    with transaction(database.owner) as session:
        before = everything(session)
        with pytest.raises(TerritoryError, match=r"team\.csv:2: unknown role"):
            territory_files.load(session, folder)
        assert everything(session) == before


def test_loading_twice_changes_nothing(database: Database, folder: Path) -> None:
    with transaction(database.owner) as session:
        territory_files.load(session, folder)
        once = everything(session)
        territory_files.load(session, folder)
        assert everything(session) == once
        paul = session.scalars(select(Agent).where(Agent.login == "paul.petit")).one()
        assert (str(paul.full_time_share), paul.roles) == ("0.80", ["worker"])
        assert session.get_one(House, "vouille").phone == "+33536490002"


def test_reloading_moves_a_commune_and_keeps_its_requests(
    database: Database, folder: Path, now: datetime
) -> None:
    with transaction(database.owner) as session:
        territory_files.load(session, folder)
        session.add(amina_of_vouille(now))
    put(folder, "sector_communes.csv", "86294,auxance,", "86294,centre,")
    with transaction(database.owner) as session:
        territory_files.load(session, folder)
        moved = territory.sector_of(session, "86294")
        assert moved is not None
        assert moved.id == "centre"
        request = session.scalars(select(Request)).one()
        assert (request.house_id, request.sector_id) == ("vouille", "auxance")


def test_a_sector_that_left_the_files_stays_only_for_its_requests(
    database: Database, folder: Path, now: datetime
) -> None:
    with transaction(database.owner) as session:
        territory_files.load(session, folder)
        session.add(amina_of_vouille(now))
    put(folder, "sectors.csv", "auxance,", "ouest,")
    for file in ("team.csv", "sector_communes.csv"):
        content = (folder / file).read_text(encoding="utf-8").replace("auxance", "ouest")
        (folder / file).write_text(content, encoding="utf-8")
    with transaction(database.owner) as session:
        territory_files.load(session, folder)
        assert set(session.scalars(select(Sector.id))) == {"centre", "ouest", "auxance"}
        assert not session.scalars(select(SectorWorker).where(SectorWorker.sector_id == "auxance")).all()
        session.delete(session.scalars(select(Request)).one())
        session.flush()
        territory_files.load(session, folder)
        assert set(session.scalars(select(Sector.id))) == {"centre", "ouest"}


def test_an_agent_who_left_the_files_keeps_the_account_without_a_sector(
    database: Database, folder: Path
) -> None:
    with transaction(database.owner) as session:
        territory_files.load(session, folder)
        sarah = agents.known(session, "sarah.blanc")
        assert sarah is not None
        assert sarah.active
        assert not session.scalars(select(SectorWorker).where(SectorWorker.agent_id == sarah.id)).all()


def test_the_directory_keeps_the_share_that_the_files_gave(database: Database, folder: Path) -> None:
    with transaction(database.owner) as session:
        territory_files.load(session, folder)
        signed_in = agents.record(
            session, login="Paul.Petit", name="Paul Petit", house_id="poitiers", roles=["worker"]
        )
        assert str(signed_in.full_time_share) == "0.80"


def test_a_house_is_a_place_and_a_kind_says_what_to_bring(database: Database, folder: Path) -> None:
    with transaction(database.owner) as session:
        territory_files.load(session, folder)
        house = session.get_one(Place, "mds-vouille")
        assert (house.kind, house.house_id, house.commune_code) == (PlaceKind.HOUSE, "vouille", "86294")
        assert (house.name, house.times, house.desks) == ("Maison de Vouillé", "Le matin.", 2)
        assert (house.step_free, house.confidential, house.connected, house.by_appointment) == (True,) * 4
        mairie = session.get_one(Place, "frozes-mairie")
        assert (mairie.step_free, mairie.confidential, mairie.connected) == (False, True, False)
        first, home = session.get_one(Kind, "first"), session.get_one(Kind, "home")
        assert (first.minutes, first.gap_minutes, first.bring) == (
            30,
            0,
            "Une pièce d'identité.\nVos lettres.",
        )
        assert (home.minutes, home.gap_minutes, home.bring) == (60, 10, "")


def test_a_place_that_left_the_files_goes_unless_an_appointment_names_it(
    database: Database, folder: Path, now: datetime
) -> None:
    with transaction(database.owner) as session:
        territory_files.load(session, folder)
        session.add(amina_of_vouille(now))
        booked_at(session, "frozes-mairie", now)
    lines = (folder / "permanences.csv").read_text(encoding="utf-8").splitlines()
    other = "nord-mairie,vouille,86102,Mairie,Le lundi.,yes,1,no,no,no"
    (folder / "permanences.csv").write_text(f"{lines[0]}\n{other}\n", encoding="utf-8")
    with transaction(database.owner) as session:
        territory_files.load(session, folder)
        standing = {place.id: place.active for place in session.scalars(select(Place))}
        assert standing == {
            "mds-poitiers": True, "mds-vouille": True, "nord-mairie": True, "frozes-mairie": False,
        }  # fmt: skip
        assert session.scalars(select(Appointment.place_id)).one() == "frozes-mairie"
    (folder / "permanences.csv").write_text("\n".join(lines), encoding="utf-8")
    with transaction(database.owner) as session:
        territory_files.load(session, folder)
        assert session.get_one(Place, "frozes-mairie").active
        assert session.get(Place, "nord-mairie") is None


def test_a_house_that_left_the_files_stays_for_its_appointments_alone(
    database: Database, folder: Path, now: datetime
) -> None:
    with transaction(database.owner) as session:
        session.add(amina_of_vouille(now, house="loudun", sector="loudun"))
        booked_at(session, "mds-loudun", now, house="loudun", agent="hugo.girard")
    with transaction(database.owner) as session:
        territory_files.load(session, folder)
        assert not session.get_one(Place, "mds-loudun").active
        assert session.get(House, "loudun") is not None
        assert session.get(Commune, "86137") is not None


def test_a_popup_announced_by_an_agent_is_left_alone(database: Database, folder: Path) -> None:
    with transaction(database.owner) as session:
        territory_files.load(session, folder)
        session.add(
            Place(
                id="popup-1", kind=PlaceKind.POPUP, house_id="vouille", commune_code="86102",
                name="Marché", times="Le samedi 7 novembre.", by_appointment=False, desks=1,
                step_free=True, confidential=False, connected=False, active=True,
            )
        )  # fmt: skip
    with transaction(database.owner) as session:
        territory_files.load(session, folder)
        assert session.get_one(Place, "popup-1").active


def test_a_kind_that_left_the_files_stays_while_an_opening_offers_it(
    database: Database, folder: Path, now: datetime
) -> None:
    with transaction(database.owner) as session:
        territory_files.load(session, folder)
        assert set(session.scalars(select(Kind.id))) == {"first", "home"}
        rule = opening(session, "frozes-mairie", "vouille", "louise.morin", now)
    put(folder, "kinds.csv", "first,", "hello,")
    with transaction(database.owner) as session:
        territory_files.load(session, folder)
        assert set(session.scalars(select(Kind.id))) == {"first", "hello", "home"}
        session.delete(session.get_one(OpeningRule, rule.id))
        session.flush()
        territory_files.load(session, folder)
        assert set(session.scalars(select(Kind.id))) == {"hello", "home"}


def opening(session: Session, place: str, house: str, login: str, now: datetime) -> OpeningRule:
    """An agent receives tomorrow morning at a place."""
    agent = agents.known(session, login)
    assert agent is not None
    tomorrow = now.date() + timedelta(days=1)
    rule = OpeningRule(
        agent_id=agent.id, house_id=house, place_id=place, mode=Mode.HERE, kinds=["first"],
        audience=Audience.CITIZENS, languages=[], first_day=tomorrow, weekdays=[],
        starts_at=time(9), ends_at=time(12),
    )  # fmt: skip
    return agenda.keep(session, rule, now.date())


def booked_at(
    session: Session, place: str, now: datetime, house: str = "vouille", agent: str = "louise.morin"
) -> None:
    """Amina has an appointment there tomorrow; the rule that offered it is over."""
    rule = opening(session, place, house, agent, now)
    wanted = slots.Wanted([rule.agent_id], "first", [Mode.HERE])
    slot = slots.find(session, wanted, now, now, most=1)[0]
    appointments.hold(session, UUID(int=1), slot, now)
    appointments.confirm(session, UUID(int=1), now)
    session.delete(rule)
    session.flush()


def count(session: Session, table: type[Base]) -> int:
    """How many rows a table holds."""
    return session.scalar(select(func.count()).select_from(table)) or 0


def everything(session: Session) -> list[list[tuple[object, ...]]]:
    """All rows of the territory, in a fixed order."""
    tables = (House, Commune, Sector, Agent, SectorCommune, SectorWorker, Place, Kind)
    return [
        [
            tuple(row)
            for row in session.execute(select(table.__table__).order_by(*table.__table__.primary_key)).all()
        ]
        for table in tables
    ]


def amina_of_vouille(now: datetime, house: str = "vouille", sector: str = "auxance") -> Request:
    """A request from Vouillé, received by the house of Vouillé or by another."""
    return Request(
        id=UUID(int=1), number="123456782", language="ar", spoken_language="ar", state=State.RECEIVED,
        received_at=now, promised_by=now, themes=["money"], urgency=Urgency.NONE, urgent=False, words="",
        commune_code="86294", house_id=house, sector_id=sector, needs=[],
    )  # fmt: skip
