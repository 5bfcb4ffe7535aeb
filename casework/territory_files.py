"""A département's own territory, as it describes it in CSV files: checked whole, then loaded.

`check` reads the folder and says everything that is wrong at once, with the file and the line; `load` puts a
folder without fault in the database, as often as one likes. `territory/README.md` describes the columns.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from sqlalchemy import ColumnElement, Table, delete, exists, func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from casework import identity
from casework.agenda import Kind, OpeningRule
from casework.agents import Agent
from casework.models import Base
from casework.people import read_email, read_phone
from casework.territory import (
    Commune,
    House,
    Place,
    PlaceKind,
    Sector,
    SectorCommune,
    SectorMode,
    SectorWorker,
)
from casework.territory_rules import (
    FURTHEST_DEGREES,
    HOUSE_PLACE,
    RULES,
    YES_OR_NO,
    YES_OR_NO_COLUMNS,
    degrees,
    share,
)
from casework.territory_tables import COLUMNS, Problem, Row, Tables, read

DEFAULT_STOCK_DAYS = 5

__all__ = ["Problem", "TerritoryError", "check", "load"]


class TerritoryError(Exception):
    """The folder cannot be loaded; `problems` are those of `check`."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


def check(folder: Path) -> list[Problem]:
    """Everything that is wrong in a territory's folder, in the order of its files; empty when all is well."""
    tables, problems = read(folder)
    try:
        identity.load_identity(folder)
    except identity.IdentityError as error:
        problems += [Problem(identity.FILE, 0, problem) for problem in error.problems]
    for rule in RULES:
        problems += rule(tables)
    order = [identity.FILE, *COLUMNS]
    return sorted(problems, key=lambda problem: (order.index(problem.file), problem.line, problem.message))


def load(session: Session, folder: Path) -> None:
    """Make the database's territory the one of the folder. Loading it again changes nothing.

    Who works in which sector, which commune is in which sector, the places and the kinds of appointments become
    those of the files. Requests and appointments stay where they are. Agents who are not in `team.csv` keep their
    account, without a sector. A line that left the files stays only as long as something else names it, a place
    without being offered any more. Pop-up permanences are the agents' own: they stay.

    Raises:
        TerritoryError: the folder has problems; nothing is changed.
    """
    tables, _ = read(folder)
    if problems := check(folder):
        raise TerritoryError(problems)
    _save(session, House, "id", [_house(row) for row in tables["houses.csv"]])
    _save(session, Commune, "code", [_commune(row) for row in tables["communes.csv"]])
    _save(session, Sector, "id", [_sector(row) for row in tables["sectors.csv"]])
    _save(session, Agent, "login", [_agent(row) for row in tables["team.csv"]])
    _save(session, Place, "id", [_place_of_house(row) for row in tables["houses.csv"]])
    _save(session, Place, "id", [_permanence(row) for row in tables["permanences.csv"]])
    _save(session, Kind, "id", [_kind(row) for row in tables["kinds.csv"]])
    for table in (SectorWorker, SectorCommune):
        session.execute(delete(table))
    ids = {row.login: row.id for row in session.execute(select(Agent.login, Agent.id))}
    session.execute(insert(SectorWorker), _sector_workers(tables, ids))
    session.execute(insert(SectorCommune), _sector_communes(tables, ids))
    _drop_what_left(session, tables)
    session.expire_all()


def _save(session: Session, table: type[Base], key: str, rows: list[dict[str, Any]]) -> None:
    """Add the rows, or change those already there."""
    statement = upsert(table)
    changed = {name: statement.excluded[name] for name in rows[0] if name != key}
    session.execute(statement.on_conflict_do_update(index_elements=[key], set_=changed), rows)


