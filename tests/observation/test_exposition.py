"""The text that Prometheus reads."""

import threading

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_open
from prometheus_client.parser import text_string_to_metric_families as parse
from prometheus_client.samples import Sample

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
    ours = {name for name in families if not name.startswith(("process_", "python_gc_"))}
    assert {name.removesuffix("_total") for name in FAMILIES} == ours
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


def ours(text: bytes) -> list[bytes]:
    """Without what tells of the process, which differs from one reading to the next."""
    return [line for line in text.splitlines() if b"process_" not in line and b"gc_" not in line]


def test_a_scrape_tells_of_the_process_and_its_garbage() -> None:
    text = render(Series().snapshot(), "")[0].decode()

    for name in (
        "process_resident_memory_bytes",
        "process_cpu_seconds_total",
        "process_open_fds",
        "process_start_time_seconds",
        'python_gc_collections_total{generation="0"}',
    ):
        assert f"\n{name} " in text


def open_samples(series: Series) -> list[Sample]:
    text, _ = render(series.snapshot(), OPEN, series.exemplars())
    return [each for family in parse_open(text.decode()) for each in family.samples]


def test_a_bucket_names_its_latest_exchange() -> None:
    series = Series()
    spread = series.spread("sidelight_request_duration_seconds", "chat")
    spread.observe_of(0.2, "id-1", b"", 1e9)
    spread.observe_of(0.2, "id-2", b"\xaa" * 16, 1e9 + 1)
    spread.observe_of(7.0, "id-3", b"", None)
    told = {each.labels["le"]: each.exemplar for each in open_samples(series) if each.exemplar}

    assert {"0.25", "10.0"} == set(told)
    assert ({"request_id": "id-2", "trace_id": "a" * 32}, 0.2) == told["0.25"][:2]
    assert 1e9 + 1 == float(told["0.25"].timestamp)
    assert ({"request_id": "id-3"}, 7.0, None) == told["10.0"]


def test_a_counter_names_its_latest_exchange() -> None:
    series = Series()
    name = "sidelight_errors_total"
    series.count_of(name, ("error", "upstream_reset"), ("id-1", b"", 1.0, 1e9))
    (told,) = [each for each in open_samples(series) if each.name == name]

    assert (1.0, {"request_id": "id-1"}) == (told.value, told.exemplar.labels)


def test_plain_text_has_no_exemplars() -> None:
    series = Series()
    series.spread("sidelight_request_duration_seconds", "chat").observe_of(0.2, "id-1", b"", 1e9)

    assert b"id-1" not in render(series.snapshot(), "", series.exemplars())[0]


def test_a_family_without_a_series_is_still_announced() -> None:
    text = render(Series().snapshot(), "")[0].decode()

    assert "# TYPE sidelight_streams_active gauge\n" in text


def test_rendering_is_right_while_counters_change(series: Series) -> None:
    """A scrape in its thread sees one moment: no bucket counts what the total does not."""
    spread = series.spread("sidelight_event_loop_lag_seconds")
    snapshot = series.snapshot()
    answers: list[list[bytes]] = []
    thread = threading.Thread(target=lambda: answers.append(ours(render(snapshot, "")[0])))
    expected = ours(render(snapshot, "")[0])
    thread.start()
    n = 0
    while thread.is_alive():
        n += 1
        spread.observe(0.001)
        series.numbers("sidelight_drain_exchanges_total")[(str(n),)] += 1
    thread.join()

    assert [expected] == answers
