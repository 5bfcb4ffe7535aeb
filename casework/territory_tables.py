"""The CSV files of a territory's folder: their columns, their lines, and what makes one unreadable."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

COLUMNS: dict[str, tuple[str, ...]] = {
    "communes.csv": ("code_insee", "nom", "departement", "codes_postaux", "population"),
    "houses.csv": (
        "id", "name", "address", "postal_code", "town", "commune", "phone", "email", "hours", "desks", "step_free",
        "receives_no_fixed_place",
    ),
    "sectors.csv": ("id", "name", "house", "mode"),
    "team.csv": ("login", "name", "house", "roles", "share", "sectors"),
    "sector_communes.csv": ("commune", "sector", "referent"),
    "permanences.csv": (
        "id", "house", "commune", "place", "times", "by_appointment", "desks", "step_free", "confidential", "connected",
    ),
    "kinds.csv": ("id", "name", "minutes", "gap_minutes", "bring"),
}  # fmt: skip
MAY_BE_ABSENT: dict[str, tuple[str, ...]] = {
    "communes.csv": ("latitude", "longitude"),
    "houses.csv": ("stock_days",),
}
"""Columns that a département may leave out, or leave empty on a line."""
MAY_BE_EMPTY = frozenset({"referent", "sectors", "bring"})
UNIQUE = {
    "communes.csv": "code_insee", "houses.csv": "id", "sectors.csv": "id", "team.csv": "login",
    "sector_communes.csv": "commune", "permanences.csv": "id", "kinds.csv": "id",
}  # fmt: skip


@dataclass(frozen=True)
class Problem:
    """Something to put right. `line` 0: the file as a whole."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.message}"


@dataclass(frozen=True)
class Row:
    """One line of a file, its cells without the spaces around them."""

    file: str
    line: int
    cells: dict[str, str]
    surplus: bool = False
    """More cells than columns: most often a comma in a text without quotes."""

    def __getitem__(self, column: str) -> str:
        return self.cells[column]

    def words(self, column: str) -> list[str]:
        """The words of a cell that holds several, separated by spaces."""
        return self.cells[column].split()

    def problem(self, message: str) -> Problem:
        """Something wrong on this line."""
        return Problem(self.file, self.line, message)


Tables = dict[str, list[Row]]
"""The files that could be read, by name."""


def read(folder: Path) -> tuple[Tables, list[Problem]]:
    """The files of a folder that can be read, and what is wrong with the others."""
    tables: Tables = {}
    problems: list[Problem] = []
    for file, columns in COLUMNS.items():
        try:
            rows, header = _rows(folder / file)
        except (FileNotFoundError, NotADirectoryError):
            problems.append(Problem(file, 0, f"missing. Its columns are {', '.join(columns)}."))
            continue
        except UnicodeDecodeError:
            problems.append(Problem(file, 0, "not UTF-8. Save it again as “CSV UTF-8”."))
            continue
        except csv.Error as error:
            problems.append(Problem(file, 0, f"not CSV: {error}."))
            continue
        if absent := [column for column in columns if column not in header]:
            problems.append(Problem(file, 1, f"column missing: {', '.join(absent)}." if header else "empty."))
        elif not rows:
            problems.append(Problem(file, 1, "empty: there is no line under the names of the columns."))
        else:
            tables[file] = rows
    return tables, problems


def _rows(path: Path) -> tuple[list[Row], list[str]]:
    """The lines and the names of the columns; `;` separates as well as `,`: French spreadsheets write it."""
    with path.open(encoding="utf-8-sig", newline="") as lines:
        separator = ";" if ";" in lines.readline() else ","
        lines.seek(0)
        reader = csv.reader(lines, delimiter=separator, strict=True)
        header = [name.strip() for name in next(reader, [])]
        rows = []
        line = reader.line_num + 1
        for cells in reader:
            if any(cell.strip() for cell in cells):
                filled = [cell.strip() for cell in cells] + [""] * (len(header) - len(cells))
                surplus = any(filled[len(header) :])
                named = dict.fromkeys(MAY_BE_ABSENT.get(path.name, ()), "")
                named |= zip(header, filled, strict=False)
                rows.append(Row(path.name, line, named, surplus))
            line = reader.line_num + 1  # a text between quotes may go on over several lines
    return rows, header
