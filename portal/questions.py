"""The questions, one a page, in order: what each asks, how an answer is checked and kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import Field, RadioField, SelectField, SelectMultipleField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import AnyOf, DataRequired, Length, Optional, ValidationError

from casework.people import UnreachableError, can_get_texts, read_email, read_phone, show_phone
from casework.requests import LONGEST_WORDS, Answers
from casework.vocabulary import (
    CALL_TIMES,
    CHANNELS,
    N_,
    NEEDS,
    SPOKEN_LANGUAGES,
    THEMES,
    URGENCIES,
    CallTime,
    Channel,
    Word,
)
from web.typed import clean, options


def _options(words: dict[Any, Word]) -> list[SelectChoice]:
    return options((value.value, word.label) for value, word in words.items())


class ThemeForm(FlaskForm):
    """What is it about? One tap answers and goes on."""

    theme = StringField(
        validators=[AnyOf([theme.value for theme in THEMES], message=_l("Choisissez une réponse."))]
    )


class UrgencyForm(FlaskForm):
    """Is it urgent? One tap answers and goes on."""

    urgency = StringField(
        validators=[AnyOf([word.value for word in URGENCIES], message=_l("Choisissez une réponse."))]
    )


class WordsForm(FlaskForm):
    """In my own words; may stay empty."""

    words = TextAreaField(
        _l("Votre situation"),
        filters=[clean],
        validators=[
            Length(max=LONGEST_WORDS, message=_l("Votre texte est trop long. Gardez le plus important."))
        ],
    )


class PlaceForm(FlaskForm):
    """Where I live. The search itself is in the view: it may answer with several communes."""

    commune_typed = StringField(
        _l("Ville, village ou code postal"),
        filters=[clean],
        validators=[
            DataRequired(message=_l("Écrivez votre ville ou votre code postal.")),
            Length(max=80, message=_l("C'est trop long.")),
        ],
    )


class ChannelsForm(FlaskForm):
    """How to answer me: at least one way."""

    channels = SelectMultipleField(_l("Comment vous répondre ?"), choices=_options(CHANNELS))
    visit_is_nothing = False
    """Where somebody else may read the telephone, a visit is called "send me nothing"."""

    def validate_channels(self, field: SelectMultipleField) -> None:
        """At least one; "send me nothing" alone."""
        if not field.data:
            raise ValidationError(_l("Choisissez au moins une réponse."))
        if self.visit_is_nothing and Channel.VISIT.value in field.data and len(field.data) > 1:
            raise ValidationError(_l("Choisissez « Ne m'envoyez rien » ou autre chose, pas les deux."))


class PhoneField(StringField):
    """A telephone number; once it is right, it is shown as people of France read it."""

    def _value(self) -> str:
        try:
            return show_phone(read_phone(self.data or ""))
        except UnreachableError:
            return self.data or ""


NEEDED = {
    Channel.SMS: ("sms_number", _l("Écrivez votre numéro de portable.")),
    Channel.CALL: ("call_number", _l("Écrivez le numéro où vous appeler.")),
    Channel.EMAIL: ("email", _l("Écrivez votre adresse e-mail.")),
    Channel.LETTER: ("postal_address", _l("Écrivez votre nom et votre adresse.")),
}
"""What each way needs, and what is said when it is not there."""


class ContactForm(FlaskForm):
    """What is needed for the chosen ways, and a name if one wants."""

    sms_number = PhoneField(_l("Numéro de portable pour les SMS"), filters=[clean])
    call_number = PhoneField(_l("Numéro de téléphone pour vous appeler"), filters=[clean])
    call_time = RadioField(
        _l("Quand vous appeler ?"), choices=_options(CALL_TIMES), default=CallTime.ANY.value
    )
    email = StringField(_l("Adresse e-mail"), filters=[clean])
    postal_address = TextAreaField(
        _l("Votre nom et votre adresse postale"),
        filters=[clean],
        validators=[Length(max=400, message=_l("C'est trop long."))],
    )
    name = StringField(
        _l("Votre nom"),
        filters=[clean],
        validators=[Optional(), Length(max=120, message=_l("C'est trop long."))],
    )

    def ask_only(self, channels: Sequence[str]) -> None:
        """Keep the fields of the chosen ways alone."""
        if Channel.CALL.value not in channels:
            del self.call_time
        for channel, (name, empty) in NEEDED.items():
            if channel.value in channels:
                self[name].validators = [DataRequired(message=empty), *self[name].validators]
            else:
                delattr(self, name)

    def validate_sms_number(self, field: StringField) -> None:
        """A number that can get text messages."""
        _check_phone(field)
        if not can_get_texts(field.data):
            raise ValidationError(_l("Ce numéro est un téléphone fixe. Écrivez un numéro de portable."))

    def validate_call_number(self, field: StringField) -> None:
        """A telephone number."""
        _check_phone(field)

    def validate_email(self, field: StringField) -> None:
        """An address of the right form."""
        try:
            field.data = read_email(field.data)
        except UnreachableError as error:
            raise ValidationError(_l("Cette adresse e-mail est fausse. Exemple : nom@exemple.fr")) from error


class NeedsForm(FlaskForm):
    """My language and what I need."""

    spoken_language = SelectField(
        _l("Quelle langue parlez-vous ?"),
        choices=options(SPOKEN_LANGUAGES.items()),
    )
    needs = SelectMultipleField(_l("De quoi avez-vous besoin ?"), choices=_options(NEEDS))


def _check_phone(field: StringField) -> None:
    try:
        field.data = read_phone(field.data)
    except UnreachableError as error:
        raise ValidationError(_l("Ce numéro est faux. Exemple : 06 12 34 56 78")) from error


@dataclass(frozen=True)
class Question:
    """One page. `slug`: its address; `asks`: the name `Answers.unanswered` gives it; `title`: its h1."""

    slug: str
    asks: str
    title: str
    form: type[FlaskForm]

    @property
    def template(self) -> str:
        """Its page."""
        return f"portal/questions/{self.asks}.html"


QUESTIONS: tuple[Question, ...] = (
    Question("sujet", "theme", N_("De quoi avez-vous besoin ?"), ThemeForm),
    Question("urgence", "urgency", N_("Est-ce urgent ?"), UrgencyForm),
    Question("mots", "words", N_("Que se passe-t-il ?"), WordsForm),
    Question("lieu", "place", N_("Où habitez-vous ?"), PlaceForm),
    Question("reponse", "channels", N_("Comment vous répondre ?"), ChannelsForm),
    Question("contact", "contact", N_("Comment vous joindre ?"), ContactForm),
    Question("besoins", "needs", N_("Votre langue et vos besoins"), NeedsForm),
    Question("papiers", "papers", N_("Avez-vous des papiers à montrer ?"), FlaskForm),
)

BY_SLUG = {question.slug: question for question in QUESTIONS}
BY_ASKS = {question.asks: question for question in QUESTIONS}


def after(question: Question) -> Question | None:
    """The next question, or None when only checking is left."""
    place = QUESTIONS.index(question) + 1
    return QUESTIONS[place] if place < len(QUESTIONS) else None


def before(question: Question) -> Question | None:
    """The question before, or None for the first."""
    place = QUESTIONS.index(question)
    return QUESTIONS[place - 1] if place else None


def keep(form: FlaskForm, answers: Answers) -> None:
    """Write the answers of a form that is right."""
    for name, field in _answered(form, answers):
        setattr(answers, name, field.data)
        answers.typed.pop(name, None)


def keep_typed(form: FlaskForm, answers: Answers) -> None:
    """Keep aside what was typed in a form that is not right yet: an error or a change of language loses nothing."""
    for name, field in _answered(form, answers):
        if isinstance(field.data, str):
            answers.typed[name] = field.data
        elif not field.errors:
            setattr(answers, name, field.data)


def filled(question: Question, answers: Answers) -> FlaskForm:
    """The question's form as the person left it."""
    return question.form(data={**vars(answers), **answers.typed})


def _answered(form: FlaskForm, answers: Answers) -> list[tuple[str, Field]]:
    return [(field.name, field) for field in form if hasattr(answers, field.name) and field.data is not None]
