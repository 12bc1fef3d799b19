"""The docs of the figures, the example rules and the dashboard are true; rules also by promtool where it is there."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from app.core.metrics import METRICS, PREFIX, MetricKind
from app.metrics_page import page

DOCS = Path(__file__).resolve().parents[2] / "docs"
RULES, DASHBOARD = DOCS / "monitoring" / "alerts.yml", DOCS / "monitoring" / "dashboard.json"
NAME = re.compile(r"\bhapair_\w+")
LABEL = re.compile(r"(hapair_\w+)\{([^}]*)\}")
OWN_LABELS = {"job", "instance"}


def declared() -> dict[str, set[str]]:
    """Each name that Prometheus sees, with its labels."""
    endings = {MetricKind.COUNTER: ("_total",), MetricKind.SUMMARY: ("_sum", "_count"), MetricKind.GAUGE: ("",)}
    return {f"{PREFIX}{each.name}{end}": set(each.labels) for each in METRICS for end in endings[each.kind]}


def expressions() -> list[str]:
    rules = re.findall(r"^ +expr: (.+)$", RULES.read_text(), re.MULTILINE)
    panels = json.loads(DASHBOARD.read_text())["panels"]
    return rules + [target["expr"] for panel in panels for target in panel["targets"]]


def test_the_page_is_made_from_the_tables_of_the_core() -> None:
    assert (DOCS / "metrics.md").read_text() == page(), "run `python -m app.metrics_page > docs/metrics.md`"


def test_rules_and_dashboard_name_only_figures_and_labels_that_there_are() -> None:
    known = declared()
    assert len(expressions()) > 20
    for expression in expressions():
        assert set(NAME.findall(expression)) <= set(known), expression
        for name, labels in LABEL.findall(expression):
            used = set(re.findall(r"(\w+)\s*[=!]", labels))
            assert used <= known[name] | OWN_LABELS, expression


def test_every_rule_is_whole() -> None:
    rules = RULES.read_text().split("- alert: ")[1:]
    assert len({rule.splitlines()[0] for rule in rules}) == len(rules) > 10
    for rule in rules:
        assert re.search(r"severity: (warning|critical)$", rule, re.MULTILINE), rule
        assert "summary: " in rule
        assert "description: " in rule


def test_every_panel_has_a_place_of_its_own() -> None:
    places = [
        tuple(panel["gridPos"][name] for name in ("x", "y")) for panel in json.loads(DASHBOARD.read_text())["panels"]
    ]
    assert len(set(places)) == len(places)


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool comes with Debian's package prometheus")
def test_promtool_finds_no_fault_in_the_rules() -> None:
    checked = subprocess.run(["promtool", "check", "rules", str(RULES)], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr
