"""What a waiting room promises is true: which desks receive whom, places kept, leaving when called, what is forgotten.

An agent may sit at another house's permanence for the people who have an appointment with them: that desk counts for
those alone. A talk without a request is forgotten with its visit; no role may delete lines by itself.
"""

from alembic import op
import sqlalchemy as sa

revision = '0020'
down_revision = '0019'

TURNS = '''
-- A place is kept five minutes without a sign of life; for who asked for a text message, until fifteen minutes after
-- it left. `casework.waiting_room.keeps_place` says the same.
CREATE FUNCTION keeps_place(p_seen timestamptz, p_text text, p_told timestamptz, p_now timestamptz) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
SELECT p_seen >= p_now - interval '5 minutes'
    OR p_text IS NOT NULL AND (p_told IS NULL OR p_told >= p_now - interval '15 minutes')
$$;
CREATE OR REPLACE FUNCTION line_of(p_permanence uuid, p_now timestamptz)
RETURNS TABLE (ahead int, desks int, ongoing real[], lately real[])
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
$$
-- How many wait before the opened visit (all of them before who has not come in), how many desks are open, for how
-- many minutes each talk under way has lasted, and how many minutes the last ones took.
-- Who asks is looked for once: for each of a thousand who wait it would be a million.
-- A desk of another house's agent counts for those who wait for that agent.
WITH me AS MATERIALIZED (
    SELECT v.* FROM visits v
    WHERE v.id = (SELECT opened_visit()) AND v.permanence_id = p_permanence AND v.state = 'waiting'
)
SELECT
    (SELECT count(*) FROM visits v LEFT JOIN me ON true
     WHERE v.permanence_id = p_permanence AND v.state = 'waiting'
       AND keeps_place(v.last_seen_at, v.text_number, v.text_told_at, p_now)
       AND (me.id IS NULL AND turn_class(v.urgent, v.due_at, p_now) < 3
            OR me.id IS NOT NULL AND (
                turn_class(v.urgent, v.due_at, p_now), turn_moment(v.urgent, v.due_at, v.arrived_at), v.id
            ) < (
                turn_class(me.urgent, me.due_at, p_now), turn_moment(me.urgent, me.due_at, me.arrived_at), me.id
            )))::int,
    (SELECT count(*) FROM permanence_desks d
     WHERE d.permanence_id = p_permanence AND d.closed_at IS NULL
       AND d.last_seen_at >= p_now - interval '3 minutes'
       AND (d.agent_id = (SELECT meant_for FROM me) OR NOT desk_is_guest(d.agent_id, p_permanence)))::int,
    ARRAY(SELECT (extract(epoch FROM p_now - COALESCE(t.started_at, t.called_at)) / 60)::real
          FROM talks t JOIN permanence_desks d ON d.agent_id = t.agent_id AND d.closed_at IS NULL
          WHERE t.permanence_id = p_permanence AND t.state IN ('called', 'open')),
    ARRAY(SELECT (extract(epoch FROM t.ended_at - t.started_at) / 60)::real
          FROM talks t
          WHERE t.permanence_id = p_permanence AND t.ended_at BETWEEN p_now - interval '60 days' AND p_now
            AND t.started_at IS NOT NULL AND t.outcome NOT IN ('absent', 'cut')
          ORDER BY t.ended_at DESC LIMIT 30)
$$;
CREATE OR REPLACE FUNCTION visit_seen(p_now timestamptz) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS
$$
-- A sign of life, at most one write in 20 seconds. Once the place was lost: a new one.
UPDATE visits SET
    last_seen_at = p_now,
    state = CASE WHEN state = 'gone' AND missed_at IS NULL THEN 'waiting' ELSE state END,
    arrived_at = CASE
        WHEN state IN ('waiting', 'gone') AND missed_at IS NULL
             AND NOT keeps_place(last_seen_at, text_number, text_told_at, p_now)
        THEN p_now ELSE arrived_at END
WHERE id = (SELECT opened_visit()) AND state IN ('waiting', 'called', 'talking', 'on_hold', 'gone')
  AND last_seen_at < p_now - interval '20 seconds'
$$;
DROP FUNCTION keeps_place(timestamptz, text, timestamptz);
REVOKE EXECUTE ON FUNCTION keeps_place FROM PUBLIC;
GRANT EXECUTE ON FUNCTION keeps_place TO allervers_portal, allervers_backoffice;
'''

