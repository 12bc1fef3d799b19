"""The applied fields as numbers to decide with."""

from __future__ import annotations

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
