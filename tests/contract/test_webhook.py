"""What every webhook promises, and what only a real HTTP receiver can show."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from app.adapters.webhook import HttpWebhook, signature
from app.core.alertsettings import WebhookSettings
from app.core.errors import LocalFailure
from app.ports import WebhookCall
from tests.contract.certificates import self_signed

CALL = WebhookCall("node:7", b'{"kind": "Failover"}', datetime(2026, 1, 2, tzinfo=UTC))


@dataclass
class Receiver:
    """Answers with `status`; keeps what came as (path, headers, body)."""

    port: int = 0
    status: int = 204
    location: str = ""
    answer: bytes = b""
    came: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)


def serve(receiver: Receiver, context: Any = None) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.came.append((self.path, dict(self.headers.items()), body))
            self.send_response(receiver.status)
            if receiver.location:
                self.send_header("Location", receiver.location)
            self.end_headers()
            self.wfile.write(receiver.answer)

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    receiver.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    return server


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()
    server = serve(found)
    yield found
    server.shutdown()
    server.server_close()


def target(receiver: Receiver, path: str = "/hook?room=1") -> WebhookSettings:
    return WebhookSettings(f"http://127.0.0.1:{receiver.port}{path}")


def refusal(receiver: Receiver) -> LocalFailure:
    with pytest.raises(LocalFailure) as failed:
        HttpWebhook().post(CALL, target(receiver, "/secret-part"), "hush")
    return failed.value


def test_a_call_carries_what_proves_it(receiver: Receiver) -> None:
    assert HttpWebhook().post(CALL, target(receiver), "hush") == "HTTP 204"
    ((path, headers, body),) = receiver.came
    assert (path, body) == ("/hook?room=1", CALL.body)
    assert headers["X-Hapair-Event"] == "node:7"
    expected = signature("hush", headers["X-Hapair-Timestamp"], body)
    assert headers["X-Hapair-Signature"] == f"v1={expected}"
    assert headers["Content-Type"] == "application/json"
    assert "hush" not in str(headers)


def test_without_a_secret_nothing_is_signed(receiver: Receiver) -> None:
    HttpWebhook().post(CALL, target(receiver))
    assert "X-Hapair-Signature" not in receiver.came[0][1]


def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    elsewhere = Receiver()
    server = serve(elsewhere)
    receiver.status, receiver.location = 307, f"http://127.0.0.1:{elsewhere.port}/"
    assert refusal(receiver).code == "webhook-failed"
    server.shutdown()
    server.server_close()
    assert elsewhere.came == []


@pytest.mark.parametrize(
    ("status", "code"),
    [(500, "webhook-failed"), (503, "webhook-failed"), (429, "webhook-failed"), (401, "webhook-failed"),
     (404, "webhook-failed"), (400, "webhook-refused"), (413, "webhook-refused"), (422, "webhook-refused")],
)  # fmt: skip
def test_a_receiver_that_says_no_is_a_failure_that_names_no_secret(receiver: Receiver, status: int, code: str) -> None:
    receiver.status, receiver.answer = status, b"no\r\nway\0"
    error = refusal(receiver)
    assert error.code == code
    assert f"HTTP {status} no way" in error.detail
    assert "secret-part" not in str(error)


def test_https_wants_a_certificate_that_somebody_vouches_for(tmp_path: Path) -> None:
    authority, context = self_signed(tmp_path)
    receiver = Receiver()
    server = serve(receiver, context)
    url = f"https://127.0.0.1:{receiver.port}/"
    with pytest.raises(LocalFailure) as failed:
        HttpWebhook().post(CALL, WebhookSettings(url), "hush")
    assert "certificate" in failed.value.detail.lower()
    assert HttpWebhook().post(CALL, WebhookSettings(url, authority), "hush") == "HTTP 204"
    server.shutdown()
    server.server_close()
    assert len(receiver.came) == 1


def test_nobody_listening_is_a_failure() -> None:
    receiver = Receiver()
    serve(receiver).server_close()
    assert refusal(receiver).code == "webhook-failed"
