"""A rights page in sign language, on a page of its own: nothing of the video loads before a tap asks for it."""

from __future__ import annotations

from flask import Blueprint, Response, abort, current_app, render_template, send_file, url_for
from flask.typing import ResponseReturnValue

from casework.rights import Library, RightsPage
from casework.signs import CAPTIONS, KINDS, VIDEOS, SignVideo
from web.compression import same_for_everybody
from web.doors import ANYONE, open_to
from web.language import language

signs = Blueprint("signs", __name__)

A_YEAR = 31_536_000


@signs.get("/<lang>/droits/<slug>/signes")
@open_to(ANYONE)
def watch(slug: str) -> ResponseReturnValue:
    """The video, its captions, its words."""
    page, _ = _found(slug)
    response = _watch(slug=slug)
    if page.facts.sensitive:
        response.headers["Cache-Control"] = "no-store"
    return response


@same_for_everybody
def _watch(slug: str) -> str:
    page, video = _found(slug)
    address = {
        name: url_for("signs.file", slug=slug, digest=video.digest, name=name)
        for name in (video.video, video.poster, CAPTIONS)
    }
    return render_template(
        "portal/rights/signs.html",
        page=page,
        sensitive=page.facts.sensitive,
        video=address[video.video],
        kind=VIDEOS[video.video],
        poster=address[video.poster],
        captions=address[CAPTIONS],
        transcript=video.transcript,
    )


@signs.get("/signes/<slug>/<digest>/<name>")
@open_to(ANYONE)
def file(slug: str, digest: str, name: str) -> Response:
    """One file of a video, whole or a range of it. Its address changes with its content."""
    page, video = _found(slug)
    if digest != video.digest or name not in {video.video, video.poster, CAPTIONS}:
        abort(404)
    response = send_file(video.folder / name, mimetype=KINDS[name], conditional=True, max_age=A_YEAR)
    if page.facts.sensitive:  # the telephone may be searched
        response.headers["Cache-Control"] = "no-store"
    else:
        response.cache_control.public = True
        response.cache_control.immutable = True
    return response


def _found(slug: str) -> tuple[RightsPage, SignVideo]:
    library: Library = current_app.extensions["rights"]
    page, video = library.page(slug, language()), library.signs.get(slug)
    if page is None or video is None:
        abort(404)
    return page, video
