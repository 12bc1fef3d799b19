"""The peer's forced command and its talk, against a peer that is somebody else."""

from __future__ import annotations

import contextlib
import json
import random
import subprocess

import pytest

from app.adapters.peer.openssh import ssh_options
from app.core.errors import InvalidInput
from app.core.wire import REQUEST_BYTES_MAX
from jobs.peer.commands import ReceiveFiles, SendSeed, Talk, parse_command
from tests.contract.peer_side import RealSide
from tests.waiting import wait_for

TIMEOUT_S = 20.0


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


def run_command(real_side: RealSide, command: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """What OpenSSH's client brings back of a command at alpha."""
    line = [*ssh_options(real_side.asking.settings), "--", real_side.asked.address, command]
    return subprocess.run(line, input=given, capture_output=True, timeout=60)


@pytest.mark.parametrize(
    "command", ["", "sh -c id", "talk; id", "receive-files 1 --server --sender -e.L . files", "seed x"]
)
def test_the_peer_refuses_over_ssh_too(real_side: RealSide, command: str) -> None:
    done = run_command(real_side, command, b"id\n")
    assert done.returncode != 0
    assert done.stdout == b""
    assert b"uid=" not in done.stderr
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("option", ["-tt", "-R127.0.0.1:0:127.0.0.1:22", "-L127.0.0.1:0:127.0.0.1:22", "-s"])
def test_the_channel_offers_no_terminal_no_forwarding_and_no_subsystem(real_side: RealSide, option: str) -> None:
    options = [*ssh_options(real_side.asking.settings), "-o", "ExitOnForwardFailure=yes", option]
    done = subprocess.run([*options, "--", real_side.asked.address, "sftp"], input=b"", capture_output=True, timeout=60)
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


def test_lines_that_make_no_sense_are_refused_and_the_talk_goes_on(real_side: RealSide) -> None:
    given = b"".join(LINES) + b'{"id":7,"verb":"echo","body":{"fine":true}}\n'
    done = run_command(real_side, "talk", given)
    replies = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(replies) == len(LINES) + 1
    assert {reply["error"]["code"] for reply in replies[:-1]} == {"bad-request"}
    assert replies[-1]["reply"]["got"] == {"fine": True}
    assert done.stderr == b""


def test_an_endless_line_ends_the_talk(real_side: RealSide) -> None:
    done = run_command(real_side, "talk", b"x" * (REQUEST_BYTES_MAX + 200_000))
    (reply,) = done.stdout.splitlines()
    assert json.loads(reply)["error"]["code"] == "bad-request"


def test_random_bytes_bring_refusals_only(real_side: RealSide) -> None:
    chance = random.Random(11)
    good = b'{"id":1,"verb":"echo","body":{"a":[1,2,{"b":"c"}]}}'
    lines = []
    for _ in range(500):
        line = bytearray(good)
        for _ in range(chance.randrange(1, 6)):
            line[chance.randrange(len(line))] = chance.choice([byte for byte in range(256) if byte != 10])
        lines.append(bytes(line))
    done = run_command(real_side, "talk", b"\n".join(lines) + b"\n")
    replies = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(replies) == len(lines)
    codes = {reply["error"]["code"] for reply in replies if not reply["ok"]}
    assert codes <= {"bad-request", "unknown-verb"}


def test_the_session_ends_with_its_connection(real_side: RealSide) -> None:
    real_side.peer.request("echo", {}, TIMEOUT_S)
    real_side.peer.close()
    wait_for(lambda: not sessions(real_side), TIMEOUT_S, "the end of the session's process")


def sessions(real_side: RealSide) -> list[str]:
    shown = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True).stdout
    return [line for line in shown.splitlines() if str(real_side.asked.settings.peer_dir) in line]
