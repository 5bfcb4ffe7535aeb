"""Agents' own calendars: what goes out, what comes in."""

revision = '0008'
down_revision = '0007'


def upgrade() -> None:
    pass
