"""Sentences of eleven languages, and the language a text cannot be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.sentences import language_of, parted, split


@pytest.mark.parametrize(
    "sentences",
    [
        ["Bonjour.", "Avez-vous votre avis d'impôt ?", "Venez !"],
        ["J'ai vu M. Petit hier.", "Il habite 12 av. Jean-Jaurès.", "Le tél. est le 05."],
        ["Le loyer est de 3.50 euros.", "Il y a 2 enfants...", "Merci."],
        ["Il attend... depuis mardi.", "Merci."],
        ["Elle a dit « Venez. »", "Je viens."],
        ["هل لديك موعد؟", "نعم، غدا.", "شكرا!"],
        ["آیا نوبت دارید؟", "بله. فردا."],
        ["আপনার কাগজ আছে?", "হ্যাঁ।", "কাল আসব।"],
        ["Есть ли у вас справка?", "Да, на ул. Ленина.", "Спасибо."],
        ["Ви маєте довідку?", "Так, вул. Шевченка, буд. 5.", "Дякую!"],
        ["Saat 9.30'da geliyorum.", "Belgem var.", "Teşekkürler!"],
        ["¿Tiene usted el papel?", "Sí, la Sra. López lo tiene.", "¡Gracias!"],
        ["Am venit pe str. Mare.", "Mulțumesc…", "La revedere."],
        ["ډېره مننه.", "زه سبا راځم؟"],
    ],
)
def test_sentences_of_each_language(sentences: list[str]) -> None:
    text = " ".join(sentences)
    wanted = sentences if sentences[-1] != "بله. فردا." else [sentences[0], "بله.", "فردا."]
    assert [sentence.strip() for sentence in split(text)] == wanted


def test_a_line_break_ends_a_sentence_and_stays_where_it_is() -> None:
    assert split("Papiers :\n- passeport\n\nMerci") == ["Papiers :\n", "- passeport\n\n", "Merci"]


@given(st.text(alphabet="aA1 .!?…؟।\n»\"'(ب", max_size=60))
def test_sentences_joined_are_the_text_again(text: str) -> None:
    assert "".join(split(text)) == text
    assert all("".join(parted(sentence)) == sentence for sentence in split(text))


@pytest.mark.parametrize(
    ("text", "declared", "language"),
    [
        ("أحتاج مساعدة", "ar", "ar"),
        ("J'ai besoin d'aide", "ar", "fr"),
        ("I need help", "en", "en"),
        ("أحتاج مساعدة", "fr", "ar"),
        ("به کمک نیاز دارم گچ", "fr", "fa"),
        ("زه مرستې ته اړتیا لرم", "fr", "ps"),
        ("Мені потрібна допомога, її", "en", "uk"),
        ("Мне нужна помощь", "ar", "ru"),
        ("সাহায্য চাই", "fr", "bn"),
        ("به کمک نیاز دارم", "fa", "fa"),
        ("06 12 34", "ps", "ps"),
    ],
)
def test_a_text_tells_its_script(text: str, declared: str, language: str) -> None:
    assert language_of(text, declared) == language
