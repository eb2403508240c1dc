"""The clocks of a request's body: what they count, and which one runs out."""

import pytest

from proxy.timing.upload_clocks import UploadClocks

RATE = 1024
LONG = 1000.0


def play(clocks: UploadClocks, pieces: list[tuple[float, int]]) -> float | None:
    """Seconds after which a clock has run out; each piece comes after so many seconds of waiting.

    None where none does.
    """
    passed = 0.0
    for after, size in pieces:
        left = after
        while left > 0:
            waited = min(left, clocks.patience())
            passed += waited
            left -= waited
            clocks.count(waited, 0)
            if left > 0 and clocks.expired() is not None:
                return passed
        clocks.count(0.0, size)
    return None


def steady(every: float, size: int, seconds: float) -> list[tuple[float, int]]:
    return [(every, size)] * int(seconds / every)


@pytest.mark.parametrize(
    ("pieces", "out_at"),
    [
        pytest.param(steady(1, 1, 90), 60, id="a byte a second"),
        pytest.param(steady(25, 1, 90), 60, id="within a wait"),
        pytest.param(steady(1, 1000, 90), 60, id="a little too slow"),
        pytest.param(steady(1, 2000, 600), None, id="a phone at 2 kB/s"),
        pytest.param(steady(0.001, 3, 300), None, id="many small pieces"),
        pytest.param([(50, 100_000), (50, 100_000), (50, 100_000)], None, id="pauses and bursts"),
        pytest.param([(50, 100_000), (90, 1)], 111, id="a burst counts for a minute"),
        pytest.param([(0, 10_000_000), (90, 1)], 61, id="and only for a minute"),
        pytest.param([(1, 2000)] * 60 + [(1, 1)] * 90, 91, id="a good minute does not save it"),
        pytest.param([(50, 10)], None, id="what is whole within a minute has no rate"),
    ],
)
def test_the_rate_is_averaged_over_a_minute_of_waiting(pieces, out_at) -> None:
    out = play(UploadClocks(LONG, RATE), pieces)

    assert (out is None) == (out_at is None)
    assert out is None or out_at - 1 <= out <= out_at + 1


def test_time_in_which_the_client_was_not_waited_for_is_not_counted() -> None:
    """As that of an upstream that does not read: it is counted nowhere."""
    clocks = UploadClocks(LONG, RATE)
    for _ in range(1000):
        clocks.count(0.0, 1)

    assert 60.0 == clocks.patience()


def test_silence_is_counted_from_the_last_byte() -> None:
    clocks = UploadClocks(30.0)
    clocks.count(20.0, 0)
    assert 10.0 == clocks.patience()
    clocks.count(5.0, 1)

    assert (30.0, None) == (clocks.patience(), clocks.expired())


@pytest.mark.parametrize(
    ("clocks", "waits", "detail", "ran"),
    [
        pytest.param(UploadClocks(30.0), [30.5], "body silent for 30 s", 30.5, id="silence"),
        pytest.param(
            UploadClocks(30.0, RATE, 10.0), [4, 6.5], "request_body: not whole after 10 s", 10.5,
            id="the whole of it",
        ),
        pytest.param(
            UploadClocks(70.0, RATE), [61], "min_upload_rate: less than 1024 bytes/s over 60 s",
            60.0, id="its rate",
        ),
    ],
)  # fmt: skip
def test_the_clock_that_ran_out_says_so(clocks, waits, detail, ran) -> None:
    for wait in waits[:-1]:
        clocks.count(wait, 1)
    clocks.count(waits[-1], 0)
    over = clocks.expired()

    assert (detail, ran) == (over.detail, over.ran)


def test_once_the_answer_has_begun_only_silence_counts() -> None:
    clocks = UploadClocks(30.0, RATE, 100.0)
    clocks.count(59.0, 1)
    clocks.answered()
    clocks.count(29.0, 1)
    clocks.count(29.0, 1)

    assert (30.0, None) == (clocks.patience(), clocks.expired())
    clocks.count(30.0, 0)
    assert "body silent for 30 s" == clocks.expired().detail


def test_what_is_remembered_is_bounded() -> None:
    clocks = UploadClocks(LONG, RATE)
    for _ in range(10_000):
        clocks.count(0.3, 4096)

    assert len(clocks._seconds) <= 62
    assert clocks._sum == sum(size for _, size in clocks._seconds)
