"""Changed settings without a change of role: the shared ones reach the other server first, and are read back."""

from __future__ import annotations

from app.core import config as configuration
from app.core.errors import LocalFailure, NotAllowed
from app.core.virtual_address import misplaced, read
from app.ports import Json, Node
from jobs.context import BaseStep, Context
from jobs.steps.address import FIELD, configured, release
from jobs.steps.pair import QUICK_S, apply_config, clean_config


class SendSettings(BaseStep):
    name = "send-settings"

    def do(self, context: Context) -> None:
        peer = context.node.peer
        wanted = _sendable(context.draft)
        if "before" not in context.memory:
            before = clean_config(peer.request("settings", {}, QUICK_S).get("fields"))
            context.remember(before={name: before[name] for name in wanted if name in before})
        peer.request("settings", {"fields": wanted}, QUICK_S)
        read_back = clean_config(peer.request("settings", {}, QUICK_S).get("fields"))
        different = sorted(name for name, value in wanted.items() if read_back.get(name) != value)
        if different:
            raise LocalFailure(
                "settings-not-taken",
                "The Other Server Did Not Take the Settings",
                detail=f"It still has other values of {', '.join(different)}.",
                hint="See that both servers run the same version of hapair, then press RETRY.",
            )

    def undo(self, context: Context) -> None:
        if context.memory.get("before"):
            # Not quietly: two servers that go by different settings would be neither the old pair nor the new one.
            context.node.peer.request("settings", {"fields": context.recall("before")}, QUICK_S)


class ApplySettings(BaseStep):
    name = "apply-settings"

    def is_done(self, context: Context) -> bool:
        return context.node.store.config().applied == context.draft

    def do(self, context: Context) -> None:
        _release_changed_address(context.node, context.draft)
        apply_config(context, context.draft)


def take_settings(node: Node, fields: object) -> Json:
    """The shared fields that the peer sent are applied here (a draft is kept); answers with what is applied now."""
    sent = clean_config(fields)
    config = node.store.config()
    if sent:
        applied = configuration.with_shared(config.applied, sent)
        if applied != configuration.complete(config.applied):
            _refuse_misplaced_address(node, applied)
            _release_changed_address(node, applied)
            config = node.store.save_applied(dict(applied), keep_draft=True)
    return {"fields": _sendable(config.applied)}


def _refuse_misplaced_address(node: Node, wanted: Json) -> None:
    """Raises NotAllowed where the peer wants a virtual address that this server could not hold."""
    address = read(wanted.get(FIELD))
    if address is None or address == configured(node):
        return
    faults = list(misplaced(address, node.machine.facts().interfaces, node.machine.hostname()))
    if faults:
        raise NotAllowed(
            "virtual-address",
            "The Other Server Can't Hold This Virtual Address",
            detail=f"{FIELD} {address}: {' '.join(faults)}",
            hint="Choose an address and an interface that both servers have in common, and apply again.",
        )


def _release_changed_address(node: Node, wanted: Json) -> None:
    """An address that is no longer wanted is given up while it is still known; the monitor takes the new one."""
    if read(wanted.get(FIELD)) != configured(node):
        release(node)


def _sendable(config: Json) -> Json:
    """The shared fields without the fingerprint, which belongs to the set-up alone."""
    return clean_config(configuration.shared(config))
