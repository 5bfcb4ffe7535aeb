"""Where the house receives: what each place offers and who came; a market permanence announced in a minute."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from xml.etree.ElementTree import Element

import pytest
from sqlalchemy.orm import Session

from casework import agenda, appointments, places, slots
from casework.agenda import Audience, Mode, Opening, OpeningRule
from casework.agents import Absence
from casework.appointments import Appointment, Standing
from casework.database import transaction
from casework.journal import Action, Entry
from casework.requests import PARIS
from casework.slots import Wanted
from casework.territory import Place, PlaceKind
from tests.backoffice.colleague import Colleague, stored
from tests.casework.asking import ask
from tests.clock import Clock
from tests.conftest import Database
from tests.pages import Page, words
from tests.people import FROZES, LOUDUN, PAUL, POITIERS, SARAH, Character

pytestmark = pytest.mark.long

SATURDAY = date(2026, 11, 7)
MARKET: dict[str, Any] = {
    "name": "Marché de la place Notre-Dame", "commune": POITIERS, "day": "2026-11-07",
    "starts_at": "09:00", "ends_at": "12:00", "agent": str(PAUL.id), "kind": "", "desks": "2",
}  # fmt: skip


def receives(
    session: Session, who: Character, place: str, first_day: date, now: datetime, **others: Any
) -> OpeningRule:
    """Somebody receives at a place in the mornings, 9 to 12."""
    usual = {
        "mode": Mode.HERE, "kinds": ["first"], "audience": Audience.CITIZENS, "languages": [],
        "weekdays": [], "starts_at": time(9), "ends_at": time(12),
    }  # fmt: skip
    rule = OpeningRule(
        agent_id=who.id, house_id=who.house, place_id=place, first_day=first_day, **(usual | others)
    )
    return agenda.keep(session, rule, now.date())


def meets(database: Database, who: Character, moment: datetime, how: Standing | None = None) -> UUID:
    """Somebody asked, and has an appointment with the agent then; perhaps it is over."""
    asked = ask(database, moment - timedelta(days=3)).id
    with transaction(database.owner) as session:
        found = slots.exact(
            session, Wanted([who.id], "first", list(Mode)), moment, moment - timedelta(days=3)
        )
        appointments.hold(session, asked, found[0], moment - timedelta(days=3))
        made = appointments.confirm(session, asked, moment - timedelta(days=3))
        if how:
            appointments.end(made, how, moment)
    return asked


def row(page: Page, place_id: str) -> list[str]:
    """The cells of a place's line."""
    line = next(one for one in page.html.iter("tr") if one.get("id") == place_id)
    return cells(line)


def cells(line: Element) -> list[str]:
    return [words(cell) for cell in line if cell.tag in {"td", "th"}]


def popup_of(database: Database) -> Place:
    """The only pop-up."""
    found = stored(database, Place, Place.kind == PlaceKind.POPUP)
    assert len(found) == 1
    place: Place = found[0]
    return place


def test_the_inventory_says_what_each_place_offers(nadia: Colleague) -> None:
    page = nadia.open("/fr/file")
    assert "/fr/lieux" in page.links()
    page = nadia.open("/fr/lieux")
    assert row(page, "vouille-mairie") == [
        "Mairie de VouilléVouillé", "Le mardi matin.", "1", "Oui", "Oui", "Oui", "Avec", "0", "0", "0",
    ]  # fmt: skip
    assert "Maison de Loudun" not in page.main
    foot = next(page.html.iter("tfoot"))
    assert cells(next(foot.iter("tr")))[1:5] == ["5", "2", "2", "2"]


def test_it_counts_the_days_to_come_and_who_came(nadia: Colleague, database: Database, now: datetime) -> None:
    past = now.date() - timedelta(days=21)
    with transaction(database.owner) as session:
        receives(session, PAUL, "vouille-mairie", past, now, weekdays=[1])
        receives(session, SARAH, "vouille-mairie", past, now, weekdays=[1], every_weeks=2)
    first = datetime.combine(past, time(9), PARIS)
    meets(database, PAUL, first, Standing.CAME)
    meets(database, PAUL, first + timedelta(minutes=30), Standing.MISSED)
    meets(database, PAUL, first + timedelta(days=7), Standing.CAME)
    page = nadia.open("/fr/lieux")
    assert row(page, "vouille-mairie")[-3:] == ["4", "2", "1"], "Sarah comes on days when Paul is there too"
    assert row(page, "mds-poitiers")[-3:] == ["0", "0", "0"]
    assert cells(next(next(page.html.iter("tfoot")).iter("tr")))[-3:] == ["4", "2", "1"]


