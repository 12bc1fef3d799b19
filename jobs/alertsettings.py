"""Mail server and webhook of this node: kept in its own store, their secrets sealed, and read at each use."""

from __future__ import annotations

from dataclasses import asdict

from app.core.alertsettings import MailSettings, Security, WebhookSettings
from app.core.errors import Stale
from app.ports import Json, Node

MAIL_NOTE = "alert-mail"
WEBHOOK_NOTE = "alert-webhook"
SEALED = "sealed"
VERSION, SAVED_BY = "version", "saved_by"
"""Beside the settings, and kept when those are forgotten: a version is never used again."""
NOBODY = "hapair"


def mail_settings(node: Node) -> MailSettings:
    """What was saved, or the mail server that this installation was given."""
    saved = _saved(node, MAIL_NOTE)
    if not saved:
        given = node.settings
        return MailSettings(given.smtp_host, given.smtp_port, Security.NONE, given.mail_from)
    known = {name: saved[name] for name in ("host", "port", "sender", "username", "authority")}
    return MailSettings(security=Security(saved["security"]), **known)


def webhook_settings(node: Node) -> WebhookSettings | None:
    """Where events are posted; None where nothing was saved."""
    saved = _saved(node, WEBHOOK_NOTE)
    return WebhookSettings(saved["url"], saved["authority"]) if saved else None


def is_saved(node: Node, note: str) -> bool:
    return bool(_saved(node, note))


def has_secret(node: Node, note: str) -> bool:
    return bool(_saved(node, note).get(SEALED))


def secret(node: Node, note: str) -> str:
    """The password or signing secret in plain text, or nothing. Raises LocalFailure where it can't be opened."""
    sealed = _saved(node, note).get(SEALED)
    return node.keys.unseal(sealed) if sealed else ""


def version(node: Node, note: str) -> int:
    """Grows with every change of these settings."""
    return _version(node.store.note(note) or {})


def saved_by(node: Node, note: str) -> str:
    """Who has changed these settings last."""
    return str((node.store.note(note) or {}).get(SAVED_BY, NOBODY))


def stale(by: str) -> Stale:
    return Stale("stale-settings", "The Alert Settings", by)


def save(
    node: Node,
    settings: MailSettings | WebhookSettings,
    plain: str | None,
    *,
    by: str = NOBODY,
    expected: int | None = None,
) -> None:
    """The settings count from now on; with `plain` None the secret that is kept already stays.

    Raises Stale where they are of another version than `expected`.
    """
    note = MAIL_NOTE if isinstance(settings, MailSettings) else WEBHOOK_NOTE
    sealed = "" if not plain else node.keys.seal(plain)

    def saved(before: Json) -> Json:
        kept = before.get(SEALED, "") if plain is None else sealed
        return {**asdict(settings), SEALED: kept, **_next(before, by, expected)}

    node.store.change_note(note, saved)


def forget(node: Node, note: str, *, by: str = NOBODY, expected: int | None = None) -> None:
    """Nothing is saved any more, the secret neither. Raises Stale as `save` does."""
    node.store.change_note(note, lambda before: _next(before, by, expected))


def _saved(node: Node, note: str) -> Json:
    """The settings and their sealed secret; empty where none are saved."""
    found = node.store.note(note) or {}
    return {name: value for name, value in found.items() if name not in (VERSION, SAVED_BY)}


def _version(note: Json) -> int:
    return int(note.get(VERSION, 0))


def _next(before: Json, by: str, expected: int | None) -> Json:
    if expected is not None and _version(before) != expected:
        raise stale(before.get(SAVED_BY, NOBODY))
    return {VERSION: _version(before) + 1, SAVED_BY: by}
