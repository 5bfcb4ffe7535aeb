"""The phrasebook: the sentences that agents need most, in easy French and translated ahead into every language.

`content/phrases/<language>.yaml`, checked whole. A sentence has a code of two strokes, and slots for days, hours,
places, papers… which are filled in as each language writes them. What it says is always preferred over the machine.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

from yaml.nodes import Node

from casework.amounts import euros
from casework.cards import load_cards
from casework.checked_yaml import FileError, Sheet
from casework.people import UnreachableError, read_phone, show_phone
from casework.settings import ROOT
from casework.territory import fold
from casework.translation import PARIS, apart, hour, together, weekday_and_month
from casework.vocabulary import LANGUAGES

FOLDER = ROOT / "content" / "phrases"
FRENCH = "fr"
CODE = re.compile(r"[a-z][a-z0-9]")
IN_BRACES = re.compile(r"\{([^{}]*)\}")
LONGEST_FILLING = 200
LARGEST_AMOUNT = Decimal(1_000_000)
A_DAY = date(2026, 1, 1)
"""An hour is read without its day."""


class Slot(enum.StrEnum):
    """What a sentence leaves open, in the order in which agents fill it in."""

    DAY = "day"
    HOUR = "hour"
    PLACE = "place"
    PAPER = "paper"
    NAME = "name"
    AMOUNT = "amount"
    PHONE = "phone"
    SERVICE = "service"


class UnknownPhraseError(KeyError):
    """The book has no such sentence."""


class SlotError(ValueError):
    """A slot is empty, or what stands in it is no day, hour, paper, amount or telephone number."""

    def __init__(self, slot: Slot) -> None:
        super().__init__(slot.value)
        self.slot = slot


@dataclass(frozen=True)
class Phrase:
    """One sentence. `said`: its words by language, with their slots in braces; French is always there."""

    id: str
    code: str
    said: Mapping[str, str]

    @property
    def french(self) -> str:
        """The sentence that binds."""
        return self.said[FRENCH]

    @property
    def slots(self) -> tuple[Slot, ...]:
        """What is to be filled in."""
        return tuple(slot for slot in Slot if f"{{{slot}}}" in self.french)


@dataclass(frozen=True)
class Group:
    """Sentences for one moment of a talk; `letter` is the first stroke of their codes."""

    id: str
    letter: str
    title: str
    phrases: tuple[Phrase, ...]


@dataclass(frozen=True)
class Paper:
    """A paper that agents often ask for. `name`: what is written on it, in French."""

    id: str
    name: str
    said: Mapping[str, str]

    def words(self, language: str) -> str:
        """As a reader of a language recognises it: in their words, and as the paper itself says."""
        if language == FRENCH or language not in self.said:
            return self.said[FRENCH]
        return f"{self.said[language]} ({apart(self.name, language)})"


@dataclass(frozen=True)
class Used:
    """A sentence that an agent put into a message, with what was filled in, as typed."""

    phrase_id: str
    slots: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        """As a form's field keeps it: `come_on?day=2026-11-24&hour=14%3A30`."""
        return f"{self.phrase_id}?{urlencode(self.slots)}"

    @classmethod
    def read(cls, kept: str) -> Used:
        """From a form's field; whatever stands there, nothing is raised."""
        phrase_id, _, filled = kept[:2000].partition("?")
        return cls(phrase_id, dict(parse_qsl(filled, max_num_fields=None)[: len(Slot)]))


