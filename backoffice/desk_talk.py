"""A talk at the desk: what is written, who takes part, holding, handing on, bringing others in, ending."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID, uuid4

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_wtf import FlaskForm

from backoffice import phrases
from backoffice.agent import AGENT, WATCHING, me
from backoffice.conversation import how_read
from backoffice.desk_forms import EndForm, HandForm, SayForm, ThirdForm
from backoffice.phrases import Picked
from casework import brought_in, calling, permanences, talks, triage
from casework.agents import Agent
from casework.brought_in import FullError
from casework.calling import BusyError, Ending, NotThereError, NotYourTalkError
from casework.cards import Card
from casework.masking import Names
from casework.permanences import VirtualPermanence
from casework.requests import Request, SendingKeys
from casework.sentences import language_of
from casework.talks import Part, Talk, TalkOutcome, TalkPerson, TalkState
from casework.translated_words import shown
from casework.vocabulary import LANGUAGES
from casework.waiting_room import CHANNELS_WANTED, Visit, written_language
from web.compression import showing_secret
from web.doors import open_to
from web.fragments import fragment
from web.language import language
from web.transactions import db, now, settings
from web.typed import options

desk_talk = Blueprint("desk_talk", __name__, url_prefix="/<lang>/permanence/entretien/<uuid:talk_id>")

SAID = frozenset({"full", "away", "busy", "invited"})


@desk_talk.get("")
@open_to(AGENT)
def show(talk_id: UUID) -> ResponseReturnValue:
    """The talk with its person; a colleague who was asked in comes in by opening it."""
    talk, _person = _taking_part(talk_id)
    return _show(talk)


@desk_talk.get("/lignes")
@open_to(WATCHING)
def lines(talk_id: UUID) -> ResponseReturnValue:
    """What is new, for the page to refresh itself; it says that my desk is alive."""
    talk, person = _taking_part(talk_id, over=True)
    permanences.seen(db(), me().id, now())
    db().commit()
    page = render_template("backoffice/desk/talk_lines.html", **_conversation(talk, person))
    return fragment(page)


@desk_talk.post("/ecrire")
@open_to(AGENT)
def say(talk_id: UUID) -> ResponseReturnValue:
    """Say something. A page with scripts asks for no page in return."""
    talk, person = _taking_part(talk_id)
    form = SayForm()
    if phrases.asked_of_picker():
        return _show(talk, {"say": form}, adding=True)
    quiet = request.headers.get("X-Requested-With") == "fetch"
    if not form.validate() or not form.body.data or person is None:
        form.body.errors = form.body.errors or [gettext("Écrivez un message.")]
        return ("", 422) if quiet else _show(talk, {"say": form}, 422)
    body = form.body.data
    talks.write(db(), talk.id, person.id, body, language_of(body, "fr"), UUID(form.submission.data), now())
    for reader in _readers(talk):
        phrases.remember_sent(body, reader)
    db().commit()
    return ("", 204) if quiet else _back(talk_id)


@desk_talk.post("/attente")
@open_to(AGENT)
def hold(talk_id: UUID) -> ResponseReturnValue:
    """Put the talk on hold; the person reads that I come back."""
    return _do(talk_id, lambda: calling.hold(db(), me(), talk_id, now()))


@desk_talk.post("/reprendre")
@open_to(AGENT)
def resume(talk_id: UUID) -> ResponseReturnValue:
    """Go on with it."""
    return _do(talk_id, lambda: calling.resume(db(), me(), talk_id, now()))


@desk_talk.post("/absent")
@open_to(AGENT)
def not_there(talk_id: UUID) -> ResponseReturnValue:
    """The person was called and does not come."""
    return _do(talk_id, lambda: calling.not_there(db(), me(), talk_id, now()), "absent")


@desk_talk.post("/sortir")
@open_to(AGENT)
def go_out(talk_id: UUID) -> ResponseReturnValue:
    """I was asked in, and leave again."""
    return _do(talk_id, lambda: brought_in.go_out(db(), me(), talk_id, now()), "ended")


@desk_talk.post("/inviter/<int:agent_id>")
@open_to(AGENT)
def invite(talk_id: UUID, agent_id: int) -> ResponseReturnValue:
    """Call a colleague into the talk, now."""
    colleague = db().get(Agent, agent_id) or abort(404)
    return _do(talk_id, lambda: brought_in.invite(db(), me(), talk_id, colleague, now()), here="invited")


@desk_talk.post("/passer")
@open_to(AGENT)
def hand(talk_id: UUID) -> ResponseReturnValue:
    """Hand the person to a colleague of the house."""
    talk, _person = _taking_part(talk_id)
    form = _hand_form(talk, HandForm())
    if not form.validate():
        return _show(talk, {"hand": form}, 422)
    to = db().get_one(Agent, form.to.data)
    return _do(talk_id, lambda: calling.hand(db(), me(), talk_id, to, form.notes.data or "", now()), "handed")


@desk_talk.post("/tiers")
@open_to(AGENT)
def bring_third(talk_id: UUID) -> ResponseReturnValue:
    """The link of an interpreter or of somebody the person trusts, shown once."""
    talk, _person = _taking_part(talk_id)
    form = ThirdForm()
    if not form.validate():
        return _show(talk, {"third": form}, 422)
    try:
        key = settings().access_key
        secret = brought_in.invite_third(db(), me(), talk_id, form.name.data, form.spoken.data, key, now())
        db().commit()
    except FullError:
        db().rollback()
        return _back(talk_id, "full")
    except NotYourTalkError:
        abort(404)
    reads = form.spoken.data if form.spoken.data in LANGUAGES else "fr"
    link = f"{settings().portal_address}/{reads}/permanence/v/{secret}"
    return showing_secret(
        render_template("backoffice/desk/third.html", talk=talk, link=link, name=form.name.data)
    )


@desk_talk.post("/finir")
@open_to(AGENT)
def end(talk_id: UUID) -> ResponseReturnValue:
    """End the talk with its outcome; a summary is written to the person."""
    talk, _person = _taking_part(talk_id)
    form = EndForm()
    if not form.validate():
        return _show(talk, {"end": form}, 422)
    ending = Ending(
        TalkOutcome(form.outcome.data),
        form.notes.data or "",
        form.summary.data or "",
        UUID(form.submission.data),
    )
    return _do(talk_id, lambda: _end(talk, ending), "ended")


def _end(talk: Talk, ending: Ending) -> None:
    """The summary is asked for in the person's language at once: it is there when their page says that it is over."""
    calling.end(db(), me(), talk.id, ending, _keys(), now())
    names = Names(tuple(one.name for one in talks.people(db(), talk.id)))
    summary = (ending.summary, language_of(ending.summary, "fr"))
    shown(db(), [summary], _reader(talk), _keys(), now(), names)


