"""Where the theme is violence, one can leave at once; elsewhere nothing shows that one could."""

from __future__ import annotations

import pytest

from tests.pages import Page
from tests.portal.person import Person


def has_exit(page: Page) -> bool:
    """True when the page offers the quick exit and the warning about the history."""
    return bool(page.of_class("exit-button")) and "/quitter" in page.links()


@pytest.mark.parametrize(
    ("theme", "urgency", "sensitive"),
    [("violence", "none", True), ("family", "danger", True), ("money", "eviction", False)],
)
def test_the_exit_is_on_every_page_after_a_sensitive_answer(
    marcel: Person, theme: str, urgency: str, sensitive: bool
) -> None:
    marcel.asks_for_help(theme=theme, urgency=urgency)
    marcel.go("suivi")
    after = marcel.shown[2:]
    assert len(after) > 8
    assert [page.path for page in after if has_exit(page) is not sensitive] == []


def test_leaving_wipes_this_browser_and_leads_elsewhere(marcel: Person) -> None:
    marcel.asks_for_help(theme="violence")
    answer = marcel.ask("GET", "/quitter")
    assert (answer.status_code, answer.headers["Location"]) == (303, "https://meteofrance.com/")
    assert answer.headers["Clear-Site-Data"] == '"cache", "cookies", "storage"'
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert marcel.go("suivi").path == "/fr/suivre"
