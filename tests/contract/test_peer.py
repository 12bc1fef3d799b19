"""The paired server, as the fake and over real sshd alike; then what only the real channel must stand."""

from __future__ import annotations

import contextlib
import json
import random
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from app.adapters.peer.client import SshPeer
from app.adapters.peer.openssh import ssh_options
from app.core.errors import InvalidInput, NotAllowed, PeerRefused, PeerUnreachable
from app.core.roles import Role
from app.core.wire import REQUEST_BYTES_MAX
from app.ports import Json, Peer
from jobs.peer.commands import ReceiveFiles, SendSeed, Talk, parse_command
from tests.contract import peer_command
from tests.contract.peer_servers import PeerServers, processes_naming
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


class RealSide:
    """Beta asks alpha, which is the primary and whose sshd runs."""

    def __init__(self, address: str) -> None:
        self.servers = PeerServers(address_a=address)
        self.asked, self.asking = self.servers.a, self.servers.b
        self.peer: Peer = self.asking.peer
        peer_command.use_at(self.asked.settings)
        self.asked.start()

    def go_away(self) -> None:
        self.asked.stop()

    def come_back(self) -> None:
        self.asked.start()

    def part(self) -> None:
        self.asking.store.change_state(lambda state: replace(state, peer=None, role=Role.STANDALONE))

    def seed_behaves(self, behaviour: str) -> None:
        (self.asked.settings.state_dir / "seed").write_text(behaviour)


@pytest.fixture
def real() -> Iterator[RealSide]:
    side = RealSide("127.0.0.71")
    yield side
    side.servers.close()


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


def test_a_slow_request_delays_no_other(real: RealSide) -> None:
    real.peer.request("echo", {}, TIMEOUT_S)
    slow = threading.Thread(target=lambda: real.peer.request("hold", {}, 3 * TIMEOUT_S))
    slow.start()
    for _ in range(3):
        real.peer.request("echo", {}, TIMEOUT_S)
    assert slow.is_alive()
    (real.asked.settings.state_dir / "released").touch()
    slow.join()


def test_many_threads_get_each_their_own_answer(real: RealSide) -> None:
    wrong: list[Json] = []

    def ask(number: int) -> None:
        for count in range(20):
            body = {"n": number, "count": count}
            if real.peer.request("echo", body, 60.0)["got"] != body:
                wrong.append(body)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_failure_of_the_peer_shows_nothing_of_its_inside(real: RealSide) -> None:
    with pytest.raises(PeerRefused) as refused:
        real.peer.request("fail", {}, TIMEOUT_S)
    assert refused.value.code == "internal-error"
    assert "secret" not in f"{refused.value.title}{refused.value.detail}{refused.value.hint}"
    assert "secret words of a traceback" in real.asked.log()


def test_what_libraries_print_does_not_disturb_the_talk(real: RealSide) -> None:
    assert real.peer.request("shout", {}, TIMEOUT_S) == {"shouted": True}
    assert "noise on the output" in real.asked.log()


def test_the_log_does_not_follow_a_link(real: RealSide) -> None:
    target = real.asked.folder / "target"
    (real.asked.settings.log_dir / "peer.log").symlink_to(target)
    with pytest.raises(PeerRefused):
        real.peer.request("fail", {}, TIMEOUT_S)
    assert not target.exists()


def test_a_peer_that_dies_in_a_request_is_unreachable(real: RealSide) -> None:
    with pytest.raises(PeerUnreachable):
        real.peer.request("vanish", {}, TIMEOUT_S)
    assert real.peer.request("echo", {}, TIMEOUT_S)["got"] == {}


def test_a_kept_line_that_died_unnoticed_is_replaced_and_the_request_answered(real: RealSide) -> None:
    class Dead:
        alive = True
        closed = False

        def ask(self, *_: object) -> Json:
            raise ConnectionResetError("the other server was booted since")

        def close(self) -> None:
            self.closed = True

    line, peer = Dead(), real.peer
    assert isinstance(peer, SshPeer)
    identity = real.asking.store.state().peer
    assert identity is not None
    peer._idle.append((identity, line))  # type: ignore[arg-type]
    assert peer.request("echo", {"n": 1}, TIMEOUT_S)["got"] == {"n": 1}
    assert line.closed


def test_a_session_from_before_a_new_pairing_answers_no_more_but_the_request_is_answered(real: RealSide) -> None:
    real.peer.request("unpin", {}, TIMEOUT_S)
    assert real.peer.request("echo", {"n": 1}, TIMEOUT_S)["got"] == {"n": 1}


def test_a_server_with_another_host_key_is_not_the_peer(real: RealSide) -> None:
    state = real.asking.store.state()
    assert state.peer is not None
    stranger = replace(state.peer, host_key=real.asking.keys.identity().host_key)
    real.asking.store.change_state(lambda state: replace(state, peer=stranger))
    with pytest.raises(PeerUnreachable) as refused:
        real.peer.request("echo", {}, TIMEOUT_S)
    assert refused.value.code == "peer-not-recognised"


