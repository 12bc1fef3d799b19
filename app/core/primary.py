"""What a primary does at each tick: who is the rightful primary, may this node write, is its standby in the pair,
does its own database work. The functions are in the order in which they are asked; the first that has acts wins
where they exclude each other.
"""

from __future__ import annotations

from collections.abc import Iterator

from app.core import positions
from app.core.acts import (
    Act,
    AskOthers,
    AwaitSecondary,
    Cause,
    ClearAlarm,
    EmitEvent,
    EnforceReadOnly,
    FenceSelf,
    Handover,
    Lift,
    Promote,
    RaiseAlarm,
    RecordStandbyBack,
    RecordStandbyOut,
    Rejoin,
    SetSemiSync,
)
from app.core.events import standby_offline, standby_online
from app.core.facts import PeerReport
from app.core.failover import QUIET_KINDS, commits_wait
from app.core.fences import leave
from app.core.memory import STALLED_S
from app.core.moves import promotion_unfinished
from app.core.ownbase import failing_s, watch_database
from app.core.pairconfig import ProtectionMode
from app.core.roles import Role
from app.core.scene import Scene
from app.core.state import FenceReason, Phase

REJOIN_RETRY_S = 30.0
"""A rejoin that did not succeed is tried again after this time."""
ASK_OTHERS_EVERY_S = 1.0
OTHERS_SILENT_S = 1.2
"""Gateway and targets count as silent after this time: longer than one round of asking, shorter than two."""
BACKLOG_PATIENCE_S = 30.0
"""A standby that follows, but stays behind under load, is taken back after this time."""
REPORT_STALE_S = 1.0
"""What a standby reports of its database may be this old when it reports it: it looks once a second."""
JOINER_IDLE_S = 10.0
"""A secondary that says for this long that it is standalone and busy with nothing is not being set up any more."""
HEARD_AGAIN_S = 5.0
"""A standby that was silent has this time to acknowledge, once it is heard: its connection may have to be made anew."""
RETURN_RETRY_S = 60.0
"""A standby that was dropped because it did not acknowledge, though it was heard, is not taken back before this time:
each try could make commits wait again."""
OFFLINE = "standby-offline"
OUT = "standby-out"
WAITS = "promotion-waits"


def primary_acts(scene: Scene) -> Iterator[Act]:
    """The acts of a node whose role is primary."""
    if scene.state.phase is not Phase.PAIRED:
        yield from _without_standby(scene)
        return
    if scene.sight.peer is not None and scene.sight.peer.term > scene.state.term:
        yield from _superseded(scene)
        return
    if _conflict(scene) or _fenced_for(scene, FenceReason.CONFLICT):
        yield from _stop_both(scene)
        return
    if promotion_unfinished(scene.state):
        yield from _finish_promotion(scene)
        yield from watch_database(scene)
        return
    if scene.state.fence is not None or (scene.facts is not None and scene.facts.read_only):
        leaving = tuple(leave(scene))
        yield from leaving
        if not any(isinstance(act, Lift) for act in leaving):
            yield from _hold(scene)
        yield from watch_database(scene)
        return
    fencing = tuple(_must_fence(scene))
    if fencing:
        yield from fencing
        return
    yield from _standby(scene)
    yield from _own_database(scene)


def _without_standby(scene: Scene) -> Iterator[Act]:
    """A primary whose secondary has not joined yet: nobody else can be primary."""
    if scene.facts is not None and (scene.facts.read_only or scene.state.fence is not None):
        yield Lift(rule="no-standby-yet", why="The pair has no secondary yet: nobody else can be its primary.")
    if scene.facts is not None and scene.facts.semi_sync_enabled:
        yield SetSemiSync(rule="no-standby-yet", why="The pair has no secondary yet to wait for.", enabled=False)
    idle_since = scene.memory.joiner_idle_since_s
    if idle_since is not None and scene.seen.now_s - idle_since >= JOINER_IDLE_S:
        why = "The secondary's set-up was broken off: it is standalone, and no job of it goes on."
        yield AwaitSecondary(rule="set-up-broken-off", why=why)


def _fenced_for(scene: Scene, reason: FenceReason) -> bool:
    return scene.state.fence is not None and scene.state.fence.reason is reason


