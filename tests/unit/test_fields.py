"""Each field's type, bounds and form, hostile values included."""

from __future__ import annotations

import dataclasses

import pytest

from app.core.fields import BY_NAME, FIELDS, Kind, Scope, clean
from app.core.pairconfig import pair_config
from app.core.roles import Role

INTEGERS = [each for each in FIELDS if each.kind is Kind.INTEGER]
TEXTS = [each for each in FIELDS if isinstance(each.default, str)]
FINGERPRINT = "SHA256:" + "A" * 43

MANUAL = {
    "HAServerRole": "standalone", "HAServerAddress": "", "HAPeerAddress": "", "HAPeerFingerprint": "",
    "HAAlertEmail": "", "HAFileSyncInterval": 5, "HAAdminAlertScript": "", "HAPingIterations": 12,
    "HAPingMonitor1": "", "HAPingMonitor2": "", "HAPingMonitor3": "",
}  # fmt: skip


def test_the_manuals_fields_come_first_with_its_defaults() -> None:
    assert {each.name: each.default for each in FIELDS[: len(MANUAL)]} == MANUAL


def test_the_manuals_bounds_hold() -> None:
    bounds = {each.name: (each.minimum, each.maximum) for each in INTEGERS}
    assert bounds["HAFileSyncInterval"] == (5, 30)
    assert bounds["HAPingIterations"] == (2, 20)
    assert bounds["HAPingInterval"] == (1, 15)


def test_the_manuals_roles_use_the_advanced_fields() -> None:
    assert BY_NAME["HAFileSyncInterval"].roles == {Role.PRIMARY}
    assert BY_NAME["HAPingIterations"].roles == {Role.SECONDARY}
    assert BY_NAME["HAAdminAlertScript"].roles == {Role.PRIMARY, Role.SECONDARY}
    assert BY_NAME["HAPingMonitor3"].roles == {Role.SECONDARY}


def test_decisions_start_from_the_same_defaults() -> None:
    from_table = pair_config({each.name: each.default for each in FIELDS})
    assert from_table == pair_config({})
    attributes = {each.attribute for each in FIELDS}
    derived = {"ping_targets", "semi_sync_fallback_s"}
    assert {each.name for each in dataclasses.fields(from_table)} - derived <= attributes


def test_names_are_unique_and_every_field_explains_itself() -> None:
    assert len(BY_NAME) == len(FIELDS) == len({each.attribute for each in FIELDS})
    for each in FIELDS:
        assert each.help.endswith(".")
        assert each.label
        assert clean(each, each.default) == each.default


def test_each_server_has_its_own_role_script_and_targets() -> None:
    assert {each.name for each in FIELDS if each.scope is Scope.LOCAL} == {
        "HAServerRole", "HAAdminAlertScript", "HAPingMonitor1", "HAPingMonitor2", "HAPingMonitor3",
    }  # fmt: skip
    assert {each.name for each in FIELDS if each.scope is Scope.MIRRORED} == {"HAServerAddress", "HAPeerAddress"}


@pytest.mark.parametrize("each", INTEGERS, ids=lambda each: each.name)
def test_whole_numbers_are_accepted_within_their_bounds_only(each) -> None:  # type: ignore[no-untyped-def]
    assert clean(each, each.minimum) == each.minimum
    assert clean(each, each.maximum) == each.maximum
    for wrong in (each.minimum - 1, each.maximum + 1, 10**30, -1):
        with pytest.raises(ValueError, match="between"):
            clean(each, wrong)


@pytest.mark.parametrize("each", INTEGERS, ids=lambda each: each.name)
@pytest.mark.parametrize("wrong", [True, 7.0, "7", "", [7], {"a": 7}, float("nan")], ids=repr)
def test_nothing_but_a_whole_number_is_one(each, wrong: object) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match="whole number"):
        clean(each, wrong)


@pytest.mark.parametrize("wrong", [0, 1, "true", "on", [], 1.0], ids=repr)
def test_nothing_but_true_and_false_switches_something(wrong: object) -> None:
    with pytest.raises(ValueError, match="true or false"):
        clean(BY_NAME["HAServiceFailover"], wrong)


@pytest.mark.parametrize("wrong", ["Primary", "primary ", "master", "", 1, True, "primary\0"], ids=repr)
def test_roles_are_the_manuals_three_words(wrong: object) -> None:
    with pytest.raises(ValueError, match=r"one of|text"):
        clean(BY_NAME["HAServerRole"], wrong)


@pytest.mark.parametrize("each", TEXTS, ids=lambda each: each.name)
@pytest.mark.parametrize(
    "wrong", [7, True, 1.5, ["a"], {"a": "b"}, "a\0b", "\ud800", "x" * 1_000_000], ids=lambda value: repr(value)[:20]
)
def test_no_field_takes_another_type_or_broken_text(each, wrong: object) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=r"\w"):
        clean(each, wrong)


