"""The kiosks of the houses.

The portal has no right to either table: it asks which house a key belongs to, calls that house's reception, and ends
the call with the visit. `visits.carried_at` says that somebody who waits went on with a device of their own.
"""

from alembic import op
import sqlalchemy as sa

revision = '0015'
down_revision = '0014'

RIGHTS = '''
GRANT SELECT, INSERT, DELETE ON kiosks TO allervers_backoffice;
GRANT SELECT, UPDATE (seen_at, seen_by) ON kiosk_calls TO allervers_backoffice;
GRANT SELECT (carried_at), UPDATE (carried_at) ON visits TO allervers_portal;
'''

FUNCTIONS = '''
CREATE FUNCTION kiosk_of(hashed text) RETURNS TABLE (id uuid, house_id text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
AS $$ SELECT kiosks.id, kiosks.house_id FROM kiosks WHERE key_hash = hashed $$;

CREATE FUNCTION call_reception(hashed text, called_at timestamptz) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    kiosk uuid;
BEGIN
    SELECT kiosks.id INTO kiosk FROM kiosks WHERE key_hash = hashed;
    IF kiosk IS NULL THEN
        RETURN false;
    END IF;
    INSERT INTO kiosk_calls (kiosk_id, at) VALUES (kiosk, called_at)
    ON CONFLICT (kiosk_id) WHERE seen_at IS NULL DO UPDATE SET at = EXCLUDED.at;
    RETURN true;
END
$$;

CREATE FUNCTION end_kiosk_call(hashed text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DELETE FROM kiosk_calls WHERE seen_at IS NULL AND kiosk_id = (SELECT kiosks.id FROM kiosks WHERE key_hash = hashed)
$$;

REVOKE ALL ON FUNCTION kiosk_of(text), call_reception(text, timestamptz), end_kiosk_call(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION kiosk_of(text), call_reception(text, timestamptz), end_kiosk_call(text) TO allervers_portal;
'''


def upgrade() -> None:
    op.create_table('kiosks',
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('house_id', sa.Text(), nullable=False),
    sa.Column('name', sa.Text(), nullable=False),
    sa.Column('key_hash', sa.Text(), nullable=False),
    sa.Column('made_at', sa.TIMESTAMP(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['house_id'], ['houses.id'], name=op.f('kiosks_house_id_fkey')),
    sa.PrimaryKeyConstraint('id', name=op.f('kiosks_pkey')),
    sa.UniqueConstraint('key_hash', name=op.f('kiosks_key_hash_key'))
    )
    op.create_index(op.f('kiosks_house_id_idx'), 'kiosks', ['house_id'])
    op.create_table('kiosk_calls',
    sa.Column('id', sa.Uuid(), server_default=sa.text('gen_random_uuid()'), nullable=False),
    sa.Column('kiosk_id', sa.Uuid(), nullable=False),
    sa.Column('at', sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('seen_at', sa.TIMESTAMP(timezone=True), nullable=True),
    sa.Column('seen_by', sa.Integer(), nullable=True),
    sa.ForeignKeyConstraint(['kiosk_id'], ['kiosks.id'], name=op.f('kiosk_calls_kiosk_id_fkey'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['seen_by'], ['agents.id'], name=op.f('kiosk_calls_seen_by_fkey')),
    sa.PrimaryKeyConstraint('id', name=op.f('kiosk_calls_pkey'))
    )
    op.create_index(op.f('kiosk_calls_kiosk_id_idx'), 'kiosk_calls', ['kiosk_id'])
    op.create_index('kiosk_calls_waiting_idx', 'kiosk_calls', ['kiosk_id'], unique=True, postgresql_where=sa.text('seen_at IS NULL'))
    op.add_column('visits', sa.Column('carried_at', sa.TIMESTAMP(timezone=True), nullable=True))
    op.execute(RIGHTS)
    op.execute(FUNCTIONS)
