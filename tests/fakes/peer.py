"""The other server as a table of verbs; every message goes through the real lines, so that only JSON gets across."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from app.core.errors import HapairError, InvalidInput, PeerUnreachable
from app.core.wire import error_line, parse_reply, parse_request, reply_line, request_line
from app.ports import Json

Verb = Callable[[Json], Json]
CHUNK_BYTES = 64 * 1024


class FakePeer:
    """app.ports.Peer. Set its attributes as the test wants them; `slow` is seconds by verb."""

    def __init__(self, verbs: Mapping[str, Verb] | None = None) -> None:
        self.verbs: dict[str, Verb] = dict(verbs or {})
        self.reachable = True
        self.paired = True
        self.slow: dict[str, float] = {}
        self.requests: list[tuple[str, Json]] = []
        """All that arrived at the other server, in order."""
        self.seed = b""
        self.seed_breaks = False
        """Whether the stream ends unclean after half of its bytes."""
        self.seed_refusal: HapairError | None = None

    def request(self, verb: str, body: Json, timeout_s: float) -> Json:
        self._reach()
        line = request_line(1, verb, body)
        request = parse_request(line)
        self.requests.append((request.verb, request.body))
        if self.slow.get(verb, 0.0) > timeout_s:
            raise PeerUnreachable("peer-timeout", "The Other Server Did Not Answer In Time")
        return parse_reply(self._answer(request.verb, request.body), 1)

    def _answer(self, verb: str, body: Json) -> bytes:
        try:
            if verb not in self.verbs:
                raise InvalidInput("unknown-verb", "This Request Is Not Known Here", detail=verb)
            return reply_line(1, self.verbs[verb](body))
        except HapairError as error:
            return error_line(1, error)

    @contextmanager
    def open_seed(self, timeout_s: float) -> Iterator[Iterator[bytes]]:
        self._reach()
        yield self._chunks()

    def _chunks(self) -> Iterator[bytes]:
        if self.seed_refusal is not None:
            parse_reply(error_line(1, self.seed_refusal), 1)
        sent = self.seed[: len(self.seed) // 2] if self.seed_breaks else self.seed
        for start in range(0, len(sent), CHUNK_BYTES):
            yield sent[start : start + CHUNK_BYTES]
        if self.seed_breaks:
            raise PeerUnreachable("peer-unreachable", "The Other Server Can't Be Reached", detail="broke off")

    def close(self) -> None:
        """There is nothing to close."""

    def _reach(self) -> None:
        if not self.paired:
            raise PeerUnreachable("peer-unreachable", "This Server Has No Peer")
        if not self.reachable:
            raise PeerUnreachable("peer-unreachable", "The Other Server Can't Be Reached")
