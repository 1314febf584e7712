"""What alembic runs to migrate.  The connection is given to it: see `softswitch.store.schema`."""

from alembic import context

from softswitch.store.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_as_batch=True,  # SQLite alters a column only by copying its table
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
