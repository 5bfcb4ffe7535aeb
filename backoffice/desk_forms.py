"""The forms of the virtual permanence: its times, and how a talk ends."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    DateField,
    HiddenField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
    TimeField,
)
from wtforms.validators import UUID, DataRequired, InputRequired, Length

from backoffice.forms import LONGEST_LINE, WEEKDAYS
from casework.calling import SPOKEN
from casework.messages import LONGEST_BODY
from casework.talks import LONGEST_LINE as LONGEST_SAID
from casework.talks import TALK_OUTCOMES
from casework.vocabulary import SPOKEN_LANGUAGES
from web.typed import clean, options

TOO_LONG = _l("C'est trop long.")


class PermanenceForm(FlaskForm):
    """Its name, who may come in, in which languages; `key`: the same form twice is one permanence."""

    name = StringField(
        _l("Nom"),
        filters=[clean],
        validators=[DataRequired(message=_l("Écrivez un nom.")), Length(max=80, message=TOO_LONG)],
    )
    languages = SelectMultipleField(_l("Langues parlées"), choices=options(SPOKEN_LANGUAGES.items()))
    walk_in = BooleanField(_l("Sans rendez-vous, aux heures de la permanence"))
    with_appointment = BooleanField(_l("Avec un rendez-vous en vidéo"))
    active = BooleanField(_l("En service"))
    key = HiddenField(validators=[UUID()])


class TimesForm(FlaskForm):
    """The same hours on some days of the week, from a day to another."""

    first_day = DateField(_l("Du"), validators=[InputRequired(message=_l("Écrivez une date."))])
    last_day = DateField(_l("Au"), validators=[InputRequired(message=_l("Écrivez une date."))])
    weekdays = SelectMultipleField(_l("Jours"), choices=options(WEEKDAYS))
    starts_at = TimeField(_l("De"), validators=[InputRequired(message=_l("Écrivez une heure."))])
    ends_at = TimeField(_l("À"), validators=[InputRequired(message=_l("Écrivez une heure."))])


class ReasonForm(FlaskForm):
    """Why this person before the others."""

    reason = StringField(
        _l("Pourquoi"), filters=[clean], validators=[Length(max=LONGEST_LINE, message=TOO_LONG)]
    )


class SayForm(FlaskForm):
    """Something to say; `submission`: the same form twice is one line."""

    body = TextAreaField(
        _l("Votre message"), filters=[clean], validators=[Length(max=LONGEST_SAID, message=TOO_LONG)]
    )
    submission = HiddenField(validators=[UUID()])


class HandForm(FlaskForm):
    """To whom, and what they should know."""

    to = SelectField(_l("Passer à"), coerce=int)
    notes = StringField(
        _l("Ce qu'il faut savoir"), filters=[clean], validators=[Length(max=LONGEST_LINE, message=TOO_LONG)]
    )


class ThirdForm(FlaskForm):
    """An interpreter, or somebody the person trusts."""

    name = StringField(
        _l("Nom de cette personne"),
        filters=[clean],
        validators=[DataRequired(message=_l("Écrivez un nom.")), Length(max=60, message=TOO_LONG)],
    )
    spoken = SelectField(_l("Langue de cette personne"), choices=options(SPOKEN_LANGUAGES.items()))


class EndForm(FlaskForm):
    """How it ended: for the house, and for the person."""

    outcome = RadioField(
        _l("Suite"),
        choices=options((value.value, word) for value, word in TALK_OUTCOMES.items() if value in SPOKEN),
        validators=[DataRequired(message=_l("Choisissez une réponse."))],
    )
    summary = TextAreaField(
        _l("Ce que vous avez décidé ensemble"),
        filters=[clean],
        validators=[Length(max=LONGEST_BODY, message=TOO_LONG)],
    )
    notes = TextAreaField(
        _l("Notes pour la maison"), filters=[clean], validators=[Length(max=LONGEST_BODY, message=TOO_LONG)]
    )
    submission = HiddenField(validators=[UUID()])
