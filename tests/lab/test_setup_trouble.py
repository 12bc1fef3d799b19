"""The awkward cases of the manual's "Setup HA Pair": each says what is wrong, changes nothing, and has a way out."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conftest import QUICK, MakeServers
from tests.lab.acts import change_role, discard_drafts, tear_down, wait_parted, wait_stable
from tests.lab.network import HOSTS
from tests.lab.pairing import INITIALIZED, primary_draft, secondary_draft
from tests.lab.servers import Servers

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]
COMMUNICATION_ERROR = "communication error between the HA peers"


@pytest.fixture(scope="module")
def servers(make_servers: MakeServers) -> Servers:
    return make_servers(paired=False)


@pytest.fixture
def apart(servers: Servers) -> Iterator[Servers]:
    """Two standalone servers without drafts, before and after the test."""
    wait_parted(servers)
    yield servers
    servers.lab.fault("heal")
    for host in HOSTS:
        if servers.apis[host].status()["status"] != "standalone":
            change_role(servers, host, "standalone")
    wait_parted(servers)
    discard_drafts(servers)


def fingerprint_of(servers: Servers) -> str:
    return str(servers.apis["a"].ask("POST", "/ha/fingerprint")["HAPeerFingerprint"])


def test_apply_without_changes_says_so_in_the_manuals_words(apart: Servers) -> None:
    reply = apart.apis["a"].call("POST", "/ha/apply", {})
    assert (reply.status, reply.body["code"]) == (409, "no-changes")
    assert reply.body["title"] == "No Configuration Changes To Apply"


def test_a_peer_without_a_draft_is_a_communication_error_and_retry_works_once_it_has_one(apart: Servers) -> None:
    fingerprint = fingerprint_of(apart)
    alpha, beta = apart.apis["a"], apart.apis["b"]
    alpha.save_draft(primary_draft(apart.hosts, fingerprint, QUICK))
    job = alpha.wait_job(alpha.apply())
    assert job["state"] in ("failed", "reverted")
    assert COMMUNICATION_ERROR in job["message"]
    assert alpha.ask("GET", "/ha/config")["state"] == "failed"
    alpha.wait_status("standalone")
    beta.save_draft(secondary_draft(apart.hosts, fingerprint, QUICK))
    job = alpha.finish(str(alpha.ask("POST", "/ha/retry")["job"]["id"]))
    assert INITIALIZED in job["message"]
    beta.finish(beta.apply())
    wait_stable(apart, "a")
    tear_down(apart)


def test_a_wrong_fingerprint_is_refused_and_changes_nothing(apart: Servers) -> None:
    alpha, beta = apart.apis["a"], apart.apis["b"]
    pasted = fingerprint_of(apart)
    generated = fingerprint_of(apart)
    alpha.save_draft(primary_draft(apart.hosts, generated, QUICK))
    beta.save_draft(secondary_draft(apart.hosts, pasted, QUICK))
    job = alpha.wait_job(alpha.apply())
    assert job["state"] in ("failed", "reverted")
    assert COMMUNICATION_ERROR in job["message"]
    assert "fingerprint" in job["message"].lower()
    wait_parted(apart)


def test_a_peer_that_is_down_is_a_communication_error(apart: Servers) -> None:
    fingerprint = fingerprint_of(apart)
    apart.apis["a"].save_draft(primary_draft(apart.hosts, fingerprint, QUICK))
    apart.apis["b"].save_draft(secondary_draft(apart.hosts, fingerprint, QUICK))
    apart.lab.fault("isolate", "b")
    job = apart.apis["a"].wait_job(apart.apis["a"].apply())
    assert job["state"] in ("failed", "reverted")
    assert COMMUNICATION_ERROR in job["message"]


def test_apply_on_the_secondary_first_is_refused_and_the_right_order_still_works(apart: Servers) -> None:
    fingerprint = fingerprint_of(apart)
    alpha, beta = apart.apis["a"], apart.apis["b"]
    alpha.save_draft(primary_draft(apart.hosts, fingerprint, QUICK))
    beta.save_draft(secondary_draft(apart.hosts, fingerprint, QUICK))
    job = beta.wait_job(beta.apply())
    assert job["state"] in ("failed", "reverted")
    assert job["error"]["hint"]
    wait_parted(apart)
    alpha.finish(alpha.apply())
    beta.finish(beta.apply())
    wait_stable(apart, "a")
    tear_down(apart)


def test_apply_pressed_twice_starts_one_job(apart: Servers) -> None:
    fingerprint = fingerprint_of(apart)
    alpha, beta = apart.apis["a"], apart.apis["b"]
    alpha.save_draft(primary_draft(apart.hosts, fingerprint, QUICK))
    beta.save_draft(secondary_draft(apart.hosts, fingerprint, QUICK))
    job = alpha.apply()
    again = alpha.call("POST", "/ha/apply", {})
    assert (again.status, again.body["code"]) == (409, "job-running")
    alpha.finish(job)
    again = alpha.call("POST", "/ha/apply", {})
    assert (again.status, again.body["code"]) == (409, "no-changes")


def test_an_unfinished_pair_is_ended_on_the_primary_alone(apart: Servers) -> None:
    fingerprint = fingerprint_of(apart)
    apart.apis["a"].save_draft(primary_draft(apart.hosts, fingerprint, QUICK))
    apart.apis["b"].save_draft(secondary_draft(apart.hosts, fingerprint, QUICK))
    apart.apis["a"].finish(apart.apis["a"].apply())
    apart.apis["a"].wait_status("initialized")
    change_role(apart, "a", "standalone")
    wait_parted(apart)


def test_a_broken_pair_is_ended_on_each_server_by_itself(apart: Servers) -> None:
    apart.pair(QUICK)
    wait_stable(apart, "a")
    apart.lab.fault("cut-peer")
    change_role(apart, "a", "standalone")
    assert apart.apis["b"].status()["status"] != "standalone"
    apart.lab.fault("heal")
    change_role(apart, "b", "standalone")
    wait_parted(apart)
