"""The sentences that a job ends with. Those of the manual stand word for word."""

from __future__ import annotations

from app.core.errors import HapairError, PeerUnreachable
from app.core.plans import KEEP_PEER, KEEP_THIS, PREFLIGHT, REJOIN, RESUME
from app.core.roles import Change, Role

INITIALIZED = "HA setup change has initialized successfully."
APPLY_ON_SECONDARY = "Now select APPLY on the secondary server. Do nothing on this server until that is finished."
COMMUNICATION_ERROR = "There is a communication error between the HA peers."
NO_CHANGES = "No Configuration Changes To Apply"

_PAIRING_REFUSALS = frozenset({"fingerprint-mismatch", "fingerprint-used", "pairing-refused"})


def success(kind: str, role: Role) -> str:
    """What an administrator reads when a job of this kind has succeeded on a server that was `role` before it."""
    if kind == Change.SETUP_PRIMARY:
        return f"{INITIALIZED} {APPLY_ON_SECONDARY}"
    if kind == Change.SETUP_SECONDARY:
        return INITIALIZED
    if kind == Change.SWAP:
        return "The roles are swapped: the other server is the primary now, and this one the secondary."
    if kind == Change.TEARDOWN and role is Role.PRIMARY:
        return "The pair is ended. This server is standalone and keeps its data."
    if kind == Change.TEARDOWN:
        return "This server has left the pair, is standalone and keeps its copy of the data."
    if kind == Change.TAKEOVER:
        return "This server is the primary now."
    return {
        Change.SETTINGS: "The changed settings are in effect.",
        PREFLIGHT: "The checks have been made; nothing was changed.",
        RESUME: "This server accepts writes again.",
        KEEP_THIS: "This server is the rightful primary. The other one rejoins; what only it has is rescued first.",
        KEEP_PEER: "The other server is the rightful primary. This one rejoins; what only it has is rescued first.",
        REJOIN: "This server is the secondary of the pair again.",
    }[kind]


def is_communication_error(error: HapairError) -> bool:
    """Whether the manual's sentence about a communication error fits: the two servers could not speak."""
    return isinstance(error, PeerUnreachable) or error.code in _PAIRING_REFUSALS


def failure(error: HapairError) -> str:
    """What an administrator reads when a job has failed: what happened, what it means, what to do next."""
    title = COMMUNICATION_ERROR if is_communication_error(error) else error.title
    parts = [title if title.endswith(".") else f"{title}.", error.detail, error.hint]
    return " ".join(part for part in parts if part)
