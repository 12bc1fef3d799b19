"""APPLY on the server that becomes the secondary: its own data is kept aside and replaced by the primary's."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any

from app.core import checks, positions
from app.core import config as configuration
from app.core.errors import LocalFailure, PeerRefused
from app.core.roles import Role
from app.core.state import NodeState, Phase
from app.ports import REPLICATION_SECRET, Json
from jobs.context import BaseStep, Context
from jobs.steps import preflight
from jobs.steps.pair import apply_config, ask_quietly, clean_config, refuse
from jobs.steps.seeding import follow_peer

JOIN_S = 15.0
FILES_SILENCE_S = 90.0
"""How long the copying of files may show no progress at all; the first look at a very large tree takes some of it."""
FILES_S = 24 * 3600.0
FILES_POLL_S = 0.5


class AskToJoin(BaseStep):
    """The primary waits for this server and has told it all that it needs."""

    name = "ask-to-join"

    def do(self, context: Context) -> None:
        node, draft = context.node, context.draft
        state = node.store.state()
        if state.role is not Role.STANDALONE:
            raise refuse(
                "already-paired", "This Server Is Part of a Pair", f"It is {state.role}.", "Tear the pair down first."
            )
        if state.peer is None or state.pair_id is None:
            raise refuse(
                "primary-not-ready",
                "The Primary Is Not Ready",
                "The primary has not exchanged keys with this server yet, so there is nothing to join.",
                "Select APPLY on the primary first, wait for its message, then select APPLY here.",
            )
        self._check_address(str(draft.get("HAPeerAddress") or ""), state.peer.address)
        preflight.refuse_failures(preflight.check_joining(node, draft, strict=True))
        context.remember(pair_id=state.pair_id)
        reply = node.peer.request("join-begin", {"pair_id": state.pair_id, "facts": preflight.own_facts(node)}, JOIN_S)
        answer = _JoinAnswer(reply)
        node.keys.save_secret(REPLICATION_SECRET, answer.password)
        node.keys.adopt_sealing_key(answer.sealing_key)
        redundant = positions.contains(answer.history, node.database.facts().binlog_state)
        free = node.machine.facts().disk_free_bytes
        preflight.refuse_failures([checks.seed_space(answer.data_bytes, answer.files_bytes, free)])
        context.remember(
            term=answer.term,
            shared=answer.shared,
            data_bytes=answer.data_bytes,
            files_bytes=answer.files_bytes,
            files=answer.files,
            own_data_is_redundant=redundant,
        )

    def _check_address(self, wanted: str, paired: str) -> None:
        if wanted.lower() != paired.lower():
            raise refuse(
                "primary-not-ready",
                "The Primary Is Not Ready",
                f"The keys were exchanged with the primary at {paired}, and HAPeerAddress is {wanted or 'empty'} now.",
                "Select APPLY on the primary again, then here.",
            )

    def undo(self, context: Context) -> None:
        if "pair_id" in context.memory:
            ask_quietly(context.node, "join-abort", {"pair_id": context.recall("pair_id")})


class _JoinAnswer:
    """What the primary said, checked. Raises PeerRefused (code `peer-reply`)."""

    def __init__(self, reply: Json) -> None:
        self.term = self._whole(reply, "term")
        self.data_bytes = self._whole(reply, "data_bytes")
        self.files = self._whole(reply, "files")
        self.files_bytes = self._whole(reply, "files_bytes")
        self.shared = clean_config(reply.get("shared"))
        self.password = self._text(reply, "password")
        self.sealing_key = self._text(reply, "sealing_key")
        history = reply.get("history")
        if not isinstance(history, str):
            raise self._incomplete("history")
        self.history = history

    def _whole(self, reply: Json, name: str) -> int:
        value: Any = reply.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise self._incomplete(name)
        return value

    def _text(self, reply: Json, name: str) -> str:
        value = reply.get(name)
        if not isinstance(value, str) or not value:
            raise self._incomplete(name)
        return value

    def _incomplete(self, name: str) -> PeerRefused:
        return PeerRefused(
            "peer-reply",
            "The Other Server's Answer Is Not Complete",
            detail=f"Its {name} is missing.",
            hint="See that both servers run the same version of hapair.",
        )


class MoveFilesAside(BaseStep):
    """This server's own tree is kept in the rescue folder, and an empty one waits for the primary's files."""

    name = "move-files-aside"

    def do(self, context: Context) -> None:
        name = f"before-setup-{context.job_id}"
        context.remember(files_aside=name)
        path = context.node.mirror.move_aside(name)
        context.remember(files_aside_path=path)

    def undo(self, context: Context) -> None:
        if "files_aside" in context.memory:
            context.node.mirror.move_back(context.recall("files_aside"))


class StartReplication(BaseStep):
    name = "start-replication"

    def do(self, context: Context) -> None:
        follow_peer(context.node, context.recall("seed_position"))

    def undo(self, context: Context) -> None:
        """Nothing is received any more; the own data comes back by undoing the step before."""
        with suppress(LocalFailure):
            context.node.database.end_replication()


class CopyFiles(BaseStep):
    """Every file of the primary's tree is here; the primary's forced command pushes them and says how far it is."""

    name = "copy-files"

    def do(self, context: Context) -> None:
        silent_since = context.node.clock.monotonic()
        last: tuple[int, str] = (-1, "")

        def look() -> bool | None:
            nonlocal silent_since, last
            reply = context.node.peer.request("push-files", {"job_id": context.job_id}, JOIN_S)
            done, state = int(reply.get("bytes") or 0), str(reply.get("state") or "")
            now = context.node.clock.monotonic()
            if (done, state) != last:
                last, silent_since = (done, state), now
            context.progress(done, int(context.memory.get("files_bytes", 0)) or None)
            if state == "failed":
                raise self._failed(str(reply.get("detail") or "the primary does not say why"))
            if now - silent_since >= FILES_SILENCE_S:
                raise self._failed(f"nothing arrived for {FILES_SILENCE_S:g} s")
            return True if state == "done" else None

        context.wait(look, FILES_S, FILES_POLL_S, self._failed("it took longer than a day"))

    def _failed(self, detail: str) -> LocalFailure:
        return LocalFailure(
            "files-not-copied",
            "The Primary's Files Could Not Be Copied",
            detail=detail[:1].upper() + detail[1:] + ("" if detail.endswith(".") else "."),
            hint="See that both servers have room and the link between them is up, then press RETRY.",
        )


class BecomeSecondary(BaseStep):
    """The node is the secondary of the pair."""

    name = "become-secondary"

    def is_done(self, context: Context) -> bool:
        state = context.node.store.state()
        return state.role is Role.SECONDARY and state.phase is Phase.PAIRED

    def do(self, context: Context) -> None:
        node = context.node

        def become(state: NodeState) -> NodeState:
            return replace(state, phase=Phase.PAIRED, stable_since_failover=True, last_failover_at=None)

        node.store.change_state(become)
        apply_config(context, configuration.with_shared(context.draft, context.recall("shared")))
        node.store.retire_pairing_key(str(context.draft["HAPeerFingerprint"]))


class ReportJoined(BaseStep):
    name = "report-joined"

    def do(self, context: Context) -> None:
        context.node.peer.request("join-done", {"pair_id": context.recall("pair_id")}, JOIN_S)


class RemoveRedundantCopy(BaseStep):
    """The own data that was moved aside is kept, unless every transaction in it is in the pair's data too.

    So a server that was in the pair before does not fill its disk with copies, and nothing is lost that has no other.
    """

    name = "remove-redundant-copy"

    def do(self, context: Context) -> None:
        if not context.memory.get("own_data_is_redundant"):
            context.skipped = f"This server's own data is kept in {context.recall('aside')}."
            return
        context.node.database.discard(context.recall("aside"))
