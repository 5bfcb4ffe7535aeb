"""The phrasebook and the answer cards: whole, easy, the same in each language, and wrong ones said with their line."""

from __future__ import annotations

import re
import shutil
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework import cards, phrasebook
from casework.cards import load_cards
from casework.checked_yaml import FileError
from casework.easyread import Kind, Level, report
from casework.easyread.__main__ import acronyms
from casework.phrasebook import (
    Slot,
    SlotError,
    UnknownPhraseError,
    Used,
    in_message,
    load_phrasebook,
    whole_message,
)
from casework.settings import ROOT
from casework.vocabulary import LANGUAGES

pytestmark = pytest.mark.long

BOOK = load_phrasebook()
FILLED = {
    "day": "2026-11-24", "hour": "14:30", "place": "1 rue du Marché", "paper": "lease",
    "name": "Amina", "amount": "50,5", "phone": "0549000001", "service": "CAF",
}  # fmt: skip
SCRIPTS = {"ar": "ء-ي", "fa": "ء-ی", "ps": "ء-ۍ", "uk": "а-яіїєґ", "ru": "а-яё", "bn": "ঁ-৺"}


def test_the_book_has_120_sentences_in_twelve_groups_and_the_usual_papers() -> None:
    assert len(list(BOOK)) == 120
    assert len(BOOK.groups) == 12
    assert len(BOOK.papers) == 25
    assert len(load_cards().cards) == 30
    assert BOOK.to_redo == load_cards().to_redo == ()


def test_two_strokes_find_one_sentence() -> None:
    codes = [phrase.code for phrase in BOOK]
    assert len(set(codes)) == 120
    assert {len(code) for code in codes} == {2}
    assert [phrase.id for phrase in BOOK.search("rv")][:1] == ["come_on"]


def test_french_words_find_sentences_whatever_their_accents() -> None:
    assert "want_interpreter" in [phrase.id for phrase in BOOK.search("INTERPRETE")]
    assert {phrase.id for phrase in BOOK.search("sante")} >= {phrase.id for phrase in BOOK.groups[5].phrases}
    assert BOOK.search("zzz") == []
    assert len(BOOK.search(" ")) == 120


def test_every_sentence_paper_and_card_is_easy_french() -> None:
    texts = [
        *(phrase.french for phrase in BOOK),
        *(paper.said["fr"] for paper in BOOK.papers.values()),
        *(card.words("fr") for card in load_cards().cards.values()),
    ]
    found = [
        f"{text}: {finding}"
        for text in texts
        for finding in report(text, Kind.STRING, acronyms()).findings
        if finding.level is Level.ERROR
    ]
    assert found == []


@pytest.mark.parametrize("language", [code for code in LANGUAGES if code != "fr"])
def test_each_language_says_everything_in_its_own_script(language: str) -> None:
    said = [BOOK.say(phrase.id, FILLED, language) for phrase in BOOK]
    assert all(translated != french and "{" not in translated for french, translated in said)
    others = [paper.words(language) for paper in BOOK.papers.values()]
    others += [card.words(language) for card in load_cards().cards.values()]
    assert len(set(others)) == len(others)
    if letters := SCRIPTS.get(language):
        foreign = [text for _, text in said if not re.search(f"[{letters}]", text, re.IGNORECASE)]
        assert foreign == []


def test_slots_are_written_as_each_language_writes_them() -> None:
    assert BOOK.say("come_on", FILLED, "es") == (
        "Venez le mardi 24 novembre à 14:30.",
        "Venga el martes 24 de noviembre a las 14:30.",
    )
    assert BOOK.say("come_on", FILLED, "en")[1] == "Please come on Tuesday 24 November at 2:30\u202fPM."
    # In a right-to-left sentence a name in Latin letters keeps its own direction, a number its order.
    assert BOOK.say("hello_name", FILLED, "ar")[1] == "مرحبا \u2066Amina\u2069."
    assert "05\u00a049\u00a000\u00a000\u00a001" in BOOK.say("call_back", FILLED, "fa")[1]
    # A paper is said in the reader's words, and as it calls itself.
    assert BOOK.say("bring_paper", FILLED, "ru")[1].endswith("ваш договор аренды (bail).")
    assert BOOK.say("aid_accepted", {"amount": "1 250"}, "fr")[0].replace("\u202f", " ") == (
        "Vous recevez une aide : 1 250\u00a0€."
    )


@pytest.mark.parametrize(
    ("phrase", "slots", "missing"),
    [
        ("come_on", {"hour": "14:30"}, Slot.DAY),
        ("come_on", {"day": "2026-02-30", "hour": "14:30"}, Slot.DAY),
        ("come_on", {"day": "2026-11-24", "hour": "midi"}, Slot.HOUR),
        ("bring_paper", {"paper": "a passport"}, Slot.PAPER),
        ("aid_accepted", {"amount": "beaucoup"}, Slot.AMOUNT),
        ("aid_accepted", {"amount": "NaN"}, Slot.AMOUNT),
        ("call_back", {"phone": "12"}, None),
        ("call_back", {"phone": "99999"}, Slot.PHONE),
        ("hello_name", {"name": "  "}, Slot.NAME),
    ],
)
def test_what_is_wrong_in_a_slot_is_said(phrase: str, slots: dict[str, str], missing: Slot | None) -> None:
    if missing is None:
        assert BOOK.say(phrase, slots, "fr")[0].endswith("12.")
        return
    with pytest.raises(SlotError) as error:
        BOOK.say(phrase, slots, "ar")
    assert error.value.slot is missing


def test_a_sentence_that_is_not_in_the_book() -> None:
    with pytest.raises(UnknownPhraseError):
        BOOK.say("give_me_money", {}, "fr")


