"""The queue port by RQ on Redis: it only carries job numbers; the journal in the node store is the truth.

RQ and Redis are loaded by the first job: most processes of a node never start one, and the peer's requests must not
wait for them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.core.errors import LocalFailure

if TYPE_CHECKING:
    from redis import Redis

QUEUE_NAME = "hapair"
TASK = "jobs.tasks.run_job"
JOB_TIMEOUT_S = 24 * 3600
"""Each step has bounds of its own; this one ends what none of them has foreseen."""
RESULT_KEPT_S = 24 * 3600
CONNECT_TIMEOUT_S = 2.0
ANSWER_TIMEOUT_S = 5.0


class RedisQueue:
    """Jobs on their way to the worker."""

    def __init__(self, redis_url: str) -> None:
        self._url = redis_url
        self._connection: Redis | None = None

    def enqueue(self, job_id: str) -> None:
        """The worker will be told the job's number once, however often this is called before it takes it.

        Raises LocalFailure (code `queue-down`).
        """
        from redis.exceptions import RedisError
        from rq import Queue as RqQueue
        from rq.serializers import JSONSerializer

        try:
            queue = RqQueue(QUEUE_NAME, connection=self._connected(), serializer=JSONSerializer)
            if job_id in queue.job_ids:
                return
            queue.enqueue(
                TASK,
                job_id,
                job_id=job_id,
                job_timeout=JOB_TIMEOUT_S,
                result_ttl=RESULT_KEPT_S,
                failure_ttl=RESULT_KEPT_S,
                description=f"hapair job {job_id}",
            )
        except (RedisError, OSError) as error:
            raise LocalFailure(
                "queue-down",
                "The Job Queue Is Down",
                detail=f"Redis does not answer ({type(error).__name__}), so no job can start. Nothing was changed.",
                hint="Start the service redis on this server, then try again.",
            ) from error

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()

    def _connected(self) -> Redis:
        if self._connection is None:
            import redis

            self._connection = redis.Redis.from_url(
                self._url, socket_connect_timeout=CONNECT_TIMEOUT_S, socket_timeout=ANSWER_TIMEOUT_S
            )
        return self._connection
