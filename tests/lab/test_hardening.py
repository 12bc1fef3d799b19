"""What an installed server shows to strangers, to its own accounts and to the other server: as little as it can."""

from __future__ import annotations

import json
import re
import socket
import ssl
from urllib.parse import urlsplit

import pytest
import requests

from tests.lab.acts import SETTLE_S
from tests.lab.client import Json, browser_at, log_in
from tests.lab.servers import Servers
from tests.waiting import wait_for

# The network's shape changes nothing of this.
pytestmark = [
    pytest.mark.lab,
    pytest.mark.timeout(300),
    pytest.mark.parametrize("topology", ["same"], indirect=True, scope="module"),
]
TIMEOUT_S = 20.0
SSH_S = 20
TIMED_OUT = 124
"""What `timeout` ends with."""
PEER_PORT = 7722


def served(host: Json) -> str:
    """The certificate that nginx shows, in PEM."""
    where = urlsplit(host["url"])
    return ssl.get_server_certificate((str(where.hostname), int(where.port or 0)), timeout=TIMEOUT_S)


def as_peer(pair: Servers, account: str, options: str, command: str) -> str:
    """How beta's peer key is used on alpha, as a line for bash on beta."""
    return (
        f"timeout {SSH_S} ssh -p {PEER_PORT} -i $HAPAIR_STATE_DIR/keys/peer_ed25519_key -o BatchMode=yes"
        " -o UserKnownHostsFile=$HAPAIR_STATE_DIR/peer/known_hosts -o HostKeyAlias=hapair-peer"
        f" {options} {account}@{pair.hosts['a']['address']} {command} </dev/null"
    )


def test_the_dashboard_is_for_those_who_are_logged_in_and_its_buttons_need_the_sessions_token(pair: Servers) -> None:
    host = pair.hosts["a"]
    url = f"{host['url']}/dashboard/"
    assert requests.get(url, verify=host["ca"], timeout=TIMEOUT_S).status_code == 401
    with browser_at(host) as browser:
        assert log_in(browser, host).status_code == 200
        page = browser.get(url, timeout=TIMEOUT_S)
        assert page.status_code == 200
        (policy,) = [value for name, value in page.raw.headers.items() if name.lower() == "content-security-policy"]
        nonce = re.search(r"'nonce-([^']+)'", policy)
        assert nonce is not None
        assert f'nonce="{nonce[1]}"' in page.text

        def data(name: str) -> list[Json]:
            found: list[Json] = browser.get(f"{url}0/data/{name}.json", timeout=TIMEOUT_S).json()[name]
            return found

        # Another test may have started this host a moment ago.
        wait_for(lambda: data("workers"), SETTLE_S, "the worker on the dashboard")
        assert "hapair" in [queue["name"] for queue in data("queues")]
        button = f"{url}queue/hapair/failed/empty"
        assert browser.post(button, timeout=TIMEOUT_S).status_code == 403
        token = {"X-CSRFToken": browser.cookies["_csrf_token"]}
        assert browser.post(button, headers=token, timeout=TIMEOUT_S).json() == {"status": "OK"}
    console = requests.get(host["url"], verify=host["ca"], timeout=TIMEOUT_S)
    assert "unsafe" not in console.headers["Content-Security-Policy"]


def test_the_certificate_is_renewed_by_the_api_and_the_command_line(pair: Servers) -> None:
    host, api = pair.hosts["a"], pair.apis["a"]
    before = served(host)
    assert api.ask("GET", "/system/certificate")["made_here"] is True
    renewed = json.loads(pair.lab.check("a", "hapair", "certificate", "renew", "--json"))
    wait_for(lambda: served(host) != before, TIMEOUT_S, "the new certificate")
    # A process of nginx that is about to end may still take a connection, with the certificate before.
    live = f"{host['url']}/api/v1/health/live"
    answer = wait_for(lambda: requests.get(live, verify=host["ca"], timeout=TIMEOUT_S), TIMEOUT_S, "its authority")
    assert answer.status_code == 200
    refused = api.call("PUT", "/system/certificate", {"certificate": served(host), "key": "nonsense"})
    assert (refused.status, list(refused.body["errors"])) == (422, ["key"])
    assert api.ask("GET", "/system/certificate")["fingerprint"] == renewed["fingerprint"]


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
def test_old_tls_is_refused(pair: Servers, version: ssl.TLSVersion) -> None:
    where = urlsplit(pair.hosts["a"]["url"])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("DEFAULT@SECLEVEL=0")
    context.minimum_version = context.maximum_version = version
    with (
        socket.create_connection((where.hostname, where.port), TIMEOUT_S) as plain,
        pytest.raises((ssl.SSLError, ConnectionError)),
    ):
        context.wrap_socket(plain)


@pytest.mark.parametrize("path", ["/", "/api/v1/ha/status", "/dashboard/"])
def test_every_answer_carries_the_headers_that_browsers_heed(pair: Servers, path: str) -> None:
    host = pair.hosts["a"]
    headers = requests.get(host["url"] + path, verify=host["ca"], timeout=TIMEOUT_S).headers
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Strict-Transport-Security"].startswith("max-age=")
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "nginx/" not in headers.get("Server", "")


def test_what_faces_people_runs_without_rights(pair: Servers) -> None:
    listed = pair.lab.check("a", "ps", "-eo", "user:32=,args=").splitlines()
    for word in ("gunicorn", "redis-server", "nginx: worker"):
        users = {line.split()[0] for line in listed if word in line}
        assert users == {"hapair"}, (word, users)


@pytest.mark.parametrize("secret", ["keys", "tls/console.pem", "tls/key.pem", "peer/authorized_keys", "rescue"])
def test_the_apis_account_can_not_read_roots_secrets(pair: Servers, secret: str) -> None:
    shell = "setpriv --reuid=hapair --regid=hapair --init-groups"
    there = f"test -e $HAPAIR_STATE_DIR/{secret}"
    read = f"{shell} cat $HAPAIR_STATE_DIR/{secret} $HAPAIR_STATE_DIR/{secret}/*"
    said = pair.lab.check("a", "sh", "-c", f"{there} && ! {read} >/dev/null 2>&1 && echo refused")
    assert said.strip() == "refused"


@pytest.mark.parametrize(
    ("options", "command"),
    [
        ("", "id"), ("-tt", "sh"), ("-A", "ssh-add -l"), ("-s", "sftp"),
        ("-N -R 9999:127.0.0.1:22", ""), ("-W 127.0.0.1:7722", ""),
    ],
    ids=["shell", "terminal", "agent", "sftp", "port-back", "port"],
)  # fmt: skip
def test_the_peers_key_opens_nothing_but_the_forced_command(pair: Servers, options: str, command: str) -> None:
    done = pair.lab.run("b", "bash", "-c", as_peer(pair, "root", f"-o ExitOnForwardFailure=yes {options}", command))
    assert done.returncode not in {0, TIMED_OUT}
    assert done.stdout == ""
    assert "uid=" not in done.stderr


@pytest.mark.parametrize("account", ["hapair", "mysql", "nobody"])
def test_the_peers_key_is_no_other_accounts(pair: Servers, account: str) -> None:
    done = pair.lab.run("b", "bash", "-c", as_peer(pair, account, "", "talk"))
    assert done.returncode not in {0, TIMED_OUT}
    assert "Permission denied" in done.stderr
