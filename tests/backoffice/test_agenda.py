"""Agendas: a week on a page, appointments moved without dragging, absences that say what they touch."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import update

from casework import back_up
from casework.absences import whole_days
from casework.agenda import Audience, Closure, Mode, Opening, OpeningRule, keep
from casework.agents import Absence, Agent
from casework.appointments import Appointment, Standing
from casework.back_up import BackUpDuty, Half, NotAWorkerError
from casework.database import transaction
from casework.journal import Entry
from casework.requests import PARIS, Request
from casework.territory import House
from tests.backoffice.colleague import Colleague, stored
from tests.casework.asking import BY_MAIL, BY_TEXT, Asked, ask
from tests.clock import Clock
from tests.conftest import Database
from tests.pages import words
from tests.people import HUGO, LOUISE, MARC, NADIA, PAUL, SARAH, Character
from tools import strings

pytestmark = pytest.mark.long

NEXT_TUESDAY = date(2026, 11, 10)
WEEK = "2026-W46"


@pytest.fixture
def asked(database: Database, now: datetime) -> Asked:
    """Marcel's request, at the reception of Poitiers."""
    return ask(database, now, BY_MAIL)


@pytest.fixture
def amina_asked(database: Database, now: datetime) -> Asked:
    """Amina's request, at the reception of Poitiers too."""
    return ask(database, now, BY_TEXT)


def receives(
    database: Database,
    who: Character,
    first_day: date = NEXT_TUESDAY,
    hours: tuple[int, int] = (9, 12),
    place: str | None = "mds-poitiers",
    weekdays: list[int] | None = None,
) -> OpeningRule:
    """Somebody receives, in a place or on the telephone; once, or on some days of the week from then on."""
    with transaction(database.owner) as session:
        return keep(
            session,
            OpeningRule(
                agent_id=who.id, house_id=who.house, place_id=place, mode=Mode.HERE if place else Mode.PHONE,
                kinds=["first", "long"], audience=Audience.CITIZENS, languages=[], travel_minutes=0,
                first_day=first_day, last_day=None if weekdays else first_day, weekdays=weekdays or [],
                every_weeks=1, nth_of_month=None, starts_at=time(hours[0]), ends_at=time(hours[1]),
                made_until=None,
            ),
            date(2026, 11, 3),
        )  # fmt: skip


def at(day: date, hour: int, minute: int = 0) -> datetime:
    """A moment in Poitiers."""
    return datetime.combine(day, time(hour, minute), PARIS)


def books(colleague: Colleague, asked: Asked, slot: int = 0) -> None:
    """Tap one of the slots of the request's page."""
    page = colleague.reads(asked.id)
    value = page.of_class("slot")[slot].get("value", "")
    page = colleague.submit(("slot", value))
    assert "C'est fait." in page.main


def appointments(database: Database, asked: Asked) -> list[tuple[datetime, Standing]]:
    """The appointments of a request, by hour."""
    found = stored(database, Appointment, Appointment.request_id == asked.id)
    return sorted((one.start.astimezone(PARIS), one.state) for one in found)


def the_one(database: Database, asked: Asked) -> Appointment:
    """The booked appointment of a request."""
    (found,) = stored(
        database, Appointment, Appointment.request_id == asked.id, Appointment.state == Standing.BOOKED
    )
    assert isinstance(found, Appointment)
    return found


def give(database: Database, asked: Asked, worker: Character) -> None:
    """The request already has a worker."""
    with transaction(database.owner) as session:
        session.execute(update(Request).where(Request.id == asked.id).values(worker_id=worker.id))


def lines(database: Database, request_id: UUID | None, *actions: str) -> list[Entry]:
    """Lines of the journal, oldest first."""
    found = stored(database, Entry, Entry.request_id == request_id, Entry.action.in_(actions))
    return sorted(found, key=lambda entry: entry.id)


# --- at the counter -------------------------------------------------------------------------------------


