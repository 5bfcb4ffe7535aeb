"""Whom to call, the texts to sort, and the rule of people at risk, as agents see and do them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import update

from casework import contact_rules, waiting
from casework.agenda import Mode
from casework.agents import Agent
from casework.answers import Fate, IncomingText
from casework.database import transaction
from casework.journal import Entry
from casework.messages import Message
from casework.notifications import Delivery, Notification, Template
from casework.people import ContactWay, StoppedNumber, ways_of
from casework.requests import Request, SendingKeys
from casework.telling import tell
from casework.vocabulary import Channel, ContactRule
from casework.waiting import WaitingEntry, Wish
from tests.backoffice.colleague import Colleague, request_of, stored
from tests.casework.asking import BY_MAIL, BY_TEXT, Asked, ask
from tests.conftest import Database
from tests.people import AMINA_PHONE, LOUDUN, NADIA

BY_CALL = replace(BY_MAIL, channels=[Channel.CALL], call_number="+33549123456", email="")
PAGE = "/fr/a-appeler"


def fail(database: Database, asked: Asked, error: str = "Le service de SMS refuse ce message.") -> None:
    """What was to be sent did not leave, for good."""
    with transaction(database.owner) as session:
        session.execute(
            update(Notification)
            .where(Notification.request_id == asked.id)
            .values(state=Delivery.FAILED, error=error)
        )


def counted(colleague: Colleague) -> str:
    """The number beside the page's name in the navigation; empty for none."""
    page = colleague.open("/fr/file")
    found = [
        span.text or ""
        for link in page.html.iter("a")
        if link.get("href") == PAGE
        for span in link.iter("span")
    ]
    return "".join(found)


def outcomes(database: Database) -> list[tuple[UUID | None, str]]:
    entries = stored(database, Entry, Entry.action == "called")
    return [(entry.request_id, entry.details["outcome"]) for entry in sorted(entries, key=lambda one: one.id)]


def test_a_failure_is_called_about_until_somebody_is_reached(
    nadia: Colleague, odile: Colleague, database: Database, now: datetime
) -> None:
    amina = ask(database, now, BY_TEXT)
    fail(database, amina)
    assert counted(nadia) == "1"
    page = nadia.open(PAGE)
    for told in (
        "06 12 34 56 78",
        "Le service de SMS refuse ce message.",
        "Amina",
        "Un message n'est pas arrivé.",
    ):
        assert told in page.main
    words = next(link for link in page.links() if "/envois/" in link)
    assert f"/fr/s/{amina.secret}" in nadia.open(words).main, "the words to say"
    nadia.open(PAGE)
    page = nadia.submit(("resultat", "pas-joint"))
    assert "1 appel sans réponse" in page.main
    page = nadia.submit(("resultat", "pas-joint"))
    assert "2 appels sans réponse" in page.main
    page = nadia.submit(("resultat", "joint"))
    assert "Personne à appeler." in page.main
    assert counted(nadia) == ""
    assert outcomes(database) == [(amina.id, "not_reached"), (amina.id, "not_reached"), (amina.id, "reached")]
    (done,) = stored(database, Notification)
    assert (done.state, done.sealed_secret) == (Delivery.DONE, None)
    assert "Personne à appeler." in odile.open(PAGE).main


def test_two_agents_call_and_the_second_is_told(
    nadia: Colleague, claire: Colleague, database: Database, now: datetime
) -> None:
    fail(database, ask(database, now, BY_TEXT))
    claire.open(PAGE)
    nadia.open(PAGE)
    nadia.submit(("resultat", "joint"))
    assert "Un collègue l'a déjà fait." in claire.submit(("resultat", "joint")).main
    assert len(outcomes(database)) == 1


def test_another_houses_line_is_nobodys_here(
    odile: Colleague, nadia: Colleague, database: Database, now: datetime
) -> None:
    amina = ask(database, now, BY_TEXT)
    fail(database, amina)
    token = odile.open("/fr/file").field("csrf_token")
    data = {"csrf_token": token, "resultat": "joint"}
    assert odile.ask("POST", f"{PAGE}/{amina.id}", data=data).status_code == 404
    assert odile.ask("POST", f"{PAGE}/{uuid4()}", data=data).status_code == 404
    nadia.open(PAGE)
    wrong = {"csrf_token": nadia.page.field("csrf_token"), "resultat": "?"}
    assert nadia.ask("POST", f"{PAGE}/{amina.id}", data=wrong).status_code == 400
    assert outcomes(database) == []


