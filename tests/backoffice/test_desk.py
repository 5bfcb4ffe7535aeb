"""The desk of a virtual permanence, as agents use it: times, calling in order, talking, bringing others in, ending."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import pytest

from casework import talks
from casework.cards import load_cards
from casework.permanences import PermanenceDesk, PermanenceTime, VirtualPermanence
from casework.requests import SendingKeys
from casework.talks import Talk, TalkLine, TalkOutcome, TalkPerson, TalkState
from casework.translated_words import PHRASEBOOK, Origin, State, TranslatedWords, shown
from casework.waiting_room import Visit, VisitState
from tests.backoffice.colleague import Colleague, stored
from tests.backoffice.conftest import AtDesk
from tests.casework.asking import BY_TEXT, ask, journal_of
from tests.casework.in_line import Guest, as_guest, come, open_desk, set_up
from tests.casework.test_virtual_permanence import in_video, joins
from tests.clock import Clock
from tests.conftest import Database
from tests.pages import words
from tests.people import HUGO, LOUDUN, PAUL, SARAH

COME = "Venez le mardi 24 novembre à 14:30."
COME_IN_PERSIAN = "لطفاً سه‌شنبه 24 نومبر ساعت 14:30 بیایید."


@pytest.fixture
def here(database: Database, clock: Clock) -> UUID:
    """Poitiers receives this morning; nobody is at a desk yet."""
    return set_up(database, clock())


def opens(colleague: Colleague) -> None:
    """Open one's desk."""
    colleague.open("/fr/permanence")
    colleague.submit(action=next(link for link in _actions(colleague) if "/ouvrir/" in link))


def says(database: Database, guest: Guest, body: str, now: datetime) -> None:
    """Somebody writes in their talk, in Persian."""
    with as_guest(database, guest) as session:
        talk = talks.opened(session)
        assert talk
        me = talks.myself(session, talk.id)
        assert me
        talks.write(session, talk.id, me.id, body, "fa", uuid4(), now)


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


def test_paul_picks_a_ready_sentence_that_amina_reads_in_persian(
    database: Database, here: UUID, paul: Colleague, clock: Clock
) -> None:
    """Without JavaScript it is put into the message first; what was picked is never left to the machine."""
    opens(paul)
    amina = come(database, here, clock(), "Amina")
    paul.open("/fr/permanence")
    paul.submit(action="/suivant")
    joins(database, amina, clock())
    assert "Une machine traduit votre message, si elle connaît cette langue." in paul.page.main
    when: dict[str, Any] = {"slot_day": "2026-11-24", "slot_hour": "14:30"}
    paul.submit(("phrase_do", "add"), action="/ecrire", body="Bonjour.", phrase_id="come_on", status=200)
    assert "Choisissez un jour." in paul.page.main
    paul.submit(("phrase_do", "add"), action="/ecrire", phrase_id="come_on", **when)
    assert [words(bdi) for one in paul.page.of_class("will-read") for bdi in one.iter("bdi")] == [
        COME_IN_PERSIAN
    ]
    assert paul.page.errors() == []
    assert stored(database, TalkLine) == []
    paul.submit(action="/ecrire", body=COME)
    assert [line.body for line in stored(database, TalkLine)] == [COME]
    ahead = stored(database, TranslatedWords, TranslatedWords.target == "fa")
    assert {(one.words, one.engine, one.state) for one in ahead} == {
        (COME_IN_PERSIAN, PHRASEBOOK, State.DONE)
    }
    keys = SendingKeys(database.access_key, database.public_key)
    with as_guest(database, amina) as session:
        found = shown(session, [(COME, "fr")], "fa", keys, clock())
    assert [(one.words, one.origin) for one in found.values()] == [(COME_IN_PERSIAN, Origin.AHEAD)]


def test_danger_is_seen_at_the_desk_even_by_who_talks_to_somebody_else(
    database: Database, here: UUID, paul: Colleague, clock: Clock
) -> None:
    """Until somebody writes to the person."""
    opens(paul)
    amina = come(database, here, clock(), "Amina")
    clock.forward(seconds=5)
    come(database, here, clock(), "Kamal")
    paul.open("/fr/permanence")
    paul.submit(action="/suivant")
    joins(database, amina, clock())
    hers = paul.page.path
    paul.submit(action="/attente")
    paul.open("/fr/permanence")
    paul.submit(action="/suivant")
    assert paul.page.heading == "Entretien · Kamal"
    says(database, amina, load_cards().cards["in_danger"].words("fa"), clock())
    warning = "La personne a écrit : « Je suis en danger. »"
    assert "Je suis en danger." in paul.ask("GET", f"{urlsplit(paul.page.path).path}/lignes").text
    assert warning in paul.open("/fr/permanence").main
    assert warning in paul.open(hers).main
    paul.submit(action="/ecrire", body="Appelez le 17.")
    assert warning not in paul.open(hers).main


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