def test_nadia_books_for_marcel_in_one_tap(nadia: Colleague, asked: Asked, database: Database) -> None:
    receives(database, PAUL)
    page = nadia.reads(asked.id)
    assert len(page.of_class("slot")) == 6
    books(nadia, asked)
    assert appointments(database, asked) == [(at(NEXT_TUESDAY, 9), Standing.BOOKED)]
    (entry,) = lines(database, asked.id, "booked")
    assert (entry.agent_id, entry.details["sentence"]) == (
        NADIA.id, "mardi 10 novembre 2026 à 09:00 avec Paul Petit",
    )  # fmt: skip
    assert "mardi 10 novembre 2026" in nadia.page.main
    assert "Maison de Poitiers" in nadia.page.main


def test_the_same_tap_twice_is_one_booking(nadia: Colleague, asked: Asked, database: Database) -> None:
    receives(database, PAUL)
    nadia.reads(asked.id)
    value = nadia.page.of_class("slot")[0].get("value", "")
    second = nadia.second_tab()
    nadia.submit(("slot", value))
    assert "C'est fait." in second.submit(("slot", value)).main
    assert appointments(database, asked) == [(at(NEXT_TUESDAY, 9), Standing.BOOKED)]
    assert len(lines(database, asked.id, "booked")) == 1


def test_a_double_booking_is_refused_in_a_clear_sentence(
    nadia: Colleague, claire: Colleague, asked: Asked, amina_asked: Asked, database: Database
) -> None:
    receives(database, PAUL)
    nadia.reads(asked.id)
    claire.reads(amina_asked.id)
    value = nadia.page.of_class("slot")[0].get("value", "")
    nadia.submit(("slot", value))
    page = claire.submit(("slot", value))
    assert "Ce créneau vient d'être pris. Rien n'est réservé." in page.main
    assert appointments(database, amina_asked) == []
    assert "09:30" in words(page.of_class("slot")[0])


def test_slots_are_first_those_of_the_worker_then_of_the_sector_then_of_the_house(
    nadia: Colleague, asked: Asked, database: Database
) -> None:
    receives(database, LOUISE)
    give(database, asked, PAUL)
    page = nadia.reads(asked.id)
    assert "Aucun créneau avec ce choix." in page.main
    assert [LOUISE.name in "".join(slot.itertext()) for slot in page.of_class("slot")] == [True] * 6
    receives(database, PAUL, NEXT_TUESDAY + timedelta(days=1))
    page = nadia.reads(asked.id)
    assert {PAUL.name in "".join(slot.itertext()) for slot in page.of_class("slot")} == {True}


def test_a_slot_of_another_house_cannot_be_booked_by_hand(
    nadia: Colleague, asked: Asked, database: Database
) -> None:
    receives(database, PAUL)
    receives(database, HUGO, place="mds-loudun")
    nadia.reads(asked.id)
    forged = f"{HUGO.id}~here~mds-loudun~{at(NEXT_TUESDAY, 9).isoformat()}"
    path, data, _ = nadia.prepare(("slot", nadia.page.of_class("slot")[0].get("value", "")))
    data["slot"] = forged
    assert nadia.ask("POST", path, data=data).headers["Location"].endswith("?fait=taken#rendez-vous")
    assert appointments(database, asked) == []


@pytest.mark.parametrize("slot", ["", "2", "2~here~mds-poitiers~demain", "x~here~~2026-11-10T09:00:00+01:00"])
def test_nonsense_is_refused(nadia: Colleague, asked: Asked, database: Database, slot: str) -> None:
    receives(database, PAUL)
    nadia.reads(asked.id)
    path, data, _ = nadia.prepare(("slot", nadia.page.of_class("slot")[0].get("value", "")))
    data["slot"] = slot
    assert nadia.ask("POST", path, data=data).status_code == 400


def test_nadia_squeezes_somebody_in_and_says_why(
    nadia: Colleague, asked: Asked, amina_asked: Asked, database: Database
) -> None:
    receives(database, PAUL)
    books(nadia, asked)
    page = nadia.open(f"/fr/demande/{amina_asked.id}/rendez-vous/en-plus")
    extra: dict[str, Any] = {
        "agent": str(PAUL.id), "kind": "first", "mode": "here", "place": "mds-poitiers", "day": "2026-11-10",
        "starts_at": "09:00",
    }  # fmt: skip
    assert nadia.submit(**extra, status=422).errors() == ["Écrivez un mot pour dire pourquoi."]
    page = nadia.submit(**extra, why="Expulsion demain")
    assert "En plus" in page.main
    one = the_one(database, amina_asked)
    assert (one.extra, one.start.astimezone(PARIS)) == (True, at(NEXT_TUESDAY, 9))
    assert "Expulsion demain" in lines(database, amina_asked.id, "booked")[0].details["sentence"]


