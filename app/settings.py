"""The settings of this installation, read once from the environment (HAPAIR_…) into a frozen object.

They say where things are on this server. What administrators decide is in the HA configuration instead.
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path

PREFIX = "HAPAIR_"
ENVIRONMENT_FILE = Path("/etc/hapair/hapair.env")
"""What an administrator has set on this server; the services' units hand it to them, and every command reads it."""


@dataclass(frozen=True)
class Settings:
    """Each attribute `name` is read from HAPAIR_NAME; the defaults are those of an installed server."""

    state_dir: Path = Path("/var/lib/hapair")
    """Node store, keys, certificates, rescues: must be on a disk that keeps what was synced."""
    run_dir: Path = Path("/run/hapair")
    """Sockets and snapshots; emptied at boot."""
    log_dir: Path = Path("/var/log/hapair")
    files_dir: Path = Path("/srv/hapair/files")
    """The mirrored tree."""
    packages_dir: Path = Path("/srv/hapair/files/.packages")
    database_dir: Path = Path("/var/lib/mysql")
    database_socket: Path = Path("/run/mysqld/mysqld.sock")
    database_port: int = 3306
    database_account: str = "mysql"
    """The operating system account of the database server."""
    appliance_database: str = ""
    """SQLAlchemy URL of the appliance database. Empty: the schema `hapair` of the local MariaDB, over its socket, as
    the account of the process."""
    peer_port: int = 7722
    pairing_port: int = 7723
    redis_url: str = "unix:///run/hapair/redis.sock"
    api_socket: Path = Path("/run/hapair/api.sock")
    https_port: int = 443
    """The console and the API."""
    service_command: str = "systemctl"
    """Called as `COMMAND start|stop|restart|kill UNIT`."""
    tunnel_network: str = ""
    """ManagementTunnelNetwork: a CIDR in which no ping target may be, or empty."""
    smtp_host: str = "127.0.0.1"
    smtp_port: int = 25
    mail_from: str = "hapair@localhost"
    log_format: str = "text"
    """`text` for people, `json` for machines."""

    @property
    def node_store(self) -> Path:
        return self.state_dir / "store" / "node.db"

    @property
    def local_token(self) -> Path:
        """The bearer token with which root's command line speaks to the API."""
        return self.keys_dir / "local-token"

    @property
    def appliance_url(self) -> str:
        if self.appliance_database:
            return self.appliance_database
        account = pwd.getpwuid(os.geteuid()).pw_name
        return f"mysql+pymysql://{account}@localhost/hapair?unix_socket={self.database_socket}&charset=utf8mb4"

    @property
    def keys_dir(self) -> Path:
        return self.state_dir / "keys"

    @property
    def tls_dir(self) -> Path:
        return self.state_dir / "tls"

    @property
    def peer_dir(self) -> Path:
        """What the peer's sshd and ssh read of the other server."""
        return self.state_dir / "peer"

    @property
    def sealing_dir(self) -> Path:
        """The keys that open what is sealed in the stores: never in the same backup as these."""
        return self.state_dir / "sealing"

    @property
    def rescue_dir(self) -> Path:
        return self.state_dir / "rescue"


_READERS: dict[str, Callable[[str], object]] = {"Path": Path, "int": int, "str": str}


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """The settings of ENVIRONMENT_FILE and, above it, of the process's environment; or of `environment` alone.

    Raises ValueError naming the variable whose value has the wrong type.
    """
    source = {**read_environment_file(ENVIRONMENT_FILE), **os.environ} if environment is None else environment
    values: dict[str, object] = {}
    for each in fields(Settings):
        raw = source.get(PREFIX + each.name.upper())
        if raw is None:
            continue
        try:
            values[each.name] = _READERS[str(each.type)](raw)
        except ValueError as error:
            raise ValueError(f"{PREFIX}{each.name.upper()} is {raw!r}: {error}") from error
    return Settings(**values)  # type: ignore[arg-type]


def read_environment_file(path: Path) -> dict[str, str]:
    """The variables of a file of `NAME=value` lines, as systemd reads it; empty where there is none.

    Raises ValueError naming the line that is none.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}
    found = {}
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if not text or text.startswith(("#", ";")):
            continue
        name, equals, value = text.partition("=")
        if not equals:
            raise ValueError(f"{path}, line {number}: {text!r} is not NAME=value")
        quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
        found[name.strip()] = value[1:-1] if quoted else value
    return found
