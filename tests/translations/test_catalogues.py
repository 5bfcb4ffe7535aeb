"""Every string people read: in every language, in easy French first, in its own direction."""

from __future__ import annotations

import gettext
import re
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from pathlib import Path
from xml.etree.ElementTree import Element

import pytest
from babel import Locale
from babel.messages.catalog import Catalog
from babel.messages.pofile import write_po
from sqlalchemy import update

from casework.agents import Agent
from casework.calling import call_next
from casework.database import transaction
from casework.requests import Request
from casework.vocabulary import LANGUAGES
from tests.casework.in_line import open_desk, set_up
from tests.conftest import Database
from tests.pages import Page
from tests.people import PAUL
from tests.portal.person import Person
from tools import strings

LONGEST_SENTENCE = 15
PLACEHOLDER = re.compile(r"%\(\w+\)s")
HARD_SIGNS = re.compile(r"[;()\[\]…–—/&]|\.\.\.")
ABBREVIATION = re.compile(
    r"\b[A-ZÀ-Ý]{2,}\b|\b(?:[KMG]o|etc|ex|Mme|Mlle|[Tt]él|[Ss]vp|[Rr]dv|max|min|num)\b|n°|\d ?h\b"
)

KNOWN_ABBREVIATIONS = {
    "RSA": "the benefit's name on every letter about it; few know its full name",
    "SMS": "the word people say; its full name is English",
    "PDF": "the name the telephone shows for such a file",
    "Mo": "what telephones write beside the size of a file",
    "Ko": "the same, for a small one",
    "OUI": "no abbreviation: what one writes back, as it stands in the answer",
    "START": "no abbreviation: the word that every provider knows",
}

SAID_ALIKE = {
    "en": {
        "Absence",
        "Absences",
        "Internet",
        "Menu",
        "Messages",
        "Notes",
        "Pages",
        "Total",
        "Urgent",
        ("%(num)s minute", "%(num)s minutes"),
    },
    "ru": {"%(day)s, %(hour)s"},
    "es": {"%(day)s, %(hour)s"},
    "ro": {"Gratuit"},
}
"""Strings that another language says with the very letters of French."""

COUNTS = range(1000)
"""Lists count up to there. Beyond, CLDR has one more French form, for millions."""

LETTERS = re.compile(r"[A-Za-zÀ-ÿ]{2,}")
NAMES = {"Allervers"}
"""Written in its own letters everywhere."""
SPOKEN = {"aria-label", "placeholder"}
"""Attributes that are read; so are those that scripts put into the page, `data-say-…`."""


@pytest.fixture(scope="session")
def source() -> Catalog:
    """Every string of the code and of the templates, as they stand."""
    return strings.extracted()


def citizens_strings(source: Catalog) -> list[str]:
    """French strings of the portal, of mails and of text messages, plurals one by one."""
    found: list[str] = []
    for message in source:
        if message.id and any(place.startswith(strings.CITIZENS_READ) for place, _line in message.locations):
            found += [message.id] if isinstance(message.id, str) else message.id
    return found


def sentences(text: str) -> list[str]:
    return re.split(r"(?<=[.!?])\s+", text)


def word_count(sentence: str) -> int:
    return sum(bool(re.search(r"\w", word)) for word in sentence.split())


def test_every_language_has_its_catalogue_and_no_other_lies_about() -> None:
    found = {path.parent.parent.name for path in (strings.ROOT / "translations").glob("*/LC_MESSAGES/*.po")}
    assert found == set(LANGUAGES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_missing_unused_unsure_or_wrongly_filled(language: str, source: Catalog) -> None:
    assert strings.problems(language, strings.wanted_in(language, source)) == []


def test_each_kind_of_mistake_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = Catalog()
    for french in ("Rouvrir", "Fermer", "Envoyer", "Demande %(number)s.", "Code : %(code)s.", "Retour"):
        wanted.add(french)
    wanted.add(("%(num)s demande", "%(num)s demandes"))
    filled = Catalog(locale="en")
    filled.add("Fermer", "")
    filled.add("Envoyer", "Send", flags=["fuzzy"])
    filled.add("Demande %(number)s.", "Request %(numero)s.")
    filled.add("Code : %(code)s.", "Code.")
    filled.add("Retour", "Back")
    filled.add("Effacer", "Delete")
    filled.add(("%(num)s demande", "%(num)s demandes"), ("%(num)s request", ""))
    monkeypatch.setattr(strings, "ROOT", tmp_path)
    path = strings.path_of("en")
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        write_po(file, filled)
    assert strings.problems("en", wanted) == [
        "en: missing: %(num)s demande",
        "en: missing: Fermer",
        "en: missing: Rouvrir",
        "en: placeholder %(code)s is missing: Code : %(code)s.",
        "en: unknown named placeholder 'numero': Demande %(number)s.",
        "en: unsure: Envoyer",
        "en: unsure: the whole catalogue",
        "en: unused: Effacer",
    ]


@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != "fr"])
def test_no_string_was_left_in_french(language: str) -> None:
    alike = {message.id for message in strings.read(language) if message.id and message.id == message.string}
    assert alike == SAID_ALIKE.get(language, set())


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_catalogue_counts_as_its_language_does(language: str) -> None:
    """As many plural forms as CLDR has for whole numbers, and a new form wherever CLDR has one."""
    catalogue = strings.read(language)
    form, category = gettext.c2py(catalogue.plural_expr), Locale.parse(language).plural_form
    pairs = {(form(number), category(number)) for number in COUNTS}
    assert len(pairs) == catalogue.num_plurals == len({category(number) for number in COUNTS})
    assert len({index for index, _ in pairs}) == len(pairs)


