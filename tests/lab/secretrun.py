"""`python -m tests.lab.secretrun`: a pair lives through everything while its processes are watched; then all that it
has left is searched for every secret. Exits with 1 where one is found."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tests.lab.acts import other, primary_of, recover, wait_stable
from tests.lab.client import browser_at, log_in
from tests.lab.pairing import Timing, pair
from tests.lab.secretsearch import FINGERPRINT, Finding, Sampler, Secrets, of_installation, search
from tests.lab.servers import Servers, bring_up

QUICK = Timing(ping_interval=1, ping_iterations=3)
RECOVER_S = 240.0
"""However loaded the machine is: this run measures nothing."""
PASSWORD = "seven quiet lamps by the river"
MAIL_PASSWORD, WEBHOOK_SECRET = "mail-words-of-this-run", "webhook-words-of-this-run"
MAIL = {
    "host": "mail.example.net", "port": 587, "security": "starttls", "sender": "ha@example.net", "username": "ha",
    "password": MAIL_PASSWORD,
}  # fmt: skip
WEBHOOK = {"url": "https://hooks.example.net/x", "secret": WEBHOOK_SECRET}


def main() -> int:
    """The exit code; what was found is printed."""
    servers = bring_up(f"secrets-{os.getpid()}")
    try:
        found, looks = live(servers)
    finally:
        servers.close()
        servers.lab.down()
    for each in found:
        print(f"FOUND {each.secret} in {each.place}")
    print(f"{len(found)} secrets where they do not belong; the processes were looked at {looks} times")
    return 1 if found else 0


def live(servers: Servers) -> tuple[list[Finding], int]:
    """Set-up, log-ins, tokens, users, alerts, swap and failover; what was found, and how often was looked."""
    secrets = Secrets()
    with Sampler(servers) as sampler:
        pair(servers.apis, servers.hosts, QUICK)
        wait_stable(servers, "a")
        secrets.values |= of_installation(servers).values
        secrets.add(FINGERPRINT, servers.apis["a"].ask("GET", "/ha/config")["applied"]["HAPeerFingerprint"])
        use(servers, secrets)
        swap = servers.apis["a"].ask("POST", "/ha/swap", {})["job"]["id"]
        servers.apis["a"].finish(str(swap))
        wait_stable(servers, "b")
        servers.lab.fault("power-cut", "b")
        servers.apis["a"].wait_status("degraded", RECOVER_S, role="primary")
        recover(servers, RECOVER_S)
        give_alerts(servers, secrets)
        leave_backup(servers)
    return [*search(servers, secrets), *sampler.findings(secrets)], sampler.looks


def use(servers: Servers, secrets: Secrets) -> None:
    """What administrators type and are given: it becomes secrets that are looked for."""
    primary = primary_of(servers)
    for host in (primary, other(primary)):
        given = servers.hosts[host]
        with browser_at(given) as browser:
            answer = log_in(browser, given)
            if answer.ok:
                secrets.add(f"CSRF token of {host}", answer.json()["csrf_token"])
                secrets.add(f"session cookie of {host}", next(iter(browser.cookies)).value or "")
            log_in(browser, given, PASSWORD + "!")
        made = servers.apis[host].ask("POST", "/tokens", {"label": "searched", "scope": "read"})
        secrets.add(f"token made on {host}", made["token"])
    secrets.add("wrong password that was tried", PASSWORD + "!")
    servers.apis[primary].ask("POST", "/users", {"name": "lee", "password": PASSWORD, "role": "auditor"})
    secrets.add("password of a new user", PASSWORD)
    servers.lab.run(primary, "hapair", "user", "password", "lee", given=PASSWORD + " again\n")


def give_alerts(servers: Servers, secrets: Secrets) -> None:
    """Alerts have log-ins to servers that are not there: what is tried and fails is logged."""
    api = servers.apis[primary_of(servers)]
    api.save_alerts("mail", MAIL)
    api.save_alerts("webhook", WEBHOOK)
    secrets.add("password of the mail server", MAIL_PASSWORD)
    secrets.add("secret of the webhook", WEBHOOK_SECRET)
    api.call("POST", "/ha/alerts/mail/test", {})
    api.call("POST", "/ha/alerts/webhook/test", {})


def leave_backup(servers: Servers) -> None:
    """A copy of the database as a backup would hold it, in the primary's mirrored tree."""
    primary = primary_of(servers)
    copy = servers.lab.check(primary, "mariadb-dump", "--all-databases")
    (Path(servers.hosts[primary]["files"]) / "backup.sql").write_text(copy)


if __name__ == "__main__":
    sys.exit(main())
