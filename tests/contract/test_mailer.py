"""What every mailer promises: the fake, and SMTP to a real server on loopback."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from app.adapters.mailer import SmtpMailer
from app.core.errors import LocalFailure
from app.ports import Mail, Mailer
from app.settings import Settings
from tests.fakes.mailer import FakeMailer


class Mailbox:
    """Keeps each mail that the SMTP server took; `refusing` makes it say no."""

    def __init__(self) -> None:
        self.mails: list[tuple[list[str], EmailMessage]] = []
        self.refusing = False

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - the library's name
        if self.refusing:
            return "554 no mail today"
        self.mails.append((envelope.rcpt_tos, message_from_bytes(envelope.content, policy=policy.default)))
        return "250 taken"


@dataclass
class Post:
    """A mailer, what arrived by it as (recipient, subject, text), and how to make it refuse."""

    mailer: Mailer
    arrived: Callable[[], list[tuple[str, str, str]]]
    refuse: Callable[[], None]


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def smtp_port(mailbox: Mailbox) -> Iterator[int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    controller = Controller(mailbox, hostname="127.0.0.1", port=port)
    controller.start()
    yield port
    controller.stop()


@pytest.fixture(params=["fake", "real"])
def post(request: pytest.FixtureRequest, mailbox: Mailbox, smtp_port: int) -> Post:
    if request.param == "fake":
        fake = FakeMailer()
        return Post(
            fake,
            lambda: [(mail.to, mail.subject, mail.text) for mail in fake.sent],
            lambda: setattr(fake, "refusing", True),
        )
    return Post(
        SmtpMailer(Settings(smtp_host="127.0.0.1", smtp_port=smtp_port, mail_from="hapair@alpha.example")),
        lambda: [(to[0], str(mail["Subject"]), _text(mail)) for to, mail in mailbox.mails],
        lambda: setattr(mailbox, "refusing", True),
    )


def _text(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n").rstrip("\n")


def test_a_mail_arrives_as_it_was_written(post: Post) -> None:
    post.mailer.send(Mail(to="ops@example.org", subject="Übergabe: beta", text="Zeile 1\nZeile 2\n.\nEnde"))
    assert post.arrived() == [("ops@example.org", "Übergabe: beta", "Zeile 1\nZeile 2\n.\nEnde")]


def test_a_refusing_server_is_a_local_failure(post: Post) -> None:
    post.refuse()
    with pytest.raises(LocalFailure) as failed:
        post.mailer.send(Mail(to="ops@example.org", subject="s", text="t"))
    assert failed.value.code == "mail-failed"
    assert post.arrived() == []


def test_line_breaks_do_not_start_new_header_fields(smtp_port: int, mailbox: Mailbox) -> None:
    mailer = SmtpMailer(Settings(smtp_host="127.0.0.1", smtp_port=smtp_port))
    mailer.send(Mail(to="ops@example.org", subject="hello\r\nBcc: evil@example.org\r\n\r\nbody\0", text="\0t\ud800"))
    ((recipients, mail),) = mailbox.mails
    assert recipients == ["ops@example.org"]
    assert mail["Bcc"] is None
    assert mail["Subject"] == "hello Bcc: evil@example.org body"
    assert mail["Auto-Submitted"] == "auto-generated"


@pytest.mark.parametrize("to", ["", "nobody", "a@b\r\nRCPT TO:<evil@example.org>", "x" * 5000, "<>", "a@\ud800"])
def test_hostile_recipients_reach_no_one_else(smtp_port: int, mailbox: Mailbox, to: str) -> None:
    with contextlib.suppress(LocalFailure):
        SmtpMailer(Settings(smtp_host="127.0.0.1", smtp_port=smtp_port)).send(Mail(to=to, subject="s", text="t"))
    assert all("evil@example.org" not in recipients for recipients, _ in mailbox.mails)


def test_plain_and_html_travel_together(smtp_port: int, mailbox: Mailbox) -> None:
    SmtpMailer(Settings(smtp_host="127.0.0.1", smtp_port=smtp_port)).send(
        Mail(to="ops@example.org", subject="s", text="plain", html="<p>rich</p>")
    )
    ((_, mail),) = mailbox.mails
    assert mail.get_content_type() == "multipart/alternative"
    assert _text(mail) == "plain"


def test_nobody_listening_is_a_local_failure() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        mailer = SmtpMailer(Settings(smtp_host="127.0.0.1", smtp_port=closed.getsockname()[1]))
        with pytest.raises(LocalFailure):
            mailer.send(Mail(to="ops@example.org", subject="s", text="t"))


def test_a_silent_server_is_given_up_in_time() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        mailer = SmtpMailer(Settings(smtp_host="127.0.0.1", smtp_port=silent.getsockname()[1]), timeout_s=0.2)
        with pytest.raises(LocalFailure):
            mailer.send(Mail(to="ops@example.org", subject="s", text="t"))
