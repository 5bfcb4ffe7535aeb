"""What a short answer by text message means: every listed word however it is typed, and no ordinary sentence."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from casework.replies import CHANGING, LISTED, POLITE, Meaning, Reply, plain_words, understand
from tests.browser.walking import WORDS
from tests.casework.asking import BY_MAIL
from tools.strings import read

EVERY_WORD = [(meaning, word) for meaning, words in LISTED.items() for word in words]
AROUND = st.text(" \t\n.,!:;-_'\"()…«»。،؛\u200b\u200f\u00a0👍", max_size=5)
LONG = [
    word
    for word in LISTED[Meaning.CANCEL]
    if len(plain_words(word)) == 1 and len("".join(plain_words(word))) >= 7
]

SENTENCES = [
    *WORDS.values(), BY_MAIL.words, "Mon mari me frappe.", "Je ne peux plus payer.",
    "Je viendrai au rendez-vous lundi.", "Merci beaucoup", "Bonjour, je serai en retard", "Ne pas annuler svp",
    "N'annulez pas", "Mon rendez-vous est annulé", "Avez-vous annulé ?", "Annuler ?", "Il ne faut pas annuler",
    "J'ai un cancer", "Cancer", "Arrêt maladie", "Mon arrêt de travail est fini", "Je veux que ça s'arrête",
    "Il me dit stop tout le temps", "Oui mais pas lundi", "Oui, j'arrive", "Non, mardi", "Annuler ou déplacer",
    "Je n'ai pas pu annuler", "Don't cancel", "Please do not cancel my appointment", "Why was it cancelled",
    "لا تلغي الموعد", "هل ألغي الموعد؟", "الغاز", "سأحضر الموعد", "لم ألغ الموعد", "не отменять", "iptal etme",
    "no cancelar", "nu anula", "", " ", "...", "👍", "12345", "06 12 34 56 78",
]  # fmt: skip


def case_of(word: str, way: str) -> str:
    """A word in capitals, small, or as a sentence begins."""
    return {"upper": word.upper(), "lower": word.lower(), "title": word.title()}[way]


@pytest.mark.parametrize(("meaning", "word"), EVERY_WORD)
def test_every_listed_word_alone_means_what_it_says(meaning: Meaning, word: str) -> None:
    for way in ("upper", "lower", "title"):
        assert understand(case_of(word, way)) == Reply(meaning, alone=True)


@given(
    pair=st.sampled_from(EVERY_WORD),
    way=st.sampled_from(["upper", "lower", "title"]),
    form=st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"]),
    before=AROUND,
    after=AROUND,
    cut=st.integers(0, 20),
)
def test_spaces_signs_case_and_ways_of_writing_accents_change_nothing(
    pair: tuple[Meaning, str], way: str, form: str, before: str, after: str, cut: int
) -> None:
    meaning, word = pair
    typed = unicodedata.normalize(form, case_of(word, way))  # type: ignore[arg-type]
    in_two = f"{typed[:cut]} {typed[cut:]}"
    assert understand(f"{before}{in_two}{after}") == Reply(meaning, alone=True)


@given(word=st.sampled_from(EVERY_WORD))
def test_without_its_accents_as_well(word: tuple[Meaning, str]) -> None:
    bare = "".join(
        letter for letter in unicodedata.normalize("NFD", word[1]) if not unicodedata.combining(letter)
    )
    assert understand(bare) == Reply(word[0], alone=True)


@given(
    word=st.sampled_from(LONG),
    place=st.integers(0, 30),
    letter=st.sampled_from("aeinorstxz"),
    how=st.integers(0, 3),
)
def test_one_wrong_letter_of_a_long_word_is_forgiven(word: str, place: int, letter: str, how: int) -> None:
    typed = plain_words(word)[0]
    at = place % len(typed)
    wrong = [
        typed[:at] + typed[at + 1 :],
        typed[:at] + letter + typed[at:],
        typed[:at] + letter + typed[at + 1 :],
        typed[:at] + typed[at : at + 2][::-1] + typed[at + 2 :],
    ][how]
    assume(plain_words(wrong) == [wrong])  # a letter drawn out is another matter
    assert understand(wrong) == Reply(Meaning.CANCEL, alone=True)


@pytest.mark.parametrize("sentence", SENTENCES)
def test_no_ordinary_sentence_is_taken_for_a_word(sentence: str) -> None:
    assert understand(sentence) is None


@pytest.mark.parametrize("language", ["fr", "ar", "en"])
def test_no_phrase_of_the_service_cancels_nor_stops_but_the_words_for_it(language: str) -> None:
    """The catalogues are the largest corpus of the trade's own sentences that there is here."""
    said = [str(message.string or message.id) for message in read(language) if message.id]
    assert len(said) > 500
    wrong = {
        sentence: reply.meaning
        for sentence in said
        if len(plain_words(sentence)) > 1 and (reply := understand(sentence)) and not _is_about_it(sentence)
    }
    assert wrong == {}


def _is_about_it(sentence: str) -> bool:
    """A button or a sentence that holds the very word, and two others at most."""
    words = plain_words(sentence)
    listed = {plain for _, word in EVERY_WORD for plain in plain_words(word)}
    return bool(listed & set(words)) and len([word for word in words if word not in POLITE]) <= 2


@given(
    st.lists(
        st.sampled_from(
            ["je", "suis", "malade", "lundi", "maman", "école", "papier", "loyer", "bus", "enfant", "travail"]
        ),
        min_size=1,
    )
)
@example(["mon", "rendez", "vous"])
def test_words_of_every_day_are_for_a_person(words: list[str]) -> None:
    assert understand(" ".join(words)) is None


@pytest.mark.parametrize("word", ["lundi", "demain", "chef", "urgent"])
def test_one_word_beside_is_allowed_and_then_somebody_reads_it(word: str) -> None:
    assert understand(f"annuler {word}") == Reply(Meaning.CANCEL, alone=False)
    assert understand(f"annuler {word} enfin") is None


@pytest.mark.parametrize("word", sorted(CHANGING))
def test_beside_a_word_that_changes_its_sense_it_is_for_a_person(word: str) -> None:
    reply = understand(f"{word} annuler")
    assert reply is None or reply.meaning is not Meaning.CANCEL


@given(st.text(max_size=400))
def test_whatever_is_typed_gets_an_answer_or_none(text: str) -> None:
    understand(text)


def test_polite_words_say_nothing_more() -> None:
    assert understand("Bonjour, je voudrais") is None
    for text in (
        "annuler svp",
        "annuler le rendez-vous merci",
        "Cancel my appointment please",
        "إلغاء الموعد من فضلك",
    ):
        assert understand(text) == Reply(Meaning.CANCEL, alone=True)
    for text in ("oui merci", "OUI annuler", "نعم شكرا"):
        assert understand(text) == Reply(Meaning.YES, alone=True)
