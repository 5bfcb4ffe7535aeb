"""Asking for help: one question a page, back and forward, without JavaScript; then check, then send."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import asdict

from flask import Blueprint, abort, current_app, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_wtf import FlaskForm
from sqlalchemy.exc import IntegrityError

from casework import access, documents, requests
from casework.documents import Owner
from casework.requests import Answers, SendingKeys
from casework.territory import Commune, find_communes
from casework.vocabulary import LANGUAGES, SENSITIVE_THEMES, URGENCIES, Theme, Urgency
from portal import spoken, visit
from portal.kiosk_browser import is_kiosk
from portal.listening import pieces
from portal.papers import take_papers
from portal.questions import BY_ASKS, BY_SLUG, QUESTIONS, Question, after, before, filled, keep, keep_typed
from web.compression import showing_secret
from web.doors import ANYONE, open_to
from web.language import language
from web.transactions import db, now, settings
from web.typed import clean

asking = Blueprint("asking", __name__, url_prefix="/<lang>/demande")

NUMBER_TRIES = 3


@asking.get("/<slug>")
@open_to(ANYONE)
def question(slug: str) -> ResponseReturnValue:
    """Show a question, as it was answered."""
    asked = _asked(slug)
    draft = visit.draft()
    if draft is None and asked is not QUESTIONS[0]:
        return _nothing_begun()
    return _show(asked, filled(asked, _answers()))


@asking.post("/<slug>")
@open_to(ANYONE)
def answer(slug: str) -> ResponseReturnValue:
    """Keep an answer and go on; keep it too when it is not right yet, or when the language changes."""
    asked = _asked(slug)
    answers = _answers()
    if visit.draft() is None:
        if asked is not QUESTIONS[0]:
            return _nothing_begun()
        visit.begin()
    form = filled(asked, answers)
    if asked.asks == "contact":
        form.ask_only(answers.channels)
    if asked.asks == "channels":
        form.visit_is_nothing = _is_sensitive(answers)
    if other := request.form.get("switch"):
        return _switch_language(asked, form, answers, other)
    if asked.asks == "place":
        return _place(asked, form, answers)
    if asked.asks == "papers":
        return _papers(asked, form)
    if not form.validate():
        keep_typed(form, answers)
        _save(answers)
        return _show(asked, form, 422)
    keep(form, answers)
    if asked.asks == "channels":
        answers.typed = {}
    _save(answers)
    return redirect(_next(asked, answers), 303)


@asking.get("/")
@open_to(visit.DRAFT)
def resume() -> ResponseReturnValue:
    """Go on where one stopped."""
    return redirect(_resume(_answers()), 303)


@asking.get("/plus-tard")
@open_to(visit.DRAFT)
def later() -> ResponseReturnValue:
    """Save and come back: the link that opens this draft again."""
    answers = _answers()
    page = render_template(
        "portal/later.html", link=_link(), sensitive=_is_sensitive(answers), resume=_resume(answers)
    )
    return showing_secret(page)


@asking.post("/plus-tard")
@open_to(visit.DRAFT)
def leave() -> ResponseReturnValue:
    """Forget the draft on this device; its link still opens it."""
    visit.let_go()
    return redirect(url_for("pages.home"), 303)


@asking.get("/verifier")
@open_to(visit.DRAFT)
def check() -> ResponseReturnValue:
    """Everything that was answered, each with a link to change it."""
    answers = _answers()
    if empty := answers.unanswered():
        return redirect(url_for("asking.question", slug=BY_ASKS[empty[0]].slug), 303)
    return _show_check(answers)


@asking.post("/envoyer")
@open_to(ANYONE)
def send() -> ResponseReturnValue:
    """Send, once: a second tap, a retry or the back button lead to the same receipt."""
    for attempt in range(NUMBER_TRIES):
        draft = requests.draft_of(db(), session.get("opens", ""), lock=True)
        if draft is None or draft.sent_at is not None:
            return _nothing_begun()
        held = visit.secret()
        if held is None:
            abort(400)
        identity = current_app.extensions["identity"]
        urgent = Answers(**draft.answers).urgency not in {"", Urgency.NONE}
        draft.language = language()
        keys = SendingKeys.of(settings())
        days = identity.urgent_working_days if urgent else identity.answer_working_days
        try:
            origin = "kiosk" if is_kiosk() else "portal"
            requests.send(db(), draft, held, keys=keys, working_days=days, now=now(), origin=origin)
            db().commit()
        except requests.IncompleteError as missing:
            return redirect(url_for("asking.question", slug=BY_ASKS[missing.questions[0]].slug), 303)
        except IntegrityError:
            # The number was already another request's: one chance in millions, taken again.
            db().rollback()
            if attempt == NUMBER_TRIES - 1:
                raise
            continue
        break
    return redirect(url_for("follow.receipt"), 303)


def _asked(slug: str) -> Question:
    return BY_SLUG.get(slug) or abort(404)


def _answers() -> Answers:
    draft = visit.draft()
    # A copy: changed in place, what the draft already holds would look unchanged and not be saved.
    return Answers(**deepcopy(draft.answers)) if draft else Answers()


def _save(answers: Answers) -> None:
    draft = visit.draft()
    if draft is None:
        abort(404)
    draft.answers = asdict(answers)
    draft.language = language()
    draft.changed_at = now()
    db().commit()


def _nothing_begun() -> ResponseReturnValue:
    """The draft is sent, or too old, or was never here."""
    if session.get("opens") and access.opened_request(db()):
        return redirect(url_for("follow.receipt"), 303)
    return redirect(url_for("asking.question", slug=QUESTIONS[0].slug), 303)


def _next(asked: Question, answers: Answers) -> str:
    """The next question; back to the check page when one came from there and nothing is left to answer."""
    if request.args.get("retour") and not answers.unanswered():
        return url_for("asking.check")
    following = after(asked)
    return url_for("asking.question", slug=following.slug) if following else url_for("asking.check")


def _resume(answers: Answers) -> str:
    empty = answers.unanswered()
    return url_for("asking.question", slug=BY_ASKS[empty[0]].slug) if empty else url_for("asking.check")


def _switch_language(asked: Question, form: FlaskForm, answers: Answers, other: str) -> ResponseReturnValue:
    if other not in LANGUAGES:
        abort(404)
    if form.validate():
        keep(form, answers)
    else:
        keep_typed(form, answers)
    _save(answers)
    retour = request.args.get("retour")
    return redirect(url_for("asking.question", slug=asked.slug, lang=other, retour=retour), 303)


def _place(asked: Question, form: FlaskForm, answers: Answers) -> ResponseReturnValue:
    """Find the commune: one match goes on, several are shown, none is said plainly and is no dead end."""
    if chosen := clean(request.form.get("commune_code")):
        commune = db().get(Commune, chosen) or abort(404)
        return _settle(asked, answers, commune.name, commune.code)
    if request.form.get("no_fixed_place"):
        return _settle(asked, answers, "", "")
    if request.form.get("elsewhere"):
        return _settle(asked, answers, form.commune_typed.data or "", "")
    if not form.validate():
        return _show(asked, form, 422)
    return _search(asked, form, answers, form.commune_typed.data)


def _search(asked: Question, form: FlaskForm, answers: Answers, typed: str) -> ResponseReturnValue:
    found = find_communes(db(), typed)
    if len(found) == 1:
        return _settle(asked, answers, found[0].name, found[0].code)
    answers.commune_typed = typed
    answers.commune_code, answers.no_fixed_place = "", False
    _save(answers)
    if not found:
        form.commune_typed.errors = [gettext("Nous ne trouvons pas cette commune. Essayez le code postal.")]
    return _show(asked, form, 200 if found else 422, found=found, not_found=not found)


def _settle(asked: Question, answers: Answers, typed: str, code: str) -> ResponseReturnValue:
    answers.commune_typed, answers.commune_code, answers.no_fixed_place = typed, code, not code
    _save(answers)
    return redirect(_next(asked, answers), 303)


def _papers(asked: Question, form: FlaskForm) -> ResponseReturnValue:
    """Take the papers chosen; those that cannot be taken are named, with why, and the others are kept."""
    draft = visit.draft()
    if draft is None:
        abort(404)
    if not form.validate():
        return _show(asked, form, 422)
    refused = take_papers(Owner(draft_id=draft.id))
    draft.changed_at = now()
    db().commit()
    if refused:
        return _show(asked, form, 422, refused=refused)
    if request.form.get("add") or not request.form.get("next"):
        return redirect(url_for("asking.question", slug=asked.slug), 303)
    return redirect(_next(asked, _answers()), 303)


def _link() -> str:
    return f"{settings().portal_address}{url_for('follow.open_link', secret=visit.secret() or '')}"


def _is_sensitive(answers: Answers) -> bool:
    return answers.theme in SENSITIVE_THEMES or answers.urgency == Urgency.DANGER


def _show(asked: Question, form: FlaskForm, code: int = 200, **more: object) -> ResponseReturnValue:
    answers = _answers()
    draft = visit.draft()
    previous = before(asked)
    back = url_for("asking.question", slug=previous.slug) if previous else url_for("pages.home")
    if asked.asks == "contact" and request.method == "GET":
        form.ask_only(answers.channels)
    sensitive = _is_sensitive(answers) or _proposed(asked, answers) in SENSITIVE_THEMES
    said = spoken.of_question(asked, language(), channels=answers.channels, sensitive=sensitive)
    page = render_template(
        asked.template,
        asked=asked,
        form=form,
        answers=answers,
        step=QUESTIONS.index(asked) + 1,
        steps=len(QUESTIONS),
        back=url_for("asking.check") if request.args.get("retour") else back,
        sensitive=sensitive,
        heard=pieces(said),
        papers=documents.of(db(), Owner(draft_id=draft.id)) if draft and asked.asks == "papers" else [],
        proposed=_proposed(asked, answers),
        alarm=URGENCIES[Urgency(answers.urgency)] if answers.urgency and asked.asks == "words" else None,
        **more,
    )
    return page, code


def _proposed(asked: Question, answers: Answers) -> Theme | None:
    """The theme of the rights page one comes from: a tap goes on with it."""
    named = request.args.get("theme", "")
    return Theme(named) if asked is QUESTIONS[0] and not answers.theme and named in set(Theme) else None


def _show_check(answers: Answers) -> ResponseReturnValue:
    draft = visit.draft()
    commune = db().get(Commune, answers.commune_code) if answers.commune_code else None
    return render_template(
        "portal/check.html",
        answers=answers,
        commune=commune,
        ways=answers.contact_ways(),
        papers=documents.of(db(), Owner(draft_id=draft.id)) if draft else [],
        sensitive=_is_sensitive(answers),
        back=url_for("asking.question", slug=QUESTIONS[-1].slug),
    )
