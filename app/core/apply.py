"""What APPLY means, and which other acts are possible: pure decisions before a job is made."""

from __future__ import annotations

from app.core.config import Config, differences, role_of
from app.core.errors import InvalidInput, NotAllowed
from app.core.messages import NO_CHANGES
from app.core.roles import Change, Role, Transition, transition

DANGEROUS = frozenset({Change.TAKEOVER})
"""Changes of role that APPLY does only when the server's name was typed."""
ROLE_ONLY = frozenset({Change.SWAP, Change.TAKEOVER})
"""Changes of role during which no other setting may change: both servers go on with what they have agreed."""


def decide(applied: Config, draft: Config | None) -> Transition:
    """The row of the role table that APPLY of this draft follows.

    Raises NotAllowed: `no-changes` without a difference to apply, `role-change-refused` for a step that the table has
    not, `one-change-at-a-time` where settings change together with a swap or a takeover.
    """
    changed = [] if draft is None else differences(applied, draft)
    if draft is None or not changed:
        raise NotAllowed(
            "no-changes",
            NO_CHANGES,
            detail="The draft is the same as the applied configuration, or there is none.",
            hint="Change a field and save it first.",
        )
    row = transition(role_of(applied), role_of(draft))
    others = [each.field for each in changed if each.field != "HAServerRole"]
    if row.change in ROLE_ONLY and others:
        raise NotAllowed(
            "one-change-at-a-time",
            "Change The Role By Itself",
            detail=f"The draft also changes {', '.join(others)}; a {row.change} changes the role and nothing else.",
            hint="Discard the draft, change the role alone and apply; change the other fields afterwards.",
        )
    return row


def check_confirmed(act: str, given: str | None, hostname: str) -> None:
    """Returns where the person has typed the name of this server, or of the act.

    Raises InvalidInput (code `confirmation-needed`) that says what is asked for.
    """
    if given is not None and given.lower() in {hostname.lower(), act}:
        return
    sentence = f'Send {{"confirm": "{hostname}"}}, the name of this server, to confirm.'
    raise InvalidInput(
        "confirmation-needed",
        "This Must Be Confirmed",
        detail=f"A {act} can't be taken back." if given is None else "That is not the name of this server.",
        hint=sentence,
        errors={"confirm": [sentence]},
    )


def check_in_pair(role: Role) -> None:
    """Raises NotAllowed (code `not-paired`) on a standalone server."""
    if role is Role.STANDALONE:
        raise NotAllowed(
            "not-paired",
            "This Server Is Not Part Of A Pair",
            detail="It is standalone.",
            hint="Set up a pair first.",
        )
