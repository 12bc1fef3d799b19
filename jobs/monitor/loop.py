"""The decision loop: at each tick, read, decide, act, publish.

Nothing here waits for the network, the database or a service: observers leave their findings on the board, and acts
that may take long are carried out beside the loop, one decision at a time, while ticks go on and are published.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace

import structlog

from app.core import pilot
from app.core.acts import Act
from app.core.errors import LocalFailure
from app.core.facts import Observation
from app.core.pilot import Decision, PilotMemory
from app.ports import Json, Node
from jobs.monitor.acts import ACTS_KEPT, QUIET_ACTS, Hands, are_slow, standing_of
from jobs.monitor.board import Board, Findings
from jobs.monitor.observation import observe
from jobs.monitor.situation import SituationReader
from jobs.monitor.snapshot import NAME, snapshot

log = structlog.get_logger(__name__)

TICK_S = 0.5
"""Between two ticks without urgent news."""
TICK_CLOSER_S = 0.1
"""While pings fail: windows end between two findings too."""
QUIET_NAMES = frozenset(each.__name__ for each in QUIET_ACTS)
LOOK_WAIT_S = 2.5
"""After a change the next decision waits for a new look at the database, at most this long."""
CALLED_NAME = "peer-called"
"""What the forced command publishes at each heartbeat request of the peer."""


class Loop:
    """One tick after the other; tests call `tick`."""

    def __init__(
        self, node: Node, board: Board, reader: SituationReader, hands: Hands, look_again: Callable[[], None]
    ) -> None:
        self._look_again = look_again
        self._node = node
        self._board = board
        self._reader = reader
        self._hands = hands
        self._memory = PilotMemory()
        self._decision: Decision | None = None
        self._announced: tuple[object, ...] = ()
        self._acting: threading.Thread | None = None
        self._changed_s: float | None = None
        self._standing: tuple[object, ...] | None = None
        self._undone: frozenset[str] = frozenset()
        self._expected_s: float | None = None

    def tick(self) -> Decision | None:
        """The decision of this tick, or None while acts are under way or their effect has not been looked at yet."""
        now_s = self._node.clock.monotonic()
        stalled_s = 0.0 if self._expected_s is None else max(now_s - self._expected_s, 0.0)
        self._board.put(situation=self._reader.read(now_s))
        found = self._board.read()
        decision = None if self._must_wait(found, now_s) else self._decide(found, now_s, stalled_s)
        if decision is not None and decision.acts:
            self._act(decision.acts, found)
        self.republish()
        self._expected_s = self._node.clock.monotonic() + self.pause_s()
        return decision

    def pause_s(self) -> float:
        """How long the next tick may wait for urgent news."""
        return TICK_CLOSER_S if self._board.read().network.peer_missed > 0 else TICK_S

    def republish(self) -> None:
        """The last decision with what has changed on the board since."""
        if self._decision is not None:
            self._publish(self._board.read(), self._decision)

    def settle(self, timeout_s: float) -> bool:
        """Whether no act is under way any more, after at most `timeout_s`."""
        if self._acting is not None:
            self._acting.join(timeout_s)
            return not self._acting.is_alive()
        return True

    def _must_wait(self, found: Findings, now_s: float) -> bool:
        """Whether acts are under way, or what they (or a job, or the peer's word) have changed has not been looked at
        yet: a decision on the database as it was before would tell the same acts again, or wrong ones."""
        if self._acting is not None and self._acting.is_alive():
            return True
        standing = standing_of(found.situation.state)
        if self._acting is not None or self._standing not in (None, standing):
            self._acting, self._changed_s = None, now_s
            self._look_again()
        self._standing = standing
        if self._changed_s is None:
            return False
        looked_s = found.database.looked_s
        if (looked_s is None or looked_s < self._changed_s) and now_s - self._changed_s < LOOK_WAIT_S:
            return True
        self._changed_s = None
        return False

    def _decide(self, found: Findings, now_s: float, stalled_s: float) -> Decision:
        # An event that was decided but not recorded is decided again: the pilot must not think that it was told.
        undone, self._undone = self._undone, frozenset()
        memory = replace(self._memory, emitted=self._memory.emitted - undone)
        called = self._node.machine.published(CALLED_NAME)
        observation = observe(found, now_s, stalled_s=stalled_s, called_age_s=None if called is None else called[1])
        situation = found.situation
        decision = pilot.decide(memory, situation.state, situation.config, observation, self._node.clock.now())
        self._memory = decision.memory
        self._decision = decision
        self._log_change(found, decision, observation)
        return decision

    def _act(self, decided: Sequence[Act], found: Findings) -> None:
        if not are_slow(decided):
            self._carry_out(decided, found)
            return
        self._board.put(busy=type(decided[0]).__name__)
        self._acting = threading.Thread(target=self._carry_out_guarded, args=(decided, found), name="acts", daemon=True)
        self._acting.start()

    def _carry_out_guarded(self, decided: Sequence[Act], found: Findings) -> None:
        """The outermost guard of the thread: a broken act is logged and decided again."""
        try:
            self._carry_out(decided, found)
        except Exception:
            log.exception("an act broke off", acts=[type(act).__name__ for act in decided])
        finally:
            self._board.put(busy="", urgent=True)

    def _carry_out(self, decided: Sequence[Act], found: Findings) -> None:
        outcomes: list[Json] = []
        try:
            outcomes = self._hands.do_all(decided, found.situation.state)
        finally:
            self._undone |= self._hands.untold(decided)
            self._reader.forget()
            latest = tuple(outcome for outcome in reversed(outcomes) if outcome["act"] not in QUIET_NAMES)
            self._board.change(lambda before: replace(before, acts=(latest + before.acts)[:ACTS_KEPT]))

    def _publish(self, found: Findings, decision: Decision) -> None:
        now_s, now = self._node.clock.monotonic(), self._node.clock.now()
        try:
            self._node.machine.publish(NAME, snapshot(found, decision, now_s, now))
        except LocalFailure as error:
            log.warning("the snapshot could not be published", error=str(error))

    def _log_change(self, found: Findings, decision: Decision, observation: Observation) -> None:
        """One line for each change of what was decided, with the facts that it rests on."""
        verdict = type(decision.verdict).__name__
        told = [act for act in decision.acts if not isinstance(act, QUIET_ACTS)]
        rules = tuple(f"{type(act).__name__}:{act.rule}" for act in told)
        state = found.situation.state
        fence = None if state.fence is None else state.fence.reason.value
        decided = (verdict, decision.diagnosis.name, rules, state.role, state.term, fence, decision.eligible)
        if decided == self._announced:
            return
        self._announced = decided
        network = observation.network
        log.info(
            "decision",
            node=found.situation.hostname,
            role=state.role.value,
            term=state.term,
            fence=fence,
            verdict=verdict.lower(),
            diagnosis=decision.diagnosis.name,
            rule=list(rules),
            eligible=decision.eligible,
            missed=network.peer_missed,
            gateway=network.gateway_answers,
            targets=dict(network.targets),
            heartbeat_age_s=_rounded(observation.heartbeat_age_s),
            stream_age_s=_rounded(observation.replication_alive_age_s),
            write_failing_s=_rounded(observation.database.write_failing_s),
            stalled_s=_rounded(observation.stalled_s),
        )


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 2)
