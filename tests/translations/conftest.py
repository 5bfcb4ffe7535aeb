"""The portal and its people, as `tests/portal` knows them."""

from __future__ import annotations

from tests.portal.conftest import amina, clock, portal, settings, somebody

__all__ = ["amina", "clock", "portal", "settings", "somebody"]
