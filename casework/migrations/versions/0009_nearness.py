"""Near and far, which kind of appointment a request needs, and the warning before a house runs dry."""

from alembic import op
import sqlalchemy as sa

revision = '0009'
down_revision = '0008'


def upgrade() -> None:
    op.add_column('communes', sa.Column('latitude', sa.Float(), nullable=True))
    op.add_column('communes', sa.Column('longitude', sa.Float(), nullable=True))
    op.create_check_constraint('point', 'communes', '(latitude IS NULL) = (longitude IS NULL)')
    op.add_column('requests', sa.Column('kind_id', sa.Text(), nullable=True))
    op.create_foreign_key(op.f('requests_kind_id_fkey'), 'requests', 'kinds', ['kind_id'], ['id'])
    op.add_column('houses', sa.Column('stock_days', sa.SmallInteger(), server_default='5', nullable=False))
    op.add_column('houses', sa.Column('stock_told_on', sa.Date(), nullable=True))
    op.add_column('houses', sa.Column('stock_short', sa.Boolean(), server_default=sa.false(), nullable=False))
    op.create_index('appointments_house_made_idx', 'appointments', ['house_id', 'made_at'], unique=False)
    op.execute("GRANT SELECT (kind_id) ON requests TO allervers_portal")
