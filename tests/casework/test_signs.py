"""Whoever adds a video in sign language is told, with the file and the line, what it lacks for everybody to follow."""

from __future__ import annotations

from pathlib import Path

import pytest

from casework.signs import SignVideo, read_signs

CAPTIONS = """WEBVTT

00:00.000 --> 00:02.500
Le RSA est une aide.

2
00:02.500 --> 00:04.000
Vous avez peu d'argent ?
"""
FILES = {
    "video.webm": b"\x1a\x45\xdf\xa3" + b"a video" * 9,
    "poster.png": b"\x89PNG\r\n\x1a\n a picture",
    "captions.vtt": CAPTIONS.encode(),
    "transcript.txt": b"Le RSA est une aide.\n\nVous avez peu d'argent ?\n",
}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """One video, as it should be."""
    folder = tmp_path / "rsa"
    folder.mkdir()
    for name, content in FILES.items():
        (folder / name).write_bytes(content)
    return folder


def problems(home: Path) -> list[str]:
    found: list[str] = []
    videos = read_signs(home.parent, {"rsa"}, "content/signs", found)
    assert bool(videos) != bool(found)
    return found


def read(home: Path) -> SignVideo:
    return read_signs(home.parent, {"rsa"}, "content/signs", [])["rsa"]


def test_a_video_with_all_that_goes_with_it_is_taken(home: Path) -> None:
    assert problems(home) == []
    video = read(home)
    assert (video.video, video.poster) == ("video.webm", "poster.png")
    assert video.transcript == ("Le RSA est une aide.", "Vous avez peu d'argent ?")
    (home / "transcript.txt").write_text("Autre chose.")
    assert read(home).digest != video.digest


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("captions.vtt", None, "content/signs/rsa: captions.vtt is missing"),
        ("transcript.txt", None, "content/signs/rsa: transcript.txt is missing"),
        ("poster.png", None, "content/signs/rsa: one poster should be here, as poster.jpg or"),
        ("video.webm", None, "content/signs/rsa: one video should be here, as video.mp4 or video.webm"),
        ("video.mp4", b"\0\0\0\x20ftypisom", "content/signs/rsa: one video should be here"),
        ("transcript.txt", b" \n", "transcript.txt:1: the words of the video should be here"),
        ("transcript.txt", b"\xe9", "transcript.txt:1: should be saved as UTF-8"),
        ("captions.vtt", b"00:00.000 --> 00:02.500\nRSA\n", "captions.vtt:1: should begin with WEBVTT"),
        ("captions.vtt", b"WEBVTT\n", "captions.vtt:1: no caption"),
        ("captions.vtt", b"WEBVTT\n\n0:00 --> 0:02\nRSA\n", "captions.vtt:3: times should read"),
        ("captions.vtt", b"WEBVTT\n\n00:02.000 --> 00:01.000\nRSA\n", "captions.vtt:3: should begin after"),
        ("captions.vtt", b"WEBVTT\n\n00:00.000 --> 00:02.000\n\nRSA\n", "captions.vtt:3: no words"),
        ("poster.png", b"GIF89a", "poster.png: not what its name says"),
        ("poster.png", b"\x89PNG\r\n" + bytes(60_000), "poster.png: 60,006 bytes, 60,000 at most"),
        ("video.avi", b"RIFF", "video.avi: not one of video.mp4"),
    ],
)
def test_what_is_missing_or_wrong_is_told(home: Path, name: str, content: bytes | None, told: str) -> None:
    if content is None:
        (home / name).unlink()
    else:
        (home / name).write_bytes(content)
    assert any(told in problem for problem in problems(home)), problems(home)


def test_a_video_of_no_page_is_told(home: Path) -> None:
    home.rename(home.with_name("rsq"))
    assert problems(home.with_name("rsq")) == ["content/signs/rsq: no page “rsq” to go with."]


def test_there_may_be_no_video_at_all(tmp_path: Path) -> None:
    found: list[str] = []
    assert read_signs(tmp_path / "signs", {"rsa"}, "content/signs", found) == {}
    assert found == []
