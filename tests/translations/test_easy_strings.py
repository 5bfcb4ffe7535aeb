"""Every string, mail and text message a citizen reads is easy French: the checker finds no error in it."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import TypedDict

import pytest
import yaml
from babel.messages.catalog import Catalog
from jinja2 import ChainableUndefined, Environment

from casework import translation
from casework.easyread import Kind, Level, Report, report
from casework.easyread.__main__ import acronyms, table
from casework.settings import ROOT
from casework.translation import one_a_line
from tests.translations.test_catalogues import citizens_strings
from tools import strings

pytestmark = pytest.mark.long

EXCEPTIONS = Path(__file__).with_name("easy_exceptions.yaml")
MESSAGES = sorted(
    path.relative_to(translation.TEMPLATES).as_posix()
    for folder in ("mail", "sms")
    for path in (translation.TEMPLATES / folder).glob("*.txt")
    if not path.stem.endswith("layout")
)
SAMPLE, SEVERAL = "Poitiers", 2
MODES, ROOMS = ("here", "phone", "video", "home"), (0, 1, 2, 3)


class Excuse(TypedDict):
    """A string set aside by hand, for some rules, and the reason."""

    text: str
    rules: list[int]
    because: str


class Sample(ChainableUndefined):
    """Stands for any fact a message tells: a name, a date, a number."""

    def __str__(self) -> str:
        return SAMPLE

    def __html__(self) -> str:
        return SAMPLE


@pytest.fixture(scope="module")
def messages() -> Environment:
    """The templates of messages, whose every fact is a sample."""
    made = translation.environment("fr").overlay(undefined=Sample)
    made.filters = {name: lambda *_facts, **_more: SAMPLE for name in made.filters}
    return made


@pytest.fixture(scope="module")
def source() -> Catalog:
    return strings.extracted()


@pytest.fixture(scope="module")
def known() -> dict[str, str]:
    return acronyms()


def excuses() -> list[Excuse]:
    listed: list[Excuse] = yaml.safe_load(EXCEPTIONS.read_text(encoding="utf-8"))
    return listed


def wrong(text: str, told: Report, spared: tuple[int, ...] = ()) -> list[str]:
    return [
        f"{text} → {finding}"
        for finding in told.findings
        if finding.level is Level.ERROR and finding.rule not in spared
    ]


def test_every_string_a_citizen_reads_is_easy_french(source: Catalog, known: dict[str, str]) -> None:
    spared = {excuse["text"]: tuple(excuse["rules"]) for excuse in excuses()}
    read = sorted(set(citizens_strings(source)))
    assert len(read) > 300
    found = [
        line for text in read for line in wrong(text, report(text, Kind.STRING, known), spared.get(text, ()))
    ]
    assert found == []


def test_each_exception_is_a_string_that_needs_it(source: Catalog, known: dict[str, str]) -> None:
    read = set(citizens_strings(source))
    for excuse in excuses():
        assert excuse["text"] in read
        broken = {
            f.rule for f in report(excuse["text"], Kind.STRING, known).findings if f.level is Level.ERROR
        }
        assert broken == set(excuse["rules"])
        assert len(excuse["because"]) > 20
    assert len(excuses()) <= 5


@pytest.mark.parametrize("name", MESSAGES)
def test_every_message_is_easy_french_one_sentence_a_line(
    messages: Environment, known: dict[str, str], name: str
) -> None:
    """However little room a text message has, and wherever the appointment is."""
    spared = [excuse["text"] for excuse in excuses()]
    template = messages.get_template(name)
    for mode, room in product(MODES, ROOMS):
        body = one_a_line(template.render(mode=mode, room=room, people=SEVERAL).strip()).replace(
            "\N{NO-BREAK SPACE}", " "
        )
        for text in spared:
            body = body.replace(one_a_line(text), "")
        assert wrong(name, report(body, Kind.MESSAGE, known)) == []


def test_a_hard_message_would_be_seen(messages: Environment) -> None:
    body = messages.from_string(
        '{{ _("Votre demande (la no 12).") }} {{ _("Répondez ;") }} {{ name }}'
    ).render()
    assert {finding.rule for finding in report(one_a_line(body), Kind.MESSAGE).findings} >= {4}


@pytest.mark.parametrize("words", ["silence_means", "remedies", "legal_notices", "hours"])
def test_the_demonstration_departement_writes_easy_french(known: dict[str, str], words: str) -> None:
    identity = yaml.safe_load((ROOT / "territory" / "vienne" / "identity.yaml").read_text(encoding="utf-8"))
    told = report(identity[words], Kind.MESSAGE, known)
    assert wrong(words, told) == []


def test_the_figures_of_strings_are_those_of_easy_french(known: dict[str, str], source: Catalog) -> None:
    """A line for each place people read, printed with `pytest -rP`; the longest sentence has 15 words."""
    by_place: dict[str, list[str]] = {}
    for message in source:
        texts = [message.id] if isinstance(message.id, str) else list(message.id)
        for place, _line in message.locations:
            top = "/".join(place.split("/")[:2])
            by_place.setdefault(top, []).extend(text for text in texts if text)
    rows = [
        (place, report("\n\n".join(one_a_line(text) for text in texts), Kind.MESSAGE, known))
        for place, texts in sorted(by_place.items())
        if place.startswith(
            ("portal/", "templates/portal", "templates/mail", "templates/sms", "templates/print")
        )
    ]
    print(table(rows))
    assert max(told.figures.longest for _, told in rows) <= 15
    assert all(told.figures.median_words <= 10 for _, told in rows)
