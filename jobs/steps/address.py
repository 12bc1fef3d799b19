"""Moving the virtual address with the role. What could not be done here is done by the monitor's next decision."""

from __future__ import annotations

import logging

from app.core.errors import HapairError, LocalFailure
from app.core.holder import belongs_here
from app.core.virtual_address import VirtualAddress, read
from app.ports import Node

log = logging.getLogger(__name__)

FIELD = "HAVirtualAddress"


def configured(node: Node) -> VirtualAddress | None:
    """The virtual address of the pair, None where it has none."""
    return read(node.store.config().applied.get(FIELD))


def claim(node: Node) -> None:
    """The virtual address is here, if this node is the primary that nothing fences. Never raises."""
    try:
        address = configured(node)
        if address is None or not belongs_here(node.store.state()):
            return
        node.addresses.take(address)
        if not belongs_here(node.store.state()):
            # It was fenced in this very moment: the fence holds.
            node.addresses.give_up()
    except HapairError as error:
        log.warning("the virtual address could not be taken; the monitor tries again: %s", error)


def release(node: Node) -> None:
    """The virtual address is not here. Never raises: no fence waits for it."""
    try:
        if _may_be_here(node):
            node.addresses.give_up()
    except HapairError as error:
        log.warning("the virtual address could not be given up; the monitor tries again: %s", error)


def get_ready(node: Node) -> None:
    """What moving the address needs is loaded, so that a swap does not wait for it. Never raises."""
    try:
        if configured(node) is not None:
            node.addresses.held()
    except HapairError as error:
        log.warning("the virtual address can't be looked at: %s", error)


def _may_be_here(node: Node) -> bool:
    try:
        return configured(node) is not None
    except LocalFailure:
        return True  # a node store that can't be read must not keep the address here