def test_citizens_read_no_hard_sign(source: Catalog) -> None:
    bare = {text: PLACEHOLDER.sub("", text) for text in citizens_strings(source)}
    assert [text for text, shown in bare.items() if HARD_SIGNS.search(shown)] == []


def test_citizens_read_no_abbreviation_but_those_they_know(source: Catalog) -> None:
    said = [re.sub(r"%\(\w+\)s", "", text) for text in citizens_strings(source)]
    found = [match.group() for text in said for match in ABBREVIATION.finditer(text)]
    assert set(found) == set(KNOWN_ABBREVIATIONS)


def test_citizens_read_short_sentences(source: Catalog) -> None:
    long = [
        sentence
        for text in citizens_strings(source)
        for sentence in sentences(text)
        if word_count(sentence) > LONGEST_SENTENCE
    ]
    assert long == []


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("Un mot, deux mots : trois mots ?", [6]),
        ("C'est fait. Où allez-vous ? Là !", [2, 2, 1]),
        ("Exemple : nom@exemple.fr", [2]),
    ],
)
def test_words_are_counted_as_one_reads(text: str, counts: list[int]) -> None:
    assert [word_count(sentence) for sentence in sentences(text)] == counts


@cache
def said_in(language: str) -> frozenset[str]:
    """What translators wrote in a language."""
    return frozenset(message.string for message in strings.read(language) if isinstance(message.string, str))


def stray_letters(page: Page) -> Iterator[str]:
    """Texts in Latin letters that neither a translator wrote nor `bdi`, `dir` or `lang` sets apart."""

    def walk(element: Element, apart: bool) -> Iterator[str]:
        here = element.tag == "bdi" or element.get("dir") or element.get("lang", language) != language
        apart = apart or bool(here)
        said = [words for name, words in element.items() if name in SPOKEN or name.startswith("data-say-")]
        for text in (element.text, *said):
            if not apart:
                yield from strays(text)
        for child in element:
            yield from walk(child, apart)
            if not apart:
                yield from strays(child.tail)

    def strays(text: str | None) -> list[str]:
        read = " ".join((text or "").split())
        return [read] if set(LETTERS.findall(read)) - NAMES and read not in translated else []

    language = page.html.get("lang", "")
    translated = said_in(language)
    body = page.html.find("body")
    assert body is not None
    return walk(body, apart=False)


def test_amina_reads_arabic_from_right_to_left_and_french_names_stand_apart(
    amina: Person, database: Database
) -> None:
    for slug in ("", "urgences", "maisons", "accessibilite", "mentions", "suivre", "lien-perdu", "rien"):
        amina.go(slug, status=404 if slug == "rien" else 200)
    receipt = amina.asks_for_help(
        theme="violence", urgency="eviction", words="أحتاج إلى مساعدة", place="Poitiers", name="Amina Benali",
        channels={"sms": "06 12 34 56 78", "email": "amina@example.org", "letter": "Amina\n1 rue du Marché"},
        needs=["interpreter"],
    )  # fmt: skip
    with transaction(database.owner) as session:
        session.execute(update(Request).values(handler=PAUL.name))
    followed = amina.go("suivi")

    assert PAUL.name in followed.main
    assert "Maison départementale de la solidarité de Poitiers" in receipt.page.main
    assert {(page.html.get("lang"), page.html.get("dir")) for page in amina.shown} == {("ar", "rtl")}
    assert {page.path: found for page in amina.shown if (found := list(stray_letters(page)))} == {}
    assert all(re.search("[\u0600-\u06ff]", page.heading) for page in amina.shown)


@pytest.mark.parametrize("language", ["fa", "uk"])
def test_a_call_and_a_talk_hold_no_french(
    amina: Person, database: Database, language: str, now: datetime
) -> None:
    """In languages that the back office does not speak: what both faces share is translated there too."""
    open_desk(database, set_up(database, now), PAUL, now)
    amina.language, amina.shown = language, []
    permanence = f"/{language}/permanence"
    amina.open(permanence)
    amina.submit(called_name="Amina", spoken_language=language, theme="housing", channel="video")
    amina.open(f"{permanence}/attente")
    with transaction(database.backoffice) as session:
        call_next(session, session.get_one(Agent, PAUL.id), now)
    amina.open(f"{permanence}/attente")
    amina.submit(action="/entrer")
    for path in ("entretien/ecrire", "entretien/sortie", "rappel"):
        amina.open(f"{permanence}/{path}")
    pages = {page.path.removeprefix(permanence): page for page in amina.shown}
    assert {"/essai", "/entretien"} <= pages.keys()
    assert {path: found for path, page in pages.items() if (found := list(stray_letters(page)))} == {}


def test_a_word_left_in_french_would_be_seen(amina: Person) -> None:
    page = amina.go("")
    next(page.html.iter("main")).text = "Bienvenue"
    assert list(stray_letters(page)) == ["Bienvenue"]