def _do(
    talk_id: UUID, act: Callable[[], None], away: str | None = None, here: str | None = None
) -> ResponseReturnValue:
    """Do one thing; then the desk, when the talk is left by it, or the talk again."""
    try:
        act()
        db().commit()
    except NotYourTalkError:
        db().rollback()
        return redirect(url_for("desk.show", fait="gone"), 303)
    except (FullError, NotThereError, BusyError) as error:
        db().rollback()
        return _back(talk_id, {FullError: "full", NotThereError: "away", BusyError: "busy"}[type(error)])
    return redirect(url_for("desk.show", fait=away), 303) if away else _back(talk_id, here)


def _back(talk_id: UUID, said: str | None = None) -> ResponseReturnValue:
    return redirect(url_for("desk_talk.show", talk_id=talk_id, fait=said), 303)


def _keys() -> SendingKeys:
    return SendingKeys(settings().access_key, settings().documents_public_key)


def _taking_part(talk_id: UUID, *, over: bool = False) -> tuple[Talk, TalkPerson | None]:
    """A talk I lead or was asked into; once it is over, nobody takes part in it."""
    talk = db().get(Talk, talk_id)
    person = brought_in.come_in(db(), me(), talk_id, now())
    if talk is None or (person is None and not (over and talk.state is TalkState.ENDED)):
        abort(404)
    db().commit()
    return talk, person


def _conversation(talk: Talk, person: TalkPerson | None) -> dict[str, object]:
    said = talks.lines(db(), talk.visit_id)
    people = talks.people(db(), talk.id)
    theirs = [(line.body, line.language) for line in said if line.part is not Part.AGENT]
    ours = [(line.body, line.language) for line in said if line.part is Part.AGENT]
    names = Names(tuple(one.name for one in people))
    as_read = shown(db(), ours, _reader(talk), _keys(), now(), names)
    facts: dict[str, object] = {
        "talk": talk,
        "person": person,
        "people": people,
        "said": said,
        "translations": shown(db(), theirs, language(), _keys(), now(), names),
        "as_read": as_read,
        "how_read": how_read(_reader(talk), list(as_read.values())),
        "warnings": [(talk, "", card) for card in talks.warnings_of(said)] + _elsewhere(talk),
    }
    db().commit()
    return facts


