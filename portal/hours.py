"""What one asks of the hours, as words of an address: how, when, where, with whom; and hours in words."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from babel.dates import format_date
from flask import request, url_for
from flask_babel import gettext

from casework.agenda import MODES, Mode
from casework.appointments import Appointment
from casework.booking import Where
from casework.offers import OFFERED, Choice, Search, Seeker
from casework.requests import PARIS
from casework.slots import AFTERNOON, ALL_DAY, MORNING, Slot
from casework.translation import in_order, locale_of
from web.language import language
from web.transactions import now

HALVES = {"matin": MORNING, "apres-midi": AFTERNOON}

CHOICE = re.compile(r"(\d{9,11})\.(here|phone|video)\.([\w-]*)", re.ASCII)

FURTHEST_DAY = timedelta(days=365)


def weekday(moment: datetime | date) -> str:
    """A near day in words, without the year: `mardi 3 novembre`."""
    day = moment.astimezone(PARIS).date() if isinstance(moment, datetime) else moment
    pattern = "EEEE d'er' MMMM" if language() == "fr" and day.day == 1 else "EEEE d MMMM"
    return format_date(day, in_order(pattern, language()), locale_of(language()))


def hour(moment: datetime) -> str:
    """An hour of Paris as one says it: `9 heures 30`."""
    local = moment.astimezone(PARIS)
    if local.minute:
        return str(gettext("%(hour)s heures %(minutes)s", hour=local.hour, minutes=f"{local.minute:02}"))
    return str(gettext("%(hour)s heures", hour=local.hour))


def search_asked() -> tuple[Search, str]:
    """What the address asks for, and the mistake of the day if it is none; unknown words are left out."""
    asked, mistake, day = request.args, "", None
    if typed := asked.get("jour", "").strip():
        day = _read_day(typed)
        today = now().astimezone(PARIS).date()
        if day is None or not today <= day <= today + FURTHEST_DAY:
            day, mistake = (
                None,
                gettext(
                    "Écrivez un jour à venir. Exemple : %(day)s",
                    day=f"{today + timedelta(days=7):%d/%m/%Y}",
                ),
            )
    mode = asked.get("comment")
    place_id = asked.get("lieu", "")
    search = Search(
        mode=Mode(mode) if mode in {one.value for one in OFFERED} else None,
        hours=HALVES.get(asked.get("moment", ""), ALL_DAY),
        day=day,
        place_id=place_id if re.fullmatch(r"[\w-]{1,80}", place_id) else None,
        whole_house=asked.get("avec") == "equipe",
        near=asked.get("ordre") == "pres",
    )
    return search, mistake


def query_of(search: Search) -> dict[str, Any]:
    """The same as words of an address."""
    words = {
        "comment": search.mode or "",
        "moment": next((name for name, hours in HALVES.items() if hours == search.hours), ""),
        "jour": search.day.isoformat() if search.day else "",
        "lieu": search.place_id or "",
        "avec": "equipe" if search.whole_house else "",
        "ordre": "pres" if search.near else "",
    }
    return {name: str(word) for name, word in words.items() if word}


def like(appointment: Appointment) -> Search:
    """What one looks for again when moving: the same way to meet, at the same place."""
    here = appointment.mode is Mode.HERE
    return Search(
        mode=appointment.mode if appointment.mode in OFFERED else None,
        place_id=appointment.place_id if here else None,
    )


def filters_of(
    who: Seeker, search: Search, found: list[Slot], known: Mapping[str, Where]
) -> list[tuple[str, list[tuple[str, str, bool]]]]:
    """Groups of links: their name, then (words, address, chosen) for each; places only when there are several.

    `known`: the places of what was found, by id.
    """
    query = query_of(search)

    def link(words: str, **change: str) -> tuple[str, str, bool]:
        asked: dict[str, Any] = {name: word for name, word in (query | change).items() if word}
        return words, url_for("booking.choose", **asked), asked == query

    modes = [link(gettext(MODES[mode].label), comment=mode.value, lieu="") for mode in OFFERED]
    modes = [
        (words, address, search.mode is mode)
        for (words, address, _), mode in zip(modes, OFFERED, strict=True)
    ]
    groups = [
        (gettext("Comment"), [link(gettext("Peu importe"), comment="", lieu=""), *modes]),
        (
            gettext("Quand"),
            [
                link(gettext("Toute la journée"), moment=""),
                link(gettext("Le matin"), moment="matin"),
                link(gettext("L'après-midi"), moment="apres-midi"),
            ],
        ),
    ]
    if who.has_worker:
        groups.append(
            (
                gettext("Avec qui"),
                [link(gettext("La même personne"), avec=""), link(gettext("Toute l'équipe"), avec="equipe")],
            )
        )
    ids = [slot.place_id or "" for slot in found if slot.mode is Mode.HERE]
    here = {place_id: known[place_id] for place_id in ids if place_id in known}
    if search.near or (who.commune_code and len(here) > 1):
        soonest = link(gettext("Le plus tôt"), ordre="")
        groups.insert(0, (gettext("D'abord"), [soonest, link(gettext("Le plus près"), ordre="pres")]))
    if search.place_id or len(here) > 1:
        anywhere = link(gettext("Partout"), lieu="")
        groups.append((gettext("Où"), [anywhere, *(link(one.name, lieu=one.id) for one in here.values())]))
    return groups


def _read_day(typed: str) -> date | None:
    """A day as a date field sends it, or as people type it: 24/11/2026."""
    if match := re.fullmatch(r"(\d{4})-(\d{1,2})-(\d{1,2})", typed, re.ASCII):
        year, month, day = (int(part) for part in match.groups())
    elif match := re.fullmatch(r"(\d{1,2})[/. -](\d{1,2})[/. -](\d{4})", typed, re.ASCII):
        day, month, year = (int(part) for part in match.groups())
    else:
        return None
    try:
        return date(year, month, day)
    except ValueError:
        return None


def choice_said(value: str) -> Choice | None:
    """The slot a button says, or None."""
    match = CHOICE.fullmatch(value)
    if match is None:
        return None
    start = datetime.fromtimestamp(int(match[1]), UTC)
    return Choice(start, Mode(match[2]), match[3] or None)


def value_of(choice: Choice) -> str:
    """The same as a button's value."""
    return f"{int(choice.start.timestamp())}.{choice.mode}.{choice.place_id or ''}"
