"""The monitor's hands: one function for each act of the pilot, called in the order of the decision.

Each is idempotent. The first that fails ends the round, because the order is part of the meaning (alarms and events
are not: nothing rests on them); what was not done is decided again. An act that keeps failing is tried again after a
pause that doubles, so that a broken part is not hammered.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import structlog

from app.core import acts, moves, notices, plans, positions
from app.core.acts import Act
from app.core.alarms import ROLE_CHANGED
from app.core.errors import HapairError, LocalFailure, NotAllowed
from app.core.state import FenceReason, NodeState
from app.ports import Actor, Json, Node
from jobs.start import start_job
from jobs.steps import address, fencing, promotion

log = structlog.get_logger(__name__)

HAPAIR = Actor("hapair")
ACTS_KEPT = 20
"""How many of the last acts the snapshot shows."""
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 10.0

DOWN = "database-down"
"""The code of the database's failure when nobody listens: it is closed then, and starts read-only."""

SLOW_ACTS = (
    acts.Lift,
    acts.FenceSelf,
    acts.EnforceReadOnly,
    acts.SetSemiSync,
    acts.Promote,
    acts.Rejoin,
    acts.Handover,
)
"""Those that wait for the database or the queue: they are done beside the decision loop."""

NOTED_ACTS = (
    acts.Lift,
    acts.FenceSelf,
    acts.EnforceReadOnly,
    acts.RecordStandbyOut,
    acts.RecordStandbyBack,
    acts.Promote,
    acts.Rejoin,
    acts.RestartDatabase,
    acts.Handover,
    acts.AwaitSecondary,
    acts.TakeAddress,
    acts.GiveUpAddress,
)
"""Those that the activity log keeps."""


TELLING_ACTS = (
    acts.RaiseAlarm,
    acts.ClearAlarm,
    acts.EmitEvent,
    acts.RecordStable,
    acts.AskOthers,
    acts.TakeAddress,
    acts.GiveUpAddress,
)
"""Those that nothing else rests on: where one fails, the acts after it are done all the same."""

QUIET_ACTS = (acts.AskOthers,)
"""Those that are only looks, and may come each second for as long as something is wrong: no log line, no place among
the last acts."""


