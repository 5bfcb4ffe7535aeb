"""Both faces at once."""

from __future__ import annotations

from tests.backoffice.conftest import at_desk, backoffice, clock, desk_settings, nadia, odile, paul
from tests.portal.conftest import amina, marcel, portal, settings, somebody

__all__ = [
    "amina", "at_desk", "backoffice", "clock", "desk_settings", "marcel", "nadia", "odile", "paul", "portal",
    "settings", "somebody",
]  # fmt: skip
