"""Agenda: places, opening ranges and their occurrences, appointments that cannot overlap, and the search.

Permanences become places, beside the houses themselves. `free_slots` is the only thing of the agendas that the
portal may ask.
"""

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

revision = '0004'
down_revision = '0003'

TABLES = ("kinds", "places", "opening_rules", "openings", "closures", "busy_times", "appointments", "waiting_entries")

PLACES = '''
INSERT INTO places (id, kind, house_id, commune_code, name, times, by_appointment, desks, step_free, confidential,
                    connected, active)
SELECT id, 'permanence', house_id, commune_code, place, times, by_appointment, 1, false, false, false, true
FROM permanences
'''

SEARCH = '''
CREATE FUNCTION free_slots(
    p_agents int[], p_kind text, p_modes text[], p_audiences text[], p_language text, p_place text,
    p_hour_from time, p_hour_to time, p_start timestamptz, p_finish timestamptz, p_now timestamptz,
    p_most int, p_ignored uuid
) RETURNS TABLE (
    agent_id int, house_id text, place_id text, mode text, during tstzrange, blocked tstzrange
) LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp SET jit = off
SET plan_cache_mode = force_custom_plan AS
$$
WITH asked AS (
    SELECT make_interval(mins => k.minutes) AS length, make_interval(mins => k.gap_minutes) AS gap
    FROM kinds k WHERE k.id = p_kind
), receiving AS (
    SELECT o.agent_id, o.house_id, o.place_id, o.mode, make_interval(mins => o.travel_minutes) AS travel,
           lower(o.during) AS opens, upper(o.during) AS shuts
    FROM openings o
    WHERE o.agent_id = ANY (p_agents)
      AND lower(o.during) < p_finish AND lower(o.during) > p_start - interval '1 day' AND upper(o.during) > p_start
      AND NOT o.dropped AND o.kinds @> ARRAY[p_kind] AND o.mode = ANY (p_modes)
      AND o.audience = ANY (p_audiences)
      AND (p_language IN ('', 'fr') OR o.languages @> ARRAY[p_language])
      AND (p_place IS NULL OR o.place_id = p_place)
), taken AS (
    SELECT t.agent_id, range_agg(t.span) AS spans
    FROM (
        SELECT a.agent_id, a.blocked AS span FROM appointments a
        WHERE a.agent_id = ANY (p_agents) AND a.state IN ('held', 'booked', 'came', 'missed')
          AND lower(a.blocked) < p_finish + interval '1 day' AND lower(a.blocked) > p_start - interval '2 days'
          AND (a.state <> 'held' OR a.held_until >= p_now) AND a.id IS DISTINCT FROM p_ignored
        UNION ALL
        SELECT b.agent_id, b.during FROM busy_times b
        WHERE b.agent_id = ANY (p_agents) AND b.during && tstzrange(p_start - interval '1 day', p_finish + interval '1 day')
        UNION ALL
        SELECT s.agent_id, tstzrange(s.first_day::timestamp AT TIME ZONE 'Europe/Paris',
                                     (s.last_day + 1)::timestamp AT TIME ZONE 'Europe/Paris')
        FROM absences s
        WHERE s.agent_id = ANY (p_agents)
          AND s.last_day >= (p_start - interval '1 day')::date AND s.first_day <= (p_finish + interval '1 day')::date
    ) t
    GROUP BY t.agent_id
), shut AS (
    SELECT h.id AS house_id, range_agg(c.during) AS spans
    FROM houses h JOIN closures c ON c.house_id IS NULL OR c.house_id = h.id
    WHERE c.during && tstzrange(p_start - interval '1 day', p_finish + interval '1 day')
    GROUP BY h.id
), pieces AS (
    SELECT r.*, a.length, a.gap, piece
    FROM receiving r
    CROSS JOIN asked a
    LEFT JOIN taken t ON t.agent_id = r.agent_id
    LEFT JOIN shut s ON s.house_id = r.house_id
    CROSS JOIN LATERAL unnest(
        tstzmultirange(tstzrange(r.opens, r.shuts + a.gap))
        - coalesce(t.spans, '{}'::tstzmultirange) - coalesce(s.spans, '{}'::tstzmultirange)
    ) AS piece
), cut AS (
    SELECT p.*, begins
    FROM pieces p
    CROSS JOIN LATERAL (
        SELECT to_timestamp(ceil(extract(epoch FROM lower(p.piece) + p.travel) / 300) * 300) AS first
    ) f
    CROSS JOIN LATERAL generate_series(
        f.first, upper(p.piece) - p.length - p.travel - p.gap, p.length + p.gap + p.travel * 2
    ) AS begins
)
SELECT c.agent_id, c.house_id, c.place_id, c.mode, tstzrange(c.begins, c.begins + c.length),
       tstzrange(c.begins - c.travel, c.begins + c.length + c.travel + c.gap)
FROM cut c
LEFT JOIN places l ON l.id = c.place_id
WHERE c.begins >= p_start AND c.begins < p_finish
  AND (c.begins AT TIME ZONE 'Europe/Paris')::time BETWEEN p_hour_from AND p_hour_to
  AND (c.place_id IS NULL OR l.active AND EXISTS (
      SELECT FROM generate_series(1, l.desks) AS free_desk
      WHERE NOT EXISTS (
          SELECT FROM appointments a
          WHERE a.place_id = c.place_id AND a.desk = free_desk AND a.state IN ('held', 'booked', 'came', 'missed')
            AND lower(a.during) > c.begins - interval '1 day' AND lower(a.during) < c.begins + c.length
            AND a.during && tstzrange(c.begins, c.begins + c.length)
            AND (a.state <> 'held' OR a.held_until >= p_now) AND a.id IS DISTINCT FROM p_ignored
            AND NOT a.extra
      )
  ))
ORDER BY c.begins, array_position(p_agents, c.agent_id), c.place_id
LIMIT p_most
$$;
REVOKE EXECUTE ON FUNCTION free_slots FROM PUBLIC;
GRANT EXECUTE ON FUNCTION free_slots TO allervers_portal, allervers_backoffice;
'''

