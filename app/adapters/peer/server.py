"""Who may enter the pairing listener, and what may be asked for: one account, one key, one command."""

from __future__ import annotations

import threading

import paramiko

from app.adapters.peer.fingerprint import fingerprint_of, same_fingerprint


class PairingServer(paramiko.ServerInterface):
    """Answers paramiko's questions; whatever is not allowed here is refused by its base."""

    def __init__(self, account: str, command: bytes, fingerprint: str) -> None:
        self._account = account
        self._command = command
        self._fingerprint = fingerprint
        self.asked = threading.Event()
        """Set when the command was asked for."""
        self.reason = ""
        """What was refused last."""

    def get_allowed_auths(self, username: str) -> str:  # noqa: ARG002 - paramiko's signature
        return "publickey"

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        known = same_fingerprint(fingerprint_of(key.asbytes()), self._fingerprint)
        if known and username == self._account:
            return paramiko.common.AUTH_SUCCESSFUL
        self.reason = "its key has another fingerprint"
        return paramiko.common.AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> int:  # noqa: ARG002 - paramiko's signature
        if kind == "session":
            return paramiko.common.OPEN_SUCCEEDED
        return paramiko.common.OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:  # noqa: ARG002
        if command != self._command or self.asked.is_set():
            self.reason = "it asked for another command"
            return False
        self.asked.set()
        return True