def test_a_dropped_day_and_an_old_appointment_do_not_count(
    nadia: Colleague, odile: Colleague, database: Database, clock: Clock, now: datetime
) -> None:
    thursday = datetime(2026, 11, 5, 9, tzinfo=PARIS)
    with transaction(database.owner) as session:
        rule = receives(session, PAUL, "vouille-mairie", now.date(), now, weekdays=[3])
        days = session.query(Opening).where(Opening.rule_id == rule.id).order_by(Opening.on_day).all()
    meets(database, PAUL, thursday, Standing.CAME)
    assert row(nadia.open("/fr/lieux"), "vouille-mairie")[-3] == "4"
    with transaction(database.owner) as session:
        agenda.drop_occurrence(session, days[1].id)
    assert row(nadia.open("/fr/lieux"), "vouille-mairie")[-3] == "3"
    clock.now = thursday + timedelta(days=366)
    nadia.signs_in()
    assert row(nadia.open("/fr/lieux"), "vouille-mairie")[-3:] == ["0", "0", "0"]


def test_nadia_announces_the_market_in_one_form(nadia: Colleague, database: Database) -> None:
    link = next(link for link in nadia.open("/fr/lieux").links() if link.endswith("/nouveau"))
    nadia.open(link)
    assert (nadia.page.field("day"), nadia.page.field("desks")) == ("2026-11-04", "1")
    assert nadia.page.chosen("commune") == [POITIERS]
    page = nadia.submit(**MARKET, step_free="y")
    place = popup_of(database)
    assert "La permanence est annoncée" in page.main
    assert "Le samedi 7 novembre 2026, de 9 heures à midi." in page.main
    assert row(page, place.id)[2:] == ["2", "Oui", "Non", "Non", "Sans", "1", "0", "0"]
    assert (place.house_id, place.commune_code, place.active) == ("poitiers", POITIERS, True)
    opening = stored(database, Opening, Opening.place_id == place.id)[0]
    assert (opening.agent_id, opening.on_day, opening.kinds) == (PAUL.id, SATURDAY, [])
    assert opening.audience is Audience.AGENTS
    note = stored(database, Entry, Entry.action == Action.AGENDA_CHANGED)[0]
    assert (note.agent_id, note.details["of"], note.details["place"]) == (1, "Paul Petit", place.id)


def test_the_same_form_sent_twice_is_one_permanence(nadia: Colleague, database: Database) -> None:
    nadia.open("/fr/lieux/nouveau")
    tab = nadia.second_tab()
    nadia.submit(**MARKET)
    tab.submit(**MARKET)
    popup_of(database)
    assert len(stored(database, Opening)) == 1


def test_with_a_kind_people_can_book_there(nadia: Colleague, database: Database, now: datetime) -> None:
    nadia.open("/fr/lieux/nouveau")
    nadia.submit(**MARKET | {"kind": "first", "ends_at": "10:30"})
    place = popup_of(database)
    assert place.by_appointment
    with transaction(database.owner) as session:
        found = slots.find(session, Wanted([PAUL.id], "first", [Mode.HERE]), now, now)
    assert [(slot.place_id, slot.start.astimezone(PARIS).strftime("%d %H:%M")) for slot in found] == [
        (place.id, "07 09:00"), (place.id, "07 09:30"), (place.id, "07 10:00"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("starts_at", "ends_at", "left"),
    [
        ("09:00", "11:00", ("11:00", "12:00")),
        ("11:00", "13:30", ("09:00", "11:00")),
        ("09:30", "10:00", ("10:00", "12:00")),
        ("09:15", "11:45", None),
        ("08:00", "14:00", None),
    ],
)
def test_what_paul_had_open_elsewhere_is_set_aside(
    nadia: Colleague,
    database: Database,
    now: datetime,
    *,
    starts_at: str,
    ends_at: str,
    left: tuple[str, str] | None,
) -> None:
    with transaction(database.owner) as session:
        receives(session, PAUL, "mds-poitiers", SATURDAY, now)
        receives(session, SARAH, "mds-poitiers", SATURDAY, now)
    nadia.open("/fr/lieux/nouveau")
    nadia.submit(**MARKET | {"starts_at": starts_at, "ends_at": ends_at})
    mine = stored(database, Opening, Opening.place_id == "mds-poitiers", Opening.agent_id == PAUL.id)[0]
    assert mine.dropped is (left is None)
    if left:
        hours = [
            moment.astimezone(PARIS).strftime("%H:%M") for moment in (mine.during.lower, mine.during.upper)
        ]
        assert tuple(hours) == left
    hers = stored(database, Opening, Opening.agent_id == SARAH.id)[0]
    assert not hers.dropped
    assert not hers.changed


def test_nobody_is_sent_to_two_places(nadia: Colleague, database: Database, now: datetime) -> None:
    with transaction(database.owner) as session:
        receives(session, PAUL, "mds-poitiers", SATURDAY, now)
    meets(database, PAUL, datetime(2026, 11, 7, 10, tzinfo=PARIS))
    nadia.open("/fr/lieux/nouveau")
    page = nadia.submit(**MARKET, status=422)
    assert page.errors() == ["Cette personne a déjà un rendez-vous à 10:00."]
    assert (page.field("name"), page.field("starts_at"), page.field("desks")) == (
        MARKET["name"],
        "09:00",
        "2",
    )
    assert not stored(database, Place, Place.kind == PlaceKind.POPUP)
    page = nadia.submit(**MARKET | {"agent": str(SARAH.id)})
    assert "annoncée" in page.main


def test_nobody_away_is_announced(nadia: Colleague, database: Database) -> None:
    with transaction(database.owner) as session:
        session.add(Absence(agent_id=PAUL.id, first_day=SATURDAY, last_day=SATURDAY))
    nadia.open("/fr/lieux/nouveau")
    assert nadia.submit(**MARKET, status=422).errors() == ["Cette personne est absente ce jour-là."]


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"name": " "}, "Écrivez le nom du lieu."),
        ({"name": "x" * 81}, "C'est trop long."),
        ({"day": "2026-11-02"}, "Choisissez un jour à venir, dans moins d'un an."),
        ({"day": "2026-11-03", "ends_at": "09:59"}, "Choisissez un jour à venir, dans moins d'un an."),
        ({"day": "2028-01-03"}, "Choisissez un jour à venir, dans moins d'un an."),
        ({"day": "demain"}, ""),
        ({"ends_at": "08:00"}, "La fin vient avant le début."),
        ({"desks": "0"}, "Écrivez un nombre de 1 à 20."),
        ({"desks": ""}, "Écrivez un nombre."),
        ({"commune": LOUDUN}, ""),
        ({"agent": "7"}, ""),
        ({"kind": "nothing"}, ""),
    ],
)
def test_what_does_not_fit_is_said_and_nothing_is_kept(
    nadia: Colleague, database: Database, *, typed: dict[str, str], said: str
) -> None:
    nadia.open("/fr/lieux/nouveau")
    page = nadia.submit(**MARKET | typed, status=422)
    assert said in page.errors() if said else page.errors()
    assert not stored(database, Place, Place.kind == PlaceKind.POPUP)
    assert not stored(database, Opening)