FOR_REQUEST = '''
CREATE FUNCTION agents_for_request(p_whole_house boolean DEFAULT false) RETURNS int[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
$$
-- Whoever already has the request; else the workers of its sector; else those of its house (`seeds/004` fiche 4).
SELECT CASE
    WHEN p_whole_house THEN (
        SELECT coalesce(array_agg(a.id ORDER BY a.id), '{}') FROM agents a
        WHERE a.active AND a.roles @> ARRAY['worker'] AND (a.house_id = r.house_id OR a.id IN (
            SELECT w.agent_id FROM sector_workers w WHERE w.sector_id = r.sector_id
        ))
    )
    WHEN r.worker_id IS NOT NULL THEN ARRAY[r.worker_id]
    ELSE coalesce(
        (SELECT array_agg(w.agent_id ORDER BY w.agent_id) FROM sector_workers w JOIN agents a ON a.id = w.agent_id
         WHERE w.sector_id = r.sector_id AND a.active),
        (SELECT array_agg(a.id ORDER BY a.id) FROM agents a
         WHERE a.house_id = r.house_id AND a.active AND a.roles @> ARRAY['worker']),
        '{}'
    )
END
FROM requests r WHERE r.id = opened_request()
$$;
CREATE FUNCTION agent_of_appointment(p_appointment uuid) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
$$
-- The name of whom one will meet, once it is booked: the portal reads no other name of an agent.
SELECT g.name FROM appointments a JOIN agents g ON g.id = a.agent_id
WHERE a.id = p_appointment AND a.request_id = opened_request() AND a.state = 'booked'
$$;
CREATE FUNCTION reception_points(
    p_agents int[], p_kind text, p_modes text[], p_audiences text[], p_place text, p_start timestamptz, p_finish timestamptz
) RETURNS TABLE (mode text, place_id text) LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
$$
-- How and where these agents receive in that time, free or not, the soonest first: what a search must not leave out.
SELECT o.mode, CASE WHEN o.mode = 'here' THEN o.place_id END AS at_place
FROM openings o
WHERE o.agent_id = ANY (p_agents) AND lower(o.during) >= p_start AND lower(o.during) < p_finish AND NOT o.dropped
  AND o.kinds @> ARRAY[p_kind] AND o.mode = ANY (p_modes) AND o.audience = ANY (p_audiences)
  AND (p_place IS NULL OR o.place_id = p_place)
GROUP BY o.mode, at_place
ORDER BY min(lower(o.during)), o.mode, at_place
$$;
REVOKE EXECUTE ON FUNCTION agents_for_request, agent_of_appointment, reception_points FROM PUBLIC;
GRANT EXECUTE ON FUNCTION agents_for_request, agent_of_appointment, reception_points TO allervers_portal;
'''

