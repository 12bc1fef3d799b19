"""The loss of the primary under load, and what must not be taken for it."""

from __future__ import annotations

import pytest

from tests.conftest import QUICK
from tests.lab.acts import SETTLE_S, other, primary_of, wait_stable
from tests.lab.histories import reasons
from tests.lab.load import Sysbench
from tests.lab.network import HOSTNAMES, HOSTS
from tests.lab.servers import Servers
from tests.lab.writer import Writer
from tests.waiting import wait_for

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]
REJOIN_S = 90.0
ROWS = 100


def test_a_power_cut_under_load_loses_no_acknowledged_row_and_the_old_primary_comes_back(pair: Servers) -> None:
    old = primary_of(pair)
    new = other(old)
    known = {event["key"] for event in pair.apis[new].events("Failover")}
    sysbench = Sysbench(pair.database(old))
    sysbench.prepare()
    with Writer(pair.databases) as writer, sysbench:
        writer.wait_for_progress(ROWS)
        pair.lab.fault("power-cut", old)
        pair.apis[new].wait_status("degraded", SETTLE_S, role="primary")
        writer.wait_for_progress(ROWS)
    assert writer.missing_in(pair.database(new)) == []
    events = [event for event in pair.apis[new].events("Failover") if event["key"] not in known]
    assert [event["parameters"] for event in events] == [["Failover", HOSTNAMES[new], HOSTNAMES[old]]]
    pair.lab.fault("boot", old)
    wait_stable(pair, new, REJOIN_S)
    assert writer.missing_in(pair.database(old)) == []


def test_a_secondary_cut_off_from_its_network_does_not_take_over(pair: Servers) -> None:
    primary = primary_of(pair)
    secondary = other(primary)
    term = pair.apis[primary].status()["term"]
    pair.lab.fault("isolate", secondary)
    wait_for(lambda: missed(pair, secondary) > 2 * (QUICK.ping_iterations or 0), SETTLE_S, "enough failed pings")
    assert "own-network" in reasons(pair, secondary)
    assert pair.apis[secondary].status()["node"]["role"] == "secondary"
    pair.lab.fault("heal")
    wait_stable(pair, primary, REJOIN_S)
    assert [pair.apis[host].status()["term"] for host in HOSTS] == [term, term]


def test_a_primary_that_only_stops_answering_pings_raises_an_alarm_and_stays(pair: Servers) -> None:
    primary = primary_of(pair)
    secondary = other(primary)
    term = pair.apis[primary].status()["term"]
    pair.lab.fault("drop-ping", primary)
    wait_for(lambda: missed(pair, secondary) > 2 * (QUICK.ping_iterations or 0), SETTLE_S, "enough failed pings")
    wait_for(lambda: "ping-filtered" in reasons(pair, secondary), SETTLE_S, "the alarm")
    with Writer([pair.database(primary)]) as writer:
        writer.wait_for_progress(ROWS)
    pair.lab.fault("heal")
    wait_stable(pair, primary, REJOIN_S)
    assert [pair.apis[host].status()["term"] for host in HOSTS] == [term, term]


def missed(servers: Servers, host: str) -> int:
    """How many pings to the peer have failed in a row."""
    return int(servers.apis[host].status()["pings"]["peer"]["missed"])
