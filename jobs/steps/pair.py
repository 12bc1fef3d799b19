"""What several steps and verbs need to know of the pair: identities, the source of replication, configurations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.core import positions
from app.core.config import Surroundings
from app.core.errors import HapairError, LocalFailure, NotAllowed, PeerRefused
from app.core.fields import BY_NAME, Kind, clean
from app.core.state import PeerIdentity
from app.ports import REPLICATION_SECRET, REPLICATION_USER, Json, Node, ReplicationSource
from jobs.context import Context

TEXT_MAX = 8192
"""Characters of a certificate or a key line of the other server."""
QUICK_S = 5.0
"""Bound of a question that the other server answers from memory or with one statement."""


def own_identity(node: Node, pair_id: str, address: str) -> Json:
    """What the other server is given to recognise this one by."""
    identity = node.keys.identity()
    return {
        "pair_id": pair_id,
        "node_id": node.store.state().node_id,
        "hostname": node.machine.facts().hostname,
        "address": address,
        "host_key": identity.host_key,
        "client_key": identity.client_key,
        "certificate": identity.certificate,
    }


def read_identity(document: Mapping[str, Any], address: str) -> PeerIdentity:
    """The other server's identity at `address`, which is the configured one and not what the other side claims.

    Raises PeerRefused (code `peer-reply`) where something is missing.
    """
    texts = {}
    for name in ("node_id", "hostname", "host_key", "client_key", "certificate"):
        value = document.get(name)
        if not isinstance(value, str) or not 0 < len(value) <= TEXT_MAX:
            raise PeerRefused(
                "peer-reply",
                "The Other Server's Answer Is Not Complete",
                detail=f"Its {name.replace('_', ' ')} is missing.",
                hint="See that both servers run the same version of hapair.",
            )
        texts[name] = value
    return PeerIdentity(address=address, **texts)


def replication_source(node: Node) -> ReplicationSource:
    """The peer's database as this node replicates from it. Raises LocalFailure (code `no-peer`) without a peer."""
    peer = node.store.state().peer
    password = node.keys.secret(REPLICATION_SECRET)
    if peer is None or password is None:
        raise LocalFailure(
            "no-peer",
            "There Is No Server To Replicate From",
            detail="This server has no peer, or does not have its replication password.",
            hint="Tear the pair down and set it up again.",
        )
    port = node.settings.database_port
    return ReplicationSource(peer.address, port, REPLICATION_USER, password, node.keys.peer_authority())


def surroundings(node: Node) -> Surroundings:
    machine = node.machine.facts()
    return Surroundings(
        hostname=machine.hostname,
        addresses=machine.addresses,
        gateway=machine.gateway,
        interfaces=machine.interfaces,
        tunnel_network=node.settings.tunnel_network,
        applied=node.store.config().applied,
    )


def clean_config(document: object) -> Json:
    """The fields of the other server's configuration that have a valid value; whatever else it sent is left out.

    Its script and its fingerprint are never taken over.
    """
    values: Json = {}
    for name, value in document.items() if isinstance(document, dict) else ():
        field = BY_NAME.get(name)
        if field is None or field.kind in (Kind.SCRIPT, Kind.FINGERPRINT):
            continue
        try:
            values[name] = clean(field, value)
        except ValueError:
            continue
    return values


def apply_config(context: Context, applied: Json) -> None:
    """The configuration is the applied one; the draft goes, unless somebody has written another one since."""
    stored = context.node.store.config()
    same = stored.draft is None or stored.draft == context.draft
    context.node.store.save_applied(applied, keep_draft=not same)


def ask_quietly(node: Node, verb: str, body: Json, timeout_s: float = QUICK_S) -> Json | None:
    """The peer's reply, or None where it can't be reached or refuses: for what is only good to have."""
    try:
        return node.peer.request(verb, body, timeout_s)
    except HapairError:
        return None


def peer_position(node: Node) -> str:
    """Where the peer's database is now. Raises what the peer's channel raises."""
    position = node.peer.request("position", {}, QUICK_S).get("position")
    if not isinstance(position, str):
        raise PeerRefused("peer-reply", "The Other Server's Answer Is Not Complete", detail="It sent no position.")
    positions.parse(position)
    return position


def transactions_behind(position: str, target: str) -> int:
    """How many transactions `position` lacks to be where `target` is."""
    furthest = {each.domain: each.sequence for each in positions.parse(positions.merge(position))}
    return sum(max(0, each.sequence - furthest.get(each.domain, 0)) for each in positions.parse(target))


def refuse(code: str, title: str, detail: str, hint: str) -> NotAllowed:
    return NotAllowed(code, title, detail=detail, hint=hint)
