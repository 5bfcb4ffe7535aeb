"""What a browser may keep for a day without network, as the server says it."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask

from casework.rights import load_library
from casework.settings import Settings
from portal.app import create
from portal.offline import MADE_FROM
from tests.conftest import Database
from tests.portal.kiosk_visitor import AtKiosk, new_key
from tests.portal.person import Person


def house(person: Person) -> dict[str, object]:
    """What the keeper is told."""
    told: dict[str, object] = json.loads(
        re.match("const HOUSE = (.*);", person.ask("GET", "/sw.js").text)[1]  # type: ignore[index]
    )
    return told


def public_pages() -> list[str]:
    library = load_library()
    sensitive = {slug for slug, pages in library.pages.items() if pages["fr"].facts.sensitive}
    return ["urgences", "maisons", "hors-ligne", "droits/", *(
        f"droits/{slug}" for slug in library.pages if slug not in sensitive
    )]  # fmt: skip


def test_the_keeper_is_asked_for_again_each_time_and_may_act_everywhere(marcel: Person) -> None:
    answer = marcel.ask("GET", "/sw.js")
    assert answer.mimetype == "text/javascript"
    assert answer.headers["Cache-Control"] == "no-cache"
    assert answer.headers["Service-Worker-Allowed"] == "/"
    assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
    assert "Set-Cookie" not in answer.headers


def test_pages_that_may_be_kept_are_the_same_for_whoever_follows_a_request(marcel: Person) -> None:
    """Not one byte, not one cookie differs from what a stranger gets."""
    stranger = Person(marcel.client.application)
    marcel.asks_for_help(theme="money")
    marcel.go("suivi")
    for path in public_pages():
        known, unknown = (one.ask("GET", f"/fr/{path}") for one in (marcel, stranger))
        assert known.data == unknown.data, path
        assert "public" in known.headers["Cache-Control"], path
        assert "Set-Cookie" not in known.headers, path


def test_pages_that_may_not_be_kept_tell_the_keeper_nothing(marcel: Person) -> None:
    marcel.asks_for_help(theme="violence", urgency="danger")
    for path in ("suivi", "recu", "droits/violences", "droits/situation/beaten_at_home", "suivre"):
        marcel.go(path)
    assert [page.path for page in marcel.shown if page.html.get("data-keeper")] == []
    assert marcel.go("droits/rsa").html.get("data-keeper") == "/sw.js"
    for path in ("/fr/droits/violences", "/fr/droits/situation/beaten_at_home", "/fr/droits/chercher?mots=a"):
        assert marcel.ask("GET", path).headers["Cache-Control"] == "no-store"


def test_a_kiosk_keeps_nothing(portal: Flask, database: Database, now: datetime) -> None:
    screen = AtKiosk(portal)
    screen.set_up(new_key(database, now))
    screen.touches("fr")
    for path in ("urgences", "maisons", "droits/rsa"):
        assert screen.go(path).html.get("data-keeper") is None, path
        assert screen.ask("GET", f"/fr/{path}").headers["Cache-Control"] == "no-store", path


def test_whatever_pages_are_made_from_makes_another_version(
    settings: Settings, marcel: Person, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def version() -> object:
        app: Flask = create(settings, lambda: datetime.now(UTC))
        return house(Person(app))["version"]

    assert {folder.name for folder in MADE_FROM} == {"static", "content", "templates", "translations"}
    before = house(marcel)["version"]
    assert version() == before
    monkeypatch.setattr("portal.offline.MADE_FROM", (*MADE_FROM, tmp_path))
    (tmp_path / "page.html").write_text("<p>Un mot</p>", encoding="utf-8")
    one = version()
    (tmp_path / "page.html").write_text("<p>Un autre mot</p>", encoding="utf-8")
    assert len({before, one, version()}) == 3
