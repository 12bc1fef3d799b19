"""The checks before a set-up or another change of roles, also as a dry run: they change nothing."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

from app.core import checks, messages
from app.core.checks import Check, ServerFacts
from app.core.errors import HapairError, NotAllowed, PeerRefused, PeerUnreachable
from app.core.roles import Role
from app.core.state import Phase
from app.core.virtual_address import read
from app.ports import Json, Node
from jobs.context import BaseStep, Context
from jobs.steps import address

CONTACT_S = 10.0
"""How long the other server is given to answer a question of the preflight."""
LISTENER_OPENS_S = 3.0
"""A secondary's listener may open a moment after its draft was saved; until then a refusal means nothing."""
LISTENER_PAUSES_S = {"peer-unreachable": 0.2, "fingerprint-mismatch": 1.0}
"""Between two tries, by the code of the refusal. The listener counts those who come with another fingerprint."""
PORT_S = 2.0
KEPT_MEASURED_MAX = 20
"""The newest of what is kept aside are measured; to look through many large folders takes time."""

DRAFT_FIELDS = frozenset(
    {
        "HAServerRole", "HAServerAddress", "HAPeerAddress", "HAAlertEmail", "HAPingInterval", "HAPingIterations",
        "HAPingMonitor1", "HAPingMonitor2", "HAPingMonitor3", "HAFileSyncInterval", "HAProtectionMode",
        "HAServiceFailover", "HAFailoverLagBound", "HAAntiFlappingTime", "HAStandbyOnlineEvent", "HAVirtualAddress",
    }
)  # fmt: skip
"""What of a draft the other server is told before the pair exists: no script, and not the fingerprint itself."""


@dataclass(frozen=True)
class Contacted:
    """What the other server said, or why it did not."""

    reply: Json | None
    error: HapairError | None
    round_trip_s: float
    answered_at: float
    """Seconds since 1970 on this server when the answer was there."""


def own_facts(node: Node) -> Json:
    """What this server says of itself. Raises LocalFailure where its database does not answer."""
    machine = node.machine.facts()
    database = node.database.facts()
    _, files_bytes = node.mirror.size()
    facts = ServerFacts(
        hostname=machine.hostname,
        version=machine.version,
        cpus=machine.cpus,
        memory_bytes=machine.memory_bytes,
        disk_bytes=machine.disk_bytes,
        disk_free_bytes=machine.disk_free_bytes,
        engine=database.engine,
        engine_version=database.version,
        data_bytes=node.database.data_bytes(),
        files_bytes=files_bytes,
        time=node.clock.now().timestamp(),
    )
    return asdict(facts)


def answer_facts(node: Node) -> Json:
    """What this node tells the other one before they are paired: its size, its draft, and whom it can reach.

    The addresses that are tried are those of the own configuration, never those that the other side sends.
    """
    config = node.store.config()
    draft = config.draft if config.draft is not None else config.applied
    peer_address = str(draft.get("HAPeerAddress") or "")
    return {
        "facts": own_facts(node),
        "interfaces": [asdict(each) for each in node.machine.facts().interfaces],
        "node_id": node.store.state().node_id,
        "config": {name: draft[name] for name in DRAFT_FIELDS if name in draft},
        "reaches": {
            "database": node.machine.can_connect(peer_address, node.settings.database_port, PORT_S),
            "peer": node.machine.can_connect(peer_address, node.settings.peer_port, PORT_S),
        },
    }


def run_preflight(node: Node, config: Json | None = None) -> list[Check]:
    """The checks for applying `config` (the draft, or what is applied, when None) on this node."""
    stored = node.store.config()
    wanted = config if config is not None else (stored.draft if stored.draft is not None else stored.applied)
    state = node.store.state()
    role = Role(wanted.get("HAServerRole") or Role.STANDALONE)
    if state.role is Role.STANDALONE and role is Role.PRIMARY:
        return check_new_pair(node, wanted)[0]
    if state.role is Role.STANDALONE and role is Role.SECONDARY:
        return check_joining(node, wanted)
    if state.role is not Role.STANDALONE and role is not Role.STANDALONE:
        return check_pair(node, wanted)
    return [_own_database(node)]


