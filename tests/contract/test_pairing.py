"""The first contact, on the fake network and over real SSH alike; then what only the real listener must stand."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import paramiko
import pytest

from app.adapters.peer import fingerprint as fingerprints
from app.adapters.peer import listener as listeners
from app.adapters.peer.connection import Deadline, connect, load_key, log_in
from app.adapters.peer.line import Line
from app.adapters.peer.pairing import SshPairing
from app.core.errors import HapairError, InvalidInput, LocalFailure, NotAllowed, PeerRefused, PeerUnreachable
from app.ports import Json, Pairing, PairingKey, PairingListener
from app.settings import Settings
from tests.fakes.pairing import FakePairing, FakePairingNetwork
from tests.ports import free_port
from tests.waiting import wait_for

TIMEOUT_S = 20.0


@dataclass
class Contact:
    """Both ends: the primary's side, the secondary's side, and what the secondary saw."""

    primary: Pairing
    secondary: Pairing
    address: str
    port: int = 0
    asked: list[tuple[str, Json]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    listening: list[PairingListener] = field(default_factory=list)

    def listen(self, fingerprint: str) -> PairingListener:
        listener = self.secondary.listen(fingerprint, self.handle, lambda _, reason: self.refused.append(reason))
        self.listening.append(listener)
        return listener

    def handle(self, verb: str, body: Json) -> Json:
        self.asked.append((verb, body))
        if body.get("refuse"):
            raise NotAllowed("versions-differ", "The Versions Differ", detail="1 and 2", hint="Upgrade.")
        return {"verb": verb, "got": body}

    def ask(self, key: PairingKey, verb: str = "facts", body: Json | None = None) -> Json:
        return self.primary.request(self.address, key.fingerprint, key.private_key, verb, body or {}, TIMEOUT_S)


def real_contact(address: str) -> Contact:
    port = free_port(address)
    pairing = SshPairing(Settings(pairing_port=port))
    return Contact(pairing, pairing, address, port)


@contextlib.contextmanager
def ended(contact: Contact) -> Iterator[Contact]:
    try:
        yield contact
    finally:
        for listener in contact.listening:
            listener.stop()


@pytest.fixture(params=["fake", "127.0.0.1", "::1", "localhost"])
def contact(request: pytest.FixtureRequest) -> Iterator[Contact]:
    if request.param == "fake":
        network = FakePairingNetwork()
        made = Contact(FakePairing(network, "10.0.0.1"), FakePairing(network, "10.0.0.2"), "10.0.0.2")
    else:
        made = real_contact(request.param)
    with ended(made):
        yield made


@pytest.fixture
def real() -> Iterator[Contact]:
    with ended(real_contact("127.0.0.1")) as made:
        yield made


def test_the_right_value_lets_both_sides_talk(contact: Contact) -> None:
    key = contact.primary.generate_pairing_key()
    contact.listen(key.fingerprint)
    assert contact.ask(key, "facts", {"n": 1}) == {"verb": "facts", "got": {"n": 1}}
    assert contact.asked == [("facts", {"n": 1})]
    assert contact.refused == []


def test_generated_keys_differ_and_look_like_fingerprints(contact: Contact) -> None:
    one, two = contact.primary.generate_pairing_key(), contact.primary.generate_pairing_key()
    assert one.fingerprint != two.fingerprint
    assert one.fingerprint.startswith("SHA256:")
    assert len(one.fingerprint) == 50
    assert one.private_key not in repr(one)


def test_another_value_exchanges_nothing(contact: Contact) -> None:
    contact.listen(contact.primary.generate_pairing_key().fingerprint)
    with pytest.raises(PeerRefused) as refused:
        contact.ask(contact.primary.generate_pairing_key(), "pair", {"secret": 1})
    assert refused.value.code == "fingerprint-mismatch"
    assert refused.value.hint
    assert contact.asked == []
    wait_for(lambda: contact.refused, TIMEOUT_S, "the refusal in the secondary's log")


def test_a_secondary_without_a_draft_is_not_reached_and_the_hint_says_so(contact: Contact) -> None:
    with pytest.raises(PeerUnreachable) as refused:
        contact.ask(contact.primary.generate_pairing_key())
    assert refused.value.code == "peer-unreachable"
    assert "draft" in refused.value.hint


def test_a_pairing_uses_the_value_up(contact: Contact) -> None:
    key = contact.primary.generate_pairing_key()
    listener = contact.listen(key.fingerprint)
    contact.ask(key, "facts")
    assert not listener.retired
    contact.ask(key, "pair")
    assert listener.retired
    with pytest.raises(PeerRefused) as refused:
        contact.ask(key, "pair")
    assert refused.value.code == "fingerprint-used"
    assert [verb for verb, _ in contact.asked] == ["facts", "pair"]


def test_a_refused_pairing_may_be_tried_again(contact: Contact) -> None:
    key = contact.primary.generate_pairing_key()
    contact.listen(key.fingerprint)
    with pytest.raises(PeerRefused) as refused:
        contact.ask(key, "pair", {"refuse": True})
    assert (refused.value.code, refused.value.detail, refused.value.hint) == ("versions-differ", "1 and 2", "Upgrade.")
    assert contact.ask(key, "pair")["verb"] == "pair"


def test_other_verbs_are_refused(contact: Contact) -> None:
    key = contact.primary.generate_pairing_key()
    contact.listen(key.fingerprint)
    with pytest.raises(PeerRefused) as refused:
        contact.ask(key, "shutdown")
    assert refused.value.code == "unknown-verb"
    assert contact.asked == []


def test_a_stopped_listener_is_gone_and_may_come_back(contact: Contact) -> None:
    key = contact.primary.generate_pairing_key()
    listener = contact.listen(key.fingerprint)
    listener.stop()
    listener.stop()
    with pytest.raises(PeerUnreachable):
        contact.ask(key)
    contact.listen(key.fingerprint)
    assert contact.ask(key)["verb"] == "facts"


def test_only_one_listens_at_a_time(contact: Contact) -> None:
    key = contact.primary.generate_pairing_key()
    contact.listen(key.fingerprint)
    with pytest.raises(LocalFailure) as refused:
        contact.listen(key.fingerprint)
    assert refused.value.code == "pairing-port-busy"


@pytest.mark.parametrize("value", ["", "SHA256:", "MD5:aa", "SHA256:" + "!" * 43, "SHA256:" + "A" * 44])
def test_what_is_no_fingerprint_opens_no_port(contact: Contact, value: str) -> None:
    with pytest.raises(InvalidInput):
        contact.listen(value)


def test_a_key_of_another_fingerprint_is_noticed_before_anything_is_sent(contact: Contact) -> None:
    one, two = contact.primary.generate_pairing_key(), contact.primary.generate_pairing_key()
    contact.listen(one.fingerprint)
    with pytest.raises(LocalFailure):
        contact.ask(PairingKey(one.fingerprint, two.private_key))


# --- the real listener against strangers ----------------------------------------------------------------------------


def test_the_fingerprint_is_the_one_that_ssh_keygen_shows(real: Contact) -> None:
    key = real.primary.generate_pairing_key()
    assert load_key(key.private_key).fingerprint == key.fingerprint  # type: ignore[attr-defined]


def test_the_listeners_host_key_depends_on_the_fingerprint_alone() -> None:
    one, two = (fingerprints.generate_pairing_key().fingerprint for _ in range(2))
    blobs = {load_key(fingerprints.listener_key_text(each)).asbytes() for each in (one, one, two)}
    assert len(blobs) == 2


def test_a_primary_does_not_show_its_key_to_an_impostor(real: Contact) -> None:
    """The impostor has another host key; the connection ends before the login begins."""
    shown: list[str] = []

    class Impostor(paramiko.ServerInterface):
        def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
            shown.append(key.get_base64())
            return paramiko.common.AUTH_SUCCESSFUL

    listening = socket.create_server(("127.0.0.1", real.port))

    def serve() -> None:
        connection, _ = listening.accept()
        transport = paramiko.Transport(connection)
        transport.set_log_channel("hapair.ssh")
        transport.add_server_key(load_key(fingerprints.generate_pairing_key().private_key))
        with contextlib.suppress(paramiko.SSHException, EOFError, OSError):
            transport.start_server(event=None, server=Impostor())
        transport.join(TIMEOUT_S)
        transport.close()

    thread = threading.Thread(target=serve)
    thread.start()
    with pytest.raises(PeerRefused) as refused:
        real.ask(real.primary.generate_pairing_key())
    thread.join()
    listening.close()
    assert refused.value.code == "fingerprint-mismatch"
    assert shown == []


def login(real: Contact, listening_for: str, key_text: str, account: str = listeners.ACCOUNT) -> paramiko.Transport:
    """A login by someone who knows the listener's host key, which only a thief of the value can."""
    host_key = load_key(fingerprints.listener_key_text(listening_for)).asbytes()
    deadline = Deadline.after(TIMEOUT_S)
    return log_in(connect(real.address, real.port, deadline), account, load_key(key_text), host_key, deadline)


