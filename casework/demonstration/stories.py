"""Who asks what: invented people of real communes, in the words of `territory/vienne/demonstration.yaml`."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

import yaml

from casework.requests import PARIS, Answers
from casework.settings import ROOT
from casework.territory import fold
from casework.vocabulary import CallTime, Channel, Theme, Urgency

WORDS = ROOT / "territory" / "vienne" / "demonstration.yaml"

# `seeds/004` §3.3: money first (36 of 100), then access to rights (18), housing, family, work
THEMES = {
    Theme.MONEY: 36, Theme.RIGHTS: 18, Theme.HOUSING: 14, Theme.FAMILY: 8, Theme.WORK: 8, Theme.CHILDREN: 5,
    Theme.HEALTH: 4, Theme.AGE_HANDICAP: 4, Theme.VIOLENCE: 2, Theme.OTHER: 3,
}  # fmt: skip
SPOKEN = {"fr": 62, "ar": 15, "en": 10, "fa": 4, "uk": 4, "es": 3, "ps": 1, "ru": 1, "pt": 1}
INTERFACES = {
    "fr": ["fr"], "ar": ["ar"], "en": ["en"], "fa": ["fa"], "ps": ["ps"], "uk": ["uk", "en"],
    "ru": ["ru", "uk"], "es": ["es", "fr"], "pt": ["fr", "es"],
}  # fmt: skip
WAYS = {
    (Channel.SMS,): 40, (Channel.CALL,): 18, (Channel.EMAIL,): 12, (Channel.SMS, Channel.EMAIL): 8,
    (Channel.SMS, Channel.CALL): 8, (Channel.LETTER,): 5, (Channel.VISIT,): 7,
    (Channel.VISIT, Channel.SMS): 2,
}  # fmt: skip
DISCREET = (Channel.SMS,)
"""How people answer who say that somebody hurts them: nothing that rings or lies in a letter box."""
MORE_IN_POITIERS = 1.7

Item = TypeVar("Item")


@dataclass(frozen=True)
class Place:
    """A commune as a place where people ask from."""

    code: str
    name: str
    postal_code: str
    house_id: str
    population: int


@dataclass(frozen=True)
class Story:
    """A request to come: the language of the interface, what is answered, how many papers are joined."""

    language: str
    answers: Answers
    papers: int


class Storyteller:
    """Draws people and words; the same seed and the same places give the same stories."""

    def __init__(self, places: Sequence[Place], rng: random.Random) -> None:
        self.rng = rng
        self._places = places
        self._weights = [
            place.population * (MORE_IN_POITIERS if place.house_id == "poitiers" else 1) for place in places
        ]
        self._corpus: dict[str, Any] = yaml.safe_load(WORDS.read_text(encoding="utf-8"))
        self._untold: dict[tuple[str, str], list[dict[str, Any]]] = {}

    def story(self) -> Story:
        """Somebody new, somewhere."""
        told = self._told()
        speaks: str = told["speaks"]
        place = self.rng.choices(self._places, self._weights)[0]
        answers = Answers(
            theme=told["theme"],
            urgency=told.get("urgency", Urgency.NONE.value),
            words=told["words"],
            spoken_language=speaks,
            needs=list(told.get("needs", [])),
            name=self._name(speaks)
            if self.rng.random() < (0.3 if told["theme"] == Theme.VIOLENCE else 0.65)
            else "",
        )
        if told.get("no_fixed_place"):
            answers.no_fixed_place = True
        else:
            answers.commune_code, answers.commune_typed = place.code, place.name
        self._say_how_to_answer(answers, place)
        papers = self.rng.choices([0, 1, 2], [75, 18, 7])[0]
        return Story(self.rng.choice(INTERFACES[speaks]), answers, papers)

    def again(self, before: Story) -> Story:
        """The same person, some time later, about something else."""
        other = self._told(before.answers.spoken_language)
        answers = replace(
            before.answers,
            theme=other["theme"],
            urgency=other.get("urgency", Urgency.NONE.value),
            words=other["words"],
            name=before.answers.name or self._name(before.answers.spoken_language),
        )
        return Story(before.language, answers, 0)

    def say(self, *keys: str) -> str:
        """One of the sentences kept under those keys: `say("answers", "money")`."""
        found: Any = self._corpus
        for key in keys:
            found = found[key]
        sentence: str = self.rng.choice(found)
        return sentence

    def paper_to_ask(self) -> tuple[str, str]:
        """What is missing, and the message that asks for it."""
        paper = self.rng.choice(self._corpus["papers"])
        return paper["missing"], paper["words"]

    def knows(self, *keys: str) -> bool:
        """True when there are sentences under those keys."""
        found: Any = self._corpus
        return all((found := found.get(key)) for key in keys)

    def moment(self, now: datetime, youngest: float, oldest: float) -> datetime:
        """When somebody asks, `youngest` to `oldest` days before now; seldom by night or at the weekend."""
        day = (now - timedelta(days=self.rng.uniform(youngest, oldest))).astimezone(PARIS)
        if day.weekday() > 4 and self.rng.random() < 0.7:
            day -= timedelta(days=2)
        hour = self.rng.randrange(8, 19) if self.rng.random() < 0.85 else self.rng.randrange(24)
        moment = day.replace(
            hour=hour, minute=self.rng.randrange(60), second=self.rng.randrange(60), microsecond=0
        )
        return moment if moment < now else now - timedelta(minutes=self.rng.randrange(5, 600))

    def chance(self, share: float) -> bool:
        """True `share` of the time."""
        return self.rng.random() < share

    def one_of(self, items: Sequence[Item]) -> Item:
        """Any of the items."""
        return self.rng.choice(items)

    def _told(self, speaks: str = "") -> dict[str, Any]:
        """What somebody tells. Calm stories are more common than urgent ones."""
        speaks = speaks or self._draw(SPOKEN)
        theme = self._draw(THEMES)
        told = self._next(theme, speaks)
        return self._next(theme, speaks) if "urgency" in told and self.chance(0.4) else told

    def _next(self, theme: str, speaks: str) -> dict[str, Any]:
        """The next story not told yet of that theme in that language, or of any if the language has none."""
        stories = self._corpus["requests"]
        if not any(told["theme"] == theme and told["speaks"] == speaks for told in stories):
            theme = ""
        left = self._untold.setdefault((theme, speaks), [])
        if not left:
            left += [told for told in stories if told["speaks"] == speaks and theme in {"", told["theme"]}]
            self.rng.shuffle(left)
        return left.pop()

    def _draw(self, weights: dict[Any, int]) -> Any:
        return self.rng.choices(list(weights), list(weights.values()))[0]

    def _name(self, speaks: str) -> str:
        names = self._corpus["names"][speaks]
        return f"{self.rng.choice(names['first'])} {self.rng.choice(names['last'])}"

    def _say_how_to_answer(self, answers: Answers, place: Place) -> None:
        ways = DISCREET if answers.theme == Theme.VIOLENCE else self._draw(WAYS)
        if answers.no_fixed_place and Channel.LETTER in ways:
            ways = (Channel.VISIT,)
        number = f"+3363998{self.rng.randrange(10_000):04d}"
        answers.channels = [channel.value for channel in ways]
        if Channel.SMS in ways:
            answers.sms_number = number
        if Channel.CALL in ways:
            answers.call_number = number
            answers.call_time = self.rng.choice(list(CallTime)).value
        if Channel.EMAIL in ways:
            mailbox = fold(answers.name).replace(" ", ".") or "contact"
            answers.email = f"{mailbox}{self.rng.randrange(100, 1000)}@example.org"
        if Channel.LETTER in ways:
            street = self.rng.choice(self._corpus["streets"])
            answers.postal_address = f"{self.rng.randrange(1, 60)} {street}\n{place.postal_code} {place.name}"