def _drop_what_left(session: Session, tables: Tables) -> None:
    houses = [row["id"] for row in tables["houses.csv"]]
    places = [HOUSE_PLACE + house for house in houses] + [row["id"] for row in tables["permanences.csv"]]
    left_place = Place.id.not_in(places) & (Place.kind != PlaceKind.POPUP)
    session.execute(delete(Place).where(left_place, ~_named(Place)))
    session.execute(update(Place).where(left_place).values(active=False))
    session.execute(
        delete(Kind).where(
            Kind.id.not_in([row["id"] for row in tables["kinds.csv"]]),
            ~_named(Kind),
            ~exists().where(Kind.id == func.any(OpeningRule.kinds)),
        )
    )
    sectors = [row["id"] for row in tables["sectors.csv"]]
    session.execute(delete(Sector).where(Sector.id.not_in(sectors), ~_named(Sector)))
    communes = [row["code_insee"] for row in tables["communes.csv"]]
    session.execute(delete(Commune).where(Commune.code.not_in(communes), ~_named(Commune)))
    session.execute(update(House).where(House.id.not_in(houses)).values(receives_no_fixed_place=False))
    session.execute(delete(House).where(House.id.not_in(houses), ~_named(House)))


def _named(model: type[Base]) -> ColumnElement[bool]:
    """Some row of another table names this one: every foreign key of the schema that leads here is asked."""
    here = cast(Table, model.__table__)
    return or_(
        *(
            exists().where(key.parent == key.column)
            for table in Base.metadata.sorted_tables
            for key in table.foreign_keys
            if key.column.table is here and table is not here
        )
    )


def _house(row: Row) -> dict[str, Any]:
    kept = {column: row[column] for column in ("id", "name", "address", "postal_code", "town", "hours")}
    return kept | {
        "phone": read_phone(row["phone"]),
        "email": read_email(row["email"]),
        "receives_no_fixed_place": YES_OR_NO[row["receives_no_fixed_place"].lower()],
        "stock_days": int(row["stock_days"] or DEFAULT_STOCK_DAYS),
    }


def _commune(row: Row) -> dict[str, Any]:
    return {
        "code": row["code_insee"],
        "name": row["nom"],
        "postal_codes": row.words("codes_postaux"),
        "population": int(row["population"]),
        **{column: degrees(row[column], most) for column, most in FURTHEST_DEGREES.items()},
    }


def _sector(row: Row) -> dict[str, Any]:
    return {"id": row["id"], "name": row["name"], "house_id": row["house"], "mode": SectorMode(row["mode"])}


def _agent(row: Row) -> dict[str, Any]:
    return {
        "login": row["login"].lower(),
        "name": row["name"],
        "house_id": row["house"],
        "roles": row.words("roles"),
        "full_time_share": share(row["share"]),
        "active": True,
    }


def _sector_workers(tables: Tables, ids: dict[str, int]) -> list[dict[str, Any]]:
    return [
        {"sector_id": sector, "agent_id": ids[row["login"].lower()]}
        for row in tables["team.csv"]
        for sector in row.words("sectors")
    ]


def _sector_communes(tables: Tables, ids: dict[str, int]) -> list[dict[str, Any]]:
    return [
        {
            "commune_code": row["commune"],
            "sector_id": row["sector"],
            "referent_id": ids[row["referent"].lower()] if row["referent"] else None,
        }
        for row in tables["sector_communes.csv"]
    ]


def _place_of_house(row: Row) -> dict[str, Any]:
    """The house itself as a place where one is received: its desks are closed rooms, with a network."""
    return {
        "id": HOUSE_PLACE + row["id"],
        "kind": PlaceKind.HOUSE,
        "house_id": row["id"],
        "commune_code": row["commune"],
        "name": row["name"],
        "times": row["hours"],
        "by_appointment": True,
        "desks": int(row["desks"]),
        "step_free": YES_OR_NO[row["step_free"].lower()],
        "confidential": True,
        "connected": True,
        "active": True,
    }


def _permanence(row: Row) -> dict[str, Any]:
    return {
        "id": row["id"],
        "kind": PlaceKind.PERMANENCE,
        "house_id": row["house"],
        "commune_code": row["commune"],
        "name": row["place"],
        "times": row["times"],
        "desks": int(row["desks"]),
        "active": True,
        **{column: YES_OR_NO[row[column].lower()] for column in YES_OR_NO_COLUMNS["permanences.csv"]},
    }


def _kind(row: Row) -> dict[str, Any]:
    return {
        "id": row["id"],
        "name": row["name"],
        "minutes": int(row["minutes"]),
        "gap_minutes": int(row["gap_minutes"]),
        "bring": row["bring"],
    }
