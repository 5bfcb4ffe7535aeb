"""How a request lives in the demonstration: each step is an act of the real domain, at its own moment.

A life is a generator: it acts at `Stage.now`, then yields the moment of its next act.
"""

from __future__ import annotations

import enum
from dataclasses import asdict
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from casework import access, documents, journal, messages, requests, triage
from casework.agents import Absence, Agent
from casework.demonstration import papers
from casework.demonstration.meetings import Life, Meetings
from casework.demonstration.stories import Story, Storyteller
from casework.documents import Owner
from casework.requests import PARIS, Request, SendingKeys, promise
from casework.territory import Commune, Sector, SectorCommune
from casework.triage import Reply
from casework.vocabulary import Outcome, Role, Theme, Urgency

ANSWER_WORKING_DAYS, URGENT_WORKING_DAYS = 5, 1
OPENS, CLOSES = 9, 17


class Fate(enum.Enum):
    """How far a request has come, and how."""

    RECEIVED = enum.auto()
    QUALIFIED = enum.auto()
    ASKED_AT_RECEPTION = enum.auto()
    REPLIED_TO_RECEPTION = enum.auto()
    CLOSED_AT_RECEPTION = enum.auto()
    ROUTED = enum.auto()
    TAKEN = enum.auto()
    WAITING = enum.auto()
    REPLIED = enum.auto()
    HANDED_OVER = enum.auto()
    HANDED_BACK = enum.auto()
    CLOSED = enum.auto()
    WROTE_AGAIN = enum.auto()
    REOPENED = enum.auto()


AT_RECEPTION = frozenset({Fate.ASKED_AT_RECEPTION, Fate.REPLIED_TO_RECEPTION, Fate.CLOSED_AT_RECEPTION})
RECEPTION_OUTCOMES = (
    Outcome.ANSWERED,
    Outcome.ANSWERED,
    Outcome.PAPERWORK_DONE,
    Outcome.ORIENTED,
    Outcome.WITHDRAWN,
)
WORKER_OUTCOMES = (
    Outcome.SHORT_TREATMENT,
    Outcome.SHORT_TREATMENT,
    Outcome.FOLLOW_UP,
    Outcome.ORIENTED,
    Outcome.UNREACHABLE,
)


