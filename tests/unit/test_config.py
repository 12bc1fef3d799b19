"""The rules between the HA fields, and what two servers agree on."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from app.core.config import (
    Surroundings,
    after_role_change,
    after_teardown,
    agree,
    check,
    complete,
    copied_targets,
    differences,
    rebased,
    shared,
    with_changes,
    with_shared,
)
from app.core.errors import InvalidInput
from app.core.roles import Role

FINGERPRINT = "SHA256:" + "P" * 42 + "A"
OTHER_FINGERPRINT = "SHA256:" + "Q" * 42 + "A"
HERE = Surroundings(
    hostname="Alpha.example",
    addresses=("192.0.2.1", "2001:db8::1"),
    gateway="192.0.2.254",
    tunnel_network="172.16.9.0/24",
    applied={"HAServerRole": "standalone"},
)


def secondary(**changes: Any) -> dict[str, Any]:
    return {
        "HAServerRole": "secondary", "HAServerAddress": "192.0.2.1", "HAPeerAddress": "192.0.2.2",
        "HAPeerFingerprint": FINGERPRINT, **changes,
    }  # fmt: skip


def faults(config: dict[str, Any], surroundings: Surroundings = HERE) -> dict[str, list[str]]:
    try:
        check(config, surroundings)
    except InvalidInput as error:
        return error.errors
    return {}


def test_a_whole_draft_of_a_secondary_keeps_the_rules() -> None:
    assert faults(secondary()) == {}
    assert faults(secondary(HAServerAddress="2001:db8::1", HAPeerAddress="beta.example")) == {}


def test_a_server_of_a_pair_needs_addresses_and_fingerprint() -> None:
    for role in ("primary", "secondary"):
        assert set(faults({"HAServerRole": role})) == {"HAServerAddress", "HAPeerAddress", "HAPeerFingerprint"}
    assert faults({"HAServerRole": "standalone"}) == {}


def test_the_peer_is_another_server() -> None:
    for wrong in ("192.0.2.1", "alpha.example", "2001:db8::1"):
        assert set(faults(secondary(HAPeerAddress=wrong))) == {"HAPeerAddress"}


def test_an_address_of_this_server_is_one_that_it_has() -> None:
    assert set(faults(secondary(HAServerAddress="192.0.2.77"))) == {"HAServerAddress"}
    assert faults(secondary(HAServerAddress="any-name.example")) == {}


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("alpha.example", "Hostname"),
        ("192.0.2.1", "IPAddress"),
        ("2001:db8::1", "IPAddress"),
        ("192.0.2.254", "Gateway"),
        ("192.0.2.2", "HAPeerAddress"),
        ("172.16.9.77", "ManagementTunnelNetwork"),
    ],
)
def test_a_ping_target_is_neither_server_nor_gateway_nor_in_the_tunnel(target: str, words: str) -> None:
    found = faults(secondary(HAPingMonitor2=target))
    assert set(found) == {"HAPingMonitor2"}
    assert any(words in sentence for sentence in found["HAPingMonitor2"])


def test_a_ping_target_is_not_the_servers_own_name_in_the_pair() -> None:
    found = faults(secondary(HAServerAddress="ha.example", HAPingMonitor1="ha.example"))
    assert found == {"HAPingMonitor1": ["Must be different from HAServerAddress."]}


def test_ping_targets_are_unique() -> None:
    found = faults(secondary(HAPingMonitor1="192.0.2.9", HAPingMonitor2="192.0.2.8", HAPingMonitor3="192.0.2.9"))
    assert set(found) == {"HAPingMonitor3"}
    assert "HAPingMonitor1" in found["HAPingMonitor3"][0]


def test_three_ping_targets_in_other_subnets_are_fine() -> None:
    assert (
        faults(secondary(HAPingMonitor1="198.51.100.1", HAPingMonitor2="203.0.113.1", HAPingMonitor3="t.example")) == {}
    )


def test_a_primarys_fingerprint_is_generated_on_it_and_unused() -> None:
    draft = secondary(HAServerRole="primary")
    assert set(faults(draft)) == {"HAPeerFingerprint"}
    generated = dataclasses.replace(HERE, fingerprint_generated=True)
    assert faults(draft, generated) == {}
    used = dataclasses.replace(HERE, fingerprint_used=True)
    assert "used already" in faults(draft, used)["HAPeerFingerprint"][0]


def test_a_secondarys_fingerprint_comes_from_the_other_server() -> None:
    generated = dataclasses.replace(HERE, fingerprint_generated=True)
    assert set(faults(secondary(), generated)) == {"HAPeerFingerprint"}
    used = dataclasses.replace(HERE, fingerprint_used=True)
    assert set(faults(secondary(), used)) == {"HAPeerFingerprint"}


def test_what_the_pair_was_made_with_stays_while_it_exists() -> None:
    paired = dataclasses.replace(HERE, applied=secondary(), fingerprint_used=True)
    assert faults(secondary(HAPingIterations=3), paired) == {}
    assert faults(secondary(HAServerRole="primary"), paired) == {}
    for name, value in (
        ("HAServerAddress", "2001:db8::1"), ("HAPeerAddress", "192.0.2.3"), ("HAPeerFingerprint", OTHER_FINGERPRINT),
    ):  # fmt: skip
        assert "while the pair exists" in faults(secondary(**{name: value}), paired)[name][0]


def test_a_server_whose_address_is_gone_can_still_take_over_and_leave() -> None:
    moved = dataclasses.replace(HERE, addresses=("198.51.100.7",), applied=secondary(), fingerprint_used=True)
    assert faults(secondary(HAServerRole="primary"), moved) == {}
    assert faults(secondary(HAServerRole="standalone"), moved) == {}


def test_a_target_that_became_wrong_does_not_keep_a_server_in_its_pair() -> None:
    applied = secondary(HAPingMonitor1="192.0.2.254")
    here = dataclasses.replace(HERE, applied=applied, fingerprint_used=True)
    assert faults(applied | {"HAServerRole": "standalone"}, here) == {}
    assert set(faults(applied, here)) == {"HAPingMonitor1"}


def test_differences_name_field_before_and_after() -> None:
    found = differences({"HAPingIterations": 12}, {"HAPingIterations": 6, "HAServerRole": "standalone"})
    assert [(each.field, each.before, each.after) for each in found] == [("HAPingIterations", 12, 6)]
    assert differences({}, complete({})) == []


def test_an_empty_value_takes_a_field_back_to_its_default() -> None:
    draft = with_changes({"HAPingIterations": 6, "HAFileSyncInterval": 9}, {"HAPingIterations": None})
    assert (draft["HAPingIterations"], draft["HAFileSyncInterval"]) == (12, 9)


def test_a_draft_follows_a_failover_in_all_that_its_author_did_not_change() -> None:
    draft = complete(secondary(HAPingIterations=3))
    followed = rebased(draft, secondary(), secondary(HAServerRole="primary"))
    assert followed == complete(secondary(HAServerRole="primary", HAPingIterations=3))
    assert rebased(complete(secondary()), secondary(), secondary(HAServerRole="primary")) is None


def test_each_shared_field_comes_from_the_server_that_the_manual_configures_it_on() -> None:
    agreed = agree(
        {"HAFileSyncInterval": 9, "HAPingIterations": 3, "HAProtectionMode": "protection"},
        {"HAFileSyncInterval": 20, "HAPingIterations": 4, "HAPingInterval": 1},
    )
    assert agreed["HAFileSyncInterval"] == 9
    assert agreed["HAProtectionMode"] == "protection"
    assert (agreed["HAPingIterations"], agreed["HAPingInterval"]) == (4, 1)
    assert set(agreed) == set(shared({}))


def test_both_servers_must_want_the_same_alert_email_unless_one_wants_none() -> None:
    one, other = {"HAAlertEmail": "a@example.com"}, {"HAAlertEmail": "b@example.com"}
    assert agree(one, {})["HAAlertEmail"] == agree({}, one)["HAAlertEmail"] == "a@example.com"
    with pytest.raises(InvalidInput) as refusal:
        agree(one, other)
    assert refusal.value.code == "settings-differ"
    assert set(refusal.value.errors) == {"HAAlertEmail"}


def test_only_shared_fields_are_taken_from_the_other_server() -> None:
    merged = with_shared(
        {"HAServerRole": "primary", "HAServerAddress": "192.0.2.1"},
        {"HAPingIterations": 3, "HAServerRole": "secondary", "HAServerAddress": "192.0.2.2", "evil": 1},
    )
    assert (merged["HAPingIterations"], merged["HAServerRole"], merged["HAServerAddress"]) == (
        3,
        "primary",
        "192.0.2.1",
    )
    assert "evil" not in merged


def test_a_primary_without_targets_gets_the_secondarys_that_it_can_use() -> None:
    theirs = {"HAPingMonitor1": "192.0.2.254", "HAPingMonitor2": "198.51.100.1", "HAPingMonitor3": "203.0.113.1"}
    assert copied_targets({}, theirs, HERE) == {"HAPingMonitor1": "198.51.100.1", "HAPingMonitor2": "203.0.113.1"}
    assert copied_targets({"HAPingMonitor3": "203.0.113.9"}, theirs, HERE) == {}


def test_after_a_teardown_the_settings_stay_and_the_used_fingerprint_goes() -> None:
    left = after_teardown(secondary(HAPingIterations=3))
    assert (left["HAServerRole"], left["HAPeerFingerprint"], left["HAPingIterations"]) == ("standalone", "", 3)


def test_after_a_swap_only_the_role_differs() -> None:
    assert after_role_change(secondary(), Role.PRIMARY) == complete(secondary()) | {"HAServerRole": "primary"}
