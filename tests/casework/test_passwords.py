"""Demonstration accounts: a password opens its own account only, and an unknown login costs as much."""

import time

import pytest

from casework.passwords import check_password, hash_password
from tests.people import PASSWORD

pytestmark = pytest.mark.long


def test_the_right_password_opens_and_another_does_not() -> None:
    stored = hash_password(PASSWORD)
    assert check_password(stored, PASSWORD)
    assert not check_password(stored, PASSWORD + " ")
    assert not check_password(stored, "")


def test_two_accounts_with_one_password_do_not_look_alike() -> None:
    first, second = hash_password(PASSWORD), hash_password(PASSWORD)
    assert first != second
    assert PASSWORD not in first
    assert first.startswith("$argon2id$")


@pytest.mark.parametrize("stored", [None, "", "not a hash", PASSWORD])
def test_an_account_without_a_readable_hash_never_opens(stored: str | None) -> None:
    assert not check_password(stored, PASSWORD)
    assert not check_password(stored, "")


def test_an_unknown_account_costs_as_much_as_a_wrong_password() -> None:
    stored = hash_password(PASSWORD)
    check_password(None, "the first call makes the hash it is compared with")

    def work(account: str | None) -> float:
        start = time.process_time()
        check_password(account, "another password")
        return time.process_time() - start

    # Processor time, so that a busy machine does not matter; without the work the ratio would be near zero.
    assert min(work(None) for _ in range(3)) > 0.3 * min(work(stored) for _ in range(3))
