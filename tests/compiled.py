"""Faces for tests: made once for all tests of a process, or of a test's own, of the same compiled templates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket

from casework.audio import Shelf
from casework.settings import Settings
from tests.clock import Clock

Create = Callable[[Settings, Clock], Flask]


class _Compiled(BytecodeCache):
    """Kept in memory; Jinja itself sees by a digest that a template has changed."""

    def __init__(self) -> None:
        self._codes: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if code := self._codes.get(bucket.key):
            bucket.bytecode_from_string(code)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._codes[bucket.key] = bucket.bytecode_to_string()


_COMPILED = _Compiled()


def tested(app: Flask) -> Flask:
    """The application, ready for a test."""
    app.testing = True
    app.jinja_env.bytecode_cache = _COMPILED
    return app


_MADE: dict[tuple[Create, Settings], tuple[Flask, dict[str, Any]]] = {}


def made_once(create: Create, settings: Settings, clock: Clock) -> Flask:
    """A face with these settings, as if it were new: what an earlier test hung in it is gone.

    Its routes, statements and connections are ready, as in a process that has answered before. The clock and the
    folder of files are the test's own. Who adds routes or processors takes `tested(create(…))`.
    """
    key = create, replace(settings, var=Path())
    if key not in _MADE:
        app = tested(create(settings, clock))
        _MADE[key] = app, dict(app.extensions)
    app, extensions = _MADE[key]
    app.extensions.clear()
    app.extensions.update(extensions, settings=settings, clock=clock)
    if "audio" in extensions:
        app.extensions["audio"] = Shelf(settings.var / "audio")
    return app