def test_calls_that_were_asked_for_are_here_and_not_among_the_letters(
    nadia: Colleague, database: Database, now: datetime
) -> None:
    ask(database, now, BY_CALL)
    assert "05 49 12 34 56" in nadia.open(PAGE).main
    assert "05 49 12 34 56" not in nadia.open("/fr/envois").main


def test_who_stopped_and_has_nothing_else_is_called_once(
    nadia: Colleague, database: Database, now: datetime
) -> None:
    amina = ask(database, now, BY_TEXT)
    ask(
        database,
        now,
        replace(BY_TEXT, channels=[Channel.SMS, Channel.EMAIL], email="a@example.org", name="Karim"),
    )
    with transaction(database.owner) as session:
        session.add(StoppedNumber(number=AMINA_PHONE, stopped_at=now - timedelta(hours=1)))
    page = nadia.open(PAGE)
    assert "Amina" in page.main
    assert "Karim" not in page.main, "he has his mail"
    nadia.submit(("resultat", "joint"))
    assert "Amina" not in nadia.open(PAGE).main
    with transaction(database.owner) as session:
        session.execute(
            update(Notification).where(Notification.request_id == amina.id).values(state=Delivery.STOPPED)
        )
    assert "Amina" in nadia.open(PAGE).main, "there is something to tell her"


def test_who_did_not_answer_an_offer_is_called_and_waits_again(
    nadia: Colleague, database: Database, now: datetime
) -> None:
    amina = ask(database, now, BY_TEXT)
    with transaction(database.backoffice) as session:
        waiting.wait(session, amina.id, "first", [Mode.HERE], now - timedelta(days=2))
        session.execute(update(WaitingEntry).values(state=Wish.UNANSWERED))
    assert "La personne n'a pas répondu." in nadia.open(PAGE).main
    nadia.submit(("resultat", "joint"))
    assert "La personne n'a pas répondu." not in nadia.open(PAGE).main
    assert {entry.state for entry in stored(database, WaitingEntry)} == {Wish.WITHDRAWN, Wish.WAITING}


def test_who_must_get_no_message_is_never_listed(nadia: Colleague, database: Database, now: datetime) -> None:
    leila = ask(database, now, BY_TEXT)
    fail(database, leila)
    with transaction(database.owner) as session:
        session.add(StoppedNumber(number=AMINA_PHONE, stopped_at=now))
        session.execute(update(Request).values(contact_rule=ContactRule.NONE))
    assert "Personne à appeler." in nadia.open(PAGE).main
    assert counted(nadia) == ""


def test_a_safe_contact_alone_is_shown(nadia: Colleague, database: Database, now: datetime) -> None:
    leila = ask(database, now, BY_TEXT)
    with transaction(database.owner) as session:
        session.execute(update(Request).values(contact_rule=ContactRule.OTHER))
        session.add(ContactWay(request_id=leila.id, channel=Channel.SMS, value="+33687654321", safe=True))
        session.execute(update(Notification).values(state=Delivery.FAILED, recipient="+33687654321"))
    page = nadia.open(PAGE)
    assert "06 87 65 43 21" in page.main
    assert "06 12 34 56 78" not in page.main
    assert "Personne à protéger." in page.main


def to_sort(database: Database, words: str, now: datetime) -> UUID:
    """A text from the number that several share, which the worker left to agents."""
    with transaction(database.owner) as session:
        one = IncomingText(
            id=uuid4(), provider_id=uuid4().hex, sender=AMINA_PHONE, body=words, received_at=now,
            state=Fate.TO_SORT, set_aside_by=[],
        )  # fmt: skip
        session.add(one)
        return one.id


def test_one_tap_gives_a_text_to_its_request(
    nadia: Colleague, odile: Colleague, database: Database, now: datetime
) -> None:
    amina = ask(database, now, BY_TEXT)
    ask(database, now, replace(BY_TEXT, name="Karim", commune_code=LOUDUN))
    to_sort(database, "Je suis en retard", now)
    assert counted(nadia) == "1"
    assert "Je suis en retard" in odile.open(PAGE).main
    page = nadia.open(PAGE)
    assert "Je suis en retard" in page.main
    assert "Karim" not in page.main, "another house's"
    page = nadia.submit(("demande", str(amina.id)))
    assert "Je suis en retard" not in page.main
    assert "Un collègue l'a déjà fait." in odile.submit(("demande", "aucune")).main
    (message,) = stored(database, Message)
    assert (message.request_id, message.body, message.by_text) == (amina.id, "Je suis en retard", True)
    page = nadia.reads(amina.id)
    assert "La personne · par SMS" in page.main
    assert "Nouveau message" in page.main
    entry = stored(database, Entry, Entry.action == "text_received")[0]
    assert entry.agent_id == nadia.who.id


