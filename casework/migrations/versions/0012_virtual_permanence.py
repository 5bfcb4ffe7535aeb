"""The virtual permanence: who receives, who waits, and the talk.

The portal writes visits through functions alone, for what its secret opens: the visit's own, or the request's. Of
the others in the waiting room it learns how many they are and nothing else. An agent is no more to it than a name.
"""

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

revision = '0012'
down_revision = '0011'

ACTIONS = (
    "sent", "wrote", "paper_sent", "opened", "paper_opened", "qualified", "routed", "handed_over", "handed_back",
    "taken", "answered", "paper_asked", "closed", "reopened", "notified", "not_notified", "link_renewed", "booked",
    "moved", "cancelled", "ended", "absence_set", "absence_removed", "agenda_changed", "signed_in", "signed_out",
    "offered", "offer_declined", "offer_lapsed", "text_received", "texts_stopped", "texts_allowed", "contact_rule_set",
    "called", "session_made", "session_changed", "session_cancelled", "signed_up", "sign_up_cancelled", "attended",
    "calendar_linked", "calendar_unlinked", "feed_renewed", "kind_set",
    "permanence_set", "permanence_opened", "permanence_closed", "visit_arrived", "visit_called", "visit_held",
    "visit_handed", "visit_joined", "visit_left", "visit_ended", "callback_asked", "not_understood",
    "translation_corrected", "kiosk_set", "kiosk_removed",
)

TEMPLATES = (
    "receipt", "new_message", "link", "appointment_booked", "appointment_moved", "appointment_cancelled",
    "appointment_reminder", "appointment_offered", "appointment_missed", "cancel_question", "texts_stopped",
    "session_signed", "session_seat", "session_moved", "session_reminder", "session_cancelled",
    "turn_near", "talk_summary",
)


OPENED = '''
CREATE FUNCTION opened_visits() RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
$$
SELECT id FROM visits
WHERE link_hash = current_setting('allervers.secret', true) OR request_id = (SELECT opened_request())
$$;
CREATE FUNCTION opened_visit() RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
$$
-- The visit under way, else the last one.
SELECT id FROM visits WHERE id IN (SELECT opened_visits())
ORDER BY state IN ('waiting', 'called', 'talking', 'on_hold', 'gone') DESC, arrived_at DESC LIMIT 1
$$;
CREATE FUNCTION opened_talks() RETURNS SETOF uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
$$
-- Those of the opened visits; of somebody brought in, the one they were brought into, until it ends.
SELECT t.id FROM talks t WHERE t.visit_id IN (SELECT opened_visits())
UNION
SELECT t.id FROM talk_people p JOIN talks t ON t.id = p.talk_id
WHERE p.link_hash = current_setting('allervers.secret', true) AND t.state <> 'ended'
$$;
CREATE FUNCTION opened_people() RETURNS TABLE (id uuid, talk_id uuid)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
$$
-- As whom the opened secret may speak, in talks that are not over.
SELECT p.id, p.talk_id FROM talk_people p JOIN talks t ON t.id = p.talk_id
WHERE t.state <> 'ended'
  AND (p.part = 'citizen' AND t.visit_id IN (SELECT opened_visits())
       OR p.part = 'third' AND p.link_hash = current_setting('allervers.secret', true))
$$;
REVOKE EXECUTE ON FUNCTION opened_visits, opened_visit, opened_talks, opened_people FROM PUBLIC;
GRANT EXECUTE ON FUNCTION opened_visits, opened_visit, opened_talks, opened_people
    TO allervers_portal, allervers_backoffice;
'''

