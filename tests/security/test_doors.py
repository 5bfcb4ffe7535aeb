"""Every route says who may come in, and keeps the others out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from urllib.parse import urlsplit

import pytest
from flask import Flask
from sqlalchemy import func, select

from backoffice.agent import AGENT, WATCHING
from casework.database import transaction
from casework.documents import Document
from casework.journal import Entry
from casework.notifications import Notification
from casework.requests import Request
from casework.triage import Act
from portal.incoming_texts import PROVIDER
from portal.visit import DRAFT, REQUEST
from tests.backoffice.colleague import Colleague
from tests.casework.asking import BY_MAIL, Asked, ask
from tests.conftest import Database
from tests.people import NADIA, ODILE
from tests.portal.person import Person
from tests.security.routes import routes
from web.doors import ANYONE

OPEN_AT_DESK = {"queue.root", "sign_in.form", "sign_in.enter", "health", "feeds.read"}


def test_every_route_of_both_faces_has_a_door(portal: Flask, backoffice: Flask) -> None:
    listed = [
        (app.name, route.method, route.path, route.door)
        for app in (portal, backoffice)
        for route in routes(app)
    ]
    assert len(listed) > 35
    assert [way[:3] for way in listed if way[3] is None] == [], "a silent route"


def test_the_agents_face_opens_to_anyone_its_sign_in_alone(backoffice: Flask) -> None:
    anyone = {route.endpoint for route in routes(backoffice) if route.door is ANYONE}
    assert anyone - {"colours"} == OPEN_AT_DESK
    assert all(route.door in {AGENT, WATCHING, ANYONE} for route in routes(backoffice))


def test_signed_out_every_agents_route_leads_to_sign_in(backoffice: Flask) -> None:
    stranger = Colleague(backoffice, NADIA)
    token = stranger.open("/fr/connexion").field("csrf_token")
    for route in routes(backoffice):
        if route.door is ANYONE:
            continue
        answer = stranger.ask(
            route.method, route.path, data={"csrf_token": token} if route.method == "POST" else None
        )
        assert answer.status_code == 303, f"{route}: {answer.status_code}"
        assert urlsplit(answer.headers["Location"]).path == "/fr/connexion", route
        assert len(answer.data) < 500, route


def test_without_its_token_no_post_is_heard(
    backoffice: Flask, portal: Flask, nadia: Colleague, marcel: Person
) -> None:
    marcel.asks_for_help()
    for app, visitor in ((portal, marcel), (backoffice, nadia)):
        for route in routes(app):
            if route.method == "POST" and route.door is not PROVIDER:
                assert visitor.ask("POST", route.path).status_code == 400, route
    assert nadia.ask("GET", "/fr/file").status_code == 200, "still signed in"


def test_one_route_alone_asks_for_a_signature_in_the_tokens_place(portal: Flask, backoffice: Flask) -> None:
    signed = [route.path for app in (portal, backoffice) for route in routes(app) if route.door is PROVIDER]
    assert signed == ["/sms/recu"]


def test_without_a_secret_the_portal_leads_back(portal: Flask, somebody: Callable[..., Person]) -> None:
    stranger = somebody(source="198.51.100.4")
    token = stranger.go("suivre").field("csrf_token")
    seen = 0
    for route in routes(portal):
        if route.door in {DRAFT, REQUEST}:
            data = {"csrf_token": token} if route.method == "POST" else None
            answer = stranger.ask(route.method, route.path, data=data)
            assert (answer.status_code, answer.headers["Location"]) in {(303, "/fr/"), (303, "/fr/suivre")}, (
                route
            )
            seen += 1
    assert seen >= 8


@pytest.fixture
def of_poitiers(database: Database, now: datetime) -> Asked:
    """A request of the house of Poitiers, with a paper."""
    return ask(database, now, BY_MAIL, paper=b"%PDF-1.7 lettre")


def test_another_houses_request_does_not_exist(
    odile: Colleague, of_poitiers: Asked, database: Database
) -> None:
    with transaction(database.owner) as session:
        number = session.scalars(select(Request.number)).one()
        document_id = session.scalars(select(Document.id)).one()
        notification_id = session.scalars(select(Notification.id)).one()
        before = session.scalar(select(func.count()).select_from(Entry))
    token = odile.open("/fr/file").field("csrf_token")
    case = f"/fr/demande/{of_poitiers.id}"
    answers = {odile.ask("GET", path).status_code for path in (case, f"{case}/papier/{document_id}")}
    answers |= {odile.ask("GET", f"/fr/envois/{notification_id}").status_code}
    answers |= {
        odile.ask("POST", f"/fr/envois/{notification_id}/fait", data={"csrf_token": token}).status_code
    }
    rule = {"csrf_token": token, "version": "1", "rule": "none", "why": "x"}
    answers |= {odile.ask("POST", f"{case}/prevenir", data=rule).status_code}
    called = {"csrf_token": token, "resultat": "joint"}
    answers |= {odile.ask("POST", f"/fr/a-appeler/{of_poitiers.id}", data=called).status_code}
    for act in Act:
        data = {
            "csrf_token": token,
            "version": "1",
            "themes": "money",
            "worker": "7",
            "why": "x",
            "body": "x",
        }
        answers |= {odile.ask("POST", f"{case}/{act}", data=data).status_code}
    answers |= {odile.ask("GET", f"/fr/chercher?numero={number}").status_code}
    assert answers == {404}
    for page in ("file?etat=open", "mes-demandes", "envois", "a-appeler", "file/lignes?etat=open"):
        assert str(of_poitiers.id) not in odile.ask("GET", f"/fr/{page}").text
    with transaction(database.owner) as session:
        assert session.scalar(select(func.count()).select_from(Entry)) == before, "and nothing happened"
        assert session.scalars(select(Request.version)).one() == 1


def test_a_paper_opens_only_under_its_own_request(
    nadia: Colleague, of_poitiers: Asked, database: Database, now: datetime
) -> None:
    other = ask(database, now, BY_MAIL)
    with transaction(database.owner) as session:
        document_id = session.scalars(select(Document.id)).one()
    assert nadia.ask("GET", f"/fr/demande/{other.id}/papier/{document_id}").status_code == 404
    answer = nadia.ask("GET", f"/fr/demande/{of_poitiers.id}/papier/{document_id}")
    assert (answer.data, answer.mimetype) == (b"%PDF-1.7 lettre", "application/pdf")
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer.headers["Content-Disposition"] == "attachment; filename=lettre.pdf"
    with transaction(database.owner) as session:
        opened = session.scalars(select(Entry).where(Entry.action == "paper_opened")).one()
        assert (opened.agent_id, opened.request_id) == (NADIA.id, of_poitiers.id)


def test_an_infected_paper_stays_shut(nadia: Colleague, of_poitiers: Asked, database: Database) -> None:
    with transaction(database.owner) as session:
        document = session.scalars(select(Document)).one()
        document.scan = "infected"  # type: ignore[assignment]
        path = f"/fr/demande/{of_poitiers.id}/papier/{document.id}"
    assert nadia.ask("GET", path).status_code == 404
    assert path not in nadia.reads(of_poitiers.id).links()


def test_one_faces_cookie_is_nothing_to_the_other(nadia: Colleague, backoffice: Flask, portal: Flask) -> None:
    cookie = nadia.client.get_cookie("allervers_backoffice", domain="agents.example.org")
    assert cookie
    impostor = Person(portal)
    impostor.client.set_cookie("allervers_portal", cookie.value, domain="portail.example.org")
    assert impostor.go("suivi").path == "/fr/suivre"
    stranger = Colleague(backoffice, ODILE)
    stranger.client.set_cookie("allervers_backoffice", cookie.value + "x", domain="agents.example.org")
    assert stranger.ask("GET", "/fr/file").status_code == 303
