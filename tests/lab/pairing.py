"""The manual's workflow "Setup HA Pair", step by step, through the API of both hosts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.lab.client import Api
from tests.waiting import wait_for

Json = dict[str, Any]
INITIALIZED = "HA setup change has initialized successfully."
ALERT_ACCOUNT = "operations@hapair.test"
READY_TIMEOUT_S = 30.0
STABLE_TIMEOUT_S = 120.0


@dataclass(frozen=True)
class Timing:
    """How often the servers ping one another, how many failures make a failover, and how soon there may be a second
    one; None keeps the default."""

    ping_interval: int | None = None
    ping_iterations: int | None = None
    anti_flapping_s: int | None = None


MANUAL_TIMING = Timing()


def primary_draft(hosts: Json, fingerprint: str, timing: Timing = MANUAL_TIMING) -> Json:
    """What the administrator enters on the primary."""
    draft = _draft("primary", hosts["a"], hosts["b"], fingerprint)
    return draft | ({"HAPingInterval": timing.ping_interval} if timing.ping_interval else {})


def secondary_draft(hosts: Json, fingerprint: str, timing: Timing = MANUAL_TIMING) -> Json:
    """What the administrator enters on the secondary."""
    draft = _draft("secondary", hosts["b"], hosts["a"], fingerprint)
    return (
        draft
        | ({"HAPingInterval": timing.ping_interval} if timing.ping_interval else {})
        | ({"HAPingIterations": timing.ping_iterations} if timing.ping_iterations else {})
        | ({"HAAntiFlappingTime": timing.anti_flapping_s} if timing.anti_flapping_s is not None else {})
    )


def _draft(role: str, here: Json, peer: Json, fingerprint: str) -> Json:
    return {
        "HAServerRole": role,
        "HAServerAddress": here["address"],
        "HAPeerAddress": peer["address"],
        "HAPeerFingerprint": fingerprint,
        "HAAlertEmail": ALERT_ACCOUNT,
    }


def wait_standalone(apis: dict[str, Api]) -> None:
    """Both servers answer and take writes, each by itself."""
    for api in apis.values():
        wait_ready(api)
        api.wait_status("standalone", READY_TIMEOUT_S)


def pair(apis: dict[str, Api], hosts: Json, timing: Timing = MANUAL_TIMING) -> None:
    """`a` is the primary and `b` the secondary of a stable pair. Raises AssertionError with what went wrong."""
    fingerprint = apis["a"].ask("POST", "/ha/fingerprint")["HAPeerFingerprint"]
    apis["a"].save_draft(primary_draft(hosts, fingerprint, timing))
    apis["b"].save_draft(secondary_draft(hosts, fingerprint, timing))
    for host in ("a", "b"):
        job = apis[host].finish(apis[host].apply())
        assert INITIALIZED in job["message"], f"APPLY on {host} ended with: {job['message']}"
    apis["a"].wait_status("stable", STABLE_TIMEOUT_S, role="primary")
    apis["b"].wait_status("stable", STABLE_TIMEOUT_S, role="secondary")


def wait_ready(api: Api) -> None:
    """The host's API answers through nginx."""
    wait_for(lambda: api.call("GET", "/health/live").status == 200, READY_TIMEOUT_S, "the API to answer")
