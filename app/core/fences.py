"""How a fenced primary gets out again: every fence has an exit, and every exit is a proof.

A primary that was fenced (or has just booted, which is the same) may write again only when it knows that nobody took
over: the peer says so *now*, or this node had durably recorded that the standby was out of the pair. The table
EXITS names what each fence waits for; `leave` decides.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from app.core.acts import Act, FenceSelf, Lift, RaiseAlarm, RecordStandbyOut, SetSemiSync
from app.core.failover import commits_wait
from app.core.roles import Role
from app.core.scene import Scene
from app.core.sight import report_age_s
from app.core.state import FenceReason

ASK_S = 5.0
"""A silent peer is asked for this long before the silence counts as its answer."""


@dataclass(frozen=True)
class Exit:
    """What a fence waits for, as told on the status page."""

    reason: FenceReason
    meaning: str
    exit: str


EXITS = (
    Exit(FenceReason.BOOT, "This server has just started.", "The peer is asked whether it took over."),
    Exit(FenceReason.PEER_UNKNOWN, "This server was primary, and the peer can't be asked whether it took over.",
         'The peer answers, or an administrator chooses "Resume as primary".'),
    Exit(FenceReason.ISOLATED, "This server heard neither its standby nor its gateway nor any ping target.",
         "The network returns and the peer is asked."),
    Exit(FenceReason.SUPERSEDED, "The peer took over with a higher term.", "This server rejoins as secondary."),
    Exit(FenceReason.HANDOVER, "This server gave its role up because its database did not accept writes.",
         "The standby takes over and this server rejoins; if it does not, this server tries again after the window."),
    Exit(FenceReason.CONFLICT, "Both servers are primary of the same term.",
         "An administrator chooses which history to keep."),
    Exit(FenceReason.MONITOR_SILENT, "Nobody watched over this server for a while.",
         "The monitor runs again and the peer is asked."),
    Exit(FenceReason.OPERATION, "A job holds writes back.", "The job ends, or its bound passes and the peer is asked."),
)  # fmt: skip
BY_REASON = {row.reason: row for row in EXITS}


def leave(scene: Scene) -> Iterator[Act]:
    """The acts of a primary that is fenced or whose database is read-only, while the peer has no higher term."""
    reason = scene.state.fence.reason if scene.state.fence is not None else FenceReason.BOOT
    if reason is FenceReason.CONFLICT:
        return
    if reason is FenceReason.HANDOVER and _fenced_for_s(scene) < scene.config.detection_window_s:
        return
    if answered(scene):
        yield from _peer_answers(scene, reason)
    elif _fenced_for_s(scene) >= ASK_S:
        yield from _peer_is_silent(scene, reason)


def answered(scene: Scene) -> bool:
    """Whether the peer has been heard since the fence: an older answer proves nothing."""
    age = report_age_s(scene.seen)
    return scene.sight.heartbeat_heard and age is not None and age < _fenced_for_s(scene)


def _fenced_for_s(scene: Scene) -> float:
    since = scene.memory.fence_since_s if scene.memory.fence_since_s is not None else scene.memory.read_only_since_s
    return scene.seen.now_s - since if since is not None else 0.0


def _peer_answers(scene: Scene, reason: FenceReason) -> Iterator[Act]:
    peer = scene.sight.peer
    if peer is None or peer.term > scene.state.term:
        return
    if peer.role is Role.STANDALONE:
        why = "The peer has left the pair: nobody else can be its primary."
        yield RecordStandbyOut(rule="peer-left", why=why, detail="The peer is standalone.")
        yield from _open(scene, rule="peer-left", why=why, wait=False)
    elif peer.role is Role.SECONDARY:
        why = f"The peer is secondary of term {peer.term}: this server is still the primary (it was fenced: {reason})."
        yield from _open(scene, rule="peer-is-secondary", why=why, wait=commits_wait(scene.state, scene.config))
    elif peer.term < scene.state.term:
        why = f"The peer is an old primary of term {peer.term}; this server has term {scene.state.term}."
        yield from _open(scene, rule="peer-is-older", why=why, wait=commits_wait(scene.state, scene.config))


def _peer_is_silent(scene: Scene, reason: FenceReason) -> Iterator[Act]:
    if reason is FenceReason.SUPERSEDED or (reason is FenceReason.ISOLATED and not scene.sight.others_answer):
        return
    if scene.state.standby_out:
        why = "The peer is silent, and it was recorded as out of the pair before: it can't have taken over by right."
        yield from _open(scene, rule="standby-was-out", why=why, wait=False)
    elif reason is not FenceReason.PEER_UNKNOWN:
        text = (
            "This server was primary and can't ask its peer whether it took over, so it accepts no writes. "
            'Bring the peer back, or choose "Resume as primary" if you know that the peer did not take over.'
        )
        why = "The peer is silent, and nothing proves that it did not take over."
        yield FenceSelf(rule="peer-unknown", why=why, reason=FenceReason.PEER_UNKNOWN, detail="The peer is silent.")
        yield RaiseAlarm(rule="peer-unknown", why=why, code="peer-unknown", text=text)


def _open(scene: Scene, *, rule: str, why: str, wait: bool) -> Iterator[Act]:
    if scene.facts is None:
        return
    if scene.config.commits_wait and scene.facts.semi_sync_enabled != wait:
        yield SetSemiSync(rule=rule, why=why, enabled=wait)
    if scene.state.fence is not None or scene.facts.read_only:
        yield Lift(rule=rule, why=why)
