"""The receipt to take along: a QR code of the secret link, and a sheet of PDF."""

from __future__ import annotations

import segno
from markupsafe import Markup

from casework.settings import ROOT


def qr_code(link: str) -> Markup:
    """The link as an SVG drawing, without any script or style; dark on light whatever the theme."""
    drawing = segno.make(link, error="m").svg_inline(
        scale=4, border=4, dark="#000", light="#fff", svgclass="qr", lineclass=None, omitsize=True
    )
    return Markup(drawing)  # noqa: S704 - made here from an address we built


class NoPdfError(Exception):
    """This machine lacks the system libraries that draw a PDF (Pango)."""


def as_pdf(html: str) -> bytes:
    """One A4 sheet. Loads nothing from outside.

    Raises:
        NoPdfError: Pango is not installed.
    """
    try:
        from weasyprint import HTML  # noqa: PLC0415 - 40 MB that only a PDF needs
    except OSError as error:
        raise NoPdfError from error

    made: bytes = HTML(string=html, base_url=str(ROOT / "static"), url_fetcher=_refuse).write_pdf()
    return made


def _refuse(url: str, *_: object, **__: object) -> dict[str, object]:
    raise ValueError(f"a receipt loads nothing: {url}")
