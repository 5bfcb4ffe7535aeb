"""Near and far: how far a place is from a person's commune.

As the crow flies between the middles of two communes, where the territory's files give their coordinates. Where
they do not, what the files know of neighbours: the same commune, the same postal code, the same sector. See
`docs/decisions/0015-near-by-coordinates.md`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import asin, cos, radians, sin, sqrt

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from casework.territory import Commune, Place, SectorCommune

EARTH_RADIUS_KM = 6371.0

SAME_POSTAL_CODE, SAME_SECTOR, ELSEWHERE = 10.0, 15.0, 1000.0
"""Kilometres that stand for a distance nobody knows. They put places in order; they are never said."""

ROUND_FROM_KM = 20
"""From there on, a distance is said to the nearest five kilometres."""


@dataclass(frozen=True)
class Distance:
    """How far a place is. `order`: the smaller the nearer. `km`: what is said; 0 in the person's own commune, None
    when it is not known."""

    order: float
    km: int | None


UNKNOWN = Distance(ELSEWHERE, None)


def crow_flies(first: tuple[float, float], second: tuple[float, float]) -> float:
    """Kilometres between two points (latitude, longitude in degrees) on a round earth.

    >>> round(crow_flies((46.5802, 0.3408), (47.0098, 0.0818)))
    52
    """
    north, east, north_2, east_2 = map(radians, (*first, *second))
    half = sin((north_2 - north) / 2) ** 2 + cos(north) * cos(north_2) * sin((east_2 - east) / 2) ** 2
    return 2 * EARTH_RADIUS_KM * asin(sqrt(half))


def distances(
    session: Session, commune_code: str | None, place_ids: Iterable[str | None]
) -> dict[str, Distance]:
    """How far each place is from a commune, by place; empty when the commune is not known."""
    wanted = {one for one in place_ids if one}
    if commune_code is None or not wanted:
        return {}
    own = session.execute(_communes().where(Commune.code == commune_code)).one_or_none()
    if own is None:
        return {}
    rows = session.execute(
        _communes().add_columns(Place.id).join(Place, Place.commune_code == Commune.code).where(Place.id.in_(wanted))
    )  # fmt: skip
    return {place_id: _between(own[0], own[1], commune, sector) for commune, sector, place_id in rows}


def _communes() -> Select[Commune, str | None]:
    return select(Commune, SectorCommune.sector_id).outerjoin(
        SectorCommune, SectorCommune.commune_code == Commune.code
    )


def _between(own: Commune, own_sector: str | None, other: Commune, other_sector: str | None) -> Distance:
    if own.code == other.code:
        return Distance(0, 0)
    points = [(one.latitude, one.longitude) for one in (own, other)]
    known = [(north, east) for north, east in points if north is not None and east is not None]
    if len(known) == 2:
        km = crow_flies(*known)
        return Distance(km, _said(km))
    if set(own.postal_codes) & set(other.postal_codes):
        return Distance(SAME_POSTAL_CODE, None)
    return Distance(SAME_SECTOR, None) if own_sector and own_sector == other_sector else UNKNOWN


def _said(km: float) -> int:
    """To the kilometre, at least one; to five kilometres further away: it is measured between two communes' middles."""
    return max(1, round(km)) if km < ROUND_FROM_KM else round(km / 5) * 5