def _superseded(scene: Scene) -> Iterator[Act]:
    """The highest term is the rightful primary's. A report of a higher term is proof for ever, however old it is; the
    rejoin begins only when the peer says now that it is primary and open."""
    peer = scene.sight.peer
    if peer is None:
        return
    if not _fenced_for(scene, FenceReason.SUPERSEDED):
        why = f"The peer has term {peer.term}; this server's is {scene.state.term}: the peer is the rightful primary."
        yield FenceSelf(rule="superseded", why=why, reason=FenceReason.SUPERSEDED, detail=f"term {peer.term}")
    asked = scene.memory.rejoin_asked_s
    due = asked is None or scene.seen.now_s - asked >= REJOIN_RETRY_S
    if due and scene.sight.heartbeat_heard and peer.role is Role.PRIMARY and peer.fence is None:
        why = f"The peer is primary of term {peer.term}: this server becomes its secondary."
        yield Rejoin(rule="rejoin", why=why, term=peer.term)
    yield from _hold(scene)


def _conflict(scene: Scene) -> bool:
    peer = scene.sight.peer
    if not scene.sight.heartbeat_heard or peer is None:
        return False
    return peer.role is Role.PRIMARY and peer.term == scene.state.term


def _stop_both(scene: Scene) -> Iterator[Act]:
    if not _fenced_for(scene, FenceReason.CONFLICT):
        text = (
            f"Both servers are primary of term {scene.state.term}, so both have stopped accepting writes. "
            "Choose which server's data to keep; what only the other one has is rescued."
        )
        why = f"The peer is primary of the same term {scene.state.term}: neither can be proven to be the rightful one."
        yield FenceSelf(rule="conflict", why=why, reason=FenceReason.CONFLICT, detail=f"term {scene.state.term}")
        yield RaiseAlarm(rule="conflict", why=why, code="conflict", text=text)
    yield from _hold(scene)


def _hold(scene: Scene) -> Iterator[Act]:
    """A fence that the database does not show is put up again."""
    if scene.state.fence is not None and scene.facts is not None and not scene.facts.read_only:
        why = f"This server is fenced ({scene.state.fence.reason}), but its database accepts writes."
        yield EnforceReadOnly(rule="fence-holds", why=why)


def _finish_promotion(scene: Scene) -> Iterator[Act]:
    """From the intent it only goes forward. But a database that was restarted in between has lost what it had received
    and not applied (its relay log is purged): that is still on the other server, so it is asked first. In `protection`
    the promotion waits for that answer; writes would wait for that server anyway. A monitor that stood still looks once
    more first: the other server may have taken over meanwhile."""
    promotion = scene.state.promotion
    if promotion is None or scene.facts is None or scene.seen.stalled_s >= STALLED_S:
        return
    restarted = scene.facts.uptime_s < (scene.now - promotion.at).total_seconds()
    if restarted and not scene.sight.heartbeat_heard and scene.config.protection_mode is ProtectionMode.PROTECTION:
        if WAITS not in scene.seen.alarms:
            text = (
                "This server was taking over when its database was restarted; what it had received is now only on "
                "the other server. Bring that one back; the takeover then goes on by itself."
            )
            yield RaiseAlarm(rule="promotion-waits", why=text, code=WAITS, text=text)
        return
    yield Promote(
        rule="finish-promotion",
        why=f"The promotion to term {scene.state.term} was begun and not finished: from there it only goes forward.",
        cause=Cause(promotion.cause),
        term=scene.state.term,
        lost_bound=promotion.lost_bound,
        resume=True,
        catch_up=restarted,
    )


def _must_fence(scene: Scene) -> Iterator[Act]:
    """The standby counts its window from the last time that it heard this node, which is no earlier than the last
    heartbeat that it answered: until then it can't have taken over."""
    bound = scene.config.isolation_fence_s
    if scene.sight.unproven_s < bound:
        return
    if scene.seen.stalled_s >= bound:
        why = f"Nobody watched over this server for {scene.seen.stalled_s:.0f} s: its standby may have taken over."
        yield FenceSelf(rule="stalled", why=why, reason=FenceReason.MONITOR_SILENT, detail="The monitor stood still.")
    elif scene.sight.missed > 0 and _others_silent(scene):
        why = (
            f"For {scene.sight.unproven_s:.1f} s this server has heard neither its standby nor its gateway nor "
            "any ping target: the standby may take over soon."
        )
        yield FenceSelf(rule="isolated", why=why, reason=FenceReason.ISOLATED, detail="Nobody is heard.")


def _others_silent(scene: Scene) -> bool:
    """Whether gateway and targets left more than one round of pings unanswered: one alone may have been lost.

    They are asked every ASK_OTHERS_EVERY_S while the standby is silent, so this costs less than a ping interval.
    """
    age_s = scene.seen.network.others_answer_age_s
    return not scene.sight.others_answer and (age_s is None or age_s >= OTHERS_SILENT_S)


