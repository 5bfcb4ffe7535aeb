"""Static files: addresses that change with their content, served compressed and kept a year."""

from __future__ import annotations

import hashlib
from pathlib import Path

from flask import Flask
from whitenoise import WhiteNoise
from whitenoise.compress import Compressor

from casework.settings import ROOT

FOLDER = ROOT / "static"


def serve(app: Flask) -> None:
    """Serve `static/` under an address that holds a digest of all of it, and give templates `static_url`."""
    build = digest(FOLDER)
    served = WhiteNoise(
        app.wsgi_app,
        max_age=31_536_000,
        immutable_file_test=lambda *_: True,
        charset="utf-8",
        add_headers_function=lambda headers, *_: headers.add_header("X-Content-Type-Options", "nosniff"),
    )
    served.add_files(str(FOLDER), prefix=f"static/{build}/")
    app.wsgi_app = served  # type: ignore[method-assign]
    app.jinja_env.globals["static_url"] = lambda name: f"/static/{build}/{name}"


def digest(folder: Path) -> str:
    """Twelve letters that change when any file of the folder does."""
    total = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix not in {".br", ".gz"}:
            total.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
    return total.hexdigest()[:12]


def compress_ahead(folder: Path = FOLDER) -> None:
    """Write `.br` and `.gz` beside each file worth it; the installation does it once."""
    compressor = Compressor(quiet=True)
    for path in sorted(folder.rglob("*")):
        if path.is_file() and compressor.should_compress(path.name):
            for _ in compressor.compress(str(path)):
                continue


if __name__ == "__main__":
    compress_ahead()
