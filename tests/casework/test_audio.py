"""Words become small files that play: by real voices and real encoders; Piper's program is a stand-in that takes the
same orders."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from casework import audio
from casework.audio import AudioError, Espeak, Made, Shelf, Speech, sentences_of
from casework.rights import Part, load_library
from casework.settings import ROOT

pytestmark = pytest.mark.long

PIPER = f"""#!{sys.executable}
import argparse, pathlib, sys, time, wave
orders = argparse.ArgumentParser()
orders.add_argument("--model", required=True, type=pathlib.Path)
orders.add_argument("--output_file", required=True)
orders.add_argument("--sentence_silence", type=float, default=0.2)
given = orders.parse_args()
assert pathlib.Path(str(given.model) + ".json").exists()
lines = sys.stdin.read().splitlines()
assert len(lines) == 1, "older versions keep the last line alone"
if given.model.read_text() == "slow":
    given.model.with_name("started").touch()
    time.sleep(60)
with wave.open(given.output_file, "wb") as out:
    out.setnchannels(1)
    out.setsampwidth(2)
    out.setframerate(16000)
    for sentence in lines[0].split(". "):
        out.writeframes(bytes(2 * int(16000 * (given.sentence_silence + len(sentence) / 15))))
"""
RENT = Speech("fr", ("Vous ne payez plus votre loyer.", "Nous vous aidons."))
BREAD = Speech("fr", ("Vous avez faim.", "Appelez-nous."))


def make(folder: Path, *speeches: Speech, models: Path | None = None) -> Made:
    return audio.make(speeches, folder, audio.voices(models), lambda _done, _of: None)


def files(folder: Path) -> dict[str, int]:
    """What is in the folder, and when it was last written."""
    return {path.name: path.stat().st_mtime_ns for path in folder.iterdir() if path.name != ".lock"}


def seconds(path: Path, apart: Path) -> float:
    """How long a file plays, as its kind's own decoder finds."""
    wav = apart / f"{path.name}.wav"
    decode = ["opusdec", "--quiet"] if path.suffix == ".opus" else ["lame", "--quiet", "--decode"]
    subprocess.run([*decode, path, wav], check=True, capture_output=True)
    with wave.open(str(wav)) as sound:
        length: float = sound.getnframes() / sound.getframerate()
        return length


@pytest.mark.parametrize("language", ["fr", "ar"])
def test_a_page_becomes_two_files_that_play_and_weigh_little(tmp_path: Path, language: str) -> None:
    page = load_library().pages["rsa"][language]
    speech = Speech(language, sentences_of(page.parts[Part.WHAT]))
    made = make(tmp_path / "audio", speech)
    assert made.made == 1
    name = Shelf(tmp_path / "audio").name_of(speech)
    letters = sum(map(len, speech.sentences))
    lengths = []
    for kind in audio.KINDS:
        path = tmp_path / "audio" / f"{name}.{kind}"
        assert 1_000 < path.stat().st_size <= audio.HEAVIEST_BYTES
        lengths.append(seconds(path, tmp_path))
        assert letters / 22 < lengths[-1] < letters / 6, "as fast as one speaks"
    assert lengths[0] == pytest.approx(lengths[1], abs=0.5)
    head = (tmp_path / "audio" / f"{name}.opus").read_bytes()[:40]
    assert head.startswith(b"OggS")
    assert head[28:36] == b"OpusHead"
    assert head[37] == 1, "one channel"


def test_every_language_but_pashto_has_a_voice() -> None:
    listed = subprocess.run(["espeak-ng", "--voices"], check=True, capture_output=True, text=True).stdout
    spoken = {line.split()[1].split("-")[0] for line in listed.splitlines()[1:]}
    assert spoken >= audio.ESPEAK_LANGUAGES
    assert "ps" not in spoken


def test_a_second_run_does_nothing_and_changed_words_make_a_fresh_file(tmp_path: Path) -> None:
    assert (make(tmp_path, RENT).made, len(files(tmp_path))) == (1, 2)
    before = files(tmp_path)
    again = make(tmp_path, RENT)
    assert (again.made, again.kept, again.removed, files(tmp_path)) == (0, 1, 0, before)
    shelf = Shelf(tmp_path)
    assert shelf.name_of(RENT)
    changed = make(tmp_path, Speech("fr", ("Vous ne payez plus.", "Nous vous aidons.")))
    assert (changed.made, changed.removed) == (1, 1)
    assert not files(tmp_path).keys() & before.keys()
    assert shelf.name_of(RENT) is None, "the shelf sees it at once"


