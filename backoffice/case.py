"""One request on one page: read, qualify, route, answer, hand over, close."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

from flask import Blueprint, Response, abort, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext
from flask_wtf import FlaskForm
from sqlalchemy import select

from backoffice import phrases
from backoffice.agent import AGENT, me
from backoffice.booking import panel
from backoffice.conversation import in_two_languages, to_correct
from backoffice.forms import (
    ContactRuleForm,
    NothingForm,
    OutcomeForm,
    QualifyForm,
    VersionedForm,
    WhyForm,
    WorkerForm,
    WriteForm,
)
from backoffice.phrases import Picked
from casework import contact_rules, documents, journal, messages, requests, translated_words, triage
from casework.agents import Agent
from casework.documents import Document, Owner, Scan
from casework.notifications import Notification
from casework.people import ContactWay, UnreachableError
from casework.requests import ChangedMeanwhileError, Request, SendingKeys
from casework.routing import Worker
from casework.territory import Commune, House, Sector
from casework.translated_words import EmptyCorrectionError, LongCorrectionError
from casework.triage import Act, NotAllowedError, NotYoursError, ReasonMissingError, Reply
from casework.vocabulary import ContactRule, Outcome, State, Theme
from web.doors import open_to
from web.headers import PAPER_POLICY
from web.transactions import db, now, settings
from web.typed import options

case = Blueprint("case", __name__, url_prefix="/<lang>/demande")

READING_TOGETHER = timedelta(minutes=10)

FORMS: dict[Act, type[VersionedForm]] = {
    Act.QUALIFY: QualifyForm,
    Act.ROUTE: WorkerForm,
    Act.TAKE: NothingForm,
    Act.ANSWER: WriteForm,
    Act.ASK_PAPER: WriteForm,
    Act.HAND_OVER: WorkerForm,
    Act.HAND_BACK: WhyForm,
    Act.CLOSE: OutcomeForm,
    Act.REOPEN: NothingForm,
}


EXPECTED: dict[State, tuple[Act, ...]] = {
    State.RECEIVED: (Act.QUALIFY,),
    State.QUALIFIED: (Act.ROUTE, Act.ANSWER),
    State.ROUTED: (Act.TAKE, Act.ANSWER),
    State.TAKEN: (Act.ANSWER,),
    State.WAITING: (Act.ANSWER,),
    State.CLOSED: (Act.REOPEN,),
}
"""What one most likely comes to do: its form is open, the others are folded."""


@dataclass(frozen=True)
class Refused:
    """A correction that comes back. `message`: the message's id as the form says it, empty for the request's words."""

    message: str
    typed: str
    error: str


@case.get("/<uuid:request_id>")
@open_to(AGENT)
def show(request_id: UUID) -> ResponseReturnValue:
    """Everything about a request; opening it is written in the journal."""
    return _show(_read(request_id))


@case.post("/<uuid:request_id>/<act>")
@open_to(AGENT)
def do(request_id: UUID, act: str) -> ResponseReturnValue:
    """Do one thing with a request, or say why not and keep what was typed."""
    if act not in set(Act):
        abort(404)
    wanted = Act(act)
    form = _form(wanted, _peek(request_id))
    adding = isinstance(form, WriteForm) and phrases.asked_of_picker()
    if adding or not form.validate():
        return _show(_read(request_id), form_of={wanted: form}, code=200 if adding else 422, adding=adding)
    try:
        opened = requests.locked(db(), request_id, form.version.data)
        _ACTS[wanted](opened, form)
        db().commit()
    except ChangedMeanwhileError:
        db().rollback()
        if isinstance(form, WriteForm) and messages.already_received(
            db(), request_id, UUID(form.submission.data)
        ):
            return redirect(url_for("case.show", request_id=request_id, fait=wanted.value), 303)
        return _show(_read(request_id), form_of={wanted: form}, code=409, changed=True)
    except ReasonMissingError:
        db().rollback()
        field = form.urgency_reason if wanted is Act.QUALIFY else form.why
        field.errors = [gettext("Écrivez un mot pour dire pourquoi.")]
        return _show(_read(request_id), form_of={wanted: form}, code=422)
    except NotAllowedError:
        db().rollback()
        return _show(_read(request_id), form_of={wanted: form}, code=409, changed=True)
    return redirect(url_for("case.show", request_id=request_id, fait=wanted.value), 303)


@case.post("/<uuid:request_id>/prevenir")
@open_to(AGENT)
def set_contact_rule(request_id: UUID) -> ResponseReturnValue:
    """Say how this person may be told things: as they asked, not at all, or by another contact alone."""
    _peek(request_id)
    form = ContactRuleForm()
    if not form.validate():
        return _show(_read(request_id), rule_form=form, code=422)
    try:
        opened = requests.locked(db(), request_id, form.version.data)
        rule = ContactRule(form.rule.data)
        contact_rules.set_rule(db(), me(), opened, rule, form.contact.data or "", form.why.data, now())
        db().commit()
    except ChangedMeanwhileError:
        db().rollback()
        return _show(_read(request_id), rule_form=form, code=409, changed=True)
    except UnreachableError:
        db().rollback()
        form.contact.errors = [gettext("Écrivez un numéro de portable ou un e-mail.")]
        return _show(_read(request_id), rule_form=form, code=422)
    return redirect(url_for("case.show", request_id=request_id, fait="prevenir"), 303)


@case.post("/<uuid:request_id>/traduction")
@open_to(AGENT)
def correct(request_id: UUID) -> ResponseReturnValue:
    """The agent's own translation takes the place of the machine's, for everybody who has these words."""
    opened = _in_sight(request_id)
    written, source, target = to_correct(opened)
    typed = request.form.get("translated", "")
    try:
        translated_words.correct(
            db(), me(), written, source, target, typed,
            key=settings().access_key, request_id=opened.id, now=now(),
        )  # fmt: skip
        db().commit()
    except (EmptyCorrectionError, LongCorrectionError) as error:
        db().rollback()
        empty = isinstance(error, EmptyCorrectionError)
        said = (
            gettext("Écrivez la traduction.")
            if empty
            else gettext("Votre texte est trop long. Gardez le plus important.")
        )
        refused = Refused(request.form.get("message", ""), typed, said)
        return _show(_read(request_id), code=422, refused=refused)
    return redirect(
        url_for("case.show", request_id=request_id, fait="correct", _anchor="conversation-title"), 303
    )


@case.get("/<uuid:request_id>/papier/<uuid:document_id>")
@open_to(AGENT)
def paper(request_id: UUID, document_id: UUID) -> Response:
    """A paper, opened for this agent alone and written in the journal; an infected one stays shut."""
    opened = _in_sight(request_id)
    document = db().get(Document, document_id)
    if document is None or document.request_id != opened.id or document.scan is Scan.INFECTED:
        abort(404)
    content = documents.open_content(db(), document, settings().documents_private_key)
    journal.write(
        db(), journal.Action.PAPER_OPENED, now(), request_id=opened.id, agent=me(), document=str(document.id)
    )
    db().commit()
    response = make_response(content)
    response.mimetype = document.media_type
    response.headers["Content-Security-Policy"] = PAPER_POLICY
    response.headers.set("Content-Disposition", "attachment", filename=document.name)
    return response


def _read(request_id: UUID) -> Request:
    """Open for reading, with its trace; another house's request does not exist."""
    try:
        opened = triage.read(db(), me(), request_id, now())
    except NotYoursError:
        abort(404)
    db().commit()
    return opened


