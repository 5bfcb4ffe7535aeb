"""Agents' own calendars: what goes out, what comes in.

The portal has no right to either table.
"""

from alembic import op
import sqlalchemy as sa

revision = '0008'
down_revision = '0007'

RIGHTS = '''
GRANT SELECT, INSERT, UPDATE, DELETE ON calendar_feeds, calendar_links TO allervers_backoffice;
'''


def upgrade() -> None:
    op.create_table('calendar_feeds',
    sa.Column('agent_id', sa.Integer(), nullable=False),
    sa.Column('secret_hash', sa.Text(), nullable=False),
    sa.Column('made_at', sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('read_at', sa.TIMESTAMP(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['agent_id'], ['agents.id'], name=op.f('calendar_feeds_agent_id_fkey')),
    sa.PrimaryKeyConstraint('agent_id', name=op.f('calendar_feeds_pkey')),
    sa.UniqueConstraint('secret_hash', name=op.f('calendar_feeds_secret_hash_key'))
    )
    op.create_table('calendar_links',
    sa.Column('agent_id', sa.Integer(), nullable=False),
    sa.Column('login', sa.Text(), nullable=False),
    sa.Column('sealed_password', sa.LargeBinary(), nullable=False),
    sa.Column('linked_at', sa.TIMESTAMP(timezone=True), nullable=False),
    sa.Column('leaving', sa.Boolean(), nullable=False),
    sa.Column('synced_at', sa.TIMESTAMP(timezone=True), nullable=True),
    sa.Column('next_at', sa.TIMESTAMP(timezone=True), nullable=True),
    sa.Column('error', sa.Enum('password', 'silent', 'missing', 'refused', 'too_large', 'unreadable', 'not_understood', 'sealed', 'unexpected', name='trouble_known', native_enum=False, create_constraint=True, length=40), nullable=True),
    sa.Column('failures', sa.SmallInteger(), nullable=False),
    sa.ForeignKeyConstraint(['agent_id'], ['agents.id'], name=op.f('calendar_links_agent_id_fkey')),
    sa.PrimaryKeyConstraint('agent_id', name=op.f('calendar_links_pkey'))
    )
    op.create_index('calendar_links_login_idx', 'calendar_links', [sa.literal_column('lower(login)')], unique=True)
    op.execute(RIGHTS)
