"""Installing translation models: Argos packages from a folder or from an index, each checked before it is unpacked.

A package is code's cousin: what agents and people read of each other comes out of it. So each one is named with its
SHA-256 in the manifest of the models' folder; one that is not there, or is another file under a known name, is refused
unless told.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import shutil
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

import httpx

from casework.translators import PIVOT, Pair

FRENCH = "fr"
MANIFEST = "SHA256SUMS"
INDEX = "https://raw.githubusercontent.com/argosopentech/argospm-index/main/index.json"
"""Argos' own list of packages, unless `MODELS_INDEX` names another."""
LARGEST_BYTES = 2 * 1024**3
CHUNK_BYTES = 256 * 1024
SECONDS = 60.0

Progress = Callable[[str, int, int | None], None]
"""Told a package's name, the bytes that came, and how many there will be if that is known."""


class ModelError(Exception):
    """A package is missing, broken, or not the one that was trusted; the message is for who installs."""


@dataclass(frozen=True)
class Package:
    """A package that can be installed: `place` is a file or an address."""

    pair: Pair
    version: str
    place: str

    @property
    def name(self) -> str:
        """Its name in the manifest."""
        return f"{self.pair[0]}_{self.pair[1]}-{self.version}.argosmodel"


def in_folder(folder: Path) -> list[Package]:
    """The packages of a folder.

    Raises:
        ModelError: a file that ends as a package does is none.
    """
    found = []
    for file in sorted(folder.glob("*.argosmodel")):
        try:
            with zipfile.ZipFile(file) as archive:
                found.append(_package(json.loads(archive.read(_metadata(archive))), str(file)))
        except (zipfile.BadZipFile, ValueError, KeyError) as error:
            raise ModelError(f"{file} is no Argos package.") from error
    return found


def in_index(address: str) -> list[Package]:
    """The packages that an index lists.

    Raises:
        ModelError: it cannot be read, or is no index of packages.
    """
    try:
        answer = httpx.get(address, timeout=SECONDS, follow_redirects=True)
        answer.raise_for_status()
        listed: list[Mapping[str, Any]] = answer.json()
        return [
            _package(one, next(link for link in one["links"] if link.startswith(("https://", "http://"))))
            for one in listed
            if one.get("type", "translate") == "translate" and one.get("links")
        ]
    except (httpx.HTTPError, ValueError, KeyError, StopIteration, TypeError) as error:
        raise ModelError(f"The index {address} cannot be read: {type(error).__name__}.") from error


def needed(offered: Iterable[Package], languages: Iterable[str]) -> tuple[list[Package], list[Pair]]:
    """What makes each language go to French and back, and the pairs that nothing makes.

    A model from one language to the other is taken before two through English; of two versions, the higher.
    """
    best: dict[Pair, Package] = {}
    for package in sorted(offered, key=lambda one: _ordered(one.version)):
        best[package.pair] = package
    chosen: dict[Pair, Package] = {}
    missing = []
    for language in languages:
        for pair in ((language, FRENCH), (FRENCH, language)):
            steps = [pair] if pair in best or PIVOT in pair else [(pair[0], PIVOT), (PIVOT, pair[1])]
            if all(step in best for step in steps):
                chosen |= {step: best[step] for step in steps}
            else:
                missing.append(pair)
    return list(chosen.values()), missing


