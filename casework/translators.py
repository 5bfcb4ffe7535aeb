"""The engines that translate: Argos models in this process, a LibreTranslate server, or none.

The worker alone imports this module: models weigh hundreds of megabytes, and the processes that answer people must stay
light. A test holds both faces to it.
"""

from __future__ import annotations

import importlib.util
import json
import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import Any, Protocol

import httpx

from casework import sentences
from casework.settings import Settings, SettingsError

logger = logging.getLogger(__name__)

PIVOT = "en"
"""Where there is no model from one language to the other, two are chained through this one."""
MOST_LOADED = 6
"""Models kept in memory at a time, some 150 to 300 MB each; the one used least lately makes room."""
SECONDS = 15.0
THREADS = "ARGOS_INTRA_THREADS"
"""Argos reads it when it is imported. By itself it takes four threads, on machines of two cores too."""

Pair = tuple[str, str]
"""A source language and a target language."""


class NoPairError(Exception):
    """This engine does not translate from that language to the other; trying again is of no use for now."""


class EngineDownError(Exception):
    """The engine does not answer, or broke; worth trying again."""


class Translator(Protocol):
    """What the worker needs of an engine. Safe to call from several threads."""

    @property
    def name(self) -> str:
        """Which engine, as the memory of translations keeps it."""

    @property
    def version(self) -> str:
        """Which version of it, and of its models when that can be told."""

    def pairs(self) -> frozenset[Pair]:
        """What it can translate, pivots included.

        Raises:
            EngineDownError: it does not say.
        """

    def translate(self, text: str, source: str, target: str) -> str:
        """A text in the other language.

        Raises:
            NoPairError: it does not know that pair.
            EngineDownError: it does not answer, or broke.
        """


class NoEngine:
    """No engine: every text stays as it was written, and pages say so."""

    name = "none"
    version = ""

    def pairs(self) -> frozenset[Pair]:
        """Nothing."""
        return frozenset()

    def translate(self, text: str, source: str, target: str) -> str:  # noqa: ARG002 - an engine like the others
        """Nothing.

        Raises:
            NoPairError: always.
        """
        raise NoPairError(f"{source} → {target}")


@dataclass(frozen=True)
class Model:
    """An installed Argos package."""

    folder: Path
    pair: Pair
    version: str


class OwnSentences:
    """Our own cut into sentences, in the place of the one whose model Argos would download at its first use."""

    def split_sentences(self, text: str) -> list[str]:
        """The sentences, without the white space between them."""
        return [sentence.strip() for sentence in sentences.split(text) if sentence.strip()]


class ArgosTranslator:
    """Argos models, read from a folder; each is loaded when it is first used and stays in memory."""

    name = "argos"

    def __init__(self, folder: Path) -> None:
        self._models = {model.pair: model for model in installed(folder)}
        self._loaded: dict[Pair, Any] = {}
        self._alone = Lock()
        self.version = " ".join(
            sorted(f"{'-'.join(pair)} {model.version}" for pair, model in self._models.items())
        )

    def pairs(self) -> frozenset[Pair]:
        """The models' own pairs, and those that two of them make through English."""
        own = set(self._models)
        into = {source for source, target in own if target == PIVOT}
        out = {target for source, target in own if source == PIVOT}
        return frozenset(own | {(source, target) for source in into for target in out if source != target})

    def translate(self, text: str, source: str, target: str) -> str:
        """A text in the other language, one at a time: an engine takes all the processor's cores by itself.

        Raises:
            NoPairError: neither a model nor two through English.
            EngineDownError: a model cannot be loaded, or broke.
        """
        if (source, target) in self._models:
            steps = [(source, target)]
        elif (source, target) in self.pairs():
            steps = [(source, PIVOT), (PIVOT, target)]
        else:
            raise NoPairError(f"{source} → {target}")
        with self._alone:
            for step in steps:
                try:
                    text = self._engine(step).hypotheses(text, num_hypotheses=1)[0].value
                except Exception as error:
                    self._loaded.pop(step, None)
                    raise EngineDownError(f"{'-'.join(step)}: {error}") from error
        return text

    def _engine(self, pair: Pair) -> Any:
        """The model of a pair, loaded; it becomes the one used last."""
        engine = self._loaded.pop(pair, None) or _load(self._models[pair])
        while len(self._loaded) >= MOST_LOADED:
            self._loaded.pop(next(iter(self._loaded)))
        self._loaded[pair] = engine
        return engine


