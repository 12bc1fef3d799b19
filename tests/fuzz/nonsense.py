"""What a hostile other server might send: seeded, so that a finding comes again."""

from __future__ import annotations

import json
import random
from typing import Any

from jobs.peer.verbs import VERBS

NAMES = (
    "pair_id", "term", "reason", "kind", "until", "job_id", "fields", "entry", "chain", "after", "records", "position",
    "timeout_s", "echo", "node_id", "hostname", "address", "host_key", "client_key", "certificate", "version", "facts",
    "config", "shared", "password", "point", "peer",
)  # fmt: skip
LONG_BYTES = 900_000
DEEP = 100_000
PAIR_ID = "p" * 32
WORDS = (
    "", "alpha", "'; DROP TABLE activity; --", "../../etc/shadow", "\x00", "\udc80", "-oProxyCommand=x", "\u202e",
    "x" * 5000, "2026-01-01T00:00:00+00:00", "9999-12-31T23:59:59+23:59", "0-1-1", "10.0.0.2", "$(id)",
    "SHA256:" + "A" * 43,
)  # fmt: skip
NUMBERS = (0, -1, 1, 2**31, 2**63, 2**64, 10**30, 1e308, -1e308, 0.5, True, False)


BROKEN = (
    b"", b"null", b"[]", b"{}", b'"x"', b"NaN", b"\0" * 50, b"\xff\xfe", b"1" * 10_000, b'{"id":1e999}',
    b'{"id":true,"verb":"ping","body":{}}', b'{"id":1,"verb":"ping","body":[]}', b'{"id":' + b"9" * 5000 + b"}",
)  # fmt: skip
PARTS = (
    "talk", "seed", "receive-files", "7", "--server", "-vlogDtpre.iLsfxCIvu", ".", "files", "--delete", ";id", "$(id)",
    "--rsh=sh", "..", "/etc", "\n", "\0", "x" * 600, "--timeout=5", "-s", "`id`", "&&", "rsync",
)  # fmt: skip


def value(dice: random.Random, depth: int = 0) -> Any:
    """A value of any JSON type."""
    kind = dice.randrange(7 if depth < 3 else 4)
    if kind == 0:
        return dice.choice(WORDS)
    if kind == 1:
        return dice.choice(NUMBERS)
    if kind == 2:
        return None
    if kind == 3:
        return "".join(chr(dice.randrange(1, 0xD7FF)) for _ in range(dice.randrange(20)))
    if kind in (4, 5):
        return {dice.choice(NAMES): value(dice, depth + 1) for _ in range(dice.randrange(4))}
    return [value(dice, depth + 1) for _ in range(dice.randrange(4))]


def request(dice: random.Random) -> bytes:
    """A well-formed request with a verb of this server and a body that fits nothing."""
    body = {dice.choice(NAMES): value(dice) for _ in range(dice.randrange(8))}
    if dice.random() < 0.7:
        body["pair_id"] = PAIR_ID
    if dice.random() < 0.5:
        body["term"] = dice.choice(NUMBERS)
    verb = dice.choice(sorted(VERBS)) if dice.random() < 0.9 else dice.choice(("no-such", "Ping", "", "a" * 41, "../x"))
    return json.dumps({"id": dice.randrange(1000), "verb": verb, "body": body}).encode()


def line(dice: random.Random) -> bytes:
    """One line without its end; never an empty one's worth of a valid request to change something."""
    kind = dice.randrange(12)
    if kind < 6:
        return request(dice)
    if kind == 6:
        return dice.randbytes(dice.randrange(1, 200)).replace(b"\n", b" ")
    if kind == 7:
        whole = request(dice)
        return whole[: dice.randrange(len(whole))]
    if kind == 8:
        opening = dice.choice((b"[", b'{"id":1,"verb":"ping","body":' + b'{"a":' * 50))
        return (opening * DEEP)[: dice.choice((100, 10_000, 300_000))]
    if kind == 9:
        return dice.choice(BROKEN)
    if kind == 10 and dice.random() < 0.1:
        return b'{"id":1,"verb":"ping","body":{"echo":"' + b"x" * LONG_BYTES + b'"}}'
    flipped = bytearray(request(dice))
    for _ in range(3):
        flipped[dice.randrange(len(flipped))] = dice.randrange(256)
    return bytes(flipped).replace(b"\n", b" ")


def command(dice: random.Random) -> str:
    """What an SSH client might ask to be run."""
    return " ".join(dice.choice(PARTS) for _ in range(dice.randrange(8)))
