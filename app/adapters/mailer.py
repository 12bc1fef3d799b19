"""Mail by SMTP: plain, by STARTTLS or over TLS, with or without a login."""

from __future__ import annotations

import smtplib
import socket
import ssl
from email.errors import MessageError
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

from app.adapters.patience import bounded
from app.core.alertsettings import MailSettings, Security
from app.core.errors import LocalFailure
from app.ports import Mail

ANSWER_TIMEOUT_S = 10.0
"""For the connection and for each answer of the SMTP server."""
SESSION_BOUND_S = 60.0
"""For the whole of it."""
PERMANENT = range(500, 600)


class SmtpMailer:
    """Each mail over a connection of its own. Header fields can't be broken out of: line breaks in them are blanks.

    Where TLS is asked for there is no way back to plain text: a server that does not offer it gets nothing.
    """

    def __init__(self, timeout_s: float = ANSWER_TIMEOUT_S, session_s: float = SESSION_BOUND_S) -> None:
        self._timeout_s = timeout_s
        self._session_s = session_s

    def send(self, mail: Mail, server: MailSettings, password: str = "") -> None:
        try:
            message = _message(mail, server.sender)
            self._deliver(message, server, password)
        except (smtplib.SMTPDataError, smtplib.SMTPRecipientsRefused, smtplib.SMTPSenderRefused) as error:
            raise _failure("mail-refused" if _is_permanent(error) else "mail-failed", server, error) from error
        except (OSError, smtplib.SMTPException, MessageError, ValueError) as error:
            raise _failure("mail-failed", server, error) from error

    def _deliver(self, message: EmailMessage, server: MailSettings, password: str) -> None:
        connection = self._connection(server)
        with bounded(self._session_s, lambda: connection.sock):
            try:
                connection.connect(server.host, server.port)
                if server.security is Security.STARTTLS:
                    connection.starttls(context=_context(server))
                if server.username:
                    connection.login(server.username, password)
                connection.send_message(message)
                _say_goodbye(connection)
            finally:
                connection.close()

    def _connection(self, server: MailSettings) -> smtplib.SMTP:
        if server.security is Security.TLS:
            return _TlsConnection(server, self._timeout_s)
        return _Connection(server, self._timeout_s)


class _Connection(smtplib.SMTP):
    """Not connected yet, so that the bound holds for the greeting too."""

    def __init__(self, server: MailSettings, timeout_s: float) -> None:
        super().__init__(timeout=timeout_s)
        self._host = server.host


class _TlsConnection(smtplib.SMTP_SSL):
    """The same, encrypted from the first byte."""

    def __init__(self, server: MailSettings, timeout_s: float) -> None:
        super().__init__(timeout=timeout_s, context=_context(server))
        self._host = server.host


def _context(server: MailSettings) -> ssl.SSLContext:
    """The certificate must be good for the host's name, by the given authority or one that this system trusts."""
    context = ssl.create_default_context(cadata=server.authority or None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _say_goodbye(connection: smtplib.SMTP) -> None:
    """The mail was taken: that the server then hangs up early is no failure, which would send it twice."""
    try:
        connection.quit()
    except (OSError, smtplib.SMTPException):
        return


def _is_permanent(error: smtplib.SMTPException) -> bool:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(code in PERMANENT for code, _ in error.recipients.values())
    return isinstance(error, smtplib.SMTPResponseException) and error.smtp_code in PERMANENT


def _failure(code: str, server: MailSettings, error: Exception) -> LocalFailure:
    return LocalFailure(
        code,
        "The Mail Was Not Sent",
        detail=f"{server.host}:{server.port}: {_printable(str(error) or type(error).__name__)}"[:500],
        hint="Check the mail server's address, its kind of encryption, the login, and whether it accepts mail from"
        " this server.",
    )


def _message(mail: Mail, sender: str) -> EmailMessage:
    message = EmailMessage()
    message["From"] = sender
    message["To"] = _one_line(mail.to)
    message["Subject"] = _one_line(mail.subject)
    message["Date"] = formatdate(localtime=False)
    host = socket.gethostname()
    message["Message-ID"] = f"<{_one_line(mail.identity)}@{host}>" if mail.identity else make_msgid(domain=host)
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
