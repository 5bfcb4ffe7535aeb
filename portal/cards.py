"""The answer cards under a conversation: one tap, one sentence (`templates/portal/cards.html`)."""

from __future__ import annotations

from flask import request

from casework.cards import Card, load_cards


def card_list() -> list[Card]:
    """Every card, in the order people see them."""
    return list(load_cards().cards.values())


def tapped() -> Card | None:
    """The card that was tapped to send the form; None when the form was sent in another way."""
    return load_cards().cards.get(request.form.get("card", ""))
