"""The other server as a job asks it: it is told who started the job, so that its own activity log can say so."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass

from app.ports import Json, Peer
from jobs.peer.noted import ACTS, ASKED_BY, ASKED_IN


@dataclass(frozen=True)
class AskingPeer:
    """app.ports.Peer, for one job."""

    peer: Peer
    actor: str
    job_id: str

    def request(self, verb: str, body: Json, timeout_s: float) -> Json:
        return self.peer.request(verb, {**body, **self.named()} if verb in ACTS else body, timeout_s)

    def named(self) -> Json:
        """What a request's body says of who asks."""
        return {ASKED_BY: self.actor, ASKED_IN: self.job_id}

    def open_seed(self, timeout_s: float) -> AbstractContextManager[Iterator[bytes]]:
        return self.peer.open_seed(timeout_s)

    def close(self) -> None:
        self.peer.close()
