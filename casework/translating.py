"""What the worker does with a text that waits to be translated.

Sentence by sentence: one that is known already is taken from the memory, whoever it was translated for; a new one goes
to the engine with its names and numbers hidden. A translation that loses one of them is withheld, whole, and the page
says so.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Engine, String, cast, column, select, table, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from casework import masking, sentences, translated_words
from casework.database import transaction
from casework.phrasebook import load_phrasebook
from casework.settings import Settings
from casework.translated_words import State, Task, TranslatedWords
from casework.translators import EngineDownError, NoPairError, Translator

logger = logging.getLogger(__name__)

MOST_ATTEMPTS = 10
"""One a minute; an engine that breaks ten times on a text, or ends the worker, is not asked again for it."""
JOBS = table("procrastinate_jobs", column("task_name", String), column("args", JSONB))


def translate_row(
    engine: Engine, settings: Settings, translator: Translator, row_id: UUID, now: datetime
) -> None:
    """See to one text that waits, unless it was seen to or another worker is at it.

    The attempt is counted before the engine is asked: a text that kills its worker is given up in the end.
    """
    with transaction(engine) as session:
        if (row := _held(session, row_id)) is None:
            return
        row.attempts += 1
        if row.attempts > MOST_ATTEMPTS:
            _end(row, State.FAILED, now)
            return
    with transaction(engine) as session:
        if row := _held(session, row_id):
            _translate(session, settings, translator, row, now)


def give_jobs(session: Session, limit: int) -> None:
    """A job for every text that waits without one: what a crash, or an engine that was away, left behind."""
    waiting = (
        select(JOBS)
        .where(text("status = 'todo'"), JOBS.c.task_name == "translate_words")
        .where(JOBS.c.args["row_id"].astext == cast(TranslatedWords.id, String))
    )
    found = session.scalars(
        select(TranslatedWords.id)
        .where(TranslatedWords.state == State.WANTED, ~waiting.exists())
        .order_by(TranslatedWords.wanted_at)
        .limit(limit)
    )
    for row_id in found.all():
        session.execute(text("SELECT defer_translation(:id)"), {"id": row_id})


def translate_text(
    session: Session,
    translator: Translator,
    task: Task,
    source: str,
    target: str,
    *,
    key: str,
    now: datetime,
) -> str:
    """A whole text in the other language, its white space as it was; its new sentences are remembered.

    Raises:
        LostError: a name or a number was lost, in whatever way it was hidden.
        NoPairError: the engine does not know that pair.
        EngineDownError: the engine is away.
    """
    translated = []
    for sentence in sentences.split(task.text):
        before, words, after = sentences.parted(sentence)
        if not sentences.has_words(words):
            translated.append(sentence)
            continue
        known = translated_words.remembered(session, words, source, target, key=key)
        known = known or load_phrasebook().ahead(words, source, target)
        if known is None:
            known = translate_sentence(translator, words, source, target, task.names)
            translated_words.remember(
                session, words, source, target, known, translator.name,
                key=key, now=now, version=translator.version,
            )  # fmt: skip
        translated += [before, known, after]
    return "".join(translated)


def translate_sentence(
    translator: Translator, words: str, source: str, target: str, names: Sequence[str]
) -> str:
    """One sentence; engines differ in the marks that they copy, so that other ones are tried before giving up.

    Raises:
        LostError: a name or a number was lost with every kind of mark.
        NoPairError: the engine does not know that pair.
        EngineDownError: the engine is away.
    """
    for style in masking.STYLES:
        masked = masking.mask(words, names, style)
        if not masking.has_more_than_marks(masked):
            return words
        translated = translator.translate(masked.text, source, target).strip()
        try:
            if not translated:
                raise masking.LostError("nothing came out")
            return masking.restore(masked, translated)
        except masking.LostError as error:
            lost = error
            if not masked.kept:
                break
    raise lost


def _translate(
    session: Session, settings: Settings, translator: Translator, row: TranslatedWords, now: datetime
) -> None:
    try:
        task = translated_words.open_task(row, settings.documents_private_key)
    except Exception:  # sealed to another key, or not at all: by somebody who is not us
        logger.exception("translation %s cannot be opened", row.id)
        return _end(row, State.FAILED, now)
    if translated_words.digest_of(settings.access_key, task.text) != row.digest:
        logger.warning("translation %s: what is sealed is not what its digest says", row.id)
        return _end(row, State.FAILED, now)
    try:
        row.words = translate_text(
            session, translator, task, row.source, row.target, key=settings.access_key, now=now
        )
    except masking.LostError as error:
        logger.info("translation %s from %s to %s withheld: %s", row.id, row.source, row.target, error)
        return _end(row, State.WITHHELD, now)
    except NoPairError:
        return _end(row, State.FAILED, now)
    except EngineDownError as error:
        logger.warning("translation %s waits: %s", row.id, error)
        return None
    row.engine, row.version = translator.name, translator.version
    return _end(row, State.DONE, now)


def _end(row: TranslatedWords, state: State, now: datetime) -> None:
    """The text is needed here no more."""
    row.state, row.sealed, row.done_at = state, None, now


def _held(session: Session, row_id: UUID) -> TranslatedWords | None:
    """The row, locked, while it waits and nobody else holds it."""
    return session.scalar(
        select(TranslatedWords)
        .where(TranslatedWords.id == row_id, TranslatedWords.state == State.WANTED)
        .with_for_update(skip_locked=True)
    )
