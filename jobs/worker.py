"""The worker: `python -m jobs.worker`. Runs jobs one after the other, in this process.

RQ only brings the numbers of jobs; the journal in the node store is the truth. So before anything else, and whenever
the queue has been quiet for a while, the worker looks into the journal: what a dead worker left is finished or
reverted, and a job that Redis has lost is sent again.
"""

from __future__ import annotations

import logging
import signal
import sys
import time
from contextlib import suppress
from types import FrameType

import redis
from redis.client import Pipeline, PubSub, PubSubWorkerThread
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError
from rq import Queue, SimpleWorker
from rq.exceptions import StopRequested
from rq.serializers import JSONSerializer

from app.collector import leave_startup_alone
from app.core.errors import HapairError, LocalFailure
from app.ports import Node
from app.wiring import build_certificate_service, build_rescue_service
from jobs import runner, tasks

log = logging.getLogger("hapair.worker")

QUEUE_NAME = "hapair"
"""The same as the queue adapter's; a test compares the two."""
QUIET_S = 5
"""After so long without a job the journal is looked at again."""
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 5.0
CONNECT_TIMEOUT_S = 2.0


class QueueGone(Exception):
    """Redis does not answer a worker that waits for jobs."""


class PatientWorker(SimpleWorker):
    """An RQ worker that comes back soon after Redis does, and remembers that it was told to end."""

    max_connection_wait_time = LONGEST_PAUSE_S
    told_to_end = False
    _is_over = False
    """What the listening thread meets from now on is no matter: its connection is closed under it."""

    def heartbeat(self, timeout: int | None = None, pipeline: Pipeline | None = None) -> None:
        """RQ would wait for Redis in here without end; jobs need it not, so this worker ends, and looks into the
        journal."""
        try:
            super().heartbeat(timeout, pipeline)
        except (RedisConnectionError, RedisTimeoutError) as error:
            raise QueueGone from error

    def teardown(self) -> None:
        """RQ does not end the thread that listens for its commands where Redis is gone: it would try again for ever,
        one thread more with each time that Redis is away."""
        self._is_over = True
        if self.pubsub_thread is not None:
            self.pubsub_thread.stop()
        super().teardown()  # type: ignore[no-untyped-call]

    def _pubsub_exception_handler(self, exc: Exception, pubsub: PubSub, pubsub_thread: PubSubWorkerThread) -> None:
        if not self._is_over:
            super()._pubsub_exception_handler(exc, pubsub, pubsub_thread)

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        self.told_to_end = True
        super().request_stop(signum, frame)  # type: ignore[no-untyped-call]


class Stop:
    """Whether the process was told to end; a job under way is finished first, RQ sees to that."""

    def __init__(self) -> None:
        self.asked = False

    def ask(self, number: int, _frame: FrameType | None) -> None:
        log.info("ending on signal %d", number)
        self.asked = True


def main() -> int:
    """Works until it is told to end."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    stop = Stop()
    node = tasks.node()
    serve_api(node)
    leave_startup_alone()
    pause = FIRST_PAUSE_S
    while not stop.asked:
        # RQ's worker has put its own handlers in their place.
        signal.signal(signal.SIGTERM, stop.ask)
        signal.signal(signal.SIGINT, stop.ask)
        try:
            look_into_journal(node)
            if serve(node.settings.redis_url):
                break
            pause = FIRST_PAUSE_S
            continue
        except (RedisError, OSError) as error:
            log.warning("Redis does not answer (%s); trying again in %.1f s", error, pause)
        except HapairError as error:
            log.warning("%s; trying again in %.1f s", error, pause)
        except Exception:
            log.exception("the worker's loop failed; trying again in %.1f s", pause)
        time.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE_S)
    return 0


def serve_api(node: Node) -> None:
    """The API, which has no rights, can ask this process for what only root may: the rescues, and the console's
    certificate. Jobs go on without that too."""
    try:
        build_rescue_service(node.settings).start()
        build_certificate_service(node.settings).start()
    except OSError as error:
        log.warning("the API can't be served: %s", error)


def look_into_journal(node: Node) -> None:
    """No job is left half done, and a queued one is on its way, or is run right here where Redis is down.

    This worker is the only one and runs nothing at this moment, so a job that is running was left by a dead one.
    """
    runner.recover(node)
    runner.finish_later(node)
    job = node.store.active_job()
    if job is None or job.state != "queued":
        return
    try:
        node.queue.enqueue(job.id)
    except LocalFailure as error:
        log.warning("%s; the job %s (%s) is run without it", error.title, job.id, job.kind)
        runner.run(node, job.id)


def serve(redis_url: str) -> bool:
    """Jobs are run as they come, until the queue has been quiet for QUIET_S; whether the worker was told to end."""
    connection = redis.Redis.from_url(redis_url, socket_connect_timeout=CONNECT_TIMEOUT_S)
    try:
        connection.ping()
        queue = Queue(QUEUE_NAME, connection=connection, serializer=JSONSerializer)
        # RQ notes a queue with its first job, and this Redis forgets at each start: the dashboard would show none.
        connection.sadd(Queue.redis_queues_keys, queue.key)
        worker = PatientWorker([queue], connection=connection, serializer=JSONSerializer)
        with suppress(StopRequested):  # a signal that comes while RQ is about to return, without a job
            worker.work(max_idle_time=QUIET_S, logging_level="WARNING")
        return worker.told_to_end
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(main())