def test_an_hour_that_is_past_cannot_be_squeezed_in(nadia: Colleague, asked: Asked) -> None:
    nadia.open(f"/fr/demande/{asked.id}/rendez-vous/en-plus")
    page = nadia.submit(
        agent=str(PAUL.id), kind="first", mode="phone", day="2026-11-02", starts_at="09:00", why="Hier",
        status=422,
    )  # fmt: skip
    assert page.errors() == ["Cette heure est passée."]


def test_paul_squeezes_nobody_into_sarahs_agenda(paul: Colleague, asked: Asked) -> None:
    page = paul.open(f"/fr/demande/{asked.id}/rendez-vous/en-plus")
    assert page.chosen("agent") == [str(PAUL.id)]
    path, data, _ = paul.prepare(action="/en-plus")
    data.update({"agent": str(SARAH.id), "mode": "phone", "why": "x"})
    assert paul.ask("POST", path, data=data).status_code == 422


# --- what becomes of an appointment ---------------------------------------------------------------------


def test_an_appointment_is_cancelled_once_and_its_time_is_free_again(
    nadia: Colleague, asked: Asked, amina_asked: Asked, database: Database
) -> None:
    receives(database, PAUL)
    books(nadia, asked)
    nadia.reads(asked.id)
    second = nadia.second_tab()
    nadia.submit(action="/annuler")
    second.submit(action="/annuler")
    assert appointments(database, asked) == [(at(NEXT_TUESDAY, 9), Standing.CANCELLED)]
    assert len(lines(database, asked.id, "cancelled")) == 1
    books(nadia, amina_asked)
    assert appointments(database, amina_asked) == [(at(NEXT_TUESDAY, 9), Standing.BOOKED)]


def test_marcel_came_did_not_come_came_after_all(
    nadia: Colleague, asked: Asked, database: Database, clock: Clock
) -> None:
    receives(database, PAUL, date(2026, 11, 3), (10, 12))
    books(nadia, asked, slot=1)
    assert not [button for button in nadia.page.html.iter("button") if button.get("name") == "suite"]
    one = the_one(database, asked)
    path = f"/fr/demande/{asked.id}/rendez-vous/{one.id}/suite"
    csrf = nadia.prepare(action="/annuler")[1]["csrf_token"]
    early = nadia.ask("POST", path, data={"csrf_token": csrf, "suite": "came"})
    assert early.headers["Location"].endswith("?fait=late#rendez-vous")
    clock.forward(minutes=50)
    nadia.open("/fr/connexion")
    nadia.signs_in()
    for how in ("missed", "came"):
        nadia.reads(asked.id)
        nadia.submit(("suite", how))
    assert [state for _, state in appointments(database, asked)] == [Standing.CAME]
    assert [entry.details["how"] for entry in lines(database, asked.id, "ended")] == ["missed", "came"]


def test_excused_then_came_but_another_was_given_that_time(
    nadia: Colleague, asked: Asked, amina_asked: Asked, database: Database, clock: Clock
) -> None:
    receives(database, PAUL, date(2026, 11, 3), (10, 11))
    books(nadia, asked, slot=0)
    clock.forward(seconds=1)
    nadia.reads(asked.id)
    nadia.submit(("suite", "excused"))
    with transaction(database.owner) as session:
        one = session.get_one(Appointment, stored(database, Appointment)[0].id)
        session.add(
            Appointment(
                id=amina_asked.id, request_id=amina_asked.id, agent_id=one.agent_id, house_id=one.house_id,
                place_id=one.place_id, desk=one.desk, kind_id=one.kind_id, mode=one.mode, during=one.during,
                blocked=one.blocked, state=Standing.BOOKED, held_until=None, extra=False, moved_from=None,
                made_at=one.made_at,
            )
        )  # fmt: skip
    nadia.reads(asked.id)
    assert "Ce créneau vient d'être pris." in nadia.submit(("suite", "came")).main
    assert [state for _, state in appointments(database, asked)] == [Standing.EXCUSED]


