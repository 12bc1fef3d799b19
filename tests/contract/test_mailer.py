"""What every mailer promises: the fake, and SMTP to a real server on loopback, plain or encrypted, with a login."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from app.adapters.mailer import SmtpMailer
from app.core.alertsettings import MailSettings, Security
from app.core.errors import LocalFailure
from app.ports import Mail, Mailer
from tests.contract.certificates import self_signed
from tests.fakes.mailer import FakeMailer
from tests.ports import free_port

LOOPBACK = "127.0.0.1"
READY_S = 30.0
DRIPS_S = 30.0
PASSWORD = "smtp-Geheimnis-77"
MAIL = Mail(to="ops@example.org", subject="s", text="t")


class Mailbox:
    """Keeps each mail that the SMTP server took; `refusing` makes it say no."""

    def __init__(self) -> None:
        self.mails: list[tuple[list[str], EmailMessage]] = []
        self.refusing = ""
        self.logins: list[tuple[str, str, bool]] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - the library's name
        if self.refusing:
            return self.refusing
        self.mails.append((envelope.rcpt_tos, message_from_bytes(envelope.content, policy=policy.default)))
        return "250 taken"

    def check_login(self, server: Any, _session: Any, _envelope: Any, _mechanism: str, given: Any) -> AuthResult:
        if not isinstance(given, LoginPassword):
            return AuthResult(success=False)
        name, password = given.login.decode(), given.password.decode()
        encrypted = server.transport.get_extra_info("sslcontext") is not None
        self.logins.append((name, password, encrypted))
        return AuthResult(success=(name, password) == ("hapair", PASSWORD), handled=False)


def settings(port: int, **changes: Any) -> MailSettings:
    return replace(MailSettings(LOOPBACK, port, Security.NONE, "hapair@alpha.example"), **changes)


@dataclass
class Post:
    """A mailer and the server it uses, what arrived by it as (recipient, subject, text), and how to make it refuse."""

    mailer: Mailer
    server: MailSettings
    arrived: Callable[[], list[tuple[str, str, str]]]
    refuse: Callable[[], None]


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@contextlib.contextmanager
def serving(mailbox: Mailbox, **options: Any) -> Iterator[int]:
    port = free_port(LOOPBACK)
    controller = Controller(mailbox, hostname=LOOPBACK, port=port, ready_timeout=READY_S, **options)
    controller.start()
    try:
        yield port
    finally:
        controller.stop()


@pytest.fixture
def smtp_port(mailbox: Mailbox) -> Iterator[int]:
    with serving(mailbox) as port:
        yield port


@pytest.fixture(params=["fake", "real"])
def post(request: pytest.FixtureRequest, mailbox: Mailbox, smtp_port: int) -> Post:
    if request.param == "fake":
        fake = FakeMailer()
        return Post(
            fake,
            settings(1),
            lambda: [(mail.to, mail.subject, mail.text) for mail in fake.sent],
            lambda: setattr(fake, "refusing", True),
        )
    return Post(
        SmtpMailer(),
        settings(smtp_port),
        lambda: [(to[0], str(mail["Subject"]), _text(mail)) for to, mail in mailbox.mails],
        lambda: setattr(mailbox, "refusing", "451 not now"),
    )


def _text(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n").rstrip("\n")


def failing(server: MailSettings, password: str = "", mailer: SmtpMailer | None = None) -> LocalFailure:
    with pytest.raises(LocalFailure) as failed:
        (mailer or SmtpMailer()).send(MAIL, server, password)
    return failed.value


def test_a_mail_arrives_as_it_was_written(post: Post) -> None:
    mail = Mail(to="ops@example.org", subject="Übergabe: beta", text="Zeile 1\nZeile 2\n.\nEnde")
    post.mailer.send(mail, post.server)
    assert post.arrived() == [("ops@example.org", "Übergabe: beta", "Zeile 1\nZeile 2\n.\nEnde")]


def test_a_refusing_server_is_a_local_failure(post: Post) -> None:
    post.refuse()
    with pytest.raises(LocalFailure) as failed:
        post.mailer.send(MAIL, post.server)
    assert failed.value.code == "mail-failed"
    assert post.arrived() == []


def test_a_server_that_will_never_take_this_mail_says_so_by_the_code(smtp_port: int, mailbox: Mailbox) -> None:
    mailbox.refusing = "554 no such mails here"
    assert failing(settings(smtp_port)).code == "mail-refused"


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
def test_a_login_goes_over_tls_to_the_server_that_the_certificate_names(
    mailbox: Mailbox, tmp_path: Path, security: Security
) -> None:
    authority, context = self_signed(tmp_path)
    options: dict[str, Any] = {"authenticator": mailbox.check_login}
    if security is Security.STARTTLS:
        options |= {"tls_context": context, "require_starttls": True, "auth_required": True}
    else:
        options |= {"ssl_context": context, "auth_require_tls": False}
    with serving(mailbox, **options) as port:
        server = settings(port, security=security, authority=authority, username="hapair")
        SmtpMailer().send(MAIL, server, PASSWORD)
        wrong = failing(server, "wrong-Geheimnis-78")
    assert len(mailbox.mails) == 1
    assert mailbox.logins[0] == ("hapair", PASSWORD, True)
    assert wrong.code == "mail-failed"
    assert "wrong-Geheimnis-78" not in str(wrong)


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
def test_a_certificate_that_nobody_vouches_for_gets_no_mail_and_no_password(
    mailbox: Mailbox, tmp_path: Path, security: Security
) -> None:
    _, context = self_signed(tmp_path)
    other, _ = self_signed(tmp_path, "127.0.0.2")
    option = {"tls_context": context} if security is Security.STARTTLS else {"ssl_context": context}
    with serving(mailbox, authenticator=mailbox.check_login, auth_require_tls=False, **option) as port:
        for authority in ("", other):
            server = settings(port, security=security, authority=authority, username="hapair")
            assert "certificate" in failing(server, PASSWORD).detail.lower()
    assert (mailbox.mails, mailbox.logins) == ([], [])


def test_a_server_without_starttls_gets_nothing_in_plain_text(mailbox: Mailbox) -> None:
    with serving(mailbox, authenticator=mailbox.check_login, auth_require_tls=False) as port:
        assert failing(settings(port, security=Security.STARTTLS, username="hapair"), PASSWORD).code == "mail-failed"
    assert (mailbox.mails, mailbox.logins) == ([], [])


def test_the_same_mail_has_the_same_identity_each_time(smtp_port: int, mailbox: Mailbox) -> None:
    for _ in range(2):
        SmtpMailer().send(replace(MAIL, identity="abc123"), settings(smtp_port))
    assert mailbox.mails[0][1]["Message-ID"] == mailbox.mails[1][1]["Message-ID"]
    assert mailbox.mails[0][1]["Message-ID"].startswith("<abc123@")


def test_line_breaks_do_not_start_new_header_fields(smtp_port: int, mailbox: Mailbox) -> None:
    hostile = Mail("ops@example.org", "hello\r\nBcc: evil@example.org\r\n\r\nbody\0", "\0t\ud800", "", "a>\r\nBcc: x@y")
    SmtpMailer().send(hostile, settings(smtp_port))
    ((recipients, mail),) = mailbox.mails
    assert recipients == ["ops@example.org"]
    assert mail["Bcc"] is None
    assert mail["Subject"] == "hello Bcc: evil@example.org body"
    assert mail["Auto-Submitted"] == "auto-generated"


@pytest.mark.parametrize("to", ["", "nobody", "a@b\r\nRCPT TO:<evil@example.org>", "x" * 5000, "<>", "a@\ud800"])
def test_hostile_recipients_reach_no_one_else(smtp_port: int, mailbox: Mailbox, to: str) -> None:
    with contextlib.suppress(LocalFailure):
        SmtpMailer().send(Mail(to=to, subject="s", text="t"), settings(smtp_port))
    assert all("evil@example.org" not in recipients for recipients, _ in mailbox.mails)


def test_plain_and_html_travel_together(smtp_port: int, mailbox: Mailbox) -> None:
    SmtpMailer().send(Mail("ops@example.org", "s", "plain", "<p>rich</p>"), settings(smtp_port))
    ((_, mail),) = mailbox.mails
    assert mail.get_content_type() == "multipart/alternative"
    assert _text(mail) == "plain"


def test_nobody_listening_is_a_local_failure() -> None:
    assert failing(settings(free_port(LOOPBACK))).code == "mail-failed"


def test_a_silent_server_is_given_up_in_time() -> None:
    with socket.socket() as silent:
        silent.bind((LOOPBACK, 0))
        silent.listen()
        failing(settings(silent.getsockname()[1]), mailer=SmtpMailer(timeout_s=0.2))


def test_a_server_that_drips_is_given_up_in_time() -> None:
    """Each byte comes within the time-out for an answer; the whole conversation has a bound of its own."""
    with socket.socket() as dripping:
        dripping.bind((LOOPBACK, 0))
        dripping.listen()
        over = threading.Event()
        drip = threading.Thread(target=_drip, args=(dripping, over), daemon=True)
        drip.start()
        started = time.monotonic()
        failing(settings(dripping.getsockname()[1]), mailer=SmtpMailer(timeout_s=DRIPS_S, session_s=0.5))
        assert time.monotonic() - started < DRIPS_S / 2
        over.set()
        drip.join(5)


def _drip(listener: socket.socket, over: threading.Event) -> None:
    connection, _ = listener.accept()
    with connection, contextlib.suppress(OSError):
        while not over.wait(0.05):
            connection.send(b"2")
