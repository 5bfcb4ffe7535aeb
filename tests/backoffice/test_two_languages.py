"""Amina and Paul write to each other, each in their own language, and read in their own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from html import unescape
from pathlib import Path
from uuid import UUID

import pytest

from casework import worker
from casework.journal import Action, Entry
from casework.messages import LONGEST_BODY, Message
from casework.requests import Request
from tests import tiny_models
from tests.backoffice.colleague import Colleague, stored
from tests.casework.asking import worker_settings
from tests.clock import Clock
from tests.conftest import Database
from tests.pages import Page, read, words
from tests.portal.person import Person

HELP, HELP_READ = "أحتاج مساعدة.", "J'ai besoin d'aide."
COME, COME_READ = "Venez ici à 14h30.", "تعالوا هنا في 14h30."


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """From Arabic to French through English; from French to Arabic at once."""
    for pair, phrases in tiny_models.ARABIC.items():
        tiny_models.install(tmp_path, *pair, phrases)
    return tmp_path


@pytest.fixture
def translate(database: Database, models: Path, now: datetime) -> Callable[[], None]:
    """Let the worker do what waits."""
    return lambda: worker.drain(worker_settings(database, models_folder=models), lambda: now)


@pytest.fixture
def amina(somebody: Callable[..., Person]) -> Person:
    """Amina, who reads Arabic and has asked for help in it."""
    person = somebody(language="ar")
    person.asks_for_help(words=HELP, name="Amina")
    return person


def request_id(database: Database) -> UUID:
    found: Request = stored(database, Request)[0]
    return found.id


def read_in(page: Page, language: str) -> list[str]:
    """Every paragraph of the page marked as being in that language."""
    return [words(one) for one in page.html.iter("p") if one.get("lang") == language]


def answers(paul: Colleague, database: Database, body: str = COME) -> Page:
    paul.reads(request_id(database))
    return paul.does("answer", body=body)


def test_each_reads_in_their_own_language(
    database: Database, amina: Person, nadia: Colleague, translate: Callable[[], None]
) -> None:
    page = nadia.reads(request_id(database))
    assert "La traduction arrive." in page.text
    assert HELP in read_in(page, "ar"), "what was written is there at once"
    translate()
    page = nadia.reads(request_id(database))
    assert HELP_READ in read_in(page, "fr")
    assert HELP in read_in(page, "ar")
    assert "Traduction automatique" in page.text
    assert "Seul le texte en français compte." in page.text
    answers(nadia, database)
    translate()
    page = amina.go("suivi")
    assert COME_READ in read_in(page, "ar")
    assert COME in read_in(page, "fr")
    amina.submit(action="/suivi", body=HELP)
    translate()
    assert read_in(nadia.reads(request_id(database)), "fr").count(HELP_READ) == 2


def test_what_comes_later_fills_itself_in(
    database: Database, amina: Person, nadia: Colleague, translate: Callable[[], None]
) -> None:
    """The same lines alone, for the pages' script; an agent who did not open the request gets none."""
    answers(nadia, database)
    amina.go("suivi")
    lines = f"/fr/demande/{request_id(database)}/messages"
    translate()
    for answer in (amina.ask("GET", "/ar/suivi/messages"), nadia.ask("GET", lines)):
        assert answer.status_code == 200
        assert "data-wanted" not in answer.text
        assert COME_READ in answer.text
    assert HELP_READ in unescape(nadia.ask("GET", lines).text)


def test_the_lines_alone_are_for_who_opened_the_request(
    database: Database, amina: Person, paul: Colleague, odile: Colleague
) -> None:
    lines = f"/fr/demande/{request_id(database)}/messages"
    assert paul.ask("GET", lines).status_code == 404
    assert odile.ask("GET", lines).status_code == 404
    paul.reads(request_id(database))
    assert paul.ask("GET", lines).status_code == 200


def test_i_do_not_understand_comes_back_at_once(
    database: Database, amina: Person, nadia: Colleague, clock: Clock
) -> None:
    answers(nadia, database)
    assert "N'a pas compris" not in nadia.open("/fr/file").text
    clock.forward(minutes=5)
    amina.go("suivi")
    page = amina.submit(action="/pas-compris")
    assert stored(database, Entry, Entry.action == Action.NOT_UNDERSTOOD)[0].agent_id is None
    assert not any("pas-compris" in (form.get("action") or "") for form in page.html.iter("form"))
    assert "N'a pas compris" in nadia.open("/fr/file").text
    page = nadia.reads(request_id(database))
    assert "La personne ne comprend pas ce message. Écrivez-le autrement." in page.text
    clock.forward(minutes=5)
    nadia.does("answer", body="Venez ici demain.")
    assert "N'a pas compris" not in nadia.open("/fr/file").text


def test_nobody_says_it_of_anothers_message(database: Database, amina: Person, nadia: Colleague) -> None:
    answers(nadia, database)
    (message,) = stored(database, Message)
    other = Person(amina.client.application, "fr", source="192.0.2.77")
    other.asks_for_help(words="Bonjour.")
    other.go("suivi")
    token = other.page.html.find(".//input[@name='csrf_token']").get("value")  # type: ignore[union-attr]
    said = other.ask("POST", "/fr/suivi/pas-compris", data={"message": str(message.id), "csrf_token": token})
    assert said.status_code == 303
    assert stored(database, Message)[0].not_understood_at is None


