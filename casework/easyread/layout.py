"""What a page looks like, as far as its Markdown says: HTML, tables, hyphens, notes, headings (rules 15, 17 to 20)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from casework.easyread.findings import Finding, Level
from casework.easyread.texts import Kind, Reading

TAG = re.compile(r"<(?!!--)/?(?P<name>[a-zA-Z][\w-]*)\b(?P<rest>[^<>]*)>")
SLANTED = frozenset({"i", "em", "cite", "u", "ins", "font"})
PLACED = frozenset({"br", "center", "table", "tr", "td", "th", "div", "p", "sub", "sup"})
ITALIC = re.compile(r"(?<![\w*])\*(?![\s*])[^*\n]+(?<!\s)\*(?![\w*])|(?<!\w)_(?!\s)[^_\n]+(?<!\s)_(?!\w)")
COLOUR = re.compile(r"\b(?:style|color|bgcolor|class)\s*=", re.IGNORECASE)
HYPHENATED = re.compile(r"[^\W\d_]-\s*$")
NOTE = re.compile(r"\[\^[^\]]*\]|(?<=\w)[¹²³⁴⁵⁶⁷⁸⁹]")
DEEP = re.compile(r"#{3,}(?=\s)")


def layout(reading: Reading, kind: Kind) -> Iterator[Finding]:
    """Look at the lines as typed; a string of the interface is only asked about hyphens and tags."""
    for number, raw in enumerate(reading.lines, start=1):
        if number <= reading.front_matter_ends:
            continue
        for match in TAG.finditer(raw):
            yield _tag(number, match)
        if "\N{SOFT HYPHEN}" in raw:
            yield _warn(
                number, raw.index("\N{SOFT HYPHEN}"), 18, "", "Le mot est coupé", "gardez le mot entier"
            )
        if kind is Kind.STRING:
            continue
        if (cut := HYPHENATED.search(raw)) and number < len(reading.lines) and reading.lines[number].strip():
            yield _warn(number, cut.start(), 18, cut[0].strip(), "Le mot est coupé", "gardez le mot entier")
        for note in NOTE.finditer(raw):
            yield _warn(number, note.start(), 20, note[0], "C'est une note", "dites-le dans le texte")
        if kind is Kind.PAGE:
            yield from _marks(number, raw)
    if (
        kind is Kind.PAGE
        and reading.front_matter_ends
        and not any(
            re.match(r"pictogram\s*:\s*\S", raw) for raw in reading.lines[: reading.front_matter_ends]
        )
    ):
        yield _warn(1, 0, 20, "", "La page n'a pas de dessin", "ajoutez « pictogram » en haut")


def _marks(number: int, raw: str) -> Iterator[Finding]:
    """Marks that only Markdown has."""
    if deep := DEEP.match(raw):
        yield _warn(number, 0, 20, deep[0], "Il y a plus de deux niveaux de titres", "gardez « ## »")
    if raw.lstrip().startswith("|"):
        yield _warn(number, raw.index("|"), 18, "|", "C'est un tableau", "faites une liste")
    if italic := ITALIC.search(raw):
        yield _warn(number, italic.start(), 17, italic[0], "C'est de l'italique", "écrivez tout droit")


def _tag(number: int, match: re.Match[str]) -> Finding:
    name = match["name"].lower()
    if COLOUR.search(match["rest"]):
        return _warn(
            number, match.start(), 19, match[0], "La page change les couleurs", "laissez celles du site"
        )
    if name in SLANTED:
        return _warn(number, match.start(), 17, match[0], "C'est de l'italique", "écrivez tout droit")
    rule = 18 if name in PLACED else 15
    return _warn(number, match.start(), rule, match[0], "C'est du code", "écrivez seulement les mots")


def _warn(line: int, at: int, rule: int, excerpt: str, message: str, better: str) -> Finding:
    return Finding(line, at + 1, rule, Level.WARNING, excerpt, message, better)
