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
    text,
    true,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from casework import journal, sentences
from casework.agents import Agent
from casework.database import Base, one_of
from casework.documents import seal, unseal
from casework.masking import NOBODY, Names, hiding
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
LONGEST_SEALED = 40_000
"""Octets of a text that waits, sealed; a longer one is not asked for."""


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
    """HMAC-SHA-256 of the text; of the names that a machine's translation leaves alone in it, too."""
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
    """What the worker has to translate. `names`: those that hide something in it."""

    text: str
    names: Names


class EmptyCorrectionError(ValueError):
    """A correction without words."""


class LongCorrectionError(ValueError):
    """A correction of more than `LONGEST_CORRECTION` characters."""


def shown(
    session: Session,
    texts: Iterable[tuple[str, str]],
    target: str,
    keys: SendingKeys,
    now: datetime,
    names: Names = NOBODY,
) -> Mapping[tuple[str, str], Translation]:
    """The translations of texts into the reader's language, by (text, its language); those missing are asked for.

    What is in the reader's language already, or empty, is left out; so is what comes out as it went in, a name or a
    word that both languages have: it is shown once, as it was written. Works under both roles. The caller commits: what
    was asked for is translated after that, within a second or two, and found by the next call. What is too long to be
    asked for has none, and says so.
    """
    wanted = [pair for pair in dict.fromkeys(texts) if pair[1] != target and pair[0].strip()]
    if not wanted:
        return {}
    found = known(session, wanted, target, keys.access_key, now, names)
    missing = [pair for pair in wanted if _to_ask(found.get(pair))]
    refused = _want(session, missing, target, keys, now, names) if missing else set()
    return {
        pair: Translation(State.FAILED) if pair in refused else found.get(pair, Translation(State.WANTED))
        for pair in wanted
        if not _says_the_same(found.get(pair), pair[0])
    }


