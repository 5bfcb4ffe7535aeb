"""Numbers people can say, codes they can copy, and guesses that are slowed."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from casework import access
from casework.access import Guess, TooManyGuessesError
from casework.database import transaction
from tests.conftest import Database

pytestmark = pytest.mark.long

ARABIC, PERSIAN, BENGALI = "٠١٢٣٤٥٦٧٨٩", "۰۱۲۳۴۵۶۷۸۹", "০১২৩৪৫৬৭৮৯"
numbers = st.builds(access.new_number)


@given(
    numbers,
    st.sampled_from(["0123456789", ARABIC, PERSIAN, BENGALI]),
    st.sampled_from(["", " ", "-", "\u00a0", "."]),
)
def test_a_number_is_read_as_it_was_said(number: str, script: str, between: str) -> None:
    typed = between.join(number.translate(str.maketrans("0123456789", script)))
    assert access.read_number(f" {typed}\n") == number


@given(numbers, st.integers(0, 8), st.integers(1, 9))
def test_one_wrong_digit_is_caught(number: str, place: int, more: int) -> None:
    wrong = f"{number[:place]}{(int(number[place]) + more) % 10}{number[place + 1 :]}"
    assert access.read_number(wrong) is None


@given(numbers, st.integers(0, 7))
def test_two_digits_swapped_are_caught(number: str, place: int) -> None:
    swapped = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
    assert (access.read_number(swapped) is None) == (swapped != number)


@given(st.text(max_size=40))
def test_whatever_is_typed_is_a_number_and_a_code_or_none(typed: str) -> None:
    assert (access.read_number(typed) or "0" * 9).isdigit()
    assert len(access.read_code(typed) or "0" * 12) == 12


@given(st.binary(min_size=16, max_size=16).map(bytes.hex))
def test_a_secret_has_one_code_and_hashes_that_tell_nothing(secret: str) -> None:
    code = access.code_of("key", secret)
    assert len(code) == 12
    assert code == access.code_of("key", secret) != access.code_of("other key", secret)
    hashes = {
        access.link_hash("key", secret), access.link_hash("other key", secret),
        access.code_hash("key", "123456782", code), access.code_hash("key", "123456790", code),
    }  # fmt: skip
    assert len(hashes) == 4
    assert not [one for one in hashes if secret in one or code in one]


def test_secrets_are_long_and_never_the_same() -> None:
    made = {access.new_secret() for _ in range(1000)}
    assert len(made) == 1000
    assert {len(secret) for secret in made} == {22}


def test_digits_are_said_by_three() -> None:
    assert access.spoken("483210759") == "483 210 759"


def fail(database: Database, subjects: list[str], now: datetime) -> None:
    """One failed try."""
    with transaction(database.portal) as session:
        access.slow_guessing(session, "key", subjects, now)
        access.note_failure(session, "key", subjects, now)


def test_the_sixth_try_waits_until_the_first_is_a_quarter_of_an_hour_old(
    database: Database, now: datetime
) -> None:
    for minute in range(5):
        fail(database, ["source"], now + timedelta(minutes=minute))
    with pytest.raises(TooManyGuessesError) as caught:
        fail(database, ["source"], now + timedelta(minutes=14))
    assert caught.value.until == now + timedelta(minutes=15)
    fail(database, ["other source"], now + timedelta(minutes=14))
    fail(database, ["source"], now + timedelta(minutes=15))
    with pytest.raises(TooManyGuessesError):
        fail(database, ["source"], now + timedelta(minutes=15, seconds=59))


def test_one_slowed_subject_is_enough_and_no_subject_is_stored_in_clear(
    database: Database, now: datetime
) -> None:
    for _ in range(5):
        fail(database, ["number 483210759"], now)
    with pytest.raises(TooManyGuessesError):
        fail(database, ["source 192.0.2.1", "number 483210759"], now)
    with transaction(database.owner) as session:
        assert not [guess for guess in session.scalars(select(Guess.subject)) if "483210759" in guess]


def test_guesses_are_forgotten_after_a_day(database: Database, now: datetime) -> None:
    fail(database, ["source"], now)
    fail(database, ["source"], now + timedelta(hours=20))
    with transaction(database.backoffice) as session:
        access.forget_old_guesses(session, now + timedelta(hours=25))
        assert session.scalar(select(func.count()).select_from(Guess)) == 1
