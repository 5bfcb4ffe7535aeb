"""Group sessions: seats that cannot be oversold.

A seat is a row; a person signed up points at one, and no two point at the same. Who finds no seat waits, and is
given one by `give_free_seats` in the transaction that frees it. The portal writes neither table: it asks two
functions, for the opened request alone.
"""

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

revision = '0007'
down_revision = '0006'

GIVE = '''
CREATE FUNCTION give_free_seats(p_session uuid, p_now timestamptz, p_new uuid DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS
$$
-- In the order of the list, each group that fits whole into the free seats (decision 0013). One at a time for a
-- session: its row is locked, so a seat that another transaction may still give back is waited for, not called taken.
DECLARE
    waits record;
    free_seats smallint[];
BEGIN
    PERFORM FROM group_sessions
    WHERE id = p_session AND state = 'planned' AND lower(during) > p_now FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    free_seats := ARRAY(
        SELECT e.seat FROM session_seats e
        WHERE e.session_id = p_session
          AND NOT EXISTS (SELECT FROM sign_ups u WHERE u.session_id = p_session AND u.seat = e.seat)
        ORDER BY e.seat
    );
    FOR waits IN
        SELECT request_id, group_id, array_agg(id ORDER BY turn) AS ids, count(*)::int AS people
        FROM sign_ups WHERE session_id = p_session AND state = 'waiting'
        GROUP BY request_id, group_id ORDER BY min(turn)
    LOOP
        EXIT WHEN cardinality(free_seats) = 0;
        CONTINUE WHEN waits.people > cardinality(free_seats);
        UPDATE sign_ups u SET state = 'signed', seat = free_seats[line.number]
        FROM unnest(waits.ids) WITH ORDINALITY AS line (id, number)
        WHERE u.id = line.id;
        free_seats := free_seats[waits.people + 1:];
        IF waits.group_id IS DISTINCT FROM p_new THEN
            INSERT INTO journal (at, action, request_id, details)
            VALUES (p_now, 'signed_up', waits.request_id, jsonb_build_object(
                'of_session', p_session, 'people', waits.people, 'sentence', 'Des places se sont libérées.'
            ));
        END IF;
    END LOOP;
END
$$;
CREATE FUNCTION take_seats(p_session uuid, p_request uuid, p_group uuid, p_names text[], p_now timestamptz)
RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS
$$
-- One seat a name, all or none: 'signed', else 'waiting'. The same group again: 'known', and nothing changes.
DECLARE
    wanted int := cardinality(p_names);
BEGIN
    PERFORM FROM group_sessions
    WHERE id = p_session AND state = 'planned' AND lower(during) > p_now FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN 'over';
    END IF;
    IF EXISTS (
        SELECT FROM sign_ups WHERE session_id = p_session AND request_id = p_request AND group_id = p_group
    ) THEN
        RETURN 'known';
    END IF;
    IF wanted = 0 OR 8 < wanted + (
        SELECT count(*) FROM sign_ups
        WHERE session_id = p_session AND request_id = p_request AND state IN ('signed', 'waiting')
    ) THEN
        RETURN 'too_many';
    END IF;
    INSERT INTO sign_ups (id, session_id, request_id, group_id, name, state, made_at)
    SELECT gen_random_uuid(), p_session, p_request, p_group, left(line.name, 60), 'waiting', p_now
    FROM unnest(p_names) WITH ORDINALITY AS line (name, number) ORDER BY line.number;
    PERFORM give_free_seats(p_session, p_now, p_group);
    RETURN (
        SELECT state FROM sign_ups
        WHERE session_id = p_session AND request_id = p_request AND group_id = p_group LIMIT 1
    );
END
$$;
CREATE FUNCTION give_back_seats(p_session uuid, p_request uuid, p_sign_ups uuid[], p_now timestamptz)
RETURNS int LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS
$$
-- Those that were signed up or waiting are cancelled: how many. Their seats go to who waits.
DECLARE
    left_now int;
BEGIN
    PERFORM FROM group_sessions WHERE id = p_session AND lower(during) > p_now FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN 0;
    END IF;
    UPDATE sign_ups SET state = 'cancelled', seat = NULL
    WHERE session_id = p_session AND request_id = p_request AND id = ANY (p_sign_ups)
      AND state IN ('signed', 'waiting');
    GET DIAGNOSTICS left_now = ROW_COUNT;
    PERFORM give_free_seats(p_session, p_now);
    RETURN left_now;
END
$$;
REVOKE EXECUTE ON FUNCTION give_free_seats, take_seats, give_back_seats FROM PUBLIC;
GRANT EXECUTE ON FUNCTION give_free_seats, take_seats, give_back_seats TO allervers_backoffice;
'''

