"""A server that asks its peer over real sshd, behind hands that the fake has too."""

from __future__ import annotations

from dataclasses import replace

from app.core.roles import Role
from app.ports import Peer
from tests.contract import peer_command
from tests.contract.peer_servers import PeerServers


class RealSide:
    """Beta asks alpha, which is the primary and whose sshd runs."""

    def __init__(self, address: str) -> None:
        self.servers = PeerServers(address_a=address)
        self.asked, self.asking = self.servers.a, self.servers.b
        self.peer: Peer = self.asking.peer
        peer_command.use_at(self.asked.settings)
        self.asked.start()

    def go_away(self) -> None:
        self.asked.stop()

    def come_back(self) -> None:
        self.asked.start()

    def part(self) -> None:
        self.asking.store.change_state(lambda state: replace(state, peer=None, role=Role.STANDALONE))

    def seed_behaves(self, behaviour: str) -> None:
        (self.asked.settings.state_dir / "seed").write_text(behaviour)
