"""Nadia sees in the morning that first appointments run out, opens the page, and asks Paul for more."""

from __future__ import annotations

from datetime import datetime

import pytest

from casework import rounds
from tests.backoffice.colleague import Colleague
from tests.casework.asking import worker_settings
from tests.casework.test_stock import MONDAY, books, mornings
from tests.conftest import Database

WARNING = "Premier rendez-vous : plus aucune place."


@pytest.fixture
def dry(database: Database, now: datetime) -> None:
    """All the places of Poitiers are taken, and the worker has counted them."""
    mornings(database, now.date(), MONDAY, kinds=("first", "long"))
    books(database, now, 4)
    rounds.warn_houses(database.backoffice, worker_settings(database), now)


@pytest.mark.usefixtures("dry")
def test_the_queue_and_the_day_warn_and_lead_to_the_page(nadia: Colleague, odile: Colleague) -> None:
    assert WARNING in nadia.open("/fr/file").main
    page = nadia.open("/fr/agenda/jour")
    assert WARNING in page.main
    assert "/fr/agenda/places-libres" in page.links()
    page = nadia.open("/fr/agenda/places-libres")
    assert page.heading == "Places libres"
    rows = [" ".join(row.itertext()).split() for row in page.html.iter("tr")][1:]
    assert rows[0][:4] == ["Premier", "rendez-vous", "0", "0,2"]
    assert "plus aucune place" in " ".join(rows[0])
    assert "Moins de 5 jours de places" in page.main
    assert "mds-poitiers@example.org" in page.main
    assert WARNING not in odile.open("/fr/file").main, "another house's business"


@pytest.mark.usefixtures("dry")
def test_the_warning_goes_as_soon_as_hours_are_opened(
    nadia: Colleague, database: Database, now: datetime
) -> None:
    assert WARNING in nadia.open("/fr/file").main
    mornings(database, now.date())
    assert WARNING not in nadia.open("/fr/file").main
    assert WARNING not in nadia.open("/fr/agenda/jour").main
    page = nadia.open("/fr/agenda/places-libres")
    assert "Premier rendez-vous" in page.main
    assert "jours" in page.main


def test_a_house_that_opened_nothing_is_told_so(nadia: Colleague) -> None:
    page = nadia.open("/fr/agenda/places-libres")
    assert "Aucune plage n'est ouverte aux habitants." in page.main