def test_a_text_for_none_of_them_goes(nadia: Colleague, database: Database, now: datetime) -> None:
    for name in ("Amina", "Karim"):
        ask(database, now, replace(BY_TEXT, name=name))
    text_id = to_sort(database, "Promotion", now)
    nadia.open(PAGE)
    token = nadia.page.field("csrf_token")
    odd = {"csrf_token": token, "demande": "?"}
    assert nadia.ask("POST", f"{PAGE}/sms/{text_id}", data=odd).status_code == 400
    assert "Aucun SMS à trier." in nadia.submit(("demande", "aucune")).main
    assert [one.state for one in stored(database, IncomingText)] == [Fate.DROPPED]


def test_protecting_somebody_is_seen_at_once_and_stops_what_waits(
    nadia: Colleague, odile: Colleague, database: Database, now: datetime
) -> None:
    leila = ask(database, now, BY_TEXT)
    nadia.reads(leila.id)
    page = nadia.submit(action="/prevenir", rule="none", why="", status=422)
    assert page.errors() == ["Écrivez un mot pour dire pourquoi."]
    page = nadia.submit(action="/prevenir", rule="none", why="Son mari lit son téléphone.")
    assert "Personne à protéger : aucun message." in page.main
    assert "Son mari lit son téléphone." in page.main, "in the history"
    assert stored(database, Notification) == []
    page = nadia.submit(action="/prevenir", rule="other", contact="05 49 00 00 09", why="Sa sœur", status=422)
    assert page.errors() == ["Écrivez un numéro de portable ou un e-mail."]
    assert request_of(database, leila.id).contact_rule is ContactRule.NONE
    page = nadia.submit(action="/prevenir", rule="other", contact="soeur@example.org", why="Sa sœur")
    assert "soeur@example.org" in page.main
    odile.reads(leila.id, 404)


def test_two_agents_decide_and_the_second_reads_first(
    nadia: Colleague, claire: Colleague, database: Database, now: datetime
) -> None:
    leila = ask(database, now, BY_TEXT)
    nadia.reads(leila.id)
    claire.reads(leila.id)
    nadia.submit(action="/prevenir", rule="none", why="Danger")
    page = claire.submit(action="/prevenir", rule="usual", why="Je ne savais pas", status=409)
    assert page.of_class("conflict")
    assert request_of(database, leila.id).contact_rule is ContactRule.NONE


def test_a_safe_number_that_is_also_their_own_gets_one_message(database: Database, now: datetime) -> None:
    """Leïla keeps her mobile alone, not the mail somebody else reads at home: one text, not two."""
    leila = ask(
        database, now, replace(BY_TEXT, channels=[Channel.SMS, Channel.EMAIL], email="maison@example.org")
    )
    with transaction(database.backoffice) as session:
        request = session.get_one(Request, leila.id)
        contact_rules.set_rule(
            session, session.get_one(Agent, NADIA.id), request, ContactRule.OTHER, AMINA_PHONE, "Peur", now
        )
        session.flush()
        assert [way.value for way in ways_of(session, leila.id)] == [AMINA_PHONE]


def test_what_waits_for_a_contact_no_longer_given_is_dropped(database: Database, now: datetime) -> None:
    """Leïla's friend was the safe contact: once she is not, what waited to leave to her never does."""
    friend = "+33639980055"
    leila = ask(database, now, BY_TEXT)
    with transaction(database.backoffice) as session:
        request, nadia = session.get_one(Request, leila.id), session.get_one(Agent, NADIA.id)
        contact_rules.set_rule(session, nadia, request, ContactRule.OTHER, friend, "Peur", now)
        keys = SendingKeys(database.access_key, database.public_key)
        tell(session, request, Template.NEW_MESSAGE, ways_of(session, request.id), keys, now)
        contact_rules.set_rule(session, nadia, request, ContactRule.USUAL, "", "Elle a déménagé", now)
    assert stored(database, Notification, Notification.recipient == friend) == []
