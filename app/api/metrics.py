"""Figures for Prometheus: no login, nothing secret (app.core.metrics says what there is)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from flask import Response, make_response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, SummaryMetricFamily
from prometheus_client.registry import Collector

from app.api.body import Resource
from app.api.door import open_to_all
from app.api.parts import node
from app.api.status import seen
from app.core.fields import PING_MONITORS
from app.core.metrics import METRICS, PREFIX, Counts, Figure, Metric, MetricKind, figures

resource = Resource("metrics", __name__, "Metrics")

Family = GaugeMetricFamily | CounterMetricFamily | SummaryMetricFamily


@resource.route("/metrics", methods=["GET"])
@open_to_all
@resource.response(200, {"type": "string"}, content_type="text/plain")
def metrics() -> Response:
    """Figures for Prometheus. Like the health calls they need no login, and hold no address, name or secret."""
    registry = CollectorRegistry()
    registry.register(_Once(figures(seen(node()), _counts())))
    response = make_response(generate_latest(registry))
    response.headers["Content-Type"] = CONTENT_TYPE_LATEST
    return response


def _counts() -> Counts:
    store = node().store
    applied = store.config().applied
    return Counts(
        events=store.event_counts(),
        deliveries=store.delivery_counts(),
        jobs=store.job_times(),
        targets={str(applied[name]): name for name in PING_MONITORS if applied.get(name)},
    )


class _Once(Collector):
    """Hands the figures of one moment to the library."""

    def __init__(self, found: Iterable[Figure]) -> None:
        self._figures: dict[str, list[Figure]] = {}
        for each in found:
            self._figures.setdefault(each.metric, []).append(each)

    def collect(self) -> Iterator[Family]:
        for metric in METRICS:
            if metric.name in self._figures:
                yield _family(metric, self._figures[metric.name])


def _family(metric: Metric, found: Iterable[Figure]) -> Family:
    name = PREFIX + metric.name
    if metric.kind is MetricKind.SUMMARY:
        summary = SummaryMetricFamily(name, metric.text, labels=metric.labels)
        for each in found:
            summary.add_metric(each.labels, each.count, each.value)
        return summary
    kind = CounterMetricFamily if metric.kind is MetricKind.COUNTER else GaugeMetricFamily
    family = kind(name, metric.text, labels=metric.labels)
    for each in found:
        family.add_metric(each.labels, each.value)
    return family
