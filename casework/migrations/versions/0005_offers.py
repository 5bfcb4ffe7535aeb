"""The waiting list is answered: a slot that comes up is offered to one person at a time."""

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

revision = '0005'
down_revision = '0004'

ACTIONS = (
    "sent", "wrote", "paper_sent", "opened", "paper_opened", "qualified", "routed", "handed_over", "handed_back",
    "taken", "answered", "paper_asked", "closed", "reopened", "notified", "not_notified", "link_renewed", "booked",
    "moved", "cancelled", "ended", "absence_set", "absence_removed", "agenda_changed", "signed_in", "signed_out",
    "offered", "offer_declined", "offer_lapsed", "text_received", "texts_stopped", "texts_allowed", "contact_rule_set",
    "called", "session_made", "session_changed", "session_cancelled", "signed_up", "sign_up_cancelled", "attended",
    "calendar_linked", "calendar_unlinked", "feed_renewed", "kind_set",
)

TEMPLATES = (
    "receipt", "new_message", "link", "appointment_booked", "appointment_moved", "appointment_cancelled",
    "appointment_reminder", "appointment_offered", "appointment_missed", "cancel_question", "texts_stopped",
    "session_signed", "session_seat", "session_moved", "session_reminder", "session_cancelled",
)

AGENTS = '''
CREATE FUNCTION agents_of_request(p_request uuid, p_whole_house boolean) RETURNS int[]
LANGUAGE sql STABLE SET search_path = public, pg_temp AS
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
FROM requests r WHERE r.id = p_request
$$;
REVOKE EXECUTE ON FUNCTION agents_of_request FROM PUBLIC;
GRANT EXECUTE ON FUNCTION agents_of_request TO allervers_backoffice;
CREATE OR REPLACE FUNCTION agents_for_request(p_whole_house boolean DEFAULT false) RETURNS int[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS
$$ SELECT agents_of_request(opened_request(), p_whole_house) $$;
'''

RIGHTS = '''
GRANT SELECT, INSERT, UPDATE ON slot_offers TO allervers_backoffice;
GRANT SELECT, UPDATE (state) ON slot_offers TO allervers_portal;
ALTER TABLE slot_offers ENABLE ROW LEVEL SECURITY;
CREATE POLICY agents ON slot_offers TO allervers_backoffice USING (true) WITH CHECK (true);
CREATE POLICY citizen_sees ON slot_offers FOR SELECT TO allervers_portal
    USING (request_id = (SELECT opened_request()));
CREATE POLICY citizen_answers ON slot_offers FOR UPDATE TO allervers_portal
    USING (request_id = (SELECT opened_request()) AND state = 'offered')
    WITH CHECK (request_id = (SELECT opened_request()) AND state IN ('accepted', 'declined'));
ALTER POLICY citizen_changes ON waiting_entries
    USING (request_id = (SELECT opened_request()) AND state IN ('waiting', 'unanswered'));
'''


def upgrade() -> None:
    op.drop_constraint("journal_action_known_check", "journal")
    op.create_check_constraint("action_known", "journal", sa.column("action").in_(ACTIONS))
    op.drop_constraint("notifications_template_known_check", "notifications")
    op.create_check_constraint("template_known", "notifications", sa.column("template").in_(TEMPLATES))
    op.drop_constraint("waiting_entries_wish_known_check", "waiting_entries")
    op.create_check_constraint(
        "wish_known", "waiting_entries", sa.column("state").in_(("waiting", "served", "withdrawn", "unanswered"))
    )
    op.add_column('waiting_entries', sa.Column('sooner_than', postgresql.TIMESTAMP(timezone=True), nullable=True))
    op.create_index('waiting_entries_request_id_idx', 'waiting_entries', ['request_id'], unique=False)
    op.add_column('appointments', sa.Column('ended_at', postgresql.TIMESTAMP(timezone=True), nullable=True))
    op.add_column('appointments', sa.Column('minutes_spent', sa.SmallInteger(), nullable=True))
    op.create_check_constraint("spent", "appointments", "minutes_spent IS NULL OR (minutes_spent > 0 AND state = 'came')")
    op.create_index('appointments_missed_idx', 'appointments', ['ended_at'], unique=False, postgresql_where=sa.text("state = 'missed' AND told_state IS DISTINCT FROM state"))
    # What drops a hold asks whether another appointment came from it: not by reading them all.
    op.create_index('appointments_moved_from_idx', 'appointments', ['moved_from'], unique=False, postgresql_where=sa.text("moved_from IS NOT NULL"))
    op.create_table('slot_offers',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('waiting_id', sa.Uuid(), nullable=False),
    sa.Column('request_id', sa.Uuid(), nullable=False),
    sa.Column('appointment_id', sa.Uuid(), nullable=True),
    sa.Column('agent_id', sa.Integer(), nullable=False),
    sa.Column('place_id', sa.Text(), nullable=True),
    sa.Column('kind_id', sa.Text(), nullable=False),
    sa.Column('mode', sa.Enum('here', 'phone', 'video', 'home', name='mode_known', native_enum=False, create_constraint=True, length=40), nullable=False),
    sa.Column('during', postgresql.TSTZRANGE(), nullable=False),
    sa.Column('offered_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('until', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('state', sa.Enum('offered', 'accepted', 'declined', 'lapsed', name='answer_known', native_enum=False, create_constraint=True, length=40), nullable=False),
    sa.ForeignKeyConstraint(['agent_id'], ['agents.id'], name=op.f('slot_offers_agent_id_fkey')),
    sa.ForeignKeyConstraint(['appointment_id'], ['appointments.id'], name=op.f('slot_offers_appointment_id_fkey'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['kind_id'], ['kinds.id'], name=op.f('slot_offers_kind_id_fkey')),
    sa.ForeignKeyConstraint(['place_id'], ['places.id'], name=op.f('slot_offers_place_id_fkey')),
    sa.ForeignKeyConstraint(['request_id'], ['requests.id'], name=op.f('slot_offers_request_id_fkey')),
    sa.ForeignKeyConstraint(['waiting_id'], ['waiting_entries.id'], name=op.f('slot_offers_waiting_id_fkey')),
    sa.PrimaryKeyConstraint('id', name=op.f('slot_offers_pkey'))
    )
    op.create_index('slot_offers_waiting_id_idx', 'slot_offers', ['waiting_id'], unique=False)
    op.create_index('slot_offers_appointment_id_idx', 'slot_offers', ['appointment_id'], unique=False)
    op.create_index('slot_offers_once_idx', 'slot_offers', ['request_id', 'agent_id', sa.literal_column('lower(during)')], unique=True)
    op.create_index('slot_offers_one_idx', 'slot_offers', ['waiting_id'], unique=True, postgresql_where=sa.text("state = 'offered'"))
    op.create_index('slot_offers_until_idx', 'slot_offers', ['until'], unique=False, postgresql_where=sa.text("state = 'offered'"))
    op.add_column('notifications', sa.Column('offer_id', sa.Uuid(), nullable=True))
    op.create_foreign_key(op.f('notifications_offer_id_fkey'), 'notifications', 'slot_offers', ['offer_id'], ['id'])
    op.create_index('notifications_offer_id_idx', 'notifications', ['offer_id'], unique=False, postgresql_where=sa.text("state IN ('pending', 'by_hand') AND offer_id IS NOT NULL"))
    for statements in (AGENTS, RIGHTS):
        op.get_bind().exec_driver_sql(statements)
