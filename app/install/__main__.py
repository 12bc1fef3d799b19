"""Puts hapair on this server: `python -m app.install files`, then `database`, then (with systemd) `units`.

Each command may be run again at any time; what is there already is kept.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys

from app.install.access import prepare_access, prepare_node_store
from app.install.accounts import ensure_api_account, ensure_database_folder, ensure_folders
from app.install.configuration import link_command, write_configuration, write_units
from app.settings import Settings, read_settings
from app.wiring import build_node

FIRST_ADMINISTRATOR = "admin"
FIRST_PASSWORD = "HAPAIR_FIRST_PASSWORD"  # noqa: S105 - the variable's name


def install_files(settings: Settings) -> None:
    """Accounts, folders, keys, certificates, configuration and the node store are in place."""
    ensure_api_account()
    ensure_folders(settings)
    write_configuration(settings)
    link_command()
    prepare_node_store(settings)
    node = build_node(settings)
    facts = node.machine.facts()
    node.keys.identity()
    node.keys.sealing_key()
    if not (settings.state_dir / "tls" / "certificate.pem").exists():
        node.keys.make_certificate(facts.addresses[0] if facts.addresses else "127.0.0.1", facts.hostname)
    node.certificate.ensure()
    ensure_database_folder(settings)


def install_database(settings: Settings) -> None:
    """The appliance's schema, the first administrator and root's own token exist; prints the automation token.

    The database server must be running. Without HAPAIR_FIRST_PASSWORD a password is drawn and printed once.
    """
    result = prepare_access(settings, FIRST_ADMINISTRATOR, os.environ.get(FIRST_PASSWORD))
    print(json.dumps(result))


def install_units() -> None:
    """systemd starts all services now and at every boot."""
    names = write_units()
    subprocess.run(["systemctl", "daemon-reload"], check=True)
    subprocess.run(["systemctl", "enable", "--now", *names], check=True)


def main() -> int:
    """Runs the command that was named."""
    parser = argparse.ArgumentParser(prog="python -m app.install", description=__doc__)
    parser.add_argument("command", choices=("files", "database", "units"))
    command = parser.parse_args().command
    if os.geteuid() != 0:
        print("hapair is installed by root: run this again with sudo.", file=sys.stderr)
        return 1
    settings = read_settings()
    if command == "files":
        install_files(settings)
    elif command == "database":
        install_database(settings)
    else:
        install_units()
    return 0


if __name__ == "__main__":
    sys.exit(main())
