"""What makes a territory's files coherent: each rule reads the tables and says what is wrong, with the line."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal, InvalidOperation

from casework.people import UnreachableError, read_email, read_phone
from casework.territory import SectorMode
from casework.territory_tables import COLUMNS, MAY_BE_EMPTY, UNIQUE, Problem, Row, Tables
from casework.vocabulary import Role

YES_OR_NO = {"yes": True, "oui": True, "no": False, "non": False}
YES_OR_NO_COLUMNS = {
    "houses.csv": ("step_free", "receives_no_fixed_place"),
    "permanences.csv": ("by_appointment", "step_free", "confidential", "connected"),
}
NUMBERS = {
    "houses.csv": {"desks": 1, "stock_days": 0},
    "permanences.csv": {"desks": 1},
    "kinds.csv": {"minutes": 1, "gap_minutes": 0},
}
"""The whole numbers of small size, and the least of each."""
LARGEST_NUMBER = 999
FURTHEST_DEGREES = {"latitude": 90, "longitude": 180}
HOUSE_PLACE, POPUP_PLACE = "mds-", "popup-"
"""How the ids of places begin that are no line of `permanences.csv`: the houses, and what agents announced."""


def share(cell: str) -> Decimal | None:
    """A full-time share in (0, 1], to a hundredth; None when it is not one."""
    try:
        share = Decimal(cell.replace(",", ".")).quantize(Decimal("0.01"))
    except InvalidOperation:
        return None
    return share if share.is_finite() and 0 < share <= 1 else None


def degrees(cell: str, most: int) -> float | None:
    """Degrees between -`most` and `most`, with a point or a comma; None when it is none."""
    plain = cell.replace(",", ".")
    value = float(plain) if re.fullmatch(r"-?[0-9]{1,3}(\.[0-9]+)?", plain) else None
    return value if value is not None and abs(value) <= most else None


def _values(tables: Tables, file: str, column: str) -> set[str] | None:
    """What a column holds; None when the file could not be read: one fault is said once."""
    return {row[column] for row in tables[file]} if file in tables else None


def _cells_filled(tables: Tables) -> Iterator[Problem]:
    for file, rows in tables.items():
        for row in rows:
            if empty := [
                column for column in COLUMNS[file] if not row[column] and column not in MAY_BE_EMPTY
            ]:
                yield row.problem(f"nothing in {', '.join(empty)}.")
            if row.surplus:
                yield row.problem(
                    "more cells than columns: a text that holds the separator needs quotes around it."
                )


def _no_duplicates(tables: Tables) -> Iterator[Problem]:
    for file, rows in tables.items():
        column = UNIQUE[file]
        first: dict[str, Row] = {}
        for row in rows:
            before = first.setdefault(row[column].lower(), row)
            if before is row or not row[column]:
                continue
            if file == "sector_communes.csv" and before["sector"] != row["sector"]:
                both = f"{before['sector']} (line {before.line}) and {row['sector']}"
                yield row.problem(f"commune {row['commune']} is in two sectors: {both}. Keep one.")
            else:
                yield row.problem(f"{column} “{row[column]}” is already on line {before.line}.")


def _known_names(tables: Tables) -> Iterator[Problem]:
    """Every house, sector and commune that a line names has its own line."""
    sources = {
        "house": ("houses.csv", "id"),
        "sector": ("sectors.csv", "id"),
        "commune": ("communes.csv", "code_insee"),
    }
    for what, (source, key) in sources.items():
        known = _values(tables, source, key)
        if known is None:
            continue
        for file, rows in tables.items():
            column = "sectors" if file == "team.csv" and what == "sector" else what
            for row in rows if column in COLUMNS[file] else []:
                for name in row.words(column) if column == "sectors" else [row[column]]:
                    if name and name not in known:
                        yield row.problem(f"unknown {what} “{name}”: it is not in {source}.")


def _readable_cells(tables: Tables) -> Iterator[Problem]:
    for row in tables.get("communes.csv", []):
        for code in row.words("codes_postaux"):
            if not re.fullmatch(r"[0-9]{5}", code):
                yield row.problem(f"“{code}” is not a postal code: 5 digits, a space between two codes.")
        if row["population"] and not re.fullmatch(r"[0-9]+", row["population"]):
            yield row.problem(f"population “{row['population']}” is not a whole number.")
        for column, most in FURTHEST_DEGREES.items():
            if row[column] and degrees(row[column], most) is None:
                yield row.problem(
                    f"{column} “{row[column]}” is not a number of degrees from -{most} to {most}."
                )
        if bool(row["latitude"]) != bool(row["longitude"]):
            yield row.problem("latitude and longitude go together: both, or neither.")
    for row in tables.get("houses.csv", []):
        if row["postal_code"] and not re.fullmatch(r"[0-9]{5}", row["postal_code"]):
            yield row.problem(f"“{row['postal_code']}” is not a postal code: 5 digits.")
        yield from _reachable(row, "phone", read_phone, "a telephone number")
        yield from _reachable(row, "email", read_email, "an e-mail address")
    modes = [mode.value for mode in SectorMode]
    for row in tables.get("sectors.csv", []):
        if row["mode"] and row["mode"] not in modes:
            yield row.problem(f"unknown mode “{row['mode']}”: {' or '.join(modes)}.")


def _yes_or_no(tables: Tables) -> Iterator[Problem]:
    for file, columns in YES_OR_NO_COLUMNS.items():
        for row in tables.get(file, []):
            for column in columns:
                if row[column] and row[column].lower() not in YES_OR_NO:
                    yield row.problem(f"{column} is yes or no, not “{row[column]}”.")


def _small_numbers(tables: Tables) -> Iterator[Problem]:
    for file, columns in NUMBERS.items():
        for row in tables.get(file, []):
            for column, least in columns.items():
                written = row[column]
                number = int(written) if re.fullmatch(r"[0-9]{1,9}", written) else -1
                if written and not least <= number <= LARGEST_NUMBER:
                    yield row.problem(
                        f"{column} “{written}” is not a whole number from {least} to {LARGEST_NUMBER}."
                    )


def _ids_of_permanences(tables: Tables) -> Iterator[Problem]:
    for row in tables.get("permanences.csv", []):
        for taken in (HOUSE_PLACE, POPUP_PLACE):
            if row["id"].startswith(taken):
                yield row.problem(f"id “{row['id']}” begins with {taken}, which is kept for other places.")


def _reachable(row: Row, column: str, reader: Callable[[str], str], what: str) -> Iterator[Problem]:
    try:
        reader(row[column])
    except UnreachableError:
        if row[column]:
            yield row.problem(f"“{row[column]}” is not {what}.")


def _one_house_for_no_fixed_place(tables: Tables) -> Iterator[Problem]:
    if "houses.csv" not in tables:
        return
    rows = [row for row in tables["houses.csv"] if YES_OR_NO.get(row["receives_no_fixed_place"].lower())]
    if len(rows) != 1:
        found = f"{len(rows)} houses ({', '.join(row['id'] for row in rows)})" if rows else "no house"
        yield Problem("houses.csv", 0, f"{found} with receives_no_fixed_place at yes: exactly one is needed.")


def _team(tables: Tables) -> Iterator[Problem]:
    house_of = {row["id"]: row["house"] for row in tables.get("sectors.csv", [])}
    known_roles = [role.value for role in Role]
    for row in tables.get("team.csv", []):
        for role in row.words("roles"):
            if role not in known_roles:
                yield row.problem(f"unknown role “{role}”: {', '.join(known_roles)}.")
        if row["share"] and share(row["share"]) is None:
            yield row.problem(f"share “{row['share']}” is not a part of full time: more than 0, at most 1.")
        if row["sectors"] and Role.WORKER not in row.words("roles"):
            yield row.problem(f"{row['login']} has sectors but is not a {Role.WORKER.value}.")
        for sector, times in Counter(row.words("sectors")).items():
            if times > 1:
                yield row.problem(f"sector {sector} is there twice.")
            if house_of.get(sector, row["house"]) != row["house"]:
                elsewhere = f"sector {sector} is of house {house_of[sector]}"
                yield row.problem(f"{row['login']} works for house {row['house']}, but {elsewhere}.")


def _sectors_staffed(tables: Tables) -> Iterator[Problem]:
    """Each sector has workers and communes; a cosectorised one has referents, a pooled one has none."""
    placed = tables.get("sector_communes.csv")
    for row in tables.get("sectors.csv", []):
        if "team.csv" in tables and not _workers_of(tables, row["id"]):
            yield row.problem(
                f"sector {row['id']} has no worker: name it in the sectors of somebody in team.csv."
            )
        if placed is None:
            continue
        communes = [place for place in placed if place["sector"] == row["id"]]
        if not communes:
            yield row.problem(f"sector {row['id']} has no commune in sector_communes.csv.")
        elif row["mode"] == SectorMode.COSECTORISED and not any(place["referent"] for place in communes):
            yield row.problem(f"sector {row['id']} is cosectorised, but none of its communes has a referent.")


def _communes_placed(tables: Tables) -> Iterator[Problem]:
    placed = _values(tables, "sector_communes.csv", "commune")
    if placed is None:
        return
    for row in tables.get("communes.csv", []):
        if row["code_insee"] and row["code_insee"] not in placed:
            yield row.problem(
                f"commune {row['code_insee']} ({row['nom']}) is in no sector of sector_communes.csv."
            )


def _referents(tables: Tables) -> Iterator[Problem]:
    mode_of = {row["id"]: row["mode"] for row in tables.get("sectors.csv", [])}
    for row in tables.get("sector_communes.csv", []):
        if not row["referent"]:
            continue
        if mode_of.get(row["sector"]) == SectorMode.POOLED:
            yield row.problem(f"sector {row['sector']} is pooled: its communes have no referent.")
        elif "team.csv" in tables and row["referent"].lower() not in _workers_of(tables, row["sector"]):
            yield row.problem(
                f"referent {row['referent']} is not a worker of sector {row['sector']} in team.csv."
            )


def _workers_of(tables: Tables, sector: str) -> set[str]:
    """Logins of the social workers of a sector."""
    return {
        row["login"].lower()
        for row in tables["team.csv"]
        if sector in row.words("sectors") and Role.WORKER in row.words("roles")
    }


RULES: tuple[Callable[[Tables], Iterator[Problem]], ...] = (
    _cells_filled,
    _no_duplicates,
    _known_names,
    _readable_cells,
    _yes_or_no,
    _small_numbers,
    _ids_of_permanences,
    _one_house_for_no_fixed_place,
    _team,
    _sectors_staffed,
    _communes_placed,
    _referents,
)
