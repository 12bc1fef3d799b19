"""When the next batch of changed files is due: after the interval, or after 1000 changes, whichever is first."""

from __future__ import annotations

CHANGES_MAX = 1000
"""The manual: files are also synced every 1000 changes regardless of the timer."""
RETRY_S = 5.0
"""A batch that failed is not tried again before this time."""


def batch_due(pending: int, since_last_s: float, interval_s: float, *, failed: bool = False) -> bool:
    """Whether to push now: `pending` changes wait, the last batch began `since_last_s` ago and `failed` or did not."""
    if pending <= 0:
        return False
    if failed and since_last_s < RETRY_S:
        return False
    return pending >= CHANGES_MAX or since_last_s >= interval_s
