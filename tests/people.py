"""The named people of the tests, and the small territory they live in.

House of Poitiers: sector "Poitiers centre" (pooled: Paul, Sarah) with Poitiers; sector "Vouillé" (cosectorised:
Louise, Paul) with Vouillé (pooled) and Frozes (referent: Louise). House of Loudun: sector "Loudun" (pooled:
Hugo) with Loudun. Secretaries: Nadia (Poitiers), Odile (Loudun). Manager: Marc (Poitiers).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from sqlalchemy import Connection, insert, text

from casework.agenda import Kind
from casework.agents import Agent
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
from casework.vocabulary import Role


@dataclass(frozen=True)
class Character:
    """Somebody of the house, by id and login; all demonstration passwords are `PASSWORD`."""

    id: int
    login: str
    name: str
    house: str
    role: Role
    share: str = "1"


PASSWORD = "un bon mot de passe"

NADIA = Character(1, "nadia.roux", "Nadia Roux", "poitiers", Role.SECRETARY)
PAUL = Character(2, "paul.petit", "Paul Petit", "poitiers", Role.WORKER)
SARAH = Character(3, "sarah.blanc", "Sarah Blanc", "poitiers", Role.WORKER, "0.5")
LOUISE = Character(4, "louise.morin", "Louise Morin", "poitiers", Role.WORKER)
MARC = Character(5, "marc.faure", "Marc Faure", "poitiers", Role.MANAGER)
ODILE = Character(6, "odile.henry", "Odile Henry", "loudun", Role.SECRETARY)
HUGO = Character(7, "hugo.girard", "Hugo Girard", "loudun", Role.WORKER)
CLAIRE = Character(8, "claire.denis", "Claire Denis", "poitiers", Role.SECRETARY)

AGENTS = (NADIA, PAUL, SARAH, LOUISE, MARC, ODILE, HUGO, CLAIRE)

POITIERS, VOUILLE, FROZES, LOUDUN = "86194", "86294", "86102", "86137"

AMINA_PHONE = "+33612345678"
MOREAU_EMAIL = "marcel.moreau@example.org"

ANY_SUBMISSION = UUID("00000000-0000-4000-8000-000000000001")


def settle(connection: Connection) -> None:
    """Put the houses, communes, sectors and agents in an empty database."""
    connection.execute(
        insert(House),
        [
            {
                "id": house,
                "name": f"Maison départementale de la solidarité de {town}",
                "address": address,
                "postal_code": code,
                "town": town,
                "phone": phone,
                "email": f"mds-{house}@example.org",
                "hours": "Du lundi au vendredi, de 9 heures à 17 heures.",
                "receives_no_fixed_place": house == "poitiers",
            }
            for house, town, address, code, phone in (
                ("poitiers", "Poitiers", "1 rue du Marché", "86000", "+33549000001"),
                ("loudun", "Loudun", "2 place du Portail", "86200", "+33549000002"),
            )
        ],
    )
    connection.execute(
        insert(Commune),
        [
            {
                "code": code,
                "name": name,
                "postal_codes": [postal_code],
                "population": population,
                "latitude": latitude,
                "longitude": longitude,
            }
            for code, name, postal_code, population, latitude, longitude in (
                (POITIERS, "Poitiers", "86000", 90000, 46.5802, 0.3408),
                (VOUILLE, "Vouillé", "86190", 3700, 46.6390, 0.1656),
                (FROZES, "Frozes", "86190", 560, 46.6641, 0.1340),
                (LOUDUN, "Loudun", "86200", 6700, 47.0098, 0.0818),
            )
        ],
    )
    connection.execute(
        insert(Agent),
        [
            {
                "id": who.id,
                "login": who.login,
                "name": who.name,
                "house_id": who.house,
                "roles": [who.role.value],
                "full_time_share": Decimal(who.share),
                "active": True,
                "password_hash": None,
            }
            for who in AGENTS
        ],
    )
    connection.execute(text("ALTER TABLE agents ALTER COLUMN id RESTART WITH 101"))
    connection.execute(
        insert(Sector),
        [
            {
                "id": "poitiers-centre",
                "name": "Poitiers centre",
                "house_id": "poitiers",
                "mode": SectorMode.POOLED,
            },
            {"id": "vouille", "name": "Vouillé", "house_id": "poitiers", "mode": SectorMode.COSECTORISED},
            {"id": "loudun", "name": "Loudun", "house_id": "loudun", "mode": SectorMode.POOLED},
        ],
    )
    connection.execute(
        insert(SectorCommune),
        [
            {"commune_code": POITIERS, "sector_id": "poitiers-centre", "referent_id": None},
            {"commune_code": VOUILLE, "sector_id": "vouille", "referent_id": None},
            {"commune_code": FROZES, "sector_id": "vouille", "referent_id": LOUISE.id},
            {"commune_code": LOUDUN, "sector_id": "loudun", "referent_id": None},
        ],
    )
    connection.execute(
        insert(SectorWorker),
        [
            {"sector_id": sector, "agent_id": who.id}
            for sector, who in (
                ("poitiers-centre", PAUL),
                ("poitiers-centre", SARAH),
                ("vouille", LOUISE),
                ("vouille", PAUL),
                ("loudun", HUGO),
            )
        ],
    )
    connection.execute(
        insert(Place),
        [
            {
                "id": place,
                "kind": kind,
                "house_id": "poitiers" if place != "mds-loudun" else "loudun",
                "commune_code": commune,
                "name": name,
                "times": "Le mardi matin.",
                "by_appointment": True,
                "desks": desks,
                "step_free": True,
                "confidential": True,
                "connected": True,
                "active": True,
            }
            for place, kind, commune, name, desks in (
                ("mds-poitiers", PlaceKind.HOUSE, POITIERS, "Maison de Poitiers", 4),
                ("mds-loudun", PlaceKind.HOUSE, LOUDUN, "Maison de Loudun", 2),
                ("vouille-mairie", PlaceKind.PERMANENCE, VOUILLE, "Mairie de Vouillé", 1),
            )
        ],
    )
    connection.execute(
        insert(Kind),
        [
            {
                "id": "first",
                "name": "Premier rendez-vous",
                "minutes": 30,
                "gap_minutes": 0,
                "bring": "Vos papiers.",
            },
            {
                "id": "long",
                "name": "Rendez-vous long",
                "minutes": 60,
                "gap_minutes": 10,
                "bring": "Vos papiers.",
            },
        ],
    )
