"""Calls between browsers: tickets, and the signals that two pages exchange before they see each other."""

revision = '0013'
down_revision = '0012'


def upgrade() -> None:
    pass
