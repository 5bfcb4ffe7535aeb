"""People answer by text message, and say how they may be told things."""

revision = '0006'
down_revision = '0005'


def upgrade() -> None:
    pass
