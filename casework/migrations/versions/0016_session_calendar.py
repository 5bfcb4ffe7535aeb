"""Calendar files of group sessions: the portal reads which version it shows, and a calendar changes its entry."""

from alembic import op

revision = '0016'
down_revision = '0015'


def upgrade() -> None:
    op.execute('GRANT SELECT (version) ON group_sessions TO allervers_portal')