def test_the_value_alone_does_not_let_a_stranger_in(real: Contact) -> None:
    fingerprint = real.primary.generate_pairing_key().fingerprint
    real.listen(fingerprint)
    with pytest.raises(Exception, match="uthentication"):
        login(real, fingerprint, real.primary.generate_pairing_key().private_key)
    wait_for(lambda: "its key has another fingerprint" in real.refused, TIMEOUT_S, "the refusal in the log")


def test_another_account_is_refused(real: Contact) -> None:
    key = real.primary.generate_pairing_key()
    real.listen(key.fingerprint)
    with pytest.raises(Exception, match="uthentication"):
        login(real, key.fingerprint, key.private_key, "root")


@pytest.mark.parametrize("command", ["sh", "pairing; id", "", "talk", "pairing\n"])
def test_no_other_command_is_run(real: Contact, command: str) -> None:
    key = real.primary.generate_pairing_key()
    real.listen(key.fingerprint)
    transport = login(real, key.fingerprint, key.private_key)
    with pytest.raises((paramiko.SSHException, EOFError)):
        Line(transport, command, Deadline.after(TIMEOUT_S))
    transport.close()


OFFERS: dict[str, Callable[[paramiko.Transport], object]] = {
    "shell": lambda transport: transport.open_session().invoke_shell(),
    "terminal": lambda transport: transport.open_session().get_pty(),
    "subsystem": lambda transport: transport.open_session().invoke_subsystem("sftp"),
    "listening": lambda transport: transport.request_port_forward("127.0.0.1", 0),
    "forwarding": lambda transport: transport.open_channel("direct-tcpip", ("127.0.0.1", 22), ("127.0.0.1", 1)),
}


