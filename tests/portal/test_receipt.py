"""The receipt says all the law asks for (CRPA R112-11-1), on screen and on paper, and keeps the secret."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable
from datetime import datetime

import pytest
from pypdf import PdfReader

from casework.identity import load_identity
from casework.settings import Settings
from tests.clock import Clock
from tests.conftest import PARIS
from tests.pages import words
from tests.people import MOREAU_EMAIL
from tests.portal.person import Person, receipt_on

pytestmark = pytest.mark.long

HANDED = "1 rue du Marché"


def test_the_receipt_holds_all_the_law_asks(marcel: Person, settings: Settings) -> None:
    receipt = marcel.asks_for_help(
        theme="money", words="Je ne peux plus payer.", papers=[(b"%PDF-1.7", "bail.pdf")]
    )
    said = receipt.page.main
    identity = load_identity(settings.territory).in_language("fr")
    expected = [
        "3 novembre 2026 à 10:00", "mardi 10 novembre 2026",
        "Maison départementale de la solidarité de Poitiers", HANDED, "86000 Poitiers", "05 49 00 00 01",
        "mds-poitiers@example.org", "L'argent", "Je ne peux plus payer.", "bail.pdf",
        *identity.silence_means.strip().splitlines(), *identity.remedies.strip().splitlines(),
    ]  # fmt: skip
    assert [line for line in expected if line not in said] == []
    assert len(receipt.number) == 9
    assert len(receipt.code) == 12


@pytest.mark.parametrize(
    ("asked", "urgency", "promised"),
    [
        (datetime(2026, 11, 3, 10, tzinfo=PARIS), "no_roof", "mercredi 4 novembre 2026"),
        (datetime(2026, 11, 6, 23, 30, tzinfo=PARIS), "none", "lundi 16 novembre 2026"),
        (datetime(2026, 12, 24, 18, tzinfo=PARIS), "eviction", "lundi 28 décembre 2026"),
    ],
    ids=["urgent", "over Armistice Day", "over Christmas"],
)
def test_the_day_promised_counts_working_days(
    marcel: Person, clock: Clock, asked: datetime, urgency: str, promised: str
) -> None:
    clock.now = asked
    assert f"au plus tard le {promised}" in marcel.asks_for_help(urgency=urgency).page.main


def test_the_receipt_in_arabic_keeps_french_names_and_western_digits(amina: Person) -> None:
    receipt = amina.asks_for_help()
    assert "Maison départementale de la solidarité de Poitiers" in receipt.page.main
    assert "2026" in receipt.page.main


@pytest.mark.slow
@pytest.mark.parametrize("language", ["fr", "ar"])
def test_the_sheet_has_text_and_its_name_says_nothing(marcel: Person, language: str) -> None:
    marcel.language = language
    receipt = marcel.asks_for_help(theme="violence")
    answer = marcel.ask("GET", f"/{language}/recu.pdf")
    name = answer.headers["Content-Disposition"]
    assert name == f"attachment; filename=demande-{receipt.number}.pdf"
    assert answer.headers["Cache-Control"] == "no-store"
    sheet = PdfReader(io.BytesIO(answer.data))
    assert len(sheet.pages) <= 2, "one sheet, at most both its sides"
    read = "\n".join(page.extract_text() for page in sheet.pages)
    assert receipt.number in read.replace(" ", "").replace("\n", "")
    assert receipt.code in read.replace(" ", "").replace("\n", "")
    assert HANDED in " ".join(read.split())
    assert "violence" not in str(sheet.metadata).lower()


def test_the_drawing_is_the_link(marcel: Person) -> None:
    receipt = marcel.asks_for_help()
    drawing = receipt.page.of_class("qr")[0]
    assert not words(drawing)
    assert len(list(drawing)) > 0


def test_the_secret_stays_where_it_belongs(
    marcel: Person, somebody: Callable[..., Person], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    receipt = marcel.asks_for_help(channels={"email": MOREAU_EMAIL})
    other = somebody(source="192.0.2.77")
    other.open(receipt.path)
    other.go("recu")
    for person in (marcel, other):
        assert not [place for place in person.locations if receipt.secret in place or receipt.code in place]
        assert not [page.path for page in person.shown if receipt.secret in page.title + page.path]
    assert other.page.path == "/fr/recu"
    assert receipt.secret not in caplog.text
    assert receipt.code not in caplog.text


def test_a_page_that_shows_a_secret_is_not_compressed_nor_kept(marcel: Person) -> None:
    marcel.tells()
    accepting = {"Accept-Encoding": "gzip, br"}
    later = marcel.ask("GET", "/fr/demande/plus-tard", headers=accepting)
    marcel.fills_in()
    marcel.sends()
    receipt = marcel.ask("GET", "/fr/recu", headers=accepting)
    for answer in (later, receipt):
        assert b"/s/" in answer.data
        assert "Content-Encoding" not in answer.headers
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "no-referrer"


def test_who_came_in_with_the_code_is_shown_no_link(marcel: Person, somebody: Callable[..., Person]) -> None:
    receipt = marcel.asks_for_help()
    other = somebody(source="192.0.2.77")
    other.go("suivre")
    other.submit(number=receipt.number, code=receipt.code)
    again = receipt_on(other.go("recu"))
    assert (again.number, again.code, again.link) == (receipt.number, "", "")
