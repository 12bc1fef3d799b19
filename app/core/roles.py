"""Which role a node may have, and which change of role means what.

The table is the manual's: setting the role and pressing APPLY is how a pair is set up, swapped,
taken over and torn down. Every other combination is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from app.core.errors import NotAllowed


class Role(StrEnum):
    """The three values of HAServerRole."""

    STANDALONE = "standalone"
    PRIMARY = "primary"
    SECONDARY = "secondary"


class Change(StrEnum):
    """What APPLY will do. The value is the kind of the job."""

    SETUP_PRIMARY = "setup-primary"
    SETUP_SECONDARY = "setup-secondary"
    SWAP = "swap"
    TEARDOWN = "teardown"
    TAKEOVER = "takeover"
    SETTINGS = "settings"


@dataclass(frozen=True)
class Transition:
    """One legal change of role, and the sentence that tells an administrator what APPLY will do."""

    applied: Role
    drafted: Role
    change: Change
    sentence: str


TRANSITIONS = (
    Transition(Role.STANDALONE, Role.PRIMARY, Change.SETUP_PRIMARY,
               "This server becomes the primary of a new pair; its database and files are kept."),
    Transition(Role.STANDALONE, Role.SECONDARY, Change.SETUP_SECONDARY,
               "This server becomes the secondary: its data is moved aside and replaced by the primary's."),
    Transition(Role.PRIMARY, Role.SECONDARY, Change.SWAP,
               "This will swap the roles: the other server becomes primary and this one secondary."),
    Transition(Role.PRIMARY, Role.STANDALONE, Change.TEARDOWN,
               "This ends the pair: both servers become standalone and keep their data."),
    Transition(Role.SECONDARY, Role.STANDALONE, Change.TEARDOWN,
               "This server leaves the pair and becomes standalone; it keeps its copy of the data."),
    Transition(Role.SECONDARY, Role.PRIMARY, Change.TAKEOVER,
               "This server takes over by force: it becomes primary; the other server is fenced if it answers."),
    Transition(Role.PRIMARY, Role.PRIMARY, Change.SETTINGS, "The changed settings take effect on both servers."),
    Transition(Role.SECONDARY, Role.SECONDARY, Change.SETTINGS, "The changed settings take effect on both servers."),
    Transition(Role.STANDALONE, Role.STANDALONE, Change.SETTINGS, "The changed settings take effect on this server."),
)  # fmt: skip

_BY_ROLES = {(row.applied, row.drafted): row for row in TRANSITIONS}


def transition(applied: Role, drafted: Role) -> Transition:
    """The row of the table for a change of role.

    Raises NotAllowed (code `role-change-refused`) where the table has none.
    """
    row = _BY_ROLES.get((applied, drafted))
    if row is None:
        raise NotAllowed(
            "role-change-refused",
            "This Role Change Is Not Possible",
            detail=f"A {applied} server can't be made {drafted} in one step.",
            hint="Set the role to standalone and apply that first.",
        )
    return row
