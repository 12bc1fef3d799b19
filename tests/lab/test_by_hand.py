"""What an administrator does by hand when the pair is not whole: takeover, and resuming a primary that is alone."""

from __future__ import annotations

import pytest

from tests.lab.acts import change_role, other, primary_of, wait_stable
from tests.lab.client import browser_at, is_writable, log_in
from tests.lab.network import HOSTNAMES
from tests.lab.servers import Servers
from tests.lab.writer import Writer

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]
REJOIN_S = 90.0
ROWS = 50


def test_a_takeover_by_draft_fences_the_living_primary_and_loses_no_acknowledged_row(pair: Servers) -> None:
    old = primary_of(pair)
    new = other(old)
    with Writer(pair.databases) as writer:
        writer.wait_for_progress(ROWS)
        change_role(pair, new, "primary", confirm=HOSTNAMES[new])
        writer.wait_for_progress(ROWS)
    wait_stable(pair, new, REJOIN_S)
    assert [writer.missing_in(database) for database in pair.databases] == [[], []]


@pytest.mark.parametrize("topology", ["same"], indirect=True)
def test_a_primary_that_boots_alone_stays_fenced_until_somebody_resumes_it(pair: Servers) -> None:
    primary = primary_of(pair)
    secondary = other(primary)
    with Writer(pair.databases) as writer:
        writer.wait_for_progress(ROWS)
        pair.lab.fault("power-cut", secondary)
        pair.lab.fault("power-cut", primary)
    pair.lab.fault("boot", primary)
    found = pair.apis[primary].wait_status("fenced", REJOIN_S, role="primary")
    assert not found["node"]["writable"]
    with browser_at(pair.hosts[primary]) as browser:
        assert log_in(browser, pair.hosts[primary]).status_code == 200
    refused = pair.apis[primary].call("POST", "/ha/resume", {})
    assert (refused.status, refused.body["code"]) == (422, "confirmation-needed")
    answer = pair.apis[primary].ask("POST", "/ha/resume", {"confirm": HOSTNAMES[primary]})
    pair.apis[primary].finish(str(answer["job"]["id"]))
    assert is_writable(pair.database(primary))
    pair.lab.fault("boot", secondary)
    wait_stable(pair, primary, REJOIN_S)
    assert [writer.missing_in(database) for database in pair.databases] == [[], []]
