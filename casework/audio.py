"""Words said aloud ahead of time, for people whose device has no voice of their language.

A `Speech` is a few sentences. Each becomes two small files, Opus and MP3, named by a digest of its words and of the
voice that says them: changed words make a fresh file, and a file nobody needs any more is removed. The voice is
espeak-ng's, or Piper's when the folder of its models has one for the language (docs/audio.md).
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Protocol

from casework.vocabulary import LANGUAGES

KINDS = {"opus": "audio/ogg; codecs=opus", "mp3": "audio/mpeg"}
"""Ends of names and what they are; browsers too old for the first take the second."""
HEAVIEST_BYTES = 100_000
"""What one tap on a slow telephone may load."""
OPUS_RATES = ("8", "6")
MP3_RATES = ("16", "8")
"""Thousands of bits a second. The second rate sounds poorer and is for words too long at the first."""
NAME = re.compile(r"[0-9a-f]{20}-[0-9a-f]{8}")
ESPEAK_LANGUAGES = frozenset({"fr", "ar", "en", "fa", "uk", "ru", "tr", "bn", "es", "ro"})
"""Those of the service that espeak-ng speaks: all but Pashto."""
ESPEAK_PACE = {"fr": "145", "ar": "190", "fa": "175", "tr": "180", "bn": "170", "ro": "175"}
"""Its words a minute, where they differ: it counts words of English length, and hurries in French."""
USUAL_PACE = "160"
_UNSAID = re.compile(r"[\u200e\u200f\u202a-\u202e\u2066-\u2069*_]|^\s*[-•]\s+", re.MULTILINE)
_LINK = re.compile(r"\[([^\]]+)\]\([^)]+\)")
_THOUSANDS = re.compile(r"(?<=\d)[\u00a0\u202f](?=\d{3})")
_ENDED = re.compile(r"[.!?:;…؟۔।]$")


class AudioError(Exception):
    """Audio could not be made; the message says of what, and why."""


@dataclass(frozen=True)
class Speech:
    """What is said in one go. `sentences`: plain words, one idea each."""

    language: str
    sentences: tuple[str, ...]

    @cached_property
    def digest(self) -> str:
        """Twenty letters that change with its words."""
        words = "\n".join([self.language, *self.sentences])
        return hashlib.sha256(words.encode()).hexdigest()[:20]


class Voice(Protocol):
    """A program that says words of one language."""

    @property
    def mark(self) -> str:
        """Eight letters that change when it would sound otherwise."""

    def say(self, sentences: tuple[str, ...], wav: Path) -> None:
        """Write them, said, to a WAV file."""


def sentences_of(markdown: str) -> tuple[str, ...]:
    """The lines of a text as a voice should say them: without marks, links by their words, numbers in one piece."""
    plain = _THOUSANDS.sub("", _UNSAID.sub("", _LINK.sub(r"\1", markdown)))
    lines = (" ".join(line.split()) for line in plain.splitlines())
    return tuple(line if _ENDED.search(line) else f"{line}." for line in lines if line)


@dataclass(frozen=True)
class Espeak:
    """Debian's espeak-ng: a voice of a machine, in many languages."""

    language: str

    @property
    def _pace(self) -> str:
        return ESPEAK_PACE.get(self.language, USUAL_PACE)

    @property
    def mark(self) -> str:
        """Its pace is all one may hear of a change here."""
        return _eight(f"espeak-ng {self._pace}".encode())

    def say(self, sentences: tuple[str, ...], wav: Path) -> None:
        """A line each: it breathes between lines."""
        _run("espeak-ng", "-v", self.language, "-s", self._pace, "-w", str(wav), words="\n".join(sentences))


@dataclass(frozen=True)
class Piper:
    """A natural voice: a model file, `<language>.onnx`, with its `.onnx.json` beside it."""

    model: Path

    @cached_property
    def mark(self) -> str:
        """Another model, another voice."""
        return _eight(self.model.read_bytes())

    def say(self, sentences: tuple[str, ...], wav: Path) -> None:
        """On one line: its older versions keep only the last line they are given."""
        _run(
            "piper", "--model", str(self.model), "--output_file", str(wav), "--sentence_silence", "0.4",
            words=" ".join(sentences) + "\n",
        )  # fmt: skip


def voices(piper_models: Path | None = None) -> dict[str, Voice]:
    """Who speaks each language: Piper where there is a model, else espeak-ng.

    Raises:
        AudioError: the folder of models is not there, or a model has no language's name or lacks its description.
    """
    speaking: dict[str, Voice] = {language: Espeak(language) for language in ESPEAK_LANGUAGES}
    if piper_models is None:
        return speaking
    if not piper_models.is_dir():
        raise AudioError(f"PIPER_VOICES: {piper_models} is no folder.")
    for model in sorted(piper_models.glob("*.onnx")):
        if model.stem not in LANGUAGES:
            raise AudioError(f"PIPER_VOICES: {model.name} should be named after a language, such as fr.onnx.")
        if not Path(f"{model}.json").is_file():
            raise AudioError(f"PIPER_VOICES: {model.name}.json should stand beside {model.name}.")
        speaking[model.stem] = Piper(model)
    return speaking


@dataclass
class Shelf:
    """The folder of what was made. One look at its date tells whether something came or went."""

    folder: Path
    _seen: int = field(default=-1, init=False)
    _names: Mapping[str, str] = field(default_factory=dict, init=False)

    def name_of(self, speech: Speech) -> str | None:
        """The name of a speech's files, without their ends; None when they are not made."""
        return self._present().get(speech.digest)

    def file(self, name: str, kind: str) -> Path | None:
        """A file by its name; None when there is none such."""
        words, _, _ = name.partition("-")
        if kind not in KINDS or self._present().get(words) != name:
            return None
        return self.folder / f"{name}.{kind}"

    def _present(self) -> Mapping[str, str]:
        try:
            changed = self.folder.stat().st_mtime_ns
        except FileNotFoundError:
            return {}
        if changed != self._seen:
            self._names = {name.split("-")[0]: name for name in complete(self.folder)}
            self._seen = changed
        return self._names


