"""The territory: houses, places, communes, sectors, and which sector a commune belongs to.

A sector is *pooled* ("désectorisation", `seeds/004` fiche 5: any of its workers, by load) or *cosectorised*
(fiche 6: its main communes are pooled, each small commune keeps one referent).
"""

from __future__ import annotations

import enum
import re
import unicodedata
from collections.abc import Sequence
from datetime import date
from functools import lru_cache

from sqlalchemy import CheckConstraint, ForeignKey, SmallInteger, false, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from casework.database import Base, one_of


class SectorMode(enum.StrEnum):
    """How a sector shares its requests out."""

    POOLED = "pooled"
    COSECTORISED = "cosectorised"


class House(Base):
    """A maison départementale de la solidarité."""

    __tablename__ = "houses"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    address: Mapped[str]
    postal_code: Mapped[str]
    town: Mapped[str]
    phone: Mapped[str]
    email: Mapped[str]
    hours: Mapped[str]
    """Opening hours, in easy French."""
    receives_no_fixed_place: Mapped[bool] = mapped_column(default=False)
    """The house that receives people who have no fixed place; exactly one."""
    minimum_workers: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")
    """Social workers who should be present on each working day; 0: nobody counts."""
    stock_days: Mapped[int] = mapped_column(SmallInteger, default=5, server_default="5")
    """Under how many working days of free places the house is warned (`casework.stock`)."""
    stock_told_on: Mapped[date | None]
    """The last day on which its places were counted, and the house was written to if there were too few."""
    stock_short: Mapped[bool] = mapped_column(default=False, server_default=false())
    """There were too few then."""


class Commune(Base):
    """A commune, by its INSEE code."""

    __tablename__ = "communes"
    __table_args__ = (CheckConstraint("(latitude IS NULL) = (longitude IS NULL)", name="point"),)

    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    postal_codes: Mapped[list[str]]
    population: Mapped[int]
    latitude: Mapped[float | None]
    """Degrees north, WGS 84, of the middle of the commune; a département may leave both out."""
    longitude: Mapped[float | None]
    """Degrees east."""


class Sector(Base):
    """A "territoire d'intervention sociale" of one house."""

    __tablename__ = "sectors"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    house_id: Mapped[str] = mapped_column(ForeignKey("houses.id"), index=True)
    mode: Mapped[SectorMode] = mapped_column(one_of(SectorMode))


class SectorCommune(Base):
    """A commune is in exactly one sector; in a cosectorised sector it may have its own referent."""

    __tablename__ = "sector_communes"

    commune_code: Mapped[str] = mapped_column(ForeignKey("communes.code"), primary_key=True)
    sector_id: Mapped[str] = mapped_column(ForeignKey("sectors.id"), index=True)
    referent_id: Mapped[int | None] = mapped_column(ForeignKey("agents.id"), index=True)


class SectorWorker(Base):
    """A social worker who takes requests of a sector."""

    __tablename__ = "sector_workers"

    sector_id: Mapped[str] = mapped_column(ForeignKey("sectors.id"), primary_key=True)
    agent_id: Mapped[int] = mapped_column(ForeignKey("agents.id"), primary_key=True, index=True)


class PlaceKind(enum.StrEnum):
    """What a place is: a house, a permanence outside it, or a pop-up permanence of a few days (market, library)."""

    HOUSE = "house"
    PERMANENCE = "permanence"
    POPUP = "popup"


