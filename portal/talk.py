"""The talk: what the person and the worker write, each in their language; coming in, going out, the end."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID, uuid4

from flask import Blueprint, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import HiddenField, TextAreaField, validators
from wtforms.validators import Length

from casework import messages, talks, waiting_room
from casework.cards import ALARMS, load_cards
from casework.masking import Names
from casework.requests import SendingKeys
from casework.sentences import language_of
from casework.talks import LONGEST_LINE, MyTalk, Part, Said, Taker, TalkState
from casework.translated_words import Translation, shown
from casework.vocabulary import URGENCIES, Theme, Urgency
from casework.waiting_room import MyVisit, VisitState
from portal import visit
from portal.cards import tapped
from web.compression import showing_secret
from web.doors import ANYONE, Door, open_to
from web.fragments import fragment
from web.language import language
from web.transactions import db, now, settings
from web.typed import clean

talk = Blueprint("talk", __name__, url_prefix="/<lang>/permanence/entretien")


def _needs_talk() -> ResponseReturnValue | None:
    g.talk = talks.opened(db())
    if g.talk:
        return None
    if not visit.brought_in():
        return redirect(url_for("permanence.door"), 303)
    if request.endpoint == "talk.lines":
        return fragment(render_template("portal/permanence/talk_lines.html", me=None))
    if request.method == "POST" and request.headers.get("X-Requested-With") != "fetch":
        return render_template("portal/permanence/over.html", unsent=clean(request.form.get("body", "")))
    return redirect(url_for("talk.over"), 303)


RESCUE = URGENCIES[Urgency.DANGER].numbers
"""Whom somebody calls who is in danger."""

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
    me = _me()
    return _writing(me, _blank()) if me else redirect(url_for("talk.show"), 303)


@talk.post("")
@open_to(TALK)
def write() -> ResponseReturnValue:
    """Say something. A page with scripts asks for no page in return.

    A card goes alone: what one was typing stays in the field.
    """
    form, me = LineForm(), _me()
    quiet = request.headers.get("X-Requested-With") == "fetch"
    if me is None and not quiet:
        return _ended(form.body.data or "")
    if me is None or me.joined_at is None:
        return redirect(url_for("talk.show"), 303)
    card, begun = tapped(), form.body.data
    if card:
        form.body.data = card.words(language())
    if not form.validate() or not form.body.data:
        form.body.data = begun
        if begun == "":
            form.body.errors = [gettext("Écrivez un message.")]
        return ("", 422) if quiet else (_writing(me, form), 422)
    body = form.body.data
    spoken = language() if card else language_of(body, me.language)
    talks.write(db(), g.talk.id, me.id, body, spoken, UUID(form.submission.data), now())
    if alarm := card is not None and card.id in ALARMS:
        messages.say_alarm(db(), card.id)
    db().commit()
    if quiet:
        return "", 204
    if card and begun:
        return _writing(me, _blank(begun), kept=True)
    return redirect(url_for("talk.show", _anchor="alarm" if alarm else None), 303)


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


@talk.get("/fini")
@open_to(ANYONE)
def over() -> ResponseReturnValue:
    """The talk into which somebody was brought is over: their link opens nothing any more."""
    return render_template("portal/permanence/over.html")


def _me() -> Taker | None:
    """As whom this browser takes part; a sign of life of the person on the way."""
    waiting_room.seen(db(), now())
    me = talks.myself(db(), g.talk.id) if g.talk.state is not TalkState.ENDED else None
    db().commit()
    return me


def _blank(begun: str = "") -> LineForm:
    return LineForm(formdata=None, submission=str(uuid4()), body=begun)


def _writing(me: Taker, form: LineForm, *, kept: bool = False) -> str:
    """The page on which one writes. `kept`: what a card left in the field."""
    said, mine = talks.lines(db(), g.talk.visit_id), waiting_room.mine(db())
    alarm = _alarm(said, me)
    return render_template(
        "portal/permanence/write.html",
        form=form,
        kept=kept,
        alarm=alarm,
        rescue=RESCUE,
        sensitive=_sensitive(mine, alarm),
    )


def _sensitive(mine: MyVisit | None, alarm: int | None) -> bool:
    return alarm is not None or (mine is not None and mine.theme is Theme.VIOLENCE)


def _own(line: Said, me: Taker | None) -> bool:
    """They wrote it: now, or as the person of an earlier talk of the same visit."""
    return me is not None and (line.person_id == me.id or line.part is me.part is Part.CITIZEN)


def _alarm(said: list[Said], me: Taker | None) -> int | None:
    """The last line by which this person said with a card that they are in danger or afraid: whom to call follows."""
    cards = [(line.id, load_cards().read(line.body, line.language)) for line in said if _own(line, me)]
    return next((line_id for line_id, card in reversed(cards) if card and card.id in ALARMS), None)


def _facts(me: Taker | None) -> dict[str, object]:
    current: MyTalk = g.talk
    said = talks.lines(db(), current.visit_id)
    people = talks.people(db(), current.id)
    texts = [(line.body, line.language) for line in said if not _own(line, me)]
    translations = _in_our_language(texts, people)
    mine = waiting_room.mine(db())
    alarm = _alarm(said, me)
    return {
        "alarm": alarm,
        "rescue": RESCUE,
        "talk": current,
        "me": me,
        "person": me,
        "people": people,
        "said": said,
        "own": {line.id for line in said if _own(line, me)},
        "translations": translations,
        "visit": mine,
        "sensitive": _sensitive(mine, alarm),
    }


def _in_our_language(
    texts: list[tuple[str, str]], people: list[Taker]
) -> Mapping[tuple[str, str], Translation]:
    """What others wrote, in this page's language; what is not there yet is asked for. Commits."""
    names = Names(tuple(one.name for one in people))
    found = shown(db(), texts, language(), SendingKeys.of(settings()), now(), names)
    db().commit()
    return found


def _ended(unsent: str = "") -> ResponseReturnValue:
    """The talk is over; or it was cut, and the person waits again, first in the line. `unsent`: what came too late."""
    mine = waiting_room.mine(db())
    if mine is None:
        return redirect(url_for("permanence.door"), 303)
    if mine.is_live:
        return redirect(url_for("permanence.wait"), 303) if mine.state in AGAIN else _lost()
    summary = (g.talk.summary, language_of(g.talk.summary, "fr"))
    return render_template(
        "portal/permanence/ended.html",
        talk=g.talk,
        visit=mine,
        written_in=summary[1],
        translations=_in_our_language([summary], talks.people(db(), g.talk.id)),
        unsent=unsent,
        sensitive=_sensitive(mine, None),
    )


AGAIN = frozenset({VisitState.WAITING, VisitState.CALLED, VisitState.GONE})


def _lost() -> ResponseReturnValue:
    return redirect(url_for("permanence.door"), 303)
