"""The secondary's verdict: whether to take over, and if not, why not.

`Promote` only if all five rules hold:
  1 silence    the detection window has passed: that many pings in a row failed, or the primary was frozen as long;
  2 no life    no life sign (heartbeat, replication stream) came within the window;
  3 network    the own gateway or any ping target answers;
  4 data       this node was caught up since its own last start, and its lag when contact was lost is within the bound;
  5 peace      no maintenance is announced, and the last failover is long ago or the pair was stable since.
Rules 3 to 5 are the obstacles below: each has a reason code and says in a sentence what is in the way, and all of
them are on the status page before anything happens.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from app.core.acts import Cause
from app.core.pairconfig import PairConfig, ProtectionMode
from app.core.roles import Role
from app.core.scene import Scene
from app.core.state import FenceReason, NodeState, Phase

ANNOUNCED_BOUND_S = 600.0
"""An announcement in the peer's last heartbeat counts for nothing after this time."""
PROBE_CONFIRMED_S = 2.0
"""A write probe of the primary that has failed for this long is no accident."""
OWN_DATABASE_NOW_S = 2.0
"""A takeover needs a look at the own database that is at most this old: one that was restarted unnoticed has lost what
it had received and not applied."""
QUIET_KINDS = ("maintenance", "stopping")
"""Announced operations that hold failover back, but are no job of this node: its monitor keeps working."""

HANDOVER_OBSTACLES = ("own-database", "would-lose-data", "maintenance")
"""What can hold a handover back: the primary asks for it, so the network and the time do not matter."""

RULES = (
    ("silence", "HAPingIterations pings in a row have failed, or the primary has been frozen for as long."),
    ("no-life", "Neither the peer channel nor the replication stream has been heard within the window."),
    ("own-network", "The own default gateway or any of the ping targets answers."),
    ("would-lose-data", "This server has caught up since its own start, and its lag when contact ended is in bounds."),
    ("own-database", "The own database answers."),
    ("maintenance", "No maintenance, stop or job is announced."),
    ("anti-flapping", "The last failover is older than the anti-flapping time, or the pair has been stable since."),
)  # fmt: skip


@dataclass(frozen=True)
class Healthy:
    """There is nothing to suspect."""


@dataclass(frozen=True)
class Suspect:
    """The primary is silent, not yet for long enough."""

    missed: int
    needed: int


@dataclass(frozen=True)
class Blocked:
    """The primary may be gone, but this node must not take over. `reason` is a code, `text` the sentence for people."""

    reason: str
    text: str


@dataclass(frozen=True)
class Promote:
    """This node must take over now."""

    cause: Cause
    lost_bound: str
    why: str


Verdict = Healthy | Suspect | Blocked | Promote


def verdict(scene: Scene) -> Verdict:
    """What a secondary must do about its primary."""
    if scene.state.role is not Role.SECONDARY or scene.state.phase is not Phase.PAIRED:
        return Healthy()
    trigger = _trigger(scene)
    if isinstance(trigger, Promote) and trigger.cause is Cause.FAILOVER:
        blocked = next(obstacles(scene), None)
        return blocked or trigger
    if _handed_over(scene):
        blocked = next((each for each in obstacles(scene) if each.reason in HANDOVER_OBSTACLES), None)
        why = "The primary gave its role up because its database does not accept writes."
        return blocked or Promote(Cause.HANDOVER, loss(scene), why)
    return trigger


def _trigger(scene: Scene) -> Verdict:
    """Rules 1 and 2."""
    window = scene.config.detection_window_s
    if _frozen_for_s(scene) >= window:
        if not scene.config.service_failover:
            return Blocked("service-failover-off", "The primary is frozen, but HAServiceFailover is switched off.")
        why = f"The primary was frozen for {window:g} s: it answers pings, but neither its monitor nor its database."
        return Promote(Cause.FAILOVER, loss(scene), why)
    silent = not scene.sight.heartbeat_heard and not scene.sight.stream_alive and scene.sight.probe is not True
    if scene.sight.ping_silent and silent and _silent_s(scene) >= window:
        missed, silent_s = scene.sight.missed, _silent_s(scene)
        why = f"{missed} pings in a row failed, and no life sign of the primary came for {silent_s:.1f} s."
        return Promote(Cause.FAILOVER, loss(scene), why)
    if scene.sight.missed > 0 and (silent or not scene.sight.ping_silent):
        return Suspect(scene.sight.missed, scene.sight.needed)
    return Healthy()


def _silent_s(scene: Scene) -> float:
    """For how long the primary was silent while this node could have heard it."""
    return scene.sight.silent_s - scene.memory.deaf_s


def _frozen_for_s(scene: Scene) -> float:
    """For how long the primary has been frozen. Once its write probe has failed for a while, the silence before it
    counts too: the probe only confirms what heartbeat and stream told."""
    since = scene.memory.frozen_since_s
    if since is None:
        return 0.0
    frozen_s = scene.seen.now_s - max(since, scene.memory.deaf_until_s or since)
    return max(frozen_s, _silent_s(scene)) if frozen_s >= PROBE_CONFIRMED_S else frozen_s