def test_moving_is_a_link_a_list_and_one_tap(nadia: Colleague, asked: Asked, database: Database) -> None:
    receives(database, PAUL)
    books(nadia, asked)
    one = the_one(database, asked)
    page = nadia.open(f"/fr/agenda?agent={PAUL.id}&semaine={WEEK}")
    assert f"/fr/agenda/rendez-vous/{one.id}/deplacer" in page.links()
    page = nadia.open(f"/fr/agenda/rendez-vous/{one.id}/deplacer")
    slots = page.of_class("slot")
    assert [LOUISE.name in "".join(slot.itertext()) for slot in slots] == [False] * 5
    page = nadia.submit(("slot", slots[1].get("value", "")))
    assert "Le rendez-vous est déplacé." in page.main
    assert appointments(database, asked) == [
        (at(NEXT_TUESDAY, 9), Standing.MOVED),
        (at(NEXT_TUESDAY, 10), Standing.BOOKED),
    ]
    (entry,) = lines(database, asked.id, "moved")
    assert entry.details["before"].startswith("2026-11-10T0")
    assert the_one(database, asked).moved_from == one.id


def test_an_appointment_moves_over_its_own_time(nadia: Colleague, asked: Asked, database: Database) -> None:
    """Half an hour taken at 9:15: 9:00 overlaps it, and is offered, and can be had."""
    rule = receives(database, PAUL)
    books(nadia, asked)
    with transaction(database.owner) as session:
        one = session.get_one(Appointment, the_one(database, asked).id)
        later = one.start + timedelta(minutes=15)
        one.during = one.blocked = type(one.during)(later, later + timedelta(minutes=30), bounds="[)")
        assert rule.id
    nadia.open(f"/fr/agenda/rendez-vous/{the_one(database, asked).id}/deplacer")
    nadia.submit(("slot", nadia.page.of_class("slot")[0].get("value", "")))
    assert the_one(database, asked).start.astimezone(PARIS) == at(NEXT_TUESDAY, 9)


def test_a_slot_taken_while_one_chose_changes_nothing(
    nadia: Colleague, claire: Colleague, asked: Asked, amina_asked: Asked, database: Database
) -> None:
    receives(database, PAUL)
    books(nadia, asked)
    nadia.open(f"/fr/agenda/rendez-vous/{the_one(database, asked).id}/deplacer?heures=matin")
    value = nadia.page.of_class("slot")[0].get("value", "")
    books(claire, amina_asked)
    page = nadia.submit(("slot", value), status=409)
    assert "Ce créneau vient d'être pris" in page.main
    option = next(one for one in page.html.iter("option") if one.get("value") == "matin")
    assert option.get("selected") is not None, "the filters are kept"
    assert appointments(database, asked) == [(at(NEXT_TUESDAY, 9), Standing.BOOKED)]
    assert lines(database, asked.id, "moved") == []


def test_pauls_list_begins_with_whom_he_receives_today(
    paul: Colleague, nadia: Colleague, asked: Asked, database: Database
) -> None:
    receives(database, PAUL, date(2026, 11, 3), (10, 12))
    books(nadia, asked)
    page = paul.open("/fr/mes-demandes")
    assert page.main.index("Aujourd'hui") < page.main.index("Marcel Moreau")
    assert "10:00" in page.main


# --- the week and the day -------------------------------------------------------------------------------


def test_a_week_says_who_comes_where_and_why_nobody_does(
    nadia: Colleague, paul: Colleague, asked: Asked, database: Database
) -> None:
    receives(database, PAUL, NEXT_TUESDAY, place="vouille-mairie")
    receives(database, PAUL, date(2026, 11, 9), (14, 16), place=None)
    with transaction(database.owner) as session:
        session.add(Absence(agent_id=PAUL.id, first_day=date(2026, 11, 12), last_day=date(2026, 11, 12)))
        start = at(date(2026, 11, 13), 0)
        session.add(
            Closure(house_id="poitiers", during=whole_days(start.date(), start.date()), reason="Travaux")
        )
    books(nadia, asked, slot=4)
    page = paul.open(f"/fr/agenda?semaine={WEEK}")
    columns = [" ".join("".join(td.itertext()).split()) for td in page.html.iter("td")]
    monday, tuesday, wednesday, thursday, friday = columns
    assert "Au téléphone" in monday
    assert "Mairie de Vouillé" in tuesday
    assert "Marcel Moreau" in tuesday
    assert "Premier rendez-vous, Rendez-vous long" in tuesday
    assert "Jour férié : Armistice" in wednesday
    assert "Absence" in thursday
    assert "Maison fermée : Travaux" in friday
    heads = ["".join(th.itertext()).strip() for th in page.html.iter("th")]
    assert heads[0] == "lundi 9 novembre"
    assert "/fr/agenda?agent=2&semaine=2026-W45" in page.links()


