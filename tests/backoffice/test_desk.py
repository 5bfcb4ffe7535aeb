"""The desk of a virtual permanence, as agents use it: times, calling in order, talking, bringing others in, ending."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from casework.permanences import PermanenceDesk, PermanenceTime, VirtualPermanence
from casework.talks import Talk, TalkLine, TalkOutcome, TalkPerson, TalkState
from casework.waiting_room import Visit, VisitState
from tests.backoffice.colleague import Colleague, stored
from tests.casework.asking import BY_TEXT, ask
from tests.casework.in_line import come, open_desk, set_up
from tests.casework.test_virtual_permanence import joins
from tests.clock import Clock
from tests.conftest import Database
from tests.people import PAUL, SARAH


@pytest.fixture
def here(database: Database, clock: Clock) -> UUID:
    """Poitiers receives this morning; nobody is at a desk yet."""
    return set_up(database, clock())


def opens(colleague: Colleague) -> None:
    """Open one's desk."""
    colleague.open("/fr/permanence")
    colleague.submit(action=next(link for link in _actions(colleague) if "/ouvrir/" in link))


def _actions(colleague: Colleague) -> list[str]:
    return [form.get("action", "") for form in colleague.page.html.iter("form")]


def test_nadia_makes_a_permanence_and_its_times(
    database: Database, nadia: Colleague, paul: Colleague
) -> None:
    nadia.open("/fr/permanence")
    assert "pas encore de permanence" in nadia.page.main
    nadia.open("/fr/permanence/reglages/nouvelle")
    nadia.submit(name="", action="/reglages", status=422)
    nadia.submit(name="Permanence du soir", languages=["fr", "ar"], action="/reglages")
    [made] = stored(database, VirtualPermanence)
    assert (made.name, made.languages, made.walk_in) == ("Permanence du soir", ["fr", "ar"], True)
    times: dict[str, Any] = {
        "first_day": "2026-11-09",
        "last_day": "2026-11-22",
        "starts_at": "17:00",
        "ends_at": "19:00",
    }
    nadia.submit(**times, weekdays=["0", "3"], action="/heures")
    assert len(stored(database, PermanenceTime)) == 4
    nadia.submit(**times | {"ends_at": "16:00"}, weekdays=["0"], action="/heures", status=422)
    nadia.open(f"/fr/permanence/reglages/{made.id}")
    nadia.submit(("heure", str(stored(database, PermanenceTime)[0].id)))
    assert len(stored(database, PermanenceTime)) == 3
    paul.open("/fr/permanence/reglages/nouvelle", status=403)
    assert "Enregistrer" not in paul.open(f"/fr/permanence/reglages/{made.id}").main


def test_paul_calls_in_order_talks_and_ends(
    database: Database, here: UUID, paul: Colleague, clock: Clock
) -> None:
    asked = ask(database, clock() - timedelta(days=1), BY_TEXT)
    opens(paul)
    assert "Personne n'attend" in paul.page.main
    paul.submit(action="/suivant")
    assert "Personne n'attend pour vous." in paul.page.main
    amina = come(database, here, clock(), "Amina", asked=asked)
    clock.forward(seconds=30)
    come(database, here, clock(), "Kamal")
    paul.open("/fr/permanence")
    assert paul.page.main.index("Amina") < paul.page.main.index("Kamal")
    assert f"/fr/demande/{asked.id}" in paul.page.links()
    lines = paul.ask("GET", "/fr/permanence/lignes")
    assert (
        paul.ask("GET", "/fr/permanence/lignes", headers={"If-None-Match": lines.headers["ETag"]}).status_code
        == 304
    )
    paul.submit(action="/suivant")
    assert paul.page.heading == "Entretien · Amina"
    joins(database, amina, clock())
    paul.submit(action="/ecrire", body="Bonjour Amina.")
    assert [line.body for line in stored(database, TalkLine)] == ["Bonjour Amina."]
    path, data, _ = paul.prepare(action="/ecrire", body="Comment allez-vous ?")
    for _ in range(2):
        answer = paul.ask("POST", path, data=data, headers={"X-Requested-With": "fetch"})
        assert answer.status_code == 204
    assert len(stored(database, TalkLine)) == 2
    paul.submit(action="/finir", summary="Nous appelons le propriétaire.", status=422)
    assert paul.page.errors() == ["Choisissez une réponse."]
    paul.submit(
        action="/finir",
        outcome="follow_up",
        summary="Nous appelons le propriétaire.",
        notes="Impayé de 3 mois.",
    )
    assert "L'entretien est fini." in paul.page.main
    [talk] = stored(database, Talk)
    assert (talk.state, talk.outcome) == (TalkState.ENDED, TalkOutcome.FOLLOW_UP)
    paul.reads(asked.id)
    assert "Impayé de 3 mois." in paul.page.main
    assert "Nous appelons le propriétaire." in paul.page.main
    paul.open(f"/fr/permanence/entretien/{talk.id}", status=404)