SWEEP = '''
CREATE FUNCTION sweep_expired_holds(
    p_agent int, p_place text, p_during tstzrange, p_blocked tstzrange, p_now timestamptz
) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS
$$
-- Never beyond the server's own clock: a hold still running is nobody's to drop.
DELETE FROM appointments a
WHERE a.state = 'held' AND a.held_until < least(p_now, clock_timestamp())
  AND (a.agent_id = p_agent AND a.blocked && p_blocked OR a.place_id = p_place AND a.during && p_during)
$$;
REVOKE EXECUTE ON FUNCTION sweep_expired_holds FROM PUBLIC;
GRANT EXECUTE ON FUNCTION sweep_expired_holds TO allervers_portal, allervers_backoffice;
'''

ACTIONS = (
    "sent", "wrote", "paper_sent", "opened", "paper_opened", "qualified", "routed", "handed_over", "handed_back",
    "taken", "answered", "paper_asked", "closed", "reopened", "notified", "not_notified", "link_renewed", "booked",
    "moved", "cancelled", "ended", "absence_set", "absence_removed", "agenda_changed", "signed_in", "signed_out",
)

TEMPLATES = (
    "receipt", "new_message", "link", "appointment_booked", "appointment_moved", "appointment_cancelled",
    "appointment_reminder",
)

RIGHTS = '''
GRANT DELETE ON absences, notifications TO allervers_backoffice;
GRANT SELECT ON kinds, places TO allervers_portal;
GRANT SELECT, INSERT, DELETE, UPDATE (state, held_until, phone) ON appointments TO allervers_portal;
GRANT SELECT, INSERT, UPDATE (state) ON waiting_entries TO allervers_portal;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO allervers_backoffice;
ALTER TABLE appointments ENABLE ROW LEVEL SECURITY;
CREATE POLICY agents ON appointments TO allervers_backoffice USING (true) WITH CHECK (true);
CREATE POLICY citizen_sees ON appointments FOR SELECT TO allervers_portal
    USING (request_id = (SELECT opened_request()));
CREATE POLICY citizen_adds ON appointments FOR INSERT TO allervers_portal
    WITH CHECK (request_id = (SELECT opened_request()) AND state = 'held' AND NOT extra);
CREATE POLICY citizen_changes ON appointments FOR UPDATE TO allervers_portal
    USING (request_id = (SELECT opened_request()) AND state IN ('held', 'booked'))
    WITH CHECK (request_id = (SELECT opened_request()) AND state IN ('held', 'booked', 'cancelled', 'moved'));
CREATE POLICY citizen_lets_go ON appointments FOR DELETE TO allervers_portal
    USING (request_id = (SELECT opened_request()) AND state = 'held');
ALTER TABLE waiting_entries ENABLE ROW LEVEL SECURITY;
CREATE POLICY agents ON waiting_entries TO allervers_backoffice USING (true) WITH CHECK (true);
CREATE POLICY citizen_sees ON waiting_entries FOR SELECT TO allervers_portal
    USING (request_id = (SELECT opened_request()));
CREATE POLICY citizen_adds ON waiting_entries FOR INSERT TO allervers_portal
    WITH CHECK (request_id = (SELECT opened_request()) AND state = 'waiting');
CREATE POLICY citizen_changes ON waiting_entries FOR UPDATE TO allervers_portal
    USING (request_id = (SELECT opened_request()) AND state = 'waiting')
    WITH CHECK (request_id = (SELECT opened_request()) AND state IN ('waiting', 'withdrawn', 'served'));
'''


