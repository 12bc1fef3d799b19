"""A webhook, a system log and a script checker that keep what they are given and answer as the test says."""

from __future__ import annotations

from app.core.alertsettings import WebhookSettings
from app.core.errors import LocalFailure
from app.core.notices import Severity
from app.core.scriptcheck import Finding, Level, ScriptCheck
from app.ports import WebhookCall


class FakeWebhook:
    """`refusing` makes every call fail, as a server that is down does; `refuses` names a word that no call may have."""

    def __init__(self) -> None:
        self.taken: list[tuple[WebhookCall, WebhookSettings, str]] = []
        self.refusing = False
        self.refuses = ""

    def post(self, call: WebhookCall, target: WebhookSettings, secret: str = "") -> str:
        if self.refusing:
            raise LocalFailure("webhook-failed", "The Webhook Was Not Taken", detail="refused by the test")
        if self.refuses and self.refuses.encode() in call.body:
            raise LocalFailure("webhook-refused", "The Webhook Was Not Taken", detail="HTTP 422")
        self.taken.append((call, target, secret))
        return "HTTP 204"


class FakeSystemLog:
    def __init__(self) -> None:
        self.lines: list[tuple[Severity, str]] = []
        self.refusing = False

    def write(self, severity: Severity, text: str) -> str:
        if self.refusing:
            raise LocalFailure("system-log-failed", "The System Log Took No Line")
        self.lines.append((severity, text))
        return "system log"


class FakeScriptChecker:
    """An error at each line with the word `wrong`, a warning at each with the word `doubtful`."""

    def __init__(self) -> None:
        self.shellcheck = "0.9.0"

    def check(self, script: str) -> ScriptCheck:
        found = []
        for number, line in enumerate(script.splitlines(), start=1):
            for word, level in (("wrong", Level.ERROR), ("doubtful", Level.WARNING)):
                if word in line:
                    column = line.index(word) + 1
                    found.append(Finding(number, column, number, column + len(word), level, "SC1000", f"{word} word"))
        return ScriptCheck(tuple(found), self.shellcheck)
