"""Which social worker supports the reception of a house, half-day by half-day; agents alone read it."""

from alembic import op
import sqlalchemy as sa

revision = '0019'
down_revision = '0018'


def upgrade() -> None:
    op.create_table('back_up_duties',
    sa.Column('id', sa.Integer(), sa.Identity(always=False), nullable=False),
    sa.Column('house_id', sa.Text(), nullable=False),
    sa.Column('weekday', sa.Integer(), nullable=False),
    sa.Column('half', sa.Enum('morning', 'afternoon', name='half_known', native_enum=False, create_constraint=True, length=40), nullable=False),
    sa.Column('agent_id', sa.Integer(), nullable=False),
    sa.CheckConstraint('weekday BETWEEN 0 AND 4', name=op.f('back_up_duties_weekday_check')),
    sa.ForeignKeyConstraint(['agent_id'], ['agents.id'], name=op.f('back_up_duties_agent_id_fkey')),
    sa.ForeignKeyConstraint(['house_id'], ['houses.id'], name=op.f('back_up_duties_house_id_fkey')),
    sa.PrimaryKeyConstraint('id', name=op.f('back_up_duties_pkey')),
    sa.UniqueConstraint('house_id', 'weekday', 'half', name=op.f('back_up_duties_house_id_weekday_half_key'))
    )
    op.create_index(op.f('back_up_duties_agent_id_idx'), 'back_up_duties', ['agent_id'])
    op.execute('GRANT SELECT, INSERT, UPDATE, DELETE ON back_up_duties TO allervers_backoffice')
    op.execute('GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO allervers_backoffice')
