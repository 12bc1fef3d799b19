"""The paired server, as the fake and over real sshd alike; then what only the real channel must stand."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from app.adapters.peer.client import IDLE_LINE_S, SshPeer
from app.core.errors import InvalidInput, NotAllowed, PeerRefused, PeerUnreachable
from app.core.roles import Role
from app.core.wire import REQUEST_BYTES_MAX
from app.ports import Json, Peer
from tests.contract import peer_command
from tests.contract.peer_servers import processes_naming
from tests.contract.peer_side import RealSide
from tests.fakes.peer import FakePeer
from tests.waiting import wait_for

TIMEOUT_S = 20.0
GIVEN_UP_S = 12.0
"""A request with a short time-out ends sooner, on a busy machine too; what libraries wait by themselves is longer."""
SEED = peer_command.SEED_BLOCK * peer_command.SEED_BLOCKS


class FakeSide:
    """The fake, behind the same hands as the real servers."""

    def __init__(self) -> None:
        self.peer: Peer = self._fake()

    def _fake(self) -> FakePeer:
        def refuse(_: Json) -> Json:
            raise NotAllowed("not-now", "Not Now", detail="because", hint="Wait.")

        fake = FakePeer(
            {
                "echo": lambda body: {"got": body},
                "refuse": refuse,
                "hold": lambda _: {},
                "large": lambda body: {"text": "x" * int(body["characters"])},
            }
        )
        fake.slow["hold"] = 2.0
        fake.seed = SEED
        return fake

    def go_away(self) -> None:
        self.peer.reachable = False  # type: ignore[attr-defined]

    def come_back(self) -> None:
        self.peer.reachable = True  # type: ignore[attr-defined]

    def part(self) -> None:
        self.peer.paired = False  # type: ignore[attr-defined]

    def seed_behaves(self, behaviour: str) -> None:
        fake = self.peer
        assert isinstance(fake, FakePeer)
        fake.seed_breaks = behaviour == "broken"
        if behaviour == "refused":
            fake.seed_refusal = NotAllowed(
                "backup-failed", "The Copy Failed", detail="the disk is full", hint="Make room."
            )


@pytest.fixture(params=["fake", "127.0.0.71", "::1"])
def side(request: pytest.FixtureRequest) -> Iterator[FakeSide | RealSide]:
    if request.param == "fake":
        yield FakeSide()
        return
    made = RealSide(request.param)
    yield made
    made.servers.close()


def test_a_request_is_answered(side: FakeSide | RealSide) -> None:
    body = {"text": "ünïcode \N{SNOWMAN} \n\0", "number": 1.5, "list": [None, True, {}]}
    for _ in range(3):
        assert side.peer.request("echo", body, TIMEOUT_S)["got"] == body


def test_a_refusal_has_the_peers_own_words_and_ends_nothing(side: FakeSide | RealSide) -> None:
    with pytest.raises(PeerRefused) as refused:
        side.peer.request("refuse", {}, TIMEOUT_S)
    error = refused.value
    assert (error.code, error.title, error.detail, error.hint) == ("not-now", "Not Now", "because", "Wait.")
    assert side.peer.request("echo", {}, TIMEOUT_S)["got"] == {}


def test_an_unknown_verb_is_refused(side: FakeSide | RealSide) -> None:
    with pytest.raises(PeerRefused) as refused:
        side.peer.request("self-destruct", {}, TIMEOUT_S)
    assert refused.value.code == "unknown-verb"


def test_a_large_reply_arrives_and_a_too_large_one_is_refused(side: FakeSide | RealSide) -> None:
    assert len(side.peer.request("large", {"characters": 3_000_000}, TIMEOUT_S)["text"]) == 3_000_000
    with pytest.raises(PeerRefused) as refused:
        side.peer.request("large", {"characters": 5_000_000}, TIMEOUT_S)
    assert refused.value.code == "reply-too-large"


def test_a_too_large_request_is_not_sent(side: FakeSide | RealSide) -> None:
    with pytest.raises(InvalidInput) as refused:
        side.peer.request("echo", {"text": "x" * REQUEST_BYTES_MAX}, TIMEOUT_S)
    assert refused.value.code == "request-too-large"
    assert side.peer.request("echo", {}, TIMEOUT_S)["got"] == {}


def test_a_late_answer_counts_for_nothing_and_the_next_request_is_answered(side: FakeSide | RealSide) -> None:
    side.peer.request("echo", {}, TIMEOUT_S)
    began = time.monotonic()
    with pytest.raises(PeerUnreachable) as refused:
        side.peer.request("hold", {}, 1.0)
    assert refused.value.code == "peer-timeout"
    assert time.monotonic() - began < GIVEN_UP_S
    assert side.peer.request("echo", {"n": 2}, TIMEOUT_S)["got"] == {"n": 2}


def test_a_peer_that_is_away_is_unreachable_and_found_again(side: FakeSide | RealSide) -> None:
    side.peer.request("echo", {}, TIMEOUT_S)
    side.go_away()
    with pytest.raises(PeerUnreachable) as refused:
        side.peer.request("echo", {}, TIMEOUT_S)
    assert refused.value.code == "peer-unreachable"
    side.come_back()
    assert side.peer.request("echo", {}, TIMEOUT_S)["got"] == {}


def test_without_a_pair_there_is_no_peer(side: FakeSide | RealSide) -> None:
    side.part()
    with pytest.raises(PeerUnreachable), side.peer.open_seed(TIMEOUT_S):
        pass
    with pytest.raises(PeerUnreachable):
        side.peer.request("echo", {}, TIMEOUT_S)


def test_a_seed_arrives_whole(side: FakeSide | RealSide) -> None:
    with side.peer.open_seed(TIMEOUT_S) as chunks:
        assert b"".join(chunks) == SEED


def test_a_seed_that_breaks_off_is_noticed(side: FakeSide | RealSide) -> None:
    side.seed_behaves("broken")
    with side.peer.open_seed(TIMEOUT_S) as chunks, pytest.raises(PeerUnreachable):
        b"".join(chunks)


def test_a_refused_seed_says_why(side: FakeSide | RealSide) -> None:
    side.seed_behaves("refused")
    with side.peer.open_seed(TIMEOUT_S) as chunks, pytest.raises(PeerRefused) as refused:
        b"".join(chunks)
    assert (refused.value.code, refused.value.hint) == ("backup-failed", "Make room.")


# --- the real channel -------------------------------------------------------------------------------------------------


def test_a_slow_request_delays_no_other(real_side: RealSide) -> None:
    real_side.peer.request("echo", {}, TIMEOUT_S)
    slow = threading.Thread(target=lambda: real_side.peer.request("hold", {}, 3 * TIMEOUT_S))
    slow.start()
    for _ in range(3):
        real_side.peer.request("echo", {}, TIMEOUT_S)
    assert slow.is_alive()
    (real_side.asked.settings.state_dir / "released").touch()
    slow.join()


def test_many_threads_get_each_their_own_answer(real_side: RealSide) -> None:
    wrong: list[Json] = []

    def ask(number: int) -> None:
        for count in range(20):
            body = {"n": number, "count": count}
            if real_side.peer.request("echo", body, 60.0)["got"] != body:
                wrong.append(body)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_failure_of_the_peer_shows_nothing_of_its_inside(real_side: RealSide) -> None:
    with pytest.raises(PeerRefused) as refused:
        real_side.peer.request("fail", {}, TIMEOUT_S)
    assert refused.value.code == "internal-error"
    assert "secret" not in f"{refused.value.title}{refused.value.detail}{refused.value.hint}"
    assert "secret words of a traceback" in real_side.asked.log()


def test_what_libraries_print_does_not_disturb_the_talk(real_side: RealSide) -> None:
    assert real_side.peer.request("shout", {}, TIMEOUT_S) == {"shouted": True}
    assert "noise on the output" in real_side.asked.log()


def test_the_log_does_not_follow_a_link(real_side: RealSide) -> None:
    target = real_side.asked.folder / "target"
    (real_side.asked.settings.log_dir / "peer.log").symlink_to(target)
    with pytest.raises(PeerRefused):
        real_side.peer.request("fail", {}, TIMEOUT_S)
    assert not target.exists()


def test_a_peer_that_dies_in_a_request_is_unreachable(real_side: RealSide) -> None:
    with pytest.raises(PeerUnreachable):
        real_side.peer.request("vanish", {}, TIMEOUT_S)
    assert real_side.peer.request("echo", {}, TIMEOUT_S)["got"] == {}


class KeptLine:
    """One on which nothing can be asked any more."""

    alive = True

    def __init__(self, error: OSError) -> None:
        self.error = error
        self.asked = self.closed = False

    def ask(self, *_: object) -> Json:
        self.asked = True
        raise self.error

    def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize(
    ("error", "unused_s", "asked"), [(ConnectionResetError(), 0.0, True), (TimeoutError(), IDLE_LINE_S + 1.0, False)]
)
def test_a_kept_line_that_died_unnoticed_or_is_old_is_replaced_and_the_request_answered(
    real_side: RealSide, error: OSError, unused_s: float, asked: bool
) -> None:
    line, peer = KeptLine(error), real_side.peer
    assert isinstance(peer, SshPeer)
    identity = real_side.asking.store.state().peer
    assert identity is not None
    peer._idle.append((identity, line, time.monotonic() - unused_s))  # type: ignore[arg-type]
    assert peer.request("echo", {"n": 1}, TIMEOUT_S)["got"] == {"n": 1}
    assert (line.asked, line.closed) == (asked, True)


def test_a_session_from_before_a_new_pairing_answers_no_more_but_the_request_is_answered(real_side: RealSide) -> None:
    real_side.peer.request("unpin", {}, TIMEOUT_S)
    assert real_side.peer.request("echo", {"n": 1}, TIMEOUT_S)["got"] == {"n": 1}


def test_a_server_with_another_host_key_is_not_the_peer(real_side: RealSide) -> None:
    state = real_side.asking.store.state()
    assert state.peer is not None
    stranger = replace(state.peer, host_key=real_side.asking.keys.identity().host_key)
    real_side.asking.store.change_state(lambda state: replace(state, peer=stranger))
    with pytest.raises(PeerUnreachable) as refused:
        real_side.peer.request("echo", {}, TIMEOUT_S)
    assert refused.value.code == "peer-not-recognised"


def test_a_server_that_forgot_this_one_refuses_its_login(real_side: RealSide) -> None:
    real_side.asked.keys.unpin_peer()
    with pytest.raises(PeerRefused) as refused:
        real_side.peer.request("echo", {}, TIMEOUT_S)
    assert refused.value.code == "peer-login-refused"


def test_a_server_that_accepts_and_says_nothing_is_given_up_in_time(real_side: RealSide) -> None:
    real_side.asked.stop()
    with socket.create_server((real_side.asked.address, real_side.asked.settings.peer_port)):
        began = time.monotonic()
        with pytest.raises(PeerUnreachable) as refused:
            real_side.peer.request("echo", {}, 1.0)
        assert refused.value.code == "peer-timeout"
        assert time.monotonic() - began < GIVEN_UP_S


def test_a_name_that_does_not_resolve_is_unreachable_in_time(real_side: RealSide) -> None:
    state = real_side.asking.store.state()
    assert state.peer is not None
    nameless = replace(state.peer, address="no-such-host.invalid")
    real_side.asking.store.change_state(lambda state: replace(state, peer=nameless))
    began = time.monotonic()
    with pytest.raises(PeerUnreachable):
        real_side.peer.request("echo", {}, 2.0)
    assert time.monotonic() - began < GIVEN_UP_S


def test_a_secondary_sends_no_seed(real_side: RealSide) -> None:
    real_side.asked.store.change_state(lambda state: replace(state, role=Role.SECONDARY))
    with real_side.peer.open_seed(TIMEOUT_S) as chunks, pytest.raises(PeerRefused) as refused:
        b"".join(chunks)
    assert refused.value.code == "not-primary"


def test_a_seed_that_nobody_reads_to_the_end_leaves_nothing_behind(real_side: RealSide) -> None:
    before = len(processes_naming(real_side.servers.folder))
    with real_side.peer.open_seed(TIMEOUT_S) as chunks:
        next(chunks)
        assert len(processes_naming(real_side.servers.folder)) > before
    wait_for(lambda: len(processes_naming(real_side.servers.folder)) == before, TIMEOUT_S, "the end on both sides")
