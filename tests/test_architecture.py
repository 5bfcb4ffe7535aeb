"""The house keeps its shape: which part may lean on which, how long a file may be, and that the docs say what is."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from casework.settings import ROOT

WEB_LIBRARIES = frozenset({"flask", "flask_babel", "flask_wtf", "wtforms", "werkzeug"})
FACES = frozenset({"portal", "backoffice"})
OURS = frozenset({"casework", "web", "tests", "tools", "bench"}) | FACES

FORBIDDEN: dict[str, frozenset[str]] = {
    "casework": (OURS - {"casework"}) | WEB_LIBRARIES,
    "web": OURS - {"web", "casework"},
    "portal": OURS - {"portal", "web", "casework"},
    "backoffice": OURS - {"backoffice", "web", "casework"},
}
"""For each part of the product, what it may not import; tests, tools and benchmarks are free."""

VAGUE = frozenset(
    {"utils", "util", "helpers", "helper", "managers", "manager", "services", "service", "common"}
)
MOST_LINES = 600
PIECES = frozenset(
    {
        "forms",
        "pictogram",
        "translated",
        "correction",
        "receipt_facts",
        "tiles",
        "call",
        "talk_call",
        "camera_check",
        "row",
        "acts",
        "phrases",
        "cards",
    }
)
"""Templates that other templates include or import: they are no page."""

TESTS_NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def modules(part: str) -> list[Path]:
    """The Python files of a part of the product."""
    return sorted((ROOT / part).rglob("*.py"))


def imported(source: str, part: str) -> Iterator[str]:
    """The first names of what a source imports; a relative import is of its own part."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield part if node.level else (node.module or "").split(".")[0]


def wrong_arrows(source: str, part: str) -> set[str]:
    """What a source of this part imports and may not."""
    return set(imported(source, part)) & FORBIDDEN[part]


@pytest.mark.parametrize("part", FORBIDDEN)
def test_arrows_point_the_right_way(part: str) -> None:
    wrong = {
        str(path.relative_to(ROOT)): found
        for path in modules(part)
        if (found := wrong_arrows(path.read_text(encoding="utf-8"), part))
    }
    assert wrong == {}


@pytest.mark.parametrize(
    ("part", "source", "wrong"),
    [
        ("casework", "def late() -> None:\n    from flask import g\n", {"flask"}),
        ("casework", "import web.doors", {"web"}),
        ("web", "from portal.visit import draft", {"portal"}),
        ("portal", "import casework.journal, backoffice.case", {"backoffice"}),
        ("backoffice", "from web.doors import open_to\nfrom casework import triage", set()),
    ],
)
def test_a_wrong_arrow_would_be_seen(part: str, source: str, wrong: set[str]) -> None:
    assert wrong_arrows(source, part) == wrong


@pytest.mark.parametrize("part", sorted(OURS))
def test_files_have_a_name_that_says_something_and_fit_in_a_head(part: str) -> None:
    vague = [
        path
        for path in (ROOT / part).rglob("*")
        if path.stem in VAGUE and not {"__pycache__", "node_modules"} & {*path.parts}
    ]
    assert vague == []
    if part in FORBIDDEN:
        long = {
            path.name: lines
            for path in modules(part)
            if (lines := path.read_text(encoding="utf-8").count("\n")) > MOST_LINES
        }
        assert long == {}


def test_every_page_has_a_title() -> None:
    pages = [
        path
        for folder in ("portal", "backoffice", "shared")
        for path in (ROOT / "templates" / folder).rglob("*.html")
        if path.stem not in PIECES and not path.stem.endswith("_lines")
    ]
    untitled = [path for path in pages if not _is_titled(path)]
    assert len(pages) > 20
    assert untitled == []
    assert "<title>" in (ROOT / "templates" / "print" / "receipt.html").read_text(encoding="utf-8")


def _is_titled(path: Path) -> bool:
    """It fills the title's block, or extends a template of its own folder that does."""
    text = path.read_text(encoding="utf-8")
    if re.search(r"{% block title %}(?!\s*{% endblock)", text) or (
        path.name == "base.html" and "<title>{% block title %}" in text
    ):
        return True
    parent = re.search(r'{% extends "([^"]+)" %}', text)
    if parent is None or Path(parent[1]).parent.name in FACES:
        return False
    return _is_titled(ROOT / "templates" / parent[1])


def test_the_architecture_names_every_module_of_the_domain() -> None:
    said = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(\w+)/?`", said))
    there = {path.stem for path in (ROOT / "casework").glob("*.py") if not path.stem.startswith("__")}
    there |= {path.parent.name for path in (ROOT / "casework").glob("*/__init__.py")} - {"migrations"}
    assert there - named == set()


def test_the_readme_names_every_setting() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    told = set(re.findall(r"^\| `(\w+)`", readme, re.MULTILINE))
    read = {
        name for file in ("settings.py", "running.py") for name in _settings_read(ROOT / "casework" / file)
    }
    assert "DATABASE_URL" in read
    assert "LDAP_NESTED_GROUPS" in read
    assert read - told == set()
    filed = set(re.findall(r"^\| `(\w+)` °", readme, re.MULTILINE))
    assert filed == set(_settings_read(ROOT / "casework" / "settings.py", only="secret_value"))


def _settings_read(path: Path, only: str = "") -> Iterator[str]:
    """Names of settings in a source: capitals in `environment.get`, `environment[…]`, `secret_value`, `_number`."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        literals: list[ast.expr] = []
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in ({only} if only else {"get", "secret_value", "_number"}):
                literals = node.args
        elif isinstance(node, ast.Subscript) and not only:
            literals = [node.slice] if getattr(node.value, "id", "") == "environment" else []
        for literal in literals:
            if isinstance(literal, ast.Constant) and re.fullmatch("[A-Z][A-Z_]+", str(literal.value)):
                yield str(literal.value)


def test_the_threats_name_tests_that_exist() -> None:
    said = (ROOT / "docs" / "threats.md").read_text(encoding="utf-8")
    named = TESTS_NAMED.findall(said)
    assert len(named) > 10
    missing = [
        f"{file}::{test}"
        for file, test in named
        if not (ROOT / file).is_file() or f"def {test}(" not in (ROOT / file).read_text(encoding="utf-8")
    ]
    assert missing == []


@pytest.mark.parametrize(
    "page",
    ["README.md", "CONTRIBUTING.md", *(str(p.relative_to(ROOT)) for p in (ROOT / "docs").rglob("*.md"))],
)
def test_links_of_the_docs_lead_somewhere(page: str) -> None:
    path = ROOT / page
    targets = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8"))
    lost = [t for t in targets if not t.startswith(("http", "mailto:")) and not (path.parent / t).exists()]
    assert lost == []
