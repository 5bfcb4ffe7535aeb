"""The forms of the virtual permanence: coming in, and a number to be told or called at."""

from __future__ import annotations

from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import RadioField, SelectField, SelectMultipleField, StringField
from wtforms.validators import DataRequired, Length, Optional

from casework.people import UnreachableError, can_get_texts, read_phone
from casework.vocabulary import NEEDS, SPOKEN_LANGUAGES, THEMES, Need
from casework.waiting_room import CHANNELS_WANTED
from portal.questions import PhoneField
from web.typed import clean, options

NEEDS_FROM_AFAR = {need: word for need, word in NEEDS.items() if need is not Need.WHEELCHAIR}
"""What one may need to talk from where one is; a door that is wide enough is no matter here."""


class _Named(FlaskForm):
    """A first name to be called by, and a theme."""

    called_name = StringField(
        _l("Votre prénom"),
        filters=[clean],
        validators=[
            DataRequired(message=_l("Écrivez un prénom. Il sert à vous appeler.")),
            Length(max=60, message=_l("C'est trop long.")),
        ],
    )
    theme = RadioField(
        _l("De quoi voulez-vous parler ?"),
        choices=options((theme.value, word.label) for theme, word in THEMES.items()),
        validators=[Optional()],
    )


class ComeInForm(_Named):
    """A first name to be called by, a language, a theme, how one wants to talk, and what one needs for it."""

    spoken_language = SelectField(_l("Votre langue"), choices=options(SPOKEN_LANGUAGES.items()))
    channel = RadioField(
        _l("Comment voulez-vous parler ?"),
        choices=options((channel.value, word.label) for channel, word in CHANNELS_WANTED.items()),
    )
    needs = SelectMultipleField(
        _l("De quoi avez-vous besoin ?"),
        choices=options((need.value, word.label) for need, word in NEEDS_FROM_AFAR.items()),
    )


class NumberForm(FlaskForm):
    """A telephone number: to be called, or to get a text message."""

    number = PhoneField(_l("Votre numéro de téléphone"), filters=[clean])

    def read(self, *, texts: bool) -> str | None:
        """The number typed (E.164); None, with its mistake said, when it is none or gets no text message."""
        if not self.validate():
            return None
        try:
            number = read_phone(self.number.data or "")
        except UnreachableError:
            self.number.errors = [gettext("Ce numéro est faux. Exemple : 06 12 34 56 78")]
            return None
        if texts and not can_get_texts(number):
            self.number.errors = [gettext("Ce numéro est un téléphone fixe. Écrivez un numéro de portable.")]
            return None
        return number


class CallMeForm(NumberForm, _Named):
    """Who never came in is called by their first name, about what they chose."""
