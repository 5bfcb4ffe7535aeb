"""Templates compiled once for all tests of a process: each test has an application of its own, of the same pages."""

from __future__ import annotations

from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket


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