def check_new_pair(node: Node, draft: Json, *, strict: bool = False) -> tuple[list[Check], Json | None]:
    """The checks of a primary-to-be, and what the secondary's listener replied.

    `strict` raises the error of a contact that failed, in place of reporting it as a check.
    """
    contacted = _contact_by_pairing(node, draft)
    if strict and contacted.error is not None:
        raise contacted.error
    if contacted.reply is None:
        return [_own_database(node), _failed_contact(contacted)], None
    return [_own_database(node), *_compare(node, draft, contacted, own_is_primary=True)], contacted.reply


def check_pair(node: Node, wanted: Json) -> list[Check]:
    """The checks of a pair that exists, over its own channel."""
    contacted = _contact(node, lambda: node.peer.request("facts", {}, CONTACT_S))
    if contacted.reply is None:
        return [_own_database(node), _failed_contact(contacted)]
    own_is_primary = node.store.state().role is Role.PRIMARY
    applied = {**node.store.config().applied, "HAVirtualAddress": wanted.get("HAVirtualAddress")}
    return [_own_database(node), *_compare(node, applied, contacted, own_is_primary=own_is_primary)]


def refuse_failures(found: list[Check]) -> None:
    """Nothing where no check fails. Raises the fitting error for the first one that does, naming all of them."""
    failed = checks.failures(found)
    if not failed:
        return
    detail = " ".join(check.detail for check in failed)
    raise NotAllowed(
        "preflight-failed",
        "The Checks Before The Change Failed",
        detail=detail,
        hint="Nothing was changed. Mend this, then press RETRY.",
    )


def check_joining(node: Node, draft: Json, *, strict: bool = False) -> list[Check]:
    """The checks of a secondary-to-be. `strict` raises the error of a contact that failed."""
    state = node.store.state()
    if state.peer is None or state.pair_id is None:
        waiting = "The primary has not been applied yet. Save this draft, then select APPLY on the primary first."
        return [_own_database(node), Check("primary-ready", "warn", waiting)]
    # The first question opens the channel, so that the second one's time says something of the clocks.
    opened = _contact(node, lambda: node.peer.request("ping", {}, CONTACT_S))
    contacted = opened if opened.reply is None else _contact(node, lambda: node.peer.request("facts", {}, CONTACT_S))
    if contacted.error is not None:
        if strict:
            raise contacted.error
        return [_own_database(node), _failed_contact(contacted)]
    phase = (contacted.reply or {}).get("phase")
    ready = phase in {Phase.INITIALIZED.value, Phase.SYNCHRONIZING.value}
    detail = "The primary waits for this server." if ready else "The primary does not wait for a secondary now."
    found = _compare(node, draft, contacted, own_is_primary=False)
    ready_check = Check("primary-ready", "pass" if ready else "warn", detail)
    return [_own_database(node), *_kept_aside(node), ready_check, *found]


def _contact_by_pairing(node: Node, draft: Json) -> Contacted:
    fingerprint = str(draft.get("HAPeerFingerprint") or "")
    address = str(draft.get("HAPeerAddress") or "")

    def ask() -> Json:
        key = pairing_key(node, fingerprint)
        return node.pairing.request(address, fingerprint, key, "facts", {}, CONTACT_S)

    deadline = node.clock.monotonic() + LISTENER_OPENS_S
    while True:
        contacted = _contact(node, ask)
        code = "" if contacted.error is None else contacted.error.code
        pause = LISTENER_PAUSES_S.get(code)
        if pause is None or node.clock.monotonic() + pause >= deadline:
            return contacted
        node.clock.sleep(pause)


def pairing_key(node: Node, fingerprint: str) -> str:
    """The private key of that fingerprint. Raises NotAllowed (codes `fingerprint-used`, `fingerprint-unknown`), and
    LocalFailure where the sealed key can't be opened."""
    sealed = node.store.pairing_key(fingerprint)
    if sealed is not None:
        return node.keys.unseal(sealed)
    if node.store.pairing_key_retired(fingerprint):
        raise NotAllowed(
            "fingerprint-used",
            "This Fingerprint Has Been Used",
            detail="A Peer Authentication Fingerprint works for one set-up.",
            hint="Press GENERATE on this server, and paste the new value into the secondary.",
        )
    raise NotAllowed(
        "fingerprint-unknown",
        "This Fingerprint Was Not Generated Here",
        detail="The primary needs the key that belongs to the Peer Authentication Fingerprint.",
        hint="Press GENERATE on this server, and paste the new value into the secondary.",
    )


