"""Every error that reaches a person: a stable code, a title, what happened, and what to do next.

Children are sorted by blame, because that decides what the person can do about it.
Adapters translate the exceptions of their libraries into these; nothing else crosses a port.
"""

from __future__ import annotations

from collections.abc import Mapping


class HapairError(Exception):
    """Base of all errors. `status` is the HTTP status that the API answers with."""

    status = 500

    def __init__(
        self,
        code: str,
        title: str,
        *,
        detail: str = "",
        hint: str = "",
        errors: Mapping[str, list[str]] | None = None,
    ) -> None:
        super().__init__(f"{title}: {detail}" if detail else title)
        self.code = code
        self.title = title
        self.detail = detail
        self.hint = hint
        self.errors = dict(errors or {})


class InvalidInput(HapairError):
    """What was sent breaks a rule; `errors` maps each field to its sentences."""

    status = 422


class NotAllowed(HapairError):
    """The request is well formed, but not in the state that this node is in."""

    status = 409


class Stale(HapairError):
    """What was to be changed has been changed by somebody else since it was loaded."""

    status = 412

    def __init__(self, code: str, what: str, by: str) -> None:
        super().__init__(
            code,
            f"Somebody Else Has Changed {what}",
            detail=f"This was changed after you loaded it, last by {by}.",
            hint="Load it again, look at it, and make your changes once more. The console keeps what you typed.",
        )


class NotFound(HapairError):
    """There is no such thing."""

    status = 404


class PeerUnreachable(HapairError):
    """The other server can't be reached, or did not answer in time."""

    status = 502


class PeerRefused(HapairError):
    """The other server was reached and said no; the reason is its own."""

    status = 409


class LocalFailure(HapairError):
    """A part of this server failed: its database, its disk, one of its services."""

    status = 503
