"""Signing in, against the directory; against demonstration accounts only when no directory is configured."""

from __future__ import annotations

from flask import Blueprint, current_app, make_response, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from sqlalchemy import select
from wtforms import HiddenField, PasswordField, StringField
from wtforms.validators import DataRequired, InputRequired

from backoffice.agent import AGENT, me, way_back
from casework import access, agents, directory, journal
from casework.access import TooManyGuessesError
from casework.agents import Agent
from casework.demonstration import DEMO_PASSWORD, DEMO_SIGN_INS
from casework.passwords import check_password
from casework.territory import House
from web.doors import ANYONE, open_to
from web.mistakes import page as mistake
from web.transactions import db, now, settings
from web.typed import clean

sign_in = Blueprint("sign_in", __name__, url_prefix="/<lang>")


class SignInForm(FlaskForm):
    """A login and a password, which may be pasted."""

    login = StringField(
        _l("Identifiant"),
        filters=[clean],
        validators=[DataRequired(message=_l("Écrivez votre identifiant."))],
    )
    password = PasswordField(
        _l("Mot de passe"), validators=[InputRequired(message=_l("Écrivez votre mot de passe."))]
    )
    suite = HiddenField()


class RefusedError(Exception):
    """Nobody is let in; the message says why, in the agent's words. `counts`: it was a wrong guess."""

    def __init__(self, message: str, *, counts: bool) -> None:
        super().__init__(message)
        self.message = message
        self.counts = counts


@sign_in.get("/connexion")
@open_to(ANYONE)
def form() -> ResponseReturnValue:
    """The sign-in page."""
    return _show(SignInForm(formdata=None, suite=request.args.get("suite", "")))


@sign_in.post("/connexion")
@open_to(ANYONE)
def enter() -> ResponseReturnValue:
    """Check the two, slowly after five failures; a directory that is down counts against nobody."""
    asked = SignInForm()
    if not asked.validate():
        return _show(asked, 422)
    login = asked.login.data.strip().lower()
    key, subjects = settings().access_key, [f"agent {login}", f"agent source {request.remote_addr}"]
    try:
        access.slow_guessing(db(), key, subjects, now())
    except TooManyGuessesError:
        return mistake(429)
    try:
        agent = _identify(login, asked.password.data)
    except RefusedError as refused:
        if refused.counts:
            access.note_failure(db(), key, subjects, now())
            db().commit()
        asked.password.errors = [refused.message]
        return _show(asked, 422 if refused.counts else 503)
    # A second factor (requirement F3) belongs here: the person is known, no session is open yet.
    session.clear()
    session["token"] = agents.open_session(db(), agent, now())
    journal.write(db(), journal.Action.SIGNED_IN, now(), agent=agent)
    db().commit()
    return redirect(way_back(), 303)


@sign_in.post("/deconnexion")
@open_to(AGENT)
def leave() -> ResponseReturnValue:
    """One click to leave."""
    journal.write(db(), journal.Action.SIGNED_OUT, now(), agent=me())
    agents.close_session(db(), session["token"])
    db().commit()
    session.clear()
    response = make_response(redirect(url_for("sign_in.form"), 303))
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


def _identify(login: str, password: str) -> Agent:
    """The agent with that login and password.

    Raises:
        RefusedError: with what to tell them.
    """
    directory_settings = settings().directory
    if directory_settings is None:
        agent = agents.known(db(), login)
        if not check_password(agent.password_hash if agent else None, password) or agent is None:
            raise RefusedError(gettext("L'identifiant et le mot de passe ne vont pas ensemble."), counts=True)
        return agent
    try:
        person = directory.authenticate(directory_settings, login, password)
    except directory.WrongPasswordError as error:
        raise RefusedError(
            gettext("L'identifiant et le mot de passe ne vont pas ensemble."), counts=True
        ) from error
    except directory.NoRoleError as error:
        raise RefusedError(
            gettext("Votre compte n'a aucun rôle ici. Demandez à votre cadre."), counts=False
        ) from error
    except directory.NoHouseError as error:
        raise RefusedError(
            gettext("Votre compte n'a pas de maison. Demandez à votre cadre."), counts=False
        ) from error
    except directory.DirectoryDownError as error:
        current_app.logger.error("directory down: %s", error)
        raise RefusedError(
            gettext(
                "L'annuaire ne répond pas. Votre compte n'est pas bloqué. Essayez dans quelques minutes."
            ),
            counts=False,
        ) from error
    if db().get(House, person.house_id) is None:
        raise RefusedError(gettext("Votre maison est inconnue ici. Demandez à votre cadre."), counts=False)
    return agents.record(
        db(), login=person.login, name=person.name, house_id=person.house_id, roles=person.roles
    )


def _show(asked: SignInForm, code: int = 200) -> ResponseReturnValue:
    demonstration = settings().demonstration and settings().directory is None
    names = (
        {
            agent.login: agent.name
            for agent in db().scalars(
                select(Agent).where(Agent.login.in_([login for login, _ in DEMO_SIGN_INS]))
            )
        }
        if demonstration
        else {}
    )
    page = render_template(
        "backoffice/sign_in.html",
        form=asked,
        demonstration=[(login, names[login], what) for login, what in DEMO_SIGN_INS if login in names],
        password=DEMO_PASSWORD if demonstration else "",
    )
    return page, code