def _peek(request_id: UUID) -> Request:
    """The request, for an act that leaves its own trace."""
    opened = db().get(Request, request_id)
    if opened is None or not triage.may_see(me(), opened):
        abort(404)
    return opened


def _in_sight(request_id: UUID) -> Request:
    """The same for what goes with reading: papers and words, also for who leads a talk with the person."""
    opened = db().get(Request, request_id)
    if opened is None or not triage.may_read(db(), me(), opened):
        abort(404)
    return opened


def _form(act: Act, opened: Request, *, blank: bool = False) -> VersionedForm:
    """The form of an act: as posted, or blank with what is known."""
    known = {
        "version": opened.version,
        "submission": str(uuid4()),
        "themes": opened.themes,
        "urgent": opened.urgent,
        "urgency_reason": opened.urgency_reason,
        "missing": opened.missing,
        "worker": opened.worker_id,
    }
    form = FORMS[act](formdata=None, data=known) if blank else FORMS[act]()
    for field in form:
        field.id = f"{act}-{field.name}"  # several forms stand on one page
    if isinstance(form, WorkerForm):
        workers = triage.workers_of_house(db(), opened.house_id, now()).values()
        form.worker.choices = options(
            (worker.id, f"{worker.name} · {_availability(worker)}") for worker in workers
        )
    return form


def _rule_form(opened: Request, safe: ContactWay | None, typed: ContactRuleForm | None) -> ContactRuleForm:
    """The form of the rule for people at risk: as it was sent, or as things stand."""
    form = typed or ContactRuleForm(
        formdata=None, rule=opened.contact_rule.value, contact=safe.value if safe else ""
    )
    form.version.data = opened.version
    for field in form:
        field.id = f"rule-{field.name}"
    return form


def _availability(worker: Worker) -> str:
    """What helps to choose between colleagues."""
    if worker.absent:
        return str(gettext("pas là aujourd'hui"))
    return str(ngettext("%(num)s demande en cours", "%(num)s demandes en cours", worker.load))


def _qualify(opened: Request, form: QualifyForm) -> None:
    triage.qualify(
        db(), me(), opened,
        themes=[Theme(value) for value in form.themes.data], urgent=form.urgent.data,
        urgency_reason=form.urgency_reason.data or "", missing=form.missing.data or "", now=now(),
    )  # fmt: skip


