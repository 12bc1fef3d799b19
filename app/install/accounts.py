"""The operating system's side of an installation: the account of the API and the folders of the state."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from pathlib import Path

from app.settings import Settings

API_ACCOUNT = "hapair"


def ensure_api_account() -> None:
    """The account `hapair` exists; API, Redis and nginx run as it, without a shell or a home."""
    try:
        pwd.getpwnam(API_ACCOUNT)
    except KeyError:
        subprocess.run(
            ["useradd", "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", API_ACCOUNT],
            check=True,
            capture_output=True,
        )


def ensure_folders(settings: Settings) -> None:
    """Each folder of the state exists with the owner and mode that keeps others out. Idempotent."""
    for path, account, mode in (
        (settings.state_dir, "root", 0o755),
        (settings.state_dir / "store", API_ACCOUNT, 0o2770),
        (settings.state_dir / "keys", "root", 0o700),
        (settings.state_dir / "peer", "root", 0o755),
        (settings.state_dir / "tls", "root", 0o755),
        (settings.rescue_dir, "root", 0o700),
        (settings.log_dir, API_ACCOUNT, 0o770),
        (settings.files_dir, "root", 0o755),
        (settings.run_dir, API_ACCOUNT, 0o770),
        (settings.database_socket.parent, settings.database_account, 0o755),
        (Path("/run/sshd"), "root", 0o755),
    ):
        if not path.exists():
            path.mkdir(parents=True)
        shutil.chown(path, account, account)
        path.chmod(mode)


def ensure_database_folder(settings: Settings) -> None:
    """The database server's data folder holds the system tables; an existing one is left as it is."""
    if (settings.database_dir / "mysql").is_dir():
        return
    settings.database_dir.mkdir(parents=True, exist_ok=True)
    shutil.chown(settings.database_dir, settings.database_account, settings.database_account)
    settings.database_dir.chmod(0o750)
    subprocess.run(
        [
            "mariadb-install-db",
            f"--user={settings.database_account}",
            f"--datadir={settings.database_dir}",
            "--auth-root-authentication-method=socket",
            "--skip-test-db",
        ],
        check=True,
        capture_output=True,
        env={**os.environ, "LC_ALL": "C"},
    )
