"""The words the checker knows: how often each is met, those of everyday life, and better ones for hard ones."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

import yaml

HERE = Path(__file__).parent
RAREST = 3.5
"""On the Zipf scale: three times in a million words. What is rarer counts as a rare word."""

Better = tuple[re.Pattern[str], list[str]]


@lru_cache(maxsize=1)
def frequencies() -> dict[str, float]:
    """Each common French word with its place on the Zipf scale (7: every second word; 3.5: the rarest kept)."""
    found: dict[str, float] = {}
    step = 0.0
    for line in (HERE / "frequent.fr.txt").read_text(encoding="utf-8").splitlines():
        if line[:1].isdigit():
            step = float(line)
        elif not line.startswith("#"):
            found.update(dict.fromkeys(line.split(), step))
    return found


@lru_cache(maxsize=1)
def everyday() -> frozenset[str]:
    """Words of everyday life that lists of frequencies take for rare."""
    lines = (HERE / "everyday.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if not line.startswith("#"))


@lru_cache(maxsize=1)
def _families() -> dict[str, frozenset[str]]:
    families: dict[str, str] = yaml.safe_load((HERE / "forms.yaml").read_text(encoding="utf-8"))
    return {family: frozenset(words.split()) for family, words in families.items()}


def forms(family: str) -> frozenset[str]:
    """A family of `forms.yaml`: words that look like others."""
    return _families()[family]


@lru_cache(maxsize=2)
def better(family: str) -> Better:
    """A pattern of the hard words of a family (`jargon`, `foreign`), and what to say for each of its groups.

    Group `w0` is the first line of the family in `better.yaml`, `w1` the second, and so on.
    """
    lines: dict[str, str] = yaml.safe_load((HERE / "better.yaml").read_text(encoding="utf-8"))[family]
    groups = [
        "|".join(re.escape(form.strip()).replace(r"\*", r"\w*") for form in forms.split(","))
        for forms in lines
    ]
    pattern = "|".join(rf"(?P<w{index}>{group})" for index, group in enumerate(groups))
    return re.compile(rf"(?<![\w-])(?:{pattern})(?![\w-])", re.IGNORECASE), list(lines.values())


def frequency(word: str) -> float:
    """A lower-case word's place on the Zipf scale; 0 when it is rare."""
    return frequencies().get(word, 0.0)


def is_rare(word: str) -> bool:
    """True when neither the word nor what it may be a form of is met often. Lower case, no apostrophe."""
    return word not in everyday() and not any(
        form in everyday() or frequency(form) >= RAREST for form in _forms(word)
    )


def _forms(word: str) -> list[str]:
    """The word, then what it may be a form of: singular, masculine, infinitive."""
    found = [word]
    if word[-1:] in "sx":
        found.append(word[:-1])
    if word.endswith("aux"):
        found.append(word[:-3] + "al")
    for ending, base in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            found.append(word[: len(word) - len(ending)] + base)
    return found


_ENDINGS = (
    ("ez", "er"), ("ons", "er"), ("e", "er"), ("es", "er"), ("ent", "er"), ("é", "er"), ("ée", "er"), ("és", "er"),
    ("ées", "er"), ("ez", "e"), ("e", ""), ("es", ""), ("issez", "ir"), ("it", "ir"), ("is", "ir"), ("i", "ir"),
    ("ie", "ir"), ("ies", "ir"), ("ez", "re"), ("ez", "ir"),
    ("ons", "re"), ("ons", "ir"), ("ent", "re"), ("ent", "ir"), ("u", "re"), ("ue", "re"), ("us", "re"),
    ("euse", "eur"), ("euses", "eur"), ("trice", "teur"), ("trices", "teur"), ("ère", "er"), ("ères", "er"),
    ("elle", "el"), ("elles", "el"), ("enne", "en"), ("ennes", "en"), ("ive", "if"),
    ("ives", "if"), ("era", "er"), ("erez", "er"), ("erai", "er"), ("erons", "er"), ("eront", "er"), ("irez", "ir"),
    ("ira", "ir"), ("vra", "voir"), ("vrez", "voir"), ("vrons", "voir"), ("vront", "voir"), ("iez", "er"),
    ("iez", "re"),
)  # fmt: skip