@pytest.mark.parametrize("wish", OFFERS)
def test_nothing_but_the_command_is_offered(real: Contact, wish: str) -> None:
    key = real.primary.generate_pairing_key()
    real.listen(key.fingerprint)
    transport = login(real, key.fingerprint, key.private_key)
    with pytest.raises((paramiko.SSHException, EOFError)):
        OFFERS[wish](transport)
    transport.close()


@pytest.mark.parametrize("noise", [b"", b"GET / HTTP/1.1\r\n\r\n", b"\0" * 4096, b"SSH-2.0-x\r\n" + b"\xff" * 4096])
def test_noise_ends_in_a_refusal_and_the_right_one_still_gets_in(
    real: Contact, noise: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listeners, "HANDSHAKE_S", 1.0)
    key = real.primary.generate_pairing_key()
    real.listen(key.fingerprint)
    with socket.create_connection((real.address, real.port)) as stranger:
        with contextlib.suppress(OSError):
            stranger.sendall(noise)
        wait_for(lambda: real.refused, TIMEOUT_S, "the refusal in the log")
    monkeypatch.setattr(listeners, "HANDSHAKE_S", TIMEOUT_S)
    assert real.ask(key)["verb"] == "facts"


def test_silent_connections_are_bounded_and_end_by_themselves(real: Contact, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listeners, "HANDSHAKE_S", 2.0)
    key = real.primary.generate_pairing_key()
    real.listen(key.fingerprint)
    with contextlib.ExitStack() as held:
        for _ in range(20):
            held.enter_context(socket.create_connection((real.address, real.port)))
        wait_for(lambda: len(real.refused) == 20, TIMEOUT_S, "the end of all strangers")
        assert real.refused.count("too many connections at a time") > 20 // 2
    monkeypatch.setattr(listeners, "HANDSHAKE_S", TIMEOUT_S)
    assert real.ask(key)["verb"] == "facts"


