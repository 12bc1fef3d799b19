"""APPLY on the server that becomes the primary of a new pair. Its data stays as it is, and writable all the time."""

from __future__ import annotations

import secrets
import uuid
from dataclasses import asdict, replace

from app.core import config as configuration
from app.core.roles import Role
from app.core.state import NodeState, PeerIdentity, Phase, with_standby_out
from app.ports import REPLICATION_SECRET
from jobs.context import BaseStep, Context
from jobs.steps import preflight
from jobs.steps.pair import (
    apply_config,
    ask_quietly,
    clean_config,
    own_identity,
    read_identity,
    refuse,
    surroundings,
)

PAIR_S = 15.0
"""How long the secondary is given to make its certificate and answer."""
FIRST_CONTACT_S = 15.0
"""How long the first request over the permanent channel may take: it opens the channel, also on a busy server."""
PASSWORD_BYTES = 32


class CheckSetup(BaseStep):
    """Both servers fit together, and what they will have in common is agreed."""

    name = "check-setup"

    def do(self, context: Context) -> None:
        node, draft = context.node, context.draft
        state = node.store.state()
        if state.role is not Role.STANDALONE:
            raise refuse(
                "already-paired", "This Server Is Part of a Pair", f"It is {state.role}.", "Tear the pair down first."
            )
        fingerprint = str(draft.get("HAPeerFingerprint") or "")
        preflight.pairing_key(node, fingerprint)
        found, reply = preflight.check_new_pair(node, draft, strict=True)
        preflight.refuse_failures(found)
        theirs = clean_config((reply or {}).get("config"))
        applied = {**configuration.complete(draft), **configuration.agree(draft, theirs)}
        applied |= configuration.copied_targets(draft, theirs, surroundings(node))
        context.remember(applied=applied, warnings=[check.detail for check in found if check.result == "warn"])


class MakeCertificate(BaseStep):
    """The database's certificate names the address that the other server will use."""

    name = "make-certificate"

    def do(self, context: Context) -> None:
        node = context.node
        node.keys.make_certificate(str(context.draft["HAServerAddress"]), node.machine.facts().hostname)
        node.database.reload_certificates()


class PrepareAccounts(BaseStep):
    """The secondary will be able to log in to replicate."""

    name = "prepare-accounts"

    def do(self, context: Context) -> None:
        keys = context.node.keys
        password = keys.secret(REPLICATION_SECRET)
        if password is None:
            password = secrets.token_urlsafe(PASSWORD_BYTES)
            keys.save_secret(REPLICATION_SECRET, password)
        context.node.database.ensure_accounts(password)


class ExchangeIdentities(BaseStep):
    """Each server has the other's permanent keys and accepts no others from now on."""

    name = "exchange-identities"

    def do(self, context: Context) -> None:
        node, draft = context.node, context.draft
        if "pair_id" not in context.memory:
            context.remember(pair_id=uuid.uuid4().hex)
        fingerprint, address = str(draft["HAPeerFingerprint"]), str(draft["HAPeerAddress"])
        own = own_identity(node, context.recall("pair_id"), str(draft["HAServerAddress"]))
        key = preflight.pairing_key(node, fingerprint)
        reply = node.pairing.request(address, fingerprint, key, "pair", {**own, **context.asking.named()}, PAIR_S)
        peer = read_identity(reply, address)
        context.remember(peer=asdict(peer))
        node.keys.pin_peer(peer.host_key, peer.client_key, peer.certificate, peer.address)
        node.store.change_state(lambda state: replace(state, peer=peer, pair_id=context.recall("pair_id")))
        # The permanent channel is tried at once: a closed port shows here, not when the secondary wants to join.
        node.peer.request("position", {}, FIRST_CONTACT_S)

    def undo(self, context: Context) -> None:
        node = context.node
        if node.store.state().peer is not None and "pair_id" in context.memory:
            ask_quietly(node, "leave", {"pair_id": context.recall("pair_id")})
            ask_quietly(node, "forget", {"pair_id": context.recall("pair_id")})
        node.store.change_state(lambda state: replace(state, peer=None, pair_id=None))
        node.keys.unpin_peer()
        node.peer.close()


class BecomePrimary(BaseStep):
    """The node is the primary of a pair whose secondary has not joined yet."""

    name = "become-primary"

    def is_done(self, context: Context) -> bool:
        state = context.node.store.state()
        return state.role is Role.PRIMARY and state.pair_id == context.memory.get("pair_id")

    def do(self, context: Context) -> None:
        node = context.node
        peer = PeerIdentity(**context.recall("peer"))
        pair_id = str(context.recall("pair_id"))
        now = node.clock.now()

        def become(state: NodeState) -> NodeState:
            if state.role is Role.PRIMARY and state.pair_id == pair_id:
                return state
            return replace(
                with_standby_out(state, now),
                role=Role.PRIMARY,
                term=state.term + 1,
                phase=Phase.INITIALIZED,
                pair_id=pair_id,
                peer=peer,
                fence=None,
                promotion=None,
                stable_since_failover=True,
                last_failover_at=None,
            )

        node.store.change_state(become)
        apply_config(context, context.recall("applied"))
        node.store.retire_pairing_key(str(context.draft["HAPeerFingerprint"]))
        node.database.set_semi_sync(enabled=False)
