"""The headers of every route of both faces, whatever it answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from casework.settings import Settings
from portal.app import create
from tests.backoffice.colleague import Colleague
from tests.casework.asking import BY_MAIL, ask
from tests.clock import Clock
from tests.conftest import Database
from tests.people import NADIA
from tests.portal.person import Person
from tests.security.routes import Route, routes
from tests.visitor import Visitor

SAME_FOR_EVERYBODY = {
    "pages.home", "pages.emergencies", "pages.houses", "pages.accessibility", "pages.legal", "colours", "rights.every",
    "rights.one", "rights.of_situation", "offline.worker", "offline.without_network",
    "pages.easy_to_read_logo",
}  # fmt: skip
LEAVING = {"pages.quick_exit", "follow.leave", "sign_in.leave", "asking.leave"}


def answers(app: Flask, visitor: Visitor, **values: object) -> Iterator[tuple[Route, TestResponse]]:
    """What every route of a face answers this visitor, those that end the visit last."""
    token = visitor.page.field("csrf_token")
    for route in sorted(routes(app, **values), key=lambda route: route.endpoint in LEAVING):
        data = {"csrf_token": token} if route.method == "POST" else None
        yield route, visitor.ask(route.method, route.path, data=data)


def check(route: Route, answer: TestResponse) -> None:
    """What no answer may be without."""
    headers = answer.headers
    assert answer.status_code < 500, route
    policy = headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy or "default-src 'none'; sandbox" in policy, route
    assert "unsafe" not in policy, route
    assert "frame-ancestors 'none'" in policy or "sandbox" in policy, route
    assert headers["X-Frame-Options"] == "DENY", route
    assert headers["X-Content-Type-Options"] == "nosniff", route
    assert headers["Referrer-Policy"] == "no-referrer", route
    assert headers["Strict-Transport-Security"].startswith("max-age=31536000"), route
    if route.endpoint not in SAME_FOR_EVERYBODY:
        assert headers["Cache-Control"] == "no-store", route
    for cookie in headers.getlist("Set-Cookie"):
        kept = "Max-Age=0" in cookie
        assert kept or ("Secure" in cookie and "HttpOnly" in cookie), f"{route}: {cookie}"
        assert "SameSite=" in cookie, f"{route}: {cookie}"


@pytest.mark.slow
@pytest.mark.parametrize("known", [False, True], ids=["a stranger", "somebody who follows a request"])
def test_every_route_of_the_portal(portal: Flask, marcel: Person, known: bool) -> None:
    marcel.go("suivre")
    if known:
        marcel.asks_for_help(theme="violence")
        marcel.go("suivi")
    seen = 0
    for route, answer in answers(portal, marcel):
        check(route, answer)
        seen += 1
        if known and route.endpoint == "pages.home":
            assert answer.headers["Cache-Control"] == "no-store", "home shows that something was begun"
    assert seen > 20


@pytest.mark.slow
def test_every_route_of_the_agents_face(
    backoffice: Flask, nadia: Colleague, database: Database, now: datetime
) -> None:
    request_id = ask(database, now, BY_MAIL).id
    stranger = Colleague(backoffice, NADIA)
    stranger.open("/fr/connexion")
    for visitor in (stranger, nadia):
        seen = 0
        for route, answer in answers(backoffice, visitor, request_id=request_id):
            check(route, answer)
            seen += 1
        assert seen > 12


def test_errors_carry_them_too(marcel: Person) -> None:
    for method, path in (("GET", "/fr/nulle-part"), ("POST", "/fr/suivre"), ("GET", "/xx/"), ("PUT", "/fr/")):
        check(Route(method, path, "error", None), marcel.ask(method, path))


def test_cookies_of_each_face(nadia: Colleague, marcel: Person) -> None:
    marcel.tells()
    for visitor, name, same_site in (
        (marcel, "allervers_portal", "Lax"),
        (nadia, "allervers_backoffice", "Strict"),
    ):
        host = visitor.origin.removeprefix("https://")
        cookie = visitor.client.get_cookie(name, domain=host)
        assert cookie
        assert (cookie.secure, cookie.http_only, cookie.same_site) == (True, True, same_site)
        assert cookie.expires is None, "it ends with the browser"
        assert cookie.max_age is None


def test_a_cookie_holds_one_secret_and_nobodys_words(marcel: Person) -> None:
    marcel.fills_in(words="Je ne peux plus payer.", name="Marcel Moreau")
    with marcel.client.session_transaction(base_url=marcel.origin) as session:
        assert set(session) <= {"secret", "opens", "csrf_token"}


def test_strict_transport_only_over_https(settings: Settings, clock: Clock) -> None:
    behind = create(replace(settings, trusted_proxies=1), clock).test_client()
    forwarded = {
        "X-Forwarded-Proto": "https",
        "X-Forwarded-For": "192.0.2.1",
        "X-Forwarded-Host": "portail.example.org",
    }
    assert "Strict-Transport-Security" in behind.get("/fr/", headers=forwarded).headers
    assert "Strict-Transport-Security" not in behind.get("/fr/").headers
    direct = create(settings, clock).test_client()
    assert "Strict-Transport-Security" not in direct.get("/fr/", headers=forwarded).headers, (
        "nobody vouches for it"
    )


def test_behind_a_proxy_the_source_is_the_persons(settings: Settings, clock: Clock) -> None:
    behind = create(replace(settings, trusted_proxies=1), clock).test_client()
    for guess in range(5):
        behind.get(f"/fr/s/{guess}", headers={"X-Forwarded-For": "192.0.2.1"})
    assert behind.get("/fr/s/x", headers={"X-Forwarded-For": "192.0.2.1"}).status_code == 429
    assert behind.get("/fr/s/x", headers={"X-Forwarded-For": "192.0.2.2"}).status_code == 404
    assert behind.get("/fr/s/x", headers={"X-Forwarded-For": "192.0.2.9, 192.0.2.1"}).status_code == 429


def test_static_files_are_kept_a_year_and_cannot_be_taken_for_another_kind(marcel: Person) -> None:
    sheet = next(
        link.get("href", "")
        for link in marcel.open("/fr/").html.iter("link")
        if link.get("rel") == "stylesheet"
    )
    answer = marcel.ask("GET", sheet)
    assert answer.status_code == 200
    assert "max-age=31536000" in answer.headers["Cache-Control"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
