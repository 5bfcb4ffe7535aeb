"""Whom to call now: one tap away from every page, said in each language."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from casework.vocabulary import LANGUAGES, NUMBERS, RESCUE, URGENCIES
from tests.pages import words
from tests.portal.person import Person


def test_one_tap_from_every_page(marcel: Person) -> None:
    marcel.asks_for_help(theme="violence", urgency="danger")
    for path in ("suivi", "urgences", "droits/rsa", "droits/violences", "hors-ligne", "nulle-part"):
        marcel.open(f"/fr/{path}", 404 if path == "nulle-part" else 200)
    assert len(marcel.shown) > 10
    without = [page.path for page in marcel.shown if "/fr/urgences" not in map(_path, page.links())]
    assert without == []


def _path(link: str) -> str:
    return urlsplit(link).path


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_number_says_what_for_and_when(marcel: Person, language: str) -> None:
    page = marcel.open(f"/{language}/urgences")
    lines = [line for box in page.of_class("call") for line in box.iter("li")]
    assert len(lines) == len(NUMBERS)
    for line, number in zip(lines, NUMBERS.values(), strict=True):
        (link,) = line.iter("a")
        assert link.get("href") == f"{'sms' if number.number == '114' else 'tel'}:{number.number}"
        told = words(line)
        assert number.shown in told
        if language == "fr":
            assert all(said in told for said in (number.who, number.what, "Gratuit")), told
        else:
            assert number.what not in told


def test_the_numbers_to_call_at_once_come_first() -> None:
    assert tuple(NUMBERS)[: len(RESCUE)] == RESCUE
    assert all(set(word.numbers) <= set(NUMBERS) for word in URGENCIES.values())
