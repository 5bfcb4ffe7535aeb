"""A piece of page that a browser asks for again and again, mostly for nothing new."""

from __future__ import annotations

import hashlib

from flask import Response, request

from web.compression import showing_secret


def fragment(body: str) -> Response:
    """The piece with its fingerprint, never compressed: it may hold what nobody else may read."""
    response = showing_secret(body)
    response.set_etag(hashlib.sha256(body.encode()).hexdigest()[:20], weak=True)
    response.make_conditional(request)
    return response
