"""My agenda in another calendar: a secret address that others read, and a calendar linked both ways."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlsplit

from flask import Blueprint, Response, abort, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from backoffice.agent import AGENT, me
from backoffice.forms import CalendarForm
from casework import agent_calendar, calendar_links
from casework.agent_calendar import CalendarFeed
from casework.caldav import TROUBLES, LoginError
from casework.calendar_file import MIME_TYPE
from casework.calendar_links import AlreadyLinkedError
from web.compression import showing_secret
from web.doors import ANYONE, open_to
from web.transactions import db, now, settings

calendars = Blueprint("calendars", __name__, url_prefix="/<lang>/agenda/calendrier")
feeds = Blueprint("feeds", __name__, url_prefix="/agenda/flux")

LATE = timedelta(minutes=30)


@calendars.get("")
@open_to(AGENT)
def show() -> ResponseReturnValue:
    """What is shared with other calendars, and how to change it."""
    return _page(CalendarForm(formdata=None))


@calendars.post("/adresse")
@open_to(AGENT)
def make_address() -> ResponseReturnValue:
    """Make the secret address, or another one; it is shown on this page and never again."""
    secret = agent_calendar.make_address(db(), me(), settings().access_key, now())
    db().commit()
    address = settings().backoffice_address + url_for("feeds.read", secret=secret)
    return showing_secret(_page(CalendarForm(formdata=None), address=address))


@calendars.post("/adresse/arreter")
@open_to(AGENT)
def stop_address() -> ResponseReturnValue:
    """The address opens nothing any more."""
    agent_calendar.stop_address(db(), me(), now())
    db().commit()
    return redirect(url_for("calendars.show", fait="stop"), 303)


@calendars.post("/lien")
@open_to(AGENT)
def link() -> ResponseReturnValue:
    """Link my calendar, or give its password again; the worker tries it within a minute."""
    if not settings().caldav_url:
        abort(404)
    form = CalendarForm()
    if form.validate():
        try:
            calendar_links.link(
                db(), me(), form.login.data, form.password.data, settings().documents_public_key, now()
            )
            db().commit()
            return redirect(url_for("calendars.show", fait="link"), 303)
        except LoginError:
            form.login.errors = [gettext("Cet identifiant a une lettre ou un signe de trop.")]
        except AlreadyLinkedError:
            form.login.errors = [gettext("Ce calendrier est déjà lié à un autre agenda.")]
        db().rollback()
    return make_response(_page(form), 422)


@calendars.post("/lien/retirer")
@open_to(AGENT)
def unlink() -> ResponseReturnValue:
    """Link my calendar no more."""
    calendar_links.unlink(db(), me(), now())
    db().commit()
    return redirect(url_for("calendars.show", fait="unlink"), 303)


@feeds.get("/<secret>.ics")
@open_to(ANYONE)
def read(secret: str) -> ResponseReturnValue:
    """My appointments, for whoever holds the address: 128 random bits, which nobody guesses."""
    agent = agent_calendar.opened_by(db(), settings().access_key, secret, now())
    if agent is None:
        abort(404)
    host = urlsplit(settings().portal_address).hostname or "localhost"
    entries = agent_calendar.appointments_shown(db(), agent.id, host, now())
    entries += agent_calendar.absences_shown(db(), agent.id, host, now())
    db().commit()
    response = Response(agent_calendar.as_file(entries), content_type=f"{MIME_TYPE}; charset=utf-8")
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["Content-Disposition"] = "attachment; filename=rendez-vous.ics"
    response.add_etag(weak=True)
    return response.make_conditional(request)


def _page(form: CalendarForm, address: str = "") -> str:
    linked = calendar_links.of_agent(db(), me().id)
    return render_template(
        "backoffice/agenda/calendar.html",
        whose=me(),
        form=form,
        address=address,
        feed=db().get(CalendarFeed, me().id),
        linkable=bool(settings().caldav_url),
        linked=linked,
        trouble=TROUBLES[linked.error] if linked and linked.error else "",
        late=bool(linked and linked.synced_at and now() - linked.synced_at > LATE),
        done="" if form.errors or address else request.args.get("fait", ""),
    )
