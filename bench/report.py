"""What was measured: a table to read, and a file that several benchmarks share."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar

Found = TypeVar("Found")


class UnreadableReportError(Exception):
    """The report that is there already is not one; it is left as it is."""


class Told(Protocol):
    """Runs a part of the benchmark, and says how long it took."""

    def __call__(self, part: str, work: Callable[[], Found], /) -> Found:
        """What the part found."""


@dataclass(frozen=True)
class Measure:
    """One figure. `aim` is None where none is set; `against` says what it was measured on or compared with."""

    name: str
    value: float
    unit: str
    aim: float | None
    better: Literal["lower", "higher"]
    against: str

    @property
    def met(self) -> bool | None:
        """Whether the aim is met; None without one."""
        if self.aim is None:
            return None
        return self.value <= self.aim if self.better == "lower" else self.value >= self.aim


def merge(path: Path, measures: Iterable[Measure]) -> None:
    """Write the measures into the report, beside those that other benchmarks wrote there.

    Raises:
        UnreadableReportError: the file exists and holds something else.
    """
    report = _read(path)
    for measure in measures:
        fields = asdict(measure)
        report[fields.pop("name")] = fields
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    fresh.write_text(
        json.dumps(report, indent=2, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    fresh.replace(path)


def table(measures: Iterable[Measure]) -> str:
    """One line a measure: name, value and unit, aim, whether it is met, against what."""
    lines = [("", "value", "", "aim", "", "against")]
    for measure in measures:
        sign = "≤" if measure.better == "lower" else "≥"
        aim = "" if measure.aim is None else f"{sign} {_number(measure.aim)}"
        verdict = {True: "met", False: "MISSED", None: ""}[measure.met]
        lines.append((measure.name, _number(measure.value), measure.unit, aim, verdict, measure.against))
    widths = [max(len(line[column]) for line in lines) for column in range(5)]
    return "\n".join(
        f"{name:<{widths[0]}}  {value:>{widths[1]}} {unit:<{widths[2]}}  {aim:<{widths[3]}}  {met:<{widths[4]}}  {what}"
        for name, value, unit, aim, met, what in lines
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise UnreadableReportError(f"{path} is not JSON; move it away first") from error
    if not isinstance(report, dict):
        raise UnreadableReportError(f"{path} holds no measures by name; move it away first")
    return report


def _number(value: float) -> str:
    """Three figures that mean something: `14,600`, `12.3`, `0.517`."""
    if value == int(value) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3f}" if abs(value) < 1 else f"{value:.1f}"
