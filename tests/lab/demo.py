"""`make run`: a pair of real servers with real content on this machine, until Ctrl-C."""

from __future__ import annotations

import signal
import sys
from types import FrameType

from tests.lab.load import Sysbench, copy_trees
from tests.lab.network import HOSTS
from tests.lab.pairing import Timing
from tests.lab.places import DEFAULT_NAME
from tests.lab.servers import Servers, bring_up

DEMO_TIMING = Timing(ping_interval=1, ping_iterations=3)
"""A failover three seconds after the loss of the primary, so that it can be watched."""


def demo(name: str = DEFAULT_NAME, topology: str = "same") -> int:
    """A stable pair has run until Ctrl-C (or a signal to end), and nothing of it is left."""
    # SIGINT too: a shell that starts the demo in the background has it ignored.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    _say("Starting two servers …")
    servers = bring_up(name, topology=topology)
    try:
        _say("Filling the first one: sysbench's tables, this system's documentation and Python's library …")
        Sysbench(servers.database("a")).prepare()
        copy_trees(servers.lab, "a")
        _say("Making them a pair, by the manual's workflow …")
        servers.pair(DEMO_TIMING)
        _say(welcome(servers))
        signal.pause()
    except KeyboardInterrupt:
        pass
    finally:
        _say("\nRemoving the servers …")
        servers.close()
        servers.lab.down()
    _say("Nothing is left.")
    return 0


def welcome(servers: Servers) -> str:
    """Where everything is, how to log in, and what to try."""
    here = servers.hosts["a"]
    option = "" if servers.lab.name == DEFAULT_NAME else f" --name {servers.lab.name}"
    lab = f"{sys.executable} -m tests.lab"
    lines = ["", "The pair is stable.", ""]
    for host in HOSTS:
        found = servers.hosts[host]
        role = servers.apis[host].status()["node"]["role"]
        lines.append(f"  {found['hostname']:<6} {role:<10} console {found['url']}   API {found['url']}/api/v1")
    lines += [
        "",
        f"  Log in as {here['username']} with {here['password']}",
        f"  The certificates are signed by {here['ca']} and {servers.hosts['b']['ca']}",
        f"  Mail goes to the Maildir {servers.info['mailbox']}",
        "",
        "Try, in another terminal as the same user:",
        f"  {lab} fault{option} power-cut a     # the second server takes over within seconds",
        f"  {lab} fault{option} boot a          # the first one comes back",
        f"  {lab} exec{option} b -- hapair status",
        "",
        "Ctrl-C ends the demo and removes everything.",
    ]
    return "\n".join(lines)


def _say(text: str) -> None:
    print(text, flush=True)


def _interrupt(_: int, __: FrameType | None) -> None:
    raise KeyboardInterrupt
