"""The talk: what the person and the worker write, each in their language; coming in, going out, the end."""

from __future__ import annotations

from uuid import UUID, uuid4

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import HiddenField, TextAreaField, validators
from wtforms.validators import Length

from casework import talks, waiting_room
from casework.masking import Names
from casework.requests import SendingKeys
from casework.sentences import language_of
from casework.talks import LONGEST_LINE, MyTalk, Taker, TalkState
from casework.translated_words import shown
from casework.vocabulary import Theme
from casework.waiting_room import VisitState
from web.compression import showing_secret
from web.doors import Door, open_to
from web.fragments import fragment
from web.language import language
from web.transactions import db, now, settings
from web.typed import clean

talk = Blueprint("talk", __name__, url_prefix="/<lang>/permanence/entretien")


def _needs_talk() -> ResponseReturnValue | None:
    g.talk = talks.opened(db())
    return None if g.talk else redirect(url_for("permanence.door"), 303)


TALK = Door("the people of a talk: by the visit's secret, its request's, or a link of their own", _needs_talk)


class LineForm(FlaskForm):
    """Something to say; `submission`: the same form twice is one line."""

    body = TextAreaField(
        _l("Votre message"),
        filters=[clean],
        validators=[
            Length(max=LONGEST_LINE, message=_l("Votre texte est trop long. Gardez le plus important."))
        ],
    )
    submission = HiddenField(validators=[validators.UUID()])


@talk.post("/entrer")
@open_to(TALK)
def join() -> ResponseReturnValue:
    """It is my turn: I come in."""
    talks.join(db(), now())
    db().commit()
    return redirect(url_for("talk.show"), 303)


@talk.get("")
@open_to(TALK)
def show() -> ResponseReturnValue:
    """The talk, while it lasts; then how it ended."""
    me = _me()
    if me is None:
        return _ended()
    if me.joined_at is None:
        return render_template("portal/permanence/come_in.html", talk=g.talk, me=me)
    return showing_secret(render_template("portal/permanence/talk.html", form=_blank(), **_facts(me)))


@talk.get("/lignes")
@open_to(TALK)
def lines() -> ResponseReturnValue:
    """What is new, for the page to refresh itself."""
    me = _me()
    return fragment(render_template("portal/permanence/talk_lines.html", **_facts(me)))


@talk.get("/ecrire")
@open_to(TALK)
def writing() -> ResponseReturnValue:
    """A page that stays still while one writes, where scripts do not run."""
    if _me() is None:
        return redirect(url_for("talk.show"), 303)
    return render_template("portal/permanence/write.html", form=_blank())


@talk.post("")
@open_to(TALK)
def write() -> ResponseReturnValue:
    """Say something. A page with scripts asks for no page in return."""
    form, me = LineForm(), _me()
    if me is None or me.joined_at is None:
        return redirect(url_for("talk.show"), 303)
    quiet = request.headers.get("X-Requested-With") == "fetch"
    if not form.validate() or not form.body.data:
        if form.body.data == "":
            form.body.errors = [gettext("Écrivez un message.")]
        return ("", 422) if quiet else (render_template("portal/permanence/write.html", form=form), 422)
    body = form.body.data
    spoken = language_of(body, me.language)
    talks.write(db(), g.talk.id, me.id, body, spoken, UUID(form.submission.data), now())
    db().commit()
    return ("", 204) if quiet else redirect(url_for("talk.show"), 303)


@talk.post("/quitter")
@open_to(TALK)
def leave() -> ResponseReturnValue:
    """I go out; I may come back while the talk lasts."""
    talks.leave(db(), now())
    db().commit()
    return redirect(url_for("talk.out"), 303)


@talk.get("/sortie")
@open_to(TALK)
def out() -> ResponseReturnValue:
    """You are out of the talk: come back, or leave it there."""
    if _me() is None:
        return redirect(url_for("talk.show"), 303)
    return render_template("portal/permanence/out.html", talk=g.talk)


def _me() -> Taker | None:
    """As whom this browser takes part; a sign of life of the person on the way."""
    waiting_room.seen(db(), now())
    me = talks.myself(db(), g.talk.id) if g.talk.state is not TalkState.ENDED else None
    db().commit()
    return me


def _blank() -> LineForm:
    return LineForm(formdata=None, submission=str(uuid4()))


def _facts(me: Taker | None) -> dict[str, object]:
    current: MyTalk = g.talk
    said = talks.lines(db(), current.visit_id)
    people = talks.people(db(), current.id)
    keys = SendingKeys(settings().access_key, settings().documents_public_key)
    texts = [(line.body, line.language) for line in said if me is None or line.person_id != me.id]
    translations = shown(db(), texts, language(), keys, now(), Names(tuple(one.name for one in people)))
    db().commit()
    mine = waiting_room.mine(db())
    return {
        "talk": current,
        "me": me,
        "person": me,
        "people": people,
        "said": said,
        "translations": translations,
        "visit": mine,
        "sensitive": mine is not None and mine.theme is Theme.VIOLENCE,
    }


def _ended() -> ResponseReturnValue:
    """The talk is over; or it was cut, and the person waits again, first in the line."""
    mine = waiting_room.mine(db())
    if mine is None:
        return redirect(url_for("permanence.door"), 303)
    if mine.is_live:
        return redirect(url_for("permanence.wait"), 303) if mine.state in AGAIN else _lost()
    return render_template("portal/permanence/ended.html", talk=g.talk, visit=mine)


AGAIN = frozenset({VisitState.WAITING, VisitState.CALLED, VisitState.GONE})


def _lost() -> ResponseReturnValue:
    return redirect(url_for("permanence.door"), 303)
