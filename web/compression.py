"""Smaller pages for slow telephones, and pages that are the same for everybody kept ready.

Pages that carry a secret are never compressed: the length of a compressed page can betray what it holds.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable
from functools import wraps
from typing import Any

import brotli
from flask import Flask, Response, current_app, g, make_response, request

from web.language import language

WORTH_COMPRESSING = 600


def compress(app: Flask) -> None:
    """Compress HTML, CSS and JSON answers as the browser accepts."""

    @app.after_request
    def add_compression(response: Response) -> Response:
        if (
            response.direct_passthrough
            or response.is_streamed
            or "Content-Encoding" in response.headers
            or not (response.mimetype or "").startswith("text/")
            or getattr(response, "holds_secret", False)
        ):
            return response
        body = response.get_data()
        if len(body) >= WORTH_COMPRESSING:
            encoding = _accepted()
            if encoding:
                response.set_data(_compressed(body, encoding))
                response.headers["Content-Encoding"] = encoding
            response.vary.add("Accept-Encoding")
        return response


def showing_secret(page: str) -> Response:
    """A page that shows a secret: not compressed."""
    response = make_response(page)
    response.holds_secret = True  # type: ignore[attr-defined]
    return response


def same_for_everybody(view: Callable[..., str]) -> Callable[..., Response]:
    """A page without anything personal: rendered and compressed once per language and encoding, then kept.

    The browser may keep it five minutes too.
    """

    @wraps(view)
    def kept(**values: Any) -> Response:
        if g.get("kept_apart"):  # a browser that must keep nothing, and whose pages are its own
            return make_response(view(**values))
        pages: dict[Any, bytes] = current_app.extensions.setdefault("kept pages", {})
        encoding = _accepted()
        place = (request.endpoint, language(), encoding, tuple(sorted(values.items())))
        if place not in pages:
            body = view(**values).encode()
            pages[place] = _compressed(body, encoding) if encoding else body
        response = make_response(pages[place])
        response.mimetype = "text/html"
        if encoding:
            response.headers["Content-Encoding"] = encoding
        response.headers["Vary"] = "Accept-Encoding"
        response.headers["Cache-Control"] = "public, max-age=300"
        return response

    return kept


def _accepted() -> str:
    accepted = request.headers.get("Accept-Encoding", "")
    return "br" if "br" in accepted else "gzip" if "gzip" in accepted else ""


def _compressed(body: bytes, encoding: str) -> bytes:
    if encoding == "br":
        small: bytes = brotli.compress(body, quality=5)
        return small
    return gzip.compress(body, 6)
