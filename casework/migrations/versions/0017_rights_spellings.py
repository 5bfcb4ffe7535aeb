"""Misspelt words are compared with each word once, not with each page that has it."""

from alembic import op
import sqlalchemy as sa

revision = '0017'
down_revision = '0016'


def upgrade() -> None:
    op.drop_index('rights_words_like_idx', 'rights_words')
    op.create_table('rights_spellings',
    sa.Column('word', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('word', name=op.f('rights_spellings_pkey'))
    )
    op.create_index('rights_spellings_like_idx', 'rights_spellings', ['word'], unique=False, postgresql_using='gin', postgresql_ops={'word': 'gin_trgm_ops'})
    op.execute("GRANT SELECT ON rights_spellings TO allervers_portal, allervers_backoffice")
    op.execute("DELETE FROM rights_digests")  # the words are made anew at the next start
