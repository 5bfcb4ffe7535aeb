"""The main job, end to end: from a phone to the right social worker, and back."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, ViewportSize, expect
from sqlalchemy import text

from tests import people
from tests.browser.conftest import DESK, PHONE, Opens, RunningHouse
from tests.browser.walking import answer, qualify_and_route, sign_in
from tests.conftest import Database

pytestmark = pytest.mark.browser

HER_WORDS = "لا أستطيع دفع الإيجار. عندي طفلان. أحتاج إلى مساعدة."
HIS_ANSWER = "Bonjour. Venez me voir jeudi à 10 heures. Apportez votre avis d'impôt."
HER_THANKS = "شكرا جزيلا، سآتي يوم الخميس."


@pytest.mark.parametrize("javascript", [True, False], ids=["with scripts", "without scripts"])
@pytest.mark.parametrize(
    ("language", "viewport"), [("ar", PHONE), ("fr", DESK)], ids=["phone in Arabic", "desk in French"]
)
def test_amina_asks_and_is_answered(
    house: RunningHouse,
    database: Database,
    opens: Opens,
    language: str,
    viewport: ViewportSize,
    *,
    javascript: bool,
) -> None:
    """Amina asks, a secretary qualifies and routes, the worker answers, Amina reads it and writes back."""
    amina = opens(viewport=viewport, language=language, javascript=javascript)
    nadia = opens(javascript=javascript)
    sign_in(nadia, house, people.NADIA)
    nadia.goto(f"{house.backoffice}/fr/file")
    expect(nadia.locator("main")).to_contain_text("Rien à traiter")

    number, code = ask_for_help(amina, house, language)

    if not javascript:
        nadia.reload()
    line = nadia.get_by_role("link", name=number)
    expect(line).to_be_visible(timeout=15_000)
    line.click()
    expect(nadia.locator(".words")).to_contain_text(HER_WORDS)
    qualify_and_route(nadia)
    expect(nadia.locator("main")).to_contain_text("la charge la plus légère")

    paul = opens(javascript=javascript)
    worker = people.PAUL if "Paul Petit" in nadia.locator("main").inner_text() else people.SARAH
    sign_in(paul, house, worker)
    expect(paul.locator("main")).to_contain_text("Nouvelle pour vous")
    paul.get_by_role("link", name=number).click()
    answer(paul, HIS_ANSWER)

    amina.goto(f"{house.portal}/{language}/suivi")
    expect(amina.locator(".message.theirs")).to_contain_text(HIS_ANSWER)
    expect(amina.locator("main")).to_contain_text(worker.name)
    amina.locator("#body").fill(HER_THANKS)
    amina.locator("form:has(#body) button.button").click()
    expect(amina.locator(".message.mine").last).to_contain_text(HER_THANKS)

    paul.reload()
    expect(paul.locator(".message.theirs")).to_contain_text(HER_THANKS)
    check_what_remains(house, database, number, worker)
    come_back_with_the_code(opens(viewport=viewport, language=language), house, number, code)


def ask_for_help(amina: Page, house: RunningHouse, language: str) -> tuple[str, str]:
    """From home to the receipt: at most 12 screens and 20 taps, all counted."""
    taps = Taps(amina)
    amina.goto(f"{house.portal}/{language}/")
    expect(amina.locator("html")).to_have_attribute("dir", "rtl" if language == "ar" else "ltr")
    taps.on(f"a[href='/{language}/demande/sujet']")
    taps.on("button[value=housing]")
    taps.on("button[value=eviction]")
    amina.locator("#words").fill(HER_WORDS)
    taps.on("#question .button")
    taps.write("#commune_typed", "poitiers")
    taps.on("#question .button")
    taps.on("input[value=sms]")
    taps.on("input[value=email]")
    taps.on("#question .button")
    taps.write("#sms_number", "06 12 34 56 78")
    taps.write("#email", "amina@example.org")
    taps.on("#question .button")
    amina.locator("#spoken_language").select_option("fa")
    taps.on("#question .button")
    amina.locator("#papers").set_input_files(
        {"name": "رسالة.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.4 a letter of eviction"}
    )
    taps.on("button[name=next]")
    expect(amina).to_have_url(re.compile("/verifier$"))
    expect(amina.locator("dl")).to_contain_text("رسالة.pdf")
    taps.on("form[action$='/envoyer'] .button")
    expect(amina).to_have_url(re.compile("/recu$"))
    assert taps.screens <= 12
    assert taps.taps <= 20
    number, code = (text.strip() for text in amina.locator(".number bdi").all_inner_texts())
    assert re.fullmatch(r"\d{3} \d{3} \d{3}", number)
    assert re.fullmatch(r"(\d{3} ){3}\d{3}", code)
    assert number not in amina.title()
    return number, code


class Taps:
    """Counts what a thumb does and what an eye meets."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.taps = 0
        self.screens = 0
        page.on("framenavigated", lambda frame: self._saw_one(frame.url))

    def on(self, selector: str) -> None:
        """Tap something."""
        self.taps += 1
        self.page.locator(selector).first.click()

    def write(self, selector: str, words: str) -> None:
        """Tap a field and write in it."""
        self.on(selector)
        self.page.locator(selector).fill(words)

    def _saw_one(self, url: str) -> None:
        self.screens += url.startswith("http")


def check_what_remains(
    house: RunningHouse, database: Database, number: str, worker: people.Character
) -> None:
    """The database and the mailbox tell the same story."""
    with database.owner.connect() as connection:
        row = connection.execute(
            text("SELECT id, state, worker_id, secretary_id, words FROM requests WHERE number = :number"),
            {"number": number.replace(" ", "")},
        ).one()
        assert (row.state, row.worker_id, row.secretary_id, row.words) == (
            "taken", worker.id, people.NADIA.id, HER_WORDS
        )  # fmt: skip
        journal = connection.execute(
            text("SELECT action FROM journal WHERE request_id = :id ORDER BY id"), {"id": row.id}
        ).scalars()
        done = [action for action in journal if action not in {"opened", "notified"}]
        assert done == ["sent", "qualified", "routed", "answered", "wrote"]
        sealed = connection.execute(text("SELECT sealed FROM document_contents")).scalar_one()
        assert sealed.startswith(b"age-encryption.org/v1")
    letters = house.mail.to("amina@example.org", count=2)
    texts = house.texts.to(people.AMINA_PHONE, count=2)
    for letter in (*(str(letter.get_content()) for letter in letters), *(sent["text"] for sent in texts)):
        assert f"{house.portal}/" in letter
        for secret_matter in ("loyer", "logement", "السكن", "expulsion", HIS_ANSWER, HER_WORDS):
            assert secret_matter not in letter


def come_back_with_the_code(page: Page, house: RunningHouse, number: str, code: str) -> None:
    """Another telephone, the digits of the receipt, pasted with their spaces."""
    page.goto(f"{house.portal}/fr/suivre")
    page.locator("#number").fill(number)
    page.locator("#code").fill(code)
    page.locator("main form .button").click()
    expect(page.locator(".message.theirs")).to_contain_text(HIS_ANSWER)
