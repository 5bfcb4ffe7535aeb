"""What the worker does with a text that waits to be translated.

Sentence by sentence: one that is known already is taken from the memory, whoever it was translated for; a new one goes
to the engine with its names and numbers hidden. A translation that loses one of them is withheld, whole, and the page
says so.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Engine, String, cast, column, select, table, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from casework import masking, sentences, translated_words
from casework.database import transaction
from casework.masking import NOBODY, Names
from casework.settings import Settings
from casework.translated_words import State, Task, TranslatedWords, digest_of
from casework.translators import EngineDownError, NoPairError, Translator

logger = logging.getLogger(__name__)

MOST_ATTEMPTS = 10
"""One a minute; an engine that breaks ten times on a text, or ends the worker, is not asked again for it."""
JOBS = table("procrastinate_jobs", column("task_name", String), column("args", JSONB))


@dataclass(frozen=True)
class Made:
    """What became of a text: how it ends (`WANTED`: it waits on), its words, and each new sentence with the names that
    were left alone in it and what it became."""

    state: State
    words: str = ""
    sentences: tuple[tuple[str, Names, str], ...] = ()


def translate_row(
    engine: Engine, settings: Settings, translator: Translator, row_id: UUID, now: datetime
) -> None:
    """See to one text that waits, unless it was seen to or another worker is at it.

    The attempt is counted before the engine is asked: a text that kills its worker is given up in the end. While the
    engine thinks, no transaction is open, and no page waits for it.
    """
    with _alone(engine, row_id) as alone:
        if not alone:
            return
        with transaction(engine) as session:
            if (row := _waiting(session, row_id)) is None:
                return
            row.attempts += 1
            if row.attempts > MOST_ATTEMPTS:
                _end(row, State.FAILED, now)
                return
        made = _translated(engine, settings, translator, row, now)
        with transaction(engine) as session:
            _keep(session, settings, translator, row, made, now)


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
    translator: Translator,
    task: Task,
    source: str,
    target: str,
    known: Mapping[str, str],
    made: dict[str, str],
) -> str:
    """A whole text in the other language, its white space as it was.

    `known`: sentences that are not asked for again. `made`: filled with the new ones, whatever is raised.

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
        if words not in known and words not in made:
            made[words] = translate_sentence(translator, words, source, target, task.names)
        translated += [before, known.get(words) or made[words], after]
    return "".join(translated)


def translate_sentence(
    translator: Translator, words: str, source: str, target: str, names: Names = NOBODY
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


def _translated(
    engine: Engine,
    settings: Settings,
    translator: Translator,
    row: TranslatedWords,
    now: datetime,
) -> Made:
    """What the engine makes of a text; no transaction is open meanwhile."""
    try:
        task = translated_words.open_task(row, settings.documents_private_key)
    except Exception:  # sealed to another key, or not at all: by somebody who is not us
        logger.exception("translation %s cannot be opened", row.id)
        return Made(State.FAILED)
    if digest_of(settings.access_key, task.text, task.names) != row.digest:
        logger.warning("translation %s: what is sealed is not what its digest says", row.id)
        return Made(State.FAILED)
    parts = [sentences.parted(sentence)[1] for sentence in sentences.split(task.text)]
    with transaction(engine) as session:
        pairs = [(words, row.source) for words in dict.fromkeys(parts) if words]
        found = translated_words.known(session, pairs, row.target, settings.access_key, now, task.names)
    known = {words: there.words for (words, _source), there in found.items() if there.state is State.DONE}
    state, words, new = State.DONE, "", dict[str, str]()
    try:
        words = translate_text(translator, task, row.source, row.target, known, new)
    except masking.LostError as error:
        logger.info("translation %s from %s to %s withheld: %s", row.id, row.source, row.target, error)
        state = State.WITHHELD
    except NoPairError:
        state = State.FAILED
    except EngineDownError as error:
        logger.warning("translation %s waits: %s", row.id, error)
        state = State.WANTED
    return Made(
        state, words, tuple((one, masking.hiding(one, task.names), said) for one, said in new.items())
    )


def _keep(
    session: Session,
    settings: Settings,
    translator: Translator,
    row: TranslatedWords,
    made: Made,
    now: datetime,
) -> None:
    """The sentences and the text itself, in the order of their digests: two workers never wait for each other."""
    key = settings.access_key
    by_digest = {digest_of(key, words, names): (words, names, said) for words, names, said in made.sentences}
    for digest in sorted({*by_digest, row.digest}):
        if digest == row.digest:
            if made.state is not State.WANTED and (waiting := _waiting(session, row.id)):
                waiting.words, waiting.engine, waiting.version = (
                    made.words,
                    translator.name,
                    translator.version,
                )
                _end(waiting, made.state, now)
                session.flush()
            continue
        words, names, said = by_digest[digest]
        translated_words.remember(
            session, words, row.source, row.target, said, translator.name,
            key=key, now=now, version=translator.version, names=names,
        )  # fmt: skip


@contextmanager
def _alone(engine: Engine, row_id: UUID) -> Iterator[bool]:
    """True when no other worker is at that text. The lock is the connection's: it keeps no row, and ends with us."""
    name = {"name": f"translation {row_id}"}
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        alone = bool(connection.scalar(text("SELECT pg_try_advisory_lock(hashtext(:name))"), name))
        try:
            yield alone
        finally:
            if alone:
                connection.execute(text("SELECT pg_advisory_unlock(hashtext(:name))"), name)


def _waiting(session: Session, row_id: UUID) -> TranslatedWords | None:
    """The row, locked for this transaction, while it waits."""
    return session.scalar(
        select(TranslatedWords)
        .where(TranslatedWords.id == row_id, TranslatedWords.state == State.WANTED)
        .with_for_update()
    )


def _end(row: TranslatedWords, state: State, now: datetime) -> None:
    """The text is needed here no more."""
    row.state, row.sealed, row.done_at = state, None, now
