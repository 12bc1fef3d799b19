"""Secrets that have to be stored in a database lie there sealed: a copy or a backup of the database alone opens none.

The key is a file beside the stores, readable by root and the API's group. Its first line seals; every line opens, so
that what was sealed before this server took over its primary's key can still be read. cryptography takes 0.1 s to
import and is imported where it is used.
"""

from __future__ import annotations

import grp
import os
from pathlib import Path
from typing import TYPE_CHECKING

from app.adapters.durable import make_folder, write_file
from app.core.errors import InvalidInput, LocalFailure

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet

READERS = "hapair"
"""The group that may read the keys besides root: that of the API's account."""
FOLDER_MODE = 0o750
FILE_MODE = 0o640


class Seals:
    """The sealing keys of this node."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / "keys"

    def seal(self, text: str) -> str:
        return self._fernet().encrypt(text.encode("utf-8")).decode("ascii")

    def unseal(self, sealed: str) -> str:
        from cryptography.fernet import InvalidToken

        try:
            return self._fernet().decrypt(sealed.encode("utf-8")).decode("utf-8")
        except InvalidToken as error:
            raise LocalFailure(
                "seal-unknown",
                "A Stored Secret Can't Be Opened",
                detail="It was sealed with a key that this server does not have, or it was changed.",
                hint="Enter the secret again. A backup of the database is opened with the keys of the server it is of.",
            ) from error

    def key(self) -> str:
        """The key that seals now; it is made where there is none."""
        return self._keys()[0]

    def adopt(self, key: str) -> None:
        """`key` seals from now on, and what the earlier keys sealed can still be opened. Idempotent, durable.

        Raises InvalidInput (code `key-invalid`).
        """
        _check(key)
        known = self._keys()
        if known[0] != key:
            self._write([key, *(each for each in known if each != key)])

    def _fernet(self) -> MultiFernet:
        from cryptography.fernet import Fernet, MultiFernet

        return MultiFernet([Fernet(each) for each in self._keys()])

    def _keys(self) -> list[str]:
        """At least one. Raises LocalFailure (codes `seal-unreadable`, `disk-failed`)."""
        try:
            if not self._path.exists():
                self._make()
            found = self._path.read_text("ascii").split()
        except (OSError, UnicodeError) as error:
            raise _unreadable(str(error)) from error
        if not found:
            raise _unreadable(f"{self._path} is empty")
        return found

    def _make(self) -> None:
        from cryptography.fernet import Fernet

        self._write([Fernet.generate_key().decode("ascii")], replace=False)

    def _write(self, keys: list[str], *, replace: bool = True) -> None:
        make_folder(self._folder, FOLDER_MODE)
        group = _readers()
        os.chown(self._folder, -1, group)
        write_file(self._path, ("\n".join(keys) + "\n").encode(), FILE_MODE, owner=(-1, group), replace=replace)


def _check(key: str) -> None:
    from cryptography.fernet import Fernet

    try:
        Fernet(key)
    except ValueError as error:
        raise InvalidInput(
            "key-invalid", "This Is Not A Sealing Key", hint="See that both servers run the same version of hapair."
        ) from error


def _readers() -> int:
    """The group's number, -1 where this server has no such group."""
    try:
        return grp.getgrnam(READERS).gr_gid
    except KeyError:
        return -1


def _unreadable(detail: str) -> LocalFailure:
    return LocalFailure(
        "seal-unreadable",
        "The Sealing Key Can't Be Read",
        detail=f"{detail}.",
        hint="Root brings it into order on this server with `python -m app.install files`.",
    )
