"""The portal, as its server starts it: `portal.app:create()`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from flask import Flask

from casework.settings import Settings, from_environment
from casework.waiting_room import CHANNELS_WANTED
from portal import kiosk_browser, visit
from portal.announcing import receives_now
from portal.asking import asking
from portal.booking import booking
from portal.conversation import conversation
from portal.follow import follow
from portal.incoming_texts import incoming_texts
from portal.instead import permanence
from portal.kiosk import kiosk
from portal.listening import offer_audio
from portal.offline import keep_pages
from portal.pages import pages
from portal.papers import papers
from portal.permanence import of_request
from portal.proposal import proposal
from portal.rights import keep_ready, rights
from portal.sessions import sessions
from portal.signs import signs
from portal.talk import talk
from web.app import make_app
from web.calls import answer_calls
from web.doors import Door

TALK = Door("the people of a talk alone: the database is asked at each call", lambda: None)


def create(settings: Settings | None = None, clock: Callable[[], datetime] | None = None) -> Flask:
    """The citizens' face."""
    app = make_app("portal", settings or from_environment(), clock)
    app.extensions["present"] = visit.present_secret
    kiosk_browser.stand(app)
    keep_ready(app)
    offer_audio(app)
    app.jinja_env.globals.update(
        receives_now=receives_now, permanence_door=of_request, channel_words=CHANNELS_WANTED
    )
    for blueprint in (
        pages,
        asking,
        papers,
        follow,
        conversation,
        booking,
        proposal,
        sessions,
        rights,
        signs,
        permanence,
        talk,
        kiosk,
        incoming_texts,
    ):
        app.register_blueprint(blueprint)
    keep_pages(app)
    app.register_blueprint(answer_calls(TALK, lambda: None))
    app.extensions["csrf"].exempt(incoming_texts)  # a program holds no form's token: it signs
    return app