def test_a_day_of_the_house_shows_initials_only(nadia: Colleague, asked: Asked, database: Database) -> None:
    receives(database, PAUL)
    receives(database, LOUISE, hours=(14, 16), place="vouille-mairie")
    books(nadia, asked)
    page = nadia.open("/fr/agenda/jour?date=2026-11-10")
    assert "Moreau" not in page.main
    assert "M. M." in page.main
    assert [LOUISE.name in page.main, PAUL.name in page.main] == [True, True]
    page = nadia.open("/fr/agenda/jour?date=2026-11-10&lieu=vouille-mairie")
    assert "M. M." not in page.main
    assert LOUISE.name in page.main
    nadia.open("/fr/agenda/jour?date=2026-11-10&lieu=mds-loudun", 404)


@pytest.mark.parametrize("week", ["2026-W99", "hier", "9999-W52", "0001-W01", "2026-W", "-W-"])
def test_a_week_that_is_none_is_this_one(nadia: Colleague, week: str) -> None:
    assert "lundi 2 novembre 2026" in nadia.open(f"/fr/agenda?agent={PAUL.id}&semaine={week}").main


def test_agendas_stay_in_their_house(
    odile: Colleague, nadia: Colleague, asked: Asked, database: Database
) -> None:
    rule = receives(database, PAUL)
    books(nadia, asked)
    one, opening = the_one(database, asked), stored(database, Opening)[0]
    for path in (
        f"agenda?agent={PAUL.id}", f"agenda/plages?agent={PAUL.id}", f"agenda/absences?agent={PAUL.id}",
        f"agenda/plages/{rule.id}/fin", f"agenda/plages/jour/{opening.id}", "agenda?agent=99999",
        f"agenda/rendez-vous/{one.id}/deplacer", f"demande/{asked.id}/rendez-vous/en-plus",
        "agenda/jour?lieu=mds-poitiers", "agenda?agent=x",
    ):  # fmt: skip
        odile.open(f"/fr/{path}", 404)
    assert "Marcel" not in odile.open("/fr/agenda/jour?date=2026-11-10").main


def test_sarah_reads_pauls_agenda_and_changes_nothing_in_it(
    louise: Colleague, nadia: Colleague, asked: Asked, database: Database
) -> None:
    rule = receives(database, PAUL)
    books(nadia, asked)
    one, opening = the_one(database, asked), stored(database, Opening)[0]
    page = louise.open(f"/fr/agenda?agent={PAUL.id}&semaine={WEEK}")
    assert "Vous pouvez lire cet agenda. Vous ne pouvez pas le changer." in page.main
    assert not [link for link in page.links() if "deplacer" in link or "/plages/jour/" in link]
    for path in (
        f"agenda/plages/{rule.id}/fin", f"agenda/plages/jour/{opening.id}", f"agenda/rendez-vous/{one.id}/deplacer",
    ):  # fmt: skip
        louise.open(f"/fr/{path}", 403)
    csrf = louise.prepare(action="/deconnexion")[1]["csrf_token"]
    days = {"csrf_token": csrf, "first_day": "2026-11-10", "last_day": "2026-11-10"}
    assert louise.ask("POST", f"/fr/agenda/absences/{PAUL.id}", data=days).status_code == 403
    assert louise.ask("POST", "/fr/agenda/fermetures", data=days).status_code == 403
    assert louise.ask("POST", "/fr/agenda/appui", data=days).status_code == 403
    assert (
        louise.ask("POST", f"/fr/demande/{asked.id}/rendez-vous/{one.id}/annuler", data=days).status_code
        == 403
    )


