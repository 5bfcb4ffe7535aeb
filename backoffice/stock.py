"""How long the house's free places last, kind by kind."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from flask_babel import format_decimal

from backoffice.agenda import agent_shown
from backoffice.agent import AGENT, house_of, me
from casework import stock as places
from web.doors import open_to
from web.transactions import db, now

stock = Blueprint("stock", __name__, url_prefix="/<lang>/agenda/places-libres")


@stock.app_template_filter("decimal")
def _decimal(number: float) -> str:
    return str(format_decimal(round(number, 1)))


@stock.get("")
@open_to(AGENT)
def show() -> ResponseReturnValue:
    """Every kind the house gives, with its days of stock, the shortest first."""
    house = house_of(me())
    return render_template(
        "backoffice/agenda/stock.html",
        stocks=places.of_house(db(), house, now()),
        house=house,
        whose=agent_shown(),
    )
