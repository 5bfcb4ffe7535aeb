"""The memory of translations: the same sentence is never computed twice."""

revision = '0014'
down_revision = '0013'


def upgrade() -> None:
    pass