def test_the_worker_of_a_request_moves_its_appointment_with_a_colleague(
    louise: Colleague, nadia: Colleague, asked: Asked, database: Database
) -> None:
    receives(database, PAUL)
    books(nadia, asked)
    give(database, asked, LOUISE)
    louise.reads(asked.id)
    louise.submit(action="/annuler")
    assert [state for _, state in appointments(database, asked)] == [Standing.CANCELLED]


# --- opening ranges -------------------------------------------------------------------------------------

TUESDAYS: dict[str, Any] = {
    "repeat": "weekly", "weekdays": ["1"], "starts_at": "09:00", "ends_at": "12:00", "first_day": "2026-11-10",
    "mode": "here", "place": "mds-poitiers", "kinds": ["first"], "audience": "citizens",
}  # fmt: skip


def test_paul_opens_his_tuesdays_and_slots_are_there_at_once(
    paul: Colleague, nadia: Colleague, asked: Asked, database: Database
) -> None:
    paul.open("/fr/agenda/plages")
    page = paul.submit(**TUESDAYS, languages=["ar"])
    assert "mardi, 09:00 – 12:00" in page.main
    assert len(stored(database, Opening)) == 52
    books(nadia, asked)
    assert appointments(database, asked) == [(at(NEXT_TUESDAY, 9), Standing.BOOKED)]
    assert lines(database, None, "agenda_changed")[0].details["what"] == "range added"


def test_the_same_range_sent_twice_is_one(paul: Colleague, database: Database) -> None:
    for _ in range(2):
        paul.open("/fr/agenda/plages")
        assert "mardi, 09:00 – 12:00" in paul.submit(**TUESDAYS).main
    assert len(stored(database, OpeningRule)) == 1
    assert len(stored(database, Opening)) == 52
    assert len(lines(database, None, "agenda_changed")) == 1
    paul.submit(**(TUESDAYS | {"kinds": ["first", "long"]}))
    assert len(stored(database, Opening)) == 104, "another one, even at the same hours"


def test_ranges_that_overlap_are_allowed_said_and_never_sold_twice(
    paul: Colleague, nadia: Colleague, asked: Asked, amina_asked: Asked, database: Database
) -> None:
    receives(database, PAUL, NEXT_TUESDAY)
    paul.open("/fr/agenda/plages")
    page = paul.submit(
        **(TUESDAYS | {"mode": "phone", "place": "", "starts_at": "11:00", "ends_at": "13:00"})
    )
    assert "Cette plage en recouvre une autre." in page.main
    books(nadia, asked, slot=0)
    for _ in range(2):
        nadia.reads(amina_asked.id)
        values = [slot.get("value", "") for slot in nadia.page.of_class("slot")]
        at_eleven = next(
            (value for value in values if "T10:00:00+00:00" in value or "T11:00:00+01:00" in value), None
        )
        if at_eleven:
            nadia.submit(("slot", at_eleven))
    assert len([state for _, state in appointments(database, amina_asked) if state is Standing.BOOKED]) == 1


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"ends_at": "08:00"}, "La fin vient avant le début."),
        ({"place": ""}, "Choisissez un lieu."),
        ({"weekdays": []}, "Choisissez au moins un jour."),
        ({"kinds": []}, "Choisissez au moins un type de rendez-vous."),
        ({"last_day": "2026-11-01"}, "La fin vient avant le début."),
        ({"starts_at": ""}, "Écrivez une heure."),
    ],
)
def test_a_range_that_cannot_be_is_refused_and_the_rest_is_kept(
    paul: Colleague, database: Database, changes: dict[str, Any], error: str
) -> None:
    paul.open("/fr/agenda/plages")
    page = paul.submit(**(TUESDAYS | changes), status=422)
    assert page.errors() == [error]
    assert page.field("first_day") == "2026-11-10"
    assert stored(database, Opening) == []


def test_the_first_tuesday_of_the_month(paul: Colleague, database: Database) -> None:
    paul.open("/fr/agenda/plages")
    paul.submit(**(TUESDAYS | {"repeat": "monthly", "nth": "1"}))
    days = sorted(one.on_day for one in stored(database, Opening))
    assert days[:3] == [date(2026, 12, 1), date(2027, 1, 5), date(2027, 2, 2)]


