"""How many people the portal can serve at once, beside what the same gunicorn does with almost nothing to do.

Rounds of a second alternate between the two, so that a machine that slows down slows both; the medians of the
rounds' ratios are kept. The two gunicorns run all along; the one that is not asked sleeps.
"""

from __future__ import annotations

from collections.abc import Callable
from statistics import median

from bench import bare
from bench.installation import Installation, Served, machine, serving
from bench.load import Ask, Outcome, Plan, run
from bench.people import People, Visit
from bench.report import Measure

ROUNDS = 5
ROUND_SECONDS = 1.2
SENDINGS = 900
JOURNEYS = 150
HOME_AIM, RIGHTS_AIM, SENDING_AIM = 0.5, 0.6, 0.3


def measure(here: Installation, portal: Served) -> list[Measure]:
    """Play the rounds; `portal` is the citizens' face of that installation."""
    bare.prepare(here.bare_url)
    people = People(here)
    bare_environment = {**machine(), "DATABASE_URL": here.bare_url}
    with serving("bench.bare:create()", bare_environment, "/page") as least:
        asked: dict[str, Callable[[], Outcome]] = {
            "bare page": lambda: _repeat(least, Ask("/page"), 200),
            "home": lambda: _repeat(portal, Ask("/fr/"), 200),
            "rights": lambda: _repeat(portal, Ask("/fr/droits/loyer-impaye"), 200),
            "bare insert": lambda: _repeat(least, Ask("/insert", "words=x"), 303),
            "sending": lambda: _play(portal, people.about_to_send(SENDINGS)),
            "journey": lambda: _play(portal, people.about_to_begin(JOURNEYS)),
        }
        for warm_up in asked.values():
            warm_up()
        rounds = [{name: play() for name, play in asked.items()} for _ in range(ROUNDS)]
    return _measures(rounds)


def _repeat(served: Served, ask: Ask, expected: int) -> Outcome:
    return run(Plan(served.port, ROUND_SECONDS, [("", [ask])], expected))


def _play(served: Served, visits: list[Visit]) -> Outcome:
    return run(Plan(served.port, ROUND_SECONDS, visits, 303))


def _measures(rounds: list[dict[str, Outcome]]) -> list[Measure]:
    def rate(name: str) -> float:
        return median(played[name].per_second for played in rounds)

    def ratio(name: str, other: str) -> float:
        return median(played[name].per_second / played[other].per_second for played in rounds)

    page = f"a bare Flask page: {rate('bare page'):,.0f}/s"
    row = f"a bare Flask page with one INSERT: {rate('bare insert'):,.0f}/s"
    whole = median(played["journey"].visits / played["journey"].seconds for played in rounds)
    return [
        Measure("throughput.home.ratio", ratio("home", "bare page"), "×", HOME_AIM, "higher", page),
        Measure("throughput.rights.ratio", ratio("rights", "bare page"), "×", RIGHTS_AIM, "higher", page),
        Measure("throughput.home", rate("home"), "pages/s", None, "higher", "2 processes of 4 threads"),
        Measure("throughput.sending.ratio", ratio("sending", "bare insert"), "×", SENDING_AIM, "higher", row),
        Measure(
            "throughput.sending",
            rate("sending"),
            "posts/s",
            None,
            "higher",
            "the POST that sends a filled draft",
        ),
        Measure(
            "throughput.journey_post.ratio", ratio("journey", "bare insert"), "×", SENDING_AIM, "higher", row
        ),
        Measure(
            "throughput.journey",
            whole,
            "journeys/s",
            None,
            "higher",
            "all 9 POSTs from first question to receipt",
        ),
    ]