def _handed_over(scene: Scene) -> bool:
    peer = scene.sight.peer
    return (
        scene.sight.heartbeat_heard
        and peer is not None
        and peer.role is Role.PRIMARY
        and peer.term == scene.state.term
        and peer.fence is FenceReason.HANDOVER
    )


def obstacles(scene: Scene) -> Iterator[Blocked]:
    """Everything that would hold a failover back right now, the gravest first (rules 3 to 5)."""
    if not scene.sight.others_answer:
        yield Blocked(
            "own-network",
            "Neither this server's gateway nor any ping target answers, so its own network may be at fault.",
        )
    facts_age = scene.seen.database.facts_age_s
    if facts_age is None or facts_age >= OWN_DATABASE_NOW_S:
        yield Blocked("own-database", "This server's own database does not answer, so it can't take over.")
    yield from data_obstacles(scene)
    yield from announced(scene)
    if scene.state.last_failover_at is not None and not scene.state.stable_since_failover:
        age_s = (scene.now - scene.state.last_failover_at).total_seconds()
        if age_s < scene.config.anti_flapping_s:
            yield Blocked(
                "anti-flapping",
                f"The last failover was {max(0.0, age_s):.0f} s ago and the pair has not been stable since; "
                f"the next one may start by itself after {scene.config.anti_flapping_s:g} s.",
            )


def data_obstacles(scene: Scene) -> Iterator[Blocked]:
    """Rule 4: a takeover by this node would lose data, and how much."""
    reason = "would-lose-data"
    if not scene.memory.caught_up or scene.memory.contact is None:
        yield Blocked(reason, "This server has not caught up with the primary since it was started: nobody can say how "
                              "much is missing here.")  # fmt: skip
        return
    if scene.seen.peer is not None and scene.seen.peer.role is Role.PRIMARY and scene.seen.peer.standby_out:
        yield Blocked(reason, "The primary recorded that this server is out of the pair and went on alone: "
                              "what it wrote since is missing here.")  # fmt: skip
        return
    contact = scene.memory.contact
    if contact.semi_sync:
        return
    if contact.lag_s is None or contact.lag_s > scene.config.failover_lag_bound_s:
        lag = "an unknown time" if contact.lag_s is None else f"{contact.lag_s:.0f} s"
        yield Blocked(reason, f"This server was {lag} behind when contact was lost; the bound is "
                              f"{scene.config.failover_lag_bound_s:g} s.")  # fmt: skip


def announced(scene: Scene) -> Iterator[Blocked]:
    """Rule 5: something planned explains the silence. Every announcement has a bound."""
    if scene.state.operation is not None and scene.now < scene.state.operation.until:
        yield Blocked("maintenance", f"An announced operation ({scene.state.operation.kind}) is under way.")
    elif scene.state.maintenance_until is not None and scene.now < scene.state.maintenance_until:
        yield Blocked("maintenance", "Maintenance is announced on this server.")
    elif scene.seen.peer is not None and (scene.seen.heartbeat_age_s or 0.0) < ANNOUNCED_BOUND_S:
        if scene.seen.peer.maintenance or scene.seen.peer.stopping:
            kind = "a graceful stop" if scene.seen.peer.stopping else "maintenance"
            yield Blocked("maintenance", f"The primary announced {kind}.")
        elif scene.seen.peer.operation and scene.seen.peer.operation not in QUIET_KINDS:
            # A quiet one in its report is what this server has announced to it; this server knows better itself.
            yield Blocked("maintenance", f"The primary announced an operation ({scene.seen.peer.operation}).")


def loss(scene: Scene) -> str:
    """What a takeover at this moment could lose, in a sentence."""
    contact = scene.memory.contact
    if contact is None:
        return "Unknown: this server was not in contact with the primary since its start."
    if contact.semi_sync:
        if scene.config.protection_mode is ProtectionMode.PROTECTION:
            return "Nothing that was acknowledged."
        return (
            "Nothing that was acknowledged while the servers were in contact. Should the old primary live on alone, "
            "what it acknowledges by itself is rescued when it returns."
        )
    lag = "an unknown time" if contact.lag_s is None else f"{contact.lag_s:.1f} s"
    return f"At most the writes of the last {lag} before contact was lost."


def commits_wait(state: NodeState, config: PairConfig) -> bool:
    """Whether each commit on this primary must wait for the standby. To be set before its database is opened."""
    return config.commits_wait and not state.standby_out


def standby_out_after_promotion(cause: Cause, config: PairConfig) -> bool:
    """Whether a new primary starts without a standby that commits wait for.

    In `protection` writes wait for the standby from the first moment (until it is back, or the administrator lets it
    go, which a resume does); else they begin at once, and the standby counts as out until it follows and has caught up.
    """
    if cause in (Cause.SETUP, Cause.RESUME):
        return True
    return config.protection_mode is not ProtectionMode.PROTECTION
