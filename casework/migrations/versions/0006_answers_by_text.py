"""People answer by text message, and say how they may be told things.

The portal, which the provider reaches, only puts a text in, through `receive_text`; it reads none back.
"""

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

revision = '0006'
down_revision = '0005'

DELIVERIES = ("pending", "sent", "failed", "shown", "by_hand", "done", "stopped")

RECEIVING = '''
CREATE FUNCTION receive_text(p_provider_id text, p_sender text, p_body text, p_at timestamptz) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS
$$
-- The same text twice is once; longer than it may be, it is cut.
DECLARE made uuid;
BEGIN
    INSERT INTO incoming_texts (id, provider_id, sender, body, received_at, state, set_aside_by)
    VALUES (gen_random_uuid(), left(p_provider_id, 200), left(p_sender, 20), left(p_body, 5000), p_at, 'new', '{}')
    ON CONFLICT (provider_id) DO NOTHING RETURNING id INTO made;
    IF made IS NULL THEN
        RETURN false;
    END IF;
    PERFORM procrastinate_defer_jobs_v1(ARRAY[ROW(
        'default', 'take_text', 0, NULL, NULL, jsonb_build_object('row_id', made), NULL
    )]::procrastinate_job_to_defer_v1[]);
    RETURN true;
END
$$;
REVOKE EXECUTE ON FUNCTION receive_text FROM PUBLIC;
GRANT EXECUTE ON FUNCTION receive_text TO allervers_portal;
'''

RIGHTS = '''
GRANT SELECT, UPDATE, DELETE ON incoming_texts TO allervers_backoffice;
GRANT SELECT, INSERT, DELETE ON stopped_numbers TO allervers_backoffice;
GRANT SELECT, INSERT ON calls TO allervers_backoffice;
-- A safe contact is an agent's to put in and to take back; what the person gave stays, and the portal sees nothing of it.
GRANT DELETE ON contact_ways TO allervers_backoffice;
CREATE POLICY the_persons_own_stay ON contact_ways AS RESTRICTIVE FOR DELETE TO allervers_backoffice USING (safe);
DROP POLICY citizen_sees ON contact_ways;
CREATE POLICY citizen_sees ON contact_ways FOR SELECT TO allervers_portal
    USING (request_id = (SELECT opened_request()) AND NOT safe);
DROP POLICY citizen_adds ON contact_ways;
CREATE POLICY citizen_adds ON contact_ways FOR INSERT TO allervers_portal
    WITH CHECK (request_id = (SELECT opened_draft()) AND NOT safe);
'''


def upgrade() -> None:
    op.drop_constraint("notifications_delivery_known_check", "notifications")
    op.create_check_constraint("delivery_known", "notifications", sa.column("state").in_(DELIVERIES))
    op.create_index('notifications_not_delivered_idx', 'notifications', ['request_id'], unique=False,
                    postgresql_where=sa.text("state IN ('failed', 'stopped', 'by_hand')"))
    op.add_column('requests', sa.Column('contact_rule', sa.Enum('usual', 'none', 'other', name='contactrule_known', native_enum=False, create_constraint=True, length=40), server_default='usual', nullable=False))
    op.add_column('contact_ways', sa.Column('safe', sa.Boolean(), server_default='false', nullable=False))
    op.add_column('messages', sa.Column('by_text', sa.Boolean(), server_default='false', nullable=False))
    op.create_table('incoming_texts',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('provider_id', sa.Text(), nullable=False),
    sa.Column('sender', sa.Text(), nullable=False),
    sa.Column('body', sa.Text(), nullable=False),
    sa.Column('received_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('state', sa.Enum('new', 'written', 'to_sort', 'asked', 'stopped', 'allowed', 'answered', 'dropped', name='fate_known', native_enum=False, create_constraint=True, length=40), nullable=False),
    sa.Column('request_id', sa.Uuid(), nullable=True),
    sa.Column('appointment_id', sa.Uuid(), nullable=True),
    sa.Column('set_aside_by', postgresql.ARRAY(sa.Text()), nullable=False),
    sa.Column('done_at', postgresql.TIMESTAMP(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['appointment_id'], ['appointments.id'], name=op.f('incoming_texts_appointment_id_fkey')),
    sa.ForeignKeyConstraint(['request_id'], ['requests.id'], name=op.f('incoming_texts_request_id_fkey')),
    sa.PrimaryKeyConstraint('id', name=op.f('incoming_texts_pkey')),
    sa.UniqueConstraint('provider_id', name=op.f('incoming_texts_provider_id_key'))
    )
    op.create_index('incoming_texts_sender_received_at_idx', 'incoming_texts', ['sender', 'received_at'], unique=False)
    op.create_index('incoming_texts_to_do_idx', 'incoming_texts', ['received_at'], unique=False, postgresql_where=sa.text("state IN ('new', 'to_sort')"))
    op.create_table('stopped_numbers',
    sa.Column('number', sa.Text(), nullable=False),
    sa.Column('stopped_at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('number', name=op.f('stopped_numbers_pkey'))
    )
    op.create_table('calls',
    sa.Column('id', sa.BigInteger(), sa.Identity(always=False), nullable=False),
    sa.Column('request_id', sa.Uuid(), nullable=False),
    sa.Column('agent_id', sa.Integer(), nullable=False),
    sa.Column('at', postgresql.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('reached', sa.Boolean(), nullable=False),
    sa.ForeignKeyConstraint(['agent_id'], ['agents.id'], name=op.f('calls_agent_id_fkey')),
    sa.ForeignKeyConstraint(['request_id'], ['requests.id'], name=op.f('calls_request_id_fkey')),
    sa.PrimaryKeyConstraint('id', name=op.f('calls_pkey'))
    )
    op.create_index('calls_request_id_at_idx', 'calls', ['request_id', 'at'], unique=False)
    op.execute(RECEIVING)
    op.execute(RIGHTS)
    op.execute("GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO allervers_backoffice")
