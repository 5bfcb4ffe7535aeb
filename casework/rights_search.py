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
SEARCH, TITLE, SITUATION, SUMMARY, BODY = 10.0, 8.0, 6.0, 4.0, 1.0
"""What a word is worth by where it stands; `SEARCH`: among the words a page is to be found by."""
FEW_WORDS = 2
"""Who types no more than that names a thing: other forms of these words count too."""


class RightsWord(Base):
    """A folded word of a page in a language, and its worth there."""

    __tablename__ = "rights_words"
    __table_args__ = (
        PrimaryKeyConstraint("language", "slug", "word"),
        Index("rights_words_word_idx", "word"),
    )

    language: Mapped[str]
    slug: Mapped[str]
    word: Mapped[str]
    worth: Mapped[float]


class RightsSpelling(Base):
    """Each word once, whatever pages have it: what a misspelt one is compared with."""

    __tablename__ = "rights_spellings"
    __table_args__ = (
        Index(
            "rights_spellings_like_idx",
            "word",
            postgresql_using="gin",
            postgresql_ops={"word": "gin_trgm_ops"},
        ),
    )

    word: Mapped[str] = mapped_column(primary_key=True)


class RightsDigest(Base):
    """Which content the words were made from; one row."""

    __tablename__ = "rights_digests"

    digest: Mapped[str] = mapped_column(primary_key=True)


FIND = text(
    """
    WITH asked AS (
        SELECT word AS typed, EXISTS (SELECT FROM rights_spellings s WHERE s.word = word.word) AS known
        FROM unnest(CAST(:words AS text[])) AS word
    ), close AS (
        SELECT a.typed, w.slug, w.worth AS score FROM asked a JOIN rights_words w ON w.word = a.typed
        UNION ALL
        SELECT a.typed, w.slug,
            w.worth * (similarity(s.word, a.typed) - 0.1) * CASE WHEN a.known THEN 0.5 ELSE 1 END
        FROM asked a JOIN rights_spellings s ON s.word % a.typed JOIN rights_words w ON w.word = s.word
        WHERE NOT a.known OR :few
    ), best AS (
        SELECT typed, slug, max(score) AS score FROM close GROUP BY typed, slug
    )
    SELECT slug, sum(score) AS score FROM best GROUP BY slug ORDER BY score DESC, slug LIMIT :most
    """
)
"""A word that no page has is taken for those that look like it. So is, at half their worth, one that some page has:
languages bend their words. Not in a whole sentence, whose little words look like many."""


def load(session: Session, library: Library) -> bool:
    """Make the words anew when the content has changed; False when it had not."""
    rows = list(_rows(library))
    words = sorted({str(row["word"]) for row in rows})
    digest = hashlib.sha256(repr(rows).encode()).hexdigest()
    session.execute(select(func.pg_advisory_xact_lock(func.hashtext("rights words"))))
    if session.get(RightsDigest, digest):
        return False
    session.execute(delete(RightsWord))
    session.execute(delete(RightsDigest))
    session.execute(delete(RightsSpelling))
    session.execute(insert(RightsWord), rows)
    session.execute(insert(RightsSpelling), [{"word": word} for word in words])
    session.add(RightsDigest(digest=digest))
    return True


def find(session: Session, words: str) -> list[str]:
    """Slugs of the pages that these words, of any language, are most about; the best first, empty if none is."""
    typed = list(dict.fromkeys(word for word in fold(words).split() if len(word) >= SHORTEST))[:MOST_WORDS]
    if not typed:
        return []
    # PostgreSQL guesses that one word in a hundred looks like any other, and would compare them all.
    session.execute(text("SET LOCAL enable_seqscan = off"))
    rows = session.execute(FIND, {"words": typed, "few": len(typed) <= FEW_WORDS, "most": MOST_FOUND}).all()
    return [row.slug for row in rows if row.score >= rows[0].score / 4]


def _rows(library: Library) -> Iterator[dict[str, object]]:
    """A word found in all pages of a language is worth nothing there."""
    by_language: dict[str, dict[str, dict[str, float]]] = defaultdict(dict)
    for slug, pages in library.pages.items():
        for language, page in pages.items():
            by_language[language][slug] = _worths(page, library.situations)
    in_french = _uses(by_language[FRENCH])
    for language, pages_of in by_language.items():
        used = _uses(pages_of)
        for slug, worths in pages_of.items():
            for word, worth in worths.items():
                times = used[word]
                if word in slug.split("-") and in_french[word] > len(by_language[FRENCH]) / 2:
                    times = in_french[
                        word
                    ]  # "sans" is no rarer for standing in a page's name in another language
                rarity = math.log((1 + len(pages_of)) / times)
                if rarity > 0:
                    yield {"language": language, "slug": slug, "word": word, "worth": worth * rarity}


def _uses(pages_of: Mapping[str, Mapping[str, float]]) -> Counter[str]:
    """On how many pages each word is."""
    return Counter(word for worths in pages_of.values() for word in worths)


def _worths(page: RightsPage, situations: Mapping[str, Mapping[str, str]]) -> dict[str, float]:
    """The best worth of each word of a page."""
    own_words = situations.get(page.language, situations.get(FRENCH, {}))
    sentences = " ".join(own_words.get(one, "") for one in page.facts.situations)
    found: dict[str, float] = {}
    body = Counter(fold(page.text()).split())
    for word, times in body.items():
        found[word] = BODY + math.log(times)
    # The French name of a right is on every letter about it, whatever the reader's language.
    title = f"{page.title} {page.facts.slug}"
    sought = " ".join(page.search)
    for worth, words in (
        (SUMMARY, page.summary), (SITUATION, sentences), (TITLE, title), (SEARCH, sought),
    ):  # fmt: skip
        for word in fold(words).split():
            found[word] = max(worth, found.get(word, 0))
    return {word: worth for word, worth in found.items() if len(word) >= SHORTEST}