class LibreTranslate:
    """A LibreTranslate server (`POST /translate`, `GET /languages`), the département's own."""

    name = "libretranslate"

    def __init__(self, url: str, key: str = "", *, seconds: float = SECONDS) -> None:
        self._key = key
        self._client = httpx.Client(
            base_url=url.rstrip("/"), timeout=seconds, headers={"User-Agent": "Allervers"}
        )

    @property
    def version(self) -> str:
        """Unknown: the server does not say which models it has."""
        return ""

    def pairs(self) -> frozenset[Pair]:
        """What the server says.

        Raises:
            EngineDownError: it does not answer, or not as LibreTranslate does.
        """
        try:
            said = self._answer(self._client.get("/languages"))
            return frozenset(
                (language["code"], target)
                for language in said
                for target in language["targets"]
                if target != language["code"]
            )
        except (httpx.HTTPError, KeyError, TypeError) as error:
            raise EngineDownError(type(error).__name__) from error

    def translate(self, text: str, source: str, target: str) -> str:
        """A text in the other language.

        Raises:
            NoPairError: the server does not know that pair.
            EngineDownError: it does not answer, refuses the key, or breaks.
        """
        asked = {"q": text, "source": source, "target": target, "format": "text"}
        if self._key:
            asked["api_key"] = self._key
        try:
            answer = self._client.post("/translate", json=asked)
            if answer.status_code == httpx.codes.BAD_REQUEST:
                raise NoPairError(f"{source} → {target}")
            return str(self._answer(answer)["translatedText"])
        except (httpx.HTTPError, KeyError, TypeError) as error:
            raise EngineDownError(type(error).__name__) from error

    @staticmethod
    def _answer(answer: httpx.Response) -> Any:
        if not answer.is_success:
            raise EngineDownError(f"status {answer.status_code}")
        try:
            return answer.json()
        except ValueError as error:
            raise EngineDownError("no JSON") from error


def translator_of(settings: Settings) -> Translator:
    """The engine that the settings name: the server if there is one, else the models, else none.

    Raises:
        SettingsError: `LIBRETRANSLATE_URL` is no address.
    """
    if settings.libretranslate_url:
        if not settings.libretranslate_url.startswith(("http://", "https://")):
            raise SettingsError("LIBRETRANSLATE_URL should begin with https:// or http://.")
        return LibreTranslate(settings.libretranslate_url, settings.libretranslate_key)
    if settings.models_folder is None or not installed(settings.models_folder):
        return NoEngine()
    if importlib.util.find_spec("argostranslate") is None:
        logger.warning("translation: there are models, but no argostranslate: make translation-models")
        return NoEngine()
    return ArgosTranslator(settings.models_folder)


def installed(folder: Path) -> list[Model]:
    """The Argos packages of a folder; of two of the same pair, the last by name."""
    found = []
    for metadata in sorted(folder.glob("*/metadata.json")):
        try:
            said: Mapping[str, Any] = json.loads(metadata.read_text(encoding="utf-8"))
            if (metadata.parent / "model").is_dir():
                pair = (str(said["from_code"]), str(said["to_code"]))
                found.append(Model(metadata.parent, pair, str(said.get("package_version", ""))))
        except (ValueError, KeyError, OSError):
            logger.warning("translation: %s is no Argos package", metadata.parent)
    return found


def _load(model: Model) -> Any:
    """An Argos engine that cuts sentences as we do."""
    with _elsewhere():
        from argostranslate.package import Package  # noqa: PLC0415 - heavy, and only here
        from argostranslate.translate import Language, PackageTranslation  # noqa: PLC0415

    source, target = model.pair
    engine = PackageTranslation(Language(source, source), Language(target, target), Package(model.folder))
    engine.sentencizer = OwnSentences()
    return engine


@contextmanager
def _elsewhere() -> Iterator[None]:
    """Argos makes folders in one's home when it is imported, which a service has not: in a folder that goes away."""
    homes = ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME")
    kept = {name: os.environ.get(name) for name in (*homes, THREADS)}
    with TemporaryDirectory() as home:
        try:
            os.environ.update(dict.fromkeys(homes, home) | {THREADS: str(min(os.cpu_count() or 1, 4))})
            yield
        finally:
            for name, value in kept.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value
