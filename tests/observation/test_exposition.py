"""The text that Prometheus reads."""

import threading

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_open
from prometheus_client.parser import text_string_to_metric_families as parse

from proxy.observation.exposition import render
from proxy.observation.families import FAMILIES
from proxy.observation.series import Series

OPEN = "application/openmetrics-text; version=1.0.0; charset=utf-8"


@pytest.fixture
def series() -> Series:
    """Every family with one series of hostile labels."""
    series = Series()
    for name, family in FAMILIES.items():
        labels = tuple('a"b\\c\nd' for _ in family.labels)
        if family.kind == "histogram":
            series.spread(name, *labels).observe(family.buckets[1])
        else:
            series.numbers(name)[labels] += 2
    return series


@pytest.mark.parametrize(
    ("accept", "kind", "read"),
    [
        pytest.param("", "text/plain; version=0.0.4; charset=utf-8", parse, id="plain"),
        pytest.param("*/*", "text/plain; version=0.0.4; charset=utf-8", parse, id="anything"),
        pytest.param(OPEN, "application/openmetrics-text; version=1.0.0", parse_open, id="open"),
    ],
)
def test_every_family_can_be_read_back(series: Series, accept: str, kind: str, read) -> None:
    text, content_type = render(series.snapshot(), accept)
    families = {family.name: family for family in read(text.decode())}

    assert content_type.startswith(kind)
    assert {name.removesuffix("_total") for name in FAMILIES} == set(families)
    for name, family in FAMILIES.items():
        told = families[name.removesuffix("_total")]
        assert (family.kind, family.help) == (told.type, told.documentation)
        assert {'a"b\\c\nd'} >= {told.samples[0].labels[label] for label in family.labels}


def test_a_histogram_is_cumulative_with_sum_and_count() -> None:
    series = Series()
    spread = series.spread("sidelight_event_loop_lag_seconds")
    for value in (0.0001, 0.0002, 0.3, 7.0):
        spread.observe(value)
    text = render(series.snapshot(), "")[0].decode()

    for line in (
        '_bucket{le="0.0001"} 1.0',
        '_bucket{le="0.00025"} 2.0',
        '_bucket{le="0.1"} 2.0',
        '_bucket{le="0.5"} 3.0',
        '_bucket{le="+Inf"} 4.0',
        "_count 4.0",
        "_sum 7.3003",
    ):
        assert f"sidelight_event_loop_lag_seconds{line}\n" in text


def test_a_family_without_a_series_is_still_announced() -> None:
    text = render(Series().snapshot(), "")[0].decode()

    assert "# TYPE sidelight_streams_active gauge\n" in text


def test_rendering_is_right_while_counters_change(series: Series) -> None:
    """A scrape in its thread sees one moment: no bucket counts what the total does not."""
    spread = series.spread("sidelight_event_loop_lag_seconds")
    snapshot = series.snapshot()
    answers: list[bytes] = []
    thread = threading.Thread(target=lambda: answers.append(render(snapshot, "")[0]))
    expected = render(snapshot, "")[0]
    thread.start()
    n = 0
    while thread.is_alive():
        n += 1
        spread.observe(0.001)
        series.numbers("sidelight_drain_exchanges_total")[(str(n),)] += 1
    thread.join()

    assert [expected] == answers
