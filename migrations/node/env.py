"""Alembic's way into the node store: the caller of app.migrate hands over an open connection."""

from alembic import context

from app.models.node import NodeBase

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=NodeBase.metadata,
    render_as_batch=True,
    transactional_ddl=True,
)
context.run_migrations()
