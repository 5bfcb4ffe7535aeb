"""Telephone numbers and addresses as people type them."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.people import UnreachableError, can_get_texts, read_email, read_phone, show_phone


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        ("06 12 34 56 78", "+33612345678"), ("06.12.34.56.78", "+33612345678"), ("0612345678", "+33612345678"),
        ("+33 6 12 34 56 78", "+33612345678"), ("0033612345678", "+33612345678"),
        (" +33 (0)6 12 34 56 78", "+33612345678"),
        ("٠٦ ١٢ ٣٤ ٥٦ ٧٨", "+33612345678"), ("05 49 00 00 01", "+33549000001"), ("+32 470 12 34 56", "+32470123456"),
        ("06 39 98 00 01", "+33639980001"),
    ],
)  # fmt: skip
def test_a_number_is_read(typed: str, number: str) -> None:
    assert read_phone(typed) == number


@pytest.mark.parametrize("typed", ["", "06 12", "abc", "06 12 34 56 789", "112", "+", "00", "99 99 99 99 99"])
def test_what_is_no_number_is_refused(typed: str) -> None:
    with pytest.raises(UnreachableError):
        read_phone(typed)


@given(st.text(max_size=30))
def test_whatever_is_typed_is_a_number_or_refused(typed: str) -> None:
    with suppress(UnreachableError):
        number = read_phone(typed)
        assert read_phone(number) == number
        assert show_phone(number)
        assert can_get_texts(number) in {True, False}


def test_a_fixed_line_gets_no_text() -> None:
    assert can_get_texts("+33612345678")
    assert not can_get_texts("+33549112233")


def test_numbers_are_shown_as_they_are_said_here() -> None:
    assert show_phone("+33612345678") == "06 12 34 56 78"
    assert show_phone("+32470123456") == "+32 470 12 34 56"


@pytest.mark.parametrize(
    ("typed", "address"),
    [(" Marcel.Moreau@Example.ORG ", "marcel.moreau@example.org"), ("a+b@example.org", "a+b@example.org")],
)
def test_an_address_is_read(typed: str, address: str) -> None:
    assert read_email(typed) == address


@given(st.text(max_size=40))
def test_whatever_is_typed_is_an_address_or_refused(typed: str) -> None:
    with suppress(UnreachableError):
        assert "@" in read_email(typed)


@pytest.mark.parametrize("typed", ["", "moi", "moi@", "@example.org", "a b@example.org", "a@b@example.org"])
def test_what_is_no_address_is_refused(typed: str) -> None:
    with pytest.raises(UnreachableError):
        read_email(typed)