@given(
    st.sampled_from([phrase.id for phrase in BOOK]), st.dictionaries(st.sampled_from(list(Slot)), st.text())
)
def test_a_sentence_with_its_slots_survives_a_field_of_a_form(phrase: str, slots: dict[str, str]) -> None:
    clean = {str(slot): value for slot, value in slots.items() if value and len(value) < 40}
    kept = str(Used(phrase, clean))
    if len(kept) < 2000 and kept.isprintable():
        assert Used.read(kept) == Used(phrase, clean)


@given(st.text())
def test_whatever_stands_in_that_field_nothing_breaks(kept: str) -> None:
    assert in_message(BOOK, kept, [Used.read(kept)], "fa").keys() <= {phrase.french for phrase in BOOK}


def test_what_an_agent_changed_by_hand_is_no_longer_the_books() -> None:
    used = [Used("hello"), Used("come_on", {"day": "2026-11-24", "hour": "14:30"})]
    body = "Bonjour.\n\nVenez le mardi 24 novembre à 14:30."
    known = in_message(BOOK, body, used, "es")
    assert whole_message(body, known) == "Buenos días.\n\nVenga el martes 24 de noviembre a las 14:30."
    changed = body.replace("mardi 24", "mercredi 25")
    assert list(in_message(BOOK, changed, used, "es")) == ["Bonjour."]
    assert whole_message(changed, known) is None
    assert whole_message(" ", known) is None


def test_a_card_is_known_ahead_in_both_directions() -> None:
    assert BOOK.ahead("بله.", "fa", "fr") == "Oui."
    assert BOOK.ahead("Bonjour.", "fr", "tr") == "Merhaba."
    assert BOOK.ahead("Merhaba.", "tr", "fr") is None
    assert BOOK.ahead("بله، اما فردا.", "fa", "fr") is None


def test_no_two_cards_or_sentences_are_the_same_in_a_language() -> None:
    for language, said in product(LANGUAGES, ("cards", "phrases")):
        texts = (
            [card.words(language) for card in load_cards().cards.values()]
            if said == "cards"
            else [phrase.said[language] for phrase in BOOK]
        )
        assert len(set(texts)) == len(texts), (language, said)


def test_each_card_has_its_own_pictogram_and_it_is_drawn() -> None:
    drawn = set(re.findall(r'<symbol id="([\w-]+)"', (ROOT / "static" / "pictograms.svg").read_text()))
    pictograms = [card.pictogram for card in load_cards().cards.values()]
    assert set(pictograms) <= drawn
    assert len(set(pictograms)) == 30


@pytest.mark.parametrize(
    ("file", "before", "after", "problem"),
    [
        ("fr.yaml", 'code: "bn"', 'code: "bj"', "fr.yaml:10: the code “bj” is already that of “hello”."),
        (
            "fr.yaml",
            'code: "bn"',
            'code: "zz"',
            "fr.yaml:10: a code is “b” and one more small letter or digit",
        ),
        ("fr.yaml", "Bonjour {name}", "Bonjour {nom}", "fr.yaml:10: “{nom}” is no slot"),
        (
            "es.yaml",
            "Buenos días, {name}",
            "Buenos días",
            "es.yaml:5: the slots should be those of the French: {name}.",
        ),
        ("es.yaml", "  hello:", "  hallo:", "es.yaml:4: “hello” is not translated."),
        ("es.yaml", "  hello_name:", "  hello:", "es.yaml:5: “hello” stands here twice."),
        (
            "es.yaml",
            "of_version: 1",
            "of_version: 2",
            "es.yaml:1: a whole number from 1 to 1 is expected here.",
        ),
        ("es.yaml", 'reviewed_by: ""', "", "es.yaml:1: reviewed_by is missing."),
        ("es.yaml", '"Buenos días."', '""', "es.yaml:4: a text is expected here."),
        ("es.yaml", "papers:", "papers: [", "es.yaml:1: not YAML"),
    ],
)
def test_a_wrong_file_is_said_with_its_line(
    tmp_path: Path, file: str, before: str, after: str, problem: str
) -> None:
    folder = shutil.copytree(phrasebook.FOLDER, tmp_path / "phrases")
    text = (folder / file).read_text(encoding="utf-8")
    assert before in text
    (folder / file).write_text(text.replace(before, after, 1), encoding="utf-8")
    with pytest.raises(FileError) as error:
        load_phrasebook(folder)
    assert any(problem in said for said in error.value.problems), error.value.problems


def test_a_language_that_is_late_or_not_there_is_to_be_made_again(tmp_path: Path) -> None:
    folder = shutil.copytree(phrasebook.FOLDER, tmp_path / "phrases")
    french = (folder / "fr.yaml").read_text(encoding="utf-8").replace("version: 1", "version: 2")
    (folder / "fr.yaml").write_text(french, encoding="utf-8")
    (folder / "tr.yaml").unlink()
    book = load_phrasebook(folder)
    assert "phrases/tr: not translated" in book.to_redo
    assert "phrases/ar: made from an earlier version" in book.to_redo
    assert book.say("hello", {}, "tr") == ("Bonjour.", "Bonjour.")


def test_a_wrong_card_is_said_with_its_line(tmp_path: Path) -> None:
    folder = shutil.copytree(cards.FOLDER, tmp_path / "cards")
    text = (folder / "fa.yaml").read_text(encoding="utf-8").replace("  thanks:", "  thank:")
    (folder / "fa.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(FileError) as error:
        load_cards(folder)
    assert any("“thanks” is not translated" in said for said in error.value.problems)
    assert any("fa.yaml:33: the French has no “thank”" in said for said in error.value.problems)
