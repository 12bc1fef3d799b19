"""No secret of a pair is in its logs, tables, queue, snapshots, mails or processes; the whole run is a command of its
own: `python -m tests.lab.secretrun`."""

from __future__ import annotations

import pytest

from tests.lab.network import HOSTS
from tests.lab.secretsearch import FINGERPRINT, REPLICATION, Finding, of_installation, search
from tests.lab.servers import Servers

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]


@pytest.mark.parametrize("topology", ["same"], indirect=True)
def test_secrets_are_only_where_they_belong(pair: Servers) -> None:
    secrets = of_installation(pair)
    secrets.add(FINGERPRINT, pair.apis["a"].ask("GET", "/ha/config")["applied"]["HAPeerFingerprint"])
    assert REPLICATION in secrets.values
    assert search(pair, secrets) == []
    # The search itself is tried: what is planted in a log is found.
    planted = pair.lab.places.data(HOSTS[0]) / "logs" / "planted.log"
    planted.write_text(f"login with {secrets.values[REPLICATION]} done\n")
    try:
        assert search(pair, secrets) == [Finding(f"{HOSTS[0]}/logs/planted.log", REPLICATION)]
    finally:
        planted.unlink()
