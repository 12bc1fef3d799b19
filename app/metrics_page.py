"""Writes docs/metrics.md from the tables of the core: `python -m app.metrics_page > docs/metrics.md`."""

from __future__ import annotations

from collections.abc import Iterator

from app.core.alarmwords import WORDS
from app.core.metrics import METRICS, PREFIX, MetricKind
from app.core.notices import NOTICES, UNKNOWN

INTRODUCTION = """# Figures, event codes and alarms

Made from the tables in `app/core` by `python -m app.metrics_page > docs/metrics.md`; a test compares the two.

## Figures for Prometheus

`GET /api/v1/metrics` on each server. It needs no login, like the health calls, so that a scraper needs no secret; it
holds no address, name or secret (ping targets are named by their field). Who should not see it is kept out by the
network or by a rule in nginx. [monitoring/alerts.yml](monitoring/alerts.yml) has example rules,
[monitoring/dashboard.json](monitoring/dashboard.json) a dashboard for Grafana; a test holds both to this table. What is
not known is left out: a missing figure is never a zero.

```yaml
scrape_configs:
  - job_name: hapair
    scheme: https
    metrics_path: /api/v1/metrics
    static_configs: [{targets: ["alpha.example.org", "beta.example.org"]}]
```

| figure | kind | labels | says |
|---|---|---|---|
"""
CODES = """
## Event codes

Each event is a line in the system's log (journald or syslog, identifier `hapair`, facility daemon) that begins with
its code: `HA1001 Failover: …`. Codes never change. The same code is in the webhook's call.

| code | kind | weight | goes out on | says |
|---|---|---|---|---|
"""
ALARMS = """
## Alarms

The codes of `hapair_alarm`, of `AlarmRaised` and of `AlarmCleared`.

| code | means | what to do |
|---|---|---|
"""


def page() -> str:
    return INTRODUCTION + _lines(_figures()) + CODES + _lines(_codes()) + ALARMS + _lines(_alarms())


def _lines(rows: Iterator[tuple[str, ...]]) -> str:
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _figures() -> Iterator[tuple[str, ...]]:
    endings = {MetricKind.COUNTER: "_total", MetricKind.SUMMARY: "_sum`, `_count"}
    for each in METRICS:
        name = f"`{PREFIX}{each.name}{endings.get(each.kind, '')}`"
        yield name, each.kind.value, ", ".join(f"`{label}`" for label in each.labels), each.text


def _codes() -> Iterator[tuple[str, ...]]:
    for each in (*NOTICES, UNKNOWN):
        kind = f"`{each.kind}`" if each.kind else ""
        yield f"`{each.code}`", kind, each.severity.value, ", ".join(each.channels), each.title


def _alarms() -> Iterator[tuple[str, ...]]:
    for code, words in sorted(WORDS.items()):
        yield f"`{code}`", words.title, words.advice


if __name__ == "__main__":
    print(page(), end="")
