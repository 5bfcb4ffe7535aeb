"""The look keeps its promises: 7:1 for every text, 3:1 for every edge, by day and by night, in few bytes."""

from __future__ import annotations

import gzip
import re
from itertools import product
from pathlib import Path

import pytest

from casework import agenda
from casework.vocabulary import CHANNELS, NEEDS, THEMES, URGENCIES, Word

STATIC = Path(__file__).parents[2] / "static"
STYLESHEETS = ("portal.css", "backoffice.css")
MODES = ("light", "dark")
BACKGROUNDS = ("ground", "surface", "warm", "accent-tint", "alert-tint", "success-tint")
TEXTS = ("ink", "muted", "accent", "alert")
FILLED = (("on-accent", "accent"), ("on-alert", "alert"))
EDGES = ("edge", "accent", "alert", "success", "focus")
BUDGETS = {
    "portal.css": 5_500, "backoffice.css": 6_000, "pictograms.svg": 16_000, "signs.svg": 3_500,
    "call.css": 1_200, "call.js": 9_000,
}  # fmt: skip
"""Compressed bytes each file may weigh."""

PAIRS = [*product(TEXTS, BACKGROUNDS), *FILLED]


def rules(stylesheet: str) -> str:
    """The text of a stylesheet without its comments."""
    return re.sub(r"/\*.*?\*/", "", (STATIC / stylesheet).read_text(), flags=re.DOTALL)


def root_properties(css: str) -> dict[str, str]:
    """Custom properties of the first `:root` block of `css`, names without their dashes."""
    block = re.search(r":root\s*{(.*?)}", css, re.DOTALL)
    assert block, "a stylesheet starts with its colours"
    return dict(re.findall(r"--([\w-]+):\s*([^;]+);", block[1]))


def colours(stylesheet: str, mode: str) -> dict[str, str]:
    """Every colour of a stylesheet as `#rrggbb`, as a browser in that mode would resolve it."""
    css = rules(stylesheet)
    values = root_properties(css)
    if mode == "dark":
        values |= root_properties(css[css.index("prefers-color-scheme: dark") :])
    return {name: resolve(value, values) for name, value in values.items()}


def resolve(value: str, values: dict[str, str]) -> str:
    """Follow `var(--name)` until a colour is met; `#abc` becomes `#aabbcc`."""
    while reference := re.fullmatch(r"var\(--([\w-]+)\)", value):
        value = values[reference[1]]
    short = re.fullmatch(r"#(\w)(\w)(\w)", value)
    return "#" + "".join(digit * 2 for digit in short.groups()) if short else value


def luminance(colour: str) -> float:
    """Relative luminance of `#rrggbb`, 0 to 1, as WCAG 2 defines it."""
    channels = (int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours, 1 to 21."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_the_measure_is_the_known_one() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("stylesheet", STYLESHEETS)
def test_every_text_reads_at_seven_to_one(stylesheet: str, mode: str) -> None:
    palette = colours(stylesheet, mode)
    ratios = {pair: contrast(palette[pair[0]], palette[pair[1]]) for pair in PAIRS}
    assert {pair: round(ratio, 2) for pair, ratio in ratios.items() if ratio < 7} == {}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("stylesheet", STYLESHEETS)
def test_every_edge_and_focus_shows_at_three_to_one(stylesheet: str, mode: str) -> None:
    palette = colours(stylesheet, mode)
    ratios = {pair: contrast(palette[pair[0]], palette[pair[1]]) for pair in product(EDGES, BACKGROUNDS)}
    assert {pair: round(ratio, 2) for pair, ratio in ratios.items() if ratio < 3} == {}


@pytest.mark.parametrize("mode", MODES)
def test_both_faces_share_their_colours(mode: str) -> None:
    portal, backoffice = (colours(stylesheet, mode) for stylesheet in STYLESHEETS)
    assert {name for name in portal if portal[name] != backoffice[name]} <= {"ground"}


@pytest.mark.parametrize("stylesheet", STYLESHEETS)
def test_no_colour_hides_from_the_measure(stylesheet: str) -> None:
    """Outside `:root`, text takes a colour that was measured; pictograms carry their own paper by night."""
    css = re.sub(r":root\s*{.*?}", "", rules(stylesheet), flags=re.DOTALL)
    css = re.sub(r"\.pictogram {[^}]*}", "", css)
    assert re.findall(r"#[0-9a-f]{3,8}\b|\brgba?\(|\bhsla?\(", css) == []


@pytest.mark.parametrize("stylesheet", STYLESHEETS)
def test_the_look_mirrors_and_stays_plain(stylesheet: str) -> None:
    css = rules(stylesheet)
    side = "(?:left|right|top|bottom)"
    physical = rf"\b(?:margin|padding|border)-{side}|[{{;\s]{side}\s*:|(?:align|float):\s*(?:left|right)"
    assert re.findall(physical, css) == []
    assert (
        re.findall(
            r"italic|oblique|uppercase|capitalize|justify\s*;|hyphens:\s*auto|@import|@font-face|url\(", css
        )
        == []
    )


@pytest.mark.parametrize("stylesheet", STYLESHEETS)
def test_nothing_moves_unless_movement_is_welcome(stylesheet: str) -> None:
    css = rules(stylesheet)
    welcome = css.index("prefers-reduced-motion: no-preference")
    assert not re.search(r"\b(?:animation|transition|scroll-behavior)\b", css[:welcome])


@pytest.mark.parametrize(("name", "budget"), BUDGETS.items())
def test_the_look_is_light(name: str, budget: int) -> None:
    assert len(gzip.compress((STATIC / name).read_bytes())) <= budget


def test_the_small_sprite_has_what_booking_shows_and_draws_it_alike() -> None:
    small, whole = (
        dict(re.findall(r'<symbol id="([\w-]+)"(.*?)</symbol>', (STATIC / name).read_text(), re.DOTALL))
        for name in ("signs.svg", "pictograms.svg")
    )
    assert small.items() <= whole.items()
    templates = STATIC.parent / "templates"
    folders = (templates / "portal" / "booking", templates / "shared")
    pages = [templates / "portal" / "base.html", *(page for folder in folders for page in folder.iterdir())]
    shown = {name for page in pages for name in re.findall(r'pictogram\("([\w-]+)"\)', page.read_text())}
    assert shown | {word.pictogram for word in agenda.MODES.values()} <= set(small)
    assert shown >= {"back", "clock"}


def test_every_word_finds_its_pictogram() -> None:
    sprite = (STATIC / "pictograms.svg").read_text()
    drawn = set(re.findall(r'<symbol id="([\w-]+)"', sprite))
    words: list[Word] = [*THEMES.values(), *URGENCIES.values(), *CHANNELS.values(), *NEEDS.values()]
    assert {word.pictogram for word in words if word.pictogram} <= drawn
    assert "OpenMoji" in sprite
    assert "CC BY-SA 4.0" in sprite