def complete(folder: Path) -> set[str]:
    """The names of which every kind is there."""
    found = [{path.stem for path in folder.glob(f"*.{kind}") if NAME.fullmatch(path.stem)} for kind in KINDS]
    return set.intersection(*found)


@dataclass(frozen=True)
class Made:
    """What a run did, in speeches; `bytes`: of all the files there are now, by kind."""

    made: int
    kept: int
    removed: int
    bytes: Mapping[str, int]


def make(
    speeches: Iterable[Speech],
    folder: Path,
    speaking: Mapping[str, Voice],
    tell: Callable[[int, int], object],
) -> Made:
    """Make the files that are missing, remove those that nobody needs. `tell`: how many are done, of how many.

    Files take their name when they are whole: whoever stops this run leaves no half file.

    Raises:
        AudioError: a program is not installed or fails, a file would be too heavy, or another run is under way.
    """
    _require("opusenc", "lame")
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder), tempfile.TemporaryDirectory(prefix=".making-", dir=folder) as apart:
        wanted = {
            f"{speech.digest}-{voice.mark}": (speech, voice)
            for speech in speeches
            if (voice := speaking.get(speech.language))
        }
        there = complete(folder)
        missing = {name: said for name, said in wanted.items() if name not in there}
        _make_all(missing, folder, Path(apart), tell)
        removed = _tidy(folder, Path(apart), wanted)
    weights = {kind: sum(path.stat().st_size for path in folder.glob(f"*.{kind}")) for kind in KINDS}
    return Made(len(missing), len(wanted) - len(missing), removed, weights)


def _make_all(
    missing: Mapping[str, tuple[Speech, Voice]], folder: Path, apart: Path, tell: Callable[[int, int], object]
) -> None:
    """As many at once as there are cores; the first failure stops the rest."""
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as cores:
        waiting = {
            cores.submit(_make_one, name, speech, voice, folder, apart)
            for name, (speech, voice) in missing.items()
        }
        count = len(waiting)
        try:
            while waiting:
                done, waiting = wait(waiting, timeout=2, return_when=FIRST_EXCEPTION)
                for one in done:
                    one.result()
                tell(count - len(waiting), count)
        except BaseException:
            cores.shutdown(wait=False, cancel_futures=True)
            raise


def _make_one(name: str, speech: Speech, voice: Voice, folder: Path, apart: Path) -> None:
    wav = apart / f"{name}.wav"
    try:
        voice.say(speech.sentences, wav)
        for kind, encode, rates in (("opus", _opus, OPUS_RATES), ("mp3", _mp3, MP3_RATES)):
            encoded = apart / f"{name}.{kind}"
            for rate in rates:
                encode(wav, encoded, rate)
                if encoded.stat().st_size <= HEAVIEST_BYTES:
                    break
            else:
                raise AudioError(
                    f"{encoded.stat().st_size:,} bytes as {kind}, {HEAVIEST_BYTES:,} at most: cut this part in two."
                )
        for kind in KINDS:
            (apart / f"{name}.{kind}").replace(folder / f"{name}.{kind}")
    except AudioError as error:
        raise AudioError(f"{speech.language}, “{speech.sentences[0]}”: {error}") from error
    finally:
        wav.unlink(missing_ok=True)


def _opus(wav: Path, encoded: Path, rate: str) -> None:
    """Long frames and no tags: at so few bits each byte of wrapping counts."""
    _run(
        "opusenc", "--quiet", "--speech", "--bitrate", rate, "--framesize", "60", "--comp", "5",
        "--serial", "1", "--padding", "0", "--discard-comments", str(wav), str(encoded),
    )  # fmt: skip


def _mp3(wav: Path, encoded: Path, rate: str) -> None:
    sampled = "16" if int(rate) > 8 else "8"
    _run(
        "lame", "--quiet", "-m", "m", "--resample", sampled, "--cbr", "-b", rate, "-t", str(wav), str(encoded)
    )


def _tidy(folder: Path, apart: Path, wanted: Mapping[str, object]) -> int:
    """Remove what nobody needs, and what a run that was killed left apart; how many speeches went."""
    gone = complete(folder) - wanted.keys()
    for path in folder.iterdir():
        if path.name.startswith(".making-") and path != apart:
            shutil.rmtree(path, ignore_errors=True)
        elif path.stem not in wanted and path.suffix.removeprefix(".") in KINDS:
            path.unlink()
    return len(gone)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Two runs at once would remove each other's files."""
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AudioError("Another run is making audio already.") from error
        yield


def _require(*programs: str) -> None:
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        raise AudioError(
            f"Not installed: {', '.join(missing)}. `tools/install audio` installs what is needed."
        )


def _run(*command: str, words: str | None = None) -> None:
    try:
        subprocess.run(  # noqa: S603 - our own programs, words through standard input
            command, input=None if words is None else words.encode(), check=True, capture_output=True
        )
    except FileNotFoundError as error:
        raise AudioError(f"{command[0]} is not installed.") from error
    except subprocess.CalledProcessError as error:
        told = error.stderr.decode(errors="replace").strip().splitlines()
        raise AudioError(f"{command[0]} failed: {told[-1] if told else error.returncode}") from error


def _eight(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:8]
