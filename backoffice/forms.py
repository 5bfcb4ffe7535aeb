"""The forms of a request's page. Each carries the version of the request it was made from."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    HiddenField,
    IntegerField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import UUID, AnyOf, DataRequired, InputRequired, Length, Optional

from casework.messages import LONGEST_BODY
from casework.vocabulary import OUTCOMES, THEMES
from web.typed import clean

LONGEST_LINE = 500


class VersionedForm(FlaskForm):
    """A form made from one version of a request."""

    version = IntegerField(validators=[InputRequired()])


class QualifyForm(VersionedForm):
    """What it is about, whether it can wait, what is missing."""

    themes = SelectMultipleField(
        _l("Thèmes"),
        choices=[(theme.value, word.label) for theme, word in THEMES.items()],
        validators=[InputRequired(message=_l("Choisissez au moins un thème."))],
    )
    urgent = BooleanField(_l("Demande urgente"))
    urgency_reason = StringField(
        _l("Pourquoi urgente ou non urgente"),
        filters=[clean],
        validators=[Length(max=LONGEST_LINE, message=_l("C'est trop long."))],
    )
    missing = StringField(
        _l("Ce qui manque"),
        filters=[clean],
        validators=[Length(max=LONGEST_LINE, message=_l("C'est trop long."))],
    )


class WorkerForm(VersionedForm):
    """To which colleague, and why."""

    worker = SelectField(
        _l("Travailleur social"),
        coerce=int,
        validators=[InputRequired(message=_l("Choisissez une personne."))],
    )
    why = StringField(
        _l("Pourquoi"),
        filters=[clean],
        validators=[Length(max=LONGEST_LINE, message=_l("C'est trop long."))],
    )


class WriteForm(VersionedForm):
    """A message to the person."""

    body = TextAreaField(
        _l("Votre message"),
        filters=[clean],
        validators=[
            DataRequired(message=_l("Écrivez un message.")),
            Length(max=LONGEST_BODY, message=_l("Votre texte est trop long. Gardez le plus important.")),
        ],
    )
    submission = HiddenField(validators=[UUID()])


class WhyForm(VersionedForm):
    """A word of why."""

    why = StringField(
        _l("Pourquoi"),
        filters=[clean],
        validators=[Length(max=LONGEST_LINE, message=_l("C'est trop long."))],
    )


class OutcomeForm(VersionedForm):
    """How it ended."""

    outcome = SelectField(
        _l("Résultat"),
        choices=[
            ("", _l("Choisissez")),
            *((outcome.value, _l(word.label)) for outcome, word in OUTCOMES.items()),
        ],
        validators=[AnyOf([outcome.value for outcome in OUTCOMES], message=_l("Choisissez un résultat."))],
    )


class NothingForm(VersionedForm):
    """Only a button."""

    unused = HiddenField(validators=[Optional()])