def upgrade() -> None:
    op.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
    op.add_column('houses', sa.Column('minimum_workers', sa.SmallInteger(), server_default='0', nullable=False))
    op.drop_constraint("journal_action_known_check", "journal")
    op.create_check_constraint("action_known", "journal", sa.column("action").in_(ACTIONS))
    op.drop_constraint("notifications_template_known_check", "notifications")
    op.create_check_constraint("template_known", "notifications", sa.column("template").in_(TEMPLATES))
    op.create_table('kinds',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('minutes', sa.SmallInteger(), nullable=False),
    sa.Column('gap_minutes', sa.SmallInteger(), nullable=False),
    sa.Column('bring', sa.Text(), nullable=False),
    sa.CheckConstraint('minutes > 0 AND gap_minutes >= 0', name=op.f('kinds_lengths_check')),
    sa.PrimaryKeyConstraint('id', name=op.f('kinds_pkey'))
    )
    op.create_table('closures',
    sa.Column('id', sa.Integer(), sa.Identity(always=False), nullable=False),
    sa.Column('house_id', sa.Text(), nullable=True),
    sa.Column('during', postgresql.TSTZRANGE(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['house_id'], ['houses.id'], name=op.f('closures_house_id_fkey')),
    sa.PrimaryKeyConstraint('id', name=op.f('closures_pkey'))
    )
    op.create_index(op.f('closures_house_id_idx'), 'closures', ['house_id'], unique=False)
    op.create_table('places',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('kind', sa.Enum('house', 'permanence', 'popup', name='placekind_known', native_enum=False, create_constraint=True, length=40), nullable=False),
    sa.Column('house_id', sa.Text(), nullable=False),
    sa.Column('commune_code', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('times', sa.Text(), nullable=False),
    sa.Column('by_appointment', sa.Boolean(), nullable=False),
    sa.Column('desks', sa.SmallInteger(), nullable=False),
    sa.Column('step_free', sa.Boolean(), nullable=False),
    sa.Column('confidential', sa.Boolean(), nullable=False),
    sa.Column('connected', sa.Boolean(), nullable=False),
    sa.Column('active', sa.Boolean(), nullable=False),
    sa.CheckConstraint('desks > 0', name=op.f('places_desks_check')),
    sa.ForeignKeyConstraint(['commune_code'], ['communes.code'], name=op.f('places_commune_code_fkey')),
    sa.ForeignKeyConstraint(['house_id'], ['houses.id'], name=op.f('places_house_id_fkey')),
    sa.PrimaryKeyConstraint('id', name=op.f('places_pkey'))
    )
    op.create_index(op.f('places_house_id_idx'), 'places', ['house_id'], unique=False)
    op.create_table('busy_times',
    sa.Column('id', sa.Integer(), sa.Identity(always=False), nullable=False),
    sa.Column('agent_id', sa.Integer(), nullable=False),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('during', postgresql.TSTZRANGE(), nullable=False),
    sa.ForeignKeyConstraint(['agent_id'], ['agents.id'], name=op.f('busy_times_agent_id_fkey')),
    sa.PrimaryKeyConstraint('id', name=op.f('busy_times_pkey')),
    sa.UniqueConstraint('agent_id', 'source', name=op.f('busy_times_agent_id_source_key'))
    )
    op.create_index('busy_times_agent_from_idx', 'busy_times', ['agent_id', sa.literal_column('lower(during)')], unique=False)
    op.create_table('opening_rules',
    sa.Column('id', sa.Integer(), sa.Identity(always=False), nullable=False),
    sa.Column('agent_id', sa.Integer(), nullable=False),
    sa.Column('house_id', sa.Text(), nullable=False),
    sa.Column('place_id', sa.Text(), nullable=True),
    sa.Column('mode', sa.Enum('here', 'phone', 'video', 'home', name='mode_known', native_enum=False, create_constraint=True, length=40), nullable=False),
    sa.Column('kinds', postgresql.ARRAY(sa.Text()), nullable=False),
    sa.Column('audience', sa.Enum('citizens', 'invited', 'agents', name='audience_known', native_enum=False, create_constraint=True, length=40), nullable=False),
    sa.Column('languages', postgresql.ARRAY(sa.Text()), nullable=False),
    sa.Column('travel_minutes', sa.SmallInteger(), nullable=False),
    sa.Column('first_day', sa.Date(), nullable=False),
    sa.Column('last_day', sa.Date(), nullable=True),
    sa.Column('weekdays', postgresql.ARRAY(sa.SmallInteger()), nullable=False),
    sa.Column('every_weeks', sa.SmallInteger(), nullable=False),
    sa.Column('nth_of_month', sa.SmallInteger(), nullable=True),
    sa.Column('starts_at', sa.Time(), nullable=False),
    sa.Column('ends_at', sa.Time(), nullable=False),
    sa.Column('made_until', sa.Date(), nullable=True),
    sa.CheckConstraint("mode <> 'here' OR place_id IS NOT NULL", name=op.f('opening_rules_place_check')),
    sa.CheckConstraint('every_weeks >= 1', name=op.f('opening_rules_weeks_check')),
    sa.CheckConstraint('last_day IS NULL OR last_day >= first_day', name=op.f('opening_rules_days_check')),
    sa.CheckConstraint('nth_of_month IS NULL OR (nth_of_month BETWEEN -1 AND 5 AND nth_of_month <> 0)', name=op.f('opening_rules_nth_check')),
    sa.CheckConstraint('starts_at < ends_at', name=op.f('opening_rules_hours_check')),
    sa.ForeignKeyConstraint(['agent_id'], ['agents.id'], name=op.f('opening_rules_agent_id_fkey')),
    sa.ForeignKeyConstraint(['house_id'], ['houses.id'], name=op.f('opening_rules_house_id_fkey')),
    sa.ForeignKeyConstraint(['place_id'], ['places.id'], name=op.f('opening_rules_place_id_fkey')),
    sa.PrimaryKeyConstraint('id', name=op.f('opening_rules_pkey'))
    )
    op.create_index(op.f('opening_rules_agent_id_idx'), 'opening_rules', ['agent_id'], unique=False)
    op.create_index(op.f('opening_rules_place_id_idx'), 'opening_rules', ['place_id'], unique=False)
    op.create_table('appointments',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('request_id', sa.Uuid(), nullable=False),
    sa.Column('agent_id', sa.Integer(), nullable=False),
    sa.Column('house_id', sa.Text(), nullable=False),
    sa.Column('place_id', sa.Text(), nullable=True),
    sa.Column('desk', sa.SmallInteger(), nullable=True),
    sa.Column('kind_id', sa.Text(), nullable=False),
    sa.Column('mode', sa.Enum('here', 'phone', 'video', 'home', name='mode_known', native_enum=False, create_constraint=True, length=40), nullable=False),
    sa.Column('during', postgresql.TSTZRANGE(), nullable=False),
    sa.Column('blocked', postgresql.TSTZRANGE(), nullable=False),
    sa.Column('state', sa.Enum('held', 'booked', 'came', 'missed', 'excused', 'cancelled', 'moved', name='standing_known', native_enum=False, create_constraint=True, length=40), nullable=False),
    sa.Column('held_until', postgresql.TIMESTAMP(timezone=True), nullable=True),
    sa.Column('extra', sa.Boolean(), nullable=False),
    sa.Column('moved_from', sa.Uuid(), nullable=True),
    sa.Column('made_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('phone', sa.Text(), nullable=True),
    sa.Column('told_state', sa.Text(), nullable=True),
    sa.Column('told_at', postgresql.TIMESTAMP(timezone=True), nullable=True),
    sa.Column('remind_at', postgresql.TIMESTAMP(timezone=True), nullable=True),
    postgresql.ExcludeConstraint((sa.column('agent_id'), '='), (sa.column('blocked'), '&&'), where=sa.text("state IN ('held', 'booked', 'came', 'missed') AND NOT extra"), using='gist', name='appointments_agent_free'),
    postgresql.ExcludeConstraint((sa.column('place_id'), '='), (sa.column('desk'), '='), (sa.column('during'), '&&'), where=sa.text("state IN ('held', 'booked', 'came', 'missed') AND NOT extra AND desk IS NOT NULL"), using='gist', name='appointments_desk_free'),
    sa.CheckConstraint("state <> 'held' OR held_until IS NOT NULL", name=op.f('appointments_held_check')),
    sa.CheckConstraint('during <@ blocked', name=op.f('appointments_blocked_check')),
    sa.ForeignKeyConstraint(['agent_id'], ['agents.id'], name=op.f('appointments_agent_id_fkey')),
    sa.ForeignKeyConstraint(['house_id'], ['houses.id'], name=op.f('appointments_house_id_fkey')),
    sa.ForeignKeyConstraint(['kind_id'], ['kinds.id'], name=op.f('appointments_kind_id_fkey')),
    sa.ForeignKeyConstraint(['moved_from'], ['appointments.id'], name=op.f('appointments_moved_from_fkey')),
    sa.ForeignKeyConstraint(['place_id'], ['places.id'], name=op.f('appointments_place_id_fkey')),
    sa.ForeignKeyConstraint(['request_id'], ['requests.id'], name=op.f('appointments_request_id_fkey')),
    sa.PrimaryKeyConstraint('id', name=op.f('appointments_pkey'))
    )
    op.create_index('appointments_agent_from_idx', 'appointments', ['agent_id', sa.literal_column('lower(blocked)')], unique=False, postgresql_where=sa.text("state IN ('held', 'booked', 'came', 'missed')"))
    op.create_index('appointments_one_hold_idx', 'appointments', ['request_id'], unique=True, postgresql_where=sa.text("state = 'held'"))
    op.create_index('appointments_place_from_idx', 'appointments', ['place_id', sa.literal_column('lower(during)')], unique=False, postgresql_where=sa.text("state IN ('held', 'booked', 'came', 'missed') AND desk IS NOT NULL"))
    op.create_index('appointments_untold_idx', 'appointments', [sa.literal_column('lower(during)')], unique=False, postgresql_where=sa.text("state IN ('booked', 'cancelled') AND told_state IS DISTINCT FROM state"))
    op.create_index('appointments_remind_idx', 'appointments', ['remind_at'], unique=False, postgresql_where=sa.text("state = 'booked'"))
    op.create_index(op.f('appointments_request_id_idx'), 'appointments', ['request_id'], unique=False)
    op.add_column('notifications', sa.Column('appointment_id', sa.Uuid(), nullable=True))
    op.create_foreign_key(op.f('notifications_appointment_id_fkey'), 'notifications', 'appointments', ['appointment_id'], ['id'])
    op.create_index(op.f('notifications_appointment_id_idx'), 'notifications', ['appointment_id'], unique=False)
    op.create_table('openings',
    sa.Column('id', sa.Integer(), sa.Identity(always=False), nullable=False),
    sa.Column('rule_id', sa.Integer(), nullable=False),
    sa.Column('on_day', sa.Date(), nullable=False),
    sa.Column('agent_id', sa.Integer(), nullable=False),
    sa.Column('house_id', sa.Text(), nullable=False),
    sa.Column('place_id', sa.Text(), nullable=True),
    sa.Column('mode', sa.Enum('here', 'phone', 'video', 'home', name='mode_known', native_enum=False, create_constraint=True, length=40), nullable=False),
    sa.Column('kinds', postgresql.ARRAY(sa.Text()), nullable=False),
    sa.Column('audience', sa.Enum('citizens', 'invited', 'agents', name='audience_known', native_enum=False, create_constraint=True, length=40), nullable=False),
    sa.Column('languages', postgresql.ARRAY(sa.Text()), nullable=False),
    sa.Column('travel_minutes', sa.SmallInteger(), nullable=False),
    sa.Column('during', postgresql.TSTZRANGE(), nullable=False),
    sa.Column('dropped', sa.Boolean(), nullable=False),
    sa.Column('changed', sa.Boolean(), nullable=False),
    sa.CheckConstraint('NOT isempty(during)', name=op.f('openings_during_check')),
    sa.ForeignKeyConstraint(['agent_id'], ['agents.id'], name=op.f('openings_agent_id_fkey')),
    sa.ForeignKeyConstraint(['house_id'], ['houses.id'], name=op.f('openings_house_id_fkey')),
    sa.ForeignKeyConstraint(['place_id'], ['places.id'], name=op.f('openings_place_id_fkey')),
    sa.ForeignKeyConstraint(['rule_id'], ['opening_rules.id'], name=op.f('openings_rule_id_fkey'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('openings_pkey')),
    sa.UniqueConstraint('rule_id', 'on_day', name=op.f('openings_rule_id_on_day_key'))
    )
    op.create_index('openings_agent_from_idx', 'openings', ['agent_id', sa.literal_column('lower(during)')], unique=False)
    op.create_table('waiting_entries',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('request_id', sa.Uuid(), nullable=False),
    sa.Column('kind_id', sa.Text(), nullable=False),
    sa.Column('modes', postgresql.ARRAY(sa.Text()), nullable=False),
    sa.Column('place_id', sa.Text(), nullable=True),
    sa.Column('hour_from', sa.Time(), nullable=False),
    sa.Column('hour_to', sa.Time(), nullable=False),
    sa.Column('whole_house', sa.Boolean(), nullable=False),
    sa.Column('asked_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('state', sa.Enum('waiting', 'served', 'withdrawn', name='wish_known', native_enum=False, create_constraint=True, length=40), nullable=False),
    sa.ForeignKeyConstraint(['kind_id'], ['kinds.id'], name=op.f('waiting_entries_kind_id_fkey')),
    sa.ForeignKeyConstraint(['place_id'], ['places.id'], name=op.f('waiting_entries_place_id_fkey')),
    sa.ForeignKeyConstraint(['request_id'], ['requests.id'], name=op.f('waiting_entries_request_id_fkey')),
    sa.PrimaryKeyConstraint('id', name=op.f('waiting_entries_pkey'))
    )
    op.create_index('waiting_entries_one_idx', 'waiting_entries', ['request_id'], unique=True, postgresql_where=sa.text("state = 'waiting'"))
    op.create_index('waiting_entries_asked_at_idx', 'waiting_entries', ['asked_at'], unique=False, postgresql_where=sa.text("state = 'waiting'"))
    op.execute(PLACES)
    op.drop_table("permanences")
    for statements in (SEARCH, FOR_REQUEST, SWEEP, RIGHTS):
        op.get_bind().exec_driver_sql(statements)
    for table in TABLES:
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO allervers_backoffice")