class Hands:
    """Carries out the acts of one decision after the other."""

    def __init__(
        self,
        node: Node,
        ask_others: Callable[[], None],
        restart_database: Callable[[], None],
        events_added: Callable[[], None],
    ) -> None:
        self._node = node
        self._ask_others = ask_others
        self._restart = restart_database
        self._events_added = events_added
        self._state: NodeState | None = None
        self._told: set[str] = set()
        self._pauses: dict[tuple[str, str], tuple[float, float]] = {}
        self._table: dict[type[Act], Callable[[Any], None]] = {
            acts.Lift: self._lift,
            acts.FenceSelf: self._fence_self,
            acts.EnforceReadOnly: self._enforce_read_only,
            acts.RecordStandbyOut: self._record_standby_out,
            acts.RecordStandbyBack: self._record_standby_back,
            acts.SetSemiSync: self._set_semi_sync,
            acts.Promote: self._promote,
            acts.Rejoin: self._rejoin,
            acts.RestartDatabase: self._restart_database,
            acts.Handover: self._handover,
            acts.AdoptTerm: self._adopt_term,
            acts.AwaitSecondary: self._await_secondary,
            acts.RecordStable: self._record_stable,
            acts.AskOthers: self._ask,
            acts.RaiseAlarm: self._raise_alarm,
            acts.ClearAlarm: self._clear_alarm,
            acts.EmitEvent: self._emit_event,
            acts.TakeAddress: self._take_address,
            acts.GiveUpAddress: self._give_up_address,
        }

    def do_all(self, decided: Sequence[Act], state: NodeState) -> list[Json]:
        """What came of each act, in order. One that fails, or still pauses after a failure, ends the round, unless it
        only tells something.
        `state` is the one that was decided on."""
        self._state = state
        self._told.clear()
        outcomes: list[Json] = []
        for act in decided:
            pausing = self._pausing(act)
            error = None if pausing else self._do(act)
            if not pausing:
                outcomes.append(self._outcome(act, error))
            if (pausing or error is not None) and not isinstance(act, TELLING_ACTS):
                break
        return outcomes

    def untold(self, decided: Sequence[Act]) -> frozenset[str]:
        """The keys of the events among these acts that the last round has not recorded."""
        return frozenset(act.event.key for act in decided if isinstance(act, acts.EmitEvent)) - self._told

    def _do(self, act: Act) -> HapairError | None:
        """The error that the act ended with, if any. Promotions go on with the state as it is, so none is half done."""
        name = type(act).__name__
        logged = log.bind(act=name, rule=act.rule, why=act.why)
        try:
            self._table[type(act)](act)
        except HapairError as error:
            logged.warning("act failed", code=error.code, error=str(error))
            if _key(act) not in self._pauses:
                self._note(act, "failed", {"error": str(error)})
            self._pause(act)
            return error
        self._pauses.pop(_key(act), None)
        if not isinstance(act, QUIET_ACTS):
            logged.info("act done")
        self._note(act, "done", {})
        return None

    def _outcome(self, act: Act, error: HapairError | None) -> Json:
        return {
            "act": type(act).__name__,
            "rule": act.rule,
            "why": act.why,
            "at": self._node.clock.now().isoformat(),
            "outcome": "done" if error is None else "failed",
            "error": "" if error is None else str(error),
        }

    def _note(self, act: Act, outcome: str, more: Json) -> None:
        if not isinstance(act, NOTED_ACTS):
            return
        try:
            detail = {"rule": act.rule, "why": act.why, **more}
            self._node.store.add_activity(HAPAIR, f"monitor:{type(act).__name__}", outcome, detail)
        except LocalFailure as error:
            log.warning("the activity could not be kept", act=type(act).__name__, error=str(error))

    # pauses after failures

    def _pausing(self, act: Act) -> bool:
        until_s, _ = self._pauses.get(_key(act), (0.0, 0.0))
        return self._node.clock.monotonic() < until_s

    def _pause(self, act: Act) -> None:
        _, before_s = self._pauses.get(_key(act), (0.0, 0.0))
        pause_s = min(2 * before_s, LONGEST_PAUSE_S) or FIRST_PAUSE_S
        self._pauses[_key(act)] = (self._node.clock.monotonic() + pause_s, pause_s)

    # one function for each act

    def _lift(self, _act: acts.Lift) -> None:
        decided_on = self._state

        def lifted(state: NodeState) -> NodeState:
            if decided_on is not None and standing_of(state) != standing_of(decided_on):
                raise NotAllowed("overtaken", "The Node's State Has Changed Since This Was Decided")
            return moves.lift(state)

        self._node.store.change_state(lifted)
        self._node.database.lift()
        if self._node.store.state().fence is not None:
            # A job has fenced the node in this very moment: its fence holds.
            self._node.database.fence(fencing.FENCE_S)
        address.claim(self._node)

    def _fence_self(self, act: acts.FenceSelf) -> None:
        self._close(act.reason, act.detail)

    def _close(self, reason: FenceReason, detail: str) -> None:
        """Fenced; and where the node store does not take the fence, at least closed until it does."""
        try:
            fencing.fence_self(self._node, reason, detail)
        except LocalFailure as error:
            if error.code.startswith("store-"):
                self._node.database.fence(fencing.FENCE_S)
            if error.code != DOWN:
                raise

    def _enforce_read_only(self, _act: acts.EnforceReadOnly) -> None:
        try:
            self._node.database.fence(fencing.FENCE_S)
        except LocalFailure as error:
            if error.code != DOWN:
                raise

    def _record_standby_out(self, act: acts.RecordStandbyOut) -> None:
        now = self._node.clock.now()
        shared = self._shared_position(act)
        self._node.store.change_state(lambda state: moves.record_standby_out(state, now, shared))

    def _shared_position(self, act: acts.RecordStandbyOut) -> str:
        """A database that does not say more must not keep the record from being made."""
        if not act.ask_further:
            return act.shared_position
        try:
            return positions.merge(act.shared_position, self._node.database.acknowledged_position())
        except HapairError as error:
            log.warning("it is not known what the standby has acknowledged last", error=str(error))
            return act.shared_position

    def _record_standby_back(self, _act: acts.RecordStandbyBack) -> None:
        self._node.store.change_state(moves.record_standby_back)

    def _set_semi_sync(self, act: acts.SetSemiSync) -> None:
        self._node.database.set_semi_sync(act.enabled)

    def _promote(self, act: acts.Promote) -> None:
        promotion.promote(self._node, act.cause, term=act.term, lost_bound=act.lost_bound, catch_up=act.catch_up)
        self._events_added()

    def _rejoin(self, act: acts.Rejoin) -> None:
        try:
            start_job(self._node, plans.REJOIN, {"term": act.term}, HAPAIR, may_wait=True)
        except NotAllowed as error:
            if error.code != "job-running":
                raise
            log.info("the rejoin waits for the job that runs", detail=error.detail)

    def _restart_database(self, _act: acts.RestartDatabase) -> None:
        self._restart()

    def _handover(self, act: acts.Handover) -> None:
        self._close(FenceReason.HANDOVER, act.detail)

    def _adopt_term(self, act: acts.AdoptTerm) -> None:
        self._node.store.change_state(lambda state: moves.adopt_term(state, act.term))

    def _await_secondary(self, _act: acts.AwaitSecondary) -> None:
        self._node.store.change_state(moves.await_secondary)

    def _record_stable(self, _act: acts.RecordStable) -> None:
        self._node.store.change_state(moves.record_stable)

    def _ask(self, _act: acts.AskOthers) -> None:
        self._ask_others()

    def _take_address(self, act: acts.TakeAddress) -> None:
        self._node.addresses.take(act.address)

    def _give_up_address(self, _act: acts.GiveUpAddress) -> None:
        self._node.addresses.give_up()

    def _raise_alarm(self, act: acts.RaiseAlarm) -> None:
        self._node.store.raise_alarm(act.code, act.text)

    def _clear_alarm(self, act: acts.ClearAlarm) -> None:
        if act.rule == ROLE_CHANGED:
            self._tell_end(act.code)
        self._node.store.clear_alarm(act.code)

    def _tell_end(self, code: str) -> None:
        """An alarm whose end the event ClearAlarm would tell, on a server that is no secondary any more: people hear
        of it all the same, the script does not."""
        for alarm in self._node.store.alarms():
            if alarm.code == code and notices.told_when_cleared(code, alarm.text, alarm.raised_at) is None:
                told = notices.end_of_alarm(code, alarm.text, alarm.raised_at)
                self._node.store.add_event(told.key, told.kind, told.parameters, told.detail)

    def _emit_event(self, act: acts.EmitEvent) -> None:
        event = act.event
        self._node.store.add_event(event.key, event.kind.value, event.parameters, event.detail)
        self._told.add(event.key)
        self._events_added()


def are_slow(decided: Sequence[Act]) -> bool:
    """Whether any of the acts may take long."""
    return any(isinstance(act, SLOW_ACTS) for act in decided)


def standing_of(state: NodeState) -> tuple[object, ...]:
    """What of the state a decision about the database rests on."""
    return state.role, state.term, state.fence, state.operation


def _key(act: Act) -> tuple[str, str]:
    return type(act).__name__, act.rule
