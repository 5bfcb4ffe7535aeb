"""One application factory for both faces: each is its own process, role, secret and cookie."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime

from flask import Flask
from flask_wtf.csrf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix

from casework import vocabulary
from casework.access import spoken
from casework.database import connect
from casework.documents import LARGEST_BYTES, MOST_PAPERS
from casework.identity import load_identity
from casework.people import show_phone
from casework.settings import ROOT, Settings
from web import colours, compression, doors, headers, health, language, mistakes, static, transactions

LARGEST_POST = LARGEST_BYTES * 4
"""Four of the largest papers at once; more come in several goes."""


def make_app(face: str, settings: Settings, clock: Callable[[], datetime] | None = None) -> Flask:
    """An application for `face` (`portal` or `backoffice`), without its pages yet."""
    app = Flask(face, template_folder=str(ROOT / "templates"), static_folder=None)
    app.config.update(
        SECRET_KEY=settings.secret_key,
        SESSION_COOKIE_NAME=f"allervers_{face}",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SECURE=settings.secure_cookies,
        SESSION_COOKIE_SAMESITE="Lax" if face == "portal" else "Strict",
        MAX_CONTENT_LENGTH=LARGEST_POST,
        MAX_FORM_MEMORY_SIZE=1024 * 1024,
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SSL_STRICT=False,  # it reads the referrer, which no page of ours sends
        BABEL_DEFAULT_LOCALE="fr",
        TEMPLATES_AUTO_RELOAD=False,
    )
    app.extensions["settings"] = settings
    app.extensions["engine"] = connect(settings.database_url)
    app.extensions["clock"] = clock or (lambda: datetime.now(UTC))
    identity = load_identity(settings.territory)
    app.extensions["identity"] = identity
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(
        face=face, words=vocabulary, most_papers=MOST_PAPERS, mistakes=mistakes.of_form
    )
    languages = {
        code: facts for code, facts in vocabulary.LANGUAGES.items() if face == "portal" or facts.for_agents
    }
    in_each_language = {code: identity.in_language(code) for code in languages}
    app.context_processor(lambda: {"identity": in_each_language[language.language()]})
    app.jinja_env.filters.update(spoken=spoken, phone=show_phone)
    app.logger.setLevel(logging.INFO)
    if settings.trusted_proxies:
        count = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=count)  # type: ignore[method-assign]
    transactions.close_at_end(app)
    language.speak(app, languages)
    CSRFProtect(app)
    doors.guard(app)
    compression.compress(app)
    headers.protect(app)
    mistakes.explain(app)
    health.answer_for_health(app)
    colours.wear(app, identity)
    static.serve(app)
    return app
