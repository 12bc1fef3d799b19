"""What APPLY means: the manual's role changes, row by row, and its refusals."""

from __future__ import annotations

from typing import Any

import pytest

from app.core.apply import check_confirmed, check_in_pair, decide
from app.core.errors import InvalidInput, NotAllowed
from app.core.roles import Change, Role

ROWS = [
    ("standalone", "primary", Change.SETUP_PRIMARY),
    ("standalone", "secondary", Change.SETUP_SECONDARY),
    ("primary", "secondary", Change.SWAP),
    ("primary", "standalone", Change.TEARDOWN),
    ("secondary", "standalone", Change.TEARDOWN),
    ("secondary", "primary", Change.TAKEOVER),
]


def config(role: str, **more: Any) -> dict[str, Any]:
    return {"HAServerRole": role, **more}


@pytest.mark.parametrize(("applied", "drafted", "change"), ROWS)
def test_a_change_of_role_is_the_manuals(applied: str, drafted: str, change: Change) -> None:
    row = decide(config(applied), config(drafted))
    assert row.change is change
    assert row.sentence.endswith(".")


@pytest.mark.parametrize("role", list(Role))
def test_the_same_role_with_other_settings_changes_the_settings(role: Role) -> None:
    assert decide(config(role), config(role, HAPingIterations=3)).change is Change.SETTINGS


@pytest.mark.parametrize("draft", [None, config("primary"), config("primary", HAPingIterations=12)])
def test_without_a_difference_there_is_nothing_to_apply(draft: dict[str, Any] | None) -> None:
    with pytest.raises(NotAllowed) as refusal:
        decide(config("primary"), draft)
    assert (refusal.value.code, refusal.value.title) == ("no-changes", "No Configuration Changes To Apply")


@pytest.mark.parametrize(("applied", "drafted"), [("primary", "secondary"), ("secondary", "primary")])
def test_a_swap_or_takeover_changes_nothing_else(applied: str, drafted: str) -> None:
    with pytest.raises(NotAllowed) as refusal:
        decide(config(applied), config(drafted, HAPingIterations=3))
    assert refusal.value.code == "one-change-at-a-time"
    assert "HAPingIterations" in refusal.value.detail


@pytest.mark.parametrize("given", [None, "", "beta", "yes"])
def test_a_dangerous_act_says_what_it_asks_for(given: str | None) -> None:
    with pytest.raises(InvalidInput) as refusal:
        check_confirmed("takeover", given, "Alpha")
    assert refusal.value.code == "confirmation-needed"
    assert "Alpha" in refusal.value.hint
    assert list(refusal.value.errors) == ["confirm"]


@pytest.mark.parametrize("given", ["Alpha", "alpha", "takeover"])
def test_the_name_of_the_server_or_of_the_act_confirms(given: str) -> None:
    check_confirmed("takeover", given, "Alpha")


def test_a_standalone_server_is_in_no_pair() -> None:
    check_in_pair(Role.PRIMARY)
    with pytest.raises(NotAllowed) as refusal:
        check_in_pair(Role.STANDALONE)
    assert refusal.value.code == "not-paired"