TURNS = '''
-- The order of the line (decision 0022): `casework.waiting_room.turn` says the same.
CREATE FUNCTION turn_class(p_urgent boolean, p_due timestamptz, p_now timestamptz) RETURNS int LANGUAGE sql IMMUTABLE
AS $$ SELECT CASE WHEN p_urgent THEN 0 WHEN p_due <= p_now THEN 1 WHEN p_due IS NULL THEN 2 ELSE 3 END $$;
CREATE FUNCTION turn_moment(p_urgent boolean, p_due timestamptz, p_arrived timestamptz) RETURNS timestamptz
LANGUAGE sql IMMUTABLE AS $$ SELECT CASE WHEN p_urgent OR p_due IS NULL THEN p_arrived ELSE p_due END $$;
CREATE FUNCTION keeps_place(p_seen timestamptz, p_text text, p_now timestamptz) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$ SELECT p_seen >= p_now - interval '5 minutes' OR p_text IS NOT NULL $$;
CREATE FUNCTION line_of(p_permanence uuid, p_now timestamptz)
RETURNS TABLE (ahead int, desks int, ongoing real[], lately real[])
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
$$
-- How many wait before the opened visit (all of them before who has not come in), how many desks are open, for how
-- many minutes each talk under way has lasted, and how many minutes the last ones took.
-- Who asks is looked for once: for each of a thousand who wait it would be a million.
WITH me AS MATERIALIZED (
    SELECT v.* FROM visits v
    WHERE v.id = (SELECT opened_visit()) AND v.permanence_id = p_permanence AND v.state = 'waiting'
)
SELECT
    (SELECT count(*) FROM visits v LEFT JOIN me ON true
     WHERE v.permanence_id = p_permanence AND v.state = 'waiting' AND keeps_place(v.last_seen_at, v.text_number, p_now)
       AND (me.id IS NULL AND turn_class(v.urgent, v.due_at, p_now) < 3
            OR me.id IS NOT NULL AND (
                turn_class(v.urgent, v.due_at, p_now), turn_moment(v.urgent, v.due_at, v.arrived_at), v.id
            ) < (
                turn_class(me.urgent, me.due_at, p_now), turn_moment(me.urgent, me.due_at, me.arrived_at), me.id
            )))::int,
    (SELECT count(*) FROM permanence_desks d
     WHERE d.permanence_id = p_permanence AND d.closed_at IS NULL
       AND d.last_seen_at >= p_now - interval '3 minutes')::int,
    ARRAY(SELECT (extract(epoch FROM p_now - COALESCE(t.started_at, t.called_at)) / 60)::real
          FROM talks t JOIN permanence_desks d ON d.agent_id = t.agent_id AND d.closed_at IS NULL
          WHERE t.permanence_id = p_permanence AND t.state IN ('called', 'open')),
    ARRAY(SELECT (extract(epoch FROM t.ended_at - t.started_at) / 60)::real
          FROM talks t
          WHERE t.permanence_id = p_permanence AND t.ended_at BETWEEN p_now - interval '60 days' AND p_now
            AND t.started_at IS NOT NULL AND t.outcome NOT IN ('absent', 'cut')
          ORDER BY t.ended_at DESC LIMIT 30)
$$;
REVOKE EXECUTE ON FUNCTION turn_class, turn_moment, keeps_place, line_of FROM PUBLIC;
GRANT EXECUTE ON FUNCTION turn_class, turn_moment, keeps_place, line_of TO allervers_portal, allervers_backoffice;
'''

