"""A slow and lossy line to a host, made without netem, which not every kernel has.

nftables sends every frame that leaves the router towards the host into a TAP device; a thread holds it for a while
and puts it back. Frames are lost at random in both directions. The delay of a round trip is what a network emulator
at the router's port would make.
"""

from __future__ import annotations

import fcntl
import os
import selectors
import struct
import threading
import time
from collections import deque

from tests.lab.network import inside
from tests.lab.shell import run

DELAY_S = 0.2
"""Longer for each round trip."""
LOSS_PERCENT = 5
"""Of the frames, in each direction."""
MOST_FRAMES = 10_000
"""That wait at a time; more are lost, as in a full queue of a real line."""
FRAME_BYTES = 65536
TUN_DEVICE = "/dev/net/tun"
TUNSETIFF = 0x400454CA
IFF_TAP = 0x0002
IFF_NO_PI = 0x1000
MARK = 0x51
"""On frames that have waited, so that they pass."""
END_TIMEOUT_S = 10.0


class SlowLine:
    """Holds up what the router sends to one host, from its making until `close`."""

    def __init__(self, host: str, router: str) -> None:
        self._name = f"slow-{host}"
        with inside(router):
            self._device = os.open(TUN_DEVICE, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
            fcntl.ioctl(self._device, TUNSETIFF, struct.pack("16sH22x", self._name.encode(), IFF_TAP | IFF_NO_PI))
        self._wake, self._waker = os.pipe2(os.O_CLOEXEC)
        self._thread = threading.Thread(target=self._relay, name=self._name, daemon=True)
        self._thread.start()
        run(["ip", "-n", router, "link", "set", self._name, "up"])
        run(["ip", "netns", "exec", router, "nft", "-f", "-"], given=self._rules(f"to-{host}"))

    def close(self) -> None:
        """The thread and the device are gone; the rules go with the router's others."""
        os.close(self._waker)
        self._thread.join(END_TIMEOUT_S)
        os.close(self._wake)
        os.close(self._device)

    def _rules(self, link: str) -> str:
        lose = f"numgen random mod 100 < {LOSS_PERCENT} drop"
        return (
            f"table netdev {self._name} {{\n"
            f'  chain out {{\n    type filter hook egress device "{link}" priority 0;\n'
            f'    meta mark {MARK} accept\n    fwd to "{self._name}"\n  }}\n'
            f'  chain back {{\n    type filter hook ingress device "{self._name}" priority 0;\n'
            f'    {lose}\n    meta mark set {MARK} fwd to "{link}"\n  }}\n'
            f'  chain in {{\n    type filter hook ingress device "{link}" priority 0;\n    {lose}\n  }}\n}}\n'
        )

    def _relay(self) -> None:
        waiting: deque[tuple[float, bytes]] = deque()
        with selectors.DefaultSelector() as selector:
            selector.register(self._device, selectors.EVENT_READ)
            selector.register(self._wake, selectors.EVENT_READ)
            while True:
                pause_s = max(0.0, waiting[0][0] - time.monotonic()) if waiting else None
                ready = {key.fd for key, _ in selector.select(pause_s)}
                if self._wake in ready:
                    return
                if self._device in ready:
                    self._take(waiting)
                while waiting and waiting[0][0] <= time.monotonic():
                    self._give(waiting.popleft()[1])

    def _take(self, waiting: deque[tuple[float, bytes]]) -> None:
        try:
            frame = os.read(self._device, FRAME_BYTES)
        except OSError:
            return  # the device is down for a moment
        if len(waiting) < MOST_FRAMES:
            waiting.append((time.monotonic() + DELAY_S, frame))

    def _give(self, frame: bytes) -> None:
        try:
            os.write(self._device, frame)
        except OSError:
            return  # lost, as on any line