FOR_PORTAL = '''
CREATE FUNCTION take_my_seats(p_session uuid, p_group uuid, p_names text[], p_now timestamptz) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS
$$
BEGIN
    IF opened_request() IS NULL
       OR NOT EXISTS (SELECT FROM group_sessions WHERE id = p_session AND open_to_citizens) THEN
        RETURN 'over';
    END IF;
    RETURN take_seats(p_session, opened_request(), p_group, p_names, p_now);
END
$$;
CREATE FUNCTION give_back_my_seats(p_session uuid, p_sign_ups uuid[], p_now timestamptz) RETURNS int
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS
$$ SELECT give_back_seats(p_session, opened_request(), p_sign_ups, p_now) $$;
CREATE FUNCTION seats_left(p_sessions uuid[]) RETURNS TABLE (session_id uuid, free int, waiting int)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
$$
-- How many seats are free and how many people wait; who they are, nobody learns from it.
SELECT s.id,
       (SELECT count(*) FROM session_seats e WHERE e.session_id = s.id)::int
       - (SELECT count(*) FROM sign_ups u WHERE u.session_id = s.id AND u.seat IS NOT NULL)::int,
       (SELECT count(*) FROM sign_ups u WHERE u.session_id = s.id AND u.state = 'waiting')::int
FROM group_sessions s
WHERE s.id = ANY (p_sessions)
  AND (s.open_to_citizens
       OR EXISTS (SELECT FROM sign_ups u WHERE u.session_id = s.id AND u.request_id = opened_request()))
$$;
REVOKE EXECUTE ON FUNCTION take_my_seats, give_back_my_seats, seats_left FROM PUBLIC;
GRANT EXECUTE ON FUNCTION take_my_seats, give_back_my_seats, seats_left TO allervers_portal;
'''

RIGHTS = '''
GRANT SELECT, INSERT, UPDATE, DELETE ON group_sessions, session_seats, sign_ups TO allervers_backoffice;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO allervers_backoffice;
GRANT SELECT (id, house_id, place_id, title, words, during, seats, languages, open_to_citizens, state)
    ON group_sessions TO allervers_portal;
GRANT SELECT (id, session_id, request_id, group_id, turn, name, state) ON sign_ups TO allervers_portal;
ALTER TABLE group_sessions ENABLE ROW LEVEL SECURITY;
ALTER TABLE sign_ups ENABLE ROW LEVEL SECURITY;
CREATE POLICY agents ON group_sessions TO allervers_backoffice USING (true) WITH CHECK (true);
CREATE POLICY agents ON sign_ups TO allervers_backoffice USING (true) WITH CHECK (true);
CREATE POLICY citizen_sees ON sign_ups FOR SELECT TO allervers_portal
    USING (request_id = (SELECT opened_request()));
CREATE POLICY citizen_sees ON group_sessions FOR SELECT TO allervers_portal
    USING (open_to_citizens AND state = 'planned' OR id IN (SELECT session_id FROM sign_ups));
'''