def test_a_person_is_handed_to_a_signed_in_colleague_without_a_desk(
    database: Database, here: UUID, paul: Colleague, nadia: Colleague, clock: Clock
) -> None:
    opens(nadia)
    come(database, here, clock(), "Amina")
    nadia.open("/fr/permanence")
    nadia.submit(action="/suivant")
    assert f"{PAUL.name}, pas encore au poste" in nadia.page.main
    nadia.submit(action="/passer", to=str(PAUL.id), notes="Question de budget.")
    paul.open("/fr/permanence")
    paul.submit(action="/suivant")
    assert paul.page.heading == "Entretien · Amina"
    assert "Question de budget." in paul.page.main


def test_the_colleague_who_is_in_the_talk_keeps_it_when_the_desk_falls_silent(
    database: Database, here: UUID, paul: Colleague, nadia: Colleague, clock: Clock
) -> None:
    opens(nadia)
    amina = come(database, here, clock(), "Amina")
    nadia.open("/fr/permanence")
    nadia.submit(action="/suivant")
    joins(database, amina, clock())
    nadia.submit(action=f"/inviter/{PAUL.id}")
    page = f"/fr/permanence/entretien/{stored(database, Talk)[0].id}"
    assert "Finir l'entretien" not in paul.open(page).main
    clock.forward(minutes=4)
    assert "En cours" in paul.open("/fr/permanence").main
    assert "Vous menez l'entretien." in paul.ask("GET", f"{page}/lignes").get_data(as_text=True)
    paul.open(page)
    paul.submit(action="/finir", outcome="answered")
    assert stored(database, Talk)[0].agent_id == PAUL.id


def test_another_houses_request_is_read_while_one_talks_with_its_person(
    database: Database, here: UUID, paul: Colleague, clock: Clock
) -> None:
    asked = ask(database, clock() - timedelta(days=1), replace(BY_TEXT, commune_code=LOUDUN))
    opens(paul)
    amina = come(database, here, clock(), "Amina", asked=asked)
    paul.open("/fr/permanence")
    assert "D'une autre maison" in paul.page.main
    paul.open(f"/fr/demande/{asked.id}", status=404)
    paul.open("/fr/permanence")
    paul.submit(action="/suivant")
    joins(database, amina, clock())
    assert f"/fr/demande/{asked.id}" in paul.page.links()
    paul.reads(asked.id)
    assert "Vous la lisez pendant votre entretien." in paul.page.main
    assert not [action for action in _actions(paul) if action.startswith(f"/fr/demande/{asked.id}")]
    assert [action for action, _details in journal_of(database, asked.id)].count("opened") == 1
    paul.open("/fr/permanence")
    paul.open(next(link for link in paul.page.links() if "/entretien/" in link))
    paul.submit(action="/finir", outcome="oriented", summary="Votre maison vous appelle.")
    paul.open(f"/fr/demande/{asked.id}", status=404)


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


def test_a_worker_whose_house_has_no_permanence_receives_their_appointment(
    database: Database, here: UUID, at_desk: AtDesk, clock: Clock
) -> None:
    asked = ask(database, clock() - timedelta(days=1), BY_TEXT)
    hugo = at_desk(HUGO)
    booked = in_video(database, asked, clock() + timedelta(minutes=5), HUGO)
    come(database, here, clock(), "Kamal")
    hugo.open("/fr/permanence")
    assert "Vos rendez-vous à distance" in hugo.page.main, "before the person is there"
    come(database, here, clock(), "Amina", asked=asked, appointment_id=booked)
    opens(hugo)
    assert "Kamal" not in hugo.page.main, "who waits for Poitiers is not Loudun's to read"
    kamal = stored(database, Visit, Visit.called_name == "Kamal")[0]
    hugo.open(f"/fr/permanence/attente/{kamal.id}", status=404)
    hugo.open("/fr/permanence")
    hugo.submit(action="/suivant")
    assert hugo.page.heading == "Entretien · Amina"