@dataclass(frozen=True)
class Phrasebook:
    """The whole book, in the order of its file. `to_redo`: translations to make again, or to begin."""

    groups: tuple[Group, ...]
    papers: Mapping[str, Paper]
    to_redo: tuple[str, ...]

    def __iter__(self) -> Iterator[Phrase]:
        """Each sentence, group by group."""
        return (phrase for group in self.groups for phrase in group.phrases)

    def phrase(self, phrase_id: str) -> Phrase:
        """A sentence by its name.

        Raises:
            UnknownPhraseError: there is none.
        """
        for phrase in self:
            if phrase.id == phrase_id:
                return phrase
        raise UnknownPhraseError(phrase_id)

    def search(self, typed: str) -> list[Phrase]:
        """Sentences whose code begins with what was typed, then those with all its words, accents aside."""
        wanted = fold(typed)
        if not wanted:
            return list(self)
        by_code = [phrase for phrase in self if phrase.code.startswith(wanted)]
        by_words = [
            phrase
            for group in self.groups
            for phrase in group.phrases
            if all(f" {word}" in f" {fold(f'{group.title} {phrase.french}')}" for word in wanted.split())
        ]
        return by_code + [phrase for phrase in by_words if phrase not in by_code]

    def say(self, phrase_id: str, slots: Mapping[str, str], language: str) -> tuple[str, str]:
        """A sentence in French and in a language, filled in: `slots` as fields give them (2026-11-24, 14:30, lease…).

        Raises:
            UnknownPhraseError: the book has no such sentence.
            SlotError: a slot is empty or holds something else than it should.
        """
        phrase = self.phrase(phrase_id)
        code = language if language in phrase.said else FRENCH
        return self._filled(phrase, slots, FRENCH), self._filled(phrase, slots, code)

    def ahead(self, words: str, source: str, target: str) -> str | None:
        """A sentence without slots, or a citizen's card, in another language; None for other words."""
        if source == FRENCH:
            for phrase in self:
                if phrase.french == words.strip() and not phrase.slots and target in phrase.said:
                    return phrase.said[target]
        return load_cards().ahead(words, source, target)

    def _filled(self, phrase: Phrase, slots: Mapping[str, str], language: str) -> str:
        words = phrase.said[language]
        for slot in phrase.slots:
            words = words.replace(f"{{{slot}}}", self._fill(slot, slots.get(slot, ""), language))
        return words

    def _fill(self, slot: Slot, typed: str, language: str) -> str:
        typed = " ".join(typed.replace("{", "(").replace("}", ")").split())[:LONGEST_FILLING]
        try:
            return self._in_words(slot, typed, language)
        except (ValueError, KeyError, InvalidOperation, UnreachableError) as error:
            raise SlotError(slot) from error

    def _in_words(self, slot: Slot, typed: str, language: str) -> str:
        match slot:
            case Slot.DAY:
                noon = datetime.combine(date.fromisoformat(typed), time(12), PARIS)
                return weekday_and_month(noon, language)
            case Slot.HOUR:
                return hour(datetime.combine(A_DAY, time.fromisoformat(typed), PARIS), language)
            case Slot.PAPER:
                return self.papers[typed].words(language)
            case Slot.AMOUNT:
                return euros(_amount(typed), language)
            case Slot.PHONE:
                return together(_phone(typed), language)
            case _:
                if not typed:
                    raise ValueError(slot)
                return apart(typed, language)


def in_message(book: Phrasebook, body: str, used: Iterable[Used], language: str) -> dict[str, str]:
    """The sentences of the book that still stand in a message, French → translated.

    What an agent changed by hand after putting it in is theirs, and no longer the book's.
    """
    found: dict[str, str] = {}
    for one in used:
        try:
            french, translated = book.say(one.phrase_id, one.slots, language)
        except (UnknownPhraseError, SlotError):
            continue
        if french in body:
            found[french] = translated
    return found


def whole_message(body: str, known: Mapping[str, str]) -> str | None:
    """The translation of a message made of known sentences alone, each on its line; None when there is more in it."""
    lines = [line.strip() for line in body.splitlines()]
    if not any(lines) or any(line and line not in known for line in lines):
        return None
    return "\n".join(known.get(line, "") for line in lines)


@lru_cache
def load_phrasebook(folder: Path = FOLDER) -> Phrasebook:
    """Read the book, once in the life of a process.

    Raises:
        FileError: a code stands twice, a translation lacks a sentence or a slot…; all problems at once.
    """
    problems: list[str] = []
    sheet = Sheet(folder / f"{FRENCH}.yaml", problems)
    top = sheet.rows(sheet.root, "version", "groups", "papers")
    version = sheet.number(top.get("version"))
    phrases: dict[str, dict[str, str]] = {}
    groups = [_group(sheet, name, node, phrases) for name, node in sheet.rows(top.get("groups")).items()]
    _codes(sheet, top.get("groups"))
    papers, names = _papers(sheet, top.get("papers"))
    redo = _translations(folder, version, phrases, papers, problems)
    if problems:
        raise FileError(problems)
    return Phrasebook(
        tuple(
            Group(
                name, letter, title, tuple(Phrase(each, code, phrases[each]) for each, code in codes.items())
            )
            for name, letter, title, codes in groups
        ),
        {each: Paper(each, names[each], papers[each]) for each in papers},
        tuple(redo),
    )


