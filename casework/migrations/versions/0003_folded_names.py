"""Find the same person again whatever the accents, the case and the hyphens of their name."""

import sqlalchemy as sa
from alembic import op

from casework.territory import fold

revision = "0003"
down_revision = "0002"

BATCH = 1000


def upgrade() -> None:
    op.add_column("requests", sa.Column("name_folded", sa.Text(), nullable=False, server_default=""))
    connection = op.get_bind()
    named = connection.execute(sa.text("SELECT id, name FROM requests WHERE name <> ''")).all()
    for start in range(0, len(named), BATCH):
        connection.execute(
            sa.text("UPDATE requests SET name_folded = :folded WHERE id = :id"),
            [{"id": row.id, "folded": fold(row.name)} for row in named[start : start + BATCH]],
        )
    op.alter_column("requests", "name_folded", server_default=None)
