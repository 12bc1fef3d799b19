"""What an open page holds: counted by the browser itself, right after a collection of garbage."""

from __future__ import annotations

from playwright.sync_api import CDPSession, Page


class Memory:
    """Measures one page."""

    def __init__(self, page: Page) -> None:
        self._session: CDPSession = page.context.new_cdp_session(page)

    def measure(self) -> dict[str, int]:
        """The bytes of JavaScript's heap that are in use, and how many DOM nodes and listeners there are."""
        self._session.send("HeapProfiler.collectGarbage")
        counters = self._session.send("Memory.getDOMCounters")
        heap = self._session.send("Runtime.getHeapUsage")
        return {
            "heap_bytes": int(heap["usedSize"]),
            "nodes": counters["nodes"],
            "listeners": counters["jsEventListeners"],
        }
