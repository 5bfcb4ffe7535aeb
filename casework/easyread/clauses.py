"""How a sentence is built: ideas, order, negation, passive, tenses (rules 1, 2, 5, 6, 7). Only warnings, but length.

French is read here by its surface, without a parser: lists of forms and endings. A warning may be wrong; the
writer decides. Only a sentence of more than `MOST_WORDS` words is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from casework.easyread.findings import Level
from casework.easyread.lexicon import forms, frequency
from casework.easyread.signs import Remark, Rule
from casework.easyread.texts import SLOT, Kind, Sentence

FEW_WORDS, MOST_WORDS, MOST_IN_DETAILS = 10, 15, 30
WORD = re.compile(r"\S+")
READ = re.compile(rf"[\w{SLOT}]")

PRONOUNS = r"(?:je |j'|tu |il |elle |on |nous |vous |ils |elles |ce |c'|ça |cela |celui-ci )"
QUESTIONS = re.compile(r"(?:est-ce (?:que|qu'|qui)|qu'est-ce qu(?:e|i)?'?|c'est quoi)", re.IGNORECASE)
NOT_ASKING = "".join(rf"(?<!{word}\s)" for word in ("à", "pour", "avec", "chez", "de", "par"))
RELATIVES = re.compile(
    r"\b(?:lequel|laquelle|lesquels|lesquelles|auquel|auxquels|auxquelles|duquel|desquels|desquelles|dont)\b"
    rf"|(?<=\w\s){NOT_ASKING}qui(?=\s\w)|(?<=\w\s)(?:que |qu'){PRONOUNS}|(?<=\w\s)où {PRONOUNS}",
    re.IGNORECASE,
)
AND_THEN = re.compile(
    r"(?<=[\w,]\s)(?:(?:et|mais|ou|donc|car|puis|parce que|puisque|quand|lorsque|si|comme|alors que|pendant que"
    rf"|tandis que)\s|parce qu'|puisqu'|lorsqu'|s'){PRONOUNS}(?!même)",
    re.IGNORECASE,
)
TOO_MANY_COMMAS = 3

FRONTED = re.compile(
    r"(?:Afin|Pour|Lors|Dans|En|Après|Avant|Suite|Sous|Dès|Selon|Sauf|Malgré|Outre|Depuis|Grâce|Par|Sur)\b[^,:.?!]*,\s",
)
INVERTED = re.compile(
    r"(?:Sont|Est|Doivent|Doit|Peuvent|Peut|Seront|Sera|Figurent?|Restent?)\s(?!-)", re.IGNORECASE
)
MOST_IN_FRONT = 4

NEGATION = re.compile(
    r"\b(?:ne\s|n')(?!importe\b|est-ce\b)\S+(?:\s\S+){0,4}?\s(?:pas|plus|jamais|rien|personne|aucune?|que|qu'\S+|ni|guère)\b"
    r"|\b(?:ne\s|n')(?!importe\b|est-ce\b)\S+|\b(?:sauf|hormis|excepté|ni)\b"
    r"|\bà moins (?:de|que)\b|\bnon[- ](?!merci)\w+",
    re.IGNORECASE,
)

TO_BE = (
    r"(?:suis|es|est|sommes|êtes|sont|sera|seront|serez|serai|serons|était|étaient|serait|seraient|soit|soient|été"
    r"|être)"
)
MEANWHILE = (
    r"(?:pas|plus|jamais|déjà|toujours|aussi|bien|souvent|ensuite|encore|tous|toutes|très|trop|\w+ment)"
)
PASSIVE = re.compile(
    rf"(?P<before>[\w']*\s?)\b{TO_BE}\s(?:{MEANWHILE}\s){{0,2}}(?P<participle>[^\W\d_]+)", re.IGNORECASE
)
REFLEXIVE = re.compile(r"(?:s'|se |m'|me |t'|te |vous vous |nous nous )$", re.IGNORECASE)
PARTICIPLES = re.compile(
    r"(?:\w+é|pris|compris|appris|repris|mis|permis|promis|remis|soumis|transmis|admis|fait|refait|satisfait|dit|interdit"
    r"|écrit|inscrit|décrit|prescrit|conduit|produit|réduit|construit|détruit|traduit|introduit|instruit|ouvert"
    r"|offert|couvert|découvert|souffert|reçu|perçu|vu|lu|élu|tenu|obtenu|retenu|maintenu|soutenu|prévenu|entendu"
    r"|attendu|rendu|vendu|perdu|défendu|suspendu|répondu|reconnu|connu|battu|prévu|revu|rompu|interrompu|vaincu"
    r"|résolu|dû|choisi|fini|rempli|fourni|garanti|averti|subi|saisi|suivi|établi|réuni|puni|servi|accueilli|défini"
    r"|rejoint|joint|craint|atteint|éteint|peint|exclu|conclu|inclus|acquis|requis|conquis)e?s?",
    re.IGNORECASE,
)
STATES = forms("states")
"""Participles that say how one is, not what is done to one."""

SUBJUNCTIVE = re.compile(
    r"\b(?:pour|afin|bien|avant|sans|à condition|jusqu'à ce|de (?:sorte|façon|manière)|de peur|à moins|quoi) ?"
    r"(?:que\b|qu')"
    r"|\b(?:il (?:faut|faudra)|voulez|veux|voulons|souhaitez|il est (?:nécessaire|important|possible|obligatoire))"
    r" (?:que\b|qu')"
    r"|\b(?:que |qu')\S+(?: \S+)? (?:soit|soient|ait|aient|soyez|ayez)\b"
    r"|\b(?:puisse|puissent|puissiez|fasse|fassent|fassiez|aille|aillent|sache|sachent|veuille|vienne|doive|prenne)\b",
    re.IGNORECASE,
)
ANT = re.compile(r"\b(?:en )?(?P<word>[^\W\d_]{2,}ant)\b", re.IGNORECASE)
NOT_PARTICIPLES = forms("in_ant")
IRREGULAR_FUTURE = forms("future_stems")
FUTURE = re.compile(
    r"\b(?P<stem>[^\W\d_]*r)(?P<ending>ai|as|a|ons|ez|ont|ais|ait|aient|ions|iez)\b", re.IGNORECASE
)
PAST = re.compile(
    r"\b(?:était|étaient|étais|étiez|avait|avaient|avais|aviez|faisait|faisaient|pouvait|pouvaient|devait|devaient"
    r"|voulait|voulaient|allait|allaient|fut|furent|eut|eurent|fit|firent|dut|durent)\b",
    re.IGNORECASE,
)


def length(text: str) -> int:
    """How many words a sentence has, as one reads: `l'aide` is one, a placeholder too, a `:` none."""
    return sum(bool(READ.search(word)) for word in text.split())


def short(sentence: Sentence, _kind: Kind) -> Iterator[Remark]:
    """Rule 1, by the number of words."""
    words = length(sentence.text)
    most = MOST_WORDS if sentence.easy else MOST_IN_DETAILS
    if words > most:
        yield Remark(
            1, Level.ERROR, 0, len(sentence.text), f"La phrase a {words} mots", f"{most} mots au plus"
        )
    elif words > FEW_WORDS and sentence.easy:
        yield Remark(1, Level.WARNING, 0, len(sentence.text), f"La phrase a {words} mots", "essayez 10 mots")


def one_idea(sentence: Sentence, _kind: Kind) -> Iterator[Remark]:
    """Rule 1, by what joins two sentences in one."""
    text = QUESTIONS.sub(lambda match: "_" * len(match[0]), sentence.text)
    for pattern, message in (
        (RELATIVES, "Une phrase est dans la phrase"), (AND_THEN, "Il y a 2 idées"),
    ):  # fmt: skip
        if match := pattern.search(text):
            yield Remark(1, Level.WARNING, *match.span(), message, "faites 2 phrases")
            return
    if text.count(",") >= TOO_MANY_COMMAS:
        start = text.index(",")
        yield Remark(1, Level.WARNING, start, start + 1, "Il y a beaucoup de virgules", "faites une liste")


def plain_order(sentence: Sentence, _kind: Kind) -> Iterator[Remark]:
    """Rule 2."""
    front = FRONTED.match(sentence.text)
    if front and length(front[0]) > MOST_IN_FRONT:
        yield Remark(2, Level.WARNING, *front.span(), "La phrase commence loin de la personne",
                     "dites d'abord qui fait quoi")  # fmt: skip
    if (verb := INVERTED.match(sentence.text)) and not sentence.text.endswith("?"):
        yield Remark(2, Level.WARNING, *verb.span(), "Le verbe est avant la personne", "dites d'abord qui")


def affirmative(sentence: Sentence, _kind: Kind) -> Iterator[Remark]:
    """Rule 5."""
    denied = False
    for match in NEGATION.finditer(sentence.text):
        if denied and match[0].lower() == "ni":  # it goes on with what `ne` began
            continue
        denied = True
        yield Remark(
            5, Level.WARNING, *match.span(), "La phrase dit ce qui n'est pas", "dites ce que l'on peut faire"
        )


def active(sentence: Sentence, _kind: Kind) -> Iterator[Remark]:
    """Rule 6."""
    for match in PASSIVE.finditer(sentence.text):
        participle = match["participle"].lower()
        base = re.sub(r"(?:es|e|s)$", "", participle) if not participle.endswith(("is", "us")) else participle
        if (
            PARTICIPLES.fullmatch(participle)
            and not STATES & {participle, base}
            and not REFLEXIVE.search(sentence.text[: match.start()] + match["before"])
        ):
            start = match.end("before")
            yield Remark(6, Level.WARNING, start, match.end(), "On ne sait pas qui agit",
                         "dites qui fait quoi, comme « la mairie donne »")  # fmt: skip


def present(sentence: Sentence, _kind: Kind) -> Iterator[Remark]:
    """Rule 7."""
    for match in SUBJUNCTIVE.finditer(sentence.text):
        yield Remark(7, Level.WARNING, *match.span(), "C'est un subjonctif", "faites une phrase au présent")
    for match in ANT.finditer(sentence.text):
        if match["word"].lower() not in NOT_PARTICIPLES and not match["word"][0].isupper():
            yield Remark(
                7,
                Level.WARNING,
                *match.span(),
                "C'est un participe présent",
                "dites-le avec « quand » ou « et »",
            )
    for match in FUTURE.finditer(sentence.text):
        if is_future(match["stem"].lower(), match["ending"].lower()):
            yield Remark(7, Level.WARNING, *match.span(), "Ce n'est pas le présent", "dites-le au présent")
    for match in PAST.finditer(sentence.text):
        yield Remark(7, Level.WARNING, *match.span(), "Ce n'est pas le présent", "dites-le au présent")


def is_future(stem: str, ending: str) -> bool:
    """True for a stem that is an infinitive: `verser-ez`, `finir-ait`, `prendr-a`; not `entr-ez`, not `opér-a`."""
    if stem in IRREGULAR_FUTURE:
        return True
    if stem.endswith("er"):
        return len(stem) > 4 and frequency(stem) > 0
    if stem.endswith("ir"):
        return len(stem) > 4 and frequency(stem) > 0 and (ending != "a" or stem != "désir")
    return stem.endswith(("dr", "ttr", "îtr", "uir", "vivr", "suivr")) and frequency(stem + "e") > 0


CLAUSES: tuple[Rule, ...] = (short, one_idea, plain_order, affirmative, active, present)
