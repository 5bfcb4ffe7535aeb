"""Alembic's entry: run the migrations on the connection it is handed."""

from alembic import context

from casework.models import Base


def is_ours(_object: object, name: str | None, type_: str, _reflected: bool, _compared: object) -> bool:
    """The task queue keeps its own tables."""
    return not (type_ == "table" and name is not None and name.startswith("procrastinate_"))


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    include_object=is_ours,
    compare_type=True,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