def known(
    session: Session,
    texts: Sequence[tuple[str, str]],
    target: str,
    key: str,
    now: datetime,
    names: Names = NOBODY,
) -> dict[tuple[str, str], Translation]:
    """What there is already, by (text, its language): an agent's correction, else the phrasebook's words, else the
    machine's, which counts only for the same text with the same names left alone. Works under both roles."""
    places = {pair: _places(key, pair, names) for pair in texts}
    rows = _rows(session, [place for pair in places.values() for place in pair], target, now)
    found = {}
    for (words, source), (anybodys, ours) in places.items():
        by_people = rows.get(anybodys)
        if by_people and by_people.origin is Origin.AGENT:
            found[words, source] = by_people
        elif ahead := load_phrasebook().ahead(words, source, target):
            found[words, source] = Translation(State.DONE, ahead, Origin.AHEAD)
        elif by_people and by_people.origin is Origin.AHEAD:
            found[words, source] = by_people
        elif ours in rows:
            found[words, source] = rows[ours]
    return found


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
    names: Names = NOBODY,
) -> None:
    """Keep a translation, unless an agent's correction or, for a machine's, the phrasebook's is there already.

    `key`: `ACCESS_KEY`. Under the back office's role. For the phrasebook: `engine=PHRASEBOOK`, with the French sentence
    as it is sent, its slots filled in. `names`: those that hide something in these words; who reads the same words
    with other names left alone gets another translation.
    """
    digest = digest_of(key, words, names)
    _put(session, digest, source, target, translated, now, engine=engine, version=version)


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
        EmptyCorrectionError: nothing was written.
        LongCorrectionError: more than `LONGEST_CORRECTION` characters were.
    """
    translated = translated.replace("\x00", "").replace("\r\n", "\n").strip()
    if not translated:
        raise EmptyCorrectionError
    if len(translated) > LONGEST_CORRECTION:
        raise LongCorrectionError
    digest = digest_of(key, words)
    _put(session, digest, source, target, translated, now, corrected_by=agent.id, corrected_at=now)
    journal.write(
        session,
        journal.Action.TRANSLATION_CORRECTED,
        now,
        request_id=request_id,
        agent=agent,
        source=source,
        target=target,
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


def digest_of(key: str, words: str, names: Names = NOBODY) -> bytes:
    """The 32 bytes under which a text is known; the same for all ways to end a line and to compose a letter.

    `names`: those that hide something in it. They are a part of it, so that nobody's name changes what others read.
    """
    same = unicodedata.normalize("NFC", words.replace("\r\n", "\n").strip())
    if names:
        named = json.dumps([same, names.people, names.places])
        return hmac.new(
            key.encode(), b"translated words with names\0" + named.encode(), hashlib.sha256
        ).digest()
    return hmac.new(key.encode(), b"translated words\0" + same.encode(), hashlib.sha256).digest()


def sealed_task(words: str, names: Names, public_key: str) -> bytes:
    """What the worker needs, sealed to its key."""
    task = json.dumps([words.strip(), names.people, names.places], ensure_ascii=False)
    return seal(task.encode(), public_key)


def open_task(row: TranslatedWords, private_key: str) -> Task:
    """What a waiting row asks for; the worker alone has the key."""
    words, people, places = json.loads(unseal(row.sealed or b"", private_key))
    return Task(words, Names(tuple(people), tuple(places)))


def _places(key: str, pair: tuple[str, str], names: Names) -> tuple[tuple[bytes, str], tuple[bytes, str]]:
    """Where anybody's words for a text stand, and a machine's with these names left alone."""
    words, source = pair
    return (digest_of(key, words), source), (digest_of(key, words, hiding(words, names)), source)


def _rows(
    session: Session, places: list[tuple[bytes, str]], target: str, now: datetime
) -> dict[tuple[bytes, str], Translation]:
    places = sorted({*places})
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


def _says_the_same(found: Translation | None, written: str) -> bool:
    """True when nobody would see a difference but in spaces, capitals and punctuation; what an agent wrote stays."""
    if found is None or found.state is not State.DONE or found.origin is Origin.AGENT:
        return False
    return sentences.bare(found.words) == sentences.bare(written)


def _to_ask(known: Translation | None) -> bool:
    """The database decides when what failed is tried again."""
    return known is None or known.state in {State.FAILED, State.WITHHELD}


def _want(
    session: Session,
    missing: Sequence[tuple[str, str]],
    target: str,
    keys: SendingKeys,
    now: datetime,
    names: Names,
) -> set[tuple[str, str]]:
    """Ask for translations; those too long to be asked for come back."""
    asked, refused = {}, set()
    for words, source in missing:
        ours = hiding(words, names)
        sealed = sealed_task(words, ours, keys.documents_public_key)
        if len(sealed) > LONGEST_SEALED:
            refused.add((words, source))
        else:
            asked[digest_of(keys.access_key, words, ours), source] = sealed
    session.execute(
        text("SELECT want_translations(:digests, :sources, :sealed, :target, :now)"),
        {
            "digests": [digest for digest, _source in asked],
            "sources": [source for _digest, source in asked],
            "sealed": list(asked.values()),
            "target": target,
            "now": now,
        },
    )
    return refused


def _put(
    session: Session,
    digest: bytes,
    source: str,
    target: str,
    translated: str,
    now: datetime,
    **more: object,
) -> None:
    row = {"state": State.DONE, "sealed": None, "words": translated, "done_at": now, "used_at": now} | more
    there = TranslatedWords
    unless: list[ColumnElement[bool]] = []
    if "corrected_by" not in more:
        unless.append(there.corrected_by.is_(None))
        if more["engine"] != PHRASEBOOK:
            unless.append(or_(there.engine != PHRASEBOOK, there.state != State.DONE))
    session.execute(
        insert(there)
        .values(
            id=uuid4(),
            digest=digest,
            source=source,
            target=target,
            wanted_at=now,
            **row,
        )
        .on_conflict_do_update(
            index_elements=[there.digest, there.source, there.target],
            set_=row,
            where=and_(true(), *unless),
        )
    )
