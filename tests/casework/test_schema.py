"""The migrations make exactly the tables the code describes."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from casework.models import Base
from tests.conftest import Database


def test_migrating_an_empty_database_gives_the_models(database: Database) -> None:
    with database.owner.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "compare_type": True,
                "include_object": lambda _o, name, kind, _r, _c: (
                    not (kind == "table" and name.startswith("procrastinate"))
                ),
            },
        )
        assert compare_metadata(context, Base.metadata) == []