def test_a_correction_is_read_by_everybody(
    database: Database, amina: Person, nadia: Colleague, paul: Colleague, translate: Callable[[], None]
) -> None:
    """Of what the person wrote, and of what they read."""
    answers(nadia, database)
    translate()
    nadia.reads(request_id(database))
    (message,) = stored(database, Message)
    page = corrects(nadia, "تفضلوا هنا في 14h30.", str(message.id))
    assert "Tout le monde lit maintenant votre traduction." in page.text
    corrects(nadia, "Aidez-moi.", "")
    assert "تفضلوا هنا في 14h30." in read_in(amina.go("suivi"), "ar")
    page = paul.reads(request_id(database))
    assert "Aidez-moi." in read_in(page, "fr")
    assert "Traduction corrigée par un agent" in page.text
    assert len(stored(database, Entry, Entry.action == Action.TRANSLATION_CORRECTED)) == 2


def test_a_correction_that_is_refused_is_not_lost(
    database: Database, amina: Person, nadia: Colleague, translate: Callable[[], None]
) -> None:
    """It stands in its field again, with what is wrong beside it."""
    answers(nadia, database)
    translate()
    nadia.reads(request_id(database))
    (message,) = stored(database, Message)
    long = "تعالوا " * 1_500
    for named, typed, said in (
        (str(message.id), long, "Votre texte est trop long. Gardez le plus important."),
        ("", " ", "Écrivez la traduction."),
    ):
        page = corrects(nadia, typed, named, 422)
        (field,) = [one for one in page.html.iter("textarea") if one.get("id") == f"c-{named}"]
        assert field.text == typed
        assert field.get("maxlength") == "10000"
        described = page.html.find(f".//p[@id='{field.get('aria-describedby')}']")
        assert described is not None
        assert said in words(described)
    assert not stored(database, Entry, Entry.action == Action.TRANSLATION_CORRECTED)


def corrects(who: Colleague, translated: str, message: str, status: int = 303) -> Page:
    """Send the correction of a message, or of the request's own words."""
    form = next(
        form for form in who.page.html.iter("form")
        if (form.get("action") or "").endswith("/traduction")
        and any(one.get("name") == "message" and one.get("value") == message for one in form.iter("input"))
    )  # fmt: skip
    token = form.find(".//input[@name='csrf_token']")
    assert token is not None
    path = form.get("action") or ""
    data = {"csrf_token": token.get("value"), "message": message, "translated": translated}
    answer = who.ask("POST", path, data=data)
    assert answer.status_code == status
    return who.open(answer.headers["Location"]) if status == 303 else read(path, answer)


def test_without_an_engine_the_conversation_goes_on(
    database: Database, amina: Person, nadia: Colleague, now: datetime, tmp_path: Path
) -> None:
    answers(nadia, database)
    amina.go("suivi")
    worker.drain(worker_settings(database, models_folder=tmp_path), lambda: now)
    page = nadia.reads(request_id(database))
    assert "Ce message n'a pas de traduction automatique." in page.text
    assert "Sans traduction : prenez une phrase prête, ou un interprète." in page.text
    page = amina.go("suivi")
    assert COME in read_in(page, "fr")


def test_what_comes_out_as_it_went_in_is_shown_once(
    database: Database, amina: Person, nadia: Colleague, translate: Callable[[], None]
) -> None:
    """The longest message of faces alone, a name in other capitals: no translation of itself stands above it."""
    faces = "😀" * LONGEST_BODY
    for body in (faces, HELP):
        amina.go("suivi")
        amina.submit(action="/suivi", body=body)
    answers(nadia, database, "Poitiers, CAF  86")
    translate()
    page = nadia.reads(request_id(database))
    assert [words(one) for one in page.html.iter("p")].count(faces) == 1
    assert read_in(page, "fr").count(HELP_READ) == 2, "hers, and the request's own words"
    page = amina.go("suivi")
    assert read_in(page, "fr") == ["Poitiers, CAF 86"]
    lines = amina.ask("GET", "/ar/suivi/messages").text
    assert 'class="translation"' not in lines
    assert "data-wanted" not in lines


def test_people_of_one_language_see_nothing_of_this(
    database: Database, somebody: Callable[..., Person], nadia: Colleague
) -> None:
    marcel = somebody(source="192.0.2.20")
    marcel.asks_for_help(words="Je ne peux plus payer le loyer.")
    answers(nadia, database)
    for page in (marcel.go("suivi"), nadia.reads(request_id(database))):
        assert "traduction" not in page.text.lower()


def test_the_answer_says_how_the_person_will_read_it(
    database: Database,
    amina: Person,
    nadia: Colleague,
    somebody: Callable[..., Person],
    models: Path,
    translate: Callable[[], None],
    now: datetime,
) -> None:
    """Nobody knows at first whether a machine speaks Arabic; then it did; then its models are gone."""
    ready, hers = "Les phrases prêtes sont déjà traduites.", request_id(database)
    assert "Une machine traduit votre message, si elle connaît cette langue." in nadia.reads(hers).main
    assert "Langue de la personne : العربية." in nadia.page.main
    answers(nadia, database)
    translate()
    page = nadia.reads(hers)
    assert "Une machine traduit votre message. Écrivez des phrases courtes." in page.main
    assert ready in page.main
    answers(nadia, database, "Apportez vos deux vaches.")
    worker.drain(worker_settings(database, models_folder=models / "nothing here"), lambda: now)
    page = nadia.reads(hers)
    assert "Une machine n'a pas pu traduire un message d'avant." in page.main
    assert ready in page.main
    assert "La personne lit ce message en français." not in page.main
    marcel = somebody(source="192.0.2.9")
    marcel.asks_for_help(name="Marcel Moreau")
    (his,) = (one.id for one in stored(database, Request) if one.name == "Marcel Moreau")
    page = nadia.reads(his)
    assert "La personne lit ce message en français. Écrivez des phrases courtes." in page.main
    assert "Langue de la personne" not in page.main
