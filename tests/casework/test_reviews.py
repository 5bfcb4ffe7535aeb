"""No word of the French changes unseen, and a review is of the words that were read."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import write_po

from casework import reviews
from casework.reviews import NothingToSignError, state_of
from casework.rights import HEADINGS, ContentError, Library, Reader, digest_of, load_library
from casework.settings import ROOT
from casework.translation import catalogue
from casework.vocabulary import LANGUAGES
from tests.casework.test_rights import RENT

pytestmark = pytest.mark.long

DAY = date(2026, 12, 1)
ENGLISH = '---\ntitle: "Paying the rent"\nsummary: "We help."\nof_version: 2\n---\n' + "".join(
    f"## {catalogue('en').gettext(heading)}\nwords\n" for heading in HEADINGS.values()
)


class Content:
    """A folder with one page and one situation, in French and in English, as editors change it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.french = folder / "rights" / "loyer" / "fr.md"
        self.english = self.french.with_name("en.md")
        self.situations = folder / "situations"
        self.french.parent.mkdir(parents=True)
        self.situations.mkdir()
        (folder / "amounts.yaml").write_text("{}", encoding="utf-8")
        self.french.write_text(RENT.replace("{amount:help}", "66 euros"), encoding="utf-8")
        self.english.write_text(ENGLISH, encoding="utf-8")
        (self.situations / "fr.yaml").write_text('rent: "Je ne peux pas payer"\n', encoding="utf-8")
        (self.situations / "en.yaml").write_text('rent: "I cannot pay"\n', encoding="utf-8")
        self.heads = folder / "situations.yaml"
        self.heads.write_text('fr: {version: 1, words: ""}\nen: {of_version: 1}\n', encoding="utf-8")

    def read(self) -> Library:
        load_library.cache_clear()
        return load_library(self.folder)

    def change(self, path: Path, before: str, after: str) -> None:
        text = path.read_text(encoding="utf-8")
        assert before in text
        path.write_text(text.replace(before, after), encoding="utf-8")

    def note(self) -> None:
        """Write the words beside the French, as one is told to."""
        library = self.read()
        self.change(
            self.french,
            "version: 2\n",
            f'version: 2\nwords: "{library.pages["loyer"]["fr"].wording.words}"\n',
        )
        self.change(self.heads, 'words: ""', f'words: "{library.situation_wordings["fr"].words}"')


@pytest.fixture
def content(tmp_path: Path) -> Content:
    content = Content(tmp_path)
    content.note()
    return content


def test_the_french_of_the_service_is_that_of_its_versions() -> None:
    """Fails when somebody changes a French page and does not say whether translations are to be made again."""
    assert load_library().to_note() == []


def test_a_word_changed_in_french_is_noticed_though_nobody_raised_the_version(content: Content) -> None:
    assert content.read().to_note() == []
    content.change(content.french, "- Votre bail.", "- Votre bail et une facture.")
    library = content.read()
    words = library.pages["loyer"]["fr"].wording.words
    (told,) = library.to_note()
    assert told.startswith("content/rights/loyer/fr.md: ")
    assert f'version: 3 and words: "{words}"' in told
    assert library.pages["loyer"]["en"].outdated, "readers are told at once"
    assert "loyer/en: made from an earlier version" in library.to_redo()

    content.change(content.french, "version: 2\n", "version: 3\n")
    content.change(content.french, 'words: "', f'words: "{words}" # before: "')
    library = content.read()
    assert library.to_note() == []
    assert library.pages["loyer"]["en"].outdated
    content.change(content.english, "of_version: 2", "of_version: 3")
    assert not content.read().pages["loyer"]["en"].outdated


def test_a_spelling_put_right_leaves_translations_as_they_are(content: Content) -> None:
    before = content.read().pages["loyer"]["fr"].wording.words
    content.change(content.french, "Pour vous.", "Pour vous !")
    words = content.read().pages["loyer"]["fr"].wording.words
    content.change(content.french, before, words)
    assert content.read().to_note() == []
    assert not content.read().pages["loyer"]["en"].outdated


def test_spaces_ends_of_lines_and_reasons_of_exceptions_are_no_words(content: Content) -> None:
    content.change(
        content.french, "Pour vous.\n", "Pour  vous.   \n\n<!-- easyread: 3 because of the test -->\n"
    )
    assert content.read().to_note() == []


def test_situations_are_held_to_the_same(content: Content) -> None:
    content.change(content.situations / "fr.yaml", "pas payer", "plus payer")
    library = content.read()
    assert [told.split(":")[0] for told in library.to_note()] == ["content/situations.yaml"]
    assert "situations/en: made from an earlier version" in library.to_redo()
    assert library.situations["fr"] == {"rent": "Je ne peux plus payer"}


def test_no_translation_lost_an_amount_a_link_or_a_telephone_number(content: Content) -> None:
    assert reviews.lost(load_library()) == []
    content.change(content.english, "We help.", "Call 115.")
    (told,) = reviews.lost(content.read())
    assert told == "loyer/en: rights:loyer tel:115"


