"""The loss of the primary under load, and what must not be taken for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conftest import QUICK
from tests.lab.acts import SETTLE_S, other, primary_of, wait_stable
from tests.lab.load import Sysbench
from tests.lab.network import HOSTNAMES, HOSTS
from tests.lab.servers import Servers
from tests.lab.writer import Writer
from tests.waiting import wait_for

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]
REJOIN_S = 120.0
ROWS = 100
WINDOW_S = float((QUICK.ping_interval or 0) * (QUICK.ping_iterations or 0))


@pytest.fixture
def stable(pair: Servers) -> Iterator[Servers]:
    """A stable pair, whichever server is primary; stable again after the test."""
    wait_stable(pair, primary_of(pair), REJOIN_S)
    yield pair
    pair.lab.fault("heal")
    for host, found in pair.lab.ask("info")["hosts"].items():
        if not found["on"]:
            pair.lab.fault("boot", host)
    wait_for(lambda: primary_of(pair), REJOIN_S, "one primary")
    wait_stable(pair, primary_of(pair), REJOIN_S)


def reasons(servers: Servers, host: str) -> set[str]:
    """The codes of the reasons that the host's status gives."""
    return {reason["code"] for reason in servers.apis[host].status()["reasons"]}


def test_a_power_cut_under_load_loses_no_acknowledged_row_and_the_old_primary_comes_back(stable: Servers) -> None:
    old = primary_of(stable)
    new = other(old)
    known = {event["key"] for event in stable.apis[new].events("Failover")}
    sysbench = Sysbench(stable.database(old))
    sysbench.prepare()
    with Writer(stable.databases) as writer, sysbench:
        writer.wait_for_progress(ROWS)
        stable.lab.fault("power-cut", old)
        stable.apis[new].wait_status("degraded", SETTLE_S, role="primary")
        writer.wait_for_progress(ROWS)
    assert writer.missing_in(stable.database(new)) == []
    events = [event for event in stable.apis[new].events("Failover") if event["key"] not in known]
    assert len(events) == 1
    active, standby = events[0]["parameters"]
    assert (HOSTNAMES[new], HOSTNAMES[old]) == (active, standby)
    stable.lab.fault("boot", old)
    wait_stable(stable, new, REJOIN_S)
    assert writer.missing_in(stable.database(old)) == []


def test_a_secondary_cut_off_from_its_network_does_not_take_over(stable: Servers) -> None:
    primary = primary_of(stable)
    secondary = other(primary)
    term = stable.apis[primary].status()["term"]
    stable.lab.fault("isolate", secondary)
    wait_for(lambda: missed(stable, secondary) > 2 * (QUICK.ping_iterations or 0), SETTLE_S, "enough failed pings")
    assert "own-network" in reasons(stable, secondary)
    assert stable.apis[secondary].status()["node"]["role"] == "secondary"
    stable.lab.fault("heal")
    wait_stable(stable, primary, REJOIN_S)
    assert [stable.apis[host].status()["term"] for host in HOSTS] == [term, term]


def test_a_primary_that_only_stops_answering_pings_raises_an_alarm_and_stays(stable: Servers) -> None:
    primary = primary_of(stable)
    secondary = other(primary)
    term = stable.apis[primary].status()["term"]
    stable.lab.fault("drop-ping", primary)
    wait_for(lambda: missed(stable, secondary) > 2 * (QUICK.ping_iterations or 0), SETTLE_S, "enough failed pings")
    wait_for(lambda: "ping-filtered" in reasons(stable, secondary), SETTLE_S, "the alarm")
    with Writer([stable.database(primary)]) as writer:
        writer.wait_for_progress(ROWS)
    stable.lab.fault("heal")
    wait_stable(stable, primary, REJOIN_S)
    assert [stable.apis[host].status()["term"] for host in HOSTS] == [term, term]


def missed(servers: Servers, host: str) -> int:
    """How many pings to the peer have failed in a row."""
    return int(servers.apis[host].status()["pings"]["peer"]["missed"])
