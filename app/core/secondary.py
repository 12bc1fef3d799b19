"""What a secondary does at each tick: it refuses writes, follows its primary, says what is wrong, and takes over when
the verdict is to."""

from __future__ import annotations

from collections.abc import Iterator

from app.core import failover
from app.core.acts import Act, AdoptTerm, ClearAlarm, EnforceReadOnly, Promote, RaiseAlarm, Rejoin
from app.core.diagnosis import ALARMS, SECONDARY_ROWS, Diagnosis
from app.core.ownbase import watch_database
from app.core.primary import REJOIN_RETRY_S
from app.core.replication import conditions, raise_and_clear
from app.core.roles import Role
from app.core.scene import Scene
from app.core.state import Phase

DIAGNOSIS_HOLD_S = 5.0
"""A diagnosis is alarmed when it has held for this long, so that a restart of the peer's monitor is no alarm."""
UNFOLLOWING_S = 10.0
"""A job that is about to point replication elsewhere takes less."""
BLOCKED = "failover-blocked"
NO_PRIMARY = "no-primary"
PEER_LEFT = "peer-left"
PEER_ROLE_ALARMS = (
    (
        Role.SECONDARY,
        NO_PRIMARY,
        "Both servers are secondary, so nobody accepts writes. Take over on the one whose data you want to keep.",
    ),
    (
        Role.STANDALONE,
        PEER_LEFT,
        "The other server has left the pair and is standalone. Make this one standalone too, or set the pair up again.",
    ),
)


def secondary_acts(scene: Scene, verdict: failover.Verdict, diagnosis: Diagnosis) -> Iterator[Act]:
    """The acts of a node whose role is secondary."""
    yield from _refuse_writes(scene)
    if scene.state.phase is not Phase.PAIRED:
        return
    yield from _adopt_term(scene)
    yield from _verdict_acts(scene, verdict)
    if isinstance(verdict, failover.Promote):
        return
    yield from _follow_again(scene)
    yield from _diagnosis_alarms(scene, diagnosis)
    yield from _peer_role_alarms(scene)
    yield from watch_database(scene)
    since = dict(scene.memory.condition_since_s)
    yield from raise_and_clear(
        conditions(scene.facts, scene.sight), since, scene.seen.alarms, scene.facts, scene.seen.now_s
    )


def _refuse_writes(scene: Scene) -> Iterator[Act]:
    if scene.facts is not None and not scene.facts.read_only:
        why = "This server is secondary, but its database accepts writes."
        yield EnforceReadOnly(rule="secondary-is-read-only", why=why)


def _adopt_term(scene: Scene) -> Iterator[Act]:
    peer = scene.sight.peer
    if scene.sight.heartbeat_heard and peer is not None and peer.role is Role.PRIMARY and peer.term > scene.state.term:
        why = f"The primary has term {peer.term}; this secondary knew {scene.state.term}."
        yield AdoptTerm(rule="adopt-term", why=why, term=peer.term)


def _verdict_acts(scene: Scene, verdict: failover.Verdict) -> Iterator[Act]:
    match verdict:
        case failover.Promote():
            yield Promote(
                rule=f"promote-{verdict.cause}", why=verdict.why, cause=verdict.cause, term=scene.state.term + 1,
                lost_bound=verdict.lost_bound,
            )  # fmt: skip
        case failover.Blocked():
            if BLOCKED not in scene.seen.alarms:
                why = f"The primary may be gone, but this server does not take over: {verdict.text}"
                yield RaiseAlarm(rule=f"blocked-{verdict.reason}", why=why, code=BLOCKED, text=why)
        case _:
            if BLOCKED in scene.seen.alarms:
                why = "Nothing asks for a failover any more."
                yield ClearAlarm(rule="not-blocked", why=why, code=BLOCKED)


def _follow_again(scene: Scene) -> Iterator[Act]:
    """A secondary that has lost whom it follows (a job broken off, files emptied by a power cut) joins its primary
    again."""
    since, peer = scene.memory.unfollowing_since_s, scene.sight.peer
    if since is None or peer is None or scene.seen.now_s - since < UNFOLLOWING_S:
        return
    asked = scene.memory.rejoin_asked_s
    if asked is None or scene.seen.now_s - asked >= REJOIN_RETRY_S:
        why = "This secondary replicates from nobody, and its primary is there: it joins it again."
        yield Rejoin(rule="follow-again", why=why, term=peer.term)


def _diagnosis_alarms(scene: Scene, diagnosis: Diagnosis) -> Iterator[Act]:
    held = scene.seen.now_s - scene.memory.diagnosis_since_s >= DIAGNOSIS_HOLD_S
    if diagnosis.name in ALARMS and diagnosis.name not in scene.seen.alarms and held:
        yield RaiseAlarm(rule=diagnosis.name, why=diagnosis.sentence, code=diagnosis.name, text=diagnosis.sentence)
    for row in SECONDARY_ROWS:
        if row.alarm and row.name in scene.seen.alarms and row.name != diagnosis.name and held:
            why = f"No longer so: {row.sentence}"
            yield ClearAlarm(rule=row.name, why=why, code=row.name)


def _peer_role_alarms(scene: Scene) -> Iterator[Act]:
    peer = scene.sight.peer
    if not scene.sight.heartbeat_heard or peer is None:
        return
    for role, code, text in PEER_ROLE_ALARMS:
        if peer.role is role and code not in scene.seen.alarms:
            yield RaiseAlarm(rule=code, why=text, code=code, text=text)
        elif peer.role is not role and code in scene.seen.alarms:
            yield ClearAlarm(rule=code, why=f"The other server is {peer.role} now.", code=code)
