"""When files are synced: after the interval or 1000 changes."""

from __future__ import annotations

import pytest

from app.core.sync import batch_due


@pytest.mark.parametrize(
    ("pending", "since_last_s", "due"),
    [(0, 1000.0, False), (1, 4.9, False), (1, 5.0, True), (999, 4.9, False), (1000, 0.0, True), (5000, 0.1, True)],
)
def test_a_batch_is_due_after_the_interval_or_a_thousand_changes(pending: int, since_last_s: float, due: bool) -> None:
    assert batch_due(pending, since_last_s, interval_s=5.0) is due


def test_a_failed_batch_rests_however_many_changes_wait() -> None:
    assert not batch_due(5000, 4.9, interval_s=5.0, failed=True)
    assert batch_due(5000, 5.0, interval_s=30.0, failed=True)
