"""French names inside a text in another language, marked as French where people read or hear them.

A benefit or an office is called as the letters call it: *titre de séjour* stands in the Arabic page too. A
screen reader says it right only when told that it is French (RGAA 8.7), and among right-to-left words it keeps
its own order only when set apart (8.10). Who writes a text marks nothing: decision 0024 says how names are found.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

import yaml
from markdown_it.token import Token
from markupsafe import Markup, escape

from casework.settings import ROOT
from casework.vocabulary import LANGUAGES

CONTENT = ROOT / "content"
FRENCH = "fr"
OTHER_LETTERS = frozenset({"ar", "fa", "ps", "uk", "ru", "bn"})
"""Languages not written in Latin letters: whatever is, there, is French."""

_LETTER = r"[A-Za-zÀ-ÖØ-öø-ÿŒœŸ]"
_WORD = rf"{_LETTER}+(?:['’\-]{_LETTER}+)*"
_ADDRESS = r"[\w\-]+(?:[.@][\w\-]+)+"
_LATIN = re.compile(rf"(?P<address>{_ADDRESS})|(?P<name>{_WORD}(?:[ \u00a0](?:\d[\d\-]*[ \u00a0])?{_WORD})*)")
_IN_ROUND_BRACKETS = r"(?<=\()[^()\n]+(?=\))"


def pieces(words: str, language: str) -> Iterator[tuple[str, bool]]:
    """A text cut into what is in its language (False) and the French names in it (True), in order; none is empty."""
    if language == FRENCH:
        if words:
            yield words, False
        return
    at = 0
    for found in _names(language).finditer(words):
        name = found["name"]
        if name is None or len(name) < 2:
            continue
        if found.start() > at:
            yield words[at : found.start()], False
        yield name, True
        at = found.end()
    if at < len(words):
        yield words[at:], False


def marked(words: str, language: str) -> Markup:
    """The text as HTML, its French names in an element that says so. For our own texts, not for what people write."""
    before, after = element(language)
    return Markup("").join(
        before + escape(piece) + after if is_french else escape(piece)
        for piece, is_french in pieces(words, language)
    )


def set_apart(tokens: list[Token], language: str) -> Iterator[Token]:
    """The words of a line of Markdown, each French name in them between two tags that say so."""
    before, after = (str(tag) for tag in element(language))
    for token in tokens:
        if token.type != "text":
            yield token
            continue
        for words, is_french in pieces(token.content, language):
            said = Token("text", "", 0, content=words)
            if is_french:
                yield Token("html_inline", "", 0, content=before)
                yield said
                yield Token("html_inline", "", 0, content=after)
            else:
                yield said


def element(language: str) -> tuple[Markup, Markup]:
    """What opens and closes the element around a French name; where words run from right to left it stands apart."""
    tag = "bdi" if LANGUAGES[language].direction == "rtl" else "span"
    return Markup('<{} lang="fr">').format(tag), Markup("</{}>").format(tag)


@cache
def listed() -> tuple[str, ...]:
    """The names that stand outside round brackets in pages written in Latin letters.

    Raises:
        OSError, ValueError: the list cannot be read, or is no list of names.
    """
    names = yaml.safe_load((CONTENT / "french-names.yaml").read_text(encoding="utf-8"))
    if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
        raise ValueError("content/french-names.yaml should be a list of names")
    return tuple(names)


@cache
def _names(language: str) -> re.Pattern[str]:
    if language in OTHER_LETTERS:
        return _LATIN
    acronyms = yaml.safe_load((CONTENT / "acronyms.yaml").read_text(encoding="utf-8"))
    names = sorted((*listed(), *acronyms), key=len, reverse=True)
    known = "|".join(_spelt(name) for name in names)
    return re.compile(rf"(?P<name>{_IN_ROUND_BRACKETS}|(?<![\w’'\-])(?:{known})(?!\w))")


def _spelt(name: str) -> str:
    """A name as it may be written: its first letter small or capital, either apostrophe; acronyms as they are."""
    first, rest = name[0], re.escape(name[1:]).replace("'", "['’]")
    return re.escape(name) if name.isupper() else f"[{first.lower()}{first.upper()}]{rest}"
