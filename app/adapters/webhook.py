"""The webhook: each event posted as JSON, signed, to one address and nowhere else."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import ssl
from urllib.parse import urlsplit

from app.adapters.patience import bounded
from app.core.alertsettings import WebhookSettings
from app.core.errors import LocalFailure
from app.ports import WebhookCall

ANSWER_TIMEOUT_S = 10.0
"""For the connection and for each piece of the answer."""
CALL_BOUND_S = 30.0
"""For the whole of it."""
ANSWER_BYTES_KEPT = 200
SIGNATURE_HEADER = "X-Hapair-Signature"
TIMESTAMP_HEADER = "X-Hapair-Timestamp"
IDENTITY_HEADER = "X-Hapair-Event"
REFUSED = frozenset({400, 405, 406, 410, 413, 415, 422})
"""Answers that say: not this very call, ever."""


class HttpWebhook:
    """app.ports.Webhook. Redirects are not followed, proxies of the environment not used."""

    def __init__(self, timeout_s: float = ANSWER_TIMEOUT_S, call_s: float = CALL_BOUND_S) -> None:
        self._timeout_s = timeout_s
        self._call_s = call_s

    def post(self, call: WebhookCall, target: WebhookSettings, secret: str = "") -> str:
        try:
            status, said = self._exchange(call, target, secret)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise _failure("webhook-failed", target, str(error) or type(error).__name__) from error
        if 200 <= status < 300:
            return f"HTTP {status}"
        if 300 <= status < 400:
            raise _failure("webhook-failed", target, f"HTTP {status}: it points elsewhere, which is not followed")
        raise _failure("webhook-refused" if status in REFUSED else "webhook-failed", target, f"HTTP {status} {said}")

    def _exchange(self, call: WebhookCall, target: WebhookSettings, secret: str) -> tuple[int, str]:
        parts = urlsplit(target.url)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection = self._connection(target)
        with bounded(self._call_s, lambda: connection.sock):
            try:
                connection.request("POST", path, call.body, _headers(call, secret))
                response = connection.getresponse()
                return response.status, _printable(response.read(ANSWER_BYTES_KEPT))
            finally:
                connection.close()

    def _connection(self, target: WebhookSettings) -> http.client.HTTPConnection:
        parts = urlsplit(target.url)
        host = parts.hostname or ""
        if parts.scheme == "http":
            return http.client.HTTPConnection(host, parts.port, timeout=self._timeout_s)
        context = ssl.create_default_context(cadata=target.authority or None)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return http.client.HTTPSConnection(host, parts.port, timeout=self._timeout_s, context=context)


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """HMAC-SHA256 over the timestamp, a dot and the body: neither can be changed nor played again later unnoticed."""
    return hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def _headers(call: WebhookCall, secret: str) -> dict[str, str]:
    timestamp = str(int(call.sent_at.timestamp()))
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "hapair",
        IDENTITY_HEADER: call.identity,
        TIMESTAMP_HEADER: timestamp,
    }
    if secret:
        headers[SIGNATURE_HEADER] = f"v1={signature(secret, timestamp, call.body)}"
    return headers


def _printable(answer: bytes) -> str:
    text = answer.decode("utf-8", "replace")
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())


def _failure(code: str, target: WebhookSettings, reason: str) -> LocalFailure:
    """Names the server only: the rest of an address is often a secret of its own."""
    parts = urlsplit(target.url)
    return LocalFailure(
        code,
        "The Webhook Was Not Taken",
        detail=f"{parts.scheme}://{parts.hostname}: {reason}"[:500],
        hint="Check the webhook's address and certificate, and what its receiver says.",
    )
