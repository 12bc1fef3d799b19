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
        return {address: self.answering.get(address) for address in addresses}
