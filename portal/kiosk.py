"""The kiosk of a house: a touch screen that many people use, one after the other."""

from __future__ import annotations

from flask import Flask


def stand(app: Flask) -> None:
    """Tell every page whether it is shown at a kiosk: `kiosk` is None on people's own devices."""
    app.context_processor(lambda: {"kiosk": None})
