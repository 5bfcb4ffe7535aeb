"""The rows of the agendas, as SQL: hundreds of thousands at once, indexes and constraints put back afterwards.

Names of numbers: `d` département, `i` agent of it (0 to 99), `h` house of it, `place` place of the house (0: the
house itself), `n` slot of the agent's. Every statement may use :departements, :today (a date of Paris).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, text

from casework.access import AccessKey
from casework.agents import Agent
from casework.database import Base
from casework.people import ContactWay
from casework.requests import Request
from casework.territory import House, Place, Sector

AGENTS, HOUSES, PLACES = 100, 9, 90
TEAM = AGENTS // HOUSES
PLACES_OF_HOUSE = PLACES // HOUSES
WEEKS = 8
SLOTS_OF_DAY = 12
FIRST_AGENT = 1_000_000
APPOINTMENTS_OF_ONE = 5
"""How many appointments one request has."""

HEAVY = ["openings", "appointments", "requests"]

EVERYBODY = f"""
    SELECT d, i, {FIRST_AGENT} + d * {AGENTS} + i AS agent, least(i / {TEAM}, {HOUSES - 1}) AS h,
           i - least(i / {TEAM}, {HOUSES - 1}) * {TEAM} AS seat
    FROM generate_series(0, :departements - 1) AS d, generate_series(0, {AGENTS - 1}) AS i
"""
HOUSE = "'d' || d || 'h' || h"

RECEIVING = f"""
    SELECT *, CASE WHEN half = 0 OR i % 3 = 0 THEN 'here' WHEN i % 3 = 1 THEN 'phone' ELSE 'video' END AS mode,
           CASE WHEN half = 0 THEN (seat + weekday) % {PLACES_OF_HOUSE} ELSE 0 END AS place,
           agent * 10 + weekday * 2 + half - {FIRST_AGENT} * 10 + 1 AS rule
    FROM ({EVERYBODY}) AS everybody, generate_series(0, 4) AS weekday, generate_series(0, 1) AS half
