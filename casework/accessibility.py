"""What the last audit found, criterion by criterion; the page that declares it and the docs come from the same run."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache

import yaml

from casework.settings import ROOT
from casework.vocabulary import Conformity

CONTENT = ROOT / "content" / "accessibility"


class Found(StrEnum):
    """What the tests say of a criterion; none of it is a person's judgement."""

    FAULTS = "faults"
    NO_FAULT = "no fault"
    NOTHING_TO_SEE = "nothing to see"
    FOR_A_PERSON = "for a person"


STATES = {
    Found.FAULTS: "Des défauts sont trouvés",
    Found.NO_FAULT: "Aucun défaut trouvé par les tests",
    Found.NOTHING_TO_SEE: "Rien de tel sur les pages vues",
    Found.FOR_A_PERSON: "À vérifier par une personne",
}
"""As the declaration says it, in French: it is the one that binds."""

HALF = 0.5
"""From this share of the criteria on, a service is partly conforming."""


@dataclass(frozen=True)
class Criterion:
    """One of the 106. `pages`: on how many pages, languages counted apart, there was something to look at."""

    number: str
    words: str
    found: Found
    pages: int
    faulty: int

    @property
    def state(self) -> str:
        """In plain French."""
        return STATES[self.found]


@dataclass(frozen=True)
class Judgement:
    """What somebody from outside judged of the criteria: those met, those that have nothing to apply to."""

    by: str
    on: date
    met: frozenset[str]
    nothing: frozenset[str]


@dataclass(frozen=True)
class Audit:
    """One run. `looked_at`: pages by face and language; `complete`: every walk came to its end."""

    on: date
    tools: dict[str, str]
    looked_at: dict[str, dict[str, int]]
    complete: bool
    criteria: tuple[Criterion, ...]
    judgement: Judgement | None = None
    """None: nobody from outside has looked yet."""

    @property
    def met_share(self) -> float:
        """Of the criteria that apply, how many are met, from 0 to 1: judged so, and no fault found since."""
        if self.judgement is None:
            return 0.0
        apply = [one for one in self.criteria if one.number not in self.judgement.nothing]
        met = [one for one in apply if one.number in self.judgement.met and one.found is not Found.FAULTS]
        return len(met) / len(apply)

    @property
    def conformity(self) -> Conformity:
        """What the law lets one say: tests alone judge nothing, and a criterion left to a person is not met."""
        if self.met_share == 1:
            return Conformity.FULL
        return Conformity.PARTIAL if self.met_share >= HALF else Conformity.NONE

    @property
    def pages(self) -> int:
        """All pages looked at, languages counted apart."""
        return sum(pages for face in self.looked_at.values() for pages in face.values())

    def of(self, found: Found) -> list[Criterion]:
        """The criteria of which the tests say that."""
        return [criterion for criterion in self.criteria if criterion.found is found]


@cache
def load_audit() -> Audit:
    """The last audit, as `make audit` left it.

    Raises:
        OSError, ValueError, KeyError: its file is not there, or not what the audit writes.
    """
    told = json.loads((CONTENT / "audit.json").read_text(encoding="utf-8"))
    words = load_criteria()
    criteria = tuple(
        Criterion(number, words[number], Found(one["found"]), one["pages"], one["faulty"])
        for number, one in told["criteria"].items()
    )
    return Audit(
        date.fromisoformat(told["on"]),
        told["tools"],
        told["looked_at"],
        told["complete"],
        criteria,
        _judgement(words),
    )


def _judgement(criteria: dict[str, str]) -> Judgement | None:
    """`judgement.yaml`, which an auditor's report is copied to: by, on, met, nothing; None while there is none."""
    path = CONTENT / "judgement.yaml"
    if not path.is_file():
        return None
    told = yaml.safe_load(path.read_text(encoding="utf-8"))
    met, nothing = (frozenset(str(number) for number in told[key]) for key in ("met", "nothing"))
    if unknown := (met | nothing) - set(criteria):
        raise ValueError(f"judgement.yaml: no criterion {', '.join(sorted(unknown))}")
    return Judgement(told["by"], told["on"], met, nothing)


@cache
def load_criteria() -> dict[str, str]:
    """The 106 criteria by number, in our own words."""
    words: dict[str, str] = yaml.safe_load((CONTENT / "criteria.yaml").read_text(encoding="utf-8"))
    return words
