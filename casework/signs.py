"""Rights pages in French sign language: one video a page, never without its captions, its words and its picture.

`content/signs/<slug>/` holds `video.mp4` or `video.webm`, `captions.vtt`, `transcript.txt`, and `poster` as jpg, png or
webp. What is wrong is said with its file and line, as for the pages themselves (docs/audio.md).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

VIDEOS = {"video.mp4": "video/mp4", "video.webm": "video/webm"}
POSTERS = {"poster.jpg": "image/jpeg", "poster.png": "image/png", "poster.webp": "image/webp"}
CAPTIONS = "captions.vtt"
TRANSCRIPT = "transcript.txt"
KINDS = {**VIDEOS, **POSTERS, CAPTIONS: "text/vtt"}
"""The files a browser may ask for, and what they are."""
HEAVIEST = {"video": 25_000_000, "poster": 60_000}
"""Bytes: two minutes of a person signing at a telephone's size; a picture."""
_BEGINNINGS = {
    "video.mp4": re.compile(rb".{4}ftyp", re.DOTALL),
    "video.webm": re.compile(rb"\x1a\x45\xdf\xa3"),
    "poster.jpg": re.compile(rb"\xff\xd8\xff"),
    "poster.png": re.compile(rb"\x89PNG\r\n"),
    "poster.webp": re.compile(rb"RIFF.{4}WEBP", re.DOTALL),
}
_MOMENT = r"(?:(\d{2,}):)?([0-5]\d):([0-5]\d\.\d{3})"
_TIMES = re.compile(rf"{_MOMENT}[ \t]+-->[ \t]+{_MOMENT}(?:[ \t].*)?")


@dataclass(frozen=True)
class SignVideo:
    """The video of a page. `video`, `poster`: names of files in `folder`; `transcript`: its words, by paragraph."""

    folder: Path
    video: str
    poster: str
    transcript: tuple[str, ...]
    digest: str
    """Twelve letters that change when any of its files does."""


def read_signs(folder: Path, slugs: Collection[str], said: str, problems: list[str]) -> dict[str, SignVideo]:
    """The videos of a folder by page; none is fine. `said`: the folder as an editor of pages knows it."""
    found = {}
    for home in sorted(path for path in folder.glob("*") if path.is_dir()):
        wrong = list(_wrong(home, f"{said}/{home.name}", slugs))
        problems += wrong
        if not wrong:
            found[home.name] = _read(home)
    return found


def _read(home: Path) -> SignVideo:
    names = sorted(path.name for path in home.iterdir())
    total = hashlib.sha256()
    for name in names:
        total.update(name.encode() + b"\0" + (home / name).read_bytes())
    words = (home / TRANSCRIPT).read_text(encoding="utf-8")
    return SignVideo(
        home,
        next(name for name in VIDEOS if name in names),
        next(name for name in POSTERS if name in names),
        tuple(paragraph.strip() for paragraph in re.split(r"\n\s*\n", words) if paragraph.strip()),
        total.hexdigest()[:12],
    )


def _wrong(home: Path, said: str, slugs: Collection[str]) -> Iterator[str]:
    if home.name not in slugs:
        yield f"{said}: no page “{home.name}” to go with."
    names = {path.name for path in home.iterdir()}
    for name in sorted(names - KINDS.keys() - {TRANSCRIPT}):
        yield f"{said}/{name}: not one of {', '.join([*KINDS, TRANSCRIPT])}."
    for kind, allowed in (("video", VIDEOS), ("poster", POSTERS)):
        there = sorted(names & allowed.keys())
        if len(there) != 1:
            yield f"{said}: one {kind} should be here, as {' or '.join(allowed)}."
        for name in there:
            yield from _wrong_file(home / name, f"{said}/{name}", HEAVIEST[kind])
    for name, check in ((CAPTIONS, _wrong_captions), (TRANSCRIPT, _wrong_transcript)):
        if name not in names:
            yield f"{said}: {name} is missing: a video never goes without it."
            continue
        try:
            yield from check((home / name).read_text(encoding="utf-8-sig"), f"{said}/{name}")
        except UnicodeDecodeError:
            yield f"{said}/{name}:1: should be saved as UTF-8."


def _wrong_file(path: Path, said: str, heaviest: int) -> Iterator[str]:
    if (weight := path.stat().st_size) > heaviest:
        yield f"{said}: {weight:,} bytes, {heaviest:,} at most."
    with path.open("rb") as file:
        if not _BEGINNINGS[path.name].match(file.read(16)):
            yield f"{said}: not what its name says."


def _wrong_captions(text: str, said: str) -> Iterator[str]:
    """Captions that a browser would drop without a word."""
    lines = text.splitlines()
    if not lines or lines[0].split(maxsplit=1)[:1] != ["WEBVTT"]:
        yield f"{said}:1: should begin with WEBVTT."
        return
    last, shown = 0.0, 0
    for number, line in enumerate(lines, start=1):
        if "-->" not in line:
            continue
        shown += 1
        times = _TIMES.fullmatch(line.strip())
        if times is None:
            yield f"{said}:{number}: times should read 00:01.000 --> 00:04.000."
            continue
        begin, end = _seconds(*times.groups()[:3]), _seconds(*times.groups()[3:])
        if not last <= begin < end:
            yield f"{said}:{number}: should begin after the caption before, and end after it begins."
        last = begin
        if number == len(lines) or not lines[number].strip():
            yield f"{said}:{number}: no words under these times."
    if not shown:
        yield f"{said}:1: no caption."


def _wrong_transcript(text: str, said: str) -> Iterator[str]:
    if not text.strip():
        yield f"{said}:1: the words of the video should be here."


def _seconds(hours: str | None, minutes: str, seconds: str) -> float:
    return int(hours or 0) * 3600 + int(minutes) * 60 + float(seconds)
