"""What a look at a database server of the fake world shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.core.facts import DatabaseFacts, ReplicationFacts
from tests.simulation.database import Server

if TYPE_CHECKING:
    from tests.simulation.senses import SeeingNode
    from tests.simulation.world import World


def position(world: World, database: Server, length: int | None = None) -> str:
    """The last transaction that the server holds (or the one at that length of its log), as a position."""
    length = len(database.log) if length is None else length
    if not length:
        return ""
    writer = world.transactions[database.log[length - 1]].node
    return f"0-{'ab'.index(writer) + 1}-{length}"


def acknowledged_position(world: World, database: Server) -> str:
    """Where the first commit that still waits begins, as the real server knows it."""
    return position(world, database, min((needed - 1 for needed, _ in database.waiting), default=None))


def database_facts(node: SeeingNode) -> DatabaseFacts:
    """The facts that the real adapter would read now."""
    world, database = node.world, node.database
    newest = next((number for number in reversed(database.log) if world.transactions[number].probe), None)
    return DatabaseFacts(
        engine="mariadb",
        version="",
        uptime_s=node.local(world.now) - node.local(database.started_at),
        process_id=database.process_id,
        read_only=database.read_only,
        position=position(world, database),
        binlog_state="",
        semi_sync_enabled=database.semi_sync,
        semi_sync_clients=database.clients(world.now),
        replication=_replication_facts(database) if database.follows else None,
        beat_age_s=None if newest is None else world.now - world.transactions[newest].at,
    )


def _replication_facts(database: Server) -> ReplicationFacts:
    return ReplicationFacts(
        receiver_running=database.connected,
        applier_running=True,
        receiver_error_number=0 if database.connected else database.error_number,
        receiver_error="",
        applier_error_number=0,
        applier_error="",
        received_position="",
        applied_position="",
        source_host="peer",
        semi_sync=True,
    )
