"""Canned answers of a healthy primary, in the shapes of the API; tests change what they are about."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from app.core.config import complete, differences
from app.core.fields import FIELDS
from app.core.roles import TRANSITIONS
from tests.browser.canned import Answer, Route, ok, problem

POINTS, FAILOVER_AGO = 360, 120
USERNAME, PASSWORD = "dana", "correct horse battery staple"
APPLIED = {
    "HAServerRole": "primary",
    "HAServerAddress": "10.77.1.11",
    "HAPeerAddress": "10.77.1.12",
    "HAPeerFingerprint": "SHA256:" + "A" * 43,
    "HAAlertEmail": "ops@example.com",
}


def session(**more: Any) -> dict[str, Any]:
    return {
        "username": USERNAME,
        "role": "administrator",
        "scope": "configure",
        "csrf_token": "canned-token",
        "ends_at": "2026-11-23T02:00:00+00:00",
        "password_change_needed": False,
        "totp": False,
        "recovery_codes": None,
        **more,
    }


def auditor() -> dict[str, Any]:
    return session(username="erin", role="auditor", scope="read")


def user(name: str = USERNAME, **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "role": "administrator",
        "totp": False,
        "recovery_codes": 0,
        "password_change_needed": False,
        "sessions": 1,
        "created_at": "2026-11-01T08:00:00+00:00",
        "password_changed_at": "2026-11-01T08:00:00+00:00",
        **more,
    }


def token(**more: Any) -> dict[str, Any]:
    return {
        "id": "0a1b2c",
        "label": "ansible",
        "scope": "operate",
        "created_by": USERNAME,
        "created_at": "2026-11-01T08:00:00+00:00",
        "last_used_at": None,
        "expires_at": "2027-11-01T08:00:00+00:00",
        **more,
    }


def alerts(**more: Any) -> dict[str, Any]:
    mail = {
        "host": "mail.example.com", "port": 587, "security": "starttls", "sender": "hapair@example.com",
        "username": "hapair", "password_set": True, "authority": "", "saved": True, "to": "ops@example.com",
        "warnings": [],
    }  # fmt: skip
    webhook = {"url": "https://bell.example.com/hapair", "secret_set": True, "authority": "", "warnings": []}
    return {
        "mail": mail,
        "webhook": webhook,
        "waiting": {"script": 0, "mail": 1, "webhook": 0, "log": 0},
        **more,
    }


def alert_test(channel: str, state: str = "done", **result: Any) -> dict[str, Any]:
    found = {
        "detail": "The server took it.", "hint": "", "output": "", "exit_code": 0, "duration_s": 0.2,
        "parameters": ["Failover", "alpha", "beta"], **result,
    }  # fmt: skip
    return {
        "id": "01TEST",
        "channel": channel,
        "state": state,
        "actor": USERNAME,
        "created_at": "2026-11-22T14:00:00+00:00",
        "ended_at": "2026-11-22T14:00:01+00:00",
        "result": found if state in ("done", "failed") else None,
    }


def certificate(**more: Any) -> dict[str, Any]:
    return {
        "subject": "alpha",
        "issuer": "hapair on alpha",
        "names": ["alpha", "10.77.1.11"],
        "not_before": "2026-11-01T08:00:00+00:00",
        "not_after": "2027-11-01T08:00:00+00:00",
        "days_left": 344,
        "fingerprint": ":".join(["AB"] * 32),
        "made_here": True,
        "authority": "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
        **more,
    }


def field_declarations() -> list[dict[str, Any]]:
    return [asdict(each) | {"roles": sorted(each.roles), "default": each.default} for each in FIELDS]


def config(applied: dict[str, Any] | None = None, draft: dict[str, Any] | None = None) -> dict[str, Any]:
    before = complete(applied or APPLIED)
    after = before if draft is None else complete({**before, **draft})
    return {
        "state": "applied" if draft is None else "draft",
        "applied": before,
        "draft": None if draft is None else after,
        "changes": [{"field": d.field, "from": d.before, "to": d.after} for d in differences(before, after)],
        "fields": field_declarations(),
        "transitions": [asdict(row) for row in TRANSITIONS],
        "saved_by": None if draft is None else "dana",
        "saved_at": None if draft is None else "2026-11-22T14:03:00+00:00",
        "failed": None,
        "script_check": None,
    }


def event(identifier: int, kind: str, *parameters: str, detail: str = "") -> dict[str, Any]:
    return {
        "id": identifier,
        "kind": kind,
        "at": f"2026-11-22T14:{identifier % 60:02d}:11+00:00",
        "node": "alpha",
        "parameters": [kind, *parameters],
        "detail": detail,
    }


def job(state: str = "succeeded", **more: Any) -> dict[str, Any]:
    return {
        "id": "01JOB",
        "kind": "swap",
        "state": state,
        "steps": [],
        "message": "",
        "error": None,
        "actor": "dana",
        "created_at": "2026-11-22T14:00:00+00:00",
        "started_at": "2026-11-22T14:00:00+00:00",
        "ended_at": None if state == "running" else "2026-11-22T14:01:00+00:00",
        **more,
    }


def rescue(identifier: str = "20261122T140211Z-3", **more: Any) -> dict[str, Any]:
    return {
        "id": identifier,
        "kind": "rejoin",
        "at": "2026-11-22T14:02:11+00:00",
        "term": 3,
        "reason": "This server was primary and has rejoined: its own transactions.",
        "path": f"/var/lib/hapair/rescue/{identifier}",
        "transactions": 2,
        "arrived": 0,
        "rows_by_table": {"shop.orders": 3},
        "files": 4,
        "bytes": 12_345,
        **more,
    }


def system() -> dict[str, Any]:
    return {
        "hostname": "alpha",
        "addresses": ["10.77.1.11"],
        "gateway": "10.77.1.1",
        "tunnel_network": "",
        "version": "0.1.0",
        "cpus": 2,
        "memory_bytes": 25_769_803_776,
        "disk_bytes": 100_000_000_000,
        "disk_free_bytes": 60_000_000_000,
    }


def always(body: Any, **headers: str) -> Route:
    def answer(_request: dict[str, Any]) -> Answer:
        return ok(body, **headers)

    return answer


def log_in(request: dict[str, Any]) -> Answer:
    if request["body"] == {"username": USERNAME, "password": PASSWORD}:
        return ok(session())
    return problem(401, "login-refused", "Wrong User Name or Password", hint="Check both; capital letters count.")


def status(**more: Any) -> dict[str, Any]:
    """A stable pair as its primary sees it."""
    return {
        "node": {
            "hostname": "alpha",
            "role": "primary",
            "writable": True,
            "address": "10.77.1.11",
            "phase": "paired",
            "maintenance": False,
            "operation": "",
        },
        "peer": {
            "hostname": "beta",
            "address": "10.77.1.12",
            "role": "secondary",
            "writable": False,
            "heard": True,
            "heartbeat_age_s": 0.4,
            "error": "",
            "lag_s": 0.1,
        },
        "status": "stable",
        "reasons": [],
        "failover": {"ready": True, "reasons": [], "lost_bound": "Nothing that was acknowledged.", "window_s": 180},
        "term": 3,
        "fenced": None,
        "replication": {"receiver_running": True, "applier_running": True, "lag_s": 0.1},
        "files": {"pending": 0, "trouble": "", "complete_at": "2026-11-22T14:00:00+00:00", "last_error": ""},
        "pings": {
            "interval_s": 15,
            "iterations": 12,
            "peer": {"address": "10.77.1.12", "missed": 0, "round_trip_ms": 0.31},
            "gateway": {"address": "10.77.1.1", "answers": True},
            "targets": {"10.77.9.1": True, "10.77.9.2": True},
            "near_miss": {"missed": 2, "at": "2026-11-22T11:00:00+00:00"},
        },
        "alarms": [],
        "database": {"ok": True, "error": ""},
        "rescues": {"count": 0, "newest": None},
        "virtual_address": None,
        "monitor": {"running": True, "age_s": 0.4},
        "protection": {
            "mode": "availability",
            "promise": "Commits wait for the standby while it is in the pair.",
            "holds": True,
        },
        "job": None,
        **more,
    }


def history(**more: Any) -> dict[str, Any]:
    """An hour of a quiet pair, but for one failover twenty minutes ago."""
    now = datetime.now(UTC)

    def point(number: int) -> dict[str, Any]:
        after_failover = number == POINTS - FAILOVER_AGO
        return {
            "at": (now - timedelta(seconds=10 * (POINTS - number))).isoformat(),
            "round_trip_ms": 0.3 + (number * number % 17) / 100,
            "failed_pings": 3 if after_failover else 0,
            "missed": 3 if after_failover else 0,
            "lag_s": 0.1 + (number * number % 23) / 25,
            "files": max(0, number * number % 29 - 20),
            "outage_s": 3.3 if after_failover else 0.0,
        }

    failover = event(1, "Failover", "alpha", "beta") | {"at": (now - timedelta(seconds=10 * FAILOVER_AGO)).isoformat()}
    return {
        "since": (now - timedelta(hours=1)).isoformat(),
        "until": now.isoformat(),
        "length_s": 10,
        "points": [point(number) for number in range(POINTS)],
        "events": [failover],
        **more,
    }


def activity(identifier: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "id": identifier,
        "at": "2026-11-22T14:03:00+00:00",
        "node": "alpha",
        "node_id": "node-a",
        "node_entry": identifier,
        "actor": "dana",
        "address": "10.77.1.5",
        "action": "draft-saved",
        "subject": "HAAlertEmail",
        "outcome": "done",
        "detail": {"changes": [{"field": "HAAlertEmail", "from": "", "to": "ops@example.com"}]},
        "chain": "0" * 64,
        **more,
    }


def chain(source: str = "pair", **more: Any) -> dict[str, Any]:
    return {
        "source": source, "node_id": "node-a", "node": "alpha", "last": 5, "chain": "0" * 64, "waiting": 0,
        "broken": None, **more,
    }  # fmt: skip


def activity_page(*items: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"source": "pair", "items": list(items), "next": None, "looked_back_to": None, **more}


def routes() -> dict[str, Route]:
    """All answers of a healthy primary with somebody logged in."""
    events = [
        event(3, "ManualSwitch", "alpha", "beta"),
        event(2, "ClearAlarm", "Replication stopped: Duplicate entry '7' for key 'PRIMARY'"),
        event(1, "Failover", "beta", "alpha", detail="12 pings in a row failed; the gateway answered."),
    ]
    return {
        "GET /session": always(session()),
        "POST /session": log_in,
        "GET /ha/status": always(status()),
        "GET /ha/config": always(config(), ETag='"1"'),
        "GET /ha/events": always({"items": events, "next": None}),
        "GET /jobs": always({"items": [job(message="The roles are swapped.")], "next": None}),
        "GET /activity": always(activity_page(activity())),
        "GET /ha/history": always(history()),
        "POST /ha/alerts/script/check": always({"ok": True, "findings": [], "shellcheck": "0.9.0", "notes": []}),
        "GET /ha/rescues": always({"items": [rescue()], "count": 1}),
        "GET /system": always(system()),
        "GET /system/certificate": always(certificate()),
        "GET /users": always({"items": [user(), user("erin", role="auditor", totp=True, recovery_codes=9)]}),
        "GET /tokens": always({"items": [token()]}),
        "GET /ha/alerts": always(alerts()),
    }


def step(title: str = "Check both servers", state: str = "done", detail: str = "") -> dict[str, Any]:
    return {
        "name": "check",
        "title": title,
        "state": state,
        "progress": {"done": 0, "total": None},
        "detail": detail,
        "started_at": "2026-11-22T14:00:00+00:00",
        "ended_at": "2026-11-22T14:00:02+00:00",
    }
