"""One node of fakes behind the real application, and callers of each kind."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from app.api import create_app
from app.core.access import Scope
from app.core.errors import LocalFailure
from app.core.roles import Role
from app.core.state import NodeState
from app.passwords import digest, hash_password
from app.ports import Node
from app.settings import Settings
from tests.fakes.access import FakeAccess, FakeAccounts
from tests.fakes.activity import FakeCommonLog
from tests.fakes.addresses import FakeAddresses
from tests.fakes.alerts import FakeScriptChecker, FakeSystemLog, FakeWebhook
from tests.fakes.certificate import FakeCertificate
from tests.fakes.clock import FakeClock
from tests.fakes.database import FakeDatabase
from tests.fakes.keys import FakeKeys
from tests.fakes.machine import FakeMachine
from tests.fakes.mailer import FakeMailer
from tests.fakes.mirror import FakeMirror
from tests.fakes.pairing import FakePairing, FakePairingNetwork
from tests.fakes.peer import FakePeer
from tests.fakes.pinger import FakePinger
from tests.fakes.rescues import FakeRescues
from tests.fakes.scripts import FakeScripts
from tests.fakes.store import FakeNodeStore

NAME = "dana"
PASSWORD = "correct horse battery"
PASSWORD_HASH = hash_password(PASSWORD)
"""Made once: a hash is slow by design."""
ADDRESS, PEER, GATEWAY = "10.0.0.1", "10.0.0.2", "10.0.0.254"


class FakeQueue:
    """`down` makes it refuse."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.down = False

    def enqueue(self, job_id: str) -> None:
        if self.down:
            raise LocalFailure("queue-down", "The Queue Does Not Answer")
        self.sent.append(job_id)


@dataclass
class Caller:
    """Someone who calls the API; every answer is checked to be JSON or a problem document."""

    app: Flask
    headers: dict[str, str] = field(default_factory=dict)

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> TestResponse:
        client = self.app.test_client(use_cookies=False)
        sent = self.headers | {name.replace("_", "-"): value for name, value in headers.items()}
        options: dict[str, Any] = {"json": body} if body is not None else {}
        answer = client.open(f"/api/v1{path}", method=method, headers=sent, **options)
        if answer.status_code >= 400 and not path.startswith("/health"):
            check_problem(answer)
        return answer

    def etag(self) -> str:
        return self("GET", "/ha/config").headers["ETag"]

    def save(self, draft: Any) -> TestResponse:
        return self("PUT", "/ha/config/draft", draft, If_Match=self.etag())


@dataclass
class World:
    app: Flask
    node: Node
    store: FakeNodeStore
    machine: FakeMachine
    clock: FakeClock
    access: FakeAccess
    accounts: FakeAccounts
    queue: FakeQueue
    rescues: FakeRescues
    common_log: FakeCommonLog

    def caller(self, scope: Scope | None = Scope.CONFIGURE) -> Caller:
        """A caller with a token of that scope; with None, nobody."""
        if scope is None:
            return Caller(self.app)
        secret = f"token with scope {scope}"
        self.access.add_token(f"id-{scope}", str(scope), scope, digest(secret), "dana")
        return Caller(self.app, {"Authorization": f"Bearer {secret}"})

    def log_in(self, name: str = NAME, password: str = PASSWORD, **headers: str) -> TestResponse:
        return Caller(self.app)("POST", "/session", {"username": name, "password": password}, **headers)

    def browser(self) -> Caller:
        """A caller with a session and its CSRF token."""
        answer = self.log_in()
        cookie = answer.headers["Set-Cookie"].split(";", 1)[0]
        return Caller(self.app, {"Cookie": cookie, "X-CSRF-Token": answer.get_json()["csrf_token"]})

    def become(self, role: Role, **changes: Any) -> None:
        """This node has that role, as if it had been set up."""
        self.store.change_state(lambda state: dataclasses.replace(state, role=role, **changes))
        self.store.save_applied(
            {"HAServerRole": str(role), "HAServerAddress": ADDRESS, "HAPeerAddress": PEER, "HAPeerFingerprint": USED}
        )

    def state(self) -> NodeState:
        return self.store.state()


USED = "SHA256:" + "U" * 42 + "A"
PASTED = "SHA256:" + "P" * 42 + "A"


def make_world(folder: Path) -> World:
    clock = FakeClock()
    store, machine, queue = FakeNodeStore(clock.now), FakeMachine(clock), FakeQueue()
    rescues, common_log = FakeRescues(), FakeCommonLog()
    settings = Settings(
        state_dir=folder, appliance_database=f"sqlite:///{folder / 'appliance.db'}", tunnel_network="172.16.9.0/24"
    )
    node = Node(
        settings=settings, clock=clock, store=store, database=FakeDatabase(), peer=FakePeer(),
        certificate=FakeCertificate(clock),
        pairing=FakePairing(FakePairingNetwork()), keys=FakeKeys(), mirror=FakeMirror(), machine=machine, queue=queue,
        rescues=rescues, common_log=common_log, pinger=FakePinger(), mailer=FakeMailer(),
        addresses=FakeAddresses(), scripts=FakeScripts(),
        script_checker=FakeScriptChecker(), webhook=FakeWebhook(), system_log=FakeSystemLog(),
    )  # fmt: skip
    access, accounts = FakeAccess(clock.now), FakeAccounts(clock.now)
    accounts.add_user(NAME, PASSWORD_HASH)
    app = create_app(node, access, accounts, access)
    return World(app, node, store, machine, clock, access, accounts, queue, rescues, common_log)


def check_problem(answer: TestResponse) -> None:
    """Each error is a whole problem document without anything of the program's inside."""
    assert answer.content_type == "application/problem+json", answer.text
    problem = answer.get_json()
    assert {"type", "title", "status", "code", "detail", "hint"} <= set(problem), problem
    assert problem["status"] == answer.status_code
    assert problem["title"]
    assert problem["code"] == problem["code"].lower()
    for word in ("Traceback", "sqlalchemy", "marshmallow", 'File "', "werkzeug"):
        assert word not in answer.text
    if answer.status_code == 422:
        assert problem["errors"]
        assert all(isinstance(each, str) for sentences in problem["errors"].values() for each in sentences)


def primary_draft(world: World, **changes: Any) -> dict[str, Any]:
    """A draft that makes this server a primary, with a fingerprint generated here."""
    generated = world.caller()("POST", "/ha/fingerprint").get_json()
    return {
        "HAServerRole": "primary", "HAServerAddress": ADDRESS, "HAPeerAddress": PEER,
        "HAAlertEmail": "ops@example.com", **generated, **changes,
    }  # fmt: skip


def secondary_draft(**changes: Any) -> dict[str, Any]:
    return {
        "HAServerRole": "secondary", "HAServerAddress": ADDRESS, "HAPeerAddress": PEER, "HAPeerFingerprint": PASTED,
        "HAAlertEmail": "ops@example.com", **changes,
    }  # fmt: skip
