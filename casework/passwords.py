"""Passwords of the demonstration accounts, used only while no directory is configured (requirement F3)."""

from __future__ import annotations

import functools
import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_HASHER = PasswordHasher()


def hash_password(password: str) -> str:
    """An Argon2id hash with its own salt and parameters, as text."""
    return _HASHER.hash(password)


def check_password(stored: str | None, password: str) -> bool:
    """True when `password` is the one behind `stored`.

    An account without a hash costs the same work as one with a hash, so that the time of the answer does not
    tell which logins exist. A hash that cannot be read opens nothing.
    """
    nobodys = _hash_of_nobody()  # before the choice: the first call pays for it whoever asks
    try:
        _HASHER.verify(stored or nobodys, password)
    except (VerificationError, InvalidHashError):
        return False
    return bool(stored)


@functools.cache
def _hash_of_nobody() -> str:
    return hash_password(secrets.token_urlsafe())
