"""The configuration files of the services, rendered from templates with this server's settings."""

from __future__ import annotations

import secrets
import sys
from pathlib import Path
from string import Template

from app.install.services import CONFIGURATION, PROJECT, SERVICES
from app.settings import ENVIRONMENT_FILE, Settings

TEMPLATES = Path(__file__).parent / "templates"
MARIADB_DROP_IN = Path("/etc/mysql/mariadb.conf.d/90-hapair.cnf")
UNITS = Path("/etc/systemd/system")
COMMAND = Path("/usr/local/bin/hapair")
BOOT_FOLDERS = Path("/etc/tmpfiles.d/hapair.conf")
RELOAD = "ExecReload=/bin/kill -HUP $MAINPID\n"
SERVER_ID_MAXIMUM = 2**32 - 1


def server_id(settings: Settings) -> int:
    """This database server's id: drawn once, kept in the state folder, different on both servers of a pair."""
    path = settings.state_dir / "server-id"
    if not path.exists():
        path.write_text(f"{secrets.randbelow(SERVER_ID_MAXIMUM) + 1}\n")
    return int(path.read_text())


def write_configuration(settings: Settings) -> None:
    """The files that MariaDB, Redis, sshd and nginx read are in place. Idempotent."""
    CONFIGURATION.mkdir(mode=0o755, exist_ok=True)
    for target, text in render(settings, server_id(settings)).items():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)


def render(settings: Settings, database_id: int) -> dict[Path, str]:
    """The text of each configuration file, by the path where its service looks for it."""
    values = {name: str(getattr(settings, name)) for name in Settings.__dataclass_fields__}
    values["server_id"] = str(database_id)
    values["console_dir"] = str(PROJECT / "frontend" / "dist")
    sources = {
        BOOT_FOLDERS: TEMPLATES / "tmpfiles.conf",
        MARIADB_DROP_IN: TEMPLATES / "mariadb.cnf",
        CONFIGURATION / "redis.conf": TEMPLATES / "redis.conf",
        CONFIGURATION / "sshd_config": TEMPLATES / "sshd_config",
        CONFIGURATION / "nginx.conf": PROJECT / "nginx" / "hapair.conf",
    }
    return {target: Template(source.read_text()).substitute(values) for target, source in sources.items()}


def link_command() -> None:
    """`hapair` is on every administrator's path."""
    COMMAND.unlink(missing_ok=True)
    COMMAND.symlink_to(Path(sys.executable).with_name("hapair"))


def write_units(folder: Path = UNITS) -> list[str]:
    """A systemd unit for each service that the distribution has none for; returns all unit names to enable."""
    template = Template((TEMPLATES / "unit.service").read_text())
    for each in SERVICES:
        if each.unit:
            continue
        text = template.substitute(
            description=each.description,
            after=" ".join(f"{name}.service" for name in _unit_names(each.after)),
            environment_file=ENVIRONMENT_FILE,
            project=PROJECT,
            command=" ".join(_quoted(argument) for argument in each.arguments),
            account=each.account,
            reload=RELOAD if each.reloads else "",
        )
        (folder / f"{each.unit_name}.service").write_text(text)
    return [each.unit_name for each in SERVICES]


def _unit_names(names: tuple[str, ...]) -> list[str]:
    return [each.unit_name for each in SERVICES if each.name in names]


def _quoted(argument: str) -> str:
    """One word of ExecStart, by systemd's quoting rules."""
    plain = argument.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{plain}"' if " " in plain or ";" in plain else plain
