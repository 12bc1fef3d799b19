"""A server with BIND in namespaces of its own, where an example script finds all that it names:
`unshare --net --mount --uts --fork python -m tests.contract.nameserver own` (or `manual`). Prints what came of it as
JSON.

Nothing of it is seen outside: the host's name, its hosts file, /mnt and /tmp are this process's own.
"""

from __future__ import annotations

import base64
import json
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from app.adapters.scripts import BashScripts
from tests.contract.manual import Example, examples
from tests.waiting import wait_for

LOOPBACK, ALPHA = "127.0.0.1", "192.0.2.1"
ROOM = Path("/mnt/bind")
READY_S = 60.0
SCRIPT_S = 30.0
KEY_NAME = "updates"
SECRET = base64.b64encode(b"a secret of this test alone....").decode()
KEY = f'key "{KEY_NAME}" {{ algorithm hmac-sha256; secret "{SECRET}"; }};\n'


def configuration(example: Example) -> str:
    return f"""
include "{example.key_file}";
options {{
    directory "{ROOM}"; pid-file none; listen-on port 53 {{ {LOOPBACK}; }}; listen-on-v6 {{ none; }};
    recursion no; dnssec-validation no; session-keyfile none;
}};
controls {{ }};
zone "{example.domain}" {{ type primary; file "zone"; allow-update {{ key "{KEY_NAME}"; }}; }};
"""


def zone(example: Example) -> str:
    server = example.server
    return f"$TTL 60\n@ IN SOA {server}. admin.{server}. 1 60 60 60 60\n@ IN NS {server}.\nalpha IN A {ALPHA}\n"


def run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def prepare(example: Example) -> None:
    """The surroundings that the script was written for."""
    run("mount", "--make-rprivate", "/")
    for folder in ("/mnt", "/tmp"):
        run("mount", "-t", "tmpfs", "tmpfs", folder)
    example.key_file.parent.mkdir(parents=True)
    example.key_file.write_text(KEY)
    ROOM.mkdir()
    ROOM.chmod(0o777)
    (ROOM / "named.conf").write_text(configuration(example))
    (ROOM / "zone").write_text(zone(example))
    hosts = ROOM / "hosts"
    hosts.write_text(f"{LOOPBACK} localhost {example.server}\n")
    run("mount", "--bind", str(hosts), "/etc/hosts")
    run("ip", "link", "set", "lo", "up")


def serving(example: Example) -> bool:
    """Whether the zone is loaded: BIND takes connections before that, and refuses updates until then."""
    asked = ["dig", "+short", "+norecurse", "+time=1", "+tries=1", f"@{LOOPBACK}", f"alpha.{example.domain}", "A"]
    return subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip() == ALPHA


def alias(example: Example) -> str:
    return run("dig", "+short", "+norecurse", f"@{LOOPBACK}", example.name, "CNAME")


def trial(example: Example, host: str, *parameters: str) -> dict[str, Any]:
    """What the script ends with on the server of that name, and where the alias points then."""
    socket.sethostname(f"{host}.{example.domain}")
    result = BashScripts().run(example.script, parameters, {"HA_EVENT": parameters[0]}, SCRIPT_S)
    points_to = alias(example).removesuffix(f".{example.domain}.")
    return {"exit_code": result.exit_code, "output": result.output, "alias": points_to}


def main() -> int:
    # The manual's text may lie in a folder that the private ones hide: it is read first.
    example = examples()[sys.argv[1]]
    prepare(example)
    named = subprocess.Popen(["named", "-g", "-c", str(ROOM / "named.conf")], stderr=subprocess.PIPE, text=True)
    try:
        wait_for(lambda: serving(example), READY_S, "the name server's zone")
        found = [
            trial(example, "alpha", "Failover", "alpha", "beta"),
            trial(example, "alpha", "StandbyOffline", "beta", "alpha"),
            trial(example, "beta", "ManualSwitch", "beta", "alpha"),
        ]
    finally:
        named.kill()
        said = named.communicate()[1]
    print(json.dumps(found), flush=True)
    print(said[-2000:], file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
