"""Python's garbage collector in processes that run for long."""

from __future__ import annotations

import gc


def leave_startup_alone() -> None:
    """What exists now is never looked at by the garbage collector again.

    A process of hapair has some 90,000 objects once its libraries are loaded. They stay to its end, and each full
    collection would stand still for all of them: 64 ms on the machine of docs/benchmarks.md, 0 afterwards.
    """
    gc.collect()
    gc.freeze()