COMING = '''
CREATE FUNCTION arrive(
    p_visit uuid, p_permanence uuid, p_appointment uuid, p_name text, p_language text, p_theme text, p_needs text[],
    p_channel text, p_minutes int, p_callback text, p_now timestamptz
) RETURNS text LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS
$$
-- 'arrived', or 'known' when this person is there already, or 'over'. With a number to call back, nobody waits.
DECLARE
    asked uuid := opened_request();
    mine text := NULLIF(current_setting('allervers.secret', true), '');
    one virtual_permanences;
    met appointments;
    r requests;
BEGIN
    SELECT * INTO one FROM virtual_permanences WHERE id = p_permanence AND active;
    IF mine IS NULL OR one.id IS NULL THEN
        RETURN 'over';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('visit ' || COALESCE(asked::text, mine)));
    IF EXISTS (
        SELECT FROM visits WHERE id IN (SELECT opened_visits())
          AND state IN ('waiting', 'called', 'talking', 'on_hold', 'gone')
    ) THEN
        RETURN 'known';
    END IF;
    IF asked IS NULL AND EXISTS (SELECT FROM visits WHERE link_hash = mine) THEN
        RETURN 'over';
    END IF;
    SELECT * INTO met FROM appointments
    WHERE id = p_appointment AND request_id = asked AND state = 'booked' AND mode = 'video' AND one.with_appointment;
    IF p_callback IS NULL AND met.id IS NULL AND NOT (
        one.walk_in
        AND EXISTS (SELECT FROM permanence_times WHERE permanence_id = p_permanence AND during @> p_now)
    ) THEN
        RETURN 'over';
    END IF;
    SELECT * INTO r FROM requests WHERE id = asked;
    IF p_callback IS NOT NULL AND r.contact_rule = 'none' THEN
        RETURN 'over';
    END IF;
    INSERT INTO visits (
        id, permanence_id, link_hash, request_id, appointment_id, called_name, language, theme, needs, channel,
        arrived_at, due_at, meant_for, urgent, urgency_reason, state, last_seen_at, promised_minutes, callback_number,
        ended_at
    ) VALUES (
        p_visit, p_permanence, CASE WHEN asked IS NULL THEN mine END, asked, met.id, left(p_name, 60), p_language,
        p_theme, p_needs, p_channel, p_now, CASE WHEN p_now < upper(met.during) THEN lower(met.during) END,
        met.agent_id, COALESCE(r.urgent, false),
        CASE WHEN r.urgent THEN COALESCE(NULLIF(r.urgency_reason, ''), 'Sa demande est urgente.') ELSE '' END,
        CASE WHEN p_callback IS NULL THEN 'waiting' ELSE 'callback' END, p_now, p_minutes, p_callback,
        CASE WHEN p_callback IS NOT NULL THEN p_now END
    );
    INSERT INTO journal (at, action, request_id, details)
    VALUES (p_now, CASE WHEN p_callback IS NULL THEN 'visit_arrived' ELSE 'callback_asked' END, asked,
            jsonb_build_object('visit', p_visit));
    RETURN 'arrived';
END
$$;
CREATE FUNCTION visit_seen(p_now timestamptz) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS
$$
-- A sign of life, at most one write in 20 seconds. After five minutes without any, the place was lost: a new one.
UPDATE visits SET
    last_seen_at = p_now,
    state = CASE WHEN state = 'gone' AND missed_at IS NULL THEN 'waiting' ELSE state END,
    arrived_at = CASE
        WHEN state IN ('waiting', 'gone') AND missed_at IS NULL AND NOT keeps_place(last_seen_at, text_number, p_now)
        THEN p_now ELSE arrived_at END
WHERE id = (SELECT opened_visit()) AND state IN ('waiting', 'called', 'talking', 'on_hold', 'gone')
  AND last_seen_at < p_now - interval '20 seconds'
$$;
CREATE FUNCTION visit_back(p_now timestamptz) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS
$$
-- "I am here", after being called in vain: the same place, unless that was long ago.
UPDATE visits SET
    state = 'waiting', last_seen_at = p_now, missed_at = NULL,
    arrived_at = CASE WHEN missed_at < p_now - interval '30 minutes' THEN p_now ELSE arrived_at END
WHERE id = (SELECT opened_visit()) AND state = 'gone' AND missed_at IS NOT NULL
$$;
CREATE FUNCTION leave_waiting(p_callback text, p_now timestamptz) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS
$$
-- The person does not wait any more; with a number, they want to be called back. False: there is nothing to leave.
DECLARE
    asked uuid;
    found_id uuid;
BEGIN
    UPDATE visits v SET
        state = CASE WHEN p_callback IS NULL THEN 'left' ELSE 'callback' END,
        callback_number = p_callback, ended_at = p_now, text_number = NULL, sealed_secret = NULL
    WHERE v.id = (SELECT opened_visit())
      AND (v.state IN ('waiting', 'gone') OR v.state IN ('left', 'callback') AND p_callback IS NOT NULL)
      AND (p_callback IS NULL OR NOT EXISTS (
          SELECT FROM requests r WHERE r.id = v.request_id AND r.contact_rule = 'none'))
    RETURNING v.id, v.request_id INTO found_id, asked;
    IF found_id IS NULL THEN
        RETURN false;
    END IF;
    INSERT INTO journal (at, action, request_id, details)
    VALUES (p_now, CASE WHEN p_callback IS NULL THEN 'visit_left' ELSE 'callback_asked' END, asked,
            jsonb_build_object('visit', found_id));
    RETURN true;
END
$$;
CREATE FUNCTION join_talk(p_now timestamptz) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS
$$
-- The person, or somebody brought in, comes into the talk: its id, or null when there is none any more.
DECLARE
    me talk_people;
    one talks;
BEGIN
    SELECT t.* INTO one FROM talks t JOIN opened_people() o ON o.talk_id = t.id FOR UPDATE OF t;
    SELECT p.* INTO me FROM talk_people p JOIN opened_people() o ON o.id = p.id WHERE p.talk_id = one.id;
    IF me.id IS NULL OR one.state = 'ended' THEN
        RETURN NULL;
    END IF;
    UPDATE talk_people SET joined_at = COALESCE(joined_at, p_now), left_at = NULL WHERE id = me.id;
    IF me.part = 'citizen' AND one.state = 'called' THEN
        UPDATE talks SET state = 'open', started_at = p_now WHERE id = one.id;
        UPDATE visits SET state = 'talking', last_seen_at = p_now WHERE id = one.visit_id;
        INSERT INTO journal (at, action, request_id, details)
        SELECT p_now, 'visit_joined', v.request_id, jsonb_build_object('visit', v.id, 'talk', one.id)
        FROM visits v WHERE v.id = one.visit_id;
    END IF;
    RETURN one.id;
END
$$;
CREATE FUNCTION leave_talk(p_now timestamptz) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS
$$ UPDATE talk_people SET left_at = p_now WHERE id IN (SELECT o.id FROM opened_people() o) AND joined_at IS NOT NULL $$;
REVOKE EXECUTE ON FUNCTION arrive, visit_seen, visit_back, leave_waiting, join_talk, leave_talk FROM PUBLIC;
GRANT EXECUTE ON FUNCTION arrive, visit_seen, visit_back, leave_waiting, join_talk, leave_talk TO allervers_portal;
'''

