"""The whole monitor: the board, the duties in their threads, and the loop, from start to a clean end."""

from __future__ import annotations

from datetime import timedelta

import structlog

from app.core.errors import HapairError, LocalFailure
from app.ports import Node
from jobs.monitor.activity import ActivityDuty
from jobs.monitor.acts import Hands
from jobs.monitor.address import AddressDuty
from jobs.monitor.board import Board
from jobs.monitor.certificate import CertificateDuty
from jobs.monitor.database import DatabaseDuty, WriteProbeDuty
from jobs.monitor.duty import DutyThread
from jobs.monitor.files import FileDuty
from jobs.monitor.heartbeat import ANNOUNCER, HeartbeatDuty
from jobs.monitor.history import HistoryDuty
from jobs.monitor.journalend import JournalEndDuty
from jobs.monitor.loglines import LogDuty
from jobs.monitor.loop import Loop
from jobs.monitor.mails import MailDuty
from jobs.monitor.outbox import end_interrupted
from jobs.monitor.peerprobe import PeerProbeDuty
from jobs.monitor.pings import PingDuty
from jobs.monitor.rescues import RescueDuty
from jobs.monitor.scripts import ScriptDuty
from jobs.monitor.services import ServiceDuty
from jobs.monitor.situation import SituationReader
from jobs.monitor.trials import TrialDuty
from jobs.monitor.webhooks import WebhookDuty
from jobs.monitor.welcome import WelcomeDuty
from jobs.steps import promotion

log = structlog.get_logger(__name__)

BACK_OFF_FIRST_S = 0.5
BACK_OFF_LONGEST_S = 10.0
STOP_ACTS_S = 8.0
"""An act under way at a stop gets this long; what it has not finished is decided again at the next start."""
STOP_ANNOUNCED_FOR = timedelta(minutes=5)
"""Long enough for a reboot; after it the other server counts this one as lost."""
ANNOUNCE_TIMEOUT_S = 1.0


class Monitor:
    """Runs until `stop`."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._stopping = False
        self._started = False
        self._reader = SituationReader(node)
        self._board = Board(self._reader.read(node.clock.monotonic()))
        self._pings = PingDuty(node, self._board)
        self._ping_thread = DutyThread(self._pings)
        self._database = DatabaseDuty(node, self._board)
        self._database_thread = DutyThread(self._database)
        self._services = ServiceDuty(node, self._board)
        self._service_thread = DutyThread(self._services)
        self._outbox = tuple(
            DutyThread(duty)
            for duty in (
                ScriptDuty(node, self._board),
                MailDuty(node, self._board),
                WebhookDuty(node, self._board),
                LogDuty(node),
            )
        )
        self._threads = (
            self._ping_thread,
            *self._outbox,
            DutyThread(TrialDuty(node, self._board)),
            DutyThread(HeartbeatDuty(node, self._board)),
            self._database_thread,
            DutyThread(WriteProbeDuty(node, self._board)),
            DutyThread(PeerProbeDuty(node, self._board)),
            DutyThread(FileDuty(node, self._board)),
            DutyThread(WelcomeDuty(node, self._board)),
            DutyThread(ActivityDuty(node, self._board)),
            DutyThread(JournalEndDuty(node)),
            DutyThread(RescueDuty(node, self._board)),
            DutyThread(AddressDuty(node, self._board)),
            DutyThread(CertificateDuty(node)),
            DutyThread(HistoryDuty(node, self._board)),
            self._service_thread,
        )
        hands = Hands(node, self._ask_others, self._restart_database, self._events_added)
        self._loop = Loop(node, self._board, self._reader, hands, self._look_again)

    def stop(self) -> None:
        """The loop ends after its tick. A signal handler may call it: it takes no lock, which the loop could hold."""
        self._stopping = True

    def run(self) -> None:
        """Watches over this node until stopped."""
        state = self._board.read().situation.state
        log.info("monitor started", role=state.role.value, term=state.term, phase=state.phase.value)
        pause_s = BACK_OFF_FIRST_S
        while not self._stopping:
            try:
                if not self._started:
                    self._start()
                self._loop.tick()
            except Exception:
                # The outermost guard: a monitor that ends can't fence. It says what broke and tries again.
                log.exception("a tick broke off", again_in_s=pause_s)
                self._node.clock.sleep(pause_s)
                pause_s = min(2 * pause_s, BACK_OFF_LONGEST_S)
            else:
                pause_s = BACK_OFF_FIRST_S
                self._board.wait(self._loop.pause_s())
        self._end()

    def _start(self) -> None:
        """What an earlier monitor left half done is settled, then every duty begins."""
        self._keep_room()
        end_interrupted(self._node)
        promotion.settle(self._node)
        for thread in self._threads:
            thread.start()
        self._started = True

    def _keep_room(self) -> None:
        """A disk that fills up later does not keep the node store from recording what matters."""
        try:
            self._node.store.keep_room()
        except LocalFailure as error:
            log.warning("no room could be set aside in the node store", error=str(error))

    def _end(self) -> None:
        """The other server knows that this is no failure; no thread is left."""
        self._board.put(stopping=True)
        self._loop.republish()
        self._announce_stop()
        if not self._loop.settle(STOP_ACTS_S):
            log.warning("an act is still under way and is left to the next start")
        for thread in self._threads:
            thread.stop()
        left = [thread.name for thread in self._threads if self._started and not thread.join()]
        self._node.peer.close()
        log.info("monitor stopped", threads_left=left)

    def _announce_stop(self) -> None:
        """The peer knows that this node stops; its next heartbeat after a start takes that back."""
        if self._board.read().situation.state.peer is None:
            return
        until = self._node.clock.now() + STOP_ANNOUNCED_FOR
        body = {"kind": "stopping", "until": until.isoformat(), "job_id": ANNOUNCER}
        try:
            self._node.peer.request("announce", body, ANNOUNCE_TIMEOUT_S)
        except HapairError as error:
            log.info("the peer could not be told", error=str(error))

    def _ask_others(self) -> None:
        self._pings.ask_others()
        self._ping_thread.wake()

    def _restart_database(self) -> None:
        self._services.restart_database()
        self._service_thread.wake()

    def _look_again(self) -> None:
        self._database.look_now()
        self._database_thread.wake()

    def _events_added(self) -> None:
        for thread in self._outbox:
            thread.wake()
