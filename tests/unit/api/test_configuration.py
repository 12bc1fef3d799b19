"""Draft, ETag, differences, fingerprint."""

from __future__ import annotations

from typing import Any

import pytest

from app.core.access import Scope
from app.core.activity_filter import Filter
from app.core.fields import FIELDS
from app.core.roles import Role
from app.ports import Actor, PairingKey
from tests.unit.api.world import ADDRESS, GATEWAY, PASTED, PEER, Caller, World, primary_draft, secondary_draft


def test_a_new_server_shows_defaults_fields_and_what_each_change_of_role_means(call: Caller) -> None:
    answer = call("GET", "/ha/config")
    found = answer.get_json()
    assert (found["state"], found["draft"], found["changes"]) == ("applied", None, [])
    assert found["applied"] == {each.name: each.default for each in FIELDS}
    assert [each["name"] for each in found["fields"]] == [each.name for each in FIELDS]
    assert {"label", "help", "kind", "roles", "scope", "section", "minimum", "choices"} <= set(found["fields"][0])
    assert len(found["transitions"]) == 9
    assert answer.headers["ETag"]


def test_a_saved_draft_is_shown_with_its_differences_and_changes_nothing_else(world: World, call: Caller) -> None:
    saved = call.save(secondary_draft(HAPingIterations=3))
    assert saved.status_code == 200
    found = call("GET", "/ha/config").get_json()
    assert found["state"] == "draft"
    assert found["applied"]["HAServerRole"] == "standalone"
    assert found["draft"]["HAServerRole"] == "secondary"
    assert {"field": "HAPingIterations", "from": 12, "to": 3} in found["changes"]
    assert found["saved_by"] == "token:configure"
    assert saved.get_json() == found
    assert world.state().role is Role.STANDALONE


def test_a_save_without_if_match_is_asked_for_it(world: World, call: Caller) -> None:
    answer = call("PUT", "/ha/config/draft", {"HAServerRole": "standalone"})
    assert (answer.status_code, answer.get_json()["code"]) == (428, "if-match-needed")
    assert world.store.config().draft is None


@pytest.mark.parametrize("etag", ['"0"', '"999"', "garbage", '""', "W/", '"1', "\u00e9", '"' + "9" * 500 + '"'])
def test_a_save_with_another_version_is_refused(world: World, call: Caller, etag: str) -> None:
    answer = call("PUT", "/ha/config/draft", {"HAPingIterations": 3}, If_Match=etag)
    assert (answer.status_code, answer.get_json()["code"]) == (412, "stale-draft")
    assert world.store.config().draft is None


def test_of_two_administrators_the_second_to_save_is_told(call: Caller) -> None:
    etag = call.etag()
    assert call("PUT", "/ha/config/draft", {"HAPingIterations": 3}, If_Match=etag).status_code == 200
    assert call("PUT", "/ha/config/draft", {"HAPingIterations": 4}, If_Match=etag).status_code == 412


def test_an_etag_that_a_proxy_made_weak_still_counts(call: Caller) -> None:
    assert call("PUT", "/ha/config/draft", {"HAPingIterations": 3}, If_Match="W/" + call.etag()).status_code == 200


def test_a_draft_like_the_applied_configuration_is_no_draft(call: Caller) -> None:
    call.save({"HAPingIterations": 3})
    found = call.save({"HAPingIterations": 12, "HAServerRole": "standalone"}).get_json()
    assert (found["state"], found["draft"]) == ("applied", None)


def test_the_draft_is_made_from_the_applied_values_not_from_the_draft_before(call: Caller) -> None:
    call.save({"HAPingIterations": 3})
    found = call.save({"HAPingInterval": 1, "HAPingIterations": None}).get_json()
    assert found["changes"] == [{"field": "HAPingInterval", "from": 15, "to": 1}]


def test_a_discarded_draft_is_gone(call: Caller) -> None:
    call.save({"HAPingIterations": 3})
    etag = call.etag()
    assert call("DELETE", "/ha/config/draft", If_Match='"1"').status_code == 412
    found = call("DELETE", "/ha/config/draft", If_Match=etag).get_json()
    assert (found["state"], found["draft"]) == ("applied", None)
    assert call("DELETE", "/ha/config/draft").status_code == 200


