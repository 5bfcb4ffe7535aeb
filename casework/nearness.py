"""Near and far: how far a place is from a person's commune.

As the crow flies between the middles of two communes, where the territory's files give their coordinates. Where
they do not, what the files know of neighbours: the same commune, the same postal code, the same sector. See
`docs/decisions/0015-near-by-coordinates.md`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import asin, cos, radians, sin, sqrt
from typing import Any

from sqlalchemy import Row, Text, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session, aliased

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


_own, _other = aliased(Commune), aliased(Commune)
_own_sector, _other_sector = aliased(SectorCommune), aliased(SectorCommune)

FACTS = (
    select(
        Place.id, _own.latitude, _own.longitude, _other.latitude.label("north"), _other.longitude.label("east"),
        (_own.code == _other.code).label("same"), _own.postal_codes.overlap(_other.postal_codes).label("same_post"),
        (_own_sector.sector_id == _other_sector.sector_id).label("same_sector"),
    )
    .select_from(Place)
    .join(_own, _own.code == bindparam("commune"))
    .join(_other, _other.code == Place.commune_code)
    .outerjoin(_own_sector, _own_sector.commune_code == _own.code)
    .outerjoin(_other_sector, _other_sector.commune_code == _other.code)
    .where(Place.id == func.any(bindparam("places", type_=ARRAY(Text))))
)  # fmt: skip
"""What is known of a commune and of the place's own, together."""


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
    rows = session.execute(FACTS, {"commune": commune_code, "places": list(wanted)})
    return {row.id: between(row) for row in rows}


def between(row: Row[Any]) -> Distance:
    """How far a place is, from a row that carries the columns of `FACTS`."""
    if row.same:
        return Distance(0, 0)
    if None not in (row.latitude, row.longitude, row.north, row.east):
        km = crow_flies((row.latitude, row.longitude), (row.north, row.east))
        return Distance(km, _said(km))
    if row.same_post:
        return Distance(SAME_POSTAL_CODE, None)
    return Distance(SAME_SECTOR, None) if row.same_sector else UNKNOWN


def _said(km: float) -> int:
    """To the kilometre, at least one; to five kilometres further away: it is measured between two communes' middles."""
    return max(1, round(km)) if km < ROUND_FROM_KM else round(km / 5) * 5
