"""Every step by its name in the journal."""

from __future__ import annotations

from app.core.errors import NotFound
from jobs.context import Step
from jobs.steps import preflight, rejoin, seeding, settings, setup_primary, setup_secondary, swap, takeover, teardown

_STEPS: tuple[Step, ...] = (
    preflight.DryRun(),
    setup_primary.CheckSetup(),
    setup_primary.MakeCertificate(),
    setup_primary.PrepareAccounts(),
    setup_primary.ExchangeIdentities(),
    setup_primary.BecomePrimary(),
    setup_secondary.AskToJoin(),
    setup_secondary.MoveFilesAside(),
    seeding.CopyDatabase(),
    seeding.SwitchDatabase(),
    setup_secondary.StartReplication(),
    seeding.CatchUp(),
    setup_secondary.CopyFiles(),
    setup_secondary.BecomeSecondary(),
    setup_secondary.ReportJoined(),
    setup_secondary.RemoveRedundantCopy(),
    swap.CheckSwap(),
    swap.PrepareSwap(),
    swap.FlushFiles(),
    swap.HandOver(),
    swap.FollowNewPrimary(),
    swap.FinishSwap(),
    teardown.ReleaseStandby(),
    teardown.DismissSecondary(),
    teardown.LeaveReplication(),
    teardown.BecomeStandalone(),
    teardown.ReportLeft(),
    teardown.ForgetPeer(),
    takeover.CheckTakeover(),
    takeover.TakeOver(),
    takeover.ResumePrimary(),
    takeover.KeepThisHistory(),
    takeover.KeepPeersHistory(),
    settings.SendSettings(),
    settings.ApplySettings(),
    rejoin.CompareHistories(),
    rejoin.Rescue(),
    rejoin.Rewind(),
    rejoin.FollowAsSecondary(),
    rejoin.FinishRejoin(),
)

_BY_NAME: dict[str, Step] = {each.name: each for each in _STEPS}


def step(name: str) -> Step:
    """The step of that name. Raises NotFound (code `step-unknown`): the journal is of another version."""
    found = _BY_NAME.get(name)
    if found is None:
        raise NotFound("step-unknown", "Unknown Step", detail=f"This version has no step called {name!r}.")
    return found


def names() -> frozenset[str]:
    return frozenset(_BY_NAME)
