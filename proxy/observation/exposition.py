"""Renders a snapshot of the metrics as text. Slow (milliseconds): never in the event loop."""

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate
from typing import Final

from prometheus_client import GC_COLLECTOR, PROCESS_COLLECTOR, CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from prometheus_client.samples import Exemplar as OpenMetricsExemplar
from prometheus_client.utils import floatToGoString

from proxy.observation.exemplars import exemplar_of
from proxy.observation.families import FAMILIES, Family
from proxy.observation.series import Exemplar, Exemplars, Labels, Snapshot

_LONGEST: Final = 1024
_KNOWN = re.compile(
    r"[\w.+*/-]+(?:\s*;\s*(?:version=[0-9]{1,3}(?:\.[0-9]{1,3}){0,2}|(?!version)[\w.-]+=[\w.+-]*))*",
    re.ASCII,
)

SampleValues = dict[Labels, float | list[float]]
ByLabels = Mapping[Labels, Mapping[int, Exemplar]]
Bucket = tuple[str, float] | tuple[str, float, OpenMetricsExemplar]
_NO_EXEMPLARS: Exemplars = {}


def render(
    snapshot: Snapshot, accept: str, exemplars: Exemplars = _NO_EXEMPLARS
) -> tuple[bytes, str]:
    """The body and its content type: OpenMetrics where `accept` asks for it, else plain text.

    Exemplars are told in OpenMetrics only. What is told of the process is read here and now.
    """
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Frozen(snapshot, exemplars))
    registry.register(PROCESS_COLLECTOR)
    registry.register(GC_COLLECTOR)
    encode, content_type = choose_encoder(_understood(accept))
    return encode(registry), content_type


def _understood(accept: str) -> str:
    """What of an Accept header has no version, or one that is a number; the rest is not looked at.

    The encoder compares versions, and repeats them in the content type.
    """
    return ",".join(part for part in accept[:_LONGEST].split(",") if _KNOWN.fullmatch(part.strip()))


class _Frozen(Collector):
    def __init__(self, snapshot: Snapshot, exemplars: Exemplars) -> None:
        self._snapshot, self._exemplars = snapshot, exemplars

    def describe(self) -> Iterable[Metric]:
        return ()

    def collect(self) -> Iterator[Metric]:
        for name, family in FAMILIES.items():
            yield _metric(family, self._snapshot.get(name, {}), self._exemplars.get(name, {}))


def _metric(family: Family, values: SampleValues, exemplars: ByLabels) -> Metric:
    if family.kind == "histogram":
        return _histogram(family, values, exemplars)
    if family.kind == "counter":
        return _counter(family, values, exemplars)
    metric = GaugeMetricFamily(family.name, family.help, labels=family.labels)
    for labels, value in values.items():
        if not isinstance(value, list):
            metric.add_metric(labels, value)
    return metric


def _counter(family: Family, values: SampleValues, exemplars: ByLabels) -> Metric:
    metric = CounterMetricFamily(family.name, family.help, labels=family.labels)
    for labels, value in values.items():
        if not isinstance(value, list):
            known = exemplars.get(labels)
            metric.add_metric(labels, value, exemplar=exemplar_of(known[0]) if known else None)
    return metric


def _histogram(family: Family, values: SampleValues, exemplars: ByLabels) -> Metric:
    metric = HistogramMetricFamily(family.name, family.help, labels=family.labels)
    bounds = [*map(floatToGoString, family.buckets), "+Inf"]
    for labels, cells in values.items():
        if isinstance(cells, list):
            *counts, total = cells
            known = exemplars.get(labels, {})
            sums = enumerate(zip(bounds, accumulate(counts), strict=True))
            buckets = [_bucket(le, count, known.get(n)) for n, (le, count) in sums]
            metric.add_metric(labels, buckets, total)
    return metric


def _bucket(le: str, count: float, exemplar: Exemplar | None) -> Bucket:
    shown = exemplar_of(exemplar) if exemplar is not None else None
    return (le, count) if shown is None else (le, count, shown)
