"""The API's door on a real host: nginx before it, real stores behind it, and parts of the server broken."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from tests.conftest import MakeServers
from tests.lab.client import Json, browser_at, is_writable, log_in
from tests.lab.servers import Servers
from tests.waiting import wait_for

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]
TIMEOUT_S = 20.0
RESTART_S = 60.0
PROBLEM = "application/problem+json"


@pytest.fixture(scope="module")
def servers(make_servers: MakeServers) -> Servers:
    return make_servers(paired=False)


@pytest.fixture
def host(servers: Servers) -> Json:
    found: Json = servers.hosts["a"]
    return found


@pytest.fixture
def browser(host: Json) -> Iterator[requests.Session]:
    with browser_at(host) as made:
        yield made


def url(host: Json, path: str) -> str:
    return f"{host['url']}/api/v1{path}"


def test_an_administrator_logs_in_by_browser_and_out_again(host: Json, browser: requests.Session) -> None:
    csrf = log_in(browser, host).json()["csrf_token"]
    (cookie,) = browser.cookies
    assert cookie.secure
    assert browser.get(url(host, "/ha/status"), timeout=TIMEOUT_S).json()["status"] == "standalone"
    assert browser.post(url(host, "/ha/fingerprint"), timeout=TIMEOUT_S).json()["code"] == "csrf"
    header = {"X-CSRF-Token": csrf}
    assert browser.post(url(host, "/ha/fingerprint"), headers=header, timeout=TIMEOUT_S).status_code == 200
    assert browser.delete(url(host, "/session"), headers=header, timeout=TIMEOUT_S).status_code == 204
    assert browser.get(url(host, "/ha/status"), timeout=TIMEOUT_S).status_code == 401


def test_a_save_goes_through_although_nginx_compresses_answers(host: Json) -> None:
    headers = {"Authorization": f"Bearer {host['token']}", "Accept-Encoding": "gzip"}
    with browser_at(host) as session:
        found = session.get(url(host, "/ha/config"), headers=headers, timeout=TIMEOUT_S)
        assert found.headers["Content-Encoding"] == "gzip"
        headers["If-Match"] = found.headers["ETag"]
        saved = session.put(
            url(host, "/ha/config/draft"), json={"HAPingIterations": 7}, headers=headers, timeout=TIMEOUT_S
        )
        assert saved.json()["state"] == "draft"
        del headers["If-Match"]
        assert session.delete(url(host, "/ha/config/draft"), headers=headers, timeout=TIMEOUT_S).status_code == 200


def test_an_administrator_gets_in_while_the_database_hangs_or_is_down(
    servers: Servers, host: Json, browser: requests.Session
) -> None:
    assert log_in(browser, host).status_code == 200
    servers.lab.check("a", "sh", "-c", "kill -STOP $(pidof mariadbd)")
    try:
        assert log_in(browser, host).status_code == 200
        assert browser.get(url(host, "/ha/status"), timeout=TIMEOUT_S).status_code == 200
    finally:
        servers.lab.check("a", "sh", "-c", "kill -CONT $(pidof mariadbd)")
    servers.lab.fault("kill", "a", "mariadb")
    assert log_in(browser, host).status_code == 200
    assert log_in(browser, host, "a wrong password").status_code == 401
    servers.apis["a"].wait_status("standalone")
    wait_for(lambda: servers.apis["a"].call("GET", "/users").status == 200, RESTART_S, "the database to be back")
    # It starts read-only, and the monitor lets it write once it has seen it.
    wait_for(lambda: is_writable(servers.database("a")), RESTART_S, "the database to take writes")


def test_without_redis_apply_is_refused_clearly_and_everything_else_goes_on(servers: Servers) -> None:
    alpha = servers.apis["a"]
    alpha.save_draft({"HAPingIterations": 3})
    servers.lab.check("a", "sh", "-c", "kill -STOP $(pidof redis-server)")
    try:
        refused = alpha.call("POST", "/ha/apply", {})
        assert (refused.status, refused.body["code"]) == (503, "queue-down")
        assert alpha.status()["status"] == "standalone"
        assert alpha.ask("GET", "/ha/config")["state"] == "draft"
    finally:
        servers.lab.check("a", "sh", "-c", "kill -CONT $(pidof redis-server)")
    alpha.finish(str(alpha.ask("POST", "/ha/retry")["job"]["id"]))
    assert alpha.ask("GET", "/ha/config")["applied"]["HAPingIterations"] == 3


def test_what_nginx_refuses_by_itself_is_a_problem_document_too(servers: Servers, host: Json) -> None:
    headers = {"Authorization": f"Bearer {host['token']}", "If-Match": '"1"'}
    with browser_at(host) as session:
        session.headers.update(headers)
        answers = {
            413: session.put(url(host, "/ha/config/draft"), data=b"x" * 2_000_000, timeout=TIMEOUT_S),
            414: session.get(url(host, "/" + "a" * 20_000), timeout=TIMEOUT_S),
            400: session.get(url(host, "/system"), headers={"X-Long": "a" * 20_000}, timeout=TIMEOUT_S),
        }
    for status, answer in answers.items():
        assert (answer.status_code, answer.headers["Content-Type"]) == (status, PROBLEM)
        assert {"code", "title", "detail", "hint"} <= set(answer.json())


@pytest.mark.parametrize(
    "request_text", [b"GARBAGE\r\n\r\n", b"GET /api/v1/\x00 HTTP/1.1\r\nHost: x\r\n\r\n"], ids=repr
)
def test_what_is_not_http_is_refused_as_such(host: Json, request_text: bytes) -> None:
    where = urlsplit(host["url"])
    context = ssl.create_default_context(cafile=host["ca"])
    with (
        socket.create_connection((where.hostname, where.port), TIMEOUT_S) as plain,
        context.wrap_socket(plain, server_hostname=where.hostname) as connection,
    ):
        connection.sendall(request_text)
        answer = connection.recv(4096)
    assert answer.startswith(b"HTTP/1.1 400")
    assert PROBLEM.encode() in answer


def test_a_dead_api_is_a_problem_document_until_it_is_back(servers: Servers) -> None:
    alpha = servers.apis["a"]
    servers.lab.fault("kill", "a", "api")
    reply = alpha.call("GET", "/system")
    assert reply.status in {200, 502}
    if reply.status == 502:
        assert reply.body["code"] == "api-down"
    wait_for(lambda: alpha.call("GET", "/system").status == 200, RESTART_S, "the API to be back")


def test_the_command_line_works_inside_the_host(servers: Servers) -> None:
    found = json.loads(servers.lab.check("a", "hapair", "status", "--json"))
    assert found["node"]["hostname"] == "alpha"
    added = servers.lab.check("a", "hapair", "user", "add", "lee", given="quite a long one\n")
    assert "lee" in added
    assert "quite a long one" not in servers.lab.check("a", "hapair", "activity")
    token = json.loads(servers.lab.check("a", "hapair", "token", "make", "robot", "--scope", "read", "--json"))["token"]
    assert servers.apis["a"].call("GET", "/session", headers={"Authorization": f"Bearer {token}"}).status == 200


def test_no_secret_is_in_any_log(servers: Servers, host: Json, browser: requests.Session) -> None:
    csrf = log_in(browser, host).json()["csrf_token"]
    made = browser.post(url(host, "/ha/fingerprint"), headers={"X-CSRF-Token": csrf}, timeout=TIMEOUT_S).json()
    secrets = [host["password"], host["token"], csrf, made["HAPeerFingerprint"], *browser.cookies.values()]
    logs = "".join(log.read_text(errors="replace") for log in Path(host["logs"]).glob("*.log"))
    found = [name for name, secret in zip(("password", "token", "csrf", "fingerprint", "cookie"), secrets, strict=True)
             if secret in logs]  # fmt: skip
    assert "/api/v1/session: 200" in logs
    assert found == []
