"""A page never waits for somebody to compile a catalogue: what is out of date is compiled as it is read."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.mofile import write_mo

from casework import translation
from casework.settings import Settings
from portal.app import create
from tests.clock import Clock
from tests.portal.person import Person
from tools import strings

pytestmark = pytest.mark.long

HEADING = {"fr": "Nous sommes là pour vous aider", "ar": "نحن هنا لمساعدتكم", "en": "We are here to help you"}
"""A few languages are enough: none is compiled otherwise than the others."""


@pytest.fixture
def catalogues(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the catalogues of which nothing is compiled yet."""
    folder = tmp_path / "translations"
    shutil.copytree(translation.CATALOGUES, folder, ignore=shutil.ignore_patterns("*.mo"))
    monkeypatch.setattr(translation, "CATALOGUES", folder)
    translation.catalogue.cache_clear()
    yield folder
    translation.catalogue.cache_clear()


def heading(settings: Settings, clock: Clock, language: str) -> str:
    """What a portal that starts now says on its first page."""
    return Person(create(settings, clock), language=language).go("").heading


@pytest.mark.parametrize("language", HEADING)
def test_a_portal_whose_catalogues_nobody_compiled_speaks_every_language(
    catalogues: Path, settings: Settings, clock: Clock, language: str
) -> None:
    assert not list(catalogues.rglob("*.mo"))
    assert heading(settings, clock, language) == HEADING[language]


@pytest.mark.parametrize(("age", "said"), [(-60, HEADING["en"]), (60, "Here to help")])
def test_a_compiled_catalogue_is_read_unless_its_source_is_newer(
    catalogues: Path, settings: Settings, clock: Clock, age: int, said: str
) -> None:
    source = catalogues / "en" / "LC_MESSAGES" / "messages.po"
    catalogue = strings.read("en")
    message = catalogue.get(HEADING["fr"])
    assert message
    message.string = "Here to help"
    compiled = source.with_suffix(".mo")
    with compiled.open("wb") as file:
        write_mo(file, catalogue)
    changed = source.stat().st_mtime + age
    os.utime(compiled, (changed, changed))
    assert heading(settings, clock, "en") == said
