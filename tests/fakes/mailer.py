"""A mail server that keeps what it is given, or refuses it."""

from __future__ import annotations

from app.core.alertsettings import MailSettings
from app.core.errors import LocalFailure
from app.ports import Mail


class FakeMailer:
    """`refusing` makes every mail fail, as a server that is down does; `refuses` names a word that no mail may have."""

    def __init__(self) -> None:
        self.sent: list[Mail] = []
        self.servers: list[tuple[MailSettings, str]] = []
        self.refusing = False
        self.refuses = ""

    def send(self, mail: Mail, server: MailSettings, password: str = "") -> None:
        if self.refusing:
            raise LocalFailure("mail-failed", "The Mail Was Not Sent", detail="refused by the test")
        if self.refuses and self.refuses in mail.text:
            raise LocalFailure("mail-refused", "The Mail Was Not Sent", detail="554 not this one")
        self.sent.append(mail)
        self.servers.append((server, password))