def test_an_empty_form_lists_what_is_missing_in_its_own_order(nadia: Colleague) -> None:
    nadia.open("/fr/lieux/nouveau")
    assert nadia.submit(name="", status=422).errors() == [
        "Écrivez le nom du lieu.", "Écrivez une heure.", "Écrivez une heure.",
    ]  # fmt: skip


def test_a_worker_announces_for_herself_alone(louise: Colleague, database: Database) -> None:
    page = louise.open("/fr/lieux/nouveau")
    agents = next(one for one in page.html.iter("select") if one.get("name") == "agent")
    assert [words(option) for option in agents] == ["Louise Morin"]
    louise.submit(**MARKET | {"agent": str(PAUL.id)}, status=422)
    louise.submit(**MARKET | {"agent": "4", "commune": FROZES})
    assert popup_of(database).commune_code == FROZES


def test_another_house_sees_nothing_of_it(nadia: Colleague, odile: Colleague) -> None:
    nadia.open("/fr/lieux/nouveau")
    nadia.submit(**MARKET)
    assert "Marché" not in odile.open("/fr/lieux").main
    options = {words(option) for option in odile.open("/fr/lieux/nouveau").html.iter("option")}
    assert {"Loudun", "Hugo Girard"} <= options
    assert not {"Poitiers", "Paul Petit"} & options


def test_a_popup_is_offered_until_it_is_over_and_counted_for_a_year(
    nadia: Colleague, database: Database, clock: Clock, now: datetime
) -> None:
    nadia.open("/fr/lieux/nouveau")
    nadia.submit(**MARKET | {"kind": "first"})
    place = popup_of(database)
    meets(database, PAUL, datetime(2026, 11, 7, 9, tzinfo=PARIS), Standing.CAME)
    for later, closed in ((timedelta(days=3), 0), (timedelta(days=5), 1), (timedelta(days=6), 0)):
        with transaction(database.owner) as session:
            assert places.close_past_popups(session, now + later) == closed
    assert not popup_of(database).active
    clock.now = now + timedelta(days=30)
    nadia.signs_in()
    assert row(nadia.open("/fr/lieux"), place.id)[-3:] == ["0", "1", "0"]
    clock.now = now + timedelta(days=400)
    nadia.signs_in()
    assert "Marché" not in nadia.open("/fr/lieux").main
    assert stored(database, Appointment)[0].place_id == place.id


def test_the_pages_speak_every_language(nadia: Colleague) -> None:
    assert "Places" in nadia.open("/en/lieux").heading
    for language in ("ar", "en"):
        page = nadia.open(f"/{language}/lieux/nouveau")
        assert "Annoncer" not in page.main
        assert "Commune" not in page.main or language == "en"


@pytest.mark.parametrize(
    ("starts_at", "ends_at", "said"),
    [
        ("01:00", "09:30", "Le samedi 7 novembre 2026, de 1 heure à 9 heures 30."),
        ("12:00", "14:15", "Le samedi 7 novembre 2026, de midi à 14 heures 15."),
    ],
)
def test_hours_are_said_in_easy_french(
    nadia: Colleague, database: Database, *, starts_at: str, ends_at: str, said: str
) -> None:
    nadia.open("/fr/lieux/nouveau")
    nadia.submit(**MARKET | {"starts_at": starts_at, "ends_at": ends_at})
    assert popup_of(database).times == said
