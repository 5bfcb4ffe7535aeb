"""French names in pages of other languages are marked as French, in each of them, without anybody marking them."""

from __future__ import annotations

import html as html_module
import re
from collections.abc import Iterator

import pytest

from casework.french_names import OTHER_LETTERS, listed, marked, pieces
from casework.rights import FRENCH, Part, RightsPage, load_library, markup
from casework.vocabulary import LANGUAGES

LATIN = sorted(set(LANGUAGES) - OTHER_LETTERS - {FRENCH})
BRACKETS = re.compile(r"(?<!\])\(([^()\n]+)\)")
LOOKS_FRENCH = {
    "en": r"[éèêàâçœôûîïëÉÈÀÇ]|\b(?:du|des|aux|les|une|et)\b|\b[ldn]['’][a-zA-Zé]",
    "es": r"[èêàâçœôûîïëÈÀÇ]|\b(?:du|des|aux|et)\b|\b[ldn]['’][a-zA-Zé]",
    "ro": r"[éèêàçœôûïëÉÈÀÇ]|\b(?:du|aux|et|les)\b|\b[ldn]['’][a-zé]",
    "tr": r"[éèêàœôëÉÈÀ]|\b(?:du|des|aux|les|une|la)\b|\b[ldn]['’][a-zé]",
}
"""Letters and little words that French has and the other language has not."""


def _french_in(words: str, language: str) -> list[str]:
    return [piece for piece, is_french in pieces(words, language) if is_french]


def _lines(language: str) -> Iterator[tuple[str, str]]:
    """All that is written in a language about rights, line by line, with where it stands."""
    library = load_library()
    for slug, found in library.pages.items():
        for line in re.sub(r"\]\([^)]*\)|\{amount:\w+\}", "]", found[language].text()).splitlines():
            yield f"{slug}/{language}", line
    for name, said in library.situations[language].items():
        yield f"situation {name}/{language}", said


@pytest.mark.parametrize(
    ("language", "words", "names"),
    [
        ("ar", "المواد L262-1 وما يليها من code de l'action sociale.", ["code de l'action sociale"]),
        (
            "bn",
            "CAF-এর অফিস (titre de séjour), France Travail।",
            ["CAF", "titre de séjour", "France Travail"],
        ),
        (
            "uk",
            "article 226-14 du code pénal, див. caf.fr і nom@exemple.fr",
            ["article 226-14 du code pénal"],
        ),
        ("fa", "۳ ماه، 25 سال، 646,52 €", []),
        ("en", "Your carte Vitale, and the CAF of the town.", ["carte Vitale", "CAF"]),
        ("en", "They pass the rib of a pension plan.", []),
        ("es", "El permiso (titre de séjour) y el Code du travail", ["titre de séjour", "Code du travail"]),
        ("tr", "France Travail'a ve CAF'ın", ["France Travail", "CAF"]),
        ("fr", "Le titre de séjour (carte)", []),
    ],
)
def test_names_are_found(language: str, words: str, names: list[str]) -> None:
    assert _french_in(words, language) == names
    assert "".join(piece for piece, _ in pieces(words, language)) == words


def test_a_name_is_set_apart_where_words_run_the_other_way_and_nothing_becomes_markup() -> None:
    assert marked("بطاقة (titre de séjour)", "ar") == 'بطاقة (<bdi lang="fr">titre de séjour</bdi>)'
    assert marked("<b> RSA & co", "en") == '&lt;b&gt; <span lang="fr">RSA</span> &amp; co'


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_a_page_says_the_same_words_marked_or_not(language: str) -> None:
    page = load_library().pages["jeunes"][language]
    html = _html(page)
    if language != FRENCH:
        tag = "bdi" if LANGUAGES[language].direction == "rtl" else "span"
        assert f'<{tag} lang="fr">Mission locale</{tag}>' in html
    plain = re.sub(
        r"[*\[\]]|\((?:rights|tel|https):[^)]*\)|^- ", "", "\n".join(page.parts.values()), flags=re.M
    )
    read = html_module.unescape(re.sub(r"</?(?:bdi|span|strong|em|a)\b[^>]*>", "", html))
    assert re.sub(r"<[^>]+>", " ", read).split() == re.sub(r"\{amount:\w+\}", "0", plain).split()


def _html(page: RightsPage) -> str:
    money = dict.fromkeys(load_library().amounts, "0")
    return "\n".join(markup(page, part, "/{slug}", money) for part in Part)


@pytest.mark.parametrize("language", LATIN)
def test_round_brackets_hold_french_names_and_nothing_else(language: str) -> None:
    """The rule that `docs/translating.md` gives: else another language would be read aloud as French."""
    library = load_library()
    french = " ".join(found[FRENCH].text() for found in library.pages.values()).casefold()
    known = set(re.findall(r"\w+", french)) | {
        word for name in listed() for word in re.findall(r"\w+", name.casefold())
    }
    strange = [
        f"{where}: ({said})"
        for where, line in _lines(language)
        for said in BRACKETS.findall(line)
        if not known.issuperset(re.findall(r"\w+", said.casefold()))
    ]
    assert strange == []


@pytest.mark.parametrize("language", LATIN)
def test_no_french_name_is_left_unmarked(language: str) -> None:
    """What is found here is put in round brackets, or on a line of `content/french-names.yaml`."""
    looks_french = re.compile(LOOKS_FRENCH[language])
    left = [
        f"{where}: {line}"
        for where, line in _lines(language)
        if looks_french.search(
            "█".join(piece for piece, is_french in pieces(line, language) if not is_french)
        )
    ]
    assert left == []


def test_no_name_is_listed_for_nothing() -> None:
    said = {name.casefold() for code in LATIN for _, line in _lines(code) for name in _french_in(line, code)}
    assert [name for name in listed() if name.casefold() not in said] == []