def upgrade() -> None:
    op.create_table('group_sessions',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('house_id', sa.Text(), nullable=False),
    sa.Column('place_id', sa.Text(), nullable=False),
    sa.Column('led_by', sa.Integer(), nullable=False),
    sa.Column('title', sa.Text(), nullable=False),
    sa.Column('words', sa.Text(), nullable=False),
    sa.Column('during', postgresql.TSTZRANGE(), nullable=False),
    sa.Column('seats', sa.SmallInteger(), nullable=False),
    sa.Column('languages', postgresql.ARRAY(sa.Text()), nullable=False),
    sa.Column('open_to_citizens', sa.Boolean(), nullable=False),
    sa.Column('state', sa.Enum('planned', 'cancelled', name='sessionstate_known', native_enum=False, create_constraint=True, length=40), nullable=False),
    sa.Column('cancelled_because', sa.Text(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('made_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.CheckConstraint('NOT isempty(during)', name=op.f('group_sessions_during_check')),
    sa.CheckConstraint('seats > 0', name=op.f('group_sessions_seats_check')),
    sa.ForeignKeyConstraint(['house_id'], ['houses.id'], name=op.f('group_sessions_house_id_fkey')),
    sa.ForeignKeyConstraint(['led_by'], ['agents.id'], name=op.f('group_sessions_led_by_fkey')),
    sa.ForeignKeyConstraint(['place_id'], ['places.id'], name=op.f('group_sessions_place_id_fkey')),
    sa.PrimaryKeyConstraint('id', name=op.f('group_sessions_pkey'))
    )
    op.create_index('group_sessions_from_idx', 'group_sessions', [sa.literal_column('lower(during)')], unique=False)
    op.create_index(op.f('group_sessions_led_by_idx'), 'group_sessions', ['led_by'], unique=False)
    op.create_table('session_seats',
    sa.Column('session_id', sa.Uuid(), nullable=False),
    sa.Column('seat', sa.SmallInteger(), nullable=False),
    sa.ForeignKeyConstraint(['session_id'], ['group_sessions.id'], name=op.f('session_seats_session_id_fkey')),
    sa.PrimaryKeyConstraint('session_id', 'seat', name=op.f('session_seats_pkey'))
    )
    op.create_table('sign_ups',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('session_id', sa.Uuid(), nullable=False),
    sa.Column('request_id', sa.Uuid(), nullable=False),
    sa.Column('group_id', sa.Uuid(), nullable=False),
    sa.Column('turn', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('seat', sa.SmallInteger(), nullable=True),
    sa.Column('state', sa.Enum('signed', 'waiting', 'cancelled', 'came', 'missed', name='signupstate_known', native_enum=False, create_constraint=True, length=40), nullable=False),
    sa.Column('made_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('told_state', sa.Text(), nullable=True),
    sa.Column('told_version', sa.Integer(), nullable=True),
    sa.Column('told_at', postgresql.TIMESTAMP(timezone=True), nullable=True),
    sa.Column('remind_at', postgresql.TIMESTAMP(timezone=True), nullable=True),
    sa.CheckConstraint("(seat IS NOT NULL) = (state IN ('signed', 'came', 'missed'))", name=op.f('sign_ups_seat_check')),
    sa.ForeignKeyConstraint(['request_id'], ['requests.id'], name=op.f('sign_ups_request_id_fkey')),
    sa.ForeignKeyConstraint(['session_id'], ['group_sessions.id'], name=op.f('sign_ups_session_id_fkey')),
    sa.ForeignKeyConstraint(['session_id', 'seat'], ['session_seats.session_id', 'session_seats.seat'], name=op.f('sign_ups_session_id_seat_fkey')),
    sa.PrimaryKeyConstraint('id', name=op.f('sign_ups_pkey'))
    )
    op.create_index('sign_ups_one_seat_idx', 'sign_ups', ['session_id', 'seat'], unique=True, postgresql_where=sa.text('seat IS NOT NULL'))
    op.create_index('sign_ups_remind_idx', 'sign_ups', ['remind_at'], unique=False, postgresql_where=sa.text("state = 'signed'"))
    op.create_index('sign_ups_session_turn_idx', 'sign_ups', ['session_id', 'turn'], unique=False)
    op.create_index(op.f('sign_ups_request_id_idx'), 'sign_ups', ['request_id'], unique=False)
    op.add_column('notifications', sa.Column('sign_up_id', sa.Uuid(), nullable=True))
    op.create_foreign_key(op.f('notifications_sign_up_id_fkey'), 'notifications', 'sign_ups', ['sign_up_id'], ['id'])
    op.create_index(op.f('notifications_sign_up_id_idx'), 'notifications', ['sign_up_id'], unique=False)
    for statements in (GIVE, FOR_PORTAL, RIGHTS):
        op.get_bind().exec_driver_sql(statements)
