"""Error pages: what happened, that nothing is lost, what to do next, in the person's language, with a telephone."""

from __future__ import annotations

import traceback

from flask import Flask, Response, current_app, make_response, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from web.transactions import db

SHOWN = {400, 403, 404, 405, 409, 413, 429, 500, 503}
DRAINED_BYTES = 64 * 1024 * 1024


def explain(app: Flask) -> None:
    """Give every error a page of its own, and keep secrets out of the log."""
    app.register_error_handler(CSRFError, _form_too_old)
    app.register_error_handler(RequestEntityTooLarge, _too_large)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _broken)


def _http(error: HTTPException) -> ResponseReturnValue:
    if error.response is not None:
        return error.response
    return page(error.code or 500)


def _form_too_old(_error: CSRFError) -> Response:
    return page(400)


def _too_large(_error: RequestEntityTooLarge) -> Response:
    """Read a little of what still comes, so that the browser listens to the answer; a file of 2 GB is cut."""
    left = DRAINED_BYTES
    while left > 0 and (chunk := request.environ["wsgi.input"].read(min(left, 1 << 20))):
        left -= len(chunk)
    return page(413)


def _broken(error: Exception) -> Response:
    """An error of ours. The log names the view, not the address: an address may hold a secret."""
    db().rollback()
    current_app.logger.error("error in %s %s\n%s", request.method, request.endpoint, _where(error))
    return page(500)


def _where(error: BaseException) -> str:
    """Where it broke and what kind of error it is, cause first.

    Not its message: the database's own quotes the row that failed, somebody's words included.
    """
    cause = error.__cause__ or error.__context__
    kind = " ".join(filter(None, [type(error).__qualname__, getattr(error, "sqlstate", None)]))
    frames = "".join(traceback.format_tb(error.__traceback__))
    return f"{_where(cause) if cause else ''}{frames}{kind}\n"


def page(code: int) -> Response:
    """The page of an error; an unknown code is shown as what it most looks like."""
    shown = code if code in SHOWN else 404 if code < 500 else 500
    response = make_response(render_template("shared/mistake.html", code=shown), code)
    response.headers["Cache-Control"] = "no-store"
    return response


def of_form(form: FlaskForm) -> list[tuple[str, str]]:
    """Each mistake of a form once, with the field to go to: for the summary above the page."""
    return [(field.id, field.errors[0]) for field in form if field.errors]
