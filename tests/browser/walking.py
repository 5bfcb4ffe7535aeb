"""Ways through both faces that several tests take: signing in, acting, and a walk past every page.

A walk only drives the browser, so that it also goes through a demonstration (`tools.pictures`). At each stop
it calls `look(name)` with the page as somebody would see it there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from playwright.sync_api import FilePayload, Page, expect

from tests import people
from tests.browser.conftest import RunningHouse

Look = Callable[[str], None]

A_PAPER: FilePayload = {
    "name": "lettre-du-proprietaire.pdf",
    "mimeType": "application/pdf",
    "buffer": b"%PDF-1.4 a letter",
}
NOT_A_PAPER: FilePayload = {
    "name": "programme.exe",
    "mimeType": "application/octet-stream",
    "buffer": b"MZ not a photo",
}
WORDS = {
    "fr": "Je ne peux plus payer le loyer. J'ai deux enfants.",
    "ar": "لا أستطيع دفع الإيجار. عندي طفلان.",
    "en": "I cannot pay the rent. I have two children.",
}


def sign_in(page: Page, house: RunningHouse, who: people.Character, language: str = "fr") -> None:
    """Sign in against the directory."""
    page.goto(f"{house.backoffice}/{language}/")
    page.locator("#login").fill(who.login)
    page.locator("#password").fill(people.PASSWORD)
    page.locator("main form .button").click()
    expect(page.locator("header")).to_contain_text(who.name)


def qualify_and_route(page: Page) -> None:
    """What the secretary does with a new request."""
    page.locator("#act-qualify input[value=money]").check()
    page.locator("#act-qualify .button").click()
    expect(page.locator(".notice.success")).to_be_visible()
    unfold(page, "route")
    expect(page.locator(".proposal")).to_contain_text("Secteur Poitiers centre")
    page.locator("#act-route .button").click()
    expect(page.locator(".toolbar .badge").first).to_have_text("Transmise")


def answer(page: Page, words: str) -> None:
    """What the social worker writes."""
    unfold(page, "answer")
    page.locator("#answer-body").fill(words)
    page.locator("#act-answer .button:not(.secondary)").click()
    expect(page.locator(".message.mine")).to_contain_text(words)


def unfold(page: Page, act: str) -> None:
    """Open the form of an act, unless it is open already."""
    if page.locator(f"#act-{act}").get_attribute("open") is None:
        page.locator(f"#act-{act} > summary").click()


def go_to_contact(page: Page, address: str, *, theme: str = "housing", urgency: str = "none") -> None:
    """Answer the first five questions, wanting an answer by text message and by e-mail."""
    page.goto(f"{address}/sujet")
    tap(page, f"button[value={theme}]")
    tap(page, f"button[value={urgency}]")
    page.locator("#words").fill(WORDS["fr"])
    tap(page, "#question .button")
    page.locator("#commune_typed").fill("Poitiers")
    tap(page, "#question .button")
    page.locator("input[value=sms]").check()
    page.locator("input[value=email]").check()
    tap(page, "#question .button")


def go_to_papers(page: Page, address: str, *, theme: str = "housing", urgency: str = "none") -> None:
    """Answer everything but the papers."""
    go_to_contact(page, address, theme=theme, urgency=urgency)
    page.locator("#sms_number").fill("06 12 34 56 78")
    page.locator("#email").fill("amina@example.org")
    tap(page, "#question .button")
    tap(page, "#question .button")
    expect(page.locator("#papers")).to_be_visible()


def tap(page: Page, selector: str) -> None:
    """Tap what leads to another page, and be there."""
    with page.expect_navigation():
        page.locator(selector).first.click()


@dataclass(frozen=True)
class CitizensWalk:
    """Past every page of the portal, from the choice of a language to the receipt of a request."""

    page: Page
    portal: str
    language: str
    look: Look

    @property
    def words(self) -> str:
        """In one's own language, or in English."""
        return WORDS.get(self.language, WORDS["en"])

    def all(self) -> None:
        """The whole walk; it ends on the page that follows the request."""
        self.around_the_door()
        self.first_questions()
        self.place()
        self.how_to_answer()
        self.papers_and_check()
        self.in_danger()
        self.sent()

    def around_the_door(self) -> None:
        """Pages that need no request."""
        self.page.goto(f"{self.portal}/")
        self.look("choice of language")
        for path, name in (
            ("/", "home"),
            ("/urgences", "emergencies"),
            ("/maisons", "houses"),
            ("/hors-ligne", "without network"),
            ("/droits/", "rights"),
            ("/droits/rsa", "a rights page"),
            ("/droits/violences", "a sensitive rights page"),
            ("/droits/situation/no_income", "a situation"),
            ("/droits/chercher?mots=zzyzx", "rights, nothing found"),
            ("/accessibilite", "accessibility"),
            ("/mentions", "legal notices"),
            ("/suivre", "number and code"),
            ("/lien-perdu", "lost link"),
            ("/lien-envoye", "link sent again"),
            ("/s/nothing-opens-with-this", "dead link"),
            ("/nulle-part", "no such page"),
        ):
            self._open(path, name)
        self._open("/suivre")
        self._send("number and code, empty", "main form .button")
        self._open("/lien-perdu")
        self._send("lost link, empty", "main form .button")

    def first_questions(self) -> None:
        """What, how urgent, in one's own words; each also answered wrongly."""
        self._open("/demande/sujet", "what about")
        self._send_nothing("what about, nothing chosen")
        self._send("how urgent", "button[value=housing]")
        self._send_nothing("how urgent, nothing chosen")
        self._send("own words", "button[value=eviction]")
        self.page.locator("#words").fill(self.words * 200)
        self._send("own words, far too many")
        self.page.locator("#words").fill(self.words)
        self._send("where")

    def place(self) -> None:
        """No answer, nothing found, several found, one chosen."""
        self._send("where, no answer")
        self.page.locator("#commune_typed").fill("Zzyzx")
        self._send("where, nothing found")
        self.page.locator("#commune_typed").fill("86190")
        self._send("where, several found")
        self._send("which way to answer", ".tiles button[value='86294']")

    def how_to_answer(self) -> None:
        """Every way to answer at once, then my language and my needs."""
        self._send("which way to answer, none")
        for channel in ("sms", "call", "email", "letter", "visit"):
            self.page.locator(f"input[value={channel}]").check()
        self._send("contact")
        self._send("contact, nothing written")
        for field, words in (
            ("sms_number", "06 12 34 56 78"),
            ("call_number", "05 49 12 34 56"),
            ("email", "amina@example.org"),
            ("postal_address", "Amina Haddad\n3 rue des Lilas\n86000 Poitiers"),
            ("name", "Amina Haddad"),
        ):
            self.page.locator(f"#{field}").fill(words)
        self._send("language and needs")
        self.page.locator("input[value=interpreter]").check()
        self._send("papers")

    def papers_and_check(self) -> None:
        """A file that is no paper, a paper, everything once more, and the way to stop here."""
        self.page.locator("#papers").set_input_files([NOT_A_PAPER])
        self.page.locator("button[name=add]").click()
        expect(self.page.locator(".error-summary")).to_contain_text("programme.exe")
        self.look("papers, one refused")
        self.page.locator("#papers").set_input_files([A_PAPER])
        self.page.locator("button[name=add]").click()
        expect(self.page.locator(".papers")).to_contain_text("lettre-du-proprietaire.pdf")
        self.page.wait_for_load_state()
        self.look("papers, one there")
        self._send("check", "button[name=next]")
        self._open("/demande/plus-tard", "finish later")
        self._open("/", "home, a request begun")

    def in_danger(self) -> None:
        """The same pages where they must not be seen by somebody else."""
        self._open("/demande/sujet?retour=1")
        self._send("", "button[value=violence]")
        self._open("/demande/urgence?retour=1", "how urgent, violence")
        self._send("check, in danger", "button[value=danger]")
        self._open("/demande/mots?retour=1", "own words, in danger")
        self._open("/demande/reponse?retour=1", "which way to answer, in danger")
        self._send("which way to answer, nothing and more")
        self._open("/demande/contact?retour=1", "contact, in danger")
        self._open("/demande/plus-tard", "finish later, in danger")
        self._open("/demande/verifier")

    def sent(self) -> None:
        """The receipt, and the request followed."""
        self._send("receipt", "form[action$='/envoyer'] .button")
        self._open("/suivi", "followed")
        self._send("followed, nothing written", "form:has(#body) .button")

    def _open(self, path: str, name: str = "") -> None:
        self.page.goto(f"{self.portal}/{self.language}{path}")
        self._seen(name)

    def _send(self, name: str, button: str = "#question .buttons .button") -> None:
        tap(self.page, button)
        self._seen(name)

    def _send_nothing(self, name: str) -> None:
        """A form sent without its button: by a key of the keyboard, or by a very old browser."""
        with self.page.expect_navigation():
            self.page.evaluate("document.querySelector('#question').submit()")
        self._seen(name)

    def _seen(self, name: str) -> None:
        if name:
            self.look(name)


