"""Alembic's entry: run the migrations on the connection it is handed."""

from alembic import context

from casework.migrations.ours import is_ours
from casework.models import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    include_object=is_ours,
    compare_type=True,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
