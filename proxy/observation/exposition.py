"""Renders a snapshot of the metrics as text. Slow (milliseconds): never in the event loop."""

import re
from collections.abc import Iterable, Iterator
from itertools import accumulate
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from proxy.observation.families import FAMILIES, Family
from proxy.observation.series import Labels, Snapshot

_LONGEST: Final = 1024
_KNOWN = re.compile(
    r"[\w.+*/-]+(?:\s*;\s*(?:version=[0-9]{1,3}(?:\.[0-9]{1,3}){0,2}|(?!version)[\w.-]+=[\w.+-]*))*",
    re.ASCII,
)

Values = dict[Labels, float | list[float]]


def render(snapshot: Snapshot, accept: str) -> tuple[bytes, str]:
    """The body and its content type: OpenMetrics where `accept` asks for it, else plain text."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Frozen(snapshot))
    encode, content_type = choose_encoder(_understood(accept))
    return encode(registry), content_type


def _understood(accept: str) -> str:
    """What of an Accept header has no version, or one that is a number; the rest is not looked at.

    The encoder compares versions, and repeats them in the content type.
    """
    return ",".join(part for part in accept[:_LONGEST].split(",") if _KNOWN.fullmatch(part.strip()))


class _Frozen(Collector):
    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def describe(self) -> Iterable[Metric]:
        return ()

    def collect(self) -> Iterator[Metric]:
        for name, family in FAMILIES.items():
            yield _metric(family, self._snapshot.get(name, {}))


def _metric(family: Family, values: Values) -> Metric:
    if family.kind == "histogram":
        return _histogram(family, values)
    make = CounterMetricFamily if family.kind == "counter" else GaugeMetricFamily
    metric = make(family.name, family.help, labels=family.labels)
    for labels, value in values.items():
        if not isinstance(value, list):
            metric.add_metric(labels, value)
    return metric


def _histogram(family: Family, values: Values) -> Metric:
    metric = HistogramMetricFamily(family.name, family.help, labels=family.labels)
    bounds = [*map(floatToGoString, family.buckets), "+Inf"]
    for labels, cells in values.items():
        if isinstance(cells, list):
            *counts, total = cells
            metric.add_metric(labels, list(zip(bounds, accumulate(counts), strict=True)), total)
    return metric