def test_dropping_a_day_says_who_comes_and_leaves_them_in_the_agenda(
    nadia: Colleague, asked: Asked, database: Database
) -> None:
    receives(database, PAUL, weekdays=[1])
    books(nadia, asked)
    opening = min(stored(database, Opening), key=lambda one: one.on_day)
    page = nadia.open(f"/fr/agenda/plages/jour/{opening.id}")
    assert "1 rendez-vous est déjà pris dans cette plage" in page.main
    assert "Marcel Moreau" in page.main
    page = nadia.submit(action="/supprimer")
    assert "Hors plage" in page.main
    assert "Supprimée" in page.main
    assert [state for _, state in appointments(database, asked)] == [Standing.BOOKED]
    nadia.open(f"/fr/agenda/plages/jour/{opening.id}")
    page = nadia.submit(action="/heures")
    assert "Hors plage" not in page.main


def test_other_hours_for_one_day_ask_twice_when_somebody_would_be_left_out(
    nadia: Colleague, asked: Asked, database: Database
) -> None:
    receives(database, PAUL, weekdays=[1])
    books(nadia, asked)
    opening = min(stored(database, Opening), key=lambda one: one.on_day)
    nadia.open(f"/fr/agenda/plages/jour/{opening.id}")
    page = nadia.submit(action="/heures", starts_at="10:00", status=422)
    assert "1 rendez-vous n'est plus dans ces heures" in page.main
    nadia.submit(action="/heures", knowing="y")
    changed = stored(database, Opening, Opening.changed)
    assert [one.during.lower.astimezone(PARIS) for one in changed] == [at(NEXT_TUESDAY, 10)]


def test_ending_a_range_names_who_comes_after(nadia: Colleague, asked: Asked, database: Database) -> None:
    rule = receives(database, PAUL, weekdays=[1])
    books(nadia, asked)
    nadia.open(f"/fr/agenda/plages/{rule.id}/fin")
    page = nadia.submit(last_day="2026-11-09", status=422)
    assert "1 rendez-vous est déjà pris après cette date" in page.main
    assert "Marcel Moreau" in page.main
    nadia.submit(knowing="y")
    assert stored(database, Opening) == []
    assert [state for _, state in appointments(database, asked)] == [Standing.BOOKED]


# --- absences -------------------------------------------------------------------------------------------


def test_an_absence_lists_the_appointments_to_move(
    paul: Colleague, nadia: Colleague, asked: Asked, database: Database
) -> None:
    receives(database, PAUL)
    books(nadia, asked)
    paul.open("/fr/agenda/absences")
    page = paul.submit(first_day="2026-11-09", last_day="2026-11-13")
    assert "1 rendez-vous à déplacer" in page.main
    assert f"/fr/agenda/rendez-vous/{the_one(database, asked).id}/deplacer" in page.links()
    assert lines(database, None, "absence_set")[0].details["of"] == PAUL.name
    assert not nadia.reads(asked.id).of_class("slot"), "nobody receives while absent"
    paul.open("/fr/agenda/absences")
    paul.submit(action="/retirer")
    assert stored(database, Absence) == []
    assert len(lines(database, None, "absence_removed")) == 1


def test_too_few_workers_asks_for_a_second_yes_and_names_the_days(
    marc: Colleague, database: Database
) -> None:
    """Poitiers wants two of its three workers. Sarah is away on Monday 9 and Tuesday 10; the 11th is a holiday."""
    with transaction(database.owner) as session:
        session.execute(update(House).where(House.id == "poitiers").values(minimum_workers=2))
        session.add(Absence(agent_id=SARAH.id, first_day=date(2026, 11, 9), last_day=date(2026, 11, 11)))
    marc.open(f"/fr/agenda/absences?agent={PAUL.id}")
    page = marc.submit(first_day="2026-11-07", last_day="2026-11-12", status=422)
    said = " ".join("".join(page.of_class("conflict")[0].itertext()).split())
    assert "lundi 9 novembre 2026 : 1 personne présente" in said.replace("\xa0", " ")
    assert "mardi 10 novembre 2026" in said
    assert [day for day in ("samedi 7", "dimanche 8", "mercredi 11", "jeudi 12") if day in said] == []
    assert len(stored(database, Absence)) == 1
    marc.submit(knowing="y")
    (entry,) = lines(database, None, "absence_set")
    assert (entry.agent_id, entry.details["understaffed"]) == (MARC.id, ["2026-11-09", "2026-11-10"])
    assert len(stored(database, Absence)) == 2


