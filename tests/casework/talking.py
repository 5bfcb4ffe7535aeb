"""A talk under way, as the waiting room and a desk leave it: Amina and Paul, perhaps an interpreter."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import insert

from casework import access
from casework.database import transaction
from casework.permanences import VirtualPermanence
from casework.talks import Part, Talk, TalkOutcome, TalkPerson, TalkState
from casework.waiting_room import Visit, VisitState, Wanted
from tests.conftest import Database
from tests.people import PAUL, Character

OF_VISIT = {
    TalkState.OPEN: VisitState.TALKING,
    TalkState.ON_HOLD: VisitState.ON_HOLD,
    TalkState.ENDED: VisitState.ENDED,
}


@dataclass(frozen=True)
class Talking:
    """A talk, the citizen's secret, and the third's one."""

    id: UUID
    visit_id: UUID
    secret: str
    third_secret: str


def talk_under_way(
    database: Database, now: datetime, *, name: str = "Amina", language: str = "fr", who: Character = PAUL
) -> Talking:
    """An open talk between a citizen who came without a request and an agent; Yasmin the interpreter has her link."""
    talking = Talking(uuid4(), uuid4(), access.new_secret(), access.new_secret())
    permanence_id = uuid4()
    with transaction(database.owner) as session:
        session.execute(
            insert(VirtualPermanence).values(
                id=permanence_id, house_id=who.house, name="Permanence à distance", languages=[],
                with_appointment=True, walk_in=True, active=True,
            )
        )  # fmt: skip
        session.add(
            Visit(
                id=talking.visit_id, permanence_id=permanence_id,
                link_hash=access.link_hash(database.access_key, talking.secret), called_name=name, language=language,
                needs=[], channel=Wanted.VIDEO, arrived_at=now, urgent=False, urgency_reason="",
                state=VisitState.TALKING, last_seen_at=now,
            )
        )  # fmt: skip
        session.flush()
        session.add(
            Talk(
                id=talking.id, visit_id=talking.visit_id, permanence_id=permanence_id, agent_id=who.id,
                state=TalkState.OPEN, called_at=now, started_at=now, reason="", notes="", summary="",
            )
        )  # fmt: skip
        session.flush()
        for part, called, agent_id, secret in (
            (Part.CITIZEN, name, None, None),
            (Part.AGENT, who.name, who.id, None),
            (Part.THIRD, "Yasmin", None, talking.third_secret),
        ):
            session.add(
                TalkPerson(
                    id=uuid4(), talk_id=talking.id, part=part, agent_id=agent_id, name=called, language=language,
                    invited_by=who.id, invited_at=now, joined_at=now,
                    link_hash=access.link_hash(database.access_key, secret) if secret else None,
                )
            )  # fmt: skip
    return talking


def set_state(database: Database, talking: Talking, state: TalkState, now: datetime) -> None:
    """Put the talk on hold, take it up again, or end it."""
    over = state is TalkState.ENDED
    with transaction(database.owner) as session:
        talk = session.get_one(Talk, talking.id)
        visit = session.get_one(Visit, talking.visit_id)
        talk.state, talk.ended_at = state, now if over else None
        talk.outcome = TalkOutcome.ANSWERED if over else None
        visit.state, visit.ended_at = OF_VISIT[state], now if over else None
