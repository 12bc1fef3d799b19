"""What the pilot can tell the monitor to do, one frozen dataclass for each act.

The monitor carries out the acts of one decision in their order and stops at the first that fails: the order is part
of the meaning (a standby is recorded as out *before* commits stop waiting for it). What was not done is decided again
at the next tick, so every act is idempotent. `why` is the sentence that becomes the log line, `rule` the name of the
rule that fired.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from app.core.events import EventSpec
from app.core.state import FenceReason
from app.core.virtual_address import VirtualAddress


class Cause(StrEnum):
    """Why a node became primary."""

    SETUP = "setup"
    FAILOVER = "failover"
    HANDOVER = "handover"
    TAKEOVER = "takeover"
    SWAP = "swap"
    RESUME = "resume"


@dataclass(frozen=True, kw_only=True)
class Act:
    """Base of all acts."""

    rule: str
    why: str


@dataclass(frozen=True, kw_only=True)
class Lift(Act):
    """The durable fence is gone (moves.lift), then the database accepts application writes."""


@dataclass(frozen=True, kw_only=True)
class FenceSelf(Act):
    """The fence is recorded durably (moves.fence), then the database refuses application writes and clients are
    closed."""

    reason: FenceReason
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class EnforceReadOnly(Act):
    """The database refuses application writes again; nothing durable changes. For a database that was found writable
    on a node that must not be."""


@dataclass(frozen=True, kw_only=True)
class RecordStandbyOut(Act):
    """It is durable that the standby is out of the pair (moves.record_standby_out), and how far it has everything.
    Comes before SetSemiSync(False)."""

    detail: str = ""
    shared_position: str = ""
    """Up to here at least it has everything; empty where that is not known."""
    ask_further: bool = False
    """The database knows how much more it has acknowledged since."""


@dataclass(frozen=True, kw_only=True)
class RecordStandbyBack(Act):
    """It is durable that the standby is part of the pair again (moves.record_standby_back)."""


@dataclass(frozen=True, kw_only=True)
class AwaitSecondary(Act):
    """It is durable that this primary waits for APPLY on the secondary again (moves.await_secondary): the set-up
    that was begun there goes on no more."""


@dataclass(frozen=True, kw_only=True)
class SetSemiSync(Act):
    """Commits wait for the standby (True) or no longer do (False)."""

    enabled: bool


@dataclass(frozen=True, kw_only=True)
class Promote(Act):
    """This node takes over by the promotion steps. Also told after a restart while a promotion is unfinished: then
    `term` is the one that was written, and the steps are resumed."""

    cause: Cause
    term: int
    """The term to write: the own term + 1, or the written one when resuming."""
    lost_bound: str
    """What the administrator is told could be lost."""
    resume: bool = False
    catch_up: bool = False
    """When resuming: the database was restarted since the promotion was begun, so what it had received and not applied
    is gone from here. The peer's database, which is fenced by the higher term, is asked for it first."""


@dataclass(frozen=True, kw_only=True)
class Rejoin(Act):
    """The rejoin of this node as secondary of the peer begins, as a job (nothing if one is under way)."""

    term: int
    """The peer's term."""


@dataclass(frozen=True, kw_only=True)
class RestartDatabase(Act):
    """The database service was restarted once."""


@dataclass(frozen=True, kw_only=True)
class Handover(Act):
    """This primary gives its role up: it is durably fenced (reason `handover`), which its standby sees in the next
    heartbeat and takes over."""

    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class AdoptTerm(Act):
    """This secondary durably knows the term of its primary (moves.adopt_term)."""

    term: int


@dataclass(frozen=True, kw_only=True)
class RecordStable(Act):
    """It is durable that the pair was stable again since the last failover (moves.record_stable)."""


@dataclass(frozen=True, kw_only=True)
class AskOthers(Act):
    """Gateway and targets (not the peer) are pinged now, not at the next round, and the network report is renewed."""


@dataclass(frozen=True, kw_only=True)
class TakeAddress(Act):
    """The virtual address is on this server, and its neighbours in the network know."""

    address: VirtualAddress


@dataclass(frozen=True, kw_only=True)
class GiveUpAddress(Act):
    """No virtual address is on this server."""


@dataclass(frozen=True, kw_only=True)
class RaiseAlarm(Act):
    """The alarm is up; it is raised once and stays until it is cleared."""

    code: str
    text: str


@dataclass(frozen=True, kw_only=True)
class ClearAlarm(Act):
    """The alarm is down."""

    code: str


@dataclass(frozen=True, kw_only=True)
class EmitEvent(Act):
    """The event is in the outbox, once for its key."""

    event: EventSpec
