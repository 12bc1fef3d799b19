"""From what the observers left on the board to what one decision looks at."""

from __future__ import annotations

from app.core.facts import NetworkReport, Observation
from jobs.monitor.board import Findings


def observe(found: Findings, now_s: float, *, stalled_s: float = 0.0, called_age_s: float | None = None) -> Observation:
    """The observation of one tick, every age as of `now_s`."""
    network = found.network
    answered_s = network.others_answered_s
    return Observation(
        now_s=now_s,
        network=NetworkReport(
            peer_missed=network.peer_missed,
            peer_round_trip_ms=network.peer_round_trip_ms,
            gateway_answers=network.gateway_answers,
            targets=network.targets,
            sequence=network.sequence,
            others_answer_age_s=None if answered_s is None else max(now_s - answered_s, 0.0),
        ),
        database=found.database.report(now_s),
        peer=found.peer.report,
        heartbeat_age_s=found.peer.age_s(now_s),
        replication_alive_age_s=found.database.stream_age_s(now_s),
        peer_write_probe_ok=found.peer_probe.ok,
        peer_probe_age_s=found.peer_probe.age_s(now_s),
        files_behind=found.files.pending,
        hostname=found.situation.hostname,
        alarms=found.situation.alarms,
        stalled_s=stalled_s,
        peer_asked_age_s=found.peer.asked_age_s(now_s),
        peer_called_age_s=called_age_s,
        held_addresses=found.situation.held_addresses,
    )
