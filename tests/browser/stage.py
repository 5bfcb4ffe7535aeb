"""Requests in every state for the house of Poitiers, made by the domain's own acts, so that pages have much to show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import text
from sqlalchemy.orm import Session

from casework import access, messages, requests, triage
from casework.agents import Agent
from casework.database import transaction
from casework.requests import PARIS, Answers, Request, SendingKeys
from casework.triage import Reply
from casework.vocabulary import Channel, Need, Outcome, Theme, Urgency
from tests.casework.asking import BY_MAIL, BY_TEXT, Asked, ask
from tests.conftest import Database
from tests.people import NADIA, PAUL, Character

LONG_NAME = "Marie-Antoinette de La Rochefoucauld-Villeneuve épouse Randriamampionona"
EVERY_WAY = Answers(
    theme=Theme.VIOLENCE,
    urgency=Urgency.DANGER,
    words="لا أستطيع دفع الإيجار.\nعندي طفلان.\n\nأحتاج إلى مساعدة.",
    commune_typed="Poitiers",
    no_fixed_place=True,
    channels=[Channel.SMS, Channel.CALL, Channel.EMAIL, Channel.LETTER, Channel.VISIT],
    sms_number="+33612345678",
    call_number="+33549123456",
    email="une.adresse.electronique.vraiment.longue@un-nom-de-domaine-long.example.org",
    postal_address=f"{LONG_NAME}\n3 rue des Lilas\n86000 Poitiers",
    name=LONG_NAME,
    spoken_language="ar",
    needs=list(Need),
)
NO_WORDS = replace(BY_TEXT, words="", channels=[Channel.VISIT])

Doing = Callable[[Session, Agent, Request], None]


@dataclass(frozen=True)
class Staged:
    """One request in each state, by the name of the state."""

    received: Asked
    qualified: Asked
    routed: Asked
    taken: Asked
    waiting: Asked
    closed: Asked
    wrote_again: Asked


def now() -> datetime:
    """The real time: the running house's clock cannot be moved."""
    return datetime.now(PARIS)


def fill_the_house(database: Database, *, language: str = "ar") -> Staged:
    """One request in each state; Paul has all those that have a worker."""
    earlier = now() - timedelta(days=20)

    def asked(answers: Answers, when: datetime = earlier) -> Asked:
        return ask(database, when, answers, language, paper=b"%PDF-1.4 a paper")

    staged = Staged(
        received=asked(EVERY_WAY, now()),
        qualified=asked(BY_MAIL),
        routed=asked(BY_MAIL),
        taken=asked(BY_MAIL),
        waiting=asked(EVERY_WAY),
        closed=asked(BY_MAIL),
        wrote_again=asked(BY_TEXT, now()),
    )
    act(database, NADIA, staged.qualified, qualify)
    for one in (staged.routed, staged.taken, staged.waiting, staged.closed):
        act(database, NADIA, one, qualify)
        act(database, NADIA, one, send_to_paul)
    for one in (staged.taken, staged.waiting):
        act(database, PAUL, one, answering(database))
    act(database, PAUL, staged.waiting, asking_a_paper(database))
    act(database, PAUL, staged.closed, close)
    act(database, NADIA, staged.wrote_again, asking_a_paper(database))
    write_back(database, staged.wrote_again, "شكرا جزيلا، سآتي يوم الخميس.")
    with database.owner.begin() as connection:
        connection.execute(
            text(
                "UPDATE notifications SET state = 'failed', error = 'unknown mailbox' WHERE request_id = :id"
            ),
            {"id": staged.taken.id},
        )
    return staged


def act(database: Database, who: Character, asked: Asked, doing: Doing) -> None:
    """Have an agent do something with a request, in one transaction."""
    with transaction(database.backoffice) as session:
        version = session.get_one(Request, asked.id).version
        doing(session, session.get_one(Agent, who.id), requests.locked(session, asked.id, version))


def qualify(session: Session, agent: Agent, request: Request) -> None:
    """Two themes, urgent, with something missing."""
    triage.qualify(
        session, agent, request, themes=[Theme.HOUSING, Theme.MONEY], urgent=True,
        urgency_reason="Deux enfants sans chauffage", missing="Le dernier avis d'impôt", now=now(),
    )  # fmt: skip


def send_to_paul(session: Session, agent: Agent, request: Request) -> None:
    """To Paul, whoever routing would choose."""
    decision = triage.propose(session, request, now())
    paul = session.get_one(Agent, PAUL.id)
    triage.send_to_worker(session, agent, request, paul, "Il connaît la famille.", decision, now())


def read(session: Session, agent: Agent, request: Request) -> None:
    """Only look."""
    triage.read(session, agent, request.id, now())


def close(session: Session, agent: Agent, request: Request) -> None:
    """It ended well."""
    triage.close(session, agent, request, Outcome.FOLLOW_UP, now())


def answering(database: Database) -> Doing:
    """Write to the person."""
    return lambda session, agent, request: triage.answer(session, agent, request, reply(database), now())


def asking_a_paper(database: Database) -> Doing:
    """Ask for a paper: the request then waits for the person."""
    return lambda session, agent, request: triage.ask_paper(session, agent, request, reply(database), now())


def reply(database: Database) -> Reply:
    """A message of some length."""
    body = "Bonjour.\n\nVenez me voir jeudi à 10 heures. Apportez votre avis d'impôt et votre bail.\n" * 2
    return Reply(body, uuid4(), SendingKeys(database.access_key, database.public_key))


def write_back(database: Database, asked: Asked, body: str) -> None:
    """The person writes, through the portal's role."""
    hashed = access.link_hash(database.access_key, asked.secret)
    with Session(database.portal, info={"secret_hash": hashed}) as session, session.begin():
        messages.write_as_citizen(session, asked.id, body, "ar", uuid4(), now())


def too_many_tries(database: Database, *subjects: str) -> None:
    """As many failures as are allowed in a quarter of an hour, just now."""
    with transaction(database.backoffice) as session:
        for _ in range(access.ALLOWED_FAILURES):
            access.note_failure(session, database.access_key, list(subjects), now())


def by_hand(database: Database, asked: Asked) -> UUID:
    """A letter or a call that an agent must do for this request."""
    with database.owner.connect() as connection:
        found: UUID = connection.execute(
            text("SELECT id FROM notifications WHERE state = 'by_hand' AND request_id = :id LIMIT 1"),
            {"id": asked.id},
        ).scalar_one()
        return found


def only_request(database: Database) -> Asked:
    """The one request there is, sent through the portal: its secret is its owner's."""
    with database.owner.connect() as connection:
        return Asked(connection.execute(text("SELECT id FROM requests")).scalar_one(), "")


def state_of(database: Database, asked: Asked) -> str:
    """The state of a request."""
    with database.owner.connect() as connection:
        state: str = connection.execute(
            text("SELECT state FROM requests WHERE id = :id"), {"id": asked.id}
        ).scalar_one()
        return state
