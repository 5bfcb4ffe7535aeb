"""The headers every answer carries, whatever the page: what the browser may load, keep, frame and tell."""

from __future__ import annotations

from flask import Flask, Response, request

from web.transactions import settings

CONTENT_POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
"""No inline script, no inline style, nobody else's file. `data:` is for the QR code alone."""

PAPER_POLICY = "default-src 'none'; sandbox"
"""For a paper sent by a citizen: it may be looked at, it may do nothing."""


def protect(app: Flask) -> None:
    """Put the headers on every answer. A page is not kept by anybody unless its view says so."""

    @app.after_request
    def add_headers(response: Response) -> Response:
        headers = response.headers
        headers.setdefault("Content-Security-Policy", CONTENT_POLICY)
        headers["Referrer-Policy"] = "no-referrer"
        headers["X-Content-Type-Options"] = "nosniff"
        headers["X-Frame-Options"] = "DENY"
        headers["Cross-Origin-Opener-Policy"] = "same-origin"
        headers["Permissions-Policy"] = "geolocation=(), camera=(self), microphone=(self), interest-cohort=()"
        headers.setdefault("Cache-Control", "no-store")
        if settings().https and request.is_secure:
            headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
        return response
