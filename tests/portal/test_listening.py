"""What was made ahead is offered where it is whole, said as the page says it, and served for slow telephones."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask

from casework.audio import ESPEAK_LANGUAGES, KINDS, Speech
from casework.rights import Part, load_library
from casework.settings import Settings
from casework.vocabulary import LANGUAGES
from portal import spoken
from portal.questions import BY_SLUG, QUESTIONS
from tests.pages import Page
from tests.portal.person import Person

EVERY_WAY = {"sms": "06 12 34 56 78", "call": "06 12 34 56 78", "email": "a@example.org", "letter": "Amina"}


@pytest.fixture
def shelf(settings: Settings) -> Path:
    """The portal's folder of audio, empty yet."""
    folder = settings.var / "audio"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def reader(portal: Flask) -> Person:
    """Somebody who reads French."""
    return Person(portal)


def put(shelf: Path, *speeches: Speech) -> None:
    """As if they were made: what is inside matters to no page."""
    for speech in speeches:
        for kind in KINDS:
            (shelf / f"{speech.digest}-00000000.{kind}").write_bytes(b"0123456789" * 10)


def of_page(slug: str, language: str = "fr") -> list[Speech]:
    library = load_library()
    return [piece.speech for piece in spoken.of_rights(library, library.pages[slug][language])]


def sources(page: Page) -> list[str]:
    return [source.get("src", "") for source in page.html.iter("source")]


def test_a_page_offers_each_of_its_parts_once_they_are_all_made(reader: Person, shelf: Path) -> None:
    speeches = of_page("rsa")
    assert sources(reader.open("/fr/droits/rsa")) == []
    put(shelf, *speeches[1:])
    assert sources(reader.open("/fr/droits/rsa")) == [], "in part would be thought whole"
    put(shelf, speeches[0])
    page = reader.open("/fr/droits/rsa")
    assert len(sources(page)) == len(KINDS) * len(spoken.SAID_PARTS)
    players = list(page.html.iter("audio"))
    assert all(player.get("preload") == "none" and "autoplay" not in player.attrib for player in players)
    assert [player.get("data-of") for player in players] == list(spoken.SAID_PARTS)
    assert sources(reader.open("/ar/droits/rsa")) == []


def test_a_file_is_served_in_ranges_and_kept_a_year(reader: Person, shelf: Path) -> None:
    put(shelf, *of_page("rsa"))
    opus, mp3 = sources(reader.open("/fr/droits/rsa"))[:2]
    whole = reader.ask("GET", opus)
    assert (whole.status_code, len(whole.data), whole.mimetype) == (200, 100, "audio/ogg")
    assert "immutable" in whole.headers["Cache-Control"]
    assert "max-age=31536000" in whole.headers["Cache-Control"]
    assert "Content-Encoding" not in whole.headers
    part = reader.ask("GET", mp3, headers={"Range": "bytes=10-14"})
    assert (part.status_code, part.data, part.mimetype) == (206, b"01234", "audio/mpeg")
    again = reader.ask("GET", mp3, headers={"If-None-Match": part.headers["ETag"]})
    assert again.status_code == 304


@pytest.mark.parametrize(
    "path", ["/audio/x.opus", "/audio/..%2Fkeys.mp3", f"/audio/{'0' * 20}-00000000.mp3", "/audio/.lock.opus"]
)
def test_nothing_else_is_served(reader: Person, shelf: Path, path: str) -> None:
    put(shelf, *of_page("rsa"))
    (shelf / ".lock").touch()
    (shelf / "x.opus").touch()
    assert reader.ask("GET", path).status_code == 404


def test_the_telephone_keeps_nothing_of_a_sensitive_page(reader: Person, shelf: Path) -> None:
    put(shelf, *of_page("violences"))
    [first, *_] = sources(reader.open("/fr/droits/violences"))
    assert reader.ask("GET", first).headers["Cache-Control"] == "no-store"


def test_the_voice_says_what_the_page_says(reader: Person) -> None:
    page = reader.open("/fr/droits/loyer-impaye")
    shown = readable(page.text)
    for speech in of_page("loyer-impaye"):
        for sentence in speech.sentences:
            assert readable(sentence).removesuffix(".") in shown
    said = " ".join(sentence for speech in of_page("loyer-impaye") for sentence in speech.sentences)
    assert load_library().pages["loyer-impaye"]["fr"].parts[Part.MORE][:40] not in said


@pytest.mark.parametrize("theme", ["money", "violence"])
def test_the_voice_asks_what_each_question_asks(reader: Person, theme: str) -> None:
    reader.fills_in(theme=theme, channels={"sms": EVERY_WAY["sms"]} if theme == "violence" else EVERY_WAY)
    seen = {page.path.split("?")[0].rsplit("/", 1)[-1]: page for page in reader.shown}
    assert seen.keys() >= BY_SLUG.keys()
    for question in QUESTIONS:
        page = seen[question.slug]
        channels = ["sms"] if theme == "violence" else list(EVERY_WAY)
        sensitive = theme == "violence" and question is not QUESTIONS[0]
        for piece in spoken.of_question(question, "fr", channels=channels, sensitive=sensitive):
            for sentence in piece.speech.sentences:
                assert readable(sentence).removesuffix(".") in readable(page.main), question.slug


def test_a_question_offers_its_voice(reader: Person, shelf: Path) -> None:
    put(shelf, *(piece.speech for piece in spoken.of_question(QUESTIONS[0], "fr")))
    assert len(sources(reader.open("/fr/demande/sujet"))) == len(KINDS)
    assert sources(reader.open("/ar/demande/sujet")) == []


def test_all_there_is_to_say_is_said_in_each_language_that_has_a_voice() -> None:
    library = load_library()
    speeches = list(spoken.everything(library, ESPEAK_LANGUAGES))
    assert {speech.language for speech in speeches} == set(LANGUAGES) - {"ps"}
    assert all(sentence.strip() for speech in speeches for sentence in speech.sentences)
    assert set(of_page("rsa", "ar")) <= set(speeches)
    assert not any("{amount" in sentence for speech in speeches for sentence in speech.sentences)


def readable(words: str) -> str:
    """Letters and spaces alone: how a page writes its numbers is not how a voice is given them."""
    return " ".join(words.replace("\u202f", "").replace("\xa0", " ").replace("•", " ").split())