def _standby(scene: Scene) -> Iterator[Act]:
    """Keeps the record of whether the standby is in the pair, and with it what commits wait for."""
    yield from _ask_others(scene)
    mute = _mute_for_s(scene) >= scene.config.semi_sync_fallback_s
    if _standby_lost(scene):
        yield from _lose_standby(scene)
    elif _standby_fails(scene):
        why = f"The standby is heard, but has not replicated for {scene.config.semi_sync_fallback_s:g} s."
        yield from _drop_standby(scene, rule="standby-fails", why=why)
    elif mute:
        why = f"The standby has not acknowledged a write for {scene.config.semi_sync_fallback_s:g} s."
        yield from _drop_standby(scene, rule="standby-mute", why=why)
    elif scene.state.standby_out:
        yield from _take_back(scene)
    if not scene.state.standby_out:
        yield from _in_the_pair(scene)
    elif scene.facts is not None and scene.facts.semi_sync_enabled and (mute or not _returning(scene)):
        # One that is being taken back and does not acknowledge in time gets a rest: writes must not wait without end.
        why = "The standby is recorded as out of the pair: commits must not wait for it."
        yield SetSemiSync(rule="standby-mute" if mute else "standby-out", why=why, enabled=False)
    yield from _offline_event(scene)


def _ask_others(scene: Scene) -> Iterator[Act]:
    overdue = scene.sight.heartbeat_silent_s >= min(scene.config.heard_s, scene.config.isolation_fence_s / 2)
    asked = scene.memory.others_asked_s
    due = asked is None or scene.seen.now_s - asked >= ASK_OTHERS_EVERY_S
    if overdue and due and not scene.sight.second_opinion:
        yield AskOthers(rule="second-opinion", why="The standby is silent: is it its network or this server's?")


def _standby_lost(scene: Scene) -> bool:
    """Whether the standby's silence is its own: this server's network was seen to work afterwards, or it announced to
    stop."""
    if scene.sight.heartbeat_heard:
        return False
    operation = scene.state.operation
    stopping = operation is not None and operation.kind in QUIET_KINDS and scene.now < operation.until
    if stopping or (scene.sight.peer is not None and scene.sight.peer.stopping):
        return True
    return scene.sight.heartbeat_silent_s >= scene.config.semi_sync_fallback_s and scene.sight.second_opinion


def _lose_standby(scene: Scene) -> Iterator[Act]:
    why = (
        f"The standby has been silent for {scene.sight.heartbeat_silent_s:.0f} s, and this server's own network works."
    )
    yield from _record_out(scene, rule="standby-lost", why=why)
    if OFFLINE not in scene.seen.alarms:
        waits = commits_wait(scene.state, scene.config) and scene.config.protection_mode is ProtectionMode.PROTECTION
        then = "Writes wait until it is back or you let it go." if waits else "Writes go on without it."
        yield RaiseAlarm(rule="standby-lost", why=why, code=OFFLINE, text=f"The standby server is offline. {then}")


def _standby_fails(scene: Scene) -> bool:
    since = scene.memory.standby_failing_since_s
    return since is not None and scene.seen.now_s - since >= scene.config.semi_sync_fallback_s


def _mute_for_s(scene: Scene) -> float:
    """For how long commits have waited for a standby that is heard, connected and well by its own word. A write that
    fails for another reason is the own database's fault."""
    since, write_age = scene.memory.acknowledging_since_s, scene.seen.database.write_age_s
    heard_since = scene.memory.standby_heard_since_s
    if since is None or heard_since is None or scene.seen.now_s - heard_since < HEARD_AGAIN_S:
        return 0.0
    if scene.seen.database.write_failing_s > 0:
        return 0.0
    waiting_s = scene.seen.now_s - since
    return waiting_s if write_age is None else min(waiting_s, write_age)


def _drop_standby(scene: Scene, *, rule: str, why: str) -> Iterator[Act]:
    yield from _record_out(scene, rule=rule, why=why)
    if OUT not in scene.seen.alarms:
        waits = commits_wait(scene.state, scene.config) and scene.config.protection_mode is ProtectionMode.PROTECTION
        then = "Writes wait until it does or you let it go." if waits else "Writes go on without it."
        yield RaiseAlarm(rule=rule, why=why, code=OUT, text=f"{why} {then}")


def _record_out(scene: Scene, *, rule: str, why: str) -> Iterator[Act]:
    """First the durable record, then commits stop waiting: never the other way round."""
    if scene.state.standby_out or scene.config.protection_mode is ProtectionMode.PROTECTION:
        return
    shared = scene.memory.acknowledged_position
    waiting = scene.facts is not None and scene.facts.semi_sync_enabled
    yield RecordStandbyOut(rule=rule, why=why, detail=why, shared_position=shared, ask_further=waiting and shared != "")
    if scene.facts is None or scene.facts.semi_sync_enabled:
        yield SetSemiSync(rule=rule, why=why, enabled=False)


