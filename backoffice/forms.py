"""The forms of a request's page, each with the version of the request it was made from; then those of agendas."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import (
    BooleanField,
    DateField,
    HiddenField,
    IntegerField,
    PasswordField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
    TimeField,
)
from wtforms.validators import (
    UUID,
    AnyOf,
    DataRequired,
    InputRequired,
    Length,
    NumberRange,
    Optional,
    ValidationError,
)

from casework.agenda import Audience, Mode
from casework.messages import LONGEST_BODY
from casework.vocabulary import CONTACT_RULES, OUTCOMES, SPOKEN_LANGUAGES, THEMES
from web.typed import clean, options

LONGEST_LINE = 500
LONGEST_TRAVEL = 240

WEEKDAYS = [
    ("0", _l("lundi")),
    ("1", _l("mardi")),
    ("2", _l("mercredi")),
    ("3", _l("jeudi")),
    ("4", _l("vendredi")),
    ("5", _l("samedi")),
    ("6", _l("dimanche")),
]
REPEATS = [
    ("weekly", _l("Chaque semaine")),
    ("fortnightly", _l("Une semaine sur deux")),
    ("monthly", _l("Une fois par mois")),
    ("once", _l("Un seul jour")),
]
NTHS = [
    ("1", _l("Le premier du mois")),
    ("2", _l("Le deuxième du mois")),
    ("3", _l("Le troisième du mois")),
    ("4", _l("Le quatrième du mois")),
    ("-1", _l("Le dernier du mois")),
]
MODES = [
    (Mode.HERE.value, _l("Sur place")),
    (Mode.PHONE.value, _l("Au téléphone")),
    (Mode.VIDEO.value, _l("En vidéo")),
    (Mode.HOME.value, _l("À domicile")),
]
"""How one meets, as agents say it: what citizens read is in `casework.agenda`."""
AUDIENCES = [
    (Audience.CITIZENS.value, _l("Tout le monde, par Internet aussi")),
    (Audience.INVITED.value, _l("Les personnes invitées, et nous")),
    (Audience.AGENTS.value, _l("Nous seulement")),
]


class VersionedForm(FlaskForm):
    """A form made from one version of a request."""

    version = IntegerField(validators=[InputRequired()])


class QualifyForm(VersionedForm):
    """What it is about, whether it can wait, what is missing."""

    themes = SelectMultipleField(
        _l("Thèmes"),
        choices=options((theme.value, word.label) for theme, word in THEMES.items()),
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


class ContactRuleForm(VersionedForm):
    """How a person at risk may be told things."""

    rule = RadioField(
        _l("Comment prévenir la personne"),
        choices=options((rule.value, word.label) for rule, word in CONTACT_RULES.items()),
        validators=[InputRequired(message=_l("Choisissez une réponse."))],
    )
    contact = StringField(
        _l("L'autre contact"),
        filters=[clean],
        validators=[Length(max=200, message=_l("C'est trop long."))],
    )
    why = StringField(
        _l("Pourquoi"),
        filters=[clean],
        validators=[
            DataRequired(message=_l("Écrivez un mot pour dire pourquoi.")),
            Length(max=LONGEST_LINE, message=_l("C'est trop long.")),
        ],
    )


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
        choices=options(
            [
                ("", _l("Choisissez")),
                *((outcome.value, _l(word.label)) for outcome, word in OUTCOMES.items()),
            ]
        ),
        validators=[AnyOf([outcome.value for outcome in OUTCOMES], message=_l("Choisissez un résultat."))],
    )


class NothingForm(VersionedForm):
    """Only a button."""

    unused = HiddenField(validators=[Optional()])


class HoursForm(FlaskForm):
    """From one hour to another, the same day."""

    starts_at = TimeField(_l("De"), validators=[InputRequired(message=_l("Écrivez une heure."))])
    ends_at = TimeField(_l("À"), validators=[InputRequired(message=_l("Écrivez une heure."))])

    def validate_ends_at(self, field: TimeField) -> None:
        """The end comes after the beginning."""
        if self.starts_at.data and field.data and field.data <= self.starts_at.data:
            raise ValidationError(_l("La fin vient avant le début."))


class RuleForm(HoursForm):
    """When, where and for what an agent receives."""

    mode = SelectField(_l("Comment"), choices=options(MODES))
    place = SelectField(_l("Lieu"))
    kinds = SelectMultipleField(
        _l("Pour quels rendez-vous"),
        validators=[InputRequired(message=_l("Choisissez au moins un type de rendez-vous."))],
    )
    audience = SelectField(_l("Qui peut réserver"), choices=options(AUDIENCES))
    languages = SelectMultipleField(
        _l("Langues parlées, en plus du français"),
        choices=options((code, name) for code, name in SPOKEN_LANGUAGES.items() if code != "fr"),
    )
    travel = IntegerField(
        _l("Minutes de route pour aller chez la personne"),
        validators=[
            Optional(),
            NumberRange(0, LONGEST_TRAVEL, message=_l("Écrivez un nombre de minutes, 240 au plus.")),
        ],
    )
    repeat = SelectField(_l("Quand"), choices=options(REPEATS))
    weekdays = SelectMultipleField(_l("Jours"), choices=options(WEEKDAYS))
    nth = SelectField(_l("Une fois par mois : lequel"), choices=options(NTHS))
    first_day = DateField(_l("À partir du"), validators=[InputRequired(message=_l("Écrivez une date."))])
    last_day = DateField(_l("Jusqu'au"), validators=[Optional()])

    def validate_place(self, field: SelectField) -> None:
        """One comes somewhere."""
        if self.mode.data == Mode.HERE and not field.data:
            raise ValidationError(_l("Choisissez un lieu."))

    def validate_weekdays(self, field: SelectMultipleField) -> None:
        """What comes again comes on some day of the week."""
        if self.repeat.data != "once" and not field.data:
            raise ValidationError(_l("Choisissez au moins un jour."))

    def validate_last_day(self, field: DateField) -> None:
        """The end comes after the beginning."""
        if self.first_day.data and field.data and field.data < self.first_day.data:
            raise ValidationError(_l("La fin vient avant le début."))


class DaysForm(FlaskForm):
    """From one day to another, both included. `knowing`: the warning was read."""

    first_day = DateField(_l("Premier jour"), validators=[InputRequired(message=_l("Écrivez une date."))])
    last_day = DateField(_l("Dernier jour"), validators=[InputRequired(message=_l("Écrivez une date."))])
    knowing = BooleanField(_l("Je sais, et je confirme"))


class ClosureForm(DaysForm):
    """When the house is closed, and why."""

    reason = StringField(
        _l("Pourquoi"),
        filters=[clean],
        validators=[
            DataRequired(message=_l("Écrivez un mot pour dire pourquoi.")),
            Length(max=LONGEST_LINE, message=_l("C'est trop long.")),
        ],
    )


class EndForm(FlaskForm):
    """The last day of a rule. `knowing`: the warning was read."""

    last_day = DateField(_l("Dernier jour"), validators=[InputRequired(message=_l("Écrivez une date."))])
    knowing = BooleanField(_l("Je sais, et je confirme"))


class CalendarForm(FlaskForm):
    """The login and the password of an agent's own calendar."""

    login = StringField(
        _l("Identifiant du calendrier"),
        filters=[clean],
        validators=[
            DataRequired(message=_l("Écrivez votre identifiant.")),
            Length(max=100, message=_l("C'est trop long.")),
        ],
    )
    password = PasswordField(
        _l("Mot de passe du calendrier"),
        validators=[
            InputRequired(message=_l("Écrivez votre mot de passe.")),
            Length(max=LONGEST_LINE, message=_l("C'est trop long.")),
        ],
    )


class ChangeForm(HoursForm):
    """Other hours for one day. `knowing`: the warning was read."""

    knowing = BooleanField(_l("Je sais, et je confirme"))


class ExtraForm(FlaskForm):
    """Somebody squeezed in: with whom, for what, when, and why."""

    agent = SelectField(_l("Avec"), coerce=int)
    kind = SelectField(_l("Type de rendez-vous"))
    mode = SelectField(_l("Comment"), choices=options(MODES))
    place = SelectField(_l("Lieu"))
    day = DateField(_l("Jour"), validators=[InputRequired(message=_l("Écrivez une date."))])
    starts_at = TimeField(_l("Heure"), validators=[InputRequired(message=_l("Écrivez une heure."))])
    why = StringField(
        _l("Pourquoi"),
        filters=[clean],
        validators=[
            DataRequired(message=_l("Écrivez un mot pour dire pourquoi.")),
            Length(max=LONGEST_LINE, message=_l("C'est trop long.")),
        ],
    )

    def validate_place(self, field: SelectField) -> None:
        """One comes somewhere."""
        if self.mode.data == Mode.HERE and not field.data:
            raise ValidationError(_l("Choisissez un lieu."))
