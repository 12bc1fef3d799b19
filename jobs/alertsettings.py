"""Mail server and webhook of this node: kept in its own store, their secrets sealed, and read at each use."""

from __future__ import annotations

from dataclasses import asdict

from app.core.alertsettings import MailSettings, Security, WebhookSettings
from app.ports import Json, Node

MAIL_NOTE = "alert-mail"
WEBHOOK_NOTE = "alert-webhook"
SEALED = "sealed"


def mail_settings(node: Node) -> MailSettings:
    """What was saved, or the mail server that this installation was given."""
    saved = node.store.note(MAIL_NOTE)
    if not saved:
        given = node.settings
        return MailSettings(given.smtp_host, given.smtp_port, Security.NONE, given.mail_from)
    known = {name: saved[name] for name in ("host", "port", "sender", "username", "authority")}
    return MailSettings(security=Security(saved["security"]), **known)


def webhook_settings(node: Node) -> WebhookSettings | None:
    """Where events are posted; None where nothing was saved."""
    saved = node.store.note(WEBHOOK_NOTE)
    return WebhookSettings(saved["url"], saved["authority"]) if saved else None


def is_saved(node: Node, note: str) -> bool:
    return bool(node.store.note(note))


def has_secret(node: Node, note: str) -> bool:
    return bool((node.store.note(note) or {}).get(SEALED))


def secret(node: Node, note: str) -> str:
    """The password or signing secret in plain text, or nothing. Raises LocalFailure where it can't be opened."""
    sealed = (node.store.note(note) or {}).get(SEALED)
    return node.keys.unseal(sealed) if sealed else ""


def save(node: Node, settings: MailSettings | WebhookSettings, plain: str | None) -> None:
    """The settings count from now on; with `plain` None the secret that is kept already stays."""
    note = MAIL_NOTE if isinstance(settings, MailSettings) else WEBHOOK_NOTE
    kept: Json = node.store.note(note) or {}
    sealed = kept.get(SEALED, "") if plain is None else (node.keys.seal(plain) if plain else "")
    node.store.save_note(note, {**asdict(settings), SEALED: sealed})


def forget(node: Node, note: str) -> None:
    """Nothing is saved any more, the secret neither."""
    node.store.save_note(note, {})