RIGHTS = '''
GRANT SELECT, INSERT, UPDATE, DELETE ON virtual_permanences, permanence_times, permanence_desks, visits, talks,
    talk_people TO allervers_backoffice;
GRANT SELECT, INSERT ON talk_lines TO allervers_backoffice;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO allervers_backoffice;
GRANT SELECT ON virtual_permanences, permanence_times TO allervers_portal;
GRANT SELECT (id, permanence_id, request_id, appointment_id, called_name, language, theme, needs, channel, arrived_at,
              due_at, state, last_seen_at, missed_at, promised_minutes, text_number, text_told_at, callback_number,
              ended_at, led_to) ON visits TO allervers_portal;
GRANT UPDATE (channel, text_number, sealed_secret, led_to) ON visits TO allervers_portal;
GRANT SELECT (id, visit_id, permanence_id, state, called_at, started_at, ended_at, outcome, summary)
    ON talks TO allervers_portal;
GRANT SELECT (id, talk_id, part, name, language, invited_at, joined_at, left_at) ON talk_people TO allervers_portal;
GRANT SELECT, INSERT (talk_id, person_id, at, body, language, submission) ON talk_lines TO allervers_portal;
ALTER TABLE visits ENABLE ROW LEVEL SECURITY;
ALTER TABLE talks ENABLE ROW LEVEL SECURITY;
ALTER TABLE talk_people ENABLE ROW LEVEL SECURITY;
ALTER TABLE talk_lines ENABLE ROW LEVEL SECURITY;
CREATE POLICY agents ON visits TO allervers_backoffice USING (true) WITH CHECK (true);
CREATE POLICY agents ON talks TO allervers_backoffice USING (true) WITH CHECK (true);
CREATE POLICY agents ON talk_people TO allervers_backoffice USING (true) WITH CHECK (true);
CREATE POLICY agents ON talk_lines TO allervers_backoffice USING (true) WITH CHECK (true);
CREATE POLICY citizen_sees ON visits FOR SELECT TO allervers_portal USING (id IN (SELECT opened_visits()));
CREATE POLICY citizen_changes ON visits FOR UPDATE TO allervers_portal
    USING (id IN (SELECT opened_visits())) WITH CHECK (id IN (SELECT opened_visits()));
CREATE POLICY citizen_sees ON talks FOR SELECT TO allervers_portal USING (id IN (SELECT opened_talks()));
CREATE POLICY citizen_sees ON talk_people FOR SELECT TO allervers_portal USING (talk_id IN (SELECT opened_talks()));
CREATE POLICY citizen_sees ON talk_lines FOR SELECT TO allervers_portal USING (talk_id IN (SELECT opened_talks()));
CREATE POLICY citizen_adds ON talk_lines FOR INSERT TO allervers_portal
    WITH CHECK ((person_id, talk_id) IN (SELECT o.id, o.talk_id FROM opened_people() o));
'''


