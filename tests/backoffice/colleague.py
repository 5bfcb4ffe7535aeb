"""Somebody of the house at their desk."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Flask
from sqlalchemy import select

from casework.database import transaction
from casework.requests import Request
from tests.conftest import Database
from tests.pages import Page
from tests.people import PASSWORD, Character
from tests.visitor import Visitor

ORIGIN = "https://agents.example.org"


class Colleague(Visitor):
    """One agent's browser."""

    def __init__(self, backoffice: Flask, who: Character, source: str = "10.0.0.10") -> None:
        super().__init__(backoffice, ORIGIN, source)
        self.who = who

    def signs_in(self, password: str = PASSWORD, status: int = 200) -> Page:
        """Give login and password, on the sign-in page."""
        if self._page is None or "/connexion" not in self.page.path:
            self.open("/fr/connexion")
        return self.submit(login=self.who.login, password=password, status=status)

    def reads(self, request_id: UUID, status: int = 200) -> Page:
        """Open a request."""
        return self.open(f"/fr/demande/{request_id}", status)

    def does(self, act: str, status: int = 200, **typed: Any) -> Page:
        """Fill in and send the form of an act on the request on the screen."""
        return self.submit(action=f"/{act}", status=status, **typed)


def stored(database: Database, table: type[Any], *conditions: Any) -> list[Any]:
    """Rows of a table, as the database's owner reads them."""
    with transaction(database.owner) as session:
        return list(session.scalars(select(table).where(*conditions)))


def request_of(database: Database, request_id: UUID) -> Request:
    """A request as it stands."""
    found: Request = stored(database, Request, Request.id == request_id)[0]
    return found
