"""A server with BIND in namespaces of its own, where the manual's example script finds all that it names:
`unshare --net --mount --uts --fork python -m tests.contract.nameserver`. Prints what came of it as JSON.

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
from tests.contract.manual import EXAMPLE_SCRIPT
from tests.waiting import wait_for

DOMAIN, SERVER, NAME = "domainname.acme.ca", "dns1.acme.ca", "eng.domainname.acme.ca"
KEY_FILE = Path("/mnt/amm_data/opt/inmotiontechnology/scripts/Kdyn.acme.ca.+157+55618.key")
LOOPBACK, ALPHA = "127.0.0.1", "192.0.2.1"
ROOM = Path("/mnt/bind")
READY_S = 60.0
SCRIPT_S = 30.0
SECRET = base64.b64encode(b"a secret of this test alone....").decode()
KEY = f'key "dyn.acme.ca" {{ algorithm hmac-sha256; secret "{SECRET}"; }};\n'
CONFIGURATION = f"""
include "{KEY_FILE}";
options {{
    directory "{ROOM}"; pid-file none; listen-on port 53 {{ {LOOPBACK}; }}; listen-on-v6 {{ none; }};
    recursion no; dnssec-validation no; session-keyfile none;
}};
controls {{ }};
zone "{DOMAIN}" {{ type primary; file "zone"; allow-update {{ key "dyn.acme.ca"; }}; }};
"""
ZONE = f"$TTL 60\n@ IN SOA {SERVER}. admin.acme.ca. 1 60 60 60 60\n@ IN NS {SERVER}.\nalpha IN A {ALPHA}\n"


def run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def prepare() -> None:
    """The surroundings that the script was written for."""
    run("mount", "--make-rprivate", "/")
    for folder in ("/mnt", "/tmp"):
        run("mount", "-t", "tmpfs", "tmpfs", folder)
    KEY_FILE.parent.mkdir(parents=True)
    KEY_FILE.write_text(KEY)
    ROOM.mkdir()
    ROOM.chmod(0o777)
    (ROOM / "named.conf").write_text(CONFIGURATION)
    (ROOM / "zone").write_text(ZONE)
    hosts = ROOM / "hosts"
    hosts.write_text(f"{LOOPBACK} localhost {SERVER}\n")
    run("mount", "--bind", str(hosts), "/etc/hosts")
    run("ip", "link", "set", "lo", "up")


def serving() -> bool:
    """Whether the zone is loaded: BIND takes connections before that, and refuses updates until then."""
    asked = ["dig", "+short", "+norecurse", "+time=1", "+tries=1", f"@{LOOPBACK}", f"alpha.{DOMAIN}", "A"]
    return subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip() == ALPHA


def alias() -> str:
    return run("dig", "+short", "+norecurse", f"@{LOOPBACK}", NAME, "CNAME")


def trial(host: str, *parameters: str) -> dict[str, Any]:
    """What the script ends with on the server of that name, and where the alias points then."""
    socket.sethostname(host)
    result = BashScripts().run(EXAMPLE_SCRIPT, parameters, {"HA_EVENT": parameters[0]}, SCRIPT_S)
    return {"exit_code": result.exit_code, "output": result.output, "alias": alias()}


def main() -> int:
    prepare()
    named = subprocess.Popen(["named", "-g", "-c", str(ROOM / "named.conf")], stderr=subprocess.PIPE, text=True)
    try:
        wait_for(serving, READY_S, "the name server's zone")
        alpha, beta = f"alpha.{DOMAIN}", f"beta.{DOMAIN}"
        found = [
            trial(alpha, "Failover", "alpha", "beta"),
            trial(alpha, "StandbyOffline", "beta", "alpha"),
            trial(beta, "ManualSwitch", "beta", "alpha"),
        ]
    finally:
        named.kill()
        said = named.communicate()[1]
    print(json.dumps(found), flush=True)
    print(said[-2000:], file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
