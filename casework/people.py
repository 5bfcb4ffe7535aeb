"""Ways to reach a person. A person is not an account, nor a number: two may share one, one may have none."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import datetime
from uuid import UUID, uuid4

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from sqlalchemy import ForeignKey, Index, Text, Uuid, column, select, table
from sqlalchemy.orm import Mapped, Session, mapped_column

from casework.access import ascii_digits
from casework.database import Base, one_of
from casework.vocabulary import CallTime, Channel, ContactRule

FICTION = re.compile(r"\+3363998\d{4}")
"""Mobile numbers that ARCEP keeps for fiction: nobody has them; demonstrations and trainings use them."""


class ContactWay(Base):
    """How to answer one request. `value`: E.164, an e-mail address, a postal address; empty for a visit."""

    __tablename__ = "contact_ways"
    __table_args__ = (Index("contact_ways_value_idx", "value"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    request_id: Mapped[UUID] = mapped_column(ForeignKey("requests.id", ondelete="CASCADE"), index=True)
    channel: Mapped[Channel] = mapped_column(one_of(Channel))
    value: Mapped[str]
    call_time: Mapped[CallTime | None] = mapped_column(one_of(CallTime))
    safe: Mapped[bool] = mapped_column(default=False, server_default="false")
    """Put in by an agent for a person at risk: the only way to be used then. The portal sees nothing of it."""


class StoppedNumber(Base):
    """A number (E.164) whose holder wants no text message any more, whoever else shares it."""

    __tablename__ = "stopped_numbers"

    number: Mapped[str] = mapped_column(primary_key=True)
    stopped_at: Mapped[datetime]


class UnreachableError(ValueError):
    """What was typed is not a telephone number, or not an e-mail address."""


RULES = table("requests", column("id", Uuid), column("contact_rule", Text))
"""Of requests, the one column that says whether and how their people may be told things."""


def may_reach(session: Session, request_id: UUID, value: str) -> bool:
    """True when a request's person may be told things at this number or address: the rule of people at risk.

    Everything that leaves asks here, when it is written down and again when it leaves.
    """
    rule = session.scalar(select(RULES.c.contact_rule).where(RULES.c.id == request_id))
    if rule == ContactRule.OTHER:
        safe = select(ContactWay.id).where(
            ContactWay.request_id == request_id, ContactWay.safe, ContactWay.value == value
        )
        return session.scalar(safe) is not None
    return rule == ContactRule.USUAL


def ways_of(
    session: Session, request_id: UUID, channels: Collection[Channel] = frozenset(Channel)
) -> list[ContactWay]:
    """By which ways a person is told things, among some channels: their own, or the one safe contact, never both.

    A visit is none: who comes by themselves is told nothing.
    """
    rule = session.scalar(select(RULES.c.contact_rule).where(RULES.c.id == request_id))
    if rule == ContactRule.NONE:
        return []
    return list(
        session.scalars(
            select(ContactWay).where(
                ContactWay.request_id == request_id,
                ContactWay.channel.in_(set(channels) - {Channel.VISIT}),
                ContactWay.safe == (rule == ContactRule.OTHER),
            )
        )
    )


def is_stopped(session: Session, number: str) -> bool:
    """True when the holder of a number wants no text message any more."""
    return session.scalar(select(StoppedNumber.number).where(StoppedNumber.number == number)) is not None


def read_phone(typed: str) -> str:
    """A telephone number as a person types it, as E.164; French unless it begins with + or 00.

    Raises:
        UnreachableError: it cannot be a number.
    """
    plus = "+" if typed.strip().startswith(("+", "00")) else ""
    digits = ascii_digits(typed)
    digits = re.sub("^00", "", digits) if plus else digits
    try:
        number = phonenumbers.parse(plus + digits, "FR")
    except phonenumbers.NumberParseException as error:
        raise UnreachableError from error
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    if not phonenumbers.is_valid_number(number) and not FICTION.fullmatch(e164):
        raise UnreachableError
    return e164


def can_get_texts(number: str) -> bool:
    """False for a French fixed line, which loses text messages without a word."""
    parsed = phonenumbers.parse(number)
    return phonenumbers.number_type(parsed) != phonenumbers.PhoneNumberType.FIXED_LINE


def show_phone(number: str) -> str:
    """A number as people of France read it: `06 12 34 56 78`; others in international form."""
    parsed = phonenumbers.parse(number)
    style = (
        phonenumbers.PhoneNumberFormat.NATIONAL
        if parsed.country_code == 33
        else phonenumbers.PhoneNumberFormat.INTERNATIONAL
    )
    return phonenumbers.format_number(parsed, style)


def read_email(typed: str) -> str:
    """An e-mail address, lower case, its form checked; whether it exists is for the post to tell.

    Raises:
        UnreachableError: it cannot be an address.
    """
    try:
        return validate_email(typed.strip(), check_deliverability=False).normalized.lower()
    except EmailNotValidError as error:
        raise UnreachableError from error
