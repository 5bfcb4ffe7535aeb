"""The kiosks of my house: a manager makes and removes them; the queue says who waits for help at one."""

from __future__ import annotations

from uuid import UUID, uuid4

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import HiddenField, StringField, validators
from wtforms.validators import DataRequired, Length

from backoffice.agent import AGENT, me
from casework import kiosks as screens
from casework.kiosks import Waiting
from casework.vocabulary import Role
from web.compression import showing_secret
from web.doors import open_to
from web.transactions import db, now, settings
from web.typed import clean

kiosks = Blueprint("kiosks", __name__, url_prefix="/<lang>/bornes")


class KioskForm(FlaskForm):
    """Where it stands; `submission`: the same form twice is one kiosk."""

    name = StringField(
        _l("Où est la borne ?"),
        filters=[clean],
        validators=[
            DataRequired(message=_l("Écrivez où est la borne.")),
            Length(max=screens.LONGEST_NAME, message=_l("C'est trop long.")),
        ],
    )
    submission = HiddenField(validators=[validators.UUID()])


def who_waits() -> list[Waiting]:
    """Who waits for help at a kiosk of my house: for the queue."""
    return screens.waiting(db(), me().house_id, now())


@kiosks.get("")
@open_to(AGENT)
def show() -> ResponseReturnValue:
    """The kiosks of my house."""
    _needs_manager()
    return _page(_blank())


@kiosks.post("")
@open_to(AGENT)
def make() -> ResponseReturnValue:
    """One more: the address to open on it is shown on this page and never again."""
    _needs_manager()
    form = KioskForm()
    if not form.validate():
        return _page(form), 422
    submission = UUID(form.submission.data)
    try:
        key = screens.make(
            db(), settings().access_key, me().house_id, form.name.data, now(), me(), submission
        )
    except screens.AlreadyMadeError:
        return redirect(url_for("kiosks.show", fait="deja"), 303)
    db().commit()
    address = f"{settings().portal_address}/borne/{key}"
    return showing_secret(_page(_blank(), address))


@kiosks.post("/<uuid:kiosk_id>/retirer")
@open_to(AGENT)
def remove(kiosk_id: UUID) -> ResponseReturnValue:
    """It stops at its next page."""
    _needs_manager()
    if not screens.remove(db(), me(), kiosk_id, now()):
        abort(404)
    db().commit()
    return redirect(url_for("kiosks.show", fait="remove"), 303)


@kiosks.post("/vu")
@open_to(AGENT)
def see() -> ResponseReturnValue:
    """I go to the kiosk where somebody waits."""
    try:
        call_id = UUID(request.form.get("appel", ""))
    except ValueError:
        abort(400)
    if not screens.see(db(), me(), call_id, now()):
        abort(404)
    db().commit()
    return redirect(url_for("queue.house"), 303)


def _blank() -> KioskForm:
    return KioskForm(formdata=None, submission=str(uuid4()))


def _needs_manager() -> None:
    if not me().is_a(Role.MANAGER):
        abort(403)


def _page(form: KioskForm, address: str = "") -> str:
    return render_template(
        "backoffice/kiosks.html",
        form=form,
        address=address,
        kiosks=screens.of_house(db(), me().house_id),
        done=request.args.get("fait", ""),
    )
