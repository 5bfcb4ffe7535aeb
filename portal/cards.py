"""The answer cards under a conversation: one tap, one sentence (`templates/portal/cards.html`)."""

from __future__ import annotations

from flask import request

from casework.cards import Card, load_cards
from web.language import language


def card_list() -> list[Card]:
    """Every card, in the order people see them."""
    return list(load_cards().cards.values())


def with_card(body: str) -> str:
    """A message with the card that was tapped, in the person's language, before what they had begun to type."""
    card = load_cards().cards.get(request.form.get("card", ""))
    if card is None:
        return body
    return f"{card.words(language())}\n\n{body}".strip()
