"""Routing: from a commune to the first-contact social worker, with the sentence that says why.

Pure: it is given what it needs and touches no database. The rules are those of `seeds/004`, fiches 4 to 6, in
this order:

1. the person is already known to a worker of the house who is here: that worker (continuity of the answer);
2. the commune keeps a referent (cosectorisation) and the referent is here: the referent;
3. otherwise the workers of the sector who are here, the least loaded for their share of full time;
4. nobody of the sector is here: the workers of the house who are here, by the same measure;
5. nobody at all: no worker; a manager decides.

Equal loads are settled by who received a request longest ago, then by id, so that the same facts always give
the same worker.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

NEVER = datetime.min.replace(tzinfo=UTC)


class Reason(enum.StrEnum):
    """Why this worker."""

    KNOWN = "known"
    REFERENT = "referent"
    ONLY_ONE = "only_one"
    LEAST_LOADED = "least_loaded"
    HOUSE = "house"
    NOBODY = "nobody"


@dataclass(frozen=True)
class Worker:
    """A social worker, as routing sees one. `load` counts open requests; `share` is the full-time share, in (0, 1]."""

    id: int
    name: str
    share: Decimal
    load: int
    absent: bool = False
    last_routed_at: datetime = NEVER

    @property
    def weight(self) -> Decimal:
        """Open requests for a full-time worker's worth, once this one is taken."""
        return (self.load + 1) / self.share


@dataclass(frozen=True)
class Ground:
    """The facts of one routing. `sector_workers` and `house_workers` include those away."""

    sector_name: str
    commune_name: str
    sector_workers: Sequence[Worker]
    house_workers: Sequence[Worker]
    referent: Worker | None = None
    known: Worker | None = None


@dataclass(frozen=True)
class Decision:
    """A worker, or none; why; and the sentence, in French, that agents read."""

    worker: Worker | None
    reason: Reason
    sentence: str


def route(ground: Ground) -> Decision:
    """Choose the first-contact worker."""
    away = _away_sentence(ground)
    if ground.known and not ground.known.absent:
        return Decision(
            ground.known,
            Reason.KNOWN,
            f"{ground.known.name} connaît déjà cette personne et sa demande précédente.",
        )
    if ground.referent and not ground.referent.absent:
        return Decision(
            ground.referent,
            Reason.REFERENT,
            f"{away}{ground.referent.name} est référent de la commune {ground.commune_name}.",
        )
    if worker := _least_loaded(ground.sector_workers):
        here = [other for other in ground.sector_workers if not other.absent]
        if len(here) == 1:
            return Decision(
                worker,
                Reason.ONLY_ONE,
                f"{away}{worker.name} est seul présent du secteur {ground.sector_name}.",
            )
        return Decision(
            worker,
            Reason.LEAST_LOADED,
            f"{away}Secteur {ground.sector_name} partagé entre {len(here)} présents : {worker.name} a la charge "
            f"la plus légère ({_load(worker)}).",
        )
    if worker := _least_loaded(ground.house_workers):
        return Decision(
            worker,
            Reason.HOUSE,
            f"{away}{_why_the_house(ground)} : {worker.name} a la charge la plus légère de la maison "
            f"({_load(worker)}).",
        )
    return Decision(None, Reason.NOBODY, f"{away}Aucun travailleur social n'est présent dans la maison.")


def _least_loaded(workers: Iterable[Worker]) -> Worker | None:
    here = [worker for worker in workers if not worker.absent]
    return min(here, key=lambda worker: (worker.weight, worker.last_routed_at, worker.id), default=None)


def _why_the_house(ground: Ground) -> str:
    """Why no sector decides."""
    if ground.sector_name:
        return f"Personne n'est présent pour le secteur {ground.sector_name}"
    if ground.commune_name:
        return f"« {ground.commune_name} » n'est dans aucun secteur"
    return "Accueil par la maison pour une personne sans lieu fixe"


def _away_sentence(ground: Ground) -> str:
    """Who would have come first and is away."""
    away = dict.fromkeys(
        worker.name for worker in (ground.known, ground.referent) if worker and worker.absent
    )
    if not away:
        return ""
    names = " et ".join(away)
    return f"{names} {'sont absents' if len(away) > 1 else 'est absent'}. "


def _load(worker: Worker) -> str:
    share = f"{worker.share * 100:.0f} %"
    return f"{worker.load} demande{'s' if worker.load > 1 else ''} en cours à {share}"
