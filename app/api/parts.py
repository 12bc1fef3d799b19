"""What the views work with: the node and the door, as create_app was given them."""

from __future__ import annotations

from dataclasses import dataclass

from flask import current_app

from app.api.streams import StreamSlots
from app.ports import Node
from app.ports.access import Access, Accounts, Throttle

KEY = "hapair"


@dataclass(frozen=True)
class Parts:
    node: Node
    access: Access
    accounts: Accounts
    throttle: Throttle
    slots: StreamSlots


def parts() -> Parts:
    found: Parts = current_app.extensions[KEY]
    return found


def node() -> Node:
    return parts().node
