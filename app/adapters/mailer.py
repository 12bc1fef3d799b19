"""Mail by SMTP to the server of the settings."""

from __future__ import annotations

import smtplib
import socket
from email.errors import MessageError
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

from app.core.errors import LocalFailure
from app.ports import Mail
from app.settings import Settings

ANSWER_TIMEOUT_S = 10.0
"""For the connection and for each answer of the SMTP server."""


class SmtpMailer:
    """Each mail over a connection of its own. Header fields can't be broken out of: line breaks in them are blanks."""

    def __init__(self, settings: Settings, timeout_s: float = ANSWER_TIMEOUT_S) -> None:
        self._settings = settings
        self._timeout_s = timeout_s

    def send(self, mail: Mail) -> None:
        try:
            message = self._message(mail)
            with smtplib.SMTP(self._settings.smtp_host, self._settings.smtp_port, timeout=self._timeout_s) as server:
                server.send_message(message)
        except (OSError, smtplib.SMTPException, MessageError, ValueError) as error:
            raise LocalFailure(
                "mail-failed",
                "The Mail Was Not Sent",
                detail=f"{self._settings.smtp_host}:{self._settings.smtp_port}: {error}"[:500],
                hint="Check the mail server's address and whether it accepts mail from this server.",
            ) from error

    def _message(self, mail: Mail) -> EmailMessage:
        message = EmailMessage()
        message["From"] = self._settings.mail_from
        message["To"] = _one_line(mail.to)
        message["Subject"] = _one_line(mail.subject)
        message["Date"] = formatdate(localtime=False)
        message["Message-ID"] = make_msgid(domain=socket.gethostname())
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(_printable(mail.text))
        if mail.html:
            message.add_alternative(_printable(mail.html), subtype="html")
        return message


def _one_line(value: str) -> str:
    """The value without anything that could end a header field."""
    return " ".join(_printable(value).split())


def _printable(value: str) -> str:
    """The value without NUL and without half characters, which no mail server takes."""
    return value.replace("\0", "").encode("utf-8", "replace").decode("utf-8")
