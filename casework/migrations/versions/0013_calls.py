"""Calls between browsers: tickets, and the signals that two pages exchange before they see each other.

A ticket is asked for, used once by the browser that asked, and is then that person's seat. Neither face writes a seat or
a signal but through these functions; the portal's ones act for whom its secret opens alone (`opened_people`).
"""

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

revision = '0013'
down_revision = '0012'

CALLS = '''
CREATE FUNCTION call_stands(p_person uuid) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
$$
-- May this person be in a call now? 'yes', 'held' while the talk rests, null for who is nobody here.
SELECT CASE WHEN t.state = 'on_hold' THEN 'held' ELSE 'yes' END
FROM talk_people p JOIN talks t ON t.id = p.talk_id
WHERE p.id = p_person AND t.state <> 'ended' AND (p.part <> 'agent' OR p.left_at IS NULL)
$$;
CREATE FUNCTION call_others(p_seat bigint, p_now timestamptz) RETURNS TABLE (seat bigint, name text, part text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
$$
-- Who else sits there: the last seat of each person, unless it was left or gave no sign of life.
SELECT DISTINCT ON (c.person_id) c.seat, p.name, p.part
FROM call_tickets mine
JOIN call_tickets c ON c.talk_id = mine.talk_id AND c.person_id <> mine.person_id
JOIN talk_people p ON p.id = c.person_id
WHERE mine.seat = p_seat AND c.used_at IS NOT NULL AND c.left_at IS NULL AND c.seen_at > p_now - interval '45 seconds'
  AND (p.part <> 'agent' OR p.left_at IS NULL)
ORDER BY c.person_id, c.seat DESC
$$;
CREATE FUNCTION call_told(p_seat bigint, p_now timestamptz) RETURNS jsonb
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
$$
SELECT jsonb_build_object(
    'seat', p_seat,
    'people', (SELECT COALESCE(jsonb_agg(to_jsonb(o) ORDER BY o.seat), '[]') FROM call_others(p_seat, p_now) o),
    'signals', (
        SELECT COALESCE(jsonb_agg(jsonb_build_object('id', s.id, 'from', s.from_seat, 'kind', s.kind, 'body', s.body)
                                  ORDER BY s.id), '[]')
        FROM call_signals s WHERE s.to_seat = p_seat
    )
)
$$;
CREATE FUNCTION call_ask(p_person uuid, p_hash text, p_browser text, p_now timestamptz) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS
$$
-- A ticket for half a minute: 'made'; else 'often', 'held' or 'none'.
DECLARE
    stands text := call_stands(p_person);
BEGIN
    IF stands IS DISTINCT FROM 'yes' THEN
        RETURN COALESCE(stands, 'none');
    END IF;
    IF 12 <= (
        SELECT count(*) FROM call_tickets WHERE person_id = p_person AND made_at > p_now - interval '1 minute'
    ) THEN
        RETURN 'often';
    END IF;
    INSERT INTO call_tickets (hash, talk_id, person_id, browser, made_at, expires_at, sent)
    SELECT p_hash, talk_id, id, p_browser, p_now, p_now + interval '30 seconds', 0 FROM talk_people WHERE id = p_person;
    RETURN 'made';
END
$$;
CREATE FUNCTION call_enter(p_person uuid, p_hash text, p_browser text, p_now timestamptz) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS
$$
-- The ticket becomes a seat, once; whoever sat elsewhere gets up there.
DECLARE
    stands text := call_stands(p_person);
    mine bigint;
BEGIN
    IF stands IS DISTINCT FROM 'yes' THEN
        RETURN jsonb_build_object('refused', COALESCE(stands, 'none'));
    END IF;
    UPDATE call_tickets SET used_at = p_now, seen_at = p_now, sent_since = p_now
    WHERE hash = p_hash AND person_id = p_person AND browser = p_browser AND used_at IS NULL AND expires_at > p_now
    RETURNING seat INTO mine;
    IF mine IS NULL THEN
        RETURN jsonb_build_object('refused', 'none');
    END IF;
    IF 4 <= (SELECT count(*) FROM call_others(mine, p_now)) THEN
        RETURN jsonb_build_object('refused', 'full');
    END IF;
    DELETE FROM call_signals s USING call_tickets c
    WHERE c.person_id = p_person AND c.seat < mine AND s.to_seat = c.seat;
    UPDATE call_tickets SET left_at = p_now WHERE person_id = p_person AND seat < mine AND left_at IS NULL;
    RETURN call_told(mine, p_now);
END
$$;
CREATE FUNCTION call_exchange(
    p_person uuid, p_seat bigint, p_browser text, p_heard bigint[], p_signals jsonb, p_now timestamptz
) RETURNS jsonb LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS
$$
-- What this seat says to others, and what others said to it that it has not said to have heard.
DECLARE
    stands text := call_stands(p_person);
    says int := jsonb_array_length(p_signals);
    mine record;
BEGIN
    IF stands IS DISTINCT FROM 'yes' THEN
        RETURN jsonb_build_object('refused', COALESCE(stands, 'none'));
    END IF;
    SELECT * INTO mine FROM call_tickets
    WHERE seat = p_seat AND person_id = p_person AND browser = p_browser AND used_at IS NOT NULL;
    IF NOT FOUND THEN
        RETURN jsonb_build_object('refused', 'none');
    END IF;
    IF EXISTS (SELECT FROM call_tickets WHERE person_id = p_person AND seat > p_seat AND used_at IS NOT NULL) THEN
        RETURN jsonb_build_object('refused', 'elsewhere');
    END IF;
    IF mine.left_at IS NOT NULL OR mine.seen_at < p_now - interval '45 seconds' THEN
        RETURN jsonb_build_object('refused', 'gone');
    END IF;
    IF mine.sent_since <= p_now - interval '1 minute' THEN
        mine.sent_since := p_now;
        mine.sent := 0;
    END IF;
    IF says > 40 OR mine.sent + says > 400 THEN
        RETURN jsonb_build_object('refused', 'often');
    END IF;
    IF says > 0 OR mine.seen_at < p_now - interval '4 seconds' THEN
        UPDATE call_tickets SET seen_at = p_now, sent = mine.sent + says, sent_since = mine.sent_since
        WHERE seat = p_seat;
    END IF;
    IF cardinality(p_heard) > 0 THEN
        DELETE FROM call_signals WHERE to_seat = p_seat AND id = ANY (p_heard);
    END IF;
    IF says > 0 THEN
        INSERT INTO call_signals (talk_id, from_seat, to_seat, kind, body, at)
        SELECT mine.talk_id, p_seat, o.seat, said.signal->>'kind', said.signal->'body', p_now
        FROM jsonb_array_elements(p_signals) WITH ORDINALITY AS said (signal, number)
        JOIN call_others(p_seat, p_now) o ON o.seat = (said.signal->>'to')::bigint
        ORDER BY said.number;
    END IF;
    RETURN call_told(p_seat, p_now);
END
$$;
CREATE FUNCTION call_leave(p_person uuid, p_seat bigint, p_now timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS
$$
BEGIN
    UPDATE call_tickets SET left_at = p_now WHERE seat = p_seat AND person_id = p_person AND left_at IS NULL;
    IF FOUND THEN
        DELETE FROM call_signals WHERE p_seat IN (from_seat, to_seat);
    END IF;
END
$$;
REVOKE EXECUTE ON FUNCTION call_stands, call_others, call_told, call_ask, call_enter, call_exchange, call_leave
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION call_stands, call_ask, call_enter, call_exchange, call_leave TO allervers_backoffice;
'''

