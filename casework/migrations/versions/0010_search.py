"""The search for slots, quicker: planned once a connection, places looked at only as far as hours are wanted, and the
first hour of each half-day without the others."""

from alembic import op
import sqlalchemy as sa

revision = '0010'
down_revision = '0009'

FREE_OPENINGS = '''
CREATE FUNCTION free_openings(
    p_agents int[], p_kind text, p_modes text[], p_audiences text[], p_language text, p_place text,
    p_start timestamptz, p_finish timestamptz, p_now timestamptz, p_ignored uuid, p_gap interval
) RETURNS TABLE (
    agent_id int, turn bigint, house_id text, place_id text, mode text, travel interval, opens timestamptz,
    shuts timestamptz, free tstzmultirange
) LANGUAGE plpgsql STABLE SET search_path = public, pg_temp SET jit = off
SET plan_cache_mode = force_generic_plan SET enable_nestloop = off SET enable_mergejoin = off AS
$$
-- The openings that suit, each with what is free of it, and which one of those asked for its agent is. Hash joins only: nothing can be said beforehand of how many
-- rows there are, and a loop over a hundred agents' appointments for each of a thousand openings would last.
#variable_conflict use_column
DECLARE
    since timestamptz;
    around tstzrange;
BEGIN
-- What is over is never read: one begins with the earliest opening that still goes on, and the index is by end.
SELECT coalesce(min(lower(o.during)), p_start) INTO since
FROM openings o
WHERE o.agent_id = ANY (p_agents) AND lower(o.during) > p_start - interval '1 day' AND lower(o.during) < p_start
  AND upper(o.during) > p_start;
around := tstzrange(since, p_finish + interval '1 day');
RETURN QUERY
WITH taken AS MATERIALIZED (
    SELECT t.agent_id, range_agg(t.span) AS spans
    FROM (
        SELECT a.agent_id, a.blocked AS span FROM appointments a
        WHERE a.agent_id = ANY (p_agents) AND a.state IN ('held', 'booked', 'came', 'missed')
          AND upper(a.blocked) > since AND upper(a.blocked) < upper(around) + interval '1 day'
          AND lower(a.blocked) < upper(around)
          AND (a.state <> 'held' OR a.held_until >= p_now) AND a.id IS DISTINCT FROM p_ignored
        UNION ALL
        SELECT b.agent_id, b.during FROM busy_times b WHERE b.agent_id = ANY (p_agents) AND b.during && around
        UNION ALL
        SELECT s.agent_id, tstzrange(s.first_day::timestamp AT TIME ZONE 'Europe/Paris',
                                     (s.last_day + 1)::timestamp AT TIME ZONE 'Europe/Paris')
        FROM absences s
        WHERE s.agent_id = ANY (p_agents) AND s.last_day >= (since - interval '1 day')::date AND s.first_day <= upper(around)::date
    ) t
    GROUP BY t.agent_id
), shut AS MATERIALIZED (
    SELECT h.id AS house_id, range_agg(c.during) AS spans
    FROM closures c JOIN houses h ON h.id = coalesce(c.house_id, h.id)
    WHERE c.during && around
    GROUP BY h.id
)
SELECT o.agent_id, w.turn, o.house_id, o.place_id, o.mode::text, make_interval(mins => o.travel_minutes),
       lower(o.during), upper(o.during),
       tstzmultirange(tstzrange(lower(o.during), upper(o.during) + p_gap))
       - coalesce(t.spans, '{}'::tstzmultirange) - coalesce(s.spans, '{}'::tstzmultirange)
FROM openings o
JOIN unnest(p_agents) WITH ORDINALITY AS w (agent_id, turn) ON w.agent_id = o.agent_id
LEFT JOIN taken t ON t.agent_id = o.agent_id
LEFT JOIN shut s ON s.house_id = o.house_id
WHERE o.agent_id = ANY (p_agents)
  AND lower(o.during) < p_finish AND lower(o.during) >= since AND upper(o.during) > p_start
  AND NOT o.dropped AND o.kinds @> ARRAY[p_kind] AND o.mode = ANY (p_modes)
  AND o.audience = ANY (p_audiences)
  AND (p_language IN ('', 'fr') OR o.languages @> ARRAY[p_language])
  AND (p_place IS NULL OR o.place_id = p_place);
END
$$;
REVOKE EXECUTE ON FUNCTION free_openings FROM PUBLIC;
'''

ASKED = '''
    p_agents int[], p_kind text, p_modes text[], p_audiences text[], p_language text, p_place text,
    p_hour_from time, p_hour_to time, p_start timestamptz, p_finish timestamptz, p_now timestamptz'''

SLOTS = '''
    agent_id int, house_id text, place_id text, mode text, during tstzrange, blocked tstzrange
'''

START = '''
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = public, pg_temp SET jit = off
SET plan_cache_mode = force_generic_plan AS
$$
#variable_conflict use_column
DECLARE
    length interval;
    gap interval;
    all_day boolean := p_hour_from = time '0:00' AND p_hour_to >= time '23:59:59';
BEGIN
SELECT make_interval(mins => k.minutes), make_interval(mins => k.gap_minutes) INTO length, gap
FROM kinds k WHERE k.id = p_kind;
IF NOT FOUND THEN
    RETURN;
END IF;
RETURN QUERY
'''

