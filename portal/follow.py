"""Following a request: by its link, or by its number and code. Read, write, send papers, take the receipt along."""

from __future__ import annotations

from uuid import UUID, uuid4

from flask import Blueprint, g, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import HiddenField, StringField, TextAreaField, validators
from wtforms.validators import DataRequired, Length

from casework import access, journal, messages
from casework.access import TooManyGuessesError
from casework.cards import ALARMS
from casework.documents import Owner
from casework.following import Followed, followed
from casework.notifications import lose_link
from casework.people import UnreachableError, read_email, read_phone
from casework.vocabulary import URGENCIES, Channel, Urgency
from portal import visit
from portal.booking import coming_facts
from portal.cards import card_list, tapped
from portal.conversation import translate_ahead, translations_of
from portal.papers import take_papers
from portal.receipt import NoPdfError, as_pdf, qr_code
from portal.sessions import my_sessions
from web.compression import showing_secret
from web.doors import ANYONE, open_to
from web.language import language
from web.mistakes import page as mistake
from web.transactions import db, now, settings
from web.typed import clean

follow = Blueprint("follow", __name__, url_prefix="/<lang>")


class EnterForm(FlaskForm):
    """A number and a code. Both can be pasted, with or without spaces."""

    number = StringField(
        _l("Numéro de la demande"),
        filters=[clean],
        validators=[DataRequired(message=_l("Écrivez le numéro de votre demande."))],
    )
    code = StringField(
        _l("Code secret"),
        filters=[clean],
        validators=[DataRequired(message=_l("Écrivez votre code secret."))],
    )


class LostForm(FlaskForm):
    """A known contact."""

    contact = StringField(
        _l("Votre numéro de téléphone ou votre e-mail"),
        filters=[clean],
        validators=[DataRequired(message=_l("Écrivez votre numéro ou votre e-mail.")), Length(max=200)],
    )


class WriteForm(FlaskForm):
    """A message, papers, or both."""

    body = TextAreaField(
        _l("Votre message"),
        validators=[
            Length(
                max=messages.LONGEST_BODY, message=_l("Votre texte est trop long. Gardez le plus important.")
            )
        ],
    )
    submission = HiddenField(validators=[validators.UUID()])


@follow.get("/s/<secret>")
@open_to(ANYONE)
def open_link(secret: str) -> ResponseReturnValue:
    """The secret link: it becomes a cookie at once, so that the secret leaves the address bar."""
    source = f"source {request.remote_addr}"
    key = settings().access_key
    try:
        access.slow_guessing(db(), key, [source], now())
    except TooManyGuessesError:
        return mistake(429)
    before = visit.held()
    visit.hold_secret(secret[:64])
    if visit.draft():
        return redirect(url_for("asking.resume"), 303)
    if access.opened_request(db()):
        return redirect(url_for("follow.show"), 303)
    visit.hold_again(before)
    access.note_failure(db(), key, [source], now())
    db().commit()
    return render_template("portal/dead_link.html"), 404


@follow.get("/suivre")
@open_to(ANYONE)
def enter() -> ResponseReturnValue:
    """Come in with a number and a code."""
    return render_template("portal/enter.html", form=EnterForm(formdata=None))


@follow.post("/suivre")
@open_to(ANYONE)
def check_code() -> ResponseReturnValue:
    """Open the request, or say that the two do not go together, without saying which is wrong."""
    form = EnterForm()
    if not form.validate():
        return render_template("portal/enter.html", form=form), 422
    number, code = access.read_number(form.number.data), access.read_code(form.code.data)
    if number is None:
        form.number.errors = [gettext("Ce numéro a 9 chiffres. Regardez votre reçu.")]
    if code is None:
        form.code.errors = [gettext("Ce code a 12 chiffres. Regardez votre reçu.")]
    if number is None or code is None:
        return render_template("portal/enter.html", form=form), 422
    key, subjects = settings().access_key, [f"number {number}", f"source {request.remote_addr}"]
    try:
        access.slow_guessing(db(), key, subjects, now())
    except TooManyGuessesError:
        return mistake(429)
    before = visit.held()
    visit.hold_code(number, code)
    if access.opened_request(db()):
        return redirect(url_for("follow.show"), 303)
    visit.hold_again(before)
    access.note_failure(db(), key, subjects, now())
    db().commit()
    form.code.errors = [gettext("Le numéro et le code ne vont pas ensemble.")]
    return render_template("portal/enter.html", form=form), 422


@follow.get("/lien-perdu")
@open_to(ANYONE)
def lost() -> ResponseReturnValue:
    """I lost my link."""
    return render_template("portal/lost.html", form=LostForm(formdata=None))


@follow.post("/lien-perdu")
@open_to(ANYONE)
def send_again() -> ResponseReturnValue:
    """The same answer whether the contact is known or not: the worker looks for it, this page cannot."""
    form = LostForm()
    if not form.validate():
        return render_template("portal/lost.html", form=form), 422
    try:
        contact = _read_contact(form.contact.data)
    except UnreachableError:
        form.contact.errors = [gettext("Écrivez un numéro de téléphone ou un e-mail.")]
        return render_template("portal/lost.html", form=form), 422
    key, subjects = settings().access_key, [f"lost {request.remote_addr}"]
    try:
        access.slow_guessing(db(), key, subjects, now())
    except TooManyGuessesError:
        return mistake(429)
    access.note_failure(db(), key, subjects, now())
    lose_link(db(), contact, language(), now())
    db().commit()
    return redirect(url_for("follow.sent_again"), 303)


