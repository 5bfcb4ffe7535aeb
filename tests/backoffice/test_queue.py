"""The queue of a house and a worker's own list, as pages."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import update

from casework.database import transaction
from casework.requests import Request
from casework.vocabulary import State, Theme, Urgency
from tests.backoffice.colleague import Colleague, request_of
from tests.casework.asking import BY_MAIL, ask
from tests.conftest import Database
from tests.pages import Page
from tests.people import LOUDUN, PAUL

TEN_DAYS = timedelta(days=10)


def lines(page: Page) -> list[UUID]:
    """The requests shown, in order."""
    return [UUID((row.get("id") or "").removeprefix("r-")) for row in page.html.iter("tr") if row.get("id")]


def change(database: Database, request_id: UUID, **values: Any) -> None:
    """Put a request in a state."""
    with transaction(database.owner) as session:
        session.execute(update(Request).where(Request.id == request_id).values(**values))


def test_urgent_first_then_the_oldest_promise(nadia: Colleague, database: Database, now: datetime) -> None:
    late = ask(database, now - TEN_DAYS).id
    fresh = ask(database, now).id
    urgent = ask(database, now, replace(BY_MAIL, urgency=Urgency.NO_ROOF)).id
    page = nadia.open("/fr/file")
    assert lines(page) == [urgent, late, fresh]
    assert page.main.count("En retard") == 1
    assert "3 demandes" in page.main


def test_a_house_sees_its_own_alone(
    nadia: Colleague, odile: Colleague, database: Database, now: datetime
) -> None:
    here = ask(database, now).id
    there = ask(database, now, replace(BY_MAIL, commune_code=LOUDUN)).id
    assert lines(nadia.open("/fr/file")) == [here]
    assert lines(odile.open("/fr/file")) == [there]


def test_filters(nadia: Colleague, database: Database, now: datetime) -> None:
    money = ask(database, now, replace(BY_MAIL, theme=Theme.MONEY, spoken_language="ti")).id
    urgent = ask(database, now, replace(BY_MAIL, urgency=Urgency.EVICTION)).id
    routed = ask(database, now).id
    change(database, routed, state=State.ROUTED, worker_id=PAUL.id)
    assert lines(nadia.open("/fr/file?theme=money")) == [money]
    assert lines(nadia.open("/fr/file?langue=ti")) == [money]
    assert lines(nadia.open("/fr/file?urgent=1")) == [urgent]
    assert lines(nadia.open("/fr/file?etat=routed")) == [routed]
    assert set(lines(nadia.open("/fr/file?etat=open"))) == {money, urgent, routed}
    assert routed not in lines(nadia.open("/fr/file"))
    assert lines(nadia.open("/fr/file?theme=money&urgent=1")) == []
    assert nadia.page.chosen("theme") == ["money"]


def test_an_odd_address_is_no_error(nadia: Colleague, database: Database, now: datetime) -> None:
    ask(database, now)
    for query in (
        "etat=x&theme=%00&langue=zz",
        "apres=1_2_3",
        "apres=",
        "apres=0_2026-11-03_2026-11-03_x",
        "lang=ar",
    ):
        assert len(lines(nadia.open(f"/fr/file?{query}"))) == 1
    for typed in ("", "abc", "%00", "123456789", "٤٨٣"):
        assert "Aucune demande" in nadia.open(f"/fr/chercher?numero={typed}", status=404).main


def test_a_request_is_opened_by_the_number_somebody_says(
    nadia: Colleague, database: Database, now: datetime
) -> None:
    request = request_of(database, ask(database, now).id)
    spaced = f"{request.number[:3]}+{request.number[3:6]}+{request.number[6:]}"
    assert nadia.open(f"/fr/chercher?numero={spaced}").path == f"/fr/demande/{request.id}"


def test_forty_a_page_then_the_following(nadia: Colleague, database: Database, now: datetime) -> None:
    sent = [ask(database, now + timedelta(seconds=place)).id for place in range(45)]
    first = nadia.open("/fr/file")
    assert "45 demandes" in first.main
    following = next(link for link in first.links() if "apres=" in link)
    second = nadia.open(following)
    assert lines(first) + lines(second) == sent
    assert "Demandes suivantes" in first.main
    assert "Demandes suivantes" not in second.main


def test_the_lines_alone_come_again_only_when_they_changed(
    nadia: Colleague, database: Database, now: datetime
) -> None:
    ask(database, now)
    page = nadia.open("/fr/file")
    live = next(body.get("data-live", "") for body in page.html.iter("tbody"))
    first = nadia.ask("GET", live)
    etag = first.headers["ETag"]
    assert first.status_code == 200
    again = nadia.ask("GET", live, headers={"If-None-Match": etag})
    assert (again.status_code, again.data) == (304, b"")
    other = ask(database, now).id
    changed = nadia.ask("GET", live, headers={"If-None-Match": etag})
    assert (changed.status_code, str(other) in changed.text) == (200, True)
    assert changed.headers["ETag"] != etag


def test_a_workers_list_is_theirs_what_waits_for_them_first(
    paul: Colleague, louise: Colleague, database: Database, now: datetime
) -> None:
    taken, new, answered = (ask(database, now - TEN_DAYS + timedelta(hours=place)).id for place in range(3))
    change(database, taken, state=State.TAKEN, worker_id=PAUL.id)
    change(database, new, state=State.ROUTED, worker_id=PAUL.id)
    change(
        database,
        answered,
        state=State.WAITING,
        worker_id=PAUL.id,
        agent_wrote_at=now - TEN_DAYS,
        citizen_wrote_at=now,
    )
    page = paul.open("/fr/mes-demandes")
    assert lines(page) == [new, answered, taken]
    assert page.main.count("Nouvelle pour vous") == 1
    assert lines(louise.open("/fr/mes-demandes")) == []
    assert paul.ask("GET", "/fr/mes-demandes/lignes").text.count("<tr") == 3
