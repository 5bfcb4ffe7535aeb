"""The portal and its people, as `tests/portal` knows them, with the present catalogues compiled."""

from __future__ import annotations

from pathlib import Path

import pytest
from babel.messages.mofile import write_mo
from flask import Flask

from casework.vocabulary import LANGUAGES
from tests.portal.conftest import amina, clock, portal, settings, somebody
from tools import strings

__all__ = ["amina", "clock", "portal", "settings", "somebody"]


@pytest.fixture
def compiled(portal: Flask, tmp_path: Path) -> None:
    """Let the portal speak from the catalogues as they stand, not as they were last compiled."""
    for language in LANGUAGES:
        folder = tmp_path / "translations" / language / "LC_MESSAGES"
        folder.mkdir(parents=True)
        with (folder / "messages.mo").open("wb") as file:
            write_mo(file, strings.read(language))
    portal.extensions["babel"].translation_directories = [str(tmp_path / "translations")]
