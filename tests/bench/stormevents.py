"""Stores many events in this host's node store, as fast as asked: `python -m tests.bench.stormevents COUNT SECONDS`."""

from __future__ import annotations

import sys
import time

from app.adapters.clock import SystemClock
from app.adapters.store import SqliteNodeStore
from app.settings import read_settings

TOKEN = "storm-{:06d}"


def main() -> int:
    count, over_s = int(sys.argv[1]), float(sys.argv[2])
    store = SqliteNodeStore(read_settings().node_store, SystemClock())
    first = time.monotonic()
    for number in range(count):
        time.sleep(max(first + number * over_s / count - time.monotonic(), 0.0))
        token = TOKEN.format(number)
        store.add_event(token, "StandbyOffline", ("StandbyOffline", token, "alpha"))
    store.close()
    print(f"{count} events in {time.monotonic() - first:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