FOR_PORTAL = '''
CREATE FUNCTION my_call_person(p_talk uuid) RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
$$ SELECT o.id FROM opened_people() o WHERE o.talk_id = p_talk ORDER BY o.id LIMIT 1 $$;
CREATE FUNCTION my_call_stands(p_talk uuid) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
$$ SELECT call_stands(my_call_person(p_talk)) $$;
CREATE FUNCTION my_call_ask(p_talk uuid, p_hash text, p_browser text, p_now timestamptz) RETURNS text
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS
$$ SELECT call_ask(my_call_person(p_talk), p_hash, p_browser, p_now) $$;
CREATE FUNCTION my_call_enter(p_talk uuid, p_hash text, p_browser text, p_now timestamptz) RETURNS jsonb
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS
$$ SELECT call_enter(my_call_person(p_talk), p_hash, p_browser, p_now) $$;
CREATE FUNCTION my_call_exchange(
    p_talk uuid, p_seat bigint, p_browser text, p_heard bigint[], p_signals jsonb, p_now timestamptz
) RETURNS jsonb
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS
$$ SELECT call_exchange(my_call_person(p_talk), p_seat, p_browser, p_heard, p_signals, p_now) $$;
CREATE FUNCTION my_call_leave(p_talk uuid, p_seat bigint, p_now timestamptz) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS
$$ SELECT call_leave(my_call_person(p_talk), p_seat, p_now) $$;
REVOKE EXECUTE ON FUNCTION my_call_person, my_call_stands, my_call_ask, my_call_enter, my_call_exchange, my_call_leave
    FROM PUBLIC;
GRANT EXECUTE ON FUNCTION my_call_person, my_call_stands, my_call_ask, my_call_enter, my_call_exchange, my_call_leave
    TO allervers_portal;
'''