@follow.get("/lien-envoye")
@open_to(ANYONE)
def sent_again() -> ResponseReturnValue:
    """If we know this contact, the link is on its way."""
    return render_template("portal/sent_again.html")


@follow.get("/suivi")
@open_to(visit.REQUEST)
def show() -> ResponseReturnValue:
    """Where it stands, what was said, what to do next."""
    return _show(_blank(), alarm=request.args.get("envoye") == ALARM)


@follow.post("/suivi")
@open_to(visit.REQUEST)
def write() -> ResponseReturnValue:
    """Write back, with papers or without; the same form twice is one message.

    A card goes alone: what one was typing stays in the field.
    """
    form = WriteForm()
    if other := request.form.get("switch"):
        # The same post again, in the other language: what was typed goes along (307 keeps it).
        return _show(form) if other == language() else redirect(url_for("follow.write", lang=other), 307)
    card, begun = tapped(), (form.body.data or "").replace("\x00", "").strip()
    if card:
        form.body.data = card.words(language())
    body = form.body.data if card else begun
    if not form.validate():
        form.body.data = begun
        return _show(form, 422)
    files = [upload for upload in request.files.getlist("papers") if upload.filename]
    if not body and not files:
        form.body.errors = [gettext("Écrivez un message ou choisissez un papier.")]
        return _show(form, 422)
    request_id: UUID = g.request_id
    refused: list[tuple[str, str]] = []
    submission = UUID(form.submission.data)
    text = body or gettext("J'envoie un papier.")
    written = messages.write_as_citizen(db(), request_id, text, language(), submission, now())
    if written and files:
        refused = take_papers(Owner(request_id=request_id))
        if len(refused) < len(files):
            journal.write(
                db(), journal.Action.PAPER_SENT, now(), request_id=request_id, count=len(files) - len(refused)
            )
    if refused and len(refused) == len(files) and not body:
        db().rollback()
        return _show(form, 422, refused=refused)
    alarm = card is not None and card.id in ALARMS
    if written:
        translate_ahead(text)
        if card and alarm:
            messages.say_alarm(db(), card.id)
    db().commit()
    kept = begun if card else ""
    if refused or kept:
        return _show(_blank(kept), 422 if refused else 200, refused=refused, alarm=alarm, kept=kept)
    sent, place = (ALARM, "content") if alarm else ("1", "conversation")
    return redirect(url_for("follow.show", envoye=sent, _anchor=place), 303)


@follow.get("/recu")
@open_to(visit.REQUEST)
def receipt() -> ResponseReturnValue:
    """The acknowledgement (CRPA R112-11-1), with the link and the code while this browser knows them."""
    return showing_secret(
        render_template("portal/receipt.html", **_receipt_facts(followed(db(), g.request_id)))
    )


@follow.get("/recu.pdf")
@open_to(visit.REQUEST)
def receipt_pdf() -> ResponseReturnValue:
    """The acknowledgement as one sheet to print or keep; the page itself where no PDF can be made."""
    seen = followed(db(), g.request_id)
    try:
        response = make_response(as_pdf(render_template("print/receipt.html", **_receipt_facts(seen))))
    except NoPdfError:
        return redirect(url_for("follow.receipt", imprimer=1), 303)
    response.mimetype = "application/pdf"
    response.headers["Content-Disposition"] = f"attachment; filename=demande-{seen.number}.pdf"
    return response


@follow.post("/sortir")
@open_to(ANYONE)
def leave() -> ResponseReturnValue:
    """Forget the request on this device."""
    visit.let_go()
    response = redirect(url_for("pages.home"), 303)
    response.headers["Clear-Site-Data"] = '"cache", "cookies", "storage"'
    return response


@follow.app_context_processor
def _cards() -> dict[str, object]:
    return {"card_list": card_list}


ALARM = "alerte"
"""What the address of the page says after a card of `ALARMS`."""


def _blank(begun: str = "") -> WriteForm:
    return WriteForm(formdata=None, submission=str(uuid4()), body=begun)


def _show(
    form: WriteForm,
    code: int = 200,
    refused: list[tuple[str, str]] | None = None,
    *,
    alarm: bool = False,
    kept: str = "",
) -> ResponseReturnValue:
    """`alarm`: first of all whom to call, since a card said danger or fear. `kept`: what a card left in the field."""
    seen = followed(db(), g.request_id)
    facts = coming_facts()
    facts["sensitive"] = facts["sensitive"] or alarm or seen.alarmed
    page = render_template(
        "portal/follow.html",
        followed=seen,
        translations=translations_of(seen),
        form=form,
        refused=refused,
        my_sessions=my_sessions(),
        alarm=alarm,
        kept=kept,
        rescue=URGENCIES[Urgency.DANGER].numbers,
        **facts,
    )
    return page, code


def _receipt_facts(seen: Followed) -> dict[str, object]:
    secret = visit.secret()
    link = f"{settings().portal_address}{url_for('follow.open_link', secret=secret)}" if secret else None
    return {
        "followed": seen,
        "link": link,
        "code": access.code_of(settings().access_key, secret) if secret else None,
        "qr": qr_code(link) if link else None,
        "sensitive": seen.sensitive,
        "nothing_sent": all(way.channel is Channel.VISIT for way in seen.ways),
    }


def _read_contact(typed: str) -> str:
    return read_email(typed) if "@" in typed else read_phone(typed)