class Stage:
    """What all lives share: the session, the moving clock, the agents and when they are away."""

    def __init__(
        self, session: Session, teller: Storyteller, meetings: Meetings, keys: SendingKeys, now: datetime
    ) -> None:
        self.session = session
        self.teller = teller
        self.meetings = meetings
        self.keys = keys
        self.now = now
        # kept, so that the session need not read them again for each request
        self._territory = [
            row for table in (Commune, Sector, SectorCommune) for row in session.scalars(select(table))
        ]
        self._agents = {agent.id: agent for agent in session.scalars(select(Agent).order_by(Agent.id))}
        self._away: dict[int, list[Absence]] = {}
        for absence in session.scalars(select(Absence)):
            self._away.setdefault(absence.agent_id, []).append(absence)

    def begun(self) -> list[Life]:
        """The lives that began meanwhile beside those of the requests: their appointments."""
        begun, self.meetings.begun = self.meetings.begun, []
        return begun

    def life(self, story: Story, fate: Fate) -> Life:
        """All that happens to one request, from the moment it is sent."""
        request = self._send(story)
        if fate is Fate.RECEIVED:
            return
        yield self._office(request, 10, 300)
        secretary = self._present(request, Role.SECRETARY)
        missing, ask = self.teller.paper_to_ask()
        asks = fate in {Fate.ASKED_AT_RECEPTION, Fate.REPLIED_TO_RECEPTION}
        self._qualify(request, secretary, missing if asks else "")
        if fate is Fate.QUALIFIED:
            return
        if self.teller.chance(0.3):
            yield self._office(request, 30, 900, secretary.id)
            self._open(request, secretary)
        if fate in AT_RECEPTION:
            yield from self._at_reception(request, secretary, fate, ask)
        elif self._route(request, secretary):
            if fate is not Fate.ROUTED:
                yield from self._with_worker(request, fate)
            elif self.meetings.chance(0.6):
                yield self._later(30, 1500)
                self.meetings.chosen(request, self.now)

    def _at_reception(self, request: Request, secretary: Agent, fate: Fate, ask: str) -> Life:
        request.version += 1
        if fate is Fate.CLOSED_AT_RECEPTION:
            triage.answer(
                self.session, secretary, request, self._reply(self._first_answer(request)), self.now
            )
            yield self._office(request, 400, 4000, secretary.id)
            self._open(request, secretary)
            self._close(request, secretary, self.teller.one_of(RECEPTION_OUTCOMES))
            return
        triage.ask_paper(self.session, secretary, request, self._reply(ask), self.now)
        if fate is Fate.REPLIED_TO_RECEPTION:
            yield self._later(200, 3000)
            self._write_back(request, with_paper=True)

    def _with_worker(self, request: Request, fate: Fate) -> Life:
        yield self._office(request, 60, 1500, request.worker_id)
        worker = self._worker(request)
        self._open(request, worker)
        triage.take(self.session, worker, request, self.now)
        triage.answer(self.session, worker, request, self._reply(self._first_answer(request)), self.now)
        if fate not in {Fate.HANDED_OVER, Fate.HANDED_BACK} and self.meetings.chance(0.85):
            self.meetings.proposed(request, worker, self.now)
        if fate is Fate.TAKEN or self.teller.chance(0.3):
            yield from self._conversation(request, worker)
        if fate is Fate.TAKEN:
            return
        yield self._office(request, 600, 3000, worker.id)
        self._open(request, worker)
        if fate in {Fate.WAITING, Fate.REPLIED}:
            _missing, ask = self.teller.paper_to_ask()
            triage.ask_paper(self.session, worker, request, self._reply(ask), self.now)
            if fate is Fate.REPLIED:
                yield self._later(300, 4000)
                self._write_back(request, with_paper=self.teller.chance(0.6))
        elif fate is Fate.HANDED_OVER:
            colleague = self._present(request, Role.WORKER, but=worker)
            triage.hand_over(
                self.session, worker, request, colleague, self.teller.say("reasons", "hand_over"), self.now
            )
        elif fate is Fate.HANDED_BACK:
            triage.hand_back(self.session, worker, request, self.teller.say("reasons", "hand_back"), self.now)
        else:
            yield from self._ending(request, worker, fate)

    def _conversation(self, request: Request, worker: Agent) -> Life:
        """The person answers, or not; the worker writes again, or not yet."""
        if self.teller.chance(0.5):
            yield self._later(60, 2500)
            self._write_back(request, with_paper=self.teller.chance(0.2))
            if self.teller.chance(0.75):
                yield self._office(request, 100, 1500, worker.id)
                self._open(request, worker)
                triage.answer(
                    self.session, worker, request, self._reply(self._first_answer(request)), self.now
                )

    def _ending(self, request: Request, worker: Agent, fate: Fate) -> Life:
        yield self._office(request, 2000, 12_000, worker.id)
        self._open(request, worker)
        self._close(request, worker, self.teller.one_of(WORKER_OUTCOMES))
        if fate is Fate.CLOSED:
            return
        yield self._later(1000, 6000)
        again = request.spoken_language if self.teller.knows("again", request.spoken_language) else "fr"
        self._say(request, self.teller.say("again", again))
        if fate is Fate.REOPENED:
            yield self._office(request, 60, 1000, worker.id)
            self._open(request, worker)
            triage.reopen(self.session, worker, request, self.now)
            triage.answer(self.session, worker, request, self._reply(self._first_answer(request)), self.now)

    def _send(self, story: Story) -> Request:
        secret = access.new_secret()
        hashed = access.link_hash(self.keys.access_key, secret)
        draft = requests.start_draft(self.session, hashed, story.language, self.now)
        draft.answers = asdict(story.answers)
        self.session.flush()
        for number in range(1, story.papers + 1):
            self._join_paper(Owner(draft_id=draft.id), number)
        urgent = story.answers.urgency != Urgency.NONE
        days = URGENT_WORKING_DAYS if urgent else ANSWER_WORKING_DAYS
        requests.send(self.session, draft, secret, keys=self.keys, working_days=days, now=self.now)
        return self.session.get_one(Request, draft.id)

    def _qualify(self, request: Request, secretary: Agent, missing: str) -> None:
        self._open(request, secretary)
        themes = [Theme(value) for value in request.themes]
        if self.teller.chance(0.2):
            themes = list(
                dict.fromkeys([*themes, self.teller.one_of([Theme.RIGHTS, Theme.MONEY, Theme.FAMILY])])
            )
        changed = self.teller.chance(0.05)
        urgent = request.urgent is not changed
        reason = self.teller.say("reasons", "urgent" if urgent else "not_urgent") if changed else ""
        triage.qualify(
            self.session, secretary, request,
            themes=themes, urgent=urgent, urgency_reason=reason, missing=missing, now=self.now,
        )  # fmt: skip

    def _route(self, request: Request, secretary: Agent) -> bool:
        """Send to the proposed worker, or to another with a word of why; False when nobody is there."""
        request.version += 1
        decision = triage.propose(self.session, request, self.now)
        if decision.worker is None:
            return False
        worker, why = self._agents[decision.worker.id], ""
        if self.teller.chance(0.06):
            worker, why = (
                self._present(request, Role.WORKER, but=worker),
                self.teller.say("reasons", "overruled"),
            )
        triage.send_to_worker(self.session, secretary, request, worker, why, decision, self.now)
        return True

    def _close(self, request: Request, agent: Agent, outcome: Outcome) -> None:
        if self.teller.knows("goodbyes", outcome.value):
            goodbye = self._reply(self.teller.say("goodbyes", outcome.value))
            triage.answer(self.session, agent, request, goodbye, self.now)
        triage.close(self.session, agent, request, outcome, self.now)
        self.meetings.cancel_coming(request, agent, self.now)

    def _write_back(self, request: Request, *, with_paper: bool) -> None:
        self._say(request, self.teller.say("replies", request.spoken_language))
        if with_paper:
            self._join_paper(Owner(request_id=request.id), 1)
            journal.write(self.session, journal.Action.PAPER_SENT, self.now, request_id=request.id, count=1)

    def _say(self, request: Request, words: str) -> None:
        submission = self._submission()
        messages.write_as_citizen(self.session, request.id, words, request.language, submission, self.now)

    def _join_paper(self, owner: Owner, number: int) -> None:
        if self.teller.chance(0.7):
            name, content = f"photo {number}.png", papers.photo(self.teller.rng.randrange(6, 15))
        else:
            name, content = f"facture {number}.pdf", papers.scan("Facture")
        documents.receive(self.session, owner, name, content, self.keys.documents_public_key, self.now)

    def _open(self, request: Request, agent: Agent) -> None:
        """The agent reads the request, then changes it: nobody else holds it, for nobody else is here."""
        triage.read(self.session, agent, request.id, self.now)
        request.version += 1

    def _first_answer(self, request: Request) -> str:
        return self.teller.say("answers", request.themes[0])

    def _reply(self, body: str) -> Reply:
        return Reply(body, self._submission(), self.keys)

    def _submission(self) -> UUID:
        return UUID(int=self.teller.rng.getrandbits(128), version=4)

    def _worker(self, request: Request) -> Agent:
        return self._agents[request.worker_id or 0]

    def _present(self, request: Request, role: Role, but: Agent | None = None) -> Agent:
        """Somebody of the request's house with that role who is there today."""
        day = self.now.astimezone(PARIS).date()
        of_house = [
            agent
            for agent in self._agents.values()
            if agent.house_id == request.house_id and agent.is_a(role) and agent is not but
        ]
        return self.teller.one_of(
            [agent for agent in of_house if not self._is_away(agent.id, day)] or of_house
        )

    def _is_away(self, agent_id: int, day: date) -> bool:
        return any(absence.first_day <= day <= absence.last_day for absence in self._away.get(agent_id, []))

    def _later(self, least: int, most: int) -> datetime:
        """A moment so many minutes from now."""
        return self.now + timedelta(minutes=self.teller.rng.randrange(least, most))

    def _office(self, request: Request, least: int, most: int, agent_id: int | None = None) -> datetime:
        """A moment of office hours, `least` to `most` minutes from now, sooner when it is urgent.

        With an agent, on a day when they are there.
        """
        haste = 8 if request.urgent else 1
        moment = self._later(least // haste, most // haste).astimezone(PARIS)
        works = promise(moment - timedelta(days=1), 1).date() == moment.date()
        if works and moment.hour < OPENS:
            moment = moment.replace(hour=OPENS, minute=self.teller.rng.randrange(60))
        elif not works or moment.hour >= CLOSES:
            moment = self._next_morning(moment)
        while agent_id and self._is_away(agent_id, moment.date()):
            moment = self._next_morning(moment)
        return moment

    def _next_morning(self, moment: datetime) -> datetime:
        morning = promise(moment, 1).replace(hour=OPENS)
        return morning + timedelta(minutes=self.teller.rng.randrange(150))
