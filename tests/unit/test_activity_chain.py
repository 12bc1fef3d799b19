"""The chain of a journal: every later change of an entry, of its place or of the journal's end is named."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from app.core.activity import Entry, storable
from app.core.activity_chain import START, Break, Head, against, check, link

AT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


def journal(count: int) -> list[Entry]:
    found: list[Entry] = []
    before = ""
    for number in range(1, count + 1):
        entry = Entry("id", number, AT + timedelta(seconds=number), "alpha", "dana", "", "apply", "done", {"n": number})
        found.append(replace(entry, chain=link(before, entry)))
        before = found[-1].chain
    return found


def test_a_journal_as_it_was_written_holds_in_one_go_and_in_parts() -> None:
    entries = journal(10)
    whole = check(START, entries)
    assert (whole.head, whole.count, whole.unlinked, whole.broken) == (Head(10, entries[-1].chain), 10, 0, None)
    assert check(check(START, entries[:4]).head, entries[4:]).head == whole.head
    assert check(START, []).broken is None


@pytest.mark.parametrize(
    "changes",
    [
        {"at": AT}, {"node": "beta"}, {"actor": "lee"}, {"address": "192.0.2.1"}, {"action": "swap"},
        {"outcome": "refused"}, {"detail": {}}, {"node_id": "other"}, {"chain": "0" * 64}, {"chain": ""},
    ],
    ids=str,
)  # fmt: skip
def test_a_changed_entry_is_the_first_broken_one(changes: dict[str, object]) -> None:
    entries = journal(5)
    entries[2] = replace(entries[2], **changes)  # type: ignore[arg-type]
    broken = check(START, entries).broken
    assert broken is not None
    assert broken.entry == 3


def test_an_entry_that_was_linked_anew_breaks_the_next_one() -> None:
    entries = journal(5)
    forged = replace(entries[2], actor="lee")
    entries[2] = replace(forged, chain=link(entries[1].chain, forged))
    broken = check(START, entries).broken
    assert broken is not None
    assert broken.entry == 4


@pytest.mark.parametrize(("kept", "named"), [([0, 1, 3, 4], 3), ([1, 2, 3, 4], 1), ([0, 2, 1, 3], 2), ([0, 0, 1], 1)])
def test_missing_moved_and_repeated_entries_are_named(kept: list[int], named: int) -> None:
    entries = journal(5)
    broken = check(START, [entries[place] for place in kept]).broken
    assert broken is not None
    assert broken.entry == named


def test_what_was_accepted_is_gathered_and_what_comes_after_it_is_checked_all_the_same() -> None:
    entries = journal(9)
    entries[1] = replace(entries[1], actor="lee")
    del entries[3:5]
    accepted = check(START, entries, accepted_to=6)
    assert [each.entry for each in accepted.accepted] == [2, 4]
    assert (accepted.broken, accepted.count, accepted.head.entry) == (None, 7, 9)
    entries[5] = replace(entries[5], actor="lee")
    later = check(START, entries, accepted_to=6)
    assert [each.entry for each in later.accepted] == [2, 4]
    assert later.broken is not None
    assert later.broken.entry == 8
    assert check(START, entries, accepted_to=5).broken == Break(4, "Entries up to 5 are missing.")


def test_what_others_know_from_before_an_acceptance_counts_no_more() -> None:
    entries = journal(9)
    known = Head(5, "f" * 64)
    assert against(Head(9, entries[8].chain), known, entries[4].chain) is not None
    assert against(Head(9, entries[8].chain), known, entries[4].chain, accepted_to=6) is None
    later = against(Head(7, entries[6].chain), Head(9, entries[8].chain), None, accepted_to=6)
    assert later is not None
    assert later.entry == 8


def test_entries_older_than_the_chain_are_counted_and_only_at_the_beginning() -> None:
    old = [replace(each, chain="") for each in journal(3)]
    first = replace(journal(4)[3], chain="")
    linked = replace(first, chain=link("", first))
    found = check(START, [*old, linked])
    assert (found.unlinked, found.broken) == (3, None)
    broken = check(START, [*old, linked, replace(journal(5)[4], chain="")]).broken
    assert broken is not None
    assert broken.entry == 5


def test_a_journal_that_was_cut_off_or_rewritten_is_not_what_others_know_of_it() -> None:
    entries = journal(5)
    known = Head(5, entries[4].chain)
    assert against(known, known, entries[4].chain) is None
    assert against(Head(9, "f" * 64), known, entries[4].chain) is None
    assert against(Head(3, entries[2].chain), known, None) == Break(
        4, "The last 2 entries are missing: entry 5 was there once."
    )
    rewritten = against(Head(6, "f" * 64), known, "e" * 64)
    assert rewritten is not None
    assert rewritten.entry == 5


def test_what_the_common_log_leaves_out_is_bound_by_its_digest() -> None:
    entry = replace(journal(1)[0], detail={"text": "x" * 100_000})
    other = replace(entry, detail={"text": "x" * 99_999 + "y"})
    assert link("", storable(entry)) != link("", storable(other))
