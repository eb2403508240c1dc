"""Lengths of time, counts and lists as sentences say them."""

from proxy.diagnostics.stories.words import count, either, lasting, limit


def test_lengths_of_time_are_rounded_for_people() -> None:
    assert [lasting(s) for s in (0.31, 20.0, 900.0)] == ["310 ms", "20.0 s", "15.0 min"]
    assert [lasting(s) for s in (0.0004, 0.001)] == ["less than 1 ms", "1 ms"]
    assert [limit(s) for s in (0.3, 20.0, 2.5)] == ["300 ms", "20 s", "2.5 s"]


def test_counts_and_lists() -> None:
    assert (count(1, "event"), count(148, "event")) == ("1 event", "148 events")
    assert (either(["GET"]), either(["GET", "PUT", "POST"])) == ("GET", "GET, PUT or POST")
