"""Finding a rights page: eleven languages with two hundred pages each, in people's own words, misspelt or not.

There are not that many pages yet. Each is there several times: in a copy a third of the words are its own, rotated by
some letters, so that there are more words to look through as well as more pages.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Mapping
from itertools import islice
from statistics import quantiles

from sqlalchemy import text
from sqlalchemy.orm import Session

from bench.installation import Installation
from bench.report import Measure
from casework import rights_search
from casework.database import connect
from casework.rights import load_library

PAGES = 200
TIMES = 400
SLOWEST_MS = 50.0

COPY = text(
    """
    INSERT INTO rights_words (language, slug, word, worth)
    SELECT language, slug || '-' || CAST(:copy AS text), made, max(worth)
    FROM (
        SELECT *, CASE WHEN abs(hashtext(word || slug || CAST(:copy AS text))) % 3 = 0 AND length(word) > 3
            THEN right(word, -(1 + :copy % 3)) || left(word, 1 + :copy % 3) ELSE word END AS made
        FROM rights_words WHERE slug = ANY (:slugs)
    ) copied
    GROUP BY language, slug, made
    """
)


def measure(here: Installation) -> list[Measure]:
    """Copy the pages, then look for what people say of their situations, one after the other."""
    library = load_library()
    slugs = sorted(library.pages)
    with connect(here.urls[0], pooled=False).begin() as connection:
        for copy in range(1, -(-PAGES // len(slugs))):
            left = PAGES - copy * len(slugs)
            connection.execute(COPY, {"copy": copy, "slugs": slugs[:left]})
        connection.execute(
            text("INSERT INTO rights_spellings SELECT word FROM rights_words ON CONFLICT DO NOTHING")
        )
        connection.execute(text("ANALYZE rights_words, rights_spellings"))
        words = connection.execute(text("SELECT count(*), count(DISTINCT word) FROM rights_words")).one()
    portal, times = connect(here.urls[1]), []
    for turn, said in enumerate(islice(_said(library.situations), TIMES + 10)):
        with Session(portal) as session:
            start = time.perf_counter()
            rights_search.find(session, said)
            if turn >= 10:
                times.append((time.perf_counter() - start) * 1000)
    portal.dispose()
    percentiles = quantiles(times, n=100, method="inclusive")
    against = f"{PAGES} pages in 11 languages, {words[0]:,} rows, {words[1]:,} different words; half misspelt"
    return [
        Measure("rights_search.p50", percentiles[49], "ms", None, "lower", against),
        Measure("rights_search.p95", percentiles[94], "ms", SLOWEST_MS, "lower", against),
    ]


def _said(situations: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    """What people say, in any language; every second time with a letter lost in each longer word."""
    lot = random.Random(2026)
    sentences = [words for of_language in situations.values() for words in of_language.values()]
    while True:
        words = lot.choice(sentences)
        yield words
        yield " ".join(_misspelt(word, lot) for word in lot.choice(sentences).split())


def _misspelt(word: str, lot: random.Random) -> str:
    if len(word) < 5:
        return word
    lost = lot.randrange(1, len(word))
    return word[:lost] + word[lost + 1 :]
