"""Every route of a face, with an address that fits it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from flask import Flask
from werkzeug.routing import Rule

from web.doors import Door, door_of

NOWHERE = UUID(int=0)


@dataclass(frozen=True)
class Route:
    """One way in: a method, an address, who may come."""

    method: str
    path: str
    endpoint: str
    door: Door | None


def routes(app: Flask, **values: object) -> Iterator[Route]:
    """Every route; `values` fill its address (by default French, the first question, an id of nothing)."""
    known = {
        "lang": "fr", "slug": "sujet", "situation": "no_income", "act": "qualify", "secret": "abc",
        "request_id": NOWHERE, "document_id": NOWHERE, "notification_id": NOWHERE, "appointment_id": NOWHERE,
        "text_id": NOWHERE, "session_id": NOWHERE, "kiosk_id": NOWHERE, "key": "abc",
        "talk_id": NOWHERE,
        "name": "poster.jpg", "kind": "mp3", "digest": "0",
        "permanence_id": NOWHERE, "visit_id": NOWHERE,
        "agent_id": 0, "rule_id": 0, "opening_id": 0, "absence_id": 0, "closure_id": 0,
    } | values  # fmt: skip
    for rule in app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield Route(method, _address(app, rule, known), rule.endpoint, door_of(app, rule.endpoint))


def _address(app: Flask, rule: Rule, known: dict[str, object]) -> str:
    wanted = {name: known[name] for name in rule.arguments}
    with app.test_request_context("/fr/"):
        return app.url_map.bind("").build(rule.endpoint, wanted, force_external=False)
