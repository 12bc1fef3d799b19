"""Root's service that replaces the console's certificate for the API: it takes two texts and nothing else."""

from __future__ import annotations

import socket
import threading
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from app.adapters.certificate.files import RELOAD_S, FileCertificate
from app.adapters.rootsocket import NoAnswer, RootSocket, ask, bad_request, read_request, send_error, send_reply
from app.core.certificates import CERTIFICATE_LENGTH_MAX, KEY_LENGTH_MAX, CertificateFacts
from app.core.errors import HapairError, LocalFailure
from app.ports import Json

SOCKET = "certificate.sock"
REQUEST_BYTES_MAX = 8 * (CERTIFICATE_LENGTH_MAX + KEY_LENGTH_MAX)
"""A character takes up to six bytes in JSON."""
ANSWER_TIMEOUT_S = 2 * RELOAD_S + 10.0


class CertificateService:
    """Answers in threads of this process until `stop`."""

    def __init__(self, certificate: FileCertificate, run_dir: Path) -> None:
        self._certificate = certificate
        self._changing = threading.Lock()
        self._socket = RootSocket(run_dir / SOCKET, self._answer)
        self.start = self._socket.start
        self.stop = self._socket.stop

    def _answer(self, connection: socket.socket) -> None:
        request = read_request(connection, REQUEST_BYTES_MAX)
        connection.settimeout(ANSWER_TIMEOUT_S)
        try:
            reply = asdict(self._done(request))
        except HapairError as error:
            send_error(connection, error)
        else:
            send_reply(connection, reply)

    def _done(self, request: Json) -> CertificateFacts:
        """Raises InvalidInput for what is no request, and what FileCertificate raises."""
        match request:
            case {"verb": "show"}:
                return self._certificate.show()
            case {"verb": "renew"}:
                with self._changing:
                    return self._certificate.renew()
            case {"verb": "replace", "certificate": str(certificate), "key": str(key)}:
                with self._changing:
                    return self._certificate.replace(certificate, key)
        raise bad_request()


class RemoteCertificate:
    """app.ports.ConsoleCertificate for an account without rights."""

    def __init__(self, run_dir: Path) -> None:
        self._path = run_dir / SOCKET

    def show(self) -> CertificateFacts:
        return self._ask({"verb": "show"})

    def ensure(self) -> None:
        raise _unavailable("only root makes the first one")

    def replace(self, certificate: str, key: str) -> CertificateFacts:
        return self._ask({"verb": "replace", "certificate": certificate, "key": key})

    def renew(self) -> CertificateFacts:
        return self._ask({"verb": "renew"})

    def _ask(self, request: Json) -> CertificateFacts:
        try:
            return _facts(ask(self._path, request, ANSWER_TIMEOUT_S))
        except NoAnswer as error:
            raise _unavailable(str(error)) from error


def _facts(found: dict[str, Any]) -> CertificateFacts:
    moments = {name: datetime.fromisoformat(found[name]) for name in ("not_before", "not_after")}
    return CertificateFacts(**{**found, **moments, "names": tuple(found["names"])})


def _unavailable(detail: str) -> LocalFailure:
    return LocalFailure(
        "certificate-unavailable",
        "The Console's Certificate Can't Be Looked At Now",
        detail=f"Only root may read it, and root's part does not answer ({detail}).",
        hint="See that the service hapair-worker runs on this server, then try again.",
    )
