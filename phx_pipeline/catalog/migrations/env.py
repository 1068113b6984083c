"""Alembic's entry point; the connection comes from `catalog.migrate`."""

from alembic import context

from phx_pipeline.catalog import tables
from phx_pipeline.catalog.partial_indexes import add_partial_indexes

add_partial_indexes()
connection = context.config.attributes["connection"]
context.configure(
    connection=connection, target_metadata=tables.metadata, render_as_batch=True
)
with context.begin_transaction():
    context.run_migrations()
