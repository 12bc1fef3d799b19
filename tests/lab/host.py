"""One server of the lab: namespaces, file system, processes, and its life from boot to power cut."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tests.lab.disk import Disk
from tests.lab.group import Group
from tests.lab.network import HOSTNAMES, NAMESPACES, Network
from tests.lab.places import PROJECT, LabError, Places
from tests.lab.system_files import SETTINGS_FILE, SUPERVISOR_SOCKET, write_system_files

BOOT_TIMEOUT_S = 10.0
POLL_S = 0.005
LAST_LINES = 8
PRIVATE_FOLDERS = (Path("/tmp"), Path("/run"), Path("/dev"))
"""What each host has of its own, so that this machine's is hidden from it."""
SCRIPT = Path(__file__).with_name("host-root.sh")
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Host:
    """A host by its key, `a` or `b`. The process that calls `boot` must outlive it: when it dies, so does the host."""

    def __init__(self, lab: Places, key: str, network: Network) -> None:
        self.key = key
        self.hostname = HOSTNAMES[key]
        self.address = network.address(key)
        self.disk = Disk(lab, key)
        self.group = Group(lab.group(key))
        self.pings_dropped = False
        self._lab = lab
        self._network = network
        self._process: subprocess.Popen[bytes] | None = None
        self.pid: int | None = None
        """Process 1 of the host, as seen from outside; None while it is off."""

    @property
    def layer(self) -> Path:
        """The host's private changes of the system disk."""
        return self._lab.system / self.key

    @property
    def is_on(self) -> bool:
        """Whether process 1 of the host lives."""
        return self._process is not None and self._process.poll() is None

    def prepare(self, disk_gib: int) -> None:
        """Disk and system files are there; the host is off."""
        self.disk.create(disk_gib)
        write_system_files(self.layer / "upper", self.hostname, self._network)

    def boot(self) -> None:
        """The host runs, plugged into the network. Raises LabError when it is on already or doesn't come up."""
        if self.is_on:
            raise LabError(f"host {self.key} is on already.")
        if self.pid is not None:
            self._end()  # its process 1 ended by itself
        self.disk.ensure_mounted()
        self._network.plug_in(self.key)
        self.group.create()
        command = [
            *("sh", "-c", 'echo $$ >"$1" && shift && exec "$@"', "sh", str(self.group.members)),
            *("setpriv", "--pdeathsig", "KILL", "--"),
            *("nsenter", f"--net={NAMESPACES / self._lab.namespace(self.key)}", "--"),
            *("unshare", "--mount", "--uts", "--ipc", "--pid", "--fork", "--kill-child=KILL", "--"),
            *("sh", str(SCRIPT), "tini", "-g", "--"),
            *(sys.executable, "-m", "tests.lab.supervisor", "serve"),
        ]
        with self._lab.log.open("ab") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=PROJECT, env=self._boot_environment()
            )
        try:
            self.pid = self._await_init(self._process)
        except LabError:
            self._stop()
            raise

    def command(self, arguments: Sequence[str]) -> list[str]:
        """What runs `arguments` inside the host, as root, in the host's environment."""
        if self.pid is None or not self.is_on:
            raise LabError(f"host {self.key} is off; `fault boot {self.key}` starts it.")
        return inside_command(self.pid, self.group.members, arguments)

    def cut_power(self) -> None:
        """Off, without warning to anyone; what was not synced is lost. The disk can be looked at from outside."""
        if not self.is_on:
            raise LabError(f"host {self.key} is off already.")
        self._network.link_down(self.key)
        self.group.freeze()
        self.disk.lose_power()
        self._end()
        self.disk.mount()

    def _end(self) -> None:
        """The processes, the network and the mounted disk are gone."""
        self._stop()
        self.disk.detach()

    def _stop(self) -> None:
        """The processes and the network are gone."""
        self.group.kill()
        if self._process is not None:
            self._process.wait(timeout=BOOT_TIMEOUT_S)
        self.pid, self._process, self.pings_dropped = None, None, False
        self._network.remove_host(self.key)

    def _await_init(self, process: subprocess.Popen[bytes]) -> int:
        """The id of process 1, once the supervisor below it takes requests."""
        deadline = time.monotonic() + BOOT_TIMEOUT_S
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        while time.monotonic() < deadline:
            if process.poll() is not None:
                break
            for each in children.read_text().split():
                if _program(int(each)) == "tini" and Path(f"/proc/{each}/root{SUPERVISOR_SOCKET}").exists():
                    return int(each)
            time.sleep(POLL_S)
        said = self._lab.log.read_text(errors="replace").splitlines()[-LAST_LINES:]
        raise LabError("\n".join((f"host {self.key} did not boot:", *said)))

    def _boot_environment(self) -> dict[str, str]:
        paths = (PROJECT, Path(sys.prefix).resolve(), Path(sys.base_prefix).resolve())
        open_folders = {str(parent) for path in paths for parent in (path, *path.parents)}
        elsewhere = {str(path) for path in paths if _is_hidden(path)}
        return {
            "PATH": PATH,
            "LANG": "C.UTF-8",
            "HOME": "/root",
            "LAB_LAYER": str(self.layer),
            "LAB_DATA": str(self.disk.folder),
            "LAB_HOSTNAME": self.hostname,
            "LAB_PROJECT": str(PROJECT),
            "LAB_ELSEWHERE": "\n".join(sorted(elsewhere)),
            "LAB_OPEN": "\n".join(sorted(open_folders - {"/"})),
        }


def inside_command(pid: int, members: Path, arguments: Sequence[str]) -> list[str]:
    """What runs `arguments` beside process `pid`: in its namespaces and its control group, in a clean environment
    with the host's settings. The working folder is the checkout.

    The process that the caller sees is outside the group and takes the command along when it ends: in the old freezer
    hierarchy a frozen process can't even be killed, so that a caller would wait for it until the host is thawed.
    """
    enter = 'exec 9>"$1" && shift && exec "$@"'
    join = "echo 0 >&9 && exec 9>&-"
    settle = f"set -a; [ ! -e {SETTINGS_FILE} ] || . {SETTINGS_FILE}; set +a"
    begin = f'{join} || exit; {settle}; exec setpriv --pdeathsig KILL "$@"'
    path = f"PATH={Path(sys.executable).parent}:{PATH}"
    return [
        *("sh", "-c", enter, "sh", str(members)),
        *("nsenter", "--target", str(pid), "--mount", "--uts", "--ipc", "--net", "--pid", "--root"),
        *(f"--wdns={PROJECT}", "--"),
        *("env", "-i", path, "LANG=C.UTF-8", "HOME=/root", "TERM=xterm-256color"),
        *("sh", "-c", begin, "sh"),
        *arguments,
    ]


def missing_programs() -> list[str]:
    """The programs that the lab itself calls and that are not installed."""
    needed = ("ip", "nft", "unshare", "nsenter", "setpriv", "tini", "mkfs.ext4", "losetup", "mount", "sysbench")
    services = ("mariadbd", "mariadb-backup", "redis-server", "nginx", "sshd", "rsync")
    return [each for each in (*needed, *services) if shutil.which(each, path=PATH) is None]


def _is_hidden(path: Path) -> bool:
    """Whether a host would not see the folder: it is on another file system than the root, or below a private one."""
    elsewhere = path.stat().st_dev != Path("/").stat().st_dev
    return elsewhere or any(path.is_relative_to(folder) for folder in PRIVATE_FOLDERS)


def _program(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""
