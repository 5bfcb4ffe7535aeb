"""Whom to call, texts to sort, and people at risk, in the states worth a look."""

from __future__ import annotations

from uuid import uuid4

from playwright.sync_api import Page

from casework import contact_rules, requests
from casework.agents import Agent
from casework.answers import Fate, IncomingText
from casework.database import transaction
from casework.requests import Request
from casework.vocabulary import ContactRule
from tests.browser import stage
from tests.browser.stage import Staged
from tests.browser.walking import AgentsWalk, Look, tap
from tests.casework.asking import BY_TEXT, Asked, ask
from tests.conftest import Database
from tests.people import AMINA_PHONE, NADIA

LONG_TEXT = "أنا مريضة اليوم ولا أستطيع الحضور. هل يمكن تغيير الموعد إلى الأسبوع القادم؟ " * 3


def protect(database: Database, asked: Asked, rule: ContactRule, contact: str = "") -> None:
    """Have Nadia say how a person may be told things."""
    with transaction(database.backoffice) as session:
        request = requests.locked(session, asked.id, session.get_one(Request, asked.id).version)
        nadia = session.get_one(Agent, NADIA.id)
        why = "Son mari lit son téléphone. Elle l'a dit à l'accueil."
        contact_rules.set_rule(session, nadia, request, rule, contact, why, stage.now())


def text_to_sort(database: Database) -> None:
    """Two people share a telephone, and one wrote."""
    ask(database, stage.now(), BY_TEXT)
    with transaction(database.owner) as session:
        session.add(
            IncomingText(
                id=uuid4(), provider_id=uuid4().hex, sender=AMINA_PHONE, body=LONG_TEXT, received_at=stage.now(),
                state=Fate.TO_SORT, set_aside_by=[],
            )
        )  # fmt: skip


def agents_calls(walk: AgentsWalk, page: Page, database: Database, staged: Staged, look: Look) -> None:
    """The list full, somebody not reached, then people at risk and a rule without its reason."""
    text_to_sort(database)
    walk.open("/a-appeler", "to call")
    tap(page, "button[value=pas-joint]")
    look("to call, not reached")
    protect(
        database,
        staged.waiting,
        ContactRule.OTHER,
        "une.adresse.sure.et.longue@un-nom-de-domaine.example.org",
    )
    walk.open(f"/demande/{staged.waiting.id}", "request, another contact")
    protect(database, staged.wrote_again, ContactRule.NONE)
    walk.open(f"/demande/{staged.wrote_again.id}", "request, no message at all")
    page.locator("#act-prevenir summary").click()
    tap(page, "#act-prevenir .button")
    look("request, a rule without its reason")
