"""A network in which the test says who answers."""

from __future__ import annotations

from collections.abc import Sequence


class FakePinger:
    """`answering` holds the round trip in ms of every address that answers."""

    def __init__(self, answering: dict[str, float] | None = None) -> None:
        self.answering = dict(answering or {})
        self.rounds = 0

    def ping(self, addresses: Sequence[str], timeout_s: float) -> dict[str, float | None]:
        self.rounds += 1
        return {address: self._in_time(address, timeout_s) for address in addresses}

    def _in_time(self, address: str, timeout_s: float) -> float | None:
        round_trip_ms = self.answering.get(address)
        return None if round_trip_ms is None or round_trip_ms > 1000 * timeout_s else round_trip_ms
