"""The words of the rights pages, to find them by."""

from alembic import op
import sqlalchemy as sa

revision = '0011'
down_revision = '0010'


def upgrade() -> None:
    op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    op.create_table('rights_words',
    sa.Column('language', sa.Text(), nullable=False),
    sa.Column('slug', sa.Text(), nullable=False),
    sa.Column('word', sa.Text(), nullable=False),
    sa.Column('worth', sa.Float(), nullable=False),
    sa.PrimaryKeyConstraint('language', 'slug', 'word', name=op.f('rights_words_pkey'))
    )
    op.create_index('rights_words_word_idx', 'rights_words', ['word'], unique=False)
    op.create_index('rights_words_like_idx', 'rights_words', ['word'], unique=False, postgresql_using='gin', postgresql_ops={'word': 'gin_trgm_ops'})
    op.create_table('rights_digests',
    sa.Column('digest', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('digest', name=op.f('rights_digests_pkey'))
    )
    op.execute("GRANT SELECT ON rights_words TO allervers_portal")
    op.execute("GRANT SELECT ON rights_words, rights_digests TO allervers_backoffice")