def test_a_natural_voice_says_its_language_and_another_one_says_it_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = piper_here(tmp_path, monkeypatch, "a voice of France")
    folder = tmp_path / "audio"
    arabic = Speech("ar", ("نحن نساعدكم.",))
    make(folder, RENT, arabic, models=models)
    name = Shelf(folder).name_of(RENT)
    by_espeak = audio.voices()["fr"].mark
    assert name
    assert not name.endswith(by_espeak)
    expected = sum(0.4 + len(sentence) / 15 for sentence in RENT.sentences)
    assert seconds(folder / f"{name}.opus", tmp_path) == pytest.approx(expected, abs=0.4)
    assert (Shelf(folder).name_of(arabic) or "").endswith(Espeak("ar").mark)
    (models / "fr.onnx").write_text("another voice")
    assert make(folder, RENT, arabic, models=models).made == 1
    assert Shelf(folder).name_of(RENT) != name


def test_a_voice_without_its_description_is_told(tmp_path: Path) -> None:
    (tmp_path / "fr.onnx").touch()
    with pytest.raises(AudioError, match=r"fr\.onnx\.json should stand beside"):
        audio.voices(tmp_path)
    (tmp_path / "fr.onnx").rename(tmp_path / "fr_FR-upmc-medium.onnx")
    with pytest.raises(AudioError, match=r"fr_FR-upmc-medium\.onnx should be named after a language"):
        audio.voices(tmp_path)
    with pytest.raises(AudioError, match="is no folder"):
        audio.voices(tmp_path / "nowhere")


def test_words_too_long_for_one_tap_are_told_and_nothing_half_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = piper_here(tmp_path, monkeypatch, "a voice of France")
    long = Speech("fr", ("Une phrase beaucoup trop longue. " * 60,))
    with pytest.raises(
        AudioError, match=r"fr, “Une phrase.*bytes as mp3, 100,000 at most: cut this part in two"
    ):
        make(tmp_path / "audio", long, models=models)
    assert files(tmp_path / "audio") == {}


def test_whoever_stops_it_leaves_no_half_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    models = piper_here(tmp_path, monkeypatch, "slow")
    folder = tmp_path / "audio"
    with another_run(folder, models) as run:
        wait_for(models / "started")
        with pytest.raises(AudioError, match="Another run"):
            make(folder, BREAD)
        os.killpg(run.pid, signal.SIGKILL)
    assert Shelf(folder).name_of(RENT) is None
    assert make(folder, RENT).made == 1
    assert {Path(name).suffix for name in files(folder)} == {".opus", ".mp3"}, "what was left is swept"


def test_a_missing_program_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(AudioError, match="Not installed: opusenc, lame"):
        make(tmp_path / "audio", RENT)


def test_words_are_said_without_marks_and_numbers_in_one_piece() -> None:
    said = sentences_of(
        "- **RIB** : le papier\n- [Cette page](rights:loyer)\n\n1\u202f500\u00a0€ au plus ?\n"
    )
    assert said == ("RIB : le papier.", "Cette page.", "1500 € au plus ?")


@contextmanager
def another_run(folder: Path, models: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The same in a process of its own, and of its own group."""
    code = (
        "import sys; from pathlib import Path; from casework import audio\n"
        f"speech = audio.Speech('fr', {RENT.sentences!r})\n"
        "audio.make([speech], Path(sys.argv[1]), audio.voices(Path(sys.argv[2])), print)"
    )
    command = [sys.executable, "-c", code, str(folder), str(models)]
    run = subprocess.Popen(command, cwd=ROOT, start_new_session=True)
    try:
        yield run
    finally:
        if run.poll() is None:
            os.killpg(run.pid, signal.SIGKILL)
        run.wait(10)


def wait_for(path: Path) -> None:
    until = time.monotonic() + 20
    while not path.exists():
        assert time.monotonic() < until
        time.sleep(0.02)


def piper_here(folder: Path, monkeypatch: pytest.MonkeyPatch, voice: str) -> Path:
    """Install the stand-in, with one French model; the folder of models."""
    programs, models = folder / "bin", folder / "models"
    programs.mkdir()
    models.mkdir()
    (programs / "piper").write_text(PIPER)
    (programs / "piper").chmod(0o755)
    (models / "fr.onnx").write_text(voice)
    shutil.copy(models / "fr.onnx", models / "fr.onnx.json")
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    return models