def test_a_server_that_forgot_this_one_refuses_its_login(real: RealSide) -> None:
    real.asked.keys.unpin_peer()
    with pytest.raises(PeerRefused) as refused:
        real.peer.request("echo", {}, TIMEOUT_S)
    assert refused.value.code == "peer-login-refused"


def test_a_server_that_accepts_and_says_nothing_is_given_up_in_time(real: RealSide) -> None:
    real.asked.stop()
    with socket.create_server((real.asked.address, real.asked.settings.peer_port)):
        began = time.monotonic()
        with pytest.raises(PeerUnreachable) as refused:
            real.peer.request("echo", {}, 1.0)
        assert refused.value.code == "peer-timeout"
        assert time.monotonic() - began < GIVEN_UP_S


def test_a_name_that_does_not_resolve_is_unreachable_in_time(real: RealSide) -> None:
    state = real.asking.store.state()
    assert state.peer is not None
    nameless = replace(state.peer, address="no-such-host.invalid")
    real.asking.store.change_state(lambda state: replace(state, peer=nameless))
    began = time.monotonic()
    with pytest.raises(PeerUnreachable):
        real.peer.request("echo", {}, 2.0)
    assert time.monotonic() - began < GIVEN_UP_S


def test_a_secondary_sends_no_seed(real: RealSide) -> None:
    real.asked.store.change_state(lambda state: replace(state, role=Role.SECONDARY))
    with real.peer.open_seed(TIMEOUT_S) as chunks, pytest.raises(PeerRefused) as refused:
        b"".join(chunks)
    assert refused.value.code == "not-primary"


def test_a_seed_that_nobody_reads_to_the_end_leaves_nothing_behind(real: RealSide) -> None:
    before = len(processes_naming(real.servers.folder))
    with real.peer.open_seed(TIMEOUT_S) as chunks:
        next(chunks)
        assert len(processes_naming(real.servers.folder)) > before
    wait_for(lambda: len(processes_naming(real.servers.folder)) == before, TIMEOUT_S, "the end on both sides")


# --- the forced command against a hostile peer ------------------------------------------------------------------------

