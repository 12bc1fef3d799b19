"""Which steps a job takes, in which order, and where it can't go back any more.

The names are what the journal keeps, so a job that was started by an older version is still understood;
what each step does is in `jobs/steps`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from app.core.errors import NotAllowed
from app.core.roles import Change, Role

PREFLIGHT = "preflight"
RESUME = "resume"
KEEP_THIS = "keep-this"
KEEP_PEER = "keep-peer"
REJOIN = "rejoin"


@dataclass(frozen=True)
class PlannedStep:
    """One line of a plan, as an administrator sees it."""

    name: str
    title: str
    final: bool = False
    """Once this step is done the job is only finished, never taken back: the point of no return."""


_SETUP_PRIMARY = (
    PlannedStep("check-setup", "Check both servers"),
    PlannedStep("make-certificate", "Make the certificate of this server's database"),
    PlannedStep("prepare-accounts", "Prepare the database accounts"),
    PlannedStep("exchange-identities", "Exchange identities with the other server"),
    PlannedStep("become-primary", "Become the primary of the new pair", final=True),
)

_SETUP_SECONDARY = (
    PlannedStep("ask-to-join", "Ask the primary for permission to join"),
    PlannedStep("move-files-aside", "Move this server's own files aside"),
    PlannedStep("copy-database", "Copy the primary's database"),
    PlannedStep("switch-database", "Put the copy in the place of the own database"),
    PlannedStep("start-replication", "Start replication"),
    PlannedStep("catch-up", "Catch up with the primary"),
    PlannedStep("copy-files", "Copy the primary's files"),
    PlannedStep("become-secondary", "Become the secondary of the pair", final=True),
    PlannedStep("report-joined", "Tell the primary that the set-up is complete"),
    PlannedStep("remove-redundant-copy", "Remove the data that was moved aside, if the primary holds all of it"),
)

_SWAP = (
    PlannedStep("check-swap", "Check that the roles can be swapped"),
    PlannedStep("prepare-swap", "Prepare both servers"),
    PlannedStep("flush-files", "Bring the last changed files to the other server"),
    PlannedStep("hand-over", "Close this database and let the other server take over", final=True),
    PlannedStep("follow-new-primary", "Follow the new primary"),
    PlannedStep("finish-swap", "End the swap on both servers"),
)

_TEARDOWN_PRIMARY = (
    PlannedStep("release-standby", "Stop waiting for the secondary"),
    PlannedStep("dismiss-secondary", "Make the secondary standalone", final=True),
    PlannedStep("become-standalone", "Become standalone"),
    PlannedStep("forget-peer", "Forget the other server's keys"),
)

_TEARDOWN_SECONDARY = (
    PlannedStep("leave-replication", "Apply all that was received and stop replication"),
    PlannedStep("become-standalone", "Become standalone", final=True),
    PlannedStep("report-left", "Tell the primary that this server has left"),
    PlannedStep("forget-peer", "Forget the other server's keys"),
)

_TAKEOVER = (
    PlannedStep("check-takeover", "Check what this server holds"),
    PlannedStep("take-over", "Fence the other server and become primary", final=True),
)

_SETTINGS = (
    PlannedStep("send-settings", "Send the shared settings to the other server and read them back"),
    PlannedStep("apply-settings", "Apply the settings on this server", final=True),
)

_SETTINGS_ALONE = (PlannedStep("apply-settings", "Apply the settings on this server", final=True),)

_PREFLIGHT = (PlannedStep("dry-run", "Check both servers without changing anything"),)

_RESUME = (PlannedStep("resume-primary", "Accept writes again without the other server", final=True),)

_KEEP_THIS = (PlannedStep("keep-this-history", "Become the rightful primary, with this server's data", final=True),)

_KEEP_PEER = (PlannedStep("keep-peers-history", "Let the other server become the rightful primary", final=True),)

_REJOIN = (
    PlannedStep("compare-histories", "Compare this server's history with the primary's"),
    PlannedStep("rescue", "Keep what only this server has"),
    PlannedStep("rewind", "Take back what the pair never had"),
    PlannedStep("copy-database", "Copy the primary's database"),
    PlannedStep("switch-database", "Put the copy in the place of the own database"),
    PlannedStep("follow-as-secondary", "Become secondary and replicate from the primary", final=True),
    PlannedStep("catch-up", "Catch up with the primary"),
    PlannedStep("finish-rejoin", "Note the new role in the configuration"),
)

_PLANS: dict[tuple[str, Role], tuple[PlannedStep, ...]] = {
    (Change.SETUP_PRIMARY, Role.STANDALONE): _SETUP_PRIMARY,
    (Change.SETUP_SECONDARY, Role.STANDALONE): _SETUP_SECONDARY,
    (Change.SWAP, Role.PRIMARY): _SWAP,
    (Change.TEARDOWN, Role.PRIMARY): _TEARDOWN_PRIMARY,
    (Change.TEARDOWN, Role.SECONDARY): _TEARDOWN_SECONDARY,
    (Change.TAKEOVER, Role.SECONDARY): _TAKEOVER,
    (Change.SETTINGS, Role.STANDALONE): _SETTINGS_ALONE,
    (Change.SETTINGS, Role.PRIMARY): _SETTINGS,
    (Change.SETTINGS, Role.SECONDARY): _SETTINGS,
    (PREFLIGHT, Role.STANDALONE): _PREFLIGHT,
    (PREFLIGHT, Role.PRIMARY): _PREFLIGHT,
    (PREFLIGHT, Role.SECONDARY): _PREFLIGHT,
    (RESUME, Role.PRIMARY): _RESUME,
    (KEEP_THIS, Role.PRIMARY): _KEEP_THIS,
    (KEEP_PEER, Role.PRIMARY): _KEEP_PEER,
    (REJOIN, Role.PRIMARY): _REJOIN,
    (REJOIN, Role.SECONDARY): _REJOIN,
}


def plan(kind: str, role: Role) -> tuple[PlannedStep, ...]:
    """The steps of a job of `kind` on a node that is `role` when the job is made.

    Raises NotAllowed (code `not-in-this-role`) where a node of that role has no such job.
    """
    steps = _PLANS.get((kind, role))
    if steps is None:
        raise NotAllowed(
            "not-in-this-role",
            "Not Possible in This Role",
            detail=f"A {role} server can't do a {kind}.",
            hint="Look at the server's role on the status page, and at the other server's: it may be possible there.",
        )
    return steps


def all_step_names() -> frozenset[str]:
    """Every step name that a journal may hold."""
    return frozenset(step.name for steps in _PLANS.values() for step in steps)


def is_final(kind: str, name: str) -> bool:
    """Whether the step called `name` is the point of no return of a job of this kind."""
    return any(
        step.final
        for (planned_kind, _), steps in _PLANS.items()
        if planned_kind == kind
        for step in steps
        if step.name == name
    )


def only_unfinished(kind: str, states: Mapping[str, str]) -> bool:
    """Whether a failed job has done what can't be taken back, and only what follows from it is missing. `states` are
    those of its steps by name."""
    return any(is_final(kind, name) and state == "done" for name, state in states.items())
