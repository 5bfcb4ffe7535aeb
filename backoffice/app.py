"""The back office, as its server starts it: `backoffice.app:create()`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from flask import Flask

from backoffice.absences import absences
from backoffice.agenda import agenda, slot_value
from backoffice.agent import AGENT, house_of, me, signed_in
from backoffice.back_up import back_up
from backoffice.booking import booking
from backoffice.calendars import calendars, feeds
from backoffice.case import case
from backoffice.conversation import conversation
from backoffice.desk import desk, talks_about, waiting_count
from backoffice.desk_talk import desk_talk
from backoffice.forms import MODES
from backoffice.kiosks import kiosks, who_waits
from backoffice.openings import openings
from backoffice.outbox import outbox
from backoffice.phrases import phrases
from backoffice.places import places
from backoffice.queue import queue
from backoffice.sessions import sessions
from backoffice.sign_in import sign_in
from backoffice.signing_up import panel, signing_up
from backoffice.stock import stock
from backoffice.to_call import how_many, to_call
from backoffice.waiting_list import waiting_list
from casework.appointments import STANDINGS
from casework.counter import LENGTHS
from casework.journal import ACTIONS
from casework.notifications import DELIVERIES
from casework.settings import Settings, from_environment
from casework.talks import TALK_OUTCOMES
from web.app import make_app
from web.calls import answer_calls


def create(settings: Settings | None = None, clock: Callable[[], datetime] | None = None) -> Flask:
    """The agents' face."""
    app = make_app("backoffice", settings or from_environment(), clock)
    app.jinja_env.globals.update(
        signed_in=signed_in,
        house_of=house_of,
        action_words=ACTIONS,
        delivery_words=DELIVERIES,
        mode_words=dict(MODES),
        standing_words=STANDINGS,
        lengths=LENGTHS,
        slot_value=slot_value,
        session_panel=panel,
        to_call_count=how_many,
        kiosk_calls=who_waits,
        permanence_count=waiting_count,
        talks_about=talks_about,
        talk_outcomes=TALK_OUTCOMES,
    )
    for blueprint in (
        sign_in,
        queue,
        case,
        conversation,
        booking,
        waiting_list,
        agenda,
        openings,
        absences,
        back_up,
        calendars,
        feeds,
        sessions,
        signing_up,
        places,
        stock,
        to_call,
        desk,
        desk_talk,
        kiosks,
        outbox,
        phrases,
    ):
        app.register_blueprint(blueprint)
    app.register_blueprint(answer_calls(AGENT, lambda: me().id))
    return app