HOSTILE = [
    "",
    " ",
    "sh",
    "talk ",
    "talk\n",
    "talk; id",
    "Talk",
    "talk\0",
    "seed --all",
    "receive-files",
    "receive-files 1",
    "receive-files 1 --server",
    "receive-files one --server -lHe.LsfxCIvu . files",
    "receive-files -1 --server -lHe.LsfxCIvu . files",
    "receive-files 1 --server --sender -lHe.LsfxCIvu . files",
    "receive-files 1 --server -lHe.LsfxCIvu . /etc",
    "receive-files 1 --server -lHe.LsfxCIvu . ../files",
    "receive-files 1 --server -lHse.LsfxCIvu . files",
    "receive-files 1 --server -lHe.LsfxCIvu --daemon . files",
    "receive-files 1 --server -lHe.LsfxCIvu --log-file=/etc/passwd . files",
    "receive-files 1 --server -lHe.LsfxCIvu --temp-dir=/etc . files",
    "receive-files 1 --server -lHe.LsfxCIvu --backup-dir=/etc . files",
    "receive-files 1 --server -lHe.LsfxCIvu --copy-dest=/etc . files",
    "receive-files 1 --server -lHe.LsfxCIvu --rsync-path=x . files",
    "receive-files 1 --server -lHe.LsfxCIvu --remove-source-files . files",
    "receive-files 1 --server -KLe.LsfxCIvu . files",
    "receive-files 1 --server -lHe.LsfxCIvu . files /etc",
    "receive-files 1  --server -lHe.LsfxCIvu . files",
    "receive-files 1 --server -lHe.LsfxCIvu $(id) . files",
    "receive-files 1 --server -lHe.LsfxCIvu `id` . files",
    "receive-files 99999999999999999999999 --server -lHe.LsfxCIvu . files",
    "receive-files 1 --server -" + "l" * 400 + "e.Ls . files",
    "rsync --server -lHe.LsfxCIvu . files",
    "scp -t /etc",
    "internal-sftp",
    "../../bin/sh",
    "x" * 100_000,
    "\u0661 talk",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_command_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_command(text)
    assert refused.value.code == "unknown-command"


def test_mutated_commands_never_bring_anything_but_words_of_the_list() -> None:
    chance = random.Random(7)
    alphabet = " -=./;|&$`'\"\\\n\0abcdefghijklmnopqrstuvwxyzHDAXRS0123456789@"
    good = "receive-files 12 --server -lHogDtpAXrIRSe.iLsfxCIvu --timeout=30 --force --stats --numeric-ids . files"
    accepted = 0
    for _ in range(20_000):
        letters = list(good)
        for _ in range(chance.randrange(1, 4)):
            letters[chance.randrange(len(letters))] = chance.choice(alphabet)
        with contextlib.suppress(InvalidInput):
            command = parse_command("".join(letters))
            assert isinstance(command, ReceiveFiles)
            assert command.options[0] == "--server"
            assert all(each.startswith("-") and not set(each) & set(" ;|&$`'\"\\\n\0/") for each in command.options)
            accepted += 1
    assert accepted > 0


def test_the_commands_that_hapair_sends_are_understood() -> None:
    assert parse_command("talk") == Talk()
    assert parse_command("seed") == SendSeed()
    assert parse_command("receive-files 7 --server -nlHogDtpAXrSe.iLsfxCIvu --timeout=30 --delete -@-1 . files") == (
        ReceiveFiles(7, ("--server", "-nlHogDtpAXrSe.iLsfxCIvu", "--timeout=30", "--delete", "-@-1"))
    )


def run_command(real: RealSide, command: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """What OpenSSH's client brings back of a command at alpha."""
    line = [*ssh_options(real.asking.settings), "--", real.asked.address, command]
    return subprocess.run(line, input=given, capture_output=True, timeout=60)


@pytest.mark.parametrize(
    "command", ["", "sh -c id", "talk; id", "receive-files 1 --server --sender -e.L . files", "seed x"]
)
def test_the_peer_refuses_over_ssh_too(real: RealSide, command: str) -> None:
    done = run_command(real, command, b"id\n")
    assert done.returncode != 0
    assert done.stdout == b""
    assert b"uid=" not in done.stderr
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("option", ["-tt", "-R127.0.0.1:0:127.0.0.1:22", "-L127.0.0.1:0:127.0.0.1:22", "-s"])
def test_the_channel_offers_no_terminal_no_forwarding_and_no_subsystem(real: RealSide, option: str) -> None:
    options = [*ssh_options(real.asking.settings), "-o", "ExitOnForwardFailure=yes", option]
    done = subprocess.run([*options, "--", real.asked.address, "sftp"], input=b"", capture_output=True, timeout=60)
    assert done.returncode != 0
    assert done.stdout == b""


LINES: list[bytes] = [
    b"\n",
    b"{}\n",
    b"null\n",
    b"[]\n",
    b'"x"\n',
    b"\xff\xfe\x00\n",
    b"{" * 100_000 + b"\n",
    b"[" * 100_000 + b"\n",
    b'{"id":1}\n',
    b'{"id":"1","verb":"echo","body":{}}\n',
    b'{"id":1,"verb":"../echo","body":{}}\n',
    b'{"id":1,"verb":"__class__","body":{}}\n',
    b'{"id":1,"verb":["echo"],"body":{}}\n',
    b'{"id":1,"verb":"echo","body":[]}\n',
    b'{"id":1,"verb":"echo","body":{"x":NaN}}\n',
    b'{"id":1,"verb":"echo","body":{"x":"\\ud800"}}\n',
    b'{"id":1,"verb":"echo","body":' + b'{"x":' * 30 + b"1" + b"}" * 31 + b"\n",
    b'{"id":1,"verb":"echo","body":{"x":' + b"9" * 10_000 + b"}}\n",
]


def test_lines_that_make_no_sense_are_refused_and_the_talk_goes_on(real: RealSide) -> None:
    given = b"".join(LINES) + b'{"id":7,"verb":"echo","body":{"fine":true}}\n'
    done = run_command(real, "talk", given)
    replies = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(replies) == len(LINES) + 1
    assert {reply["error"]["code"] for reply in replies[:-1]} == {"bad-request"}
    assert replies[-1]["reply"]["got"] == {"fine": True}
    assert done.stderr == b""


def test_an_endless_line_ends_the_talk(real: RealSide) -> None:
    done = run_command(real, "talk", b"x" * (REQUEST_BYTES_MAX + 200_000))
    (reply,) = done.stdout.splitlines()
    assert json.loads(reply)["error"]["code"] == "bad-request"


def test_random_bytes_bring_refusals_only(real: RealSide) -> None:
    chance = random.Random(11)
    good = b'{"id":1,"verb":"echo","body":{"a":[1,2,{"b":"c"}]}}'
    lines = []
    for _ in range(500):
        line = bytearray(good)
        for _ in range(chance.randrange(1, 6)):
            line[chance.randrange(len(line))] = chance.choice([byte for byte in range(256) if byte != 10])
        lines.append(bytes(line))
    done = run_command(real, "talk", b"\n".join(lines) + b"\n")
    replies = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(replies) == len(lines)
    codes = {reply["error"]["code"] for reply in replies if not reply["ok"]}
    assert codes <= {"bad-request", "unknown-verb"}


def test_the_session_ends_with_its_connection(real: RealSide) -> None:
    real.peer.request("echo", {}, TIMEOUT_S)
    real.peer.close()
    wait_for(lambda: not sessions(real), TIMEOUT_S, "the end of the session's process")


def sessions(real: RealSide) -> list[str]:
    shown = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True).stdout
    return [line for line in shown.splitlines() if str(real.asked.settings.peer_dir) in line]
