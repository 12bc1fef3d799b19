"""The chains of the activity log: bringing a journal into the common log, and checking both against what is known.

A journal that was cut off at its end, or rewritten as a whole, holds in itself. So the end of each journal is known in
other places too: in the common log, which both servers have, and in the node store of the other server.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.core.activity import Entry, storable
from app.core.activity_chain import ACCEPTED, START, Break, Checked, Head, against, check
from app.core.activity_filter import Filter
from app.core.errors import HapairError, NotAllowed, NotFound
from app.ports import Actor, Json, Node
from app.ports.activity import CommonLog

PAIR, NODE = "pair", "node"
"""Where a chain is: in the common log, or in this node's own journal."""
CHECKED_MAX = 2000
"""Entries that one call checks."""
ACCEPTANCES_MAX = 100
"""So many of the newest are looked at to find the last one of a journal; the common log has both servers'."""
PEER_HEAD_NOTE = "activity-head-of-peer"
"""The end of the other server's journal, as it last said: {node_id, entry, chain}."""
WITNESS_NOTE = "activity-witness"
"""The end of this node's journal, as the other server knows it: {node_id, entry, chain}."""


@dataclass(frozen=True)
class Chain:
    """The journal of one server, in one place."""

    source: str
    node_id: str
    node: str
    last: int
    chain: str
    waiting: int | None = None
    broken: Break | None = None


def bring_in(log: CommonLog, node_id: str, after: int, entries: Sequence[Entry]) -> int:
    """The entries that follow `after` are in the log, if the log has what comes before them; its highest number of
    that node then, from which the sender goes on. So there is never a gap that would be taken for complete."""
    highest = log.highest(node_id)
    if highest < after or not entries:
        return highest
    return log.add(entries)


def known_head(note: Json | None, node_id: str) -> Head:
    """The end of that node's journal that the note tells of; START where it tells of none."""
    if note is None or note.get("node_id") != node_id:
        return START
    return Head(int(note["entry"]), str(note["chain"]))


def chains(node: Node) -> list[Chain]:
    """The journal of this node first and, where the database answers, those in the common log; each compared with what
    is known of its end elsewhere."""
    try:
        heads = node.common_log.heads()
    except HapairError:
        heads = []
    own_id = node.store.state().node_id
    in_common = next((Head(each.node_entry, each.chain) for each in heads if each.node_id == own_id), START)
    # All that is known of the journal is read before its end: entries are added meanwhile, and none of them is missing.
    known = (in_common, known_head(node.store.note(WITNESS_NOTE), own_id), Head(node.store.activity_numbered(), ""))
    own = node.store.activity_head()
    broken = next(filter(None, (journal_against(node, own, each) for each in known)), None)
    journal = Chain(NODE, own_id, node.machine.facts().hostname, own.entry, own.chain, broken=broken)
    return [journal, *(_common_chain(node, each, own_id, own) for each in heads)]


def journal_against(node: Node, own: Head, known: Head) -> Break | None:
    """What is wrong with this node's journal, which ends at `own`, where somebody knows its entry `known`."""
    own_id = node.store.state().node_id
    return against(own, known, _journal_link(node, known.entry), accepted_to(node, NODE, own_id))


def accepted_to(node: Node, source: str, node_id: str) -> int:
    """The entry with which an administrator has accepted that journal last; 0 where nobody has."""
    look = node.store.activity if source == NODE else node.common_log.entries
    found = look(Filter(action=ACCEPTED), limit=ACCEPTANCES_MAX)
    return max((each.node_entry for each in found if each.node_id == node_id), default=0)


