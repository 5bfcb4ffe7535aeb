"""The language stands in the address (`/ar/…`), so that a link can be shared and a page kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from babel.dates import format_date, format_time
from babel.numbers import format_decimal
from babel.support import NullTranslations
from flask import Flask, abort, current_app, g, has_request_context, request, url_for
from flask_babel import Babel, Domain, gettext
from markupsafe import Markup

from casework import french_names, reviews, translation
from casework.requests import PARIS
from casework.vocabulary import LANGUAGES, LanguageFacts


class Catalogues(Domain):  # type: ignore[misc]  # flask_babel gives no types
    """The sentences of pages, from where mails and text messages take theirs: never older than their source."""

    def get_translations(self) -> NullTranslations:
        """The catalogue of this page's language; outside a page, the French of the code."""
        return translation.catalogue(language()) if has_request_context() else NullTranslations()


def language() -> str:
    """The language of this page: the address's, else the browser's, else French."""
    if "language" not in g:
        first = request.path.strip("/").split("/", 1)[0]
        known = _languages()
        g.language = first if first in known else request.accept_languages.best_match(list(known)) or "fr"
    chosen: str = g.language
    return chosen


def facts() -> LanguageFacts:
    """Own name and direction of this page's language."""
    return LANGUAGES[language()]


def _languages() -> Mapping[str, LanguageFacts]:
    """The languages of this face: agents' pages are not written in all of them."""
    known: Mapping[str, LanguageFacts] = current_app.extensions["languages"]
    return known


def speak(app: Flask, languages: Mapping[str, LanguageFacts]) -> None:
    """Let the application read and write these languages in its addresses, its texts and its dates."""
    app.extensions["languages"] = languages
    babel = Babel(app, locale_selector=language, timezone_selector=lambda: PARIS.key)
    babel.domain_instance = Catalogues()
    for code in languages:
        translation.catalogue(code)  # before the server divides into processes, which then share them
    app.url_value_preprocessor(_take_language)
    app.url_defaults(_put_language)
    read_over = {code for code in languages if reviews.is_read_over(code)}
    app.jinja_env.globals.update(
        read_over=lambda: language() in read_over,
        language=language,
        direction=lambda: facts().direction,
        languages=languages,
        same_page_in=same_page_in,
    )
    app.jinja_env.filters.update(
        day=day,
        moment=moment,
        short_day=short_day,
        short_moment=short_moment,
        hour=hour,
        day_and_month=day_and_month,
        weight=weight,
        french_marked=french_marked,
    )


def same_page_in(other: str) -> str:
    """The address of this page in another language; the form's own page for a page that only takes posts."""
    if request.endpoint and request.view_args is not None and "GET" in (_methods() or ()):
        address = url_for(request.endpoint, **{**request.view_args, "lang": other})
        # Never as arguments of url_for: an address may name one of them (`?_scheme=…`).
        return f"{address}?{query}" if (query := request.query_string.decode("ascii", "ignore")) else address
    return f"/{other}/"


def day(value: Any) -> str:
    """A date in words, the month in letters: `mardi 3 novembre 2026`."""
    local = value.astimezone(PARIS) if hasattr(value, "astimezone") else value
    # In Pashto the usual form puts the year first, as in a register.
    return format_date(local, "EEEE d MMMM y" if language() == "ps" else "full", _locale())


def moment(value: Any) -> str:
    """A date and an hour in words."""
    local = value.astimezone(PARIS)
    hour = format_time(local, translation.clock(language()), locale=_locale())
    return str(gettext("%(day)s à %(hour)s", day=format_date(local, "long", _locale()), hour=hour))


def french_marked(words: str, written_in: str = "") -> Markup:
    """One of our own texts with its French names marked as French. `written_in`: its language, else the page's."""
    return french_names.marked(str(words), written_in or language())


def short_day(value: Any) -> str:
    """A date for a table: `3 nov. 2026`."""
    return format_date(value.astimezone(PARIS), "medium", _locale())


def short_moment(value: Any) -> str:
    """A date and an hour for a table."""
    return f"{short_day(value)} {format_time(value.astimezone(PARIS), 'short', locale=_locale())}"


def hour(value: Any) -> str:
    """An hour in Paris: `14:00`."""
    return format_time(value.astimezone(PARIS), translation.clock(language()), locale=_locale())


def day_and_month(value: Any) -> str:
    """A date without its year, for the head of a column: `mardi 3 novembre`."""
    local = value.astimezone(PARIS) if hasattr(value, "astimezone") else value
    first = language() == "fr" and local.day == 1
    return format_date(local, "EEEE d'er' MMMM" if first else "EEEE d MMMM", _locale())


def weight(size: int) -> str:
    """The size of a file, as people compare them."""
    if size < 1024 * 1024:
        return str(
            gettext("%(count)s Ko", count=format_decimal(max(1, round(size / 1024)), locale=_locale()))
        )
    return str(gettext("%(count)s Mo", count=format_decimal(round(size / 1024 / 1024, 1), locale=_locale())))


def _locale() -> str:
    """Modern standard Arabic, whose months are known from Morocco to Syria; British dates in English."""
    return {"en": "en_GB"}.get(language()) or translation.locale_of(language())


def _methods() -> set[str] | None:
    return request.url_rule.methods if request.url_rule else None


def _take_language(_endpoint: str | None, values: dict[str, Any] | None) -> None:
    if values is not None and "lang" in values:
        chosen = values.pop("lang")
        if chosen not in _languages():
            abort(404)
        g.language = chosen


def _put_language(endpoint: str, values: dict[str, Any]) -> None:
    if "lang" not in values and current_app.url_map.is_endpoint_expecting(endpoint, "lang"):
        values["lang"] = language()
