"""The server that described requests are sent to: real application, real stores, something of everything in them."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path

from app.core.access import Scope, UserRole
from app.core.errors import LocalFailure
from app.core.roles import Role
from app.core.state import Fence, FenceReason, PeerIdentity, Phase
from app.passwords import digest, hash_password
from app.ports import Actor, StepRecord
from tests.described.examples import Headers
from tests.unit.api.real_world import ADMINISTRATOR, PASSWORD, RealWorld, bearer, browser, make_stores, open_world

LEE, TOKEN_ID, RESCUE_ID = "lee", "robot", "20260203T040506Z-4"
ADDRESSES = {"HAServerAddress": "10.0.0.1", "HAPeerAddress": "10.0.0.2"}
KEY = "ssh-ed25519 AAAA"
PEER = PeerIdentity("node-b", "beta", ADDRESSES["HAPeerAddress"], host_key=KEY, client_key=KEY, certificate="")
PASSWORD_HASH = hash_password(PASSWORD)
ACTOR = Actor(ADMINISTRATOR, "192.0.2.7")


class Scene(StrEnum):
    """What state the server is in."""

    STANDALONE = "standalone"
    PRIMARY = "primary"
    SECONDARY = "secondary"
    BUSY = "busy"
    """A primary on which a job runs."""
    FENCED = "fenced"
    """A primary that is fenced because of two primaries."""
    BROKEN = "broken"
    """A primary whose database and queue do not answer."""

    @property
    def role(self) -> Role:
        return Role(self) if self in set(Role) else Role.PRIMARY


class Stage:
    """A server in that state, new for each call of the description: what one call changes, the next does not see."""

    def __init__(self, folder: Path, scene: Scene) -> None:
        self._folder = folder
        self._scene = scene
        self._template = folder / f"template-{scene}"
        make_stores(self._template)
        with open_world(self._template) as world:
            self._ids = _fill(world, scene)
        self._opened = 0

    @contextmanager
    def opened(self) -> Iterator[RealWorld]:
        self._opened += 1
        folder = self._folder / f"{self._template.name}-{self._opened}"
        shutil.copytree(self._template, folder)
        if self._scene is Scene.BROKEN:
            (folder / "appliance.db").write_bytes(b"This is no database." * 100)
        with open_world(folder) as world:
            world.queue.down = self._scene is Scene.BROKEN
            world.rescues.keep(RESCUE_ID, {"transactions.sql": b"INSERT", "files/b": b"345"}, {"shop.orders": 7})
            yield world

    def known(self, names: set[str]) -> dict[str, str]:
        """The names in an address that there is something of."""
        return {name: self._ids[name] for name in names & set(self._ids)}


def _fill(world: RealWorld, scene: Scene) -> dict[str, str]:
    """A server in that state with users, a token, jobs, events, alarms, trials and activity; their names by what the
    description calls them."""
    store, accounts = world.node.store, world.accounts
    accounts.add_user(ADMINISTRATOR, PASSWORD_HASH, UserRole.ADMINISTRATOR, must_change=False)
    admin = accounts.user(ADMINISTRATOR)
    assert admin is not None
    world.access.copy_user(admin)
    accounts.add_user(LEE, PASSWORD_HASH, UserRole.AUDITOR, must_change=True)
    accounts.change_second_factor(LEE, world.node.keys.seal("A" * 32), ("digest",))
    world.access.add_token(TOKEN_ID, "robot", Scope.READ, digest("robot"), ADMINISTRATOR)
    role = scene.role
    if role is not Role.STANDALONE:
        store.change_state(lambda state: dataclasses.replace(state, role=role, phase=Phase.PAIRED, peer=PEER, term=3))
        store.save_applied({"HAServerRole": str(role), **ADDRESSES})
    if scene is Scene.FENCED:
        fence = Fence(FenceReason.CONFLICT, world.clock.now())
        store.change_state(lambda state: dataclasses.replace(state, fence=fence))
    job = store.create_job("swap", {}, (StepRecord("preflight", "Check", "done", 3, 7, "so far"),), ACTOR)
    store.update_job(
        job.id, state="running" if scene is Scene.BUSY else "failed", message="It failed.", started_at=world.clock.now()
    )
    store.add_event("key", "StandbyOffline", ("alpha", "beta"), "the standby is lost")
    store.claim_delivery("mail")
    store.raise_alarm("replication", "Replication does not run.")
    trial = store.add_alert_test("mail", {}, ACTOR)
    for entry in range(3):
        store.add_activity(ACTOR, "draft-saved", "done", {"changes": [], "number": entry})
    return {
        "name": LEE, "token_id": TOKEN_ID, "rescue_id": RESCUE_ID, "job_id": job.id, "test_id": trial.id,
    }  # fmt: skip


def administrator(world: RealWorld, *, in_person: bool) -> Headers:
    """What lets an administrator in: a browser's session, or a token. A call may have ended either."""
    if in_person:
        with suppress(LocalFailure):
            if world.accounts.user(ADMINISTRATOR) is None:
                world.accounts.add_user(ADMINISTRATOR, PASSWORD_HASH, UserRole.ADMINISTRATOR, must_change=False)
        return browser(world, ADMINISTRATOR)
    world.access.add_token("caller", "caller", Scope.CONFIGURE, digest("caller"), ADMINISTRATOR)
    return bearer("caller")