def _elsewhere(here: Talk) -> list[tuple[Talk, str, Card]]:
    """What I must know before anything else of the people whom I keep waiting meanwhile: the talk, whose, what."""
    return [
        (talk, db().get_one(Visit, talk.visit_id).called_name, card)
        for talk in calling.under_way(db(), me())
        if talk.id != here.id and talk.agent_id == me().id
        for card in talks.warnings_of(talks.lines(db(), talk.visit_id))
    ]


def _reader(talk: Talk) -> str:
    """In which language the person reads: that of their pages, else what they speak, else that of their request."""
    visit = db().get_one(Visit, talk.visit_id)
    asked = db().get(Request, visit.request_id) if visit.request_id else None
    return written_language(visit, asked.language if asked else None)


def _readers(talk: Talk) -> set[str]:
    """In which languages those read who are no agents."""
    others = {one.language for one in talks.people(db(), talk.id) if one.part is Part.THIRD}
    return {_reader(talk), *others} & set(LANGUAGES)


def _picked(form: FlaskForm | None, reader: str, *, adding: bool) -> Picked | None:
    """The phrasebook beside a message that comes back; the sentence asked for is put into it."""
    if form is None:
        return None
    picked = (phrases.picked if adding else phrases.kept)(form.body.data or "", reader)
    form.body.data = picked.body
    return picked


def _show(
    talk: Talk, forms: dict[str, FlaskForm] | None = None, code: int = 200, *, adding: bool = False
) -> ResponseReturnValue:
    """`adding`: no mistake, a ready sentence is put into the message."""
    visit = db().get_one(Visit, talk.visit_id)
    asked = db().get(Request, visit.request_id) if visit.request_id else None
    person = brought_in.come_in(db(), me(), talk.id, now())
    known = {"submission": str(uuid4())}
    given: dict[str, FlaskForm] = {
        "say": SayForm(formdata=None, data=known),
        "hand": HandForm(formdata=None),
        "third": ThirdForm(formdata=None, spoken=visit.language),
        "end": EndForm(formdata=None, data=known),
    } | (forms or {})
    _hand_form(talk, given["hand"])
    for name, form in given.items():
        for field in form:
            field.id = f"{name}-{field.name}"  # several forms stand on one page
    said = request.args.get("fait")
    page = render_template(
        "backoffice/desk/talk.html",
        visit=visit,
        asked=asked if asked and triage.may_read(db(), me(), asked) else None,
        leads=talk.agent_id == me().id,
        leader=db().get_one(Agent, talk.agent_id),
        before=[one for one in _earlier(talk) if one.notes],
        present=[
            one for one in brought_in.present(db(), me().house_id, now()) if one.agent.id not in _inside(talk)
        ],
        forms=given,
        tried=next(iter(forms), None) if forms and not adding else None,
        reader=_reader(talk),
        picked=_picked((forms or {}).get("say"), _reader(talk), adding=adding),
        said_now=said if said in SAID else None,
        channels=CHANNELS_WANTED,
        **_conversation(talk, person),
    )
    return showing_secret(page), code


def _earlier(talk: Talk) -> list[Talk]:
    """The talks of the same visit before this one."""
    return (
        db()
        .query(Talk)
        .filter(Talk.visit_id == talk.visit_id, Talk.id != talk.id)
        .order_by(Talk.called_at)
        .all()
    )


def _inside(talk: Talk) -> set[int | None]:
    return {
        one.agent_id
        for one in db().query(TalkPerson).filter(TalkPerson.talk_id == talk.id, TalkPerson.left_at.is_(None))
    }


def _hand_form(talk: Talk, form: FlaskForm) -> FlaskForm:
    """The colleagues at a desk here, then those of the house who are signed in and receive nowhere yet."""
    desks = [one.agent_id for one in permanences.open_desks(db(), talk.permanence_id)]
    here = [(one, db().get_one(Agent, one).name) for one in desks if one != me().id]
    house = db().get_one(VirtualPermanence, talk.permanence_id).house_id
    others = [
        one.agent for one in brought_in.present(db(), house, now()) if one.agent.id not in {me().id, *desks}
    ]
    free = [
        (one.id, gettext("%(name)s, pas encore au poste", name=one.name))
        for one in others
        if permanences.desk_of(db(), one.id) is None
    ]
    form.to.choices = options([*here, *free])
    return form