def test_an_address_that_fails_too_often_is_not_heard_for_a_while(
    real: Contact, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listeners, "HANDSHAKE_S", 0.3)
    key = real.primary.generate_pairing_key()
    real.listen(key.fingerprint)
    for count in range(listeners.FAILURES_MAX):
        with socket.create_connection((real.address, real.port)) as stranger:
            with contextlib.suppress(OSError):
                stranger.sendall(b"nonsense\r\n" * 40)
            wait_for(lambda: len(real.refused) > count, TIMEOUT_S, "the refusal")  # noqa: B023 - called at once
    with pytest.raises(PeerUnreachable):
        real.ask(key)
    assert "too many failed attempts" in real.refused
    monkeypatch.setattr(listeners, "FAILURES_WINDOW_S", 0.0)
    monkeypatch.setattr(listeners, "HANDSHAKE_S", TIMEOUT_S)
    assert real.ask(key)["verb"] == "facts"


@pytest.mark.parametrize(
    "line", [b"\n", b"{}\n", b"[" * 50_000 + b"\n", b'{"id":1,"verb":"facts","body":[]}\n', b"\xff\xfe\n", b"null\n"]
)
def test_a_line_that_makes_no_sense_is_refused(real: Contact, line: bytes) -> None:
    key = real.primary.generate_pairing_key()
    real.listen(key.fingerprint)
    transport = login(real, key.fingerprint, key.private_key)
    channel = transport.open_session()
    channel.exec_command(listeners.COMMAND)
    channel.settimeout(TIMEOUT_S)
    channel.sendall(line)
    assert b"bad-request" in channel.recv(4096)
    transport.close()
    assert real.asked == []


def test_an_endless_line_is_cut_off(real: Contact) -> None:
    key = real.primary.generate_pairing_key()
    real.listen(key.fingerprint)
    transport = login(real, key.fingerprint, key.private_key)
    channel = transport.open_session()
    channel.exec_command(listeners.COMMAND)
    channel.settimeout(TIMEOUT_S)
    with contextlib.suppress(OSError):
        for _ in range(40):
            channel.sendall(b"x" * 65536)
    assert b"bad-request" in channel.recv(4096)
    transport.close()


def test_stop_breaks_off_a_visit_in_time(real: Contact) -> None:
    key = real.primary.generate_pairing_key()
    listener = real.listen(key.fingerprint)
    transport = login(real, key.fingerprint, key.private_key)
    began = time.monotonic()
    listener.stop()
    assert time.monotonic() - began < listeners.HANDSHAKE_S + 2
    wait_for(lambda: not transport.is_active(), TIMEOUT_S, "the end of the visit")
    transport.close()


def test_errors_of_the_handler_that_are_ours_reach_the_other_side_only(real: Contact) -> None:
    key = real.primary.generate_pairing_key()
    real.listen(key.fingerprint)
    with pytest.raises(HapairError):
        real.ask(key, "pair", {"refuse": True})
    assert any("versions-differ" in each for each in real.refused)
