"""From what somebody writes to what another reads: the memory, the worker, real tiny models, a real server."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from casework import translated_words, translating, worker
from casework.agents import Agent
from casework.database import transaction
from casework.masking import Names
from casework.phrasebook import load_phrasebook
from casework.requests import SendingKeys
from casework.settings import Settings
from casework.translated_words import Origin, State, TranslatedWords, Translation, shown
from casework.translators import (
    ArgosTranslator,
    EngineDownError,
    LibreTranslate,
    NoEngine,
    NoPairError,
    translator_of,
)
from tests import tiny_models
from tests.casework.asking import BY_TEXT, ask, journal_of, worker_settings
from tests.conftest import Database
from tests.local_servers import free_port
from tests.people import PAUL
from tests.translation_server import TranslationServer

pytestmark = pytest.mark.long

HELP, THANKS = "أحتاج مساعدة.", "شكرا."
WORK = "from casework import settings, worker; worker.run(settings.from_environment())"


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """Arabic to French through English, French to Arabic at once, and from Persian a model that loses numbers."""
    tiny_models.install(tmp_path, "ar", "en", {"أحتاج مساعدة": "I need help", "شكرا": "Thank you"})
    tiny_models.install(tmp_path, "en", "fr", {"I need help": "J'ai besoin d'aide", "Thank you": "Merci"})
    tiny_models.install(tmp_path, "fr", "ar", {"Venez à": "تعالوا في", "Merci": "شكرا"})
    tiny_models.install(tmp_path, "fa", "fr", tiny_models.FORGETFUL)
    return tmp_path


def keys_of(database: Database) -> SendingKeys:
    return SendingKeys(database.access_key, database.public_key)


def read(
    database: Database, role: str, texts: Iterable[tuple[str, str]], target: str, now: datetime, *names: str
) -> list[Translation]:
    """What a page of one of the faces gets, and asks for; what it would show once, as the memory has it."""
    texts = list(texts)
    with transaction(database.portal if role == "portal" else database.backoffice) as session:
        found = shown(session, texts, target, keys_of(database), now, Names(names))
        once = translated_words.known(session, texts, target, database.access_key, now, Names(names))
    return [found.get(pair) or once[pair] for pair in texts]


def put(database: Database, words: str, source: str, translated: str, engine: str, now: datetime) -> None:
    """Remember a translation into Arabic or French, as the back office does."""
    target = "ar" if source == "fr" else "fr"
    with transaction(database.backoffice) as session:
        translated_words.remember(
            session, words, source, target, translated, engine, key=database.access_key, now=now
        )


def work(database: Database, settings: Settings, now: datetime) -> None:
    """What the worker does with every text that waits, without its other work."""
    for row in rows(database):
        translating.translate_row(database.backoffice, settings, translator_of(settings), row.id, now)


def rows(database: Database) -> list[TranslatedWords]:
    with Session(database.owner) as session:
        return list(session.scalars(select(TranslatedWords)))


def test_what_amina_writes_in_arabic_paul_reads_in_french(
    database: Database, models: Path, now: datetime
) -> None:
    """Through English, for there is no model at once; what she wrote is nowhere in the memory."""
    written = (f"{HELP} {THANKS}\nAmina, 12/03 9h", "ar")
    assert read(database, "portal", [written], "fr", now, "Amina") == [Translation(State.WANTED)]
    assert all(HELP.encode() not in (row.sealed or b"") for row in rows(database))
    worker.drain(worker_settings(database, models_folder=models), lambda: now)
    (paul,) = read(database, "backoffice", [written], "fr", now, "Amina")
    assert paul == Translation(State.DONE, "J'ai besoin d'aide. Merci.\nAmina, 12/03 9h")
    assert {row.engine for row in rows(database)} == {"argos"}
    assert all(row.sealed is None for row in rows(database))


def test_an_answer_goes_back_without_a_pivot(database: Database, models: Path, now: datetime) -> None:
    read(database, "backoffice", [("Venez à 14h30. Merci.", "fr")], "ar", now)
    work(database, worker_settings(database, models_folder=models), now)
    (amina,) = read(database, "portal", [("Venez à 14h30. Merci.", "fr")], "ar", now)
    assert amina.words == "تعالوا في 14h30. شكرا."


def test_what_is_in_the_readers_language_or_empty_is_left_alone(database: Database, now: datetime) -> None:
    with transaction(database.portal) as session:
        assert shown(session, [("Restez.", "fr"), ("  ", "ar")], "fr", keys_of(database), now) == {}
    assert rows(database) == []


def test_a_translation_that_loses_a_number_is_withheld(
    database: Database, models: Path, now: datetime
) -> None:
    texts = [("باشه 11", "fa"), ("باشه", "fa")]
    read(database, "portal", texts, "fr", now)
    work(database, worker_settings(database, models_folder=models), now)
    lost, kept = read(database, "backoffice", texts, "fr", now)
    assert (lost, kept) == (Translation(State.WITHHELD), Translation(State.DONE, "باشه"))


def test_without_a_model_for_the_pair_it_says_so_and_tries_again_later(
    database: Database, models: Path, now: datetime
) -> None:
    pashto = [("مننه", "ps")]
    for later, state in ((0, State.WANTED), (0, State.FAILED), (59, State.FAILED), (61, State.FAILED)):
        moment = now + timedelta(minutes=later)
        assert read(database, "portal", pashto, "fr", moment)[0].state is state
        work(database, worker_settings(database, models_folder=models), now)
    tiny_models.install(models, "ps", "fr", {"مننه": "Merci"})
    read(database, "portal", pashto, "fr", now + timedelta(hours=2))
    work(database, worker_settings(database, models_folder=models), now)
    assert read(database, "portal", pashto, "fr", now)[0].words == "Merci"


def test_the_same_sentence_is_never_computed_twice(database: Database, now: datetime) -> None:
    """Whoever wrote it, and within whatever message."""
    with TranslationServer({"Tenez.": THANKS}) as server:
        settings = worker_settings(database, libretranslate_url=server.url, libretranslate_key=server.key)
        for words in ("Tenez.", "Tenez. Allez.", "Allez.\nTenez."):
            read(database, "portal", [(words, "fr")], "ar", now)
            work(database, settings, now)
        assert server.asked.all == ["Tenez.", "Allez."]
    assert read(database, "portal", [("Allez.\nTenez.", "fr")], "ar", now)[0].words == f"ALLEZ.\n{THANKS}"


def test_nobodys_name_changes_what_others_read(database: Database, now: datetime) -> None:
    """Somebody called like a word reads it as it is; whoever has other names reads its translation."""
    texts = [("Espoir.", "fr"), ("Voyez Pas. Espoir.", "fr")]
    with TranslationServer() as server:
        settings = worker_settings(database, libretranslate_url=server.url, libretranslate_key=server.key)
        read(database, "portal", texts, "ar", now, "Espoir", "Pas")
        work(database, settings, now)
        hers = read(database, "portal", texts, "ar", now, "Espoir", "Pas")
        assert [one.words for one in hers] == ["Espoir.", "VOYEZ Pas. Espoir."]
        for names in ((), ("Amina", "Espoir Dupont")):
            read(database, "portal", texts, "ar", now, *names)
            work(database, settings, now)
            theirs = read(database, "portal", texts, "ar", now, *names)
            assert [one.words for one in theirs] == ["ESPOIR.", "VOYEZ PAS. ESPOIR."]


def test_a_correction_is_for_whoever_has_these_words(database: Database, now: datetime) -> None:
    """Whatever names a machine would leave alone in them."""
    asked = ask(database, now, BY_TEXT)
    put(database, "Amina est là.", "fr", "أمينة هنا", translated_words.PHRASEBOOK, now)
    with transaction(database.backoffice) as session:
        paul = session.get_one(Agent, PAUL.id)
        translated_words.correct(
            session, paul, "Amina vient.", "fr", "ar", "أمينة", key=database.access_key, request_id=asked.id, now=now
        )  # fmt: skip
    texts = [("Amina est là.", "fr"), ("Amina vient.", "fr")]
    assert read(database, "portal", texts, "ar", now, "Amina") == [
        Translation(State.DONE, "أمينة هنا", Origin.AHEAD),
        Translation(State.DONE, "أمينة", Origin.AGENT),
    ]


def test_what_people_translated_ahead_beats_the_machine_within_a_message(
    database: Database, now: datetime
) -> None:
    ahead = next(phrase for phrase in load_phrasebook() if not phrase.slots and "ar" in phrase.said)
    put(database, ahead.french, "fr", "آلة", "argos", now)
    message = [(f"{ahead.french} Restez.", "fr")]
    with TranslationServer() as server:
        read(database, "portal", message, "ar", now)
        settings = worker_settings(database, libretranslate_url=server.url, libretranslate_key=server.key)
        work(database, settings, now)
    assert read(database, "portal", message, "ar", now)[0].words == f"{ahead.said['ar']} RESTEZ."


def test_no_page_waits_for_an_engine(database: Database, now: datetime) -> None:
    """While one sentence is held by the engine, another page asks for the text itself and for those done before."""
    with TranslationServer() as server, ThreadPoolExecutor() as pool:
        settings = worker_settings(database, libretranslate_url=server.url, libretranslate_key=server.key)
        read(database, "portal", [("Allez. Tenez.", "fr")], "ar", now)
        server.words = {"Allez.": "اذهب"}
        server.hold_from("Tenez.")
        working = pool.submit(work, database, settings, now)
        try:
            server.asked.wait_for(lambda asked: asked == "Tenez.", 1, 20)
            with transaction(database.portal) as session:
                session.execute(text("SET LOCAL lock_timeout = '500ms'"))
                texts = [("Allez.", "fr"), ("Allez. Tenez.", "fr")]
                found = shown(session, texts, "ar", keys_of(database), now)
            assert {one.state for one in found.values()} == {State.WANTED}
        finally:
            server.release()
        working.result(20)
    assert read(database, "portal", [("Allez. Tenez.", "fr")], "ar", now)[0].words == "اذهب TENEZ."


def test_two_workers_with_the_same_sentences_in_another_order(database: Database, now: datetime) -> None:
    """Neither waits for the other for ever; and a text that one is at is left alone by the other."""
    texts = [("Allez. Tenez.", "fr"), ("Tenez. Allez.", "fr")]
    with TranslationServer() as server, ThreadPoolExecutor() as pool:
        settings = worker_settings(database, libretranslate_url=server.url, libretranslate_key=server.key)
        read(database, "portal", texts, "ar", now)
        server.hold()
        one, other = (
            pool.submit(
                translating.translate_row, database.backoffice, settings, translator_of(settings), row.id, now
            )
            for row in rows(database)
        )
        server.asked.wait_for(lambda _text: True, 2, 20)
        work(database, settings, now)
        assert [row.attempts for row in rows(database)] == [1, 1]
        server.release()
        for working in (one, other):
            working.result(20)
    found = read(database, "portal", texts, "ar", now)
    assert [one.words for one in found] == ["ALLEZ. TENEZ.", "TENEZ. ALLEZ."]


def test_a_text_too_long_to_be_asked_for_has_no_translation(database: Database, now: datetime) -> None:
    texts = [("😀" * 10_000, "fr"), ("Tenez.", "fr")]
    refused, waits = read(database, "portal", texts, "ar", now)
    assert (refused.state, waits.state) == (State.FAILED, State.WANTED)
    assert len(rows(database)) == 1


def test_an_agents_correction_wins_and_stays(database: Database, now: datetime) -> None:
    """Over the machine, over the phrasebook, before and after."""
    asked = ask(database, now, BY_TEXT)
    put(database, "Entrez.", "fr", "تعال", "argos", now)
    put(database, "Entrez.", "fr", "تعالوا", translated_words.PHRASEBOOK, now)
    put(database, "Entrez.", "fr", "اذهب", "argos", now)
    assert read(database, "portal", [("Entrez.", "fr")], "ar", now) == [
        Translation(State.DONE, "تعالوا", Origin.AHEAD)
    ]
    with transaction(database.backoffice) as session:
        paul = session.get_one(Agent, PAUL.id)
        translated_words.correct(
            session, paul, "Entrez.", "fr", "ar", " تفضلوا ", key=database.access_key, request_id=asked.id, now=now
        )  # fmt: skip
    put(database, "Entrez.", "fr", "تعالوا", translated_words.PHRASEBOOK, now)
    corrected = Translation(State.DONE, "تفضلوا", Origin.AGENT)
    assert read(database, "portal", [("Entrez.", "fr")], "ar", now) == [corrected]
    assert journal_of(database, asked.id)[-1] == ("translation_corrected", {"source": "fr", "target": "ar"})
    with transaction(database.backoffice) as session, pytest.raises(translated_words.EmptyCorrectionError):
        translated_words.correct(
            session, paul, "Entrez.", "fr", "ar", " \x00", key=database.access_key, request_id=asked.id, now=now
        )  # fmt: skip


def test_the_portal_reads_nobody_elses_words(database: Database, now: datetime) -> None:
    """It knows what it has the words of, and cannot guess: the digest has a key, the table is shut."""
    put(database, HELP, "ar", "J'ai besoin d'aide.", "argos", now)
    with database.portal.begin() as connection:
        mine = "SELECT words FROM translations_of(ARRAY[:digest]::bytea[], ARRAY['ar'], 'fr', now())"
        guesses = [bytes(32), translated_words.digest_of("another key", HELP)]
        for digest in guesses:
            assert connection.execute(text(mine), {"digest": digest}).all() == []
        known = translated_words.digest_of(database.access_key, HELP)
        assert connection.scalar(text(mine), {"digest": known}) == "J'ai besoin d'aide."
    for statement in (
        "SELECT words FROM translated_words", "DELETE FROM translated_words", "UPDATE translated_words SET words = ''",
        "SELECT defer_translation(gen_random_uuid())",
    ):  # fmt: skip
        with database.portal.connect() as connection, pytest.raises(Exception, match="permission denied"):
            connection.execute(text(statement))


def test_a_text_passed_off_as_another_is_not_translated(
    database: Database, models: Path, now: datetime
) -> None:
    """A portal in wrong hands cannot choose what others read."""
    with transaction(database.portal) as session:
        session.execute(
            text("SELECT want_translations(:digests, ARRAY['ar'], :sealed, 'fr', :now)"),
            {
                "digests": [translated_words.digest_of(database.access_key, HELP)],
                "sealed": [translated_words.sealed_task(THANKS, Names(), database.public_key)],
                "now": now,
            },
        )
    work(database, worker_settings(database, models_folder=models), now)
    assert [row.state for row in rows(database)] == [State.FAILED]


def test_an_engine_killed_in_the_middle_loses_nothing(database: Database) -> None:
    """The worker dies while the engine thinks; the next one finds the text and translates it."""
    now = worker.real_time()
    with TranslationServer({"Tenez.": THANKS}) as server:
        settings = worker_settings(database, libretranslate_url=server.url, libretranslate_key=server.key)
        read(database, "portal", [("Tenez.", "fr")], "ar", now)
        server.hold()
        environment = {
            "PATH": os.environ["PATH"], "PYTHONPATH": str(Path(__file__).parents[2]),
            "DATABASE_URL": settings.database_url, "ACCESS_KEY": settings.access_key,
            "DOCUMENTS_PUBLIC_KEY": settings.documents_public_key,
            "DOCUMENTS_PRIVATE_KEY": settings.documents_private_key,
            "LIBRETRANSLATE_URL": server.url, "LIBRETRANSLATE_KEY": server.key,
        }  # fmt: skip
        with subprocess.Popen([sys.executable, "-c", WORK], env=environment) as process:
            try:
                server.asked.wait_for(lambda _text: True, 1, 20)
            finally:
                process.kill()
        (row,) = rows(database)
        assert (row.state, row.attempts, row.words) == (State.WANTED, 1, "")
        server.release()
        worker.drain(settings, lambda: now)
    assert read(database, "portal", [("Tenez.", "fr")], "ar", now)[0].words == THANKS


def test_an_engine_that_is_away_is_asked_again_each_minute_and_given_up(
    database: Database, now: datetime
) -> None:
    away = worker_settings(database, libretranslate_url=f"http://127.0.0.1:{free_port()}")
    read(database, "portal", [("Tenez.", "fr")], "ar", now)
    for minute in range(10):
        work(database, away, now + timedelta(minutes=minute))
        assert [(row.state, row.attempts) for row in rows(database)] == [(State.WANTED, minute + 1)]
    work(database, away, now + timedelta(minutes=11))
    assert [row.state for row in rows(database)] == [State.FAILED]


def test_what_nobody_reads_any_more_is_forgotten(database: Database, now: datetime) -> None:
    put(database, "Entrez.", "fr", "تعالوا", "argos", now)
    put(database, "Tenez.", "fr", THANKS, "argos", now)
    read(database, "portal", [("Restez.", "fr")], "ar", now)
    read(database, "portal", [("Tenez.", "fr")], "ar", now + timedelta(days=60))
    worker.drain(worker_settings(database), lambda: now + timedelta(days=91))
    assert [row.words for row in rows(database)] == [THANKS]


# --- engines --------------------------------------------------------------------------------------------


def test_models_say_what_they_translate_pivots_included(models: Path) -> None:
    translator = ArgosTranslator(models)
    direct = {("ar", "en"), ("en", "fr"), ("fr", "ar"), ("fa", "fr")}
    assert translator.pairs() == direct | {("ar", "fr")}
    assert translator.version == "ar-en 1.0 en-fr 1.0 fa-fr 1.0 fr-ar 1.0"
    with pytest.raises(NoPairError):
        translator.translate("Merci", "fr", "en")


def test_a_broken_model_says_that_the_engine_is_down(models: Path) -> None:
    (models / "fr_ar" / "model" / "model.bin").write_bytes(b"nothing")
    with pytest.raises(EngineDownError):
        ArgosTranslator(models).translate("Merci", "fr", "ar")


def test_a_server_is_asked_as_libretranslate_wants(database: Database) -> None:
    with TranslationServer({"Tenez.": THANKS}) as server:
        good = LibreTranslate(server.url + "/", server.key)
        assert good.translate("Tenez.", "fr", "ar") == THANKS
        assert ("fr", "ar") in good.pairs()
        with pytest.raises(NoPairError):
            good.translate("مننه", "ps", "fr")
        for status in (500, 429):
            server.replies = [status]
            with pytest.raises(EngineDownError):
                good.translate("Tenez.", "fr", "ar")
        with pytest.raises(EngineDownError, match="403"):
            LibreTranslate(server.url, "wrong").translate("Tenez.", "fr", "ar")
    with pytest.raises(EngineDownError):
        good.pairs()


def test_the_settings_choose_the_engine(
    database: Database, models: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    nothing = worker_settings(database, models_folder=tmp_path_factory.mktemp("none"))
    assert isinstance(translator_of(nothing), NoEngine)
    with_models: Settings = replace(nothing, models_folder=models)
    assert isinstance(translator_of(with_models), ArgosTranslator)
    assert isinstance(
        translator_of(replace(with_models, libretranslate_url="http://127.0.0.1:1")), LibreTranslate
    )


def test_the_faces_never_load_an_engine() -> None:
    """Models weigh hundreds of megabytes; a portal of eight threads must not."""
    look = (
        "import sys, portal.app, backoffice.app\n"
        "print([name for name in sys.modules if name.startswith(('argostranslate', 'ctranslate2', 'sentencepiece',"
        " 'onnxruntime', 'casework.translators', 'casework.translating', 'casework.worker'))])"
    )
    found = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