OPENINGS = '''
    free_openings(p_agents, p_kind, p_modes, p_audiences, p_language, p_place, p_start, p_finish, p_now, p_ignored, gap)
'''


def beginnings(piece: str, opening: str) -> str:
    """The moments at which a slot may begin in a free piece of an opening: the first at whole five minutes."""
    return f'''generate_series(
        date_bin('5 minutes', lower({piece}) + {opening}.travel + interval '299.999999 seconds',
                 timestamptz '2000-01-01 00:00Z'),
        upper({piece}) - length - {opening}.travel - gap, length + gap + {opening}.travel * 2
    )'''


def suits(begins: str) -> str:
    """The moment is asked for."""
    return f'''{begins} >= p_start AND {begins} < p_finish
        AND (all_day OR ({begins} AT TIME ZONE 'Europe/Paris')::time BETWEEN p_hour_from AND p_hour_to)'''


def has_a_desk(begins: str, place: str, active: str, desks: str) -> str:
    """Somebody can be received there at that moment: of its desks some are free all along. Said so that the plain index
    is used; the one of the exclusion constraint is thirty times slower here."""
    return f'''({place} IS NULL OR {active} AND (
        SELECT count(DISTINCT a.desk)
        FROM appointments a
        WHERE a.place_id = {place} AND a.desk IS NOT NULL AND a.state IN ('held', 'booked', 'came', 'missed')
          AND lower(a.during) > {begins} - interval '1 day' AND lower(a.during) < {begins} + length
          AND upper(a.during) > {begins} AND a.desk + 0 <= {desks}
          AND (a.state <> 'held' OR a.held_until >= p_now) AND a.id IS DISTINCT FROM p_ignored
          AND NOT a.extra
    ) < {desks})'''


FREE_SLOTS = f'''
CREATE FUNCTION free_slots({ASKED}, p_most int, p_ignored uuid) RETURNS TABLE ({SLOTS})
{START}
-- First in order, then the desks, one after the other: of thousands of moments twenty are wanted.
SELECT c.agent_id, c.house_id, c.place_id, c.mode, tstzrange(c.begins, c.begins + length),
       tstzrange(c.begins - c.travel, c.begins + length + c.travel + gap)
FROM (
    SELECT s.*, l.desks, l.active
    FROM (
        SELECT p.*, {beginnings('p.piece', 'p')} AS begins
        FROM (SELECT o.*, unnest(o.free) AS piece FROM {OPENINGS} o) p
    ) s
    LEFT JOIN places l ON l.id = s.place_id
    WHERE {suits('s.begins')}
    ORDER BY s.begins, s.turn, s.place_id
) c
WHERE {has_a_desk('c.begins', 'c.place_id', 'c.active', 'c.desks')}
LIMIT p_most;
END
$$;
REVOKE EXECUTE ON FUNCTION free_slots FROM PUBLIC;
GRANT EXECUTE ON FUNCTION free_slots TO allervers_portal, allervers_backoffice;
'''

FIRST_SLOTS = f'''
CREATE FUNCTION first_slots({ASKED}, p_ignored uuid) RETURNS TABLE ({SLOTS})
{START}
-- For each way to meet, place and half-day of Paris, the first of `free_slots`.
SELECT DISTINCT ON (o.mode, o.place_id, o.half)
       o.agent_id, o.house_id, o.place_id, o.mode, tstzrange(f.begins, f.begins + length),
       tstzrange(f.begins - o.travel, f.begins + length + o.travel + gap)
FROM (
    SELECT o.*, generate_series(
        date_bin('12 hours', o.opens AT TIME ZONE 'Europe/Paris', timestamp '2000-01-01'),
        (o.shuts - interval '1 second') AT TIME ZONE 'Europe/Paris', interval '12 hours'
    ) AS half
    FROM {OPENINGS} o
) o
LEFT JOIN places l ON l.id = o.place_id
CROSS JOIN LATERAL (
    SELECT begins
    FROM unnest(o.free) AS piece CROSS JOIN LATERAL {beginnings('piece', 'o')} AS begins
    WHERE {suits('begins')}
        AND begins >= o.half AT TIME ZONE 'Europe/Paris'
        AND begins < (o.half + interval '12 hours') AT TIME ZONE 'Europe/Paris'
        AND {has_a_desk('begins', 'o.place_id', 'l.active', 'l.desks')}
    LIMIT 1
) f
ORDER BY o.mode, o.place_id, o.half, f.begins, o.turn;
END
$$;
REVOKE EXECUTE ON FUNCTION first_slots FROM PUBLIC;
GRANT EXECUTE ON FUNCTION first_slots TO allervers_portal, allervers_backoffice;
'''


OCCUPIES = sa.text("state IN ('held', 'booked', 'came', 'missed')")


def upgrade() -> None:
    op.drop_index("appointments_agent_from_idx", "appointments")
    op.create_index('appointments_agent_until_idx', 'appointments', ['agent_id', sa.literal_column('upper(blocked)')],
                    unique=False, postgresql_where=OCCUPIES)
    for statement in (FREE_OPENINGS, "DROP FUNCTION free_slots;", FREE_SLOTS, FIRST_SLOTS):
        op.get_bind().exec_driver_sql(statement)
