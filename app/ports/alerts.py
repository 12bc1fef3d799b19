"""The walls around the bells: mail server, webhook, system log, script checks, and their part of the node store."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from app.core.alertsettings import MailSettings, WebhookSettings
from app.core.notices import Severity
from app.core.scriptcheck import ScriptCheck
from app.ports.common import Json


@dataclass(frozen=True)
class Mail:
    to: str
    subject: str
    text: str
    html: str = ""
    identity: str = ""
    """The same for the same mail sent again, so that a mail reader can tell; empty: a new one each time."""


class Mailer(Protocol):
    def send(self, mail: Mail, server: MailSettings, password: str = "") -> None:
        """The SMTP server has taken it. Raises LocalFailure (codes `mail-refused`: it will not take this very mail,
        `mail-failed`: anything else)."""
        ...


@dataclass(frozen=True)
class WebhookCall:
    """One event on its way: the body is signed as it is."""

    identity: str
    """The same for the same event posted again."""
    body: bytes
    sent_at: datetime


class Webhook(Protocol):
    def post(self, call: WebhookCall, target: WebhookSettings, secret: str = "") -> str:
        """The receiver has taken it; what it answered, in a few words. Raises LocalFailure (codes `webhook-refused`:
        it will not take this very call, `webhook-failed`: anything else)."""
        ...


class SystemLog(Protocol):
    def write(self, severity: Severity, text: str) -> str:
        """The line is in the system's log; where. Raises LocalFailure (code `system-log-failed`)."""
        ...


class ScriptChecker(Protocol):
    def check(self, script: str) -> ScriptCheck:
        """What bash and shellcheck find in it, without running any of it. Never raises: what could not be looked at
        is said in the result."""
        ...


@dataclass(frozen=True)
class AlertTest:
    """A trial that the monitor makes for an administrator."""

    id: str
    channel: str
    """`mail`, `webhook` or `script`"""
    state: str
    """queued, running, done, failed"""
    actor: str
    arguments: Json = field(repr=False)
    created_at: datetime
    ended_at: datetime | None = None
    result: Json | None = None
    """`{detail, output, exit_code, duration_s}`"""
