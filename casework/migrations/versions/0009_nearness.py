"""Near and far, and which kind of appointment a request needs."""

revision = '0009'
down_revision = '0008'


def upgrade() -> None:
    pass
