"""From a message that is written to its translation in the memory: messages of 200 characters, each new.

Large models are no part of this source. Without any in `MODELS_FOLDER` the engine is a tiny one, so that the figure is
what everything around a model costs: the memory, the hiding, the sentences, two models in a row. With the models of a
département it is their figure too, and then the aim is worth something.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from statistics import quantiles

from sqlalchemy import Engine, select

from bench.installation import Installation
from bench.report import Measure
from casework import translated_words, translating
from casework.database import connect, transaction
from casework.requests import SendingKeys
from casework.settings import Settings, models_folder
from casework.translated_words import State, TranslatedWords
from casework.translators import ArgosTranslator, Translator, installed
from tests import tiny_models

MESSAGES = 20
LETTERS = 200
AIM_SECONDS = 1.5
WORDS = {
    "ar": (
        "أنا",
        "أحتاج",
        "مساعدة",
        "في",
        "دفع",
        "الإيجار",
        "ولدي",
        "طفلان",
        "وقد",
        "وصلتني",
        "رسالة",
        "البلدية",
    ),
    "fr": (
        "Je",
        "viens",
        "avec",
        "le",
        "dernier",
        "avis",
        "et",
        "une",
        "lettre",
        "de",
        "la",
        "mairie",
        "demain",
    ),
}


def measure(here: Installation) -> list[Measure]:
    """Arabic to French, and back: one after the other, the models loaded."""
    real = bool(installed(models_folder()))
    folder = models_folder() if real else _tiny(here.folder / "tiny-models")
    translator = ArgosTranslator(folder)
    engines = tuple(connect(url, pooled=False) for url in here.urls[1:])
    measures = []
    for source, target in (("ar", "fr"), ("fr", "ar")):
        if (source, target) not in translator.pairs():
            continue
        taken = [
            _seconds(engines, here.settings("worker"), translator, text, source, target)
            for text in _texts(source)
        ]
        known = _known(engines[0], here.settings("portal"), next(_texts(source)), source, target)
        against = (
            f"{LETTERS} letters, {'installed models' if real else 'tiny models, no real ones'}, one at a time"
        )
        p95 = quantiles(taken[2:], n=20)[-1]
        name = f"translation.{source}_{target}"
        measures += [
            Measure(f"{name}.p95", p95, "s", AIM_SECONDS if real else None, "lower", against),
            Measure(f"{name}.known", known, "s", None, "lower", "a page asks for one that is there"),
        ]
    return measures


def _seconds(
    engines: tuple[Engine, ...],
    settings: Settings,
    translator: Translator,
    text: str,
    source: str,
    target: str,
) -> float:
    """Asked for by the portal, made by the worker, read again by the back office."""
    portal, backoffice = engines
    keys = SendingKeys.of(settings)
    began, now = time.perf_counter(), datetime.now(UTC)
    with transaction(portal) as session:
        translated_words.shown(session, [(text, source)], target, keys, now)
    with transaction(backoffice) as session:
        waiting = session.scalars(
            select(TranslatedWords.id).where(TranslatedWords.state == State.WANTED)
        ).one()
    translating.translate_row(backoffice, settings, translator, waiting, now)
    with transaction(backoffice) as session:
        (found,) = translated_words.shown(session, [(text, source)], target, keys, now).values()
    if found.state is not State.DONE:
        raise AssertionError(f"{found.state}: a figure of what was not translated is worth nothing")
    return time.perf_counter() - began


def _known(portal: Engine, settings: Settings, text: str, source: str, target: str) -> float:
    keys = SendingKeys.of(settings)
    with transaction(portal) as session:
        translated_words.shown(session, [(text, source)], target, keys, datetime.now(UTC))
        began = time.perf_counter()
        translated_words.shown(session, [(text, source)], target, keys, datetime.now(UTC))
        return time.perf_counter() - began


def _texts(language: str) -> Iterator[str]:
    """Messages of three or four sentences, each of its own, with an hour and a telephone number."""
    chance = random.Random(language)
    for number in range(MESSAGES):
        text = f"{9 + number % 8}h{number:02d}, 05 49 00 00 {number:02d}. "
        while len(text) < LETTERS:
            text += " ".join(chance.choices(WORDS[language], k=9)).capitalize() + ". "
        yield f"{text[:LETTERS].rsplit('. ', 1)[0]}."


def _tiny(folder: Path) -> Path:
    """Arabic through English, French at once, that know a word or two."""
    for pair, phrases in tiny_models.ARABIC.items():
        tiny_models.install(folder, *pair, phrases)
    return folder