GUESTS = '''
CREATE FUNCTION desk_is_guest(p_agent int, p_permanence uuid) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
$$
SELECT a.house_id <> p.house_id FROM agents a, virtual_permanences p WHERE a.id = p_agent AND p.id = p_permanence
$$;
REVOKE EXECUTE ON FUNCTION desk_is_guest FROM PUBLIC;
GRANT EXECUTE ON FUNCTION desk_is_guest TO allervers_backoffice;
'''

LEAVING = '''
CREATE OR REPLACE FUNCTION leave_waiting(p_callback text, p_now timestamptz) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS
$$
-- The person does not wait any more; with a number, they want to be called back. Who was called and has not come in
-- frees the desk. False: there is nothing to leave.
DECLARE
    asked uuid;
    found_id uuid;
    called uuid;
BEGIN
    SELECT t.id INTO called FROM talks t WHERE t.visit_id = (SELECT opened_visit()) AND t.state = 'called' FOR UPDATE;
    UPDATE visits v SET
        state = CASE WHEN p_callback IS NULL THEN 'left' ELSE 'callback' END,
        callback_number = p_callback, ended_at = p_now, text_number = NULL, sealed_secret = NULL
    WHERE v.id = (SELECT opened_visit())
      AND (v.state IN ('waiting', 'gone') OR v.state = 'called' AND called IS NOT NULL
           OR v.state IN ('left', 'callback') AND p_callback IS NOT NULL)
      AND (p_callback IS NULL OR NOT EXISTS (
          SELECT FROM requests r WHERE r.id = v.request_id AND r.contact_rule = 'none'))
    RETURNING v.id, v.request_id INTO found_id, asked;
    IF found_id IS NULL THEN
        RETURN false;
    END IF;
    UPDATE talks SET state = 'ended', outcome = 'absent', ended_at = p_now WHERE id = called;
    INSERT INTO journal (at, action, request_id, details)
    VALUES (p_now, CASE WHEN p_callback IS NULL THEN 'visit_left' ELSE 'callback_asked' END, asked,
            jsonb_build_object('visit', found_id));
    RETURN true;
END
$$;
'''

FORGETTING = '''
CREATE FUNCTION forget_visits(p_before timestamptz, p_most int) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS
$$
-- Visits that ended before then and led to no request, with their talks and what was written in them: how many.
DECLARE
    gone uuid[] := ARRAY(
        SELECT v.id FROM visits v
        WHERE v.state IN ('ended', 'left') AND v.ended_at < p_before AND v.request_id IS NULL
          AND NOT EXISTS (SELECT FROM requests r WHERE r.id = v.led_to)
          AND NOT EXISTS (SELECT FROM talks t WHERE t.visit_id = v.id AND t.state <> 'ended')
        ORDER BY v.ended_at LIMIT p_most FOR UPDATE SKIP LOCKED);
    theirs uuid[] := ARRAY(SELECT t.id FROM talks t WHERE t.visit_id = ANY (gone));
BEGIN
    DELETE FROM talk_lines WHERE talk_id = ANY (theirs);
    DELETE FROM talk_people WHERE talk_id = ANY (theirs);
    DELETE FROM talks WHERE id = ANY (theirs);
    DELETE FROM visits WHERE id = ANY (gone);
    RETURN cardinality(gone);
END
$$;
REVOKE EXECUTE ON FUNCTION forget_visits FROM PUBLIC;
GRANT EXECUTE ON FUNCTION forget_visits TO allervers_backoffice;
'''


def upgrade() -> None:
    op.add_column('visits', sa.Column('page_language', sa.Text(), nullable=True))
    op.add_column('visits', sa.Column('text_tried_at', sa.TIMESTAMP(timezone=True), nullable=True))
    op.execute('GRANT SELECT (page_language), UPDATE (page_language) ON visits TO allervers_portal')
    for statements in (GUESTS, TURNS, LEAVING, FORGETTING):
        op.get_bind().exec_driver_sql(statements)
