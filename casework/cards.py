"""The cards by which a citizen answers with one tap: a pictogram and a sentence, in every language.

`content/cards/<language>.yaml`; the French one gives the pictograms and the version that the others are made from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from casework.checked_yaml import FileError, Sheet
from casework.settings import ROOT
from casework.vocabulary import LANGUAGES

FOLDER = ROOT / "content" / "cards"
FRENCH = "fr"

ALARMS = ("in_danger", "afraid")
"""Whoever says this reads at once whom to call, and the request becomes urgent."""


@dataclass(frozen=True)
class Card:
    """One answer. `said`: its sentence by language; French is always there."""

    id: str
    pictogram: str
    said: Mapping[str, str]

    def words(self, language: str) -> str:
        """The sentence in a language, else in French."""
        return self.said.get(language, self.said[FRENCH])


@dataclass(frozen=True)
class Cards:
    """All the cards, in the order people see them. `to_redo`: translations to make again, or to begin."""

    cards: Mapping[str, Card]
    to_redo: tuple[str, ...]

    def ahead(self, words: str, source: str, target: str) -> str | None:
        """What a card's sentence is in another language; None for words that are no card's."""
        card = self.read(words, source)
        return card.said.get(target) if card else None

    def read(self, words: str, language: str) -> Card | None:
        """The card whose sentence this is; None for words that are no card's."""
        said = " ".join(words.split())
        return next((card for card in self.cards.values() if card.said.get(language) == said), None)


@lru_cache
def load_cards(folder: Path = FOLDER) -> Cards:
    """Read every card, once in the life of a process.

    Raises:
        FileError: a card has no sentence in a language, or one that the French does not have; all problems at once.
    """
    problems: list[str] = []
    sheet = Sheet(folder / f"{FRENCH}.yaml", problems)
    top = sheet.rows(sheet.root, "version", "cards")
    version = sheet.number(top.get("version"))
    said: dict[str, dict[str, str]] = {}
    pictograms: dict[str, str] = {}
    for name, node in sheet.rows(top.get("cards")).items():
        row = sheet.rows(node, "pictogram", "text")
        pictograms[name] = sheet.words(row.get("pictogram"))
        said[name] = {FRENCH: sheet.words(row.get("text"))}
    redo = []
    for language in LANGUAGES:
        path = folder / f"{language}.yaml"
        if language == FRENCH:
            continue
        if not path.exists():
            redo.append(f"cards/{language}: not translated")
            continue
        other = Sheet(path, problems)
        top = other.rows(other.root, "of_version", "reviewed_by", "cards")
        rows = other.rows(top.get("cards"))
        other.same_names(top.get("cards"), rows, said)
        for name in rows.keys() & said.keys():
            said[name][language] = other.words(rows[name])
        if other.number(top.get("of_version"), most=version or None) < version:
            redo.append(f"cards/{language}: made from an earlier version")
    if problems:
        raise FileError(problems)
    return Cards({name: Card(name, pictograms[name], said[name]) for name in said}, tuple(redo))
