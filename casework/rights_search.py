"""Finding a rights page with one's own words, in any of the languages, misspelt or not.

Each word of a page is a row with what it is worth there: rare words more than common ones, those of a title or of a
situation more than the others. PostgreSQL's trigrams forgive spelling (`pg_trgm`); accents and capitals are gone
before (`territory.fold`). Nothing of what people look for is kept.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping

from sqlalchemy import Index, PrimaryKeyConstraint, delete, func, insert, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from casework.database import Base
from casework.rights import FRENCH, Library, RightsPage
from casework.territory import fold

MOST_FOUND = 8
MOST_WORDS = 12
SHORTEST = 2
TITLE, SITUATION, SUMMARY, BODY = 8.0, 6.0, 4.0, 1.0
"""What a word is worth by where it stands."""


class RightsWord(Base):
    """A folded word of a page in a language, and its worth there."""

    __tablename__ = "rights_words"
    __table_args__ = (
        PrimaryKeyConstraint("language", "slug", "word"),
        Index(
            "rights_words_word_idx", "word", postgresql_using="gin", postgresql_ops={"word": "gin_trgm_ops"}
        ),
    )

    language: Mapped[str]
    slug: Mapped[str]
    word: Mapped[str]
    worth: Mapped[float]


class RightsDigest(Base):
    """Which content the words were made from; one row."""

    __tablename__ = "rights_digests"

    digest: Mapped[str] = mapped_column(primary_key=True)


FIND = text(
    """
    WITH asked AS (
        SELECT word AS typed FROM unnest(CAST(:words AS text[])) AS word
    ), close AS (
        SELECT a.typed, w.slug, max(w.worth * CASE
            WHEN w.word = a.typed THEN 1.0
            WHEN starts_with(w.word, a.typed) AND length(a.typed) > 3 THEN 0.8
            ELSE similarity(w.word, a.typed) - 0.1
        END) AS score
        FROM asked a JOIN rights_words w ON w.word % a.typed
        GROUP BY a.typed, w.slug
    )
    SELECT slug, sum(score) AS score FROM close GROUP BY slug ORDER BY score DESC, slug LIMIT :most
    """
)


def load(session: Session, library: Library) -> bool:
    """Make the words anew when the content has changed; False when it had not."""
    rows = list(_rows(library))
    digest = hashlib.sha256(repr(rows).encode()).hexdigest()
    session.execute(select(func.pg_advisory_xact_lock(func.hashtext("rights words"))))
    if session.get(RightsDigest, digest):
        return False
    session.execute(delete(RightsWord))
    session.execute(delete(RightsDigest))
    session.execute(insert(RightsWord), rows)
    session.add(RightsDigest(digest=digest))
    return True


def find(session: Session, words: str) -> list[str]:
    """Slugs of the pages that these words, of any language, are most about; the best first, empty if none is."""
    typed = list(dict.fromkeys(word for word in fold(words).split() if len(word) >= SHORTEST))[:MOST_WORDS]
    if not typed:
        return []
    rows = session.execute(FIND, {"words": typed, "most": MOST_FOUND}).all()
    return [row.slug for row in rows if row.score >= rows[0].score / 4]


def _rows(library: Library) -> Iterator[dict[str, object]]:
    """A word found in all pages of a language is worth nothing there."""
    by_language: dict[str, dict[str, Counter[str]]] = defaultdict(dict)
    for slug, pages in library.pages.items():
        for language, page in pages.items():
            by_language[language][slug] = _worths(page, library.situations)
    for language, pages_of in by_language.items():
        used = Counter(word for worths in pages_of.values() for word in worths)
        for slug, worths in pages_of.items():
            for word, worth in worths.items():
                rarity = math.log((1 + len(pages_of)) / used[word])
                if rarity > 0:
                    yield {"language": language, "slug": slug, "word": word, "worth": worth * rarity}


def _worths(page: RightsPage, situations: Mapping[str, Mapping[str, str]]) -> Counter[str]:
    """The best worth of each word of a page."""
    own_words = situations.get(page.language, situations.get(FRENCH, {}))
    sentences = " ".join(own_words.get(one, "") for one in page.facts.situations)
    found: Counter[str] = Counter()
    for worth, words in (
        (BODY, page.text()),
        (SUMMARY, page.summary),
        (SITUATION, sentences),
        (TITLE, page.title),
    ):
        for word in fold(words).split():
            if len(word) >= SHORTEST:
                found[word] = worth  # type: ignore[assignment]  # worths are not whole numbers
    return found