def test_a_review_is_of_the_words_that_were_read(content: Content) -> None:
    library = content.read()
    reviews.sign_page("en", "loyer", 'Emma "Em" Clarke', library, content.folder)
    reviews.sign_page("en", "situations", "Emma Clarke", library, content.folder)
    library = content.read()
    page = library.pages["loyer"]["en"]
    assert page.wording.reviewed
    assert page.wording.reviewer == "Emma Em Clarke"
    state = state_of("en", library, content.folder)
    assert (state.pages, state.pages_read, state.pages_behind) == (2, 2, 0)

    content.change(content.english, "We help.", "We help you.")
    assert not content.read().pages["loyer"]["en"].wording.reviewed
    reviews.sign_page("en", "loyer", "Emma Clarke", content.read(), content.folder)
    assert content.read().pages["loyer"]["en"].wording.reviewed
    assert content.english.read_text(encoding="utf-8").count("reviewed_by") == 1
    with pytest.raises(NothingToSignError):
        reviews.sign_page("ar", "loyer", "Amal", content.read(), content.folder)
    with pytest.raises(NothingToSignError):
        reviews.sign_page("fr", "loyer", "Marcel", content.read(), content.folder)


def test_a_string_changed_after_its_review_is_one_to_read_again(tmp_path: Path) -> None:
    strings = Catalog(locale="en")
    strings.add("Fermer", "Close")
    strings.add(("%(num)s demande", "%(num)s demandes"), ("%(num)s request", "%(num)s requests"))

    def save() -> None:
        path = tmp_path / "en" / "LC_MESSAGES" / "messages.po"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            write_po(file, strings)
        reviews.is_read_over.cache_clear()

    save()
    library = load_library()
    assert not reviews.is_read_over("en", tmp_path)
    assert reviews.sign_strings("en", "Emma Clarke", DAY, tmp_path) == 2
    reviews.is_read_over.cache_clear()
    assert reviews.is_read_over("en", tmp_path)
    strings["Fermer"].string = "Shut"
    save()
    assert not reviews.is_read_over("en", tmp_path)
    assert state_of("en", library, tmp_path).strings_read == 1
    assert reviews.sign_strings("en", "Oliver Hill", DAY, tmp_path) == 1
    kept = (tmp_path / "en" / "reviewed.csv").read_text(encoding="utf-8")
    assert "Emma Clarke" in kept
    assert "Oliver Hill" in kept
    assert digest_of("Fermer", "Close") not in kept, "what nobody says any more is not counted"


def test_nobody_signs_for_a_language_that_is_none(tmp_path: Path) -> None:
    for language in ("fr", "xx"):
        with pytest.raises(NothingToSignError):
            reviews.sign_strings(language, "Somebody", DAY, tmp_path)


def test_the_table_has_a_line_a_language() -> None:
    lines = reviews.table(load_library()).splitlines()
    assert [line.split()[0] for line in lines[1:]] == [code for code in LANGUAGES if code != "fr"]


def test_the_readers_of_an_earlier_version_are_not_those_of_this_one(content: Content) -> None:
    """No easy-to-read logo without somebody who read these very words."""
    assert content.read().pages["loyer"]["fr"].facts.readers_of_these_words == ()
    content.change(content.french, "readers: []", "readers: [{name: Anne, day: 2026-12-01, version: 1}]")
    facts = content.read().pages["loyer"]["fr"].facts
    assert facts.readers == (Reader("Anne", DAY, 1),)
    assert facts.readers_of_these_words == ()
    content.change(content.french, "version: 1}", "version: 2}")
    assert [one.name for one in content.read().pages["loyer"]["fr"].facts.readers_of_these_words] == ["Anne"]
    content.change(content.french, "- Votre bail.", "- Votre bail et une facture.")
    assert content.read().pages["loyer"]["fr"].facts.readers_of_these_words == ()


@pytest.mark.parametrize(
    "reader",
    ["Anne", "{name: Anne}", "{name: Anne, day: 2026-12-01}", "{name: Anne, day: 2026-12-01, version: 3}"],
)
def test_a_reader_has_a_name_a_day_and_a_version(content: Content, reader: str) -> None:
    content.change(content.french, "readers: []", f"readers: [{reader}]")
    with pytest.raises(ContentError, match="each of readers should have a name, a day"):
        content.read()


def test_a_translation_cannot_be_of_a_version_to_come(content: Content) -> None:
    content.change(content.english, "of_version: 2", "of_version: 3")
    with pytest.raises(ContentError, match="of_version should be the version of the French, 1 to 2"):
        content.read()


def test_the_components_for_weblate_are_files_that_are_there() -> None:
    for component in json.loads((ROOT / "docs" / "weblate.json").read_text(encoding="utf-8")):
        found = set(ROOT.glob(component["filemask"]))
        assert len(found) == len(LANGUAGES)
        assert "template" not in component or ROOT / component["template"] in found
        assert re.fullmatch(component["language_regex"], "ar")
        assert all(re.fullmatch(component["language_regex"], code) for code in LANGUAGES if code != "fr")
