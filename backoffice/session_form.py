"""The form of a group session, and the words of what does not fit."""

from __future__ import annotations

from flask import abort
from flask_babel import gettext, ngettext
from flask_babel import lazy_gettext as _l
from wtforms import (
    BooleanField,
    DateField,
    HiddenField,
    IntegerField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
    TimeField,
)
from wtforms.validators import UUID, DataRequired, InputRequired, Length, NumberRange

from backoffice.agenda import colleagues, places_of_house
from backoffice.agent import me
from backoffice.forms import HoursForm
from casework import counter
from casework.agenda import HoursError, moments
from casework.agents import Agent
from casework.requests import PARIS
from casework.sessions import (
    MOST_SEATS,
    HouseShutError,
    LeaderAwayError,
    LeaderBusyError,
    NotYourSessionError,
    Plan,
    SeatsTakenError,
    SessionDayError,
    SessionOverError,
)
from casework.vocabulary import SPOKEN_LANGUAGES
from web.transactions import db
from web.typed import clean, options

LONGEST_TITLE = 80
LONGEST_WORDS = 1000


class SessionForm(HoursForm):
    """What, when, where, for how many; `key`: the same form twice is one session."""

    title = StringField(
        _l("Titre"),
        filters=[clean],
        validators=[
            DataRequired(message=_l("Écrivez un titre.")),
            Length(max=LONGEST_TITLE, message=_l("C'est trop long.")),
        ],
    )
    words = TextAreaField(
        _l("Ce qu'on y fait, en phrases courtes"),
        filters=[clean],
        validators=[Length(max=LONGEST_WORDS, message=_l("C'est trop long."))],
    )
    day = DateField(_l("Jour"), validators=[InputRequired(message=_l("Écrivez une date."))])
    # declared again here: mistakes are listed in the order of the page
    starts_at = TimeField(_l("De"), validators=[InputRequired(message=_l("Écrivez une heure."))])
    ends_at = TimeField(_l("À"), validators=[InputRequired(message=_l("Écrivez une heure."))])
    place = SelectField(_l("Lieu"))
    agent = SelectField(_l("Animé par"), coerce=int)
    seats = IntegerField(
        _l("Nombre de places"),
        validators=[
            InputRequired(message=_l("Écrivez un nombre.")),
            NumberRange(1, MOST_SEATS, message=_l("Écrivez un nombre de 1 à 100.")),
        ],
    )
    languages = SelectMultipleField(_l("Langues parlées"), choices=options(SPOKEN_LANGUAGES.items()))
    open_to_citizens = BooleanField(_l("Les personnes peuvent s'inscrire seules, par Internet"))
    key = HiddenField(validators=[UUID()])


REFUSALS = (
    HoursError,
    SessionDayError,
    LeaderAwayError,
    HouseShutError,
    LeaderBusyError,
    SeatsTakenError,
    SessionOverError,
    NotYourSessionError,
)
"""What `sessions.make` and `sessions.change` may answer."""


def leaders() -> list[Agent]:
    """Whose agenda I may change: who may lead a session I make."""
    return [one for one in colleagues() if counter.may_edit(me(), one)]


def with_choices(form: SessionForm) -> SessionForm:
    """My house's places; the colleagues whose agenda I may change."""
    form.place.choices = options((place.id, place.name) for place in places_of_house())
    form.agent.choices = options((agent.id, agent.name) for agent in leaders())
    return form


def plan_of(form: SessionForm) -> Plan:
    return Plan(
        place_id=form.place.data,
        led_by=form.agent.data,
        title=form.title.data,
        words=form.words.data or "",
        during=moments(form.day.data, form.starts_at.data, form.ends_at.data),
        seats=form.seats.data,
        languages=form.languages.data,
        open_to_citizens=form.open_to_citizens.data,
    )


def say(form: SessionForm, error: Exception) -> None:
    """Put the words of a refusal beside the field they are about."""
    db().rollback()
    match error:
        case HoursError():
            form.ends_at.errors = [gettext("La fin vient avant le début.")]
        case SessionDayError():
            form.day.errors = [gettext("Choisissez un jour à venir, dans moins d'un an.")]
        case LeaderAwayError():
            form.agent.errors = [gettext("Cette personne est absente ce jour-là.")]
        case HouseShutError():
            form.day.errors = [gettext("La maison est fermée ce jour-là.")]
        case LeaderBusyError():
            hour = error.start.astimezone(PARIS).strftime("%H:%M")
            form.agent.errors = [
                gettext("Cette personne est déjà prise à %(hour)s. Choisissez une autre heure.", hour=hour)
            ]
        case SeatsTakenError():
            form.seats.errors = [
                ngettext(
                    "%(num)s place est déjà prise. Gardez-en au moins autant.",
                    "%(num)s places sont déjà prises. Gardez-en au moins autant.",
                    error.taken,
                )
            ]
        case SessionOverError():
            form.day.errors = [gettext("Elle a commencé, ou elle est annulée. Elle ne change plus.")]
        case NotYourSessionError():
            abort(403)
