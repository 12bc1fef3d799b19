"""A mail server that keeps what it is given, or refuses it."""

from __future__ import annotations

from app.core.errors import LocalFailure
from app.ports import Mail


class FakeMailer:
    """`refusing` makes every mail fail, as a server that is down does."""

    def __init__(self) -> None:
        self.sent: list[Mail] = []
        self.refusing = False

    def send(self, mail: Mail) -> None:
        if self.refusing:
            raise LocalFailure("mail-failed", "The Mail Was Not Sent", detail="refused by the test")
        self.sent.append(mail)
