"""The first contact: the primary's request to the secondary's listener, recognised both ways by the pasted value."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from app.adapters.peer import fingerprint as fingerprints
from app.adapters.peer.connection import Deadline, LoginRefused, WrongHostKey, connect, load_key, log_in
from app.adapters.peer.line import Line
from app.adapters.peer.listener import ACCOUNT, COMMAND, SshPairingListener
from app.core.errors import HapairError, InvalidInput, LocalFailure, PeerRefused, PeerUnreachable
from app.ports import Json, PairingKey, PairingListener
from app.settings import Settings


class SshPairing:
    """The port Pairing."""

    def __init__(self, settings: Settings) -> None:
        self._port = settings.pairing_port

    def generate_pairing_key(self) -> PairingKey:
        return fingerprints.generate_pairing_key()

    def listen(
        self, fingerprint: str, handle: Callable[[str, Json], Json], refused: Callable[[str, str], None]
    ) -> PairingListener:
        listener = SshPairingListener(self._port, fingerprints.check_fingerprint(fingerprint), handle, refused)
        listener.start()
        return listener

    def request(
        self, address: str, fingerprint: str, private_key: str, verb: str, body: Json, timeout_s: float
    ) -> Json:
        """The reply of the secondary's listener. Its host key is checked before anything is sent, the key with which we
        log in among it. Raises PeerUnreachable, PeerRefused (code `fingerprint-mismatch`, or the peer's own) or
        LocalFailure (code `pairing-key-mismatch`)."""
        key = load_key(private_key)
        if not fingerprints.same_fingerprint(fingerprints.fingerprint_of(key.asbytes()), fingerprint):
            raise LocalFailure(
                "pairing-key-mismatch",
                "The Fingerprint Does Not Belong To This Server's Key",
                hint="Generate a new fingerprint on this server and paste it into the secondary.",
            )
        host_key = load_key(fingerprints.listener_key_text(fingerprint)).asbytes()
        deadline = Deadline.after(timeout_s)
        with _translated(address, timeout_s):
            transport = log_in(connect(address, self._port, deadline), ACCOUNT, key, host_key, deadline)
            try:
                return Line(transport, COMMAND, deadline).ask(verb, body, deadline)
            finally:
                transport.close()


@contextmanager
def _translated(address: str, timeout_s: float) -> Iterator[None]:
    import paramiko

    hint = (
        "On the secondary, choose the role Secondary, paste the fingerprint and press SAVE; leave its draft unapplied. "
        "Then see that the pairing port is reachable from here and try again."
    )
    try:
        yield
    except HapairError as error:
        if isinstance(error, InvalidInput) and error.code == "bad-request":
            raise PeerUnreachable(
                "peer-unreachable", "The Other Server's Answer Can't Be Understood", detail=error.detail, hint=hint
            ) from error
        raise
    except TimeoutError as error:
        raise PeerUnreachable(
            "peer-timeout",
            "The Other Server Did Not Answer In Time",
            detail=f"{address} did not answer within {timeout_s:g} s.",
            hint=hint,
        ) from error
    except (WrongHostKey, LoginRefused) as error:
        raise PeerRefused(
            "fingerprint-mismatch",
            "The Fingerprints Of The Two Servers Differ",
            detail=f"The server at {address} waits for a peer with another fingerprint. Nothing was exchanged.",
            hint="Copy the Peer Authentication Fingerprint of this server into the other one's draft and save it.",
        ) from error
    except (OSError, EOFError, paramiko.SSHException) as error:
        raise PeerUnreachable(
            "peer-unreachable",
            "The Other Server Does Not Wait For A Peer",
            detail=f"{address}: {str(error)[:500] or 'the connection was closed'}.",
            hint=hint,
        ) from error
