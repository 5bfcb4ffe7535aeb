"""Sums of money and the like, in one dated table with their sources: pages never type them in prose.

An amount that nobody compared with its source for six months is told by `python -m casework check-content`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import yaml
from babel import Locale
from babel.numbers import format_currency

from casework.translation import catalogue
from casework.vocabulary import N_

STALE_AFTER = timedelta(days=182)

UNITS = {
    "EUR": "%(sum)s",
    "EUR/day": N_("%(sum)s par jour"),
    "EUR/month": N_("%(sum)s par mois"),
    "EUR/year": N_("%(sum)s par an"),
}
"""What an amount may be counted in, and how people say it."""

CENT = Decimal("0.01")
CRDS = Decimal("0.005")
"""What the State keeps of each family benefit."""


@dataclass(frozen=True)
class Amount:
    """A sum of money, in one of `UNITS`."""

    id: str
    value: Decimal
    unit: str
    of: str
    since: date
    """From when it applies."""
    source_name: str
    source_url: str
    checked: date | None
    """When it was last compared with its source; None: not yet."""

    def is_stale(self, today: date) -> bool:
        """True when nobody compared it with its source for six months."""
        return self.checked is None or self.checked < today - STALE_AFTER


def in_words(amount: Amount, language: str) -> str:
    """As people of a language say it, with Latin digits: `651,69 € par mois`; without cents when there are none."""
    return catalogue(language).gettext(UNITS[amount.unit]) % {"sum": euros(amount.value, language)}


def euros(value: Decimal, language: str) -> str:
    """A sum of money as people of a language write it, with Latin digits: `651,69 €`, `50 €`."""
    pattern = Locale.parse(language).currency_formats["standard"].pattern
    if value == value.to_integral_value():
        pattern = pattern.replace(".00", "")
    return format_currency(value, "EUR", pattern, language, currency_digits=False, numbering_system="latn")


def read_amounts(path: Path, problems: list[str]) -> dict[str, Amount]:
    """The table; what is wrong in it is added to `problems`."""
    found: dict[str, Amount] = {}
    for name, row in _rows(path, problems).items():
        try:
            found[name] = _amount(name, row)
        except (KeyError, TypeError, InvalidOperation, ValueError) as error:
            problems.append(f"{path.name}: {name}: value, unit, of, since, source are needed ({error}).")
    return found


def family_benefit(rate: Decimal, base: Decimal) -> Decimal:
    """What a family receives: a rate of the monthly base, to the nearest cent, less the CRDS, its cents cut off.

    The sums published for 2022 and 2025 are exactly those.
    """
    gross = (rate * base).quantize(CENT, ROUND_HALF_UP)
    return gross - (gross * CRDS).quantize(CENT, ROUND_DOWN)


def _rows(path: Path, problems: list[str]) -> Mapping[str, Any]:
    try:
        rows = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        problems.append(f"{path.name} is missing: it holds every sum of money that pages name.")
        return {}
    except yaml.YAMLError as error:
        problems.append(f"{path.name}: not YAML: {' '.join(str(error).split())}.")
        return {}
    return rows if isinstance(rows, dict) else {}


def _amount(name: str, row: Mapping[str, Any]) -> Amount:
    since, checked = row["since"], row.get("checked")
    if not isinstance(since, date) or not (checked is None or isinstance(checked, date)):
        raise ValueError("a day such as 2026-04-01")
    if row["unit"] not in UNITS:
        raise ValueError(f"unit should be one of {', '.join(UNITS)}")
    value, computed = Decimal(str(row["value"])), row.get("computed")
    if computed and value != family_benefit(Decimal(computed["rate"]), Decimal(computed["base"])):
        raise ValueError("value is not what its rate of the base makes")
    return Amount(
        id=name,
        value=value,
        unit=str(row["unit"]),
        of=str(row["of"]),
        since=since,
        source_name=str(row["source"]["name"]),
        source_url=str(row["source"]["url"]),
        checked=checked,
    )
