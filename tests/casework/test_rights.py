"""Pages are read from files, and whoever writes a wrong one is told where."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from casework import rights_search
from casework.amounts import Amount, family_benefit, in_words, read_amounts
from casework.rights import HEADINGS, ContentError, Library, Part, load_library, markup
from casework.translation import catalogue
from casework.vocabulary import Theme
from tests.conftest import Database

RENT = """---
title: "Payer son loyer"
summary: "Vous ne payez plus votre loyer : nous vous aidons."
themes: [housing, money]
situations: [rent]
sensitive: false
checked: 2026-11-21
source: {name: "Service Public", url: "https://www.service-public.gouv.fr/"}
reviewers: []
readers: []
version: 2
pictogram: house
---
## C'est quoi ?
Une aide de {amount:help}.

## C'est pour qui ?
Pour vous.

## Qu'est-ce que je reçois ?
Une somme.

## Qu'est-ce que je fais ?
Vous lisez aussi [cette page](rights:loyer).

## Qu'est-ce que j'apporte ?
- Votre bail.

## Où aller ?
Appelez le [115](tel:115).

## Plus de détails
Code de la construction.
"""
AMOUNTS = """help: {value: "646.52", unit: EUR/month, of: "aide", since: 2026-04-01,
  source: {name: "Caf", url: "https://www.caf.fr"}, checked: 2026-11-21}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One page about the rent, in French."""
    (tmp_path / "rights" / "loyer").mkdir(parents=True)
    (tmp_path / "situations").mkdir()
    (tmp_path / "rights" / "loyer" / "fr.md").write_text(RENT, encoding="utf-8")
    (tmp_path / "situations" / "fr.yaml").write_text(
        'rent: "Je ne peux pas payer mon loyer"\n', encoding="utf-8"
    )
    (tmp_path / "situations.yaml").write_text("fr: {version: 1}\n", encoding="utf-8")
    (tmp_path / "amounts.yaml").write_text(AMOUNTS, encoding="utf-8")
    return tmp_path


def change(folder: Path, before: str, after: str) -> None:
    """Edit the page as somebody would in a text editor."""
    page = folder / "rights" / "loyer" / "fr.md"
    text = page.read_text(encoding="utf-8")
    assert before in text
    page.write_text(text.replace(before, after), encoding="utf-8")


def test_a_page_is_read_with_its_seven_parts(folder: Path) -> None:
    page = load_library(folder).page("loyer", "fr")
    assert page
    assert page.facts.themes == (Theme.HOUSING, Theme.MONEY)
    assert list(page.parts) == list(Part)
    assert page.parts[Part.BRING] == "- Votre bail."


def test_an_amount_comes_from_the_table_and_links_lead_to_pages(folder: Path) -> None:
    library = load_library(folder)
    page = library.page("loyer", "fr")
    assert page
    money = {"help": in_words(library.amounts["help"], "fr")}
    assert "646,52\xa0€ par mois" in markup(page, Part.WHAT, "/fr/droits/{slug}", money)
    assert '<a href="/fr/droits/loyer">' in markup(page, Part.DO, "/fr/droits/{slug}", money)
    assert '<a href="tel:115">' in markup(page, Part.WHERE, "/fr/droits/{slug}", money)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (
            "## Qu'est-ce que j'apporte ?\n- Votre bail.\n",
            "",
            "“Qu'est-ce que j'apporte ?” is missing or empty",
        ),
        ("- Votre bail.", "", "“Qu'est-ce que j'apporte ?” is missing or empty"),
        ("## Où aller ?", "## Où ça ?", "“Où ça ?” is not one of the parts"),
        ("[housing, money]", "[houses]", "“houses” is none"),
        ("[rent]", "[rant]", "no situation “rant”"),
        ("rights:loyer", "rights:loier", "loyer/fr.md:24: no page “loier” to link to"),
        ("tel:115", "ftp://115", "a link begins with rights:, tel: or https:"),
        ("amount:help", "amount:helf", "loyer/fr.md:15: no amount “helf” in amounts.yaml"),
        ("version: 2", "version: two", "version should be a whole number"),
        ("https://www.service", "www.service", "url that begins with https://"),
        ('title: "Payer son loyer"\n', "", "title is missing"),
        ("version: 2", "version: 2\nsearch: loyer", "fr.md:1: search should be a list of words"),
    ],
)
def test_whoever_writes_a_wrong_page_is_told_where(folder: Path, before: str, after: str, told: str) -> None:
    change(folder, before, after)
    with pytest.raises(ContentError) as error:
        load_library(folder)
    assert any(told in problem for problem in error.value.problems), error.value.problems


def test_all_problems_are_told_at_once(folder: Path) -> None:
    change(folder, "[rent]", "[rant]")
    change(folder, "amount:help", "amount:helf")
    with pytest.raises(ContentError) as error:
        load_library(folder)
    assert len(error.value.problems) == 2


def test_html_in_a_page_is_shown_and_not_obeyed(folder: Path) -> None:
    change(folder, "Pour vous.", "Pour <script>vous</script>.")
    page = load_library(folder).page("loyer", "fr")
    assert page
    assert "&lt;script&gt;" in markup(page, Part.WHO, "{slug}", {})


def test_the_french_comes_first(folder: Path) -> None:
    (folder / "rights" / "loyer" / "fr.md").rename(folder / "rights" / "loyer" / "en.md")
    with pytest.raises(ContentError, match=r"fr\.md is missing"):
        load_library(folder)


def test_a_translation_of_an_earlier_version_is_to_be_redone(folder: Path) -> None:
    english = '---\ntitle: "Paying the rent"\nsummary: "We help."\nof_version: 1\n---\n' + "".join(
        f"## {catalogue('en').gettext(heading)}\nwords\n" for heading in HEADINGS.values()
    )
    (folder / "rights" / "loyer" / "en.md").write_text(english, encoding="utf-8")
    library = load_library(folder)
    page = library.page("loyer", "en")
    assert page
    assert page.outdated
    assert page.title == "Paying the rent"
    assert "loyer/en: made from an earlier version" in library.to_redo()
    assert "loyer/ar: not translated" in library.to_redo()


def test_a_page_not_translated_is_the_french_one(folder: Path) -> None:
    page = load_library(folder).page("loyer", "ar")
    assert page
    assert page.language == "fr"


def amount(value: str, unit: str = "EUR", checked: date | None = date(2026, 11, 21)) -> Amount:
    return Amount("x", Decimal(value), unit, "", date(2026, 4, 1), "", "https://x", checked)


def test_sums_are_written_as_each_language_does_with_digits_people_know() -> None:
    assert in_words(amount("646.52"), "fr") == "646,52\xa0€"
    assert in_words(amount("1500"), "fr") == "1\u202f500\xa0€"
    assert in_words(amount("646.52"), "en") == "€646.52"
    assert "646" in in_words(amount("646.52"), "ar")


PUBLISHED = {
    "422.28": ("376.98", "397.78", "411.56"),
    "474.37": ("423.48", "446.85", "462.33"),
}
"""Back-to-school allowances of 2022 and 2025, by the monthly base of their year."""


@pytest.mark.parametrize(("base", "sums"), PUBLISHED.items())
def test_a_computed_family_benefit_is_the_one_that_was_published(base: str, sums: tuple[str, ...]) -> None:
    rates = ("0.8972", "0.9467", "0.9795")
    assert [family_benefit(Decimal(rate), Decimal(base)) for rate in rates] == [Decimal(one) for one in sums]


def test_a_computed_amount_must_be_what_its_base_makes(tmp_path: Path) -> None:
    """Whoever writes next year's base and forgets the sum is told."""
    row = (
        '{value: "%s", unit: EUR, of: "a", since: 2025-04-01, source: {name: a, url: b}, '
        'computed: {rate: "0.32", base: "474.37"}}'
    )
    table, problems = tmp_path / "amounts.yaml", list[str]()
    table.write_text(f"right: {row % '151.05'}\nwrong: {row % '152.25'}\n", encoding="utf-8")
    assert list(read_amounts(table, problems)) == ["right"]
    assert len(problems) == 1
    assert "wrong" in problems[0]


