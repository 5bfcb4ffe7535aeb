"""What the eye sees: lines, signs, abbreviations, numbers, dates, capitals (rules 3, 4, 10, 12 to 15, 17)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from casework.easyread.findings import Level
from casework.easyread.lexicon import frequency
from casework.easyread.texts import SLOT, Kind, Sentence


class Remark(NamedTuple):
    """Something found in a sentence, from `start` to `end` (of its text)."""

    rule: int
    level: Level
    start: int
    end: int
    message: str
    better: str


Rule = Callable[[Sentence, Kind], Iterator[Remark]]

ERROR, WARNING = Level.ERROR, Level.WARNING

DASHES = r"[\u2013\u2014]|(?<=\s)-(?=\s)"
HARD_SIGNS = re.compile(rf"\([^)]*\)?|\[[^\]]*\]?|[;)\]]|…|\.{{2,}}|{DASHES}")
SAID_INSTEAD = {
    ";": "faites 2 phrases",
    "(": "dites-le dans une nouvelle phrase",
    "[": "dites-le dans une nouvelle phrase",
    "…": "dites la suite, ou mettez un point",
    ".": "dites la suite, ou mettez un point",
}

SPECIAL = re.compile(r"[&<>#/\\*+=~^|_§@•→⇒←↑↓✓✔✗×]|(?<=\w)·(?=\w)|°(?=\s*C\b)")
SIGN_WORDS = {
    "&": "et",
    ">": "plus que",
    "<": "moins que",
    "+": "plus",
    "=": "c'est",
    "/": "ou",
    "→": "ensuite",
}

ABBREVIATIONS = {
    r"etc\b\.?": "par exemple", r"(?<!-)ex\b(?!-)\.?": "exemple", r"cf\b\.?": "regardez", r"n°\s*": "numéro",
    r"Mme\b\.?": "Madame", r"Mlle\b\.?": "Madame", r"M\.(?=\s)": "Monsieur", r"[Tt]él\b\.?": "téléphone",
    r"(?:svp|SVP)\b": "s'il vous plaît", r"(?:[Rr]dv|RDV|[Rr]\.[Dd]\.[Vv]|[Rr]v|RV)\b\.?": "rendez-vous",
    r"[Aa]rt\.": "article",
    r"p\.(?=\s?\d)": "page", r"max\b\.?": "au plus", r"num\b\.?": "numéro", r"env\.": "environ",
    r"nb\b\.?": "nombre", r"(?:cad|càd|c\.-à-d\.)": "cela veut dire", r"dép\.": "département",
    r"hab\.": "habitants", r"suppl\.": "de plus", r"resp\.": "responsable", r"qqn\b": "quelqu'un",
    r"qqch\b\.?": "quelque chose", r"bcp\b": "beaucoup", r"pb\b": "problème", r"[Bb]d\b\.?(?=\s)": "boulevard",
    r"av\.": "avenue", r"[Dd]r\b\.?(?=\s)": "docteur", r"asso\b": "association", r"sem\.": "semaine",
    r"min\b\.?": "minutes",
}  # fmt: skip
ABBREVIATION = re.compile("|".join(rf"(?P<a{i}>(?<![\w'-]){form})" for i, form in enumerate(ABBREVIATIONS)))
HOUR = re.compile(r"(?<=\d)\s?[hH](?=\s|\d|$|[.,])")
EVERYBODY_KNOWS = frozenset({"SMS", "PDF", "OK", "TV"})
"""Short forms that are the word people say."""
CAPITALS = re.compile(r"(?:[A-ZÀ-Ý]\.){2,}|[^\W_]+")
SHOUTED = re.compile(r"[A-ZÀ-Ý]{2,}(?:[ '’][A-ZÀ-Ý]{2,})+")
ROMAN = re.compile(r"(?<![\w'-])(?=[IVX]{2})X{0,3}(?:IX|IV|V?I{0,3})(?:e|è|ème)?(?![\w])")

NUMBERS = [
    "deux",
    "trois",
    "quatre",
    "cinq",
    "six",
    "sept",
    "huit",
    "dix",
    "onze",
    "douze",
    "treize",
    "quatorze",
    "quinze",
    "seize",
    "vingt",
    "trente",
    "quarante",
    "cinquante",
    "soixante",
    "cent",
    "mille",
    "million",
    "milliard",
]
NUMBER = rf"(?:{'|'.join(NUMBERS)})s?"
IN_LETTERS = re.compile(
    rf"(?<![\w-])(?:{NUMBER}(?:(?:-| et |-et-| ){NUMBER}|(?:-| et |-et-)une?\b)*|neuf(?= \w+[sx]\b))(?![\w-])",
    re.IGNORECASE,
)
NOT_COUNTED = re.compile(
    r"(?:tous |toutes )?les deux(?=\s*(?:[.,!?»]|$))|(?:un|une) des deux|deux points|pour cent|mille mercis",
    re.I,
)
VALUES = dict(
    zip(NUMBERS, (2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14, 15, 16, 20, 30, 40, 50, 60, 100), strict=False)
)

PERCENT = re.compile(r"(?:\d[\d ,.]*)?(?:[%‰]|pour cent\b(?! euros))|\bpourcentages?\b", re.IGNORECASE)
LARGE = re.compile(r"(?<![\w.,/-])(?:\d{1,3}(?:[ .]\d{3})+|\d{4,})(?:,\d+)?(?![\w/-])")
IS_A_NAME = re.compile(r"(?:numéro|n°|cerfa|formulaire|article|loi|code|postal)[\w\s°:]*$", re.IGNORECASE)
DIALLED = re.compile(r"(?:\b(?:le|au|du)|:)\s+$")
COUNTED = re.compile(r"\s*(?:€|euros?|personnes?|habitants?|mètres?|fois|ans)\b|\s*€")

MONTHS = (
    "janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre",
    "décembre",
)  # fmt: skip
DATES = re.compile(
    r"(?<![\d/.-])(?:(?P<day>\d{1,2})(?P<sep>[/.-])(?P<month>\d{1,2})(?P=sep)(?P<year>\d{4}|\d{2})"
    r"|(?P<year2>\d{4})-(?P<month2>\d{2})-(?P<day2>\d{2})|(?P<day3>\d{1,2})/(?P<month3>[01]\d))(?![\d/-])"
)
SHORT_MONTH = re.compile(r"(?<=\d )(?:janv|févr?|avr|juil|sept|oct|nov|déc)\b\.?", re.IGNORECASE)


def one_sentence_a_line(sentence: Sentence, kind: Kind) -> Iterator[Remark]:
    """Rule 3. A string of the interface only warns: its template may still break the line."""
    if not sentence.first:
        level = WARNING if kind is Kind.STRING else ERROR
        yield Remark(3, level, 0, len(sentence.text), "Il y a plusieurs phrases sur la ligne",
                     "allez à la ligne avant cette phrase")  # fmt: skip
    elif sentence.goes_on and kind is not Kind.STRING:
        yield Remark(3, ERROR, 0, len(sentence.text), "La phrase est coupée en plusieurs lignes",
                     "écrivez la phrase sur une seule ligne")  # fmt: skip


def simple_signs(sentence: Sentence, _kind: Kind) -> Iterator[Remark]:
    """Rules 4 and 15."""
    for match in HARD_SIGNS.finditer(sentence.text):
        better = SAID_INSTEAD.get(match[0][0], "faites 2 phrases")
        yield Remark(4, ERROR, *match.span(), "Ce signe est difficile", better)
    for match in SPECIAL.finditer(sentence.text):
        word = SIGN_WORDS.get(match[0])
        better = f"écrivez « {word} »" if word else "écrivez-le avec un mot"
        yield Remark(15, ERROR, *match.span(), "Ce signe est spécial", better)


def whole_words(sentence: Sentence, _kind: Kind) -> Iterator[Remark]:
    """Rule 10: abbreviations."""
    better = list(ABBREVIATIONS.values())
    for match in ABBREVIATION.finditer(sentence.text):
        said = better[int((match.lastgroup or "a0")[1:])]
        yield Remark(10, ERROR, *match.span(), "C'est une abréviation", f"écrivez « {said} »")
    for match in HOUR.finditer(sentence.text):
        yield Remark(10, ERROR, *match.span(), "C'est une abréviation", "écrivez « heures »")


def acronyms_of(sentences: Iterable[Sentence]) -> set[str]:
    """The acronyms of a text, as written."""
    found = {match[0] for sentence in sentences for match in CAPITALS.finditer(sentence.text)}
    return {word for word in found if is_acronym(word)}


def capitals(
    sentence: Sentence, acronyms: Mapping[str, str], unexplained: Mapping[str, str]
) -> Iterator[Remark]:
    """Rule 10: acronyms nobody explains; rule 12: Roman numerals; rule 17: words in capitals."""
    taken = [match.span() for match in SHOUTED.finditer(sentence.text) if _is_shouted(match[0], acronyms)]
    for start, end in taken:
        yield Remark(17, WARNING, start, end, "Les majuscules se lisent mal", "écrivez en minuscules")
    for match in CAPITALS.finditer(sentence.text):
        word = match[0]
        if not is_acronym(word) or any(start <= match.start() < end for start, end in taken):
            continue
        if ROMAN.fullmatch(word):
            yield Remark(12, ERROR, *match.span(), "C'est un chiffre romain", "écrivez 1, 2, 3")
        elif name_of(word, acronyms) is None:
            if _is_shouted(word, acronyms):
                yield Remark(
                    17, WARNING, *match.span(), "Les majuscules se lisent mal", "écrivez en minuscules"
                )
            else:
                yield Remark(10, ERROR, *match.span(), "Personne n'explique ce sigle",
                             "écrivez le nom en entier, ou ajoutez le sigle à la liste")  # fmt: skip
        elif word in unexplained:
            yield Remark(10, ERROR, *match.span(), "La page n'explique pas ce sigle",
                         f"ajoutez la ligne « **{word}** : {unexplained[word]} »")  # fmt: skip


def is_acronym(word: str) -> bool:
    """True for two capitals or more that are not the smaller part of the word: `RSA`, `C2S`, `PUMa`, `R.S.A.`."""
    upper = sum(letter.isupper() for letter in word)
    return upper >= 2 and upper >= sum(letter.islower() for letter in word)


def name_of(word: str, acronyms: Mapping[str, str]) -> str | None:
    """What an acronym stands for: its name in the list, itself when everybody says it, or None."""
    for form in (word, word.replace(".", ""), word.removesuffix("s")):
        if form in acronyms:
            return acronyms[form]
        if form in EVERYBODY_KNOWS:
            return form
    return None


def _is_shouted(words: str, acronyms: Mapping[str, str]) -> bool:
    """Common words in capitals, rather than acronyms side by side; a long one is a word too."""
    pieces = [piece for piece in re.findall(r"[^\W\d_]+", words) if len(piece) > 1]
    known = [piece for piece in pieces if name_of(piece, acronyms) is not None]
    return not known and all(len(piece) > 5 or frequency(piece.lower()) >= 4.3 for piece in pieces)


def digits(sentence: Sentence, _kind: Kind) -> Iterator[Remark]:
    """Rule 12: numbers in letters."""
    spared = [match.span() for match in NOT_COUNTED.finditer(sentence.text)]
    for match in IN_LETTERS.finditer(sentence.text):
        if any(start <= match.start() < end for start, end in spared):
            continue
        value = VALUES.get(match[0].lower())
        better = f"écrivez {value}" if value else "écrivez-le en chiffres"
        yield Remark(12, ERROR, *match.span(), "Le nombre est en lettres", better)


def small_numbers(sentence: Sentence, _kind: Kind) -> Iterator[Remark]:
    """Rule 13: percentages, and numbers above 1,000 that are neither a year nor a name."""
    for match in PERCENT.finditer(sentence.text):
        yield Remark(13, ERROR, *match.span(), "Un pourcentage est difficile à comprendre",
                     "donnez un exemple avec des personnes, comme « 1 personne sur 2 »")  # fmt: skip
    for match in LARGE.finditer(sentence.text):
        if _is_large(match, sentence.text):
            yield Remark(13, ERROR, *match.span(), "Un nombre plus grand que mille se comprend mal",
                         "dites « beaucoup », ou comparez")  # fmt: skip


def _is_large(match: re.Match[str], text: str) -> bool:
    """More than 1,000; not a year, a postal code, a short telephone number nor the number of a paper."""
    number, before, after = match[0], text[: match.start()], text[match.end() :]
    value = int(re.sub(r"\D", "", number.partition(",")[0]))
    is_year = number.isdigit() and 1900 <= value <= 2100 and not COUNTED.match(after)
    is_postal = number.isdigit() and len(number) == 5 and (not after.strip() or after.lstrip()[0].isupper())
    is_dialled = number.isdigit() and 3000 <= value < 4000 and not COUNTED.match(after)
    named = IS_A_NAME.search(before) or (is_dialled and (DIALLED.search(before) or not before.strip()))
    return value > 1000 and not (is_year or is_postal or named)


def months_in_letters(sentence: Sentence, _kind: Kind) -> Iterator[Remark]:
    """Rule 14."""
    for match in DATES.finditer(sentence.text):
        day, month = (int(match[name] or match[f"{name}2"] or match[f"{name}3"]) for name in ("day", "month"))
        if 1 <= day <= 31 and 1 <= month <= 12:
            year = match["year"] or match["year2"] or ""
            better = f"écrivez « {day} {MONTHS[month - 1]}{f' {year}' if year else ''} »"
            yield Remark(14, ERROR, *match.span(), "Le mois est en chiffres", better)
    for match in SHORT_MONTH.finditer(sentence.text):
        whole = next(name for name in MONTHS if name[:3] == match[0].lower()[:3])
        yield Remark(14, ERROR, *match.span(), "Le mois est coupé", f"écrivez « {whole} »")


def is_slot(word: str) -> bool:
    """True for a word that is only a placeholder."""
    return word.strip(".,:!?«»'\" ") == SLOT


SIGNS: tuple[Rule, ...] = (
    one_sentence_a_line, simple_signs, whole_words, digits, small_numbers, months_in_letters,
)  # fmt: skip
