"""A département says who it is: in several languages, with each wrong key named."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from casework.identity import IdentityError, load_identity
from casework.settings import ROOT

VIENNE = ROOT / "territory" / "vienne"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the identity of la Vienne."""
    shutil.copy(VIENNE / "identity.yaml", tmp_path)
    return tmp_path


def put(folder: Path, old: str, new: str) -> None:
    """Change the first thing that matches a pattern; it must be there."""
    content = (folder / "identity.yaml").read_text(encoding="utf-8")
    changed, how_many = re.subn(old, new, content, count=1)
    assert how_many == 1
    (folder / "identity.yaml").write_text(changed, encoding="utf-8")


def test_the_identity_of_la_vienne_reads_in_three_languages() -> None:
    vienne = load_identity(VIENNE)
    assert (vienne.departement, vienne.phone, vienne.answer_working_days) == ("Vienne", "+33536490000", 5)
    assert vienne.in_language("fr") == vienne
    assert vienne.in_language("ar").hours.startswith("من الاثنين")
    assert vienne.in_language("en").silence_means.splitlines()[0] == "Are you asking for money?"
    assert vienne.in_language("ar").postal_address == vienne.postal_address


def test_limits_of_appointments_may_be_left_out(folder: Path) -> None:
    put(folder, "cancel_until_hours: 2", "cancel_until_hours: 24")
    put(folder, "move_until_hours: 2\n", "")
    identity = load_identity(folder)
    assert (identity.cancel_until_hours, identity.move_until_hours) == (24, 2)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("departement: Vienne", "", "departement: expected a text"),
        (
            "action_colour: .*",
            'action_colour: "#7fb3b8"',
            "action_colour: expected a darker colour, at least 7 to 1 on white",
        ),
        ("warning_colour: .*", "warning_colour: red", "warning_colour: expected a colour between quotes"),
        (
            "# logo: logo.svg",
            "logo: ../logo.svg",
            "logo: expected the name of an SVG or PNG file of this folder",
        ),
        (
            "answer_working_days: 5",
            "answer_working_days: soon",
            "answer_working_days: expected a whole number",
        ),
        (
            "cancel_until_hours: 2",
            "cancel_until_hours: 2 h",
            "cancel_until_hours: expected a whole number from 0 to 168",
        ),
        (
            "https://meteofrance.com/",
            "http://meteofrance.com/",
            "quick_exit_address: expected an address that begins",
        ),
        (
            "  ar:",
            "  fr:",
            "translations: expected languages among ar, en, fa, ps, uk, ru, tr, bn, es, ro, not “fr”",
        ),
        ("service: Allervers", "servcie: Allervers", "servcie: no such key"),
        ("service: Allervers", "service: [", "not YAML"),
    ],
)
def test_an_identity_says_which_key_is_wrong(folder: Path, old: str, new: str, said: str) -> None:
    put(folder, old, new)
    with pytest.raises(IdentityError) as refused:
        load_identity(folder)
    assert f"identity.yaml: {said}" in str(refused.value)


def test_a_logo_is_a_file_of_the_folder(folder: Path) -> None:
    (folder / "logo.svg").write_text("<svg/>", encoding="utf-8")
    put(folder, "# logo:", "logo:")
    assert load_identity(folder).logo == folder / "logo.svg"