def _contact(node: Node, ask: Any) -> Contacted:
    started = node.clock.monotonic()
    try:
        reply, error = ask(), None
    except HapairError as caught:
        reply, error = None, caught
    return Contacted(reply, error, node.clock.monotonic() - started, node.clock.now().timestamp())


def _failed_contact(contacted: Contacted) -> Check:
    error = contacted.error or PeerUnreachable("peer-unreachable", "The Other Server Does Not Answer")
    fingerprint = error.code.startswith("fingerprint")
    detail = messages.failure(error) if messages.is_communication_error(error) else f"{error.title}. {error.detail}"
    if error.hint and error.hint not in detail:
        detail = f"{detail} {error.hint}"
    return Check("fingerprint" if fingerprint else "peer", "fail", detail)


def _compare(node: Node, draft: Json, contacted: Contacted, *, own_is_primary: bool) -> list[Check]:
    reply = contacted.reply or {}
    found = [Check("peer", "pass", "The other server answers.")]
    if own_is_primary and draft.get("HAPeerFingerprint"):
        found.append(Check("fingerprint", "pass", "Both servers hold the same fingerprint."))
    try:
        theirs = ServerFacts.from_json(_object(reply, "facts"))
    except ValueError as error:
        raise PeerRefused("peer-reply", "The Other Server's Answer Is Not Complete", detail=str(error)) from error
    found += checks.compare_addresses(draft, _object(reply, "config"))
    found += _virtual_address(node, draft, reply)
    # Counting the own files may take long, so the own clock is compared as it was when the answer came.
    ours = replace(ServerFacts.from_json(own_facts(node)), time=contacted.answered_at)
    primary, secondary = (ours, theirs) if own_is_primary else (theirs, ours)
    found += checks.compare(primary, secondary, contacted.round_trip_s)
    found.append(_ports(node, draft, _object(reply, "reaches")))
    return found


def _virtual_address(node: Node, draft: Json, reply: Json) -> list[Check]:
    """Whether both servers can hold the address that one of them asks for; nothing where none does."""
    wanted = read(draft.get(address.FIELD)) or read(_object(reply, "config").get(address.FIELD))
    if wanted is None:
        return []
    return [
        checks.virtual_address(wanted, node.machine.facts().interfaces, checks.interfaces_of(reply.get("interfaces")))
    ]


def _ports(node: Node, draft: Json, reaches: Json) -> Check:
    address = str(draft.get("HAPeerAddress") or "")
    closed = []
    for name, port in (("database", node.settings.database_port), ("peer", node.settings.peer_port)):
        if not node.machine.can_connect(address, port, PORT_S):
            closed.append(f"port {port} ({name}) of {address} can't be reached from here")
        if reaches.get(name) is not True:
            closed.append(f"port {port} ({name}) of this server can't be reached from the other one")
    if closed:
        return Check("ports", "fail", f"{'; '.join(closed)}. Open them in the firewalls between the servers.")
    return Check("ports", "pass", "Each server reaches the database and the peer port of the other.")


def _own_database(node: Node) -> Check:
    try:
        facts = node.database.facts()
    except HapairError as error:
        return Check("own-database", "fail", f"This server's database does not answer: {error}.")
    return Check("own-database", "pass", f"This server's {facts.engine} {facts.version} answers.")


def _kept_aside(node: Node) -> list[Check]:
    """What earlier set-ups and rejoins have left on this server; nothing where it can't be looked at."""
    try:
        entries = node.rescues.entries()
        kept = sum(node.rescues.show(entry.id).bytes for entry in entries[:KEPT_MEASURED_MAX])
    except HapairError:
        return []
    return [checks.kept_aside(len(entries), kept, node.machine.facts().disk_free_bytes)]


def _object(reply: Json, name: str) -> Json:
    value = reply.get(name)
    return value if isinstance(value, dict) else {}


class DryRun(BaseStep):
    name = "dry-run"

    def do(self, context: Context) -> None:
        found = run_preflight(context.node, context.arguments.get("config"))
        context.remember(checks=[asdict(check) for check in found])