RIGHTS = '''
GRANT SELECT, INSERT, UPDATE, DELETE ON call_tickets, call_signals TO allervers_backoffice;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO allervers_backoffice;
ALTER TABLE call_tickets ENABLE ROW LEVEL SECURITY;
ALTER TABLE call_signals ENABLE ROW LEVEL SECURITY;
CREATE POLICY agents ON call_tickets TO allervers_backoffice USING (true) WITH CHECK (true);
CREATE POLICY agents ON call_signals TO allervers_backoffice USING (true) WITH CHECK (true);
'''


def upgrade() -> None:
    op.create_table('call_tickets',
    sa.Column('seat', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('hash', sa.Text(), nullable=False),
    sa.Column('talk_id', sa.Uuid(), nullable=False),
    sa.Column('person_id', sa.Uuid(), nullable=False),
    sa.Column('browser', sa.Text(), nullable=False),
    sa.Column('made_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('expires_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('used_at', postgresql.TIMESTAMP(timezone=True), nullable=True),
    sa.Column('seen_at', postgresql.TIMESTAMP(timezone=True), nullable=True),
    sa.Column('left_at', postgresql.TIMESTAMP(timezone=True), nullable=True),
    sa.Column('sent', sa.Integer(), nullable=False),
    sa.Column('sent_since', postgresql.TIMESTAMP(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['person_id'], ['talk_people.id'], name=op.f('call_tickets_person_id_fkey'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['talk_id'], ['talks.id'], name=op.f('call_tickets_talk_id_fkey'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('seat', name=op.f('call_tickets_pkey')),
    sa.UniqueConstraint('hash', name=op.f('call_tickets_hash_key'))
    )
    op.create_index(op.f('call_tickets_person_id_idx'), 'call_tickets', ['person_id'], unique=False)
    op.create_index(op.f('call_tickets_talk_id_idx'), 'call_tickets', ['talk_id'], unique=False)
    op.create_table('call_signals',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('talk_id', sa.Uuid(), nullable=False),
    sa.Column('from_seat', sa.BigInteger(), nullable=False),
    sa.Column('to_seat', sa.BigInteger(), nullable=False),
    sa.Column('kind', sa.Enum('offer', 'answer', 'candidate', 'mute', name='signal_known', native_enum=False, create_constraint=True, length=40), nullable=False),
    sa.Column('body', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.CheckConstraint('octet_length(body::text) <= 24000', name=op.f('call_signals_small_check')),
    sa.ForeignKeyConstraint(['from_seat'], ['call_tickets.seat'], name=op.f('call_signals_from_seat_fkey'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['talk_id'], ['talks.id'], name=op.f('call_signals_talk_id_fkey'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['to_seat'], ['call_tickets.seat'], name=op.f('call_signals_to_seat_fkey'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('call_signals_pkey'))
    )
    op.create_index(op.f('call_signals_from_seat_idx'), 'call_signals', ['from_seat'], unique=False)
    op.create_index(op.f('call_signals_talk_id_idx'), 'call_signals', ['talk_id'], unique=False)
    op.create_index(op.f('call_signals_to_seat_idx'), 'call_signals', ['to_seat'], unique=False)
    for statements in (CALLS, FOR_PORTAL, RIGHTS):
        op.get_bind().exec_driver_sql(statements)