def test_days_in_the_wrong_order_are_no_absence(paul: Colleague, database: Database) -> None:
    paul.open("/fr/agenda/absences")
    page = paul.submit(first_day="2026-11-13", last_day="2026-11-09", status=422)
    assert page.errors() == ["Ces dates ne vont pas ensemble."]
    assert stored(database, Absence) == []


def test_a_closed_house_receives_nobody(
    nadia: Colleague, asked: Asked, amina_asked: Asked, database: Database
) -> None:
    receives(database, PAUL)
    books(nadia, asked)
    nadia.open("/fr/agenda/fermetures")
    typed: dict[str, Any] = {"first_day": "2026-11-10", "last_day": "2026-11-10", "reason": "Travaux"}
    page = nadia.submit(**typed, status=422)
    assert "1 rendez-vous à déplacer" in page.main
    nadia.submit(**typed, knowing="y")
    assert not nadia.reads(amina_asked.id).of_class("slot")
    nadia.open("/fr/agenda/fermetures")
    nadia.submit(action="/retirer")
    assert stored(database, Closure) == []
    assert nadia.reads(amina_asked.id).of_class("slot")


def test_the_reception_knows_which_worker_supports_it(
    nadia: Colleague, paul: Colleague, database: Database
) -> None:
    """Tuesday morning is Paul's; the day's page says so, unless he is away."""
    tuesday = date(2026, 11, 10)
    nadia.open("/fr/agenda/appui")
    week: dict[str, Any] = {"1-morning": str(PAUL.id)}
    nadia.submit(**week)
    assert "C'est fait." in nadia.page.main
    assert [(duty.weekday, duty.half, duty.agent_id) for duty in stored(database, BackUpDuty)] == [
        (1, Half.MORNING, PAUL.id)
    ]
    assert f"Matin {PAUL.name}" in nadia.open(f"/fr/agenda/jour?date={tuesday}").main
    assert PAUL.name in paul.open("/fr/agenda/appui").main, "a worker reads the week, and changes nothing"
    assert not paul.page.of_class("panel")
    with transaction(database.backoffice) as session:
        at = datetime.combine(tuesday, time(9), PARIS)
        found = [back_up.on_duty(session, "poitiers", at + timedelta(hours=hours)) for hours in (0, 3, 5)]
        assert [one and one.id for one in found] == [PAUL.id, PAUL.id, None]
        session.add(Absence(agent_id=PAUL.id, first_day=tuesday, last_day=tuesday))
        session.flush()
        assert back_up.on_duty(session, "poitiers", at) is None
        with pytest.raises(NotAWorkerError):
            back_up.set_week(session, session.get_one(Agent, NADIA.id), {(1, Half.MORNING): NADIA.id}, at)


def test_nothing_of_the_agenda_is_left_in_french(nadia: Colleague, asked: Asked, database: Database) -> None:
    rule = receives(database, PAUL, weekdays=[1])
    books(nadia, asked)
    one, opening = the_one(database, asked), stored(database, Opening)[0]
    french = [said.id for said in strings.read("fr") if isinstance(said.id, str) and " " in said.id]
    for path in (
        f"agenda?agent={PAUL.id}&semaine={WEEK}", "agenda/jour?date=2026-11-10", f"agenda/plages?agent={PAUL.id}",
        f"agenda/plages/{rule.id}/fin", f"agenda/plages/jour/{opening.id}", f"agenda/absences?agent={PAUL.id}",
        "agenda/fermetures", "agenda/appui", f"agenda/rendez-vous/{one.id}/deplacer",
        f"demande/{asked.id}/rendez-vous/en-plus", f"demande/{asked.id}",
    ):  # fmt: skip
        for language in ("ar", "en"):
            shown = nadia.open(f"/{language}/{path}").main_but("fr")
            left = [one for one in french if one in shown and other_words(one, language)]
            assert left == [], path


def other_words(french: str, language: str) -> bool:
    """The language says it otherwise."""
    said = strings.read(language).get(french)
    return said is not None and said.string != french
