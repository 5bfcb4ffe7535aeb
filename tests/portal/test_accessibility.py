"""The declaration says what the last audit found, no more; until somebody from outside looked, it says non conforme."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from flask import Flask

from casework.accessibility import Found, Judgement, load_audit, load_criteria
from casework.settings import ROOT
from casework.vocabulary import LANGUAGES, Conformity
from tests.pages import words
from tests.portal.person import Person


@pytest.fixture
def reader(portal: Flask) -> Person:
    """Somebody who reads French."""
    return Person(portal)


def test_all_criteria_are_there_once_with_what_was_found(reader: Person) -> None:
    page = reader.open("/fr/accessibilite")
    audit = load_audit()
    said = [words(item) for item in page.html.iter("li")]
    assert [one.number for one in audit.criteria] == list(load_criteria())
    assert len(audit.criteria) == 106
    for one in audit.criteria:
        assert sum(item.startswith(f"{one.number} {one.words}") for item in said) == 1, one.number
    assert str(audit.pages) in page.text


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_never_claims_more_than_tests_can_say(reader: Person, language: str) -> None:
    page = reader.open(f"/{language}/accessibilite")
    assert "Non conforme avec le RGAA 4.1.2" in page.text
    for needed in ("2005-102", "Défenseur des droits", "dérogation", "Technologies", "axe-core"):
        assert needed in page.text


def test_only_a_person_makes_it_conforming_and_one_criterion_left_keeps_it_from_being_so_fully() -> None:
    """By the law's thresholds: half of the criteria, all of them; a fault found since takes one back."""
    criteria = tuple(replace(one, found=Found.NO_FAULT) for one in load_audit().criteria)
    audit = replace(load_audit(), criteria=criteria, judgement=None)
    numbers = [one.number for one in criteria]

    def state(met: list[str], nothing: list[str] | None = None, faults: int = 0) -> Conformity:
        judged = Judgement("Cabinet Martin", date(2027, 3, 1), frozenset(met), frozenset(nothing or ()))
        worse = tuple(replace(one, found=Found.FAULTS) for one in criteria[:faults])
        return replace(audit, criteria=worse + criteria[faults:], judgement=judged).conformity

    assert audit.conformity is Conformity.NONE
    assert state(numbers) is Conformity.FULL
    assert state(numbers[1:]) is Conformity.PARTIAL
    assert state(numbers[1:], nothing=numbers[:1]) is Conformity.FULL
    assert state(numbers, faults=1) is Conformity.PARTIAL
    assert state(numbers[:52]) is Conformity.NONE
    assert state(numbers[:53]) is Conformity.PARTIAL


def test_the_docs_come_from_the_same_run() -> None:
    table = (ROOT / "docs" / "accessibility.md").read_text(encoding="utf-8")
    audit = load_audit()
    assert f"Run on {audit.on}: {audit.pages} page states" in table
    for one in audit.criteria:
        assert f"| {one.number} | {one.words} |" in table
    assert all(one.faulty for one in audit.of(Found.FAULTS))
