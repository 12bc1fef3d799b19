"""The manual's whole workflow by clicking on the consoles of two real servers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.consoles import INITIALIZED, STATUS_TIMEOUT_MS, Console
from tests.conftest import MakeServers
from tests.lab.client import is_writable
from tests.lab.servers import Servers

pytestmark = [pytest.mark.browser, pytest.mark.lab]


@pytest.fixture(scope="module")
def servers(make_servers: MakeServers) -> Servers:
    return make_servers(paired=False)


@pytest.fixture
def alpha(chromium: Browser, servers: Servers) -> Iterator[Console]:
    console = Console(chromium, servers.hosts["a"])
    yield console
    console.close()


@pytest.fixture
def beta(chromium: Browser, servers: Servers) -> Iterator[Console]:
    console = Console(chromium, servers.hosts["b"])
    yield console
    console.close()


def set_up(alpha: Console, beta: Console) -> None:
    """The manual's "Setup HA Pair", step by step; a detection window of three seconds."""
    here, there = alpha.host["address"], beta.host["address"]
    alpha.open("HA Configuration")
    alpha.choose_role("primary")
    alpha.fill(HAServerAddress=here, HAPeerAddress=there, HAAlertEmail="ops@hapair.test")
    fingerprint = alpha.generate()
    alpha.save()

    beta.open("HA Configuration")
    beta.choose_role("secondary")
    beta.fill(HAServerAddress=there, HAPeerAddress=here, HAPeerFingerprint=fingerprint, HAAlertEmail="ops@hapair.test")
    beta.open_advanced()
    beta.fill(HAPingInterval="1", HAPingIterations="3")
    beta.save()

    alpha.apply()
    alpha.expect_message(f"{INITIALIZED} Now select APPLY on the secondary server.")
    expect(alpha.page.get_by_label("Step 4: APPLY on the secondary. now, on the other server")).to_be_visible()
    beta.apply()
    beta.expect_message(INITIALIZED)
    alpha.open("Status")
    beta.open("Status")
    alpha.expect_status("stable", "primary")
    beta.expect_status("stable", "secondary")


def test_a_pair_is_set_up_swapped_failed_over_and_torn_down_by_clicking(
    servers: Servers, alpha: Console, beta: Console
) -> None:
    set_up(alpha, beta)
    expect(alpha.page.get_by_test_id("failover")).to_contain_text("failover ready", timeout=STATUS_TIMEOUT_MS)
    expect(alpha.page.get_by_test_id("failover")).to_contain_text("beta would take over after 3 s")

    alpha.swap()
    alpha.expect_message("The roles are swapped")
    alpha.expect_status("stable", "secondary")
    beta.expect_status("stable", "primary")
    expect(beta.page.get_by_test_id("last-events")).to_contain_text("Roles swapped: beta is the primary now")
    assert is_writable(servers.database("b"))

    beta.open("HA Configuration")
    beta.choose_role("standalone")
    expect(beta.page.get_by_test_id("role-sentence")).to_contain_text("This ends the pair")
    beta.save()
    beta.apply(confirm=True)
    beta.expect_message("The pair is ended.")
    alpha.open("Status")
    beta.open("Status")
    alpha.expect_status("standalone", "standalone")
    beta.expect_status("standalone", "standalone")


def test_two_administrators_on_one_draft_are_told_of_each_other(
    servers: Servers, chromium: Browser, alpha: Console
) -> None:
    other = Console(chromium, servers.hosts["a"])
    for console in (alpha, other):
        console.open("HA Configuration")
        console.choose_role("primary")
        console.fill(HAServerAddress=alpha.host["address"], HAPeerAddress=servers.hosts["b"]["address"])
        console.generate()
    other.save()
    alpha.page.get_by_role("button", name="SAVE").click()
    warning = alpha.page.get_by_role("alert").filter(has_text="changed the configuration while you were editing")
    expect(warning).to_be_visible()
    alpha.page.get_by_role("button", name="Take theirs and drop mine").click()
    expect(alpha.page.get_by_test_id("draft-state")).to_contain_text(f"by {alpha.host['username']}")
    alpha.page.get_by_role("button", name="Discard draft").click()
    expect(alpha.page.get_by_test_id("draft-state")).to_contain_text("There is no draft")
    other.close()


def test_a_draft_that_the_server_refuses_is_explained_beside_its_field(servers: Servers, alpha: Console) -> None:
    alpha.open("HA Configuration")
    alpha.choose_role("primary")
    alpha.fill(HAServerAddress="10.77.200.200", HAPeerAddress=servers.hosts["b"]["address"])
    alpha.generate()
    alpha.page.get_by_role("button", name="SAVE").click()
    expect(alpha.page.get_by_test_id("error-HAServerAddress")).to_contain_text("Is not an address of this server")


def see_a_failover(pair: Servers, beta: Console) -> None:
    """The secondary's console shows, without being asked, how it takes over and how the old primary comes back."""
    pair.lab.fault("power-cut", "a")
    beta.expect_status("degraded", "primary")
    expect(beta.page.get_by_test_id("other-server")).to_contain_text("not heard")
    expect(beta.page.get_by_test_id("last-events")).to_contain_text("Failover: beta took over from alpha.")
    pair.lab.fault("boot", "a")
    beta.expect_status("stable", "primary")


def test_a_failing_primary_is_seen_live_on_the_secondary_and_comes_back_as_its_secondary(
    make_servers: MakeServers, chromium: Browser
) -> None:
    pair = make_servers()
    beta = Console(chromium, pair.hosts["b"])
    beta.expect_status("stable", "secondary")
    see_a_failover(pair, beta)
    beta.close()


def test_a_peer_without_a_draft_is_explained_before_apply_and_changes_nothing(servers: Servers, alpha: Console) -> None:
    alpha.open("HA Configuration")
    alpha.choose_role("primary")
    alpha.fill(HAServerAddress=alpha.host["address"], HAPeerAddress=servers.hosts["b"]["address"])
    alpha.generate()
    alpha.save()
    alpha.page.get_by_role("button", name="APPLY").click()
    dialog = alpha.page.get_by_role("dialog")
    expect(dialog.get_by_text("failed:", exact=False).first).to_be_visible(timeout=STATUS_TIMEOUT_MS)
    expect(dialog).to_contain_text("secondary")
    expect(dialog.get_by_role("button", name="APPLY", exact=True)).to_be_disabled()
    dialog.get_by_role("button", name="Cancel").click()
    alpha.page.get_by_role("button", name="Discard draft").click()
    expect(alpha.page.get_by_test_id("draft-state")).to_contain_text("There is no draft")
    assert servers.apis["a"].status()["status"] == "standalone"
