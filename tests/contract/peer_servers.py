"""Two nodes with real keys, node stores and peer sshds, on two loopback addresses and the same port, paired by hand."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import string
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path

from app.adapters.clock import SystemClock
from app.adapters.keys import FileKeys
from app.adapters.mirror import RsyncMirror
from app.adapters.peer.client import SshPeer
from app.adapters.peer.pairing import SshPairing
from app.adapters.store import SqliteNodeStore
from app.core.roles import Role
from app.core.state import PeerIdentity, Phase
from app.migrate import migrate_node_store
from app.settings import Settings
from tests.ports import free_port
from tests.waiting import wait_for

SSHD_START_S = 30.0
SSHD_TEMPLATE = Path(__file__).parents[2] / "app" / "install" / "templates" / "sshd_config"
SSHD_PRIVILEGE_FOLDER = Path("/run/sshd")


class PeerServer:
    """One node; its sshd runs between `start` and `stop`."""

    def __init__(self, folder: Path, name: str, address: str, port: int, pairing_port: int) -> None:
        self.name, self.address, self.folder = name, address, folder / name
        self.settings = Settings(
            state_dir=self.folder / "state",
            run_dir=self.folder / "run",
            log_dir=self.folder / "log",
            files_dir=self.folder / "files",
            database_socket=self.folder / "no-database.sock",
            peer_port=port,
            pairing_port=pairing_port,
        )
        for each in (self.settings.state_dir, self.settings.run_dir, self.settings.log_dir, self.settings.files_dir):
            each.mkdir(parents=True)
        migrate_node_store(self.settings.node_store)
        self.keys = FileKeys(self.settings)
        self.keys.identity()
        self.keys.make_certificate(address, name)
        self.store = SqliteNodeStore(self.settings.node_store, SystemClock())
        self.peer = SshPeer(self.settings, lambda: self.store.state().peer)
        self.pairing = SshPairing(self.settings)
        self.mirror = RsyncMirror(self.settings, lambda: self.store.state().peer)
        self._sshd: subprocess.Popen[bytes] | None = None

    @property
    def files(self) -> Path:
        return self.settings.files_dir

    def log(self) -> str:
        path = self.settings.log_dir / "peer.log"
        return path.read_text() if path.exists() else ""

    def as_peer(self) -> PeerIdentity:
        own = self.keys.identity()
        return PeerIdentity(
            self.store.state().node_id, self.name, self.address, own.host_key, own.client_key, own.certificate
        )

    def pair_with(self, other: PeerServer, role: Role, term: int = 1) -> None:
        peer = other.as_peer()
        self.keys.pin_peer(peer.host_key, peer.client_key, peer.certificate, peer.address)
        self.store.change_state(
            lambda state: replace(state, role=role, term=term, phase=Phase.PAIRED, peer=peer, pair_id="pair")
        )

    def start(self) -> None:
        """sshd listens with the installed configuration, but at this node's own address and without checking the
        temporary folder's parents."""
        SSHD_PRIVILEGE_FOLDER.mkdir(mode=0o755, exist_ok=True)
        text = string.Template(SSHD_TEMPLATE.read_text()).substitute(
            peer_port=self.settings.peer_port, state_dir=self.settings.state_dir
        )
        configuration = self.folder / "sshd_config"
        configuration.write_text(f"{text}\nListenAddress {self.address}\nStrictModes no\n")
        log = (self.settings.log_dir / "sshd.log").open("ab")
        with log:
            self._sshd = subprocess.Popen(["/usr/sbin/sshd", "-D", "-e", "-f", str(configuration)], stderr=log)
        wait_for(self._listens, SSHD_START_S, f"sshd of {self.name}")

    def _listens(self) -> bool:
        with socket.create_connection((self.address, self.settings.peer_port), timeout=1) as connection:
            return connection.recv(4) == b"SSH-"

    def stop(self) -> None:
        """sshd and its sessions have ended."""
        if self._sshd is None:
            return
        for process in (self._sshd.pid, *descendants(self._sshd.pid)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGTERM)
        self._sshd.wait(SSHD_START_S)
        self._sshd = None

    def close(self) -> None:
        self.mirror.close()
        self.peer.close()
        self.stop()
        self.store.close()


class PeerServers:
    """The pair: `a` is primary and `b` secondary. The folder's name is short, because SSH's sockets need that."""

    def __init__(self, address_a: str = "127.0.0.71", address_b: str = "127.0.0.72") -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="hp"))
        port, pairing_port = free_port(address_b), free_port(address_b)
        self.a = PeerServer(self.folder, "alpha", address_a, port, pairing_port)
        self.b = PeerServer(self.folder, "beta", address_b, port, pairing_port)
        self.a.pair_with(self.b, Role.PRIMARY)
        self.b.pair_with(self.a, Role.SECONDARY)

    def start(self) -> None:
        self.b.start()

    def close(self) -> None:
        self.a.close()
        self.b.close()
        wait_for(lambda: not processes_naming(self.folder), SSHD_START_S, "the end of all sessions")
        wait_for(self._removed, SSHD_START_S, "the folder without anybody who still writes into it")

    def _removed(self) -> bool:
        if self.folder.exists():
            shutil.rmtree(self.folder)
        return True


def descendants(parent: int) -> list[int]:
    """The children of a process, their children, and so on."""
    try:
        text = Path(f"/proc/{parent}/task/{parent}/children").read_text()
    except OSError:
        return []
    children = [int(each) for each in text.split()]
    return [*children, *(each for child in children for each in descendants(child))]


def processes_naming(folder: Path) -> list[str]:
    """Command lines of the processes that were started with this folder."""
    found = []
    for each in Path("/proc").iterdir():
        if each.name.isdigit() and int(each.name) != os.getpid():
            try:
                line = (each / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
            except OSError:
                continue
            if str(folder) in line:
                found.append(line)
    return found