def _common_chain(node: Node, last: Entry, own_id: str, own: Head) -> Chain:
    head = Head(last.node_entry, last.chain)
    if last.node_id == own_id:
        waiting = max(own.entry - head.entry, 0)
        in_journal = Head(head.entry, _journal_link(node, head.entry) or "")
        broken = against(head, in_journal, head.chain, accepted_to(node, NODE, own_id))
        return Chain(PAIR, own_id, last.node, head.entry, head.chain, waiting, broken)
    known = known_head(node.store.note(PEER_HEAD_NOTE), last.node_id)
    broken = None
    # What the other server has written since, or has yet to bring in after a failover, is not missing.
    if START.entry < known.entry <= head.entry:
        link = _common_link(node, last.node_id, known.entry)
        broken = against(head, known, link, accepted_to(node, PAIR, last.node_id))
    return Chain(PAIR, last.node_id, last.node, head.entry, head.chain, None, broken)


def check_chain(node: Node, source: str, node_id: str, after: int) -> tuple[Checked, bool]:
    """How the entries after number `after` hold, and whether there may be more.

    Raises NotFound (code `no-such-chain`), and LocalFailure where the common log can't be read.
    """
    if source == NODE and node_id != node.store.state().node_id:
        raise _unknown()
    entries = _entries(node, source, node_id, max(after - 1, 0), CHECKED_MAX + 1)
    head = START
    if after > 0:
        if not entries or entries[0].node_entry != after:
            raise _unknown()
        head = Head(after, entries[0].chain)
        entries = entries[1:]
    accepted = accepted_to(node, source, node_id)
    return check(head, entries[:CHECKED_MAX], accepted), len(entries) >= CHECKED_MAX


def number_beyond(node: Node, known: Sequence[Chain]) -> None:
    """New entries of this node's journal get numbers that nobody knows yet, so that the common log takes them."""
    own_id = node.store.state().node_id
    own = max((each.last for each in known if each.source == PAIR and each.node_id == own_id), default=0)
    node.store.skip_activity(max(own, known_head(node.store.note(WITNESS_NOTE), own_id).entry))


def accept(node: Node, actor: Actor, entry: int, reason: str) -> Entry:
    """This node's journal counts as it is, with what is wrong at `entry` and all before the entry that says so.

    Raises NotAllowed (code `nothing-to-accept`) where nothing is wrong at that entry, or it was accepted already.
    """
    known = chains(node)
    own_id = node.store.state().node_id
    found = next(filter(None, (_break_at(node, each, entry) for each in known if each.node_id == own_id)), None)
    if found is None:
        raise NotAllowed(
            "nothing-to-accept",
            "There Is Nothing To Accept At This Entry",
            detail=f"This server's journal is as it was written at entry {entry}, or that was accepted already.",
            hint="`hapair activity verify` names the entry. A journal is accepted on the server that wrote it.",
        )
    number_beyond(node, known)
    return node.store.add_activity(actor, ACCEPTED, "done", {"entry": entry, "wrong": found.reason, "reason": reason})


def _break_at(node: Node, chain: Chain, entry: int) -> Break | None:
    if chain.broken is not None and chain.broken.entry == entry:
        return chain.broken
    try:
        checked, _ = check_chain(node, chain.source, chain.node_id, entry - 1)
    except HapairError:
        return None
    return checked.broken if checked.broken is not None and checked.broken.entry == entry else None


def _entries(node: Node, source: str, node_id: str, after: int, limit: int) -> list[Entry]:
    if source == NODE:
        return [storable(each) for each in node.store.activity_after(after, limit)]
    return node.common_log.after(node_id, after, limit)


def _journal_link(node: Node, entry: int) -> str | None:
    found = node.store.activity_after(entry - 1, 1)
    return found[0].chain if found and found[0].node_entry == entry else None


def _common_link(node: Node, node_id: str, entry: int) -> str | None:
    found = node.common_log.after(node_id, entry - 1, 1)
    return found[0].chain if found and found[0].node_entry == entry else None


def _unknown() -> NotFound:
    return NotFound(
        "no-such-chain",
        "No Such Chain",
        detail="There is no journal of that server here, or it has no such entry.",
        hint="GET /api/v1/activity/chains names those that there are.",
    )