def test_values_are_stored_in_their_normal_form(call: Caller) -> None:
    draft = secondary_draft(
        HAPeerAddress="BETA.Example.", HAPingMonitor1="2001:DB8:0::9", HAAlertEmail=" Ops@EXAMPLE.com "
    )
    found = call.save(draft).get_json()["draft"]
    assert (found["HAPeerAddress"], found["HAPingMonitor1"], found["HAAlertEmail"]) == (
        "beta.example", "2001:db8::9", "Ops@example.com",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"HAPingMonitor1": GATEWAY}, "HAPingMonitor1"),
        ({"HAPingMonitor1": "t.example", "HAPingMonitor2": "t.example"}, "HAPingMonitor2"),
        ({"HAPingMonitor3": "172.16.9.1"}, "HAPingMonitor3"),
        ({"HAPingMonitor1": PEER}, "HAPingMonitor1"),
        ({"HAPingMonitor1": "alpha"}, "HAPingMonitor1"),
        ({"HAServerAddress": "10.0.0.77"}, "HAServerAddress"),
        ({"HAPeerAddress": ADDRESS}, "HAPeerAddress"),
        ({"HAPeerFingerprint": ""}, "HAPeerFingerprint"),
        ({"HAServerRole": "primary"}, "HAPeerFingerprint"),
    ],
)
def test_a_draft_that_breaks_a_rule_is_refused_by_field(
    world: World, call: Caller, changes: dict[str, Any], field: str
) -> None:
    answer = call.save(secondary_draft(**changes))
    assert answer.status_code == 422
    assert field in answer.get_json()["errors"]
    assert world.store.config().draft is None


def test_an_unknown_field_is_refused_by_its_name(world: World, call: Caller) -> None:
    answer = call.save({"HAPingIterations": 3, "HAPingItterations": 3})
    assert answer.get_json()["errors"] == {"HAPingItterations": ["There is no such field."]}
    assert world.store.config().draft is None


def test_generate_makes_a_fingerprint_that_a_primarys_draft_can_use_once(world: World, call: Caller) -> None:
    first = call("POST", "/ha/fingerprint").get_json()
    second = call("POST", "/ha/fingerprint").get_json()
    assert first != second
    draft = secondary_draft(HAServerRole="primary")
    assert call.save(draft | first).status_code == 422
    assert call.save(draft | second).status_code == 200
    world.store.retire_pairing_key(second["HAPeerFingerprint"])
    assert "used already" in str(call.save(draft | second).get_json()["errors"])


def test_the_draft_waits_while_a_job_applies_one(world: World, call: Caller) -> None:
    world.store.create_job("swap", {}, (), Actor("dana"))
    assert call("GET", "/ha/config").get_json()["state"] == "applying"
    for answer in (call.save({"HAPingIterations": 3}), call("DELETE", "/ha/config/draft")):
        assert (answer.status_code, answer.get_json()["code"]) == (409, "job-running")


def test_a_failed_apply_is_shown_until_the_next_save(world: World, call: Caller) -> None:
    call.save({"HAPingIterations": 3})
    world.store.draft_failed("The other server did not answer.")
    found = call("GET", "/ha/config").get_json()
    assert (found["state"], found["failed"]) == ("failed", "The other server did not answer.")
    assert call.save({"HAPingIterations": 4}).get_json()["state"] == "draft"


def test_after_a_failover_the_role_shown_is_the_one_that_the_node_has(world: World, call: Caller) -> None:
    world.become(Role.SECONDARY)
    world.become(Role.PRIMARY)
    world.store.save_applied({"HAServerRole": "secondary"})
    assert call("GET", "/ha/config").get_json()["applied"]["HAServerRole"] == "primary"


def test_the_private_key_of_a_fingerprint_is_stored_sealed(
    world: World, call: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = PairingKey("SHA256:" + "C" * 43, "private words")
    monkeypatch.setattr(world.node.pairing, "generate_pairing_key", lambda: key)
    assert call("POST", "/ha/fingerprint").get_json() == {"HAPeerFingerprint": key.fingerprint}
    stored = world.store.pairing_key(key.fingerprint)
    assert stored is not None
    assert key.private_key not in stored
    assert world.node.keys.unseal(stored) == key.private_key


def test_who_may_only_read_does_not_see_an_unused_fingerprint(world: World, call: Caller) -> None:
    call.save(secondary_draft())
    seen = world.caller(Scope.READ)("GET", "/ha/config")
    assert PASTED not in seen.text
    assert PASTED in call("GET", "/ha/config").text


def test_the_activity_log_says_from_and_to_but_no_script_and_no_fingerprint(world: World, call: Caller) -> None:
    script = "#!/bin/bash\necho secret-of-the-script\n"
    call.save(secondary_draft(HAAdminAlertScript=script, HAPingIterations=3))
    call.save({"HAPingIterations": 99})
    refused, saved = world.store.activity(Filter(action="draft-saved"))
    assert refused.outcome == "refused"
    assert {"field": "HAPingIterations", "from": 12, "to": 3} in saved.detail["changes"]
    assert "secret-of-the-script" not in str(saved.detail)
    assert PASTED not in str(saved.detail)


def test_a_primarys_whole_draft_is_saved(world: World, call: Caller) -> None:
    assert call.save(primary_draft(world)).get_json()["draft"]["HAServerRole"] == "primary"
