"""What goes out to people: letters and what else an agent does by hand, and what the demonstration would have sent.

What ends in a call is on another page (`backoffice.to_call`); the words of any message are here.
"""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, abort, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import or_, select

from backoffice.agent import AGENT, me
from casework import journal
from casework.delivery import rendered
from casework.notifications import Delivery, Notification
from casework.requests import Request
from casework.vocabulary import Channel, ContactRule
from web.doors import open_to
from web.transactions import db, now, settings

outbox = Blueprint("outbox", __name__, url_prefix="/<lang>/envois")

SHOWN_AT_MOST = 100
READ_BY_AGENTS = frozenset({Delivery.BY_HAND, Delivery.FAILED, Delivery.STOPPED, Delivery.SHOWN})
"""Messages whose words an agent may have to say, or to print."""


@outbox.get("")
@open_to(AGENT)
def show() -> ResponseReturnValue:
    """By hand first, then (demonstration) what would have left."""
    query = (
        select(Notification, Request.number)
        .join(Request, Request.id == Notification.request_id)
        .where(
            Request.house_id == me().house_id,
            or_(Notification.channel != Channel.CALL, Notification.state == Delivery.SHOWN),
            Request.contact_rule != ContactRule.NONE,
        )
        .order_by(Notification.created_at.desc())
        .limit(SHOWN_AT_MOST)
    )
    by_state = {
        state: db().execute(query.where(Notification.state == state)).all()
        for state in (Delivery.BY_HAND, Delivery.SHOWN)
    }
    return render_template("backoffice/outbox.html", by_state=by_state)


@outbox.get("/<uuid:notification_id>")
@open_to(AGENT)
def open_one(notification_id: UUID) -> ResponseReturnValue:
    """The words of a letter to print, of a call to make, of what did not arrive; of any, in the demonstration."""
    notification, number = _of_my_house(notification_id)
    if notification.sealed_secret is None or notification.state not in READ_BY_AGENTS:
        abort(404)
    journal.write(
        db(), journal.Action.OPENED, now(), request_id=notification.request_id, agent=me(), what="message"
    )
    page = render_template(
        "backoffice/sending.html",
        sending=notification,
        number=number,
        words_sent=rendered(db(), settings(), notification),
    )
    db().commit()
    return page


@outbox.post("/<uuid:notification_id>/fait")
@open_to(AGENT)
def done(notification_id: UUID) -> ResponseReturnValue:
    """The letter has left, the call is made."""
    notification, _ = _of_my_house(notification_id)
    if notification.state is Delivery.BY_HAND:
        notification.state = Delivery.DONE
        notification.sent_at = now()
        notification.sealed_secret = None
        journal.write(
            db(), journal.Action.NOTIFIED, now(), request_id=notification.request_id, agent=me(),
            channel=notification.channel.value, template=notification.template.value,
        )  # fmt: skip
        db().commit()
    return redirect(url_for("outbox.show"), 303)


def _of_my_house(notification_id: UUID) -> tuple[Notification, str]:
    row = (
        db()
        .execute(
            select(Notification, Request.number)
            .join(Request, Request.id == Notification.request_id)
            .where(Notification.id == notification_id, Request.house_id == me().house_id)
        )
        .one_or_none()
    )
    if row is None:
        abort(404)
    return row[0], row[1]
