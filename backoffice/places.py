"""Where the house receives: the inventory of its places, and a pop-up permanence announced from a phone."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from wtforms import BooleanField, DateField, HiddenField, IntegerField, SelectField, StringField, TimeField
from wtforms.validators import UUID, DataRequired, InputRequired, Length, NumberRange

from backoffice.agent import AGENT, house_of, me
from backoffice.forms import HoursForm
from casework import counter
from casework import places as inventory
from casework.agenda import HoursError, Kind
from casework.agents import Agent
from casework.places import AwayError, BookedElsewhereError, DayError, Popup
from casework.requests import PARIS
from casework.territory import Commune, Place, PlaceKind, Sector, SectorCommune
from casework.vocabulary import Role
from web.doors import open_to
from web.transactions import db, now
from web.typed import clean, options

places = Blueprint("places", __name__, url_prefix="/<lang>/lieux")

LONGEST_NAME = 80
MOST_DESKS = 20


class PopupForm(HoursForm):
    """Where, when, for whom: short enough for a phone. No kind: without appointment."""

    name = StringField(
        _l("Nom du lieu"),
        filters=[clean],
        validators=[
            DataRequired(message=_l("Écrivez le nom du lieu.")),
            Length(max=LONGEST_NAME, message=_l("C'est trop long.")),
        ],
    )
    commune = SelectField(_l("Commune"))
    day = DateField(_l("Jour"), validators=[InputRequired(message=_l("Écrivez une date."))])
    # declared again here: mistakes are listed in the order of the page
    starts_at = TimeField(_l("De"), validators=[InputRequired(message=_l("Écrivez une heure."))])
    ends_at = TimeField(_l("À"), validators=[InputRequired(message=_l("Écrivez une heure."))])
    agent = SelectField(_l("Travailleur social"), coerce=int)
    kind = SelectField(_l("Type de rendez-vous"))
    desks = IntegerField(
        _l("Nombre de bureaux"),
        validators=[
            InputRequired(message=_l("Écrivez un nombre.")),
            NumberRange(1, MOST_DESKS, message=_l("Écrivez un nombre de 1 à 20.")),
        ],
    )
    step_free = BooleanField(_l("On entre sans marche"))
    key = HiddenField(validators=[UUID()])


@places.get("")
@open_to(AGENT)
def show() -> ResponseReturnValue:
    """Every place of my house, how often somebody is there, and who came."""
    lines = inventory.inventory(db(), me().house_id, now())
    announced = request.args.get("annonce", "")
    return render_template(
        "backoffice/places.html",
        lines=lines,
        popup=PlaceKind.POPUP,
        announced=next((line for line in lines if line.place.id == announced), None),
    )


@places.get("/nouveau")
@open_to(AGENT)
def new() -> ResponseReturnValue:
    """The form, filled in as far as can be guessed: my house's commune, tomorrow, me."""
    tomorrow = now().astimezone(PARIS).date() + timedelta(days=1)
    own = db().scalar(
        select(Place.commune_code).where(Place.house_id == me().house_id, Place.kind == PlaceKind.HOUSE)
    )
    form = PopupForm(formdata=None, day=tomorrow, desks=1, commune=own, agent=me().id, key=str(uuid4()))
    return _form(form)


@places.post("/nouveau")
@open_to(AGENT)
def announce() -> ResponseReturnValue:
    """Announce it, or say what does not fit and keep what was typed."""
    form = _with_choices(PopupForm())
    if not form.validate():
        return _form(form, 422)
    popup = Popup(
        key=form.key.data,
        name=form.name.data,
        commune_code=form.commune.data,
        day=form.day.data,
        starts_at=form.starts_at.data,
        ends_at=form.ends_at.data,
        desks=form.desks.data,
        step_free=form.step_free.data,
        kind_id=form.kind.data or None,
    )
    try:
        place = inventory.announce(db(), me(), db().get_one(Agent, form.agent.data), popup, now())
        db().commit()
    except DayError:
        form.day.errors = [gettext("Choisissez un jour à venir, dans moins d'un an.")]
    except HoursError:
        form.ends_at.errors = [gettext("La fin vient avant le début.")]
    except AwayError:
        form.agent.errors = [gettext("Cette personne est absente ce jour-là.")]
    except BookedElsewhereError as error:
        hour = error.start.astimezone(PARIS).strftime("%H:%M")
        form.agent.errors = [gettext("Cette personne a déjà un rendez-vous à %(hour)s.", hour=hour)]
    else:
        return redirect(url_for("places.show", annonce=place.id), 303)
    db().rollback()
    return _form(form, 422)


def _form(form: PopupForm, code: int = 200) -> ResponseReturnValue:
    return render_template("backoffice/popup.html", form=_with_choices(form)), code


def _with_choices(form: PopupForm) -> PopupForm:
    """My house's communes; the workers whose agenda I may change; the kinds of appointment, or none."""
    house = house_of(me())
    communes = db().execute(
        select(Commune.code, Commune.name)
        .join(SectorCommune, SectorCommune.commune_code == Commune.code)
        .join(Sector, Sector.id == SectorCommune.sector_id)
        .where(Sector.house_id == house.id)
        .order_by(Commune.name)
    )
    form.commune.choices = options((code, name) for code, name in communes)
    workers = db().scalars(
        select(Agent)
        .where(Agent.house_id == house.id, Agent.active, Agent.roles.contains([Role.WORKER.value]))
        .order_by(Agent.name)
    )
    form.agent.choices = options(
        (worker.id, worker.name) for worker in workers if counter.may_edit(me(), worker)
    )
    kinds = db().execute(select(Kind.id, Kind.name).order_by(Kind.minutes, Kind.name))
    form.kind.choices = options([("", gettext("Sans rendez-vous")), *((key, name) for key, name in kinds)])
    return form