def test_an_amount_nobody_checked_for_six_months_is_stale() -> None:
    assert not amount("1").is_stale(date(2027, 5, 1))
    assert amount("1").is_stale(date(2027, 6, 1))
    assert amount("1", checked=None).is_stale(date(2026, 11, 21))


@pytest.fixture
def library() -> Library:
    """The pages of the service itself."""
    return load_library()


def test_the_pages_of_the_service_are_all_there(library: Library) -> None:
    assert len(library.pages) >= 24
    assert all(page["fr"].facts.source.url.startswith("https://") for page in library.pages.values())


def test_each_situation_leads_to_a_page(library: Library) -> None:
    for situation in library.situations["fr"]:
        assert library.of_situation(situation, "fr"), situation


FOUND = {
    "je ne peux pas payer mon loyer": "loyer-impaye",
    "payé loier": "loyer-impaye",
    "RSA": "rsa",
    "mon mari me frappe": "violences",
    "dormir dehors ce soir": "sans-toit",
    "huissier expulsion": "expulsion",
    "manger": "aide-alimentaire",
    "surandettement": "surendettement",
    "facture electricité": "energie",
    "medecin gratuit sans papier": "ame",
}

FOUND_FIRST = {
    "їжа": "aide-alimentaire",
    "їжею": "aide-alimentaire",
    "خشونت": "violences",
    "نان": "aide-alimentaire",
    "violencias": "violences",
    "sans papié": "etrangers",
    "loyer": "loyer-impaye",
}
"""Words of one's own, bent as one's language bends them, some of them known to another page."""


@pytest.mark.long
def test_people_find_with_their_own_words_and_words_of_no_page_find_nothing(
    database: Database, library: Library
) -> None:
    """Spelling mistakes included. Loading every word of every page takes seconds: it is done once."""
    with Session(database.owner) as session, session.begin():
        rights_search.load(session, library)
    with Session(database.portal) as session:
        first = {words: rights_search.find(session, words)[:3] for words in FOUND}
        assert {words: slug for words, slug in FOUND.items() if slug not in first[words]} == {}
        asked = {words: rights_search.find(session, words)[:1] for words in FOUND_FIRST}
        assert asked == {words: [slug] for words, slug in FOUND_FIRST.items()}
        for nothing in ("", "   ", "zzyzx", "%", "';--", "…"):
            assert rights_search.find(session, nothing) == []


def test_the_words_are_made_once_for_the_same_content(database: Database, folder: Path) -> None:
    library = load_library(folder)
    with Session(database.owner) as session, session.begin():
        assert rights_search.load(session, library)
        assert not rights_search.load(session, library)
        page = library.pages["loyer"]["fr"]
        newer = Library(
            {"loyer": {"fr": replace(page, title="Le loyer")}}, library.situations, library.amounts
        )
        assert rights_search.load(session, newer)
