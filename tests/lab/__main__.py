"""The lab's commands: `python -m tests.lab up|down|info|exec|fault|demo|sweep`."""

from __future__ import annotations

import argparse
import json
import os
import sys

from tests.lab.control import Lab, running
from tests.lab.demo import demo
from tests.lab.disk import DEFAULT_GIB
from tests.lab.faults import FAULTS
from tests.lab.installation import describe
from tests.lab.network import HOSTS, TOPOLOGIES
from tests.lab.pairing import Timing
from tests.lab.places import DEFAULT_NAME, LabError, places
from tests.lab.removal import sweep
from tests.lab.servers import bring_up, last_words


def up(given: argparse.Namespace) -> int:
    """A new lab runs and stays."""
    servers = bring_up(given.name, topology=given.topology, disk_gib=given.disk_gib)
    try:
        if not given.standalone:
            servers.pair(Timing(given.ping_interval, given.ping_iterations))
    except AssertionError as error:
        complaints = last_words(servers.lab)
        servers.lab.down()
        raise LabError(f"{error}\n{complaints}") from error
    except BaseException:
        servers.lab.down()
        raise
    servers.lab.release()
    return show(servers.lab)


def down(given: argparse.Namespace) -> int:
    """The lab is gone."""
    Lab(places(given.name)).down()
    return 0


def info(given: argparse.Namespace) -> int:
    return show(running(given.name))


def show(lab: Lab) -> int:
    """The lab's description is printed."""
    print(json.dumps(describe(lab), indent=2))
    return 0


def execute(given: argparse.Namespace) -> int:
    """This process becomes the command inside the host."""
    if not given.command:
        raise LabError("usage: exec HOST -- COMMAND …")
    command = running(given.name).exec_command(given.host, given.command)
    os.execvp(command[0], command)  # noqa: S606 - so that terminal, signals and exit code are the command's own


def fault(given: argparse.Namespace) -> int:
    """The fault has been made."""
    running(given.name).fault(given.kind, *given.arguments)
    return 0


def show_demo(given: argparse.Namespace) -> int:
    return demo(given.name, given.topology)


def remove_dead(_: argparse.Namespace) -> int:
    """What killed labs left behind is gone; prints their names."""
    print("\n".join(sweep()))
    return 0


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(prog="python -m tests.lab", description=__doc__)
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, act: object, sentence: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=sentence, description=sentence)
        made.set_defaults(act=act)
        if act is not remove_dead:
            made.add_argument("--name", default=DEFAULT_NAME, help="the lab's name (default: %(default)s)")
        return made

    made = command("up", up, "start a lab: a stable pair, or two standalone servers")
    made.add_argument("--topology", choices=TOPOLOGIES, default="same", help="one subnet or two")
    made.add_argument("--standalone", action="store_true", help="leave the servers unpaired")
    made.add_argument("--ping-interval", type=int, metavar="S", help="HAPingInterval of the pair")
    made.add_argument("--ping-iterations", type=int, metavar="N", help="HAPingIterations of the pair")
    made.add_argument("--disk-gib", type=int, default=DEFAULT_GIB, help="size of each data disk (sparse)")
    made.add_argument("--json", action="store_true", help="print the lab's description as JSON")
    command("down", down, "stop and remove a lab")
    made = command("info", info, "print the lab's description")
    made.add_argument("--json", action="store_true", help="as JSON")
    made = command("exec", execute, "run a command inside a host")
    made.add_argument("host", choices=HOSTS)
    made.add_argument("command", nargs=argparse.REMAINDER)
    made = command("fault", fault, "break something, or heal it")
    made.add_argument("kind", choices=FAULTS)
    made.add_argument("arguments", nargs="*", metavar="ARGUMENT")
    made = command("demo", show_demo, "a pair with real content until Ctrl-C")
    made.add_argument("--topology", choices=TOPOLOGIES, default="same", help="one subnet or two")
    command("sweep", remove_dead, "remove what killed labs left behind")
    return top


def main() -> int:
    """Runs the command that was named; complaints go to stderr."""
    given = parser().parse_args()
    if getattr(given, "command", None) and given.command[0] == "--":
        given.command = given.command[1:]
    try:
        return int(given.act(given))
    except (LabError, AssertionError) as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