def upgrade() -> None:
    op.drop_constraint("journal_action_known_check", "journal")
    op.create_check_constraint("action_known", "journal", sa.column("action").in_(ACTIONS))
    op.drop_constraint("notifications_template_known_check", "notifications")
    op.create_check_constraint("template_known", "notifications", sa.column("template").in_(TEMPLATES))
    op.create_table('virtual_permanences',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('house_id', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('languages', postgresql.ARRAY(sa.Text()), nullable=False),
    sa.Column('with_appointment', sa.Boolean(), nullable=False),
    sa.Column('walk_in', sa.Boolean(), nullable=False),
    sa.Column('active', sa.Boolean(), nullable=False),
    sa.ForeignKeyConstraint(['house_id'], ['houses.id'], name=op.f('virtual_permanences_house_id_fkey')),
    sa.PrimaryKeyConstraint('id', name=op.f('virtual_permanences_pkey'))
    )
    op.create_index(op.f('virtual_permanences_house_id_idx'), 'virtual_permanences', ['house_id'], unique=False)
    op.create_table('permanence_desks',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('permanence_id', sa.Uuid(), nullable=False),
    sa.Column('agent_id', sa.Integer(), nullable=False),
    sa.Column('opened_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('closed_at', postgresql.TIMESTAMP(timezone=True), nullable=True),
    sa.Column('last_seen_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['agent_id'], ['agents.id'], name=op.f('permanence_desks_agent_id_fkey')),
    sa.ForeignKeyConstraint(['permanence_id'], ['virtual_permanences.id'], name=op.f('permanence_desks_permanence_id_fkey')),
    sa.PrimaryKeyConstraint('id', name=op.f('permanence_desks_pkey'))
    )
    op.create_index('permanence_desks_one_open_idx', 'permanence_desks', ['agent_id'], unique=True, postgresql_where=sa.text('closed_at IS NULL'))
    op.create_index('permanence_desks_open_idx', 'permanence_desks', ['permanence_id'], unique=False, postgresql_where=sa.text('closed_at IS NULL'))
    op.create_table('permanence_times',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('permanence_id', sa.Uuid(), nullable=False),
    sa.Column('during', postgresql.TSTZRANGE(), nullable=False),
    postgresql.ExcludeConstraint((sa.column('permanence_id'), '='), (sa.column('during'), '&&'), using='gist', name='permanence_times_apart'),
    sa.CheckConstraint('NOT isempty(during)', name=op.f('permanence_times_during_check')),
    sa.ForeignKeyConstraint(['permanence_id'], ['virtual_permanences.id'], name=op.f('permanence_times_permanence_id_fkey')),
    sa.PrimaryKeyConstraint('id', name=op.f('permanence_times_pkey'))
    )
    op.create_table('visits',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('permanence_id', sa.Uuid(), nullable=False),
    sa.Column('link_hash', sa.Text(), nullable=True),
    sa.Column('request_id', sa.Uuid(), nullable=True),
    sa.Column('appointment_id', sa.Uuid(), nullable=True),
    sa.Column('called_name', sa.Text(), nullable=False),
    sa.Column('language', sa.Text(), nullable=False),
    sa.Column('theme', sa.Enum('money', 'rights', 'housing', 'family', 'children', 'health', 'work', 'age_handicap', 'violence', 'other', name='theme_known', native_enum=False, create_constraint=True, length=40), nullable=True),
    sa.Column('needs', postgresql.ARRAY(sa.Text()), nullable=False),
    sa.Column('channel', sa.Enum('video', 'voice', 'text', name='wanted_known', native_enum=False, create_constraint=True, length=40), nullable=False),
    sa.Column('arrived_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('due_at', postgresql.TIMESTAMP(timezone=True), nullable=True),
    sa.Column('meant_for', sa.Integer(), nullable=True),
    sa.Column('urgent', sa.Boolean(), nullable=False),
    sa.Column('urgency_reason', sa.Text(), nullable=False),
    sa.Column('state', sa.Enum('waiting', 'called', 'talking', 'on_hold', 'gone', 'ended', 'left', 'callback', name='visitstate_known', native_enum=False, create_constraint=True, length=40), nullable=False),
    sa.Column('last_seen_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('missed_at', postgresql.TIMESTAMP(timezone=True), nullable=True),
    sa.Column('promised_minutes', sa.SmallInteger(), nullable=True),
    sa.Column('text_number', sa.Text(), nullable=True),
    sa.Column('sealed_secret', sa.LargeBinary(), nullable=True),
    sa.Column('text_told_at', postgresql.TIMESTAMP(timezone=True), nullable=True),
    sa.Column('callback_number', sa.Text(), nullable=True),
    sa.Column('ended_at', postgresql.TIMESTAMP(timezone=True), nullable=True),
    sa.Column('led_to', sa.Uuid(), nullable=True),
    sa.CheckConstraint("NOT urgent OR urgency_reason <> ''", name=op.f('visits_urgent_check')),
    sa.CheckConstraint('link_hash IS NOT NULL OR request_id IS NOT NULL', name=op.f('visits_opens_check')),
    sa.ForeignKeyConstraint(['appointment_id'], ['appointments.id'], name=op.f('visits_appointment_id_fkey')),
    sa.ForeignKeyConstraint(['meant_for'], ['agents.id'], name=op.f('visits_meant_for_fkey')),
    sa.ForeignKeyConstraint(['permanence_id'], ['virtual_permanences.id'], name=op.f('visits_permanence_id_fkey')),
    sa.ForeignKeyConstraint(['request_id'], ['requests.id'], name=op.f('visits_request_id_fkey')),
    sa.PrimaryKeyConstraint('id', name=op.f('visits_pkey')),
    sa.UniqueConstraint('link_hash', name=op.f('visits_link_hash_key'))
    )
    op.create_index('visits_callback_idx', 'visits', ['ended_at'], unique=False, postgresql_where=sa.text("state = 'callback' AND request_id IS NULL"))
    op.create_index('visits_live_idx', 'visits', ['permanence_id'], unique=False, postgresql_where=sa.text("state IN ('waiting', 'called', 'talking', 'on_hold', 'gone')"))
    op.create_index('visits_one_a_request_idx', 'visits', ['request_id'], unique=True, postgresql_where=sa.text("state IN ('waiting', 'called', 'talking', 'on_hold', 'gone') AND request_id IS NOT NULL"))
    op.create_index(op.f('visits_request_id_idx'), 'visits', ['request_id'], unique=False)
    op.create_table('talks',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('visit_id', sa.Uuid(), nullable=False),
    sa.Column('permanence_id', sa.Uuid(), nullable=False),
    sa.Column('agent_id', sa.Integer(), nullable=False),
    sa.Column('state', sa.Enum('called', 'open', 'on_hold', 'ended', name='talkstate_known', native_enum=False, create_constraint=True, length=40), nullable=False),
    sa.Column('called_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('started_at', postgresql.TIMESTAMP(timezone=True), nullable=True),
    sa.Column('ended_at', postgresql.TIMESTAMP(timezone=True), nullable=True),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('outcome', sa.Enum('answered', 'appointment', 'follow_up', 'oriented', 'handed', 'absent', 'cut', name='talkoutcome_known', native_enum=False, create_constraint=True, length=40), nullable=True),
    sa.Column('notes', sa.Text(), nullable=False),
    sa.Column('summary', sa.Text(), nullable=False),
    sa.CheckConstraint("(state = 'ended') = (ended_at IS NOT NULL)", name=op.f('talks_ended_check')),
    sa.ForeignKeyConstraint(['agent_id'], ['agents.id'], name=op.f('talks_agent_id_fkey')),
    sa.ForeignKeyConstraint(['permanence_id'], ['virtual_permanences.id'], name=op.f('talks_permanence_id_fkey')),
    sa.ForeignKeyConstraint(['visit_id'], ['visits.id'], name=op.f('talks_visit_id_fkey')),
    sa.PrimaryKeyConstraint('id', name=op.f('talks_pkey'))
    )
    op.create_index('talks_one_a_visit_idx', 'talks', ['visit_id'], unique=True, postgresql_where=sa.text("state <> 'ended'"))
    op.create_index('talks_one_an_agent_idx', 'talks', ['agent_id'], unique=True, postgresql_where=sa.text("state IN ('called', 'open')"))
    op.create_index('talks_permanence_ended_idx', 'talks', ['permanence_id', 'ended_at'], unique=False)
    op.create_index('talks_visit_id_idx', 'talks', ['visit_id'], unique=False)
    op.create_table('talk_people',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('talk_id', sa.Uuid(), nullable=False),
    sa.Column('part', sa.Enum('citizen', 'agent', 'third', name='part_known', native_enum=False, create_constraint=True, length=40), nullable=False),
    sa.Column('agent_id', sa.Integer(), nullable=True),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('language', sa.Text(), nullable=False),
    sa.Column('invited_by', sa.Integer(), nullable=True),
    sa.Column('invited_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('link_hash', sa.Text(), nullable=True),
    sa.Column('joined_at', postgresql.TIMESTAMP(timezone=True), nullable=True),
    sa.Column('left_at', postgresql.TIMESTAMP(timezone=True), nullable=True),
    sa.CheckConstraint("(part = 'agent') = (agent_id IS NOT NULL)", name=op.f('talk_people_agent_check')),
    sa.CheckConstraint("(part = 'third') = (link_hash IS NOT NULL)", name=op.f('talk_people_third_check')),
    sa.ForeignKeyConstraint(['agent_id'], ['agents.id'], name=op.f('talk_people_agent_id_fkey')),
    sa.ForeignKeyConstraint(['invited_by'], ['agents.id'], name=op.f('talk_people_invited_by_fkey')),
    sa.ForeignKeyConstraint(['talk_id'], ['talks.id'], name=op.f('talk_people_talk_id_fkey')),
    sa.PrimaryKeyConstraint('id', name=op.f('talk_people_pkey')),
    sa.UniqueConstraint('link_hash', name=op.f('talk_people_link_hash_key')),
    sa.UniqueConstraint('talk_id', 'agent_id', name=op.f('talk_people_talk_id_agent_id_key'))
    )
    op.create_index('talk_people_one_citizen_idx', 'talk_people', ['talk_id'], unique=True, postgresql_where=sa.text("part = 'citizen'"))
    op.create_index('talk_people_talk_id_idx', 'talk_people', ['talk_id'], unique=False)
    op.create_table('talk_lines',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('talk_id', sa.Uuid(), nullable=False),
    sa.Column('person_id', sa.Uuid(), nullable=False),
    sa.Column('at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('body', sa.Text(), nullable=False),
    sa.Column('language', sa.Text(), nullable=False),
    sa.Column('submission', sa.Uuid(), nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['talk_people.id'], name=op.f('talk_lines_person_id_fkey')),
    sa.ForeignKeyConstraint(['talk_id'], ['talks.id'], name=op.f('talk_lines_talk_id_fkey')),
    sa.PrimaryKeyConstraint('id', name=op.f('talk_lines_pkey')),
    sa.UniqueConstraint('talk_id', 'submission', name=op.f('talk_lines_talk_id_submission_key'))
    )
    op.create_index('talk_lines_talk_id_id_idx', 'talk_lines', ['talk_id', 'id'], unique=False)
    op.add_column('notifications', sa.Column('visit_id', sa.Uuid(), nullable=True))
    op.create_foreign_key(op.f('notifications_visit_id_fkey'), 'notifications', 'visits', ['visit_id'], ['id'])
    op.create_index(op.f('notifications_visit_id_idx'), 'notifications', ['visit_id'], unique=False)
    for statements in (OPENED, TURNS, COMING, RIGHTS):
        op.get_bind().exec_driver_sql(statements)