def _route(opened: Request, form: WorkerForm) -> None:
    decision = triage.propose(db(), opened, now())
    worker = db().get_one(Agent, form.worker.data)
    triage.send_to_worker(db(), me(), opened, worker, form.why.data or "", decision, now())


def _hand_over(opened: Request, form: WorkerForm) -> None:
    triage.hand_over(db(), me(), opened, db().get_one(Agent, form.worker.data), form.why.data or "", now())


_ACTS: dict[Act, Callable[[Request, FlaskForm], None]] = {
    Act.QUALIFY: _qualify,
    Act.ROUTE: _route,
    Act.TAKE: lambda opened, _form: triage.take(db(), me(), opened, now()),
    Act.ANSWER: lambda opened, form: _write(triage.answer, opened, form),
    Act.ASK_PAPER: lambda opened, form: _write(triage.ask_paper, opened, form),
    Act.HAND_OVER: _hand_over,
    Act.HAND_BACK: lambda opened, form: triage.hand_back(db(), me(), opened, form.why.data or "", now()),
    Act.CLOSE: lambda opened, form: triage.close(db(), me(), opened, Outcome(form.outcome.data), now()),
    Act.REOPEN: lambda opened, _form: triage.reopen(db(), me(), opened, now()),
}


AFTER_BOOKING = frozenset({"book", "cancel", "end", "kind", "move", "taken", "late"})
"""What the panel of appointments may have done, or found it could not (`backoffice.booking`)."""


def _done() -> str | None:
    """What this page follows, from its address: an act, or something about the appointment."""
    done = request.args.get("fait", "")
    return done if done in AFTER_BOOKING | {"prevenir", "correct"} or done in set(Act) else None


def _write(act: Callable[..., None], opened: Request, form: FlaskForm) -> None:
    reply = _reply(form)
    act(db(), me(), opened, reply, now())
    phrases.remember_sent(reply.body, opened.language)


def _picked(form_of: dict[Act, VersionedForm] | None, reader: str, *, adding: bool) -> Picked | None:
    """The phrasebook beside the message that comes back; the sentence asked for is put into it."""
    form = next(iter((form_of or {}).values()), None)
    if not isinstance(form, WriteForm):
        return None
    picked = (phrases.picked if adding else phrases.kept)(form.body.data or "", reader)
    form.body.data = picked.body
    return picked


def _reply(form: FlaskForm) -> Reply:
    body = form.body.data.replace("\x00", "").replace("\r\n", "\n").strip()
    return Reply(body, UUID(form.submission.data), SendingKeys.of(settings()))


def _show(
    opened: Request,
    form_of: dict[Act, VersionedForm] | None = None,
    code: int = 200,
    *,
    rule_form: ContactRuleForm | None = None,
    changed: bool = False,
    adding: bool = False,
    refused: Refused | None = None,
) -> ResponseReturnValue:
    acts = triage.possible(me(), opened)
    forms = {act: _form(act, opened, blank=True) for act in acts}
    for act, typed in (form_of or {}).items():
        typed.version.data = opened.version
        forms[act] = typed
    safe = contact_rules.safe_contact(db(), opened)
    conversation = messages.of_request(db(), opened.id)
    page = render_template(
        "backoffice/case.html",
        case=opened,
        ours=triage.may_see(me(), opened),
        house=db().get_one(House, opened.house_id),
        sector=db().get(Sector, opened.sector_id) if opened.sector_id else None,
        commune=db().get(Commune, opened.commune_code) if opened.commune_code else None,
        secretary=db().get(Agent, opened.secretary_id) if opened.secretary_id else None,
        worker=db().get(Agent, opened.worker_id) if opened.worker_id else None,
        ways=db().scalars(select(ContactWay).where(ContactWay.request_id == opened.id)).all(),
        papers=documents.of(db(), Owner(request_id=opened.id)),
        **in_two_languages(opened, conversation),
        said_with_cards=messages.warnings_of(opened, conversation),
        history=journal.of_request(db(), opened.id),
        sendings=db().scalars(
            select(Notification).where(Notification.request_id == opened.id).order_by(Notification.created_at)
        ).all(),
        others=journal.others_reading(db(), opened.id, me(), now() - READING_TOGETHER),
        proposal=triage.propose(db(), opened, now()) if Act.ROUTE in acts else None,
        meetings=panel(opened),
        acts=acts,
        safe=safe,
        rule_form=_rule_form(opened, safe, rule_form),
        rule_tried=rule_form is not None,
        forms=forms,
        tried=next(iter(form_of), None) if form_of else None,
        adding=adding,
        picked=_picked(form_of, opened.language, adding=adding),
        expected=next((act for act in EXPECTED[opened.state] if act in acts), None),
        changed=changed,
        refused=refused,
        done=_done() if not form_of and not rule_form else None,
        now=now(),
    )  # fmt: skip
    return page, code
