"""The rights pages: by situation, by theme, by one's own words; each ends with what one can do now."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, Flask, Response, abort, current_app, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from casework import rights_search
from casework.amounts import in_words
from casework.rights import FRENCH, HEADINGS, Library, Part, RightsPage, load_library, markup
from casework.translation import catalogue
from casework.vocabulary import LANGUAGES, THEMES, Theme
from portal import spoken
from portal.listening import Piece, pieces
from portal.receipt import qr_code
from web.compression import same_for_everybody
from web.doors import ANYONE, open_to
from web.language import language
from web.transactions import db, settings
from web.typed import clean

rights = Blueprint("rights", __name__, url_prefix="/<lang>/droits")

LONGEST_WORDS = 120
PICTOGRAMS = {
    Part.WHAT: "question", Part.WHO: "person", Part.GET: "check", Part.DO: "arrow", Part.BRING: "papers",
    Part.WHERE: "place", Part.MORE: "reading",
}  # fmt: skip
"""Beside each part's heading, the same on every page: people who read little know where they are."""


@dataclass(frozen=True)
class Shown:
    """A part of a page as it is read."""

    part: Part
    pictogram: str
    heading: str
    body: Markup


def keep_ready(app: Flask) -> None:
    """Read the pages once, before the server divides into processes, which then share them."""
    app.extensions["rights"] = load_library()


@rights.get("/")
@open_to(ANYONE)
@same_for_everybody
def every() -> str:
    """What happens to me; then every page, by theme."""
    return render_template(
        "portal/rights/every.html",
        situations=_situations(),
        themes=[(theme, THEMES[theme], found) for theme in Theme if (found := _of_theme(theme))],
        typed="",
    )


@rights.get("/chercher")
@open_to(ANYONE)
def search() -> ResponseReturnValue:
    """The pages that one's words are about; none: the situations, never an empty page."""
    typed = clean(request.args.get("mots"))[:LONGEST_WORDS]
    found = [page for slug in rights_search.find(db(), typed) if (page := _library().page(slug, language()))]
    return render_template("portal/rights/found.html", typed=typed, found=found, situations=_situations())


@rights.get("/situation/<situation>")
@open_to(ANYONE)
def of_situation(situation: str) -> ResponseReturnValue:
    """The pages that answer a situation."""
    return _discreet(_of_situation(situation=situation), _library().of_situation(situation, language()))


@same_for_everybody
def _of_situation(situation: str) -> str:
    words = _situations().get(situation) or abort(404)
    found = _library().of_situation(situation, language())
    return render_template(
        "portal/rights/situation.html",
        words_said=words,
        found=found,
        sensitive=any(page.facts.sensitive for page in found[:1]),
        theme=found[0].facts.themes[0] if found else Theme.OTHER,
    )


@rights.get("/<slug>")
@open_to(ANYONE)
def one(slug: str) -> ResponseReturnValue:
    """One page: what it is, for whom, what one gets, what to do, what to bring, where to go."""
    page = _library().page(slug, language())
    heard = _heard(page) if page else ()
    return _discreet(_one(slug=slug, heard=heard), [page] if page else [])


@same_for_everybody
def _one(slug: str, heard: tuple[Piece, ...]) -> str:
    page = _library().page(slug, language()) or abort(404)
    address = settings().portal_address + url_for("rights.one", slug=slug)
    return render_template(
        "portal/rights/page.html",
        page=page,
        facts=page.facts,
        parts=_parts(page),
        heard=heard,
        signed=slug in _library().signs,
        address=address,
        qr=qr_code(address),
        french=LANGUAGES[FRENCH],
        translated=page.language == language(),
        sensitive=page.facts.sensitive,
        theme=THEMES[page.facts.themes[0]],
    )


def _discreet(response: Response, pages: list[RightsPage]) -> Response:
    """The browser keeps no copy of a sensitive page: somebody else may hold the telephone next."""
    if any(page.facts.sensitive for page in pages[:1]):
        response.headers["Cache-Control"] = "no-store"
    return response


def _heard(page: RightsPage) -> tuple[Piece, ...]:
    """What can be listened to of a page; what there is to say is found once."""
    said: dict[tuple[str, str], tuple[spoken.Heard, ...]] = current_app.extensions.setdefault("said", {})
    key = page.facts.slug, page.language
    if key not in said:
        said[key] = spoken.of_rights(_library(), page)
    return pieces(said[key])


def _library() -> Library:
    library: Library = current_app.extensions["rights"]
    return library


def _situations() -> dict[str, str]:
    """Situations in this language, those not translated in French."""
    known = _library().situations
    return {**known[FRENCH], **known.get(language(), {})}


def _of_theme(theme: Theme) -> list[RightsPage]:
    """The pages whose first theme it is: each is listed once."""
    return [page for page in _library().of_theme(theme, language()) if page.facts.themes[0] is theme]


def _parts(page: RightsPage) -> list[Shown]:
    """The parts, amounts filled in; a page in French has French headings, never a mix."""
    money = {name: in_words(amount, page.language) for name, amount in _library().amounts.items()}
    address = url_for("rights.one", slug="SLUG").replace("SLUG", "{slug}")
    words = catalogue(page.language)
    bodies = {part: Markup(markup(page, part, address, money)) for part in Part}  # noqa: S704 - our own files, without HTML
    return [Shown(part, PICTOGRAMS[part], words.gettext(HEADINGS[part]), bodies[part]) for part in Part]