@dataclass(frozen=True)
class AgentsWalk:
    """Past the pages of the back office that need no particular request."""

    page: Page
    backoffice: str
    language: str
    look: Look

    def open(self, path: str, name: str = "") -> None:
        """Open an address of this language and look at it."""
        self.page.goto(f"{self.backoffice}/{self.language}{path}")
        if name:
            self.look(name)

    def before_signing_in(self) -> None:
        """The sign-in page, and the same with its mistakes."""
        self.open("/connexion", "sign in")
        tap(self.page, "main form .button")
        self.look("sign in, nothing written")

    def lists(self) -> None:
        """The lists, as they are now."""
        self.open("/file", "queue")
        self.open("/file?etat=open&theme=&langue=&urgent=1", "queue, urgent ones")
        self.open("/file?etat=open&theme=age_handicap&langue=ti", "queue, filtered to nothing")
        self.open("/chercher?numero=000", "number not found")
        self.open("/mes-demandes", "own list")
        self.open("/envois", "sendings")
        self.open("/nulle-part", "no such page")

    def request(self, path: str, name: str) -> None:
        """A request, as it opens and then with every act unfolded."""
        self.page.goto(path)
        self.look(name)
        with unfolded(self.page):
            self.look(f"{name}, every act open")


@contextmanager
def unfolded(page: Page) -> Iterator[None]:
    """Every folded part of the page open, for a while."""
    page.evaluate(
        "for (const one of document.querySelectorAll('details:not([open])')) one.dataset.folded = one.open = true"
    )
    yield
    page.evaluate("for (const one of document.querySelectorAll('details[data-folded]')) one.open = false")
