"""What every pinger promises, the fake as well as the real one on loopback."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from app.adapters import pinger as real
from app.ports import Pinger
from tests.fakes.pinger import FakePinger
from tests.waiting import wait_for

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="raw sockets need root")
NO_ADDRESSES = ["", " ", "a b\r\nc", "\0", "x" * 300, "-c1", "$(reboot)", "ünïcode..invalid"]
ROUND_S = 1.0
ENDLESS_S = 30.0
"""As long as a resolver or a library may hang in these tests."""
HOSTILE = [*NO_ADDRESSES, "ff02::1%nothing", "255.255.255.255"]


@pytest.fixture(params=["fake", pytest.param("real", marks=needs_root)])
def pinger(request: pytest.FixtureRequest) -> Pinger:
    if request.param == "fake":
        return FakePinger({"127.0.0.1": 0.1, "127.0.0.2": 0.1, "::1": 0.1, "localhost": 0.1})
    return real.IcmpPinger()


def test_addresses_that_answer_have_a_round_trip(pinger: Pinger) -> None:
    answers = pinger.ping(["127.0.0.1", "127.0.0.2", "::1"], 1.0)
    assert set(answers) == {"127.0.0.1", "127.0.0.2", "::1"}
    assert all(trip is not None and 0 <= trip < 1000 for trip in answers.values())


def test_names_are_resolved(pinger: Pinger) -> None:
    assert pinger.ping(["localhost"], 1.0)["localhost"] is not None


@pytest.mark.parametrize("address", HOSTILE)
def test_what_is_no_address_counts_as_no_answer_and_spares_the_others(pinger: Pinger, address: str) -> None:
    answers = pinger.ping([address, "127.0.0.1"], 1.0)
    assert answers[address] is None
    assert answers["127.0.0.1"] is not None


def test_nothing_to_ping_is_fine(pinger: Pinger) -> None:
    assert pinger.ping([], 1.0) == {}


@pytest.fixture
def hanging_resolver(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """A resolver that answers nothing for `slow.example` until the event is set."""
    release = threading.Event()
    genuine = socket.getaddrinfo

    def resolve(host: str, *arguments: object, **options: object) -> object:
        if host == "slow.example":
            release.wait(ENDLESS_S)
            return genuine("127.0.0.1", None, type=socket.SOCK_RAW)
        return genuine(host, *arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    yield release
    release.set()


@needs_root
def test_a_hanging_resolver_delays_only_the_first_round_and_is_asked_once(hanging_resolver: threading.Event) -> None:
    pinger = real.IcmpPinger()
    before = set(threading.enumerate())
    started = time.monotonic()
    for round_number in range(6):
        answers = pinger.ping(["slow.example", "127.0.0.1"], ROUND_S)
        assert answers["slow.example"] is None
        assert answers["127.0.0.1"] is not None
        if round_number == 0:
            first_s = time.monotonic() - started
    assert first_s < ENDLESS_S / 2
    assert time.monotonic() - started - first_s < 5 * ROUND_S * real.NAME_SHARE
    assert len(set(threading.enumerate()) - before) == 1
    hanging_resolver.set()
    wait_for(
        lambda: pinger.ping(["slow.example"], ROUND_S)["slow.example"] is not None, 30, "the resolver's late answer"
    )


def test_a_library_that_waits_too_long_does_not_hold_up_the_round(monkeypatch: pytest.MonkeyPatch) -> None:
    """As icmplib does when the wall clock, by which it counts, is set back."""

    async def wait(*_addresses: object, **_options: object) -> None:
        await asyncio.sleep(ENDLESS_S)

    monkeypatch.setattr(real, "async_multiping", wait)
    started = time.monotonic()
    assert real.IcmpPinger().ping(["127.0.0.1"], 0.2) == {"127.0.0.1": None}
    assert time.monotonic() - started < ENDLESS_S / 2
