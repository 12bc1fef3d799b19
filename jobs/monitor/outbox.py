"""What all ways out share: deliveries that an earlier monitor left half done, and the pauses after a failure.

A delivery is claimed in the node store before it begins. A script whose monitor was killed in the middle is not run
again: nobody can know how far it came. A mail, a webhook call or a log line is sent again instead: twice is better
than never, and each carries an identity by which the receiver can tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import structlog

from app.core.errors import LocalFailure
from app.core.notices import Channel
from app.ports import Clock, EventRecord, Node

log = structlog.get_logger(__name__)

FIRST_PAUSE_S = 5.0
LONGEST_PAUSE_S = 300.0
GIVEN_UP_AFTER = timedelta(hours=24)
"""An event that nobody has taken for so long is given up; it stays in the event log."""
REFUSALS_MAX = 10
"""So many times in a row a server may say that it will not take this very thing; then the next one's turn comes."""
REFUSED = frozenset({"mail-refused", "webhook-refused"})
INTERRUPTED = "The monitor ended in the middle."


def end_interrupted(node: Node) -> None:
    """No delivery or trial is left claimed by a monitor that is gone."""
    node.store.release_claimed(Channel.SCRIPT, "failed", "The monitor ended while the script ran.")
    for channel in (Channel.MAIL, Channel.WEBHOOK, Channel.LOG):
        node.store.release_claimed(channel, "pending", INTERRUPTED)
    node.store.end_interrupted_tests({"detail": INTERRUPTED})


class Retries:
    """When a channel may be tried again, and which deliveries are given up."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._pause_s = FIRST_PAUSE_S
        self._not_before_s = 0.0
        self._refusals = 0

    def wait_s(self) -> float:
        return max(self._not_before_s - self._clock.monotonic(), 0.0)

    def worked(self) -> None:
        self._pause_s = FIRST_PAUSE_S
        self._refusals = 0

    def failed(self, node: Node, channel: Channel, events: Sequence[EventRecord], error: LocalFailure) -> None:
        """The events wait for the next try, but for those that are given up."""
        self._not_before_s = self._clock.monotonic() + self._pause_s
        self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)
        self._refusals = self._refusals + 1 if error.code in REFUSED else 0
        refused = self._refusals >= REFUSALS_MAX
        now = self._clock.now()
        old = [each.id for each in events if refused or now - each.at > GIVEN_UP_AFTER]
        if refused:
            self.worked()
        node.store.finish_deliveries(old, channel, "failed", str(error))
        waiting = [each.id for each in events if each.id not in set(old)]
        node.store.finish_deliveries(waiting, channel, "pending", str(error))
        log.warning("not delivered", channel=channel.value, events=len(events), given_up=len(old), error=str(error))