def _returning(scene: Scene) -> bool:
    """Whether the standby is connected, caught up and heard, so that it may be taken back."""
    peer = scene.sight.peer
    if not scene.sight.heartbeat_heard or peer is None or peer.role is not Role.SECONDARY or not peer.eligible:
        return False
    if not scene.config.commits_wait:
        return True
    if scene.facts is None:
        return False
    failed = scene.memory.acknowledge_failed_s
    rested = failed is None or scene.seen.now_s - failed >= RETURN_RETRY_S
    if scene.facts.semi_sync_clients == 0:
        return False
    return scene.facts.semi_sync_enabled or (rested and _has_nearly_everything(scene, peer))


def _has_nearly_everything(scene: Scene, peer: PeerReport) -> bool:
    """Whether commits that wait for the standby would not first wait long for a backlog.

    What it reports is some time old, and a busy database has moved on since: it is compared with where this one was
    before that. Under a load that the standby only keeps up with once commits wait for it, it would never get there:
    then it is taken back after a while all the same.
    """
    able_s = scene.memory.able_since_s
    if able_s is not None and scene.seen.now_s - able_s >= BACKLOG_PATIENCE_S:
        return True
    reported_s = scene.seen.now_s - (scene.seen.heartbeat_age_s or 0.0) - REPORT_STALE_S
    before = [position for at_s, position in scene.memory.own_positions if at_s <= reported_s]
    return bool(before) and positions.reached(positions.merge(peer.position, peer.received_position), before[-1])


def _take_back(scene: Scene) -> Iterator[Act]:
    """The standby is back: commits wait for it first, and it is recorded as back only after one of them was
    acknowledged, for then everything before it has arrived there."""
    if scene.facts is None or not _returning(scene):
        return
    why = "The standby is back and has caught up."
    if not scene.config.commits_wait:
        yield RecordStandbyBack(rule="standby-back", why=why)
    elif not scene.facts.semi_sync_enabled:
        yield SetSemiSync(rule="standby-back", why=why, enabled=True)
    elif _acknowledged(scene):
        yield RecordStandbyBack(rule="standby-back", why=why)


def _acknowledged(scene: Scene) -> bool:
    """Whether a write probe that was begun since commits wait has succeeded."""
    since, age = scene.memory.acknowledging_since_s, scene.seen.database.write_age_s
    return since is not None and age is not None and scene.seen.now_s - age > since


def _in_the_pair(scene: Scene) -> Iterator[Act]:
    if scene.facts is not None and scene.facts.semi_sync_enabled != commits_wait(scene.state, scene.config):
        enabled = commits_wait(scene.state, scene.config)
        verb = "wait" if enabled else "do not wait"
        why = f"Protection mode {scene.config.protection_mode}: commits {verb} for the standby."
        yield SetSemiSync(rule="protection-mode", why=why, enabled=enabled)
    peer = scene.sight.peer
    if not scene.sight.heartbeat_heard or peer is None or not peer.eligible:
        return
    if scene.memory.standby_failing_since_s is not None:
        return
    why = "The standby is part of the pair again."
    up = scene.seen.alarms.get(OFFLINE)
    if up is not None:
        if scene.config.standby_online_event:
            event = standby_online(_peer_name(scene), scene.seen.hostname, up.raised_at, why)
            yield EmitEvent(rule="standby-back", why=why, event=event)
        yield ClearAlarm(rule="standby-back", why=why, code=OFFLINE)
    if OUT in scene.seen.alarms:
        yield ClearAlarm(rule="standby-back", why=why, code=OUT)


def _offline_event(scene: Scene) -> Iterator[Act]:
    up = scene.seen.alarms.get(OFFLINE)
    if up is not None:
        event = standby_offline(_peer_name(scene), scene.seen.hostname, up.raised_at, up.text)
        yield EmitEvent(rule="standby-lost", why="The standby is offline.", event=event)


def _peer_name(scene: Scene) -> str:
    return scene.state.peer.hostname if scene.state.peer is not None else ""


def _own_database(scene: Scene) -> Iterator[Act]:
    """A database that does not accept writes is restarted once; if that does not help, the standby takes over."""
    yield from watch_database(scene)
    failing = failing_s(scene)
    peer = scene.sight.peer
    if not scene.sight.heartbeat_heard or peer is None or scene.state.standby_out:
        return
    able = peer.role is Role.SECONDARY and peer.eligible
    if able and scene.memory.restarted_s is not None and failing >= scene.config.detection_window_s:
        why = f"The database has not accepted writes for {failing:.0f} s although it was restarted; the standby can."
        yield Handover(rule="handover", why=why, detail="The database does not accept writes.")
