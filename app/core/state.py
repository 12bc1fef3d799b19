"""What a node knows about itself, durably: the one row of the node store that decides who it is.

It lives in SQLite on the node and is never replicated, so that no restored or replicated database
can change a node's role. `term` only grows: to become primary is to write `term + 1` here before
the database accepts a write, and the rightful primary is the node with the highest term.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from app.core.roles import Role


class Phase(StrEnum):
    """How far the pair is. It says nothing about health: that is the status."""

    NONE = "none"
    """Standalone: there is no pair."""
    INITIALIZED = "initialized"
    """Primary set up, keys exchanged, waiting for APPLY on the secondary."""
    SYNCHRONIZING = "synchronizing"
    """The secondary is being seeded or re-seeded."""
    PAIRED = "paired"
    """Both servers have finished the set-up."""


class FenceReason(StrEnum):
    """Why a node refuses application writes although it is not a secondary. Each has an exit."""

    BOOT = "boot"
    """The node has just started and does not know yet whether it may write."""
    PEER_UNKNOWN = "peer-unknown"
    """A primary came back and can't ask its peer. Exit: the peer answers, or an administrator resumes it."""
    ISOLATED = "isolated"
    """A primary sees neither standby nor gateway nor target. Exit: the network returns and the peer is asked."""
    SUPERSEDED = "superseded"
    """The peer has a higher term. Exit: this node rejoins as secondary."""
    HANDOVER = "handover"
    """This node gave up its role because its database failed. Exit: rejoin."""
    CONFLICT = "conflict"
    """Both nodes are primary of the same term. Exit: an administrator chooses."""
    MONITOR_SILENT = "monitor-silent"
    """The monitor stopped renewing its watch. Exit: the monitor is back and has asked the peer."""
    OPERATION = "operation"
    """A swap, takeover or set-up holds writes back. Exit: the job ends."""


@dataclass(frozen=True)
class Fence:
    """A named refusal of application writes."""

    reason: FenceReason
    since: datetime
    detail: str = ""


@dataclass(frozen=True)
class PeerIdentity:
    """The other server of the pair, as pinned when the two were paired."""

    node_id: str
    hostname: str
    address: str
    host_key: str
    """Its SSH host key on the peer port, one OpenSSH line `ssh-ed25519 AAAA…`."""
    client_key: str
    """The key with which it logs in here, one OpenSSH line."""
    certificate: str
    """The PEM certificate of its database server (self-signed: it is its own authority)."""


@dataclass(frozen=True)
class Promotion:
    """A promotion of this node: written as an intent first, completed with the point."""

    term: int
    at: datetime
    cause: str
    """`failover`, `takeover`, `handover`, `swap` or `setup`."""
    point: str | None = None
    """GTID position (MariaDB list form) from which this node's own history starts; None while running."""
    lost_bound: str = ""
    """What the administrator was told could be lost."""


@dataclass(frozen=True)
class Operation:
    """An announced act (job or maintenance) during which no failover may start by itself."""

    job_id: str
    kind: str
    until: datetime
    """Bound: after it the announcement counts for nothing."""


@dataclass(frozen=True)
class NodeState:
    """The whole durable identity of a node."""

    node_id: str
    role: Role = Role.STANDALONE
    term: int = 0
    phase: Phase = Phase.NONE
    pair_id: str | None = None
    peer: PeerIdentity | None = None
    standby_out: bool = False
    """On a primary: durably recorded that the standby is out of the pair, so commits no longer wait for it."""
    standby_out_since: datetime | None = None
    shared_position: str = ""
    """On a primary whose standby is out: up to where that one is known to have everything; empty where that is not
    known."""
    fence: Fence | None = None
    promotion: Promotion | None = None
    last_failover_at: datetime | None = None
    stable_since_failover: bool = True
    operation: Operation | None = None
    maintenance_until: datetime | None = None
    swap_given_up: str = ""
    """The last swap, by its job, in which this node was asked to take over and will not any more."""


def with_standby_out(state: NodeState, since: datetime | None, shared_position: str = "") -> NodeState:
    """The state with its standby out of the pair since then, and with everything up to that position. Where `since` is
    None no standby is out: it is part of the pair, or there is none."""
    return replace(state, standby_out=since is not None, standby_out_since=since, shared_position=shared_position)


@dataclass(frozen=True)
class Standing:
    """As much of the state as decides whether this node may receive from the one that asks, or send to it."""

    paired: bool
    role: Role
    term: int
    phase: Phase


def standing(state: NodeState) -> Standing:
    """The standing of a node in this state."""
    return Standing(state.peer is not None, state.role, state.term, state.phase)
