"""The applied fields as numbers to decide with."""

from __future__ import annotations

import pytest

from app.core import fields
from app.core.pairconfig import PairConfig, ProtectionMode, pair_config


def test_nothing_applied_means_the_manuals_defaults() -> None:
    config = pair_config({})
    assert config == PairConfig()
    assert config.detection_window_s == 180.0


def test_the_defaults_are_those_of_the_declared_fields() -> None:
    declared = {name: each.default for name, each in fields.BY_NAME.items()}
    assert pair_config(declared) == PairConfig()


def test_applied_values_are_taken() -> None:
    config = pair_config(
        {
            "HAPingInterval": 1, "HAPingIterations": 3, "HAProtectionMode": "protection", "HAServiceFailover": False,
            "HAFailoverLagBound": 5, "HAAntiFlappingTime": 60, "HAStandbyOnlineEvent": True, "HAFileSyncInterval": 30,
            "HAPingMonitor1": "10.0.0.9", "HAPingMonitor2": "", "HAPingMonitor3": "host.example",
        }
    )  # fmt: skip
    assert config == PairConfig(
        ping_interval_s=1.0, ping_iterations=3, protection_mode=ProtectionMode.PROTECTION, service_failover=False,
        failover_lag_bound_s=5.0, anti_flapping_s=60.0, standby_online_event=True, file_sync_interval_s=30.0,
        ping_targets=("10.0.0.9", "host.example"),
    )  # fmt: skip
    assert config.ping_timeout_s == 0.5
    assert PairConfig().ping_timeout_s == 2.0


@pytest.mark.parametrize(
    ("missed", "usual_s", "expected"),
    [
        (0, 0.001, 0.5), (1, 0.001, 0.5), (2, 0.001, 0.2), (3, 0.001, 0.5),
        (2, 0.03, 0.3), (2, 0.2, 0.5), (2, None, 0.5),
    ],
)  # fmt: skip
def test_only_the_ping_that_ends_the_window_waits_no_longer_than_answers_take(
    missed: int, usual_s: float | None, expected: float
) -> None:
    config = PairConfig(ping_interval_s=1.0, ping_iterations=3)
    assert config.ping_patience_s(missed, usual_s) == pytest.approx(expected)


def test_a_window_of_one_ping_gives_it_its_whole_time() -> None:
    assert PairConfig(ping_interval_s=1.0, ping_iterations=1).ping_patience_s(0, 0.001) == 0.5
