"""When a stream has been silent for too long. Time is a number here; nothing waits."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from proxy import outcome as o
from proxy.outcome import Outcome
from proxy.streams.clocks import StreamClocks
from proxy.timing.loop_lag import LoopLag

BEGUN = 1000.0


@dataclass
class Lengths:
    first_event: float = 60.0
    gap: float = 30.0
    event_gap: float | None = None
    max_stream: float = 900.0


def clocks(**unusual: float) -> StreamClocks:
    return StreamClocks(Lengths(**unusual), BEGUN)


def saw(running: StreamClocks, when: float, *, event: bool) -> None:
    take = running.saw_event if event else running.saw
    take(BEGUN + when)


@pytest.mark.parametrize(
    ("unusual", "seen", "at", "outcome", "words"),
    [
        pytest.param(
            {},
            [],
            60,
            o.FIRST_EVENT_TIMEOUT,
            "first_event: none within 60 s of the head",
            id="until the first event its clock alone runs",
        ),
        pytest.param(
            {"first_event": 6, "gap": 3},
            [(4, True)],
            7,
            o.STREAM_STALLED,
            "gap: no byte for 3 s",
            id="the gap begins with the first event",
        ),
        pytest.param(
            {},
            [(20, False), (40, False)],
            60,
            o.FIRST_EVENT_TIMEOUT,
            "first_event: none within 60 s of the head",
            id="comments do not end the wait for the first event",
        ),
        pytest.param(
            {},
            [(10, True), (25, False)],
            55,
            o.STREAM_STALLED,
            "gap: no byte for 30 s",
            id="the gap counts from the last byte, comment or not",
        ),
        pytest.param(
            {"event_gap": 45},
            [(10, True), (30, False), (50, False)],
            55,
            o.STREAM_STALLED,
            "event_gap: no event for 45 s",
            id="comments do not end the wait for the next event",
        ),
        pytest.param(
            {"max_stream": 50},
            [(25, True), (49, True)],
            50,
            o.STREAM_MAX_DURATION,
            "max_stream: 50 s are over",
            id="nothing prolongs the whole stream",
        ),
        pytest.param(
            {"first_event": 20, "max_stream": 20},
            [],
            20,
            o.STREAM_MAX_DURATION,
            "max_stream: 20 s are over",
            id="the whole stream comes before its parts",
        ),
    ],
)
def test_what_runs_out(
    unusual: dict[str, float],
    seen: list[tuple[float, bool]],
    at: float,
    outcome: Outcome,
    words: str,
) -> None:
    running = clocks(**unusual)
    for when, event in seen:
        assert running.ran_out(BEGUN + when) is None
        saw(running, when, event=event)
    just_before = running.ran_out(BEGUN + at - 0.01)
    left = running.left(BEGUN + at - 0.01)

    assert just_before is None
    assert pytest.approx(0.01) == left
    assert (outcome, words) == running.ran_out(BEGUN + at)


def test_a_timer_may_fire_a_tick_early() -> None:
    assert clocks().ran_out(BEGUN + 59.999) is not None


def test_events_may_be_as_far_apart_as_they_like_unless_said_otherwise() -> None:
    running = clocks()
    running.saw_event(BEGUN + 1)
    for second in range(20, 880, 20):
        running.saw(BEGUN + second)
        assert running.ran_out(BEGUN + second + 19) is None


def test_time_is_never_left_below_zero() -> None:
    assert 0.0 == clocks().left(BEGUN + 61)


def test_how_long_no_event_has_come() -> None:
    running = clocks()
    before = running.since_event(BEGUN + 1)
    running.saw_event(BEGUN + 2)
    running.saw(BEGUN + 4)

    assert (None, 3.0) == (before, running.since_event(BEGUN + 5))


def test_until_max_counts_from_the_beginning() -> None:
    running = clocks()
    running.saw_event(BEGUN + 100)

    assert 800.0 == running.until_max(BEGUN + 100)
    assert 0.0 == running.until_max(BEGUN + 1000)


@pytest.mark.parametrize(
    ("seen", "at"),
    [
        pytest.param([(10, True)], 40, id="the gap stops"),
        pytest.param([(20, False), (50, False)], 60, id="the wait for the first event stops"),
        pytest.param([(10, True), (40, False), (54, False)], 55, id="the wait for an event stops"),
    ],
)
def test_an_upstream_that_is_not_read_is_not_silent(
    seen: list[tuple[float, bool]], at: float
) -> None:
    running = clocks(event_gap=45)
    for when, event in seen:
        saw(running, when, event=event)
    running.stop_for(5)

    assert running.ran_out(BEGUN + at + 4.9) is None
    assert running.ran_out(BEGUN + at + 5) is not None


def test_an_upstream_that_is_not_read_still_has_an_end() -> None:
    running = clocks(max_stream=20)
    running.stop_for(5)

    assert 20.0 == running.until_max(BEGUN)


def test_the_time_in_which_it_was_not_read_is_not_told_as_silence() -> None:
    running = clocks(event_gap=20)
    running.saw_event(BEGUN + 1)
    running.stop_for(100)

    assert (o.STREAM_STALLED, "event_gap: no event for 20 s") == running.ran_out(BEGUN + 121)


@pytest.mark.parametrize(
    ("seen", "at"),
    [
        pytest.param([(10, True)], 40, id="the gap"),
        pytest.param([(20, False), (50, False)], 60, id="the first event"),
        pytest.param([(10, True), (40, False), (54, False)], 55, id="the gap between events"),
    ],
)
def test_time_in_which_the_loop_did_not_run_is_nobodys_silence(
    seen: list[tuple[float, bool]], at: float
) -> None:
    running = clocks(event_gap=45)
    for when, event in seen:
        saw(running, when, event=event)
    for moment in (at, at + 1):  # a second look forgives nothing twice
        running.excuse(BEGUN + moment, stalls_of((11, 16)))

    assert running.ran_out(BEGUN + at + 4.4) is None
    assert running.ran_out(BEGUN + at + 5) is not None


def test_a_stall_before_the_last_byte_does_not_lengthen_the_gap() -> None:
    running = clocks()
    running.saw_event(BEGUN + 20)
    running.excuse(BEGUN + 25, stalls_of((5, 15)))

    assert running.ran_out(BEGUN + 50) is not None


def test_a_stall_does_not_lengthen_a_stream() -> None:
    running = clocks(max_stream=20)
    running.excuse(BEGUN + 10, stalls_of((1, 9)))

    assert 10.0 == running.until_max(BEGUN + 10)


def stalls_of(stall: tuple[float, float]) -> Callable[[float, float], float]:
    lag = LoopLag()
    lag.record(BEGUN + stall[0], BEGUN + stall[1])
    return lag.stalled