@pytest.mark.parametrize("blank", ["", " ", "\t\n"], ids=repr)
@pytest.mark.parametrize("name", ["HAServerAddress", "HAPeerFingerprint", "HAAlertEmail", "HAAdminAlertScript"])
def test_blank_text_empties_a_field(name: str, blank: str) -> None:
    assert clean(BY_NAME[name], blank) == ""


@pytest.mark.parametrize(
    ("given", "normal"),
    [
        ("192.0.2.1", "192.0.2.1"),
        (" 192.0.2.1 ", "192.0.2.1"),
        ("2001:DB8:0:0::1", "2001:db8::1"),
        ("Alpha.Example.COM.", "alpha.example.com"),
        ("a-b.example", "a-b.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
    ],
)
def test_addresses_have_one_normal_form(given: str, normal: str) -> None:
    assert clean(BY_NAME["HAServerAddress"], given) == normal


@pytest.mark.parametrize(
    "wrong",
    [
        "999.1.1.1", "1.2.3", "1.2.3.4.5", "0.0.0.0",  # noqa: S104
        "::", "127.0.0.1", "::1", "224.0.0.1", "ff02::1", "240.0.0.1",
        "255.255.255.255", "fe80::1%eth0", "192.0.2.0/24", "192.0.2.1:443", "[2001:db8::1]", "beta", "-a.example",
        "a-.example", "a..example", ".example", "a_b.example", "bücher.example", "a.example;reboot",
        "$(reboot).example",
        "`id`.example", "a b.example", "a.example\nb.example", "http://a.example", "a" * 64 + ".example",
        "abc." * 70 + "example", "010.1.1.1", "a.example\u2028", "1.2.3.4\r\nHost: x",
    ],
    ids=repr,
)  # fmt: skip
def test_what_is_neither_address_nor_name_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"Must be|May"):
        clean(BY_NAME["HAPeerAddress"], wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        "A" * 43, "sha256:" + "A" * 43, "SHA256:" + "A" * 42, "SHA256:" + "A" * 44, "SHA256:" + "A" * 42 + "=",
        "SHA256:" + "A" * 42 + "B", "SHA256:" + "_" * 43, "MD5:00:11", FINGERPRINT + "\n" + FINGERPRINT,
    ],
    ids=repr,
)  # fmt: skip
def test_only_the_fingerprint_of_a_key_is_one(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"Must be|May"):
        clean(BY_NAME["HAPeerFingerprint"], wrong)


def test_a_pasted_fingerprint_may_have_blanks_around_it() -> None:
    assert clean(BY_NAME["HAPeerFingerprint"], f" {FINGERPRINT} ") == FINGERPRINT


@pytest.mark.parametrize("good", ["ops@example.com", "o.p-s+ha@mail.example", "root@localhost"])
def test_an_email_account_is_accepted(good: str) -> None:
    assert clean(BY_NAME["HAAlertEmail"], good) == good


@pytest.mark.parametrize(
    "wrong",
    [
        "ops", "@example.com", "ops@", "a@b@c.example", "ops@example.com, more@example.com", "Ops <ops@example.com>",
        "ops@example.com\r\nBcc: x@example.com", "ops @example.com", "-f@-x", "ops@exa mple.com", "ops@192.0.2.1",
        "o" * 65 + "@example.com", "ops@" + "e" * 300 + ".com", ".ops@example.com", "o..ps@example.com",
    ],
    ids=repr,
)  # fmt: skip
def test_what_is_not_one_email_account_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"Must be|May"):
        clean(BY_NAME["HAAlertEmail"], wrong)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("#!/bin/bash\necho $1\n", "#!/bin/bash\necho $1\n"),
        ("#!/bin/bash\r\necho $1\r\n", "#!/bin/bash\necho $1\n"),
        ("logger $1", "logger $1\n"),
        ("#!/usr/bin/env bash\n:\n", "#!/usr/bin/env bash\n:\n"),
        ("#! /bin/sh -e\n:\n", "#! /bin/sh -e\n:\n"),
        ("# «ünï»\n", "# «ünï»\n"),
    ],
)
def test_a_bash_script_is_kept_with_unix_line_ends(given: str, kept: str) -> None:
    assert clean(BY_NAME["HAAdminAlertScript"], given) == kept


@pytest.mark.parametrize("wrong", ["#!/usr/bin/python3\n", "#!/bin/bash\n\0", "é" * 40_000, "\udcff"], ids=ascii)
def test_what_is_not_a_bash_script_of_64_kib_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"Must be|May"):
        clean(BY_NAME["HAAdminAlertScript"], wrong)