def install(models: Path, package: Package, progress: Progress, *, trust: bool = False) -> str:
    """Fetch a package, check it, unpack it in the place of the one of the same pair; returns its SHA-256.

    `trust`: take one that the manifest does not know yet, and write it down there.

    Raises:
        ModelError: it cannot be fetched, is not in the manifest, is another file than there, or is no package.
    """
    models.mkdir(parents=True, exist_ok=True)
    trusted = manifest(models)
    with TemporaryDirectory(dir=models, prefix=".coming-") as name:
        file = Path(name) / "package"
        digest = _fetch(package, file, progress)
        known = trusted.get(package.name)
        if known is None and not trust:
            raise ModelError(
                f"{package.name} is not in {models / MANIFEST}. Its SHA-256 is {digest}. Compare it with a source "
                "you trust and add the line, or say --trust."
            )
        if known not in {None, digest}:
            raise ModelError(f"{package.name} is not the file that {models / MANIFEST} knows: {digest}.")
        unpacked = Path(name) / "unpacked"
        _unpack(file, unpacked)
        place = models / "_".join(package.pair)
        if place.exists():
            place.rename(Path(name) / "before")
        unpacked.rename(place)
    _write_manifest(models, trusted | {package.name: digest})
    return digest


def manifest(models: Path) -> dict[str, str]:
    """Name → SHA-256, as `sha256sum` writes them."""
    file = models / MANIFEST
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    return {name.lstrip("*"): digest for digest, _, name in (line.partition("  ") for line in lines if line)}


def _write_manifest(models: Path, known: Mapping[str, str]) -> None:
    fresh = models / f".{MANIFEST}"
    fresh.write_text(
        "".join(f"{digest}  {name}\n" for name, digest in sorted(known.items())), encoding="utf-8"
    )
    fresh.replace(models / MANIFEST)


def _package(said: Mapping[str, Any], place: str) -> Package:
    pair = (str(said["from_code"]), str(said["to_code"]))
    version = str(said.get("package_version", "0"))
    if not all(re.fullmatch(r"[a-z]{2,3}", code) for code in pair) or not re.fullmatch(r"[\w.-]+", version):
        raise ValueError(pair)
    return Package(pair, version, place)


def _ordered(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)]


def _fetch(package: Package, file: Path, progress: Progress) -> str:
    """Copy a package to a file; its SHA-256."""
    digest, came = hashlib.sha256(), 0
    with _opened(package) as (chunks, size), file.open("wb") as kept:
        for chunk in chunks:
            came += len(chunk)
            if came > LARGEST_BYTES:
                raise ModelError(f"{package.name} is too large.")
            digest.update(chunk)
            kept.write(chunk)
            progress(package.name, came, size)
    return digest.hexdigest()


@contextmanager
def _opened(package: Package) -> Iterator[tuple[Iterator[bytes], int | None]]:
    """The bytes of a package, and how many they are if that is known."""
    if urlsplit(package.place).scheme not in {"http", "https"}:
        with Path(package.place).open("rb") as file:
            yield iter(lambda: file.read(CHUNK_BYTES), b""), Path(package.place).stat().st_size
        return
    try:
        with httpx.stream("GET", package.place, timeout=SECONDS, follow_redirects=True) as answer:
            answer.raise_for_status()
            size = answer.headers.get("Content-Length", "")
            yield answer.iter_bytes(CHUNK_BYTES), int(size) if size.isdigit() else None
    except httpx.HTTPError as error:
        raise ModelError(f"{package.name} cannot be fetched: {type(error).__name__}.") from error


def _metadata(archive: zipfile.ZipFile) -> str:
    return next(name for name in archive.namelist() if PurePosixPath(name).name == "metadata.json")


def _unpack(file: Path, folder: Path) -> None:
    """The one folder of a package, without ever writing outside `folder`."""
    try:
        with zipfile.ZipFile(file) as archive:
            root = PurePosixPath(_metadata(archive)).parent
            for entry in archive.infolist():
                path = PurePosixPath(entry.filename)
                if entry.is_dir():
                    continue
                if path.is_absolute() or ".." in path.parts or not path.is_relative_to(root):
                    raise ModelError(f"{entry.filename} is no file of a package.")
                place = folder / path.relative_to(root)
                place.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(entry) as packed, place.open("wb") as kept:
                    shutil.copyfileobj(packed, kept)
    except (zipfile.BadZipFile, StopIteration, io.UnsupportedOperation) as error:
        raise ModelError("This file is no Argos package.") from error
