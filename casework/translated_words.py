"""The memory of translations: what was translated once is never computed again, and an agent's correction wins.

A translation is found by who has the text: the memory keeps a keyed digest of it, the languages and the result. The
text itself stands here only while the worker has to translate it, sealed to the key that the worker alone opens, so
that the portal can ask for a translation and can read nobody else's words (design rule 4). What is asked for and not
known yet is a row that waits; the worker sees to it (`casework.translating`).
"""

from __future__ import annotations

import enum
import hashlib
import hmac
import json
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    LargeBinary,
    SmallInteger,
    UniqueConstraint,
    and_,
    delete,
    or_,
    select,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from casework import journal
from casework.agents import Agent
from casework.database import Base, one_of
from casework.documents import seal, unseal
from casework.phrasebook import load_phrasebook
from casework.requests import SendingKeys

PHRASEBOOK = "phrasebook"
"""The engine of what people translated ahead, sentence by sentence: always preferred over the machine's."""

KEPT = timedelta(days=90)
"""How long a machine's translation is kept after it was last read; it can be made again."""
KEPT_BY_HAND = timedelta(days=365)
"""The same for what an agent corrected."""

LONGEST_WAIT = timedelta(days=7)
"""How long a text waits here, sealed, for a worker to translate it."""

LONGEST_CORRECTION = 10_000


class State(enum.StrEnum):
    """Where a translation stands. `WITHHELD`: it lost a name or a number. `FAILED`: no engine knows this pair, or the
    engine broke at each attempt."""

    WANTED = "wanted"
    DONE = "done"
    WITHHELD = "withheld"
    FAILED = "failed"


class Origin(enum.StrEnum):
    """Who translated: a machine, people ahead of time, or an agent who corrected."""

    MACHINE = "machine"
    AHEAD = "ahead"
    AGENT = "agent"


