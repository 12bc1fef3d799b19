"""One observation boiled down to what the rules ask for: who was heard, who is silent, and since when.

The idea: a life sign is anything that only a living primary (or standby) can send: a heartbeat reply, a heartbeat
request of its own, or something on the replication stream. An answered ping is no life sign, because the kernel of a
frozen server still answers. Silence is counted from the last life sign, or from the monitor's start where there was
none, so that a monitor that has just started never concludes anything from not having looked yet.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.core.facts import Observation, PeerReport
from app.core.pairconfig import PairConfig

STREAM_ALIVE_S = 3.0
"""A replication stream brings something at least each second (MASTER_HEARTBEAT_PERIOD); two may be missed."""
MONITOR_STALE_S = 5.0
"""A peer whose monitor has not ticked for this long has no living monitor, though its peer channel answers."""
PROBE_FRESH_S = 10.0
"""A write probe of the peer's database says nothing any more after this time."""
SECOND_OPINION_MARGIN_S = 3.0
"""An answer of gateway or target proves that the own network is fine without the peer only if it came this much later
than the peer's last heartbeat: both may be answers from before the same cut otherwise."""


@dataclass(frozen=True)
class Sight:
    """What this node sees of the other one and of its own network."""

    missed: int
    """Pings of the peer in a row that failed."""
    needed: int
    """Failed pings in a row that end the detection window."""
    silent_s: float
    """Since the peer's last life sign."""
    heartbeat_silent_s: float
    """Since the peer's last heartbeat, sent or answered."""
    unproven_s: float
    """Since this node last sent a heartbeat that the peer answered: the peer's own silence began no earlier."""
    heartbeat_heard: bool
    monitor_heard: bool
    """The heartbeat was heard, and the peer's monitor is alive behind it."""
    stream_alive: bool
    probe: bool | None
    """Whether the peer's database took a write of ours; None where that was not tried of late."""
    others_answer: bool
    """The own gateway or a ping target answered in the last round."""
    second_opinion: bool
    """The own gateway or a ping target answered well after the peer was last heard."""
    peer: PeerReport | None
    """The peer's last report; current only if heartbeat_heard."""

    @property
    def ping_heard(self) -> bool:
        return self.missed == 0

    @property
    def ping_silent(self) -> bool:
        return self.missed >= self.needed


def look(seen: Observation, config: PairConfig, started_s: float) -> Sight:
    """The sight of one tick; `started_s` is the monotonic time of the monitor's first tick."""
    since_start = max(0.0, seen.now_s - started_s)
    heartbeat_silent = _youngest(since_start, seen.heartbeat_age_s, seen.peer_called_age_s)
    silent = _youngest(heartbeat_silent, seen.replication_alive_age_s)
    reply_age = seen.heartbeat_age_s
    heard = reply_age is not None and reply_age < min(config.heard_s, config.detection_window_s)
    peer = seen.peer
    monitor_alive = peer is not None and peer.monitor_age_s is not None and peer.monitor_age_s < MONITOR_STALE_S
    stream_age = seen.replication_alive_age_s
    probe_fresh = seen.peer_probe_age_s is not None and seen.peer_probe_age_s < PROBE_FRESH_S
    others_age = seen.network.others_answer_age_s
    return Sight(
        missed=seen.network.peer_missed,
        needed=config.ping_iterations,
        silent_s=silent,
        heartbeat_silent_s=heartbeat_silent,
        unproven_s=min(since_start, report_age_s(seen) or 0.0) if reply_age is not None else since_start,
        heartbeat_heard=heard and peer is not None,
        monitor_heard=heard and monitor_alive,
        stream_alive=stream_age is not None and stream_age < min(STREAM_ALIVE_S, config.detection_window_s),
        probe=seen.peer_write_probe_ok if probe_fresh else None,
        others_answer=others_answer(seen),
        second_opinion=others_age is not None and heartbeat_silent - others_age >= SECOND_OPINION_MARGIN_S,
        peer=peer,
    )


def others_answer(seen: Observation) -> bool:
    """Whether the default gateway or any ping target answered in the last round. Unknown is not an answer."""
    return seen.network.gateway_answers is True or any(seen.network.targets.values())


def report_age_s(seen: Observation) -> float | None:
    """How old the peer's report is at most: a reply may have been under way, or waited for a paused host."""
    return seen.heartbeat_age_s if seen.peer_asked_age_s is None else seen.peer_asked_age_s


def _youngest(bound: float, *ages: float | None) -> float:
    return min([bound, *(age for age in ages if age is not None)])
