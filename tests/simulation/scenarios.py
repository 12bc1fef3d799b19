"""Named scenarios: what happens in them is kept as a readable transcript beside this file.

The main stories of the failover page, and one for each bug that the simulation has found. The transcripts are made by
`python -m tests.simulation --transcripts` and compared by a test, so that every change of a decision is seen.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from app.core.pairconfig import PairConfig, ProtectionMode
from tests.simulation.faults import Fault
from tests.simulation.run import Result, run

FOLDER = Path(__file__).parent / "transcripts"
AVAILABILITY = PairConfig(ping_interval_s=1.0, ping_iterations=3, semi_sync_fallback_s=10.0)
PROTECTION = replace(AVAILABILITY, protection_mode=ProtectionMode.PROTECTION)
PERFORMANCE = replace(AVAILABILITY, protection_mode=ProtectionMode.PERFORMANCE)
SLOW_DETECTION = replace(AVAILABILITY, ping_iterations=20)


@dataclass(frozen=True)
class Scenario:
    """One story; the seed only moves phases and delays."""

    name: str
    sentence: str
    plan: tuple[Fault, ...]
    config: PairConfig = AVAILABILITY
    seed: int = 7

    @property
    def path(self) -> Path:
        return FOLDER / f"{self.name}.txt"

    def play(self) -> Result:
        return run(self.seed, self.config, self.plan, tracing=True)

    def transcript(self) -> str:
        """The story as text."""
        result = self.play()
        config = self.config
        mode = f"window {config.detection_window_s:g} s, protection mode {config.protection_mode}"
        head = [
            self.sentence,
            "",
            f"{mode}; node a is primary, node b secondary",
            *(f"  {fault}" for fault in self.plan),
            "",
        ]
        outcome = result.failure or f"held; stable {result.stable_after_s:.1f} s after the last fault"
        tail = ["", f"{outcome}; {result.failovers} failover, {result.rescued} transactions rescued", ""]
        return "\n".join([*head, *result.trace, *tail])


SCENARIOS = (
    Scenario(
        "power-cut-of-the-primary",
        "The primary loses power; the secondary takes over; the old primary comes back and rejoins.",
        (Fault(1.0, "crash", "a", 12.0),),
    ),
    Scenario(
        "short-power-cut-of-the-primary",
        "The primary is back before the window ends: it asks and goes on.",
        (Fault(1.0, "crash", "a", 0.5),),
        replace(AVAILABILITY, ping_iterations=10),
    ),
    Scenario(
        "power-cut-of-the-secondary",
        "The secondary loses power; the primary records it as out and goes on; it comes back.",
        (Fault(1.0, "crash", "b", 14.0),),
    ),
    Scenario(
        "power-cut-of-both",
        "Both lose power at once; the secondary returns first and waits for its primary.",
        (Fault(1.0, "crash", "a", 10.0), Fault(1.0, "crash", "b", 3.0)),
    ),
    Scenario(
        "secondary-cut-off",
        "The secondary loses its network: it sees that, and never takes over.",
        (Fault(1.0, "isolate", "b", 14.0),),
    ),
    Scenario(
        "primary-cut-off",
        "The primary loses its network: it fences itself before the secondary takes over.",
        (Fault(1.0, "isolate", "a", 12.0),),
    ),
    Scenario(
        "primary-cut-off-for-less-than-the-window",
        "The primary loses its network for a while: it fences itself, asks, and is lifted.",
        (Fault(1.0, "isolate", "a", 19.3),),
        SLOW_DETECTION,
    ),
    Scenario(
        "only-the-link-between-them",
        "Only the link between the two is cut: the secondary takes over beside a living primary; the higher "
        "term wins and the other side's work is rescued.",
        (Fault(1.0, "cut-peer", "a", 14.0),),
    ),
    Scenario(
        "only-the-link-between-them-in-protection",
        "The same in protection: neither acknowledges anything alone, nothing acknowledged diverges.",
        (Fault(1.0, "cut-peer", "a", 14.0),),
        PROTECTION,
    ),
    Scenario(
        "primary-without-ping",
        "The primary only stops answering pings: an alarm, no failover.",
        (Fault(1.0, "drop-ping", "a", 12.0),),
    ),
    Scenario(
        "frozen-primary",
        "The primary is frozen; its kernel still answers pings. It is replaced, and rejoins when it thaws.",
        (Fault(1.0, "pause", "a", 12.0),),
    ),
    Scenario(
        "dead-monitor",
        "The primary's monitor is killed and comes back: nothing else happens.",
        (Fault(1.0, "kill-monitor", "a", 4.0),),
    ),
    Scenario(
        "dead-database",
        "The primary's database is killed and restarted by its supervisor: the primary opens it again.",
        (Fault(1.0, "kill-database", "a", 0.8),),
        replace(AVAILABILITY, ping_iterations=10),
    ),
    Scenario(
        "full-disk",
        "The primary's disk is full: its database is restarted once, then the role is handed over.",
        (Fault(1.0, "disk-full", "a", 20.0),),
    ),
    Scenario(
        "announced-maintenance",
        "A reboot that was announced is no reason to take over.",
        (Fault(1.0, "maintenance", "a", 14.0), Fault(2.0, "crash", "a", 10.0)),
    ),
    Scenario(
        "full-disk-of-the-secondary",
        "The secondary's disk is full: it lives and is connected, but acknowledges nothing. It is dropped.",
        (Fault(1.0, "disk-full", "b", 20.0),),
    ),
    Scenario(
        "found-own-pause-taken-for-silence",
        "Found by seed 311959: a secondary that was paused itself must not count that time as the primary's silence.",
        (Fault(1.1, "pause", "b", 13.6), Fault(11.5, "pause", "a", 8.3)),
        replace(AVAILABILITY, ping_iterations=12),
    ),
    Scenario(
        "found-cut-off-primary-blames-its-standby",
        "Found by seed 502737: a primary that is cut off must not take the missing acknowledgements for its standby's "
        "fault and go on alone.",
        (Fault(6.1, "isolate", "a", 14.1),),
        replace(AVAILABILITY, ping_iterations=12, semi_sync_fallback_s=4.0),
    ),
    Scenario(
        "found-old-look-at-the-database",
        "Found by seed 503540: the standby was dropped, then the database died; an older look at it must not bring the "
        "standby back.",
        (Fault(3.2, "cut-peer", "a", 2.4), Fault(4.8, "pause", "a", 3.9), Fault(9.2, "kill-database", "a", 1.9)),
        replace(AVAILABILITY, ping_iterations=12, semi_sync_fallback_s=4.0),
    ),
    Scenario(
        "takeover-by-hand",
        "An administrator makes the secondary primary while the link is cut: the old primary follows later.",
        (Fault(1.0, "isolate", "b", 8.0), Fault(3.0, "force", "b", 1.0)),
    ),
    Scenario(
        "primary-unknown-resumed-by-hand",
        "The primary comes back alone and can't ask its peer: it stays closed until an administrator resumes it.",
        (Fault(1.0, "crash", "b", 20.0), Fault(1.5, "crash", "a", 2.0), Fault(14.0, "force", "a", 1.0)),
    ),
    Scenario(
        "gateway-lost",
        "Both lose their gateway, but hear each other: nothing happens.",
        (Fault(1.0, "gateway-down", "a", 12.0),),
    ),
    Scenario(
        "crash-in-the-middle-of-a-takeover",
        "The secondary loses power while it takes over: the takeover is finished after its boot.",
        (Fault(0.5, "crash-in-act", "b", 2.0, act="Promote", step=4), Fault(1.0, "crash", "a", 14.0)),
    ),
    Scenario(
        "found-relay-log-lost-in-a-takeover",
        "Found by seed 1749: the database that takes over was killed with received transactions that were not"
        " applied. It must not take over without them.",
        (
            Fault(0.5, "slow-apply", "b", 14.0, amount=4.0),
            Fault(1.5, "crash", "a", 12.0),
            Fault(1.0, "crash-in-act", "b", 2.0, act="Promote", step=3),
        ),
        PROTECTION,
    ),
    Scenario(
        "planned-swap",
        "An administrator swaps the roles: the primary closes, the other takes over at exactly its last position.",
        (Fault(1.0, "swap", "a", 1.0),),
    ),
    Scenario(
        "swap-whose-primary-loses-power",
        "The primary loses power right after it closed for a swap; back again it asks how the swap has ended.",
        (Fault(1.0, "swap", "a", 1.0), Fault(0.5, "crash-in-act", "a", 6.0, act="Swap", step=8)),
        SLOW_DETECTION,
    ),
    Scenario(
        "swap-whose-peer-freezes",
        "The secondary freezes as it is asked to take over: the swap ends one way or the other, with one primary.",
        (Fault(1.0, "swap", "a", 1.0), Fault(1.065, "pause", "b", 11.0)),
        SLOW_DETECTION,
    ),
    Scenario(
        "swap-whose-link-is-cut",
        "The link is cut while the roles are swapped: the closed primary stays closed until the other one answers.",
        (Fault(1.0, "swap", "a", 1.0), Fault(1.065, "cut-peer", "a", 14.0)),
        SLOW_DETECTION,
    ),
    Scenario(
        "found-swap-request-that-came-twice",
        "Found by doubled requests: a swap was given up, and its requests arrived once more. It is not begun again.",
        (Fault(1.0, "swap", "a"), Fault(1.0, "slow-apply", "b", 9.0, amount=20.0)),
        SLOW_DETECTION,
        seed=9,
    ),
    Scenario(
        "found-file-written-in-a-swap",
        "Found by seed 29 with files: a program changed a file between the last flush of a swap and the "
        "takeover. The new primary's tree wins, the change is rescued.",
        (Fault(1.0, "swap", "a", 1.0),),
        seed=15,
    ),
    Scenario(
        "found-database-restarted-during-a-pause",
        "Found by seed 10000493: the secondary's database was restarted while its monitor stood still, and had run for "
        "longer than before when that one looked again. It still counts as not caught up, and does not take over.",
        (
            Fault(3.87, "pause", "b", 12.51),
            Fault(5.73, "kill-database", "b", 0.3),
            Fault(8.24, "cut-peer", "a", 11.7),
        ),
        replace(PROTECTION, semi_sync_fallback_s=10.0, failover_lag_bound_s=2.0),
        seed=10000493,
    ),
    Scenario(
        "found-frozen-primary-after-an-own-pause",
        "Found by seed 10065746: the secondary stood still, then its primary froze before it was heard again. The "
        "secondary's own pause does not count as the primary's silence, though it still counted as heard.",
        (Fault(3.64, "pause", "b", 2.38), Fault(5.8, "pause", "a", 4.87)),
        replace(AVAILABILITY, ping_iterations=5),
        seed=10065746,
    ),
    Scenario(
        "found-promotion-that-slept",
        "Found by seed 10032137: a swap's new primary could not open its full disk, stood still, and was replaced. "
        "Awake again it looks once more before it goes on with its promotion.",
        (
            Fault(4.92, "swap", "b", 0.26),
            Fault(5.041, "disk-full", "b", 1.21),
            Fault(6.29, "pause", "b", 6.5),
        ),
        PROTECTION,
        seed=10032137,
    ),
    Scenario(
        "teardown",
        "An administrator ends the pair on its primary: both servers are standalone and take writes.",
        (Fault(1.0, "teardown", "a", 1.0),),
    ),
    Scenario(
        "teardown-while-the-secondary-is-cut-off",
        "The pair is ended while its secondary is cut off: back again that one sees that its primary lives, does not "
        "take over, and is ended by itself.",
        (Fault(1.0, "isolate", "b", 40.0), Fault(2.0, "teardown", "a", 1.0)),
    ),
    Scenario(
        "found-own-database-down",
        "Found by seed 10036: a secondary whose own database is down does not try to take over.",
        (Fault(1.0, "kill-database", "b", 3.0), Fault(1.1, "crash", "a", 14.0)),
    ),
)
