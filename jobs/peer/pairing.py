"""The secondary's answers on the pairing listener, to whoever has proven to hold the pasted fingerprint's key."""

from __future__ import annotations

from dataclasses import replace

from app.core.errors import InvalidInput, NotAllowed
from app.core.roles import Role
from app.core.state import NodeState
from app.ports import Json, Node
from jobs.steps.pair import own_identity, read_identity
from jobs.steps.preflight import answer_facts

PAIR_ID_LENGTH = 32


def answer(node: Node, verb: str, body: Json) -> Json:
    """The reply to `facts` or `pair`. Raises NotAllowed where this server does not wait to become secondary."""
    _must_wait(node)
    if verb == "facts":
        return answer_facts(node)
    if verb == "pair":
        return _pair(node, body)
    raise InvalidInput("unknown-verb", "This Request Is Not Known Here", detail=verb)


def _pair(node: Node, body: Json) -> Json:
    """The primary's permanent keys are pinned here; the reply holds this server's.

    The address that is pinned is the one in the own draft. Nothing else changes before APPLY is pressed here.
    """
    draft = node.store.config().draft or {}
    own_address, peer_address = str(draft.get("HAServerAddress") or ""), str(draft.get("HAPeerAddress") or "")
    pair_id = body.get("pair_id")
    if not isinstance(pair_id, str) or len(pair_id) != PAIR_ID_LENGTH or not pair_id.isalnum():
        raise InvalidInput("pair-invalid", "This Pairing Request Is Not Complete", detail="The pair has no number.")
    if body.get("address") != peer_address:
        raise NotAllowed(
            "addresses-differ",
            "The Two Servers Do Not Name Each Other",
            detail=f"The primary is {str(body.get('address'))[:255]}; this server's HAPeerAddress is {peer_address}.",
            hint="Correct the addresses in one of the two drafts, then press RETRY on the primary.",
        )
    peer = read_identity(body, peer_address)
    node.keys.make_certificate(own_address, node.machine.facts().hostname)
    node.database.reload_certificates()
    node.keys.pin_peer(peer.host_key, peer.client_key, peer.certificate, peer.address)

    def pair(state: NodeState) -> NodeState:
        if state.role is not Role.STANDALONE:
            raise _not_waiting(state.role)
        return replace(state, peer=peer, pair_id=pair_id)

    node.store.change_state(pair)
    return own_identity(node, pair_id, own_address)


def _must_wait(node: Node) -> None:
    role = node.store.state().role
    draft = node.store.config().draft or {}
    if role is not Role.STANDALONE or draft.get("HAServerRole") != Role.SECONDARY.value:
        raise _not_waiting(role)


def _not_waiting(role: Role) -> NotAllowed:
    return NotAllowed(
        "pairing-refused",
        "The Other Server Does Not Wait To Be Paired",
        detail=f"It is {role} and has no saved draft with the role secondary.",
        hint="Save the secondary's draft first, with this fingerprint.",
    )