class TranslatedWords(Base):
    """One text in one other language, or the wish for it."""

    __tablename__ = "translated_words"
    __table_args__ = (
        UniqueConstraint("digest", "source", "target"),
        CheckConstraint("(state = 'wanted') = (sealed IS NOT NULL)", name="sealed"),
        CheckConstraint(
            "octet_length(digest) = 32 AND octet_length(sealed) <= 40000 AND source <> target"
            " AND source ~ '^[a-z]{2,3}$' AND target ~ '^[a-z]{2,3}$'",
            name="measured",
        ),
        Index("translated_words_to_do_idx", "wanted_at", postgresql_where=text("state = 'wanted'")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    """HMAC-SHA-256 of the text."""
    source: Mapped[str]
    target: Mapped[str]
    state: Mapped[State] = mapped_column(one_of(State))
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    """The text and the names in it, encrypted to the worker's key; only while it waits."""
    words: Mapped[str] = mapped_column(default="")
    engine: Mapped[str] = mapped_column(default="")
    version: Mapped[str] = mapped_column(default="")
    attempts: Mapped[int] = mapped_column(SmallInteger, default=0)
    wanted_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    used_at: Mapped[datetime] = mapped_column(index=True)
    corrected_by: Mapped[int | None] = mapped_column(ForeignKey("agents.id"), index=True)
    corrected_at: Mapped[datetime | None]


@dataclass(frozen=True)
class Translation:
    """What a page shows of a translation. `words`: empty unless `state` is `DONE`."""

    state: State
    words: str = ""
    origin: Origin = Origin.MACHINE


@dataclass(frozen=True)
class Task:
    """What the worker has to translate. `names`: of people and places, which come out as they are."""

    text: str
    names: tuple[str, ...]


class EmptyCorrectionError(ValueError):
    """A correction without words, or far too long."""


def shown(
    session: Session,
    texts: Iterable[tuple[str, str]],
    target: str,
    keys: SendingKeys,
    now: datetime,
    names: Sequence[str] = (),
) -> Mapping[tuple[str, str], Translation]:
    """The translations of texts into the reader's language, by (text, its language); those missing are asked for.

    What is in the reader's language already, or empty, is left out. Works under both roles. The caller commits: what
    was asked for is translated after that, within a second or two, and found by the next call.
    """
    wanted = {
        (digest_of(keys.access_key, words), source): (words, source)
        for words, source in texts
        if source != target and words.strip()
    }
    if not wanted:
        return {}
    known = _known(session, list(wanted), target, now)
    for place, (words, source) in wanted.items():
        ahead = load_phrasebook().ahead(words, source, target)
        if ahead and (place not in known or known[place].origin is not Origin.AGENT):
            known[place] = Translation(State.DONE, ahead, Origin.AHEAD)
    missing = {place: pair for place, pair in wanted.items() if _to_ask(known.get(place))}
    if missing:
        _want(session, missing, target, keys, now, names)
    return {pair: known.get(place, Translation(State.WANTED)) for place, pair in wanted.items()}


def remember(
    session: Session,
    words: str,
    source: str,
    target: str,
    translated: str,
    engine: str,
    *,
    key: str,
    now: datetime,
    version: str = "",
) -> None:
    """Keep a translation, unless an agent's correction or, for a machine's, the phrasebook's is there already.

    `key`: `ACCESS_KEY`. Under the back office's role. For the phrasebook: `engine=PHRASEBOOK`, with the French sentence
    as it is sent, its slots filled in.
    """
    _put(session, words, source, target, translated, key, now, engine=engine, version=version)


def correct(
    session: Session,
    agent: Agent,
    words: str,
    source: str,
    target: str,
    translated: str,
    *,
    key: str,
    request_id: UUID,
    now: datetime,
) -> None:
    """An agent writes the translation that everybody who has this text reads from now on; in the journal.

    Raises:
        EmptyCorrectionError: nothing was written, or more than `LONGEST_CORRECTION` characters.
    """
    translated = translated.replace("\x00", "").replace("\r\n", "\n").strip()
    if not 0 < len(translated) <= LONGEST_CORRECTION:
        raise EmptyCorrectionError
    _put(session, words, source, target, translated, key, now, corrected_by=agent.id, corrected_at=now)
    journal.write(
        session,
        journal.Action.TRANSLATION_CORRECTED,
        now,
        request_id=request_id,
        agent=agent,
        source=source,
        target=target,
    )


def remembered(session: Session, words: str, source: str, target: str, *, key: str) -> str | None:
    """The translation of a text that is known already; under the back office's role."""
    return session.scalar(
        select(TranslatedWords.words).where(
            TranslatedWords.digest == digest_of(key, words),
            TranslatedWords.source == source,
            TranslatedWords.target == target,
            TranslatedWords.state == State.DONE,
        )
    )


def forget_old(session: Session, now: datetime) -> None:
    """Drop what nobody read for `KEPT`, `KEPT_BY_HAND` if an agent corrected it, and what no worker came for."""
    row = TranslatedWords
    session.execute(
        delete(row).where(
            or_(
                (row.used_at < now - KEPT) & row.corrected_by.is_(None),
                row.used_at < now - KEPT_BY_HAND,
                (row.state == State.WANTED) & (row.wanted_at < now - LONGEST_WAIT),
            )
        )
    )


def digest_of(key: str, words: str) -> bytes:
    """The 32 bytes under which a text is known; the same for all ways to end a line and to compose a letter."""
    same = unicodedata.normalize("NFC", words.replace("\r\n", "\n").strip())
    return hmac.new(key.encode(), b"translated words\0" + same.encode(), hashlib.sha256).digest()


def sealed_task(words: str, names: Iterable[str], public_key: str) -> bytes:
    """What the worker needs, sealed to its key."""
    return seal(json.dumps([words.strip(), sorted({*names})]).encode(), public_key)


def open_task(row: TranslatedWords, private_key: str) -> Task:
    """What a waiting row asks for; the worker alone has the key."""
    words, names = json.loads(unseal(row.sealed or b"", private_key))
    return Task(words, tuple(names))


def _known(
    session: Session, places: list[tuple[bytes, str]], target: str, now: datetime
) -> dict[tuple[bytes, str], Translation]:
    rows = session.execute(
        text("SELECT * FROM translations_of(:digests, :sources, :target, :now)"),
        {
            "digests": [digest for digest, _source in places],
            "sources": [source for _digest, source in places],
            "target": target,
            "now": now,
        },
    )
    return {
        (bytes(row.digest), row.source): Translation(
            State(row.state), row.words, _origin(row.engine, corrected=row.corrected)
        )
        for row in rows
    }


def _origin(engine: str, *, corrected: bool) -> Origin:
    if corrected:
        return Origin.AGENT
    return Origin.AHEAD if engine == PHRASEBOOK else Origin.MACHINE


def _to_ask(known: Translation | None) -> bool:
    """The database decides when what failed is tried again."""
    return known is None or known.state in {State.FAILED, State.WITHHELD}


def _want(
    session: Session,
    missing: Mapping[tuple[bytes, str], tuple[str, str]],
    target: str,
    keys: SendingKeys,
    now: datetime,
    names: Sequence[str],
) -> None:
    found = list(missing.items())
    session.execute(
        text("SELECT want_translations(:digests, :sources, :sealed, :target, :now)"),
        {
            "digests": [digest for (digest, _source), _pair in found],
            "sources": [source for (_digest, source), _pair in found],
            "sealed": [
                sealed_task(words, _within(names, words), keys.documents_public_key)
                for _, (words, _s) in found
            ],
            "target": target,
            "now": now,
        },
    )


def _within(names: Iterable[str], words: str) -> list[str]:
    return [name for name in names if name and name in words]


def _put(
    session: Session,
    words: str,
    source: str,
    target: str,
    translated: str,
    key: str,
    now: datetime,
    **more: object,
) -> None:
    row = {"state": State.DONE, "sealed": None, "words": translated, "done_at": now, "used_at": now} | more
    known = TranslatedWords
    unless: list[ColumnElement[bool]] = []
    if "corrected_by" not in more:
        unless.append(known.corrected_by.is_(None))
        if more["engine"] != PHRASEBOOK:
            unless.append(or_(known.engine != PHRASEBOOK, known.state != State.DONE))
    session.execute(
        insert(known)
        .values(
            id=uuid4(),
            digest=digest_of(key, words),
            source=source,
            target=target,
            wanted_at=now,
            **row,
        )
        .on_conflict_do_update(
            index_elements=[known.digest, known.source, known.target],
            set_=row,
            where=and_(true(), *unless),
        )
    )