def _group(
    sheet: Sheet, name: str, node: Node, phrases: dict[str, dict[str, str]]
) -> tuple[str, str, str, dict[str, str]]:
    """A group's letter and title, the codes of its sentences; their French goes to `phrases`."""
    row = sheet.rows(node, "letter", "title", "phrases")
    codes: dict[str, str] = {}
    for phrase_id, each in sheet.rows(row.get("phrases")).items():
        facts = sheet.rows(each, "code", "text")
        if phrase_id in phrases:
            sheet.wrong(each, f"“{phrase_id}” is already a sentence of another group.")
        words = sheet.words(facts.get("text"))
        slots = IN_BRACES.findall(words)
        for slot in slots:
            if slot not in set(Slot):
                sheet.wrong(facts["text"], f"“{{{slot}}}” is no slot: {', '.join(Slot)}.")
        if len(set(slots)) < len(slots):
            sheet.wrong(facts["text"], "a slot stands here twice.")
        phrases[phrase_id] = {FRENCH: words}
        codes[phrase_id] = sheet.words(facts.get("code"))
    return name, sheet.words(row.get("letter")), sheet.words(row.get("title")), codes


def _codes(sheet: Sheet, groups: Node | None) -> None:
    """Each code has two strokes, begins with its group's letter, and is nobody else's."""
    seen: dict[str, str] = {}
    letters: set[str] = set()
    for group in sheet.rows(groups).values():
        row = sheet.rows(group)
        letter = sheet.words(row.get("letter"))
        if letter in letters or len(letter) != 1:
            sheet.wrong(row.get("letter"), f"“{letter}” should be one letter, and no other group's.")
        letters.add(letter)
        for phrase_id, node in sheet.rows(row.get("phrases")).items():
            code_node = sheet.rows(node).get("code")
            code = sheet.words(code_node)
            if not CODE.fullmatch(code) or not code.startswith(letter):
                sheet.wrong(
                    code_node, f"a code is “{letter}” and one more small letter or digit, not “{code}”."
                )
            elif code in seen:
                sheet.wrong(code_node, f"the code “{code}” is already that of “{seen[code]}”.")
            seen.setdefault(code, phrase_id)


def _papers(sheet: Sheet, node: Node | None) -> tuple[dict[str, dict[str, str]], dict[str, str]]:
    said: dict[str, dict[str, str]] = {}
    names: dict[str, str] = {}
    for paper_id, each in sheet.rows(node).items():
        row = sheet.rows(each, "name", "text")
        names[paper_id] = sheet.words(row.get("name"))
        said[paper_id] = {FRENCH: sheet.words(row.get("text"))}
    return said, names


def _translations(
    folder: Path,
    version: int,
    phrases: dict[str, dict[str, str]],
    papers: dict[str, dict[str, str]],
    problems: list[str],
) -> list[str]:
    """Add every other language to `phrases` and `papers`; what is to be made again, as `phrases/language: why`."""
    redo: list[str] = []
    for language in LANGUAGES:
        path = folder / f"{language}.yaml"
        if language == FRENCH:
            continue
        if not path.exists():
            redo.append(f"phrases/{language}: not translated")
            continue
        sheet = Sheet(path, problems)
        top = sheet.rows(sheet.root, "of_version", "reviewed_by", "phrases", "papers")
        for part, said in (("phrases", phrases), ("papers", papers)):
            rows = sheet.rows(top.get(part))
            sheet.same_names(top.get(part), rows, said)
            for name in rows.keys() & said.keys():
                said[name][language] = sheet.words(rows[name])
                _same_slots(sheet, rows[name], said[name][FRENCH], said[name][language])
        if sheet.number(top.get("of_version"), most=version or None) < version:
            redo.append(f"phrases/{language}: made from an earlier version")
    return redo


def _same_slots(sheet: Sheet, node: Node, french: str, words: str) -> None:
    wanted, found = sorted(IN_BRACES.findall(french)), sorted(IN_BRACES.findall(words))
    if wanted != found:
        said = ", ".join(f"{{{slot}}}" for slot in wanted) or "none"
        sheet.wrong(node, f"the slots should be those of the French: {said}.")


def _amount(typed: str) -> Decimal:
    amount = Decimal(typed.replace(" ", "").replace("€", "").replace(",", "."))
    if not amount.is_finite() or not 0 <= amount <= LARGEST_AMOUNT:
        raise ValueError(typed)
    return amount.quantize(Decimal("0.01"))


def _phone(typed: str) -> str:
    """A number as people read it; a short one, such as 115, as it is."""
    digits = typed.replace(" ", "").replace(".", "")
    if digits.isascii() and digits.isdigit() and len(digits) in (2, 3, 4, 6):
        return digits
    return show_phone(read_phone(typed))
