"""Numbers that one thread writes and a copy of which others read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.observation.families import FAMILIES, OVH
from proxy.observation.series import Histogram, Sample, Series


@pytest.mark.parametrize(
    ("value", "bucket"),
    [(0.0, 0), (0.0001, 0), (0.00011, 1), (0.5, len(OVH) - 1), (0.51, len(OVH))],
)
def test_a_bound_belongs_to_its_bucket(value: float, bucket: int) -> None:
    """Prometheus: `le` is less or equal."""
    spread = Histogram(OVH)
    spread.observe(value)

    assert 1 == spread.cells[bucket]
    assert value == spread.cells[-1]


@given(st.lists(st.floats(0, 1000), max_size=30))
def test_a_histogram_loses_nothing(values: list[float]) -> None:
    spread = Histogram(OVH)
    for value in values:
        spread.observe(value)

    assert len(values) == sum(spread.cells[:-1])
    assert sum(values) == pytest.approx(spread.cells[-1])


def test_a_snapshot_does_not_change_when_counting_goes_on() -> None:
    series = Series()
    numbers = series.numbers("sidelight_drain_exchanges_total")
    spread = series.spread("sidelight_overhead_seconds", "chat")
    numbers[("cut",)] += 1
    spread.observe(1.0)
    before = series.snapshot()
    numbers[("cut",)] += 1
    numbers[("finished",)] += 1
    spread.observe(1.0)

    assert {("cut",): 1} == before["sidelight_drain_exchanges_total"]
    assert 1.0 == before["sidelight_overhead_seconds"][("chat",)][-1]


def test_a_histogram_of_the_same_labels_is_the_same() -> None:
    series = Series()
    one = series.spread("sidelight_overhead_seconds", "chat")

    assert one is series.spread("sidelight_overhead_seconds", "chat")
    assert one is not series.spread("sidelight_overhead_seconds", "rest")


def test_sources_are_asked_at_every_snapshot() -> None:
    series = Series()
    tokens = [20.0]
    name = "sidelight_retry_budget_tokens"
    series.read_from(lambda: [(name, ("chat",), tokens[0])])
    first = series.snapshot()
    tokens[0] = 19.0

    assert ({("chat",): 20.0}, {("chat",): 19.0}) == (first[name], series.snapshot()[name])


def test_a_source_may_count_what_it_held_back() -> None:
    series = Series()
    drained = series.numbers("sidelight_drain_exchanges_total")

    def source() -> list[Sample]:
        drained[("cut",)] += 1
        return []

    series.read_from(source)

    assert {("cut",): 1} == series.snapshot()["sidelight_drain_exchanges_total"]


def test_a_snapshot_names_every_family() -> None:
    assert set(FAMILIES) == set(Series().snapshot())


def test_an_exchange_that_goes_on_is_the_latest_of_a_bucket_when_it_comes_to_it() -> None:
    spread = Series().spread("sidelight_stream_gap_seconds", "chat")
    one, other = spread.observer("id-1", b"t-1"), spread.observer("id-2", b"t-2")
    least, most = 0.0, 1e6
    one(least)
    other(least)
    one(least)
    still = spread.exemplars[0]
    one(most)
    one(least)

    assert ("id-2", b"t-2", least, None) == still
    assert {("id-1", b"t-1", least, None), ("id-1", b"t-1", most, None)} == {
        *spread.exemplars.values()
    }
    assert (4, 1, most) == (spread.cells[0], spread.cells[-2], spread.cells[-1])
