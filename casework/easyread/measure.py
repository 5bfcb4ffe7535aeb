"""How hard a text is, in figures: words a sentence, rare words, syllables, Kandel and Moles."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from casework.easyread.clauses import length
from casework.easyread.lexicon import forms
from casework.easyread.texts import SLOT, Sentence
from casework.easyread.words import rare_words

VOWELS = "aeiouyàâäéèêëîïôöùûüÿœæ"
VOWEL = f"[{VOWELS}]"
ONE_SOUND = (
    (re.compile(rf"qu(?={VOWEL})"), "q"),
    (re.compile(r"gu(?=[eéèêiy])"), "g"),
    (re.compile(r"ge(?=[aoôâ])"), "g"),
    (re.compile(r"ées?$"), "é"),
)
BREAKS = re.compile(
    rf"(?<=[éè])(?={VOWEL})|(?<=[aéoœ])(?=[éè])|(?<={VOWEL})(?=[ïüë])|(?<=[bcdfgptv][lr][iu])(?=[aeéèo])"
    r"|(?<=a)(?=o)(?!oû)|(?<=o)(?=a)"
)
GLIDE = re.compile(rf"(?<={VOWEL})y(?={VOWEL})")
MUTE = re.compile(r"(?<=[^aeiouyàâäéèêëîïôöùûü|])es?$")
SPOKEN_ENT = forms("spoken_ent")
SILENT_MENT = forms("silent_ment")
ODD = {"pays": 2, "paysan": 3, "paysans": 3, "abbaye": 3, "monsieur": 2}


@dataclass(frozen=True)
class Figures:
    """The easy sentences of a text in figures; `kandel_moles` is higher for easier texts, about 100 at best."""

    sentences: int
    median_words: float
    longest: int
    rare_words: tuple[str, ...]
    kandel_moles: float


def figures(sentences: Sequence[Sentence], explained: set[str]) -> Figures:
    """Measure the easy sentences of a text; an empty one has the figures of nothing."""
    easy = [sentence.text for sentence in sentences if sentence.easy]
    lengths = [length(text) for text in easy]
    rare = sorted({match[0].lower() for text in easy for match in rare_words(text, explained)})
    return Figures(
        sentences=len(easy),
        median_words=median(lengths) if lengths else 0,
        longest=max(lengths, default=0),
        rare_words=tuple(rare),
        kandel_moles=round(kandel_moles(easy), 1),
    )


def kandel_moles(sentences: Sequence[str]) -> float:
    """207 - 1.015 words a sentence - 73.6 syllables a word; 207 for a text without words."""
    words = [word for text in sentences for word in re.findall(r"[^\W\d_]+", text.replace(SLOT, " "))]
    if not words:
        return 207.0
    counted = sum(length(text) for text in sentences)
    spoken = sum(syllables(word) for word in words)
    return 207 - 1.015 * counted / len(sentences) - 73.6 * spoken / max(counted, 1)


def syllables(word: str) -> int:
    """How many syllables a French word has when said in ordinary speech; at least one."""
    said = word.lower()
    if said in ODD:
        return ODD[said]
    for pattern, sound in ONE_SOUND:
        said = pattern.sub(sound, said)
    if _is_silent_ent(word.lower()):
        said = said[:-3]
    elif len(re.findall(f"{VOWEL}+", said)) > 1:
        said = MUTE.sub("", said)
    said = BREAKS.sub("|", GLIDE.sub("|", said))
    return max(1, len(re.findall(f"{VOWEL}+", said)))


def _is_silent_ent(word: str) -> bool:
    """The ending of a verb for several people, which nobody hears: `doivent`, not `souvent`."""
    if (
        not word.endswith("ent")
        or len(word) < 5
        or word in SPOKEN_ENT
        or word.removesuffix("s") in SPOKEN_ENT
    ):
        return False
    if word.endswith("ment"):
        return word in SILENT_MENT
    return not word.endswith("ient") or word.endswith(("aient", "oient", "uient"))
