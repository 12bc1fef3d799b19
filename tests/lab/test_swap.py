"""Planned swaps under load, by button and by draft, in both directions."""

from __future__ import annotations

import pytest

from tests.lab.acts import change_role, other, primary_of, wait_stable
from tests.lab.load import Sysbench
from tests.lab.network import HOSTNAMES
from tests.lab.servers import Servers
from tests.lab.writer import Writer

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]
ROWS = 100
RATE = 160.0


def test_a_swap_under_load_loses_no_acknowledged_row(pair: Servers) -> None:
    old = primary_of(pair)
    new = other(old)
    known = {event["key"] for event in pair.apis[new].events("ManualSwitch")}
    sysbench = Sysbench(pair.database(old))
    sysbench.prepare()
    with Writer(pair.databases, rate=RATE) as writer, sysbench:
        writer.wait_for_progress(ROWS)
        pair.apis[old].finish(str(pair.apis[old].ask("POST", "/ha/swap", {})["job"]["id"]))
        writer.wait_for_progress(ROWS)
    wait_stable(pair, new)
    assert [writer.missing_in(database) for database in pair.databases] == [[], []]
    events = [event for event in pair.apis[new].events("ManualSwitch") if event["key"] not in known]
    assert [event["parameters"] for event in events] == [["ManualSwitch", HOSTNAMES[new], HOSTNAMES[old]]]


def test_a_swap_by_the_manual_is_a_draft_on_the_primary_alone(pair: Servers) -> None:
    old = primary_of(pair)
    change_role(pair, old, "secondary")
    wait_stable(pair, other(old))
    assert pair.apis[old].ask("GET", "/ha/config")["state"] == "applied"
    assert pair.apis[other(old)].ask("GET", "/ha/config")["state"] == "applied"


def test_a_swap_is_refused_on_the_secondary(pair: Servers) -> None:
    primary = primary_of(pair)
    reply = pair.apis[other(primary)].call("POST", "/ha/swap", {})
    assert reply.status == 409
    assert primary_of(pair) == primary
