"""The forced command of the tests: the real one, with verbs and a database that do what a test needs.

How the seed behaves is read from the file `seed` in the state folder: `whole`, `broken` or `refused`. Held requests
are answered when the file `released` is there.
"""

from __future__ import annotations

import dataclasses
import os
import sys
from pathlib import Path

import app.wiring
import jobs.peer.verbs
from app.core.errors import LocalFailure, NotAllowed
from app.ports import Json, Node
from app.settings import Settings, read_settings
from jobs.peer.__main__ import main
from tests.waiting import wait_for

HELD_S = 60.0
SEED_BLOCK = bytes(range(256)) * 256
SEED_BLOCKS = 64
"""4 MiB in all."""


class SeedingDatabase:
    """As much of a database as the seed needs."""

    def __init__(self, behaviour: str) -> None:
        self._behaviour = behaviour

    def send_seed(self, target: int) -> None:
        if self._behaviour == "refused":
            raise LocalFailure("backup-failed", "The Copy Failed", detail="the disk is full", hint="Make room.")
        with open(target, "wb", closefd=False) as stream:
            for number in range(SEED_BLOCKS):
                stream.write(SEED_BLOCK)
                if self._behaviour == "broken" and number == SEED_BLOCKS // 2:
                    stream.flush()
                    os._exit(9)


def echo(node: Node, body: Json) -> Json:
    return {"got": body, "node_id": node.store.state().node_id}


def hold(node: Node, body: Json) -> Json:
    wait_for((node.settings.state_dir / "released").exists, HELD_S, "the test to release the request")
    return {}


def refuse(node: Node, body: Json) -> Json:
    raise NotAllowed("not-now", "Not Now", detail="because", hint="Wait.")


def fail(node: Node, body: Json) -> Json:
    raise RuntimeError("secret words of a traceback")


def shout(node: Node, body: Json) -> Json:
    """Prints where it must not, as any library may."""
    print("noise on the output", flush=True)
    print("noise on the errors", file=sys.stderr, flush=True)
    return {"shouted": True}


def large(node: Node, body: Json) -> Json:
    return {"text": "x" * int(body["characters"])}


def vanish(node: Node, body: Json) -> Json:
    os._exit(1)


def unpin(node: Node, body: Json) -> Json:
    (node.settings.peer_dir / "authorized_keys").touch()
    return {}


VERBS = {
    "echo": echo,
    "hold": hold,
    "refuse": refuse,
    "fail": fail,
    "shout": shout,
    "large": large,
    "vanish": vanish,
    "unpin": unpin,
}


def run() -> int:
    """The real main, on a node with the tests' database and with the tests' verbs."""
    build = app.wiring.build_node

    def build_with_seed(settings: Settings) -> Node:
        behaviour = settings.state_dir / "seed"
        seeding = SeedingDatabase(behaviour.read_text() if behaviour.exists() else "whole")
        return dataclasses.replace(build(settings), database=seeding)  # type: ignore[arg-type]

    app.wiring.build_node = build_with_seed  # type: ignore[assignment]
    jobs.peer.verbs.VERBS = VERBS  # type: ignore[assignment]
    return main()


def use_at(settings: Settings) -> None:
    """The peer's key starts this module in place of jobs.peer."""
    script = settings.peer_dir / "command"
    text = script.read_text()
    script.write_text(text.replace("-m jobs.peer", f"-m {__name__}"))


if __name__ == "__main__":
    Path(read_settings().log_dir).mkdir(exist_ok=True)
    sys.exit(run())
