"""The configuration files of the services, rendered from templates with this server's settings."""

from __future__ import annotations

import secrets
from pathlib import Path
from string import Template

from app.install.services import CONFIGURATION, ENVIRONMENT_FILE, PROJECT, SERVICES
from app.settings import Settings

TEMPLATES = Path(__file__).parent / "templates"
MARIADB_DROP_IN = Path("/etc/mysql/mariadb.conf.d/90-hapair.cnf")
UNITS = Path("/etc/systemd/system")
SERVER_ID_MAXIMUM = 2**32 - 1


def server_id(settings: Settings) -> int:
    """This database server's id: drawn once, kept in the state folder, different on both servers of a pair."""
    path = settings.state_dir / "server-id"
    if not path.exists():
        path.write_text(f"{secrets.randbelow(SERVER_ID_MAXIMUM) + 1}\n")
    return int(path.read_text())


def write_configuration(settings: Settings) -> None:
    """The files that MariaDB, Redis, sshd and nginx read are in place. Idempotent."""
    values = {name: str(getattr(settings, name)) for name in Settings.__dataclass_fields__}
    values["server_id"] = str(server_id(settings))
    values["console_dir"] = str(PROJECT / "frontend" / "dist")
    CONFIGURATION.mkdir(mode=0o755, exist_ok=True)
    targets = {
        TEMPLATES / "mariadb.cnf": MARIADB_DROP_IN,
        TEMPLATES / "redis.conf": CONFIGURATION / "redis.conf",
        TEMPLATES / "sshd_config": CONFIGURATION / "sshd_config",
        PROJECT / "nginx" / "hapair.conf": CONFIGURATION / "nginx.conf",
    }
    for source, target in targets.items():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(Template(source.read_text()).substitute(values))


def write_units() -> list[str]:
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
        )
        (UNITS / f"{each.unit_name}.service").write_text(text)
    return [each.unit_name for each in SERVICES]


def _unit_names(names: tuple[str, ...]) -> list[str]:
    return [each.unit_name for each in SERVICES if each.name in names]


def _quoted(argument: str) -> str:
    """One word of ExecStart, by systemd's quoting rules."""
    plain = argument.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{plain}"' if " " in plain or ";" in plain else plain
