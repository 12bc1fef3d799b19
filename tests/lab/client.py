"""Speaking to the hosts of a lab from outside, as automation and applications do."""

from __future__ import annotations

import contextlib
import functools
import ssl
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pymysql
import requests

from tests.waiting import wait_for

Json = dict[str, Any]
CALL_TIMEOUT_S = 20.0
LOGIN_TIMEOUT_S = 60.0
JOB_TIMEOUT_S = 180.0
STATUS_TIMEOUT_S = 60.0
DATABASE_TIMEOUT_S = 10.0
ENDED = frozenset({"succeeded", "failed", "reverted"})


@dataclass(frozen=True)
class Reply:
    """An answer of the API."""

    status: int
    body: Json
    headers: Mapping[str, str]


class Api:
    """The JSON API of one host, with the automation token unless told otherwise."""

    def __init__(self, host: Json, timeout_s: float = CALL_TIMEOUT_S) -> None:
        self._timeout_s = timeout_s
        self._base = f"{host['url']}/api/v1"
        self._session = requests.Session()
        self._session.verify = host["ca"]
        self._session.trust_env = False
        if host["token"]:
            self._session.headers["Authorization"] = f"Bearer {host['token']}"

    def close(self) -> None:
        self._session.close()

    def call(self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None) -> Reply:
        """Whatever the API answers. Raises OSError (requests' own kind) when it can't be reached."""
        answer = self._session.request(
            method, self._base + path, json=body, headers=dict(headers or {}), timeout=self._timeout_s
        )
        try:
            found = answer.json() if answer.content else {}
        except ValueError:
            found = {}
        return Reply(answer.status_code, found if isinstance(found, dict) else {"items": found}, answer.headers)

    def ask(self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None) -> Json:
        """The body of a good answer. Raises AssertionError with the problem document of any other."""
        reply = self.call(method, path, body, headers)
        assert reply.status < 300, f"{method} {path}: {reply.status} {reply.body}"
        return reply.body

    def status(self) -> Json:
        return self.ask("GET", "/ha/status")

    def save_draft(self, fields: Json) -> Json:
        """The fields are the draft, whatever the draft was before."""
        tag = self.call("GET", "/ha/config").headers["ETag"]
        return self.ask("PUT", "/ha/config/draft", fields, {"If-Match": tag})

    def save_alerts(self, way: str, settings: Json) -> Json:
        """The mail server or the webhook (`mail`, `webhook`) is set, whatever it was before."""
        tag = self.call("GET", "/ha/alerts").headers["ETag"]
        return self.ask("PUT", f"/ha/alerts/{way}", settings, {"If-Match": tag})

    def apply(self, confirm: str | None = None) -> str:
        """The draft is being applied; returns the job's id."""
        body = {"confirm": confirm} if confirm else {}
        return str(self.ask("POST", "/ha/apply", body)["job"]["id"])

    def job(self, job_id: str) -> Json:
        return self.ask("GET", f"/jobs/{job_id}")

    def wait_job(self, job_id: str, timeout_s: float = JOB_TIMEOUT_S) -> Json:
        """The job once it has ended, whichever way."""
        seen: Json = {}

        def ended() -> bool:
            seen.update(self.job(job_id))
            return seen["state"] in ENDED

        try:
            wait_for(ended, timeout_s, f"the end of job {job_id}")
        except AssertionError as error:
            raise AssertionError(f"{error}; the job: {seen}") from error
        return seen

    def finish(self, job_id: str, timeout_s: float = JOB_TIMEOUT_S) -> Json:
        """The job, which has succeeded. Raises AssertionError with its steps otherwise."""
        job = self.wait_job(job_id, timeout_s)
        assert job["state"] == "succeeded", f"job {job['kind']} {job['state']}: {job['message']}\n{job['steps']}"
        return job

    def wait_status(self, word: str, timeout_s: float = STATUS_TIMEOUT_S, role: str | None = None) -> Json:
        """The status once it is `word` (and the node has that role)."""
        seen: Json = {}

        def reached() -> bool:
            seen.clear()
            seen.update(self.status())
            return seen["status"] == word and (role is None or seen["node"]["role"] == role)

        try:
            wait_for(reached, timeout_s, f"status {word}{f' as {role}' if role else ''}")
        except AssertionError as error:
            brief = {key: seen.get(key) for key in ("status", "reasons", "node", "fenced", "failover")}
            raise AssertionError(f"{error}; the status: {brief}") from error
        return seen

    def events(self, kind: str | None = None) -> list[Json]:
        """The newest events first, of one kind or of all."""
        found = self.ask("GET", "/ha/events")
        events: list[Json] = found["items"]
        return [event for event in events if kind in (None, event["kind"])]


def browser_at(host: Json) -> requests.Session:
    """A browser that trusts the host's console. Nobody has logged in yet."""
    browser = requests.Session()
    browser.trust_env, browser.verify = False, host["ca"]
    return browser


def log_in(browser: requests.Session, host: Json, password: str | None = None) -> requests.Response:
    """What the administrator is answered; where it is 200, the browser has the session."""
    login = {"username": host["username"], "password": password or host["password"]}
    return browser.post(f"{host['url']}/api/v1/session", json=login, timeout=LOGIN_TIMEOUT_S)


@contextlib.contextmanager
def connected(database: Json, timeout_s: float = DATABASE_TIMEOUT_S, schema: str | None = None) -> Iterator[Any]:
    """A cursor of the application's account, committing each statement."""
    connection = pymysql.connect(
        host=database["host"],
        port=database["port"],
        user=database["user"],
        password=database["password"],
        database=schema,
        connect_timeout=max(1, int(timeout_s)),
        read_timeout=timeout_s,
        write_timeout=timeout_s,
        autocommit=True,
        ssl=_encrypted(),
    )
    try:
        with connection.cursor() as cursor:
            yield cursor
    finally:
        with contextlib.suppress(pymysql.Error, OSError):
            connection.close()


@functools.cache
def _encrypted() -> ssl.SSLContext:
    """Encrypted, whoever the server is, as the driver does by itself; but there it reads the system's authorities each
    time, which takes 20 ms of a client's processor."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def rows(database: Json, statement: str, *values: object) -> list[tuple[Any, ...]]:
    """What the statement returns."""
    with connected(database) as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())


def is_writable(database: Json) -> bool:
    """Whether an application can write there now: it tries."""
    try:
        with connected(database, 2.0) as cursor:
            cursor.execute("CREATE DATABASE IF NOT EXISTS lab_probe")
            cursor.execute("CREATE TABLE IF NOT EXISTS lab_probe.written (at DOUBLE)")
            cursor.execute("INSERT INTO lab_probe.written VALUES (%s)", (time.time(),))
    except (pymysql.Error, OSError):
        return False
    return True
