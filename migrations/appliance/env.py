"""Alembic's way into the appliance store: the caller of app.migrate hands over an open connection."""

from alembic import context

from app.models.appliance import ApplianceBase

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=ApplianceBase.metadata,
    render_as_batch=False,
    transactional_ddl=False,
)
context.run_migrations()