class Place(Base):
    """Where workers receive: a house, or a permanence with its premises (`seeds/004` fiche 22)."""

    __tablename__ = "places"
    __table_args__ = (CheckConstraint("desks > 0", name="desks"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[PlaceKind] = mapped_column(one_of(PlaceKind))
    house_id: Mapped[str] = mapped_column(ForeignKey("houses.id"), index=True)
    commune_code: Mapped[str] = mapped_column(ForeignKey("communes.code"))
    name: Mapped[str]
    times: Mapped[str]
    """When, in easy French."""
    by_appointment: Mapped[bool]
    desks: Mapped[int] = mapped_column(SmallInteger)
    """How many people can be received at once."""
    step_free: Mapped[bool]
    confidential: Mapped[bool]
    connected: Mapped[bool]
    """There is a network one can work with."""
    active: Mapped[bool]


def fold(text: str) -> str:
    """Text as people mistype it: no accents, no case, no hyphens, "saint" for "st", digits of any script as 0–9.

    >>> fold("Saint-Benoît"), fold("ST BENOIT"), fold("٨٦٠٠٠")
    ('saint benoit', 'saint benoit', '86000')
    """
    small = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    plain = "".join(c for c in small if not unicodedata.combining(c))
    digits = "".join(str(unicodedata.digit(c)) if c.isdigit() else c for c in plain)
    # A vowel sign of Bengali is a mark that combines with nothing: it is part of its word.
    parts = (
        c if c.isalnum() or unicodedata.category(c)[0] == "M" else " " for c in digits.replace("œ", "oe")
    )
    words = "".join(parts).split()
    return " ".join({"st": "saint", "ste": "sainte"}.get(word, word) for word in words)


@lru_cache(maxsize=40_000)
def _folded_name(name: str) -> str:
    """A commune's name, folded once: there are 35,000 in France. What people type is never kept here."""
    return fold(name)


def find_communes(session: Session, typed: str, *, limit: int = 8) -> list[Commune]:
    """Communes of a sector that match a name or a postal code as a person types it, best first.

    An exact name wins alone, unless two communes share it; a postal code gives all its communes; otherwise
    names that begin with, then contain, then look like what was typed.
    """
    wanted = fold(typed)
    if not wanted:
        return []
    communes = session.scalars(
        select(Commune)
        .join(SectorCommune, SectorCommune.commune_code == Commune.code)
        .order_by(Commune.population.desc(), Commune.code)
    ).all()
    if wanted.replace(" ", "").isdigit():
        code = wanted.replace(" ", "")
        return [commune for commune in communes if code in commune.postal_codes]
    name = re.sub(r"\b(\d+|cedex)\b", " ", wanted)
    return _by_name(communes, " ".join(name.split()) or wanted)[:limit]


def _by_name(communes: Sequence[Commune], wanted: str) -> list[Commune]:
    folded = {commune.code: _folded_name(commune.name) for commune in communes}
    exact = [commune for commune in communes if folded[commune.code] == wanted]
    if exact:
        return exact
    begins = [commune for commune in communes if folded[commune.code].startswith(wanted)]
    contains = [
        commune
        for commune in communes
        if f" {wanted}" in f" {folded[commune.code]}" and commune not in begins
    ]
    if begins or contains:
        return begins + contains
    close = [(_distance(wanted, folded[commune.code]), commune) for commune in communes]
    tolerated = 1 if len(wanted) < 6 else 2
    return [commune for distance, commune in sorted(close, key=lambda pair: pair[0]) if distance <= tolerated]


def _distance(first: str, second: str) -> int:
    """Levenshtein's edit distance: the number of letters to add, drop or change."""
    if abs(len(first) - len(second)) > 2:
        return 3
    previous = list(range(len(second) + 1))
    for i, a in enumerate(first, 1):
        current = [i]
        for j, b in enumerate(second, 1):
            current.append(min(previous[j] + 1, current[-1] + 1, previous[j - 1] + (a != b)))
        previous = current
    return previous[-1]


def sector_of(session: Session, commune_code: str) -> Sector | None:
    """The sector a commune belongs to."""
    return session.scalar(
        select(Sector)
        .join(SectorCommune, SectorCommune.sector_id == Sector.id)
        .where(SectorCommune.commune_code == commune_code)
    )


def house_for(session: Session, commune_code: str | None) -> House:
    """The house that receives a request: of the commune's sector, or the one for people with no fixed place."""
    if commune_code:
        house = session.scalar(
            select(House)
            .join(Sector, Sector.house_id == House.id)
            .join(SectorCommune, SectorCommune.sector_id == Sector.id)
            .where(SectorCommune.commune_code == commune_code)
        )
        if house:
            return house
    return session.scalars(select(House).where(House.receives_no_fixed_place)).one()
