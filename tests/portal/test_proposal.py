"""An hour is proposed to Fatima, who waits: she reads it in Arabic, says yes or no, or comes too late."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta

import pytest
from sqlalchemy import select

from casework import worker
from casework.agenda import Mode
from casework.appointments import Standing
from casework.database import transaction
from casework.proposals import SlotOffer
from casework.waiting import WaitingEntry
from tests.casework.asking import worker_settings
from tests.clock import Clock
from tests.conftest import PARIS, Database
from tests.people import MOREAU_EMAIL
from tests.portal.person import Person
from tests.portal.receiving import appointments_of, receives
from tests.portal.test_booking import actions, hours, link, slot_buttons, takes

Somebody = Callable[..., Person]
THURSDAY = date(2026, 11, 5)
NINE = datetime.combine(THURSDAY, time(9), PARIS)
YES, NO = ("reponse", "oui"), ("reponse", "non")


@pytest.fixture
def passes(database: Database, clock: Clock) -> Callable[..., None]:
    """The worker wakes up, a while later if one says so: `passes(minutes=5)`."""

    def wake_up(**later: float) -> None:
        clock.forward(**later)
        worker.drain(worker_settings(database), clock)

    return wake_up


Passes = Callable[..., None]


@pytest.fixture
def fatima(somebody: Somebody, clock: Clock) -> Person:
    """Fatima, who reads Arabic, asked for help and waits for an hour."""
    fatima = somebody(language="ar", source="192.0.2.77")
    fatima.asks_for_help(channels={"sms": "06 39 98 00 77"})
    fatima.go("rendez-vous")
    fatima.submit(action="/attendre")
    clock.forward(seconds=1)
    return fatima


@pytest.fixture
def marcel_waits(marcel: Person, clock: Clock) -> Person:
    """Marcel Moreau, who reads French and waits too."""
    marcel.asks_for_help(channels={"email": MOREAU_EMAIL}, name="Marcel Moreau")
    marcel.go("rendez-vous")
    marcel.submit(action="/attendre")
    clock.forward(seconds=1)
    return marcel


def states(database: Database) -> list[str]:
    with transaction(database.backoffice) as session:
        return [one.state.value for one in session.scalars(select(SlotOffer).order_by(SlotOffer.offered_at))]


def wishes(database: Database) -> list[str]:
    with transaction(database.backoffice) as session:
        return [
            one.state.value for one in session.scalars(select(WaitingEntry).order_by(WaitingEntry.asked_at))
        ]


def test_marcel_sees_it_on_top_and_takes_it(marcel_waits: Person, database: Database, passes: Passes) -> None:
    marcel = marcel_waits
    page = marcel.go("suivi")
    assert "Vous attendez une heure. Nous vous prévenons." in page.main
    receives(database, THURSDAY, time(9), time(9, 30))
    passes()
    page = marcel.go("suivi")
    assert "C'est le jeudi 5 novembre à 9 heures. Vous pouvez répondre jusqu'à 12 heures." in page.main
    assert page.main.index("Une heure est libre pour vous") < page.main.index("Où en est votre demande")
    page = marcel.open(link(page, "Voir et répondre"))
    assert page.path == "/fr/rendez-vous/proposition"
    for words in ("jeudi 5 novembre", "Maison de Poitiers", "1 rue du Marché", "Vos papiers.", "12 heures"):
        assert words in page.main
    assert "Paul" not in page.text, "whom one meets is said once it is booked"
    path, data, _ = marcel.prepare(YES)
    for _ in range(2):
        assert marcel.ask("POST", path, data=data).headers["Location"] == "/fr/rendez-vous/pris"
    assert marcel.go("rendez-vous/pris").heading == "Votre rendez-vous est pris"
    assert marcel.go("rendez-vous/proposition").path == "/fr/rendez-vous/pris"
    assert marcel.ask("POST", path, data={**data, "reponse": "non"}).headers["Location"].endswith("/pris")
    assert [one.state for one in appointments_of(database)] == [Standing.BOOKED]
    assert (states(database), wishes(database)) == (["accepted"], ["served"])
    assert [one for one in actions(database) if one != "notified"] == ["offered", "booked"]
    assert "Vous attendez" not in marcel.go("suivi").main


def test_fatima_answers_in_arabic_with_her_number(fatima: Person, database: Database, passes: Passes) -> None:
    receives(database, THURSDAY, time(9), time(9, 30), mode=Mode.PHONE)
    passes()
    page = fatima.go("rendez-vous/proposition")
    assert page.html.get("dir") == "rtl"
    assert page.field("phone") == "06 39 98 00 77"
    page = fatima.submit(YES, phone="12", status=422)
    assert page.errors()
    assert page.field("phone") == "12"
    page = fatima.submit(YES, phone="06 39 98 00 78")
    assert page.path == "/ar/rendez-vous/pris"
    assert [one.phone for one in appointments_of(database)] == ["+33639980078"]


def test_no_thanks_and_the_next_one_has_it(
    fatima: Person, marcel_waits: Person, database: Database, passes: Passes
) -> None:
    receives(database, THURSDAY, time(9), time(9, 30), mode=Mode.PHONE)
    passes()
    assert marcel_waits.go("rendez-vous/proposition").path == "/fr/suivi", "nothing for him yet"
    fatima.go("rendez-vous/proposition")
    path, data, _ = fatima.prepare(NO, phone="")
    for _ in range(2):
        assert fatima.ask("POST", path, data=data).headers["Location"].endswith("/note?pour=refus")
    fatima.go("rendez-vous/note?pour=refus")
    passes(minutes=1)
    assert "9 heures" in marcel_waits.go("rendez-vous/proposition").main
    assert fatima.go("rendez-vous/proposition").path == "/ar/suivi"
    assert wishes(database) == ["waiting", "waiting"]
    answer = fatima.ask("POST", path, data={**data, "reponse": "oui", "phone": "06 39 98 00 77"})
    assert answer.headers["Location"].endswith("/note?pour=refus"), "no was said; it is somebody else's"
    assert sorted(states(database)) == ["declined", "offered"]
    marcel_waits.submit(NO, phone="")
    assert "Vous attendez toujours." in marcel_waits.page.main


def test_too_late_shows_what_is_near_and_one_goes_on_waiting(
    marcel_waits: Person, database: Database, passes: Passes, clock: Clock
) -> None:
    receives(database, THURSDAY, time(9), time(10))
    passes()
    marcel_waits.go("rendez-vous/proposition")
    clock.forward(hours=2, minutes=1)
    page = marcel_waits.submit(YES, status=409)
    assert page.heading == "Cette heure n'est plus gardée pour vous"
    assert "C'était le jeudi 5 novembre à 9 heures." in page.main
    assert "Vous attendez toujours." in page.main
    assert hours(page)
    passes()
    page = marcel_waits.go("rendez-vous/proposition")
    assert "9 heures 30" in page.main, "the next one is proposed"
    assert states(database) == ["lapsed", "offered"]
    marcel_waits.submit(YES)
    assert [one.start for one in appointments_of(database)] == [NINE + timedelta(minutes=30)]


def test_after_three_times_one_can_wait_again(
    marcel_waits: Person, database: Database, passes: Passes
) -> None:
    receives(database, date(2026, 11, 9), time(9), time(10, 30))
    for _ in range(4):
        passes(hours=2, minutes=1)
    assert wishes(database) == ["unanswered"]
    page = marcel_waits.go("rendez-vous/proposition", status=409)
    assert "Vous attendez toujours." not in page.main
    marcel_waits.submit(action="/attendre")
    assert wishes(database) == ["withdrawn", "waiting"]


def test_another_hour_lets_the_proposed_one_go_and_the_page_says_so(
    marcel_waits: Person, database: Database, passes: Passes
) -> None:
    receives(database, THURSDAY, time(9), time(9, 30))
    passes()
    receives(database, date(2026, 11, 6), time(9), time(9, 30))
    page = marcel_waits.go("rendez-vous")
    assert "/rendez-vous/proposition" in " ".join(page.links())
    assert len(slot_buttons(page)) == 2, "the one kept for them among them"
    marcel_waits.submit(slot_buttons(page)[1])
    marcel_waits.submit(action="/verifier")
    assert states(database) == ["declined"]
    assert [one for one in actions(database) if "offer" in one or one == "booked"] == [
        "offered", "offer_declined", "booked",
    ]  # fmt: skip


def test_the_proposed_hour_replaces_the_appointment_one_has(
    marcel: Person, database: Database, passes: Passes
) -> None:
    marcel.asks_for_help(channels={"email": MOREAU_EMAIL})
    receives(database, date(2026, 11, 12), time(9), time(9, 30))
    takes(marcel)
    marcel.go("rendez-vous")
    marcel.submit(action="/attendre")
    assert "Vous attendez une heure plus tôt." in marcel.go("suivi").main
    receives(database, THURSDAY, time(9), time(9, 30))
    passes()
    page = marcel.go("rendez-vous/proposition")
    assert "Il remplace votre rendez-vous du jeudi 12 novembre à 9 heures." in page.main
    page = marcel.submit(YES)
    assert page.heading == "Votre rendez-vous a changé"
    assert sorted(one.state.value for one in appointments_of(database)) == ["booked", "moved"]


def test_one_stops_waiting_from_the_follow_page(
    marcel_waits: Person, database: Database, passes: Passes
) -> None:
    receives(database, THURSDAY, time(9), time(9, 30))
    passes()
    marcel_waits.go("suivi")
    page = marcel_waits.submit(action="/ne-plus-attendre")
    assert "Vous attendez" not in page.main
    assert "Une heure est libre" not in page.main
    assert (states(database), wishes(database)) == (["declined"], ["withdrawn"])
    assert appointments_of(database) == []


def test_nobody_answers_for_another(
    fatima: Person, marcel_waits: Person, database: Database, passes: Passes
) -> None:
    receives(database, THURSDAY, time(9), time(9, 30))
    passes()
    with transaction(database.backoffice) as session:
        offer = session.scalars(select(SlotOffer)).one()
    token = marcel_waits.go("suivi").field("csrf_token")
    for answer in ("oui", "non"):
        response = marcel_waits.ask(
            "POST",
            "/fr/rendez-vous/proposition",
            data={"csrf_token": token, "offer": str(offer.id), "reponse": answer},
        )
        assert response.headers["Location"] == "/fr/suivi"
    for nonsense in ("", "x", "00000000-0000-4000-8000-000000000000"):
        response = marcel_waits.ask(
            "POST", "/fr/rendez-vous/proposition", data={"csrf_token": token, "offer": nonsense}
        )
        assert response.status_code == 303
    assert states(database) == ["offered"]


def test_in_danger_the_page_can_be_left(amina: Person, database: Database, passes: Passes) -> None:
    amina.asks_for_help(theme="violence")
    amina.go("rendez-vous")
    amina.submit(action="/attendre")
    receives(database, THURSDAY, time(9), time(9, 30))
    passes()
    page = amina.go("rendez-vous/proposition")
    assert page.of_class("exit-button")
    assert "openstreetmap" not in " ".join(page.links())


def test_an_hour_over_ones_own_appointment_is_never_offered(marcel: Person, database: Database) -> None:
    """Moving: his own time counts as taken; every hour shown can be held."""
    marcel.asks_for_help(channels={"email": MOREAU_EMAIL})
    receives(database, THURSDAY, time(9), time(10))
    takes(marcel)
    receives(database, THURSDAY, time(9, 15), time(10, 45))
    page = marcel.go("rendez-vous")
    offered = slot_buttons(page)
    assert offered
    assert all("9 heures 15" not in one and not one.endswith("9 heures") for one in hours(page))
    for one in offered:
        marcel.go("rendez-vous")
        assert marcel.submit(one).path.startswith("/fr/rendez-vous/verifier"), (
            "nobody is offered what is refused"
        )
