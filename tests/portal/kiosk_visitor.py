"""A touch screen in the entrance of a house, and whoever stands before it."""

from __future__ import annotations

from datetime import datetime

from casework import kiosks
from casework.database import transaction
from tests.conftest import Database
from tests.pages import Page
from tests.portal.person import Person


def new_key(database: Database, now: datetime, house: str = "poitiers", name: str = "Entrée") -> str:
    """The key of one more kiosk of a house."""
    with transaction(database.owner) as session:
        return kiosks.make(session, database.access_key, house, name, now)


class AtKiosk(Person):
    """One browser, many people."""

    def set_up(self, key: str) -> Page:
        """What the secretary does, once."""
        return self.open(f"/borne/{key}")

    def touches(self, language: str = "fr") -> Page:
        """Somebody chooses their language on the start page."""
        self.language = language
        return self.open(f"/{language}/borne/commencer")

    def cookies(self) -> set[str]:
        """The names of all that this browser keeps."""
        return {cookie.key for cookie in (self.client._cookies or {}).values()}
