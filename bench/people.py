"""People ready to send, or about to begin, with the cookie and the form their browser would hold."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from urllib.parse import urlencode
from uuid import uuid4

from flask import Flask, session
from flask_wtf.csrf import generate_csrf
from sqlalchemy import insert

from bench.installation import Installation
from bench.load import Ask
from casework import access
from casework.database import connect
from casework.requests import Answers, Draft
from casework.vocabulary import Channel, Theme, Urgency
from portal.app import create

ANSWERS = Answers(
    theme=Theme.HOUSING,
    urgency=Urgency.NONE,
    words="Je ne peux plus payer le loyer depuis deux mois.",
    commune_code="86194",
    commune_typed="Poitiers",
    channels=[Channel.SMS],
    sms_number="+33612345678",
    name="Amina",
    spoken_language="ar",
)

EMPTY_FILE_FORM = "multipart/form-data; boundary=bench"
EMPTY_FILE = (
    '--bench\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\n{token}\r\n'
    '--bench\r\nContent-Disposition: form-data; name="papers"; filename=""\r\n'
    "Content-Type: application/octet-stream\r\n\r\n\r\n"
    '--bench\r\nContent-Disposition: form-data; name="next"\r\n\r\n1\r\n--bench--\r\n'
)

Visit = tuple[str, list[Ask]]


class People:
    """The people of one installation."""

    def __init__(self, here: Installation) -> None:
        self._settings = here.settings("portal")
        self._app: Flask = create(self._settings)
        self._owner = connect(here.urls[0], pooled=False)

    def about_to_send(self, how_many: int) -> list[Visit]:
        """People at the check page: everything is answered, what is left is the tap on “send”."""
        now, drafts, visits = datetime.now(UTC), [], []
        for _ in range(how_many):
            secret = access.new_secret()
            opens = access.link_hash(self._settings.access_key, secret)
            cookies, token = self.browser(secret=secret, opens=opens)
            visits.append((cookies, [Ask("/fr/demande/envoyer", urlencode({"csrf_token": token}))]))
            drafts.append({
                "id": uuid4(), "secret_hash": opens, "language": "fr", "answers": asdict(ANSWERS),
                "created_at": now, "changed_at": now,
            })  # fmt: skip
        with self._owner.begin() as connection:
            connection.execute(insert(Draft), drafts)
        return visits

    def about_to_begin(self, how_many: int) -> list[Visit]:
        """People at the first question: the nine posts that lead to the receipt."""
        return [self._journey() for _ in range(how_many)]

    def _journey(self) -> Visit:
        cookies, token = self.browser()
        said: dict[str, dict[str, str]] = {
            "sujet": {"theme": ANSWERS.theme},
            "urgence": {"urgency": ANSWERS.urgency},
            "mots": {"words": ANSWERS.words},
            "lieu": {"commune_typed": "Poitiers"},
            "reponse": {"channels": Channel.SMS},
            "contact": {"sms_number": "06 12 34 56 78", "name": "Amina"},
            "besoins": {"spoken_language": "ar", "needs": "interpreter"},
        }
        asks = [
            Ask(f"/fr/demande/{slug}", urlencode({**form, "csrf_token": token}))
            for slug, form in said.items()
        ]
        asks.append(Ask("/fr/demande/papiers", EMPTY_FILE.format(token=token), EMPTY_FILE_FORM))
        asks.append(Ask("/fr/demande/envoyer", urlencode({"csrf_token": token})))
        return cookies, asks

    def browser(self, **held: str) -> tuple[str, str]:
        """The cookie and the form token of a browser that holds this."""
        with self._app.test_request_context("/"):
            session.update(held)
            token = generate_csrf()
            signer = self._app.session_interface.get_signing_serializer(self._app)  # type: ignore[attr-defined]
            return f"{self._app.config['SESSION_COOKIE_NAME']}={signer.dumps(dict(session))}", token