def test_out_of_turn_needs_a_word(database: Database, here: UUID, paul: Colleague, clock: Clock) -> None:
    opens(paul)
    come(database, here, clock(), "Kamal")
    clock.forward(seconds=5)
    come(database, here, clock(), "Rosa")
    rosa = stored(database, Visit, Visit.called_name == "Rosa")[0]
    paul.open(f"/fr/permanence/attente/{rosa.id}")
    paul.submit(("acte", "appeler"), status=422)
    paul.submit(("acte", "urgent"), status=422)
    paul.submit(("acte", "urgent"), reason="Elle dort dehors.")
    assert paul.page.main.index("Rosa") < paul.page.main.index("Kamal")
    paul.open(f"/fr/permanence/attente/{rosa.id}")
    paul.submit(("acte", "plus-urgent"))
    paul.open(f"/fr/permanence/attente/{rosa.id}")
    paul.submit(("acte", "appeler"), reason="Elle parle portugais.")
    assert paul.page.heading == "Entretien · Rosa"
    assert stored(database, Talk)[0].reason == "Elle parle portugais."
    paul.submit(action="/absent")
    assert "garde sa place" in paul.page.main


def test_held_handed_and_others_brought_in(
    database: Database, here: UUID, paul: Colleague, nadia: Colleague, clock: Clock
) -> None:
    opens(nadia)
    open_desk(database, here, SARAH, clock())
    amina = come(database, here, clock(), "Amina")
    nadia.open("/fr/permanence")
    nadia.submit(action="/suivant")
    joins(database, amina, clock())
    [talk] = stored(database, Talk)
    page = f"/fr/permanence/entretien/{talk.id}"
    nadia.open(page)
    paul.open(page, status=404)
    nadia.submit(action=f"/inviter/{PAUL.id}")
    assert "Votre collègue est appelé." in nadia.page.main
    assert "On vous appelle dans cet entretien." in paul.open("/fr/permanence").main
    assert "Mené par" in paul.open(page).main
    nadia.open(page)
    nadia.submit(action="/tiers", name="Zahra", spoken="fa")
    assert "https://portail.example.org/fa/permanence/v/" in nadia.page.main
    nadia.open(page)
    nadia.submit(action="/attente")
    assert "La personne lit que vous revenez." in nadia.page.main
    nadia.submit(action="/reprendre")
    paul.open(page)
    paul.submit(action="/sortir")
    assert [
        one.left_at is not None for one in stored(database, TalkPerson, TalkPerson.agent_id == PAUL.id)
    ] == [True]
    nadia.open(page)
    nadia.submit(action="/passer", to=str(SARAH.id), notes="Question de budget.")
    assert "La personne attend votre collègue." in nadia.page.main
    [visit] = stored(database, Visit)
    assert (visit.state, visit.meant_for) == (VisitState.WAITING, SARAH.id)


def test_a_desk_is_closed_by_hand_and_another_house_sees_nothing(
    database: Database, here: UUID, paul: Colleague, odile: Colleague, clock: Clock
) -> None:
    opens(paul)
    come(database, here, clock(), "Kamal")
    visit = stored(database, Visit)[0]
    odile.open(f"/fr/permanence/attente/{visit.id}", status=404)
    odile.open(f"/fr/permanence/reglages/{here}", status=404)
    odile.open("/fr/permanence")
    assert "Kamal" not in odile.page.main
    paul.open("/fr/permanence")
    paul.submit(action="/suivant")
    paul.open("/fr/permanence")
    paul.submit(action="/fermer")
    assert "Finissez d'abord vos entretiens." in paul.page.main
    assert [one.closed_at for one in stored(database, PermanenceDesk)] == [None]
