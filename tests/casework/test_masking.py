"""What must come out of a translation as it went in: hidden, put back, or the translation is refused."""

from __future__ import annotations

import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.masking import STYLES, LostError, Names, hiding, mask, restore

WORDS = st.text(alphabet="abc éèXx#[](),.;:!?'’\n\u00a0ابجдеж-_€+/@°", max_size=40)
PIECES = st.sampled_from(
    [
        "12/03/2026", "14h30", "9 h", "1 234,56 €", "06 12 34 56 78", "+33 6 12 34 56 78", "86000 Poitiers",
        "12 bis, rue du Marché", "https://aide.example.org/s/aZ9?q=1", "amina@example.org", "AB-12", "٣٥", "১২",
        "50 %", "n° 123 456 789", "3", "Amina", "Paul Petit",
    ]
)  # fmt: skip
TEXTS = st.lists(st.one_of(WORDS, PIECES), max_size=12).map(" ".join)
NAMES = Names(("Amina", "Paul Petit", "Paul"))


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Venez le 12/03/2026 à 14h30.", ["12/03/2026", "14h30"]),
        ("Venez le 12 mars à 9 h demain.", ["12", "9 h"]),
        ("Vous recevez 1 234,56 € par mois.", ["1 234,56 €"]),
        ("Appelez le 05 49 00 00 01, merci.", ["05 49 00 00 01"]),
        ("Appelez le +33 5 49 00 00 01.", ["+33 5 49 00 00 01"]),
        ("Au 12 bis, rue du Marché, 86000 Poitiers.", ["12 bis, rue du Marché", "86000 Poitiers"]),
        ("J'habite 3 rue de l'église.", ["3 rue de l'église"]),
        ("Voyez https://aide.example.org/x (ou a.b@c.org).", ["https://aide.example.org/x", "a.b@c.org"]),
        ("Amina verra Paul Petit, pas Paulette.", ["Amina", "Paul Petit"]),
        ("لدي موعد يوم ١٢ و30 دقيقة", ["١٢", "30"]),
        ("Bonjour.", []),
    ],
)
def test_what_is_hidden(text: str, kept: list[str]) -> None:
    assert list(mask(text, NAMES).kept) == kept


@pytest.mark.parametrize(
    ("name", "text", "kept"),
    [
        ("Maria de la Cruz", "Venez avec la lettre de la CAF.", []),
        ("Maria de la Cruz", "Bonjour Maria de la Cruz, ou Maria.", ["Maria de la Cruz", "Maria"]),
        ("Jean Le Gall", "Le courrier est là. Voyez Le Bon.", []),
        ("Jean Le Gall", "Bonjour M. Le Gall.", ["Gall"]),
        ("rose martin", "Ici Rose, une rose à la main.", ["Rose"]),
        ("Rose Martin", "Rose est une couleur.", []),
        ("Le Pas", "Ne venez pas.", []),
        ("pas", "Ne venez pas.", []),
        ("Le", "Le courrier.", []),
        ("Amina", "Amina, venez.", ["Amina"]),
        ("أمينة العمراني", "أمينة العمراني هنا، أمينة", ["أمينة العمراني"]),
    ],
)
def test_a_name_is_hidden_whole_and_its_words_only_where_they_can_be_nothing_else(
    name: str, text: str, kept: list[str]
) -> None:
    assert list(mask(text, Names((name,))).kept) == kept


def test_a_place_is_hidden_whole_alone() -> None:
    names = Names(places=("Maison des solidarités", "Poitiers"))
    masked = mask("Venez à la Maison des solidarités de Poitiers, la Maison bleue.", names)
    assert list(masked.kept) == ["Maison des solidarités", "Poitiers"]
    assert hiding("La Maison. Poitiers.", names) == Names(places=("Poitiers",))


@given(TEXTS, st.sampled_from(STYLES))
def test_what_is_hidden_comes_back_whatever_the_text(text: str, style: str) -> None:
    masked = mask(text, NAMES, style)
    assert restore(masked, masked.text) == text
    assert not re.search(r"\d", _without_marks(masked.text, masked.marks))


@given(TEXTS, st.sampled_from(STYLES), st.randoms(use_true_random=False))
def test_every_piece_comes_back_once_in_whatever_order(text: str, style: str, chance: random.Random) -> None:
    """A translator moves words about, and writes our marks with spaces inside."""
    masked = mask(text, NAMES, style)
    shuffled = list(masked.marks)
    chance.shuffle(shuffled)
    translated = restore(masked, " mot ".join(["", *shuffled, ""]))
    assert translated == " mot ".join(["", *[masked.kept[masked.marks.index(one)] for one in shuffled], ""])


@given(TEXTS.filter(lambda text: bool(mask(text, NAMES).kept)), st.sampled_from(STYLES), st.data())
def test_a_translation_that_loses_or_doubles_one_is_refused(
    text: str, style: str, data: st.DataObject
) -> None:
    masked = mask(text, NAMES, style)
    one = data.draw(st.sampled_from(masked.marks))
    grown = one.replace(re.findall(r"\d+", one)[0], re.findall(r"\d+", one)[0] + "1")
    for wrong in ("", f"{one} {one}", grown):
        with pytest.raises(LostError):
            restore(masked, masked.text.replace(one, wrong, 1))


def test_marks_in_other_digits_and_small_letters_are_known() -> None:
    masked = mask("Venez à 14h30.")
    assert restore(masked, "تعالوا x ١١ X") == "تعالوا 14h30"


def _without_marks(text: str, marks: list[str]) -> str:
    for mark in marks:
        text = text.replace(mark, "", 1)
    return text