"""
"""Who receives on which weekday, in the morning (`half` 0) or in the afternoon: mornings in turn at each place of
their house, afternoons at the house, by telephone or by video."""

PLACE = f"CASE WHEN mode = 'here' THEN {HOUSE} || 'p' || place END"
DESK = f"CASE WHEN mode = 'here' THEN CASE WHEN place = 0 THEN 1 + seat ELSE 1 + seat / {PLACES_OF_HOUSE} END END"


def moment(day: str, minutes: str) -> str:
    """An hour of Paris on a day."""
    return f"(({day}) + make_interval(mins => {minutes})) AT TIME ZONE 'Europe/Paris'"


def like(model: type[Base], given: Mapping[str, str], source: str, which: str = "LIMIT 1") -> str:
    """Insert copies of a row of a table, one for each row of `source`, with what is `given` by column."""
    columns = [column.name for column in model.__table__.columns]
    values = ", ".join(given.get(name, f"one.{name}") for name in columns)
    table = model.__tablename__
    return (
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} "
        f"FROM (SELECT * FROM {table} {which}) AS one, ({source}) AS s"
    )


def territory() -> list[str]:
    """The houses, their places, the agents, the sectors: one for each house, one for the whole département."""
    departements = "generate_series(0, :departements - 1) AS d"
    houses = f"SELECT * FROM {departements}, generate_series(0, {HOUSES - 1}) AS h"
    places = f"""
        SELECT *, {HOUSE} || 'p' || place AS id
        FROM ({houses}) AS houses, generate_series(0, {PLACES_OF_HOUSE - 1}) AS place
    """
    agent = {
        "id": "agent", "login": "'agent' || agent", "name": "'Agent ' || agent", "house_id": HOUSE,
        "roles": "ARRAY['worker']", "active": "true",
    }  # fmt: skip
    place = {
        "id": "s.id", "house_id": HOUSE, "name": "'Lieu ' || s.id", "by_appointment": "true", "active": "true",
        "kind": "CASE WHEN place = 0 THEN 'house' ELSE 'permanence' END",
        "desks": f"CASE WHEN place = 0 THEN {TEAM + 1} ELSE 2 END",
    }  # fmt: skip
    sector = {"house_id": "'d' || d || 'h0'", "mode": "'pooled'"}
    return [
        like(House, {"id": HOUSE, "receives_no_fixed_place": "false"}, houses),
        like(Place, place, places),
        like(Agent, agent, EVERYBODY),
        like(Sector, sector | {"id": HOUSE, "house_id": HOUSE}, houses),
        like(Sector, sector | {"id": "'d' || d"}, f"SELECT * FROM {departements}"),
        f"INSERT INTO sector_workers (sector_id, agent_id) SELECT {HOUSE}, agent FROM ({EVERYBODY}) AS everybody",
        f"INSERT INTO sector_workers (sector_id, agent_id) SELECT 'd' || d, agent FROM ({EVERYBODY}) AS everybody",
    ]


RECEIVED = f"agent, {HOUSE}, {PLACE}, mode, ARRAY['first'], 'citizens', '{{}}'::text[], 0"
COLUMNS = "agent_id, house_id, place_id, mode, kinds, audience, languages, travel_minutes"


def rules() -> str:
    """The rules, of every agent for each half of each working day."""
    return f"""
        INSERT INTO opening_rules (id, {COLUMNS}, first_day, weekdays, every_weeks, starts_at, ends_at, made_until)
        SELECT rule, {RECEIVED}, :today, ARRAY[weekday], 1, time '9:00' + half * interval '5 hours',
               time '12:00' + half * interval '5 hours', :today + {WEEKS * 7}
        FROM ({RECEIVING}) AS receiving
    """


def openings(since: int = 0, until: int = WEEKS, which: str = "true") -> str:
    """Their occurrences on every working day, between two weeks counted from today."""
    hours = f"{moment('day', '540 + half * 300')}, {moment('day', '720 + half * 300')}"
    return f"""
        INSERT INTO openings (rule_id, on_day, {COLUMNS}, during, dropped, changed)
        SELECT rule, day, {RECEIVED}, tstzrange({hours}), false, false
        FROM ({RECEIVING}) AS receiving JOIN ({_days(since, until)}) AS days USING (weekday)
        WHERE {which}
    """


def taken(which: str = "random() < 0.3", until: int = WEEKS, block: str = "2") -> list[str]:
    """Booked appointments: a share of all slots to come, drawn by lot, always by the same."""
    slots = f"""
        SELECT *, {moment("day", "540 + half * 300 + slot * 30")} AS begins, row_number() OVER () AS n
        FROM ({RECEIVING}) AS receiving JOIN ({_days(0, until)}) AS days USING (weekday),
             generate_series(0, {SLOTS_OF_DAY // 2 - 1}) AS slot
        WHERE {which}
    """
    return ["SELECT setseed(0.86)", *_appointments(slots, "booked", block)]


TEAM_BOOKED_UP = f"d = 0 AND h = {HOUSES - 1} AND seat < {TEAM}"
"""Eleven agents of a house whose people look for no hour in these benchmarks."""


def all_taken(weeks: int) -> list[str]:
    """That team receives for so many weeks, and every hour of it is taken."""
    free = f"""
        {TEAM_BOOKED_UP} AND NOT EXISTS (
            SELECT FROM appointments a
            WHERE a.agent_id = agent AND lower(a.blocked) = {moment("day", "540 + half * 300 + slot * 30")}
        )
    """
    return [openings(WEEKS, weeks, TEAM_BOOKED_UP), *taken(free, weeks, "4")]


def past() -> list[str]:
    """Appointments that are over, from the :already-th to the :until-th: 12 a day for each agent, at their own desk."""
    slot = "turn % 12 + turn % 12 / 6 * 4"
    slots = f"""
        SELECT *, 'here' AS mode, 0 AS place,
               {moment("CAST(:today AS date) - 1 - turn / 12", f"540 + ({slot}) * 30")} AS begins
        FROM (
            SELECT n, ((n - 1) / (:departements * {AGENTS}))::int AS turn,
                   ((n - 1) % (:departements * {AGENTS}))::int + {FIRST_AGENT} AS agent
            FROM generate_series(CAST(:already AS bigint) + 1, :until) AS n
        ) AS numbered JOIN ({EVERYBODY}) AS everybody USING (agent)
    """
    return _appointments(slots, "came", "3")


def _appointments(slots: str, state: str, block: str) -> list[str]:
    """Appointments at these slots (with `n`, `begins`), and the requests they belong to."""
    turn = f"(n - 1) / {APPOINTMENTS_OF_ONE}"
    request = f"lpad('{block}' || to_hex({turn}), 32, '0')::uuid"
    requests = (
        f"SELECT DISTINCT {request} AS id, '{block}' || lpad(({turn})::text, 8, '0') AS number FROM made"
    )
    half_an_hour = "tstzrange(begins, begins + interval '30 minutes')"
    return [
        f"CREATE TEMPORARY TABLE made ON COMMIT DROP AS {slots}",
        f"{like(Request, {'id': 's.id', 'number': 's.number'}, requests, 'WHERE id = :one')} ON CONFLICT DO NOTHING",
        f"""
        INSERT INTO appointments (
            id, request_id, agent_id, house_id, place_id, desk, kind_id, mode, during, blocked, state, extra, made_at,
            told_state, told_at
        )
        SELECT lpad('{block}' || to_hex(n), 32, '0')::uuid, {request}, agent, {HOUSE}, {PLACE}, {DESK}, 'first', mode,
               {half_an_hour}, {half_an_hour}, '{state}', false, begins - interval '10 days', 'booked',
               begins - interval '10 days'
        FROM made
        """,
        "DROP TABLE made",
    ]


def asking(worker: bool, sector: str) -> list[str]:
    """People who look for an hour: :ids, of the houses of all départements in turn, whose request `sector` takes;
    with a `worker` of that house already, or not yet."""
    given = {
        "id": "s.id", "number": "'1' || lpad((:already + place)::text, 8, '0')", "house_id": HOUSE, "sector_id": sector,
    }  # fmt: skip
    if worker:
        given |= {"worker_id": f"{FIRST_AGENT} + d * {AGENTS} + h * {TEAM}", "state": "'taken'"}
    people = f"""
        SELECT id, place, place % :departements AS d, place / :departements % {HOUSES - 1} AS h
        FROM unnest(CAST(:ids AS uuid[])) WITH ORDINALITY AS numbered(id, place)
    """
    way = {"id": "gen_random_uuid()", "request_id": "s.id"}
    key = {"hash": "s.hash", "request_id": "s.id"}
    hashes = "SELECT * FROM unnest(CAST(:ids AS uuid[]), CAST(:hashes AS text[])) AS opened(id, hash)"
    return [
        like(Request, given, people, "WHERE id = :one"),
        like(ContactWay, way, people, "WHERE request_id = :one LIMIT 1"),
        like(AccessKey, key, hashes, "WHERE request_id = :one AND kind = 'link' LIMIT 1"),
    ]


@contextmanager
def loading(owner: Engine) -> Iterator[Connection]:
    """A transaction for many rows. The large tables' indexes rest meanwhile and are built again at once.

    Building them so, as `VACUUM FULL` does, does not look again for two rows that exclude each other, which would
    take minutes: these rows exclude none (the tests look). Foreign keys are looked at.
    """
    with owner.begin() as connection:
        foreign = _drop_foreign_keys(connection)
        connection.execute(RESTING, {"tables": HEAVY})
        yield connection
    with owner.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("SET maintenance_work_mem = '512MB'"))
        for table in HEAVY:
            connection.execute(text(f"VACUUM FULL {table}"))
        connection.execute(READY, {"tables": HEAVY})
        for statement in foreign:
            connection.exec_driver_sql(statement)
        connection.execute(text("VACUUM ANALYZE"))


RESTING = text(
    "UPDATE pg_index SET indisready = false "
    "WHERE indrelid = ANY (CAST(:tables AS regclass[])) AND NOT indisunique"
)
READY = text(
    "UPDATE pg_index SET indisready = true, indisvalid = true WHERE indrelid = ANY (CAST(:tables AS regclass[]))"
)


def _drop_foreign_keys(connection: Connection) -> list[str]:
    """Drop those of the large tables; returns what makes them again, as the database itself says it."""
    keys = connection.execute(
        text(
            "SELECT CAST(conrelid AS regclass) AS large, conname, pg_get_constraintdef(oid) AS made "
            "FROM pg_constraint WHERE conrelid = ANY (CAST(:tables AS regclass[])) AND contype = 'f'"
        ),
        {"tables": HEAVY},
    ).all()
    for table, name, _ in keys:
        connection.exec_driver_sql(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    return [f"ALTER TABLE {table} ADD CONSTRAINT {name} {made}" for table, name, made in keys]


def _days(since: int, until: int) -> str:
    return f"""
        SELECT day::date AS day, extract(isodow FROM day)::int - 1 AS weekday
        FROM (SELECT CAST(:today AS date) AS today) AS calendar,
             generate_series(today + {since * 7}, today + {until * 7 - 1}, interval '1 day') AS day
    """
