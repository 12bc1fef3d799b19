"""The part of the applied configuration that decisions are made with, in Python names and units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from app.core.virtual_address import VirtualAddress, read

HEARTBEAT_INTERVAL_MAX_S = 1.0
"""A heartbeat is asked for at least this often."""
SEMI_SYNC_FALLBACK_S = 10.0
"""In `availability`, commits wait at most this long for a lost standby."""
PING_TIMEOUT_MAX_S = 2.0
LAST_PING_MIN_S = 0.2
LAST_PING_FACTOR = 10.0
"""The ping that ends the window waits this many times as long as answers have taken, and never less than the bound."""


class ProtectionMode(StrEnum):
    """What a commit waits for; the promise of each is in docs/failover.md."""

    PERFORMANCE = "performance"
    AVAILABILITY = "availability"
    PROTECTION = "protection"


@dataclass(frozen=True)
class PairConfig:
    """Defaults are those of the manual, and of the fields that we add."""

    ping_interval_s: float = 15.0
    ping_iterations: int = 12
    protection_mode: ProtectionMode = ProtectionMode.AVAILABILITY
    service_failover: bool = True
    failover_lag_bound_s: float = 30.0
    anti_flapping_s: float = 900.0
    standby_online_event: bool = False
    file_sync_interval_s: float = 5.0
    ping_targets: tuple[str, ...] = ()
    semi_sync_fallback_s: float = SEMI_SYNC_FALLBACK_S
    virtual_address: VirtualAddress | None = None

    @property
    def detection_window_s(self) -> float:
        """How long the primary must have been silent before its standby takes over."""
        return self.ping_iterations * self.ping_interval_s

    @property
    def isolation_fence_s(self) -> float:
        """For how long a primary may hear nobody: one ping interval less than its standby's window."""
        return (self.ping_iterations - 1) * self.ping_interval_s

    @property
    def ping_timeout_s(self) -> float:
        """A ping without an answer in this time has failed."""
        return min(self.ping_interval_s / 2, PING_TIMEOUT_MAX_S)

    def ping_patience_s(self, missed: int, usual_s: float | None) -> float:
        """How long the next ping waits for its answer, after so many that failed in a row.

        The one that ends the window follows others that had the whole time and failed: it needs no more of it than
        answers usually take, and the failover comes that much earlier.
        """
        if usual_s is None or missed == 0 or missed + 1 != self.ping_iterations:
            return self.ping_timeout_s
        return min(self.ping_timeout_s, max(LAST_PING_MIN_S, LAST_PING_FACTOR * usual_s))

    @property
    def heartbeat_interval_s(self) -> float:
        """Seconds between two heartbeat requests to the peer."""
        return min(HEARTBEAT_INTERVAL_MAX_S, self.ping_interval_s / 2)

    @property
    def heard_s(self) -> float:
        """A peer whose last heartbeat reply is at most this old counts as heard: two may be missed."""
        return 3 * self.heartbeat_interval_s

    @property
    def commits_wait(self) -> bool:
        """Whether a commit waits for a standby that is in the pair."""
        return self.protection_mode is not ProtectionMode.PERFORMANCE


def pair_config(applied: Mapping[str, Any]) -> PairConfig:
    """The values of the applied configuration (the manual's field names); what is missing has its default."""
    default = PairConfig()

    def value(name: str, otherwise: Any) -> Any:
        found = applied.get(name)
        return otherwise if found is None or found == "" else found

    targets = (applied.get(f"HAPingMonitor{number}") for number in (1, 2, 3))
    return PairConfig(
        ping_interval_s=float(value("HAPingInterval", default.ping_interval_s)),
        ping_iterations=int(value("HAPingIterations", default.ping_iterations)),
        protection_mode=ProtectionMode(value("HAProtectionMode", default.protection_mode)),
        service_failover=bool(value("HAServiceFailover", default.service_failover)),
        failover_lag_bound_s=float(value("HAFailoverLagBound", default.failover_lag_bound_s)),
        anti_flapping_s=float(value("HAAntiFlappingTime", default.anti_flapping_s)),
        standby_online_event=bool(value("HAStandbyOnlineEvent", default.standby_online_event)),
        file_sync_interval_s=float(value("HAFileSyncInterval", default.file_sync_interval_s)),
        ping_targets=tuple(str(target) for target in targets if target),
        virtual_address=read(applied.get("HAVirtualAddress")),
    )
